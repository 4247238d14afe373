#include "node/runtime/runtime_state.h"

#include <time.h>

#include "node/os/log.h"

struct wall runtime_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct wall){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

struct mono runtime_mono(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct mono){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

struct event runtime_event(enum event_kind kind)
{
    return (struct event){.kind = kind, .now = runtime_mono(), .wall = runtime_wall()};
}

void runtime_step(struct runtime *runtime, const struct event *event)
{
    recording_event(runtime->recording, event);
    engine_step(runtime->engine, event, runtime->step);
    recording_effects(runtime->recording, runtime->step);
}

const struct engine *runtime_engine(const struct runtime *runtime)
{
    return runtime->engine;
}

const struct roster *runtime_roster(const struct runtime *runtime)
{
    return &runtime->roster;
}

struct store *runtime_store(struct runtime *runtime)
{
    return runtime->store;
}

const struct runtime_config *runtime_settings(const struct runtime *runtime)
{
    return &runtime->config;
}

struct audit *runtime_audit(struct runtime *runtime)
{
    return runtime->audit;
}

void runtime_keep(struct runtime *runtime, const struct runtime_keep *keep)
{
    completions_keep(runtime->completions, runtime->store, keep);
    wakeup_send(&runtime->committed);
}

uint64_t runtime_await(struct runtime *runtime, void (*on_done)(void *arg, err result), void *arg)
{
    return completions_add(runtime->completions, on_done, arg);
}

void runtime_forget(struct runtime *runtime, uint64_t token)
{
    completions_forget(runtime->completions, token);
}

void runtime_send_frame(struct runtime *runtime, struct link_id link, struct bytes frame)
{
    if (runtime->links.send == NULL ||
        send_queue_send(runtime->send_queue, &runtime->links, link, frame) == OK)
        return;
    log_warn("peer-too-slow", log_text("federation", runtime->name));
    send_queue_forget(runtime->send_queue, link);
    runtime->links.hang_up(runtime->links.arg, link);
}

size_t runtime_unsent(const struct runtime *runtime, struct link_id link)
{
    return send_queue_size(runtime->send_queue, link);
}

void runtime_roster_changed(struct runtime *runtime)
{
    struct event event = runtime_event(EVENT_ROSTER);
    runtime_turn(runtime, &event, NULL);
    if (runtime->links.roster_changed != NULL)
        runtime->links.roster_changed(runtime->links.arg);
}

void runtime_turn(struct runtime *runtime, struct event *event, struct batch_buffer *batch_buffer)
{
    runtime->turn(runtime, event, batch_buffer);
}

void runtime_release(struct runtime *runtime)
{
    runtime->release(runtime);
}
