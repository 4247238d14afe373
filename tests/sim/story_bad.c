/* Stories of bad members, bad bytes and bad clocks: honest hospitals come together all the same. */
#include <string.h>

#include "protocol/record/statement.h"
#include "protocol/state/streams.h"
#include "tests/sim/clinic.h"
#include "tests/sim/forge.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/story.h"

static struct wall story_in(const struct hospital *hospital, uint64_t ms)
{
    return (struct wall){hospital_wall(hospital).ms + ms};
}

/* Two peers whose clocks differ from ours: perhaps ours is wrong, so posting waits. */
void story_skewed_clocks(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0];
    world->hospitals[1].skew_ms = world->hospitals[2].skew_ms = (int64_t)HOUR_MS;
    line_cut_hospital(aarau);
    world_run(world, 5 * SECOND_MS);
    uint64_t token = clinic_announce(aarau, story_in(aarau, DAY_MS));
    world_run(world, SECOND_MS);
    WORLD_CHECK(world, world->outcomes[token].verdict == ERR_FUTURE);
    world->hospitals[1].skew_ms = world->hospitals[2].skew_ms = 0;
    line_cut_hospital(aarau);
    world_run(world, 5 * SECOND_MS);
    (void)story_done(world, clinic_announce(aarau, story_in(aarau, DAY_MS)));
    story_settle(world, MINUTE_MS);
}

/* An expired record keeps its position, without its body, and the stream goes on. */
void story_expired_record(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *chur = &world->hospitals[2];
    hospital_crash(chur);
    struct outcome past = story_done(world, clinic_announce(aarau, story_in(aarau, HOUR_MS)));
    struct outcome now = story_done(world, clinic_announce(aarau, story_in(aarau, 9 * DAY_MS)));
    world_pace(world, 20 * SECOND_MS);
    world_run(world, DAY_MS);
    world_pace(world, SECOND_MS);
    hospital_boot(chur);
    story_settle(world, MINUTE_MS);
    struct stream_id stream = {clinic_board(world), aarau->node, 1};
    const struct disk_record *record = disk_at(&chur->disk, &stream, past.sequence);
    WORLD_CHECK(world, record != NULL && (record->flags & RECORD_EXPIRED) != 0);
    WORLD_CHECK(world, disk_at(&chur->disk, &stream, now.sequence)->has_key);
}

/* A record's own signature is bad, the one above it good: it comes with its run, also to those who
 * get it from another, in whatever pieces. */
void story_bad_signature_in_a_run(struct world *world)
{
    static struct forge forge;
    static uint8_t plaintext[4000];
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct scope board = clinic_board(world);
    hospital_crash(&world->hospitals[2]);
    world_run(world, SECOND_MS);
    aarau->is_puppet = true;
    forge_begin(&forge, aarau, &board);
    for (int i = 1; i <= 20; i++) {
        forge_record(&forge, (struct bytes){plaintext, sizeof plaintext}, i >= 11 && i <= 16);
        if (i == 10 || i == 20)
            forge_send(&forge, basel, true);
    }
    world_run(world, 5 * SECOND_MS);
    hospital_crash(aarau);
    hospital_boot(&world->hospitals[2]);
    world->hospitals[2].wants_sent = 0;
    aarau->is_puppet = false; /* it is only there to be compared with */
    hospital_boot(aarau);
    line_cut(aarau, &world->hospitals[2]);
    story_settle(world, 2 * MINUTE_MS);
    struct stream_id stream = {board, aarau->node, 1};
    WORLD_CHECK(world, disk_at(&world->hospitals[2].disk, &stream, 20) != NULL);
    WORLD_CHECK(world, world->hospitals[2].wants_sent < 20);
    struct engine_forger forger; /* who passed it on is not to blame */
    WORLD_CHECK(world, !engine_forger(world->hospitals[2].engine, 0, &forger));
}

static struct engine_forger story_forger(const struct hospital *hospital)
{
    struct engine_forger forger = {.count = 0};
    (void)engine_forger(hospital->engine, 0, &forger);
    return forger;
}

/* A member sends forged signatures again and again, for streams of its own and of others. It is
 * named, and its link is cut; what the others say to each other arrives as before (T-36). */
