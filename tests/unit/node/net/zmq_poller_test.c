/* Sockets in a loop: nothing that waits is overlooked, and nobody starves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <zmq.h>

#include "node/net/zmq_poller.h"

struct pipe_end {
    struct zmq_poller watch;
    void *other; /* the end that the test holds */
    unsigned received;
    unsigned largest_batch;
    bool closed;
};

static void *context;
static uv_loop_t loop;
static struct zmq_poller_set set;
static unsigned seconds;
static bool set_closed;

static void on_second(struct zmq_poller_set *of)
{
    (void)of;
    seconds++;
}

static void on_set_closed(struct zmq_poller_set *of)
{
    (void)of;
    set_closed = true;
}

static unsigned drain(struct zmq_poller *watch, unsigned budget)
{
    struct pipe_end *end = watch->user;
    zmq_msg_t message;
    unsigned count = 0;
    (void)zmq_msg_init(&message);
    while (count < budget && zmq_poller_receive(watch->socket, &message) >= 0)
        count++;
    (void)zmq_msg_close(&message);
    end->received += count;
    end->largest_batch = count > end->largest_batch ? count : end->largest_batch;
    return count;
}

static void on_closed(struct zmq_poller *watch)
{
    struct pipe_end *end = watch->user;
    end->closed = true;
}

static int enter(void **state)
{
    (void)state;
    seconds = 0;
    set_closed = false;
    context = zmq_ctx_new();
    return uv_loop_init(&loop) != 0 || zmq_poller_set_open(&set, &loop, on_second) != OK;
}

static int leave(void **state)
{
    (void)state;
    zmq_poller_set_close(&set, on_set_closed);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return !set_closed || uv_loop_close(&loop) != 0 || zmq_ctx_term(context) != 0;
}

static void open_end(struct pipe_end *end, const char *name)
{
    const int none = 0;
    void *socket = zmq_socket(context, ZMQ_PAIR);
    end->other = zmq_socket(context, ZMQ_PAIR);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none), 0);
    assert_int_equal(zmq_setsockopt(end->other, ZMQ_SNDHWM, &none, sizeof none), 0);
    assert_int_equal(zmq_bind(socket, name), 0);
    assert_int_equal(zmq_connect(end->other, name), 0);
    end->watch.drain = drain;
    end->watch.closed = on_closed;
    end->watch.user = end;
    assert_int_equal(zmq_poller_open(&set, &end->watch, socket), OK);
}

static void close_end(struct pipe_end *end)
{
    zmq_poller_close(&end->watch);
    zmq_poller_close(&end->watch);
    while (!end->closed)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_null(end->watch.socket);
    assert_int_equal(zmq_close(end->other), 0);
}

static void send_many(struct pipe_end *end, unsigned count)
{
    while (count-- > 0)
        assert_int_equal(zmq_send(end->other, "m", 1, ZMQ_DONTWAIT), 1);
}

static void a_backlog_is_taken_in_bites_without_waiting(void **state)
{
    (void)state;
    struct pipe_end end = {0};
    open_end(&end, "inproc://a");
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    send_many(&end, 20000);
    for (unsigned turn = 0; turn < 100 && end.received < 20000; turn++)
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(end.received, 20000);
    assert_int_equal(seconds, 0); /* not the sweep found them */
    assert_true(end.largest_batch <= 256);
    close_end(&end);
}

static void one_who_is_flooded_does_not_keep_others_waiting(void **state)
{
    (void)state;
    struct pipe_end flooded = {0};
    struct pipe_end quiet = {0};
    open_end(&flooded, "inproc://a");
    open_end(&quiet, "inproc://b");
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    send_many(&flooded, 20000);
    send_many(&quiet, 1);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(quiet.received, 1);
    assert_true(flooded.received < 20000);
    close_end(&flooded);
    close_end(&quiet);
}

/* A send of our own may swallow the news of a message: it must be looked for all the same. */
static void a_message_that_a_send_swallowed_is_found(void **state)
{
    (void)state;
    struct pipe_end end = {0};
    open_end(&end, "inproc://a");
    for (unsigned i = 0; i < 500; i++) {
        while (uv_run(&loop, UV_RUN_NOWAIT) != 0 && end.received < i)
            continue;
        send_many(&end, 1);
        assert_int_equal(zmq_poller_send_bytes(end.watch.socket, bytes_of_text("x"), false), 1);
        zmq_poller_touch(&end.watch);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(end.received, i + 1);
    }
    assert_int_equal(seconds, 0);
    close_end(&end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backlog_is_taken_in_bites_without_waiting, enter, leave),
        cmocka_unit_test_setup_teardown(one_who_is_flooded_does_not_keep_others_waiting, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(a_message_that_a_send_swallowed_is_found, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
