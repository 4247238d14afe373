/* Who may read which record of a case: each reader, each record, before and after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "consult_desk.h"

static struct desk desk;

static void begin(enum announcement_mode mode)
{
    desk_init(&desk, mode);
    assert_int_equal(desk_open(&desk), CONSULT_COUNTS);
    assert_int_equal(desk_grant(&desk, &desk_b), CONSULT_COUNTS);
    assert_int_equal(desk_grant(&desk, &desk_c), CONSULT_COUNTS);
}

/* One letter for each of A, B, C and D who may read the record. */
static const char *readers(const struct consult_record *record)
{
    static char letters[5];
    const struct node_id *nodes[] = {&desk_a, &desk_b, &desk_c, &desk_d};
    size_t count = 0;
    for (size_t i = 0; i < 4; i++)
        if (consult_entitled(&desk.consult, nodes[i], record))
            letters[count++] = (char)('A' + (char)i);
    letters[count] = 0;
    return letters;
}

/* C-60 */
static void the_requesters_records_are_for_those_with_access(void **state)
{
    (void)state;
    desk_init(&desk, ANNOUNCEMENT_OPEN);
    assert_int_equal(desk_open(&desk), CONSULT_COUNTS);
    struct consult_record open = desk.record;
    assert_string_equal(readers(&open), "A");
    assert_int_equal(desk_grant(&desk, &desk_b), CONSULT_COUNTS);
    assert_string_equal(readers(&open), "AB"); /* what is already there, too */
    assert_int_equal(desk_grant(&desk, &desk_c), CONSULT_COUNTS);
    assert_string_equal(readers(&open), "ABC");
    assert_int_equal(desk_end(&desk, &desk_b, 0), CONSULT_COUNTS);
    assert_string_equal(readers(&open), "AC");
    assert_true(consult_ever_entitled(&desk.consult, &desk_b));
    assert_false(consult_ever_entitled(&desk.consult, &desk_d));
    consult_set_successor(&desk.consult, &desk_d);
    assert_string_equal(readers(&open), "ACD");
    assert_true(consult_ever_entitled(&desk.consult, &desk_d));
}

/* C-61 */
static void a_record_belongs_while_its_authors_access_covers_it(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    (void)desk_post(&desk, &desk_b);
    struct consult_record first = desk.record;
    (void)desk_post(&desk, &desk_b);
    struct consult_record second = desk.record;
    (void)desk_post(&desk, &desk_b);
    struct consult_record third = desk.record;
    (void)desk_post(&desk, &desk_d);
    struct consult_record stranger = desk.record;
    assert_string_equal(readers(&first), "ABC");
    assert_string_equal(readers(&stranger), "AD");
    assert_int_equal(desk_end(&desk, &desk_b, 1), CONSULT_COUNTS);
    assert_string_equal(readers(&first), "ABC");
    assert_string_equal(readers(&second), "AB"); /* an author's own is always its own */
    assert_int_equal(desk_take_in(&desk, &desk_b, &third.id, KIND_POST), CONSULT_COUNTS);
    assert_string_equal(readers(&third), "ABC");
    assert_string_equal(readers(&second), "AB");
}

/* C-62 */
static void a_sealed_opinion_is_the_requesters_until_revealed(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    (void)desk_opinion(&desk, &desk_b);
    struct consult_record opinion = desk.record;
    assert_string_equal(readers(&opinion), "AB");
    assert_int_equal(desk_take_in(&desk, &desk_b, &opinion.id, KIND_OPINION), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "AB");
    assert_int_equal(desk_reveal(&desk, &opinion.id), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "ABC");
}

/* C-62 */
static void a_release_opens_ones_own_opinion_and_not_anothers(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_INDEPENDENT_FIRST);
    (void)desk_opinion(&desk, &desk_b);
    struct consult_record opinion = desk.record;
    desk.time.ms = DESK_DEADLINE;
    assert_int_equal(desk_release(&desk, &desk_c, &opinion.id), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "AB");
    assert_int_equal(desk_release(&desk, &desk_b, &opinion.id), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "ABC");
    assert_int_equal(desk_extend(&desk, DESK_DEADLINE + 1), CONSULT_COUNTS);
    assert_string_equal(readers(&opinion), "AB");
}

/* C-51 */
static void of_an_erased_case_only_that_it_is_erased_is_told(void **state)
{
    (void)state;
    begin(ANNOUNCEMENT_OPEN);
    (void)desk_post(&desk, &desk_b);
    struct consult_record post = desk.record;
    assert_int_equal(desk_end(&desk, &desk_c, 0), CONSULT_COUNTS);
    assert_int_equal(desk_erase(&desk, &desk_a), CONSULT_COUNTS);
    struct consult_record erase = desk.record;
    assert_string_equal(readers(&post), "");
    assert_string_equal(readers(&erase), "ABC");
    assert_int_equal(desk_erased(&desk, &desk_b), CONSULT_COUNTS);
    struct consult_record receipt = desk.record;
    assert_string_equal(readers(&receipt), "ABC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_requesters_records_are_for_those_with_access),
        cmocka_unit_test(a_record_belongs_while_its_authors_access_covers_it),
        cmocka_unit_test(a_sealed_opinion_is_the_requesters_until_revealed),
        cmocka_unit_test(a_release_opens_ones_own_opinion_and_not_anothers),
        cmocka_unit_test(of_an_erased_case_only_that_it_is_erased_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
