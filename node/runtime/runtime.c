#include "node/runtime/runtime.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "node/audit/audit.h"
#include "node/os/log.h"
#include "node/rollback/rollback_guard.h"
#include "node/rows/ack_row.h"
#include "node/runtime/envelopes.h"
#include "node/runtime/fork_proofs.h"
#include "node/runtime/runtime_state.h"
#include "protocol/base/hash.h"

enum {
    RUNTIME_TICK_MS = 1000,
    RUNTIME_BUSY_TICK_MS = 20,
    RUNTIME_DEPOSIT_COUNT = 4096,
    RUNTIME_REACH_COUNT = 65536,
};

/* ---- effects ---- */

static void runtime_send(struct runtime *runtime, const struct effect *effect)
{
    for (size_t i = 0; i < effect->send.link_count; i++)
        runtime_send_frame(runtime, effect->send.links[i], effect->send.frame);
}

static void runtime_told(struct runtime *runtime, const struct effect *effect)
{
    struct runtime_news news = {effect->told.scope, effect->told.record, effect->told.writer,
                                effect->told.kind};
    for (size_t i = 0; i < runtime->listener_count; i++)
        runtime->listeners[i].on_news(runtime->listeners[i].arg, &news);
}

static void runtime_log(const struct runtime *runtime, const struct effect *effect)
{
    log_debug(effect->log.event, log_text("federation", runtime->name),
              log_hex("peer", ID_BYTES(effect->log.peer)), log_err("why", effect->log.verdict));
}

/* Frames for rooms beside the core. */
static void runtime_pass_on(struct runtime *runtime, const struct effect *effect)
{
    if (effect->kind == EFFECT_HEADS)
        roster_sync_frame(runtime->heads, effect->link, effect->frame);
    else if (runtime->items.on_frame != NULL)
        runtime->items.on_frame(runtime->items.arg, effect->link, effect->frame);
}

static void runtime_hang_up(struct runtime *runtime, struct link_id link)
{
    send_queue_forget(runtime->send_queue, link);
    if (runtime->links.hang_up != NULL)
        runtime->links.hang_up(runtime->links.arg, link);
}

static void runtime_erase(struct runtime *runtime, const struct effect *effect)
{
    if (effect->kind == EFFECT_DESTROY)
        case_erasure_case(runtime, &effect->destroy.scope, &effect->destroy.erase);
    else
        announcement_purge_wake(runtime); /* its row is durable */
}

static void runtime_perform(struct runtime *runtime, const struct effect *effect,
                            struct batch_buffer *batch_buffer)
{
    switch (effect->kind) {
    case EFFECT_CHECK:
        verify_jobs_check(runtime, effect);
        break;
    case EFFECT_SEAL:
        verify_jobs_seal(runtime, effect);
        break;
    case EFFECT_KEEP:
        commit_jobs_add(runtime, effect, batch_buffer);
        break;
    case EFFECT_LOAD:
        read_jobs_read(runtime, effect);
        break;
    case EFFECT_SEND:
        runtime_send(runtime, effect);
        break;
    case EFFECT_HANGUP:
        runtime_hang_up(runtime, effect->link);
        break;
    case EFFECT_DONE:
        runtime_posts_done(runtime, effect);
        break;
    case EFFECT_TOLD:
        runtime_told(runtime, effect);
        break;
    case EFFECT_FORKED:
        fork_proofs_found(runtime, effect);
        break;
    case EFFECT_FORKS:
        commit_jobs_forks(runtime, effect->forks);
        break;
    case EFFECT_ACKED:
        commit_jobs_acked(runtime, effect);
        break;
    case EFFECT_GENERATION:
        rollback_check_generation(runtime, effect);
        break;
    case EFFECT_DESTROY:
    case EFFECT_RETRACT:
        runtime_erase(runtime, effect);
        break;
    case EFFECT_REST:
        case_paging_rows_keep(runtime, effect);
        break;
    case EFFECT_WAKE: /* when the others are done */
        break;
    case EFFECT_ITEMS:
    case EFFECT_HEADS:
        runtime_pass_on(runtime, effect);
        break;
    case EFFECT_CUSTODY:
        envelopes_perform(runtime, effect);
        break;
    case EFFECT_LOG:
        runtime_log(runtime, effect);
        break;
    }
}

