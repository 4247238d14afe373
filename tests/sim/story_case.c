/* Stories of cases: from the question to the outcome and its erasure. */
#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "tests/sim/clinic.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/story.h"

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

/* A question goes all its way: announced, joined, granted by policy, answered unseen by the other,
 * revealed, summed up, closed, followed up, erased with receipts. */
void story_consult(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct hospital *chur = &world->hospitals[2];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_INDEPENDENT_FIRST, 2);
    world_run(world, 2 * SECOND_MS);
    story_done(world, clinic_join(basel, number));
    story_done(world, clinic_join(chur, number));
    world_run(world, 20 * SECOND_MS);
    WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 2);
    WORLD_CHECK(world, story_seen(basel, number)->participant_count == 2);
    struct outcome first =
        story_done(world, clinic_opine(basel, number, ANNOUNCEMENT_INDEPENDENT_FIRST));
    story_done(world, clinic_opine(chur, number, ANNOUNCEMENT_INDEPENDENT_FIRST));
    struct stream_id opinion = {clinic_case(world, number), basel->node, 1};
    world_run(world, 40 * SECOND_MS);
    WORLD_CHECK(world, story_seen(aarau, number)->taken_count == 2);
    WORLD_CHECK(world, story_has(aarau, &opinion, first.sequence));
    WORLD_CHECK(world, !story_has(chur, &opinion, first.sequence));
    struct case_record_reveal reveal = {.record_count = 2};
    for (int i = 0; i < 2; i++)
        reveal.records[i] = story_seen(aarau, number)->taken[i].record_id;
    story_say(aarau, number, KIND_REVEAL, &reveal);
    world_run(world, 5 * SECOND_MS);
    WORLD_CHECK(world, story_has(chur, &opinion, first.sequence));
    struct case_record_synthesis synthesis = {.text = bytes_of_text("In short.")};
    story_say(aarau, number, KIND_SYNTHESIS, &synthesis);
    struct case_record_close closing = {.note = BYTES_NONE};
    story_say(aarau, number, KIND_CLOSE, &closing);
    struct case_record_outcome after = {
        .day = 21, .followed = CASERECORD_FOLLOWED, .result = CASERECORD_IMPROVED};
    story_say(aarau, number, KIND_OUTCOME, &after);
    story_settle(world, MINUTE_MS);
    WORLD_CHECK(world, story_seen(chur, number)->state == CASE_FOLLOWED_UP);
    struct case_record_erase erase = {.opening = story_seen(aarau, number)->opening,
                                      .requester = aarau->node};
    story_say(aarau, number, KIND_ERASE, &erase);
    world_run(world, 10 * SECOND_MS);
    WORLD_CHECK(world, story_seen(chur, number)->state == CASE_ERASED);
    WORLD_CHECK(world, !story_has(chur, &opinion, first.sequence));
    struct consult_view view = consult_view(story_seen(aarau, number), hospital_wall(aarau));
    WORLD_CHECK(world, view.erased_count == 2 && view.silent_count == 0);
    story_settle(world, MINUTE_MS);
}

/* A kind that nobody knows yet stands in the case stream: it is passed on, and the case goes on,
 * here and elsewhere, also after a restart. */
void story_unknown_kind(struct world *world)
{
    static const uint8_t body[] = {0x03, 0xf0, 0, 0, 0, 0, 0, 1, 0x80};
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    struct posting posting = {clinic_case(world, number), AUDIENCE_SCOPE, {body, sizeof body}, {0}};
    (void)story_done(world, hospital_post(aarau, &posting));
    story_done(world, clinic_join(basel, number));
    world_run(world, 10 * SECOND_MS);
    WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 1);
    WORLD_CHECK(world, story_seen(basel, number)->participant_count == 1);
    hospital_crash(aarau);
    hospital_crash(basel);
    hospital_boot(aarau);
    hospital_boot(basel);
    story_settle(world, 2 * MINUTE_MS);
    WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 1);
    WORLD_CHECK(world, story_seen(basel, number)->participant_count == 1);
}

/* The requester dies when the JOIN is durable and its GRANT is not: afterwards there is one. */
void story_crash_before_grant(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    for (int i = 0; i < 20; i++) {
        uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
        world_run(world, 2 * SECOND_MS);
        struct outcome said = story_done(world, clinic_join(basel, number));
        struct stream_id mail = {scope_mail(&aarau->node), basel->node, 1};
        while (disk_at(&aarau->disk, &mail, said.sequence) == NULL)
            world_run(world, 1);
        world_run(world, prng_below(&world->prng, 30));
        hospital_crash(aarau);
        world_run(world, prng_below(&world->prng, 3000));
        hospital_boot(aarau);
        world_run(world, 5 * SECOND_MS);
        struct stream_id own = {clinic_case(world, number), aarau->node, 1};
        WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 1);
        WORLD_CHECK(world, disk_find(&aarau->disk, &own)->tail == 2);
    }
    story_settle(world, 2 * MINUTE_MS);
}

/* The disks have room one moment and none the next: what a node owes by itself is written all the
 * same, without a restart: grants, their notices, what is taken in, what the board is told,
 * receipts.
 */
void story_duties_refused(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0];
    for (int i = 0; i < 10; i++) {
        uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 3);
        world_run(world, 2 * SECOND_MS);
        aarau->disk.refuse_percent = 60;
        for (uint32_t j = 1; j < 4; j++)
            (void)story_done(world, clinic_join(&world->hospitals[j], number));
        world_run(world, 20 * SECOND_MS);
        aarau->disk.refuse_percent = 0;
        world_run(world, MINUTE_MS);
        WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 3);
        aarau->disk.refuse_percent = 60;
        for (uint32_t j = 1; j < 4; j++)
            (void)story_done(world, clinic_opine(&world->hospitals[j], number, ANNOUNCEMENT_OPEN));
        world_run(world, 20 * SECOND_MS);
        aarau->disk.refuse_percent = 0;
        world_run(world, MINUTE_MS);
        WORLD_CHECK(world, story_seen(aarau, number)->taken_count == 3);
        struct case_record_erase erase = {.opening = story_seen(aarau, number)->opening,
                                          .requester = aarau->node};
        for (uint32_t j = 1; j < 4; j++)
            world->hospitals[j].disk.refuse_percent = 60;
        story_say(aarau, number, KIND_ERASE, &erase);
        world_run(world, 20 * SECOND_MS);
        for (uint32_t j = 1; j < 4; j++)
            world->hospitals[j].disk.refuse_percent = 0;
        world_run(world, MINUTE_MS);
        struct consult_view view = consult_view(story_seen(aarau, number), hospital_wall(aarau));
        WORLD_CHECK(world, view.erased_count == 3 && view.silent_count == 0);
    }
    story_settle(world, MINUTE_MS);
}

/* Who is granted late gets a long stream in many frames: the opening comes first, the grant last,
 * and the link breaks between. */
void story_late_participant(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    for (int i = 0; i < 400; i++)
        (void)clinic_post(aarau, number);
    world_run(world, 2 * MINUTE_MS);
    (void)story_done(world, clinic_join(basel, number));
    for (int i = 0; i < 10; i++) {
        world_run(world, 100 + prng_below(&world->prng, 200));
        line_cut(aarau, basel);
    }
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world, story_seen(basel, number)->participant_count == 1);
    story_settle(world, MINUTE_MS);
}
