/* Somebody with the store's key and a knowledge of LMDB, who would like an audit log to say
 * something else; the node is stopped.
 *
 *   e2e_auditor DATA NAME FEDERATION count           how many entries there are
 *   e2e_auditor DATA NAME FEDERATION alter NUMBER    the entry tells another time
 *   e2e_auditor DATA NAME FEDERATION drop NUMBER
 *   e2e_auditor DATA NAME FEDERATION swap NUMBER     with the next one
 *   e2e_auditor DATA NAME FEDERATION insert NUMBER   another one before it; all that follow move on
 *   e2e_auditor DATA NAME FEDERATION cut NUMBER      it and all that follow are gone, and not
 * counted
 *
 * NAME is the directory of the federation below DATA. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit/audit.h"
#include "node/onboarding/identity.h"
#include "node/os/passphrase.h"
#include "node/os/secure_arena.h"
#include "node/runtime/runtime.h"
#include "store/disk/row_codec.h"
#include "store/row_table.h"

enum { AUDITOR_COUNT_MAX = 4096, AUDITOR_ARENA_SIZE = 16384, AUDITOR_STATE_LAST = 48 };

struct auditor {
    struct store *store;
    MDB_txn *txn;
    struct seal_nonces nonces;
    uint64_t count;
    size_t sizes[AUDITOR_COUNT_MAX + 2];
    uint8_t entries[AUDITOR_COUNT_MAX + 2][AUDIT_ENTRY_SIZE_MAX];
};

static void auditor_must(bool is_so)
{
    if (!is_so)
        abort();
}

static bool auditor_on_entry(void *arg, const struct store_audit *entry)
{
    struct auditor *auditor = arg;
    auditor_must(entry->number <= AUDITOR_COUNT_MAX && entry->entry.size <= AUDIT_ENTRY_SIZE_MAX);
    memcpy(auditor->entries[entry->number], entry->entry.data, entry->entry.size);
    auditor->sizes[entry->number] = entry->entry.size;
    auditor->count = entry->number;
    return true;
}

static struct row_codec_row_key auditor_key(const struct auditor *auditor, uint64_t number)
{
    uint8_t name[8];
    struct buffer buffer = buffer_over(name, sizeof name);
    buffer_u64(&buffer, number);
    return row_codec_row_key(auditor->store, ROW_CODEC_TABLE_AUDIT, buffer_bytes(&buffer));
}

static void auditor_put(struct auditor *auditor, const struct row_codec_row_key *row_key,
                        struct bytes name, struct bytes entry)
{
    uint8_t plain[2048], sealed[2048 + ROW_CODEC_ROW_OVERHEAD];
    struct buffer buffer = buffer_over(plain, sizeof plain);
    buffer_u16(&buffer, (uint16_t)name.size);
    buffer_put(&buffer, name.data, name.size);
    buffer_put(&buffer, entry.data, entry.size);
    auditor_must(!buffer.failed);
    row_codec_row_seal(auditor->store, &auditor->nonces,
                       (struct bytes){row_key->bytes, row_key->size}, buffer_bytes(&buffer),
                       sealed);
    MDB_val key = env_val(row_key->bytes, row_key->size);
    MDB_val value = env_val(sealed, buffer.size + ROW_CODEC_ROW_OVERHEAD);
    auditor_must(mdb_put(auditor->txn, auditor->store->env.rows, &key, &value, 0) == 0);
}

/* What stands at `number` from now on. */
static void auditor_set(struct auditor *auditor, uint64_t number, uint64_t from)
{
    uint8_t name[8];
    struct buffer buffer = buffer_over(name, sizeof name);
    struct row_codec_row_key key = auditor_key(auditor, number);
    buffer_u64(&buffer, number);
    auditor_put(auditor, &key, buffer_bytes(&buffer),
                (struct bytes){auditor->entries[from], auditor->sizes[from]});
}

static void auditor_drop(struct auditor *auditor, uint64_t number)
{
    struct row_codec_row_key row_key = auditor_key(auditor, number);
    MDB_val key = env_val(row_key.bytes, row_key.size);
    auditor_must(mdb_del(auditor->txn, auditor->store->env.rows, &key, NULL) == 0);
}

