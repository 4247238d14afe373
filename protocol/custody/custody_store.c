#include "protocol/custody/custody_store.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/state/engine_state.h"
#include "protocol/wire/frame_custody.h"

enum { CUSTODY_STORE_LOOKED_A_TICK = 1024 };

#define CUSTODY_STORE_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

size_t custody_store_memory_size(uint32_t held_count_max)
{
    return held_count_max * sizeof(struct custody_store_held);
}

void custody_store_init(struct custody_store *custody, void *memory)
{
    custody->all = memory;
}

/* (CU-12) */
bool custody_store_is_on(const struct engine *engine)
{
    return engine->config.held_count_max > 0 && engine->is_started &&
           roster_current_head(engine->roster) != NULL &&
           roster_settings(engine->roster)->custody_allowed;
}

struct effect *custody_store_effect(struct step *step, enum step_custody what)
{
    struct effect *effect = step_effect(step, EFFECT_CUSTODY);
    effect->custody = what;
    return effect;
}

/* ---- the table ---- */

static void custody_store_forget(struct engine *engine, uint32_t index)
{
    struct custody_store *custody = engine->custody_store;
    custody->size -= custody->all[index].what.size;
    custody->all[index] = custody->all[--custody->count];
}

static void custody_store_let_go(struct engine *engine, uint32_t index, struct step *step)
{
    custody_store_effect(step, CUSTODY_LET_GO)->token.value =
        engine->custody_store->all[index].number;
    custody_store_forget(engine, index);
}

/* Its index, or `count`. */
static uint32_t custody_store_find(const struct custody_store *custody, uint64_t number)
{
    uint32_t i = 0;
    while (i < custody->count && custody->all[i].number != number)
        i++;
    return i;
}

static uint32_t custody_store_find_id(const struct custody_store *custody,
                                      const struct node_id *depositor, const struct deposit_id *id)
{
    uint32_t i = 0;
    while (i < custody->count && !(ID_EQUAL(custody->all[i].what.id, *id) &&
                                   ID_EQUAL(custody->all[i].what.depositor, *depositor)))
        i++;
    return i;
}

/* The next for this recipient, or `count`. */
static uint32_t custody_store_next(const struct custody_store *custody,
                                   const struct node_id *recipient, uint64_t after)
{
    uint32_t found = custody->count;
    for (uint32_t i = 0; i < custody->count; i++) {
        const struct custody_store_held *held = &custody->all[i];
        if (held->number > after && held->is_durable &&
            ID_EQUAL(held->what.recipient, *recipient) &&
            (found == custody->count || held->number < custody->all[found].number))
            found = i;
    }
    return found;
}

static struct custody_store_held *custody_store_add(struct engine *engine,
                                                    const struct step_held *what)
{
    struct custody_store *custody = engine->custody_store;
    struct custody_store_held *held = &custody->all[custody->count++];
    *held = (struct custody_store_held){.what = *what};
    custody->size += what->size;
    return held;
}

/* (CU-7) */
static bool custody_store_has_room(const struct engine *engine, const struct step_held *what)
{
    const struct custody_store *custody = engine->custody_store;
    uint32_t each_count = 0, pair_count = 0;
    uint64_t each_size = what->size, pair_size = what->size;
    uint32_t count_max = engine->config.held_count_max;
    for (uint32_t i = 0; i < custody->count; i++) {
        const struct step_held *other = &custody->all[i].what;
        if (!ID_EQUAL(other->depositor, what->depositor))
            continue;
        each_count++;
        each_size += other->size;
        bool is_pair = ID_EQUAL(other->recipient, what->recipient);
        pair_count += is_pair ? 1 : 0;
        pair_size += is_pair ? other->size : 0;
    }
    return custody->count < count_max && custody->size + what->size <= CUSTODY_SIZE_MAX &&
           each_count < CUSTODY_EACH_COUNT_MAX && each_size <= CUSTODY_EACH_SIZE_MAX &&
           pair_count < CUSTODY_PAIR_COUNT_MAX && pair_size <= CUSTODY_PAIR_SIZE_MAX;
}

