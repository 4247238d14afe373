#include "protocol/custody/custody_outbox.h"

#include <string.h>

#include "protocol/base/hash.h"
#include "protocol/custody/custody_store.h"
#include "protocol/custody/mailbox_keys.h"
#include "protocol/state/access.h"
#include "protocol/state/engine_state.h"
#include "protocol/wire/frame_custody.h"
#include "protocol/wire/sealed_message.h"

enum {
    CUSTODY_OUTBOX_RETRY_MS = 10 * 1000,
    CUSTODY_OUTBOX_ANSWER_MS = 30 * 1000,
};

size_t custody_outbox_memory_size(uint32_t deposit_count_max, uint32_t reach_count_max)
{
    return deposit_count_max * sizeof(struct deposit) +
           reach_count_max * sizeof(struct custody_outbox_reach);
}

void custody_outbox_init(struct custody_outbox *custody_outbox, void *memory,
                         uint32_t deposit_count_max)
{
    custody_outbox->all = memory;
    custody_outbox->reach = (void *)(custody_outbox->all + deposit_count_max);
}

/* ---- how far they came ---- */

struct custody_outbox_reach *custody_outbox_reach_of(struct engine *engine,
                                                     const struct node_id *node, uint32_t slot)
{
    struct custody_outbox *custody_outbox = engine->custody_outbox;
    uint32_t count_max = engine->config.reach_count_max, place = slot * 2654435761U;
    for (size_t i = 0; i < NODE_ID_SIZE; i++)
        place = (place ^ node->bytes[i] ^ engine->config.hash_key[i]) * 16777619U;
    place ^= place >> 15;
    for (uint32_t i = 0; i < count_max; i++) {
        struct custody_outbox_reach *reach = &custody_outbox->reach[(place + i) & (count_max - 1)];
        if (reach->slot == slot && ID_EQUAL(reach->node, *node))
            return reach;
        if (!ID_IS_ZERO(reach->node))
            continue;
        if (custody_outbox->delivery_status_count >= count_max / 4 * 3)
            return NULL;
        custody_outbox->delivery_status_count++;
        *reach = (struct custody_outbox_reach){.node = *node, .slot = slot};
        return reach;
    }
    return NULL;
}

void custody_outbox_heard(struct engine *engine, const struct node_id *node,
                          const struct frame_position *position)
{
    const struct stream_id *id = &position->stream;
    if (engine->config.reach_count_max == 0 || !ID_EQUAL(id->writer, engine->config.self) ||
        (id->scope.kind != SCOPE_MAIL && id->scope.kind != SCOPE_CASE))
        return;
    uint32_t slot = streams_find(&engine->streams, id);
    if (slot == STREAM_NONE)
        return;
    struct custody_outbox_reach *reach = custody_outbox_reach_of(engine, node, slot);
    uint64_t tail = engine->streams.all[slot].tail;
    if (reach == NULL || position->tail > tail)
        return; /* more than there is: of a store put back, or a lie */
    reach->tail = position->tail > reach->tail ? position->tail : reach->tail;
    reach->had = position->had > reach->had ? position->had : reach->had;
    engine->custody_outbox->reconcile_at.ms = 0;
}

void custody_outbox_positions(struct engine *engine, const struct peer *peer, struct bytes frame)
{
    struct reader reader;
    uint16_t count;
    struct frame_position position;
    err failure = frame_positions_open(frame, &reader, &count);
    for (uint16_t i = 0; failure == OK && i < count; i++) {
        failure = frame_position_read(&reader, &position);
        if (failure == OK)
            custody_outbox_heard(engine, &peer->node, &position);
    }
}

/* ---- names and ranks ---- */

