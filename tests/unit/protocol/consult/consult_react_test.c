/* What a node does by itself after each record, and what it leaves to a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/consult_fixture.h"

static struct service service;
static struct consult_situation situation;
static struct consult_action actions[CONSULT_ACTION_COUNT_MAX];

static void begin(void)
{
    service_init(&service, ANNOUNCEMENT_OPEN);
    assert_int_equal(service_open(&service), CONSULT_COUNTS);
    situation = (struct consult_situation){.self = service_a,
                                           .grants_automatically = true,
                                           .is_writer_admitted = true,
                                           .is_signature_good = true,
                                           .verdict = CONSULT_COUNTS};
}

static size_t react(void)
{
    return consult_react(&service.consult, &situation, &service.record, actions);
}

/* A JOIN mail of that institution; it is applied to no case. */
static size_t join(const struct node_id *joiner, const struct case_id *case_id)
{
    struct mail_join join = {.case_id = *case_id, .announcement = {{1}}};
    service_write(&service, joiner, KIND_JOIN, &join);
    service.statement.author.cert_id.bytes[0] = 0x33;
    situation.verdict = CONSULT_AWAITS;
    return react();
}

/* C-36 */
static void a_joiner_is_granted_access_up_to_the_number_wanted(void **state)
{
    (void)state;
    struct case_id case_id = service_case(), of_another = {{1}};
    begin();
    assert_int_equal(join(&service_b, &case_id), 1);
    assert_int_equal(actions[0].kind, CONSULT_WRITE_GRANT);
    assert_true(ID_EQUAL(actions[0].node, service_b));
    assert_true(ID_EQUAL(actions[0].record, service.record.id));
    assert_int_equal(actions[0].clinician.bytes[0], 0x33);
    assert_int_equal(join(&service_b, &of_another), 0);

    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(join(&service_b, &case_id), 0); /* has it */
    assert_int_equal(join(&service_c, &case_id), 1);
    assert_int_equal(service_grant(&service, &service_c), CONSULT_COUNTS);
    assert_int_equal(join(&service_d, &case_id), 0); /* two were wanted */
    struct record_id id = {{0x44}};
    assert_int_equal(service_take_in(&service, &service_c, &id, KIND_DECLINE), CONSULT_COUNTS);
    assert_int_equal(join(&service_d, &case_id), 1); /* one declined */
}

/* C-36 */
static void a_person_decides_where_policy_roster_signature_or_time_do_not(void **state)
{
    (void)state;
    struct case_id case_id = service_case();
    begin();
    situation.grants_automatically = false;
    assert_int_equal(join(&service_b, &case_id), 0);
    begin();
    situation.is_writer_admitted = false;
    assert_int_equal(join(&service_b, &case_id), 0);
    begin();
    situation.is_signature_good = false;
    assert_int_equal(join(&service_b, &case_id), 0);
    begin();
    situation.now.ms = SERVICE_DEADLINE;
    assert_int_equal(join(&service_b, &case_id), 0);
    begin();
    situation.self = service_c;
    assert_int_equal(join(&service_b, &case_id), 0);
    begin();
    assert_int_equal(service_close(&service), CONSULT_COUNTS);
    assert_int_equal(join(&service_b, &case_id), 0);
}

static void after_a_grant_the_participant_is_told_and_its_records_are_heard_again(void **state)
{
    (void)state;
    begin();
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(react(), 3);
    assert_int_equal(actions[0].kind, CONSULT_CHECK_READERS);
    assert_int_equal(actions[1].kind, CONSULT_MAIL_NOTICE);
    assert_true(ID_EQUAL(actions[1].node, service_b));
    assert_true(ID_EQUAL(actions[1].record, service.record.id));
    assert_int_equal(actions[2].kind, CONSULT_APPLY_AGAIN);
    assert_true(ID_EQUAL(actions[2].node, service_b));
    /* looked at again: the notice may still be owed, but nobody's access has changed */
    situation.is_again = true;
    assert_int_equal(react(), 2);
    assert_int_equal(actions[0].kind, CONSULT_MAIL_NOTICE);
    assert_int_equal(actions[1].kind, CONSULT_APPLY_AGAIN);
    situation.is_again = false;
    situation.self = service_b;
    assert_int_equal(react(), 2);
    assert_int_equal(actions[0].kind, CONSULT_CHECK_READERS);
    /* a grant that does not count moves nothing */
    situation.verdict = service_grant(&service, &service_b);
    assert_int_equal(react(), 0);
}

