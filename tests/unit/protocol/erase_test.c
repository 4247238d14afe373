/* C-50: an ERASE is obeyed on its own valid signature, though its stream stands still; of a removed
 * requester only the successor's word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/protocol/ward_case.h"

struct bed {
    struct ward *ward;
    struct ward_case one; /* of hospital 2, shared with this node and hospital 3 */
};

static int given_a_case_of_hospital_2(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    bed->ward = ward_new(4);
    for (uint32_t number = 2; number <= 4; number++)
        ward_meet(bed->ward, number);
    bed->one = ward_share_case(bed->ward, 2, 3);
    *state = bed;
    return 0;
}

static int then_it_ends(void **state)
{
    struct bed *bed = *state;
    ward_free(bed->ward);
    free(bed);
    return 0;
}

#define AT_BED(test) cmocka_unit_test_setup_teardown(test, given_a_case_of_hospital_2, then_it_ends)

static struct caserecord_erase word(const struct bed *bed)
{
    return (struct caserecord_erase){.opening = bed->one.opening,
                                     .requester = bed->one.pen.header.stream.writer};
}

/* The requester's ERASE, passed on by hospital 3. */
static void erase_by_3(struct bed *bed)
{
    struct caserecord_erase erase = word(bed);
    ward_state(bed->ward, &bed->one.pen, KIND_ERASE, &erase, 3);
}

static bool is_erased(const struct bed *bed)
{
    bool is_so = ward_case_state(bed->ward, &bed->one) == CASE_ERASED;
    assert_int_equal(is_so ? 1 : 0, bed->ward->destroyed_count);
    return is_so;
}

static void it_is_obeyed_in_its_place(void **state)
{
    struct bed *bed = *state;
    erase_by_3(bed);
    assert_true(is_erased(bed));
}

static void it_is_obeyed_from_who_equivocated(void **state)
{
    struct bed *bed = *state;
    uint64_t tail = ward_tail(bed->ward, &bed->one.pen);
    ward_equivocate(bed->ward);
    erase_by_3(bed);
    assert_true(is_erased(bed));
    assert_int_equal(tail, ward_tail(bed->ward, &bed->one.pen)); /* the stream stands still */
}

static void it_is_obeyed_in_a_stream_that_is_forked_itself(void **state)
{
    struct bed *bed = *state;
    struct ward_pen other = bed->one.pen;
    struct caserecord_grant grant = {.participant = federation_node(4)};
    struct caserecord_withdraw withdraw = {0};
    ward_state(bed->ward, &bed->one.pen, KIND_GRANT, &grant, 2);
    ward_state(bed->ward, &other, KIND_WITHDRAW, &withdraw, 3);
    assert_int_equal(1, bed->ward->forked_count);
    bed->one.pen = other; /* on the other branch */
    erase_by_3(bed);
    assert_true(is_erased(bed));
}

static void it_is_obeyed_from_who_is_suspended(void **state)
{
    struct bed *bed = *state;
    ward_decide(bed->ward, 2, MEMBER_SUSPENDED, 0);
    bed->one.pen.header.sequence += 5; /* what stands before it will never come */
    erase_by_3(bed);
    assert_true(is_erased(bed));
}

static void nothing_else_of_them_is_taken_so(void **state)
{
    struct bed *bed = *state;
    struct caserecord_close close = {0};
    uint64_t tail = ward_tail(bed->ward, &bed->one.pen);
    ward_decide(bed->ward, 2, MEMBER_SUSPENDED, 0);
    ward_state(bed->ward, &bed->one.pen, KIND_CLOSE, &close, 3);
    assert_int_equal(tail, ward_tail(bed->ward, &bed->one.pen));
    assert_int_equal(CASE_ANNOUNCED, ward_case_state(bed->ward, &bed->one));
}

static void one_that_another_signed_is_not_obeyed(void **state)
{
    struct bed *bed = *state;
    ward_decide(bed->ward, 2, MEMBER_SUSPENDED, 0);
    bed->one.pen.key_number = 9;
    erase_by_3(bed);
    assert_false(is_erased(bed));
}

