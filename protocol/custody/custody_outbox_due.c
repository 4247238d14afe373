#include "protocol/custody/custody_outbox_due.h"

#include "protocol/custody/custody_outbox.h"
#include "protocol/custody/custody_store.h"
#include "protocol/custody/mailbox_keys.h"
#include "protocol/state/access.h"
#include "protocol/state/engine_state.h"
#include "protocol/wire/frame_custody.h"

enum {
    CUSTODY_OUTBOX_ABSENT_MS = 5 * 1000, /* who was not connected for so long is off */
    CUSTODY_OUTBOX_AGAIN_MS = 24 * 60 * 60 * 1000,
    CUSTODY_OUTBOX_WALK_MS = 1000,
    CUSTODY_OUTBOX_RECONCILE_MS = 1000,
    CUSTODY_OUTBOX_WALKED_A_STEP = 512,
    CUSTODY_OUTBOX_RECONCILED_A_STEP = 256,
    CUSTODY_OUTBOX_RETRACTED_A_STEP = 64,
};

/* ---- what there is to leave ---- */

static struct deposit *custody_outbox_find(struct engine *engine, uint32_t slot, uint64_t sequence,
                                           const struct node_id *recipient)
{
    for (uint32_t i = 0; i < engine->config.deposit_count_max; i++) {
        struct deposit *deposit = &engine->custody_outbox->all[i];
        if (deposit->is_used && deposit->slot == slot && deposit->sequence == sequence &&
            ID_EQUAL(deposit->recipient, *recipient))
            return deposit;
    }
    return NULL;
}

/* NULL when there is no room, for this recipient or at all. */
static struct deposit *custody_outbox_add(struct engine *engine, uint32_t slot, uint64_t sequence,
                                          const struct node_id *recipient)
{
    struct deposit *place = NULL, *over = NULL;
    uint32_t each = 0;
    for (uint32_t i = 0; i < engine->config.deposit_count_max; i++) {
        struct deposit *deposit = &engine->custody_outbox->all[i];
        if (!deposit->is_used)
            place = place == NULL ? deposit : place;
        else if (deposit->is_over)
            over = deposit;
        else if (ID_EQUAL(deposit->recipient, *recipient))
            each++;
    }
    if (place == NULL)
        place = over; /* what its custodian was not told of ends by itself */
    if (place == NULL || each >= CUSTODY_PAIR_COUNT_MAX)
        return NULL;
    engine->custody_outbox->count += place->is_used ? 0 : 1;
    *place = (struct deposit){.is_used = true,
                              .slot = slot,
                              .sequence = sequence,
                              .recipient = *recipient,
                              .not_before = {engine->now.ms + CUSTODY_OUTBOX_ABSENT_MS},
                              .again_at = {engine->now.ms + CUSTODY_OUTBOX_AGAIN_MS}};
    return place;
}

static void custody_outbox_cover(struct engine *engine, uint32_t slot,
                                 const struct node_id *recipient)
{
    const struct stream *stream = &engine->streams.all[slot];
    if (ID_EQUAL(*recipient, engine->config.self) || ID_IS_ZERO(*recipient) ||
        !access_shares(engine, recipient, &stream->id) || peers_of_node(engine, recipient) != NULL)
        return;
    struct custody_outbox_reach *reach = custody_outbox_reach_of(engine, recipient, slot);
    if (reach == NULL)
        return;
    uint64_t from = reach->had > reach->covered ? reach->had : reach->covered;
    for (uint64_t sequence = from + 1; sequence <= stream->tail; sequence++) {
        if (custody_outbox_find(engine, slot, sequence, recipient) == NULL &&
            custody_outbox_add(engine, slot, sequence, recipient) == NULL)
            return;
        reach->covered = sequence;
    }
}

/* Calls `cover` for each who may be named the stream: one of our own, of mail or of a case. */
static void custody_outbox_for_each(struct engine *engine, uint32_t slot,
                                    void (*cover)(struct engine *engine, uint32_t slot,
                                                  const struct node_id *recipient))
{
    const struct scope *scope = &engine->streams.all[slot].id.scope;
    struct case_id case_id;
    struct node_id recipient;
    if (scope->kind == SCOPE_MAIL) {
        recipient = scope_recipient(scope);
        cover(engine, slot, &recipient);
        return;
    }
    case_id = scope_case_id(scope);
    for (uint32_t n = 0; case_table_part_at(engine, &case_id, n, &recipient); n++)
        cover(engine, slot, &recipient);
}

