#include "node/backup/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/backup/backup_check.h"
#include "node/os/file.h"
#include "node/runtime/clock.h"
#include "store/store_copy.h"

static const char *const backup_others[] = {"clinicians", "request"}; /* besides the stores */

struct backup {
    const char *data;
    const struct identity *identity;
    struct backup_watch *watch;
    struct backup_manifest manifest;
    char part[BACKUP_PATH_SIZE]; /* TO.part, until it is whole */
    char *problem;
};

struct backup_path {
    char text[BACKUP_PATH_SIZE + 256];
};

static struct backup_path backup_path(const char *directory, const char *name, const char *end)
{
    struct backup_path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%s%s", directory, name, end);
    return path;
}

static err backup_fail(struct backup *backup, const char *path, const char *what, err failure)
{
    if (backup->problem[0] == '\0')
        (void)snprintf(backup->problem, BACKUP_PROBLEM_SIZE, "%.300s: %.200s", path, what);
    return failure;
}

static err backup_fail_with(struct backup *backup, const char *path, err failure)
{
    return backup_fail(backup, path, failure == ERR_IO ? strerror(errno) : err_sentence(failure),
                       failure);
}

/* ---- which stores there are ---- */

static err backup_add_store(struct backup *backup, const char *name)
{
    struct backup_manifest *manifest = &backup->manifest;
    struct backup_path path = backup_path(backup->data, name, "/data.mdb");
    if (!backup_manifest_is_name(name) || access(path.text, F_OK) != 0)
        return OK;
    if (manifest->store_count == BACKUP_STORE_COUNT_MAX)
        return backup_fail(backup, backup->data, "holds more stores than a node has",
                           ERR_TOO_LARGE);
    struct backup_store *store = &manifest->stores[manifest->store_count++];
    (void)snprintf(store->name, sizeof store->name, "%.63s", name);
    return OK;
}

static err backup_find_stores(struct backup *backup)
{
    DIR *list = opendir(backup->data);
    if (list == NULL)
        return backup_fail(backup, backup->data, strerror(errno), ERR_IO);
    err failure = OK;
    struct dirent *entry; /* glibc's readdir is safe on a stream that no other thread uses */
    while (failure == OK && (entry = readdir(list)) != NULL) // NOLINT(concurrency-mt-unsafe)
        failure = backup_add_store(backup, entry->d_name);
    (void)closedir(list);
    if (failure == OK && backup->manifest.store_count == 0)
        return backup_fail(backup, backup->data,
                           "holds no store: this institution has joined no federation yet",
                           ERR_NOT_FOUND);
    return failure;
}

/* ---- copying and reading back ---- */

static void backup_on_copied(void *arg, uint64_t done, uint64_t total)
{
    struct backup_watch *watch = arg;
    watch->total = total;
    backup_watch_tell(watch, done);
}

static err backup_copy_store(struct backup *backup, struct backup_store *store)
{
    struct backup_path from = backup_path(backup->data, store->name, "");
    struct backup_path to = backup_path(backup->part, "data/", store->name);
    const struct store_copy_request request = {.from = from.text,
                                               .to = to.text,
                                               .master = backup->identity->store_key,
                                               .watch = {backup_on_copied, backup->watch}};
    struct store_copy copy;
    struct store *copied;
    char problem[STORE_PROBLEM_SIZE] = "";
    backup_watch_begin(backup->watch, "copying", 0);
    err failure = store_copy(&request, problem, &copy);
    if (failure == OK)
        failure = store_open_copy(to.text, backup->identity->store_key, problem, &copied);
    if (failure != OK)
        return backup_fail(backup, problem, "no backup was made", failure);
    failure = backup_check(copied, backup->watch, &store->count);
    store_close(copied);
    return failure == OK ? OK : backup_fail_with(backup, to.text, failure);
}