static void runtime_turn_once(struct runtime *runtime, const struct event *event,
                              struct batch_buffer *batch_buffer)
{
    case_paging_rows_step(runtime, event);
    /* the list grows no more: whatever an effect sets off waits in `followers` */
    for (size_t i = 0; i < runtime->step->effect_count; i++)
        runtime_perform(runtime, &runtime->step->effects[i], batch_buffer);
    case_paging_rows_wake(runtime);
}

/* What was sealed or read is told before anything else happens (step.h). */
static void runtime_follow(struct runtime *runtime)
{
    struct batch_buffer *batch_buffer;
    while ((batch_buffer = batch_buffer_queue_take(&runtime->followers)) != NULL) {
        struct event event = runtime_event(batch_buffer->kind);
        event.link = batch_buffer->link;
        event.token = batch_buffer->token;
        event.verdict = batch_buffer->verdict;
        event.custody = batch_buffer->custody;
        if (batch_buffer->kind != EVENT_CUSTODY)
            event.batch = batch_buffer->batch;
        else
            event.letter = (struct bytes){batch_buffer->memory, batch_buffer->letter_size};
        runtime_turn_once(runtime, &event, batch_buffer);
        batch_buffer_drop(batch_buffer);
    }
}

static void runtime_rearm(struct runtime *runtime);

/* An effect called back into us: its event waits until this turn is over. Such events hold values,
 * or memory that outlives the turn. */
static void runtime_put_off(struct runtime *runtime, const struct event *event)
{
    struct runtime_later *later = malloc(sizeof *later);
    if (later == NULL)
        abort(); /* an event lost here would leave the core and the world at odds */
    *later = (struct runtime_later){.event = *event};
    struct runtime_later **end = &runtime->later;
    while (*end != NULL)
        end = &(*end)->next;
    *end = later;
}

static void runtime_turn_now(struct runtime *runtime, struct event *event,
                             struct batch_buffer *batch_buffer)
{
    if (runtime->is_turning) {
        runtime_put_off(runtime, event);
        return;
    }
    runtime->is_turning = true;
    runtime_turn_once(runtime, event, batch_buffer);
    runtime_follow(runtime);
    while (runtime->later != NULL) {
        struct runtime_later *later = runtime->later;
        runtime->later = later->next;
        runtime_turn_once(runtime, &later->event, NULL);
        runtime_follow(runtime);
        free(later);
    }
    runtime->is_turning = false;
    commit_jobs_submit(runtime);
    runtime_rearm(runtime);
}

/* ---- time ---- */

static void runtime_on_tick(uv_timer_t *timer)
{
    struct runtime *runtime = timer->data;
    struct event event = runtime_event(EVENT_TICK);
    verify_jobs_deliver(runtime);
    commit_jobs_submit(runtime);
    roster_sync_tick(runtime->heads);
    audit_tick(runtime->audit);
    rollback_check_tick(runtime);
    scrub_tick(runtime);
    announcement_purge_tick(runtime);
    fork_proofs_tick(runtime);
    runtime_turn(runtime, &event, NULL);
    runtime_posts_tick(runtime);
    runtime_posts_next(runtime);
}

static void runtime_rearm(struct runtime *runtime)
{
    bool is_busy = engine_busy(runtime->engine) || runtime_posts_waits(runtime) ||
                   verify_jobs_waits(runtime) || announcement_purge_waits(runtime);
    uint64_t wait = is_busy ? RUNTIME_BUSY_TICK_MS : RUNTIME_TICK_MS;
    if (!runtime->is_closing && uv_timer_get_repeat(&runtime->tick) != wait) {
        uv_timer_set_repeat(&runtime->tick, wait);
        uv_timer_again(&runtime->tick);
    }
}

