/* `consiliumd backup` and `consiliumd restore`: what an administrator does for the day when the
 * disk is lost. As prepare.h: each says what it did, or in one line why not, and returns the exit
 * status.
 */
#ifndef CONSILIUM_NODE_DAEMON_BACKUP_COMMAND_H
#define CONSILIUM_NODE_DAEMON_BACKUP_COMMAND_H

#include "node/daemon/prepare.h"

/* While the node runs, or not. */
MUST_USE int backup_command_backup(const struct prepare_options *options,
                                   struct secure_arena *secrets);
/* Into an empty data directory. */
MUST_USE int backup_command_restore(const struct prepare_options *options,
                                    struct secure_arena *secrets);

#endif
