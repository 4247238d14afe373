#include "node/os/systemd_notify.h"

#include <systemd/sd-daemon.h>

static void systemd_notify_on_timer(uv_timer_t *timer)
{
    (void)timer;
    (void)sd_notify(0, "WATCHDOG=1");
}

void systemd_notify_begin(struct systemd_notify *service, uv_loop_t *loop)
{
    uint64_t period_us = 0;
    *service = (struct systemd_notify){.is_watched = sd_watchdog_enabled(0, &period_us) > 0};
    if (service->is_watched) {
        uint64_t half_ms = period_us < 2000 ? 1 : period_us / 2000;
        (void)uv_timer_init(loop, &service->timer);
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