const struct custodians *custody_outbox_custodians(struct engine *engine,
                                                   const struct node_id *recipient)
{
    uint32_t place =
        (recipient->bytes[0] ^ engine->config.hash_key[0]) % CUSTODY_OUTBOX_RANKED_COUNT;
    struct custody_outbox_ranked *ranked = &engine->custody_outbox->ranked[place];
    struct head_id head = roster_current_id(engine->roster);
    if (!ID_EQUAL(ranked->recipient, *recipient) || !ID_EQUAL(ranked->head, head)) {
        custodians_of(engine->roster, recipient, &ranked->custodians);
        ranked->recipient = *recipient;
        ranked->head = head;
    }
    return &ranked->custodians;
}

struct deposit_id custody_outbox_id(const struct engine *engine, const struct node_id *recipient,
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
        hash_keyed(CONTEXT_DEPOSIT, engine->config.deposit_secret, buffer_bytes(&buffer));
    memcpy(id.bytes, hash.bytes, HASH_SIZE);
    return id;
}

uint8_t custody_outbox_what(const struct deposit *deposit)
{
    if (!deposit->is_whole)
        return CUSTODY_OUTBOX_HEADER_ONLY;
    return deposit->audience == AUDIENCE_CLEAR ? CUSTODY_OUTBOX_CLEAR : CUSTODY_OUTBOX_WHOLE;
}

