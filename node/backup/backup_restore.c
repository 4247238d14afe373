#include "node/backup/backup_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/backup/backup_check.h"
#include "node/backup/backup_keys.h"
#include "node/onboarding/identity.h"
#include "node/os/file.h"
#include "node/rows/node_row.h"
#include "node/runtime/clock.h"

#define RESTORE_QUOTA_MIN ((uint64_t)8 << 30)

/* All is made here first; identity.key leaves it last, and no node starts without that. */
static const char restore_staging[] = "restoring";

struct restoring {
    const struct backup_restore *wanted;
    struct backup_manifest manifest;
    struct identity identity;
    struct wall now;
    char *problem;
};

struct restore_path {
    char text[BACKUP_PATH_SIZE + 256];
};

static struct restore_path restore_path(const char *directory, const char *name, const char *end)
{
    struct restore_path path;
    (void)snprintf(path.text, sizeof path.text, "%.4000s/%s%s", directory, name, end);
    return path;
}

static struct restore_path restore_staged(const struct restoring *restoring, const char *name)
{
    return restore_path(restoring->wanted->data, "restoring/", name);
}

static err restore_fail(struct restoring *restoring, const char *path, const char *what,
                        err failure)
{
    if (restoring->problem[0] == '\0')
        (void)snprintf(restoring->problem, BACKUP_PROBLEM_SIZE, "%.240s: %.260s", path, what);
    return failure;
}

static err restore_fail_with(struct restoring *restoring, const char *path, err failure)
{
    return restore_fail(restoring, path,
                        failure == ERR_IO ? strerror(errno) : err_sentence(failure), failure);
}

/* ---- may it be put back ---- */

static err restore_look(struct restoring *restoring)
{
    struct restore_path name = restore_path(restoring->wanted->from, "backup", "");
    char line[256];
    err failure = backup_manifest_read(name.text, &restoring->manifest);
    if (failure == ERR_NOT_FOUND)
        return restore_fail(restoring, restoring->wanted->from,
                            "holds no backup; name the directory that `consiliumd backup --to` "
                            "made",
                            failure);
    if (failure == ERR_VERSION)
        return restore_fail(restoring, restoring->wanted->from,
                            "was made by a later program; restore it with that one", failure);
    if (failure != OK)
        return restore_fail_with(restoring, name.text, failure);
    uint64_t days = backup_age_days(restoring->manifest.made_at, restoring->now);
    if (days < BACKUP_AGE_DAYS_MAX || restoring->wanted->is_old_fine)
        return OK;
    (void)snprintf(line, sizeof line,
                   "is %" PRIu64 " days old; erasure receipts promise that backups are deleted "
                   "after %d days, and it may hold cases that were erased since: use a newer one, "
                   "or add --even-if-old",
                   days, BACKUP_AGE_DAYS_MAX);
    return restore_fail(restoring, restoring->wanted->from, line, ERR_EXPIRED);
}

static err restore_check_place(struct restoring *restoring)
{
    static const char *const none[] = {NULL};
    static const char *const keys[] = {"identity.key", "store.key", "identity.lock", NULL};
    const char *data = restoring->wanted->data;
    char other[256], line[512];
    bool brings_keys = restoring->wanted->keys != NULL;
    if (!backup_files_holds_only(data, brings_keys ? none : keys, other)) {
        (void)snprintf(line, sizeof line,
                       "holds \"%.100s\" already; a backup is put into an empty directory%s", other,
                       brings_keys ? "" : ", or one that holds nothing but the two .key files");
        return restore_fail(restoring, data, line, ERR_EXISTS);
    }
    struct restore_path key = restore_path(data, "identity.key", "");
    if (!brings_keys && access(key.text, F_OK) != 0)
        return restore_fail(restoring, data,
                            "holds no keys, and a backup opens with them only: copy identity.key "
                            "and store.key there, or name the file of keys with --keys",
                            ERR_NOT_FOUND);
    err failure = file_ensure_directory(data, 0700);
    return failure == OK ? OK
                         : restore_fail(restoring, data,
                                        "cannot be used: its parent must exist, it must be yours, "
                                        "and nobody else may read it (chmod 700)",
                                        failure);
}

