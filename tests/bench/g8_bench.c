/* G8: how much of bare Ed25519 is left once a record is sealed (random key and nonce, encrypt,
 * commit, hash, sign) and opened (parse, verify, check body and key, decrypt), on one core.
 *
 * The bare peer signs and verifies a message of a header's size. Slices of the four alternate, and
 * each ratio is the median over the rounds, so that a noisy neighbour hits both sides. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/record/record.h"

enum { ROUND_COUNT = 41, SLICE_COUNT = 500, PLAINTEXT_SIZE = 320 };

struct bench {
    uint8_t secret[64];
    struct sign_key key;
    struct record_header header;
    uint8_t plaintext[PLAINTEXT_SIZE];
    uint8_t bare[SLICE_COUNT][RECORD_HEADER_SIZE];
    struct signature signatures[SLICE_COUNT];
    uint8_t records[SLICE_COUNT][2048];
    size_t sizes[SLICE_COUNT];
    struct record_key keys[SLICE_COUNT];
};

static void must(int is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "g8: %s failed\n", what);
        exit(1);
    }
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void bare_sign(struct bench *bench, size_t i)
{
    must(crypto_sign_detached(bench->signatures[i].bytes, NULL, bench->bare[i], RECORD_HEADER_SIZE,
                              bench->secret) == 0,
         "signing");
}

static void bare_verify(struct bench *bench, size_t i)
{
    must(crypto_sign_verify_detached(bench->signatures[i].bytes, bench->bare[i], RECORD_HEADER_SIZE,
                                     bench->key.bytes) == 0,
         "verifying");
}

static void seal(struct bench *bench, size_t i)
{
    struct record_secrets secrets = {.sign_secret = bench->secret};
    struct record_id id;
    struct buffer out = buffer_over(bench->records[i], sizeof bench->records[i]);
    uint8_t random[KEY_SIZE + RECORD_NONCE_SIZE]; /* one draw: it is a system call */
    randombytes_buf(random, sizeof random);
    memcpy(secrets.key.bytes, random, KEY_SIZE);
    memcpy(secrets.nonce, random + KEY_SIZE, RECORD_NONCE_SIZE);
    bench->header.sequence++;
    must(record_seal(&bench->header, (struct bytes){bench->plaintext, PLAINTEXT_SIZE}, &secrets,
                     &out, &id) == OK,
         "sealing");
    bench->header.previous = id;
    bench->keys[i] = secrets.key;
    bench->sizes[i] = out.size;
}

static void unseal(struct bench *bench, size_t i)
{
    uint8_t memory[2048];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_claim claim;
    must(record_parse((struct bytes){bench->records[i], bench->sizes[i]}, &claim) == OK, "parsing");
    must(record_verify(&claim, &bench->key) == OK, "verifying a record");
    must(record_check_body(&claim) == OK, "checking a body");
    must(record_open(&claim, &bench->keys[i], &out) == OK, "opening");
    must(out.size == PLAINTEXT_SIZE && memcmp(memory, bench->plaintext, PLAINTEXT_SIZE) == 0,
         "comparing what was opened");
}

/* Seconds of processor time for one slice. */
static double slice(struct bench *bench, void (*work)(struct bench *bench, size_t i))
{
    double start = now_s();
    for (size_t i = 0; i < SLICE_COUNT; i++)
        work(bench, i);
    return now_s() - start;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double values[static ROUND_COUNT])
{
    qsort(values, ROUND_COUNT, sizeof values[0], by_size);
    return values[ROUND_COUNT / 2];
}

static void prepare(struct bench *bench)
{
    must(crypto_sign_keypair(bench->key.bytes, bench->secret) == 0, "making a key");
    randombytes_buf(bench->plaintext, sizeof bench->plaintext);
    randombytes_buf(bench->bare, sizeof bench->bare);
    bench->header = (struct record_header){
        .stream = {.scope = {.kind = SCOPE_BOARD}, .generation = 1},
        .audience = AUDIENCE_SCOPE,
        .time = {.ms = 1},
    };
    randombytes_buf(bench->header.federation.bytes, sizeof bench->header.federation.bytes);
    randombytes_buf(bench->header.stream.scope.id, sizeof bench->header.stream.scope.id);
}

int main(void)
{
    static struct bench bench;
    double sign[ROUND_COUNT], verify[ROUND_COUNT], sealing[ROUND_COUNT], opening[ROUND_COUNT];
    double seal_ratio[ROUND_COUNT], open_ratio[ROUND_COUNT];
    must(sodium_init() >= 0, "starting libsodium");
    prepare(&bench);
    for (size_t round = 0; round < ROUND_COUNT; round++) {
        sign[round] = slice(&bench, bare_sign);
        sealing[round] = slice(&bench, seal);
        verify[round] = slice(&bench, bare_verify);
        opening[round] = slice(&bench, unseal);
        seal_ratio[round] = sign[round] / sealing[round];
        open_ratio[round] = verify[round] / opening[round];
    }
    printf("g8.sign_rate %.0f /s\n", SLICE_COUNT / median(sign));
    printf("g8.seal_rate %.0f /s\n", SLICE_COUNT / median(sealing));
    printf("g8.seal_ratio %.3f of_bare\n", median(seal_ratio));
    printf("g8.verify_rate %.0f /s\n", SLICE_COUNT / median(verify));
    printf("g8.open_rate %.0f /s\n", SLICE_COUNT / median(opening));
    printf("g8.open_ratio %.3f of_bare\n", median(open_ratio));
    return 0;
}
