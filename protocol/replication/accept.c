#include "protocol/replication/accept.h"

#include <string.h>

#include "protocol/replication/generation.h"
#include "protocol/replication/push.h"
#include "protocol/replication/receive.h"
#include "protocol/replication/sync.h"
#include "protocol/state/access.h"
#include "protocol/state/equivocation.h"

/* What the check found of a body becomes flags; a body that is not what was promised is left out,
 * to be asked for elsewhere. */
static void accept_judge(struct step_record *record)
{
    if (record->verdict == OK)
        return;
    if (record->verdict == ERR_BAD_HASH) {
        record->flags = (record->flags & ~(uint32_t)RECORD_KEYLESS) | RECORD_BARE;
        record->has_key = false;
        record->record.size = RECORD_BARE_SIZE;
    } else if (record->verdict == ERR_BAD_KEY) {
        record->flags |= RECORD_KEYLESS;
        record->has_key = false;
    } else { /* the writer's own doing: kept, never shown */
        record->flags |= RECORD_MALFORMED;
    }
}

/* Does what was checked go on from where the store's part ends? What of it is there already,
 * another copy brought meanwhile. */
static bool accept_holds(struct engine *engine, const struct step_run *run,
                         const struct step_record *records, uint16_t *ret_known)
{
    const struct stream *stream = &engine->streams.all[run->stream];
    struct record_claim claim;
    *ret_known = 0;
    if (step_run_fills(run))
        return true;
    if (equivocation_is_frozen(engine, &stream->id.writer))
        return false; /* since it was sent to be checked */
    if (run->verdict != OK || (stream->flags & STREAM_FORKED) != 0 || run->first > stream->kept + 1)
        return false;
    uint64_t known = stream->kept + 1 - run->first;
    *ret_known = known < run->count ? (uint16_t)known : run->count;
    if (known >= run->count || stream->kept == 0)
        return true;
    return record_parse_again(records[known].record, &records[known].id, &claim) == OK &&
           ID_EQUAL(claim.header.previous, stream->kept_id);
}

static bool accept_is_erased(const struct engine *engine, const struct step_run *run)
{
    const struct scope *scope = &engine->streams.all[run->stream].id.scope;
    struct case_id case_id = scope_case_id(scope);
    return scope->kind == SCOPE_CASE && case_table_is_erased(engine, &case_id);
}

/* The case was erased while this record was being checked: its body is not kept. */
static void accept_spare(struct step_record *record)
{
    struct record_claim claim;
    if (record_parse(record->record, &claim) != OK || claim.header.audience == AUDIENCE_CLEAR)
        return;
    record->flags = (record->flags & ~(uint32_t)RECORD_KEYLESS) | RECORD_BARE | RECORD_DESTROYED;
    record->has_key = false;
    record->record.size = RECORD_BARE_SIZE;
    record->plaintext = BYTES_NONE;
}

/* What was not signed by its writer held the stream's end for a moment. Whoever sent it could go on
 * and shut out everybody else: it is not heard about this stream for a while. */
static void accept_note_forger(struct engine *engine, uint32_t slot, struct link_id link)
{
    struct stream *stream = &engine->streams.all[slot];
    stream->forger = link;
    stream->forged_until.ms = engine->now.ms + FORGER_PAUSE_MS;
}

/* What stands on a board before our own admission to it, nobody may ever give us. */
static void accept_withhold(const struct engine *engine, struct step_record *record)
{
    struct record_claim claim;
    if ((record->flags & (RECORD_BARE | RECORD_KEYLESS)) != 0 &&
        record_parse_again(record->record, &record->id, &claim) == OK &&
        claim.header.stream.scope.kind == SCOPE_BOARD &&
        access_read(engine, &engine->config.self, &claim) == ERR_NOT_ENTITLED)
        record->flags |= RECORD_WITHHELD;
}

/* The stream goes to the store up to this record. */
static void accept_reach(struct engine *engine, uint32_t slot, const struct step_record *last)
{
    struct record_claim claim;
    if (record_parse_again(last->record, &last->id, &claim) != OK)
        return; /* it parsed before it was checked */
    const struct chain_link *head = chain_find(&engine->roster->chain, &claim.header.head);
    uint64_t epoch = head == NULL ? engine->streams.all[slot].kept_epoch : head->epoch;
    streams_keep(&engine->streams, slot, claim.header.sequence, &claim.id, epoch);
}

