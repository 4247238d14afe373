/* Cases leave memory when nothing comes for them, and whatever comes for one brings it back as it
 * was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/core/casework_state.h"
#include "protocol/core/gossip.h"
#include "tests/unit/protocol/ward_case.h"

enum { IDLE_MS = 5000, LOOK_MS = 1000 };

static int given_a_node_that_lets_cases_rest(void **state)
{
    struct ward *ward = ward_new(4);
    ward->case_idle_ms = IDLE_MS;
    ward_restart(ward);
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    *state = ward;
    return 0;
}

static int then_it_ends(void **state)
{
    ward_free(*state);
    return 0;
}

#define WITH_NODE(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, given_a_node_that_lets_cases_rest, then_it_ends)

/* This node says so in its case. */
static void say(struct ward *ward, const struct ward_case *one, uint16_t kind, const void *value)
{
    struct ward_pen pen = ward_pen(ward, 1, one->scope, AUDIENCE_SCOPE);
    bool is_clear = (kind_rule(kind)->audiences & KIND_CLEAR) != 0;
    assert_int_equal(OK, ward_post(ward, one->scope, is_clear ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                                   ward_body(ward, &pen, kind, value)));
}

/* A case of this node, told from others by `number`. */
static struct ward_case ask(struct ward *ward, uint8_t number)
{
    struct federation_id federation = roster_federation(&ward->roster);
    struct node_id self = federation_node(1);
    struct ward_case one = ward_case(ward, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    one.opening.bytes[1] = number;
    one.id = caserecord_case_id(&federation, &self, &one.opening);
    one.scope = scope_case(&one.id);
    one.pen = ward_pen(ward, 1, one.scope, AUDIENCE_SCOPE);
    struct caserecord_open open = ward_opening(&one, &announcement);
    say(ward, &one, KIND_OPEN, &open);
    return one;
}

static void grant(struct ward *ward, const struct ward_case *one, uint32_t number)
{
    struct caserecord_grant grant = {.participant = federation_node(number)};
    say(ward, one, KIND_GRANT, &grant);
}

/* Long enough for every case to be looked at. */
static void rest(struct ward *ward)
{
    ward_pass(ward, IDLE_MS);
    for (int i = 0; i < 4; i++)
        ward_pass(ward, LOOK_MS);
}

static bool rests(const struct ward *ward, const struct ward_case *one)
{
    return core_case(ward->core, &one->id) == NULL && core_case_rests(ward->core, &one->id);
}

static struct bytes row_of(const struct ward *ward, const struct ward_case *one, int which)
{
    static uint8_t memory[2][CORE_CASE_SIZE_MAX];
    struct buffer out = buffer_over(memory[which], sizeof memory[which]);
    assert_int_equal(OK, core_case_export(ward->core, &one->id, &out));
    return buffer_bytes(&out);
}

/* Hospital `number` asks for the first record of the stream. */
static void want(struct ward *ward, uint32_t number, const struct stream_id *stream)
{
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_want wanted = {*stream, 1, 1};
    frame_want_write(&frame, &wanted);
    ward_hear(ward, number, buffer_bytes(&frame));
}

static void comes_back_the_same(struct ward *ward, const struct ward_case *one,
                                enum case_state state)
{
    struct core_case_brief brief;
    unsigned woken = ward->woken_count;
    assert_int_equal(state, ward_case_state(ward, one));
    struct bytes before = row_of(ward, one, 0);
    rest(ward);
    assert_true(rests(ward, one));
    assert_true(core_case_at(ward->core, 0, &brief));
    assert_int_equal(state, brief.state);
    want(ward, 2, &one->pen.header.stream);
    assert_int_equal(woken + 1, ward->woken_count);
    assert_true(bytes_equal(before, row_of(ward, one, 1)));
}

static void a_case_comes_back_as_it_was_in_every_state(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct record_id opinion = {{7}};
    struct caserecord_take_in take_in = {.taken = {{federation_node(2), opinion, KIND_OPINION}},
                                         .taken_count = 1};
    struct caserecord_reveal reveal = {.records = {opinion}, .record_count = 1};
    struct caserecord_synthesis synthesis = {.text = bytes_of_text("As was thought.")};
    struct caserecord_close close = {0};
    struct caserecord_outcome outcome = {
        .day = 21, .followed = CASERECORD_FOLLOWED, .result = CASERECORD_RESULT_UNKNOWN};
    grant(ward, &one, 2);
    comes_back_the_same(ward, &one, CASE_ANNOUNCED);
    say(ward, &one, KIND_TAKE_IN, &take_in);
    comes_back_the_same(ward, &one, CASE_ANNOUNCED);
    say(ward, &one, KIND_REVEAL, &reveal);
    comes_back_the_same(ward, &one, CASE_REVEALED);
    say(ward, &one, KIND_SYNTHESIS, &synthesis);
    comes_back_the_same(ward, &one, CASE_SYNTHESISED);
    say(ward, &one, KIND_CLOSE, &close);
    comes_back_the_same(ward, &one, CASE_CLOSED);
    say(ward, &one, KIND_OUTCOME, &outcome);
    comes_back_the_same(ward, &one, CASE_FOLLOWED_UP);
}

static void a_withdrawn_case_comes_back_as_it_was(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct caserecord_withdraw withdraw = {0};
    grant(ward, &one, 2);
    say(ward, &one, KIND_WITHDRAW, &withdraw);
    comes_back_the_same(ward, &one, CASE_WITHDRAWN);
}

static void destroyed(struct ward *ward, const struct ward_case *one)
{
    struct event event = ward_event(ward, EVENT_DESTROYED);
    event.destroyed.scope = one->scope;
    event.destroyed.erase = core_case(ward->core, &one->id)->erase;
    event.destroyed.backups_until.ms = event.wall.ms + 1;
    ward_give(ward, &event);
}

static void an_erased_case_rests_once_it_is_destroyed(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct caserecord_erase erase = {.opening = one.opening, .requester = federation_node(1)};
    grant(ward, &one, 2);
    say(ward, &one, KIND_ERASE, &erase);
    rest(ward);
    assert_false(rests(ward, &one));
    destroyed(ward, &one);
    comes_back_the_same(ward, &one, CASE_ERASED);
}

static void what_is_erased_says_so_before_it_rests(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ward_share_case(ward, 2, 3);
    struct caserecord_erase erase = {.opening = one.opening, .requester = federation_node(2)};
    ward_state(ward, &one.pen, KIND_ERASE, &erase, 2);
    rest(ward);
    assert_false(rests(ward, &one));
    destroyed(ward, &one);
    struct ward_pen receipt = ward_pen(ward, 1, one.scope, AUDIENCE_CLEAR);
    assert_int_equal(1, ward_tail(ward, &receipt));
    rest(ward);
    assert_true(rests(ward, &one));
    /* nothing but clear records is taken for it, and it need not be awake for that */
    struct caserecord_post post = {.text = bytes_of_text("Too late.")};
    struct ward_pen late = ward_pen(ward, 3, one.scope, AUDIENCE_SCOPE);
    ward_state(ward, &late, KIND_POST, &post, 3);
    assert_int_equal(RECORD_DESTROYED | RECORD_BARE,
                     ward_find(ward, &late.header.stream, 1)->record.flags &
                         (RECORD_DESTROYED | RECORD_BARE));
}

static void our_own_record_wakes_it(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct caserecord_close close = {0};
    rest(ward);
    assert_true(rests(ward, &one));
    say(ward, &one, KIND_CLOSE, &close);
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &one));
    assert_true(casework_has_told(ward->core, casework_entry(ward->core, &one.id)));
}

