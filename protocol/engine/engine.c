#include "protocol/engine/engine.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/cases/case_automation.h"
#include "protocol/cases/case_erase.h"
#include "protocol/cases/case_paging.h"
#include "protocol/cases/case_retry.h"
#include "protocol/cases/cases.h"
#include "protocol/custody/custody_outbox.h"
#include "protocol/custody/custody_outbox_due.h"
#include "protocol/custody/custody_pickup.h"
#include "protocol/custody/custody_store.h"
#include "protocol/custody/mailbox_keys.h"
#include "protocol/engine/engine_restore.h"
#include "protocol/replication/accept.h"
#include "protocol/replication/generation.h"
#include "protocol/replication/publish.h"
#include "protocol/replication/receive.h"
#include "protocol/replication/sync.h"
#include "protocol/state/access.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"

enum {
    ENGINE_CASE_IDLE_MS = 10 * 60 * 1000,
    CUT_OFF_MS = 24 * 60 * 60 * 1000, /* alone for so long: heads are compared again */
};

void engine_config_defaults(struct engine_config *config)
{
    memset(config, 0, sizeof *config);
    config->stream_count_max = 262144;
    config->missing_count_max = 65536;
    config->mark_count_max = 65536;
    config->case_count_max = CASE_COUNT_MAX;
    config->case_awake_max = CASE_AWAKE_MAX;
    config->case_idle_ms = ENGINE_CASE_IDLE_MS;
    config->clinician_count_max = CLINICIAN_PLACE_COUNT;
    config->writer_count_max = WRITER_PLACE_COUNT;
}

