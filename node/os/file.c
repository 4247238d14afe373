#include "node/os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

/* close(2) that keeps errno. */
static void file_close(int fd)
{
    int error_before = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = error_before;
}

static err file_error(void)
{
    return errno == ENOENT ? ERR_NOT_FOUND : errno == EEXIST ? ERR_EXISTS : ERR_IO;
}

err file_sync_parent(const char *path)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (size >= sizeof parent) {
        errno = ENAMETOOLONG;
        return ERR_IO;
    }
    memcpy(parent, size == 0 ? "." : path, size == 0 ? 1 : size);
    parent[size == 0 ? 1 : size] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    err result = fd >= 0 && fsync(fd) == 0 ? OK : ERR_IO;
    file_close(fd);
    return result;
}

/* ---- writing ---- */

static bool file_write_all(int fd, struct bytes content)
{
    size_t written = 0;
    while (written < content.size) {
        ssize_t count = write(fd, content.data + written, content.size - written);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        written += (size_t)count;
    }
    return true;
}

static err file_put(const char *path, struct bytes content, mode_t mode, unsigned rename_flags)
{
    char temporary[PATH_MAX];
    int size = snprintf(temporary, sizeof temporary, "%s.tmp-XXXXXX", path);
    if (size < 0 || (size_t)size >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return ERR_IO;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    bool done = file_write_all(fd, content) && fchmod(fd, mode) == 0 && fsync(fd) == 0 &&
                renameat2(AT_FDCWD, temporary, AT_FDCWD, path, rename_flags) == 0;
    file_close(fd);
    if (done)
        return file_sync_parent(path);
    err result = errno == EEXIST ? ERR_EXISTS : ERR_IO;
    int error_before = errno;
    (void)unlink(temporary);
    errno = error_before;
    return result;
}

err file_write(const char *path, struct bytes content, mode_t mode)
{
    return file_put(path, content, mode, 0);
}

err file_create(const char *path, struct bytes content, mode_t mode)
{
    return file_put(path, content, mode, RENAME_NOREPLACE);
}

/* ---- reading ---- */

static err file_open(const char *path, bool private, int *ret_fd)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return file_error();
    err result = OK;
    if (fstat(fd, &about) != 0)
        result = ERR_IO;
    else if (!S_ISREG(about.st_mode))
        result = ERR_INVALID;
    else if (private && ((about.st_uid != geteuid() && about.st_uid != 0) ||
                         (about.st_mode & (S_IRWXG | S_IRWXO)) != 0))
        result = ERR_NOT_ENTITLED;
    if (result != OK) {
        file_close(fd);
        return result;
    }
    *ret_fd = fd;
    return OK;
}

/* Reads to the end into `data`, which holds `capacity`; -1 on failure. */
static ssize_t file_fill(int fd, uint8_t *data, size_t capacity)
{
    size_t size = 0;
    while (size < capacity) {
        ssize_t count = read(fd, data + size, capacity - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        size += (size_t)count;
    }
    return (ssize_t)size;
}

static err file_read_fd(int fd, size_t size_max, uint8_t **ret_data, size_t *ret_size)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return ERR_IO;
    if (about.st_size < 0 || (uint64_t)about.st_size > size_max)
        return ERR_TOO_LARGE;
    size_t capacity = (size_t)about.st_size + 1; /* one more shows that it grew meanwhile */
    uint8_t *data = malloc(capacity);
    if (data == NULL)
        return ERR_NO_MEMORY;
    ssize_t size = file_fill(fd, data, capacity);
    if (size < 0 || (size_t)size == capacity) {
        file_wipe(data, capacity);
        errno = size < 0 ? errno : EAGAIN;
        return ERR_IO;
    }
    data[size] = 0;
    *ret_data = data;
    *ret_size = (size_t)size;
    return OK;
}

err file_read(const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size)
{
    int fd = -1;
    err result = file_open(path, false, &fd);
    if (result == OK)
        result = file_read_fd(fd, size_max, ret_data, ret_size);
    file_close(fd);
    return result;
}

err file_read_private(const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size)
{
    int fd = -1;
    err result = file_open(path, true, &fd);
    if (result == OK)
        result = file_read_fd(fd, size_max, ret_data, ret_size);
    file_close(fd);
    return result;
}

err file_open_private(const char *path, int *ret_fd)
{
    return file_open(path, true, ret_fd);
}

void file_wipe(uint8_t *data, size_t size)
{
    if (data != NULL)
        sodium_memzero(data, size);
    free(data);
}

/* ---- directories and locks ---- */

err file_ensure_directory(const char *path, mode_t mode)
{
    struct stat about;
    if (mkdir(path, mode) == 0)
        return chmod(path, mode) == 0 ? file_sync_parent(path) : ERR_IO;
    if (errno != EEXIST || stat(path, &about) != 0)
        return ERR_IO;
    if (!S_ISDIR(about.st_mode))
        return ERR_INVALID;
    if (about.st_uid != geteuid() || (about.st_mode & 07777 & ~mode) != 0)
        return ERR_NOT_ENTITLED;
    return OK;
}

err file_lock(const char *path, int *ret_fd)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return ERR_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err result = errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;
        file_close(fd);
        return result;
    }
    *ret_fd = fd;
    return OK;
}
