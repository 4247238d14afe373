/* What becomes of a case, told in records: A asks, B, C and D answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/consult_fixture.h"

static struct service service, other;
static struct record_id id_of_last(void)
{
    return service.record.id;
}

static void begin(enum announcement_mode mode)
{
    service_init(&service, mode);
    assert_int_equal(service_open(&service), CONSULT_COUNTS);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(service_grant(&service, &service_c), CONSULT_COUNTS);
}

/* An opinion of `author`, taken in. */
static struct record_id an_opinion(const struct node_id *author)
{
    assert_int_equal(service_opinion(&service, author), CONSULT_AWAITS);
    struct record_id id = id_of_last();
    assert_int_equal(service_take_in(&service, author, &id, KIND_OPINION), CONSULT_COUNTS);
    return id;
}

static uint8_t export_memory[2][CONSULT_EXPORT_SIZE_MAX];
static struct bytes exported(const struct consult *consult, size_t index)
{
    struct buffer buffer = buffer_over(export_memory[index], CONSULT_EXPORT_SIZE_MAX);
    assert_int_equal(consult_export(consult, &buffer), OK);
    return buffer_bytes(&buffer);
}

static struct consult_view view_at(uint64_t now_ms)
{
    return consult_view(&service.consult, (struct wall){now_ms});
}

/* ---- the requester's stream ---- */

/* C-30 */
static void only_who_made_the_case_id_opens_the_case(void **state)
{
    (void)state;
    service_init(&service, ANNOUNCEMENT_OPEN);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_NOT_OPEN);
    service_init(&service, ANNOUNCEMENT_OPEN);
    assert_int_equal(service_open_as(&service, &service_b), CONSULT_MALFORMED);
    assert_int_equal(service_open(&service), CONSULT_COUNTS);
    struct consult_record stolen = service.record;
    struct case_id case_id = service_case();

    consult_init(&other.consult, &service_federation, &case_id);
    stolen.writer = service_b;
    assert_int_equal(consult_apply(&other.consult, &stolen), CONSULT_MALFORMED);
    stolen.writer = service_a;
    stolen.sequence = 2;
    assert_int_equal(consult_apply(&other.consult, &stolen), CONSULT_MALFORMED);
    case_id.bytes[0]++;
    consult_init(&other.consult, &service_federation, &case_id);
    assert_int_equal(consult_apply(&other.consult, &service.record), CONSULT_MALFORMED);
    assert_int_equal(other.consult.state, CASE_DRAFT);
    assert_true(ID_IS_ZERO(other.consult.requester));
    /* nobody opens it after that */
    service.sequences[0xb] = 0;
    service_open(&service);
    service.record.writer = service_b;
    service.record.sequence = 1;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_WRONG_WRITER);
}

static void what_the_announcement_said_is_known_of_the_case(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    assert_int_equal(service.consult.mode, ANNOUNCEMENT_INDEPENDENT_FIRST);
    assert_int_equal(service.consult.wanted_count, 2);
    assert_int_equal(service.consult.deadline.ms, SERVICE_DEADLINE);
    assert_memory_equal(service.consult.specialty, "oncology", 8);
    assert_int_equal(service.consult.specialty_size, 8);
    assert_true(ID_EQUAL(service.consult.requester, service_a));
}

/* C-38 */
static void the_requesters_records_are_applied_once_and_in_order(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_SEEN);
    service_write(&service, &service_a, KIND_CLOSE, &(struct case_record_close){BYTES_NONE});
    service.record.sequence += 1;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_OUT_OF_ORDER);
    assert_int_equal(service.consult.state, CASE_ANNOUNCED);
    service.record.sequence -= 1;
    /* the next generation begins anew; one after that is not next */
    service.record.generation = 3;
    service.record.sequence = 1;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_OUT_OF_ORDER);
    service.record.generation = 2;
    service.record.sequence = 2;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_OUT_OF_ORDER);
    service.record.sequence = 1;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_COUNTS);
    service.record.generation = 1;
    service.record.sequence = 99;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_SEEN);
}

