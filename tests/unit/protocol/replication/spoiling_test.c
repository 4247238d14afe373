/* Whoever forges records, or claims what it does not give, holds nobody up: not by turns with
 * another either, nor in our own stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/engine/engine.h"
#include "protocol/replication/batch_verify.h"
#include "protocol/state/engine_state.h"
#include "tests/harness/cluster.h"

enum { NOBODYS_KEY = 77, WRITER = 2, ONE = 3, OTHER = 4, HONEST = 5 };

static int given_four_who_are_here(void **state)
{
    struct cluster *cluster = cluster_new(5);
    for (uint32_t i = WRITER; i <= HONEST; i++)
        cluster_meet(cluster, i);
    *state = cluster;
    return 0;
}

static int then_it_ends(void **state)
{
    cluster_free(*state);
    return 0;
}

static struct scope board_of(struct cluster *cluster)
{
    struct federation_id federation = roster_federation(&cluster->roster);
    return scope_board(&federation, bytes_of_text("hematology"));
}

/* The frame comes, and what it asks of the shell is not done before the next event. */
static void hold(struct cluster *cluster, uint32_t link, struct bytes frame)
{
    struct event event = cluster_event(cluster, EVENT_FRAME);
    event.link.value = link;
    event.frame = frame;
    engine_step(cluster->engine, &event, &cluster->step);
    for (size_t i = 0; i < cluster->step.effect_count; i++)
        cluster_perform(cluster, &cluster->step.effects[i]);
}

/* Copies of the next record of `pen`: `count` of them in one frame, the last one spoiled or not. */
static struct bytes write_records(struct cluster_pen *pen, uint8_t count, bool is_spoiled)
{
    static uint8_t memory[FRAME_SIZE_MAX], record[RECORD_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    uint8_t public_key[32], secret[64];
    frame_records_begin(&frame);
    for (uint8_t i = 1; i <= count; i++) {
        federation_key(pen->number, is_spoiled && i == count ? NOBODYS_KEY : pen->key_number,
                       public_key, secret);
        struct record_secrets secrets = {.sign_secret = secret,
                                         .key = {{(uint8_t)pen->header.sequence, 7}}};
        struct buffer out = buffer_over(record, sizeof record);
        struct record_id id;
        assert_int_equal(OK, record_seal(&pen->header, cluster_words(i), &secrets, &out, &id));
        struct frame_record one = {true, secrets.key, buffer_bytes(&out)};
        frame_record_write(&frame, &one);
        pen->header.sequence++;
        pen->header.previous = id;
    }
    frame_records_end(&frame, count);
    return buffer_bytes(&frame);
}

static void forge(struct cluster *cluster, uint32_t link, const struct cluster_pen *pen)
{
    struct cluster_pen forger = *pen;
    hold(cluster, link, write_records(&forger, 2, true)); /* the first of them is genuine */
}

/* (T-17) */
static void who_take_turns_with_forgeries_keep_no_stream_waiting(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, WRITER, board_of(cluster), AUDIENCE_SCOPE);
    forge(cluster, ONE, &pen);
    cluster_pass(cluster, 1);
    for (uint8_t i = 1; i <= 20; i++) {
        forge(cluster, i % 2 == 0 ? ONE : OTHER, &pen);
        hold(cluster, WRITER, write_records(&pen, 3, false));
        cluster_pass(cluster, 1);
        assert_int_equal(3 * i, cluster_tail(cluster, &pen));
    }
}

/* The forgery comes first, and nobody was known to forge: what came behind it is asked for again.
 */
static void what_a_first_forgery_shuts_out_is_asked_for_at_once(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, WRITER, board_of(cluster), AUDIENCE_SCOPE);
    forge(cluster, ONE, &pen);
    struct cluster_pen again = pen;
    hold(cluster, WRITER, write_records(&pen, 1, false));
    cluster_forget_sent(cluster);
    cluster_pass(cluster, 1);
    assert_int_equal(0, cluster_tail(cluster, &pen));
    bool is_asked = false;
    for (size_t i = 0; i < cluster->sent_count; i++)
        is_asked |= cluster->sent[i].data[0] == FRAME_WANT && cluster->sent[i].link.value == WRITER;
    assert_true(is_asked);
    cluster_hear(cluster, WRITER, write_records(&again, 1, false));
    assert_int_equal(1, cluster_tail(cluster, &pen));
}

