/* Cases leave memory when nothing comes for them, and whatever comes for one brings it back as it
 * was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/cases/case_automation.h"
#include "protocol/cases/case_retry.h"
#include "protocol/replication/push.h"
#include "tests/harness/cluster_case.h"

enum { IDLE_MS = 5000, LOOK_MS = 1000 };

static int given_a_node_that_lets_cases_rest(void **state)
{
    struct cluster *cluster = cluster_new(4);
    cluster->case_idle_ms = IDLE_MS;
    cluster_restart(cluster);
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    *state = cluster;
    return 0;
}

static int then_it_ends(void **state)
{
    cluster_free(*state);
    return 0;
}

#define WITH_NODE(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, given_a_node_that_lets_cases_rest, then_it_ends)

/* This node says so in its case. */
static void say(struct cluster *cluster, const struct cluster_case *one, uint16_t kind,
                const void *value)
{
    struct cluster_pen pen = cluster_pen(cluster, 1, one->scope, AUDIENCE_SCOPE);
    bool is_clear = (kind_rule(kind)->audiences & KIND_CLEAR) != 0;
    assert_int_equal(OK,
                     cluster_post(cluster, one->scope, is_clear ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                                  cluster_body(cluster, &pen, kind, value)));
}

/* A case of this node, told from others by `number`. */
static struct cluster_case ask(struct cluster *cluster, uint8_t number)
{
    struct federation_id federation = roster_federation(&cluster->roster);
    struct node_id self = federation_node(1);
    struct cluster_case one = cluster_case(cluster, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    one.opening.bytes[1] = number;
    one.id = case_record_case_id(&federation, &self, &one.opening);
    one.scope = scope_case(&one.id);
    one.pen = cluster_pen(cluster, 1, one.scope, AUDIENCE_SCOPE);
    struct case_record_open open = cluster_opening(&one, &announcement);
    say(cluster, &one, KIND_OPEN, &open);
    return one;
}

static void grant(struct cluster *cluster, const struct cluster_case *one, uint32_t number)
{
    struct case_record_grant grant = {.participant = federation_node(number)};
    say(cluster, one, KIND_GRANT, &grant);
}

/* Long enough for every case to be looked at. */
static void rest(struct cluster *cluster)
{
    cluster_pass(cluster, IDLE_MS);
    for (int i = 0; i < 4; i++)
        cluster_pass(cluster, LOOK_MS);
}

static bool rests(const struct cluster *cluster, const struct cluster_case *one)
{
    return engine_case(cluster->engine, &one->id) == NULL &&
           engine_case_rests(cluster->engine, &one->id);
}

static struct bytes row_of(const struct cluster *cluster, const struct cluster_case *one, int which)
{
    static uint8_t memory[2][ENGINE_CASE_SIZE_MAX];
    struct buffer out = buffer_over(memory[which], sizeof memory[which]);
    assert_int_equal(OK, engine_case_export(cluster->engine, &one->id, &out));
    return buffer_bytes(&out);
}

/* Hospital `number` asks for the first record of the stream. */
static void want(struct cluster *cluster, uint32_t number, const struct stream_id *stream)
{
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_want wanted = {*stream, 1, 1};
    frame_want_write(&frame, &wanted);
    cluster_hear(cluster, number, buffer_bytes(&frame));
}

static void comes_back_the_same(struct cluster *cluster, const struct cluster_case *one,
                                enum case_state state)
{
    struct engine_case_brief brief;
    unsigned woken = cluster->woken_count;
    assert_int_equal(state, cluster_case_state(cluster, one));
    struct bytes before = row_of(cluster, one, 0);
    rest(cluster);
    assert_true(rests(cluster, one));
    assert_true(engine_case_at(cluster->engine, 0, &brief));
    assert_int_equal(state, brief.state);
    want(cluster, 2, &one->pen.header.stream);
    assert_int_equal(woken + 1, cluster->woken_count);
    assert_true(bytes_equal(before, row_of(cluster, one, 1)));
}

static void a_case_comes_back_as_it_was_in_every_state(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct record_id opinion = {{7}};
    struct case_record_take_in take_in = {.taken = {{federation_node(2), opinion, KIND_OPINION}},
                                          .taken_count = 1};
    struct case_record_reveal reveal = {.records = {opinion}, .record_count = 1};
    struct case_record_synthesis synthesis = {.text = bytes_of_text("As was thought.")};
    struct case_record_close close = {0};
    struct case_record_outcome outcome = {
        .day = 21, .followed = CASERECORD_FOLLOWED, .result = CASERECORD_RESULT_UNKNOWN};
    grant(cluster, &one, 2);
    comes_back_the_same(cluster, &one, CASE_ANNOUNCED);
    say(cluster, &one, KIND_TAKE_IN, &take_in);
    comes_back_the_same(cluster, &one, CASE_ANNOUNCED);
    say(cluster, &one, KIND_REVEAL, &reveal);
    comes_back_the_same(cluster, &one, CASE_REVEALED);
    say(cluster, &one, KIND_SYNTHESIS, &synthesis);
    comes_back_the_same(cluster, &one, CASE_SYNTHESISED);
    say(cluster, &one, KIND_CLOSE, &close);
    comes_back_the_same(cluster, &one, CASE_CLOSED);
    say(cluster, &one, KIND_OUTCOME, &outcome);
    comes_back_the_same(cluster, &one, CASE_FOLLOWED_UP);
}

static void a_withdrawn_case_comes_back_as_it_was(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct case_record_withdraw withdraw = {0};
    grant(cluster, &one, 2);
    say(cluster, &one, KIND_WITHDRAW, &withdraw);
    comes_back_the_same(cluster, &one, CASE_WITHDRAWN);
}

static void destroyed(struct cluster *cluster, const struct cluster_case *one)
{
    struct event event = cluster_event(cluster, EVENT_DESTROYED);
    event.destroyed.scope = one->scope;
    event.destroyed.erase = engine_case(cluster->engine, &one->id)->erase;
    event.destroyed.backups_until.ms = event.wall.ms + 1;
    cluster_give(cluster, &event);
}

static void an_erased_case_rests_once_it_is_destroyed(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct case_record_erase erase = {.opening = one.opening, .requester = federation_node(1)};
    grant(cluster, &one, 2);
    say(cluster, &one, KIND_ERASE, &erase);
    rest(cluster);
    assert_false(rests(cluster, &one));
    destroyed(cluster, &one);
    comes_back_the_same(cluster, &one, CASE_ERASED);
}

static void what_is_erased_says_so_before_it_rests(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = cluster_share_case(cluster, 2, 3);
    struct case_record_erase erase = {.opening = one.opening, .requester = federation_node(2)};
    cluster_state(cluster, &one.pen, KIND_ERASE, &erase, 2);
    rest(cluster);
    assert_false(rests(cluster, &one));
    destroyed(cluster, &one);
    struct cluster_pen receipt = cluster_pen(cluster, 1, one.scope, AUDIENCE_CLEAR);
    assert_int_equal(1, cluster_tail(cluster, &receipt));
    rest(cluster);
    assert_true(rests(cluster, &one));
    /* nothing but clear records is taken for it, and it need not be awake for that */
    struct case_record_post post = {.text = bytes_of_text("Too late.")};
    struct cluster_pen late = cluster_pen(cluster, 3, one.scope, AUDIENCE_SCOPE);
    cluster_state(cluster, &late, KIND_POST, &post, 3);
    assert_int_equal(RECORD_DESTROYED | RECORD_BARE,
                     cluster_find(cluster, &late.header.stream, 1)->record.flags &
                         (RECORD_DESTROYED | RECORD_BARE));
}

static void our_own_record_wakes_it(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct case_record_close close = {0};
    rest(cluster);
    assert_true(rests(cluster, &one));
    say(cluster, &one, KIND_CLOSE, &close);
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &one));
    assert_true(
        case_automation_has_told(cluster->engine, case_table_entry(cluster->engine, &one.id)));
}

