#include "protocol/core/core_state.h"

#include <assert.h>
#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/catchup.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/equivocation.h"
#include "protocol/core/generation.h"
#include "protocol/core/ingest.h"
#include "protocol/core/intake.h"
#include "protocol/core/publish.h"

enum { CORE_CASE_IDLE_MS = 10 * 60 * 1000 };

void core_config_defaults(struct core_config *config)
{
    memset(config, 0, sizeof *config);
    config->stream_count_max = 262144;
    config->lack_count_max = 65536;
    config->mark_count_max = 65536;
    config->case_count_max = CASE_COUNT_MAX;
    config->case_awake_max = CASE_AWAKE_MAX;
    config->case_idle_ms = CORE_CASE_IDLE_MS;
    config->clinician_count_max = CLINICIAN_PLACE_COUNT;
    config->writer_count_max = WRITER_PLACE_COUNT;
}

static size_t core_align(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static size_t core_custody_size(const struct core_config *config)
{
    if (config->held_count_max == 0)
        return 0;
    return core_align(mailboxes_memory_size()) +
           core_align(custody_memory_size(config->held_count_max)) +
           core_align(deposits_memory_size(config->deposit_count_max, config->reach_count_max));
}

static void core_new_custody(struct core *core, uint8_t *place)
{
    const struct core_config *config = &core->config;
    if (config->held_count_max == 0) {
        core->config.deposit_count_max = core->config.reach_count_max = 0;
        return;
    }
    mailboxes_init(&core->mailboxes, place);
    place += core_align(mailboxes_memory_size());
    custody_init(&core->custody, place);
    place += core_align(custody_memory_size(config->held_count_max));
    deposits_init(&core->deposits, place, config->deposit_count_max);
}

size_t core_memory_size(const struct core_config *config)
{
    return core_align(sizeof(struct core)) +
           core_align(streams_memory_size(config->stream_count_max, config->lack_count_max)) +
           core_align(marks_memory_size(config->mark_count_max)) +
           core_align(clinicians_memory_size(config->clinician_count_max)) +
           core_align(writers_memory_size(config->writer_count_max)) +
           core_align(casework_memory_size(config->case_count_max, config->case_awake_max)) +
           core_custody_size(config);
}

struct core *core_new(void *memory, const struct core_config *config)
{
    struct core *core = memory;
    uint8_t *place = (uint8_t *)memory + core_align(sizeof *core);
    core->config = *config;
    core->roster = config->roster;
    streams_init(&core->streams, place, config->stream_count_max, config->lack_count_max,
                 config->hash_key);
    place += core_align(streams_memory_size(config->stream_count_max, config->lack_count_max));
    marks_init(&core->marks, place, config->mark_count_max);
    place += core_align(marks_memory_size(config->mark_count_max));
    clinicians_init(&core->clinicians, place, config->clinician_count_max);
    place += core_align(clinicians_memory_size(config->clinician_count_max));
    writers_init(&core->writers, place, config->writer_count_max);
    place += core_align(writers_memory_size(config->writer_count_max));
    core->casework = casework_new(place, config->case_count_max, config->case_awake_max);
    place += core_align(casework_memory_size(config->case_count_max, config->case_awake_max));
    core_new_custody(core, place);
    return core;
}

/* ---- heads compared ---- */

/* A member's head is ours, or one of ours; that counts until we were cut off for a day. */
static void core_compared(struct core *core, const struct node_id *node)
{
    for (uint32_t i = 0; i < core->compared_count; i++) {
        if (ID_EQUAL(core->compared[i], *node))
            return;
    }
    if (core->compared_count < COMPARED_COUNT)
        core->compared[core->compared_count++] = *node;
}

/* What a relay said stands: it is connected all the time, and says it again when it was not. */
static void core_note_alone(struct core *core)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (core->peers[i].is_greeted) {
            core->alone_since.ms = 0;
            return;
        }
    }
    if (core->alone_since.ms == 0)
        core->alone_since = core->now;
    if (core->now.ms - core->alone_since.ms >= CUT_OFF_MS)
        core->compared_count = 0;
}

/* ---- links ---- */

static void core_greet(struct core *core, const struct peer *peer, struct step *step)
{
    const struct chain_link *last = chain_last(&core->roster->chain);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = core->config.federation,
                                .time = core->wall};
    if (last != NULL) {
        hello.epoch = last->epoch;
        hello.head = last->id;
    }
    struct buffer frame = core_frame(step, 128);
    frame_hello_write(&frame, &hello);
    core_send(step, peer->link, &frame);
}

