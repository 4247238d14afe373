/* The start: streams, missing records, erased cases, and what records mean, from the disk into the
 * engine, in the order of node/runtime/restore.c. */
#include <stdlib.h>
#include <string.h>

#include "protocol/replication/batch_verify.h"
#include "protocol/state/streams.h"
#include "tests/sim/held_mail.h"
#include "tests/sim/hospital.h"

static int reboot_pass(const struct hospital *hospital, const struct stream_id *stream, int pass)
{
    bool is_own = ID_EQUAL(stream->writer, hospital->node);
    struct case_id case_id;
    memcpy(case_id.bytes, stream->scope.id, HASH_SIZE);
    switch (stream->scope.kind) {
    case SCOPE_FEDERATION:
        return pass == 0;
    case SCOPE_MAIL:
        return pass == 2;
    case SCOPE_CASE:
        return (pass == 1 || pass == 3) && !engine_case_rests(hospital->engine, &case_id);
    case SCOPE_BOARD:
        return pass == 4 && is_own;
    }
    return 0;
}

static void reboot_stream(struct hospital *hospital, const struct disk_stream *stream)
{
    struct event event = hospital_event(hospital, EVENT_RESTORE_STREAM);
    event.stream.id = stream->id;
    event.stream.tail = stream->tail;
    event.stream.tail_id = stream->tail_id;
    event.stream.epoch = stream->epoch;
    event.stream.flags = stream->flags;
    hospital_step(hospital, &event);
}

static void reboot_missing(struct hospital *hospital, const struct disk_stream *stream)
{
    uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    for (uint64_t i = 0; i < stream->tail; i++) {
        const struct disk_record *record = &stream->records[i];
        if ((record->flags & (RECORD_BARE | RECORD_KEYLESS)) == 0 || (record->flags & gone) != 0)
            continue;
        struct event event = hospital_event(hospital, EVENT_RESTORE_MISSING);
        event.missing.id = stream->id;
        event.missing.sequence = i + 1;
        event.missing.record = record->id;
        event.missing.flags = record->flags;
        event.missing.is_sealed = record->audience == AUDIENCE_REQUESTER;
        hospital_step(hospital, &event);
    }
}

static void reboot_replay(struct hospital *hospital, const struct disk_stream *stream,
                          bool is_again)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    for (uint64_t i = 0; i < stream->tail; i++) {
        const struct disk_record *from = &stream->records[i];
        struct step_record opened = {.record = {from->bytes, from->size},
                                     .has_key = from->has_key,
                                     .key = from->key,
                                     .flags = from->flags};
        struct step_batch batch = {NULL, 0, &opened, 1};
        struct buffer room = buffer_over(memory, sizeof memory);
        batch_verify_open(&opened, &room);
        struct event event = hospital_event(hospital, EVENT_REPLAY);
        event.replay.batch = batch;
        event.replay.is_again = is_again;
        if (opened.verdict == OK && opened.plaintext.size > 0)
            hospital_step(hospital, &event);
    }
}

static void reboot_case(struct hospital *hospital, const struct disk_case *erased)
{
    struct event event = hospital_event(hospital, EVENT_RESTORE_CASE);
    event.rest.row = (struct bytes){erased->bytes, erased->size};
    hospital_step(hospital, &event);
}

static void reboot_generation(struct hospital *hospital, const struct disk_generation *row)
{
    struct event event = hospital_event(hospital, EVENT_RESTORE_GENERATION);
    event.generation.stream = row->stream;
    event.generation.opened_at = row->opened_at;
    event.generation.is_ended = row->is_ended;
    hospital_step(hospital, &event);
}

/* The marker lies outside of backups: it says how far our streams had come when it crashed. */
static void reboot_marker(struct hospital *hospital, const struct disk_stream *stream)
{
    struct event event = hospital_event(hospital, EVENT_RESTORE_MARKER);
    event.marker.stream = stream->id;
    event.marker.sequence = stream->tail;
    if (ID_EQUAL(stream->id.writer, hospital->node))
        hospital_step(hospital, &event);
}

void reboot_note(struct hospital *hospital, const struct effect *effect)
{
    struct disk *disk = &hospital->disk;
    struct disk_stream *stream = disk_find(disk, &effect->generation.stream);
    if (effect->generation.is_ended && stream != NULL)
        stream->flags |= STREAM_ENDED;
    size_t i = 0;
    while (i < disk->generation_count &&
           !stream_id_equal(&disk->generations[i].stream, &effect->generation.stream))
        i++;
    WORLD_CHECK(hospital->world, i < DISK_GENERATIONS_MAX);
    if (i == disk->generation_count)
        disk->generation_count++;
    disk->generations[i] = (struct disk_generation){
        effect->generation.stream, effect->generation.opened_at, effect->generation.is_ended};
}

void reboot_restore(struct hospital *hospital)
{
    const struct disk *disk = &hospital->disk;
    for (size_t i = 0; i < disk->count; i++)
        reboot_stream(hospital, &disk->streams[i]);
    held_mail_restore(hospital);
    struct event forks = hospital_event(hospital, EVENT_RESTORE_FORKS);
    forks.forks = (struct bytes){disk->forks, disk->forks_size};
    hospital_step(hospital, &forks);
    for (size_t i = 0; i < disk->count; i++)
        reboot_missing(hospital, &disk->streams[i]);
    for (size_t i = 0; i < disk->case_count; i++)
        reboot_case(hospital, &disk->cases[i]);
    for (size_t i = 0; i < disk->generation_count; i++)
        reboot_generation(hospital, &disk->generations[i]);
    for (size_t i = 0; i < disk->count && !hospital->is_put_back; i++)
        reboot_marker(hospital, &disk->streams[i]);
    for (int again = 0; again < 2; again++)
        for (int pass = 0; pass < 5; pass++)
            for (size_t i = 0; i < disk->count; i++)
                if (reboot_pass(hospital, &disk->streams[i].id, pass))
                    reboot_replay(hospital, &disk->streams[i], again == 1);
}