/* C-37 */
static void what_awaits_is_taken_in_once_its_signature_is_good(void **state)
{
    (void)state;
    begin();
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    situation.verdict = service_opinion(&service, &service_b);
    assert_int_equal(react(), 1);
    assert_int_equal(actions[0].kind, CONSULT_WRITE_TAKE_IN);
    assert_int_equal(actions[0].record_kind, KIND_OPINION);
    assert_true(ID_EQUAL(actions[0].node, service_b));
    assert_true(ID_EQUAL(actions[0].record, service.record.id));
    situation.is_signature_good = false;
    assert_int_equal(react(), 0);
    situation.is_signature_good = true;
    situation.self = service_b;
    assert_int_equal(react(), 0);
    situation.self = service_a;
    struct record_id id = service.record.id;
    struct consult_record opinion = service.record;
    assert_int_equal(service_take_in(&service, &service_b, &id, KIND_OPINION), CONSULT_COUNTS);
    service.record = opinion;
    situation.verdict = consult_apply(&service.consult, &service.record);
    assert_int_equal(react(), 0);
}

static void the_board_is_told_what_became_of_the_case(void **state)
{
    (void)state;
    begin();
    situation.verdict = service_extend(&service, SERVICE_DEADLINE + 7);
    assert_int_equal(react(), 2);
    assert_int_equal(actions[1].kind, CONSULT_WRITE_MIRROR);
    assert_int_equal(actions[1].what, MIRROR_EXTENDED);
    assert_int_equal(actions[1].until.ms, SERVICE_DEADLINE + 7);
    situation.verdict = service_close(&service);
    assert_int_equal(react(), 1);
    assert_int_equal(actions[0].what, MIRROR_CLOSED);
    assert_int_equal(actions[0].until.ms, 0);
    situation.self = service_b;
    assert_int_equal(react(), 0);
    begin();
    situation.verdict = service_say(&service, &service_a, KIND_WITHDRAW,
                                    &(struct case_record_withdraw){BYTES_NONE});
    assert_int_equal(react(), 1);
    assert_int_equal(actions[0].what, MIRROR_WITHDRAWN);
}

static void an_erase_is_carried_out_and_answered(void **state)
{
    (void)state;
    begin();
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    situation.verdict = service_erase(&service, &service_a);
    assert_int_equal(react(), 2);
    assert_int_equal(actions[0].kind, CONSULT_DESTROY);
    assert_int_equal(actions[1].kind, CONSULT_WRITE_MIRROR);
    assert_int_equal(actions[1].what, MIRROR_ERASED);
    situation.self = service_b;
    assert_int_equal(react(), 2);
    assert_int_equal(actions[0].kind, CONSULT_DESTROY);
    assert_int_equal(actions[1].kind, CONSULT_WRITE_ERASED);
    assert_true(ID_EQUAL(actions[1].record, service.record.id));
    situation.self = service_d; /* was never entitled: what it may have, it destroys */
    assert_int_equal(react(), 1);
    assert_int_equal(actions[0].kind, CONSULT_DESTROY);
}

static void reveals_releases_and_ends_change_who_may_read(void **state)
{
    (void)state;
    begin();
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    (void)service_opinion(&service, &service_b);
    struct record_id id = service.record.id;
    assert_int_equal(service_take_in(&service, &service_b, &id, KIND_OPINION), CONSULT_COUNTS);
    situation.verdict = service_reveal(&service, &id);
    assert_int_equal(react(), 1);
    assert_int_equal(actions[0].kind, CONSULT_CHECK_READERS);
    service.time.ms = SERVICE_DEADLINE;
    situation.verdict = service_release(&service, &service_b, &id);
    assert_int_equal(react(), 1);
    assert_int_equal(actions[0].kind, CONSULT_CHECK_READERS);
    situation.verdict = service_end(&service, &service_b, 0);
    assert_int_equal(react(), 1);
    assert_int_equal(actions[0].kind, CONSULT_CHECK_READERS);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    situation.verdict = service_end(&service, &service_b, 2); /* C-66: what it released by then */
    assert_int_equal(react(), 2);
    assert_int_equal(actions[1].kind, CONSULT_APPLY_AGAIN);
    assert_true(ID_EQUAL(actions[1].node, service_b));
    service.record.statement = NULL;
    assert_int_equal(react(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_joiner_is_granted_access_up_to_the_number_wanted),
        cmocka_unit_test(a_person_decides_where_policy_roster_signature_or_time_do_not),
        cmocka_unit_test(after_a_grant_the_participant_is_told_and_its_records_are_heard_again),
        cmocka_unit_test(what_awaits_is_taken_in_once_its_signature_is_good),
        cmocka_unit_test(the_board_is_told_what_became_of_the_case),
        cmocka_unit_test(an_erase_is_carried_out_and_answered),
        cmocka_unit_test(reveals_releases_and_ends_change_who_may_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
