#include "node/driver/driver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit/audit.h"
#include "node/driver/case_pager.h"
#include "node/driver/commit_jobs.h"
#include "node/driver/envelopes.h"
#include "node/driver/fork_proofs.h"
#include "node/driver/late_check.h"
#include "node/driver/read_jobs.h"
#include "node/driver/restore.h"
#include "node/driver/scrub.h"
#include "node/driver/verify_jobs.h"
#include "node/erasure/announcement_purge.h"
#include "node/erasure/case_erasure.h"
#include "node/os/log.h"
#include "node/rollback/rollback_check.h"
#include "node/roster_sync/roster_sync.h"
#include "node/rows/node_row.h"
#include "node/runtime/post_queue.h"

enum {
    DRIVER_TICK_MS = 1000,
    DRIVER_BUSY_TICK_MS = 20,
    DRIVER_FINISH_ROUNDS_MAX = 16, /* what a batch leads to is kept as well, at the end */
};

struct driver {
    struct runtime *runtime;
    struct audit *audit;
    struct roster_sync *roster_sync;
    struct rollback_check *rollback_check;
    struct announcement_purge *announcement_purge;
    struct scrub *scrub;
    struct commit_jobs *commit_jobs;
    struct case_erasure *case_erasure;
    struct verify_jobs *verify_jobs;
    struct late_check *late_check;
    struct fork_proofs *fork_proofs;
    uv_timer_t tick;
    struct wakeup wake;
    int handles_open;
    bool is_driving; /* the loop below is at work */
    bool is_closing;
};

/* ---- effects ---- */

static void driver_send(struct driver *driver, const struct effect *effect)
{
    for (size_t i = 0; i < effect->send.link_count; i++)
        runtime_send_frame(driver->runtime, effect->send.links[i], effect->send.frame);
}

static void driver_load(struct driver *driver, const struct effect *effect)
{
    if (!read_jobs_read(driver->runtime, effect))
        scrub_hurry(driver->scrub);
}

static void driver_told(struct driver *driver, const struct effect *effect)
{
    struct runtime_news news = {effect->told.scope, effect->told.record, effect->told.writer,
                                effect->told.kind};
    runtime_tell(driver->runtime, &news);
}

static void driver_log(const struct driver *driver, const struct effect *effect)
{
    log_debug(effect->log.event, log_text("federation", runtime_name(driver->runtime)),
              log_hex("peer", ID_BYTES(effect->log.peer)), log_err("why", effect->log.verdict));
}

/* Each member once, and once more each time that its link is cut. */
static void driver_forger(const struct driver *driver, const struct effect *effect)
{
    const uint64_t refused_s = effect->forger.refused_ms / 1000;
    if (refused_s == 0)
        log_warn(
            "forged-signatures", log_text("federation", runtime_name(driver->runtime)),
            log_hex("peer", ID_BYTES(effect->forger.peer)),
            log_count("forged", effect->forger.count),
            log_text("do", "if it goes on, the link is cut; ask that hospital's administrator"));
    else
        log_warn("forger-refused", log_text("federation", runtime_name(driver->runtime)),
                 log_hex("peer", ID_BYTES(effect->forger.peer)),
                 log_count("forged", effect->forger.count), log_count("refused_s", refused_s),
                 log_text("do", "ask that hospital's administrator, and tell the officers"));
}

static void driver_perform(struct driver *driver, const struct effect *effect,
                           struct batch_buffer *batch_buffer)
{
    struct runtime *runtime = driver->runtime;
    switch (effect->kind) {
    case EFFECT_CHECK:
        verify_jobs_check(driver->verify_jobs, effect);
        break;
    case EFFECT_SEAL:
        verify_jobs_seal(runtime, effect);
        break;
    case EFFECT_KEEP:
        commit_jobs_add(driver->commit_jobs, effect, batch_buffer);
        break;
    case EFFECT_LOAD:
        driver_load(driver, effect);
        break;
    case EFFECT_SEND:
        driver_send(driver, effect);
        break;
    case EFFECT_HANGUP:
        runtime_hang_up(runtime, effect->link);
        break;
    case EFFECT_DONE:
        post_queue_done(runtime_posts(runtime), effect);
        break;
    case EFFECT_TOLD:
        driver_told(driver, effect);
        break;
    case EFFECT_FORKED:
        fork_proofs_found(driver->fork_proofs, effect);
        break;
    case EFFECT_FORKS:
        commit_jobs_forks(driver->commit_jobs, effect->forks);
        break;
    case EFFECT_ACKED:
        commit_jobs_acked(driver->commit_jobs, effect);
        break;
    case EFFECT_GENERATION:
        rollback_check_generation(driver->rollback_check, effect);
        break;
    case EFFECT_DESTROY:
        case_erasure_case(driver->case_erasure, &effect->destroy.scope, &effect->destroy.erase);
        break;
    case EFFECT_RETRACT: /* its row is durable */
        announcement_purge_wake(driver->announcement_purge);
        break;
    case EFFECT_REST:
        case_pager_keep(runtime, effect);
        break;
    case EFFECT_WAKE: /* when the others are done */
        break;
    case EFFECT_ITEMS:
        runtime_items_frame(runtime, effect->link, effect->frame);
        break;
    case EFFECT_HEADS:
        roster_sync_frame(driver->roster_sync, effect->link, effect->frame);
        break;
    case EFFECT_CUSTODY:
        envelopes_perform(runtime, effect);
        break;
    case EFFECT_LOG:
        driver_log(driver, effect);
        break;
    case EFFECT_FORGER:
        driver_forger(driver, effect);
        break;
    }
}

