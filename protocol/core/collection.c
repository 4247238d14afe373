#include "protocol/core/collection.h"

#include <string.h>

#include "protocol/core/core_state.h"
#include "protocol/core/entitlement.h"
#include "protocol/core/gossip.h"
#include "protocol/core/intake.h"
#include "protocol/hash.h"
#include "protocol/link/frame_custody.h"
#include "protocol/link/letter.h"

enum {
    COLLECTION_ANSWER_MS = 20 * 1000,
    COLLECTION_SOON_MS = 1000,
    COLLECTION_LOOK_MS = 500,
    COLLECTION_WAIT_MS = 30 * 1000,
    COLLECTION_WAIT_MS_MAX = 60 * 60 * 1000,
    COLLECTION_ROUND_MAX = 256, /* then others have their turn */
    COLLECTION_ROUND_MS = 60 * 1000,
};

/* ---- rounds ---- */

static void collection_ask(struct core *core, struct step *step)
{
    struct collection *collection = &core->collection;
    struct buffer frame = core_frame(step, 16);
    frame_custody_collect_write(&frame, collection->number);
    core_send(step, collection->link, &frame);
    collection->state = COLLECTION_ASKED;
    collection->until.ms = core->now.ms + COLLECTION_ANSWER_MS;
}

/* The round is over: soon again when it was of use and something is left, else later and later. */
static void collection_end(struct core *core)
{
    struct collection *collection = &core->collection;
    struct collection_round *round = &collection->rounds[collection->rank];
    if (collection->has_taken)
        round->wait_ms = COLLECTION_WAIT_MS;
    else if (round->wait_ms < COLLECTION_WAIT_MS_MAX / 2)
        round->wait_ms *= 2;
    else
        round->wait_ms = COLLECTION_WAIT_MS_MAX;
    bool is_soon = collection->has_taken && collection->has_more;
    round->at.ms = core->now.ms + (is_soon ? COLLECTION_SOON_MS : round->wait_ms);
    collection->state = COLLECTION_IDLE;
}

static void collection_begin(struct core *core, struct step *step)
{
    struct collection *collection = &core->collection;
    const struct custodians *custodians = deposits_custodians(core, &core->config.self);
    for (uint32_t i = 0; i < custodians->count; i++) {
        struct collection_round *round = &collection->rounds[i];
        const struct peer *peer = core_peer_of_node(core, &custodians->nodes[i]);
        if (peer == NULL)
            continue;
        if (round->session != peer->session)
            *round = (struct collection_round){.session = peer->session,
                                               .wait_ms = COLLECTION_WAIT_MS / 2};
        if (round->at.ms > core->now.ms)
            continue;
        collection->rank = i;
        collection->link = peer->link;
        collection->number = 0;
        collection->count = 0;
        collection->round_until.ms = core->now.ms + COLLECTION_ROUND_MS;
        collection->has_more = collection->has_taken = false;
        collection_ask(core, step);
        return;
    }
}

/* This envelope is done with; on to the next one. (CU-10) */
static void collection_next(struct core *core, bool is_taken, struct step *step)
{
    struct collection *collection = &core->collection;
    if (core_peer_of_link(core, collection->link) == NULL) {
        collection->state = COLLECTION_IDLE;
        return;
    }
    collection->has_taken = collection->has_taken || is_taken;
    collection->has_more = collection->has_more || !is_taken;
    if (is_taken) {
        struct buffer frame = core_frame(step, 16);
        frame_custody_taken_write(&frame, collection->number);
        core_send(step, collection->link, &frame);
    }
    collection_ask(core, step);
}

err collection_envelope(struct core *core, const struct peer *peer, struct bytes frame,
                        struct step *step)
{
    struct collection *collection = &core->collection;
    struct frame_custody_envelope answer;
    err failure = frame_custody_envelope_read(frame, &answer);
    if (failure != OK || collection->state != COLLECTION_ASKED ||
        collection->link.value != peer->link.value)
        return failure;
    if (answer.number <= collection->number) { /* nothing more */
        collection_end(core);
        return OK;
    }
    /* whoever goes on for ever must not keep the others from theirs */
    if (++collection->count > COLLECTION_ROUND_MAX || collection->round_until.ms <= core->now.ms) {
        collection_end(core);
        return OK;
    }
    collection->number = answer.number;
    collection->state = COLLECTION_OPENING;
    struct effect *effect = custody_effect(step, CUSTODY_OPEN);
    effect->token.value = ++collection->serial;
    effect->envelope = answer.envelope;
    return OK;
}

