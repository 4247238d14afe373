/* Stories of one promise each, for what chance leads to seldom: what would break it is done on
 * purpose, and the judge looks on. */
#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "tests/sim/clinic.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/forge.h"
#include "tests/sim/held_mail.h"
#include "tests/sim/hospital.h"
#include "tests/sim/line.h"
#include "tests/sim/oracle.h"
#include "tests/sim/society.h"
#include "tests/sim/story.h"

static struct outcome workflow_announce(struct hospital *hospital)
{
    struct wall expires = {hospital_wall(hospital).ms + 60 * DAY_MS};
    return story_done(hospital->world, clinic_announce(hospital, expires));
}

/* What a node says first at a link: its head, here one that no other has. */
static void story_tell_other_head(struct hospital *from, struct hospital *to)
{
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = from->config.federation,
                                .time = hospital_wall(from),
                                .epoch = from->epoch,
                                .head = {{0xba, 0xd}}};
    frame_hello_write(&frame, &hello);
    WORLD_CHECK(from->world, line_forge(from, to, buffer_bytes(&frame)));
}

/* A long word of a stream ends in a signature that is not its writer's: nothing of it is kept. */
void story_forged_run(struct world *world)
{
    static struct forge forge;
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct scope board = clinic_board(world);
    struct stream_id stream = {board, aarau->node, 1};
    aarau->is_puppet = true;
    forge_begin(&forge, aarau, &board);
    for (int i = 0; i < 5; i++)
        forge_record(&forge, bytes_of_text("a lie"), i == 4);
    forge_send(&forge, basel, true);
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world, disk_find(&basel->disk, &stream) == NULL);
}

enum { STORY_BURST_COUNT = 100 };

/* A writer says much at once, each record in a frame of its own: they are checked together, and
 * none is lost (T-29). */
void story_burst(struct world *world)
{
    static struct forge forge;
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct scope board = clinic_board(world);
    struct stream_id stream = {board, aarau->node, 1};
    aarau->is_puppet = true;
    forge_begin(&forge, aarau, &board);
    for (int i = 0; i < STORY_BURST_COUNT; i++) {
        forge_record(&forge, bytes_of_text("one of many"), false);
        forge_send(&forge, basel, true);
    }
    world_run(world, 5 * SECOND_MS);
    WORLD_CHECK(world, disk_at(&basel->disk, &stream, STORY_BURST_COUNT) != NULL);
    WORLD_CHECK(world, world->merged_count > 0);
}

/* The same bytes with another signature on their one record. */
static struct bytes story_spoil(struct bytes frame)
{
    static uint8_t memory[FRAME_SIZE_MAX];
    struct reader reader;
    struct frame_record record;
    uint16_t count;
    memcpy(memory, frame.data, frame.size);
    if (frame_records_open((struct bytes){memory, frame.size}, &reader, &count) == OK &&
        frame_record_read(&reader, &record) == OK)
        memory[record.record.data - memory + RECORD_HEADER_SIZE] ^= 1;
    return (struct bytes){memory, frame.size};
}

/* A member passes a writer's burst on and spoils signatures in it. Another got it from the writer,
 * checked as one: so it is taken in whole, and nowhere with a spoiled signature. */
void story_spoiled_burst(struct world *world)
{
    static struct forge forge;
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct hospital *chur = &world->hospitals[2], *dora = &world->hospitals[3];
    struct scope board = clinic_board(world);
    struct stream_id stream = {board, aarau->node, 1};
    aarau->is_puppet = dora->is_puppet = true;
    forge_begin(&forge, aarau, &board);
    for (int i = 0; i < STORY_BURST_COUNT; i++) {
        forge_record(&forge, bytes_of_text("one of many"), false);
        frame_records_end(&forge.frame, forge.count);
        struct bytes frame = buffer_bytes(&forge.frame);
        WORLD_CHECK(world, line_forge(aarau, chur, frame));
        WORLD_CHECK(
            world, line_forge(dora, basel, prng_of(&world->prng, 20) ? story_spoil(frame) : frame));
        forge_restart(&forge);
    }
    world_run(world, MINUTE_MS);
    struct sign_key key = roster_find(&aarau->roster, &aarau->node)->sign_key;
    for (uint64_t i = 1; i <= STORY_BURST_COUNT; i++) {
        const struct disk_record *records[] = {disk_at(&chur->disk, &stream, i),
                                               disk_at(&basel->disk, &stream, i)};
        for (size_t j = 0; j < 2; j++) {
            struct record_claim claim;
            WORLD_CHECK(world, records[j] != NULL);
            WORLD_CHECK(world, record_parse((struct bytes){records[j]->bytes, records[j]->size},
                                            &claim) == OK);
            WORLD_CHECK(world, record_verify(&claim, &key) == OK);
        }
    }
    WORLD_CHECK(world, world->merged_count > 0);
}

