/* The next generation of a writer names where the one before ends: at its end as it is known here,
 * or at a place that the store is asked for, once the writer is known to have signed it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/engine/engine.h"
#include "protocol/state/engine_state.h"
#include "tests/harness/cluster_case.h"

enum { NOBODYS_KEY = 77 };

struct room {
    struct cluster *cluster;
    struct cluster_pen pen; /* hospital 2's stream on a board, three records long here */
    struct record_id first; /* of them */
};

static struct bytes words(uint8_t what)
{
    static uint8_t memory[64];
    struct buffer body = buffer_over(memory, sizeof memory);
    const uint8_t content[] = {0x81, 0x01, what};
    struct statement statement = {.kind = 0x01f0, .content = {content, sizeof content}};
    assert_int_equal(OK, statement_write(&statement, &body));
    return buffer_bytes(&body);
}

static int given_a_stream_of_three(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    room->cluster = cluster_new(3);
    cluster_meet(room->cluster, 2);
    struct federation_id federation = roster_federation(&room->cluster->roster);
    struct scope board = scope_board(&federation, bytes_of_text("hematology"));
    room->pen = cluster_pen(room->cluster, 2, board, AUDIENCE_SCOPE);
    cluster_say(room->cluster, &room->pen, words(1), 2);
    room->first = room->pen.header.previous;
    cluster_say(room->cluster, &room->pen, words(2), 2);
    cluster_say(room->cluster, &room->pen, words(3), 2);
    assert_int_equal(3, cluster_tail(room->cluster, &room->pen));
    *state = room;
    return 0;
}

static int then_it_ends(void **state)
{
    struct room *room = *state;
    cluster_free(room->cluster);
    free(room);
    return 0;
}

/* The first record of hospital 2's second generation, which says that the first one ends there. */
static struct cluster_pen after(const struct room *room, struct record_id end)
{
    struct cluster_pen pen = room->pen;
    pen.header.stream.generation = 2;
    pen.header.sequence = 1;
    pen.header.previous = end;
    return pen;
}

static void what_names_the_end_is_taken_at_once(void **state)
{
    struct room *room = *state;
    struct cluster_pen next = after(room, room->pen.header.previous);
    cluster_say(room->cluster, &next, words(4), 2);
    assert_int_equal(1, cluster_tail(room->cluster, &next));
    assert_int_equal(0, room->cluster->loaded_count);
}

/* (T-16) */
static void nothing_is_looked_for_on_the_word_of_who_did_not_sign(void **state)
{
    struct room *room = *state;
    struct cluster_pen next = after(room, room->first);
    next.key_number = NOBODYS_KEY;
    cluster_say(room->cluster, &next, words(4), 2);
    assert_int_equal(0, room->cluster->loaded_count);
    assert_int_equal(0, cluster_tail(room->cluster, &next));
}

static bool is_asked_for(const struct cluster *cluster, const struct stream_id *stream)
{
    for (size_t i = 0; i < cluster->sent_count; i++) {
        struct frame_want want;
        struct bytes frame = {cluster->sent[i].data, cluster->sent[i].size};
        if (frame.data[0] == FRAME_WANT && frame_want_read(frame, &want) == OK &&
            stream_id_equal(&want.stream, stream) && want.from == 1)
            return true;
    }
    return false;
}

static void what_names_an_earlier_place_is_asked_for_again_when_the_store_has_it(void **state)
{
    struct room *room = *state;
    struct cluster_pen next = after(room, room->first), again = next;
    cluster_say(room->cluster, &next, words(4), 2);
    assert_int_equal(1, room->cluster->loaded_count);
    assert_int_equal(0, cluster_tail(room->cluster, &next));
    assert_true(is_asked_for(room->cluster, &next.header.stream));
    cluster_say(room->cluster, &again, words(4), 2);
    assert_int_equal(1, cluster_tail(room->cluster, &again));
    assert_int_equal(1, room->cluster->loaded_count);
}

static void what_names_nothing_that_is_here_waits(void **state)
{
    struct room *room = *state;
    struct cluster_pen next = after(room, (struct record_id){{5}}), again = next;
    cluster_say(room->cluster, &next, words(4), 2);
    cluster_say(room->cluster, &again, words(4), 2);
    assert_int_equal(2, room->cluster->loaded_count); /* one look for each signature */
    assert_int_equal(0, cluster_tail(room->cluster, &again));
}

/* Hospital 2 opens the generation after that of `pen`, in which it wrote last, at that time. True
 * when it is taken. */