static size_t engine_align(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* The next `size` bytes of the memory that was handed in. */
static void *engine_part(uint8_t **place, size_t size)
{
    void *part = *place;
    *place += engine_align(size);
    return part;
}

/* What each module above the state keeps. */
static size_t engine_modules_size(void)
{
    return engine_align(sizeof(struct generations)) + engine_align(sizeof(struct case_retry)) +
           engine_align(sizeof(struct case_paging)) + engine_align(sizeof(struct mailbox_keys)) +
           engine_align(sizeof(struct custody_store)) +
           engine_align(sizeof(struct custody_outbox)) +
           engine_align(sizeof(struct custody_pickup));
}

static void engine_new_modules(struct engine *engine, uint8_t **place)
{
    engine->generations = engine_part(place, sizeof(struct generations));
    engine->case_retry = engine_part(place, sizeof(struct case_retry));
    engine->case_paging = engine_part(place, sizeof(struct case_paging));
    engine->mailbox_keys = engine_part(place, sizeof(struct mailbox_keys));
    engine->custody_store = engine_part(place, sizeof(struct custody_store));
    engine->custody_outbox = engine_part(place, sizeof(struct custody_outbox));
    engine->custody_pickup = engine_part(place, sizeof(struct custody_pickup));
}

static size_t engine_custody_size(const struct engine_config *config)
{
    if (config->held_count_max == 0)
        return 0;
    return engine_align(mailbox_keys_memory_size()) +
           engine_align(custody_store_memory_size(config->held_count_max)) +
           engine_align(
               custody_outbox_memory_size(config->deposit_count_max, config->reach_count_max));
}

static void engine_new_custody(struct engine *engine, uint8_t **place)
{
    const struct engine_config *config = &engine->config;
    if (config->held_count_max == 0) {
        engine->config.deposit_count_max = engine->config.reach_count_max = 0;
        return;
    }
    mailbox_keys_init(engine->mailbox_keys, engine_part(place, mailbox_keys_memory_size()));
    custody_store_init(engine->custody_store,
                       engine_part(place, custody_store_memory_size(config->held_count_max)));
    custody_outbox_init(engine->custody_outbox,
                        engine_part(place, custody_outbox_memory_size(config->deposit_count_max,
                                                                      config->reach_count_max)),
                        config->deposit_count_max);
}

size_t engine_memory_size(const struct engine_config *config)
{
    return engine_align(sizeof(struct engine)) +
           engine_align(streams_memory_size(config->stream_count_max, config->missing_count_max)) +
           engine_align(peer_progress_memory_size(config->mark_count_max)) +
           engine_align(clinicians_memory_size(config->clinician_count_max)) +
           engine_align(writer_quota_memory_size(config->writer_count_max)) +
           engine_align(case_table_memory_size(config->case_count_max, config->case_awake_max)) +
           engine_modules_size() + engine_custody_size(config);
}

struct engine *engine_new(void *memory, const struct engine_config *config)
{
    uint8_t *place = memory;
    struct engine *engine = engine_part(&place, sizeof *engine);
    engine->config = *config;
    engine->roster = config->roster;
    streams_init(&engine->streams,
                 engine_part(&place, streams_memory_size(config->stream_count_max,
                                                         config->missing_count_max)),
                 config->stream_count_max, config->missing_count_max, config->hash_key);
    peer_progress_init(&engine->marks,
                       engine_part(&place, peer_progress_memory_size(config->mark_count_max)),
                       config->mark_count_max);
    clinicians_init(&engine->clinicians,
                    engine_part(&place, clinicians_memory_size(config->clinician_count_max)),
                    config->clinician_count_max);
    writer_quota_init(&engine->writer_quota,
                      engine_part(&place, writer_quota_memory_size(config->writer_count_max)),
                      config->writer_count_max);
    engine->case_table = case_table_new(
        engine_part(&place, case_table_memory_size(config->case_count_max, config->case_awake_max)),
        config->case_count_max, config->case_awake_max);
    engine_new_modules(engine, &place);
    engine_new_custody(engine, &place);
    return engine;
}

/* ---- notices ---- */

static void engine_apply(struct engine *engine, const struct step_record *record, struct step *step)
{
    struct record_claim claim;
    if (record_parse_again(record->record, &record->id, &claim) == OK)
        cases_apply(engine, &claim, record->plaintext, step);
}

static void engine_obey(struct engine *engine, const struct step_record *record, struct step *step)
{
    struct record_claim claim;
    if (record_parse_again(record->record, &record->id, &claim) == OK)
        cases_obey(engine, &claim, record->plaintext, step);
}

static void engine_write_failed(struct engine *engine, const struct step_record *record)
{
    struct record_claim claim;
    if (record_parse_again(record->record, &record->id, &claim) == OK)
        case_automation_write_failed(engine, &claim.header, record->plaintext);
}

static void engine_push_erasures(struct engine *engine, struct link_id link, struct step *step)
{
    struct peer *peer = peers_of_link(engine, link);
    if (peer != NULL)
        case_erase_push(engine, peer, step);
}

/* Hands what lower modules found to those above them, in the order in which it was found. */
static void engine_drain(struct engine *engine, struct step *step)
{
    struct notice notice;
    while (notice_take(&engine->notices, &notice)) {
        switch (notice.kind) {
        case NOTICE_DURABLE:
            engine_apply(engine, notice.record, step);
            break;
        case NOTICE_ERASE:
            engine_obey(engine, notice.record, step);
            break;
        case NOTICE_WRITE_FAILED:
            engine_write_failed(engine, notice.record);
            break;
        case NOTICE_SETTLED:
            custody_pickup_settled(engine, notice.verdict, step);
            break;
        case NOTICE_SUMMARY_SENT:
            engine_push_erasures(engine, notice.link, step);
            break;
        case NOTICE_MAILBOX_KEY:
            mailbox_keys_take(engine, &notice.mailbox_key.header, notice.mailbox_key.content);
            break;
        }
    }
}

/* ---- heads compared ---- */

/* A member's head is ours, or one of ours; that counts until we were cut off for a day. */
static void engine_compared(struct engine *engine, const struct node_id *node)
{
    for (uint32_t i = 0; i < engine->compared_count; i++) {
        if (ID_EQUAL(engine->compared[i], *node))
            return;
    }
    if (engine->compared_count < COMPARED_COUNT)
        engine->compared[engine->compared_count++] = *node;
}

/* What a relay said stands: it is connected all the time, and says it again when it was not. */
static void engine_note_alone(struct engine *engine)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (engine->peers[i].is_greeted) {
            engine->alone_since.ms = 0;
            return;
        }
    }
    if (engine->alone_since.ms == 0)
        engine->alone_since = engine->now;
    if (engine->now.ms - engine->alone_since.ms >= CUT_OFF_MS)
        engine->compared_count = 0;
}

