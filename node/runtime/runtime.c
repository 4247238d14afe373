#include "node/runtime/runtime.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "node/os/log.h"
#include "node/rows/ack_row.h"
#include "node/runtime/case_cache.h"
#include "node/runtime/clock.h"
#include "node/runtime/completions.h"
#include "node/runtime/event_queue.h"
#include "node/runtime/post_queue.h"
#include "node/runtime/recording.h"
#include "node/runtime/send_queue.h"
#include "protocol/base/hash.h"

enum {
    RUNTIME_LISTENER_COUNT_MAX = 8,
    RUNTIME_DEPOSIT_COUNT = 4096,
    RUNTIME_REACH_COUNT = 65536,
};

struct runtime {
    struct runtime_config config; /* with texts of its own */
    char *name;
    char *data;
    char *marker;
    struct wakeup *wake; /* NULL: nothing is driven any more */
    struct store *store;
    void *roster_memory;
    struct roster roster;
    void *engine_memory;
    struct engine *engine;
    struct step *step;
    struct recording *recording; /* NULL: none is wanted */
    uint8_t *page_memory;
    struct case_cache *case_cache;
    struct event_queue *events;
    struct post_queue *posts;
    struct completions *completions;
    struct send_queue *send_queue;
    struct runtime_links links;
    struct runtime_items items;
    struct runtime_attached attached;
    struct {
        void (*on_news)(void *arg, const struct runtime_news *news);
        void *arg;
    } listeners[RUNTIME_LISTENER_COUNT_MAX];
    size_t listener_count;
    bool is_driven; /* the loop is at work: it needs no waking */
    bool is_closing;
    bool is_refused;
};

/* ---- what there is ---- */

const struct engine *runtime_engine(const struct runtime *runtime)
{
    return runtime->engine;
}

const struct roster *runtime_roster(const struct runtime *runtime)
{
    return &runtime->roster;
}

struct roster *runtime_roster_change(struct runtime *runtime)
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

const char *runtime_name(const struct runtime *runtime)
{
    return runtime->name;
}

uint8_t *runtime_page(struct runtime *runtime)
{
    return runtime->page_memory;
}

bool runtime_is_closing(const struct runtime *runtime)
{
    return runtime->is_closing;
}

void runtime_attach(struct runtime *runtime, const struct runtime_attached *attached)
{
    runtime->attached = *attached;
}

struct audit *runtime_audit(struct runtime *runtime)
{
    return runtime->attached.audit;
}

struct roster_sync *runtime_roster_sync(struct runtime *runtime)
{
    return runtime->attached.roster_sync;
}

uint64_t runtime_acked(struct runtime *runtime, const struct node_id *peer,
                       const struct stream_id *stream)
{
    return ack_row_get(runtime->store, stream, peer);
}

const struct consult *runtime_case(struct runtime *runtime, const struct case_id *case_id)
{
    const struct consult *awake = engine_case(runtime->engine, case_id);
    if (awake != NULL || !engine_case_rests(runtime->engine, case_id))
        return awake;
    return case_cache_read(runtime->case_cache, runtime->store, case_id);
}

struct hash runtime_owner(const struct federation_id *federation, const struct node_id *self)
{
    struct bytes parts[] = {ID_BYTES(*federation), ID_BYTES(*self)};
    return hash_parts(CONTEXT_STORE_INDEX, parts, 2);
}

struct wall runtime_wall(void)
{
    return clock_wall();
}

struct mono runtime_mono(void)
{
    return clock_mono();
}

/* ---- events ---- */

struct event runtime_event(enum event_kind kind)
{
    return (struct event){.kind = kind, .now = clock_mono(), .wall = clock_wall()};
}

struct step *runtime_step(struct runtime *runtime, const struct event *event)
{
    recording_event(runtime->recording, event);
    engine_step(runtime->engine, event, runtime->step);
    recording_effects(runtime->recording, runtime->step);
    return runtime->step;
}

void runtime_wake(struct runtime *runtime)
{
    if (runtime->wake != NULL && !runtime->is_driven)
        wakeup_send(runtime->wake);
}

void runtime_set_driven(struct runtime *runtime, bool is_driven)
{
    runtime->is_driven = is_driven;
}

struct event_queue *runtime_events(struct runtime *runtime)
{
    return runtime->events;
}

struct post_queue *runtime_posts(struct runtime *runtime)
{
    return runtime->posts;
}

struct completions *runtime_completions(struct runtime *runtime)
{
    return runtime->completions;
}