static bool custody_outbox_concerns(const struct engine *engine, uint32_t slot)
{
    const struct stream *stream = &engine->streams.all[slot];
    return stream->tail > 0 && ID_EQUAL(stream->id.writer, engine->config.self) &&
           (stream->id.scope.kind == SCOPE_MAIL || stream->id.scope.kind == SCOPE_CASE);
}

static bool custody_outbox_is_erased(const struct engine *engine, uint32_t slot)
{
    const struct scope *scope = &engine->streams.all[slot].id.scope;
    struct case_id case_id = scope_case_id(scope);
    return scope->kind == SCOPE_CASE && case_table_is_erased(engine, &case_id);
}

static void custody_outbox_walk(struct engine *engine)
{
    struct custody_outbox *custody_outbox = engine->custody_outbox;
    if (custody_outbox->walked == 0 && custody_outbox->walk_at.ms > engine->now.ms)
        return;
    for (int i = 0;
         i < CUSTODY_OUTBOX_WALKED_A_STEP && custody_outbox->walked < engine->streams.count; i++) {
        uint32_t slot = custody_outbox->walked++;
        if (!custody_outbox_concerns(engine, slot))
            continue;
        custody_outbox->erased_seen += custody_outbox_is_erased(engine, slot) ? 1 : 0;
        custody_outbox_for_each(engine, slot, custody_outbox_cover);
    }
    if (custody_outbox->walked < engine->streams.count)
        return;
    if (custody_outbox->erased_seen != custody_outbox->erased_count) {
        for (size_t i = 0; i < LINK_COUNT_MAX; i++)
            engine->peers[i].retracted = 0;
    }
    custody_outbox->erased_count = custody_outbox->erased_seen;
    custody_outbox->erased_seen = 0;
    custody_outbox->walked = 0;
    custody_outbox->walk_at.ms = engine->now.ms + CUSTODY_OUTBOX_WALK_MS;
}

/* ---- what is to be withdrawn ---- */

static void custody_outbox_send_withdraw(const struct peer *peer, const struct deposit_id *ids,
                                         uint16_t count, struct step *step)
{
    struct buffer frame = peers_frame(step, 3 + (size_t)count * HASH_SIZE);
    frame_custody_withdraw_write(&frame, ids, count);
    peers_send(step, peer->link, &frame);
}

/* Each custodian is told when it is connected: of all that lies under other names than the one that
 * is to be there, or of all. (CU-5) */
static void custody_outbox_withdraw(struct engine *engine, struct deposit *deposit,
                                    struct step *step)
{
    struct deposit_id ids[CUSTODY_OUTBOX_CLEAR + 1];
    uint16_t count = 0;
    if (deposit->owed == 0 || !(deposit->is_over || deposit->is_read))
        return;
    for (uint8_t what = CUSTODY_OUTBOX_HEADER_ONLY; what <= CUSTODY_OUTBOX_CLEAR; what++) {
        if (deposit->is_over || what != custody_outbox_what(deposit))
            ids[count++] = custody_outbox_id_of(engine, deposit, what);
    }
    const struct custodians *custodians = custody_outbox_custodians(engine, &deposit->recipient);
    for (uint32_t i = 0; i < CUSTODIAN_ASKED_COUNT; i++) {
        uint8_t bit = (uint8_t)(1u << i);
        if ((deposit->owed & bit) == 0)
            continue;
        const struct peer *peer =
            i < custodians->count ? peers_of_node(engine, &custodians->nodes[i]) : NULL;
        bool is_nobody =
            i >= custodians->count || ID_EQUAL(custodians->nodes[i], engine->config.self);
        if (peer != NULL)
            custody_outbox_send_withdraw(peer, ids, count, step);
        if (peer != NULL || is_nobody)
            deposit->owed = (uint8_t)(deposit->owed & ~bit);
    }
}

