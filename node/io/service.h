/* A daemon under systemd: that it is ready, that it ends, and that its loop still turns
 * (sd_notify(3), WatchdogSec= in systemd.service(5)). Without systemd all of it does nothing. */
#ifndef CONSILIUM_NODE_IO_SERVICE_H
#define CONSILIUM_NODE_IO_SERVICE_H

#include <stdbool.h>

#include <uv.h>

/* Lives until service_end and one more turn of the loop. */
struct service {
    uv_timer_t timer;
    bool is_watched;
};

/* Says that the service is ready, and from now on, twice in each period that systemd asks for, that
 * the loop turns. It keeps no loop alive. */
void service_begin(struct service *service, uv_loop_t *loop);

/* Says that the service is about to end. It is watched until service_end. */
void service_stopping(void);

/* For one that began, or is zeros. */
void service_end(struct service *service);

#endif
