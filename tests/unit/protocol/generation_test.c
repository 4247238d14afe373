/* The next generation of a writer names where the one before ends: at its end as it is known here,
 * or at a place that the store is asked for, once the writer is known to have signed it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/core/core_state.h"
#include "tests/unit/protocol/ward_case.h"

enum { NOBODYS_KEY = 77 };

struct room {
    struct ward *ward;
    struct ward_pen pen;    /* hospital 2's stream on a board, three records long here */
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
    room->ward = ward_new(3);
    ward_meet(room->ward, 2);
    struct federation_id federation = roster_federation(&room->ward->roster);
    struct scope board = scope_board(&federation, bytes_of_text("hematology"));
    room->pen = ward_pen(room->ward, 2, board, AUDIENCE_SCOPE);
    ward_say(room->ward, &room->pen, words(1), 2);
    room->first = room->pen.header.previous;
    ward_say(room->ward, &room->pen, words(2), 2);
    ward_say(room->ward, &room->pen, words(3), 2);
    assert_int_equal(3, ward_tail(room->ward, &room->pen));
    *state = room;
    return 0;
}

static int then_it_ends(void **state)
{
    struct room *room = *state;
    ward_free(room->ward);
    free(room);
    return 0;
}

/* The first record of hospital 2's second generation, which says that the first one ends there. */
static struct ward_pen after(const struct room *room, struct record_id end)
{
    struct ward_pen pen = room->pen;
    pen.header.stream.generation = 2;
    pen.header.sequence = 1;
    pen.header.previous = end;
    return pen;
}

static void what_names_the_end_is_taken_at_once(void **state)
{
    struct room *room = *state;
    struct ward_pen next = after(room, room->pen.header.previous);
    ward_say(room->ward, &next, words(4), 2);
    assert_int_equal(1, ward_tail(room->ward, &next));
    assert_int_equal(0, room->ward->loaded_count);
}

/* (T-16) */
static void nothing_is_looked_for_on_the_word_of_who_did_not_sign(void **state)
{
    struct room *room = *state;
    struct ward_pen next = after(room, room->first);
    next.key_number = NOBODYS_KEY;
    ward_say(room->ward, &next, words(4), 2);
    assert_int_equal(0, room->ward->loaded_count);
    assert_int_equal(0, ward_tail(room->ward, &next));
}

static bool is_asked_for(const struct ward *ward, const struct stream_id *stream)
{
    for (size_t i = 0; i < ward->sent_count; i++) {
        struct frame_want want;
        struct bytes frame = {ward->sent[i].data, ward->sent[i].size};
        if (frame.data[0] == FRAME_WANT && frame_want_read(frame, &want) == OK &&
            stream_id_equal(&want.stream, stream) && want.from == 1)
            return true;
    }
    return false;
}

static void what_names_an_earlier_place_is_asked_for_again_when_the_store_has_it(void **state)
{
    struct room *room = *state;
    struct ward_pen next = after(room, room->first), again = next;
    ward_say(room->ward, &next, words(4), 2);
    assert_int_equal(1, room->ward->loaded_count);
    assert_int_equal(0, ward_tail(room->ward, &next));
    assert_true(is_asked_for(room->ward, &next.header.stream));
    ward_say(room->ward, &again, words(4), 2);
    assert_int_equal(1, ward_tail(room->ward, &again));
    assert_int_equal(1, room->ward->loaded_count);
}

static void what_names_nothing_that_is_here_waits(void **state)
{
    struct room *room = *state;
    struct ward_pen next = after(room, (struct record_id){{5}}), again = next;
    ward_say(room->ward, &next, words(4), 2);
    ward_say(room->ward, &again, words(4), 2);
    assert_int_equal(2, room->ward->loaded_count); /* one look for each signature */
    assert_int_equal(0, ward_tail(room->ward, &again));
}

/* ---- our own, after a restore ---- */

/* The node is started with a store that holds nothing, and a marker that says that it wrote five
 * records to hospital 3. Only hospital 3 shares that with it. */
static struct ward_pen given_a_marker(struct ward *ward)
{
    struct ward_pen lost =
        ward_pen(ward, 1, scope_mail(&(struct node_id){{0, 3, 0x11}}), AUDIENCE_SCOPE);
    struct event marker = ward_event(ward, EVENT_RESTORE_MARKER);
    struct event start = ward_event(ward, EVENT_START);
    ward_core(ward);
    marker.marker.stream = lost.header.stream;
    marker.marker.sequence = 5;
    core_step(ward->core, &marker, &ward->step);
    start.start = MARKER_HERE;
    ward_give(ward, &start);
    return lost;
}

/* Hospital `number` says where our stream stands with it; 0: nowhere. */
static void tell(struct ward *ward, uint32_t number, const struct stream_id *stream, uint64_t tail)
{
    uint8_t memory[256];
    struct frame_summary summary = {.stream_count = 9};
    struct frame_position position = {.stream = *stream, .tail = tail};
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_summary_write(&frame, &summary);
    ward_hear(ward, number, buffer_bytes(&frame));
    frame = buffer_over(memory, sizeof memory);
    frame_positions_begin(&frame, FRAME_STREAMS, tail > 0 ? 1 : 0);
    if (tail > 0)
        frame_position_write(&frame, &position);
    ward_hear(ward, number, buffer_bytes(&frame));
}