static void the_requesters_record_wakes_it(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ward_share_case(ward, 2, 3);
    struct caserecord_close close = {0};
    rest(ward);
    assert_true(rests(ward, &one));
    ward_state(ward, &one.pen, KIND_CLOSE, &close, 2);
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &one));
    assert_int_equal(1, ward->woken_count);
}

/* C-50 */
static void an_erase_that_is_not_kept_wakes_it(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ward_share_case(ward, 2, 3);
    struct caserecord_erase erase = {.opening = one.opening, .requester = federation_node(2)};
    ward_equivocate(ward);
    rest(ward);
    assert_true(rests(ward, &one));
    ward_state(ward, &one.pen, KIND_ERASE, &erase, 3);
    assert_int_equal(CASE_ERASED, ward_case_state(ward, &one));
    assert_int_equal(1, ward->destroyed_count);
}

static void a_wish_to_join_wakes_it(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct node_id self = federation_node(1);
    struct ward_pen letter = ward_pen(ward, 2, scope_mail(&self), AUDIENCE_SCOPE);
    struct mail_join join = {.case_id = one.id, .announcement = {{1}}};
    rest(ward);
    ward_state(ward, &letter, KIND_JOIN, &join, 2);
    assert_non_null(core_case(ward->core, &one.id));
}

static bool is_record_with_key(const struct ward_sent *sent)
{
    struct reader reader;
    struct frame_record record;
    uint16_t count;
    return sent->link.value == 2 && sent->data[0] == FRAME_RECORDS &&
           frame_records_open((struct bytes){sent->data, sent->size}, &reader, &count) == OK &&
           count == 1 && frame_record_read(&reader, &record) == OK && record.has_key;
}