void runtime_enqueue(struct runtime *runtime, const struct event *event)
{
    event_queue_add(runtime->events, event, NULL);
    runtime_wake(runtime);
}

void runtime_roster_changed(struct runtime *runtime)
{
    struct event event = runtime_event(EVENT_ROSTER);
    runtime_enqueue(runtime, &event);
}

void runtime_forget_recordings(struct runtime *runtime)
{
    recording_forget(runtime->recording);
}

/* ---- writing ---- */

void runtime_post(struct runtime *runtime, const struct runtime_post *post,
                  void (*on_done)(void *arg, const struct runtime_done *done), void *arg)
{
    struct runtime_done done = {.verdict = ERR_BUSY};
    if (!runtime->is_closing)
        post_queue_add(runtime->posts, post, on_done, arg);
    else if (on_done != NULL)
        on_done(arg, &done);
    runtime_wake(runtime);
}

void runtime_keep(struct runtime *runtime, const struct runtime_keep *keep)
{
    uint64_t token = completions_add(runtime->completions, keep->on_done, keep->arg);
    err failure =
        token == 0 ? ERR_NO_MEMORY
                   : store_submit(runtime->store, keep->ops, keep->op_count, keep->urgency, token);
    if (failure == OK)
        return;
    if (failure == ERR_BUSY) /* 16 MiB wait already: this one is durable before we go on */
        failure = store_commit(runtime->store, keep->ops, keep->op_count, keep->urgency, NULL);
    if (token != 0)
        completions_settle(runtime->completions, token, failure);
    else if (keep->on_done != NULL)
        event_queue_add_result(runtime->events, keep->on_done, keep->arg, failure);
    runtime_wake(runtime);
}

uint64_t runtime_await(struct runtime *runtime, void (*on_done)(void *arg, err result), void *arg)
{
    return completions_add(runtime->completions, on_done, arg);
}

void runtime_forget(struct runtime *runtime, uint64_t token)
{
    completions_forget(runtime->completions, token);
}

/* ---- links, items, listeners ---- */

void runtime_attach_links(struct runtime *runtime, const struct runtime_links *links)
{
    runtime->links = *links;
}

void runtime_attach_items(struct runtime *runtime, const struct runtime_items *items)
{
    runtime->items = *items;
}

void runtime_send_frame(struct runtime *runtime, struct link_id link, struct bytes frame)
{
    if (runtime->links.send == NULL ||
        send_queue_send(runtime->send_queue, &runtime->links, link, frame) == OK)
        return;
    log_warn(
        "peer-too-slow", log_text("federation", runtime->name),
        log_text("do", "nothing: the link is closed, and the peer catches up when it returns"));
    runtime_hang_up(runtime, link);
}

size_t runtime_unsent(const struct runtime *runtime, struct link_id link)
{
    return send_queue_size(runtime->send_queue, link);
}

void runtime_set_refused(struct runtime *runtime, bool is_refused)
{
    runtime->is_refused = is_refused;
}

bool runtime_is_refused(const struct runtime *runtime)
{
    return runtime->is_refused;
}

void runtime_link_drained(struct runtime *runtime, struct link_id link)
{
    send_queue_drain(runtime->send_queue, &runtime->links, link);
}

void runtime_link_forget(struct runtime *runtime, struct link_id link)
{
    send_queue_forget(runtime->send_queue, link);
}

void runtime_hang_up(struct runtime *runtime, struct link_id link)
{
    send_queue_forget(runtime->send_queue, link);
    if (runtime->links.hang_up != NULL)
        runtime->links.hang_up(runtime->links.arg, link);
}

void runtime_links_refresh(struct runtime *runtime)
{
    if (runtime->links.roster_changed != NULL)
        runtime->links.roster_changed(runtime->links.arg);
}

void runtime_items_frame(struct runtime *runtime, struct link_id link, struct bytes frame)
{
    if (runtime->items.on_frame != NULL)
        runtime->items.on_frame(runtime->items.arg, link, frame);
}

