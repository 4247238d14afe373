#include "protocol/custody/custody_pickup.h"

#include <string.h>

#include "protocol/base/hash.h"
#include "protocol/custody/custody_outbox.h"
#include "protocol/custody/custody_store.h"
#include "protocol/custody/mailbox_keys.h"
#include "protocol/replication/push.h"
#include "protocol/replication/receive.h"
#include "protocol/state/access.h"
#include "protocol/state/engine_state.h"
#include "protocol/wire/frame_custody.h"
#include "protocol/wire/sealed_message.h"

enum {
    CUSTODY_PICKUP_ANSWER_MS = 20 * 1000,
    CUSTODY_PICKUP_SOON_MS = 1000,
    CUSTODY_PICKUP_LOOK_MS = 500,
    CUSTODY_PICKUP_WAIT_MS = 30 * 1000,
    CUSTODY_PICKUP_WAIT_MS_MAX = 60 * 60 * 1000,
    CUSTODY_PICKUP_ROUND_MAX = 256, /* then others have their turn */
    CUSTODY_PICKUP_ROUND_MS = 60 * 1000,
};

/* ---- rounds ---- */

static void custody_pickup_ask(struct engine *engine, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    struct buffer frame = peers_frame(step, 16);
    frame_custody_collect_write(&frame, pickup->number);
    peers_send(step, pickup->link, &frame);
    pickup->state = CUSTODY_PICKUP_ASKED;
    pickup->until.ms = engine->now.ms + CUSTODY_PICKUP_ANSWER_MS;
}

/* The round is over: soon again when it was of use and something is left, else later and later. */
static void custody_pickup_end(struct engine *engine)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    struct custody_pickup_round *round = &pickup->rounds[pickup->rank];
    if (pickup->has_taken)
        round->wait_ms = CUSTODY_PICKUP_WAIT_MS;
    else if (round->wait_ms < CUSTODY_PICKUP_WAIT_MS_MAX / 2)
        round->wait_ms *= 2;
    else
        round->wait_ms = CUSTODY_PICKUP_WAIT_MS_MAX;
    bool is_soon = pickup->has_taken && pickup->has_more;
    round->at.ms = engine->now.ms + (is_soon ? CUSTODY_PICKUP_SOON_MS : round->wait_ms);
    pickup->state = CUSTODY_PICKUP_IDLE;
}

static void custody_pickup_begin(struct engine *engine, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    const struct custodians *custodians = custody_outbox_custodians(engine, &engine->config.self);
    for (uint32_t i = 0; i < custodians->count; i++) {
        struct custody_pickup_round *round = &pickup->rounds[i];
        const struct peer *peer = peers_of_node(engine, &custodians->nodes[i]);
        if (peer == NULL)
            continue;
        if (round->session != peer->session)
            *round = (struct custody_pickup_round){.session = peer->session,
                                                   .wait_ms = CUSTODY_PICKUP_WAIT_MS / 2};
        if (round->at.ms > engine->now.ms)
            continue;
        pickup->rank = i;
        pickup->link = peer->link;
        pickup->number = 0;
        pickup->count = 0;
        pickup->round_until.ms = engine->now.ms + CUSTODY_PICKUP_ROUND_MS;
        pickup->has_more = pickup->has_taken = false;
        custody_pickup_ask(engine, step);
        return;
    }
}

/* This envelope is done with; on to the next one. (CU-10) */
static void custody_pickup_next(struct engine *engine, bool is_taken, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    if (peers_of_link(engine, pickup->link) == NULL) {
        pickup->state = CUSTODY_PICKUP_IDLE;
        return;
    }
    pickup->has_taken = pickup->has_taken || is_taken;
    pickup->has_more = pickup->has_more || !is_taken;
    if (is_taken) {
        struct buffer frame = peers_frame(step, 16);
        frame_custody_taken_write(&frame, pickup->number);
        peers_send(step, pickup->link, &frame);
    }
    custody_pickup_ask(engine, step);
}

err custody_pickup_envelope(struct engine *engine, const struct peer *peer, struct bytes frame,
                            struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    struct frame_custody_envelope answer;
    err failure = frame_custody_envelope_read(frame, &answer);
    if (failure != OK || pickup->state != CUSTODY_PICKUP_ASKED ||
        pickup->link.value != peer->link.value)
        return failure;
    if (answer.number <= pickup->number) { /* nothing more */
        custody_pickup_end(engine);
        return OK;
    }
    /* whoever goes on for ever must not keep the others from theirs */
    if (++pickup->count > CUSTODY_PICKUP_ROUND_MAX || pickup->round_until.ms <= engine->now.ms) {
        custody_pickup_end(engine);
        return OK;
    }
    pickup->number = answer.number;
    pickup->state = CUSTODY_PICKUP_OPENING;
    struct effect *effect = custody_store_effect(step, CUSTODY_OPEN);
    effect->token.value = ++pickup->serial;
    effect->envelope = answer.envelope;
    return OK;
}

