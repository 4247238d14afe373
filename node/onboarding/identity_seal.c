#include "node/onboarding/identity_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/os/file.h"
#include "node/os/keyfile.h"

enum { SEAL_COUNT = 2, SEAL_BLOCK_SIZE = 4096 };

/* In this order they are renamed: the first one decides. */
static const struct seal_key {
    const char *name;
    enum keyfile_kind kind;
} seal_keys[SEAL_COUNT] = {{"identity.key", KEYFILE_NODE}, {"store.key", KEYFILE_STORE}};

struct seal_path {
    char text[PATH_MAX];
};

/* `data` is short enough: identity_seal_begin looked. */
static struct seal_path seal_path(const char *data, const char *name, const char *end)
{
    struct seal_path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%s%s", data, name, end);
    return path;
}

static err seal_fail(char *ret_problem, const char *path, const char *what, err failure)
{
    (void)snprintf(ret_problem, IDENTITY_PROBLEM_SIZE, "%.300s: %s", path, what);
    return failure;
}

static err seal_fail_io(char *ret_problem, const char *path)
{
    return seal_fail(ret_problem, path, strerror(errno), ERR_IO);
}

static bool seal_exists(const char *data, const char *name, const char *end)
{
    struct seal_path path = seal_path(data, name, end);
    return access(path.text, F_OK) == 0;
}

static bool seal_is_staged(const char *data)
{
    for (size_t i = 0; i < SEAL_COUNT; i++) {
        if (seal_exists(data, seal_keys[i].name, ".new") ||
            seal_exists(data, seal_keys[i].name, ".old"))
            return true;
    }
    return false;
}

static err seal_begin(const char *data, int *ret_lock, char *ret_problem)
{
    if (strlen(data) > PATH_MAX - 64)
        return seal_fail(ret_problem, data, "too long a path", ERR_TOO_LARGE);
    struct seal_path lock = seal_path(data, "identity.lock", "");
    err failure = file_lock(lock.text, ret_lock);
    if (failure == ERR_BUSY)
        return seal_fail(ret_problem, data,
                         "another consiliumd is changing how its keys are sealed; try again when "
                         "it has ended",
                         failure);
    return failure == OK ? OK : seal_fail_io(ret_problem, lock.text);
}

/* ---- destroying the old ---- */

static bool seal_overwrite(int fd)
{
    uint8_t block[SEAL_BLOCK_SIZE];
    struct stat about;
    if (fstat(fd, &about) != 0)
        return false;
    for (off_t at = 0; at < about.st_size; at += (off_t)sizeof block) {
        off_t left = about.st_size - at;
        size_t size = left < (off_t)sizeof block ? (size_t)left : sizeof block;
        randombytes_buf(block, size);
        if (pwrite(fd, block, size, at) != (ssize_t)size)
            return false;
    }
    return fsync(fd) == 0;
}