void runtime_tell(struct runtime *runtime, const struct runtime_news *news)
{
    for (size_t i = 0; i < runtime->listener_count; i++)
        runtime->listeners[i].on_news(runtime->listeners[i].arg, news);
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

/* From the store's thread. */
static void runtime_notify(void *arg)
{
    struct runtime *runtime = arg;
    wakeup_send(runtime->wake);
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

/* The secret of deposit_ids, the same at each start. */
static void runtime_deposit_secret(const struct runtime *runtime,
                                   uint8_t ret_secret[static KEY_SIZE])
{
    struct hash hash = hash_keyed(CONTEXT_DEPOSIT, runtime->config.store_key,
                                  ID_BYTES(runtime->config.federation));
    memcpy(ret_secret, hash.bytes, KEY_SIZE);
    sodium_memzero(&hash, sizeof hash);
}

static struct engine_config runtime_engine_config(struct runtime *runtime)
{
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
    runtime_deposit_secret(runtime, config.deposit_secret);
    randombytes_buf(config.hash_key, sizeof config.hash_key);
    return config;
}

static err runtime_copy_config(struct runtime *runtime, const struct runtime_config *config)
{
    runtime->config = *config;
    runtime->name = strdup(config->name);
    runtime->data = strdup(config->data);
    runtime->marker = config->marker == NULL ? NULL : strdup(config->marker);
    runtime->config.name = runtime->name;
    runtime->config.data = runtime->data;
    runtime->config.marker = runtime->marker;
    bool is_copied = runtime->name != NULL && runtime->data != NULL &&
                     (config->marker == NULL || runtime->marker != NULL);
    return is_copied ? OK : ERR_NO_MEMORY;
}

static err runtime_allocate(struct runtime *runtime, char ret_problem[static STORE_PROBLEM_SIZE])
{
    struct roster_plan plan = roster_plan_full();
    struct engine_config config = runtime_engine_config(runtime);
    /* calloc of this size is mapped and untouched: only what is used becomes resident, unless the
     * kernel fills whole huge pages for it */
    runtime->roster_memory = calloc(1, roster_size(&plan));
    runtime->engine_memory = calloc(1, engine_memory_size(&config));
    runtime_spare(runtime->engine_memory, engine_memory_size(&config));
    runtime->step = calloc(1, sizeof *runtime->step);
    runtime->send_queue = send_queue_new();
    runtime->events = event_queue_new();
    runtime->posts = post_queue_new(runtime->events);
    runtime->completions = completions_new(runtime->events);
    runtime->case_cache = case_cache_new();
    runtime->page_memory = malloc(RUNTIME_PAGE_SIZE);
    if (runtime->roster_memory == NULL || runtime->engine_memory == NULL || runtime->step == NULL ||
        runtime->send_queue == NULL || runtime->events == NULL || runtime->posts == NULL ||
        runtime->completions == NULL || runtime->case_cache == NULL || runtime->page_memory == NULL)
        return ERR_NO_MEMORY;
    runtime->step->arena = calloc(1, STEP_ARENA_SIZE);
    if (runtime->step->arena == NULL)
        return ERR_NO_MEMORY;
    roster_init(&runtime->roster, &plan, runtime->roster_memory, &config.self, &config.federation);
    runtime->engine = engine_new(runtime->engine_memory, &config);
    return runtime_record(runtime, &config, ret_problem);
}

err runtime_open(const struct runtime_config *config, struct wakeup *wake,
                 char ret_problem[static STORE_PROBLEM_SIZE], struct runtime **ret_runtime)
{
    struct runtime *runtime = calloc(1, sizeof *runtime);
    if (runtime == NULL)
        return ERR_NO_MEMORY;
    ret_problem[0] = '\0';
    runtime->wake = wake;
    err failure = runtime_copy_config(runtime, config);
    if (failure == OK)
        failure = runtime_allocate(runtime, ret_problem);
    if (failure == OK)
        failure = runtime_open_store(runtime, ret_problem);
    if (failure != OK) {
        runtime_free(runtime);
        return failure;
    }
    *ret_runtime = runtime;
    return OK;
}

void runtime_stop(struct runtime *runtime)
{
    runtime->is_closing = true;
    runtime->links = (struct runtime_links){0};
    runtime->listener_count = 0;
}

void runtime_close_store(struct runtime *runtime)
{
    store_close(runtime->store);
    runtime->store = NULL;
    runtime->wake = NULL;
}

void runtime_free(struct runtime *runtime)
{
    if (runtime == NULL)
        return;
    completions_free(runtime->completions);
    post_queue_free(runtime->posts);
    event_queue_free(runtime->events);
    send_queue_free(runtime->send_queue);
    case_cache_free(runtime->case_cache);
    recording_end(runtime->recording);
    if (runtime->step != NULL)
        free(runtime->step->arena);
    free(runtime->step);
    free(runtime->page_memory);
    free(runtime->engine_memory);
    free(runtime->roster_memory);
    free(runtime->marker);
    free(runtime->name);
    free(runtime->data);
    free(runtime);
}