/* ---- links ---- */

static void engine_greet(struct engine *engine, const struct peer *peer, struct step *step)
{
    const struct chain_link *last = chain_last(&engine->roster->chain);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = engine->config.federation,
                                .time = engine->wall};
    if (last != NULL) {
        hello.epoch = last->epoch;
        hello.head = last->id;
    }
    struct buffer frame = peers_frame(step, 128);
    frame_hello_write(&frame, &hello);
    peers_send(step, peer->link, &frame);
}

/* (W-11) The two sides of a member may change ways at different moments, so that one takes for the
 * old link what the other said on the new one, its hello too. */
static void engine_greet_again(struct engine *engine, struct peer *peer, struct step *step)
{
    if (peer->greet_again_at.ms > engine->now.ms)
        return;
    peer->greet_again_at.ms = engine->now.ms + SUMMARY_INTERVAL_MS;
    peer->summary_at = engine->now; /* the last one may have been lost */
    engine_greet(engine, peer, step);
}

/* Clocks are told in hellos: whose differed is greeted now and then, so that a clock that was set
 * right is seen without a new connection. */
static void engine_compare_clocks(struct engine *engine, struct step *step)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &engine->peers[i];
        if (peer->is_greeted && clock_check_differs(engine, peer) &&
            step_has_room(step, 256, FRAME_SIZE_MAX))
            engine_greet_again(engine, peer, step);
    }
}

static void engine_hang_up(struct link_id link, struct step *step)
{
    step_effect(step, EFFECT_HANGUP)->link = link;
}

static void engine_link_down(struct engine *engine, struct link_id link)
{
    struct peer *peer = peers_of_link(engine, link);
    if (peer != NULL)
        memset(peer, 0, sizeof *peer);
}

static bool engine_session_is_live(const void *arg, uint32_t session)
{
    const struct engine *engine = arg;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (engine->peers[i].session == session)
            return true;
    }
    return false;
}

static void engine_link_up(struct engine *engine, const struct event *event, struct step *step)
{
    const struct roster_entry *member = roster_find_transport(engine->roster, &event->peer);
    struct peer *place = NULL;
    for (size_t i = 0; i < LINK_COUNT_MAX && member != NULL; i++) {
        struct peer *peer = &engine->peers[i];
        if (peer->link.value != 0 && ID_EQUAL(peer->node, member->node_id))
            memset(peer, 0, sizeof *peer); /* a newer connection takes the older one's place */
        if (peer->link.value == 0 && place == NULL)
            place = peer;
    }
    bool is_welcome = member != NULL && member->state == MEMBER_ADMITTED &&
                      !ID_EQUAL(member->node_id, engine->config.self) &&
                      !forgers_refuses(&engine->forgers, &member->node_id, engine->now);
    if (!is_welcome || place == NULL) {
        engine_hang_up(event->link, step);
        return;
    }
    peer_progress_sweep(&engine->marks, engine_session_is_live, engine);
    place->link = event->link;
    place->node = member->node_id;
    bool is_trusted = PLANTED(PEER_POSITION_TRUSTED);
    place->session = is_trusted ? 1 + (uint32_t)(place - engine->peers) : ++engine->session_last;
    place->listing = STREAM_NONE;
    engine_greet(engine, place, step);
}

/* Where the peer's last head stands in our chain. */
static void engine_relate(struct engine *engine, struct peer *peer)
{
    peer->relation = chain_compare(&engine->roster->chain, peer->epoch, &peer->head);
    mailbox_keys_heard(engine, peer);
    if (peer->relation == CHAIN_SAME || peer->relation == CHAIN_PEER_BEHIND)
        engine_compared(engine, &peer->node);
}

