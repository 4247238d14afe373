/* What clinicians write: contents in statements, signed under real certificates. */
#ifndef CONSILIUM_TESTS_SIM_CLINIC_H
#define CONSILIUM_TESTS_SIM_CLINIC_H

#include "protocol/contents/announcement.h"
#include "tests/sim/world.h"

/* Certifies the hospital's clinician in its federation stream. */
void clinic_certify(struct hospital *hospital);

/* Writes `content` (of the kind's own struct) as a statement, signed when the kind wants it;
 * answers a number for world->outcomes. */
struct saying {
    struct scope scope;
    enum audience audience;
    uint16_t kind;
    const void *content;
    struct wall expires;
};
uint64_t clinic_say(struct hospital *hospital, const struct saying *saying);
/* The body that clinic_say would write, into `out`. */
void clinic_body(struct hospital *hospital, const struct saying *saying, struct buffer *out);

struct scope clinic_board(const struct world *world);
/* A new case of this hospital: OPEN in its stream, then the announcement on the board. */
uint32_t clinic_ask(struct hospital *hospital, enum announcement_mode mode, uint64_t wanted);
/* A new case put to one institution alone. */
uint32_t clinic_direct(struct hospital *hospital, const struct hospital *to,
                       enum announcement_mode mode);
struct scope clinic_case(const struct world *world, uint32_t number);
/* A mail to the requester: one of ours can help. */
uint64_t clinic_join(struct hospital *hospital, uint32_t number);
void clinic_join_body(struct hospital *hospital, uint32_t number, struct buffer *out);
uint64_t clinic_opine(struct hospital *hospital, uint32_t number, enum announcement_mode mode);
/* A word in the case. */
uint64_t clinic_post(struct hospital *hospital, uint32_t number);
/* An announcement of a case that nobody opens further: traffic for a board. */
uint64_t clinic_announce(struct hospital *hospital, struct wall expires);

#endif