/* The ERASE is not kept here: that the case is erased is, before anything is destroyed. */
static void accept_obey(struct engine *engine, const struct step_run *run,
                        const struct step_record *record)
{
    if (run->verdict == OK && record->verdict == OK && record->plaintext.size > 0)
        notice_put(&engine->notices, &(struct notice){.kind = NOTICE_ERASE, .record = record});
}

void accept_erasures(struct engine *engine, const struct event *event)
{
    const struct step_record *record = event->batch.records;
    for (size_t i = 0; i < event->batch.run_count; record += event->batch.runs[i++].count) {
        if (event->batch.runs[i].purpose == RUN_DETACHED)
            accept_obey(engine, &event->batch.runs[i], record);
    }
}

/* What only tells something, if it is signed. True when it was such a run. What an ERASE tells was
 * noticed before (accept_erasures). */
static bool accept_heard(struct engine *engine, const struct event *event,
                         const struct step_run *run, const struct step_record *record,
                         struct step *step)
{
    struct record_claim claim;
    if (run->purpose == RUN_CONFLICT)
        equivocation_found(engine, run, record, step);
    else if (run->purpose == RUN_LOOKUP && run->verdict == OK &&
             record_parse_again(record->record, &record->id, &claim) == OK)
        generation_seek(engine, run, &claim, event->link, step);
    return run->purpose == RUN_CONFLICT || run->purpose == RUN_DETACHED ||
           run->purpose == RUN_LOOKUP;
}

/* (T-36) Does the link answer for the signature? Not for one that it may have checked with another
 * key: under another roster, or before the writer's key changed. */
static bool accept_is_forgery(const struct engine *engine, const struct peer *peer,
                              const struct step_run *run, const struct step_record *last)
{
    struct record_claim claim;
    if (peer == NULL || run->verdict != ERR_BAD_SIGNATURE || !run->is_vouched ||
        record_parse_again(last->record, &last->id, &claim) != OK)
        return false;
    const struct node_id *writer = &claim.header.stream.writer;
    bool is_same_roster = peer->relation == CHAIN_SAME || peer->relation == CHAIN_PEER_BEHIND;
    return (is_same_roster || ID_EQUAL(*writer, peer->node)) &&
           roster_signer(engine->roster, writer, &claim.header.head) != NULL;
}

static void accept_forgery(struct engine *engine, const struct peer *peer, struct step *step)
{
    enum forgery what = forgers_note(&engine->forgers, &peer->node, engine->now);
    if (what == FORGERY_ANOTHER || !step_has_room(step, 64, 0))
        return;
    const struct forger *forger = forgers_find(&engine->forgers, &peer->node);
    struct effect *effect = step_effect(step, EFFECT_FORGER);
    effect->forger.peer = peer->node;
    effect->forger.count = forger->total;
    if (what != FORGERY_CUT)
        return;
    effect->forger.refused_ms = forger->refused_until.ms - engine->now.ms;
    step_effect(step, EFFECT_HANGUP)->link = peer->link;
}

/* What does not go on from where the store's part ends, or was not signed. */
static void accept_turn_down(struct engine *engine, const struct event *event,
                             const struct step_run *run, const struct step_record *records,
                             struct step *step)
{
    struct peer *peer = peers_of_link(engine, event->link);
    if (peer != NULL && run->verdict != OK)
        sync_pass_over(engine, peer, run->stream, run->verdict);
    if (run->purpose != RUN_ALTERNATE &&
        run->speculation == engine->streams.all[run->stream].speculation)
        streams_fall_back(&engine->streams, run->stream);
    if (run->verdict == ERR_BAD_SIGNATURE && event->link.value != 0)
        accept_note_forger(engine, run->stream, event->link);
    if (accept_is_forgery(engine, peer, run, &records[run->count - 1]))
        accept_forgery(engine, peer, step);
    peers_refuse(engine, peer, step, "run-refused",
                 run->verdict != OK ? run->verdict : ERR_OUT_OF_ORDER);
}

/* The store gets the stream up to the last of these. What is being checked beyond, if it does not
 * go on from there, is forgotten. */
static void accept_go_on(struct engine *engine, struct step_run *run,
                         const struct step_record *last)
{
    struct stream *stream = &engine->streams.all[run->stream];
    accept_reach(engine, run->stream, last);
    if (run->purpose == RUN_ALTERNATE || stream->next < stream->kept ||
        (stream->next == stream->kept && !ID_EQUAL(stream->next_id, stream->kept_id)))
        streams_fall_back(&engine->streams, run->stream);
    run->speculation = stream->speculation;
}