static bool opens_next(struct room *room, struct cluster_pen *pen, uint64_t time_ms)
{
    struct cluster_pen next = *pen;
    next.header.stream.generation++;
    next.header.sequence = 1;
    next.header.time.ms = time_ms;
    cluster_say(room->cluster, &next, words(4), 2);
    bool is_taken = cluster_tail(room->cluster, &next) == 1;
    if (is_taken)
        *pen = next;
    return is_taken;
}

/* (T-12) */
static void a_time_from_the_future_stops_no_later_generation(void **state)
{
    struct room *room = *state;
    struct cluster_pen pen = room->pen;
    const uint64_t now = pen.header.time.ms;
    assert_true(opens_next(room, &pen, now + 400 * 24 * FEDERATION_HOUR_MS));
    cluster_pass(room->cluster, FEDERATION_HOUR_MS);
    assert_true(opens_next(room, &pen, now + FEDERATION_HOUR_MS));
}

/* (T-12) */
static void neither_an_old_time_nor_a_future_one_gains_a_year(void **state)
{
    struct room *room = *state;
    struct cluster_pen pen = room->pen;
    const uint64_t now = pen.header.time.ms, year = 366 * 24 * FEDERATION_HOUR_MS;
    const uint64_t most = roster_settings(&room->cluster->roster)->generation_count_max;
    uint64_t taken = 0;
    while (taken <= most &&
           opens_next(room, &pen, taken % 2 == 0 ? now - 9 * year : now + taken * year))
        taken++;
    /* the first counts as old; from the second on all of them are of today */
    assert_int_equal(most + 1, taken);
    assert_false(opens_next(room, &pen, 1));
    assert_false(opens_next(room, &pen, UINT64_MAX));
}

/* ---- our own, after a restore ---- */

/* The node is started with a store that holds nothing, and a marker that says that it wrote five
 * records to hospital 3. Only hospital 3 shares that with it. */
static struct cluster_pen given_a_marker(struct cluster *cluster)
{
    struct cluster_pen lost =
        cluster_pen(cluster, 1, scope_mail(&(struct node_id){{0, 3, 0x11}}), AUDIENCE_SCOPE);
    struct event marker = cluster_event(cluster, EVENT_RESTORE_MARKER);
    struct event start = cluster_event(cluster, EVENT_START);
    cluster_engine(cluster);
    marker.marker.stream = lost.header.stream;
    marker.marker.sequence = 5;
    engine_step(cluster->engine, &marker, &cluster->step);
    start.start = MARKER_HERE;
    cluster_give(cluster, &start);
    return lost;
}

/* Hospital `number` says where our stream stands with it; 0: nowhere. */
static void tell(struct cluster *cluster, uint32_t number, const struct stream_id *stream,
                 uint64_t tail)
{
    uint8_t memory[256];
    struct frame_summary summary = {.stream_count = 9};
    struct frame_position position = {.stream = *stream, .tail = tail};
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_summary_write(&frame, &summary);
    cluster_hear(cluster, number, buffer_bytes(&frame));
    frame = buffer_over(memory, sizeof memory);
    frame_positions_begin(&frame, FRAME_STREAMS, tail > 0 ? 1 : 0);
    if (tail > 0)
        frame_position_write(&frame, &position);
    cluster_hear(cluster, number, buffer_bytes(&frame));
}

