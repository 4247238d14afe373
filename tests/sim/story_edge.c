/* Stories of what comes at the wrong moment: late, twice, between two others, or never. */
#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "protocol/record/statement.h"
#include "protocol/state/streams.h"
#include "tests/sim/clinic.h"
#include "tests/sim/forge.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/society.h"
#include "tests/sim/story.h"

static struct wall story_in(const struct hospital *hospital, uint64_t ms)
{
    return (struct wall){hospital_wall(hospital).ms + ms};
}

static const struct consult *story_seen(const struct hospital *hospital, uint32_t number)
{
    const struct consult *consult = hospital_case(hospital, &hospital->world->cases[number].id);
    if (consult == NULL)
        world_fail(hospital->world, "the case is not known", hospital->name);
    return consult;
}

static struct outcome story_say(struct hospital *hospital, uint32_t number, uint16_t kind,
                                const void *content)
{
    enum audience audience = kind == KIND_ERASE ? AUDIENCE_CLEAR : AUDIENCE_SCOPE;
    struct saying saying = {clinic_case(hospital->world, number), audience, kind, content, {0}};
    return story_done(hospital->world, clinic_say(hospital, &saying));
}

static struct outcome workflow_erase(struct hospital *hospital, uint32_t number)
{
    struct case_record_erase erase = {.opening = story_seen(hospital, number)->opening,
                                      .requester = hospital->node};
    return story_say(hospital, number, KIND_ERASE, &erase);
}

static void story_counts_not(struct world *world, size_t count)
{
    if (count > 0)
        world_fail(world, "the word of a clinician without a certificate counts", "");
}

/* A JOIN and an opinion come before the certificate of who signed them: they wait for it. */
void story_late_certificate(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct cert_id known = basel->cert_id;
    uint8_t seed[32] = {7, 7};
    crypto_sign_seed_keypair(basel->clinician_key.bytes, basel->clinician_secret, seed);
    clinic_certify(basel); /* only to know its cert_id: the post goes nowhere */
    hospital_crash(basel);
    hospital_boot(basel);
    WORLD_CHECK(world, !ID_EQUAL(known, basel->cert_id));
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 5 * SECOND_MS);
    (void)story_done(world, clinic_join(basel, number));
    world_run(world, 20 * SECOND_MS);
    story_counts_not(world, story_seen(aarau, number)->participant_count);
    clinic_certify(basel);
    world_run(world, 20 * SECOND_MS);
    WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 1);
    crypto_sign_seed_keypair(basel->clinician_key.bytes, basel->clinician_secret,
                             (uint8_t[32]){8, 8});
    clinic_certify(basel);
    hospital_crash(basel);
    hospital_boot(basel);
    world_run(world, 5 * SECOND_MS);
    (void)story_done(world, clinic_opine(basel, number, ANNOUNCEMENT_OPEN));
    world_run(world, 20 * SECOND_MS);
    story_counts_not(world, story_seen(aarau, number)->taken_count);
    clinic_certify(basel);
    world_run(world, 20 * SECOND_MS);
    WORLD_CHECK(world, story_seen(aarau, number)->taken_count == 1);
    story_settle(world, MINUTE_MS);
}

/* The case is erased while participants write in it: each receipt comes all the same, once. */
void story_erase_while_writing(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0];
    for (int i = 0; i < 12; i++) {
        uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 3);
        world_run(world, 2 * SECOND_MS);
        for (uint32_t j = 1; j < 4; j++)
            (void)story_done(world, clinic_join(&world->hospitals[j], number));
        world_run(world, 20 * SECOND_MS);
        WORLD_CHECK(world, story_seen(aarau, number)->participant_count == 3);
        (void)workflow_erase(aarau, number);
        for (int k = 0; k < 12; k++) {
            for (uint32_t j = 1; j < 4; j++)
                (void)clinic_post(&world->hospitals[j], number);
            world_run(world, prng_below(&world->prng, 12));
        }
        world_run(world, 40 * SECOND_MS);
        struct consult_view view = consult_view(story_seen(aarau, number), hospital_wall(aarau));
        WORLD_CHECK(world, view.erased_count == 3 && view.silent_count == 0);
    }
    story_settle(world, MINUTE_MS);
}

