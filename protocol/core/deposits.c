#include "protocol/core/deposits.h"

#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/core_state.h"
#include "protocol/core/custody.h"
#include "protocol/core/deposits_state.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/mailboxes.h"
#include "protocol/hash.h"
#include "protocol/link/frame_custody.h"
#include "protocol/link/letter.h"

size_t deposits_memory_size(uint32_t deposit_count_max, uint32_t reach_count_max)
{
    return deposit_count_max * sizeof(struct deposit) +
           reach_count_max * sizeof(struct deposits_reach);
}

void deposits_init(struct deposits *deposits, void *memory, uint32_t deposit_count_max)
{
    deposits->all = memory;
    deposits->reach = (void *)(deposits->all + deposit_count_max);
}

/* ---- how far they came ---- */

struct deposits_reach *deposits_reach_of(struct core *core, const struct node_id *node,
                                         uint32_t slot)
{
    struct deposits *deposits = &core->deposits;
    uint32_t count_max = core->config.reach_count_max, place = slot * 2654435761U;
    for (size_t i = 0; i < NODE_ID_SIZE; i++)
        place = (place ^ node->bytes[i] ^ core->config.hash_key[i]) * 16777619U;
    place ^= place >> 15;
    for (uint32_t i = 0; i < count_max; i++) {
        struct deposits_reach *reach = &deposits->reach[(place + i) & (count_max - 1)];
        if (reach->slot == slot && ID_EQUAL(reach->node, *node))
            return reach;
        if (!ID_IS_ZERO(reach->node))
            continue;
        if (deposits->reach_count >= count_max / 4 * 3)
            return NULL;
        deposits->reach_count++;
        *reach = (struct deposits_reach){.node = *node, .slot = slot};
        return reach;
    }
    return NULL;
}

void deposits_heard(struct core *core, const struct node_id *node,
                    const struct frame_position *position)
{
    const struct stream_id *id = &position->stream;
    if (core->config.reach_count_max == 0 || !ID_EQUAL(id->writer, core->config.self) ||
        (id->scope.kind != SCOPE_MAIL && id->scope.kind != SCOPE_CASE))
        return;
    uint32_t slot = streams_find(&core->streams, id);
    if (slot == STREAM_NONE)
        return;
    struct deposits_reach *reach = deposits_reach_of(core, node, slot);
    uint64_t tail = core->streams.all[slot].tail;
    if (reach == NULL || position->tail > tail)
        return; /* more than there is: of a store put back, or a lie */
    reach->tail = position->tail > reach->tail ? position->tail : reach->tail;
    reach->had = position->had > reach->had ? position->had : reach->had;
    core->deposits.tend_at.ms = 0;
}

/* ---- names and ranks ---- */

const struct custodians *deposits_custodians(struct core *core, const struct node_id *recipient)
{
    uint32_t place = (recipient->bytes[0] ^ core->config.hash_key[0]) % DEPOSITS_RANKED_COUNT;
    struct deposits_ranked *ranked = &core->deposits.ranked[place];
    struct head_id head = roster_current_id(core->roster);
    if (!ID_EQUAL(ranked->recipient, *recipient) || !ID_EQUAL(ranked->head, head)) {
        custodians_of(core->roster, recipient, &ranked->custodians);
        ranked->recipient = *recipient;
        ranked->head = head;
    }
    return &ranked->custodians;
}

struct deposit_id deposits_id(const struct core *core, const struct node_id *recipient,
                              const struct stream_id *stream, uint64_t sequence, uint8_t what)
{
    uint8_t memory[NODE_ID_SIZE + STREAM_ID_SIZE + 9];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct deposit_id id;
    buffer_put(&buffer, recipient->bytes, NODE_ID_SIZE);
    stream_id_write(&buffer, stream);
    buffer_u64(&buffer, sequence);
    buffer_u8(&buffer, what);
    struct hash hash =
        hash_keyed(CONTEXT_DEPOSIT, core->config.deposit_secret, buffer_bytes(&buffer));
    memcpy(id.bytes, hash.bytes, HASH_SIZE);
    return id;
}

uint8_t deposits_what(const struct deposit *deposit)
{
    if (!deposit->is_whole)
        return DEPOSITS_BARE;
    return deposit->audience == AUDIENCE_CLEAR ? DEPOSITS_CLEAR : DEPOSITS_WHOLE;
}