static void custody_outbox_retract_for(struct engine *engine, const struct peer *peer,
                                       uint32_t slot, const struct node_id *recipient,
                                       struct step *step)
{
    struct deposit_id ids[FRAME_CUSTODY_WITHDRAW_MAX];
    const struct stream *stream = &engine->streams.all[slot];
    if (ID_IS_ZERO(*recipient) || ID_EQUAL(*recipient, engine->config.self) ||
        ID_EQUAL(*recipient, peer->node) ||
        custodians_rank(custody_outbox_custodians(engine, recipient), &peer->node) < 0)
        return;
    for (uint64_t from = 1; from <= stream->tail && step_has_room(step, 256, 8192);) {
        uint16_t count = 0;
        for (; from <= stream->tail && count < FRAME_CUSTODY_WITHDRAW_MAX; from++)
            ids[count++] =
                custody_outbox_id(engine, recipient, &stream->id, from, CUSTODY_OUTBOX_WHOLE);
        custody_outbox_send_withdraw(peer, ids, count, step);
    }
}

/* What a peer may still hold of a case that was erased, whatever is remembered of it. */
static void custody_outbox_retract(struct engine *engine, struct peer *peer, struct step *step)
{
    for (int i = 0; i < CUSTODY_OUTBOX_RETRACTED_A_STEP && peer->retracted < engine->streams.count;
         i++) {
        uint32_t slot = peer->retracted++;
        struct case_id case_id = scope_case_id(&engine->streams.all[slot].id.scope);
        if (!custody_outbox_concerns(engine, slot) || !custody_outbox_is_erased(engine, slot))
            continue;
        struct node_id node;
        for (uint32_t n = 0; case_table_part_at(engine, &case_id, n, &node); n++)
            custody_outbox_retract_for(engine, peer, slot, &node, step);
    }
}

/* ---- one deposit ---- */

static void custody_outbox_free(struct engine *engine, struct deposit *deposit)
{
    *deposit = (struct deposit){.is_used = false};
    engine->custody_outbox->count--;
}

static void custody_outbox_start_over(struct deposit *deposit)
{
    deposit->owed |= deposit->held | deposit->asked;
    deposit->held = deposit->asked = deposit->refused = 0;
}

/* Is it still to lie there? */
static bool custody_outbox_is_due(struct engine *engine, const struct deposit *deposit)
{
    struct custody_outbox_reach *reach =
        custody_outbox_reach_of(engine, &deposit->recipient, deposit->slot);
    const struct stream_id *stream = &engine->streams.all[deposit->slot].id;
    if (reach == NULL || !custody_store_is_on(engine))
        return false;
    bool is_bare = deposit->is_read && !deposit->is_whole;
    if (reach->had >= deposit->sequence || (is_bare && reach->tail >= deposit->sequence))
        return false;
    if (access_shares(engine, &deposit->recipient, stream))
        return true;
    if (reach->covered >= deposit->sequence)
        reach->covered = deposit->sequence - 1; /* if it is to lie there again */
    return false;
}

/* Would the recipient now get another form of it over a link? */
static bool custody_outbox_has_changed(struct engine *engine, const struct deposit *deposit)
{
    struct record_claim claim = {.id = deposit->record};
    const struct mailbox_key *key = mailbox_keys_of(engine, &deposit->recipient);
    claim.header.stream = engine->streams.all[deposit->slot].id;
    claim.header.sequence = deposit->sequence;
    claim.header.audience = deposit->audience;
    err verdict = access_read(engine, &deposit->recipient, &claim);
    bool is_whole = !deposit->is_gone && verdict == OK &&
                    mailbox_keys_may_release_to(engine, &deposit->recipient);
    if (verdict == ERR_BUSY)
        is_whole = deposit->is_whole; /* the case rests: nothing has changed in it */
    return is_whole != deposit->is_whole || (key != NULL && !ID_EQUAL(*key, deposit->to));
}

/* Another key under the same name: what lies there goes first. */
static void custody_outbox_renew(struct engine *engine, struct deposit *deposit, struct step *step)
{
    const struct custodians *custodians = custody_outbox_custodians(engine, &deposit->recipient);
    for (uint32_t i = 0; i < custodians->count; i++) {
        const struct peer *peer = peers_of_node(engine, &custodians->nodes[i]);
        if (peer != NULL && ((deposit->held | deposit->asked) >> i & 1) != 0)
            custody_outbox_send_withdraw(peer, &deposit->id, 1, step);
    }
    custody_outbox_start_over(deposit);
    deposit->not_before = engine->now;
    deposit->is_read = false;
}

