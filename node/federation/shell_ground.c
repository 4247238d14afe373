#include "node/federation/shell_state.h"

#include <time.h>

#include "node/io/log.h"

struct wall shell_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct wall){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

struct mono shell_mono(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct mono){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

struct event shell_event(enum event_kind kind)
{
    return (struct event){.kind = kind, .now = shell_mono(), .wall = shell_wall()};
}

void shell_step(struct shell *shell, const struct event *event)
{
    recording_event(shell->recording, event);
    core_step(shell->core, event, shell->step);
    recording_effects(shell->recording, shell->step);
}

const struct core *shell_core(const struct shell *shell)
{
    return shell->core;
}

const struct roster *shell_roster(const struct shell *shell)
{
    return &shell->roster;
}

struct store *shell_store(struct shell *shell)
{
    return shell->store;
}

const struct shell_config *shell_settings(const struct shell *shell)
{
    return &shell->config;
}

struct audit *shell_audit(struct shell *shell)
{
    return shell->audit;
}

void shell_keep(struct shell *shell, const struct shell_keep *keep)
{
    errands_keep(shell->errands, shell->store, keep);
    uv_async_send(&shell->committed);
}

uint64_t shell_await(struct shell *shell, void (*on_done)(void *arg, err result), void *arg)
{
    return errands_add(shell->errands, on_done, arg);
}

void shell_forget(struct shell *shell, uint64_t token)
{
    errands_forget(shell->errands, token);
}

void shell_send_frame(struct shell *shell, struct link_id link, struct bytes frame)
{
    if (shell->links.send == NULL || outbox_send(shell->outbox, &shell->links, link, frame) == OK)
        return;
    log_warn("peer-too-slow", log_text("federation", shell->name));
    outbox_forget(shell->outbox, link);
    shell->links.hang_up(shell->links.arg, link);
}

size_t shell_unsent(const struct shell *shell, struct link_id link)
{
    return outbox_size(shell->outbox, link);
}

void shell_roster_changed(struct shell *shell)
{
    struct event event = shell_event(EVENT_ROSTER);
    shell_turn(shell, &event, NULL);
    if (shell->links.roster_changed != NULL)
        shell->links.roster_changed(shell->links.arg);
}

void shell_turn(struct shell *shell, struct event *event, struct parcel *parcel)
{
    shell->turn(shell, event, parcel);
}

void shell_release(struct shell *shell)
{
    shell->release(shell);
}