static bool story_no_heads(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    (void)world;
    (void)to;
    return from != 2 || frame.data[0] != FRAME_HEADS_WANT;
}

/* Chur cannot take the first of three records, for it does not get the head that it names: it is
 * asked for again, but not at once, however often what follows it is heard of. */
void story_refused_in_a_run(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *chur = &world->hospitals[2];
    hospital_crash(chur);
    society_renew(world);
    world_run(world, 5 * SECOND_MS);
    for (int i = 0; i < 3; i++)
        (void)workflow_announce(aarau);
    world->on_frame = story_no_heads;
    hospital_boot(chur);
    for (int i = 0; i < 60; i++) {
        world_run(world, 2 * SECOND_MS);
        (void)workflow_announce(aarau);
    }
    world->on_frame = NULL;
    world_run(world, 3 * MINUTE_MS);
    story_settle(world, MINUTE_MS);
}

/* A member is removed while it takes part in a case: it gets no key from then on. Another brings
 * what the removed one signed beyond its cut: nobody takes it in. */
void story_removed(struct world *world)
{
    static struct forge forge;
    world_begin(world, 5);
    struct hospital *aarau = &world->hospitals[0], *davos = &world->hospitals[3];
    struct stream_id stream = {clinic_board(world), davos->node, 1};
    (void)workflow_announce(davos);
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    (void)story_done(world, clinic_join(davos, number));
    (void)story_done(world, clinic_join(&world->hospitals[1], number));
    world_run(world, 20 * SECOND_MS);
    davos->is_puppet = world->hospitals[4].is_puppet = true;
    society_remove(world, 3);
    world_run(world, 3 * SECOND_MS);
    (void)story_done(world, clinic_post(aarau, number));
    forge_begin(&forge, davos, &stream.scope);
    forge.header.sequence = disk_find(&aarau->disk, &stream)->tail + 1;
    forge.header.previous = disk_find(&aarau->disk, &stream)->tail_id;
    forge_record(&forge, bytes_of_text("beyond"), false);
    forge.writer = &world->hospitals[4];
    forge_send(&forge, aarau, true);
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world, disk_at(&aarau->disk, &stream, forge.header.sequence - 1) == NULL);
    story_settle(world, MINUTE_MS);
}

/* A writer signs two records for one position and shows each to another: within minutes whoever
 * holds one of them knows it. After a restart, too, it is not heard in any stream. */
void story_two_words(struct world *world)
{
    static struct forge one, other;
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *chur = &world->hospitals[2];
    struct scope board = clinic_board(world), mail = scope_mail(&chur->node);
    aarau->is_puppet = true;
    forge_begin(&one, aarau, &board);
    forge_begin(&other, aarau, &board);
    forge_record(&one, bytes_of_text("a"), false);
    forge_record(&other, bytes_of_text("b"), false);
    forge_send(&one, &world->hospitals[1], true);
    forge_send(&other, chur, true);
    world_run(world, 3 * MINUTE_MS);
    oracle_agreed(world);
    for (int i = 0; i < 2; i++) {
        forge_begin(&one, aarau, &mail);
        forge_record(&one, bytes_of_text("elsewhere"), false);
        forge_send(&one, chur, true);
        world_run(world, 30 * SECOND_MS);
        hospital_crash(chur);
        hospital_boot(chur);
        world_run(world, 30 * SECOND_MS);
    }
    WORLD_CHECK(world, disk_find(&chur->disk, &(struct stream_id){mail, aarau->node, 1}) == NULL);
}

/* The disk of a hospital is an older one, with a marker beside it or without: it writes nothing
 * where it wrote before, and gets all back that others hold. */
static void story_back(struct world *world, uint32_t count)
{
    world->survey_ms = 3000;
    world_begin(world, count);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    for (int i = 0; i < 6; i++) {
        basel->is_unmarked = i % 2 == 0;
        for (uint32_t j = 0; j < count; j++)
            (void)workflow_announce(&world->hospitals[j]);
        world_run(world, 5 * SECOND_MS);
        fault_plan_back_up(basel);
        for (uint32_t j = 0; j < count; j++)
            (void)workflow_announce(&world->hospitals[j]);
        world_run(world, 5 * SECOND_MS);
        fault_plan_put_back(basel);
        (void)clinic_announce(basel, (struct wall){hospital_wall(basel).ms + DAY_MS});
        world_run(world, prng_below(&world->prng, 20 * SECOND_MS));
        story_settle(world, 5 * MINUTE_MS);
    }
    (void)workflow_announce(aarau);
    (void)workflow_announce(basel);
    story_settle(world, MINUTE_MS);
}