/* What the disk lost comes back by its name. Its own signature is good as well, unless its writer
 * has another key by now and a later record vouches for it. One copy at a time. */
static bool accept_repairs(struct engine *engine, const struct step_run *run,
                           const struct step_record *record)
{
    struct record_claim claim;
    struct missing *missing = streams_missing_find(&engine->streams, run->stream, run->first);
    if (missing == NULL || !missing->is_lost || missing->is_repairing ||
        record_parse_again(record->record, &record->id, &claim) != OK ||
        !ID_EQUAL(missing->record, claim.id))
        return false;
    const struct node_id *writer = &claim.header.stream.writer;
    bool is_of_another_key = roster_find(engine->roster, writer) != NULL &&
                             roster_signer(engine->roster, writer, &claim.header.head) == NULL;
    if ((record->flags & RECORD_UNSIGNED) != 0 &&
        (!is_of_another_key || run->first == engine->streams.all[run->stream].tail))
        return false;
    missing->is_repairing = true;
    return true;
}

/* What is filled in is all that was missing; and of an erased case nothing is. */
static bool accept_fills(const struct engine *engine, const struct step_run *run,
                         const struct step_record *record)
{
    /* what does not open under the right key is its writer's doing: kept, and never shown */
    bool is_bad = record->verdict != OK && record->verdict != ERR_MALFORMED;
    return !is_bad && !accept_is_erased(engine, run) && (record->flags & RECORD_DESTROYED) == 0;
}

static void accept_sift_run(struct engine *engine, const struct step_run *run, uint16_t known,
                            const struct step_record *records, struct step_batch *keep)
{
    if (step_run_fills(run) && !(run->purpose == RUN_REPAIR ? accept_repairs(engine, run, records)
                                                            : accept_fills(engine, run, records)))
        return;
    struct step_run *kept = &keep->runs[keep->run_count++];
    *kept = *run;
    kept->first += known;
    kept->count = (uint16_t)(run->count - known);
    if (!step_run_fills(run))
        accept_go_on(engine, kept, &records[run->count - 1]);
    for (uint16_t j = known; j < run->count; j++) {
        struct step_record *record = &keep->records[keep->record_count++];
        *record = records[j];
        if (!step_run_fills(run) && j + 1 < run->count)
            record->flags |= RECORD_UNSIGNED; /* (T-4) */
        accept_judge(record);
        accept_withhold(engine, record);
        if (accept_is_erased(engine, run))
            accept_spare(record);
    }
}

/* Moves the runs that hold into `keep`. */
static void accept_sift(struct engine *engine, const struct event *event, struct step_batch *keep,
                        struct step *step)
{
    size_t offset = 0;
    for (size_t i = 0; i < event->batch.run_count; i++) {
        const struct step_run *run = &event->batch.runs[i];
        const struct step_record *records = event->batch.records + offset;
        struct stream *stream = &engine->streams.all[run->stream];
        uint16_t known;
        offset += run->count;
        if (run->purpose == RUN_ALTERNATE && stream->alternate.value == event->link.value)
            stream->alternate.value = 0;
        if (accept_heard(engine, event, run, records, step))
            continue;
        if (!accept_holds(engine, run, records, &known))
            accept_turn_down(engine, event, run, records, step);
        else if (known < run->count)
            accept_sift_run(engine, run, known, records, keep);
    }
}

/* What becomes of the record that an envelope held is decided. */
static void accept_settled(struct engine *engine, err verdict)
{
    notice_put(&engine->notices, &(struct notice){.kind = NOTICE_SETTLED, .verdict = verdict});
}

/* Nothing is to be kept of what an envelope held: it was obeyed, is a proof against its writer, or
 * is worth nothing; unless another took its place, or its time may come. */
static void accept_unkept(struct engine *engine, const struct event *event)
{
    const struct step_run *run = event->batch.runs;
    if (event->link.value != 0 || event->batch.run_count != 1)
        return;
    bool is_late =
        run->purpose == RUN_LOOKUP ||
        (run->verdict == OK && (run->purpose == RUN_EXTEND || run->purpose == RUN_ALTERNATE));
    accept_settled(engine, is_late ? ERR_OUT_OF_ORDER : ERR_INVALID);
}

