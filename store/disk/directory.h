/* The store's directory: who may use it, what lies in it, and that what was made in it stays.
 *
 *   lock                 held by the one process that has the store open
 *   data.mdb, lock.mdb   LMDB
 *   keyring.0, keyring.1 the epoch keys, sealed (keyring.h); one of them at a time
 *   items/               one file for each case item
 *   ballast              room for erasing on a full disk
 *   probe                made and removed to see whether there is room
 *   creating, failed     marks: made but not finished; a commit failed here */
#ifndef CONSILIUM_STORE_DISK_DIRECTORY_H
#define CONSILIUM_STORE_DISK_DIRECTORY_H

#include "protocol/base/error.h"

#include <stdbool.h>

enum { DIRECTORY_BALLAST_SIZE = 8 * 1024 * 1024 };

struct directory {
    int fd;
    int items_fd;
    int lock_fd;
    bool created;   /* there is no store in it yet */
    bool ballasted; /* the ballast is in place; changed by the writer thread only */
};

/* Makes it if need be, checks that it is ours alone, takes the lock; removes what a creation that
 * was cut short has left. `problem` (STORE_PROBLEM_SIZE) says why not. Errors as in store_open. */
MUST_USE err directory_open(const char *path, char *problem, struct directory *ret_directory);
void directory_close(struct directory *directory);

/* The creation is complete: from now on a missing file is a loss. */
MUST_USE err directory_created(struct directory *directory);

/* Best effort: called when the disk has just failed. */
void directory_mark_failed(struct directory *directory);
bool directory_has_failed(const struct directory *directory);
MUST_USE err directory_unmark_failed(struct directory *directory);

/* ERR_FULL when there is no room for it, with as much left again. */
MUST_USE err directory_ballast(struct directory *directory);
void directory_ballast_drop(struct directory *directory);

/* True when there is a little room, by what the file system says: it may know of a quota and not
 * say so. */
bool directory_has_room(const struct directory *directory);
/* True when not even a little more can be written. */
bool directory_is_full(const struct directory *directory);

bool directory_has(const struct directory *directory, const char *name);

/* The error for an errno of a write: ERR_FULL, ERR_NO_MEMORY or ERR_IO. */
MUST_USE err directory_errno(int number);

#endif
