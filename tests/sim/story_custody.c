/* Stories of hospitals that are never on at the same moment, and of those who keep their mail. */
#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "tests/sim/clinic.h"
#include "tests/sim/held_mail.h"
#include "tests/sim/hospital.h"
#include "tests/sim/oracle.h"
#include "tests/sim/story.h"

enum { REQUESTER, RESPONDER };

static const struct consult *story_seen(struct hospital *hospital, uint32_t number)
{
    const struct consult *consult = hospital_case(hospital, &hospital->world->cases[number].id);
    if (consult == NULL)
        world_fail(hospital->world, "the case is not known", hospital->name);
    return consult;
}

static bool story_has(struct hospital *hospital, const struct stream_id *stream, uint64_t sequence)
{
    const struct disk_record *record = disk_at(&hospital->disk, stream, sequence);
    return record != NULL && record->has_key;
}

static void story_say(struct hospital *hospital, uint32_t number, uint16_t kind,
                      const void *content)
{
    enum audience audience = kind == KIND_ERASE ? AUDIENCE_CLEAR : AUDIENCE_SCOPE;
    struct saying saying = {clinic_case(hospital->world, number), audience, kind, content, {0}};
    (void)story_done(hospital->world, clinic_say(hospital, &saying));
}

static bool story_never_both(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    (void)frame;
    if (from <= RESPONDER && to <= RESPONDER)
        world_fail(world, "they were on together", "");
    return true;
}

/* One goes off before the other comes on, and stays on for a minute and a half. */
static void story_turn(struct hospital *off, struct hospital *on)
{
    struct world *world = off->world;
    world_run(world, 20 * SECOND_MS);
    hospital_crash(off);
    world_run(world, 5 * SECOND_MS);
    hospital_boot(on);
    world_run(world, 90 * SECOND_MS);
}

/* Two hospitals that are never on at the same moment, and two that are: a case is announced,
 * joined, granted, answered, revealed, summed up, closed, erased. */
void story_never_together(struct world *world)
{
    held_mail_allow(world);
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[REQUESTER], *basel = &world->hospitals[RESPONDER];
    struct hospital *chur = &world->hospitals[2];
    world_run(world, MINUTE_MS);
    hospital_crash(basel);
    world_run(world, 5 * SECOND_MS);
    world->on_frame = story_never_both;
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_INDEPENDENT_FIRST, 1);
    story_turn(aarau, basel);
    (void)story_done(world, clinic_join(basel, number));
    story_turn(basel, aarau);
    WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 1);
    story_turn(aarau, basel);
    WORLD_CHECK(world, story_seen(basel, number)->participant_count == 1);
    struct outcome said =
        story_done(world, clinic_opine(basel, number, ANNOUNCEMENT_INDEPENDENT_FIRST));
    struct stream_id opinion = {clinic_case(world, number), basel->node, 1};
    story_turn(basel, aarau);
    WORLD_CHECK(world, story_seen(aarau, number)->taken_count == 1);
    WORLD_CHECK(world, story_has(aarau, &opinion, said.sequence));
    struct case_record_reveal reveal = {.record_count = 1};
    reveal.records[0] = story_seen(aarau, number)->taken[0].record_id;
    story_say(aarau, number, KIND_REVEAL, &reveal);
    struct case_record_synthesis synthesis = {.text = bytes_of_text("In short.")};
    story_say(aarau, number, KIND_SYNTHESIS, &synthesis);
    struct case_record_close closing = {.note = BYTES_NONE};
    story_say(aarau, number, KIND_CLOSE, &closing);
    story_turn(aarau, basel);
    WORLD_CHECK(world, story_seen(basel, number)->state == CASE_CLOSED);
    story_turn(basel, aarau);
    WORLD_CHECK(world,
                held_mail_count(chur, basel) == 0); /* it was taken, or reported and withdrawn */
    struct case_record_erase erase = {.opening = story_seen(aarau, number)->opening,
                                      .requester = aarau->node};
    story_say(aarau, number, KIND_ERASE, &erase);
    story_turn(aarau, basel);
    WORLD_CHECK(world, story_seen(basel, number)->state == CASE_ERASED);
    WORLD_CHECK(world, !story_has(basel, &opinion, said.sequence));
    story_turn(basel, aarau);
    struct consult_view view = consult_view(story_seen(aarau, number), hospital_wall(aarau));
    WORLD_CHECK(world, view.erased_count == 1 && view.silent_count == 0);
    world->on_frame = NULL;
    hospital_boot(basel);
    story_settle(world, 2 * MINUTE_MS);
}

