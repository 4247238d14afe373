#include "store/store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/index_buffer.h"
#include "store/verify.h"
#include "store/write/item_writer.h"
#include "store/write/schema.h"
#include "store/write/writer.h"

#define QUOTA_DEFAULT ((uint64_t)8 << 30)
#define ITEM_QUOTA_DEFAULT ((uint64_t)64 << 30)
#define QUOTA_MIN ((uint64_t)4 << 20)

/* ---- opening ---- */

static err say(char *problem, err code, const char *path, const char *what)
{
    if (problem[0] == '\0') {
        (void)snprintf(problem, STORE_PROBLEM_SIZE, "%s: %s", path, what);
    }
    return code;
}

static err explain(char *problem, err code, const char *path)
{
    switch ((unsigned)code) {
    case ERR_FULL:
        return say(problem, code, path, "the disk is full; make room and start again");
    case ERR_NO_MEMORY:
        return say(problem, code, path,
                   "no memory, or none that may be locked; raise LimitMEMLOCK");
    case ERR_CORRUPT:
        return say(problem, code, path,
                   "data.mdb fails its check; restore it from a backup, or start with an empty "
                   "directory and let the other members fill it");
    default:
        return say(problem, code, path, err_sentence(code));
    }
}

static err open_keys(struct store *store, const char *path, const uint8_t *master, char *problem)
{
    store->keys = seal_keys_new(master);
    if (store->keys == NULL) {
        return ERR_NO_MEMORY;
    }
    err result =
        keyring_open(store->directory.fd, store->keys, store->directory.created, &store->keyring);
    if (result == ERR_BAD_KEY) {
        return say(problem, result, path,
                   "was made with another store key; give the key it was made with");
    }
    return result;
}

/* (S-2) After a failed commit, the whole store is checked before use. */
static err verify_if_needed(struct store *store, const char *path, char *problem)
{
    const char *what = NULL;
    bool failed = directory_has_failed(&store->directory);
    if (!failed && !store->options.verify) {
        return OK;
    }
    err result = verify_all(store, !store->options.verify, &what);
    if (result == ERR_CORRUPT) {
        (void)snprintf(
            problem, STORE_PROBLEM_SIZE,
            "%s: %s in data.mdb fails its check; restore it from a backup, or start with an "
            "empty directory and let the other members fill it",
            path, what);
    }
    if (result == OK && failed) {
        result = directory_unmark_failed(&store->directory);
    }
    return result;
}

/* Reads the schema number; 0 in a new store. */
static err check_schema(struct store *store, const char *path, char *problem, uint32_t *ret_number)
{
    *ret_number = 0;
    if (store->directory.created) {
        return OK;
    }
    err result = schema_read(store, ret_number);
    if (result == OK && *ret_number > SCHEMA_NUMBER) {
        (void)snprintf(problem, STORE_PROBLEM_SIZE,
                       "%s: was written by a later release (schema %u, and this one knows %d); "
                       "install that release again",
                       path, (unsigned)*ret_number, SCHEMA_NUMBER);
        return ERR_UNSUPPORTED;
    }
    return result;
}

static err upgrade_if_needed(struct store *store, struct write_txn *group, const char *path,
                             char *problem, uint32_t number)
{
    if (number == 0 || number == SCHEMA_NUMBER) {
        directory_drop_before(&store->directory, false);
        return OK;
    }
    err result = schema_upgrade(group, number);
    if (result == ERR_FULL) {
        return say(problem, result, path,
                   "no room for the copy of data.mdb that is made before an upgrade; make room "
                   "and start again");
    }
    return result;
}

static err start(struct store *store, const char *path, char *problem)
{
    bool created = store->directory.created;
    struct write_txn group = {.store = NULL};
    uint32_t schema = 0;
    err result = env_open(path, store->options.quota, created, &store->env);
    if (result == OK) {
        result = check_schema(store, path, problem, &schema);
    }
    if (result == OK) {
        result = write_txn_open(store, created, &group);
        if (result == ERR_EXISTS) {
            result = say(problem, result, path,
                         "belongs to another federation or institution; choose another directory");
        }
    }
    if (result == OK && created) {
        result = schema_create(&group);
    }
    if (result == OK && created) {
        result = directory_ballast(&store->directory);
    }
    if (result == OK && created) {
        result = directory_created(&store->directory);
    }
    if (result == OK) {
        result = verify_if_needed(store, path, problem);
    }
    if (result == OK) {
        result = upgrade_if_needed(store, &group, path, problem, schema);
    }
    if (result == OK) {
        result = writer_start(store, &group, &store->writer);
    }
    if (result != OK) {
        write_txn_close(&group);
        return result;
    }
    return item_writer_start(store, &store->items);
}

err store_open(const char *path, const uint8_t master[static KEY_SIZE],
               const struct store_options *options, char ret_problem[static STORE_PROBLEM_SIZE],
               struct store **ret_store)
{
    ret_problem[0] = '\0';
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL || sodium_init() < 0) {
        free(store);
        return explain(ret_problem, ERR_NO_MEMORY, path);
    }
    store->options = *options;
    if (store->options.quota == 0) {
        store->options.quota = QUOTA_DEFAULT;
    }
    if (store->options.quota < QUOTA_MIN) {
        store->options.quota = QUOTA_MIN;
    }
    if (store->options.item_quota == 0) {
        store->options.item_quota = ITEM_QUOTA_DEFAULT;
    }
    store->directory = (struct directory){.fd = -1, .items_fd = -1, .lock_fd = -1};
    err result = directory_open(path, ret_problem, &store->directory);
    if (result == OK) {
        result = open_keys(store, path, master, ret_problem);
    }
    if (result == OK) {
        result = start(store, path, ret_problem);
    }
    if (result != OK) {
        store_close(store);
        return explain(ret_problem, result, path);
    }
    *ret_store = store;
    return OK;
}

