/* Roster heads on the way between members, and in the store.
 *
 * A peer that is ahead gives its signed heads, then the content of the last one as a snapshot or a
 * delta; nothing of it is believed but what the officers' signatures and the roots prove. */
#ifndef CONSILIUM_NODE_FEDERATION_HEADS_H
#define CONSILIUM_NODE_FEDERATION_HEADS_H

#include "node/federation/shell.h"

struct heads;

struct heads *heads_new(struct shell *shell);
void heads_free(struct heads *heads);

/* Restores the roster from the store. ERR_NOT_FOUND when none is there: take the invitation. */
MUST_USE err heads_restore(struct store *store, struct roster *roster);
/* Makes the roster as it stands durable, with the signed heads given (framed u32 size, head). */
MUST_USE err heads_keep(struct store *store, const struct roster *roster, struct bytes heads);

/* Appends the signed head of an epoch, as it was kept. ERR_NOT_FOUND. */
MUST_USE err heads_read(struct store *store, uint64_t epoch, struct buffer *ret_signed_head);

/* FRAME_HEADS_WANT, FRAME_HEADS or FRAME_ROSTER_PART from a link. */
void heads_frame(struct heads *heads, struct link_id link, struct bytes frame);
/* How many refused heads are kept as proof (ROSTER-28), over all runs of this node; once the store
 * is open. */
uint32_t heads_refused(const struct heads *heads);
/* Looks for those of earlier runs. */
MUST_USE err heads_open(struct heads *heads);

/* Asks the peer for what is newer than ours; when nothing is, this tells it so. */
void heads_ask(struct heads *heads, struct link_id link);
/* A second passed: asks again for content that is still missing. */
void heads_tick(struct heads *heads);

/* Follows the healing head that waits, once its fingerprint was typed; errors of
 * healing_confirm. */
MUST_USE err heads_heal(struct heads *heads, const char *fingerprint);
/* False when none waits. */
bool heads_healing(const struct heads *heads, struct head_id *ret_id, uint64_t *ret_epoch);

#endif
