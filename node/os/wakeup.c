#include "node/os/wakeup.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The descriptor is emptied first, then the mark is taken away, then the owner looks at what there
 * is to do. A sender that finds the mark set did its work before the mark goes, so the owner sees
 * it; one that finds it gone writes again. */
static void wakeup_on_poll(uv_poll_t *poll, int status, int events)
{
    struct wakeup *wakeup = poll->data;
    uint64_t count = 0;
    (void)status;
    (void)events;
    while (read(wakeup->fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    (void)atomic_exchange(&wakeup->is_sent, false);
    wakeup->on_wake(wakeup->user);
}

err wakeup_open(struct wakeup *wakeup, uv_loop_t *loop, void (*on_wake)(void *user), void *user)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return ERR_IO;
    int failure = uv_poll_init(loop, &wakeup->poll, fd);
    if (failure != 0) {
        (void)close(fd);
        errno = -failure;
        return ERR_IO;
    }
    wakeup->fd = fd;
    wakeup->on_wake = on_wake;
    wakeup->on_closed = NULL;
    wakeup->user = user;
    wakeup->poll.data = wakeup;
    atomic_init(&wakeup->is_sent, false);
    failure = uv_poll_start(&wakeup->poll, UV_READABLE, wakeup_on_poll);
    assert(failure == 0); /* it fails for handles that are closing only */
    return failure == 0 ? OK : ERR_IO;
}

void wakeup_send(struct wakeup *wakeup)
{
    const uint64_t one = 1;
    if (atomic_exchange(&wakeup->is_sent, true))
        return;
    /* the count never comes near its limit, so only a signal can put this off */
    while (write(wakeup->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void wakeup_on_closed(uv_handle_t *handle)
{
    struct wakeup *wakeup = handle->data;
    (void)close(wakeup->fd);
    wakeup->fd = -1;
    wakeup->on_closed(wakeup->user);
}

void wakeup_close(struct wakeup *wakeup, void (*on_closed)(void *user))
{
    wakeup->on_closed = on_closed;
    (void)uv_poll_stop(&wakeup->poll);
    uv_close((uv_handle_t *)&wakeup->poll, wakeup_on_closed);
}