static err backup_copy_other(struct backup *backup, const char *name)
{
    struct stat about;
    struct backup_path from = backup_path(backup->data, name, "");
    struct backup_path to = backup_path(backup->part, "data/", name);
    if (lstat(from.text, &about) != 0)
        return errno == ENOENT ? OK : backup_fail_with(backup, from.text, ERR_IO);
    backup_watch_begin(backup->watch, "copying", backup_files_size(from.text));
    err failure = S_ISDIR(about.st_mode)
                      ? backup_files_copy_tree(from.text, to.text, true, backup->watch)
                      : backup_files_copy(from.text, to.text, true, backup->watch);
    return failure == OK ? OK : backup_fail_with(backup, from.text, failure);
}

static err backup_sync(struct backup *backup)
{
    struct backup_path data = backup_path(backup->part, "data/", "."),
                       part = backup_path(backup->part, ".", "");
    return file_sync_parent(data.text) == OK && file_sync_parent(part.text) == OK
               ? OK
               : backup_fail_with(backup, backup->part, ERR_IO);
}

static err backup_fill(struct backup *backup)
{
    err failure = OK;
    struct backup_manifest *manifest = &backup->manifest;
    struct backup_path data = backup_path(backup->part, "data", ""),
                       name = backup_path(backup->part, "backup", "");
    if (mkdir(data.text, 0700) != 0)
        return backup_fail_with(backup, data.text, ERR_IO);
    for (size_t i = 0; failure == OK && i < manifest->store_count; i++)
        failure = backup_copy_store(backup, &manifest->stores[i]);
    for (size_t i = 0; failure == OK && i < sizeof backup_others / sizeof backup_others[0]; i++)
        failure = backup_copy_other(backup, backup_others[i]);
    if (failure != OK)
        return failure;
    failure = backup_manifest_write(manifest, backup->identity->store_key, name.text);
    return failure == OK ? backup_sync(backup) : backup_fail_with(backup, name.text, failure);
}

/* ---- its name ---- */

static err backup_begin(struct backup *backup, const char *to)
{
    size_t size = strlen(to);
    while (size > 1 && to[size - 1] == '/')
        size--;
    if (size == 0 || size > BACKUP_PATH_SIZE - 256)
        return backup_fail(backup, to, "not a name for a backup", ERR_INVALID);
    (void)snprintf(backup->part, sizeof backup->part, "%.*s.part", (int)size, to);
    if (access(to, F_OK) == 0)
        return backup_fail(backup, to,
                           "is there already, and nothing was overwritten; name a new directory",
                           ERR_EXISTS);
    if (mkdir(backup->part, 0700) == 0)
        return OK;
    return errno == EEXIST
               ? backup_fail(backup, backup->part,
                             "is left of a backup that did not end, or of one that goes on now; "
                             "if none does, remove it",
                             ERR_EXISTS)
               : backup_fail_with(backup, backup->part, ERR_IO);
}

static err backup_finish(struct backup *backup)
{
    char to[BACKUP_PATH_SIZE];
    (void)snprintf(to, sizeof to, "%.*s", (int)(strlen(backup->part) - strlen(".part")),
                   backup->part);
    if (renameat2(AT_FDCWD, backup->part, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
        return backup_fail_with(backup, to, errno == EEXIST ? ERR_EXISTS : ERR_IO);
    return file_sync_parent(to) == OK ? OK : backup_fail_with(backup, to, ERR_IO);
}

err backup_make(const char *data, const struct identity *identity, const char *to,
                struct backup_watch *watch, struct backup_manifest *ret_manifest,
                char ret_problem[static BACKUP_PROBLEM_SIZE])
{
    struct backup backup = {
        .data = data, .identity = identity, .watch = watch, .problem = ret_problem};
    ret_problem[0] = '\0';
    backup.manifest.made_at = clock_wall();
    backup.manifest.node = identity->node_id;
    (void)snprintf(backup.manifest.institution, sizeof backup.manifest.institution, "%s",
                   identity->name);
    err failure = backup_find_stores(&backup);
    if (failure == OK)
        failure = backup_begin(&backup, to);
    if (failure != OK)
        return failure;
    failure = backup_fill(&backup);
    if (failure == OK)
        failure = backup_finish(&backup);
    if (failure != OK) {
        backup_files_remove_tree(backup.part);
        return failure;
    }
    *ret_manifest = backup.manifest;
    failure = backup_last_write(data, backup.manifest.made_at);
    return failure == OK ? OK : backup_fail_with(&backup, data, failure);
}
