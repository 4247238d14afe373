/* What a relay knows of the roster: the signed heads and the list of transport keys, in memory and
 * in DIRECTORY/roster, which is replaced as a whole. Both are public, signed data; at each start
 * they are verified again from the federation id of the configuration on. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_ROSTER_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_ROSTER_H

#include "protocol/relay/publication.h"

struct relay_roster;

/* Reads the file; without one the roster is empty.
 *
 *   ERR_CORRUPT    the file is not one that a relay of this federation wrote: move it away; the
 *                  next publication brings it again
 *   ERR_NO_MEMORY, ERR_IO (errno) */
MUST_USE err relay_roster_open(const char *directory, const struct federation_id *federation,
                               struct relay_roster **ret_roster);

/* Accepts NULL. */
void relay_roster_close(struct relay_roster *roster);

/* Accepts a publication, durably; `split_recovery` as for publication_learn. Unless OK
 * nothing changes: errors of publication_read and publication_learn, and ERR_IO. */
MUST_USE err relay_roster_take(struct relay_roster *roster, struct bytes publication,
                               const struct head_id *split_recovery, struct wall now);

/* Epoch 0 and zeros before there is one. */
struct relay_head relay_roster_head(const struct relay_roster *roster);
/* Borrowed until the next take; empty before there is one. */
struct bytes relay_roster_list(const struct relay_roster *roster);
struct wall relay_roster_valid_until(const struct relay_roster *roster);

#endif