/* The entry `number`, with another time, over itself. */
static void auditor_alter(struct auditor *auditor, uint64_t number)
{
    struct audit_entry entry;
    uint8_t copy[AUDIT_ENTRY_SIZE_MAX];
    struct buffer out = buffer_over(auditor->entries[number], AUDIT_ENTRY_SIZE_MAX);
    memcpy(copy, auditor->entries[number], auditor->sizes[number]);
    auditor_must(audit_entry_read((struct bytes){copy, auditor->sizes[number]}, &entry) == OK);
    entry.time.ms += 1;
    auditor_must(audit_entry_write(&entry, &out) == OK);
    auditor->sizes[number] = out.size;
}

static void auditor_insert(struct auditor *auditor, uint64_t number)
{
    for (uint64_t i = auditor->count; i >= number; i--)
        auditor_set(auditor, i + 1, i);
    auditor_alter(auditor, number);
    auditor_set(auditor, number, number);
}

/* The row of counters says how many entries there were; it has a table of its own. */
static void auditor_count_back(struct auditor *auditor, uint64_t last)
{
    uint8_t from = ROW_CODEC_TABLE_STATE, plain[1024], copy[1024];
    struct store_row row;
    struct row_codec_row_key row_key;
    MDB_cursor *cursor;
    MDB_val key = env_val(&from, 1), value;
    auditor_must(mdb_cursor_open(auditor->txn, auditor->store->env.rows, &cursor) == 0 &&
                 mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE) == 0);
    row_key.size = key.mv_size;
    memcpy(row_key.bytes, key.mv_data, key.mv_size);
    auditor_must(row_key.bytes[0] == ROW_CODEC_TABLE_STATE &&
                 value.mv_size <= sizeof plain + ROW_CODEC_ROW_OVERHEAD &&
                 row_codec_row_open(auditor->store, env_bytes_of(key), env_bytes_of(value), plain,
                                    &row) == OK);
    mdb_cursor_close(cursor);
    memcpy(copy, row.value.data, row.value.size);
    struct buffer at = buffer_over(copy + AUDITOR_STATE_LAST, 8);
    buffer_u64(&at, last);
    auditor_put(auditor, &row_key, row.key, (struct bytes){copy, row.value.size});
}

static void auditor_do(struct auditor *auditor, const char *what, uint64_t number)
{
    auditor_must(number >= 1 && number < auditor->count &&
                 mdb_txn_begin(auditor->store->env.mdb, NULL, 0, &auditor->txn) == 0);
    if (strcmp(what, "alter") == 0) {
        auditor_alter(auditor, number);
        auditor_set(auditor, number, number);
    } else if (strcmp(what, "drop") == 0) {
        auditor_drop(auditor, number);
    } else if (strcmp(what, "swap") == 0) {
        auditor_set(auditor, number, number + 1);
        auditor_set(auditor, number + 1, number);
    } else if (strcmp(what, "insert") == 0) {
        auditor_insert(auditor, number);
        auditor_count_back(auditor, auditor->count + 1);
    } else if (strcmp(what, "cut") == 0) {
        for (uint64_t i = number; i <= auditor->count; i++)
            auditor_drop(auditor, i);
        auditor_count_back(auditor, number - 1);
    } else {
        abort();
    }
    auditor_must(mdb_txn_commit(auditor->txn) == 0);
}

int main(int argc, char **argv)
{
    struct secure_arena *secrets;
    struct identity identity;
    struct federation_id federation;
    char problem[STORE_PROBLEM_SIZE], path[4096];
    struct auditor *auditor = calloc(1, sizeof *auditor);
    if (sodium_init() < 0 || auditor == NULL || argc < 5 ||
        ids_from_hex(argv[3], federation.bytes, HASH_SIZE) != OK ||
        secure_arena_new(AUDITOR_ARENA_SIZE, &secrets) != OK ||
        identity_open(argv[1], &PASSPHRASE_TERMINAL, secrets, &identity, problem) != OK)
        return 2;
    struct store_options options = {.owner = runtime_owner(&federation, &identity.node_id)};
    snprintf(path, sizeof path, "%s/%s", argv[1], argv[2]);
    if (store_open(path, identity.store_key, &options, problem, &auditor->store) != OK) {
        fprintf(stderr, "%s\n", problem);
        return 1;
    }
    auditor_must(row_table_audit(auditor->store, 1, auditor_on_entry, auditor) == OK);
    if (argc > 5)
        auditor_do(auditor, argv[4], strtoull(argv[5], NULL, 10));
    else
        printf("%llu\n", (unsigned long long)auditor->count);
    store_close(auditor->store);
    secure_arena_free(secrets);
    free(auditor);
    return 0;
}