static void the_requesters_record_wakes_it(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = cluster_share_case(cluster, 2, 3);
    struct case_record_close close = {0};
    rest(cluster);
    assert_true(rests(cluster, &one));
    cluster_state(cluster, &one.pen, KIND_CLOSE, &close, 2);
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &one));
    assert_int_equal(1, cluster->woken_count);
}

/* C-50 */
static void an_erase_that_is_not_kept_wakes_it(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = cluster_share_case(cluster, 2, 3);
    struct case_record_erase erase = {.opening = one.opening, .requester = federation_node(2)};
    cluster_equivocate(cluster);
    rest(cluster);
    assert_true(rests(cluster, &one));
    cluster_state(cluster, &one.pen, KIND_ERASE, &erase, 3);
    assert_int_equal(CASE_ERASED, cluster_case_state(cluster, &one));
    assert_int_equal(1, cluster->destroyed_count);
}

static void a_wish_to_join_wakes_it(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct node_id self = federation_node(1);
    struct cluster_pen letter = cluster_pen(cluster, 2, scope_mail(&self), AUDIENCE_SCOPE);
    struct mail_join join = {.case_id = one.id, .announcement = {{1}}};
    rest(cluster);
    cluster_state(cluster, &letter, KIND_JOIN, &join, 2);
    assert_non_null(engine_case(cluster->engine, &one.id));
}

