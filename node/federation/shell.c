#include "node/federation/shell.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "node/federation/audit.h"
#include "node/federation/envelopes.h"
#include "node/federation/marker.h"
#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "protocol/hash.h"

enum {
    SHELL_TICK_MS = 1000,
    SHELL_BUSY_TICK_MS = 20,
    SHELL_DEPOSIT_COUNT = 4096,
    SHELL_REACH_COUNT = 65536,
};

/* ---- effects ---- */

static void shell_send(struct shell *shell, const struct effect *effect)
{
    for (size_t i = 0; i < effect->send.link_count; i++)
        shell_send_frame(shell, effect->send.links[i], effect->send.frame);
}

static void shell_told(struct shell *shell, const struct effect *effect)
{
    struct shell_news news = {effect->told.scope, effect->told.record, effect->told.writer,
                              effect->told.kind};
    for (size_t i = 0; i < shell->listener_count; i++)
        shell->listeners[i].on_news(shell->listeners[i].arg, &news);
}

static void shell_log(const struct shell *shell, const struct effect *effect)
{
    log_debug(effect->log.event, log_text("federation", shell->name),
              log_hex("peer", ID_BYTES(effect->log.peer)), log_err("why", effect->log.verdict));
}

/* Frames for rooms beside the core. */
static void shell_pass_on(struct shell *shell, const struct effect *effect)
{
    if (effect->kind == EFFECT_HEADS)
        heads_frame(shell->heads, effect->link, effect->frame);
    else if (shell->items.on_frame != NULL)
        shell->items.on_frame(shell->items.arg, effect->link, effect->frame);
}

static void shell_hang_up(struct shell *shell, struct link_id link)
{
    outbox_forget(shell->outbox, link);
    if (shell->links.hang_up != NULL)
        shell->links.hang_up(shell->links.arg, link);
}

static void shell_erase(struct shell *shell, const struct effect *effect)
{
    if (effect->kind == EFFECT_DESTROY)
        erasing_case(shell, &effect->destroy.scope, &effect->destroy.erase);
    else
        retracting_wake(shell); /* its row is durable */
}

static void shell_perform(struct shell *shell, const struct effect *effect, struct parcel *parcel)
{
    switch (effect->kind) {
    case EFFECT_CHECK:
        crypto_check(shell, effect);
        break;
    case EFFECT_SEAL:
        crypto_seal(shell, effect);
        break;
    case EFFECT_KEEP:
        keeping_add(shell, effect, parcel);
        break;
    case EFFECT_LOAD:
        loading_read(shell, effect);
        break;
    case EFFECT_SEND:
        shell_send(shell, effect);
        break;
    case EFFECT_HANGUP:
        shell_hang_up(shell, effect->link);
        break;
    case EFFECT_DONE:
        shell_post_done(shell, effect);
        break;
    case EFFECT_TOLD:
        shell_told(shell, effect);
        break;
    case EFFECT_FORKED:
        keeping_forked(shell, effect);
        break;
    case EFFECT_FORKS:
        keeping_forks(shell, effect->forks);
        break;
    case EFFECT_ACKED:
        keeping_acked(shell, effect);
        break;
    case EFFECT_GENERATION:
        proving_generation(shell, effect);
        break;
    case EFFECT_DESTROY:
    case EFFECT_RETRACT:
        shell_erase(shell, effect);
        break;
    case EFFECT_REST:
        resting_keep(shell, effect);
        break;
    case EFFECT_WAKE: /* when the others are done */
        break;
    case EFFECT_ITEMS:
    case EFFECT_HEADS:
        shell_pass_on(shell, effect);
        break;
    case EFFECT_CUSTODY:
        envelopes_perform(shell, effect);
        break;
    case EFFECT_LOG:
        shell_log(shell, effect);
        break;
    }
}

static void shell_turn_once(struct shell *shell, const struct event *event, struct parcel *parcel)
{
    resting_step(shell, event);
    /* the list grows no more: whatever an effect sets off waits in `followers` */
    for (size_t i = 0; i < shell->step->effect_count; i++)
        shell_perform(shell, &shell->step->effects[i], parcel);
    resting_wake(shell);
}