/* ---- the loop ---- */

/* One event: what the effects lead to is in the queue afterwards. */
static void driver_turn(struct driver *driver, struct event_queue_entry *entry)
{
    struct event *event = &entry->event;
    event->now = runtime_mono();
    event->wall = runtime_wall();
    struct step *step = case_pager_step(driver->runtime, event);
    for (size_t i = 0; i < step->effect_count; i++)
        driver_perform(driver, &step->effects[i], entry->batch_buffer);
    case_pager_wake(driver->runtime, step);
    if (event->kind == EVENT_ROSTER)
        runtime_links_refresh(driver->runtime);
}

static void driver_empty_queue(struct driver *driver)
{
    struct event_queue *events = runtime_events(driver->runtime);
    struct event_queue_entry entry;
    do {
        while (event_queue_take(events, &entry)) {
            if (entry.on_done != NULL)
                entry.on_done(entry.arg, entry.result);
            else
                driver_turn(driver, &entry);
            batch_buffer_drop(entry.batch_buffer);
        }
        commit_jobs_submit(driver->commit_jobs);
    } while (!event_queue_is_empty(events));
}

/* Faster while something waits for time to pass. */
static void driver_rearm(struct driver *driver)
{
    bool is_busy = engine_busy(runtime_engine(driver->runtime)) ||
                   post_queue_waits(runtime_posts(driver->runtime)) ||
                   verify_jobs_waits(driver->verify_jobs) || late_check_waits(driver->late_check) ||
                   announcement_purge_waits(driver->announcement_purge);
    uint64_t wait = is_busy ? DRIVER_BUSY_TICK_MS : DRIVER_TICK_MS;
    if (!driver->is_closing && driver->tick.loop != NULL &&
        uv_timer_get_repeat(&driver->tick) != wait) {
        uv_timer_set_repeat(&driver->tick, wait);
        uv_timer_again(&driver->tick);
    }
}

/* False: the loop is at work, further out. */
static bool driver_begin(struct driver *driver)
{
    if (driver->is_driving)
        return false;
    driver->is_driving = true;
    runtime_set_driven(driver->runtime, true);
    return true;
}

static void driver_end(struct driver *driver)
{
    driver_empty_queue(driver);
    driver->is_driving = false;
    runtime_set_driven(driver->runtime, false);
    driver_rearm(driver);
}

/* Deals with the event before it returns, unless an effect led here: then after that one. When
 * nothing waits, it need not go through the queue. */
static void driver_tell(struct driver *driver, const struct event *event)
{
    struct event_queue *events = runtime_events(driver->runtime);
    struct event_queue_entry entry = {.event = *event};
    bool is_outermost = driver_begin(driver);
    if (is_outermost && event_queue_is_empty(events))
        driver_turn(driver, &entry);
    else
        event_queue_add(events, event, NULL);
    if (is_outermost)
        driver_end(driver);
}

static void driver_on_tick(uv_timer_t *timer)
{
    struct driver *driver = timer->data;
    struct event event = {.kind = EVENT_TICK};
    if (!driver_begin(driver))
        return;
    verify_jobs_deliver(driver->verify_jobs);
    commit_jobs_submit(driver->commit_jobs);
    roster_sync_tick(driver->roster_sync);
    audit_tick(driver->audit);
    rollback_check_tick(driver->rollback_check);
    scrub_tick(driver->scrub);
    late_check_tick(driver->late_check);
    announcement_purge_tick(driver->announcement_purge);
    fork_proofs_tick(driver->fork_proofs);
    runtime_enqueue(driver->runtime, &event);
    driver_empty_queue(driver);
    post_queue_tick(runtime_posts(driver->runtime));
    post_queue_next(runtime_posts(driver->runtime));
    driver_end(driver);
}

