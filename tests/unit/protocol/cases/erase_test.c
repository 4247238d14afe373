/* C-50: an ERASE is obeyed on its own valid signature, though its stream stands still; of a removed
 * requester only the successor's word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/replication/sync.h"
#include "protocol/state/engine_state.h"
#include "tests/harness/cluster_case.h"

struct bed {
    struct cluster *cluster;
    struct cluster_case one; /* of hospital 2, shared with this node and hospital 3 */
};

static int given_a_case_of_hospital_2(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    bed->cluster = cluster_new(4);
    for (uint32_t number = 2; number <= 4; number++)
        cluster_meet(bed->cluster, number);
    bed->one = cluster_share_case(bed->cluster, 2, 3);
    *state = bed;
    return 0;
}

static int then_it_ends(void **state)
{
    struct bed *bed = *state;
    cluster_free(bed->cluster);
    free(bed);
    return 0;
}

#define AT_BED(test) cmocka_unit_test_setup_teardown(test, given_a_case_of_hospital_2, then_it_ends)

static struct case_record_erase word(const struct bed *bed)
{
    return (struct case_record_erase){.opening = bed->one.opening,
                                      .requester = bed->one.pen.header.stream.writer};
}

/* The requester's ERASE, passed on by hospital 3. */
static void erase_by_3(struct bed *bed)
{
    struct case_record_erase erase = word(bed);
    cluster_state(bed->cluster, &bed->one.pen, KIND_ERASE, &erase, 3);
}

static bool is_erased(const struct bed *bed)
{
    bool is_so = cluster_case_state(bed->cluster, &bed->one) == CASE_ERASED;
    assert_int_equal(is_so ? 1 : 0, bed->cluster->destroyed_count);
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
    uint64_t tail = cluster_tail(bed->cluster, &bed->one.pen);
    cluster_equivocate(bed->cluster);
    erase_by_3(bed);
    assert_true(is_erased(bed));
    assert_int_equal(tail, cluster_tail(bed->cluster, &bed->one.pen)); /* the stream stands still */
}

static void it_is_obeyed_in_a_stream_that_is_forked_itself(void **state)
{
    struct bed *bed = *state;
    struct cluster_pen other = bed->one.pen;
    struct case_record_grant grant = {.participant = federation_node(4)};
    struct case_record_withdraw withdraw = {0};
    cluster_state(bed->cluster, &bed->one.pen, KIND_GRANT, &grant, 2);
    cluster_state(bed->cluster, &other, KIND_WITHDRAW, &withdraw, 3);
    assert_int_equal(1, bed->cluster->forked_count);
    bed->one.pen = other; /* on the other branch */
    erase_by_3(bed);
    assert_true(is_erased(bed));
}

static void it_is_obeyed_from_who_is_suspended(void **state)
{
    struct bed *bed = *state;
    cluster_decide(bed->cluster, 2, MEMBER_SUSPENDED, 0);
    bed->one.pen.header.sequence += 5; /* what stands before it will never come */
    erase_by_3(bed);
    assert_true(is_erased(bed));
}

static void nothing_else_of_them_is_taken_so(void **state)
{
    struct bed *bed = *state;
    struct case_record_close close = {0};
    uint64_t tail = cluster_tail(bed->cluster, &bed->one.pen);
    cluster_decide(bed->cluster, 2, MEMBER_SUSPENDED, 0);
    cluster_state(bed->cluster, &bed->one.pen, KIND_CLOSE, &close, 3);
    assert_int_equal(tail, cluster_tail(bed->cluster, &bed->one.pen));
    assert_int_equal(CASE_ANNOUNCED, cluster_case_state(bed->cluster, &bed->one));
}

static void one_that_another_signed_is_not_obeyed(void **state)
{
    struct bed *bed = *state;
    cluster_decide(bed->cluster, 2, MEMBER_SUSPENDED, 0);
    bed->one.pen.key_number = 9;
    erase_by_3(bed);
    assert_false(is_erased(bed));
}