/* What was sealed or read is told before anything else happens (step.h). */
static void shell_follow(struct shell *shell)
{
    struct parcel *parcel;
    while ((parcel = parcel_queue_take(&shell->followers)) != NULL) {
        struct event event = shell_event(parcel->kind);
        event.link = parcel->link;
        event.token = parcel->token;
        event.verdict = parcel->verdict;
        event.custody = parcel->custody;
        if (parcel->kind != EVENT_CUSTODY)
            event.batch = parcel->batch;
        else
            event.letter = (struct bytes){parcel->memory, parcel->letter_size};
        shell_turn_once(shell, &event, parcel);
        parcel_drop(parcel);
    }
}

static void shell_rearm(struct shell *shell);

/* An effect called back into us: its event waits until this turn is over. Such events hold values,
 * or memory that outlives the turn. */
static void shell_put_off(struct shell *shell, const struct event *event)
{
    struct shell_later *later = malloc(sizeof *later);
    if (later == NULL)
        abort(); /* an event lost here would leave the core and the world at odds */
    *later = (struct shell_later){.event = *event};
    struct shell_later **end = &shell->later;
    while (*end != NULL)
        end = &(*end)->next;
    *end = later;
}

static void shell_turn_now(struct shell *shell, struct event *event, struct parcel *parcel)
{
    if (shell->is_turning) {
        shell_put_off(shell, event);
        return;
    }
    shell->is_turning = true;
    shell_turn_once(shell, event, parcel);
    shell_follow(shell);
    while (shell->later != NULL) {
        struct shell_later *later = shell->later;
        shell->later = later->next;
        shell_turn_once(shell, &later->event, NULL);
        shell_follow(shell);
        free(later);
    }
    shell->is_turning = false;
    keeping_submit(shell);
    shell_rearm(shell);
}

/* ---- time ---- */

static void shell_on_tick(uv_timer_t *timer)
{
    struct shell *shell = timer->data;
    struct event event = shell_event(EVENT_TICK);
    crypto_deliver(shell);
    keeping_submit(shell);
    heads_tick(shell->heads);
    audit_tick(shell->audit);
    proving_tick(shell);
    scrub_tick(shell);
    retracting_tick(shell);
    shell_turn(shell, &event, NULL);
    shell_post_tick(shell);
    shell_post_next(shell);
}

static void shell_rearm(struct shell *shell)
{
    bool is_busy = core_busy(shell->core) || shell_post_waits(shell) || crypto_waits(shell) ||
                   retracting_waits(shell);
    uint64_t wait = is_busy ? SHELL_BUSY_TICK_MS : SHELL_TICK_MS;
    if (!shell->is_closing && uv_timer_get_repeat(&shell->tick) != wait) {
        uv_timer_set_repeat(&shell->tick, wait);
        uv_timer_again(&shell->tick);
    }
}

/* ---- the face ---- */

uint32_t shell_heads_refused(const struct shell *shell)
{
    return heads_refused(shell->heads);
}

err shell_heal(struct shell *shell, const char *fingerprint)
{
    return heads_heal(shell->heads, fingerprint);
}

bool shell_healing(const struct shell *shell, struct head_id *ret_id, uint64_t *ret_epoch)
{
    return heads_healing(shell->heads, ret_id, ret_epoch);
}

void shell_link_up(struct shell *shell, struct link_id link, const struct transport_key *peer)
{
    struct event event = shell_event(EVENT_LINK_UP);
    event.link = link;
    event.peer = *peer;
    shell_turn(shell, &event, NULL);
}

void shell_link_down(struct shell *shell, struct link_id link)
{
    struct event event = shell_event(EVENT_LINK_DOWN);
    event.link = link;
    outbox_forget(shell->outbox, link);
    shell_turn(shell, &event, NULL);
}

void shell_frame(struct shell *shell, struct link_id link, struct bytes frame)
{
    struct event event = shell_event(EVENT_FRAME);
    event.link = link;
    event.frame = frame;
    shell_turn(shell, &event, NULL);
}

void shell_relay_head(struct shell *shell, uint64_t epoch, const struct head_id *head)
{
    struct event event = shell_event(EVENT_RELAY_HEAD);
    event.relay_head.epoch = epoch;
    event.relay_head.head = *head;
    shell_turn(shell, &event, NULL);
}

uint64_t shell_acked(struct shell *shell, const struct node_id *peer,
                     const struct stream_id *stream)
{
    return keeping_reported(shell, peer, stream);
}

void shell_attach_links(struct shell *shell, const struct shell_links *links)
{
    shell->links = *links;
}

