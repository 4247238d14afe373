/* Our own records: what stops them, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/contents/mail.h"
#include "protocol/contents/mirror.h"
#include "protocol/state/case_table.h"
#include "protocol/state/engine_state.h"
#include "tests/harness/cluster_case.h"

static int given_a_node(void **state)
{
    struct cluster *cluster = cluster_new(3);
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

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, given_a_node, then_it_ends)

static struct scope board_of(struct cluster *cluster)
{
    struct federation_id federation = roster_federation(&cluster->roster);
    return scope_board(&federation, bytes_of_text("hematology"));
}

/* This node writes such a statement; what became of it. */
static err state(struct cluster *cluster, struct scope scope, uint16_t kind, const void *value)
{
    struct cluster_pen pen = cluster_pen(cluster, 1, scope, AUDIENCE_SCOPE);
    bool is_clear = (kind_rule(kind)->audiences & KIND_CLEAR) != 0;
    return cluster_post(cluster, scope, is_clear ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                        cluster_body(cluster, &pen, kind, value));
}

static err open_case(struct cluster *cluster, const struct cluster_case *one)
{
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct case_record_open open = cluster_opening(one, &announcement);
    return state(cluster, one->scope, KIND_OPEN, &open);
}

static void a_seal_that_failed_fails_the_post_and_frees_the_stream(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = cluster_case(cluster, 1);
    cluster->seal = ERR_TOO_LARGE;
    assert_int_equal(ERR_TOO_LARGE, open_case(cluster, &one));
    assert_int_equal(OK, open_case(cluster, &one));
    assert_int_equal(1, cluster_tail(cluster, &one.pen));
}

/* (T-15) */
static void an_expired_roster_stops_announcements_and_grants_only(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_case one = cluster_case(cluster, 1);
    struct case_record_grant grant = {.participant = federation_node(2)};
    struct case_record_close close = {0};
    struct case_record_erase erase = {.opening = one.opening, .requester = federation_node(1)};
    struct mirror mirror = {one.id, MIRROR_ERASED, {0}};
    assert_int_equal(OK, open_case(cluster, &one));
    cluster_pass(cluster, 401 * 24 * FEDERATION_HOUR_MS);
    assert_int_equal(ERR_EXPIRED, state(cluster, one.scope, KIND_GRANT, &grant));
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct case_record_open open = cluster_opening(&one, &content);
    struct announcement announcement;
    assert_int_equal(OK, announcement_read(open.announcement, &announcement));
    assert_int_equal(ERR_EXPIRED,
                     state(cluster, board_of(cluster), KIND_ANNOUNCEMENT, &announcement));
    assert_int_equal(OK, state(cluster, board_of(cluster), KIND_MIRROR, &mirror));
    assert_int_equal(OK, state(cluster, one.scope, KIND_CLOSE, &close));
    assert_int_equal(OK, state(cluster, one.scope, KIND_ERASE, &erase));
}

/* (C-54) */
static void a_case_for_which_there_is_no_room_is_not_begun(void **arg)
{
    struct cluster *cluster = *arg;
    struct federation_id federation = roster_federation(&cluster->roster);
    struct node_id self = federation_node(1);
    struct cluster_case first = cluster_case(cluster, 1), second = first;
    second.opening.bytes[1] = 9;
    second.id = case_record_case_id(&federation, &self, &second.opening);
    second.scope = scope_case(&second.id);
    struct case_record_close close = {0};
    struct mail_join join = {.case_id = second.id, .announcement = {{1}}};
    struct node_id other = federation_node(2);
    assert_int_equal(OK, open_case(cluster, &first));
    cluster->engine->case_table->count_max = cluster->engine->case_table->count;
    assert_int_equal(ERR_FULL, open_case(cluster, &second));
    assert_int_equal(ERR_FULL, state(cluster, scope_mail(&other), KIND_JOIN, &join));
    assert_int_equal(OK, state(cluster, first.scope, KIND_CLOSE, &close));
    cluster->engine->case_table->count_max++;
    assert_int_equal(OK, state(cluster, scope_mail(&other), KIND_JOIN, &join));
}

static bool is_status(const struct cluster_sent *sent, uint64_t sequence)
{
    struct frame_status status;
    return sent->link.value == 2 && sent->data[0] == FRAME_STATUS &&
           frame_status_read((struct bytes){sent->data, sent->size}, &status) == OK &&
           status.sequence == sequence && status.answer == FRAME_NOT_HELD;
}

/* The disk lost what the stream's row still names. */
static void a_range_that_is_missing_is_answered_so(void **arg)
{
    struct cluster *cluster = *arg;
    struct cluster_pen pen = cluster_pen(cluster, 3, board_of(cluster), AUDIENCE_SCOPE);
    static const uint8_t words[] = {0x01, 0xf0, 0, 0, 0, 0, 0, 1, 0x80};
    cluster_say(cluster, &pen, (struct bytes){words, sizeof words}, 3);
    cluster_say(cluster, &pen, (struct bytes){words, sizeof words}, 3);
    cluster_find(cluster, &pen.header.stream, 2)->sequence = 99;
    struct frame_want want = {.stream = pen.header.stream, .from = 2, .count = 1};
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_want_write(&frame, &want);
    cluster_forget_sent(cluster);
    cluster_hear(cluster, 2, buffer_bytes(&frame));
    assert_int_equal(1, cluster->sent_count);
    assert_true(is_status(&cluster->sent[0], 2));
}

/* Each opens as many as it likes; our own have their quarter of the table. */
static void a_case_of_ours_has_room_however_many_others_have(void **arg)
{
    struct cluster *cluster = *arg;
    struct node_id self = federation_node(1);
    struct federation_id federation = roster_federation(&cluster->roster);
    struct cluster_pen letter = cluster_pen(cluster, 2, scope_mail(&self), AUDIENCE_SCOPE);
    for (uint8_t i = 0; i < 40; i++) {
        struct mail_grant_notice notice = {.requester = federation_node(2),
                                           .grant = {{1}},
                                           .copy = bytes_of_text("x"),
                                           .opening = {{i, 9}}};
        notice.case_id = case_record_case_id(&federation, &notice.requester, &notice.opening);
        cluster_state(cluster, &letter, KIND_GRANT_NOTICE, &notice, 2);
    }
    assert_int_equal(40, cluster_tail(cluster, &letter));
    struct cluster_case one = cluster_case(cluster, 1);
    assert_int_equal(OK, open_case(cluster, &one));
    assert_non_null(engine_case(cluster->engine, &one.id));
    assert_int_equal(CASE_ANNOUNCED, cluster_case_state(cluster, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(a_seal_that_failed_fails_the_post_and_frees_the_stream),
        WITH_NODE(an_expired_roster_stops_announcements_and_grants_only),
        WITH_NODE(a_case_for_which_there_is_no_room_is_not_begun),
        WITH_NODE(a_case_of_ours_has_room_however_many_others_have),
        WITH_NODE(a_range_that_is_missing_is_answered_so),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