static void one_of_a_participant_is_not_obeyed(void **state)
{
    struct bed *bed = *state;
    struct case_record_erase erase = word(bed);
    struct cluster_pen pen = cluster_pen(bed->cluster, 3, bed->one.scope, AUDIENCE_CLEAR);
    cluster_state(bed->cluster, &pen, KIND_ERASE, &erase, 3);
    assert_false(is_erased(bed));
}

/* C-52 */
static void of_a_removed_requester_it_is_not_obeyed(void **state)
{
    struct bed *bed = *state;
    cluster_decide(bed->cluster, 2, MEMBER_SUSPENDED, 0);
    cluster_decide(bed->cluster, 2, MEMBER_REMOVED, 4);
    erase_by_3(bed);
    assert_false(is_erased(bed));
}

static void its_successor_is_obeyed_and_after_a_restart_too(void **state)
{
    struct bed *bed = *state;
    struct case_record_erase erase = word(bed);
    cluster_decide(bed->cluster, 2, MEMBER_REMOVED, 4);
    cluster_restart(bed->cluster);
    cluster_meet(bed->cluster, 4);
    struct cluster_pen stranger = cluster_pen(bed->cluster, 3, bed->one.scope, AUDIENCE_CLEAR);
    cluster_state(bed->cluster, &stranger, KIND_ERASE, &erase, 4);
    assert_false(is_erased(bed));
    struct cluster_pen successor = cluster_pen(bed->cluster, 4, bed->one.scope, AUDIENCE_CLEAR);
    cluster_state(bed->cluster, &successor, KIND_ERASE, &erase, 4);
    assert_true(is_erased(bed));
}

/* ---- passing it on ---- */