/* Something became durable, or is in the queue. */
static void driver_on_wake(void *user)
{
    struct driver *driver = user;
    if (driver->is_closing || !driver_begin(driver))
        return;
    commit_jobs_drain(driver->commit_jobs);
    driver_empty_queue(driver);
    post_queue_next(runtime_posts(driver->runtime));
    driver_end(driver);
}

/* ---- links ---- */

void driver_link_up(struct driver *driver, struct link_id link, const struct transport_key *peer)
{
    struct event event = {.kind = EVENT_LINK_UP};
    event.link = link;
    event.peer = *peer;
    driver_tell(driver, &event);
}

void driver_link_down(struct driver *driver, struct link_id link)
{
    struct event event = {.kind = EVENT_LINK_DOWN};
    event.link = link;
    runtime_link_forget(driver->runtime, link);
    driver_tell(driver, &event);
}

void driver_frame(struct driver *driver, struct link_id link, struct bytes frame)
{
    struct event event = {.kind = EVENT_FRAME};
    event.link = link;
    event.frame = frame;
    assert(!driver->is_driving);
    driver_tell(driver, &event);
}

void driver_relay_head(struct driver *driver, uint64_t epoch, const struct head_id *head)
{
    struct event event = {.kind = EVENT_RELAY_HEAD};
    event.relay_head.epoch = epoch;
    event.relay_head.head = *head;
    driver_tell(driver, &event);
}

void driver_second(struct driver *driver)
{
    struct event event = {.kind = EVENT_SECOND};
    if (engine_standing(runtime_engine(driver->runtime)) == STANDING_DOUBLED)
        return;
    driver_tell(driver, &event);
    rollback_check_distrust(driver->rollback_check);
    log_error("second-node", log_text("federation", runtime_name(driver->runtime)),
              log_text("why", "another process with this node's keys is connected; nothing is "
                              "written any more"),
              log_text("do", "shut the other one down for good, then restart this one; see "
                             "consiliumd(8), COPIES"));
}

struct runtime *driver_runtime(struct driver *driver)
{
    return driver->runtime;
}

/* ---- life ---- */

static void driver_free(struct driver *driver)
{
    runtime_free(driver->runtime); /* first: it answers those who still wait */
    late_check_close(driver->late_check);
    verify_jobs_close(driver->verify_jobs);
    case_erasure_free(driver->case_erasure);
    fork_proofs_free(driver->fork_proofs);
    commit_jobs_free(driver->commit_jobs);
    scrub_free(driver->scrub);
    announcement_purge_free(driver->announcement_purge);
    rollback_check_free(driver->rollback_check);
    roster_sync_free(driver->roster_sync);
    audit_close(driver->audit);
    free(driver);
}

static void driver_on_handle_closed(void *user)
{
    struct driver *driver = user;
    if (--driver->handles_open == 0)
        driver_free(driver);
}

static void driver_on_tick_closed(uv_handle_t *handle)
{
    driver_on_handle_closed(handle->data);
}

static void driver_close_handles(struct driver *driver)
{
    driver->is_closing = true;
    bool has_tick = driver->handles_open > 1;
    wakeup_close(&driver->wake, driver_on_handle_closed);
    if (has_tick)
        uv_close((uv_handle_t *)&driver->tick, driver_on_tick_closed);
}

static err driver_make_modules(struct driver *driver)
{
    struct runtime *runtime = driver->runtime;
    err failure = audit_open(runtime, &driver->audit);
    if (failure != OK)
        return failure;
    driver->roster_sync = roster_sync_new(runtime);
    driver->rollback_check = rollback_check_new(runtime);
    driver->announcement_purge = announcement_purge_new(runtime);
    driver->scrub = scrub_new(runtime, driver->announcement_purge);
    driver->verify_jobs = verify_jobs_new(runtime);
    driver->late_check = late_check_new(runtime, driver->verify_jobs);
    driver->commit_jobs =
        commit_jobs_new(runtime, &(struct commit_jobs_told){driver->audit, driver->rollback_check,
                                                            driver->scrub, driver->late_check});
    driver->fork_proofs = fork_proofs_new(runtime);
    if (driver->roster_sync == NULL || driver->rollback_check == NULL ||
        driver->announcement_purge == NULL || driver->scrub == NULL ||
        driver->commit_jobs == NULL || driver->verify_jobs == NULL || driver->late_check == NULL ||
        driver->fork_proofs == NULL)
        return ERR_NO_MEMORY;
    driver->case_erasure =
        case_erasure_new(runtime, driver->audit, commit_jobs_waiting(driver->commit_jobs));
    runtime_attach(runtime, &(struct runtime_attached){driver->audit, driver->roster_sync});
    return driver->case_erasure == NULL ? ERR_NO_MEMORY : OK;
}

