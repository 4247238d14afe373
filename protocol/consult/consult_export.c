#include "protocol/consult/consult.h"

#include <stddef.h>
#include <string.h>

#include "protocol/contents/announcement.h"

enum { CONSULT_EXPORT_VERSION = 2 };
enum { EXPORT_ENDED = 1, EXPORT_OPINION = 2, EXPORT_DECLINED = 4, EXPORT_FLAGS_ALL = 7 };

/* The ids that stand in a row, in the order of the export. */
enum { EXPORT_ID_COUNT = 7 };

static void export_ids(const struct consult *consult, const struct record_id *ids[EXPORT_ID_COUNT])
{
    ids[0] = &consult->open;
    ids[1] = &consult->manifest;
    ids[2] = &consult->synthesis;
    ids[3] = &consult->close;
    ids[4] = &consult->withdraw;
    ids[5] = &consult->outcome;
    ids[6] = &consult->erase;
}

/* ---- writing ---- */

static void write_cursor(const struct consult_cursor *cursor, struct buffer *buffer)
{
    buffer_u32(buffer, cursor->generation);
    buffer_u64(buffer, cursor->sequence);
}

static void write_participant(const struct consult_participant *participant, struct buffer *buffer)
{
    unsigned flags = 0;
    flags |= participant->is_ended ? EXPORT_ENDED : 0;
    flags |= participant->has_opinion ? EXPORT_OPINION : 0;
    flags |= participant->has_declined ? EXPORT_DECLINED : 0;
    buffer_put(buffer, participant->node.bytes, NODE_ID_SIZE);
    buffer_u8(buffer, (uint8_t)flags);
    buffer_put(buffer, participant->join.bytes, HASH_SIZE);
    buffer_put(buffer, participant->clinician.bytes, HASH_SIZE);
    buffer_u64(buffer, participant->end_generation);
    buffer_u64(buffer, participant->end_sequence);
    buffer_u64(buffer, participant->erased_at.ms);
    buffer_u64(buffer, participant->backups_until.ms);
    buffer_u8(buffer, (uint8_t)participant->released_count);
    for (size_t i = 0; i < participant->released_count; i++) {
        buffer_put(buffer, participant->released[i].record_id.bytes, HASH_SIZE);
        buffer_u64(buffer, participant->released[i].time.ms);
    }
}

err consult_export(const struct consult *consult, struct buffer *buffer)
{
    const struct record_id *ids[EXPORT_ID_COUNT];
    buffer_u8(buffer, CONSULT_EXPORT_VERSION);
    buffer_u8(buffer, (uint8_t)consult->state);
    buffer_u8(buffer, (uint8_t)consult->mode);
    buffer_put(buffer, consult->federation.bytes, HASH_SIZE);
    buffer_put(buffer, consult->case_id.bytes, HASH_SIZE);
    buffer_put(buffer, consult->requester.bytes, NODE_ID_SIZE);
    buffer_put(buffer, consult->successor.bytes, NODE_ID_SIZE);
    write_cursor(&consult->cursor, buffer);
    write_cursor(&consult->successor_cursor, buffer);
    buffer_put(buffer, consult->opening.bytes, sizeof consult->opening.bytes);
    buffer_u8(buffer, (uint8_t)consult->specialty_size);
    buffer_put(buffer, consult->specialty, consult->specialty_size);
    buffer_u64(buffer, consult->wanted_count);
    buffer_u64(buffer, consult->opened_at.ms);
    buffer_u64(buffer, consult->deadline.ms);
    buffer_u64(buffer, consult->closed_at.ms);
    buffer_put(buffer, consult->manifest_root.bytes, HASH_SIZE);
    buffer_u64(buffer, consult->outcome_day);
    export_ids(consult, ids);
    for (size_t i = 0; i < EXPORT_ID_COUNT; i++)
        buffer_put(buffer, ids[i]->bytes, HASH_SIZE);
    buffer_u8(buffer, (uint8_t)consult->directed_count);
    for (size_t i = 0; i < consult->directed_count; i++)
        buffer_put(buffer, consult->directed[i].bytes, NODE_ID_SIZE);
    buffer_u8(buffer, (uint8_t)consult->participant_count);
    for (size_t i = 0; i < consult->participant_count; i++)
        write_participant(&consult->participants[i], buffer);
    buffer_u16(buffer, (uint16_t)consult->taken_count);
    for (size_t i = 0; i < consult->taken_count; i++) {
        buffer_put(buffer, consult->taken[i].record_id.bytes, HASH_SIZE);
        buffer_u16(buffer, consult->taken[i].kind);
        buffer_u8(buffer, consult->taken[i].author);
        buffer_u8(buffer, consult->taken[i].is_revealed);
    }
    return buffer->failed ? ERR_FULL : OK;
}

/* ---- reading: each returns false on what was never written ---- */

static void read_cursor(struct reader *reader, struct consult_cursor *cursor)
{
    cursor->generation = reader_u32(reader);
    cursor->sequence = reader_u64(reader);
}

