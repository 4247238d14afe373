/* The store's directory: its files, the lock, and the check of permissions and file system.
 *
 *   lock                 held by the one process that has the store open
 *   data.mdb, lock.mdb   LMDB
 *   keyring.0, keyring.1 the epoch keys, sealed (keyring.h); one of them at a time
 *   items/               one file for each case item
 *   ballast              reserved space for erasing on a full disk
 *   probe                written and removed to test for free space
 *   before-upgrade.mdb   data.mdb as it was before an upgrade; .part: not yet whole
 *   creating, failed     marks: creation not complete; a commit failed */
#ifndef CONSILIUM_STORE_DISK_DIRECTORY_H
#define CONSILIUM_STORE_DISK_DIRECTORY_H

#include "protocol/base/error.h"

#include <stdbool.h>

enum { DIRECTORY_BALLAST_SIZE = 8 * 1024 * 1024 };

struct directory {
    int fd;
    int items_fd;
    int lock_fd;
    bool created;   /* it holds no store yet */
    bool ballasted; /* the ballast exists; only the writer thread changes this */
};

/* Creates the directory if needed, checks that only this user may access it, takes the lock, and
 * removes what an incomplete creation left. On failure `problem` (STORE_PROBLEM_SIZE) gives the
 * reason. Errors as in store_open. */
MUST_USE err directory_open(const char *path, char *problem, struct directory *ret_directory);
/* Opens a copy of a store: nothing is made, and no lock is taken. */
MUST_USE err directory_open_copy(const char *path, char *problem, struct directory *ret_directory);
/* Removes LMDB's lock file, which nobody needs where nobody writes. */
void directory_tidy_copy(const struct directory *directory);
/* Makes the directory of a copy; ERR_EXISTS when there is anything at `path`. */
MUST_USE err directory_make_copy(const char *path, char *problem);
/* Opens the directory of a store that a process may have open, to copy it: it must be this user's
 * and hold a store. */
MUST_USE err directory_open_source(const char *path, char *problem,
                                   struct directory *ret_directory);
void directory_close(struct directory *directory);

/* Marks the creation as complete: from now on a missing file is damage. */
MUST_USE err directory_created(struct directory *directory);

/* Best effort, because the disk has just failed. */
void directory_mark_failed(struct directory *directory);
bool directory_has_failed(const struct directory *directory);
MUST_USE err directory_unmark_failed(struct directory *directory);

/* Removes the copy before an upgrade: always, as after a rekey, which makes it useless; or when it
 * is as old as a backup may get (spec/storage.md, Backups). */
void directory_drop_before(const struct directory *directory, bool is_always);

/* ERR_FULL unless it fits with the same space free afterwards. */
MUST_USE err directory_ballast(struct directory *directory);
void directory_ballast_drop(struct directory *directory);

/* True when the file system reports a little free space. A quota may still refuse writes. */
bool directory_has_room(const struct directory *directory);
/* True when not even a small file can be written. */
bool directory_is_full(const struct directory *directory);

bool directory_has(const struct directory *directory, const char *name);

/* The error for an errno of a write: ERR_FULL, ERR_NO_MEMORY or ERR_IO. */
MUST_USE err directory_errno(int number);

#endif