static void engine_hello(struct engine *engine, struct peer *peer, struct bytes frame,
                         struct step *step)
{
    struct frame_hello hello;
    err failure = frame_hello_read(frame, &hello);
    if (failure == OK && !ID_EQUAL(hello.federation, engine->config.federation))
        failure = ERR_NOT_ENTITLED;
    if (failure != OK) {
        peers_refuse(engine, peer, step, "hello-refused", failure);
        if (failure == ERR_NOT_ENTITLED || failure == ERR_VERSION)
            engine_hang_up(peer->link, step); /* what is malformed is dropped (W-2) */
        return;
    }
    if (peer->is_greeted)
        engine_greet_again(engine, peer, step);
    peer->is_greeted = true;
    clock_check_heard(engine, peer, hello.time);
    peer->epoch = hello.epoch;
    peer->head = hello.head;
    engine_relate(engine, peer);
    if (peer->relation == CHAIN_PEER_AHEAD)
        sync_want_heads(engine, peer, step);
    if (peer->relation == CHAIN_SPLIT) {
        sync_want_proof(peer, step);
        peers_refuse(engine, peer, step, "roster-split", ERR_FORKED);
    }
}

/* The roster changed: greet everyone again with the new head, drop who is no longer a member, and
 * try again what was refused for want of it. */
static void engine_roster(struct engine *engine, struct step *step)
{
    clock_check_refresh(engine);
    cases_roster(engine);
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct peer *peer = &engine->peers[i];
        if (peer->link.value == 0)
            continue;
        const struct roster_entry *member = roster_find(engine->roster, &peer->node);
        if (member == NULL || (member->state != MEMBER_ADMITTED && !PLANTED(KEY_TO_REMOVED))) {
            engine_hang_up(peer->link, step);
            memset(peer, 0, sizeof *peer);
            continue;
        }
        if (peer->is_greeted)
            engine_relate(engine, peer);
        engine_greet(engine, peer, step);
    }
    sync_retry(engine, NULL);
}

static void engine_relay_head(struct engine *engine, const struct event *event)
{
    enum chain_relation relation =
        chain_compare(&engine->roster->chain, event->relay_head.epoch, &event->relay_head.head);
    engine->is_relay_compared = relation == CHAIN_SAME || relation == CHAIN_PEER_BEHIND;
}

/* ---- frames ---- */

static err engine_shape(struct bytes frame)
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

/* Heads and items are for the runtime, which gets what has its shape (W-2). */
static void engine_pass_on(struct engine *engine, const struct peer *peer, struct bytes frame,
                           struct step *step)
{
    err failure = engine_shape(frame);
    if (failure != OK) {
        peers_refuse(engine, peer, step, "frame-malformed", failure);
        return;
    }
    bool is_item = frame.data[0] >= FRAME_ITEM_WANT && frame.data[0] <= FRAME_ITEM_STATUS;
    struct effect *effect = step_effect(step, is_item ? EFFECT_ITEMS : EFFECT_HEADS);
    effect->link = peer->link;
    effect->frame = frame;
}

/* What depositors and recipients say goes to the store; what custodians answer, to who asked. */
static void engine_custody_frame(struct engine *engine, struct peer *peer, struct bytes frame,
                                 struct step *step)
{
    err failure;
    if (frame.data[0] == FRAME_CUSTODY_ANSWER)
        failure = custody_outbox_answer(engine, peer, frame);
    else if (frame.data[0] == FRAME_CUSTODY_ENVELOPE)
        failure = custody_pickup_envelope(engine, peer, frame, step);
    else
        failure = custody_store_frame(engine, peer, frame, step);
    if (failure != OK)
        peers_refuse(engine, peer, step, "custody-malformed", failure);
}