/* How many records went to hospital `number` whose stream is the requester's in the case. */
static unsigned sent_to(struct bed *bed, uint32_t number)
{
    unsigned found = 0;
    for (size_t i = 0; i < bed->cluster->sent_count; i++) {
        struct cluster_sent *sent = &bed->cluster->sent[i];
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
    cluster_forget_sent(bed->cluster);
    return found;
}

static void who_holds_it_gives_it_to_those_whom_its_stream_brings_nothing(void **state)
{
    struct bed *bed = *state;
    erase_by_3(bed);
    struct record_id id = bed->one.pen.header.previous;
    cluster_forget_sent(bed->cluster);
    cluster_pass(bed->cluster, SUMMARY_INTERVAL_MS);
    assert_int_equal(0, sent_to(bed, 3)); /* the streams are compared, and bring it */
    cluster_decide(bed->cluster, 2, MEMBER_SUSPENDED, 0);
    cluster_forget_sent(bed->cluster);
    cluster_pass(bed->cluster, SUMMARY_INTERVAL_MS);
    assert_int_equal(1, sent_to(bed, 3));
    cluster_restart(bed->cluster);
    cluster_meet(bed->cluster, 3);
    cluster_meet(bed->cluster, 4);
    cluster_pass(bed->cluster, SUMMARY_INTERVAL_MS);
    assert_int_equal(0, sent_to(bed, 4)); /* it has no part in the case */
    cluster_pass(bed->cluster, SUMMARY_INTERVAL_MS);
    assert_int_equal(1, sent_to(bed, 3));
    struct case_record_erased erased = {.erase = id,
                                        .backups_until = {FEDERATION_START_MS * 2},
                                        .caveats = CASE_RECORD_CAVEATS_ALL};
    struct cluster_pen receipt = cluster_pen(bed->cluster, 3, bed->one.scope, AUDIENCE_CLEAR);
    cluster_state(bed->cluster, &receipt, KIND_ERASED, &erased, 3);
    cluster_forget_sent(bed->cluster);
    cluster_pass(bed->cluster, SUMMARY_INTERVAL_MS);
    assert_int_equal(0, sent_to(bed, 3));
}

/* ---- our own ---- */

static void who_is_stopped_itself_may_still_erase(void **state)
{
    struct bed *bed = *state;
    struct cluster *cluster = bed->cluster;
    struct cluster_case ours = cluster_case(cluster, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct case_record_open open = cluster_opening(&ours, &announcement);
    struct case_record_erase erase = {.opening = ours.opening, .requester = federation_node(1)};
    struct case_record_close close = {0};
    assert_int_equal(OK, cluster_post(cluster, ours.scope, AUDIENCE_SCOPE,
                                      cluster_body(cluster, &ours.pen, KIND_OPEN, &open)));
    cluster_decide(cluster, 1, MEMBER_SUSPENDED, 0);
    assert_int_not_equal(OK, cluster_post(cluster, ours.scope, AUDIENCE_SCOPE,
                                          cluster_body(cluster, &ours.pen, KIND_CLOSE, &close)));
    assert_int_equal(OK, cluster_post(cluster, ours.scope, AUDIENCE_CLEAR,
                                      cluster_body(cluster, &ours.pen, KIND_ERASE, &erase)));
    assert_int_equal(CASE_ERASED, cluster_case_state(cluster, &ours));
}

/* ---- on a full disk (C-55) ---- */

static void one_that_has_no_room_is_obeyed_and_not_kept(void **state)
{
    struct bed *bed = *state;
    struct cluster_pen before = bed->one.pen;
    uint64_t tail = cluster_tail(bed->cluster, &bed->one.pen);
    bed->cluster->is_full = true;
    erase_by_3(bed);
    assert_true(is_erased(bed));
    assert_int_equal(tail, cluster_tail(bed->cluster, &bed->one.pen));
    bed->cluster->is_full = false;
    bed->one.pen = before;
    erase_by_3(bed); /* there is room, and it comes again */
    assert_int_equal(tail + 1, cluster_tail(bed->cluster, &bed->one.pen));
}

static void one_behind_what_had_no_room_is_obeyed(void **state)
{
    struct bed *bed = *state;
    struct case_record_close close = {0};
    bed->cluster->is_full = true;
    cluster_state(bed->cluster, &bed->one.pen, KIND_CLOSE, &close, 2);
    cluster_state(bed->cluster, &bed->one.pen, KIND_CLOSE, &close, 2);
    assert_int_equal(CASE_ANNOUNCED, cluster_case_state(bed->cluster, &bed->one));
    erase_by_3(bed);
    assert_true(is_erased(bed));
}

/* It is tried again after a while, not at once for ever. */
static void a_receipt_that_has_no_room_is_owed(void **state)
{
    struct bed *bed = *state;
    struct event event = cluster_event(bed->cluster, EVENT_DESTROYED);
    struct cluster_pen receipt = cluster_pen(bed->cluster, 1, bed->one.scope, AUDIENCE_CLEAR);
    erase_by_3(bed);
    bed->cluster->is_full = bed->cluster->is_packed = true;
    event.destroyed.scope = bed->one.scope;
    event.destroyed.erase = bed->one.pen.header.previous;
    event.destroyed.backups_until.ms = event.wall.ms + 1;
    cluster_give(bed->cluster, &event);
    assert_int_equal(0, cluster_tail(bed->cluster, &receipt));
    bed->cluster->is_full = bed->cluster->is_packed = false;
    cluster_pass(bed->cluster, 60 * 1000);
    assert_int_equal(1, cluster_tail(bed->cluster, &receipt));
}

static void what_another_signed_is_not_obeyed_for_want_of_room(void **state)
{
    struct bed *bed = *state;
    bed->cluster->is_full = true;
    bed->one.pen.key_number = 9;
    erase_by_3(bed);
    assert_false(is_erased(bed));
}

/* A case of this node, open to 2 and 3. */
static struct cluster_case our_case(struct cluster *cluster)
{
    struct cluster_case ours = cluster_case(cluster, 1);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct case_record_open open = cluster_opening(&ours, &announcement);
    assert_int_equal(OK, cluster_post(cluster, ours.scope, AUDIENCE_SCOPE,
                                      cluster_body(cluster, &ours.pen, KIND_OPEN, &open)));
    for (uint32_t number = 2; number <= 3; number++) {
        struct case_record_grant grant = {.participant = federation_node(number)};
        assert_int_equal(OK, cluster_post(cluster, ours.scope, AUDIENCE_SCOPE,
                                          cluster_body(cluster, &ours.pen, KIND_GRANT, &grant)));
    }
    return ours;
}

static err erase_ours(struct cluster *cluster, const struct cluster_case *ours)
{
    struct case_record_erase erase = {.opening = ours->opening, .requester = federation_node(1)};
    return cluster_post(cluster, ours->scope, AUDIENCE_CLEAR,
                        cluster_body(cluster, &ours->pen, KIND_ERASE, &erase));
}

static bool is_silent(const struct cluster *cluster, const struct cluster_case *ours,
                      uint32_t number)
{
    struct node_id node = federation_node(number);
    return consult_participant_of(engine_case(cluster->engine, &ours->id), &node)->erased_at.ms ==
           0;
}

static void a_case_of_our_own_is_erased_and_each_receipt_is_let_in_once(void **state)
{
    struct bed *bed = *state;
    struct cluster *cluster = bed->cluster;
    struct cluster_case ours = our_case(cluster);
    struct case_record_close close = {0};
    struct cluster_pen receipts = cluster_pen(cluster, 3, ours.scope, AUDIENCE_CLEAR);
    struct cluster_pen chatter = cluster_pen(cluster, 2, ours.scope, AUDIENCE_SCOPE);
    struct case_record_erased erased = {.erase = {{1}},
                                        .backups_until = {FEDERATION_START_MS * 2},
                                        .caveats = CASE_RECORD_CAVEATS_ALL};
    struct case_record_post post = {.text = bytes_of_text("there is still room, is there not")};
    cluster->is_full = true;
    assert_int_equal(ERR_FULL, cluster_post(cluster, ours.scope, AUDIENCE_SCOPE,
                                            cluster_body(cluster, &ours.pen, KIND_CLOSE, &close)));
    /* nobody erased anything yet */
    cluster_state(cluster, &receipts, KIND_ERASED, &erased, 3);
    assert_int_equal(0, cluster_tail(cluster, &receipts));
    receipts = cluster_pen(cluster, 3, ours.scope, AUDIENCE_CLEAR);
    assert_int_equal(OK, erase_ours(cluster, &ours));
    assert_int_equal(CASE_ERASED, cluster_case_state(cluster, &ours));
    erased.erase = cluster->done_record;
    /* with no room even for that, it is tried once */
    struct cluster_pen early = cluster_pen(cluster, 2, ours.scope, AUDIENCE_CLEAR), later = early;
    unsigned before = cluster->releasing_count;
    cluster->is_packed = true;
    cluster_state(cluster, &early, KIND_ERASED, &erased, 2);
    cluster_state(cluster, &later, KIND_ERASED, &erased, 2);
    assert_int_equal(before + 1, cluster->releasing_count);
    cluster->is_packed = false;
    cluster_state(cluster, &receipts, KIND_ERASED, &erased, 3);
    assert_int_equal(1, cluster_tail(cluster, &receipts));
    assert_false(is_silent(cluster, &ours, 3));
    cluster_state(cluster, &receipts, KIND_ERASED, &erased, 3);
    assert_int_equal(1, cluster_tail(cluster, &receipts));
    cluster_state(cluster, &chatter, KIND_POST, &post, 2);
    assert_int_equal(0, cluster_tail(cluster, &chatter));
    assert_true(is_silent(cluster, &ours, 2));
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