void shell_attach_items(struct shell *shell, const struct shell_items *items)
{
    shell->items = *items;
}

void shell_link_drained(struct shell *shell, struct link_id link)
{
    outbox_drain(shell->outbox, &shell->links, link);
}

void shell_listen(struct shell *shell, void (*on_news)(void *arg, const struct shell_news *news),
                  void *arg)
{
    if (shell->listener_count == SHELL_LISTENER_COUNT_MAX)
        return;
    shell->listeners[shell->listener_count].on_news = on_news;
    shell->listeners[shell->listener_count++].arg = arg;
}

void shell_unlisten(struct shell *shell, const void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < shell->listener_count; i++)
        if (shell->listeners[i].arg != arg)
            shell->listeners[kept++] = shell->listeners[i];
    shell->listener_count = kept;
}

/* ---- life ---- */

static void shell_on_committed(uv_async_t *async)
{
    struct shell *shell = async->data;
    keeping_drain(shell);
    keeping_submit(shell);
    shell_post_next(shell);
}

/* From the store's thread. */
static void shell_notify(void *arg)
{
    struct shell *shell = arg;
    uv_async_send(&shell->committed);
}

/* The disk failed. What was acknowledged is safe; going on would make promises that cannot be
 * kept, so the process ends and verifies at its next start. */
static void shell_fatal(void *arg, err reason)
{
    const struct shell *shell = arg;
    log_error("disk-failed", log_text("federation", shell->name), log_text("data", shell->data),
              log_err("why", reason), log_text("do", "check the disk, then start again"));
    _exit(1);
}

struct hash shell_owner(const struct federation_id *federation, const struct node_id *self)
{
    struct bytes parts[] = {ID_BYTES(*federation), ID_BYTES(*self)};
    return hash_parts(CONTEXT_STORE_INDEX, parts, 2);
}

static err shell_open_store(struct shell *shell, char ret_problem[static STORE_PROBLEM_SIZE])
{
    struct store_options options = {.owner =
                                        shell_owner(&shell->config.federation, &shell->config.self),
                                    .quota = shell->config.quota,
                                    .notify = shell_notify,
                                    .fatal = shell_fatal,
                                    .arg = shell};
    return store_open(shell->data, shell->config.store_key, &options, ret_problem, &shell->store);
}

static err shell_record(struct shell *shell, const struct core_config *config,
                        char ret_problem[static STORE_PROBLEM_SIZE])
{
    const char *directory = shell->config.recordings;
    if (directory == NULL)
        return OK;
    err failure = recording_begin(directory, shell->name, config, &shell->recording);
    if (failure != OK)
        (void)snprintf(ret_problem, STORE_PROBLEM_SIZE, "no recording in %.200s: %s", directory,
                       failure == ERR_IO ? strerror(errno) : err_sentence(failure));
    return failure;
}

static void shell_spare(void *memory, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t last = ((uintptr_t)memory + size) / page * page;
    if (memory != NULL && first < last) /* a kernel without huge pages refuses: as well */
        (void)madvise((uint8_t *)memory + (first - (uintptr_t)memory), last - first,
                      MADV_NOHUGEPAGE);
}

static err shell_allocate(struct shell *shell, char ret_problem[static STORE_PROBLEM_SIZE])
{
    struct roster_plan plan = roster_plan_full();
    struct core_config config;
    core_config_defaults(&config);
    config.federation = shell->config.federation;
    config.self = shell->config.self;
    config.roster = &shell->roster;
    config.grants_by_hand = shell->config.grants_by_hand;
    config.survey_ms = shell->config.survey_ms;
    config.held_count_max = CUSTODY_COUNT_MAX;
    config.deposit_count_max = SHELL_DEPOSIT_COUNT;
    config.reach_count_max = SHELL_REACH_COUNT;
    envelopes_secret(shell, config.deposit_secret);
    randombytes_buf(config.hash_key, sizeof config.hash_key);
    /* calloc of this size is mapped and untouched: only what is used becomes resident, unless the
     * kernel fills whole huge pages for it */
    shell->roster_memory = calloc(1, roster_size(&plan));
    shell->core_memory = calloc(1, core_memory_size(&config));
    shell_spare(shell->core_memory, core_memory_size(&config));
    shell->step = calloc(1, sizeof *shell->step);
    shell->outbox = outbox_new();
    shell->errands = errands_new();
    shell->page_memory = malloc(2 * (size_t)STORE_RECORD_SIZE_MAX);
    shell->heads = heads_new(shell);
    if (shell->roster_memory == NULL || shell->core_memory == NULL || shell->step == NULL ||
        shell->outbox == NULL || shell->errands == NULL || shell->page_memory == NULL ||
        shell->heads == NULL)
        return ERR_NO_MEMORY;
    shell->step->arena = calloc(1, STEP_ARENA_SIZE);
    if (shell->step->arena == NULL)
        return ERR_NO_MEMORY;
    roster_init(&shell->roster, &plan, shell->roster_memory, &config.self, &config.federation);
    shell->core = core_new(shell->core_memory, &config);
    return shell_record(shell, &config, ret_problem);
}