/* ---- keys ---- */

static err restore_bring_keys(struct restoring *restoring, const char *staging,
                              struct secure_arena *secrets)
{
    uint8_t *memory = secure_arena_take(secrets, PASSPHRASE_SIZE_MAX);
    if (memory == NULL)
        return restore_fail_with(restoring, staging, ERR_NO_MEMORY);
    struct buffer buffer = buffer_over(memory, PASSPHRASE_SIZE_MAX);
    err failure = passphrase_read(restoring->wanted->source, "Passphrase of the file of keys",
                                  false, &buffer);
    if (failure != OK) {
        secure_arena_drop(secrets, memory);
        return restore_fail(restoring, restoring->wanted->keys,
                            "no passphrase could be read for it: start at a terminal, or name "
                            "--passphrase-file (mode 600)",
                            failure);
    }
    struct bytes passphrase = buffer_bytes(&buffer);
    const struct passphrase_source known = {.known = &passphrase, .fd = -1};
    failure = backup_keys_restore(restoring->wanted->keys, &passphrase, staging, secrets,
                                  restoring->problem);
    if (failure == OK)
        failure = identity_open(staging, &known, secrets, &restoring->identity, restoring->problem);
    secure_arena_drop(secrets, memory);
    return failure;
}

static err restore_open_keys(struct restoring *restoring, struct secure_arena *secrets)
{
    struct restore_path staging = restore_path(restoring->wanted->data, restore_staging, "");
    struct restore_path name = restore_path(restoring->wanted->from, "backup", "");
    if (mkdir(staging.text, 0700) != 0)
        return restore_fail_with(restoring, staging.text, ERR_IO);
    err failure = restoring->wanted->keys != NULL
                      ? restore_bring_keys(restoring, staging.text, secrets)
                      : identity_open(restoring->wanted->data, restoring->wanted->source, secrets,
                                      &restoring->identity, restoring->problem);
    if (failure != OK)
        return failure;
    if (!ID_EQUAL(restoring->identity.node_id, restoring->manifest.node))
        return restore_fail(restoring, restoring->wanted->from,
                            "is of another institution than the keys", ERR_BAD_KEY);
    if (backup_manifest_prove(name.text, restoring->identity.store_key) != OK)
        return restore_fail(restoring, name.text,
                            "was altered, or made with another store.key; use another backup",
                            ERR_BAD_KEY);
    return OK;
}

/* ---- stores ---- */

/* The mark, and a scrub of all: both with the store, whoever starts a node on it. */
static err restore_mark(struct restoring *restoring, struct store *store)
{
    uint8_t restored_memory[NODE_ROW_RESTORED_SIZE], scrub_memory[NODE_ROW_SCRUB_SIZE];
    const struct node_row_restored restored = {restoring->manifest.made_at, restoring->now};
    const struct node_row_scrub scrub = {.number = 0};
    const struct store_op ops[] = {node_row_restored_put(&restored, restored_memory),
                                   node_row_scrub_put(&scrub, scrub_memory)};
    return store_commit(store, ops, 2, STORE_RELEASING, NULL);
}

static err restore_open_store(struct restoring *restoring, const char *path,
                              struct backup_count *ret_count)
{
    struct store_options options = {.is_any_owner = true,
                                    .quota = 2 * backup_files_size(path) + RESTORE_QUOTA_MIN};
    struct store *store;
    char problem[STORE_PROBLEM_SIZE];
    err failure = store_open(path, restoring->identity.store_key, &options, problem, &store);
    if (failure != OK)
        return restore_fail(restoring, problem, "nothing was restored", failure);
    failure = backup_check(store, restoring->wanted->watch, ret_count);
    if (failure == OK)
        failure = restore_mark(restoring, store);
    store_close(store);
    return failure == OK ? OK : restore_fail_with(restoring, path, failure);
}