static bool read_head(struct reader *reader, struct consult *consult)
{
    uint8_t version = reader_u8(reader), state = reader_u8(reader), mode = reader_u8(reader);
    if (version != CONSULT_EXPORT_VERSION || state >= CASE_STATE_COUNT || mode > ANNOUNCEMENT_OPEN)
        return false;
    consult->state = (enum case_state)state;
    consult->mode = (enum announcement_mode)mode;
    reader_copy(reader, consult->federation.bytes, HASH_SIZE);
    reader_copy(reader, consult->case_id.bytes, HASH_SIZE);
    reader_copy(reader, consult->requester.bytes, NODE_ID_SIZE);
    reader_copy(reader, consult->successor.bytes, NODE_ID_SIZE);
    read_cursor(reader, &consult->cursor);
    read_cursor(reader, &consult->successor_cursor);
    reader_copy(reader, consult->opening.bytes, sizeof consult->opening.bytes);
    consult->specialty_size = reader_u8(reader);
    if (consult->specialty_size > TAG_SIZE_MAX)
        return false;
    reader_copy(reader, consult->specialty, consult->specialty_size);
    consult->wanted_count = reader_u64(reader);
    consult->opened_at.ms = reader_u64(reader);
    consult->deadline.ms = reader_u64(reader);
    consult->closed_at.ms = reader_u64(reader);
    reader_copy(reader, consult->manifest_root.bytes, HASH_SIZE);
    consult->outcome_day = reader_u64(reader);
    struct record_id *ids[EXPORT_ID_COUNT] = {
        &consult->open,     &consult->manifest, &consult->synthesis, &consult->close,
        &consult->withdraw, &consult->outcome,  &consult->erase};
    for (size_t i = 0; i < EXPORT_ID_COUNT; i++)
        reader_copy(reader, ids[i]->bytes, HASH_SIZE);
    consult->directed_count = reader_u8(reader);
    if (consult->directed_count > PARTICIPANT_COUNT_MAX)
        return false;
    for (size_t i = 0; i < consult->directed_count; i++)
        reader_copy(reader, consult->directed[i].bytes, NODE_ID_SIZE);
    return !reader->failed;
}

static bool read_participant(struct reader *reader, struct consult_participant *participant)
{
    reader_copy(reader, participant->node.bytes, NODE_ID_SIZE);
    uint8_t flags = reader_u8(reader);
    participant->is_ended = (flags & EXPORT_ENDED) != 0;
    participant->has_opinion = (flags & EXPORT_OPINION) != 0;
    participant->has_declined = (flags & EXPORT_DECLINED) != 0;
    reader_copy(reader, participant->join.bytes, HASH_SIZE);
    reader_copy(reader, participant->clinician.bytes, HASH_SIZE);
    participant->end_generation = reader_u64(reader);
    participant->end_sequence = reader_u64(reader);
    participant->erased_at.ms = reader_u64(reader);
    participant->backups_until.ms = reader_u64(reader);
    participant->released_count = reader_u8(reader);
    if (flags > EXPORT_FLAGS_ALL || participant->released_count > RELEASED_COUNT_MAX)
        return false;
    for (size_t i = 0; i < participant->released_count; i++) {
        reader_copy(reader, participant->released[i].record_id.bytes, HASH_SIZE);
        participant->released[i].time.ms = reader_u64(reader);
    }
    return !reader->failed;
}

static bool read_taken(struct reader *reader, size_t participant_count, struct consult_taken *taken)
{
    reader_copy(reader, taken->record_id.bytes, HASH_SIZE);
    taken->kind = reader_u16(reader);
    taken->author = reader_u8(reader);
    uint8_t is_revealed = reader_u8(reader);
    taken->is_revealed = is_revealed == 1;
    return !reader->failed && is_revealed <= 1 && taken->author < participant_count;
}

static bool read_all(struct reader *reader, struct consult *consult)
{
    bool is_good = read_head(reader, consult);
    size_t participant_count = reader_u8(reader);
    if (!is_good || participant_count > PARTICIPANT_COUNT_MAX)
        return false;
    consult->participant_count = participant_count;
    for (size_t i = 0; i < participant_count && is_good; i++)
        is_good = read_participant(reader, &consult->participants[i]);
    size_t taken_count = reader_u16(reader);
    if (!is_good || taken_count > TAKEN_IN_COUNT_MAX)
        return false;
    consult->taken_count = taken_count;
    for (size_t i = 0; i < taken_count && is_good; i++)
        is_good = read_taken(reader, participant_count, &consult->taken[i]);
    return is_good && reader_done(reader);
}

err consult_import(struct bytes exported, struct consult *ret_consult)
{
    struct reader reader = reader_of(exported);
    memset(ret_consult, 0, offsetof(struct consult, directed));
    if (read_all(&reader, ret_consult))
        return OK;
    memset(ret_consult, 0, offsetof(struct consult, directed));
    return ERR_CORRUPT;
}