static void shell_free(struct shell *shell)
{
    struct parcel *parcel;
    struct parcel_queue *queues[] = {&shell->followers, &shell->checking, &shell->keeping,
                                     &shell->kept_under_way};
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        while ((parcel = parcel_queue_take(queues[i])) != NULL)
            parcel_drop(parcel);
    }
    resting_free(shell);
    heads_free(shell->heads);
    outbox_free(shell->outbox);
    errands_free(shell->errands);
    audit_close(shell->audit);
    recording_end(shell->recording);
    if (shell->step != NULL)
        free(shell->step->arena);
    free(shell->step);
    free(shell->retracting);
    free(shell->page_memory);
    free(shell->core_memory);
    free(shell->roster_memory);
    marker_close(shell->marker);
    free(shell->marker_path);
    free(shell->name);
    free(shell->data);
    free(shell);
}

static void shell_release_now(struct shell *shell)
{
    if (shell->handles_open == 0 && shell->jobs_under_way == 0)
        shell_free(shell);
}

static void shell_on_handle_closed(uv_handle_t *handle)
{
    struct shell *shell = handle->data;
    shell->handles_open--;
    shell_release(shell);
}

static void shell_start(struct shell *shell)
{
    uv_loop_t *loop = shell->config.loop;
    uv_timer_init(loop, &shell->tick);
    shell->tick.data = shell;
    shell->handles_open++;
    uv_timer_start(&shell->tick, shell_on_tick, SHELL_BUSY_TICK_MS, SHELL_BUSY_TICK_MS);
}

err shell_open(const struct shell_config *config, char ret_problem[static STORE_PROBLEM_SIZE],
               struct shell **ret_shell)
{
    struct shell *shell = calloc(1, sizeof *shell);
    if (shell == NULL)
        return ERR_NO_MEMORY;
    shell->config = *config;
    shell->turn = shell_turn_now;
    shell->release = shell_release_now;
    shell->name = strdup(config->name);
    shell->data = strdup(config->data);
    shell->marker_path = config->marker == NULL ? NULL : strdup(config->marker);
    shell->config.marker = shell->marker_path;
    ret_problem[0] = '\0';
    bool is_copied = shell->name != NULL && shell->data != NULL &&
                     (config->marker == NULL || shell->marker_path != NULL);
    err failure = is_copied ? OK : ERR_NO_MEMORY;
    if (failure == OK)
        failure = shell_allocate(shell, ret_problem);
    if (failure != OK) {
        shell_free(shell);
        return failure;
    }
    shell->committed.data = shell;
    uv_async_init(config->loop, &shell->committed, shell_on_committed);
    shell->handles_open++;
    failure = shell_open_store(shell, ret_problem);
    if (failure == OK)
        failure = audit_open(shell, &shell->audit);
    if (failure == OK)
        failure = restore_all(shell, ret_problem);
    if (failure != OK) {
        shell_close(shell);
        return failure;
    }
    shell_start(shell);
    *ret_shell = shell;
    return OK;
}

void shell_close(struct shell *shell)
{
    if (shell == NULL)
        return;
    shell->is_closing = true;
    shell->links = (struct shell_links){0};
    shell->listener_count = 0;
    shell_post_stop(shell, false);
    if (shell->store != NULL) {
        keeping_finish(shell);
        resting_close(shell);
        keeping_finish(shell);
    }
    shell_post_stop(shell, true);
    if (shell->store != NULL)
        scrub_end(shell);
    store_close(shell->store);
    shell->store = NULL;
    uv_close((uv_handle_t *)&shell->committed, shell_on_handle_closed);
    if (shell->handles_open > 1)
        uv_close((uv_handle_t *)&shell->tick, shell_on_handle_closed);
}