/* ---- what was in it ---- */

static void collection_owe(struct core *core, const struct node_id *writer)
{
    struct collection_report *place = NULL;
    if (core_peer_of_node(core, writer) != NULL)
        return; /* it hears of it over its link */
    for (size_t i = 0; i < COLLECTION_REPORT_COUNT; i++) {
        struct collection_report *report = &core->collection.reports[i];
        if (ID_EQUAL(report->writer, *writer))
            return;
        if (ID_IS_ZERO(report->writer))
            place = report;
    }
    if (place != NULL) /* else it is said when the record comes again */
        *place = (struct collection_report){*writer, {core->now.ms + COLLECTION_SOON_MS}};
}

void collection_settled(struct core *core, err verdict, struct step *step)
{
    struct collection *collection = &core->collection;
    if (collection->state != COLLECTION_CHECKING)
        return;
    if (verdict == OK)
        collection_owe(core, &collection->writer);
    collection_next(core, verdict == OK || verdict == ERR_INVALID, step);
}

/* (CU-9) */
static void collection_record(struct core *core, const struct frame_record *record,
                              struct step *step)
{
    struct collection *collection = &core->collection;
    struct record_claim claim;
    err failure = record_parse(record->record, &claim);
    const struct scope *scope = &claim.header.stream.scope;
    if (failure != OK || (scope->kind != SCOPE_MAIL && scope->kind != SCOPE_CASE)) {
        collection_next(core, true, step);
        return;
    }
    collection->writer = claim.header.stream.writer;
    collection->state = COLLECTION_CHECKING;
    failure = intake_enclosed(core, record, step);
    if (failure == ERR_BUSY)
        return; /* it is being checked: collection_settled follows */
    collection_settled(core, failure == ERR_MALFORMED ? ERR_INVALID : failure, step);
}

/* (CU-11) */
static err collection_report(struct core *core, const struct letter_report *report,
                             struct step *step)
{
    const struct roster_entry *member = roster_find(core->roster, &report->reporter);
    struct reader reader = report->positions;
    struct frame_position position;
    if (!ID_EQUAL(report->federation, core->config.federation) || member == NULL ||
        member->state != MEMBER_ADMITTED)
        return ERR_UNKNOWN_MEMBER;
    err failure = hash_verify(CONTEXT_CUSTODY_REPORT, report->signed_part, &member->sign_key,
                              &report->signature);
    for (uint16_t i = 0; failure == OK && i < report->count; i++) {
        failure = frame_position_read(&reader, &position);
        uint32_t slot = streams_find(&core->streams, &position.stream);
        if (failure != OK || slot == STREAM_NONE ||
            !ID_EQUAL(position.stream.writer, core->config.self) ||
            !entitlement_shares(core, &report->reporter, &position.stream) ||
            position.had > core->streams.all[slot].tail || !step_has_room(step, 256, 0))
            continue;
        deposits_heard(core, &report->reporter, &position);
        struct effect *effect = step_effect(step, EFFECT_ACKED);
        effect->acked.peer = report->reporter;
        effect->acked.stream = position.stream;
        effect->acked.had = position.had;
    }
    return failure;
}

void collection_opened(struct core *core, const struct event *event, struct step *step)
{
    struct collection *collection = &core->collection;
    struct letter letter;
    if (collection->state != COLLECTION_OPENING || event->token.value != collection->serial)
        return;
    err failure = event->verdict;
    if (failure == OK)
        failure = letter_read(event->letter, &letter);
    if (failure == OK && letter.kind == LETTER_RECORD) {
        collection_record(core, &letter.record, step);
        return;
    }
    if (failure == OK)
        failure = collection_report(core, &letter.report, step);
    if (failure != OK)
        core_refuse(core, NULL, step, "envelope-passed-over", failure);
    collection_next(core, true, step);
}

/* ---- reports ---- */

