/* What is to be left with whom, and what is to be withdrawn: seen from our streams, and from who
 * may read them, again and again. */
#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/custody.h"
#include "protocol/core/deposits_state.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/mailboxes.h"
#include "protocol/link/frame_custody.h"

struct peer *deposits_candidate(struct core *core, const struct deposit *deposit,
                                const struct custodians *custodians, uint32_t rank)
{
    unsigned done = deposit->held | deposit->asked | deposit->refused;
    if (rank >= custodians->count || (done >> rank & 1) != 0)
        return NULL;
    return core_peer_of_node(core, &custodians->nodes[rank]);
}

/* ---- what there is to leave ---- */

static struct deposit *deposits_find(struct core *core, uint32_t slot, uint64_t sequence,
                                     const struct node_id *recipient)
{
    for (uint32_t i = 0; i < core->config.deposit_count_max; i++) {
        struct deposit *deposit = &core->deposits.all[i];
        if (deposit->is_used && deposit->slot == slot && deposit->sequence == sequence &&
            ID_EQUAL(deposit->recipient, *recipient))
            return deposit;
    }
    return NULL;
}

/* NULL when there is no room, for this recipient or at all. */
static struct deposit *deposits_add(struct core *core, uint32_t slot, uint64_t sequence,
                                    const struct node_id *recipient)
{
    struct deposit *place = NULL, *over = NULL;
    uint32_t each = 0;
    for (uint32_t i = 0; i < core->config.deposit_count_max; i++) {
        struct deposit *deposit = &core->deposits.all[i];
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
    core->deposits.count += place->is_used ? 0 : 1;
    *place = (struct deposit){.is_used = true,
                              .slot = slot,
                              .sequence = sequence,
                              .recipient = *recipient,
                              .not_before = {core->now.ms + DEPOSITS_ABSENT_MS},
                              .again_at = {core->now.ms + DEPOSITS_AGAIN_MS}};
    return place;
}

static void deposits_cover(struct core *core, uint32_t slot, const struct node_id *recipient)
{
    const struct stream *stream = &core->streams.all[slot];
    if (ID_EQUAL(*recipient, core->config.self) || ID_IS_ZERO(*recipient) ||
        !entitlement_shares(core, recipient, &stream->id) ||
        core_peer_of_node(core, recipient) != NULL)
        return;
    struct deposits_reach *reach = deposits_reach_of(core, recipient, slot);
    if (reach == NULL)
        return;
    uint64_t from = reach->had > reach->covered ? reach->had : reach->covered;
    for (uint64_t sequence = from + 1; sequence <= stream->tail; sequence++) {
        if (deposits_find(core, slot, sequence, recipient) == NULL &&
            deposits_add(core, slot, sequence, recipient) == NULL)
            return;
        reach->covered = sequence;
    }
}

/* Calls `cover` for each who may be named the stream: one of our own, of mail or of a case. */
static void deposits_for_each(struct core *core, uint32_t slot,
                              void (*cover)(struct core *core, uint32_t slot,
                                            const struct node_id *recipient))
{
    const struct scope *scope = &core->streams.all[slot].id.scope;
    struct case_id case_id;
    struct node_id recipient;
    if (scope->kind == SCOPE_MAIL) {
        memcpy(recipient.bytes, scope->id, NODE_ID_SIZE);
        cover(core, slot, &recipient);
        return;
    }
    memcpy(case_id.bytes, scope->id, HASH_SIZE);
    for (uint32_t n = 0; casework_part_at(core, &case_id, n, &recipient); n++)
        cover(core, slot, &recipient);
}

static bool deposits_concerns(const struct core *core, uint32_t slot)
{
    const struct stream *stream = &core->streams.all[slot];
    return stream->tail > 0 && ID_EQUAL(stream->id.writer, core->config.self) &&
           (stream->id.scope.kind == SCOPE_MAIL || stream->id.scope.kind == SCOPE_CASE);
}

static bool deposits_is_erased(const struct core *core, uint32_t slot)
{
    const struct scope *scope = &core->streams.all[slot].id.scope;
    struct case_id case_id;
    memcpy(case_id.bytes, scope->id, HASH_SIZE);
    return scope->kind == SCOPE_CASE && casework_is_erased(core, &case_id);
}

static void deposits_walk(struct core *core)
{
    struct deposits *deposits = &core->deposits;
    if (deposits->walked == 0 && deposits->walk_at.ms > core->now.ms)
        return;
    for (int i = 0; i < DEPOSITS_WALKED_A_STEP && deposits->walked < core->streams.count; i++) {
        uint32_t slot = deposits->walked++;
        if (!deposits_concerns(core, slot))
            continue;
        deposits->erased_seen += deposits_is_erased(core, slot) ? 1 : 0;
        deposits_for_each(core, slot, deposits_cover);
    }
    if (deposits->walked < core->streams.count)
        return;
    if (deposits->erased_seen != deposits->erased_count) {
        for (size_t i = 0; i < LINK_COUNT_MAX; i++)
            core->peers[i].retracted = 0;
    }
    deposits->erased_count = deposits->erased_seen;
    deposits->erased_seen = 0;
    deposits->walked = 0;
    deposits->walk_at.ms = core->now.ms + DEPOSITS_WALK_MS;
}

/* ---- what is to be withdrawn ---- */

static void deposits_send_withdraw(const struct peer *peer, const struct deposit_id *ids,
                                   uint16_t count, struct step *step)
{
    struct buffer frame = core_frame(step, 3 + (size_t)count * HASH_SIZE);
    frame_custody_withdraw_write(&frame, ids, count);
    core_send(step, peer->link, &frame);
}

/* Each custodian is told when it is connected: of all that lies under other names than the one that
 * is to be there, or of all. (CU-5) */
static void deposits_withdraw(struct core *core, struct deposit *deposit, struct step *step)
{
    struct deposit_id ids[DEPOSITS_CLEAR + 1];
    uint16_t count = 0;
    if (deposit->owed == 0 || !(deposit->is_over || deposit->is_read))
        return;
    for (uint8_t what = DEPOSITS_BARE; what <= DEPOSITS_CLEAR; what++) {
        if (deposit->is_over || what != deposits_what(deposit))
            ids[count++] = deposits_id_of(core, deposit, what);
    }
    const struct custodians *custodians = deposits_custodians(core, &deposit->recipient);
    for (uint32_t i = 0; i < CUSTODIAN_ASKED_COUNT; i++) {
        uint8_t bit = (uint8_t)(1u << i);
        if ((deposit->owed & bit) == 0)
            continue;
        const struct peer *peer =
            i < custodians->count ? core_peer_of_node(core, &custodians->nodes[i]) : NULL;
        bool is_nobody =
            i >= custodians->count || ID_EQUAL(custodians->nodes[i], core->config.self);
        if (peer != NULL)
            deposits_send_withdraw(peer, ids, count, step);
        if (peer != NULL || is_nobody)
            deposit->owed = (uint8_t)(deposit->owed & ~bit);
    }
}

static void deposits_retract_for(struct core *core, const struct peer *peer, uint32_t slot,
                                 const struct node_id *recipient, struct step *step)
{
    struct deposit_id ids[FRAME_CUSTODY_WITHDRAW_MAX];
    const struct stream *stream = &core->streams.all[slot];
    if (ID_IS_ZERO(*recipient) || ID_EQUAL(*recipient, core->config.self) ||
        ID_EQUAL(*recipient, peer->node) ||
        custodians_rank(deposits_custodians(core, recipient), &peer->node) < 0)
        return;
    for (uint64_t from = 1; from <= stream->tail && step_has_room(step, 256, 8192);) {
        uint16_t count = 0;
        for (; from <= stream->tail && count < FRAME_CUSTODY_WITHDRAW_MAX; from++)
            ids[count++] = deposits_id(core, recipient, &stream->id, from, DEPOSITS_WHOLE);
        deposits_send_withdraw(peer, ids, count, step);
    }
}

/* What a peer may still hold of a case that was erased, whatever is remembered of it. */
static void deposits_retract(struct core *core, struct peer *peer, struct step *step)
{
    for (int i = 0; i < DEPOSITS_RETRACTED_A_STEP && peer->retracted < core->streams.count; i++) {
        uint32_t slot = peer->retracted++;
        struct case_id case_id;
        memcpy(case_id.bytes, core->streams.all[slot].id.scope.id, HASH_SIZE);
        if (!deposits_concerns(core, slot) || !deposits_is_erased(core, slot))
            continue;
        struct node_id node;
        for (uint32_t n = 0; casework_part_at(core, &case_id, n, &node); n++)
            deposits_retract_for(core, peer, slot, &node, step);
    }
}

/* ---- one deposit ---- */

static void deposits_free(struct core *core, struct deposit *deposit)
{
    *deposit = (struct deposit){.is_used = false};
    core->deposits.count--;
}

static void deposits_anew(struct deposit *deposit)
{
    deposit->owed |= deposit->held | deposit->asked;
    deposit->held = deposit->asked = deposit->refused = 0;
}

/* Is it still to lie there? */
static bool deposits_is_due(struct core *core, const struct deposit *deposit)
{
    struct deposits_reach *reach = deposits_reach_of(core, &deposit->recipient, deposit->slot);
    const struct stream_id *stream = &core->streams.all[deposit->slot].id;
    if (reach == NULL || !custody_is_on(core))
        return false;
    bool is_bare = deposit->is_read && !deposit->is_whole;
    if (reach->had >= deposit->sequence || (is_bare && reach->tail >= deposit->sequence))
        return false;
    if (entitlement_shares(core, &deposit->recipient, stream))
        return true;
    if (reach->covered >= deposit->sequence)
        reach->covered = deposit->sequence - 1; /* if it is to lie there again */
    return false;
}

/* Would the recipient now get another form of it over a link? */
static bool deposits_has_changed(struct core *core, const struct deposit *deposit)
{
    struct record_claim claim = {.id = deposit->record};
    const struct mailbox_key *key = mailboxes_of(core, &deposit->recipient);
    claim.header.stream = core->streams.all[deposit->slot].id;
    claim.header.sequence = deposit->sequence;
    claim.header.audience = deposit->audience;
    err verdict = entitlement_read(core, &deposit->recipient, &claim);
    bool is_whole =
        !deposit->is_gone && verdict == OK && mailboxes_may_hand_to(core, &deposit->recipient);
    if (verdict == ERR_BUSY)
        is_whole = deposit->is_whole; /* the case rests: nothing has changed in it */
    return is_whole != deposit->is_whole || (key != NULL && !ID_EQUAL(*key, deposit->to));
}

/* Another key under the same name: what lies there goes first. */
static void deposits_renew(struct core *core, struct deposit *deposit, struct step *step)
{
    const struct custodians *custodians = deposits_custodians(core, &deposit->recipient);
    for (uint32_t i = 0; i < custodians->count; i++) {
        const struct peer *peer = core_peer_of_node(core, &custodians->nodes[i]);
        if (peer != NULL && ((deposit->held | deposit->asked) >> i & 1) != 0)
            deposits_send_withdraw(peer, &deposit->id, 1, step);
    }
    deposits_anew(deposit);
    deposit->not_before = core->now;
    deposit->is_read = false;
}

/* True when it wants to be read, to be left with somebody more. */
static bool deposits_tend(struct core *core, struct deposit *deposit, struct step *step)
{
    struct head_id head = roster_current_id(core->roster);
    if (!ID_EQUAL(deposit->ranked_at, head)) {
        /* the bits count by another order: whoever it is now is asked, and told */
        deposit->owed = (deposit->held | deposit->asked | deposit->owed) == 0 ? 0 : 0xff;
        deposit->held = deposit->asked = deposit->refused = 0;
        deposit->ranked_at = head;
    }
    if (!deposit->is_over && !deposits_is_due(core, deposit)) {
        deposits_anew(deposit);
        deposit->is_over = true;
    }
    if (!deposit->is_over && deposit->is_read && deposits_has_changed(core, deposit))
        deposits_renew(core, deposit, step);
    deposits_withdraw(core, deposit, step);
    if (deposit->is_over) {
        if (deposit->owed == 0 || deposit->again_at.ms <= core->now.ms)
            deposits_free(core, deposit);
        return false;
    }
    if (deposit->again_at.ms <= core->now.ms) {
        deposit->again_at.ms = core->now.ms + DEPOSITS_AGAIN_MS;
        deposit->held = deposit->asked = deposit->refused = 0;
    }
    if (deposit->asked_until.ms <= core->now.ms)
        deposit->asked = 0;
    if (deposit->not_before.ms > core->now.ms ||
        core_peer_of_node(core, &deposit->recipient) != NULL ||
        mailboxes_of(core, &deposit->recipient) == NULL || !core_may_hand_keys(core) ||
        deposits_bits(deposit->held | deposit->asked) >= CUSTODIAN_COUNT)
        return false;
    const struct custodians *custodians = deposits_custodians(core, &deposit->recipient);
    for (uint32_t i = 0; i < custodians->count; i++) {
        if (deposits_candidate(core, deposit, custodians, i) != NULL)
            return true;
    }
    return false;
}

void deposits_tick(struct core *core, struct step *step)
{
    if (!custody_is_on(core))
        return;
    deposits_walk(core);
    for (size_t i = 0; i < LINK_COUNT_MAX && core->deposits.erased_count > 0; i++) {
        if (core->peers[i].is_greeted && step_has_room(step, 512, 4 * FRAME_SIZE_MAX))
            deposits_retract(core, &core->peers[i], step);
    }
}

void deposits_react(struct core *core, struct step *step)
{
    struct deposits *deposits = &core->deposits;
    uint32_t count_max = core->config.deposit_count_max;
    if (deposits->count == 0 || deposits->tend_at.ms > core->now.ms)
        return;
    for (uint32_t i = 0; i < DEPOSITS_TENDED_A_STEP && i < count_max; i++) {
        if (deposits->tended >= count_max) {
            deposits->tended = 0;
            deposits->tend_at.ms = core->now.ms + DEPOSITS_TEND_MS;
            return;
        }
        if (!step_has_room(step, 256, 2 * FRAME_SIZE_MAX))
            return;
        struct deposit *deposit = &deposits->all[deposits->tended];
        bool wants = deposit->is_used && deposits_tend(core, deposit, step);
        if (wants && deposits->reading != 0)
            return; /* it is its turn when the one before it is sealed */
        deposits->tended++;
        if (wants)
            deposits_read(core, deposit, step);
    }
}

bool deposits_busy(const struct core *core)
{
    const struct deposits *deposits = &core->deposits;
    return deposits->walked > 0 || (deposits->count > 0 && deposits->tended > 0);
}
