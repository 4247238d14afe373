#include "node/net/zmq_poller.h"

#include <assert.h>
#include <errno.h>

#include <zmq.h>

enum {
    ZMQ_POLLER_TURN_BUDGET = 2048,  /* messages in one pass over all sockets */
    ZMQ_POLLER_SOCKET_BUDGET = 256, /* and of one socket, before the others have their turn */
    ZMQ_POLLER_SWEEP_MS = 1000,
};

/* ---- the pass ---- */

static struct zmq_poller *zmq_poller_take_touched(struct zmq_poller_set *set)
{
    struct zmq_poller *watch = set->first_touched;
    if (watch == NULL)
        return NULL;
    set->first_touched = watch->next_touched;
    if (set->first_touched == NULL)
        set->last_touched = NULL;
    set->touched_count--;
    watch->touched = false;
    return watch;
}

static void zmq_poller_on_idle(uv_idle_t *idle)
{
    (void)idle; /* its being there keeps the loop from waiting */
}

static void zmq_poller_pass(struct zmq_poller_set *set)
{
    unsigned left = ZMQ_POLLER_TURN_BUDGET;
    unsigned count = set->touched_count;
    if (set->draining)
        return; /* a callback runs the loop: leave the lists alone */
    set->draining = true;
    while (count-- > 0 && left > 0) {
        struct zmq_poller *watch = zmq_poller_take_touched(set);
        if (watch == NULL)
            break;
        unsigned budget = left < ZMQ_POLLER_SOCKET_BUDGET ? left : ZMQ_POLLER_SOCKET_BUDGET;
        unsigned taken = watch->drain(watch, budget);
        left -= taken < left ? taken : left;
        if (taken >= budget)
            zmq_poller_touch(watch);
    }
    set->draining = false;
    if (set->first_touched != NULL)
        (void)uv_idle_start(&set->idle, zmq_poller_on_idle);
    else
        (void)uv_idle_stop(&set->idle);
}

static void zmq_poller_on_prepare(uv_prepare_t *prepare)
{
    zmq_poller_pass(prepare->data);
}

static void zmq_poller_on_check(uv_check_t *check)
{
    zmq_poller_pass(check->data);
}

static void zmq_poller_on_timer(uv_timer_t *timer)
{
    struct zmq_poller_set *set = timer->data;
    for (struct zmq_poller *w = set->first; w != NULL; w = w->next)
        zmq_poller_touch(w);
    set->on_second(set);
}

/* ---- the set ---- */

err zmq_poller_set_open(struct zmq_poller_set *set, uv_loop_t *loop,
                        void (*on_second)(struct zmq_poller_set *set))
{
    *set = (struct zmq_poller_set){.loop = loop, .on_second = on_second};
    uv_update_time(loop);
    /* these cannot fail with a good loop */
    if (uv_prepare_init(loop, &set->prepare) != 0 || uv_check_init(loop, &set->check) != 0 ||
        uv_idle_init(loop, &set->idle) != 0 || uv_timer_init(loop, &set->timer) != 0)
        return ERR_IO;
    set->prepare.data = set->check.data = set->idle.data = set->timer.data = set;
    if (uv_prepare_start(&set->prepare, zmq_poller_on_prepare) != 0 ||
        uv_check_start(&set->check, zmq_poller_on_check) != 0 ||
        uv_timer_start(&set->timer, zmq_poller_on_timer, ZMQ_POLLER_SWEEP_MS,
                       ZMQ_POLLER_SWEEP_MS) != 0)
        return ERR_IO;
    set->handles_open = 4;
    return OK;
}

static void zmq_poller_set_on_handle_closed(uv_handle_t *handle)
{
    struct zmq_poller_set *set = handle->data;
    if (--set->handles_open == 0)
        set->on_closed(set);
}

void zmq_poller_set_close(struct zmq_poller_set *set, void (*on_closed)(struct zmq_poller_set *set))
{
    assert(set->first == NULL);
    set->on_closed = on_closed;
    uv_close((uv_handle_t *)&set->prepare, zmq_poller_set_on_handle_closed);
    uv_close((uv_handle_t *)&set->check, zmq_poller_set_on_handle_closed);
    uv_close((uv_handle_t *)&set->idle, zmq_poller_set_on_handle_closed);
    uv_close((uv_handle_t *)&set->timer, zmq_poller_set_on_handle_closed);
}

/* ---- one socket ---- */

static void zmq_poller_on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    zmq_poller_touch(poll->data);
}

err zmq_poller_open(struct zmq_poller_set *set, struct zmq_poller *watch, void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size) != 0)
        return ERR_IO;
    int failure = uv_poll_init(set->loop, &watch->poll, fd);
    if (failure != 0) {
        errno = -failure;
        return ERR_IO;
    }
    watch->poll.data = watch;
    (void)uv_poll_start(&watch->poll, UV_READABLE, zmq_poller_on_poll);
    watch->set = set;
    watch->socket = socket;
    watch->closing = false;
    watch->touched = false;
    watch->previous = NULL;
    watch->next = set->first;
    if (set->first != NULL)
        set->first->previous = watch;
    set->first = watch;
    zmq_poller_touch(watch);
    return OK;
}

void zmq_poller_touch(struct zmq_poller *watch)
{
    struct zmq_poller_set *set = watch->set;
    if (watch->touched || watch->closing)
        return;
    watch->touched = true;
    watch->next_touched = NULL;
    if (set->last_touched == NULL)
        set->first_touched = watch;
    else
        set->last_touched->next_touched = watch;
    set->last_touched = watch;
    set->touched_count++;
}

int zmq_poller_receive(void *socket, struct zmq_msg_t *message)
{
    int size = -1;
    do
        size = zmq_msg_recv(message, socket, ZMQ_DONTWAIT);
    while (size < 0 && errno == EINTR);
    return size;
}

int zmq_poller_send(void *socket, struct zmq_msg_t *message, bool more)
{
    int size = -1;
    do
        size = zmq_msg_send(message, socket, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    while (size < 0 && errno == EINTR);
    return size;
}

int zmq_poller_send_bytes(void *socket, struct bytes bytes, bool more)
{
    int size = -1;
    do
        size = zmq_send(socket, bytes.data, bytes.size, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    while (size < 0 && errno == EINTR);
    return size;
}

static void zmq_poller_forget(struct zmq_poller *watch)
{
    struct zmq_poller_set *set = watch->set;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        set->first = watch->next;
    if (!watch->touched)
        return;
    struct zmq_poller *before = NULL;
    for (struct zmq_poller *w = set->first_touched; w != watch; w = w->next_touched)
        before = w;
    if (before == NULL)
        set->first_touched = watch->next_touched;
    else
        before->next_touched = watch->next_touched;
    if (set->last_touched == watch)
        set->last_touched = before;
    set->touched_count--;
    watch->touched = false;
}

static void zmq_poller_on_closed(uv_handle_t *handle)
{
    struct zmq_poller *watch = handle->data;
    (void)zmq_close(watch->socket);
    watch->socket = NULL;
    watch->closed(watch);
}

void zmq_poller_close(struct zmq_poller *watch)
{
    if (watch->closing)
        return;
    zmq_poller_forget(watch);
    watch->closing = true;
    (void)uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, zmq_poller_on_closed);
}