static void one_of_a_participant_is_not_obeyed(void **state)
{
    struct bed *bed = *state;
    struct caserecord_erase erase = word(bed);
    struct ward_pen pen = ward_pen(bed->ward, 3, bed->one.scope, AUDIENCE_CLEAR);
    ward_state(bed->ward, &pen, KIND_ERASE, &erase, 3);
    assert_false(is_erased(bed));
}

/* C-52 */
static void of_a_removed_requester_it_is_not_obeyed(void **state)
{
    struct bed *bed = *state;
    ward_decide(bed->ward, 2, MEMBER_SUSPENDED, 0);
    ward_decide(bed->ward, 2, MEMBER_REMOVED, 4);
    erase_by_3(bed);
    assert_false(is_erased(bed));
}

static void its_successor_is_obeyed_and_after_a_restart_too(void **state)
{
    struct bed *bed = *state;
    struct caserecord_erase erase = word(bed);
    ward_decide(bed->ward, 2, MEMBER_REMOVED, 4);
    ward_restart(bed->ward);
    ward_meet(bed->ward, 4);
    struct ward_pen stranger = ward_pen(bed->ward, 3, bed->one.scope, AUDIENCE_CLEAR);
    ward_state(bed->ward, &stranger, KIND_ERASE, &erase, 4);
    assert_false(is_erased(bed));
    struct ward_pen successor = ward_pen(bed->ward, 4, bed->one.scope, AUDIENCE_CLEAR);
    ward_state(bed->ward, &successor, KIND_ERASE, &erase, 4);
    assert_true(is_erased(bed));
}

/* ---- passing it on ---- */

/* How many records went to hospital `number` whose stream is the requester's in the case. */
static unsigned sent_to(struct bed *bed, uint32_t number)
{
    unsigned found = 0;
    for (size_t i = 0; i < bed->ward->sent_count; i++) {
        struct ward_sent *sent = &bed->ward->sent[i];
        struct reader reader;
        struct frame_record record;
        struct record_claim claim;
        uint16_t count;
        if (sent->link.value != number || sent->data[0] != FRAME_RECORDS ||
            frame_records_open((struct bytes){sent->data, sent->size}, &reader, &count) != OK)
            continue;
        while (count-- > 0 && frame_record_read(&reader, &record) == OK) {
            assert_int_equal(OK, record_parse(record.record, &claim));
            found += !record.has_key &&
                     stream_id_equal(&claim.header.stream, &bed->one.pen.header.stream);
        }
    }
    ward_forget_sent(bed->ward);
    return found;
}

static void who_holds_it_gives_it_to_those_whom_its_stream_brings_nothing(void **state)
{
    struct bed *bed = *state;
    erase_by_3(bed);
    struct record_id id = bed->one.pen.header.previous;
    ward_forget_sent(bed->ward);
    ward_pass(bed->ward, SUMMARY_INTERVAL_MS);
    assert_int_equal(0, sent_to(bed, 3)); /* the streams are compared, and bring it */
    ward_decide(bed->ward, 2, MEMBER_SUSPENDED, 0);
    ward_forget_sent(bed->ward);
    ward_pass(bed->ward, SUMMARY_INTERVAL_MS);
    assert_int_equal(1, sent_to(bed, 3));
    ward_restart(bed->ward);
    ward_meet(bed->ward, 3);
    ward_meet(bed->ward, 4);
    ward_pass(bed->ward, SUMMARY_INTERVAL_MS);
    assert_int_equal(0, sent_to(bed, 4)); /* it has no part in the case */
    ward_pass(bed->ward, SUMMARY_INTERVAL_MS);
    assert_int_equal(1, sent_to(bed, 3));
    struct caserecord_erased erased = {
        .erase = id, .backups_until = {FEDERATION_START_MS * 2}, .caveats = CASERECORD_CAVEATS_ALL};
    struct ward_pen receipt = ward_pen(bed->ward, 3, bed->one.scope, AUDIENCE_CLEAR);
    ward_state(bed->ward, &receipt, KIND_ERASED, &erased, 3);
    ward_forget_sent(bed->ward);
    ward_pass(bed->ward, SUMMARY_INTERVAL_MS);
    assert_int_equal(0, sent_to(bed, 3));
}

/* ---- our own ---- */