/* (W-11) The two sides of a member may change ways at different moments, so that one takes for the
 * old link what the other said on the new one, its hello too. */
static void core_greet_again(struct core *core, struct peer *peer, struct step *step)
{
    if (peer->greet_again_at.ms > core->now.ms)
        return;
    peer->greet_again_at.ms = core->now.ms + SUMMARY_INTERVAL_MS;
    peer->summary_at = core->now; /* the last one may have been lost */
    core_greet(core, peer, step);
}

/* Clocks are told in hellos: whose differed is greeted now and then, so that a clock that was set
 * right is seen without a new connection. */
static void core_compare_clocks(struct core *core, struct step *step)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &core->peers[i];
        if (peer->is_greeted && peer->is_skewed && step_has_room(step, 256, FRAME_SIZE_MAX))
            core_greet_again(core, peer, step);
    }
}

static void core_hang_up(struct link_id link, struct step *step)
{
    step_effect(step, EFFECT_HANGUP)->link = link;
}

static void core_link_down(struct core *core, struct link_id link)
{
    struct peer *peer = core_peer_of_link(core, link);
    if (peer != NULL)
        memset(peer, 0, sizeof *peer);
}

static bool core_session_is_live(const void *arg, uint32_t session)
{
    const struct core *core = arg;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (core->peers[i].session == session)
            return true;
    }
    return false;
}

static void core_link_up(struct core *core, const struct event *event, struct step *step)
{
    const struct roster_entry *member = roster_find_transport(core->roster, &event->peer);
    struct peer *place = NULL;
    for (size_t i = 0; i < LINK_COUNT_MAX && member != NULL; i++) {
        struct peer *peer = &core->peers[i];
        if (peer->link.value != 0 && ID_EQUAL(peer->node, member->node_id))
            memset(peer, 0, sizeof *peer); /* a newer connection takes the older one's place */
        if (peer->link.value == 0 && place == NULL)
            place = peer;
    }
    bool is_welcome = member != NULL && member->state == MEMBER_ADMITTED &&
                      !ID_EQUAL(member->node_id, core->config.self);
    if (!is_welcome || place == NULL) {
        core_hang_up(event->link, step);
        return;
    }
    marks_sweep(&core->marks, core_session_is_live, core);
    place->link = event->link;
    place->node = member->node_id;
    place->session = ++core->session_last;
    place->listing = STREAM_NONE;
    core_greet(core, place, step);
}

/* Where the peer's last head stands in our chain. */
static void core_relate(struct core *core, struct peer *peer)
{
    peer->relation = chain_compare(&core->roster->chain, peer->epoch, &peer->head);
    mailboxes_heard(core, peer);
    if (peer->relation == CHAIN_SAME || peer->relation == CHAIN_PEER_BEHIND)
        core_compared(core, &peer->node);
}

static void core_hello(struct core *core, struct peer *peer, struct bytes frame, struct step *step)
{
    struct frame_hello hello;
    err failure = frame_hello_read(frame, &hello);
    if (failure == OK && !ID_EQUAL(hello.federation, core->config.federation))
        failure = ERR_NOT_ENTITLED;
    if (failure != OK) {
        core_refuse(core, peer, step, "hello-refused", failure);
        if (failure == ERR_NOT_ENTITLED || failure == ERR_VERSION)
            core_hang_up(peer->link, step); /* what is malformed is dropped (W-2) */
        return;
    }
    uint64_t ahead = hello.time.ms > core->wall.ms ? hello.time.ms - core->wall.ms
                                                   : core->wall.ms - hello.time.ms;
    peer->is_skewed = ahead > CLOCK_SKEW_MS_MAX;
    if (peer->is_greeted)
        core_greet_again(core, peer, step);
    peer->is_greeted = true;
    peer->epoch = hello.epoch;
    peer->head = hello.head;
    core_relate(core, peer);
    if (peer->relation == CHAIN_PEER_AHEAD)
        catchup_want_heads(core, peer, step);
    if (peer->relation == CHAIN_SPLIT) {
        catchup_want_proof(peer, step);
        core_refuse(core, peer, step, "roster-split", ERR_FORKED);
    }
}

