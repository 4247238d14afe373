/* The institution's keys in one file, sealed under a passphrase of its own: the backup of what a
 * backup of the data cannot be opened without. */
#ifndef CONSILIUM_NODE_BACKUP_BACKUP_KEYS_H
#define CONSILIUM_NODE_BACKUP_BACKUP_KEYS_H

#include "node/backup/backup_manifest.h"
#include "node/onboarding/identity.h"

/* Writes the new file `path`. ERR_EXISTS, ERR_IO, ERR_NO_MEMORY. */
MUST_USE err backup_keys_write(const struct identity *identity, const struct bytes *passphrase,
                               const char *path, struct secure_arena *secrets,
                               char ret_problem[static BACKUP_PROBLEM_SIZE]);

/* Writes identity.key and store.key into the directory `data`, both sealed under the same
 * passphrase. ERR_PASSPHRASE, ERR_NOT_FOUND, ERR_EXISTS, ERR_MALFORMED, ERR_IO, ERR_NO_MEMORY. */
MUST_USE err backup_keys_restore(const char *path, const struct bytes *passphrase, const char *data,
                                 struct secure_arena *secrets,
                                 char ret_problem[static BACKUP_PROBLEM_SIZE]);

#endif