/* (T-21) Each writer pays for what of it goes to the store, or gets it back. */
static void accept_pay(struct engine *engine, const struct step_batch *batch, bool is_refund)
{
    for (size_t i = 0; i < batch->record_count; i++) {
        const struct step_record *record = &batch->records[i];
        struct record_claim claim;
        if ((record->flags & RECORD_OWN) != 0 ||
            record_parse_again(record->record, &record->id, &claim) != OK)
            continue;
        if (is_refund)
            writer_quota_refund(&engine->writer_quota, &claim.header.stream.writer,
                                record->record.size);
        else
            writer_quota_charge(&engine->writer_quota, &claim.header.stream.writer,
                                record->record.size);
    }
}

struct effect *accept_checked(struct engine *engine, const struct event *event, struct step *step)
{
    struct peer *peer = peers_of_link(engine, event->link);
    struct step_batch keep = {
        .runs = step_reserve(step, event->batch.run_count * sizeof *keep.runs),
        .records = step_reserve(step, event->batch.record_count * sizeof *keep.records),
    };
    accept_sift(engine, event, &keep, step);
    if (peer != NULL) { /* what is kept stays charged: a slow disk must not fill the memory */
        receive_discharge(peer, &event->batch);
        receive_charge(peer, &keep);
    }
    if (keep.run_count == 0) {
        accept_unkept(engine, event);
        return NULL;
    }
    accept_pay(engine, &keep, false);
    struct effect *effect = step_effect(step, EFFECT_KEEP);
    effect->link = event->link;
    effect->batch = keep;
    return effect;
}

static void accept_tell(const struct record_claim *claim, const struct step_record *record,
                        struct step *step)
{
    struct reader reader = reader_of(record->plaintext);
    struct effect *effect = step_effect(step, EFFECT_TOLD);
    effect->told.scope = claim->header.stream.scope;
    effect->told.record = claim->id;
    effect->told.writer = claim->header.stream.writer;
    effect->told.kind = record->plaintext.size >= 2 ? reader_u16(&reader) : 0;
}

/* (T-5) the position is taken; what is missing goes on a list */
static void accept_note_missing(struct engine *engine, uint32_t slot,
                                const struct record_claim *claim, uint32_t flags)
{
    if (!step_is_missing(flags))
        return;
    bool is_sealed = claim->header.audience == AUDIENCE_REQUESTER &&
                     access_read(engine, &engine->config.self, claim) != OK;
    (void)streams_missing_add(&engine->streams, slot, claim->header.sequence, &claim->id,
                              is_sealed);
}

static void accept_advance(struct engine *engine, uint32_t slot, const struct record_claim *claim)
{
    struct stream *stream = &engine->streams.all[slot];
    stream->tail = claim->header.sequence;
    stream->tail_id = claim->id;
    const struct chain_link *head = chain_find(&engine->roster->chain, &claim->header.head);
    if (head != NULL) /* a healing head may have taken it away meanwhile */
        stream->tail_epoch = head->epoch;
    if (stream->kept < stream->tail)
        streams_keep(&engine->streams, slot, stream->tail, &stream->tail_id, stream->tail_epoch);
    if (stream->next < stream->tail) {
        stream->next = stream->tail;
        stream->next_id = stream->tail_id;
        stream->next_epoch = stream->tail_epoch;
    }
}

/* ---- durable ---- */

/* The record takes its place: what of it is missing goes on the list. */
static void accept_take_place(struct engine *engine, const struct step_run *run,
                              const struct step_record *record, const struct record_claim *claim,
                              struct step *step)
{
    bool is_own = (record->flags & RECORD_OWN) != 0;
    if (step_run_fills(run)) {
        streams_missing_remove(&engine->streams, run->stream, run->first);
        if (run->purpose == RUN_REPAIR)
            accept_note_missing(engine, run->stream, claim, record->flags);
        return;
    }
    accept_advance(engine, run->stream, claim);
    generation_opened(engine, run->stream, claim, step);
    if (!is_own && ID_EQUAL(claim->header.stream.writer, engine->config.self))
        generation_returned(engine, run->stream, step);
    accept_note_missing(engine, run->stream, claim, record->flags);
}

/* An envelope is opened one at a time, and nobody's link stands for it. */
static bool accept_is_enclosed(const struct event *event)
{
    return event->link.value == 0 && event->batch.record_count == 1 &&
           (event->batch.records->flags & RECORD_OWN) == 0;
}

static void accept_discharge(struct engine *engine, const struct event *event)
{
    struct peer *peer = peers_of_link(engine, event->link);
    if (peer != NULL)
        receive_discharge(peer, &event->batch);
}