/* The roster changed: greet everyone again with the new head, drop who is no longer a member, and
 * try again what was refused for want of it. */
static void core_roster(struct core *core, struct step *step)
{
    casework_roster(core);
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &core->peers[i];
        if (peer->link.value == 0)
            continue;
        const struct roster_entry *member = roster_find(core->roster, &peer->node);
        if (member == NULL || member->state != MEMBER_ADMITTED) {
            core_hang_up(peer->link, step);
            memset(peer, 0, sizeof *peer);
            continue;
        }
        if (peer->is_greeted)
            core_relate(core, peer);
        core_greet(core, peer, step);
    }
    catchup_retry(core);
}

static void core_relay_head(struct core *core, const struct event *event)
{
    enum chain_relation relation =
        chain_compare(&core->roster->chain, event->relay_head.epoch, &event->relay_head.head);
    core->is_relay_compared = relation == CHAIN_SAME || relation == CHAIN_PEER_BEHIND;
}

/* ---- frames ---- */

static err core_shape(struct bytes frame)
{
    union {
        struct frame_heads_want heads_want;
        struct frame_item_want item_want;
        struct frame_item_chunk item_chunk;
        struct frame_item_status item_status;
        struct reader heads;
        struct bytes part;
    } u;
    switch (frame.data[0]) {
    case FRAME_HEADS_WANT:
        return frame_heads_want_read(frame, &u.heads_want);
    case FRAME_HEADS:
        return frame_heads_open(frame, &u.heads);
    case FRAME_ROSTER_PART:
        return frame_roster_part_read(frame, &u.part);
    case FRAME_ITEM_WANT:
        return frame_item_want_read(frame, &u.item_want);
    case FRAME_ITEM_CHUNK:
        return frame_item_chunk_read(frame, &u.item_chunk);
    default:
        return frame_item_status_read(frame, &u.item_status);
    }
}

/* Heads and items are for rooms of the shell, which get what has its shape (W-2). */
static void core_pass_on(struct core *core, const struct peer *peer, struct bytes frame,
                         struct step *step)
{
    err failure = core_shape(frame);
    if (failure != OK) {
        core_refuse(core, peer, step, "frame-malformed", failure);
        return;
    }
    bool is_item = frame.data[0] >= FRAME_ITEM_WANT && frame.data[0] <= FRAME_ITEM_STATUS;
    struct effect *effect = step_effect(step, is_item ? EFFECT_ITEMS : EFFECT_HEADS);
    effect->link = peer->link;
    effect->frame = frame;
}

/* (W-1) size first, then the type's own reader judges the shape, before anything is believed */
static void core_frame_in(struct core *core, const struct event *event, struct step *step)
{
    struct peer *peer = core_peer_of_link(core, event->link);
    struct bytes frame = event->frame;
    if (peer == NULL || frame.size == 0 || frame.size > (size_t)FRAME_SIZE_MAX)
        return;
    if (frame.data[0] != FRAME_HELLO && !peer->is_greeted) {
        core_refuse(core, peer, step, "frame-before-hello", ERR_OUT_OF_ORDER);
        core_greet_again(core, peer, step);
        return;
    }
    switch (frame.data[0]) {
    case FRAME_HELLO:
        core_hello(core, peer, frame, step);
        break;
    case FRAME_HEADS_WANT:
    case FRAME_HEADS:
    case FRAME_ROSTER_PART:
    case FRAME_ITEM_WANT:
    case FRAME_ITEM_CHUNK:
    case FRAME_ITEM_STATUS:
        core_pass_on(core, peer, frame, step);
        break;
    case FRAME_SUMMARY:
        catchup_summary(core, peer, frame, step);
        break;
    case FRAME_STREAMS:
    case FRAME_ACK:
        catchup_positions(core, peer, frame, step);
        break;
    case FRAME_WANT:
        catchup_want(core, peer, frame, step);
        break;
    case FRAME_RECORDS:
        intake_frame(core, peer, frame, step);
        break;
    case FRAME_STATUS:
        catchup_status(core, peer, frame, step);
        break;
    case FRAME_CUSTODY_LEAVE:
    case FRAME_CUSTODY_ANSWER:
    case FRAME_CUSTODY_WITHDRAW:
    case FRAME_CUSTODY_COLLECT:
    case FRAME_CUSTODY_ENVELOPE:
    case FRAME_CUSTODY_TAKEN:
        custody_frame(core, peer, frame, step);
        break;
    default: /* (W-3) a later version's frame: passed over */
        core_refuse(core, peer, step, "frame-unknown", ERR_UNSUPPORTED);
        break;
    }
}