/* (W-1) size first, then the type's own reader judges the shape, before anything is believed */
static void engine_frame_in(struct engine *engine, const struct event *event, struct step *step)
{
    struct peer *peer = peers_of_link(engine, event->link);
    struct bytes frame = event->frame;
    if (peer == NULL || frame.size == 0 || frame.size > (size_t)FRAME_SIZE_MAX ||
        forgers_refuses(&engine->forgers, &peer->node, engine->now))
        return;
    if (frame.data[0] != FRAME_HELLO && !peer->is_greeted) {
        peers_refuse(engine, peer, step, "frame-before-hello", ERR_OUT_OF_ORDER);
        engine_greet_again(engine, peer, step);
        return;
    }
    switch (frame.data[0]) {
    case FRAME_HELLO:
        engine_hello(engine, peer, frame, step);
        break;
    case FRAME_HEADS_WANT:
    case FRAME_HEADS:
    case FRAME_ROSTER_PART:
    case FRAME_ITEM_WANT:
    case FRAME_ITEM_CHUNK:
    case FRAME_ITEM_STATUS:
        engine_pass_on(engine, peer, frame, step);
        break;
    case FRAME_SUMMARY:
        sync_summary(engine, peer, frame, step);
        break;
    case FRAME_STREAMS:
    case FRAME_ACK:
        sync_positions(engine, peer, frame, step);
        custody_outbox_positions(engine, peer, frame);
        break;
    case FRAME_WANT:
        sync_want(engine, peer, frame, step);
        break;
    case FRAME_RECORDS:
        receive_frame(engine, peer, frame, step);
        break;
    case FRAME_STATUS:
        sync_status(engine, peer, frame, step);
        break;
    case FRAME_CUSTODY_LEAVE:
    case FRAME_CUSTODY_ANSWER:
    case FRAME_CUSTODY_WITHDRAW:
    case FRAME_CUSTODY_COLLECT:
    case FRAME_CUSTODY_ENVELOPE:
    case FRAME_CUSTODY_TAKEN:
        engine_custody_frame(engine, peer, frame, step);
        break;
    default: /* (W-3) a later version's frame: passed over */
        peers_refuse(engine, peer, step, "frame-unknown", ERR_UNSUPPORTED);
        break;
    }
}

/* ---- the step ---- */

static void engine_loaded(struct engine *engine, const struct event *event, struct step *step)
{
    if ((event->token.value & CUSTODY_OUTBOX_TOKEN) != 0)
        custody_outbox_loaded(engine, event, step);
    else if (event->token.value != 0)
        sync_generation_loaded(engine, event);
    else if (event->link.value != 0)
        sync_loaded(engine, event, step);
    else
        cases_loaded(engine, event, step);
}

/* A key is released, and a body kept, only after all erasures of the batch. A receipt that a case
 * of ours awaits is let in where the disk is full (C-55). */
static void engine_checked(struct engine *engine, const struct event *event, struct step *step)
{
    accept_erasures(engine, event);
    engine_drain(engine, step);
    struct effect *keep = accept_checked(engine, event, step);
    if (keep != NULL && keep->batch.record_count == 1 && !step_run_fills(keep->batch.runs))
        keep->is_releasing = case_erase_awaits_receipt(engine, keep->batch.records);
}

/* What a record means is applied before the next one takes its place, and before it leaves here;
 * the batch is acknowledged last. */
static void engine_kept(struct engine *engine, const struct event *event, struct step *step)
{
    struct accept_walk walk;
    if (event->verdict != OK) {
        accept_lost(engine, event, step);
    } else {
        accept_begin(engine, event, &walk);
        while (accept_next(engine, &walk, step)) {
            engine_drain(engine, step);
            accept_applied(engine, &walk, step);
        }
        accept_end(engine, &walk, step);
    }
    engine_drain(engine, step);
    publish_kept(engine, event, step);
}

static void engine_custody(struct engine *engine, const struct event *event, struct step *step)
{
    switch (event->custody) {
    case CUSTODY_MAILBOX:
        mailbox_keys_made(engine, event);
        break;
    case CUSTODY_ENCLOSE:
        if ((event->token.value & CUSTODY_OUTBOX_TOKEN) != 0)
            custody_outbox_enclosed(engine, event, step);
        else
            custody_pickup_enclosed(engine, event, step);
        break;
    case CUSTODY_OPEN:
        custody_pickup_opened(engine, event, step);
        break;
    case CUSTODY_HOLD:
        custody_store_kept(engine, event, step);
        break;
    case CUSTODY_FETCH:
        custody_store_fetched(engine, event, step);
        break;
    case CUSTODY_FORGET: /* not answered */
    case CUSTODY_LET_GO:
        break;
    }
}

static void engine_replay(struct engine *engine, const struct event *event, struct step *step)
{
    const struct step_batch *batch = &event->replay.batch;
    engine->is_replaying_again = event->replay.is_again;
    for (size_t i = 0; i < batch->record_count; i++) {
        struct record_claim claim;
        if (record_parse(batch->records[i].record, &claim) != OK)
            continue;
        if (ID_EQUAL(claim.header.stream.writer, engine->config.self))
            clock_check_replayed(engine, &claim.header.stream, claim.header.time);
        cases_apply(engine, &claim, batch->records[i].plaintext, step);
        engine_drain(engine, step);
    }
}

