/* The whole roster as bytes, for this node's own store, with the facts that only this node knows
 * (receipt times, checked key changes). The encoding is canonical: equal rosters export equal
 * bytes. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_EXPORT_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_EXPORT_H

#include "protocol/roster/roster.h"

size_t roster_export_size(const struct roster *roster);

/* Writes roster_export_size bytes; `buffer` fails when they do not fit. */
void roster_export_write(const struct roster *roster, struct buffer *buffer);

/* Restores into an initialised roster (same self, same or larger plan). All roots are checked
 * again. On failure the roster is empty as after roster_init.
 *
 *   ERR_CORRUPT  not what was written; ask peers for heads and a snapshot
 *   ERR_FULL     the plan is smaller than what was written
 *   ERR_INVALID  it belongs to another node or federation */
MUST_USE err roster_export_read(struct roster *roster, struct bytes all);

#endif