/* ---- the face ---- */

uint32_t runtime_heads_refused(const struct runtime *runtime)
{
    return roster_sync_refused(runtime->heads);
}

err runtime_heal(struct runtime *runtime, const char *fingerprint)
{
    return roster_sync_heal(runtime->heads, fingerprint);
}

bool runtime_healing(const struct runtime *runtime, struct head_id *ret_id, uint64_t *ret_epoch)
{
    return roster_sync_healing(runtime->heads, ret_id, ret_epoch);
}

void runtime_link_up(struct runtime *runtime, struct link_id link, const struct transport_key *peer)
{
    struct event event = runtime_event(EVENT_LINK_UP);
    event.link = link;
    event.peer = *peer;
    runtime_turn(runtime, &event, NULL);
}

void runtime_link_down(struct runtime *runtime, struct link_id link)
{
    struct event event = runtime_event(EVENT_LINK_DOWN);
    event.link = link;
    send_queue_forget(runtime->send_queue, link);
    runtime_turn(runtime, &event, NULL);
}

void runtime_frame(struct runtime *runtime, struct link_id link, struct bytes frame)
{
    struct event event = runtime_event(EVENT_FRAME);
    event.link = link;
    event.frame = frame;
    runtime_turn(runtime, &event, NULL);
}

void runtime_relay_head(struct runtime *runtime, uint64_t epoch, const struct head_id *head)
{
    struct event event = runtime_event(EVENT_RELAY_HEAD);
    event.relay_head.epoch = epoch;
    event.relay_head.head = *head;
    runtime_turn(runtime, &event, NULL);
}

uint64_t runtime_acked(struct runtime *runtime, const struct node_id *peer,
                       const struct stream_id *stream)
{
    return ack_row_get(runtime->store, stream, peer);
}

void runtime_attach_links(struct runtime *runtime, const struct runtime_links *links)
{
    runtime->links = *links;
}

void runtime_attach_items(struct runtime *runtime, const struct runtime_items *items)
{
    runtime->items = *items;
}

void runtime_link_drained(struct runtime *runtime, struct link_id link)
{
    send_queue_drain(runtime->send_queue, &runtime->links, link);
}

void runtime_listen(struct runtime *runtime,
                    void (*on_news)(void *arg, const struct runtime_news *news), void *arg)
{
    if (runtime->listener_count == RUNTIME_LISTENER_COUNT_MAX)
        return;
    runtime->listeners[runtime->listener_count].on_news = on_news;
    runtime->listeners[runtime->listener_count++].arg = arg;
}

void runtime_unlisten(struct runtime *runtime, const void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < runtime->listener_count; i++)
        if (runtime->listeners[i].arg != arg)
            runtime->listeners[kept++] = runtime->listeners[i];
    runtime->listener_count = kept;
}

/* ---- life ---- */

static void runtime_on_committed(void *user)
{
    struct runtime *runtime = user;
    commit_jobs_drain(runtime);
    commit_jobs_submit(runtime);
    runtime_posts_next(runtime);
}

/* From the store's thread. */
static void runtime_notify(void *arg)
{
    struct runtime *runtime = arg;
    wakeup_send(&runtime->committed);
}

/* The disk failed. What was acknowledged is safe; going on would make promises that cannot be
 * kept, so the process ends and verifies at its next start. */
static void runtime_fatal(void *arg, err reason)
{
    const struct runtime *runtime = arg;
    log_error("disk-failed", log_text("federation", runtime->name), log_text("data", runtime->data),
              log_err("why", reason), log_text("do", "check the disk, then start again"));
    _exit(1);
}

struct hash runtime_owner(const struct federation_id *federation, const struct node_id *self)
{
    struct bytes parts[] = {ID_BYTES(*federation), ID_BYTES(*self)};
    return hash_parts(CONTEXT_STORE_INDEX, parts, 2);
}

