/* What an institution does by mail, for stories in which no node runs:
 *
 *   e2e_institution request SEED NAME COUNTRY TAG...      a request on standard output
 *   e2e_institution rotate SEED NEW-SEED FEDERATION NAME  the same, new keys, signed by the old
 *   e2e_institution fingerprint < request
 *   e2e_institution accept SEED < invitation              proves it; prints fingerprint and members
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/fingerprint.h"
#include "protocol/base/hash.h"
#include "protocol/roster/invitation.h"
#include "protocol/roster/join.h"

enum { INPUT_SIZE_MAX = 16 * 1024 * 1024 };

struct keys {
    struct node_id node_id;
    struct sign_key sign_key;
    struct transport_key transport_key;
    uint8_t secret[64];
};

static struct keys keys_of(const char *seed)
{
    struct keys keys;
    uint8_t hash[32], box_secret[32];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)seed, strlen(seed), NULL, 0);
    memcpy(keys.node_id.bytes, hash, NODE_ID_SIZE);
    crypto_sign_seed_keypair(keys.sign_key.bytes, keys.secret, hash);
    hash[0] ^= 1;
    crypto_box_seed_keypair(keys.transport_key.bytes, box_secret, hash);
    return keys;
}

static void print_fingerprint(const struct hash *hash)
{
    char text[FINGERPRINT_TEXT_SIZE];
    fingerprint_write(hash, text);
    puts(text);
}

static int put_request(const struct join_request *request, const uint8_t *secret)
{
    uint8_t memory[JOIN_REQUEST_SIZE_MAX];
    struct buffer all = buffer_over(memory, sizeof memory);
    if (join_write(&all, request, secret) != OK)
        return 1;
    return fwrite(all.data, 1, all.size, stdout) == all.size ? 0 : 1;
}

static int do_request(int argc, char **argv)
{
    struct keys keys = keys_of(argv[2]);
    struct join_request request = {
        .node_id = keys.node_id,
        .name = bytes_of_text(argv[3]),
        .country = {(uint8_t)argv[4][0], (uint8_t)argv[4][1]},
        .sign_key = keys.sign_key,
        .transport_key = keys.transport_key,
        .time = {1},
    };
    for (int i = 5; i < argc && request.tag_count < MEMBER_BOARD_COUNT_MAX; i++)
        request.tags[request.tag_count++] = bytes_of_text(argv[i]);
    return put_request(&request, keys.secret);
}

static int do_rotate(char **argv)
{
    struct keys old = keys_of(argv[2]), fresh = keys_of(argv[3]);
    struct federation_id federation;
    uint8_t message[MEMBER_KEYS_MESSAGE_SIZE];
    if (ids_from_hex(argv[4], federation.bytes, HASH_SIZE) != OK)
        return 1;
    struct join_request request = {
        .node_id = old.node_id,
        .name = bytes_of_text(argv[5]),
        .country = {'D', 'E'},
        .sign_key = fresh.sign_key,
        .transport_key = fresh.transport_key,
        .time = {2},
        .has_old_signature = true,
    };
    struct member member;
    join_member(&request, 1, &member);
    member_keys_message(&federation, &member, message);
    hash_sign(CONTEXT_MEMBER_KEYS, (struct bytes){message, sizeof message}, old.secret,
              &request.old_signature);
    return put_request(&request, fresh.secret);
}

static int do_fingerprint(struct bytes input)
{
    struct hash hash = join_fingerprint(input);
    print_fingerprint(&hash);
    return 0;
}

static int do_accept(struct bytes input, const char *seed)
{
    struct invitation invitation;
    struct roster_plan plan = roster_plan_full();
    struct keys keys = keys_of(seed);
    void *memory = malloc(roster_size(&plan));
    struct roster *roster = malloc(sizeof *roster);
    int status = 1;
    if (memory == NULL || roster == NULL)
        abort();
    err failure = invitation_read(input, &invitation);
    if (failure == OK) {
        roster_init(roster, &plan, memory, &keys.node_id, &invitation.federation);
        failure = invitation_accept(&invitation, roster, (struct wall){1});
    }
    if (failure == OK && ID_EQUAL(invitation.node_id, keys.node_id)) {
        struct hash hash = invitation_fingerprint(&invitation);
        print_fingerprint(&hash);
        printf("members %u\n", roster_count(roster));
        status = 0;
    } else {
        fprintf(stderr, "%s\n", err_name(failure));
    }
    free(roster);
    free(memory);
    return status;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0 || argc < 2)
        return 2;
    if (argc >= 5 && strcmp(argv[1], "request") == 0)
        return do_request(argc, argv);
    if (argc == 6 && strcmp(argv[1], "rotate") == 0)
        return do_rotate(argv);
    uint8_t *data = malloc(INPUT_SIZE_MAX);
    if (data == NULL)
        return 2;
    struct bytes input = {data, fread(data, 1, INPUT_SIZE_MAX, stdin)};
    int status = 2;
    if (strcmp(argv[1], "fingerprint") == 0)
        status = do_fingerprint(input);
    else if (argc == 3 && strcmp(argv[1], "accept") == 0)
        status = do_accept(input, argv[2]);
    free(data);
    return status;
}
