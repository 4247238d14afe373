/* What the rooms of deposits share: deposits.c (names; read, seal, leave) and deposits_due.c (what
 * is to be left, and what is to be withdrawn). */
#ifndef CONSILIUM_PROTOCOL_CORE_DEPOSITS_STATE_H
#define CONSILIUM_PROTOCOL_CORE_DEPOSITS_STATE_H

#include "protocol/core/core_state.h"

enum {
    DEPOSITS_ABSENT_MS = 5 * 1000, /* who was not connected for so long is off */
    DEPOSITS_RETRY_MS = 10 * 1000,
    DEPOSITS_ANSWER_MS = 30 * 1000,
    DEPOSITS_AGAIN_MS = 24 * 60 * 60 * 1000,
    DEPOSITS_WALK_MS = 1000,
    DEPOSITS_TEND_MS = 1000,
    DEPOSITS_WALKED_A_STEP = 512,
    DEPOSITS_TENDED_A_STEP = 256,
    DEPOSITS_RETRACTED_A_STEP = 64,
};

/* What is to lie there: one of enum deposits_what. */
uint8_t deposits_what(const struct deposit *deposit);
int deposits_bits(unsigned bits);

/* NULL when there is no room. */
struct deposits_reach *deposits_reach_of(struct core *core, const struct node_id *node,
                                         uint32_t slot);
struct deposit_id deposits_id_of(const struct core *core, const struct deposit *deposit,
                                 uint8_t what);

/* The custodian of this rank, if it is connected and was not asked yet; NULL. */
struct peer *deposits_candidate(struct core *core, const struct deposit *deposit,
                                const struct custodians *custodians, uint32_t rank);

/* Reads the record: deposits_loaded follows. One at a time. */
void deposits_read(struct core *core, struct deposit *deposit, struct step *step);

#endif