/* (T-18) */
static void what_the_marker_names_and_nobody_has_is_begun_anew(void **state)
{
    struct cluster *cluster = ((struct room *)*state)->cluster;
    struct cluster_pen lost = given_a_marker(cluster);
    const struct stream_id *stream = &lost.header.stream;
    cluster_meet(cluster, 2);
    tell(cluster, 2, stream, 0);
    assert_int_equal(ERR_BUSY, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    cluster_meet(cluster, 3);
    assert_int_equal(ERR_BUSY, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    tell(cluster, 3, stream, 0);
    assert_int_equal(OK, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    assert_int_equal(1, cluster_tail(cluster, &lost));
}

static void what_somebody_says_it_has_is_waited_for(void **state)
{
    struct cluster *cluster = ((struct room *)*state)->cluster;
    struct cluster_pen lost = given_a_marker(cluster);
    const struct stream_id *stream = &lost.header.stream;
    cluster_meet(cluster, 3);
    tell(cluster, 3, stream, 5);
    for (int i = 0; i < 20; i++) { /* it gives nothing */
        cluster_pass(cluster, 10 * 1000);
        assert_int_equal(ERR_BUSY, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    }
}

/* The node is started with a store that was put back once: of what it wrote to hospital `number`
 * one record is left. */
static struct cluster_pen given_a_store_put_back(struct cluster *cluster, uint32_t number,
                                                 enum event_marker marker)
{
    struct node_id node = federation_node(number);
    struct cluster_pen left = cluster_pen(cluster, 1, scope_mail(&node), AUDIENCE_SCOPE);
    struct event stream = cluster_event(cluster, EVENT_RESTORE_STREAM);
    struct event ended = cluster_event(cluster, EVENT_RESTORE_GENERATION);
    struct event named = cluster_event(cluster, EVENT_RESTORE_MARKER);
    struct event start = cluster_event(cluster, EVENT_START);
    cluster_engine(cluster);
    stream.stream.id = ended.generation.stream = named.marker.stream = left.header.stream;
    stream.stream.tail = named.marker.sequence = 1;
    stream.stream.tail_id = (struct record_id){{6}};
    ended.generation.is_ended = true;
    start.start = marker;
    engine_step(cluster->engine, &stream, &cluster->step);
    engine_step(cluster->engine, &ended, &cluster->step);
    if (marker == MARKER_HERE)
        engine_step(cluster->engine, &named, &cluster->step);
    cluster_give(cluster, &start);
    return left;
}

/* (T-19) */
static void a_later_generation_may_have_been_begun_and_lost(void **state)
{
    struct cluster *cluster = ((struct room *)*state)->cluster;
    struct cluster_pen left = given_a_store_put_back(cluster, 3, MARKER_OTHER);
    const struct stream_id *stream = &left.header.stream;
    cluster_meet(cluster, 2);
    tell(cluster, 2, stream, 0);
    assert_int_equal(ERR_BUSY, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    cluster_meet(cluster, 3);
    tell(cluster, 3, stream, 1);
    assert_int_equal(OK, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    left.header.stream.generation = 2;
    assert_int_equal(1, cluster_tail(cluster, &left));
}

/* (T-19) */
static void a_marker_begun_after_a_restore_does_not_name_what_was_lost(void **state)
{
    struct cluster *cluster = ((struct room *)*state)->cluster;
    (void)given_a_store_put_back(cluster, 2, MARKER_HERE);
    struct node_id three = federation_node(3);
    struct cluster_pen other = cluster_pen(cluster, 1, scope_mail(&three), AUDIENCE_SCOPE);
    const struct stream_id *stream = &other.header.stream;
    cluster_meet(cluster, 2);
    tell(cluster, 2, stream, 0);
    assert_int_equal(ERR_BUSY, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    cluster_meet(cluster, 3);
    tell(cluster, 3, stream, 0);
    assert_int_equal(OK, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
}

/* (T-22) */
static void who_stands_at_another_head_was_not_heard(void **state)
{
    struct cluster *cluster = ((struct room *)*state)->cluster;
    struct cluster_pen left = given_a_store_put_back(cluster, 3, MARKER_OTHER);
    const struct stream_id *stream = &left.header.stream;
    cluster_meet(cluster, 3);
    cluster_decide(cluster, 2, MEMBER_SUSPENDED, 0);
    tell(cluster, 3, stream, 1);
    assert_int_equal(ERR_BUSY, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
    cluster_meet(cluster, 3);
    tell(cluster, 3, stream, 1);
    assert_int_equal(OK, cluster_post(cluster, stream->scope, AUDIENCE_SCOPE, words(1)));
}

/* Hospital 3 was away for long, and holds a later generation. */
static void what_is_told_late_is_waited_for_too(void **state)
{
    struct cluster *cluster = ((struct room *)*state)->cluster;
    struct cluster_pen left = given_a_store_put_back(cluster, 3, MARKER_OTHER);
    struct stream_id later = left.header.stream;
    later.generation = 2;
    cluster_pass(cluster, 60 * 60 * 1000);
    cluster_meet(cluster, 3);
    tell(cluster, 3, &later, 2);
    assert_int_equal(ERR_BUSY, cluster_post(cluster, later.scope, AUDIENCE_SCOPE, words(1)));
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, given_a_stream_of_three, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOM(what_names_the_end_is_taken_at_once),
        IN_ROOM(nothing_is_looked_for_on_the_word_of_who_did_not_sign),
        IN_ROOM(what_names_an_earlier_place_is_asked_for_again_when_the_store_has_it),
        IN_ROOM(what_names_nothing_that_is_here_waits),
        IN_ROOM(what_the_marker_names_and_nobody_has_is_begun_anew),
        IN_ROOM(what_somebody_says_it_has_is_waited_for),
        IN_ROOM(a_time_from_the_future_stops_no_later_generation),
        IN_ROOM(neither_an_old_time_nor_a_future_one_gains_a_year),
        IN_ROOM(a_later_generation_may_have_been_begun_and_lost),
        IN_ROOM(who_stands_at_another_head_was_not_heard),
        IN_ROOM(what_is_told_late_is_waited_for_too),
        IN_ROOM(a_marker_begun_after_a_restore_does_not_name_what_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
