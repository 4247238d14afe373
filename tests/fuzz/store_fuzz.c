/* A store that somebody took away, altered value by value, and put back (S-4): it opens, or is
 * refused; whatever it then gives is what was put there, or ERR_CORRUPT; it never ends the program.
 * The tree of LMDB itself is whole: spec/storage.md says what a damaged one may do.
 *
 * The input is a list of changes: u8 table, u8 which entry, u8 what, u16 where, u8 with what. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 6, VALUE_MAX = 8192, HEAD_SIZE = 308 };

static char path[96], file[128];
static uint8_t master[KEY_SIZE] = {7};
static uint8_t *whole; /* data.mdb as it was */
static size_t whole_size;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Nothing here need outlive a power cut. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static struct store *store_opened(bool verify)
{
    static char problem[STORE_PROBLEM_SIZE];
    struct store_options options = {.owner = {{9}}, .quota = (uint64_t)8 << 20, .verify = verify};
    struct store *store = NULL;
    err failure = store_open(path, master, &options, problem, &store);
    must(failure == OK || (problem[0] != 0 && strchr(problem, '\n') == NULL));
    return failure == OK ? store : NULL;
}

static struct stream_id stream_of(uint64_t number)
{
    struct stream_id id = {.scope.kind = SCOPE_CASE, .generation = 1};
    id.scope.id[0] = 1;
    id.writer.bytes[0] = (uint8_t)(number % 2);
    return id;
}

static struct record_id id_of(uint64_t number)
{
    return (struct record_id){{(uint8_t)number, 1}};
}

static void fill(struct store *store)
{
    static uint8_t head[HEAD_SIZE], body[200];
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct stream_id stream = stream_of(i);
        struct record_id id = id_of(i);
        struct record_key key = {{(uint8_t)i}};
        uint8_t row = (uint8_t)i;
        head[0] = body[0] = (uint8_t)i;
        struct store_op ops[3] = {
            {.kind = STORE_PUT}, {.kind = STORE_ROW_PUT}, {.kind = STORE_AUDIT}};
        ops[0].put = (struct store_put){.stream = &stream,
                                        .sequence = i / 2 + 1,
                                        .id = &id,
                                        .head = {head, sizeof head},
                                        .body = {body, sizeof body},
                                        .key = &key,
                                        .stream_state = {body, 20}};
        ops[1].row = (struct store_row){STORE_TABLE_CASE, {&row, 1}, {&row, 1}};
        ops[2].audit = (struct store_audit){i + 1, {&row, 1}};
        must(store_commit(store, ops, 3, STORE_NORMAL, NULL) == OK);
    }
}

static void remove_all(void)
{
    static const char *const names[] = {"lock",      "lock.mdb", "data.mdb", "keyring.0",
                                        "keyring.1", "ballast",  "failed",   "items"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        if (i + 1 < sizeof names / sizeof names[0])
            unlink(file);
        else
            rmdir(file);
    }
    rmdir(path);
}

static void put_back(void)
{
    snprintf(file, sizeof file, "%s/data.mdb", path);
    FILE *out = fopen(file, "wb");
    must(out != NULL && fwrite(whole, 1, whole_size, out) == whole_size);
    fclose(out);
    snprintf(file, sizeof file, "%s/failed", path);
    unlink(file);
}

static void prepare(void)
{
    bool has_memory = access("/dev/shm", W_OK) == 0;
    snprintf(path, sizeof path, "%s/store_fuzz_XXXXXX", has_memory ? "/dev/shm" : "/tmp");
    must(mkdtemp(path) != NULL);
    atexit(remove_all);
    struct store *store = store_opened(false);
    must(store != NULL);
    fill(store);
    store_close(store);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    FILE *in = fopen(file, "rb");
    struct stat info;
    must(in != NULL && fstat(fileno(in), &info) == 0);
    whole_size = (size_t)info.st_size;
    whole = malloc(whole_size);
    must(whole != NULL && fread(whole, 1, whole_size, in) == whole_size);
    fclose(in);
}

/* ---- the thief ---- */

enum change { CHANGE_FLIP, CHANGE_CUT, CHANGE_GROW, CHANGE_DROP, CHANGE_MOVE, CHANGE_KEY, CHANGES };

struct thief {
    MDB_txn *txn;
    MDB_dbi table;
    MDB_cursor *cursor;
};

static bool entry_at(struct thief *thief, unsigned which, MDB_val *key, MDB_val *value)
{
    bool is_there = mdb_cursor_get(thief->cursor, key, value, MDB_FIRST) == 0;
    for (unsigned i = 0; is_there && i < which; i++)
        is_there = mdb_cursor_get(thief->cursor, key, value, MDB_NEXT) == 0;
    return is_there;
}

