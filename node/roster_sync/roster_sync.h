/* Roster heads on the way between members, and in the store.
 *
 * A peer that is ahead gives its signed heads, then the content of the last one as a snapshot or a
 * delta; nothing of it is believed but what the officers' signatures and the roots prove. */
#ifndef CONSILIUM_NODE_ROSTER_SYNC_ROSTER_SYNC_H
#define CONSILIUM_NODE_ROSTER_SYNC_ROSTER_SYNC_H

#include "node/runtime/runtime.h"

struct roster_sync;

struct roster_sync *roster_sync_new(struct runtime *runtime);
void roster_sync_free(struct roster_sync *heads);

/* Restores the roster from the store. ERR_NOT_FOUND when none is there: take the invitation. */
MUST_USE err roster_sync_restore(struct store *store, struct roster *roster);
/* Makes the roster as it stands durable, with the signed heads given (framed u32 size, head). */
MUST_USE err roster_sync_keep(struct store *store, const struct roster *roster, struct bytes heads);

/* Appends the signed head of an epoch, as it was kept. ERR_NOT_FOUND. */
MUST_USE err roster_sync_read(struct store *store, uint64_t epoch, struct buffer *ret_signed_head);

/* FRAME_HEADS_WANT, FRAME_HEADS or FRAME_ROSTER_PART from a link. */
void roster_sync_frame(struct roster_sync *heads, struct link_id link, struct bytes frame);
/* How many refused heads are kept as proof (ROSTER-28), over all runs of this node; once the store
 * is open. */
uint32_t roster_sync_refused(const struct roster_sync *heads);
/* Looks for those of earlier runs. */
MUST_USE err roster_sync_open(struct roster_sync *heads);

/* Asks the peer for what is newer than ours; when nothing is, this tells it so. */
void roster_sync_ask(struct roster_sync *heads, struct link_id link);
/* A second passed: asks again for content that is still missing. */
void roster_sync_tick(struct roster_sync *heads);

/* Follows the healing head that waits, once its fingerprint was typed; errors of
 * split_recovery_confirm. */
MUST_USE err roster_sync_heal(struct roster_sync *heads, const char *fingerprint);
/* False when none waits. */
bool roster_sync_healing(const struct roster_sync *heads, struct head_id *ret_id,
                         uint64_t *ret_epoch);

#endif