/* True when it wants to be read, to be left with somebody more. */
static bool custody_outbox_reconcile(struct engine *engine, struct deposit *deposit,
                                     struct step *step)
{
    struct head_id head = roster_current_id(engine->roster);
    if (!ID_EQUAL(deposit->ranked_at, head)) {
        /* the bits count by another order: whoever it is now is asked, and told */
        deposit->owed = (deposit->held | deposit->asked | deposit->owed) == 0 ? 0 : 0xff;
        deposit->held = deposit->asked = deposit->refused = 0;
        deposit->ranked_at = head;
    }
    if (!deposit->is_over && !custody_outbox_is_due(engine, deposit)) {
        custody_outbox_start_over(deposit);
        deposit->is_over = true;
    }
    if (!deposit->is_over && deposit->is_read && custody_outbox_has_changed(engine, deposit))
        custody_outbox_renew(engine, deposit, step);
    custody_outbox_withdraw(engine, deposit, step);
    if (deposit->is_over) {
        if (deposit->owed == 0 || deposit->again_at.ms <= engine->now.ms)
            custody_outbox_free(engine, deposit);
        return false;
    }
    if (deposit->again_at.ms <= engine->now.ms) {
        deposit->again_at.ms = engine->now.ms + CUSTODY_OUTBOX_AGAIN_MS;
        deposit->held = deposit->asked = deposit->refused = 0;
    }
    if (deposit->asked_until.ms <= engine->now.ms)
        deposit->asked = 0;
    if (deposit->not_before.ms > engine->now.ms ||
        peers_of_node(engine, &deposit->recipient) != NULL ||
        mailbox_keys_of(engine, &deposit->recipient) == NULL || !peers_may_release_keys(engine) ||
        custody_outbox_bits(deposit->held | deposit->asked) >= CUSTODIAN_COUNT)
        return false;
    const struct custodians *custodians = custody_outbox_custodians(engine, &deposit->recipient);
    for (uint32_t i = 0; i < custodians->count; i++) {
        if (custody_outbox_candidate(engine, deposit, custodians, i) != NULL)
            return true;
    }
    return false;
}

void custody_outbox_due_tick(struct engine *engine, struct step *step)
{
    if (!custody_store_is_on(engine))
        return;
    custody_outbox_walk(engine);
    for (size_t i = 0; i < LINK_COUNT_MAX && engine->custody_outbox->erased_count > 0; i++) {
        if (engine->peers[i].is_greeted && step_has_room(step, 512, 4 * FRAME_SIZE_MAX))
            custody_outbox_retract(engine, &engine->peers[i], step);
    }
}

void custody_outbox_due_react(struct engine *engine, struct step *step)
{
    struct custody_outbox *custody_outbox = engine->custody_outbox;
    uint32_t count_max = engine->config.deposit_count_max;
    if (custody_outbox->count == 0 || custody_outbox->reconcile_at.ms > engine->now.ms)
        return;
    for (uint32_t i = 0; i < CUSTODY_OUTBOX_RECONCILED_A_STEP && i < count_max; i++) {
        if (custody_outbox->reconciled >= count_max) {
            custody_outbox->reconciled = 0;
            custody_outbox->reconcile_at.ms = engine->now.ms + CUSTODY_OUTBOX_RECONCILE_MS;
            return;
        }
        if (!step_has_room(step, 256, 2 * FRAME_SIZE_MAX))
            return;
        struct deposit *deposit = &custody_outbox->all[custody_outbox->reconciled];
        bool wants = deposit->is_used && custody_outbox_reconcile(engine, deposit, step);
        if (wants && custody_outbox->reading != 0)
            return; /* it is its turn when the one before it is sealed */
        custody_outbox->reconciled++;
        if (wants)
            custody_outbox_read(engine, deposit, step);
    }
}

bool custody_outbox_due_busy(const struct engine *engine)
{
    const struct custody_outbox *custody_outbox = engine->custody_outbox;
    return custody_outbox->walked > 0 ||
           (custody_outbox->count > 0 && custody_outbox->reconciled > 0);
}
