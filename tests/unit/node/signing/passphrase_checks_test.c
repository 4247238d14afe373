/* Passphrases are checked one at a time: whose turn it is, and whose is not computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/signing/passphrase_checks.h"

enum { CHECK_COUNT = PASSPHRASE_CHECKS_COUNT_MAX + 2 };

struct waiting_room {
    uv_loop_t loop;
    struct workers *workers;
    struct passphrase_checks *checks;
    struct one_check *all[CHECK_COUNT];
    char order[CHECK_COUNT + 1]; /* names of the checks in the order of their ends */
    size_t done;
    size_t refused;
};

struct one_check {
    struct passphrase_check check;
    struct waiting_room *room;
    char name;
    bool has_gone;
    bool has_run;
    err result;
};

static bool is_wanted(void *arg)
{
    return !((struct one_check *)arg)->has_gone;
}

static void on_run(struct passphrase_check *check)
{
    ((struct one_check *)check)->has_run = true;
}

static void on_done(struct passphrase_check *check, err result)
{
    struct one_check *one = (struct one_check *)check;
    one->result = result;
    one->room->order[one->room->done++] = one->name;
}

static err submit(struct waiting_room *room, struct one_check *one, uint64_t uid,
                  bool is_privileged)
{
    one->room = room;
    one->check = (struct passphrase_check){
        .asker = {.uid = uid, .is_privileged = is_privileged, .is_wanted = is_wanted, .arg = one},
        .run = on_run,
        .done = on_done};
    return passphrase_checks_submit(room->checks, &one->check);
}

static void until_done(struct waiting_room *room, size_t count)
{
    while (room->done < count)
        uv_run(&room->loop, UV_RUN_ONCE);
}

static int setup(void **state)
{
    static struct waiting_room room;
    room = (struct waiting_room){.done = 0};
    uv_loop_init(&room.loop);
    assert_int_equal(OK, workers_new(&room.loop, 1, 16, &room.workers));
    room.checks = passphrase_checks_new(room.workers);
    assert_non_null(room.checks);
    *state = &room;
    return 0;
}

static int teardown(void **state)
{
    struct waiting_room *room = *state;
    workers_free(room->workers);
    passphrase_checks_free(room->checks);
    uv_run(&room->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&room->loop);
}

static void users_take_turns(void **state)
{
    struct waiting_room *room = *state;
    struct one_check checks[7] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'},
                                  {.name = 'X'}, {.name = 'Y'}, {.name = '!'}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(OK, submit(room, &checks[i], 1, false));
    assert_int_equal(OK, submit(room, &checks[4], 2, false));
    assert_int_equal(OK, submit(room, &checks[5], 2, false));
    assert_int_equal(OK, submit(room, &checks[6], 3, false));
    until_done(room, 7);
    assert_string_equal("aX!bYcd", room->order);
    for (size_t i = 0; i < 7; i++)
        assert_true(checks[i].has_run && checks[i].result == OK);
}

static void nobody_has_more_waiting_than_its_share(void **state)
{
    struct waiting_room *room = *state;
    static struct one_check checks[CHECK_COUNT];
    memset(checks, 0, sizeof checks);
    for (size_t i = 0; i < PASSPHRASE_CHECKS_EACH_COUNT_MAX; i++)
        assert_int_equal(OK, submit(room, &checks[i], 1, true));
    assert_int_equal(ERR_OVER_BUDGET, submit(room, &checks[8], 1, true));
    assert_int_equal(OK, submit(room, &checks[9], 2, false));
    until_done(room, PASSPHRASE_CHECKS_EACH_COUNT_MAX + 1);
    assert_int_equal(OK, submit(room, &checks[8], 1, false));
    until_done(room, PASSPHRASE_CHECKS_EACH_COUNT_MAX + 2);
}

static void places_are_kept_for_administrators(void **state)
{
    struct waiting_room *room = *state;
    static struct one_check checks[CHECK_COUNT];
    memset(checks, 0, sizeof checks);
    size_t count = 0;
    while (submit(room, &checks[count], 10 + count / 4, false) == OK)
        count++;
    assert_int_equal(PASSPHRASE_CHECKS_COUNT_MAX - PASSPHRASE_CHECKS_KEPT_COUNT + 1, count);
    assert_int_equal(ERR_OVER_BUDGET, submit(room, &checks[count], 99, false));
    assert_int_equal(OK, submit(room, &checks[count], 99, true));
    until_done(room, count + 1);
}

static void what_nobody_waits_for_is_not_computed(void **state)
{
    struct waiting_room *room = *state;
    struct one_check checks[3] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(OK, submit(room, &checks[i], 1, false));
    checks[1].has_gone = true;
    until_done(room, 3);
    assert_true(checks[0].has_run);
    assert_false(checks[1].has_run);
    assert_int_equal(ERR_BUSY, checks[1].result);
    assert_true(checks[2].has_run);
}

static void all_end_when_the_threads_end(void **state)
{
    struct waiting_room *room = *state;
    struct one_check checks[4] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(OK, submit(room, &checks[i], i, false));
    workers_free(room->workers);
    room->workers = NULL;
    assert_int_equal(4, room->done);
    assert_int_equal(OK, checks[0].result);
    assert_int_equal(ERR_BUSY, checks[3].result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(users_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_has_more_waiting_than_its_share, setup, teardown),
        cmocka_unit_test_setup_teardown(places_are_kept_for_administrators, setup, teardown),
        cmocka_unit_test_setup_teardown(what_nobody_waits_for_is_not_computed, setup, teardown),
        cmocka_unit_test_setup_teardown(all_end_when_the_threads_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