static void who_wants_a_record_of_it_gets_it_whole(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    size_t whole = 0;
    grant(ward, &one, 2);
    rest(ward);
    assert_true(rests(ward, &one));
    ward_forget_sent(ward);
    want(ward, 2, &one.pen.header.stream);
    for (size_t i = 0; i < ward->sent_count; i++)
        whole += is_record_with_key(&ward->sent[i]) ? 1 : 0;
    assert_int_equal(1, whole);
    ward_forget_sent(ward);
    want(ward, 3, &one.pen.header.stream); /* who has no part has none in it at rest either */
    for (size_t i = 0; i < ward->sent_count; i++)
        assert_int_equal(FRAME_STATUS, ward->sent[i].data[0]);
}

/* Nothing is asked of the store for that. */
static void who_takes_part_is_known_while_it_rests(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ward_share_case(ward, 2, 3);
    struct caserecord_grant_end end = {.participant = federation_node(3)};
    ward_state(ward, &one.pen, KIND_GRANT_END, &end, 2);
    rest(ward);
    assert_true(rests(ward, &one));
    static const bool takes_part[] = {true, true, true, false},
                      has_access[] = {true, true, false, false};
    for (uint32_t number = 1; number <= 4; number++) {
        struct node_id node = federation_node(number);
        assert_int_equal(takes_part[number - 1], casework_includes(ward->core, &one.id, &node));
        assert_int_equal(has_access[number - 1] ? OK : ERR_NOT_ENTITLED,
                         casework_may_have(ward->core, &node, &one.id));
    }
    ward_decide(ward, 2, MEMBER_REMOVED, 4);
    struct node_id successor = federation_node(4);
    assert_true(casework_includes(ward->core, &one.id, &successor));
    assert_int_equal(0, ward->woken_count);
}

static void a_case_that_was_only_looked_at_is_not_written_again(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    rest(ward);
    assert_int_equal(1, ward->rested_count);
    want(ward, 2, &one.pen.header.stream);
    struct caserecord_close close = {0};
    rest(ward);
    assert_true(rests(ward, &one));
    assert_int_equal(1, ward->rested_count);
    say(ward, &one, KIND_CLOSE, &close);
    rest(ward);
    assert_int_equal(2, ward->rested_count);
}

/* What came while the row was on its way is not in it. */
static void a_case_that_was_changed_meanwhile_stays(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct caserecord_close close = {0};
    struct event rested = ward_event(ward, EVENT_RESTED);
    rested.rest.case_id = one.id;
    ward->is_slow = true;
    rest(ward);
    assert_int_equal(1, ward->rested_count); /* it is given once */
    say(ward, &one, KIND_CLOSE, &close);
    ward_give(ward, &rested);
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &one));
    ward->is_slow = false;
    rest(ward);
    assert_true(rests(ward, &one));
    assert_int_equal(2, ward->rested_count);
}

static void a_case_that_cannot_be_kept_stays(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    ward->is_full = true;
    rest(ward);
    assert_true(ward->rested_count > 0);
    assert_non_null(core_case(ward->core, &one.id));
    ward->is_full = false;
    rest(ward);
    assert_true(rests(ward, &one));
}

/* ---- more cases than places ---- */

static void more_cases_than_places_are_remembered(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case cases[12];
    struct core_status status;
    struct caserecord_close close = {0};
    ward->case_awake_max = 4;
    ward_restart(ward);
    ward_meet(ward, 2);
    for (uint8_t i = 0; i < 12; i++) {
        cases[i] = ask(ward, i);
        ward_pass(ward, 2 * LOOK_MS); /* the places are few: nobody waits for the idle time */
    }
    core_status(ward->core, &status);
    assert_int_equal(12, status.case_count);
    assert_true(status.awake_count <= 4);
    for (size_t i = 0; i < 12; i++) {
        say(ward, &cases[i], KIND_CLOSE, &close);
        assert_int_equal(CASE_CLOSED, ward_case_state(ward, &cases[i]));
        ward_pass(ward, 2 * LOOK_MS);
    }
}

static void what_finds_no_place_is_looked_at_when_there_is_one(void **arg)
{
    struct ward *ward = *arg;
    struct caserecord_close close = {0};
    struct ward_case first = ask(ward, 1);
    rest(ward);
    assert_true(rests(ward, &first));
    struct ward_case other = ask(ward, 2);
    ward->core->casework->awake_max = 1; /* and that one has just been used */
    say(ward, &first, KIND_CLOSE, &close);
    assert_null(core_case(ward->core, &first.id));
    assert_non_null(core_case(ward->core, &other.id));
    for (int i = 0; i < 10 && core_case(ward->core, &first.id) == NULL; i++)
        ward_pass(ward, CASEWORK_RETRY_LATE_MS);
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &first));
}