/* A participant ends after the row that remembers the case, and before anything is destroyed: its
 * next start goes on, and the requester has its receipt. */
void story_erase_cut_short(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    for (uint32_t i = 1; i < 3; i++)
        (void)story_done(world, clinic_join(&world->hospitals[i], number));
    world_run(world, 20 * SECOND_MS);
    (void)workflow_erase(aarau, number);
    struct scope scope = clinic_case(world, number);
    const struct disk_case *row = disk_case(&basel->disk, &scope);
    for (int i = 0; i < 10000 && !row->is_remembered; i++) {
        world_run(world, 1);
        row = disk_case(&basel->disk, &scope);
    }
    WORLD_CHECK(world, row->is_remembered); /* with most seeds nothing is destroyed yet */
    hospital_crash(basel);
    hospital_boot(basel);
    world_run(world, 40 * SECOND_MS);
    WORLD_CHECK(world, disk_case(&basel->disk, &scope)->is_buried);
    struct consult_view view = consult_view(story_seen(aarau, number), hospital_wall(aarau));
    WORLD_CHECK(world, view.erased_count == 2 && view.silent_count == 0);
    story_settle(world, MINUTE_MS);
}

/* A record of a case names an expiry: the state of the case follows from the requester's stream
 * alone, so one who comes later sees what the others saw. */
void story_case_has_no_expiry(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct hospital *chur = &world->hospitals[2];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    (void)story_done(world, clinic_join(basel, number));
    (void)story_done(world, clinic_join(chur, number));
    world_run(world, 20 * SECOND_MS);
    hospital_crash(chur);
    struct case_record_extend extend = {.deadline = story_in(aarau, 60 * DAY_MS)};
    struct saying saying = {clinic_case(world, number), AUDIENCE_SCOPE, KIND_EXTEND, &extend,
                            story_in(aarau, HOUR_MS)};
    (void)story_done(world, clinic_say(aarau, &saying));
    world_pace(world, 20 * SECOND_MS);
    world_run(world, 2 * HOUR_MS);
    world_pace(world, SECOND_MS);
    hospital_boot(chur);
    story_settle(world, 2 * MINUTE_MS);
    WORLD_CHECK(world, story_seen(chur, number)->deadline.ms == extend.deadline.ms);
}

/* Our clock was wrong, and is set right while all stay connected: posting goes on by itself. */
void story_clock_set_right(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0];
    aarau->skew_ms = (int64_t)HOUR_MS;
    line_cut_hospital(aarau);
    world_run(world, 5 * SECOND_MS);
    uint64_t token = clinic_announce(aarau, story_in(aarau, DAY_MS));
    world_run(world, SECOND_MS);
    WORLD_CHECK(world, world->outcomes[token].verdict == ERR_FUTURE);
    aarau->skew_ms = 0;
    world_run(world, 70 * SECOND_MS);
    (void)story_done(world, clinic_announce(aarau, story_in(aarau, DAY_MS)));
    story_settle(world, MINUTE_MS);
}

static uint64_t story_had;

static bool story_hear_acks(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    struct reader reader;
    struct frame_position position;
    uint16_t count;
    if (from != 4 || to != 0 || (frame.data[0] != FRAME_ACK && frame.data[0] != FRAME_STREAMS) ||
        frame_positions_open(frame, &reader, &count) != OK)
        return true;
    while (count-- > 0 && frame_position_read(&reader, &position) == OK) {
        if (position.stream.scope.kind == SCOPE_BOARD &&
            ID_EQUAL(position.stream.writer, world->hospitals[0].node))
            story_had = position.had > story_had ? position.had : story_had;
    }
    return true;
}

/* A member that came later never reads what is older than it, and counts as reached by what is
 * newer. */
void story_newcomer_is_reached(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *emmental = &world->hospitals[4];
    (void)story_done(world, clinic_announce(aarau, story_in(aarau, 60 * DAY_MS)));
    struct member member = society_newcomer(4, 2);
    society_change(world, &member);
    world_run(world, 2 * SECOND_MS);
    world->count = 5;
    hospital_init(world, 4);
    society_teach(emmental, 2);
    hospital_boot(emmental);
    world_pace(world, 20 * SECOND_MS);
    world_run(world, 73 * HOUR_MS);
    world_pace(world, SECOND_MS);
    story_had = 0;
    world->on_frame = story_hear_acks;
    struct outcome said = story_done(world, clinic_announce(aarau, story_in(aarau, DAY_MS)));
    world_run(world, 10 * SECOND_MS);
    WORLD_CHECK(world, story_had >= said.sequence);
    story_settle(world, MINUTE_MS);
}

