/* Stories of many cases: far more than are awake at once. */
#include "protocol/contents/case_record.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"
#include "tests/sim/story.h"

enum { CASES_COUNT = 40, CASES_AWAKE = 6, CASES_HOSPITALS = 3, CASES_ROUNDS = 120 };

static void cases_say(struct hospital *hospital, uint32_t number, uint16_t kind,
                      const void *content)
{
    enum audience audience = kind == KIND_ERASE ? AUDIENCE_CLEAR : AUDIENCE_SCOPE;
    struct saying saying = {clinic_case(hospital->world, number), audience, kind, content, {0}};
    (void)clinic_say(hospital, &saying);
}

/* Whoever has a part says something in a case, perhaps long after it was spoken of last. */
static void cases_word(struct world *world, uint32_t number)
{
    struct hospital *requester = &world->hospitals[world->cases[number].requester];
    struct hospital *other = &world->hospitals[prng_below(&world->prng, CASES_HOSPITALS)];
    const struct consult *consult =
        requester->is_running ? hospital_case(requester, &world->cases[number].id) : NULL;
    struct case_record_close closing = {.note = BYTES_NONE};
    if (consult == NULL || consult->state == CASE_ERASED)
        return;
    struct case_record_erase erase = {.opening = consult->opening, .requester = requester->node};
    uint64_t what = prng_below(&world->prng, 10);
    if (what == 0)
        cases_say(requester, number, KIND_ERASE, &erase);
    else if (what < 3)
        cases_say(requester, number, KIND_CLOSE, &closing);
    else if (what < 5)
        (void)clinic_post(requester, number);
    else if (other->is_running && consult_participant_of(consult, &other->node) == NULL)
        (void)clinic_join(other, number);
    else if (other->is_running)
        (void)clinic_opine(other, number, consult->mode);
}

static void cases_fault(struct world *world)
{
    struct hospital *hospital = &world->hospitals[prng_below(&world->prng, CASES_HOSPITALS)];
    if (!hospital->is_running)
        hospital_boot(hospital);
    else if (prng_of(&world->prng, 50))
        hospital_crash(hospital);
    else
        hospital->disk.is_full = !hospital->disk.is_full;
}

static void cases_heal(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++) {
        world->hospitals[i].disk.is_full = false;
        if (!world->hospitals[i].is_running)
            hospital_boot(&world->hospitals[i]);
    }
}

/* Forty cases, where six have a place in memory: what is said of any comes to all who have a part
 * in it, over crashes and full disks, and a start finds them as they were. */
void story_many_cases(struct world *world)
{
    struct engine_status status;
    world->cases_awake = CASES_AWAKE;
    world_begin(world, CASES_HOSPITALS);
    for (uint32_t i = 0; i < CASES_COUNT; i++) {
        (void)clinic_ask(&world->hospitals[i % CASES_HOSPITALS], ANNOUNCEMENT_OPEN, 2);
        world_run(world, SECOND_MS);
        (void)clinic_join(&world->hospitals[(i + 1) % CASES_HOSPITALS], i);
        world_run(world, SECOND_MS);
    }
    story_settle(world, 5 * MINUTE_MS);
    for (int i = 0; i < CASES_ROUNDS; i++) {
        cases_word(world, (uint32_t)prng_below(&world->prng, CASES_COUNT));
        if (prng_of(&world->prng, 20))
            cases_fault(world);
        world_run(world, prng_below(&world->prng, 4 * SECOND_MS));
    }
    cases_heal(world);
    story_settle(world, 10 * MINUTE_MS);
    for (uint32_t i = 0; i < world->count; i++) {
        engine_status(world->hospitals[i].engine, &status);
        WORLD_CHECK(world, status.case_count >= 2 * (CASES_COUNT / CASES_HOSPITALS));
        WORLD_CHECK(world, status.awake_count <= CASES_AWAKE);
        hospital_crash(&world->hospitals[i]);
        hospital_boot(&world->hospitals[i]);
    }
    story_settle(world, 10 * MINUTE_MS);
}