static err start_copy(struct store *store, const char *path, char *problem)
{
    struct write_txn group = {.store = NULL};
    const char *what = NULL;
    uint32_t schema = 0;
    err result = keyring_open(store->directory.fd, store->keys, false, &store->keyring);
    if (result == ERR_BAD_KEY) {
        return say(problem, result, path, "was made with another store key, or without a keyring");
    }
    if (result == OK) {
        result = env_open_copy(path, &store->env);
    }
    if (result == OK) {
        result = check_schema(store, path, problem, &schema);
    }
    if (result == OK) {
        result = write_txn_open(store, false, &group);
    }
    write_txn_close(&group);
    if (result == OK) {
        result = verify_rows(store, &what);
    }
    if (result == ERR_CORRUPT) {
        (void)snprintf(problem, STORE_PROBLEM_SIZE, "%s: %s in data.mdb fails its check", path,
                       what == NULL ? "a value" : what);
    }
    return result;
}

err store_open_copy(const char *path, const uint8_t master[static KEY_SIZE],
                    char ret_problem[static STORE_PROBLEM_SIZE], struct store **ret_store)
{
    ret_problem[0] = '\0';
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL || sodium_init() < 0) {
        free(store);
        return explain(ret_problem, ERR_NO_MEMORY, path);
    }
    store->options = (struct store_options){.is_any_owner = true};
    store->is_copy = true;
    store->directory = (struct directory){.fd = -1, .items_fd = -1, .lock_fd = -1};
    store->keys = seal_keys_new(master);
    err result = store->keys == NULL ? ERR_NO_MEMORY : OK;
    if (result == OK) {
        result = directory_open_copy(path, ret_problem, &store->directory);
    }
    if (result == OK) {
        result = start_copy(store, path, ret_problem);
    }
    if (result != OK) {
        store_close(store);
        return explain(ret_problem, result, path);
    }
    *ret_store = store;
    return OK;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    item_writer_stop(store->items);
    writer_stop(store->writer);
    index_buffer_free(store->index);
    env_close(&store->env);
    keyring_close(&store->keyring);
    seal_keys_free(store->keys);
    if (store->is_copy) {
        directory_tidy_copy(&store->directory);
    }
    directory_close(&store->directory);
    free(store);
}

/* ---- writing ---- */

err store_submit(struct store *store, const struct store_op *ops, size_t op_count,
                 enum store_urgency urgency, uint64_t token)
{
    struct batch *batch;
    err result = batch_new(ops, op_count, urgency, token, &batch);
    if (result != OK) {
        return result;
    }
    result = writer_submit(store->writer, batch);
    if (result != OK) {
        batch_free(batch);
    }
    return result;
}

size_t store_drain(struct store *store, void (*on_done)(void *arg, const struct store_done *done),
                   void *arg)
{
    size_t count = 0;
    for (struct batch *batch = writer_take_done(store->writer); batch != NULL; count += 1) {
        struct batch *next = batch->next;
        struct store_done done = {
            .token = batch->token,
            .result = batch->result,
            .op_failed = batch->op_failed,
            .numbers = batch->numbers,
            .number_count = batch->op_count,
        };
        on_done(arg, &done);
        batch_free(batch);
        batch = next;
    }
    return count;
}

err store_commit(struct store *store, const struct store_op *ops, size_t op_count,
                 enum store_urgency urgency, uint64_t *ret_numbers)
{
    struct batch *batch;
    err result = batch_new(ops, op_count, urgency, 0, &batch);
    if (result != OK) {
        return result;
    }
    result = writer_commit(store->writer, batch);
    if (result == OK && ret_numbers != NULL) {
        memcpy(ret_numbers, batch->numbers, op_count * sizeof *ret_numbers);
    }
    batch_free(batch);
    return result;
}

/* ---- looking after it ---- */

err store_rekey(struct store *store, uint64_t token)
{
    return writer_rekey(store->writer, token);
}

err store_usage(struct store *store, struct store_usage *ret_usage)
{
    struct env_read read;
    MDB_stat records;
    err result = env_read_begin(store, &read);
    if (result != OK) {
        return result;
    }
    result = env_error(mdb_stat(read.txn, store->env.records, &records));
    uint64_t bytes = env_bytes(&store->env, read.txn);
    env_read_end(&read);
    if (result != OK) {
        return result;
    }
    struct writer_status status = writer_status(store->writer);
    *ret_usage = (struct store_usage){
        .record_number_last = status.state.record_number_last,
        .record_count = records.ms_entries,
        .bytes = bytes,
        .quota = store->options.quota,
        .item_bytes = status.state.item_bytes,
        .item_quota = store->options.item_quota,
        .epoch = status.epoch,
        .rekeying = status.rekeying,
        .full = status.full,
    };
    return OK;
}

err store_verify(struct store *store, uint64_t number, size_t count, uint64_t *ret_number)
{
    return verify_records(store, number, count, ret_number);
}

err store_damage(struct store *store, uint64_t number, struct store_damage *ret_damage)
{
    return verify_damage(store, number, ret_damage);
}