/* A post that no record may be is refused, and its stream takes the next one. */
void story_wrong_audience(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0];
    static const uint8_t body[] = {0x01, 0xf0, 0, 0, 0, 0, 0, 1, 0x80};
    const struct posting wrong[] = {
        {scope_federation(), AUDIENCE_SCOPE, {body, sizeof body}, {0}},
        {clinic_board(world), AUDIENCE_REQUESTER, {body, sizeof body}, {0}},
    };
    for (int i = 0; i < 2; i++) {
        uint64_t token = hospital_post(aarau, &wrong[i]);
        world_run(world, SECOND_MS);
        WORLD_CHECK(world, world->outcomes[token].verdict != OK);
        WORLD_CHECK(world, world->outcomes[token].verdict != ERR_STATE);
    }
    (void)story_done(world, clinic_announce(aarau, story_in(aarau, DAY_MS)));
    clinic_certify(aarau);
    world_run(world, 5 * SECOND_MS);
    struct stream_id own = {scope_federation(), aarau->node, 1};
    WORLD_CHECK(world, disk_find(&aarau->disk, &own)->tail == 2);
    story_settle(world, MINUTE_MS);
}

/* While what the writer signed is being written, somebody else sends a forgery of what follows, and
 * a third the same again: nothing is written twice. */
void story_written_once(struct world *world)
{
    static struct forge good, bad;
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct scope board = clinic_board(world);
    struct stream_id stream = {board, aarau->node, 1};
    for (uint32_t i = 0; i < 4; i++)
        world->hospitals[i].is_puppet = i != 1;
    forge_begin(&good, aarau, &board);
    for (int i = 0; i < 60; i++) {
        forge_record(&good, bytes_of_text("a word"), false);
        bad = good;
        bad.frame = buffer_over(bad.frame_memory, sizeof bad.frame_memory);
        bad.count = 0;
        frame_records_begin(&bad.frame);
        forge_record(&bad, bytes_of_text("a lie"), true);
        forge_send(&good, basel, false);
        world_run(world, prng_below(&world->prng, 25));
        bad.writer = &world->hospitals[2];
        forge_send(&bad, basel, false);
        world_run(world, prng_below(&world->prng, 25));
        good.writer = &world->hospitals[3];
        forge_send(&good, basel, true);
        good.writer = aarau;
        world_run(world, 61 * MINUTE_MS); /* no longer watched (T-36) */
        WORLD_CHECK(world, disk_at(&basel->disk, &stream, (uint64_t)i + 1) != NULL);
    }
    oracle_promises(world);
}

/* The disk has room one moment and none the next while a long stream comes in: no gap is taken for
 * whole, and all of it is there in the end. */
void story_disk_flickers(struct world *world)
{
    static struct forge forge;
    static uint8_t plaintext[3000];
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct scope board = clinic_board(world);
    struct stream_id stream = {board, aarau->node, 1};
    aarau->is_puppet = true;
    forge_begin(&forge, aarau, &board);
    for (int i = 0; i < 400; i++) {
        forge_record(&forge, (struct bytes){plaintext, sizeof plaintext}, false);
        if (i % 5 == 4) {
            forge_send(&forge, &world->hospitals[2], false);
            forge_send(&forge, basel, true);
        }
        basel->disk.is_full = prng_of(&world->prng, 30);
        world_run(world, prng_below(&world->prng, 4));
    }
    basel->disk.is_full = false;
    story_settle(world, 3 * MINUTE_MS);
    /* a puppet's stream is not among what settles; where both ends stand is read only afterwards,
     * for the stream may not be there yet, and moves as others come */
    world_run(world, 3 * MINUTE_MS);
    const struct disk_stream *kept = disk_find(&basel->disk, &stream);
    const struct disk_stream *whole = disk_find(&world->hospitals[2].disk, &stream);
    WORLD_CHECK(world, kept != NULL && whole != NULL && whole->tail == 400);
    WORLD_CHECK(world, kept->tail == 400);
}
