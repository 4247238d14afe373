/* What one writer may make a node keep is bounded; what comes beyond waits for its day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/core/core_state.h"
#include "tests/unit/protocol/ward.h"

#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
#define FIRST_SIZE ((uint64_t)WRITER_FIRST_KIB * 1024)

static int given_three_hospitals(void **state)
{
    struct ward *ward = ward_new(3);
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    *state = ward;
    return 0;
}

static int then_it_ends(void **state)
{
    ward_free(*state);
    return 0;
}

static struct ward_pen pen_of(struct ward *ward, uint32_t number)
{
    struct federation_id federation = roster_federation(&ward->roster);
    return ward_pen(ward, number, scope_board(&federation, bytes_of_text("hematology")),
                    AUDIENCE_SCOPE);
}

/* (T-21) through whatever link */
static void who_wrote_too_much_waits_and_is_heard_again(void **state)
{
    struct ward *ward = *state;
    struct ward_pen pen = pen_of(ward, 2), other = pen_of(ward, 3);
    struct node_id two = federation_node(2);
    ward_say(ward, &pen, ward_words(1), 2);
    writers_charge(&ward->core->writers, &two, FIRST_SIZE - 1024);
    struct ward_pen again = pen;
    ward_say(ward, &pen, ward_words(2), 2);
    pen = again;
    ward_say(ward, &pen, ward_words(2), 3);
    ward_say(ward, &other, ward_words(1), 3);
    assert_int_equal(1, ward_tail(ward, &pen));
    assert_int_equal(1, ward_tail(ward, &other));
    ward_pass(ward, DAY_MS);
    ward_meet(ward, 2);
    ward_say(ward, &again, ward_words(2), 2);
    assert_int_equal(2, ward_tail(ward, &again));
    assert_int_equal(0, ward->forked_count);
}

static void what_is_here_already_counts_after_a_start(void **state)
{
    struct ward *ward = *state;
    struct ward_pen pen = pen_of(ward, 2);
    struct node_id two = federation_node(2);
    struct wall since = {1}, now = {2};
    for (uint8_t i = 0; i < 3; i++)
        ward_say(ward, &pen, ward_words(i), 2);
    ward_restart(ward);
    writers_charge(&ward->core->writers, &two, FIRST_SIZE - 4 * 1024);
    assert_false(writers_is_spent(&ward->core->writers, &two, since, now));
    writers_charge(&ward->core->writers, &two, 1);
    assert_true(writers_is_spent(&ward->core->writers, &two, since, now));
}

static void what_we_write_ourselves_is_not_counted(void **state)
{
    struct ward *ward = *state;
    struct node_id self = federation_node(1);
    struct wall since = {1}, now = {2};
    struct ward_pen pen = pen_of(ward, 1);
    writers_charge(&ward->core->writers, &self, FIRST_SIZE);
    assert_true(writers_is_spent(&ward->core->writers, &self, since, now));
    assert_int_equal(OK, ward_post(ward, pen.header.stream.scope, AUDIENCE_SCOPE, ward_words(1)));
    struct ward_pen lost = pen; /* and comes back from others after a restore */
    ward_restart(ward);
    lost.header.stream.scope = scope_federation();
    lost.header.audience = AUDIENCE_CLEAR;
    writers_charge(&ward->core->writers, &self, FIRST_SIZE);
    ward_meet(ward, 2);
    ward_say(ward, &lost, ward_words(2), 2);
    assert_int_equal(1, ward_tail(ward, &lost));
}

/* Each place is found again, however many there are. */
static void each_of_many_has_its_own_count(void **state)
{
    (void)state;
    enum { PLACES = 256, MEMBERS = PLACES / 2 };
    static struct writer_use memory[PLACES];
    struct writers writers;
    struct wall since = {1}, now = {2};
    writers_init(&writers, memory, PLACES);
    for (uint32_t i = 1; i <= MEMBERS; i++) {
        struct node_id node = federation_node(i);
        writers_charge(&writers, &node, i % 2 == 0 ? FIRST_SIZE : 1);
    }
    for (uint32_t i = 1; i <= MEMBERS; i++) {
        struct node_id node = federation_node(i);
        assert_int_equal(i % 2 == 0, writers_is_spent(&writers, &node, since, now));
    }
    now.ms += DAY_MS;
    struct node_id two = federation_node(2);
    assert_false(writers_is_spent(&writers, &two, since, now));
}

#define IN_WARD(test) cmocka_unit_test_setup_teardown(test, given_three_hospitals, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WARD(who_wrote_too_much_waits_and_is_heard_again),
        IN_WARD(what_is_here_already_counts_after_a_start),
        IN_WARD(what_we_write_ourselves_is_not_counted),
        cmocka_unit_test(each_of_many_has_its_own_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