/* C-2, C-31 */
static void a_malformed_body_is_passed_and_the_stream_goes_on(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    struct case_record_close close = {BYTES_NONE};
    service_write(&service, &service_a, KIND_CLOSE, &close);
    service.record.statement = NULL;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_MALFORMED);
    service_write(&service, &service_a, KIND_CLOSE, &close);
    service.statement.content.size = 0;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_MALFORMED);
    service_write(&service, &service_a, KIND_CLOSE, &close);
    service.record.audience = AUDIENCE_CLEAR;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_MALFORMED);
    service_write(&service, &service_a, KIND_CLOSE, &close);
    service.statement.kind = 0x0399;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_NO_MEANING);
    struct case_record_synthesis synthesis = {.text = bytes_of_text("x")};
    service_write(&service, &service_a, KIND_SYNTHESIS, &synthesis);
    service.statement.is_signed = false;
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_MALFORMED);
    assert_int_equal(service.consult.state, CASE_ANNOUNCED);
    assert_int_equal(service_close(&service), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_CLOSED);
}

static void access_is_given_once_and_ends_once(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_GRANTED_ALREADY);
    assert_int_equal(service_grant(&service, &service_a), CONSULT_MALFORMED);
    assert_int_equal(service_end(&service, &service_d, 0), CONSULT_NOT_GRANTED);
    assert_int_equal(service_end(&service, &service_b, 0), CONSULT_COUNTS);
    assert_int_equal(service_end(&service, &service_b, 0), CONSULT_GRANT_ENDED);
    assert_int_equal(service_post(&service, &service_b), CONSULT_GRANT_ENDED);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(service_post(&service, &service_b), CONSULT_AWAITS);
    assert_int_equal(service_post(&service, &service_d), CONSULT_NOT_GRANTED);
    assert_int_equal(service.consult.participant_count, 2);
    for (uint8_t i = 0; service.consult.participant_count < PARTICIPANT_COUNT_MAX; i++) {
        struct node_id node = {{0xe, i}};
        assert_int_equal(service_grant(&service, &node), CONSULT_COUNTS);
    }
    assert_int_equal(service_grant(&service, &service_d), CONSULT_FULL);
}

static void after_an_end_what_was_written_before_it_still_belongs(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    assert_int_equal(service_end(&service, &service_b, 2), CONSULT_COUNTS);
    assert_int_equal(service_post(&service, &service_b), CONSULT_AWAITS);
    assert_int_equal(service_post(&service, &service_b), CONSULT_AWAITS);
    struct record_id second = id_of_last();
    assert_int_equal(service_post(&service, &service_b), CONSULT_GRANT_ENDED);
    service.record.generation = 2;
    service.record.sequence = 1;
    assert_int_equal(consult_judge(&service.consult, &service.record), CONSULT_GRANT_ENDED);
    assert_int_equal(service_take_in(&service, &service_b, &second, KIND_POST), CONSULT_COUNTS);
}

/* ---- what others write ---- */

/* C-39 */
static void what_others_write_changes_nothing_until_it_is_taken_in(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    struct bytes before = exported(&service.consult, 0);
    assert_int_equal(service_opinion(&service, &service_b), CONSULT_AWAITS);
    struct record_id id = id_of_last();
    struct consult_record record = service.record;
    assert_true(bytes_equal(before, exported(&service.consult, 1)));
    assert_int_equal(view_at(0).opinion_count, 0);
    assert_int_equal(service_take_in(&service, &service_b, &id, KIND_OPINION), CONSULT_COUNTS);
    record.statement = NULL; /* counted by name, whether or not it is readable here */
    assert_int_equal(consult_judge(&service.consult, &record), CONSULT_COUNTS);
    assert_int_equal(view_at(0).opinion_count, 1);
    assert_int_equal(view_at(0).institution_count, 1);
}