void story_put_back(struct world *world)
{
    story_back(world, 4);
}

/* And there is nobody else to give it back but who wrote it. */
void story_two_put_back(struct world *world)
{
    story_back(world, 2);
}

/* The clock of one peer is wrong: it stops nobody but itself. */
void story_one_wrong_clock(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    basel->skew_ms = (int64_t)HOUR_MS;
    line_cut_hospital(basel);
    world_run(world, 5 * SECOND_MS);
    (void)workflow_announce(aarau);
    (void)workflow_announce(&world->hospitals[2]);
    basel->skew_ms = 0;
    line_cut_hospital(basel);
    story_settle(world, 2 * MINUTE_MS);
}

/* One of two participants loses its access: what is said in the case from then on is not for it. */
void story_grant_ended(struct world *world)
{
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    for (uint32_t i = 1; i < 3; i++)
        (void)story_done(world, clinic_join(&world->hospitals[i], number));
    world_run(world, 20 * SECOND_MS);
    struct case_record_grant_end end = {.participant = world->hospitals[1].node};
    struct saying saying = {clinic_case(world, number), AUDIENCE_SCOPE, KIND_GRANT_END, &end, {0}};
    (void)story_done(world, clinic_say(aarau, &saying));
    for (int i = 0; i < 5; i++) {
        (void)story_done(world, clinic_post(aarau, number));
        world_run(world, 5 * SECOND_MS);
    }
    story_settle(world, MINUTE_MS);
}

/* Half a year: mailbox keys are replaced, and no secret is kept longer than its days; what is left
 * for one that never comes back lies at others for thirty days. */
void story_mail_days(struct world *world)
{
    held_mail_allow(world);
    world_begin(world, 4);
    struct hospital *davos = &world->hospitals[3];
    world_run(world, MINUTE_MS);
    uint32_t number = clinic_ask(davos, ANNOUNCEMENT_OPEN, 1);
    world_run(world, 10 * SECOND_MS);
    hospital_crash(davos);
    world_run(world, 5 * SECOND_MS);
    (void)story_done(world, clinic_join(&world->hospitals[1], number));
    world_run(world, 20 * SECOND_MS);
    WORLD_CHECK(world, held_mail_count(&world->hospitals[2], davos) == 1);
    world_pace(world, 6 * HOUR_MS);
    for (int day = 0; day < 170; day++) {
        world_run(world, DAY_MS);
        for (uint32_t i = 0; i < 3; i++)
            held_mail_aged(&world->hospitals[i]);
    }
}

/* A member writes in a case of which it knows the id and nothing else. */
void story_uninvited_writer(struct world *world)
{
    static struct forge forge;
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *davos = &world->hospitals[3];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    (void)story_done(world, clinic_join(&world->hospitals[1], number));
    world_run(world, 20 * SECOND_MS);
    struct scope scope = clinic_case(world, number);
    davos->is_puppet = true;
    forge_begin(&forge, davos, &scope);
    forge_record(&forge, bytes_of_text("an opinion"), false);
    forge_send(&forge, aarau, false);
    forge_send(&forge, &world->hospitals[1], true);
    world_run(world, MINUTE_MS);
    struct stream_id stream = {scope, davos->node, 1};
    WORLD_CHECK(world, disk_find(&aarau->disk, &stream) == NULL);
}

/* A member says that its head is one which nobody else has: it gets no key, and the others go on.
 */
void story_other_chain(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0], *davos = &world->hospitals[3];
    davos->is_puppet = true;
    story_tell_other_head(davos, aarau);
    world_run(world, SECOND_MS);
    for (int i = 0; i < 3; i++)
        (void)workflow_announce(aarau);
    world_run(world, MINUTE_MS);
    story_settle(world, MINUTE_MS);
}

/* A stream names a head, and then an older one: who wrote that may want to read what it may not. */
void story_falling_heads(struct world *world)
{
    static struct forge forge;
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    struct scope board = clinic_board(world);
    society_renew(world);
    world_run(world, 5 * SECOND_MS);
    aarau->is_puppet = true;
    forge_begin(&forge, aarau, &board);
    forge_record(&forge, bytes_of_text("now"), false);
    forge_send(&forge, basel, true);
    world_run(world, 5 * SECOND_MS);
    forge.header.head = world->heads[0].id;
    forge_record(&forge, bytes_of_text("before"), false);
    forge_send(&forge, basel, true);
    world_run(world, MINUTE_MS);
    WORLD_CHECK(world,
                disk_find(&basel->disk, &(struct stream_id){board, aarau->node, 1})->tail == 1);
}

