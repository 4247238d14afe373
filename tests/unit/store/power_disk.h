/* A disk that can lose its power. While it records, every change that this process makes below one
 * directory is written down in order, LMDB's too, for the program's own open, pwrite, fsync ...
 * come before libc's. From the list, images are made: what was synced before the power went is
 * there, of the rest any part may be, down to single sectors of 512 bytes, and in any order.
 *
 * Also, the n-th writing or syncing call can be made to fail. Each test program includes this once,
 * first of all, for it must come before the headers that it stands in for. */
#ifndef CONSILIUM_TESTS_UNIT_STORE_POWER_DISK_H
#define CONSILIUM_TESTS_UNIT_STORE_POWER_DISK_H

#undef _FORTIFY_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    POWER_FD_MAX = 256,
    POWER_FILE_MAX = 1024,
    POWER_NAME_SIZE = 64,
    POWER_SECTOR = 512,
    POWER_ROOT = 0, /* directories are files too: these two, and a name there each */
    POWER_ITEMS = 1,
};

enum power_kind {
    POWER_WRITE,
    POWER_SIZE,   /* cut off, or made longer by zeros */
    POWER_LINK,   /* a name in the directory `file` for `other` */
    POWER_UNLINK, /* a name in the directory `file` goes */
    POWER_SYNC,   /* all of the file that came before is durable now */
    POWER_DROP,   /* a sync failed: what came before may never be written, and no later sync says so
                   */
    POWER_SAID,   /* the program was told that step `offset` is durable */
    POWER_STARTED, /* the program began with step `offset` */
};

struct power_op {
    enum power_kind kind;
    uint32_t file;
    uint32_t other;
    bool is_durable; /* a write that is synced by itself (O_DSYNC) */
    uint64_t offset;
    size_t size;
    uint8_t *data;
    char name[POWER_NAME_SIZE];
};

struct power_fd {
    bool is_used;
    bool is_synced;
    uint32_t file;
};

static struct {
    pthread_mutex_t lock;
    char root[128];
    bool is_recording;
    struct power_fd fds[POWER_FD_MAX];
    char names[POWER_FILE_MAX][POWER_NAME_SIZE]; /* of those that stand now; "": of none */
    uint32_t file_count;
    struct power_op *ops;
    size_t op_count;
    size_t op_capacity;
    uint64_t call_count; /* writing and syncing calls since power_begin */
    uint64_t fails_at;   /* this one fails, and those after it up to fails_end; 0: none */
    uint64_t fails_end;
    int fails_with;
} power = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the list ---- */

static struct power_op *power_add(enum power_kind kind, uint32_t file)
{
    if (power.op_count == power.op_capacity) {
        power.op_capacity = power.op_capacity * 2 + 1024;
        power.ops = realloc(power.ops, power.op_capacity * sizeof *power.ops);
        if (power.ops == NULL) {
            abort();
        }
    }
    struct power_op *op = &power.ops[power.op_count++];
    *op = (struct power_op){.kind = kind, .file = file};
    return op;
}

/* The name below the root, or NULL when it lies elsewhere or tells nothing after a start. */
static const char *power_name(int dir, const char *path, char memory[static POWER_NAME_SIZE])
{
    size_t size = strlen(power.root);
    const char *name = path;
    bool in_items = false;
    if (path[0] == '/') {
        if (strncmp(path, power.root, size) != 0 || (path[size] != '/' && path[size] != 0)) {
            return NULL;
        }
        name = path[size] == 0 ? "" : path + size + 1;
    } else if (dir < 0 || dir >= POWER_FD_MAX || !power.fds[dir].is_used) {
        return NULL;
    } else {
        in_items = power.fds[dir].file == POWER_ITEMS;
    }
    if (strcmp(name, "..") == 0 || strcmp(name, "lock") == 0 || strcmp(name, "lock.mdb") == 0) {
        return NULL;
    }
    bool is_itself = strcmp(name, ".") == 0;
    int length = snprintf(memory, POWER_NAME_SIZE, "%s%s%s", in_items ? "items" : "",
                          in_items && !is_itself ? "/" : "", is_itself ? "" : name);
    if (length < 0 || length >= POWER_NAME_SIZE) {
        abort();
    }
    return memory;
}

