/* The start: what the store kept of streams, cases and others comes back, before anything happens.
 */
#include "protocol/core/core_state.h"

#include "protocol/core/casework.h"
#include "protocol/core/custody.h"
#include "protocol/core/deposits.h"
#include "protocol/core/equivocation.h"
#include "protocol/core/generation.h"
#include "protocol/core/mailboxes.h"

static void core_restore_stream(struct core *core, const struct event *event)
{
    uint32_t slot = streams_add(&core->streams, &event->stream.id);
    if (slot == STREAM_NONE)
        return;
    struct stream *stream = &core->streams.all[slot];
    uint64_t before = stream->tail < event->stream.tail ? stream->tail : event->stream.tail;
    stream->tail = event->stream.tail;
    stream->tail_id = event->stream.tail_id;
    stream->tail_epoch = event->stream.epoch;
    stream->flags = event->stream.flags;
    streams_rewind(&core->streams, slot);
    writers_restore(&core->writers, &stream->id.writer, stream->tail - before);
    equivocation_restore_stream(core, slot);
}

static void core_restore_lack(struct core *core, const struct event *event)
{
    uint32_t slot = streams_find(&core->streams, &event->lack.id);
    uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    if (slot != STREAM_NONE && (event->lack.flags & RECORD_LOST) != 0) {
        streams_lose(&core->streams, slot, event->lack.sequence, &event->lack.record);
        return;
    }
    if (slot != STREAM_NONE && (event->lack.flags & gone) == 0)
        (void)streams_lack_add(&core->streams, slot, event->lack.sequence, &event->lack.record,
                               event->lack.is_sealed);
}

static void core_restore_report(struct core *core, const struct event *event)
{
    struct frame_position position = {
        .stream = event->report.stream, .tail = event->report.had, .had = event->report.had};
    deposits_heard(core, &event->report.peer, &position);
}

static void core_replay(struct core *core, const struct event *event, struct step *step)
{
    const struct step_batch *batch = &event->replay.batch;
    core->is_replaying_again = event->replay.is_again;
    for (size_t i = 0; i < batch->record_count; i++) {
        struct record_claim claim;
        if (record_parse(batch->records[i].record, &claim) == OK)
            casework_take(core, &claim, batch->records[i].plaintext, step);
    }
}

void core_restore(struct core *core, const struct event *event, struct step *step)
{
    if (event->kind == EVENT_RESTORE_STREAM)
        core_restore_stream(core, event);
    else if (event->kind == EVENT_RESTORE_LACK)
        core_restore_lack(core, event);
    else if (event->kind == EVENT_RESTORE_CASE)
        casework_restore(core, event->rest.row);
    else if (event->kind == EVENT_RESTORE_FORKS)
        equivocation_restore(core, event->forks);
    else if (event->kind == EVENT_RESTORE_GENERATION)
        generation_restore(core, event);
    else if (event->kind == EVENT_RESTORE_MARKER)
        generation_marker(core, event);
    else if (event->kind == EVENT_RESTORE_REPORT)
        core_restore_report(core, event);
    else if (event->kind == EVENT_RESTORE_MAILBOX)
        mailboxes_restore(core, &event->mailbox);
    else if (event->kind == EVENT_RESTORE_HELD)
        custody_restore(core, event);
    else
        core_replay(core, event, step);
}