/* ---- what was in it ---- */

static void custody_pickup_owe(struct engine *engine, const struct node_id *writer)
{
    struct custody_pickup_report *place = NULL;
    if (peers_of_node(engine, writer) != NULL)
        return; /* it hears of it over its link */
    for (size_t i = 0; i < CUSTODY_PICKUP_REPORT_COUNT; i++) {
        struct custody_pickup_report *report = &engine->custody_pickup->reports[i];
        if (ID_EQUAL(report->writer, *writer))
            return;
        if (ID_IS_ZERO(report->writer))
            place = report;
    }
    if (place != NULL) /* else it is said when the record comes again */
        *place = (struct custody_pickup_report){*writer, {engine->now.ms + CUSTODY_PICKUP_SOON_MS}};
}

void custody_pickup_settled(struct engine *engine, err verdict, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    if (pickup->state != CUSTODY_PICKUP_CHECKING)
        return;
    if (verdict == OK)
        custody_pickup_owe(engine, &pickup->writer);
    custody_pickup_next(engine, verdict == OK || verdict == ERR_INVALID, step);
}

/* (CU-9) */
static void custody_pickup_record(struct engine *engine, const struct frame_record *record,
                                  struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    struct record_claim claim;
    err failure = record_parse(record->record, &claim);
    const struct scope *scope = &claim.header.stream.scope;
    if (failure != OK || (scope->kind != SCOPE_MAIL && scope->kind != SCOPE_CASE)) {
        custody_pickup_next(engine, true, step);
        return;
    }
    pickup->writer = claim.header.stream.writer;
    pickup->state = CUSTODY_PICKUP_CHECKING;
    failure = receive_enclosed(engine, record, step);
    if (failure == ERR_BUSY)
        return; /* it is being checked: custody_pickup_settled follows */
    custody_pickup_settled(engine, failure == ERR_MALFORMED ? ERR_INVALID : failure, step);
}

/* (CU-11) */
static err custody_pickup_report(struct engine *engine, const struct sealed_message_report *report,
                                 struct step *step)
{
    const struct roster_entry *member = roster_find(engine->roster, &report->reporter);
    struct reader reader = report->positions;
    struct frame_position position;
    if (!ID_EQUAL(report->federation, engine->config.federation) || member == NULL ||
        member->state != MEMBER_ADMITTED)
        return ERR_UNKNOWN_MEMBER;
    err failure = hash_verify(CONTEXT_CUSTODY_REPORT, report->signed_part, &member->sign_key,
                              &report->signature);
    for (uint16_t i = 0; failure == OK && i < report->count; i++) {
        failure = frame_position_read(&reader, &position);
        uint32_t slot = streams_find(&engine->streams, &position.stream);
        if (failure != OK || slot == STREAM_NONE ||
            !ID_EQUAL(position.stream.writer, engine->config.self) ||
            !access_shares(engine, &report->reporter, &position.stream) ||
            position.had > engine->streams.all[slot].tail || !step_has_room(step, 256, 0))
            continue;
        custody_outbox_heard(engine, &report->reporter, &position);
        struct effect *effect = step_effect(step, EFFECT_ACKED);
        effect->acked.peer = report->reporter;
        effect->acked.stream = position.stream;
        effect->acked.had = position.had;
    }
    return failure;
}

void custody_pickup_opened(struct engine *engine, const struct event *event, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    struct sealed_message letter;
    if (pickup->state != CUSTODY_PICKUP_OPENING || event->token.value != pickup->serial)
        return;
    err failure = event->verdict;
    if (failure == OK)
        failure = sealed_message_read(event->letter, &letter);
    if (failure == OK && letter.kind == SEALED_MESSAGE_RECORD) {
        custody_pickup_record(engine, &letter.record, step);
        return;
    }
    if (failure == OK)
        failure = custody_pickup_report(engine, &letter.report, step);
    if (failure != OK)
        peers_refuse(engine, NULL, step, "envelope-passed-over", failure);
    custody_pickup_next(engine, true, step);
}

/* ---- reports ---- */