/* (T-18) */
static void what_the_marker_names_and_nobody_has_is_begun_anew(void **state)
{
    struct ward *ward = ((struct room *)*state)->ward;
    struct ward_pen lost = given_a_marker(ward);
    const struct stream_id *stream = &lost.header.stream;
    ward_meet(ward, 2);
    tell(ward, 2, stream, 0);
    assert_int_equal(ERR_BUSY, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    ward_meet(ward, 3);
    assert_int_equal(ERR_BUSY, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    tell(ward, 3, stream, 0);
    assert_int_equal(OK, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    assert_int_equal(1, ward_tail(ward, &lost));
}

static void what_somebody_says_it_has_is_waited_for(void **state)
{
    struct ward *ward = ((struct room *)*state)->ward;
    struct ward_pen lost = given_a_marker(ward);
    const struct stream_id *stream = &lost.header.stream;
    ward_meet(ward, 3);
    tell(ward, 3, stream, 5);
    for (int i = 0; i < 20; i++) { /* it gives nothing */
        ward_pass(ward, 10 * 1000);
        assert_int_equal(ERR_BUSY, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    }
}

/* The node is started with a store that was put back once: of what it wrote to hospital `number`
 * one record is left. */
static struct ward_pen given_a_store_put_back(struct ward *ward, uint32_t number,
                                              enum event_marker marker)
{
    struct node_id node = federation_node(number);
    struct ward_pen left = ward_pen(ward, 1, scope_mail(&node), AUDIENCE_SCOPE);
    struct event stream = ward_event(ward, EVENT_RESTORE_STREAM);
    struct event ended = ward_event(ward, EVENT_RESTORE_GENERATION);
    struct event named = ward_event(ward, EVENT_RESTORE_MARKER);
    struct event start = ward_event(ward, EVENT_START);
    ward_core(ward);
    stream.stream.id = ended.generation.stream = named.marker.stream = left.header.stream;
    stream.stream.tail = named.marker.sequence = 1;
    stream.stream.tail_id = (struct record_id){{6}};
    ended.generation.is_ended = true;
    start.start = marker;
    core_step(ward->core, &stream, &ward->step);
    core_step(ward->core, &ended, &ward->step);
    if (marker == MARKER_HERE)
        core_step(ward->core, &named, &ward->step);
    ward_give(ward, &start);
    return left;
}

/* (T-19) */
static void a_later_generation_may_have_been_begun_and_lost(void **state)
{
    struct ward *ward = ((struct room *)*state)->ward;
    struct ward_pen left = given_a_store_put_back(ward, 3, MARKER_OTHER);
    const struct stream_id *stream = &left.header.stream;
    ward_meet(ward, 2);
    tell(ward, 2, stream, 0);
    assert_int_equal(ERR_BUSY, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    ward_meet(ward, 3);
    tell(ward, 3, stream, 1);
    assert_int_equal(OK, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    left.header.stream.generation = 2;
    assert_int_equal(1, ward_tail(ward, &left));
}

/* (T-19) */
static void a_marker_begun_after_a_restore_does_not_name_what_was_lost(void **state)
{
    struct ward *ward = ((struct room *)*state)->ward;
    (void)given_a_store_put_back(ward, 2, MARKER_HERE);
    struct node_id three = federation_node(3);
    struct ward_pen other = ward_pen(ward, 1, scope_mail(&three), AUDIENCE_SCOPE);
    const struct stream_id *stream = &other.header.stream;
    ward_meet(ward, 2);
    tell(ward, 2, stream, 0);
    assert_int_equal(ERR_BUSY, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    ward_meet(ward, 3);
    tell(ward, 3, stream, 0);
    assert_int_equal(OK, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
}

/* (T-22) */
static void who_stands_at_another_head_was_not_heard(void **state)
{
    struct ward *ward = ((struct room *)*state)->ward;
    struct ward_pen left = given_a_store_put_back(ward, 3, MARKER_OTHER);
    const struct stream_id *stream = &left.header.stream;
    ward_meet(ward, 3);
    ward_decide(ward, 2, MEMBER_SUSPENDED, 0);
    tell(ward, 3, stream, 1);
    assert_int_equal(ERR_BUSY, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
    ward_meet(ward, 3);
    tell(ward, 3, stream, 1);
    assert_int_equal(OK, ward_post(ward, stream->scope, AUDIENCE_SCOPE, words(1)));
}

/* Hospital 3 was away for long, and holds a later generation. */
static void what_is_told_late_is_waited_for_too(void **state)
{
    struct ward *ward = ((struct room *)*state)->ward;
    struct ward_pen left = given_a_store_put_back(ward, 3, MARKER_OTHER);
    struct stream_id later = left.header.stream;
    later.generation = 2;
    ward_pass(ward, 60 * 60 * 1000);
    ward_meet(ward, 3);
    tell(ward, 3, &later, 2);
    assert_int_equal(ERR_BUSY, ward_post(ward, later.scope, AUDIENCE_SCOPE, words(1)));
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
        IN_ROOM(a_later_generation_may_have_been_begun_and_lost),
        IN_ROOM(who_stands_at_another_head_was_not_heard),
        IN_ROOM(what_is_told_late_is_waited_for_too),
        IN_ROOM(a_marker_begun_after_a_restore_does_not_name_what_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