/* Does this envelope come from the custodian that keeps everything back? */
static bool story_keeps_back(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    bool is_lost = from == 2 && to <= RESPONDER && frame.data[0] == FRAME_CUSTODY_ENVELOPE;
    return !is_lost && story_never_both(world, from, to, frame);
}

/* One custodian dies with what it holds, one takes everything and gives nothing: the third is
 * enough. */
void story_custodians_fail(struct world *world)
{
    held_mail_allow(world);
    world_begin(world, 5);
    struct hospital *aarau = &world->hospitals[REQUESTER], *basel = &world->hospitals[RESPONDER];
    world_run(world, MINUTE_MS);
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 1);
    world_run(world, 10 * SECOND_MS);
    hospital_crash(aarau);
    world_run(world, 5 * SECOND_MS);
    world->on_frame = story_keeps_back;
    (void)story_done(world, clinic_join(basel, number));
    world_run(world, 20 * SECOND_MS);
    for (uint32_t i = 2; i < 5; i++)
        WORLD_CHECK(world, held_mail_count(&world->hospitals[i], aarau) == 1);
    hospital_crash(&world->hospitals[3]);
    hospital_crash(basel);
    world_run(world, 5 * SECOND_MS);
    hospital_boot(aarau);
    world_run(world, 5 * MINUTE_MS);
    WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 1);
    WORLD_CHECK(world, held_mail_count(&world->hospitals[4], aarau) == 0);
    world->on_frame = NULL;
    hospital_boot(basel);
    hospital_boot(&world->hospitals[3]);
    story_settle(world, 2 * MINUTE_MS);
}

/* What is left for who is off is withdrawn when the case is erased, also by a node that died and
 * started anew since it left it. */
void story_erased_at_custodians(struct world *world)
{
    held_mail_allow(world);
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[REQUESTER], *basel = &world->hospitals[RESPONDER];
    struct hospital *chur = &world->hospitals[2], *davos = &world->hospitals[3];
    world_run(world, MINUTE_MS);
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 1);
    world_run(world, 10 * SECOND_MS);
    (void)story_done(world, clinic_join(basel, number));
    world_run(world, 20 * SECOND_MS);
    hospital_crash(basel);
    world_run(world, 5 * SECOND_MS);
    for (int i = 0; i < 5; i++)
        (void)clinic_post(aarau, number);
    world_run(world, 20 * SECOND_MS);
    WORLD_CHECK(world, held_mail_count(chur, basel) == 5 && held_mail_count(davos, basel) == 5);
    hospital_crash(davos);
    hospital_boot(basel); /* has it all, and says so: Davos is not there to hear it */
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world, held_mail_count(chur, basel) == 0);
    hospital_crash(basel);
    for (int i = 0; i < 3; i++)
        (void)clinic_post(aarau, number);
    world_run(world, 20 * SECOND_MS);
    WORLD_CHECK(world, held_mail_sealed(chur, basel) == 3 && held_mail_sealed(davos, basel) == 5);
    struct case_record_erase erase = {.opening = story_seen(aarau, number)->opening,
                                      .requester = aarau->node};
    story_say(aarau, number, KIND_ERASE, &erase);
    world_run(world, 100); /* and dies before anybody was told */
    hospital_crash(aarau);
    world_run(world, 5 * SECOND_MS);
    hospital_boot(aarau);
    hospital_boot(davos);
    world_run(world, MINUTE_MS);
    for (struct hospital *keeper = chur; keeper <= davos; keeper++)
        WORLD_CHECK(world, held_mail_sealed(keeper, basel) <= 1); /* the ERASE, which is clear */
    hospital_boot(basel);
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world, story_seen(basel, number)->state == CASE_ERASED);
    story_settle(world, 2 * MINUTE_MS);
}
