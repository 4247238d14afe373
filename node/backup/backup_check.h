/* Reads all that a store holds, and counts what is damaged: each record against its name and its
 * header's hash, each chunk of an item against its leaf hash. */
#ifndef CONSILIUM_NODE_BACKUP_BACKUP_CHECK_H
#define CONSILIUM_NODE_BACKUP_BACKUP_CHECK_H

#include "node/backup/backup_files.h"
#include "node/backup/backup_manifest.h"
#include "store/store.h"

/* Damage is counted, and is no failure. ERR_CORRUPT (a row does not open), ERR_IO, ERR_NO_MEMORY.
 */
MUST_USE err backup_check(struct store *store, struct backup_watch *watch,
                          struct backup_count *ret_count);

#endif
