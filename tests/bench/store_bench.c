/* How fast records become durable through the store's group commit, beside a bare LMDB loop that
 * writes values and index entries of the same sizes with as many records in each commit, unsealed.
 *
 * Catch-up as it comes: runs of 64 records of 200 streams, 620 bytes each. `store.append` is LMDB
 * with the records table alone: what the disk allows when nothing is to be found again. */
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

enum {
    ROUND_COUNT = 3,
    RECORD_COUNT = 256 * 1024,
    RUN_COUNT = 64,
    STREAM_COUNT = 200,
    HEAD_SIZE = 308,
    BODY_SIZE = 312,
    GROUP_COUNT = 4096,     /* records in each commit of the bare loop */
    SEALED_SIZE = 620 + 91, /* what the store makes of 620 bytes */
    CELL_SIZE = 89,
};

static void must(int is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "store: %s failed\n", what);
        exit(1);
    }
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values)
{
    qsort(values, ROUND_COUNT, sizeof *values, compare);
    return values[ROUND_COUNT / 2];
}

/* ---- the store ---- */

struct feed {
    struct stream_id streams[STREAM_COUNT];
    struct record_id ids[RUN_COUNT];
    struct record_key keys[RUN_COUNT];
    uint8_t head[HEAD_SIZE];
    uint8_t body[BODY_SIZE];
    struct store_op ops[RUN_COUNT];
    uint8_t state[64];
    size_t done;
};

static void on_done(void *arg, const struct store_done *done)
{
    struct feed *feed = arg;
    must(done->result == OK, "a batch");
    feed->done += 1;
}

static void make_run(struct feed *feed, uint64_t run)
{
    randombytes_buf_deterministic(
        feed->ids, sizeof feed->ids,
        (const uint8_t[32]){(uint8_t)run, (uint8_t)(run >> 8), (uint8_t)(run >> 16)});
    for (uint64_t i = 0; i < RUN_COUNT; i += 1) {
        struct store_put *put = &feed->ops[i].put;
        feed->ops[i].kind = STORE_PUT;
        *put = (struct store_put){
            .stream = &feed->streams[run % STREAM_COUNT],
            .sequence = run / STREAM_COUNT * RUN_COUNT + i + 1,
            .id = &feed->ids[i],
            .head = {feed->head, HEAD_SIZE},
            .body = {feed->body, BODY_SIZE},
            .key = &feed->keys[i],
            .stream_state = {feed->state, sizeof feed->state},
        };
    }
}

static double store_rate(const char *path)
{
    static struct feed feed;
    struct store_options options = {.quota = (uint64_t)4 << 30};
    struct store *store;
    char problem[STORE_PROBLEM_SIZE];
    uint8_t master[KEY_SIZE] = {1};
    if (store_open(path, master, &options, problem, &store) != OK) {
        fprintf(stderr, "store: %s\n", problem);
        exit(1);
    }
    feed = (struct feed){.done = 0};
    for (size_t i = 0; i < STREAM_COUNT; i += 1) {
        feed.streams[i] = (struct stream_id){.scope.kind = SCOPE_BOARD, .generation = 1};
        feed.streams[i].scope.id[0] = (uint8_t)(i % 4);
        feed.streams[i].writer.bytes[0] = (uint8_t)i;
    }
    double start = now_s();
    size_t run = 0;
    while (feed.done < RECORD_COUNT / RUN_COUNT) {
        err result = ERR_BUSY;
        if (run < RECORD_COUNT / RUN_COUNT) {
            make_run(&feed, run);
            result = store_submit(store, feed.ops, RUN_COUNT, STORE_NORMAL, run);
            must(result == OK || result == ERR_BUSY, "submitting");
            run += result == OK ? 1 : 0;
        }
        if (result == ERR_BUSY) {
            store_drain(store, on_done, &feed);
            usleep(500);
        }
    }
    double rate = RECORD_COUNT / (now_s() - start);
    store_close(store);
    return rate;
}

/* ---- bare LMDB ---- */

struct bare {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi tables[4];
    uint8_t value[SEALED_SIZE];
};

static void put(struct bare *bare, size_t table, MDB_val key, MDB_val value, unsigned flags)
{
    must(mdb_put(bare->txn, bare->tables[table], &key, &value, flags) == 0, "mdb_put");
}