/* ---- what depositors say ---- */

static void custody_store_answer(const struct peer *peer, const struct deposit_id *id,
                                 enum frame_custody_verdict verdict, struct step *step)
{
    struct frame_custody_answer answer = {*id, verdict};
    struct buffer frame = peers_frame(step, 1 + HASH_SIZE + 1);
    frame_custody_answer_write(&frame, &answer);
    peers_send(step, peer->link, &frame);
}

static void custody_store_leave(struct engine *engine, struct peer *peer,
                                const struct frame_custody_leave *leave, struct step *step)
{
    struct custody_store *custody = engine->custody_store;
    const struct roster_entry *recipient = roster_find(engine->roster, &leave->recipient);
    uint32_t index = custody_store_find_id(custody, &peer->node, &leave->id);
    if (!custody_store_is_on(engine) || recipient == NULL || recipient->state != MEMBER_ADMITTED ||
        ID_EQUAL(leave->recipient, peer->node) || ID_EQUAL(leave->recipient, engine->config.self)) {
        custody_store_answer(peer, &leave->id, FRAME_CUSTODY_REFUSED, step);
        return;
    }
    if (index < custody->count) { /* what is here stays, and for no longer than it was to */
        if (custody->all[index].is_durable)
            custody_store_answer(peer, &leave->id, FRAME_CUSTODY_HELD, step);
        return;
    }
    struct step_held what = {.depositor = peer->node,
                             .recipient = leave->recipient,
                             .id = leave->id,
                             .until = {engine->wall.ms + CUSTODY_DAY_MAX * CUSTODY_STORE_DAY_MS},
                             .size = (uint32_t)leave->envelope.size};
    if (engine->is_full || !custody_store_has_room(engine, &what)) {
        custody_store_answer(peer, &leave->id, FRAME_CUSTODY_FULL, step);
        return;
    }
    struct custody_store_held *held = custody_store_add(engine, &what);
    held->number = ++custody->number_last;
    struct effect *effect = custody_store_effect(step, CUSTODY_HOLD);
    effect->token.value = held->number;
    effect->hold.held = what;
    effect->hold.envelope = leave->envelope;
}

/* (CU-8) by who left it */
static void custody_store_withdraw(struct engine *engine, const struct peer *peer, struct bytes ids,
                                   struct step *step)
{
    for (size_t i = 0; i + HASH_SIZE <= ids.size; i += HASH_SIZE) {
        struct deposit_id id;
        memcpy(id.bytes, ids.data + i, HASH_SIZE);
        uint32_t index = custody_store_find_id(engine->custody_store, &peer->node, &id);
        if (index < engine->custody_store->count && step_has_room(step, 64, 0))
            custody_store_let_go(engine, index, step);
    }
}

/* ---- what recipients say ---- */

static void custody_store_give(const struct peer *peer, uint64_t number, struct bytes envelope,
                               struct step *step)
{
    struct frame_custody_envelope answer = {number, envelope};
    struct buffer frame = peers_frame(step, 1 + 8 + envelope.size);
    frame_custody_envelope_write(&frame, &answer);
    peers_send(step, peer->link, &frame);
}

static void custody_store_collect(struct engine *engine, struct peer *peer, uint64_t after,
                                  struct step *step)
{
    uint32_t index = custody_store_next(engine->custody_store, &peer->node, after);
    if (index == engine->custody_store->count || peer->loading >= PEER_LOADING_MAX) {
        custody_store_give(peer, 0, BYTES_NONE, step);
        return;
    }
    peer->loading++;
    struct effect *effect = custody_store_effect(step, CUSTODY_FETCH);
    effect->link = peer->link;
    effect->token.value = engine->custody_store->all[index].number;
}