/* Who equivocated erases its case: that is obeyed, though nothing more of it is kept. After a
 * restart the case is still erased, whatever others bring of it. */
void story_erased_apart(struct world *world)
{
    static struct forge one, other;
    uint8_t memory[2048];
    world_begin(world, 3);
    struct hospital *aarau = &world->hospitals[0], *basel = &world->hospitals[1];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 2);
    world_run(world, 2 * SECOND_MS);
    for (uint32_t i = 1; i < 3; i++)
        (void)story_done(world, clinic_join(&world->hospitals[i], number));
    world_run(world, 20 * SECOND_MS);
    struct stream_id board = {clinic_board(world), aarau->node, 1};
    struct stream_id own = {clinic_case(world, number), aarau->node, 1};
    struct case_record_erase erase = {.opening =
                                          hospital_case(aarau, &world->cases[number].id)->opening,
                                      .requester = aarau->node};
    struct saying saying = {own.scope, AUDIENCE_CLEAR, KIND_ERASE, &erase, {0}};
    struct buffer body = buffer_over(memory, sizeof memory);
    clinic_body(aarau, &saying, &body);
    aarau->is_puppet = true;
    forge_begin(&one, aarau, &board.scope);
    one.header.sequence = disk_find(&aarau->disk, &board)->tail + 1;
    one.header.previous = disk_find(&aarau->disk, &board)->tail_id;
    other = one;
    forge_restart(&other);
    forge_record(&one, bytes_of_text("a"), false);
    forge_record(&other, bytes_of_text("b"), false);
    forge_send(&one, basel, true);
    forge_send(&other, &world->hospitals[2], true);
    world_run(world, 2 * MINUTE_MS);
    forge_begin(&one, aarau, &own.scope);
    one.header.audience = AUDIENCE_CLEAR;
    one.header.sequence = disk_find(&aarau->disk, &own)->tail + 1;
    one.header.previous = disk_find(&aarau->disk, &own)->tail_id;
    forge_record(&one, buffer_bytes(&body), false);
    forge_send(&one, basel, true);
    world_run(world, 20 * SECOND_MS);
    const struct consult *seen = hospital_case(basel, &world->cases[number].id);
    WORLD_CHECK(world, seen != NULL && seen->state == CASE_ERASED);
    hospital_crash(basel);
    hospital_boot(basel);
    world_run(world, MINUTE_MS);
    seen = hospital_case(basel, &world->cases[number].id);
    WORLD_CHECK(world, seen != NULL && seen->state == CASE_ERASED);
}

static bool story_spoil_some(struct world *world, uint32_t from, uint32_t to, struct bytes frame)
{
    static uint8_t copy[FRAME_SIZE_MAX];
    if (frame.data[0] != FRAME_RECORDS || from != 0 || to == 0 || !prng_of(&world->prng, 50))
        return true;
    memcpy(copy, frame.data, frame.size);
    copy[frame.size - 1] ^= 1; /* of the last body */
    (void)line_forge(&world->hospitals[from], &world->hospitals[to],
                     (struct bytes){copy, frame.size});
    return false;
}

/* Bodies of the requester's stream come late, and not in their order: the state of the case follows
 * from the stream all the same. */
void story_case_in_order(struct world *world)
{
    world_begin(world, 4);
    struct hospital *aarau = &world->hospitals[0];
    uint32_t number = clinic_ask(aarau, ANNOUNCEMENT_OPEN, 3);
    world_run(world, 2 * SECOND_MS);
    (void)story_done(world, clinic_join(&world->hospitals[1], number));
    world_run(world, 10 * SECOND_MS);
    world->on_frame = story_spoil_some;
    for (uint32_t i = 2; i < 4; i++) {
        (void)story_done(world, clinic_join(&world->hospitals[i], number));
        world_run(world, 2 * SECOND_MS);
        (void)story_done(world, clinic_opine(&world->hospitals[i], number, ANNOUNCEMENT_OPEN));
        for (int j = 0; j < 4; j++)
            (void)clinic_post(aarau, number);
        world_run(world, 5 * SECOND_MS);
    }
    world->on_frame = NULL;
    story_settle(world, 5 * MINUTE_MS);
}
