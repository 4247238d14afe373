/* Puts a backup into an empty data directory.
 *
 * The store is marked as put back (spec/storage.md, Backups). So the node learns from the other
 * members what it wrote since, before it writes or hands out a key, and goes on in a new generation
 * of each of its streams, whether there is a marker or not. */
#ifndef CONSILIUM_NODE_BACKUP_BACKUP_RESTORE_H
#define CONSILIUM_NODE_BACKUP_BACKUP_RESTORE_H

#include "node/backup/backup_files.h"
#include "node/backup/backup_manifest.h"
#include "node/os/passphrase.h"
#include "node/os/secure_arena.h"

struct backup_restore {
    const char *from;
    const char *data; /* holds nothing, or the two keys alone */
    const char *keys; /* what backup_keys_write wrote; NULL: the keys are in `data` */
    /* Opens `keys`, or, if they are sealed, the keys in `data`. */
    const struct passphrase_source *source;
    bool is_old_fine; /* also one that is older than BACKUP_AGE_DAYS_MAX */
    struct backup_watch *watch;
};

/* `ret_manifest` is of the backup, with what was damaged in it when it was read now. `ret_problem`
 * holds one line that says what to do; then nothing is left in `data` that was not there, unless it
 * was the last step that failed, when all goes from `data`/restoring into place.
 *
 *   ERR_NOT_FOUND  there is no backup in `from`
 *   ERR_EXPIRED    it is older than backups may be
 *   ERR_EXISTS     `data` holds something
 *   ERR_BAD_KEY    another institution's keys, or the backup was altered
 *   and as identity_open, store_open, backup_check, backup_keys_restore */
MUST_USE err backup_restore(const struct backup_restore *restore, struct secure_arena *secrets,
                            struct backup_manifest *ret_manifest,
                            char ret_problem[static BACKUP_PROBLEM_SIZE]);

#endif