static err restore_copy(struct restoring *restoring, const char *name)
{
    struct stat about;
    struct restore_path from = restore_path(restoring->wanted->from, "data/", name);
    struct restore_path to = restore_staged(restoring, name);
    if (lstat(from.text, &about) != 0)
        return errno == ENOENT ? ERR_NOT_FOUND : restore_fail_with(restoring, from.text, ERR_IO);
    backup_watch_begin(restoring->wanted->watch, "copying", backup_files_size(from.text));
    err failure = S_ISDIR(about.st_mode)
                      ? backup_files_copy_tree(from.text, to.text, false, restoring->wanted->watch)
                      : backup_files_copy(from.text, to.text, true, restoring->wanted->watch);
    return failure == OK ? OK : restore_fail_with(restoring, from.text, failure);
}

static err restore_stores(struct restoring *restoring)
{
    err failure = OK;
    for (size_t i = 0; failure == OK && i < restoring->manifest.store_count; i++) {
        struct backup_store *store = &restoring->manifest.stores[i];
        struct restore_path path = restore_staged(restoring, store->name);
        failure = restore_copy(restoring, store->name);
        if (failure == ERR_NOT_FOUND)
            failure = restore_fail(restoring, restoring->wanted->from,
                                   "is not whole: a store that it names is missing", ERR_CORRUPT);
        if (failure == OK)
            failure = restore_open_store(restoring, path.text, &store->count);
    }
    return failure;
}

/* ---- into place ---- */

static err restore_move(struct restoring *restoring, const char *name)
{
    struct restore_path from = restore_staged(restoring, name);
    struct restore_path to = restore_path(restoring->wanted->data, name, "");
    if (renameat2(AT_FDCWD, from.text, AT_FDCWD, to.text, RENAME_NOREPLACE) != 0 && errno != ENOENT)
        return restore_fail_with(restoring, to.text, ERR_IO);
    return file_sync_parent(to.text) == OK ? OK : restore_fail_with(restoring, to.text, ERR_IO);
}

static err restore_move_all(struct restoring *restoring)
{
    static const char *const others[] = {"clinicians", "request", "store.key", "identity.key"};
    struct restore_path staging = restore_path(restoring->wanted->data, restore_staging, "");
    err failure = OK;
    for (size_t i = 0; failure == OK && i < restoring->manifest.store_count; i++)
        failure = restore_move(restoring, restoring->manifest.stores[i].name);
    for (size_t i = 0; failure == OK && i < sizeof others / sizeof others[0]; i++)
        failure = restore_move(restoring, others[i]);
    if (failure == OK)
        failure = backup_last_write(restoring->wanted->data, restoring->manifest.made_at);
    if (failure == OK && rmdir(staging.text) != 0)
        failure = restore_fail_with(restoring, staging.text, ERR_IO);
    return failure;
}

static err restore_fill(struct restoring *restoring, struct secure_arena *secrets)
{
    static const char *const others[] = {"clinicians", "request"};
    err failure = restore_open_keys(restoring, secrets);
    if (failure == OK)
        failure = restore_stores(restoring);
    for (size_t i = 0; failure == OK && i < sizeof others / sizeof others[0]; i++) {
        failure = restore_copy(restoring, others[i]);
        failure = failure == ERR_NOT_FOUND ? OK : failure;
    }
    return failure == OK ? restore_move_all(restoring) : failure;
}

err backup_restore(const struct backup_restore *restore, struct secure_arena *secrets,
                   struct backup_manifest *ret_manifest,
                   char ret_problem[static BACKUP_PROBLEM_SIZE])
{
    struct restoring restoring = {.wanted = restore, .now = clock_wall(), .problem = ret_problem};
    ret_problem[0] = '\0';
    err failure = restore_look(&restoring);
    if (failure == OK)
        failure = restore_check_place(&restoring);
    if (failure != OK)
        return failure;
    failure = restore_fill(&restoring, secrets);
    if (failure != OK) {
        struct restore_path staging = restore_path(restore->data, restore_staging, "");
        backup_files_remove_tree(staging.text);
        return failure;
    }
    *ret_manifest = restoring.manifest;
    return OK;
}
