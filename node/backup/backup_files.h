/* Copies and removes files and directories, for backups: what is made has mode 600 or 700, is new,
 * and is synced. */
#ifndef CONSILIUM_NODE_BACKUP_BACKUP_FILES_H
#define CONSILIUM_NODE_BACKUP_BACKUP_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/error.h"

/* Told how far the work is. */
struct backup_watch {
    /* Of `total` bytes or records; 0: not known. Or NULL. */
    void (*on_progress)(void *arg, const char *what, uint64_t done, uint64_t total);
    void *arg;
    const char *what; /* is being done: one or two words */
    uint64_t done;
    uint64_t total;
};
void backup_watch_begin(struct backup_watch *watch, const char *what, uint64_t total);
void backup_watch_tell(struct backup_watch *watch, uint64_t done);

/* Bytes of all regular files below `path`, or of the file. 0 when there is nothing. */
uint64_t backup_files_size(const char *path);

/* Copies a regular file to the new file `to`, and reads the copy back when `is_checked`.
 *
 *   ERR_NOT_FOUND  there is nothing at `from`
 *   ERR_EXISTS     there is something at `to`
 *   ERR_CORRUPT    what was read back differs
 *   ERR_INVALID    not a regular file
 *   ERR_IO         errno says why */
MUST_USE err backup_files_copy(const char *from, const char *to, bool is_checked,
                               struct backup_watch *watch);

/* The same for a directory with all that is below it, to the new directory `to`. Anything but files
 * and directories is ERR_INVALID. */
MUST_USE err backup_files_copy_tree(const char *from, const char *to, bool is_checked,
                                    struct backup_watch *watch);

/* Removes a directory with all that is below it, as far as it can; nothing there is fine. */
void backup_files_remove_tree(const char *path);

/* True when the directory is not there, or holds nothing but the files in `allowed` (ends with
 * NULL). `*ret_other` (256 bytes) names what else it holds. */
bool backup_files_holds_only(const char *path, const char *const *allowed, char *ret_other);

#endif