/* ---- the step ---- */

static void core_loaded(struct core *core, const struct event *event, struct step *step)
{
    if ((event->token.value & DEPOSITS_TOKEN) != 0)
        deposits_loaded(core, event, step);
    else if (event->token.value != 0)
        generation_loaded(core, event);
    else if (event->link.value != 0)
        catchup_loaded(core, event, step);
    else
        casework_loaded(core, event, step);
}

static void core_start(struct core *core, const struct event *event, struct step *step)
{
    core->is_started = true;
    core->started_at = core->now;
    generation_start(core, event->start, step);
    casework_start(core);
}

static void core_tick(struct core *core, struct step *step)
{
    core_note_alone(core);
    core_compare_clocks(core, step);
    core->is_full = core->is_full && core->now.ms < core->full_until.ms;
    catchup_tick(core, step);
    custody_tick(core, step);
    deposits_tick(core, step);
    mailboxes_react(core, step);
}

static void core_link(struct core *core, const struct event *event, struct step *step)
{
    if (event->kind == EVENT_LINK_UP)
        core_link_up(core, event, step);
    else if (event->kind == EVENT_LINK_DOWN)
        core_link_down(core, event->link);
    else
        core_relay_head(core, event);
}

static void core_dispatch(struct core *core, const struct event *event, struct step *step)
{
    switch (event->kind) {
    case EVENT_RESTORE_STREAM:
    case EVENT_RESTORE_LACK:
    case EVENT_RESTORE_FORKS:
    case EVENT_RESTORE_CASE:
    case EVENT_RESTORE_GENERATION:
    case EVENT_RESTORE_MARKER:
    case EVENT_RESTORE_REPORT:
    case EVENT_RESTORE_MAILBOX:
    case EVENT_RESTORE_HELD:
    case EVENT_REPLAY:
        core_restore(core, event, step);
        break;
    case EVENT_START:
        core_start(core, event, step);
        break;
    case EVENT_TICK:
        core_tick(core, step);
        break;
    case EVENT_LINK_UP:
    case EVENT_LINK_DOWN:
    case EVENT_RELAY_HEAD:
        core_link(core, event, step);
        break;
    case EVENT_FRAME:
        core_frame_in(core, event, step);
        break;
    case EVENT_CHECKED:
        ingest_checked(core, event, step);
        break;
    case EVENT_SEALED:
        publish_sealed(core, event, step);
        break;
    case EVENT_KEPT:
        ingest_kept(core, event, step);
        publish_kept(core, event, step);
        break;
    case EVENT_LOADED:
        core_loaded(core, event, step);
        break;
    case EVENT_POST:
        publish_event(core, event, step);
        break;
    case EVENT_WOKEN: /* core_step */
        break;
    case EVENT_RESTED:
        casework_rested(core, event);
        break;
    case EVENT_DESTROYED:
        casework_destroyed(core, event, step);
        break;
    case EVENT_ROSTER:
        core_roster(core, step);
        break;
    case EVENT_CUSTODY:
        custody_event(core, event, step);
        break;
    }
}

void core_step(struct core *core, const struct event *event, struct step *step)
{
    step_begin(step);
    core->now = event->now;
    core->wall = event->wall;
    if (event->kind == EVENT_WOKEN) {
        casework_woken(core, event, step);
        return;
    }
    step->comes_again = casework_calls(core, event, step);
    if (step->comes_again)
        return;
    core_dispatch(core, event, step);
    if (!core->is_started)
        return;
    bool hands_keys = core_may_hand_keys(core);
    if (hands_keys && !core->hands_keys)
        catchup_offer(core);
    core->hands_keys = hands_keys;
    generation_react(core, step);
    casework_react(core, step);
    deposits_react(core, step);
    collection_react(core, step);
    if (step_has_room(step, 256, FRAME_SIZE_MAX))
        catchup_pump(core, step);
}

bool core_busy(const struct core *core)
{
    return core->is_started && (catchup_busy(core) || casework_busy(core) ||
                                generation_busy(core) || deposits_busy(core));
}