static void write_step(size_t step)
{
    struct record_id first_opinion = {{3}};
    switch (step) {
    case 0:
        service_open(&service);
        break;
    case 1:
        service_grant(&service, &service_b);
        break;
    case 2:
        service_opinion(&service, &service_b);
        break;
    case 3:
        service_post(&service, &service_b);
        break;
    case 4:
        service_take_in(&service, &service_b, &first_opinion, KIND_OPINION);
        break;
    case 5:
        service_reveal(&service, &first_opinion);
        break;
    case 6:
        service.time.ms = SERVICE_DEADLINE + 5;
        service_release(&service, &service_b, &first_opinion);
        break;
    case 7:
        service_extend(&service, SERVICE_DEADLINE + 10);
        break;
    case 8:
        service_close(&service);
        break;
    case 9:
        service_post(&service, &service_b);
        break;
    case 10:
        service_outcome(&service, 21);
        break;
    default:
        service.time.ms = SERVICE_DEADLINE + 20;
        service_release(&service, &service_b, &first_opinion);
    }
}

/* C-39: the state does not depend on when the records of others come. */
static void who_holds_the_same_streams_sees_the_same_case(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    static struct service desks[COUNT];
    struct consult_record records[COUNT];
    size_t count = 0;
    begin(ANNOUNCEMENT_OPEN);
    service_init(&service, ANNOUNCEMENT_OPEN);
    /* each record is written at a desk of its own, so that its bytes stay */
    for (size_t i = 0; i < COUNT; i++) {
        write_step(i);
        desks[i] = service;
        desks[i].statement.content.data = desks[i].content;
        records[i] = service.record;
        records[i].statement = &desks[i].statement;
        count++;
    }
    struct bytes expected = exported(&service.consult, 0);
    /* the requester's in order, the others' all after, and all before but the grant */
    for (int late = 0; late < 2; late++) {
        struct case_id case_id = service_case();
        consult_init(&other.consult, &service_federation, &case_id);
        (void)consult_apply(&other.consult, &records[0]);
        (void)consult_apply(&other.consult, &records[1]);
        for (int pass = 0; pass < 2; pass++)
            for (size_t i = 2; i < count; i++)
                if ((ID_EQUAL(records[i].writer, service_a)) == (pass == 1 - late))
                    (void)consult_apply(&other.consult, &records[i]);
        assert_true(bytes_equal(expected, exported(&other.consult, 1)));
    }
}

/* C-32 */
static void a_take_in_is_weighed_entry_by_entry(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    struct record_id one = {{0x81}}, two = {{0x82}}, three = {{0x83}};
    struct case_record_take_in mixed = {.taken = {{service_d, one, KIND_POST},
                                                  {service_b, two, KIND_POST},
                                                  {service_b, two, KIND_POST}},
                                        .taken_count = 3};
    assert_int_equal(service_say(&service, &service_a, KIND_TAKE_IN, &mixed), CONSULT_COUNTS);
    assert_int_equal(service.consult.taken_count, 1);
    assert_int_equal(service_take_in(&service, &service_b, &two, KIND_POST), CONSULT_SEEN);
    assert_int_equal(service_take_in(&service, &service_d, &one, KIND_POST), CONSULT_NOT_GRANTED);
    assert_int_equal(service_take_in(&service, &service_b, &one, KIND_RELEASE), CONSULT_NO_MEANING);
    assert_int_equal(service_take_in(&service, &service_b, &one, KIND_GRANT), CONSULT_WRONG_WRITER);
    assert_int_equal(service_take_in(&service, &service_b, &one, 0x0777), CONSULT_NO_MEANING);
    assert_int_equal(service_close(&service), CONSULT_COUNTS);
    assert_int_equal(service_take_in(&service, &service_b, &one, KIND_OPINION), CONSULT_CLOSED);
    assert_int_equal(service_take_in(&service, &service_b, &three, KIND_POST), CONSULT_COUNTS);
}

static void a_case_takes_in_so_many_and_no_more(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    for (uint32_t i = 0; i < TAKEN_IN_COUNT_MAX; i++) {
        struct record_id id = {{0x99, (uint8_t)(i >> 8), (uint8_t)i}};
        assert_int_equal(service_take_in(&service, &service_b, &id, KIND_POST), CONSULT_COUNTS);
    }
    struct record_id id = {{0x98}};
    assert_int_equal(service_take_in(&service, &service_b, &id, KIND_POST), CONSULT_FULL);
}