static void driver_start(struct driver *driver, const struct restored *restored)
{
    struct runtime *runtime = driver->runtime;
    struct event event = {.kind = EVENT_START};
    struct engine_status status;
    event.start = restored->marker;
    if (restored->is_damaged)
        scrub_hurry(driver->scrub);
    driver_tell(driver, &event);
    (void)driver_begin(driver);
    case_erasure_resume(driver->case_erasure);
    announcement_purge_wake(driver->announcement_purge);
    fork_proofs_wake(driver->fork_proofs);
    envelopes_resume(runtime);
    rollback_check_start(driver->rollback_check, restored->marker);
    scrub_start(driver->scrub);
    late_check_start(driver->late_check);
    engine_status(runtime_engine(runtime), &status);
    log_info("restored", log_text("federation", runtime_name(runtime)),
             log_count("streams", status.stream_count),
             log_count("replayed", restored->record_count));
    uv_timer_init(runtime_settings(runtime)->loop, &driver->tick);
    driver->tick.data = driver;
    driver->handles_open++;
    uv_timer_start(&driver->tick, driver_on_tick, DRIVER_BUSY_TICK_MS, DRIVER_BUSY_TICK_MS);
    driver_end(driver);
}

static err driver_restore(struct driver *driver, const char *data,
                          char ret_problem[static STORE_PROBLEM_SIZE])
{
    struct restored restored = {MARKER_NONE, false, 0};
    err failure = restore_all(driver->runtime, driver->rollback_check, &restored);
    if (failure != OK)
        (void)snprintf(ret_problem, STORE_PROBLEM_SIZE,
                       "%s: what is stored does not fit together (%s): restore a backup, or move "
                       "the directory away and take the invitation again",
                       data, err_sentence(failure));
    else
        driver_start(driver, &restored);
    return failure;
}

err driver_open(const struct runtime_config *config, char ret_problem[static STORE_PROBLEM_SIZE],
                struct driver **ret_driver)
{
    struct driver *driver = calloc(1, sizeof *driver);
    if (driver == NULL)
        return ERR_NO_MEMORY;
    err failure = wakeup_open(&driver->wake, config->loop, driver_on_wake, driver);
    if (failure != OK) {
        free(driver);
        return failure;
    }
    driver->handles_open++;
    failure = runtime_open(config, &driver->wake, ret_problem, &driver->runtime);
    if (failure == OK)
        failure = driver_make_modules(driver);
    if (failure == OK)
        failure = driver_restore(driver, config->data, ret_problem);
    if (failure != OK) {
        if (driver->runtime != NULL) {
            runtime_stop(driver->runtime);
            runtime_close_store(driver->runtime);
        }
        driver_close_handles(driver);
        return failure;
    }
    *ret_driver = driver;
    return OK;
}

/* Until all that was handed over is durable, and told, and what follows from that as well. Batches
 * keep their order: what was submitted before the barrier is durable with it. */
static void driver_finish(struct driver *driver)
{
    struct store_op op = node_row_barrier();
    for (int round = 0; round < DRIVER_FINISH_ROUNDS_MAX; round++) {
        driver_empty_queue(driver);
        if (store_commit(runtime_store(driver->runtime), &op, 1, STORE_RELEASING, NULL) != OK)
            return;
        commit_jobs_drain(driver->commit_jobs);
        driver_empty_queue(driver);
        if (commit_jobs_is_idle(driver->commit_jobs))
            return;
    }
}

void driver_close(struct driver *driver)
{
    if (driver == NULL)
        return;
    struct runtime *runtime = driver->runtime;
    driver->is_closing = true;
    (void)driver_begin(driver); /* and nothing begins again */
    runtime_stop(runtime);
    post_queue_stop(runtime_posts(runtime), false);
    driver_finish(driver);
    case_pager_close(runtime);
    driver_finish(driver);
    post_queue_stop(runtime_posts(runtime), true);
    scrub_end(driver->scrub);
    runtime_close_store(runtime);
    driver_close_handles(driver);
}