/* Where we stand in what this writer wrote to us and in cases; the newest streams first. */
static uint16_t collection_positions(const struct core *core, const struct node_id *writer,
                                     struct buffer *out)
{
    uint16_t count = 0;
    for (uint32_t i = core->streams.count; i > 0 && count < CUSTODY_REPORT_COUNT_MAX; i--) {
        const struct stream *stream = &core->streams.all[i - 1];
        bool is_ours = stream->id.scope.kind == SCOPE_MAIL || stream->id.scope.kind == SCOPE_CASE;
        if (!is_ours || stream->tail == 0 || !ID_EQUAL(stream->id.writer, *writer))
            continue;
        struct frame_position position = gossip_position(core, i - 1);
        frame_position_write(out, &position);
        count++;
    }
    return count;
}

static void collection_enclose(struct core *core, uint32_t index, struct step *step)
{
    struct collection *collection = &core->collection;
    struct collection_report *report = &collection->reports[index];
    const struct mailbox_key *key = mailboxes_of(core, &report->writer);
    size_t room = CUSTODY_REPORT_COUNT_MAX * FRAME_POSITION_SIZE;
    struct buffer positions = core_frame(step, room);
    uint16_t count = collection_positions(core, &report->writer, &positions);
    if (key == NULL || count == 0) {
        *report = (struct collection_report){.at = {0}};
        return;
    }
    struct buffer letter = core_frame(step, LETTER_REPORT_OVERHEAD + positions.size);
    letter_report_begin(&letter, &core->config.federation, &core->config.self, count);
    buffer_put(&letter, positions.data, positions.size);
    collection->reporting = index + 1;
    struct effect *effect = custody_effect(step, CUSTODY_ENCLOSE);
    effect->token.value = collection->reporting;
    effect->enclose.to = *key;
    effect->enclose.letter = buffer_bytes(&letter);
    effect->enclose.signed_from = LETTER_SIGNED_AT;
}

/* A later report takes the place of the one before it, which is withdrawn first. */
void collection_enclosed(struct core *core, const struct event *event, struct step *step)
{
    struct collection *collection = &core->collection;
    uint32_t index = collection->reporting - 1;
    const struct stream_id none = {.generation = 1};
    int count = 0;
    if (collection->reporting == 0 || event->token.value != collection->reporting)
        return;
    collection->reporting = 0;
    struct collection_report *report = &collection->reports[index];
    struct deposit_id id = deposits_id(core, &report->writer, &none, 0, DEPOSITS_REPORT);
    struct frame_custody_leave leave = {id, report->writer, event->letter};
    const struct custodians *custodians = deposits_custodians(core, &report->writer);
    for (uint32_t i = 0; event->verdict == OK && i < custodians->count && count < CUSTODIAN_COUNT;
         i++) {
        const struct peer *peer = core_peer_of_node(core, &custodians->nodes[i]);
        if (peer == NULL || !step_has_room(step, 64, FRAME_SIZE_MAX))
            continue;
        struct buffer frame = core_frame(step, 64 + event->letter.size);
        frame_custody_withdraw_write(&frame, &id, 1);
        core_send(step, peer->link, &frame);
        frame = core_frame(step, 64 + event->letter.size);
        frame_custody_leave_write(&frame, &leave);
        core_send(step, peer->link, &frame);
        count++;
    }
    if (count > 0)
        *report = (struct collection_report){.at = {0}};
    else
        report->at.ms = core->now.ms + COLLECTION_WAIT_MS;
}

static void collection_tell(struct core *core, struct step *step)
{
    struct collection *collection = &core->collection;
    for (uint32_t i = 0; i < COLLECTION_REPORT_COUNT && collection->reporting == 0; i++) {
        struct collection_report *report = &collection->reports[i];
        if (ID_IS_ZERO(report->writer) || report->at.ms > core->now.ms)
            continue;
        if (core_peer_of_node(core, &report->writer) != NULL)
            *report = (struct collection_report){.at = {0}};
        else
            collection_enclose(core, i, step);
    }
}

void collection_react(struct core *core, struct step *step)
{
    struct collection *collection = &core->collection;
    if (collection->look_at.ms > core->now.ms || !custody_is_on(core) ||
        !step_has_room(step, 256, 2 * FRAME_SIZE_MAX))
        return;
    collection->look_at.ms = core->now.ms + COLLECTION_LOOK_MS;
    bool is_lost =
        collection->until.ms <= core->now.ms || core_peer_of_link(core, collection->link) == NULL;
    if (collection->state == COLLECTION_ASKED && is_lost)
        collection_end(core);
    if (collection->state == COLLECTION_IDLE && !core->is_full)
        collection_begin(core, step);
    collection_tell(core, step);
}