/* C-34 */
static void independent_opinions_are_not_told_by_a_synthesis(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    struct record_id opinion = an_opinion(&service_b);
    assert_int_equal(consult_allows(&service.consult, &service_a, KIND_SYNTHESIS),
                     CONSULT_NOT_REVEALED);
    assert_int_equal(service_synthesis(&service), CONSULT_NOT_REVEALED);
    /* a revealed word of discussion is no revealed opinion */
    assert_int_equal(service_post(&service, &service_b), CONSULT_AWAITS);
    struct record_id post = id_of_last();
    assert_int_equal(service_take_in(&service, &service_b, &post, KIND_POST), CONSULT_COUNTS);
    assert_int_equal(service_reveal(&service, &post), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_ANNOUNCED);
    assert_int_equal(service_synthesis(&service), CONSULT_NOT_REVEALED);
    assert_int_equal(service_reveal(&service, &opinion), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_REVEALED);
    assert_int_equal(service_synthesis(&service), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_SYNTHESISED);
    struct record_id unknown = {{0x55}};
    assert_int_equal(service_reveal(&service, &unknown), CONSULT_UNKNOWN_RECORD);
}

/* ---- counting ---- */

static void opinions_are_counted_by_distinct_institutions(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    (void)an_opinion(&service_b);
    (void)an_opinion(&service_b);
    assert_int_equal(view_at(0).opinion_count, 2);
    assert_int_equal(view_at(0).institution_count, 1);
    assert_int_equal(
        service_say(&service, &service_c, KIND_DECLINE,
                    &(struct case_record_decline){CASERECORD_LOCAL_CARE_ADEQUATE, BYTES_NONE}),
        CONSULT_AWAITS);
    struct record_id id = id_of_last();
    assert_int_equal(view_at(0).declined_count, 0);
    assert_int_equal(service_take_in(&service, &service_c, &id, KIND_DECLINE), CONSULT_COUNTS);
    assert_int_equal(view_at(0).declined_count, 1);
    assert_int_equal(view_at(0).institution_count, 1);
    (void)an_opinion(&service_c); /* on second thoughts */
    assert_int_equal(view_at(0).declined_count, 0);
    assert_int_equal(view_at(0).institution_count, 2);
}

static void deadlines_and_follow_ups_fall_due(void **state)
{
    (void)state;
    const uint64_t day = 24 * 60 * 60 * 1000;
    begin(ANNOUNCEMENT_OPEN);
    assert_false(view_at(SERVICE_DEADLINE - 1).is_overdue);
    assert_true(view_at(SERVICE_DEADLINE).is_overdue);
    service.time.ms = SERVICE_DEADLINE;
    assert_int_equal(service_close(&service), CONSULT_COUNTS);
    assert_false(view_at(SERVICE_DEADLINE).is_overdue);
    assert_false(view_at(SERVICE_DEADLINE + 21 * day - 1).is_follow_up_due);
    assert_true(view_at(SERVICE_DEADLINE + 21 * day).is_follow_up_due);
    assert_int_equal(service_outcome(&service, 21), CONSULT_COUNTS);
    assert_false(view_at(SERVICE_DEADLINE + 21 * day).is_follow_up_due);
    assert_true(view_at(SERVICE_DEADLINE + 90 * day).is_follow_up_due);
    assert_int_equal(service_outcome(&service, 90), CONSULT_COUNTS);
    assert_false(view_at(SERVICE_DEADLINE + 900 * day).is_follow_up_due);
}

static void a_command_can_ask_first(void **state)
{
    (void)state;
    service_init(&service, ANNOUNCEMENT_OPEN);
    assert_int_equal(consult_allows(&service.consult, &service_a, KIND_OPEN), CONSULT_COUNTS);
    assert_int_equal(consult_allows(&service.consult, &service_b, KIND_OPINION), CONSULT_NOT_OPEN);
    begin(ANNOUNCEMENT_OPEN);
    assert_int_equal(consult_allows(&service.consult, &service_b, KIND_OPINION), CONSULT_AWAITS);
    assert_int_equal(consult_allows(&service.consult, &service_d, KIND_OPINION),
                     CONSULT_NOT_GRANTED);
    assert_int_equal(consult_allows(&service.consult, &service_a, KIND_OPINION),
                     CONSULT_WRONG_WRITER);
    assert_int_equal(consult_allows(&service.consult, &service_a, KIND_OUTCOME),
                     CONSULT_NOT_CLOSED);
    assert_int_equal(service_end(&service, &service_b, 0), CONSULT_COUNTS);
    assert_int_equal(consult_allows(&service.consult, &service_b, KIND_OPINION),
                     CONSULT_GRANT_ENDED);
    assert_int_equal(service_erase(&service, &service_a), CONSULT_COUNTS);
    assert_int_equal(consult_allows(&service.consult, &service_b, KIND_ERASED), CONSULT_COUNTS);
    assert_int_equal(consult_allows(&service.consult, &service_a, KIND_POST), CONSULT_ERASED);
}

