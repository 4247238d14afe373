#include "store/disk/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "store/disk/store_types.h"

enum { PROBE_SIZE = 1024 * 1024, BEFORE_AGE_S_MAX = 30 * 24 * 60 * 60 };

static const char *const names[] = {
    "lock",    "data.mdb", "lock.mdb",  "keyring.0", "keyring.1",          "items",
    "ballast", "creating", "failed",    "probe",     "before-upgrade.mdb", "before-upgrade.part",
    ".",       "..",       "lost+found"};

err directory_errno(int number)
{
    if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
        return ERR_FULL;
    }
    return number == ENOMEM ? ERR_NO_MEMORY : ERR_IO;
}

static err say(char *problem, err code, const char *path, const char *what)
{
    (void)snprintf(problem, STORE_PROBLEM_SIZE, "%s: %s", path, what);
    return code;
}

static err say_errno(char *problem, const char *path, const char *what)
{
    int number = errno;
    const char *why = strerrordesc_np(number);
    (void)snprintf(problem, STORE_PROBLEM_SIZE, "%s: %s: %s", path, what, why != NULL ? why : "?");
    return directory_errno(number);
}

/* (S-8) Locks and memory maps do not work reliably over a network. */
static bool on_network(int fd)
{
    static const unsigned long kinds[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB 2 */
        0x5346414f, /* AFS */
        0x00c36400, /* Ceph */
        0x65735546, /* FUSE: may be any file system, sshfs too */
        0x01021997, /* 9P */
        0x73757245, /* Coda */
        0x564c,     /* NCP */
        0x0bd00bd0, /* Lustre */
        0x01161970, /* GFS2 */
        0x7461636f, /* OCFS2 */
    };
    struct statfs info;
    if (fstatfs(fd, &info) != 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i += 1) {
        if (((unsigned long)info.f_type & 0xffffffffUL) == kinds[i]) {
            return true;
        }
    }
    return false;
}

static err sync_parent(const struct directory *directory)
{
    int fd = openat(directory->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return ERR_IO;
    }
    int failed = fsync(fd);
    close(fd);
    return failed == 0 ? OK : ERR_IO;
}

static err check_ours(int fd, const char *path, char *problem)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return say_errno(problem, path, "cannot look at it");
    }
    if (info.st_uid != geteuid()) {
        return say(problem, ERR_EXISTS, path,
                   "belongs to another user; run as that user or choose another directory");
    }
    if ((info.st_mode & 077) != 0) {
        return say(problem, ERR_UNSUPPORTED, path,
                   "can be read by other users; run chmod 700 on it");
    }
    if (on_network(fd)) {
        return say(problem, ERR_UNSUPPORTED, path,
                   "lies on a network file system; choose a directory on a local disk");
    }
    return OK;
}

