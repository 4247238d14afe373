#include "protocol/state/equivocation.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/state/engine_state.h"

enum { EQUIVOCATION_EACH_MAX = 4 }; /* streams of one writer that are remembered */

bool equivocation_is_frozen(const struct engine *engine, const struct node_id *writer)
{
    const struct roster_entry *member =
        engine->equivocations.count == 0 ? NULL : roster_find(engine->roster, writer);
    for (uint32_t i = 0; i < engine->equivocations.count && member != NULL; i++) {
        const struct equivocation_fork *fork = &engine->equivocations.all[i];
        /* what names a head older than its writer, or one that nobody knows, was never in order:
         * else whoever joined late would say two things under an old head, and go on */
        bool is_decided =
            fork->epoch >= member->admitted_epoch && fork->epoch < member->state_since_epoch;
        if (ID_EQUAL(fork->stream.writer, *writer) && !is_decided && !PLANTED(FORKED_IS_HEARD))
            return true;
    }
    return false;
}

static void equivocation_mark(struct engine *engine, const struct stream_id *stream)
{
    uint32_t slot = streams_find(&engine->streams, stream);
    if (slot != STREAM_NONE)
        engine->streams.all[slot].flags |= STREAM_FORKED;
}

/* True when it was news. */
static bool equivocation_note(struct engine *engine, const struct stream_id *stream, uint64_t epoch)
{
    uint32_t of_writer = 0;
    struct equivocation_fork *oldest = NULL;
    equivocation_mark(engine, stream);
    for (uint32_t i = 0; i < engine->equivocations.count; i++) {
        struct equivocation_fork *fork = &engine->equivocations.all[i];
        if (stream_id_equal(&fork->stream, stream)) {
            bool is_later = epoch > fork->epoch;
            fork->epoch = is_later ? epoch : fork->epoch;
            return is_later;
        }
        if (!ID_EQUAL(fork->stream.writer, stream->writer))
            continue;
        of_writer++;
        oldest = oldest == NULL || fork->epoch < oldest->epoch ? fork : oldest;
    }
    /* who goes on is frozen already, or the officers decided: a later one takes the oldest one's
     * place, and nobody fills the table with its own */
    struct equivocation_fork *place = of_writer >= EQUIVOCATION_EACH_MAX ? oldest
                                      : engine->equivocations.count == EQUIVOCATION_COUNT_MAX
                                          ? NULL
                                          : &engine->equivocations.all[engine->equivocations.count];
    if (place == NULL || (place == oldest && (epoch <= oldest->epoch ||
                                              equivocation_is_frozen(engine, &stream->writer))))
        return false;
    engine->equivocations.count += place == oldest ? 0 : 1;
    *place = (struct equivocation_fork){*stream, epoch};
    return true;
}

static bool equivocation_is_noted(const struct engine *engine, const struct stream_id *stream)
{
    for (uint32_t i = 0; i < engine->equivocations.count; i++) {
        if (stream_id_equal(&engine->equivocations.all[i].stream, stream))
            return true;
    }
    return false;
}

bool equivocation_is_forked(const struct engine *engine, const struct stream_id *stream)
{
    uint32_t slot = streams_find(&engine->streams, stream);
    return slot == STREAM_NONE ? equivocation_is_noted(engine, stream)
                               : (engine->streams.all[slot].flags & STREAM_FORKED) != 0;
}

uint32_t equivocation_add_stream(struct engine *engine, const struct stream_id *stream)
{
    uint32_t slot = streams_add(&engine->streams, stream);
    if (slot != STREAM_NONE && equivocation_is_noted(engine, stream))
        engine->streams.all[slot].flags |= STREAM_FORKED; /* (T-24) */
    return slot;
}

uint32_t equivocation_count(const struct engine *engine)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < engine->streams.count; i++)
        count += (engine->streams.all[i].flags & STREAM_FORKED) != 0 ? 1 : 0;
    for (uint32_t i = 0; i < engine->equivocations.count; i++)
        count += streams_find(&engine->streams, &engine->equivocations.all[i].stream) == STREAM_NONE
                     ? 1
                     : 0;
    return count;
}

/* ---- keeping it ---- */

enum { EQUIVOCATION_ROW_SIZE = STREAM_ID_SIZE + 8 };