void story_persistent_forger(struct world *world)
{
    static struct forge forge;
    enum { MOST = 4 * FORGERY_COUNT_MAX };
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1],
                    *chur = &world->hospitals[2];
    struct scope board = clinic_board(world);
    aarau->is_puppet = true;
    world_run(world, MINUTE_MS);
    bool is_cut = false;
    for (int i = 0; i < MOST && !is_cut; i++) {
        forge_begin(&forge, aarau, &board);
        forge.header.stream.writer = i % 2 == 0 ? aarau->node : world->hospitals[3].node;
        forge_record(&forge, bytes_of_text("a lie"), true);
        forge_send(&forge, basel, true);
        world_run(world, 40 * SECOND_MS);
        is_cut = story_forger(basel).cut_count > 0;
    }
    WORLD_CHECK(world, is_cut);
    WORLD_CHECK(world, ID_EQUAL(story_forger(basel).node, aarau->node));
    WORLD_CHECK(world, story_forger(basel).count == FORGERY_COUNT_MAX);
    WORLD_CHECK(world, story_forger(basel).refused_ms > 0);
    WORLD_CHECK(world, story_forger(chur).count == 0);
    struct outcome said = story_done(world, clinic_announce(chur, story_in(chur, DAY_MS)));
    struct stream_id stream = {board, chur->node, 1};
    world_run(world, 5 * SECOND_MS);
    WORLD_CHECK(world, disk_at(&basel->disk, &stream, said.sequence) != NULL);
    world_run(world, 2 * MINUTE_MS); /* it is let in again, and is honest from now on */
    aarau->is_puppet = false;
    story_settle(world, 5 * MINUTE_MS);
    WORLD_CHECK(world, story_forger(basel).refused_ms == 0);
}

static bool story_spoil(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    static uint8_t copy[FRAME_SIZE_MAX];
    if (frame.data[0] != FRAME_RECORDS || to != 4 || from > 2)
        return true;
    memcpy(copy, frame.data, frame.size);
    copy[frame.size - 1] ^= 1;      /* a body */
    copy[3 + 1 + from % 2] ^= 0x10; /* or a key */
    (void)line_forge(&world->hospitals[from], &world->hospitals[to],
                     (struct bytes){copy, frame.size});
    return false;
}

/* Three of four peers hand out spoiled bodies and keys: what fits comes from the fourth. */
void story_bad_peer(struct world *world)
{
    world_begin(world, 5);
    struct hospital *aarau = &world->hospitals[0], *emmental = &world->hospitals[4];
    hospital_crash(emmental);
    for (int i = 0; i < 3; i++)
        (void)story_done(world, clinic_announce(aarau, story_in(aarau, 9 * DAY_MS)));
    world->on_frame = story_spoil;
    hospital_boot(emmental);
    story_settle(world, 10 * MINUTE_MS);
}

static bool story_is_forked(const struct hospital *hospital, const struct stream_id *stream)
{
    struct engine_status status;
    (void)stream;
    engine_status(hospital->engine, &status);
    return status.forked_count == 1;
}

/* A writer signs two records for one position and shows each to another: both find out, all learn
 * it, and take nothing more of it, on this board or elsewhere. */
void story_equivocation(struct world *world)
{
    static struct forge one, other;
    world_begin(world, 5);
    struct hospital *aarau = &world->hospitals[0];
    struct scope board = clinic_board(world);
    struct stream_id stream = {board, aarau->node, 1};
    aarau->is_puppet = true;
    forge_begin(&one, aarau, &board);
    forge_begin(&other, aarau, &board);
    forge_record(&one, bytes_of_text("a"), false);
    forge_record(&other, bytes_of_text("b"), false);
    forge_send(&one, &world->hospitals[1], true);
    forge_send(&other, &world->hospitals[2], true);
    world_run(world, 3 * MINUTE_MS);
    for (uint32_t i = 1; i < 5; i++)
        WORLD_CHECK(world, story_is_forked(&world->hospitals[i], &stream));
    forge_record(&one, bytes_of_text("more"), false);
    forge_send(&one, &world->hospitals[1], true);
    world_run(world, 10 * SECOND_MS);
    WORLD_CHECK(world, disk_at(&world->hospitals[1].disk, &stream, 2) == NULL);
    hospital_crash(&world->hospitals[3]);
    hospital_boot(&world->hospitals[3]);
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world, story_is_forked(&world->hospitals[3], &stream));
    struct scope federation = scope_federation();
    struct stream_id news = {federation, aarau->node, 1};
    const struct disk_stream *told = disk_find(&world->hospitals[1].disk, &news);
    uint64_t tail = told == NULL ? 0 : told->tail;
    forge_begin(&one, aarau, &federation);
    one.header.audience = AUDIENCE_CLEAR;
    one.header.sequence = tail + 1;
    if (told != NULL)
        one.header.previous = told->tail_id;
    forge_record(&one, bytes_of_text("elsewhere"), false);
    for (uint32_t i = 1; i < 5; i++)
        forge_send(&one, &world->hospitals[i], i == 4);
    world_run(world, MINUTE_MS);
    for (uint32_t i = 1; i < 5; i++)
        WORLD_CHECK(world, disk_at(&world->hospitals[i].disk, &news, tail + 1) == NULL);
    for (uint32_t i = 1; i < 5; i++) {
        struct hospital *writer = &world->hospitals[i];
        (void)story_done(world, clinic_announce(writer, story_in(writer, DAY_MS)));
    }
    story_settle(world, MINUTE_MS);
}

