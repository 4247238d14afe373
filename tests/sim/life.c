#include "tests/sim/life.h"

#include "protocol/consult/caserecord.h"
#include "protocol/consult/consult.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"

enum { LIFE_CASES_ALIVE = 8, LIFE_CASES_MAX = 100 };

static void life_say(struct hospital *hospital, uint32_t number, uint16_t kind, const void *content)
{
    struct saying saying = {.scope = clinic_case(hospital->world, number),
                            .audience = kind == KIND_ERASE ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                            .kind = kind,
                            .content = content};
    (void)clinic_say(hospital, &saying);
}

/* A record that was taken in; zeros when none was. */
static struct record_id life_taken(struct world *world, const struct consult *consult)
{
    struct record_id none = {{0}};
    if (consult->taken_count == 0)
        return none;
    return consult->taken[chance_below(&world->chance, consult->taken_count)].record_id;
}

/* ---- the requester ---- */

static void life_reveal(struct hospital *hospital, uint32_t number, const struct consult *consult)
{
    struct caserecord_reveal reveal = {.record_count = 0};
    for (size_t i = 0; i < consult->taken_count && reveal.record_count < 4; i++) {
        if (chance_of(&hospital->world->chance, 70))
            reveal.records[reveal.record_count++] = consult->taken[i].record_id;
    }
    if (reveal.record_count > 0)
        life_say(hospital, number, KIND_REVEAL, &reveal);
}

static void life_grant(struct hospital *hospital, uint32_t number)
{
    struct world *world = hospital->world;
    uint32_t to = (uint32_t)chance_below(&world->chance, world->count);
    struct caserecord_grant grant = {.participant = world->hospitals[to].node};
    if (to != hospital->index)
        life_say(hospital, number, KIND_GRANT, &grant);
}

static void life_grant_end(struct hospital *hospital, uint32_t number,
                           const struct consult *consult)
{
    struct world *world = hospital->world;
    if (consult->participant_count == 0)
        return;
    size_t which = chance_below(&world->chance, consult->participant_count);
    struct caserecord_grant_end end = {.participant = consult->participants[which].node};
    life_say(hospital, number, KIND_GRANT_END, &end);
}

static void life_decide(struct hospital *hospital, uint32_t number, const struct consult *consult)
{
    struct world *world = hospital->world;
    struct caserecord_synthesis synthesis = {.text = bytes_of_text("In short.")};
    struct caserecord_close closing = {.note = BYTES_NONE};
    struct caserecord_withdraw withdrawal = {.note = BYTES_NONE};
    struct caserecord_outcome outcome = {
        .day = 21, .followed = CASERECORD_FOLLOWED, .result = CASERECORD_IMPROVED};
    struct caserecord_extend extend = {
        .deadline = {hospital_wall(hospital).ms + chance_below(&world->chance, 50 * DAY_MS)},
        .wanted_count = chance_below(&world->chance, 4)};
    struct caserecord_erase erase = {.opening = consult->opening, .requester = hospital->node};
    switch (chance_below(&world->chance, 8)) {
    case 0:
    case 1:
        life_say(hospital, number, KIND_SYNTHESIS, &synthesis);
        break;
    case 2:
        life_say(hospital, number, KIND_CLOSE, &closing);
        break;
    case 3:
        life_say(hospital, number, KIND_OUTCOME, &outcome);
        break;
    case 4:
    case 5:
        life_say(hospital, number, KIND_EXTEND, &extend);
        break;
    case 6:
        life_say(hospital, number, KIND_WITHDRAW, &withdrawal);
        break;
    default:
        life_say(hospital, number, KIND_ERASE, &erase);
        break;
    }
}

static void life_lead(struct hospital *hospital, uint32_t number, const struct consult *consult)
{
    switch (chance_below(&hospital->world->chance, 8)) {
    case 0:
    case 1:
        (void)clinic_post(hospital, number);
        break;
    case 2:
    case 3:
        life_reveal(hospital, number, consult);
        break;
    case 4:
        life_grant(hospital, number);
        break;
    case 5:
        life_grant_end(hospital, number, consult);
        break;
    default:
        life_decide(hospital, number, consult);
        break;
    }
}

/* ---- a participant ---- */

static void life_take_part(struct hospital *hospital, uint32_t number,
                           const struct consult *consult)
{
    struct world *world = hospital->world;
    struct caserecord_ask ask = {.item_count = 1,
                                 .items = {{CASERECORD_WANT_TEST, bytes_of_text("Blood count")}}};
    struct caserecord_decline decline = {.reason = CASERECORD_NOT_MY_FIELD};
    struct caserecord_release release = {life_taken(world, consult)};
    struct caserecord_flag flag = {.record_id = life_taken(world, consult),
                                   .reason = CASERECORD_IDENTIFYING};
    switch (chance_below(&world->chance, 8)) {
    case 0:
    case 1:
    case 2:
        (void)clinic_opine(hospital, number, consult->mode);
        break;
    case 3:
        life_say(hospital, number, KIND_ASK, &ask);
        break;
    case 4:
        life_say(hospital, number, KIND_DECLINE, &decline);
        break;
    case 5:
        if (!ID_IS_ZERO(release.record_id))
            life_say(hospital, number, KIND_RELEASE, &release);
        break;
    case 6:
        if (!ID_IS_ZERO(flag.record_id))
            life_say(hospital, number, KIND_FLAG, &flag);
        break;
    default:
        (void)clinic_post(hospital, number);
        break;
    }
}

/* ---- anybody ---- */

static void life_ask(struct hospital *hospital)
{
    struct world *world = hospital->world;
    enum announcement_mode mode =
        chance_of(&world->chance, 50) ? ANNOUNCEMENT_OPEN : ANNOUNCEMENT_INDEPENDENT_FIRST;
    uint32_t to = (uint32_t)chance_below(&world->chance, world->count);
    if (world->case_count >= LIFE_CASES_MAX)
        return;
    if (chance_of(&world->chance, 25) && to != hospital->index)
        (void)clinic_direct(hospital, &world->hospitals[to], mode);
    else
        (void)clinic_ask(hospital, mode, 1 + chance_below(&world->chance, 4));
}

void life_act(struct world *world)
{
    struct hospital *hospital = &world->hospitals[chance_below(&world->chance, world->count)];
    uint32_t alive = world->case_count < LIFE_CASES_ALIVE ? world->case_count : LIFE_CASES_ALIVE;
    if (!hospital->is_running || hospital->is_puppet)
        return;
    if (alive == 0 || chance_of(&world->chance, 8)) {
        life_ask(hospital);
        return;
    }
    if (chance_of(&world->chance, 5)) {
        (void)clinic_announce(hospital, (struct wall){hospital_wall(hospital).ms + 60 * DAY_MS});
        return;
    }
    uint32_t number = world->case_count - 1 - (uint32_t)chance_below(&world->chance, alive);
    const struct consult *consult = hospital_case(hospital, &world->cases[number].id);
    bool is_part = consult != NULL && consult_participant_of(consult, &hospital->node) != NULL;
    if (consult != NULL && world->cases[number].requester == hospital->index)
        life_lead(hospital, number, consult);
    else if (is_part && consult->mode != ANNOUNCEMENT_MODE_NONE)
        life_take_part(hospital, number, consult);
    else if (world->cases[number].requester != hospital->index)
        (void)clinic_join(hospital, number);
}
