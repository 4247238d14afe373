#include "tests/sim/workload.h"

#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"

enum { WORKLOAD_CASES_ALIVE = 8, WORKLOAD_CASES_MAX = 100 };

static void workload_say(struct hospital *hospital, uint32_t number, uint16_t kind,
                         const void *content)
{
    struct saying saying = {.scope = clinic_case(hospital->world, number),
                            .audience = kind == KIND_ERASE ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                            .kind = kind,
                            .content = content};
    (void)clinic_say(hospital, &saying);
}

/* A record that was taken in; zeros when none was. */
static struct record_id workload_taken(struct world *world, const struct consult *consult)
{
    struct record_id none = {{0}};
    if (consult->taken_count == 0)
        return none;
    return consult->taken[prng_below(&world->prng, consult->taken_count)].record_id;
}

/* ---- the requester ---- */

static void workload_reveal(struct hospital *hospital, uint32_t number,
                            const struct consult *consult)
{
    struct case_record_reveal reveal = {.record_count = 0};
    for (size_t i = 0; i < consult->taken_count && reveal.record_count < 4; i++) {
        if (prng_of(&hospital->world->prng, 70))
            reveal.records[reveal.record_count++] = consult->taken[i].record_id;
    }
    if (reveal.record_count > 0)
        workload_say(hospital, number, KIND_REVEAL, &reveal);
}

static void workload_grant(struct hospital *hospital, uint32_t number)
{
    struct world *world = hospital->world;
    uint32_t to = (uint32_t)prng_below(&world->prng, world->count);
    struct case_record_grant grant = {.participant = world->hospitals[to].node};
    if (to != hospital->index)
        workload_say(hospital, number, KIND_GRANT, &grant);
}

static void workload_grant_end(struct hospital *hospital, uint32_t number,
                               const struct consult *consult)
{
    struct world *world = hospital->world;
    if (consult->participant_count == 0)
        return;
    size_t which = prng_below(&world->prng, consult->participant_count);
    struct case_record_grant_end end = {.participant = consult->participants[which].node};
    workload_say(hospital, number, KIND_GRANT_END, &end);
}

static void workload_decide(struct hospital *hospital, uint32_t number,
                            const struct consult *consult)
{
    struct world *world = hospital->world;
    struct case_record_synthesis synthesis = {.text = bytes_of_text("In short.")};
    struct case_record_close closing = {.note = BYTES_NONE};
    struct case_record_withdraw withdrawal = {.note = BYTES_NONE};
    struct case_record_outcome outcome = {
        .day = 21, .followed = CASERECORD_FOLLOWED, .result = CASERECORD_IMPROVED};
    struct case_record_extend extend = {
        .deadline = {hospital_wall(hospital).ms + prng_below(&world->prng, 50 * DAY_MS)},
        .wanted_count = prng_below(&world->prng, 4)};
    struct case_record_erase erase = {.opening = consult->opening, .requester = hospital->node};
    switch (prng_below(&world->prng, 8)) {
    case 0:
    case 1:
        workload_say(hospital, number, KIND_SYNTHESIS, &synthesis);
        break;
    case 2:
        workload_say(hospital, number, KIND_CLOSE, &closing);
        break;
    case 3:
        workload_say(hospital, number, KIND_OUTCOME, &outcome);
        break;
    case 4:
    case 5:
        workload_say(hospital, number, KIND_EXTEND, &extend);
        break;
    case 6:
        workload_say(hospital, number, KIND_WITHDRAW, &withdrawal);
        break;
    default:
        workload_say(hospital, number, KIND_ERASE, &erase);
        break;
    }
}

static void workload_lead(struct hospital *hospital, uint32_t number, const struct consult *consult)
{
    switch (prng_below(&hospital->world->prng, 8)) {
    case 0:
    case 1:
        (void)clinic_post(hospital, number);
        break;
    case 2:
    case 3:
        workload_reveal(hospital, number, consult);
        break;
    case 4:
        workload_grant(hospital, number);
        break;
    case 5:
        workload_grant_end(hospital, number, consult);
        break;
    default:
        workload_decide(hospital, number, consult);
        break;
    }
}

/* ---- a participant ---- */

static void workload_take_part(struct hospital *hospital, uint32_t number,
                               const struct consult *consult)
{
    struct world *world = hospital->world;
    struct case_record_ask ask = {.item_count = 1,
                                  .items = {{CASERECORD_WANT_TEST, bytes_of_text("Blood count")}}};
    struct case_record_decline decline = {.reason = CASERECORD_NOT_MY_FIELD};
    struct case_record_release release = {workload_taken(world, consult)};
    struct case_record_flag flag = {.record_id = workload_taken(world, consult),
                                    .reason = CASERECORD_IDENTIFYING};
    switch (prng_below(&world->prng, 8)) {
    case 0:
    case 1:
    case 2:
        (void)clinic_opine(hospital, number, consult->mode);
        break;
    case 3:
        workload_say(hospital, number, KIND_ASK, &ask);
        break;
    case 4:
        workload_say(hospital, number, KIND_DECLINE, &decline);
        break;
    case 5:
        if (!ID_IS_ZERO(release.record_id))
            workload_say(hospital, number, KIND_RELEASE, &release);
        break;
    case 6:
        if (!ID_IS_ZERO(flag.record_id))
            workload_say(hospital, number, KIND_FLAG, &flag);
        break;
    default:
        (void)clinic_post(hospital, number);
        break;
    }
}

/* ---- anybody ---- */

static void workload_ask(struct hospital *hospital)
{
    struct world *world = hospital->world;
    enum announcement_mode mode =
        prng_of(&world->prng, 50) ? ANNOUNCEMENT_OPEN : ANNOUNCEMENT_INDEPENDENT_FIRST;
    uint32_t to = (uint32_t)prng_below(&world->prng, world->count);
    if (world->case_count >= WORKLOAD_CASES_MAX)
        return;
    if (prng_of(&world->prng, 25) && to != hospital->index)
        (void)clinic_direct(hospital, &world->hospitals[to], mode);
    else
        (void)clinic_ask(hospital, mode, 1 + prng_below(&world->prng, 4));
}

void workload_act(struct world *world)
{
    struct hospital *hospital = &world->hospitals[prng_below(&world->prng, world->count)];
    uint32_t alive =
        world->case_count < WORKLOAD_CASES_ALIVE ? world->case_count : WORKLOAD_CASES_ALIVE;
    if (!hospital->is_running || hospital->is_puppet)
        return;
    if (alive == 0 || prng_of(&world->prng, 8)) {
        workload_ask(hospital);
        return;
    }
    if (prng_of(&world->prng, 5)) {
        (void)clinic_announce(hospital, (struct wall){hospital_wall(hospital).ms + 60 * DAY_MS});
        return;
    }
    uint32_t number = world->case_count - 1 - (uint32_t)prng_below(&world->prng, alive);
    const struct consult *consult = hospital_case(hospital, &world->cases[number].id);
    bool is_part = consult != NULL && consult_participant_of(consult, &hospital->node) != NULL;
    if (consult != NULL && world->cases[number].requester == hospital->index)
        workload_lead(hospital, number, consult);
    else if (is_part && consult->mode != ANNOUNCEMENT_MODE_NONE)
        workload_take_part(hospital, number, consult);
    else if (world->cases[number].requester != hospital->index)
        (void)clinic_join(hospital, number);
}