static void change(struct thief *thief, enum change what, MDB_val key, MDB_val value,
                   const uint8_t how[static 3])
{
    static uint8_t copy[VALUE_MAX], name[512];
    size_t at = (size_t)how[0] << 8 | how[1];
    if (value.mv_size > VALUE_MAX - 16 || key.mv_size > sizeof name)
        return;
    memcpy(copy, value.mv_data, value.mv_size);
    memcpy(name, key.mv_data, key.mv_size);
    MDB_val new_key = {key.mv_size, name}, new_value = {value.mv_size, copy}, other;
    if (what == CHANGE_FLIP && value.mv_size > 0)
        copy[at % value.mv_size] ^= how[2];
    else if (what == CHANGE_CUT && value.mv_size > 0)
        new_value.mv_size = at % value.mv_size;
    else if (what == CHANGE_GROW)
        new_value.mv_size += how[2] % 16;
    else if (what == CHANGE_MOVE && entry_at(thief, how[2] % 8, &other, &new_value))
        new_value.mv_data = memcpy(copy, new_value.mv_data, new_value.mv_size);
    if (what == CHANGE_KEY)
        name[at % key.mv_size] ^= how[2];
    if (what == CHANGE_DROP || what == CHANGE_KEY)
        (void)mdb_del(thief->txn, thief->table, &key, NULL);
    if (what != CHANGE_DROP)
        (void)mdb_put(thief->txn, thief->table, &new_key, &new_value, 0);
}

static void alter(struct reader *reader)
{
    static const char *const tables[] = {"records", "positions", "scopes",
                                         "ids",     "streams",   "rows"};
    MDB_env *env;
    struct thief thief;
    must(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 8) == 0);
    must(mdb_env_set_mapsize(env, (size_t)64 << 20) == 0 && mdb_env_open(env, path, 0, 0600) == 0);
    must(mdb_txn_begin(env, NULL, 0, &thief.txn) == 0);
    for (unsigned i = 0; i < 32 && reader_left(reader) >= 6; i++) {
        uint8_t how[6];
        MDB_val key, value;
        reader_copy(reader, how, sizeof how);
        if (mdb_dbi_open(thief.txn, tables[how[0] % 6], 0, &thief.table) != 0)
            continue;
        must(mdb_cursor_open(thief.txn, thief.table, &thief.cursor) == 0);
        if (entry_at(&thief, how[1], &key, &value)) {
            uint8_t name[512];
            must(key.mv_size <= sizeof name);
            memcpy(name, key.mv_data, key.mv_size); /* what follows may move the page */
            key.mv_data = name;
            change(&thief, (enum change)(how[2] % CHANGES), key, value, how + 3);
        }
        mdb_cursor_close(thief.cursor);
    }
    must(mdb_txn_commit(thief.txn) == 0);
    mdb_env_close(env);
}

/* ---- the owner ---- */

static bool see_stream(void *arg, const struct store_stream_row *row)
{
    (void)arg;
    must(row->stream.scope.kind == SCOPE_CASE && row->stream.scope.id[0] == 1);
    return true;
}

static bool see_row(void *arg, const struct store_row *row)
{
    (void)arg;
    must(row->key.size == 1 && row->value.size == 1 && row->key.data[0] == row->value.data[0]);
    return true;
}

static bool see_audit(void *arg, const struct store_audit *entry)
{
    (void)arg;
    must(entry->entry.size == 1 && entry->entry.data[0] + 1U == entry->number);
    return true;
}

static void see_record(const struct store_record *record, uint64_t number)
{
    must(record->head.size == HEAD_SIZE && record->head.data[0] == number);
    must(!record->has_body || (record->body.size == 200 && record->body.data[0] == number));
    must(!record->has_key || record->key.bytes[0] == number);
}

static void look(struct store *store)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    struct store_usage usage;
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct stream_id stream = stream_of(i);
        struct record_id id = id_of(i);
        if (record_table_get(store, &stream, i / 2 + 1, memory, &record) == OK)
            see_record(&record, i);
        if (record_table_find(store, &id, memory, &record) == OK)
            see_record(&record, i);
        (void)record_table_has(store, &id);
    }
    (void)!stream_table_scan(store, see_stream, NULL);
    for (unsigned table = STORE_TABLE_META; table <= STORE_TABLE_HELD; table++)
        (void)!row_table_scan(store, (enum store_table)table, see_row, NULL);
    (void)!row_table_audit(store, 0, see_audit, NULL);
    (void)!store_usage(store, &usage);
    uint64_t number = 0, before = UINT64_MAX;
    while (number != before) {
        before = number;
        if (store_verify(store, before, 4, &number) != OK)
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_of((struct bytes){data, size});
    if (whole == NULL)
        prepare();
    put_back();
    alter(&reader);
    struct store *store = store_opened(size % 2 == 1);
    if (store != NULL) {
        look(store);
        struct stream_id stream = stream_of(0);
        struct store_op op = {.kind = STORE_DESTROY, .position = {&stream, 1, 0, 0}};
        (void)!store_commit(store, &op, 1, STORE_RELEASING, NULL);
        store_close(store);
    }
    return 0;
}