void accept_begin(struct engine *engine, const struct event *event, struct accept_walk *walk)
{
    accept_discharge(engine, event);
    engine->is_full = false;
    *walk = (struct accept_walk){.event = event};
}

bool accept_next(struct engine *engine, struct accept_walk *walk, struct step *step)
{
    const struct step_batch *batch = &walk->event->batch;
    while (walk->run < batch->run_count && walk->in_run == batch->runs[walk->run].count) {
        streams_settle(&engine->streams, batch->runs[walk->run++].stream);
        walk->in_run = 0;
    }
    if (walk->run == batch->run_count)
        return false;
    const struct step_record *record = &batch->records[walk->record++];
    walk->in_run++;
    struct record_claim claim;
    if (record_parse_again(record->record, &record->id, &claim) != OK)
        return true; /* it parsed before it was checked */
    accept_take_place(engine, &batch->runs[walk->run], record, &claim, step);
    if (record->plaintext.size > 0 && record->verdict == OK)
        notice_put(&engine->notices, &(struct notice){.kind = NOTICE_DURABLE, .record = record});
    return true;
}

void accept_applied(struct engine *engine, const struct accept_walk *walk, struct step *step)
{
    const struct step_batch *batch = &walk->event->batch;
    const struct step_record *record = &batch->records[walk->record - 1];
    struct record_claim claim;
    if (record_parse_again(record->record, &record->id, &claim) != OK)
        return;
    if ((record->flags & RECORD_OWN) != 0)
        push_push(engine, batch->runs[walk->run].stream, &claim, record, step);
    accept_tell(&claim, record, step);
}

void accept_end(struct engine *engine, const struct accept_walk *walk, struct step *step)
{
    const struct step_batch *batch = &walk->event->batch;
    if (walk->event->link.value != 0) {
        uint32_t *slots = step_reserve(step, batch->run_count * sizeof *slots);
        for (size_t i = 0; i < batch->run_count; i++)
            slots[i] = batch->runs[i].stream;
        push_acknowledge(engine, walk->event->link, slots, batch->run_count, step);
    } else if (accept_is_enclosed(walk->event)) {
        accept_settled(engine, OK);
    }
}

/* ---- not kept ---- */

/* C-55: what has no room is not kept, and an ERASE among it is obeyed. */
static void accept_obey_all(struct engine *engine, const struct step_batch *batch)
{
    const struct step_record *record = batch->records;
    for (size_t i = 0; i < batch->run_count; i++) {
        for (uint16_t j = 0; j < batch->runs[i].count; j++, record++) {
            struct record_claim claim;
            bool is_theirs = (record->flags & RECORD_OWN) == 0 && !step_run_fills(&batch->runs[i]);
            if (is_theirs && record_parse_again(record->record, &record->id, &claim) == OK &&
                receive_takes_erase(engine, &claim))
                accept_obey(engine, &batch->runs[i], record);
        }
    }
}

static void accept_forget(struct engine *engine, const struct step_run *run)
{
    struct missing *missing = run->purpose == RUN_REPAIR
                                  ? streams_missing_find(&engine->streams, run->stream, run->first)
                                  : NULL;
    if (missing != NULL)
        missing->is_repairing = false;
    /* what was given to the store before the last rewind was forgotten with it */
    if (!step_run_fills(run) && run->speculation >= engine->streams.all[run->stream].rewound)
        streams_rewind(&engine->streams, run->stream);
}

void accept_lost(struct engine *engine, const struct event *event, struct step *step)
{
    accept_discharge(engine, event);
    accept_pay(engine, &event->batch, true);
    for (size_t i = 0; i < event->batch.run_count; i++)
        accept_forget(engine, &event->batch.runs[i]);
    engine->is_full = event->verdict == ERR_FULL;
    engine->full_until.ms = engine->now.ms + FULL_RETRY_MS;
    if (engine->is_full)
        accept_obey_all(engine, &event->batch);
    peers_refuse(engine, peers_of_link(engine, event->link), step, "keep-failed", event->verdict);
    const struct step_record *first = event->batch.records;
    if (event->batch.record_count == 1 && (first->flags & RECORD_OWN) != 0 &&
        event->token.value == 0)
        notice_put(&engine->notices,
                   &(struct notice){.kind = NOTICE_WRITE_FAILED, .record = first});
    if (accept_is_enclosed(event))
        accept_settled(engine, event->verdict);
}
