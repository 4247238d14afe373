#include "protocol/core/equivocation.h"

#include <string.h>

#include "protocol/record/witness.h"

enum { EQUIVOCATION_EACH_MAX = 4 }; /* streams of one writer that are remembered */

bool equivocation_is_frozen(const struct core *core, const struct node_id *writer)
{
    const struct roster_entry *member =
        core->fork_count == 0 ? NULL : roster_find(core->roster, writer);
    for (uint32_t i = 0; i < core->fork_count && member != NULL; i++) {
        const struct core_fork *fork = &core->forks[i];
        /* what names a head older than its writer, or one that nobody knows, was never in order:
         * else whoever joined late would say two things under an old head, and go on */
        bool is_decided =
            fork->epoch >= member->admitted_epoch && fork->epoch < member->state_since_epoch;
        if (ID_EQUAL(fork->stream.writer, *writer) && !is_decided)
            return true;
    }
    return false;
}

static void equivocation_mark(struct core *core, const struct stream_id *stream)
{
    uint32_t slot = streams_find(&core->streams, stream);
    if (slot != STREAM_NONE)
        core->streams.all[slot].flags |= STREAM_FORKED;
}

/* True when it was news. */
static bool equivocation_note(struct core *core, const struct stream_id *stream, uint64_t epoch)
{
    uint32_t of_writer = 0;
    struct core_fork *oldest = NULL;
    equivocation_mark(core, stream);
    for (uint32_t i = 0; i < core->fork_count; i++) {
        struct core_fork *fork = &core->forks[i];
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
    struct core_fork *place = of_writer >= EQUIVOCATION_EACH_MAX   ? oldest
                              : core->fork_count == FORK_COUNT_MAX ? NULL
                                                                   : &core->forks[core->fork_count];
    if (place == NULL || (place == oldest && (epoch <= oldest->epoch ||
                                              equivocation_is_frozen(core, &stream->writer))))
        return false;
    core->fork_count += place == oldest ? 0 : 1;
    *place = (struct core_fork){*stream, epoch};
    return true;
}

/* ---- keeping it ---- */

enum { EQUIVOCATION_ROW_SIZE = STREAM_ID_SIZE + 8 };

static void equivocation_keep(const struct core *core, struct step *step)
{
    struct buffer forks = core_frame(step, FORK_COUNT_MAX * EQUIVOCATION_ROW_SIZE);
    for (uint32_t i = 0; i < core->fork_count; i++) {
        stream_id_write(&forks, &core->forks[i].stream);
        buffer_u64(&forks, core->forks[i].epoch);
    }
    step_effect(step, EFFECT_FORKS)->forks = buffer_bytes(&forks);
}

/* (T-11) */
void equivocation_restore(struct core *core, struct bytes forks)
{
    struct reader reader = reader_of(forks);
    while (!reader_done(&reader)) {
        struct stream_id stream;
        err failure = stream_id_read(&reader, &stream);
        uint64_t epoch = reader_u64(&reader);
        if (failure != OK || reader.failed)
            return;
        (void)equivocation_note(core, &stream, epoch);
    }
}

void equivocation_restore_stream(struct core *core, uint32_t slot)
{
    const struct stream *stream = &core->streams.all[slot];
    if ((stream->flags & STREAM_FORKED) != 0)
        (void)equivocation_note(core, &stream->id, stream->tail_epoch);
}

/* ---- finding it ---- */

/* 0 when the head is not known here. */
static uint64_t equivocation_epoch(const struct core *core, const struct record_claim *claim)
{
    const struct chain_link *head = chain_find(&core->roster->chain, &claim->header.head);
    return head == NULL ? 0 : head->epoch;
}

void equivocation_found(struct core *core, const struct step_run *run,
                        const struct step_record *record, struct step *step)
{
    const struct stream *stream = &core->streams.all[run->stream];
    struct record_claim claim;
    if (run->verdict != OK || stream->tail != run->first || (stream->flags & STREAM_FORKED) != 0 ||
        record_parse_again(record->record, &record->id, &claim) != OK)
        return;
    uint64_t epoch = equivocation_epoch(core, &claim);
    struct effect *effect = step_effect(step, EFFECT_FORKED); /* (T-7) */
    effect->forked.stream = stream->id;
    effect->forked.sequence = run->first;
    effect->forked.other = (struct bytes){record->record.data, RECORD_BARE_SIZE};
    if (equivocation_note(core, &stream->id,
                          epoch > stream->tail_epoch ? epoch : stream->tail_epoch))
        equivocation_keep(core, step);
}

/* C-25: whoever reads a proof checks it. */
static err equivocation_check(const struct core *core, struct bytes content,
                              struct record_claim ret_claims[static 2])
{
    struct witness_fork_proof proof;
    err failure = witness_fork_proof_read(content, &proof);
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
        const struct roster_entry *writer = roster_find(core->roster, &header->stream.writer);
        bool is_here = writer != NULL && ID_EQUAL(header->federation, core->config.federation);
        failure = is_here ? record_verify(&ret_claims[i], &writer->sign_key) : ERR_UNKNOWN_MEMBER;
    }
    return failure;
}

void equivocation_proved(struct core *core, struct bytes content, struct step *step)
{
    struct record_claim claims[2];
    if (equivocation_check(core, content, claims) != OK)
        return;
    uint64_t a = equivocation_epoch(core, &claims[0]), b = equivocation_epoch(core, &claims[1]);
    if (equivocation_note(core, &claims[0].header.stream, a > b ? a : b) && core->is_started)
        equivocation_keep(core, step);
}