int custody_outbox_bits(unsigned bits)
{
    int count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

struct deposit_id custody_outbox_id_of(const struct engine *engine, const struct deposit *deposit,
                                       uint8_t what)
{
    return custody_outbox_id(engine, &deposit->recipient, &engine->streams.all[deposit->slot].id,
                             deposit->sequence, what);
}

/* ---- read, sealed, left ---- */

struct peer *custody_outbox_candidate(struct engine *engine, const struct deposit *deposit,
                                      const struct custodians *custodians, uint32_t rank)
{
    unsigned done = deposit->held | deposit->asked | deposit->refused;
    if (rank >= custodians->count || (done >> rank & 1) != 0)
        return NULL;
    return peers_of_node(engine, &custodians->nodes[rank]);
}

static struct deposit *custody_outbox_of_token(struct engine *engine, struct token token)
{
    uint64_t index = token.value & ~CUSTODY_OUTBOX_TOKEN;
    struct custody_outbox *custody_outbox = engine->custody_outbox;
    if (custody_outbox->reading == 0 || index + 1 != custody_outbox->reading)
        return NULL;
    custody_outbox->reading = 0;
    struct deposit *deposit = &custody_outbox->all[index];
    return deposit->is_used && !deposit->is_over && deposit->serial == custody_outbox->serial
               ? deposit
               : NULL;
}

void custody_outbox_read(struct engine *engine, struct deposit *deposit, struct step *step)
{
    struct custody_outbox *custody_outbox = engine->custody_outbox;
    uint32_t index = (uint32_t)(deposit - custody_outbox->all);
    custody_outbox->reading = index + 1;
    deposit->serial = ++custody_outbox->serial;
    struct effect *effect = step_effect(step, EFFECT_LOAD);
    effect->token.value = CUSTODY_OUTBOX_TOKEN | index;
    effect->load.slot = deposit->slot;
    effect->load.stream = engine->streams.all[deposit->slot].id;
    effect->load.from = deposit->sequence;
    effect->load.count = 1;
    effect->load.size_max = RECORD_SIZE_MAX;
}

/* What is in an envelope: exactly what a link would bring. (CU-4) */
void custody_outbox_loaded(struct engine *engine, const struct event *event, struct step *step)
{
    struct deposit *deposit = custody_outbox_of_token(engine, event->token);
    struct record_claim claim;
    if (deposit == NULL)
        return;
    deposit->not_before.ms = engine->now.ms + CUSTODY_OUTBOX_RETRY_MS;
    const struct mailbox_key *key = mailbox_keys_of(engine, &deposit->recipient);
    if (event->verdict != OK || event->batch.record_count != 1 || key == NULL ||
        !peers_may_release_keys(engine) || record_parse(event->batch.records->record, &claim) != OK)
        return;
    const struct step_record *record = event->batch.records;
    bool is_clear = claim.header.audience == AUDIENCE_CLEAR;
    bool is_gone = claim.is_bare || (!is_clear && !record->has_key);
    bool was_whole = deposit->is_read && deposit->is_whole;
    err verdict = access_read(engine, &deposit->recipient, &claim);
    bool is_whole =
        !is_gone && verdict == OK && mailbox_keys_may_release_to(engine, &deposit->recipient);
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
    deposit->id = custody_outbox_id_of(engine, deposit, custody_outbox_what(deposit));
    struct frame_record out = {
        .has_key = is_whole && !is_clear, .key = record->key, .record = record->record};
    if (!is_whole)
        out.record.size = RECORD_BARE_SIZE;
    struct buffer letter = peers_frame(step, SEALED_MESSAGE_SIZE_MAX);
    sealed_message_record_write(&letter, &out);
    engine->custody_outbox->reading = (uint32_t)(deposit - engine->custody_outbox->all) + 1;
    struct effect *effect = custody_store_effect(step, CUSTODY_ENCLOSE);
    effect->token = event->token;
    effect->enclose.to = *key;
    effect->enclose.letter = buffer_bytes(&letter);
}

/* (CU-3) the custodian is told the recipient, and nothing else */
void custody_outbox_enclosed(struct engine *engine, const struct event *event, struct step *step)
{
    struct deposit *deposit = custody_outbox_of_token(engine, event->token);
    if (deposit == NULL || event->verdict != OK || event->letter.size > ENVELOPE_SIZE_MAX)
        return;
    const struct custodians *custodians = custody_outbox_custodians(engine, &deposit->recipient);
    struct link_id *links = step_reserve(step, CUSTODIAN_ASKED_COUNT * sizeof *links);
    size_t count = 0;
    int missing = CUSTODIAN_COUNT - custody_outbox_bits(deposit->held | deposit->asked);
    for (uint32_t i = 0; i < custodians->count && missing > 0; i++) {
        const struct peer *peer = custody_outbox_candidate(engine, deposit, custodians, i);
        if (peer == NULL)
            continue;
        deposit->asked = (uint8_t)(deposit->asked | 1u << i);
        links[count++] = peer->link;
        missing--;
    }
    if (count == 0)
        return;
    deposit->asked_until.ms = engine->now.ms + CUSTODY_OUTBOX_ANSWER_MS;
    struct frame_custody_leave leave = {deposit->id, deposit->recipient, event->letter};
    struct buffer frame = peers_frame(step, 64 + event->letter.size);
    frame_custody_leave_write(&frame, &leave);
    struct effect *effect = step_effect(step, EFFECT_SEND);
    effect->send.links = links;
    effect->send.link_count = count;
    effect->send.frame = buffer_bytes(&frame);
    engine->custody_outbox->reconcile_at.ms = 0;
}

err custody_outbox_answer(struct engine *engine, const struct peer *peer, struct bytes frame)
{
    struct frame_custody_answer answer;
    err failure = frame_custody_answer_read(frame, &answer);
    for (uint32_t i = 0; failure == OK && i < engine->config.deposit_count_max; i++) {
        struct deposit *deposit = &engine->custody_outbox->all[i];
        if (deposit->asked == 0 || !ID_EQUAL(deposit->id, answer.id))
            continue;
        int rank =
            custodians_rank(custody_outbox_custodians(engine, &deposit->recipient), &peer->node);
        if (rank < 0 || (deposit->asked >> rank & 1) == 0)
            continue;
        uint8_t bit = (uint8_t)(1u << rank);
        deposit->asked = (uint8_t)(deposit->asked & ~bit);
        if (answer.verdict == FRAME_CUSTODY_HELD)
            deposit->held |= bit;
        else
            deposit->refused |= bit;
        engine->custody_outbox->reconcile_at.ms = 0;
    }
    return failure;
}