static void say_that_it_reaches(struct cluster *cluster, uint32_t link,
                                const struct stream_id *stream, uint64_t tail)
{
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_position position = {.stream = *stream, .tail = tail};
    frame_positions_begin(&frame, FRAME_STREAMS, 1);
    frame_position_write(&frame, &position);
    cluster_hear(cluster, link, buffer_bytes(&frame));
}

static void
who_take_turns_in_claiming_more_than_they_give_keep_nobody_from_being_asked(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, WRITER, board_of(cluster), AUDIENCE_SCOPE);
    const struct stream_id *stream = &pen.header.stream;
    bool is_asked = false;
    say_that_it_reaches(cluster, ONE, stream, UINT64_MAX);
    say_that_it_reaches(cluster, OTHER, stream, UINT64_MAX);
    say_that_it_reaches(cluster, HONEST, stream, 3); /* once */
    for (int s = 0; s < 60 && !is_asked; s++) {
        cluster_forget_sent(cluster);
        cluster_pass(cluster, 1000);
        say_that_it_reaches(cluster, ONE, stream, UINT64_MAX);
        say_that_it_reaches(cluster, OTHER, stream, UINT64_MAX);
        for (size_t i = 0; i < cluster->sent_count; i++)
            is_asked |=
                cluster->sent[i].data[0] == FRAME_WANT && cluster->sent[i].link.value == HONEST;
    }
    assert_true(is_asked);
    /* it gives: so it is asked for more, and those who were late come after it */
    cluster_forget_sent(cluster);
    cluster_hear(cluster, HONEST, write_records(&pen, 2, false));
    assert_int_equal(2, cluster_tail(cluster, &pen));
    const struct cluster_sent *last = &cluster->sent[cluster->sent_count - 1];
    while (last->data[0] != FRAME_WANT)
        last--;
    assert_int_equal(HONEST, last->link.value);
}

static void what_others_send_of_our_own_stream_delays_no_post(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, 1, board_of(cluster), AUDIENCE_SCOPE);
    pen.key_number = NOBODYS_KEY;
    hold(cluster, ONE, write_records(&pen, 2, false));
    assert_int_equal(OK,
                     cluster_post(cluster, board_of(cluster), AUDIENCE_SCOPE, cluster_words(1)));
    assert_int_equal(1, cluster_tail(cluster, &pen));
}

/* It was written before a restore, say, and comes back while another is being signed in its place.
 */
static void what_came_back_meanwhile_is_not_contradicted(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, 1, board_of(cluster), AUDIENCE_SCOPE);
    struct event event = cluster_event(cluster, EVENT_POST);
    event.token.value = 1;
    event.post.scope = board_of(cluster);
    event.post.audience = AUDIENCE_SCOPE;
    event.post.plaintext = cluster_words(1);
    engine_step(cluster->engine, &event, &cluster->step);
    const struct effect *seal = cluster->step.effects;
    while (seal->kind != EFFECT_SEAL)
        seal++;
    cluster_perform(cluster, seal);
    struct interpreter_answer *sealed = interpreter_take(&cluster->interpreter);
    cluster->done = OK;
    cluster_hear(cluster, ONE, write_records(&pen, 1, false));
    cluster_give(cluster, &sealed->event);
    free(sealed);
    assert_int_equal(ERR_BUSY, cluster->done);
    assert_int_equal(1, cluster->kept_count);
}

