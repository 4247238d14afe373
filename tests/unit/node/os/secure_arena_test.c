/* Secrets come zeroed from one arena, go back wiped, and the process leaves no core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/os/secure_arena.h"

static bool all_zero(const uint8_t *piece, size_t size)
{
    while (size > 0 && piece[size - 1] == 0)
        size--;
    return size == 0;
}

static void a_piece_given_back_is_wiped_and_used_again(void **state)
{
    (void)state;
    struct secure_arena *secrets = NULL;
    assert_int_equal(secure_arena_new(4 * 64, &secrets), OK);
    uint8_t *a = secure_arena_take(secrets, 32);
    uint8_t *b = secure_arena_take(secrets, 100);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(b >= a + 64);
    assert_int_equal((uintptr_t)a % 64, 0);
    memset(a, 0xff, 64);
    memset(b, 0xff, 128);
    secure_arena_drop(secrets, b);
    uint8_t *again = secure_arena_take(secrets, 128);
    assert_ptr_equal(again, b);
    assert_true(all_zero(again, 128));
    assert_int_equal(a[0], 0xff);
    secure_arena_drop(secrets, NULL);
    secure_arena_free(secrets);
}

static void a_full_arena_says_so(void **state)
{
    (void)state;
    struct secure_arena *secrets = NULL;
    uint8_t *pieces[4];
    assert_int_equal(secure_arena_new(4 * 64, &secrets), OK);
    for (int i = 0; i < 4; i++)
        assert_non_null(pieces[i] = secure_arena_take(secrets, 64));
    assert_null(secure_arena_take(secrets, 1));
    secure_arena_drop(secrets, pieces[0]);
    secure_arena_drop(secrets, pieces[2]);
    assert_null(secure_arena_take(secrets, 65)); /* two are free, but not in a row */
    assert_non_null(secure_arena_take(secrets, 64));
    secure_arena_free(secrets);
}

static void four_thousand_secrets_fit_at_once(void **state)
{
    (void)state;
    struct secure_arena *secrets = NULL;
    assert_int_equal(secure_arena_new(4096 * 64, &secrets), OK);
    for (int i = 0; i < 4096; i++)
        assert_non_null(secure_arena_take(secrets, 32));
    assert_null(secure_arena_take(secrets, 32));
    assert_true(secure_arena_locked(secrets)); /* 256 KiB are below every usual RLIMIT_MEMLOCK */
    secure_arena_free(secrets);
}

static void a_hardened_process_leaves_no_engine(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit engine;
        bool good = secure_arena_harden() == OK && getrlimit(RLIMIT_CORE, &engine) == 0 &&
                    engine.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0;
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_given_back_is_wiped_and_used_again),
        cmocka_unit_test(a_full_arena_says_so),
        cmocka_unit_test(four_thousand_secrets_fit_at_once),
        cmocka_unit_test(a_hardened_process_leaves_no_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