static bool seal_is_same(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* NAME.old goes; what it held is overwritten, unless it is still what NAME holds. */
static err seal_drop_old(const char *data, const char *name, char *ret_problem)
{
    struct seal_path now = seal_path(data, name, ""), old = seal_path(data, name, ".old");
    bool done = true;
    if (!seal_is_same(now.text, old.text)) {
        int fd = open(old.text, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT)
            return OK;
        done = fd >= 0 && seal_overwrite(fd);
        if (fd >= 0)
            (void)close(fd);
    }
    if (!done || unlink(old.text) != 0 || file_sync_parent(old.text) != OK)
        return seal_fail_io(ret_problem, old.text);
    return OK;
}

/* ---- after a crash, or at the end ---- */

static err seal_drop_new(const char *data, const char *name, char *ret_problem)
{
    struct seal_path path = seal_path(data, name, ".new");
    if (unlink(path.text) != 0 && errno != ENOENT)
        return seal_fail_io(ret_problem, path.text);
    return file_sync_parent(path.text) == OK ? OK : seal_fail_io(ret_problem, path.text);
}

static err seal_rename(const char *data, const char *name, char *ret_problem)
{
    struct seal_path from = seal_path(data, name, ".new"), to = seal_path(data, name, "");
    if (rename(from.text, to.text) != 0 || file_sync_parent(to.text) != OK)
        return seal_fail_io(ret_problem, from.text);
    return OK;
}

/* S-20: where identity.key.new stands, nothing was decided: it is the first to be made and to be
 * renamed, and the last to be taken back. */
static err seal_settle(const char *data, char *ret_problem)
{
    const char *first = seal_keys[0].name, *second = seal_keys[1].name;
    err failure = OK;
    if (seal_exists(data, first, ".new")) {
        failure = seal_drop_new(data, second, ret_problem);
        if (failure == OK)
            failure = seal_drop_new(data, first, ret_problem);
    } else if (seal_exists(data, second, ".new")) {
        failure = seal_rename(data, second, ret_problem);
    }
    for (size_t i = 0; failure == OK && i < SEAL_COUNT; i++) {
        if (seal_exists(data, seal_keys[i].name, ".old"))
            failure = seal_drop_old(data, seal_keys[i].name, ret_problem);
    }
    return failure;
}

err identity_seal_mend(const char *data, char ret_problem[static IDENTITY_PROBLEM_SIZE])
{
    int lock;
    if (!seal_is_staged(data))
        return OK;
    err failure = seal_begin(data, &lock, ret_problem);
    if (failure != OK)
        return failure;
    failure = seal_settle(data, ret_problem);
    (void)close(lock);
    return failure;
}

/* ---- sealing ---- */

static const char *seal_reason(err failure, bool was_bare)
{
    switch ((int)failure) {
    case ERR_PASSPHRASE:
        return "the passphrase does not open it; nothing was changed";
    case ERR_STATE:
        return was_bare ? "is sealed already; `consiliumd passphrase` changes its passphrase"
                        : "is not sealed; `consiliumd seal` seals it";
    case ERR_NOT_FOUND:
        return "is not there; restore it from the backup";
    case ERR_NOT_ENTITLED:
        return "belongs to someone else, or others may read it (chown to the daemon's user, "
               "chmod 600)";
    default:
        return failure == ERR_IO ? strerror(errno) : err_sentence(failure);
    }
}

/* Opens one key and writes it again, as NAME.new. */
static err seal_stage(const char *data, const struct seal_key *key, const struct bytes *old,
                      const struct bytes *fresh, struct buffer *secret)
{
    struct seal_path path = seal_path(data, key->name, "");
    struct seal_path staged = seal_path(data, key->name, ".new");
    struct keyfile keyfile;
    secret->size = 0;
    err failure = old == NULL ? keyfile_load(path.text, key->kind, &keyfile, secret)
                              : keyfile_unseal(path.text, key->kind, *old, &keyfile, secret);
    if (failure == OK)
        failure = keyfile_seal(staged.text, &keyfile, buffer_bytes(secret), *fresh,
                               keyfile_cost_moderate());
    return failure;
}

static err seal_stage_all(const char *data, const struct bytes *old, const struct bytes *fresh,
                          struct buffer *secret, char *ret_problem)
{
    for (size_t i = 0; i < SEAL_COUNT; i++) {
        struct seal_path path = seal_path(data, seal_keys[i].name, "");
        err failure = seal_stage(data, &seal_keys[i], old, fresh, secret);
        if (failure != OK)
            return seal_fail(ret_problem, path.text, seal_reason(failure, old == NULL), failure);
    }
    return OK;
}

static err seal_keep_old(const char *data, char *ret_problem)
{
    for (size_t i = 0; i < SEAL_COUNT; i++) {
        struct seal_path path = seal_path(data, seal_keys[i].name, "");
        struct seal_path old = seal_path(data, seal_keys[i].name, ".old");
        if (link(path.text, old.text) != 0 || file_sync_parent(old.text) != OK)
            return seal_fail_io(ret_problem, old.text);
    }
    return OK;
}

err identity_seal_keys(const char *data, const struct bytes *old, const struct bytes *fresh,
                       struct secure_arena *secrets, char ret_problem[static IDENTITY_PROBLEM_SIZE])
{
    int lock;
    char other[IDENTITY_PROBLEM_SIZE];
    uint8_t *memory = secure_arena_take(secrets, KEYFILE_SECRET_MAX);
    if (memory == NULL)
        return seal_fail(ret_problem, data, "no locked memory for its keys", ERR_NO_MEMORY);
    err failure = seal_begin(data, &lock, ret_problem);
    if (failure != OK) {
        secure_arena_drop(secrets, memory);
        return failure;
    }
    struct buffer secret = buffer_over(memory, KEYFILE_SECRET_MAX);
    failure = seal_settle(data, ret_problem);
    if (failure == OK)
        failure = seal_stage_all(data, old, fresh, &secret, ret_problem);
    secure_arena_drop(secrets, memory);
    if (failure == OK)
        failure = seal_keep_old(data, ret_problem);
    if (failure == OK)
        failure = seal_rename(data, seal_keys[0].name, ret_problem);
    err settled = seal_settle(data, failure == OK ? ret_problem : other);
    (void)close(lock);
    return failure == OK ? settled : failure;
}