/* ---- erasure ---- */

/* C-50 */
static void an_erase_is_obeyed_in_any_order_and_proves_itself(void **state)
{
    (void)state;
    service_init(&service, ANNOUNCEMENT_OPEN);
    service.sequences[0xa] = 41; /* nothing before it is here */
    assert_int_equal(service_erase(&service, &service_b), CONSULT_WRONG_WRITER);
    assert_int_equal(service_erase(&service, &service_a), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_ERASED);
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_SEEN);
    assert_int_equal(service_erase(&service, &service_a), CONSULT_ERASED);
    service.sequences[0xa] = 0;
    assert_int_equal(service_open(&service), CONSULT_ERASED);
    assert_int_equal(service.consult.state, CASE_ERASED);

    begin(ANNOUNCEMENT_OPEN);
    struct case_record_erase forged = {.opening = {{0x78}}, .requester = service_a};
    assert_int_equal(service_say(&service, &service_a, KIND_ERASE, &forged), CONSULT_MALFORMED);
    forged = (struct case_record_erase){.opening = service_opening, .requester = service_b};
    assert_int_equal(service_say(&service, &service_b, KIND_ERASE, &forged), CONSULT_MALFORMED);
    assert_int_equal(service.consult.state, CASE_ANNOUNCED);
}

/* C-41 */
static void a_successor_reveals_closes_and_erases_for_a_removed_requester(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    struct record_id opinion = an_opinion(&service_b);
    struct case_record_reveal reveal = {.records = {opinion}, .record_count = 1};
    struct case_record_close close = {BYTES_NONE};
    assert_int_equal(service_say(&service, &service_d, KIND_REVEAL, &reveal), CONSULT_WRONG_WRITER);
    assert_int_equal(service_erase(&service, &service_d), CONSULT_WRONG_WRITER);
    consult_set_successor(&service.consult, &service_d);
    service.sequences[0xd] = 0;
    assert_int_equal(service_say(&service, &service_d, KIND_REVEAL, &reveal), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_REVEALED);
    struct case_record_grant grant = {.participant = service_d};
    assert_int_equal(service_say(&service, &service_d, KIND_GRANT, &grant), CONSULT_WRONG_WRITER);
    assert_int_equal(service_say(&service, &service_d, KIND_CLOSE, &close), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_CLOSED);
    assert_int_equal(service_erase(&service, &service_d), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_ERASED);
    assert_true(ID_EQUAL(service.consult.requester, service_a));
}

