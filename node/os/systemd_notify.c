#include "node/os/systemd_notify.h"

#include <systemd/sd-daemon.h>

static void systemd_notify_on_timer(uv_timer_t *timer)
{
    const struct systemd_notify *service = timer->data;
    if (service->is_alive == NULL || service->is_alive(service->arg))
        (void)sd_notify(0, "WATCHDOG=1");
}

void systemd_notify_begin(struct systemd_notify *service, uv_loop_t *loop,
                          bool (*is_alive)(void *arg), void *arg)
{
    uint64_t period_us = 0;
    *service = (struct systemd_notify){
        .is_watched = sd_watchdog_enabled(0, &period_us) > 0, .is_alive = is_alive, .arg = arg};
    if (service->is_watched) {
        uint64_t half_ms = period_us < 2000 ? 1 : period_us / 2000;
        (void)uv_timer_init(loop, &service->timer);
        service->timer.data = service;
        (void)uv_timer_start(&service->timer, systemd_notify_on_timer, half_ms, half_ms);
        uv_unref((uv_handle_t *)&service->timer);
    }
    (void)sd_notify(0, "READY=1");
}

void systemd_notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

void systemd_notify_end(struct systemd_notify *service)
{
    if (service->is_watched)
        uv_close((uv_handle_t *)&service->timer, NULL);
    service->is_watched = false;
}
