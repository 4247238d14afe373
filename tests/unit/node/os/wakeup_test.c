/* A loop that another thread wakes: once for many calls, never too few times, and not after it was
 * closed. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/os/wakeup.h"

enum { WORK_COUNT = 100000, LATE_MS = 20000 };

struct room {
    uv_loop_t loop;
    uv_timer_t late; /* ends a wait for what never comes */
    struct wakeup wakeup;
    atomic_uint given; /* by the other thread */
    atomic_uint asked; /* of it */
    unsigned taken;    /* seen by the loop */
    unsigned calls;
    unsigned closes;
    bool is_late;
};

/* Another thread's call may come at any point: here it comes as the loop reads. */
static struct wakeup *sent_on_read;

ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    struct wakeup *wakeup = sent_on_read;
    sent_on_read = NULL;
    if (wakeup != NULL)
        wakeup_send(wakeup);
    return __real_read(fd, buffer, size);
}

static void on_wake(void *user)
{
    struct room *room = user;
    room->calls++;
    room->taken = atomic_load(&room->given);
}

static void on_closed(void *user)
{
    ((struct room *)user)->closes++;
}

static void on_late(uv_timer_t *timer)
{
    ((struct room *)timer->data)->is_late = true;
}

static void begin(struct room *room)
{
    *room = (struct room){.calls = 0};
    assert_int_equal(uv_loop_init(&room->loop), 0);
    assert_int_equal(uv_timer_init(&room->loop, &room->late), 0);
    room->late.data = room;
    assert_int_equal(uv_timer_start(&room->late, on_late, LATE_MS, 0), 0);
    assert_int_equal(wakeup_open(&room->wakeup, &room->loop, on_wake, room), OK);
}

static void end(struct room *room)
{
    if (room->closes == 0)
        wakeup_close(&room->wakeup, on_closed);
    uv_close((uv_handle_t *)&room->late, NULL);
    (void)uv_run(&room->loop, UV_RUN_DEFAULT);
    assert_int_equal(room->closes, 1);
    assert_int_equal(uv_loop_close(&room->loop), 0);
}

static void turn(struct room *room)
{
    for (unsigned i = 0; i < 3; i++)
        (void)uv_run(&room->loop, UV_RUN_NOWAIT);
}

static void many_calls_before_the_loop_looks_wake_it_once(void **state)
{
    (void)state;
    struct room room;
    begin(&room);
    for (unsigned i = 0; i < 1000; i++)
        wakeup_send(&room.wakeup);
    turn(&room);
    assert_int_equal(room.calls, 1);
    wakeup_send(&room.wakeup);
    turn(&room);
    assert_int_equal(room.calls, 2);
    end(&room);
}

static void a_call_as_the_loop_reads_does_not_silence_the_next(void **state)
{
    (void)state;
    struct room room;
    begin(&room);
    sent_on_read = &room.wakeup;
    wakeup_send(&room.wakeup);
    turn(&room);
    assert_null(sent_on_read);
    unsigned before = room.calls;
    assert_true(before >= 1);
    wakeup_send(&room.wakeup);
    turn(&room);
    assert_int_equal(room.calls, before + 1);
    end(&room);
}

/* One piece at a time: the loop must see each, or both wait for ever. */
static void *give(void *argument)
{
    struct room *room = argument;
    for (unsigned i = 1; i <= WORK_COUNT; i++) {
        while (atomic_load(&room->asked) < i)
            if (atomic_load(&room->asked) == UINT32_MAX)
                return NULL;
        atomic_store(&room->given, i);
        wakeup_send(&room->wakeup);
    }
    return NULL;
}

static void no_work_of_another_thread_is_overlooked(void **state)
{
    (void)state;
    struct room room;
    pthread_t thread;
    begin(&room);
    assert_int_equal(pthread_create(&thread, NULL, give, &room), 0);
    while (room.taken < WORK_COUNT && !room.is_late) {
        /* asked for while the thread may still be inside of its last call */
        atomic_store(&room.asked, room.taken + 1);
        (void)uv_run(&room.loop, UV_RUN_ONCE);
    }
    if (room.is_late)
        atomic_store(&room.asked, UINT32_MAX);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(room.is_late);
    assert_int_equal(room.taken, WORK_COUNT);
    end(&room);
}

/* All at once: what was given last is seen, however few the calls are. */
static void *give_all(void *argument)
{
    struct room *room = argument;
    for (unsigned i = 1; i <= WORK_COUNT; i++) {
        atomic_store(&room->given, i);
        wakeup_send(&room->wakeup);
    }
    return NULL;
}

static void the_last_of_many_is_seen(void **state)
{
    (void)state;
    struct room room;
    pthread_t thread;
    begin(&room);
    assert_int_equal(pthread_create(&thread, NULL, give_all, &room), 0);
    while (room.taken < WORK_COUNT && !room.is_late)
        (void)uv_run(&room.loop, UV_RUN_ONCE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(room.is_late);
    assert_true(room.calls <= WORK_COUNT);
    end(&room);
}

static void closing_forgets_what_was_sent_and_gives_the_descriptor_back(void **state)
{
    (void)state;
    struct room room;
    begin(&room);
    int fd = room.wakeup.fd;
    assert_true(fcntl(fd, F_GETFD) >= 0);
    wakeup_send(&room.wakeup);
    wakeup_close(&room.wakeup, on_closed);
    assert_int_equal(room.closes, 0);
    assert_true(fcntl(fd, F_GETFD) >= 0); /* libuv may still name it to the kernel */
    (void)uv_run(&room.loop, UV_RUN_NOWAIT);
    assert_int_equal(room.closes, 1);
    assert_int_equal(room.calls, 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(errno, EBADF);
    end(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_calls_before_the_loop_looks_wake_it_once),
        cmocka_unit_test(a_call_as_the_loop_reads_does_not_silence_the_next),
        cmocka_unit_test(no_work_of_another_thread_is_overlooked),
        cmocka_unit_test(the_last_of_many_is_seen),
        cmocka_unit_test(closing_forgets_what_was_sent_and_gives_the_descriptor_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