/* Where we stand in what this writer wrote to us and in cases; the newest streams first. */
static uint16_t custody_pickup_positions(const struct engine *engine, const struct node_id *writer,
                                         struct buffer *out)
{
    uint16_t count = 0;
    for (uint32_t i = engine->streams.count; i > 0 && count < CUSTODY_REPORT_COUNT_MAX; i--) {
        const struct stream *stream = &engine->streams.all[i - 1];
        bool is_ours = stream->id.scope.kind == SCOPE_MAIL || stream->id.scope.kind == SCOPE_CASE;
        if (!is_ours || stream->tail == 0 || !ID_EQUAL(stream->id.writer, *writer))
            continue;
        struct frame_position position = push_position(engine, i - 1);
        frame_position_write(out, &position);
        count++;
    }
    return count;
}

static void custody_pickup_enclose(struct engine *engine, uint32_t index, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    struct custody_pickup_report *report = &pickup->reports[index];
    const struct mailbox_key *key = mailbox_keys_of(engine, &report->writer);
    size_t room = CUSTODY_REPORT_COUNT_MAX * FRAME_POSITION_SIZE;
    struct buffer positions = peers_frame(step, room);
    uint16_t count = custody_pickup_positions(engine, &report->writer, &positions);
    if (key == NULL || count == 0) {
        *report = (struct custody_pickup_report){.at = {0}};
        return;
    }
    struct buffer letter = peers_frame(step, SEALED_MESSAGE_REPORT_OVERHEAD + positions.size);
    sealed_message_report_begin(&letter, &engine->config.federation, &engine->config.self, count);
    buffer_put(&letter, positions.data, positions.size);
    pickup->reporting = index + 1;
    struct effect *effect = custody_store_effect(step, CUSTODY_ENCLOSE);
    effect->token.value = pickup->reporting;
    effect->enclose.to = *key;
    effect->enclose.letter = buffer_bytes(&letter);
    effect->enclose.signed_from = SEALED_MESSAGE_SIGNED_AT;
}

/* A later report takes the place of the one before it, which is withdrawn first. */
void custody_pickup_enclosed(struct engine *engine, const struct event *event, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    uint32_t index = pickup->reporting - 1;
    const struct stream_id none = {.generation = 1};
    int count = 0;
    if (pickup->reporting == 0 || event->token.value != pickup->reporting)
        return;
    pickup->reporting = 0;
    struct custody_pickup_report *report = &pickup->reports[index];
    struct deposit_id id =
        custody_outbox_id(engine, &report->writer, &none, 0, CUSTODY_OUTBOX_REPORT);
    struct frame_custody_leave leave = {id, report->writer, event->letter};
    const struct custodians *custodians = custody_outbox_custodians(engine, &report->writer);
    for (uint32_t i = 0; event->verdict == OK && i < custodians->count && count < CUSTODIAN_COUNT;
         i++) {
        const struct peer *peer = peers_of_node(engine, &custodians->nodes[i]);
        if (peer == NULL || !step_has_room(step, 64, FRAME_SIZE_MAX))
            continue;
        struct buffer frame = peers_frame(step, 64 + event->letter.size);
        frame_custody_withdraw_write(&frame, &id, 1);
        peers_send(step, peer->link, &frame);
        frame = peers_frame(step, 64 + event->letter.size);
        frame_custody_leave_write(&frame, &leave);
        peers_send(step, peer->link, &frame);
        count++;
    }
    if (count > 0)
        *report = (struct custody_pickup_report){.at = {0}};
    else
        report->at.ms = engine->now.ms + CUSTODY_PICKUP_WAIT_MS;
}

static void custody_pickup_tell(struct engine *engine, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    for (uint32_t i = 0; i < CUSTODY_PICKUP_REPORT_COUNT && pickup->reporting == 0; i++) {
        struct custody_pickup_report *report = &pickup->reports[i];
        if (ID_IS_ZERO(report->writer) || report->at.ms > engine->now.ms)
            continue;
        if (peers_of_node(engine, &report->writer) != NULL)
            *report = (struct custody_pickup_report){.at = {0}};
        else
            custody_pickup_enclose(engine, i, step);
    }
}

void custody_pickup_react(struct engine *engine, struct step *step)
{
    struct custody_pickup *pickup = engine->custody_pickup;
    if (pickup->look_at.ms > engine->now.ms || !custody_store_is_on(engine) ||
        !step_has_room(step, 256, 2 * FRAME_SIZE_MAX))
        return;
    pickup->look_at.ms = engine->now.ms + CUSTODY_PICKUP_LOOK_MS;
    bool is_lost =
        pickup->until.ms <= engine->now.ms || peers_of_link(engine, pickup->link) == NULL;
    if (pickup->state == CUSTODY_PICKUP_ASKED && is_lost)
        custody_pickup_end(engine);
    if (pickup->state == CUSTODY_PICKUP_IDLE && !engine->is_full)
        custody_pickup_begin(engine, step);
    custody_pickup_tell(engine, step);
}
