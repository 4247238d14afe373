/* An older copy of a store is put back: what was written after it must not be written again
 * differently, for that would be to say two things at one position. */
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/consult/mirror.h"
#include "tests/unit/node/town.h"

static int given_a_town_in_touch(void **state)
{
    *state = town_new_in_touch();
    return 0;
}

static int then_it_ends(void **state)
{
    town_free(*state);
    return 0;
}

static void run(const char *const *arguments)
{
    pid_t child;
    int status;
    assert_int_equal(posix_spawnp(&child, arguments[0], NULL, NULL,
                                  (char *const *)(uintptr_t)arguments, environ),
                     0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void copy(const char *from, const char *to)
{
    run((const char *const[]){"rm", "-rf", to, NULL});
    run((const char *const[]){"cp", "-a", from, to, NULL});
}

static struct record_id post(struct town_house *house, const struct scope *scope, uint8_t seed)
{
    struct mirror mirror = {.case_id = {{seed}}, .what = MIRROR_CLOSED};
    return town_write(house, scope, KIND_MIRROR, &mirror);
}

static uint32_t forked_count(const struct town_house *house)
{
    struct core_status status;
    core_status(shell_core(house->shell), &status);
    return status.forked_count;
}

static void an_older_copy_of_the_store_learns_what_it_wrote_before_it_writes(void **state)
{
    struct town *town = *state;
    struct town_house *house = &town->houses[0];
    struct federation_id federation = roster_federation(&town->society.roster);
    struct scope scope = scope_board(&federation, bytes_of_text("hematology"));
    char backup[160];
    snprintf(backup, sizeof backup, "%s/backup", town->folder);
    (void)post(house, &scope, 1);
    town_shut(town, 0);
    copy(house->data, backup);
    town_open(town, 0);
    for (int i = 1; i < TOWN_HOUSE_COUNT; i++)
        town_connect(town, 0, i);
    for (uint8_t seed = 2; seed < 6; seed++) {
        struct record_id id = post(house, &scope, seed);
        assert_true(town_spreads(town, 1, &id));
        assert_true(town_spreads(town, 2, &id));
    }
    town_shut(town, 0);
    copy(backup, house->data);
    town->survey_ms = 300;
    town_open(town, 0);
    /* somebody asks at once; the others come a moment later */
    struct mirror mirror = {.case_id = {{99}}, .what = MIRROR_CLOSED};
    struct town_posted posted;
    town_begin(house, &scope, KIND_MIRROR, &mirror, &posted);
    town_pass(town, 100);
    assert_false(posted.is_done);
    for (int i = 1; i < TOWN_HOUSE_COUNT; i++)
        town_connect(town, 0, i);
    assert_true(town_until(town, town_is_posted, &posted));
    assert_int_equal(OK, posted.done.verdict);
    assert_int_equal(6, posted.done.sequence);
    for (int i = 1; i < TOWN_HOUSE_COUNT; i++) {
        assert_true(town_spreads(town, i, &posted.done.record));
        assert_int_equal(0, forked_count(&town->houses[i]));
    }
}

static void a_node_that_is_alone_writes_when_the_wait_is_over(void **state)
{
    struct town *town = *state;
    struct town_house *house = &town->houses[0];
    struct federation_id federation = roster_federation(&town->society.roster);
    struct scope scope = scope_board(&federation, bytes_of_text("hematology"));
    town_shut(town, 0);
    town->survey_ms = 100;
    town_open(town, 0);
    (void)post(house, &scope, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_older_copy_of_the_store_learns_what_it_wrote_before_it_writes, given_a_town_in_touch,
            then_it_ends),
        cmocka_unit_test_setup_teardown(a_node_that_is_alone_writes_when_the_wait_is_over,
                                        given_a_town_in_touch, then_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
