#include "node/backup/backup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/os/file.h"

enum { FILES_BLOCK_SIZE = 256 * 1024, FILES_DEPTH_MAX = 8, FILES_NAME_SIZE = 256 };

void backup_watch_begin(struct backup_watch *watch, const char *what, uint64_t total)
{
    watch->what = what;
    watch->total = total;
    backup_watch_tell(watch, 0);
}

void backup_watch_tell(struct backup_watch *watch, uint64_t done)
{
    watch->done = done;
    if (watch->on_progress != NULL)
        watch->on_progress(watch->arg, watch->what, done, watch->total);
}

/* ---- one file ---- */

static err files_copy_bytes(int from, int to, uint8_t *block, struct backup_watch *watch)
{
    for (;;) {
        ssize_t size = read(from, block, FILES_BLOCK_SIZE);
        if (size == 0)
            return OK;
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return ERR_IO;
        for (ssize_t written = 0; written < size;) {
            ssize_t count = write(to, block + written, (size_t)(size - written));
            if (count < 0 && errno != EINTR)
                return ERR_IO;
            written += count > 0 ? count : 0;
        }
        backup_watch_tell(watch, watch->done + (uint64_t)size);
    }
}

static ssize_t files_fill(int fd, uint8_t *block)
{
    ssize_t filled = 0;
    while (filled < FILES_BLOCK_SIZE) {
        ssize_t count = read(fd, block + filled, (size_t)(FILES_BLOCK_SIZE - filled));
        if (count == 0 || (count < 0 && errno != EINTR))
            return count < 0 ? count : filled;
        filled += count > 0 ? count : 0;
    }
    return filled;
}

static err files_compare(int a, int b, uint8_t *block)
{
    uint8_t *other = malloc(FILES_BLOCK_SIZE);
    err failure = other == NULL ? ERR_NO_MEMORY : OK;
    bool is_end = false;
    if (lseek(a, 0, SEEK_SET) != 0 || lseek(b, 0, SEEK_SET) != 0)
        failure = failure == OK ? ERR_IO : failure;
    while (failure == OK && !is_end) {
        ssize_t size = files_fill(a, block), other_size = files_fill(b, other);
        if (size < 0 || other_size < 0)
            failure = ERR_IO;
        else if (size != other_size || memcmp(block, other, (size_t)size) != 0)
            failure = ERR_CORRUPT;
        is_end = size == 0;
    }
    free(other);
    return failure;
}

err backup_files_copy(const char *from, const char *to, bool is_checked, struct backup_watch *watch)
{
    struct stat about;
    int from_fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (from_fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    bool is_file = fstat(from_fd, &about) == 0 && S_ISREG(about.st_mode);
    int to_fd = is_file ? open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    uint8_t *block = malloc(FILES_BLOCK_SIZE);
    err failure = !is_file        ? ERR_INVALID
                  : to_fd < 0     ? (errno == EEXIST ? ERR_EXISTS : ERR_IO)
                  : block == NULL ? ERR_NO_MEMORY
                                  : files_copy_bytes(from_fd, to_fd, block, watch);
    if (failure == OK && fsync(to_fd) != 0)
        failure = ERR_IO;
    if (failure == OK && is_checked)
        failure = files_compare(from_fd, to_fd, block);
    int number = errno;
    free(block);
    (void)close(from_fd);
    if (to_fd >= 0)
        (void)close(to_fd);
    errno = number;
    return failure;
}

/* ---- directories ---- */

struct files_pair {
    char from[PATH_MAX];
    char to[PATH_MAX];
};

static err files_copy_entries(DIR *list, const char *from, const char *to, bool is_checked,
                              struct backup_watch *watch, unsigned depth);

static err files_copy_directory(const char *from, const char *to, bool is_checked,
                                struct backup_watch *watch, unsigned depth)
{
    DIR *list = opendir(from);
    if (list == NULL)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    err failure = mkdir(to, 0700) == 0 ? OK : errno == EEXIST ? ERR_EXISTS : ERR_IO;
    if (failure == OK)
        failure = files_copy_entries(list, from, to, is_checked, watch, depth);
    (void)closedir(list);
    return failure;
}

static err files_copy_entry(const char *from, const char *to, bool is_checked,
                            struct backup_watch *watch, unsigned depth)
{
    struct stat about;
    if (lstat(from, &about) != 0)
        return ERR_IO;
    if (!S_ISDIR(about.st_mode))
        return backup_files_copy(from, to, is_checked, watch);
    return depth < FILES_DEPTH_MAX ? files_copy_directory(from, to, is_checked, watch, depth + 1)
                                   : ERR_INVALID;
}

static err files_copy_entries(DIR *list, const char *from, const char *to, bool is_checked,
                              struct backup_watch *watch, unsigned depth)
{
    struct files_pair *pair = malloc(sizeof *pair);
    err failure = pair == NULL ? ERR_NO_MEMORY : OK;
    struct dirent *entry; /* glibc's readdir is safe on a stream that no other thread uses */
    while (failure == OK && (entry = readdir(list)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int from_size = snprintf(pair->from, PATH_MAX, "%s/%s", from, entry->d_name);
        int to_size = snprintf(pair->to, PATH_MAX, "%s/%s", to, entry->d_name);
        failure = from_size < 0 || from_size >= PATH_MAX || to_size < 0 || to_size >= PATH_MAX
                      ? ERR_INVALID
                      : files_copy_entry(pair->from, pair->to, is_checked, watch, depth);
    }
    if (failure == OK) {
        int fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        failure = fd >= 0 && fsync(fd) == 0 ? OK : ERR_IO;
        if (fd >= 0)
            (void)close(fd);
    }
    free(pair);
    return failure;
}

err backup_files_copy_tree(const char *from, const char *to, bool is_checked,
                           struct backup_watch *watch)
{
    return files_copy_directory(from, to, is_checked, watch, 0);
}

static int files_remove(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    (void)remove(path);
    return 0;
}

void backup_files_remove_tree(const char *path)
{
    (void)nftw(path, files_remove, 16, FTW_DEPTH | FTW_PHYS);
}

bool backup_files_holds_only(const char *path, const char *const *allowed, char *ret_other)
{
    DIR *list = opendir(path);
    if (list == NULL) {
        (void)snprintf(ret_other, FILES_NAME_SIZE, "%s", strerror(errno));
        return errno == ENOENT;
    }
    bool is_only = true;
    struct dirent *entry;
    while (is_only && (entry = readdir(list)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        bool is_allowed = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        for (const char *const *name = allowed; *name != NULL; name++)
            is_allowed = is_allowed || strcmp(entry->d_name, *name) == 0;
        is_only = is_allowed;
        if (!is_only)
            (void)snprintf(ret_other, FILES_NAME_SIZE, "%.255s", entry->d_name);
    }
    (void)closedir(list);
    return is_only;
}

/* ---- sizes ---- */

uint64_t backup_files_size(const char *path)
{
    struct stat about;
    if (lstat(path, &about) != 0)
        return 0;
    if (!S_ISDIR(about.st_mode))
        return S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
    uint64_t size = 0;
    DIR *list = opendir(path);
    char *child = malloc(PATH_MAX);
    struct dirent *entry;
    while (list != NULL && child != NULL &&
           (entry = readdir(list)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(child, PATH_MAX, "%s/%s", path, entry->d_name);
        size += backup_files_size(child);
    }
    free(child);
    if (list != NULL)
        (void)closedir(list);
    return size;
}