static err take_lock(struct directory *directory, const char *path, char *problem)
{
    directory->lock_fd =
        openat(directory->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (directory->lock_fd < 0) {
        return say_errno(problem, path, "cannot make the lock file");
    }
    if (flock(directory->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return say(problem, ERR_BUSY, path, "is in use by another process; stop that one first");
    }
    return OK;
}

bool directory_has(const struct directory *directory, const char *name)
{
    return faccessat(directory->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i += 1) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* ERR_EXISTS when it holds anything that no store made. */
static err check_content(struct directory *directory, const char *path, char *problem)
{
    int copy = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (list == NULL) {
        return say_errno(problem, path, "cannot list it");
    }
    err result = OK;
    struct dirent *entry; /* glibc's readdir is safe on a stream that no other thread uses */
    while ((entry = readdir(list)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        if (!is_ours(entry->d_name)) {
            (void)snprintf(
                problem, STORE_PROBLEM_SIZE,
                "%s: holds \"%.100s\", which is not of a store; choose an empty directory", path,
                entry->d_name);
            result = ERR_EXISTS;
            break;
        }
    }
    closedir(list);
    return result;
}

/* An incomplete creation has acknowledged nothing: start again. */
static err begin_creation(struct directory *directory, const char *path, char *problem)
{
    int fd = openat(directory->fd, "creating", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fsync(fd) != 0 || fsync(directory->fd) != 0) {
        err result = say_errno(problem, path, "cannot write to it");
        if (fd >= 0) {
            close(fd);
        }
        return result;
    }
    close(fd);
    static const char *const stale[] = {"data.mdb",  "lock.mdb", "keyring.0",
                                        "keyring.1", "ballast",  "failed"};
    for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i += 1) {
        if (unlinkat(directory->fd, stale[i], 0) != 0 && errno != ENOENT) {
            return say_errno(problem, path, "cannot remove what was left of a creation");
        }
    }
    directory->created = true;
    return OK;
}

static err look_inside(struct directory *directory, const char *path, char *problem)
{
    err result = check_content(directory, path, problem);
    if (result != OK) {
        return result;
    }
    (void)unlinkat(directory->fd, "probe", 0); /* the file ended while looking for free space */
    bool has_data = directory_has(directory, "data.mdb");
    bool has_keyring =
        directory_has(directory, "keyring.0") || directory_has(directory, "keyring.1");
    if (directory_has(directory, "creating") || (!has_data && !has_keyring)) {
        result = begin_creation(directory, path, problem);
    } else if (!has_data) {
        result = say(problem, ERR_CORRUPT, path, "data.mdb is missing; restore it from a backup");
    } else if (!has_keyring) {
        result = say(problem, ERR_CORRUPT, path,
                     "the keyring file is missing; restore it from the backup of keys");
    }
    if (result != OK) {
        return result;
    }
    if (mkdirat(directory->fd, "items", 0700) != 0 && errno != EEXIST) {
        return say_errno(problem, path, "cannot make the directory items");
    }
    directory->items_fd = openat(directory->fd, "items", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->items_fd < 0) {
        return say_errno(problem, path, "cannot open the directory items");
    }
    return OK;
}

err directory_open(const char *path, char *problem, struct directory *ret_directory)
{
    struct directory directory = {.fd = -1, .items_fd = -1, .lock_fd = -1};
    problem[0] = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return say_errno(problem, path, "cannot make the directory");
    }
    err result = OK;
    directory.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory.fd < 0) {
        return say_errno(problem, path, "cannot open the directory");
    }
    result = check_ours(directory.fd, path, problem);
    if (result == OK) {
        result = take_lock(&directory, path, problem);
    }
    if (result == OK) {
        result = look_inside(&directory, path, problem);
    }
    if (result != OK) {
        directory_close(&directory);
        return result;
    }
    directory.ballasted = directory_has(&directory, "ballast");
    *ret_directory = directory;
    return OK;
}

err directory_open_copy(const char *path, char *problem, struct directory *ret_directory)
{
    struct directory directory = {.fd = -1, .items_fd = -1, .lock_fd = -1};
    *ret_directory = directory;
    directory.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory.fd < 0) {
        return say_errno(problem, path, "cannot open the directory");
    }
    directory.items_fd = openat(directory.fd, "items", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory.items_fd < 0) {
        err result = say_errno(problem, path, "cannot open the directory items");
        directory_close(&directory);
        return result;
    }
    *ret_directory = directory;
    return OK;
}

void directory_tidy_copy(const struct directory *directory)
{
    if (directory->fd >= 0) {
        (void)unlinkat(directory->fd, "lock.mdb", 0);
    }
}