static void equivocation_keep(const struct engine *engine, struct step *step)
{
    struct buffer forks = peers_frame(step, EQUIVOCATION_COUNT_MAX * EQUIVOCATION_ROW_SIZE);
    for (uint32_t i = 0; i < engine->equivocations.count; i++) {
        stream_id_write(&forks, &engine->equivocations.all[i].stream);
        buffer_u64(&forks, engine->equivocations.all[i].epoch);
    }
    step_effect(step, EFFECT_FORKS)->forks = buffer_bytes(&forks);
}

/* (T-11) */
void equivocation_restore(struct engine *engine, struct bytes forks)
{
    struct reader reader = reader_of(PLANTED(FORK_FORGOTTEN) ? BYTES_NONE : forks);
    while (!reader_done(&reader)) {
        struct stream_id stream;
        err failure = stream_id_read(&reader, &stream);
        uint64_t epoch = reader_u64(&reader);
        if (failure != OK || reader.failed)
            return;
        (void)equivocation_note(engine, &stream, epoch);
    }
}

void equivocation_restore_stream(struct engine *engine, uint32_t slot)
{
    const struct stream *stream = &engine->streams.all[slot];
    if ((stream->flags & STREAM_FORKED) != 0)
        (void)equivocation_note(engine, &stream->id, stream->tail_epoch);
}

/* ---- finding it ---- */

/* 0 when the head is not known here. */
static uint64_t equivocation_epoch(const struct engine *engine, const struct record_claim *claim)
{
    const struct chain_link *head = chain_find(&engine->roster->chain, &claim->header.head);
    return head == NULL ? 0 : head->epoch;
}

void equivocation_found(struct engine *engine, const struct step_run *run,
                        const struct step_record *record, struct step *step)
{
    const struct stream *stream = &engine->streams.all[run->stream];
    struct record_claim claim;
    if (run->verdict != OK || stream->tail != run->first || (stream->flags & STREAM_FORKED) != 0 ||
        record_parse_again(record->record, &record->id, &claim) != OK)
        return;
    uint64_t epoch = equivocation_epoch(engine, &claim);
    struct effect *effect = step_effect(step, EFFECT_FORKED); /* (T-7) */
    effect->forked.stream = stream->id;
    effect->forked.sequence = run->first;
    effect->forked.other = (struct bytes){record->record.data, RECORD_BARE_SIZE};
    if (equivocation_note(engine, &stream->id,
                          epoch > stream->tail_epoch ? epoch : stream->tail_epoch))
        equivocation_keep(engine, step);
}

/* C-25: whoever reads a proof checks it. */
static err equivocation_check(const struct engine *engine, struct bytes content,
                              struct record_claim ret_claims[static 2])
{
    struct audit_evidence_fork_proof proof;
    err failure = audit_evidence_fork_proof_read(content, &proof);
    if (failure != OK)
        return failure;
    const struct bytes headers[] = {proof.header_a, proof.header_b};
    const struct signature *signatures[] = {&proof.signature_a, &proof.signature_b};
    for (int i = 0; failure == OK && i < 2; i++) {
        uint8_t bare[RECORD_BARE_SIZE];
        memcpy(bare, headers[i].data, RECORD_HEADER_SIZE);
        memcpy(bare + RECORD_HEADER_SIZE, signatures[i]->bytes, SIGNATURE_SIZE);
        failure = record_parse((struct bytes){bare, sizeof bare}, &ret_claims[i]);
        if (failure != OK)
            break;
        ret_claims[i].header_bytes = headers[i];
        ret_claims[i].body = BYTES_NONE;
        const struct record_header *header = &ret_claims[i].header;
        const struct roster_entry *writer = roster_find(engine->roster, &header->stream.writer);
        bool is_here = writer != NULL && ID_EQUAL(header->federation, engine->config.federation);
        failure = is_here ? record_verify(&ret_claims[i], &writer->sign_key) : ERR_UNKNOWN_MEMBER;
    }
    return failure;
}

void equivocation_proved(struct engine *engine, struct bytes content, struct step *step)
{
    struct record_claim claims[2];
    if (equivocation_check(engine, content, claims) != OK)
        return;
    uint64_t a = equivocation_epoch(engine, &claims[0]), b = equivocation_epoch(engine, &claims[1]);
    if (!equivocation_note(engine, &claims[0].header.stream, a > b ? a : b))
        return;
    if (engine->is_started)
        equivocation_keep(engine, step);
    else
        engine->equivocations.has_unkept = true;
}

void equivocation_start(struct engine *engine, struct step *step)
{
    if (engine->equivocations.has_unkept)
        equivocation_keep(engine, step);
    engine->equivocations.has_unkept = false;
}
