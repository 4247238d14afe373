/* Finding out what a peer has that we lack, and answering what it asks.
 *
 * On each connection and every 30 s both sides send one digest over the streams they share. Where
 * it differs, both list where they stand, page by page; whoever is behind asks for a range, one
 * frame at a time, so the receiver sets the pace. Nothing waits for the whole. */
#ifndef CONSILIUM_PROTOCOL_CORE_CATCHUP_H
#define CONSILIUM_PROTOCOL_CORE_CATCHUP_H

#include "protocol/core/core_state.h"

/* Time passed, or something may be missing: summaries, pages, wants that are due. */
void catchup_tick(struct core *core, struct step *step);

/* Sends what the lists of streams behind and of lacks call for, within the peers' bounds. */
void catchup_pump(struct core *core, struct step *step);

/* Whoever was told to come later is told what we have. */
void catchup_offer(struct core *core);
/* Some reason to read more came up (a grant, a reveal, a head): ask at once for what we lack. */
void catchup_retry(struct core *core);

void catchup_summary(struct core *core, struct peer *peer, struct bytes frame, struct step *step);
void catchup_positions(struct core *core, struct peer *peer, struct bytes frame, struct step *step);
void catchup_want(struct core *core, struct peer *peer, struct bytes frame, struct step *step);
void catchup_status(struct core *core, struct peer *peer, struct bytes frame, struct step *step);

/* The shell read what a peer wanted. */
void catchup_loaded(struct core *core, const struct event *event, struct step *step);

/* A peer says that the stream reaches `to`. */
void catchup_claimed(struct core *core, const struct peer *peer, uint32_t slot, uint64_t to);

/* Records of the stream came from this peer, from there on: if that was asked of it, it is being
 * answered. */
void catchup_answered(struct core *core, struct peer *peer, const struct stream_id *id,
                      uint64_t from);

/* The slot of a stream that a peer speaks of, made if such a stream may exist; STREAM_NONE else. */
uint32_t catchup_slot(struct core *core, const struct stream_id *id);

/* What this peer sends of the stream is not accepted now, and asking again at once would bring the
 * same: the next listing, its own or another's, starts anew. */
void catchup_pass_over(struct core *core, const struct peer *peer, uint32_t slot);

void catchup_want_one(struct core *core, struct peer *peer, uint32_t slot, uint64_t sequence,
                      struct step *step);
void catchup_want_heads(struct core *core, const struct peer *peer, struct step *step);
/* Asks for the last head of a peer whose chain has left ours, to keep and show both. */
void catchup_want_proof(const struct peer *peer, struct step *step);

/* True while pages or wants wait for room in a step. */
bool catchup_busy(const struct core *core);

#endif