static uint32_t power_file(const char *name)
{
    for (uint32_t i = 0; i < power.file_count; i++) {
        if (strcmp(power.names[i], name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

static uint32_t power_dir_of(const char *name)
{
    return strchr(name, '/') != NULL ? (uint32_t)POWER_ITEMS : (uint32_t)POWER_ROOT;
}

static uint32_t power_link(const char *name)
{
    uint32_t file = strcmp(name, "items") == 0 ? (uint32_t)POWER_ITEMS : power.file_count++;
    if (file >= POWER_FILE_MAX) {
        abort();
    }
    struct power_op *op = power_add(POWER_LINK, power_dir_of(name));
    op->other = file;
    snprintf(op->name, sizeof op->name, "%s", name);
    snprintf(power.names[file], POWER_NAME_SIZE, "%s", name);
    return file;
}

/* True when this call is one that is to fail; errno says how. With the lock. */
static bool power_fails(void)
{
    power.call_count++;
    if (power.call_count < power.fails_at || power.call_count >= power.fails_end) {
        return false;
    }
    errno = power.fails_with;
    return true;
}

static bool power_watches(int fd)
{
    return power.is_recording && fd >= 0 && fd < POWER_FD_MAX && power.fds[fd].is_used;
}

/* ---- in libc's place ---- */

static int power_open(int dir, const char *path, int flags, mode_t mode)
{
    char memory[POWER_NAME_SIZE];
    pthread_mutex_lock(&power.lock);
    const char *name = power.is_recording ? power_name(dir, path, memory) : NULL;
    int fd = (int)syscall(SYS_openat, dir, path, flags & ~(O_DSYNC | O_SYNC), mode);
    if (name != NULL && fd >= 0 && fd < POWER_FD_MAX) {
        uint32_t file = name[0] == 0 ? (uint32_t)POWER_ROOT : power_file(name);
        if (file == UINT32_MAX) {
            file = power_link(name);
        } else if ((flags & O_TRUNC) != 0) {
            power_add(POWER_SIZE, file)->offset = 0;
        }
        power.fds[fd] = (struct power_fd){true, (flags & O_DSYNC) != 0, file};
    }
    pthread_mutex_unlock(&power.lock);
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return power_open(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return power_open(dir, path, flags, mode);
}

int close(int fd)
{
    pthread_mutex_lock(&power.lock);
    if (fd >= 0 && fd < POWER_FD_MAX) {
        power.fds[fd].is_used = false;
    }
    pthread_mutex_unlock(&power.lock);
    return (int)syscall(SYS_close, fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    ssize_t done = -1;
    pthread_mutex_lock(&power.lock);
    bool is_watched = power_watches(fd);
    if (!is_watched || !power_fails()) {
        done = syscall(SYS_pwrite64, fd, data, size, offset);
    }
    if (is_watched && done > 0) {
        struct power_op *op = power_add(POWER_WRITE, power.fds[fd].file);
        op->is_durable = power.fds[fd].is_synced;
        op->offset = (uint64_t)offset;
        op->size = (size_t)done;
        op->data = malloc(op->size);
        if (op->data == NULL) {
            abort();
        }
        memcpy(op->data, data, op->size);
    }
    pthread_mutex_unlock(&power.lock);
    return done;
}

/* At the file's own offset: LMDB writes neighbouring pages so. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    off_t start = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR), at = start;
    pthread_mutex_lock(&power.lock);
    bool is_watched = power_watches(fd);
    pthread_mutex_unlock(&power.lock);
    if (!is_watched) {
        return syscall(SYS_writev, fd, parts, count);
    }
    for (int i = 0; i < count; i++) {
        ssize_t done = pwrite(fd, parts[i].iov_base, parts[i].iov_len, at);
        if (done < 0) {
            return -1;
        }
        at += done;
    }
    (void)syscall(SYS_lseek, fd, at, SEEK_SET);
    return (ssize_t)(at - start);
}

static int power_sync(int fd)
{
    int failed = 0;
    pthread_mutex_lock(&power.lock);
    if (power_watches(fd)) {
        failed = power_fails() ? -1 : 0;
        power_add(failed == 0 ? POWER_SYNC : POWER_DROP, power.fds[fd].file);
    }
    pthread_mutex_unlock(&power.lock);
    return failed; /* no power goes in truth, so nothing need be synced in truth */
}

int fsync(int fd)
{
    return power_sync(fd);
}

int fdatasync(int fd)
{
    return power_sync(fd);
}

static int power_resize(int fd, uint64_t size, bool may_shrink)
{
    int number = 0;
    pthread_mutex_lock(&power.lock);
    bool is_watched = power_watches(fd);
    if (is_watched && power_fails()) {
        number = errno;
    }
    struct stat info;
    if (number == 0 && fstat(fd, &info) != 0) {
        number = errno;
    }
    bool changes = number == 0 && (may_shrink || (uint64_t)info.st_size < size);
    if (changes && syscall(SYS_ftruncate, fd, (off_t)size) != 0) {
        number = errno;
    }
    if (is_watched && changes && number == 0) {
        power_add(POWER_SIZE, power.fds[fd].file)->offset = size;
    }
    pthread_mutex_unlock(&power.lock);
    return number;
}

int ftruncate(int fd, off_t size)
{
    int number = power_resize(fd, (uint64_t)size, true);
    errno = number != 0 ? number : errno;
    return number == 0 ? 0 : -1;
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    return power_resize(fd, (uint64_t)(offset + size), false);
}

int unlinkat(int dir, const char *path, int flags)
{
    char memory[POWER_NAME_SIZE];
    pthread_mutex_lock(&power.lock);
    const char *name = power.is_recording ? power_name(dir, path, memory) : NULL;
    int failed = (int)syscall(SYS_unlinkat, dir, path, flags);
    uint32_t file = name == NULL ? UINT32_MAX : power_file(name);
    if (failed == 0 && file != UINT32_MAX) {
        struct power_op *op = power_add(POWER_UNLINK, power_dir_of(name));
        snprintf(op->name, sizeof op->name, "%s", name);
        power.names[file][0] = 0;
    }
    pthread_mutex_unlock(&power.lock);
    return failed;
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    char memory[POWER_NAME_SIZE];
    pthread_mutex_lock(&power.lock);
    const char *name = power.is_recording ? power_name(dir, path, memory) : NULL;
    int failed = (int)syscall(SYS_mkdirat, dir, path, mode);
    if (failed == 0 && name != NULL) {
        (void)power_link(name);
    }
    pthread_mutex_unlock(&power.lock);
    return failed;
}

/* ---- recording ---- */

/* Which writing or syncing calls fail, counted from 1, and how. */
struct power_fault {
    uint64_t at; /* 0: none */
    uint64_t count;
    int number;
};

/* Forgets what was recorded, and records what happens below `root` (which is empty) from here. */
static void power_begin(const char *root, const struct power_fault *fault)
{
    for (size_t i = 0; i < power.op_count; i++) {
        free(power.ops[i].data);
    }
    snprintf(power.root, sizeof power.root, "%s", root);
    power.op_count = 0;
    power.call_count = 0;
    power.fails_at = fault->at;
    power.fails_end = fault->at + fault->count;
    power.fails_with = fault->number;
    memset(power.names, 0, sizeof power.names);
    snprintf(power.names[POWER_ROOT], POWER_NAME_SIZE, "%s", "/");
    power.file_count = 2;
    power.is_recording = true;
}

static void power_end(void)
{
    power.is_recording = false;
    memset(power.fds, 0, sizeof power.fds);
}

/* The step is noted in its place among the writes. */
static void power_note(enum power_kind kind, uint64_t step)
{
    pthread_mutex_lock(&power.lock);
    power_add(kind, 0)->offset = step;
    pthread_mutex_unlock(&power.lock);
}

#endif