int deposits_bits(unsigned bits)
{
    int count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

struct deposit_id deposits_id_of(const struct core *core, const struct deposit *deposit,
                                 uint8_t what)
{
    return deposits_id(core, &deposit->recipient, &core->streams.all[deposit->slot].id,
                       deposit->sequence, what);
}

/* ---- read, sealed, left ---- */

static struct deposit *deposits_of_token(struct core *core, struct token token)
{
    uint64_t index = token.value & ~DEPOSITS_TOKEN;
    struct deposits *deposits = &core->deposits;
    if (deposits->reading == 0 || index + 1 != deposits->reading)
        return NULL;
    deposits->reading = 0;
    struct deposit *deposit = &deposits->all[index];
    return deposit->is_used && !deposit->is_over && deposit->serial == deposits->serial ? deposit
                                                                                        : NULL;
}

void deposits_read(struct core *core, struct deposit *deposit, struct step *step)
{
    struct deposits *deposits = &core->deposits;
    uint32_t index = (uint32_t)(deposit - deposits->all);
    deposits->reading = index + 1;
    deposit->serial = ++deposits->serial;
    struct effect *effect = step_effect(step, EFFECT_LOAD);
    effect->token.value = DEPOSITS_TOKEN | index;
    effect->load.slot = deposit->slot;
    effect->load.stream = core->streams.all[deposit->slot].id;
    effect->load.from = deposit->sequence;
    effect->load.count = 1;
    effect->load.size_max = RECORD_SIZE_MAX;
}

/* What is in an envelope: exactly what a link would bring. (CU-4) */
void deposits_loaded(struct core *core, const struct event *event, struct step *step)
{
    struct deposit *deposit = deposits_of_token(core, event->token);
    struct record_claim claim;
    if (deposit == NULL)
        return;
    deposit->not_before.ms = core->now.ms + DEPOSITS_RETRY_MS;
    const struct mailbox_key *key = mailboxes_of(core, &deposit->recipient);
    if (event->verdict != OK || event->batch.record_count != 1 || key == NULL ||
        !core_may_hand_keys(core) || record_parse(event->batch.records->record, &claim) != OK)
        return;
    const struct step_record *record = event->batch.records;
    bool is_clear = claim.header.audience == AUDIENCE_CLEAR;
    bool is_gone = claim.is_bare || (!is_clear && !record->has_key);
    bool was_whole = deposit->is_read && deposit->is_whole;
    err verdict = entitlement_read(core, &deposit->recipient, &claim);
    bool is_whole = !is_gone && verdict == OK && mailboxes_may_hand_to(core, &deposit->recipient);
    if (verdict == ERR_BUSY)
        return; /* the case rests, and there was no room to wake it */
    if (!is_whole || (was_whole != is_whole && deposit->is_read))
        deposit->owed = 0xff; /* whatever lies there from before */
    deposit->is_read = true;
    deposit->is_gone = is_gone;
    deposit->is_whole = is_whole;
    deposit->audience = claim.header.audience;
    deposit->record = claim.id;
    deposit->to = *key;
    deposit->id = deposits_id_of(core, deposit, deposits_what(deposit));
    struct frame_record out = {
        .has_key = is_whole && !is_clear, .key = record->key, .record = record->record};
    if (!is_whole)
        out.record.size = RECORD_BARE_SIZE;
    struct buffer letter = core_frame(step, LETTER_SIZE_MAX);
    letter_record_write(&letter, &out);
    core->deposits.reading = (uint32_t)(deposit - core->deposits.all) + 1;
    struct effect *effect = custody_effect(step, CUSTODY_ENCLOSE);
    effect->token = event->token;
    effect->enclose.to = *key;
    effect->enclose.letter = buffer_bytes(&letter);
}

/* (CU-3) the custodian is told the recipient, and nothing else */
void deposits_enclosed(struct core *core, const struct event *event, struct step *step)
{
    struct deposit *deposit = deposits_of_token(core, event->token);
    if (deposit == NULL || event->verdict != OK || event->letter.size > ENVELOPE_SIZE_MAX)
        return;
    const struct custodians *custodians = deposits_custodians(core, &deposit->recipient);
    struct link_id *links = step_reserve(step, CUSTODIAN_ASKED_COUNT * sizeof *links);
    size_t count = 0;
    int missing = CUSTODIAN_COUNT - deposits_bits(deposit->held | deposit->asked);
    for (uint32_t i = 0; i < custodians->count && missing > 0; i++) {
        const struct peer *peer = deposits_candidate(core, deposit, custodians, i);
        if (peer == NULL)
            continue;
        deposit->asked = (uint8_t)(deposit->asked | 1u << i);
        links[count++] = peer->link;
        missing--;
    }
    if (count == 0)
        return;
    deposit->asked_until.ms = core->now.ms + DEPOSITS_ANSWER_MS;
    struct frame_custody_leave leave = {deposit->id, deposit->recipient, event->letter};
    struct buffer frame = core_frame(step, 64 + event->letter.size);
    frame_custody_leave_write(&frame, &leave);
    struct effect *effect = step_effect(step, EFFECT_SEND);
    effect->send.links = links;
    effect->send.link_count = count;
    effect->send.frame = buffer_bytes(&frame);
    core->deposits.tend_at.ms = 0;
}

err deposits_answer(struct core *core, const struct peer *peer, struct bytes frame)
{
    struct frame_custody_answer answer;
    err failure = frame_custody_answer_read(frame, &answer);
    for (uint32_t i = 0; failure == OK && i < core->config.deposit_count_max; i++) {
        struct deposit *deposit = &core->deposits.all[i];
        if (deposit->asked == 0 || !ID_EQUAL(deposit->id, answer.id))
            continue;
        int rank = custodians_rank(deposits_custodians(core, &deposit->recipient), &peer->node);
        if (rank < 0 || (deposit->asked >> rank & 1) == 0)
            continue;
        uint8_t bit = (uint8_t)(1u << rank);
        deposit->asked = (uint8_t)(deposit->asked & ~bit);
        if (answer.verdict == FRAME_CUSTODY_HELD)
            deposit->held |= bit;
        else
            deposit->refused |= bit;
        core->deposits.tend_at.ms = 0;
    }
    return failure;
}