static bool is_record_with_key(const struct cluster_sent *sent)
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
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    size_t whole = 0;
    grant(cluster, &one, 2);
    rest(cluster);
    assert_true(rests(cluster, &one));
    cluster_forget_sent(cluster);
    want(cluster, 2, &one.pen.header.stream);
    for (size_t i = 0; i < cluster->sent_count; i++)
        whole += is_record_with_key(&cluster->sent[i]) ? 1 : 0;
    assert_int_equal(1, whole);
    cluster_forget_sent(cluster);
    want(cluster, 3, &one.pen.header.stream); /* who has no part has none in it at rest either */
    for (size_t i = 0; i < cluster->sent_count; i++)
        assert_int_equal(FRAME_STATUS, cluster->sent[i].data[0]);
}

/* Nothing is asked of the store for that. */
static void who_takes_part_is_known_while_it_rests(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = cluster_share_case(cluster, 2, 3);
    struct case_record_grant_end end = {.participant = federation_node(3)};
    cluster_state(cluster, &one.pen, KIND_GRANT_END, &end, 2);
    rest(cluster);
    assert_true(rests(cluster, &one));
    static const bool takes_part[] = {true, true, true, false},
                      has_access[] = {true, true, false, false};
    for (uint32_t number = 1; number <= 4; number++) {
        struct node_id node = federation_node(number);
        assert_int_equal(takes_part[number - 1],
                         case_table_includes(cluster->engine, &one.id, &node));
        assert_int_equal(has_access[number - 1] ? OK : ERR_NOT_ENTITLED,
                         case_table_may_have(cluster->engine, &node, &one.id));
    }
    cluster_decide(cluster, 2, MEMBER_REMOVED, 4);
    struct node_id successor = federation_node(4);
    assert_true(case_table_includes(cluster->engine, &one.id, &successor));
    assert_int_equal(0, cluster->woken_count);
}

static void a_case_that_was_only_looked_at_is_not_written_again(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    rest(cluster);
    assert_int_equal(1, cluster->rested_count);
    want(cluster, 2, &one.pen.header.stream);
    struct case_record_close close = {0};
    rest(cluster);
    assert_true(rests(cluster, &one));
    assert_int_equal(1, cluster->rested_count);
    say(cluster, &one, KIND_CLOSE, &close);
    rest(cluster);
    assert_int_equal(2, cluster->rested_count);
}

/* What came while the row was on its way is not in it. */
static void a_case_that_was_changed_meanwhile_stays(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct case_record_close close = {0};
    struct event rested = cluster_event(cluster, EVENT_RESTED);
    rested.rest.case_id = one.id;
    cluster->is_slow = true;
    rest(cluster);
    assert_int_equal(1, cluster->rested_count); /* it is given once */
    say(cluster, &one, KIND_CLOSE, &close);
    cluster_give(cluster, &rested);
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &one));
    cluster->is_slow = false;
    rest(cluster);
    assert_true(rests(cluster, &one));
    assert_int_equal(2, cluster->rested_count);
}

static void a_case_that_cannot_be_kept_stays(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    cluster->is_full = true;
    rest(cluster);
    assert_true(cluster->rested_count > 0);
    assert_non_null(engine_case(cluster->engine, &one.id));
    cluster->is_full = false;
    rest(cluster);
    assert_true(rests(cluster, &one));
}

/* ---- more cases than places ---- */

static void more_cases_than_places_are_remembered(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case cases[12];
    struct engine_status status;
    struct case_record_close close = {0};
    cluster->case_awake_max = 4;
    cluster_restart(cluster);
    cluster_meet(cluster, 2);
    for (uint8_t i = 0; i < 12; i++) {
        cases[i] = ask(cluster, i);
        cluster_pass(cluster, 2 * LOOK_MS); /* the places are few: nobody waits for the idle time */
    }
    engine_status(cluster->engine, &status);
    assert_int_equal(12, status.case_count);
    assert_true(status.awake_count <= 4);
    for (size_t i = 0; i < 12; i++) {
        say(cluster, &cases[i], KIND_CLOSE, &close);
        assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &cases[i]));
        cluster_pass(cluster, 2 * LOOK_MS);
    }
}

static void what_finds_no_place_is_looked_at_when_there_is_one(void **arg)
{
    struct cluster *cluster = *arg;
    struct case_record_close close = {0};
    struct cluster_case first = ask(cluster, 1);
    rest(cluster);
    assert_true(rests(cluster, &first));
    struct cluster_case other = ask(cluster, 2);
    cluster->engine->case_table->awake_max = 1; /* and that one has just been used */
    say(cluster, &first, KIND_CLOSE, &close);
    assert_null(engine_case(cluster->engine, &first.id));
    assert_non_null(engine_case(cluster->engine, &other.id));
    for (int i = 0; i < 10 && engine_case(cluster->engine, &first.id) == NULL; i++)
        cluster_pass(cluster, CASE_RETRY_LATE_MS);
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &first));
}