static void put_indexes(struct bare *bare, uint64_t number)
{
    uint64_t run = (number - 1) / RUN_COUNT;
    uint8_t pair[12];
    uint8_t id[16];
    struct buffer position = buffer_over(pair, sizeof pair);
    buffer_u32(&position, (uint32_t)(run % STREAM_COUNT));
    buffer_u64(&position, run / STREAM_COUNT * RUN_COUNT + (number - 1) % RUN_COUNT);
    put(bare, 1, (MDB_val){sizeof pair, pair}, (MDB_val){CELL_SIZE, bare->value}, 0);
    struct buffer scope = buffer_over(pair, sizeof pair);
    buffer_u32(&scope, (uint32_t)(run % STREAM_COUNT % 4));
    buffer_u64(&scope, number);
    put(bare, 2, (MDB_val){sizeof pair, pair}, (MDB_val){0, pair}, 0);
    for (size_t i = 0; i < sizeof id; i += 8) { /* as random as a hash, and cheap */
        uint64_t mixed = (number + i) * 0x9e3779b97f4a7c15u;
        mixed ^= mixed >> 29;
        memcpy(id + i, &mixed, 8);
    }
    put(bare, 3, (MDB_val){sizeof id, id}, (MDB_val){8, pair}, 0);
}

static double bare_rate(const char *path, bool indexed)
{
    static const char *const names[4] = {"records", "positions", "scopes", "ids"};
    static struct bare bare;
    must(mkdir(path, 0700) == 0 && mdb_env_create(&bare.env) == 0, "creating");
    must(mdb_env_set_maxdbs(bare.env, 4) == 0, "setting");
    must(mdb_env_set_mapsize(bare.env, (size_t)16 << 30) == 0, "mapping");
    must(mdb_env_open(bare.env, path, MDB_NORDAHEAD, 0600) == 0, "opening");
    must(mdb_txn_begin(bare.env, NULL, 0, &bare.txn) == 0, "beginning");
    for (size_t i = 0; i < 4; i += 1) {
        must(mdb_dbi_open(bare.txn, names[i], MDB_CREATE | (i == 0 ? MDB_INTEGERKEY : 0u),
                          &bare.tables[i]) == 0,
             "opening a table");
    }
    must(mdb_txn_commit(bare.txn) == 0, "committing");
    randombytes_buf(bare.value, sizeof bare.value);
    double start = now_s();
    for (size_t number = 1; number <= RECORD_COUNT;) {
        must(mdb_txn_begin(bare.env, NULL, 0, &bare.txn) == 0, "beginning");
        for (size_t i = 0; i < GROUP_COUNT; i += 1, number += 1) {
            put(&bare, 0, (MDB_val){sizeof number, &number},
                (MDB_val){sizeof bare.value, bare.value}, MDB_APPEND);
            if (indexed) {
                put_indexes(&bare, number);
            }
        }
        must(mdb_txn_commit(bare.txn) == 0, "committing");
    }
    double rate = RECORD_COUNT / (now_s() - start);
    mdb_env_close(bare.env);
    return rate;
}

static void clear(const char *path)
{
    static const char *const names[] = {"data.mdb",  "lock.mdb", "lock", "keyring.0",
                                        "keyring.1", "ballast",  "items"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i += 1) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", path, names[i]);
        (void)remove(name);
    }
    must(rmdir(path) == 0, "clearing");
}

int main(int argc, char **argv)
{
    double sealed[ROUND_COUNT];
    double bare[ROUND_COUNT];
    double append[ROUND_COUNT];
    double ratio[ROUND_COUNT];
    char path[400];
    const char *base = argc > 1 ? argv[1] : getenv("CONSILIUM_BENCH_DIR");
    must(sodium_init() >= 0, "starting");
    for (size_t i = 0; i < ROUND_COUNT; i += 1) {
        snprintf(path, sizeof path, "%s/store_bench", base != NULL ? base : ".");
        bare[i] = bare_rate(path, true);
        clear(path);
        sealed[i] = store_rate(path);
        clear(path);
        append[i] = bare_rate(path, false);
        clear(path);
        ratio[i] = sealed[i] / bare[i];
    }
    printf("store.rate %.0f records/s\n", median(sealed));
    printf("store.limit %.0f records/s\n", median(bare));
    printf("store.ratio %.3f ratio\n", median(ratio));
    printf("store.append %.0f records/s\n", median(append));
    return 0;
}