/* Turns a bit of the signature of record `index` of the frame. */
static struct bytes spoil_signature(struct bytes frame, size_t index)
{
    static uint8_t memory[FRAME_SIZE_MAX];
    struct reader reader;
    struct frame_record record;
    uint16_t count;
    memcpy(memory, frame.data, frame.size);
    assert_int_equal(OK, frame_records_open((struct bytes){memory, frame.size}, &reader, &count));
    assert_true(index < count);
    for (size_t i = 0; i <= index; i++)
        assert_int_equal(OK, frame_record_read(&reader, &record));
    memory[record.record.data - memory + RECORD_HEADER_SIZE] ^= 1;
    return (struct bytes){memory, frame.size};
}

/* What the node answers to a request for one position: the type of the frame. */
static uint8_t answer_to(struct cluster *cluster, const struct cluster_pen *pen, uint64_t sequence)
{
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_want want = {.stream = pen->header.stream, .from = sequence, .count = 1};
    frame_want_write(&frame, &want);
    cluster_forget_sent(cluster);
    cluster_hear(cluster, OTHER, buffer_bytes(&frame));
    assert_int_equal(1, cluster->sent_count);
    assert_int_equal(OTHER, cluster->sent[0].link.value);
    return cluster->sent[0].data[0];
}

/* (T-28) */
static void a_spoiled_signature_is_not_passed_on_alone(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, WRITER, board_of(cluster), AUDIENCE_SCOPE);
    cluster_hear(cluster, ONE, spoil_signature(write_records(&pen, 3, false), 1));
    assert_int_equal(3, cluster_tail(cluster, &pen)); /* the third vouches for it */
    assert_int_equal(FRAME_RECORDS, answer_to(cluster, &pen, 1));
    assert_int_equal(FRAME_STATUS, answer_to(cluster, &pen, 2));
    assert_int_equal(FRAME_RECORDS, answer_to(cluster, &pen, 3));
}

/* The check that the last event led to. */
static const struct step_batch *checked(const struct cluster *cluster)
{
    const struct effect *effect = cluster->step.effects;
    while (effect->kind != EFFECT_CHECK)
        effect++;
    return &effect->batch;
}

/* (T-29) */
static void only_frames_of_the_writers_own_link_are_checked_as_one(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, WRITER, board_of(cluster), AUDIENCE_SCOPE);
    struct cluster_pen behind = pen;
    struct step_run run;
    struct step_record record;
    const uint32_t links[] = {WRITER, ONE};
    for (size_t i = 0; i < 2; i++) {
        pen = behind;
        pen.header.stream.scope = i == 0 ? pen.header.stream.scope : scope_federation();
        pen.header.audience = i == 0 ? AUDIENCE_SCOPE : AUDIENCE_CLEAR;
        hold(cluster, links[i], write_records(&pen, 1, false));
        run = *checked(cluster)->runs;
        record = *checked(cluster)->records;
        struct step_batch batch = {&run, 1, &record, 1};
        static uint8_t memory[RECORD_SIZE_MAX];
        memcpy(memory, record.record.data, record.record.size);
        record.record.data = memory;
        hold(cluster, links[i], write_records(&pen, 1, false));
        struct step_batch next = *checked(cluster);
        assert_int_equal(links[i] == WRITER, batch_verify_continues(&batch, &next));
        assert_false(batch_verify_continues(&next, &batch));
        assert_false(batch_verify_continues(&batch, &batch));
        record.id.bytes[0] ^= 1; /* another stood there */
        assert_false(batch_verify_continues(&batch, &next));
    }
}

#define AMONG_FOUR(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, given_four_who_are_here, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AMONG_FOUR(who_take_turns_with_forgeries_keep_no_stream_waiting),
        AMONG_FOUR(what_a_first_forgery_shuts_out_is_asked_for_at_once),
        AMONG_FOUR(who_take_turns_in_claiming_more_than_they_give_keep_nobody_from_being_asked),
        AMONG_FOUR(what_others_send_of_our_own_stream_delays_no_post),
        AMONG_FOUR(a_spoiled_signature_is_not_passed_on_alone),
        AMONG_FOUR(only_frames_of_the_writers_own_link_are_checked_as_one),
        AMONG_FOUR(what_came_back_meanwhile_is_not_contradicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
