/* Snapshots: the head in force as a delta from nothing, for sending. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_SNAPSHOT_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_SNAPSHOT_H

#include "protocol/roster/roster.h"

/* Writes a snapshot of the head in force part by part. Start with a zeroed cursor; each call writes
 * the next part (at most DELTA_PART_SIZE_MAX bytes) into `part` and returns true when it was the
 * last. The next change of the roster invalidates the cursor. */
struct roster_cursor {
    uint32_t part;
    uint32_t cut;
    uint32_t member;
    bool settings_done;
};
bool roster_snapshot_part(const struct roster *roster, struct roster_cursor *cursor,
                          struct buffer *part);

/* The same as one list of items; `buffer` fails when it is smaller than roster_snapshot_size. */
size_t roster_snapshot_size(const struct roster *roster);
void roster_snapshot_write(const struct roster *roster, struct buffer *items);

#endif
