#include "protocol/wire/frame.h"

#include <assert.h>
#include <string.h>

/* A reader for the bytes after the type byte. */
static struct reader frame_reader(struct bytes frame)
{
    struct reader reader = reader_of(frame);
    (void)reader_u8(&reader);
    return reader;
}

/* (W-2) the size is exact */
static err frame_done(const struct reader *reader)
{
    if (reader->failed)
        return ERR_TRUNCATED;
    return reader_done(reader) ? OK : ERR_MALFORMED;
}

void frame_hello_write(struct buffer *out, const struct frame_hello *hello)
{
    buffer_u8(out, FRAME_HELLO);
    buffer_u8(out, hello->version_min);
    buffer_u8(out, hello->version_max);
    buffer_put(out, hello->federation.bytes, HASH_SIZE);
    buffer_u64(out, hello->epoch);
    buffer_put(out, hello->head.bytes, HASH_SIZE);
    buffer_u64(out, hello->time.ms);
}

err frame_hello_read(struct bytes frame, struct frame_hello *ret_hello)
{
    struct frame_hello hello;
    struct reader reader = frame_reader(frame);
    hello.version_min = reader_u8(&reader);
    hello.version_max = reader_u8(&reader);
    reader_copy(&reader, hello.federation.bytes, HASH_SIZE);
    hello.epoch = reader_u64(&reader);
    reader_copy(&reader, hello.head.bytes, HASH_SIZE);
    hello.time.ms = reader_u64(&reader);
    if (reader.failed)
        return ERR_TRUNCATED;
    /* (W-4): a later version may append fields, so only here leftover bytes are skipped */
    if (hello.version_min > FRAME_VERSION || hello.version_max < FRAME_VERSION)
        return ERR_VERSION;
    *ret_hello = hello;
    return OK;
}

void frame_heads_want_write(struct buffer *out, const struct frame_heads_want *want)
{
    buffer_u8(out, FRAME_HEADS_WANT);
    buffer_u64(out, want->epoch);
    buffer_put(out, want->base.bytes, HASH_SIZE);
}

err frame_heads_want_read(struct bytes frame, struct frame_heads_want *ret_want)
{
    struct frame_heads_want want;
    struct reader reader = frame_reader(frame);
    want.epoch = reader_u64(&reader);
    reader_copy(&reader, want.base.bytes, HASH_SIZE);
    err failure = frame_done(&reader);
    if (failure == OK)
        *ret_want = want;
    return failure;
}

void frame_heads_begin(struct buffer *out)
{
    buffer_u8(out, FRAME_HEADS);
    buffer_u8(out, 0);
}

bool frame_head_write(struct buffer *out, struct bytes signed_head)
{
    assert(out->size >= 2 && signed_head.size <= HEAD_SIZE_MAX);
    if (out->data[1] == FRAME_HEAD_COUNT_MAX ||
        out->size + 2 + signed_head.size > (size_t)FRAME_SIZE_MAX)
        return false;
    out->data[1]++;
    buffer_u16(out, (uint16_t)signed_head.size);
    buffer_put(out, signed_head.data, signed_head.size);
    return true;
}

err frame_heads_open(struct bytes frame, struct reader *ret_reader)
{
    struct reader reader = frame_reader(frame);
    uint8_t count = reader_u8(&reader);
    if (reader.failed)
        return ERR_TRUNCATED;
    if (count == 0 || count > FRAME_HEAD_COUNT_MAX)
        return ERR_MALFORMED;
    struct reader walk = reader;
    err failure = OK;
    for (uint8_t i = 0; failure == OK && i < count; i++) {
        struct bytes head;
        failure = frame_head_read(&walk, &head);
    }
    if (failure == OK)
        failure = frame_done(&walk);
    if (failure != OK)
        return failure == ERR_NOT_FOUND ? ERR_TRUNCATED : failure;
    *ret_reader = reader;
    return OK;
}

err frame_head_read(struct reader *reader, struct bytes *ret_signed_head)
{
    if (reader_done(reader))
        return ERR_NOT_FOUND;
    uint16_t size = reader_u16(reader);
    if (size > HEAD_SIZE_MAX)
        return ERR_TOO_LARGE;
    struct bytes head = reader_take(reader, size);
    if (reader->failed)
        return ERR_TRUNCATED;
    *ret_signed_head = head;
    return OK;
}

void frame_roster_part_write(struct buffer *out, struct bytes part)
{
    buffer_u8(out, FRAME_ROSTER_PART);
    buffer_put(out, part.data, part.size);
}

err frame_roster_part_read(struct bytes frame, struct bytes *ret_part)
{
    struct reader reader = frame_reader(frame);
    struct bytes part = reader_take(&reader, reader_left(&reader));
    if (reader.failed)
        return ERR_TRUNCATED;
    if (part.size == 0)
        return ERR_MALFORMED;
    *ret_part = part;
    return OK;
}

void frame_summary_write(struct buffer *out, const struct frame_summary *summary)
{
    buffer_u8(out, FRAME_SUMMARY);
    buffer_put(out, summary->digest.bytes, HASH_SIZE);
    buffer_u32(out, summary->stream_count);
}

