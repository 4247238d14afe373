/* G2: catch-up of long runs, each vouched for by one signature; beside the store alone, which keeps
 * the same records in group commits of the same size, in the same run. */
#include <semaphore.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/sched_slice.h"
#include "protocol/record/record.h"
#include "store/store.h"
#include "tests/bench/ingest.h"

enum { RUN_LENGTH = 64, BATCH_COUNT = 2000, BODY_SIZE = 360, WAITING_MAX = 16 };

static void must(int is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "g2: %s failed\n", what);
        exit(1);
    }
}

struct store_only {
    struct store_op ops[RUN_LENGTH];
    struct stream_id stream;
    struct record_id ids[RUN_LENGTH];
    struct record_key key;
    uint8_t head[RECORD_BARE_SIZE];
    uint8_t body[BODY_SIZE];
    uint8_t state[52];
    unsigned waiting;
    sem_t committed;
};

static void store_on_done(void *arg, const struct store_done *done)
{
    struct store_only *only = arg;
    must(done->result == OK, err_name(done->result));
    only->waiting--;
}

static void store_notify(void *arg)
{
    struct store_only *only = arg;
    must(sem_post(&only->committed) == 0, "telling of a commit");
}

/* Sleeps until the next commit: a core that spins is lost for the store. */
static void store_wait(struct store *store, struct store_only *only)
{
    must(sem_wait(&only->committed) == 0, "waiting for a commit");
    (void)store_drain(store, store_on_done, only);
}

static double store_only_rate(const char *folder)
{
    static struct store_only only;
    uint8_t master[KEY_SIZE] = {3};
    char path[4096], problem[STORE_PROBLEM_SIZE] = "";
    struct store_options options = {.owner = {{1}}, .notify = store_notify, .arg = &only};
    struct store *store;
    must(sem_init(&only.committed, 0, 0) == 0, "a semaphore");
    snprintf(path, sizeof path, "%s/store-only", folder);
    must(store_open(path, master, &options, problem, &store) == OK, problem);
    only.stream.scope.kind = SCOPE_BOARD;
    only.stream.generation = 1;
    randombytes_buf(only.body, sizeof only.body);
    double start = ingest_now_s();
    uint64_t sequence = 0;
    for (int batch = 0; batch < BATCH_COUNT; batch++) {
        for (int i = 0; i < RUN_LENGTH; i++) {
            randombytes_buf(only.ids[i].bytes, 8);
            only.ops[i] = (struct store_op){.kind = STORE_PUT};
            only.ops[i].put = (struct store_put){.stream = &only.stream,
                                                 .sequence = ++sequence,
                                                 .id = &only.ids[i],
                                                 .head = {only.head, sizeof only.head},
                                                 .body = {only.body, sizeof only.body},
                                                 .key = &only.key,
                                                 .stream_state = {only.state, sizeof only.state}};
            memcpy(only.ids[i].bytes + 8, &sequence, sizeof sequence);
        }
        while (only.waiting >= WAITING_MAX)
            store_wait(store, &only);
        while (store_submit(store, only.ops, RUN_LENGTH, STORE_NORMAL, 1) == ERR_BUSY)
            store_wait(store, &only);
        only.waiting++;
    }
    while (only.waiting > 0)
        store_wait(store, &only);
    double seconds = ingest_now_s() - start;
    store_close(store);
    return (double)sequence / seconds;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: g2_bench FOLDER\n");
        return 2;
    }
    struct ingest_plan plan = {.figure = "g2",
                               .folder = argv[1],
                               .link_count = 2,
                               .writers_a_frame = 50,
                               .run_length = RUN_LENGTH,
                               .window = 8,
                               .frame_count = 2000};
    must(sodium_init() >= 0, "libsodium");
    sched_slice_short(); /* as every node: the store alone has the same right to a core */
    double limit = store_only_rate(argv[1]);
    struct ingest_result result = ingest_run(&plan);
    printf("g2.rate %.0f records/s\n", result.rate);
    printf("g2.limit %.0f records/s\n", limit);
    printf("g2.ratio %.3f ratio\n", result.rate / limit);
    printf("g2.sender_us %.2f us\n", result.sender_us);
    printf("g2.receiver_us %.2f us\n", result.receiver_us);
    printf("g2.ack_p99_ms %.2f ms\n", result.ack_p99_ms);
    return 0;
}
