/* What systemd hears of a daemon. The test is systemd: it holds the socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/os/systemd_notify.h"

static int listener = -1;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static int enter(void **state)
{
    (void)state;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/tmp/consilium-service-%d",
                   (int)getpid());
    (void)unlink(address.sun_path);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
           setenv("NOTIFY_SOCKET", address.sun_path, 1) != 0;
}

static int leave(void **state)
{
    (void)state;
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)close(listener);
    return unlink(address.sun_path);
}

static bool is_alive(void *arg)
{
    return *(bool *)arg;
}

static bool hears(const char *words, int flags)
{
    char said[256] = "";
    return recv(listener, said, sizeof said - 1, flags) > 0 && strcmp(said, words) == 0;
}

static void a_watched_service_is_heard_of_while_its_loop_turns(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct systemd_notify service;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "4000", 1), 0);
    bool alive = true;
    systemd_notify_begin(&service, &loop, is_alive, &alive);
    assert_true(hears("READY=1", MSG_DONTWAIT));
    assert_false(hears("WATCHDOG=1", MSG_DONTWAIT)); /* the loop did not turn yet */
    uv_ref((uv_handle_t *)&service.timer);           /* as if a daemon had other work */
    for (int i = 0; i < 3; i++) { /* on a busy machine one turn says it twice, or not yet */
        while (!hears("WATCHDOG=1", MSG_DONTWAIT))
            (void)uv_run(&loop, UV_RUN_ONCE);
    }
    alive = false;
    while (hears("WATCHDOG=1", MSG_DONTWAIT))
        continue;
    uint64_t until = uv_hrtime() + UINT64_C(20) * 1000 * 1000; /* ten of its periods */
    while (uv_hrtime() < until)
        (void)uv_run(&loop, UV_RUN_ONCE);
    assert_false(hears("WATCHDOG=1", MSG_DONTWAIT));
    systemd_notify_stopping();
    while (!hears("STOPPING=1", 0))
        continue;
    systemd_notify_end(&service);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void one_that_is_not_watched_is_ready_and_says_no_more(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct systemd_notify service;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
    bool alive = true;
    systemd_notify_begin(&service, &loop, is_alive, &alive);
    assert_true(hears("READY=1", MSG_DONTWAIT));
    systemd_notify_end(&service);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_false(hears("WATCHDOG=1", MSG_DONTWAIT));
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watched_service_is_heard_of_while_its_loop_turns),
        cmocka_unit_test(one_that_is_not_watched_is_ready_and_says_no_more),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