static void custody_store_taken(struct engine *engine, const struct peer *peer, uint64_t number,
                                struct step *step)
{
    uint32_t index = custody_store_find(engine->custody_store, number);
    if (index < engine->custody_store->count &&
        ID_EQUAL(engine->custody_store->all[index].what.recipient, peer->node))
        custody_store_let_go(engine, index, step);
}

/* ---- events ---- */

err custody_store_frame(struct engine *engine, struct peer *peer, struct bytes frame,
                        struct step *step)
{
    struct frame_custody_leave leave;
    struct bytes ids;
    uint64_t number;
    err failure = ERR_UNSUPPORTED;
    if (frame.data[0] == FRAME_CUSTODY_LEAVE) {
        failure = frame_custody_leave_read(frame, &leave);
        if (failure == OK)
            custody_store_leave(engine, peer, &leave, step);
    } else if (frame.data[0] == FRAME_CUSTODY_WITHDRAW) {
        failure = frame_custody_withdraw_read(frame, &ids);
        if (failure == OK)
            custody_store_withdraw(engine, peer, ids, step);
    } else if (frame.data[0] == FRAME_CUSTODY_COLLECT) {
        failure = frame_custody_collect_read(frame, &number);
        if (failure == OK)
            custody_store_collect(engine, peer, number, step);
    } else if (frame.data[0] == FRAME_CUSTODY_TAKEN) {
        failure = frame_custody_taken_read(frame, &number);
        if (failure == OK)
            custody_store_taken(engine, peer, number, step);
    }
    return failure;
}

void custody_store_restore(struct engine *engine, const struct event *event)
{
    struct custody_store *custody = engine->custody_store;
    if (custody->count >= engine->config.held_count_max)
        return;
    struct custody_store_held *held = custody_store_add(engine, &event->held);
    held->number = event->token.value;
    held->is_durable = true;
    if (held->number > custody->number_last)
        custody->number_last = held->number;
}

void custody_store_kept(struct engine *engine, const struct event *event, struct step *step)
{
    uint32_t index = custody_store_find(engine->custody_store, event->token.value);
    if (index == engine->custody_store->count)
        return; /* withdrawn meanwhile */
    struct custody_store_held *held = &engine->custody_store->all[index];
    const struct peer *peer = peers_of_node(engine, &held->what.depositor);
    bool is_held = event->verdict == OK;
    held->is_durable = is_held;
    if (peer != NULL)
        custody_store_answer(peer, &held->what.id,
                             is_held ? FRAME_CUSTODY_HELD : FRAME_CUSTODY_FULL, step);
    if (!is_held)
        custody_store_forget(engine, index);
}

void custody_store_fetched(struct engine *engine, const struct event *event, struct step *step)
{
    struct peer *peer = peers_of_link(engine, event->link);
    uint32_t index = custody_store_find(engine->custody_store, event->token.value);
    if (peer == NULL)
        return;
    if (peer->loading > 0)
        peer->loading--;
    if (event->verdict != OK && index < engine->custody_store->count)
        custody_store_let_go(engine, index, step); /* a disk lost it: others have a copy */
    bool is_here = event->verdict == OK && event->letter.size > 0;
    custody_store_give(peer, is_here ? event->token.value : 0, is_here ? event->letter : BYTES_NONE,
                       step);
}

/* (CU-6) */
void custody_store_tick(struct engine *engine, struct step *step)
{
    struct custody_store *custody = engine->custody_store;
    bool is_on = custody_store_is_on(engine) || !engine->is_started;
    for (int i = 0; i < CUSTODY_STORE_LOOKED_A_TICK && custody->count > 0; i++) {
        if (custody->looked >= custody->count)
            custody->looked = 0;
        const struct custody_store_held *held = &custody->all[custody->looked];
        bool is_over = held->what.until.ms <= engine->wall.ms && !PLANTED(ENVELOPE_KEPT);
        if ((is_over || !is_on) && held->is_durable && step_has_room(step, 256, 0))
            custody_store_let_go(engine, custody->looked, step);
        else
            custody->looked++;
    }
}
