/* A daemon under systemd: that it is ready, that it ends, and that its loop still turns
 * (sd_notify(3), WatchdogSec= in systemd.service(5)). Without systemd all of it does nothing. */
#ifndef CONSILIUM_NODE_OS_SYSTEMD_NOTIFY_H
#define CONSILIUM_NODE_OS_SYSTEMD_NOTIFY_H

#include <stdbool.h>

#include <uv.h>

/* Lives until systemd_notify_end and one more turn of the loop. */
struct systemd_notify {
    uv_timer_t timer;
    bool is_watched;
    bool (*is_alive)(void *arg);
    void *arg;
};

/* Says that the service is ready, and from now on, twice in each period that systemd asks for, that
 * the loop turns; not while `is_alive` says that the service does not do what it is for. It keeps
 * no loop alive. */
void systemd_notify_begin(struct systemd_notify *service, uv_loop_t *loop,
                          bool (*is_alive)(void *arg), void *arg);

/* Says that the service is about to end. It is watched until systemd_notify_end. */
void systemd_notify_stopping(void);

/* For one that began, or is zeros. */
void systemd_notify_end(struct systemd_notify *service);

#endif
