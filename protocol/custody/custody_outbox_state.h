/* What the rooms of deposits share: custody_outbox.c (names; read, seal, leave) and
 * custody_outbox_due.c (what is to be left, and what is to be withdrawn). */
#ifndef CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_OUTBOX_STATE_H
#define CONSILIUM_PROTOCOL_CUSTODY_CUSTODY_OUTBOX_STATE_H

#include "protocol/engine/engine_state.h"

enum {
    CUSTODY_OUTBOX_ABSENT_MS = 5 * 1000, /* who was not connected for so long is off */
    CUSTODY_OUTBOX_RETRY_MS = 10 * 1000,
    CUSTODY_OUTBOX_ANSWER_MS = 30 * 1000,
    CUSTODY_OUTBOX_AGAIN_MS = 24 * 60 * 60 * 1000,
    CUSTODY_OUTBOX_WALK_MS = 1000,
    CUSTODY_OUTBOX_TEND_MS = 1000,
    CUSTODY_OUTBOX_WALKED_A_STEP = 512,
    CUSTODY_OUTBOX_TENDED_A_STEP = 256,
    CUSTODY_OUTBOX_RETRACTED_A_STEP = 64,
};

/* What is to lie there: one of enum custody_outbox_what. */
uint8_t custody_outbox_what(const struct deposit *deposit);
int custody_outbox_bits(unsigned bits);

/* NULL when there is no room. */
struct custody_outbox_reach *custody_outbox_reach_of(struct engine *engine,
                                                     const struct node_id *node, uint32_t slot);
struct deposit_id custody_outbox_id_of(const struct engine *engine, const struct deposit *deposit,
                                       uint8_t what);

/* The custodian of this rank, if it is connected and was not asked yet; NULL. */
struct peer *custody_outbox_candidate(struct engine *engine, const struct deposit *deposit,
                                      const struct custodians *custodians, uint32_t rank);

/* Reads the record: custody_outbox_loaded follows. One at a time. */
void custody_outbox_read(struct engine *engine, struct deposit *deposit, struct step *step);

#endif