static void who_is_stopped_itself_may_still_erase(void **state)
{
    struct bed *bed = *state;
    struct ward *ward = bed->ward;
    struct ward_case ours = ward_case(ward, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct caserecord_open open = ward_opening(&ours, &announcement);
    struct caserecord_erase erase = {.opening = ours.opening, .requester = federation_node(1)};
    struct caserecord_close close = {0};
    assert_int_equal(OK, ward_post(ward, ours.scope, AUDIENCE_SCOPE,
                                   ward_body(ward, &ours.pen, KIND_OPEN, &open)));
    ward_decide(ward, 1, MEMBER_SUSPENDED, 0);
    assert_int_not_equal(OK, ward_post(ward, ours.scope, AUDIENCE_SCOPE,
                                       ward_body(ward, &ours.pen, KIND_CLOSE, &close)));
    assert_int_equal(OK, ward_post(ward, ours.scope, AUDIENCE_CLEAR,
                                   ward_body(ward, &ours.pen, KIND_ERASE, &erase)));
    assert_int_equal(CASE_ERASED, ward_case_state(ward, &ours));
}

/* ---- on a full disk (C-55) ---- */

static void one_that_has_no_room_is_obeyed_and_not_kept(void **state)
{
    struct bed *bed = *state;
    struct ward_pen before = bed->one.pen;
    uint64_t tail = ward_tail(bed->ward, &bed->one.pen);
    bed->ward->is_full = true;
    erase_by_3(bed);
    assert_true(is_erased(bed));
    assert_int_equal(tail, ward_tail(bed->ward, &bed->one.pen));
    bed->ward->is_full = false;
    bed->one.pen = before;
    erase_by_3(bed); /* there is room, and it comes again */
    assert_int_equal(tail + 1, ward_tail(bed->ward, &bed->one.pen));
}

static void one_behind_what_had_no_room_is_obeyed(void **state)
{
    struct bed *bed = *state;
    struct caserecord_close close = {0};
    bed->ward->is_full = true;
    ward_state(bed->ward, &bed->one.pen, KIND_CLOSE, &close, 2);
    ward_state(bed->ward, &bed->one.pen, KIND_CLOSE, &close, 2);
    assert_int_equal(CASE_ANNOUNCED, ward_case_state(bed->ward, &bed->one));
    erase_by_3(bed);
    assert_true(is_erased(bed));
}

/* It is tried again after a while, not at once for ever. */
static void a_receipt_that_has_no_room_is_owed(void **state)
{
    struct bed *bed = *state;
    struct event event = ward_event(bed->ward, EVENT_DESTROYED);
    struct ward_pen receipt = ward_pen(bed->ward, 1, bed->one.scope, AUDIENCE_CLEAR);
    erase_by_3(bed);
    bed->ward->is_full = bed->ward->is_packed = true;
    event.destroyed.scope = bed->one.scope;
    event.destroyed.erase = bed->one.pen.header.previous;
    event.destroyed.backups_until.ms = event.wall.ms + 1;
    ward_give(bed->ward, &event);
    assert_int_equal(0, ward_tail(bed->ward, &receipt));
    bed->ward->is_full = bed->ward->is_packed = false;
    ward_pass(bed->ward, 60 * 1000);
    assert_int_equal(1, ward_tail(bed->ward, &receipt));
}

static void what_another_signed_is_not_obeyed_for_want_of_room(void **state)
{
    struct bed *bed = *state;
    bed->ward->is_full = true;
    bed->one.pen.key_number = 9;
    erase_by_3(bed);
    assert_false(is_erased(bed));
}

/* A case of this node, open to 2 and 3. */
static struct ward_case our_case(struct ward *ward)
{
    struct ward_case ours = ward_case(ward, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct caserecord_open open = ward_opening(&ours, &announcement);
    assert_int_equal(OK, ward_post(ward, ours.scope, AUDIENCE_SCOPE,
                                   ward_body(ward, &ours.pen, KIND_OPEN, &open)));
    for (uint32_t number = 2; number <= 3; number++) {
        struct caserecord_grant grant = {.participant = federation_node(number)};
        assert_int_equal(OK, ward_post(ward, ours.scope, AUDIENCE_SCOPE,
                                       ward_body(ward, &ours.pen, KIND_GRANT, &grant)));
    }
    return ours;
}

static err erase_ours(struct ward *ward, const struct ward_case *ours)
{
    struct caserecord_erase erase = {.opening = ours->opening, .requester = federation_node(1)};
    return ward_post(ward, ours->scope, AUDIENCE_CLEAR,
                     ward_body(ward, &ours->pen, KIND_ERASE, &erase));
}

static bool is_silent(const struct ward *ward, const struct ward_case *ours, uint32_t number)
{
    struct node_id node = federation_node(number);
    return consult_participant_of(core_case(ward->core, &ours->id), &node)->erased_at.ms == 0;
}

static void a_case_of_our_own_is_erased_and_each_receipt_is_let_in_once(void **state)
{
    struct bed *bed = *state;
    struct ward *ward = bed->ward;
    struct ward_case ours = our_case(ward);
    struct caserecord_close close = {0};
    struct ward_pen receipts = ward_pen(ward, 3, ours.scope, AUDIENCE_CLEAR);
    struct ward_pen chatter = ward_pen(ward, 2, ours.scope, AUDIENCE_SCOPE);
    struct caserecord_erased erased = {.erase = {{1}},
                                       .backups_until = {FEDERATION_START_MS * 2},
                                       .caveats = CASERECORD_CAVEATS_ALL};
    struct caserecord_post post = {.text = bytes_of_text("there is still room, is there not")};
    ward->is_full = true;
    assert_int_equal(ERR_FULL, ward_post(ward, ours.scope, AUDIENCE_SCOPE,
                                         ward_body(ward, &ours.pen, KIND_CLOSE, &close)));
    /* nobody erased anything yet */
    ward_state(ward, &receipts, KIND_ERASED, &erased, 3);
    assert_int_equal(0, ward_tail(ward, &receipts));
    receipts = ward_pen(ward, 3, ours.scope, AUDIENCE_CLEAR);
    assert_int_equal(OK, erase_ours(ward, &ours));
    assert_int_equal(CASE_ERASED, ward_case_state(ward, &ours));
    erased.erase = ward->done_record;
    /* with no room even for that, it is tried once */
    struct ward_pen early = ward_pen(ward, 2, ours.scope, AUDIENCE_CLEAR), later = early;
    unsigned before = ward->releasing_count;
    ward->is_packed = true;
    ward_state(ward, &early, KIND_ERASED, &erased, 2);
    ward_state(ward, &later, KIND_ERASED, &erased, 2);
    assert_int_equal(before + 1, ward->releasing_count);
    ward->is_packed = false;
    ward_state(ward, &receipts, KIND_ERASED, &erased, 3);
    assert_int_equal(1, ward_tail(ward, &receipts));
    assert_false(is_silent(ward, &ours, 3));
    ward_state(ward, &receipts, KIND_ERASED, &erased, 3);
    assert_int_equal(1, ward_tail(ward, &receipts));
    ward_state(ward, &chatter, KIND_POST, &post, 2);
    assert_int_equal(0, ward_tail(ward, &chatter));
    assert_true(is_silent(ward, &ours, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_BED(it_is_obeyed_in_its_place),
        AT_BED(it_is_obeyed_from_who_equivocated),
        AT_BED(it_is_obeyed_in_a_stream_that_is_forked_itself),
        AT_BED(it_is_obeyed_from_who_is_suspended),
        AT_BED(nothing_else_of_them_is_taken_so),
        AT_BED(one_that_another_signed_is_not_obeyed),
        AT_BED(one_of_a_participant_is_not_obeyed),
        AT_BED(of_a_removed_requester_it_is_not_obeyed),
        AT_BED(its_successor_is_obeyed_and_after_a_restart_too),
        AT_BED(who_holds_it_gives_it_to_those_whom_its_stream_brings_nothing),
        AT_BED(who_is_stopped_itself_may_still_erase),
        AT_BED(one_that_has_no_room_is_obeyed_and_not_kept),
        AT_BED(one_behind_what_had_no_room_is_obeyed),
        AT_BED(a_receipt_that_has_no_room_is_owed),
        AT_BED(what_another_signed_is_not_obeyed_for_want_of_room),
        AT_BED(a_case_of_our_own_is_erased_and_each_receipt_is_let_in_once),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