err frame_summary_read(struct bytes frame, struct frame_summary *ret_summary)
{
    struct frame_summary summary;
    struct reader reader = frame_reader(frame);
    reader_copy(&reader, summary.digest.bytes, HASH_SIZE);
    summary.stream_count = reader_u32(&reader);
    err failure = frame_done(&reader);
    if (failure == OK)
        *ret_summary = summary;
    return failure;
}

void frame_positions_begin(struct buffer *out, enum frame_type type, uint16_t count)
{
    assert(type == FRAME_STREAMS || type == FRAME_ACK);
    buffer_u8(out, (uint8_t)type);
    buffer_u16(out, count);
}

void frame_position_write(struct buffer *out, const struct frame_position *position)
{
    stream_id_write(out, &position->stream);
    buffer_u64(out, position->tail);
    buffer_u64(out, position->had);
    buffer_u64(out, position->tail_hint);
}

err frame_positions_open(struct bytes frame, struct reader *ret_reader, uint16_t *ret_count)
{
    struct reader reader = frame_reader(frame);
    uint16_t count = reader_u16(&reader);
    if (reader.failed)
        return ERR_TRUNCATED;
    if (count > FRAME_POSITION_COUNT_MAX)
        return ERR_TOO_LARGE;
    if (reader_left(&reader) != (size_t)count * FRAME_POSITION_SIZE)
        return ERR_MALFORMED;
    struct reader walk = reader;
    for (uint16_t i = 0; i < count; i++) {
        struct frame_position position;
        err failure = frame_position_read(&walk, &position);
        if (failure != OK)
            return failure;
    }
    *ret_reader = reader;
    *ret_count = count;
    return OK;
}

err frame_position_read(struct reader *reader, struct frame_position *ret_position)
{
    struct frame_position position;
    err failure = stream_id_read(reader, &position.stream);
    if (failure != OK)
        return failure;
    position.tail = reader_u64(reader);
    position.had = reader_u64(reader);
    position.tail_hint = reader_u64(reader);
    if (reader->failed)
        return ERR_TRUNCATED;
    if (position.had > position.tail)
        return ERR_MALFORMED;
    *ret_position = position;
    return OK;
}

void frame_want_write(struct buffer *out, const struct frame_want *want)
{
    buffer_u8(out, FRAME_WANT);
    stream_id_write(out, &want->stream);
    buffer_u64(out, want->from);
    buffer_u16(out, want->count);
}

err frame_want_read(struct bytes frame, struct frame_want *ret_want)
{
    struct frame_want want;
    struct reader reader = frame_reader(frame);
    err failure = stream_id_read(&reader, &want.stream);
    if (failure != OK)
        return failure;
    want.from = reader_u64(&reader);
    want.count = reader_u16(&reader);
    failure = frame_done(&reader);
    if (failure == OK && (want.from == 0 || want.count == 0))
        failure = ERR_MALFORMED;
    if (failure == OK)
        *ret_want = want;
    return failure;
}

enum { FRAME_RECORD_HAS_KEY = 1 };

void frame_records_begin(struct buffer *out)
{
    buffer_u8(out, FRAME_RECORDS);
    buffer_u16(out, 0);
}

void frame_record_write(struct buffer *out, const struct frame_record *record)
{
    buffer_u8(out, record->has_key ? FRAME_RECORD_HAS_KEY : 0);
    if (record->has_key)
        buffer_put(out, record->key.bytes, KEY_SIZE);
    buffer_u32(out, (uint32_t)record->record.size);
    buffer_put(out, record->record.data, record->record.size);
}

void frame_records_end(struct buffer *out, uint16_t count)
{
    assert(out->size >= 3 && out->data[0] == FRAME_RECORDS);
    out->data[1] = (uint8_t)(count >> 8);
    out->data[2] = (uint8_t)count;
}

err frame_records_open(struct bytes frame, struct reader *ret_reader, uint16_t *ret_count)
{
    struct reader reader = frame_reader(frame);
    uint16_t count = reader_u16(&reader);
    if (reader.failed)
        return ERR_TRUNCATED;
    if (count == 0 || count > reader_left(&reader) / RECORD_BARE_SIZE)
        return ERR_MALFORMED;
    struct reader walk = reader;
    for (uint16_t i = 0; i < count; i++) {
        struct frame_record record;
        err failure = frame_record_read(&walk, &record);
        if (failure != OK)
            return failure;
    }
    if (!reader_done(&walk))
        return ERR_MALFORMED;
    *ret_reader = reader;
    *ret_count = count;
    return OK;
}

err frame_record_read(struct reader *reader, struct frame_record *ret_record)
{
    struct frame_record record = {.has_key = false};
    uint8_t flags = reader_u8(reader);
    if (flags > FRAME_RECORD_HAS_KEY)
        return ERR_MALFORMED;
    record.has_key = flags == FRAME_RECORD_HAS_KEY;
    if (record.has_key)
        reader_copy(reader, record.key.bytes, KEY_SIZE);
    uint32_t size = reader_u32(reader);
    if (size > RECORD_SIZE_MAX)
        return ERR_TOO_LARGE;
    record.record = reader_take(reader, size);
    if (reader->failed)
        return ERR_TRUNCATED;
    *ret_record = record;
    return OK;
}

