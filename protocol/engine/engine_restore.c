#include "protocol/engine/engine_restore.h"

#include "protocol/cases/case_paging.h"
#include "protocol/custody/custody_outbox.h"
#include "protocol/custody/custody_store.h"
#include "protocol/custody/mailbox_keys.h"
#include "protocol/replication/generation.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"

static void engine_restore_stream(struct engine *engine, const struct event *event)
{
    uint32_t slot = streams_add(&engine->streams, &event->stream.id);
    if (slot == STREAM_NONE)
        return;
    struct stream *stream = &engine->streams.all[slot];
    uint64_t before = stream->tail < event->stream.tail ? stream->tail : event->stream.tail;
    stream->tail = event->stream.tail;
    stream->tail_id = event->stream.tail_id;
    stream->tail_epoch = event->stream.epoch;
    stream->flags = event->stream.flags;
    streams_rewind(&engine->streams, slot);
    writer_quota_restore(&engine->writer_quota, &stream->id.writer, stream->tail - before);
    equivocation_restore_stream(engine, slot);
}

static void engine_restore_missing(struct engine *engine, const struct event *event)
{
    uint32_t slot = streams_find(&engine->streams, &event->missing.id);
    if (slot != STREAM_NONE && (event->missing.flags & RECORD_LOST) != 0) {
        streams_lose(&engine->streams, slot, event->missing.sequence, &event->missing.record);
        return;
    }
    if (slot != STREAM_NONE && step_is_missing(event->missing.flags))
        (void)streams_missing_add(&engine->streams, slot, event->missing.sequence,
                                  &event->missing.record, event->missing.is_sealed);
}

static void engine_restore_report(struct engine *engine, const struct event *event)
{
    struct frame_position position = {
        .stream = event->report.stream, .tail = event->report.had, .had = event->report.had};
    custody_outbox_heard(engine, &event->report.peer, &position);
}

void engine_restore(struct engine *engine, const struct event *event)
{
    if (event->kind == EVENT_RESTORE_STREAM)
        engine_restore_stream(engine, event);
    else if (event->kind == EVENT_RESTORE_MISSING)
        engine_restore_missing(engine, event);
    else if (event->kind == EVENT_RESTORE_CASE)
        case_paging_restore(engine, event->rest.row);
    else if (event->kind == EVENT_RESTORE_WRITER)
        writer_quota_restore_used(&engine->writer_quota, &event->writer.node,
                                  event->writer.used_kib);
    else if (event->kind == EVENT_RESTORE_FORKS)
        equivocation_restore(engine, event->forks);
    else if (event->kind == EVENT_RESTORE_GENERATION)
        generation_restore(engine, event);
    else if (event->kind == EVENT_RESTORE_MARKER)
        generation_marker(engine, event);
    else if (event->kind == EVENT_RESTORE_REPORT)
        engine_restore_report(engine, event);
    else if (event->kind == EVENT_RESTORE_MAILBOX)
        mailbox_keys_restore(engine, &event->mailbox);
    else
        custody_store_restore(engine, event);
}