static void a_row_that_cannot_be_read_stops_nothing(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct caserecord_close close = {0};
    rest(ward);
    ward->rows[0].data[40]++;
    say(ward, &one, KIND_CLOSE, &close);
    assert_null(core_case(ward->core, &one.id));
    say(ward, &one, KIND_POST, &(struct caserecord_post){.text = bytes_of_text("Go on.")});
    assert_int_equal(1, ward->woken_count);
    ward_restart(ward); /* its records tell it */
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &one));
}

/* ---- the start ---- */

static void a_case_at_rest_is_known_at_the_start_without_its_records(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1), shared = ward_share_case(ward, 2, 3);
    grant(ward, &one, 2);
    struct bytes before = row_of(ward, &one, 0);
    rest(ward);
    assert_true(rests(ward, &one) && rests(ward, &shared));
    ward_restart(ward);
    assert_true(rests(ward, &one) && rests(ward, &shared));
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    size_t loaded = ward->loaded_count;
    ward_pass(ward, LOOK_MS);
    assert_int_equal(loaded, ward->loaded_count); /* nothing is owed */
    want(ward, 2, &one.pen.header.stream);
    assert_true(bytes_equal(before, row_of(ward, &one, 1)));
}

/* Its row is older than its streams: the process ended before it went to rest again. */
static void a_case_whose_streams_went_on_is_put_together_from_its_records(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1), shared = ward_share_case(ward, 2, 3);
    struct caserecord_close close = {0};
    rest(ward);
    say(ward, &one, KIND_CLOSE, &close);
    ward_state(ward, &shared.pen, KIND_CLOSE, &close, 2);
    ward_restart(ward);
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &one));
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &shared));
}

/* The process ended before the notice to the participant was written. */
static void what_is_still_owed_is_found_at_the_start(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case one = ask(ward, 1);
    struct node_id other = federation_node(2);
    struct ward_pen letter = ward_pen(ward, 1, scope_mail(&other), AUDIENCE_SCOPE);
    grant(ward, &one, 2);
    assert_int_equal(1, ward_tail(ward, &letter));
    struct casework_case *entry = casework_entry(ward->core, &one.id);
    entry->noticed = 0; /* as if it had not been */
    rest(ward);
    ward_restart(ward);
    assert_false(rests(ward, &one));
}

static void cases_without_a_place_at_the_start_are_read_by_and_by(void **arg)
{
    struct ward *ward = *arg;
    struct ward_case cases[6];
    struct caserecord_close close = {0};
    for (uint8_t i = 0; i < 6; i++) {
        cases[i] = ask(ward, i);
        say(ward, &cases[i], KIND_CLOSE, &close);
    }
    ward->case_awake_max = 2; /* none of them has a row */
    ward_restart(ward);
    struct core_case_brief brief;
    uint32_t closed = 0;
    for (int i = 0; i < 60; i++)
        ward_pass(ward, LOOK_MS);
    for (uint32_t n = 0; core_case_at(ward->core, n, &brief); n++)
        closed += brief.state == CASE_CLOSED ? 1 : 0;
    assert_int_equal(6, closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(a_case_comes_back_as_it_was_in_every_state),
        WITH_NODE(a_withdrawn_case_comes_back_as_it_was),
        WITH_NODE(an_erased_case_rests_once_it_is_destroyed),
        WITH_NODE(what_is_erased_says_so_before_it_rests),
        WITH_NODE(our_own_record_wakes_it),
        WITH_NODE(the_requesters_record_wakes_it),
        WITH_NODE(an_erase_that_is_not_kept_wakes_it),
        WITH_NODE(a_wish_to_join_wakes_it),
        WITH_NODE(who_wants_a_record_of_it_gets_it_whole),
        WITH_NODE(who_takes_part_is_known_while_it_rests),
        WITH_NODE(a_case_that_was_only_looked_at_is_not_written_again),
        WITH_NODE(a_case_that_was_changed_meanwhile_stays),
        WITH_NODE(a_case_that_cannot_be_kept_stays),
        WITH_NODE(more_cases_than_places_are_remembered),
        WITH_NODE(what_finds_no_place_is_looked_at_when_there_is_one),
        WITH_NODE(a_row_that_cannot_be_read_stops_nothing),
        WITH_NODE(a_case_at_rest_is_known_at_the_start_without_its_records),
        WITH_NODE(a_case_whose_streams_went_on_is_put_together_from_its_records),
        WITH_NODE(what_is_still_owed_is_found_at_the_start),
        WITH_NODE(cases_without_a_place_at_the_start_are_read_by_and_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