static void receipts_are_counted_and_the_silent_are_known(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    assert_int_equal(service_erased(&service, &service_b), CONSULT_NOT_ERASED);
    assert_int_equal(service_end(&service, &service_c, 0), CONSULT_COUNTS);
    assert_int_equal(view_at(0).silent_count, 0);
    assert_int_equal(service_erase(&service, &service_a), CONSULT_COUNTS);
    assert_int_equal(view_at(0).silent_count, 2);
    assert_int_equal(service_erased(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(service_erased(&service, &service_b), CONSULT_SEEN);
    assert_int_equal(service_erased(&service, &service_d), CONSULT_NOT_GRANTED);
    struct case_record_erased wrong = {.erase = {{0x42}}, .backups_until = {1}};
    assert_int_equal(service_say(&service, &service_c, KIND_ERASED, &wrong),
                     CONSULT_UNKNOWN_RECORD);
    assert_int_equal(view_at(0).silent_count, 1);
    assert_int_equal(service_erased(&service, &service_c),
                     CONSULT_COUNTS); /* ended ones answer too */
    assert_int_equal(view_at(0).silent_count, 0);
    assert_int_equal(view_at(0).erased_count, 2);
    assert_int_equal(service.consult.participants[0].backups_until.ms, 5000);
}

/* ---- keeping it ---- */

static void a_case_is_kept_and_read_back_whole(void **state)
{
    (void)state;
    /* no case reads nor writes behind the counts of its lists */
    memset(&service.consult, 0, sizeof service.consult);
    memset(&other.consult, 0, sizeof other.consult);
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    struct record_id opinion = an_opinion(&service_b);
    assert_int_equal(service_reveal(&service, &opinion), CONSULT_COUNTS);
    service.time.ms = SERVICE_DEADLINE;
    assert_int_equal(service_release(&service, &service_c, &opinion), CONSULT_COUNTS);
    assert_int_equal(service_end(&service, &service_c, 3), CONSULT_COUNTS);
    assert_int_equal(service_close(&service), CONSULT_COUNTS);
    assert_int_equal(service_outcome(&service, 21), CONSULT_COUNTS);
    struct bytes kept = exported(&service.consult, 0);
    assert_int_equal(consult_import(kept, &other.consult), OK);
    assert_true(bytes_equal(kept, exported(&other.consult, 1)));
    assert_memory_equal(&service.consult, &other.consult, sizeof service.consult);
    for (size_t size = 0; size < kept.size; size++)
        assert_int_equal(consult_import((struct bytes){kept.data, size}, &other.consult),
                         ERR_CORRUPT);
    export_memory[0][0]++;
    assert_int_equal(consult_import(kept, &other.consult), ERR_CORRUPT);
    export_memory[0][0]--;
    export_memory[0][1] = CASE_STATE_COUNT;
    assert_int_equal(consult_import(kept, &other.consult), ERR_CORRUPT);
}

static void the_largest_case_can_be_kept(void **state)
{
    (void)state;
    memset(&service.consult, 0, sizeof service.consult);
    service.consult.specialty_size = TAG_SIZE_MAX;
    service.consult.participant_count = PARTICIPANT_COUNT_MAX;
    for (size_t i = 0; i < PARTICIPANT_COUNT_MAX; i++)
        service.consult.participants[i].released_count = RELEASED_COUNT_MAX;
    service.consult.taken_count = TAKEN_IN_COUNT_MAX;
    assert_int_equal(consult_import(exported(&service.consult, 0), &other.consult), OK);
    uint8_t small[64];
    struct buffer buffer = buffer_over(small, sizeof small);
    assert_int_equal(consult_export(&service.consult, &buffer), ERR_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_made_the_case_id_opens_the_case),
        cmocka_unit_test(what_the_announcement_said_is_known_of_the_case),
        cmocka_unit_test(the_requesters_records_are_applied_once_and_in_order),
        cmocka_unit_test(a_malformed_body_is_passed_and_the_stream_goes_on),
        cmocka_unit_test(access_is_given_once_and_ends_once),
        cmocka_unit_test(after_an_end_what_was_written_before_it_still_belongs),
        cmocka_unit_test(what_others_write_changes_nothing_until_it_is_taken_in),
        cmocka_unit_test(who_holds_the_same_streams_sees_the_same_case),
        cmocka_unit_test(a_take_in_is_weighed_entry_by_entry),
        cmocka_unit_test(a_case_takes_in_so_many_and_no_more),
        cmocka_unit_test(independent_opinions_are_not_told_by_a_synthesis),
        cmocka_unit_test(opinions_are_counted_by_distinct_institutions),
        cmocka_unit_test(deadlines_and_follow_ups_fall_due),
        cmocka_unit_test(a_command_can_ask_first),
        cmocka_unit_test(an_erase_is_obeyed_in_any_order_and_proves_itself),
        cmocka_unit_test(a_successor_reveals_closes_and_erases_for_a_removed_requester),
        cmocka_unit_test(receipts_are_counted_and_the_silent_are_known),
        cmocka_unit_test(a_case_is_kept_and_read_back_whole),
        cmocka_unit_test(the_largest_case_can_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
