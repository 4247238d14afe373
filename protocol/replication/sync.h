/* Finding out what a peer has that is missing here, and answering what it asks.
 *
 * On each connection and every 30 s both sides send one digest over the streams they share. Where
 * it differs, both list where they stand, page by page; whoever is behind asks for a range, one
 * frame at a time, so the receiver sets the pace. Nothing waits for the whole. */
#ifndef CONSILIUM_PROTOCOL_REPLICATION_SYNC_H
#define CONSILIUM_PROTOCOL_REPLICATION_SYNC_H

#include "protocol/state/engine_state.h"

enum {
    SUMMARY_INTERVAL_MS = 30 * 1000,
    WANT_TIMEOUT_MS = 10 * 1000,
    LOST_COUNT_MAX = 1024, /* slots of our own streams in cases that are not here */
};

/* Time passed, or something may be missing: summaries, pages, wants that are due. Leaves
 * NOTICE_SUMMARY_SENT for each peer that is sent one. */
void sync_tick(struct engine *engine, struct step *step);

/* Sends what the lists of streams behind and of missing positions call for, within the peers'
 * bounds. */
void sync_pump(struct engine *engine, struct step *step);

/* Whoever was told to come later is told what we have. */
void sync_offer(struct engine *engine);
/* Who may read has changed in this scope (a grant, a reveal), or for NULL everywhere (a head, a
 * start): ask at once for what is missing there (T-23), and compare with all peers. */
void sync_retry(struct engine *engine, const struct scope *scope);

void sync_summary(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step);
void sync_positions(struct engine *engine, struct peer *peer, struct bytes frame,
                    struct step *step);
void sync_want(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step);
void sync_status(struct engine *engine, struct peer *peer, struct bytes frame, struct step *step);

/* The runtime read what a peer wanted. */
void sync_loaded(struct engine *engine, const struct event *event, struct step *step);

/* The runtime looked for a position that a later generation names (generation_seek). */
void sync_generation_loaded(struct engine *engine, const struct event *event);

/* A peer says that the stream reaches `to`. */
void sync_claimed(struct engine *engine, const struct peer *peer, uint32_t slot, uint64_t to);

/* Records of the stream came from this peer, from there on: if that was asked of it, it is being
 * answered. */
void sync_answered(struct engine *engine, struct peer *peer, const struct stream_id *id,
                   uint64_t from);

/* The slot of a stream that a peer speaks of, made if such a stream may exist; STREAM_NONE else. */
uint32_t sync_slot(struct engine *engine, const struct stream_id *id);

/* What this peer sends of the stream is not accepted now, for this reason, and asking again at once
 * would bring the same: the first listing after a pause, or another's, starts again (T-26). */
void sync_pass_over(struct engine *engine, struct peer *peer, uint32_t slot, err reason);

void sync_want_one(struct engine *engine, struct peer *peer, uint32_t slot, uint64_t sequence,
                   struct step *step);
void sync_want_heads(struct engine *engine, const struct peer *peer, struct step *step);
/* Asks for the last head of a peer whose chain has left ours, to keep and show both. */
void sync_want_proof(const struct peer *peer, struct step *step);

/* True while pages or wants wait for room in a step. */
bool sync_busy(const struct engine *engine);

#endif