static err runtime_open_store(struct runtime *runtime, char ret_problem[static STORE_PROBLEM_SIZE])
{
    struct store_options options = {
        .owner = runtime_owner(&runtime->config.federation, &runtime->config.self),
        .quota = runtime->config.quota,
        .notify = runtime_notify,
        .fatal = runtime_fatal,
        .arg = runtime};
    return store_open(runtime->data, runtime->config.store_key, &options, ret_problem,
                      &runtime->store);
}

static err runtime_record(struct runtime *runtime, const struct engine_config *config,
                          char ret_problem[static STORE_PROBLEM_SIZE])
{
    const char *directory = runtime->config.recordings;
    if (directory == NULL)
        return OK;
    err failure = recording_begin(directory, runtime->name, config, &runtime->recording);
    if (failure != OK)
        (void)snprintf(ret_problem, STORE_PROBLEM_SIZE, "no recording in %.200s: %s", directory,
                       failure == ERR_IO ? strerror(errno) : err_sentence(failure));
    return failure;
}

static void runtime_spare(void *memory, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t last = ((uintptr_t)memory + size) / page * page;
    if (memory != NULL && first < last) /* a kernel without huge pages refuses: as well */
        (void)madvise((uint8_t *)memory + (first - (uintptr_t)memory), last - first,
                      MADV_NOHUGEPAGE);
}

static err runtime_allocate(struct runtime *runtime, char ret_problem[static STORE_PROBLEM_SIZE])
{
    struct roster_plan plan = roster_plan_full();
    struct engine_config config;
    engine_config_defaults(&config);
    config.federation = runtime->config.federation;
    config.self = runtime->config.self;
    config.roster = &runtime->roster;
    config.grants_by_hand = runtime->config.grants_by_hand;
    config.survey_ms = runtime->config.survey_ms;
    config.held_count_max = CUSTODY_COUNT_MAX;
    config.deposit_count_max = RUNTIME_DEPOSIT_COUNT;
    config.reach_count_max = RUNTIME_REACH_COUNT;
    envelopes_secret(runtime, config.deposit_secret);
    randombytes_buf(config.hash_key, sizeof config.hash_key);
    /* calloc of this size is mapped and untouched: only what is used becomes resident, unless the
     * kernel fills whole huge pages for it */
    runtime->roster_memory = calloc(1, roster_size(&plan));
    runtime->engine_memory = calloc(1, engine_memory_size(&config));
    runtime_spare(runtime->engine_memory, engine_memory_size(&config));
    runtime->step = calloc(1, sizeof *runtime->step);
    runtime->send_queue = send_queue_new();
    runtime->completions = completions_new();
    runtime->page_memory = malloc(2 * (size_t)STORE_RECORD_SIZE_MAX);
    runtime->heads = roster_sync_new(runtime);
    if (runtime->roster_memory == NULL || runtime->engine_memory == NULL || runtime->step == NULL ||
        runtime->send_queue == NULL || runtime->completions == NULL ||
        runtime->page_memory == NULL || runtime->heads == NULL)
        return ERR_NO_MEMORY;
    runtime->step->arena = calloc(1, STEP_ARENA_SIZE);
    if (runtime->step->arena == NULL)
        return ERR_NO_MEMORY;
    roster_init(&runtime->roster, &plan, runtime->roster_memory, &config.self, &config.federation);
    runtime->engine = engine_new(runtime->engine_memory, &config);
    return runtime_record(runtime, &config, ret_problem);
}

