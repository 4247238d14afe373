/* Cases of stores that were put back to an earlier day: what a requester's older generation says
 * comes first, who does not know all that it said itself hands out nothing, and participants learn
 * again that they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/cluster_case.h"

/* The record that a pen writes next comes bare, and later whole. */
struct sealed_message {
    uint8_t memory[FRAME_SIZE_MAX], bare_memory[FRAME_SIZE_MAX];
    struct bytes whole, bare;
};

static void write_letter(struct cluster *cluster, struct cluster_pen *pen,
                         struct sealed_message *ret_letter, uint16_t kind, const void *value)
{
    struct buffer whole = buffer_over(ret_letter->memory, sizeof ret_letter->memory);
    struct buffer bare = buffer_over(ret_letter->bare_memory, sizeof ret_letter->bare_memory);
    struct reader reader;
    struct frame_record record;
    uint16_t count;
    pen->header.audience = AUDIENCE_SCOPE;
    ret_letter->whole = cluster_write_frame(pen, cluster_body(cluster, pen, kind, value), &whole);
    assert_int_equal(OK, frame_records_open(ret_letter->whole, &reader, &count));
    assert_int_equal(OK, frame_record_read(&reader, &record));
    record.has_key = false;
    record.record.size = RECORD_BARE_SIZE;
    frame_records_begin(&bare);
    frame_record_write(&bare, &record);
    frame_records_end(&bare, 1);
    ret_letter->bare = buffer_bytes(&bare);
}

static bool has_access(const struct cluster *cluster, const struct cluster_case *one,
                       uint32_t number)
{
    struct node_id node = federation_node(number);
    const struct consult_participant *part =
        consult_participant_of(engine_case(cluster->engine, &one->id), &node);
    return part != NULL && !part->is_ended;
}

/* C-44: the end of hospital 3's access comes bare at first, and behind it the next generation. */
static void a_later_generation_waits_for_what_the_older_one_says(void **state)
{
    (void)state;
    static struct sealed_message end;
    struct cluster *cluster = cluster_new(4);
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    struct cluster_case one = cluster_share_case(cluster, 2, 3);
    struct case_record_grant_end ending = {.participant = federation_node(3)};
    struct case_record_close closing = {0};
    write_letter(cluster, &one.pen, &end, KIND_GRANT_END, &ending);
    cluster_hear(cluster, 3, end.bare);
    one.pen.header.stream.generation = 2;
    one.pen.header.sequence = 1;
    cluster_state(cluster, &one.pen, KIND_CLOSE, &closing, 3);
    assert_int_equal(1, cluster_tail(cluster, &one.pen));
    assert_int_equal(CASE_ANNOUNCED, cluster_case_state(cluster, &one));
    cluster_hear(cluster, 2, end.whole);
    cluster_pass(cluster, 1000);
    assert_false(has_access(cluster, &one, 3));
    assert_true(has_access(cluster, &one, 1));
    assert_int_equal(CASE_CLOSED, cluster_case_state(cluster, &one));
    cluster_free(cluster);
}

static struct record_id own(struct cluster *cluster, struct cluster_case *one, uint16_t kind,
                            const void *value)
{
    assert_int_equal(OK, cluster_post(cluster, one->scope, AUDIENCE_SCOPE,
                                      cluster_body(cluster, &one->pen, kind, value)));
    return cluster->done_record;
}

static err may_read(struct cluster *cluster, const struct cluster_case *one, uint64_t sequence)
{
    struct node_id node = federation_node(2);
    struct record_claim claim;
    const struct cluster_kept *kept = cluster_find(cluster, &one->pen.header.stream, sequence);
    assert_non_null(kept);
    assert_int_equal(OK, record_parse(kept->record.record, &claim));
    return engine_may_read(cluster->engine, &node, &claim);
}

/* C-45: hospital 2's access was ended by a record of which only the header came back. */
static void who_missing_a_record_of_its_own_hands_out_nothing(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_new(4);
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    struct cluster_case one = cluster_case(cluster, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct case_record_open open = cluster_opening(&one, &announcement);
    struct case_record_grant grant = {.participant = federation_node(2)};
    struct case_record_grant_end ending = {.participant = federation_node(2)};
    (void)own(cluster, &one, KIND_OPEN, &open);
    (void)own(cluster, &one, KIND_GRANT, &grant);
    assert_int_equal(OK, may_read(cluster, &one, 2));
    (void)own(cluster, &one, KIND_GRANT_END, &ending);
    assert_int_equal(ERR_NOT_ENTITLED, may_read(cluster, &one, 2));
    struct cluster_kept *kept = cluster_find(cluster, &one.pen.header.stream, 3);
    struct cluster_kept lost = *kept;
    kept->record.record.size = RECORD_BARE_SIZE;
    kept->record.flags = RECORD_BARE;
    kept->record.has_key = false;
    cluster_restart(cluster);
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    cluster_pass(cluster, 1000);
    assert_true(has_access(cluster, &one, 2)); /* for all that it knows */
    assert_int_equal(ERR_NOT_ENTITLED, may_read(cluster, &one, 1));
    *kept = lost;
    cluster_restart(cluster);
    assert_false(has_access(cluster, &one, 2));
    cluster_free(cluster);
}

/* C-46 */
static void a_notice_of_a_grant_never_lapses(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_new(4);
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    struct cluster_case one = cluster_case(cluster, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct case_record_open open = cluster_opening(&one, &announcement);
    struct case_record_grant grant = {.participant = federation_node(2)};
    (void)own(cluster, &one, KIND_OPEN, &open);
    (void)own(cluster, &one, KIND_GRANT, &grant);
    struct stream_id mail = {scope_mail(&grant.participant), federation_node(1), 1};
    const struct cluster_kept *notice = cluster_find(cluster, &mail, 1);
    struct record_claim claim;
    assert_non_null(notice);
    assert_int_equal(OK, record_parse(notice->record.record, &claim));
    assert_int_equal(0, claim.header.expires.ms);
    cluster_free(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_later_generation_waits_for_what_the_older_one_says),
        cmocka_unit_test(who_missing_a_record_of_its_own_hands_out_nothing),
        cmocka_unit_test(a_notice_of_a_grant_never_lapses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
