/* Makes a backup of a node's data, while the node runs or not.
 *
 * A directory:
 *
 *   backup            what it is (backup_manifest.h)
 *   data/NAME/        the store of each federation, as store/store_copy.h makes it
 *   data/clinicians/  the clinicians' sealed keys and certificates
 *   data/request      the institution's last request to the society
 *
 * The institution's keys are not in it (S-16). It is read back before it gets its name: who sees
 * the name has a whole backup. */
#ifndef CONSILIUM_NODE_BACKUP_BACKUP_H
#define CONSILIUM_NODE_BACKUP_BACKUP_H

#include "node/backup/backup_files.h"
#include "node/backup/backup_manifest.h"
#include "node/onboarding/identity.h"

/* Makes the new directory `to`, of all stores in the directory `data`. `ret_problem` holds one line
 * that says what to do; nothing of it is left then.
 *
 *   ERR_EXISTS     there is something at `to`: nothing was overwritten
 *   ERR_NOT_FOUND  there is no store in `data`
 *   and as store_copy, backup_check */
MUST_USE err backup_make(const char *data, const struct identity *identity, const char *to,
                         struct backup_watch *watch, struct backup_manifest *ret_manifest,
                         char ret_problem[static BACKUP_PROBLEM_SIZE]);

#endif