static void runtime_free(struct runtime *runtime)
{
    struct batch_buffer *batch_buffer;
    struct batch_buffer_queue *queues[] = {&runtime->followers, &runtime->checking,
                                           &runtime->keeping, &runtime->kept_under_way};
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        while ((batch_buffer = batch_buffer_queue_take(queues[i])) != NULL)
            batch_buffer_drop(batch_buffer);
    }
    case_paging_rows_free(runtime);
    roster_sync_free(runtime->heads);
    send_queue_free(runtime->send_queue);
    completions_free(runtime->completions);
    audit_close(runtime->audit);
    recording_end(runtime->recording);
    if (runtime->step != NULL)
        free(runtime->step->arena);
    free(runtime->step);
    free(runtime->announcement_purge);
    free(runtime->page_memory);
    free(runtime->engine_memory);
    free(runtime->roster_memory);
    rollback_guard_close(runtime->marker);
    free(runtime->marker_path);
    free(runtime->name);
    free(runtime->data);
    free(runtime);
}

static void runtime_release_now(struct runtime *runtime)
{
    if (runtime->handles_open == 0 && runtime->jobs_under_way == 0)
        runtime_free(runtime);
}

static void runtime_on_committed_closed(void *user)
{
    struct runtime *runtime = user;
    runtime->handles_open--;
    runtime_release(runtime);
}

static void runtime_on_tick_closed(uv_handle_t *handle)
{
    struct runtime *runtime = handle->data;
    runtime->handles_open--;
    runtime_release(runtime);
}

static void runtime_start(struct runtime *runtime)
{
    uv_loop_t *loop = runtime->config.loop;
    uv_timer_init(loop, &runtime->tick);
    runtime->tick.data = runtime;
    runtime->handles_open++;
    uv_timer_start(&runtime->tick, runtime_on_tick, RUNTIME_BUSY_TICK_MS, RUNTIME_BUSY_TICK_MS);
}

err runtime_open(const struct runtime_config *config, char ret_problem[static STORE_PROBLEM_SIZE],
                 struct runtime **ret_runtime)
{
    struct runtime *runtime = calloc(1, sizeof *runtime);
    if (runtime == NULL)
        return ERR_NO_MEMORY;
    runtime->config = *config;
    runtime->turn = runtime_turn_now;
    runtime->release = runtime_release_now;
    runtime->name = strdup(config->name);
    runtime->data = strdup(config->data);
    runtime->marker_path = config->marker == NULL ? NULL : strdup(config->marker);
    runtime->config.marker = runtime->marker_path;
    ret_problem[0] = '\0';
    bool is_copied = runtime->name != NULL && runtime->data != NULL &&
                     (config->marker == NULL || runtime->marker_path != NULL);
    err failure = is_copied ? OK : ERR_NO_MEMORY;
    if (failure == OK)
        failure = runtime_allocate(runtime, ret_problem);
    if (failure == OK)
        failure = wakeup_open(&runtime->committed, config->loop, runtime_on_committed, runtime);
    if (failure != OK) {
        runtime_free(runtime);
        return failure;
    }
    runtime->handles_open++;
    failure = runtime_open_store(runtime, ret_problem);
    if (failure == OK)
        failure = audit_open(runtime, &runtime->audit);
    if (failure == OK)
        failure = restore_all(runtime, ret_problem);
    if (failure != OK) {
        runtime_close(runtime);
        return failure;
    }
    runtime_start(runtime);
    *ret_runtime = runtime;
    return OK;
}

void runtime_close(struct runtime *runtime)
{
    if (runtime == NULL)
        return;
    runtime->is_closing = true;
    runtime->links = (struct runtime_links){0};
    runtime->listener_count = 0;
    runtime_posts_stop(runtime, false);
    if (runtime->store != NULL) {
        commit_jobs_finish(runtime);
        case_paging_rows_close(runtime);
        commit_jobs_finish(runtime);
    }
    runtime_posts_stop(runtime, true);
    if (runtime->store != NULL)
        scrub_end(runtime);
    store_close(runtime->store);
    runtime->store = NULL;
    wakeup_close(&runtime->committed, runtime_on_committed_closed);
    if (runtime->handles_open > 1)
        uv_close((uv_handle_t *)&runtime->tick, runtime_on_tick_closed);
}