/* The two records come to one hospital alone, by mail, and it ends at any moment of what follows.
 * All learn of the fork by its proof, of a stream that is not theirs, and show it after a restart
 * too. */
void story_single_witness(struct world *world)
{
    static struct forge one, other;
    world_begin(world, 5);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct scope mail = scope_mail(&basel->node);
    struct stream_id stream = {mail, aarau->node, 1};
    aarau->is_puppet = true;
    forge_begin(&one, aarau, &mail);
    forge_begin(&other, aarau, &mail);
    forge_record(&one, bytes_of_text("a"), false);
    forge_record(&other, bytes_of_text("b"), false);
    forge_send(&one, basel, true);
    world_run(world, 5 * SECOND_MS);
    forge_send(&other, basel, false);
    world_run(world, 1 + prng_below(&world->prng, 100));
    hospital_crash(basel);
    hospital_boot(basel);
    aarau->is_puppet = false; /* it greets Basel */
    line_cut(aarau, basel);
    world_run(world, 30 * SECOND_MS);
    aarau->is_puppet = true;
    forge_send(&other, basel, true); /* where nothing of it was durable, it is found now */
    world_run(world, 2 * MINUTE_MS);
    for (uint32_t i = 1; i < 5; i++)
        WORLD_CHECK(world, story_is_forked(&world->hospitals[i], &stream));
    for (uint32_t i = 1; i < 5; i++) {
        hospital_crash(&world->hospitals[i]);
        hospital_boot(&world->hospitals[i]);
    }
    world_run(world, MINUTE_MS);
    for (uint32_t i = 1; i < 5; i++)
        WORLD_CHECK(world, story_is_forked(&world->hospitals[i], &stream));
    for (uint32_t i = 1; i < 5; i++) {
        struct hospital *writer = &world->hospitals[i];
        (void)story_done(world, clinic_announce(writer, story_in(writer, DAY_MS)));
    }
    story_settle(world, MINUTE_MS);
}

/* The disk is full: refused, nothing lost; when there is room again it goes on by itself. */
void story_disk_full(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    basel->disk.is_full = true;
    for (int i = 0; i < 5; i++)
        (void)story_done(world, clinic_announce(aarau, story_in(aarau, DAY_MS)));
    uint64_t token = clinic_announce(basel, story_in(basel, DAY_MS));
    world_run(world, 2 * MINUTE_MS);
    WORLD_CHECK(world, world->outcomes[token].verdict == ERR_FULL);
    WORLD_CHECK(world, basel->wants_sent < 200);
    basel->disk.is_full = false;
    story_settle(world, 2 * MINUTE_MS);
    (void)story_done(world, clinic_announce(basel, story_in(basel, DAY_MS)));
    story_settle(world, MINUTE_MS);
}

static uint64_t story_keys;

static bool story_count_keys(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    struct reader reader;
    struct frame_record record;
    uint16_t count;
    (void)world, (void)from, (void)to;
    if (frame.data[0] != FRAME_RECORDS || frame_records_open(frame, &reader, &count) != OK)
        return true;
    while (count-- > 0 && frame_record_read(&reader, &record) == OK)
        story_keys += record.has_key ? 1 : 0;
    return true;
}

/* After a start no key leaves before the head was compared with two members; from then on one
 * peer is enough. */
void story_compare_first(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *chur = &world->hospitals[2];
    for (uint32_t i = 0; i < 4; i++)
        hospital_crash(&world->hospitals[i]);
    world->on_frame = story_count_keys;
    story_keys = 0;
    hospital_boot(aarau);
    hospital_boot(&world->hospitals[1]);
    world_run(world, SECOND_MS);
    (void)story_done(world, clinic_announce(aarau, story_in(aarau, DAY_MS)));
    world_run(world, 5 * MINUTE_MS);
    WORLD_CHECK(world, story_keys == 0);
    hospital_boot(chur);
    story_settle(world, 2 * MINUTE_MS);
    WORLD_CHECK(world, story_keys > 0);
    hospital_crash(chur);
    world_run(world, SECOND_MS);
    (void)story_done(world, clinic_announce(aarau, story_in(aarau, DAY_MS)));
    story_settle(world, MINUTE_MS);
}
