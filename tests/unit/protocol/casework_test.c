/* Cases of stores that were put back to an earlier day: what a requester's older generation says
 * comes first, who does not know all that it said itself hands out nothing, and participants learn
 * again that they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/protocol/ward_case.h"

/* The record that a pen writes next comes bare, and later whole. */
struct letter {
    uint8_t memory[FRAME_SIZE_MAX], bare_memory[FRAME_SIZE_MAX];
    struct bytes whole, bare;
};

static void write_letter(struct ward *ward, struct ward_pen *pen, struct letter *ret_letter,
                         uint16_t kind, const void *value)
{
    struct buffer whole = buffer_over(ret_letter->memory, sizeof ret_letter->memory);
    struct buffer bare = buffer_over(ret_letter->bare_memory, sizeof ret_letter->bare_memory);
    struct reader reader;
    struct frame_record record;
    uint16_t count;
    pen->header.audience = AUDIENCE_SCOPE;
    ret_letter->whole = ward_write_frame(pen, ward_body(ward, pen, kind, value), &whole);
    assert_int_equal(OK, frame_records_open(ret_letter->whole, &reader, &count));
    assert_int_equal(OK, frame_record_read(&reader, &record));
    record.has_key = false;
    record.record.size = RECORD_BARE_SIZE;
    frame_records_begin(&bare);
    frame_record_write(&bare, &record);
    frame_records_end(&bare, 1);
    ret_letter->bare = buffer_bytes(&bare);
}

static bool has_access(const struct ward *ward, const struct ward_case *one, uint32_t number)
{
    struct node_id node = federation_node(number);
    const struct consult_participant *part =
        consult_participant_of(core_case(ward->core, &one->id), &node);
    return part != NULL && !part->is_ended;
}

/* C-44: the end of hospital 3's access comes bare at first, and behind it the next generation. */
static void a_later_generation_waits_for_what_the_older_one_says(void **state)
{
    (void)state;
    static struct letter end;
    struct ward *ward = ward_new(4);
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    struct ward_case one = ward_share_case(ward, 2, 3);
    struct caserecord_grant_end ending = {.participant = federation_node(3)};
    struct caserecord_close closing = {0};
    write_letter(ward, &one.pen, &end, KIND_GRANT_END, &ending);
    ward_hear(ward, 3, end.bare);
    one.pen.header.stream.generation = 2;
    one.pen.header.sequence = 1;
    ward_state(ward, &one.pen, KIND_CLOSE, &closing, 3);
    assert_int_equal(1, ward_tail(ward, &one.pen));
    assert_int_equal(CASE_ANNOUNCED, ward_case_state(ward, &one));
    ward_hear(ward, 2, end.whole);
    ward_pass(ward, 1000);
    assert_false(has_access(ward, &one, 3));
    assert_true(has_access(ward, &one, 1));
    assert_int_equal(CASE_CLOSED, ward_case_state(ward, &one));
    ward_free(ward);
}

static struct record_id own(struct ward *ward, struct ward_case *one, uint16_t kind,
                            const void *value)
{
    assert_int_equal(
        OK, ward_post(ward, one->scope, AUDIENCE_SCOPE, ward_body(ward, &one->pen, kind, value)));
    return ward->done_record;
}

static err may_read(struct ward *ward, const struct ward_case *one, uint64_t sequence)
{
    struct node_id node = federation_node(2);
    struct record_claim claim;
    const struct ward_kept *kept = ward_find(ward, &one->pen.header.stream, sequence);
    assert_non_null(kept);
    assert_int_equal(OK, record_parse(kept->record.record, &claim));
    return core_may_read(ward->core, &node, &claim);
}

/* C-45: hospital 2's access was ended by a record of which only the header came back. */
static void who_lacks_a_record_of_its_own_hands_out_nothing(void **state)
{
    (void)state;
    struct ward *ward = ward_new(4);
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    struct ward_case one = ward_case(ward, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct caserecord_open open = ward_opening(&one, &announcement);
    struct caserecord_grant grant = {.participant = federation_node(2)};
    struct caserecord_grant_end ending = {.participant = federation_node(2)};
    (void)own(ward, &one, KIND_OPEN, &open);
    (void)own(ward, &one, KIND_GRANT, &grant);
    assert_int_equal(OK, may_read(ward, &one, 2));
    (void)own(ward, &one, KIND_GRANT_END, &ending);
    assert_int_equal(ERR_NOT_ENTITLED, may_read(ward, &one, 2));
    struct ward_kept *kept = ward_find(ward, &one.pen.header.stream, 3);
    struct ward_kept lost = *kept;
    kept->record.record.size = RECORD_BARE_SIZE;
    kept->record.flags = RECORD_BARE;
    kept->record.has_key = false;
    ward_restart(ward);
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    ward_pass(ward, 1000);
    assert_true(has_access(ward, &one, 2)); /* for all that it knows */
    assert_int_equal(ERR_NOT_ENTITLED, may_read(ward, &one, 1));
    *kept = lost;
    ward_restart(ward);
    assert_false(has_access(ward, &one, 2));
    ward_free(ward);
}

/* C-46 */
static void a_notice_of_a_grant_never_lapses(void **state)
{
    (void)state;
    struct ward *ward = ward_new(4);
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    struct ward_case one = ward_case(ward, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct caserecord_open open = ward_opening(&one, &announcement);
    struct caserecord_grant grant = {.participant = federation_node(2)};
    (void)own(ward, &one, KIND_OPEN, &open);
    (void)own(ward, &one, KIND_GRANT, &grant);
    struct stream_id mail = {scope_mail(&grant.participant), federation_node(1), 1};
    const struct ward_kept *notice = ward_find(ward, &mail, 1);
    struct record_claim claim;
    assert_non_null(notice);
    assert_int_equal(OK, record_parse(notice->record.record, &claim));
    assert_int_equal(0, claim.header.expires.ms);
    ward_free(ward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_later_generation_waits_for_what_the_older_one_says),
        cmocka_unit_test(who_lacks_a_record_of_its_own_hands_out_nothing),
        cmocka_unit_test(a_notice_of_a_grant_never_lapses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
