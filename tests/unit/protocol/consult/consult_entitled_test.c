/* Who may read which record of a case: each reader, each record, before and after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/consult_fixture.h"

static struct service service;

static void begin(enum announcement_mode mode)
{
    service_init(&service, mode);
    assert_int_equal(service_open(&service), CONSULT_COUNTS);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(service_grant(&service, &service_c), CONSULT_COUNTS);
}

/* One letter for each of A, B, C and D who may read the record. */
static const char *readers(const struct consult_record *record)
{
    static char letters[5];
    const struct node_id *nodes[] = {&service_a, &service_b, &service_c, &service_d};
    size_t count = 0;
    for (size_t i = 0; i < 4; i++)
        if (consult_entitled(&service.consult, nodes[i], record, service.time))
            letters[count++] = (char)('A' + (char)i);
    letters[count] = 0;
    return letters;
}

/* C-60 */
static void the_requesters_records_are_for_those_with_access(void **state)
{
    (void)state;
    service_init(&service, ANNOUNCEMENT_OPEN);
    assert_int_equal(service_open(&service), CONSULT_COUNTS);
    struct consult_record open = service.record;
    assert_string_equal(readers(&open), "A");
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_string_equal(readers(&open), "AB"); /* what is already there, too */
    assert_int_equal(service_grant(&service, &service_c), CONSULT_COUNTS);
    assert_string_equal(readers(&open), "ABC");
    assert_int_equal(service_end(&service, &service_b, 0), CONSULT_COUNTS);
    assert_string_equal(readers(&open), "AC");
    assert_true(consult_ever_entitled(&service.consult, &service_b));
    assert_false(consult_ever_entitled(&service.consult, &service_d));
    consult_set_successor(&service.consult, &service_d);
    assert_string_equal(readers(&open), "ACD");
    assert_true(consult_ever_entitled(&service.consult, &service_d));
}

/* C-61 */
static void a_record_belongs_while_its_authors_access_covers_it(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    (void)service_post(&service, &service_b);
    struct consult_record first = service.record;
    (void)service_post(&service, &service_b);
    struct consult_record second = service.record;
    (void)service_post(&service, &service_b);
    struct consult_record third = service.record;
    (void)service_post(&service, &service_d);
    struct consult_record stranger = service.record;
    assert_string_equal(readers(&first), "ABC");
    assert_string_equal(readers(&stranger), "AD");
    assert_int_equal(service_end(&service, &service_b, 1), CONSULT_COUNTS);
    assert_string_equal(readers(&first), "ABC");
    assert_string_equal(readers(&second), "AB"); /* an author's own is always its own */
    assert_int_equal(service_take_in(&service, &service_b, &third.id, KIND_POST), CONSULT_COUNTS);
    assert_string_equal(readers(&third), "ABC");
    assert_string_equal(readers(&second), "AB");
}

/* C-62 */
static void a_sealed_opinion_is_the_requesters_until_revealed(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    (void)service_opinion(&service, &service_b);
    struct consult_record opinion = service.record;
    assert_string_equal(readers(&opinion), "AB");
    assert_int_equal(service_take_in(&service, &service_b, &opinion.id, KIND_OPINION),
                     CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "AB");
    assert_int_equal(service_reveal(&service, &opinion.id), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "ABC");
}

/* C-62 */
static void a_release_opens_ones_own_opinion_and_not_anothers(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    (void)service_opinion(&service, &service_b);
    struct consult_record opinion = service.record;
    service.time.ms = SERVICE_DEADLINE;
    assert_int_equal(service_release(&service, &service_c, &opinion.id), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "AB");
    assert_int_equal(service_release(&service, &service_b, &opinion.id), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "ABC");
    assert_int_equal(service_extend(&service, SERVICE_DEADLINE + 1), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "AB");
}

/* (T-31) */
static void a_release_from_the_future_opens_at_its_time(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    (void)service_opinion(&service, &service_b);
    struct consult_record opinion = service.record;
    const struct wall now = {SERVICE_DEADLINE - CLOCK_SKEW_MS_MAX - 1};
    service.time.ms = SERVICE_DEADLINE; /* a clock that is ahead, or a lie */
    assert_int_equal(service_release(&service, &service_b, &opinion.id), CONSULT_COUNTS);
    service.time = now;
    assert_string_equal(readers(&opinion), "AB");
    assert_int_equal(consult_entitled_from(&service.consult, &opinion, now).ms, now.ms + 1);
    service.time.ms++;
    assert_string_equal(readers(&opinion), "ABC");
    assert_int_equal(consult_entitled_from(&service.consult, &opinion, service.time).ms, 0);
}

/* C-51 */
static void of_an_erased_case_only_that_it_is_erased_is_told(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    (void)service_post(&service, &service_b);
    struct consult_record post = service.record;
    assert_int_equal(service_end(&service, &service_c, 0), CONSULT_COUNTS);
    assert_int_equal(service_erase(&service, &service_a), CONSULT_COUNTS);
    struct consult_record erase = service.record;
    assert_string_equal(readers(&post), "");
    assert_string_equal(readers(&erase), "ABC");
    assert_int_equal(service_erased(&service, &service_b), CONSULT_COUNTS);
    struct consult_record receipt = service.record;
    assert_string_equal(readers(&receipt), "ABC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_requesters_records_are_for_those_with_access),
        cmocka_unit_test(a_record_belongs_while_its_authors_access_covers_it),
        cmocka_unit_test(a_sealed_opinion_is_the_requesters_until_revealed),
        cmocka_unit_test(a_release_opens_ones_own_opinion_and_not_anothers),
        cmocka_unit_test(a_release_from_the_future_opens_at_its_time),
        cmocka_unit_test(of_an_erased_case_only_that_it_is_erased_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