void frame_status_write(struct buffer *out, const struct frame_status *status)
{
    buffer_u8(out, FRAME_STATUS);
    stream_id_write(out, &status->stream);
    buffer_u64(out, status->sequence);
    buffer_u8(out, (uint8_t)status->answer);
    buffer_put(out, status->head.bytes, HASH_SIZE);
}

static err frame_answer_read(struct reader *reader, enum frame_answer *ret_answer)
{
    uint8_t answer = reader_u8(reader);
    if (answer < FRAME_NOT_HELD || answer > FRAME_BUSY)
        return reader->failed ? ERR_TRUNCATED : ERR_MALFORMED;
    *ret_answer = (enum frame_answer)answer;
    return OK;
}

err frame_status_read(struct bytes frame, struct frame_status *ret_status)
{
    struct frame_status status;
    struct reader reader = frame_reader(frame);
    err failure = stream_id_read(&reader, &status.stream);
    status.sequence = reader_u64(&reader);
    if (failure == OK)
        failure = frame_answer_read(&reader, &status.answer);
    if (failure != OK)
        return failure;
    reader_copy(&reader, status.head.bytes, HASH_SIZE);
    failure = frame_done(&reader);
    if (failure == OK)
        *ret_status = status;
    return failure;
}

void frame_item_want_write(struct buffer *out, const struct frame_item_want *want)
{
    buffer_u8(out, FRAME_ITEM_WANT);
    buffer_put(out, want->case_id.bytes, HASH_SIZE);
    buffer_put(out, want->item.bytes, HASH_SIZE);
    buffer_u32(out, want->first);
    buffer_u16(out, want->count);
}

err frame_item_want_read(struct bytes frame, struct frame_item_want *ret_want)
{
    struct frame_item_want want;
    struct reader reader = frame_reader(frame);
    reader_copy(&reader, want.case_id.bytes, HASH_SIZE);
    reader_copy(&reader, want.item.bytes, HASH_SIZE);
    want.first = reader_u32(&reader);
    want.count = reader_u16(&reader);
    err failure = frame_done(&reader);
    if (failure == OK)
        *ret_want = want;
    return failure;
}

void frame_item_chunk_write(struct buffer *out, const struct frame_item_chunk *chunk)
{
    assert(chunk->proof.size % HASH_SIZE == 0 &&
           chunk->proof.size <= (size_t)FRAME_PROOF_COUNT_MAX * HASH_SIZE);
    buffer_u8(out, FRAME_ITEM_CHUNK);
    buffer_put(out, chunk->case_id.bytes, HASH_SIZE);
    buffer_put(out, chunk->item.bytes, HASH_SIZE);
    buffer_u32(out, chunk->index);
    buffer_u8(out, (uint8_t)(chunk->proof.size / HASH_SIZE));
    buffer_put(out, chunk->proof.data, chunk->proof.size);
    buffer_put(out, chunk->chunk.data, chunk->chunk.size);
}

err frame_item_chunk_read(struct bytes frame, struct frame_item_chunk *ret_chunk)
{
    struct frame_item_chunk chunk;
    struct reader reader = frame_reader(frame);
    reader_copy(&reader, chunk.case_id.bytes, HASH_SIZE);
    reader_copy(&reader, chunk.item.bytes, HASH_SIZE);
    chunk.index = reader_u32(&reader);
    uint8_t count = reader_u8(&reader);
    if (count > FRAME_PROOF_COUNT_MAX)
        return ERR_TOO_LARGE;
    chunk.proof = reader_take(&reader, (size_t)count * HASH_SIZE);
    chunk.chunk = reader_take(&reader, reader_left(&reader));
    if (reader.failed)
        return ERR_TRUNCATED;
    if (chunk.chunk.size == 0 || chunk.chunk.size > CHUNK_SIZE_MAX)
        return ERR_MALFORMED;
    *ret_chunk = chunk;
    return OK;
}

void frame_item_status_write(struct buffer *out, const struct frame_item_status *status)
{
    buffer_u8(out, FRAME_ITEM_STATUS);
    buffer_put(out, status->case_id.bytes, HASH_SIZE);
    buffer_put(out, status->item.bytes, HASH_SIZE);
    buffer_u32(out, status->index);
    buffer_u8(out, (uint8_t)status->answer);
}

err frame_item_status_read(struct bytes frame, struct frame_item_status *ret_status)
{
    struct frame_item_status status;
    struct reader reader = frame_reader(frame);
    reader_copy(&reader, status.case_id.bytes, HASH_SIZE);
    reader_copy(&reader, status.item.bytes, HASH_SIZE);
    status.index = reader_u32(&reader);
    err failure = frame_answer_read(&reader, &status.answer);
    if (failure == OK)
        failure = frame_done(&reader);
    if (failure == OK)
        *ret_status = status;
    return failure;
}