static void engine_start(struct engine *engine, const struct event *event, struct step *step)
{
    engine->is_started = true;
    equivocation_start(engine, step);
    engine->started_at = engine->now;
    clock_check_refresh(engine);
    generation_start(engine, event->start, step);
    cases_start(engine);
}

static void engine_tick(struct engine *engine, struct step *step)
{
    engine_note_alone(engine);
    engine_compare_clocks(engine, step);
    engine->is_full = engine->is_full && engine->now.ms < engine->full_until.ms;
    sync_tick(engine, step);
    engine_drain(engine, step);
    custody_store_tick(engine, step);
    custody_outbox_due_tick(engine, step);
    mailbox_keys_react(engine, step);
}

static void engine_link(struct engine *engine, const struct event *event, struct step *step)
{
    if (event->kind == EVENT_LINK_UP)
        engine_link_up(engine, event, step);
    else if (event->kind == EVENT_LINK_DOWN)
        engine_link_down(engine, event->link);
    else
        engine_relay_head(engine, event);
}

static void engine_dispatch(struct engine *engine, const struct event *event, struct step *step)
{
    switch (event->kind) {
    case EVENT_RESTORE_STREAM:
    case EVENT_RESTORE_MISSING:
    case EVENT_RESTORE_WRITER:
    case EVENT_RESTORE_FORKS:
    case EVENT_RESTORE_CASE:
    case EVENT_RESTORE_GENERATION:
    case EVENT_RESTORE_MARKER:
    case EVENT_RESTORE_REPORT:
    case EVENT_RESTORE_MAILBOX:
    case EVENT_RESTORE_HELD:
        engine_restore(engine, event);
        break;
    case EVENT_REPLAY:
        engine_replay(engine, event, step);
        break;
    case EVENT_START:
        engine_start(engine, event, step);
        break;
    case EVENT_TICK:
        engine_tick(engine, step);
        break;
    case EVENT_LINK_UP:
    case EVENT_LINK_DOWN:
    case EVENT_RELAY_HEAD:
        engine_link(engine, event, step);
        break;
    case EVENT_FRAME:
        engine_frame_in(engine, event, step);
        break;
    case EVENT_CHECKED:
        engine_checked(engine, event, step);
        break;
    case EVENT_SEALED:
        publish_sealed(engine, event, step);
        break;
    case EVENT_KEPT:
        engine_kept(engine, event, step);
        break;
    case EVENT_LOADED:
        engine_loaded(engine, event, step);
        break;
    case EVENT_POST:
        publish_event(engine, event, step);
        break;
    case EVENT_WOKEN: /* engine_step */
        break;
    case EVENT_RESTED:
        case_paging_rested(engine, event);
        break;
    case EVENT_DESTROYED:
        case_erase_destroyed(engine, event, step);
        break;
    case EVENT_ROSTER:
        engine_roster(engine, step);
        break;
    case EVENT_CUSTODY:
        engine_custody(engine, event, step);
        break;
    case EVENT_SECOND:
        engine->has_second = true;
        break;
    }
}

void engine_step(struct engine *engine, const struct event *event, struct step *step)
{
    step_begin(step);
    engine->now = event->now;
    engine->wall = event->wall;
    clock_check_step(engine);
    if (event->kind == EVENT_WOKEN) {
        case_paging_woken(engine, event, step);
        return;
    }
    step->comes_again = case_paging_calls(engine, event, step);
    if (step->comes_again)
        return;
    engine_dispatch(engine, event, step);
    engine_drain(engine, step);
    if (!engine->is_started)
        return;
    bool hands_keys = peers_may_release_keys(engine);
    if (hands_keys && !engine->releases_keys)
        sync_offer(engine);
    engine->releases_keys = hands_keys;
    generation_react(engine, step);
    cases_react(engine, step);
    custody_outbox_due_react(engine, step);
    custody_pickup_react(engine, step);
    if (step_has_room(step, 256, FRAME_SIZE_MAX))
        sync_pump(engine, step);
}

bool engine_busy(const struct engine *engine)
{
    return engine->is_started && (sync_busy(engine) || cases_busy(engine) ||
                                  generation_busy(engine) || custody_outbox_due_busy(engine));
}