err directory_make_copy(const char *path, char *problem)
{
    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? say(problem, ERR_EXISTS, path, "is there already")
                               : say_errno(problem, path, "cannot make the directory");
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool failed = fd < 0 || mkdirat(fd, "items", 0700) != 0;
    err result = failed ? say_errno(problem, path, "cannot make the directory items") : OK;
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

err directory_open_source(const char *path, char *problem, struct directory *ret_directory)
{
    struct directory directory;
    struct stat info;
    err result = directory_open_copy(path, problem, &directory);
    if (result != OK) {
        return result;
    }
    if (fstat(directory.fd, &info) != 0) {
        result = say_errno(problem, path, "cannot look at it");
    } else if (info.st_uid != geteuid()) {
        result = say(problem, ERR_EXISTS, path, "belongs to another user; run as that user");
    } else if (!directory_has(&directory, "data.mdb") || directory_has(&directory, "creating")) {
        result = say(problem, ERR_NOT_FOUND, path, "holds no store");
    }
    if (result != OK) {
        directory_close(&directory);
        return result;
    }
    *ret_directory = directory;
    return OK;
}

void directory_close(struct directory *directory)
{
    int *fds[] = {&directory->items_fd, &directory->lock_fd, &directory->fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i += 1) {
        if (*fds[i] >= 0) {
            close(*fds[i]);
            *fds[i] = -1;
        }
    }
}

err directory_created(struct directory *directory)
{
    if (fsync(directory->items_fd) != 0 || fsync(directory->fd) != 0 ||
        sync_parent(directory) != OK) {
        return ERR_IO;
    }
    if (unlinkat(directory->fd, "creating", 0) != 0 || fsync(directory->fd) != 0) {
        return ERR_IO;
    }
    directory->created = false;
    return OK;
}

void directory_mark_failed(struct directory *directory)
{
    int fd = openat(directory->fd, "failed", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
        (void)fsync(directory->fd);
    }
}

bool directory_has_failed(const struct directory *directory)
{
    return directory_has(directory, "failed");
}

err directory_unmark_failed(struct directory *directory)
{
    if (unlinkat(directory->fd, "failed", 0) != 0 && errno != ENOENT) {
        return ERR_IO;
    }
    return fsync(directory->fd) == 0 ? OK : ERR_IO;
}

void directory_drop_before(const struct directory *directory, bool is_always)
{
    static const char name[] = "before-upgrade.mdb";
    struct stat info;
    bool is_due = fstatat(directory->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                  (is_always || time(NULL) - info.st_mtime > BEFORE_AGE_S_MAX);
    if (is_due) {
        (void)unlinkat(directory->fd, name, 0);
    }
    (void)unlinkat(directory->fd, "before-upgrade.part", 0);
}

err directory_ballast(struct directory *directory)
{
    struct statvfs info;
    if (directory->ballasted) {
        return OK;
    }
    if (fstatvfs(directory->fd, &info) == 0 &&
        (uint64_t)info.f_bavail * info.f_frsize < (uint64_t)2 * DIRECTORY_BALLAST_SIZE) {
        return ERR_FULL;
    }
    int fd = openat(directory->fd, "ballast", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return directory_errno(errno);
    }
    int number = posix_fallocate(fd, 0, DIRECTORY_BALLAST_SIZE);
    if (number == 0 && fsync(fd) != 0) {
        number = errno;
    }
    close(fd);
    if (number != 0) {
        (void)unlinkat(directory->fd, "ballast", 0);
        return directory_errno(number);
    }
    directory->ballasted = true;
    return fsync(directory->fd) == 0 ? OK : ERR_IO;
}

bool directory_has_room(const struct directory *directory)
{
    struct statvfs info;
    return fstatvfs(directory->fd, &info) != 0 ||
           (uint64_t)info.f_bavail * info.f_frsize >= PROBE_SIZE;
}

bool directory_is_full(const struct directory *directory)
{
    int fd = openat(directory->fd, "probe", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int number = fd < 0 ? errno : posix_fallocate(fd, 0, PROBE_SIZE);
    if (fd >= 0) {
        close(fd);
    }
    (void)unlinkat(directory->fd, "probe", 0);
    return number != 0 && directory_errno(number) == ERR_FULL;
}

void directory_ballast_drop(struct directory *directory)
{
    (void)unlinkat(directory->fd, "ballast", 0);
    (void)fsync(directory->fd);
    directory->ballasted = false;
}