static void a_row_that_cannot_be_read_stops_nothing(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct case_record_close close = {0};
    rest(cluster);
    cluster->rows[0].data[40]++;
    say(cluster, &one, KIND_CLOSE, &close);
    assert_null(engine_case(cluster->engine, &one.id));
    say(cluster, &one, KIND_POST, &(struct case_record_post){.text = bytes_of_text("Go on.")});
    assert_int_equal(1, cluster->woken_count);
    cluster_restart(cluster); /* its records tell it */
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &one));
}

/* ---- the start ---- */

static void a_case_at_rest_is_known_at_the_start_without_its_records(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1), shared = cluster_share_case(cluster, 2, 3);
    grant(cluster, &one, 2);
    struct bytes before = row_of(cluster, &one, 0);
    rest(cluster);
    assert_true(rests(cluster, &one) && rests(cluster, &shared));
    cluster_restart(cluster);
    assert_true(rests(cluster, &one) && rests(cluster, &shared));
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    size_t loaded = cluster->loaded_count;
    cluster_pass(cluster, LOOK_MS);
    assert_int_equal(loaded, cluster->loaded_count); /* nothing is owed */
    want(cluster, 2, &one.pen.header.stream);
    assert_true(bytes_equal(before, row_of(cluster, &one, 1)));
}

/* Its row is older than its streams: the process ended before it went to rest again. */
static void a_case_whose_streams_went_on_is_put_together_from_its_records(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1), shared = cluster_share_case(cluster, 2, 3);
    struct case_record_close close = {0};
    rest(cluster);
    say(cluster, &one, KIND_CLOSE, &close);
    cluster_state(cluster, &shared.pen, KIND_CLOSE, &close, 2);
    cluster_restart(cluster);
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &one));
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &shared));
}

/* The process ended before the notice to the participant was written. */
static void what_is_still_owed_is_found_at_the_start(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = ask(cluster, 1);
    struct node_id other = federation_node(2);
    struct cluster_pen letter = cluster_pen(cluster, 1, scope_mail(&other), AUDIENCE_SCOPE);
    grant(cluster, &one, 2);
    assert_int_equal(1, cluster_tail(cluster, &letter));
    struct case_table_entry *entry = case_table_entry(cluster->engine, &one.id);
    entry->noticed = 0; /* as if it had not been */
    rest(cluster);
    cluster_restart(cluster);
    assert_false(rests(cluster, &one));
}

/* C-51: the process ended after the row that remembers the case, and before all was destroyed. */
static void an_erasure_that_was_under_way_is_found_at_the_start(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = cluster_share_case(cluster, 2, 3);
    struct case_record_erase erase = {.opening = one.opening, .requester = federation_node(2)};
    rest(cluster);
    assert_true(rests(cluster, &one));
    cluster_state(cluster, &one.pen, KIND_ERASE, &erase, 2);
    struct bytes row = row_of(cluster, &one, 0);
    struct cluster_row *kept = &cluster->rows[0];
    assert_true(cluster->row_count == 1 && ID_EQUAL(kept->case_id, one.id));
    kept->data = realloc(kept->data, row.size);
    assert_non_null(kept->data);
    memcpy(kept->data, row.data, row.size);
    kept->size = row.size;
    cluster_restart(cluster);
    assert_false(rests(cluster, &one));
    assert_int_equal(CASE_ERASED, cluster_case_state(cluster, &one));
    destroyed(cluster, &one);
    struct cluster_pen receipt = cluster_pen(cluster, 1, one.scope, AUDIENCE_CLEAR);
    assert_int_equal(1, cluster_tail(cluster, &receipt));
    rest(cluster);
    cluster_restart(cluster);
    assert_true(rests(cluster, &one));
}

static void cases_without_a_place_at_the_start_are_read_by_and_by(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case cases[6];
    struct case_record_close close = {0};
    for (uint8_t i = 0; i < 6; i++) {
        cases[i] = ask(cluster, i);
        say(cluster, &cases[i], KIND_CLOSE, &close);
    }
    cluster->case_awake_max = 2; /* none of them has a row */
    cluster_restart(cluster);
    struct engine_case_brief brief;
    uint32_t closed = 0;
    for (int i = 0; i < 60; i++)
        cluster_pass(cluster, LOOK_MS);
    for (uint32_t n = 0; engine_case_at(cluster->engine, n, &brief); n++)
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
        WITH_NODE(an_erasure_that_was_under_way_is_found_at_the_start),
        WITH_NODE(what_is_still_owed_is_found_at_the_start),
        WITH_NODE(cases_without_a_place_at_the_start_are_read_by_and_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
