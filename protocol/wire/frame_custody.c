#include "protocol/wire/frame_custody.h"

#include <assert.h>

static struct reader frame_custody_reader(struct bytes frame)
{
    struct reader reader = reader_of(frame);
    (void)reader_u8(&reader);
    return reader;
}

/* (W-2) the size is exact */
static err frame_custody_done(const struct reader *reader)
{
    if (reader->failed)
        return ERR_TRUNCATED;
    return reader_done(reader) ? OK : ERR_MALFORMED;
}

void frame_custody_leave_write(struct buffer *out, const struct frame_custody_leave *leave)
{
    buffer_u8(out, FRAME_CUSTODY_LEAVE);
    buffer_put(out, leave->id.bytes, HASH_SIZE);
    buffer_put(out, leave->recipient.bytes, NODE_ID_SIZE);
    buffer_put(out, leave->envelope.data, leave->envelope.size);
}

err frame_custody_leave_read(struct bytes frame, struct frame_custody_leave *ret_leave)
{
    struct frame_custody_leave leave;
    struct reader reader = frame_custody_reader(frame);
    reader_copy(&reader, leave.id.bytes, HASH_SIZE);
    reader_copy(&reader, leave.recipient.bytes, NODE_ID_SIZE);
    leave.envelope = reader_take(&reader, reader_left(&reader));
    if (reader.failed)
        return ERR_TRUNCATED;
    if (leave.envelope.size == 0)
        return ERR_MALFORMED;
    if (leave.envelope.size > ENVELOPE_SIZE_MAX)
        return ERR_TOO_LARGE;
    *ret_leave = leave;
    return OK;
}

void frame_custody_answer_write(struct buffer *out, const struct frame_custody_answer *answer)
{
    buffer_u8(out, FRAME_CUSTODY_ANSWER);
    buffer_put(out, answer->id.bytes, HASH_SIZE);
    buffer_u8(out, (uint8_t)answer->verdict);
}

err frame_custody_answer_read(struct bytes frame, struct frame_custody_answer *ret_answer)
{
    struct frame_custody_answer answer;
    struct reader reader = frame_custody_reader(frame);
    reader_copy(&reader, answer.id.bytes, HASH_SIZE);
    uint8_t verdict = reader_u8(&reader);
    err failure = frame_custody_done(&reader);
    if (failure == OK && (verdict < FRAME_CUSTODY_HELD || verdict > FRAME_CUSTODY_REFUSED))
        failure = ERR_MALFORMED;
    if (failure != OK)
        return failure;
    answer.verdict = (enum frame_custody_verdict)verdict;
    *ret_answer = answer;
    return OK;
}

void frame_custody_withdraw_write(struct buffer *out, const struct deposit_id *ids, uint16_t count)
{
    assert(count > 0 && count <= FRAME_CUSTODY_WITHDRAW_MAX);
    buffer_u8(out, FRAME_CUSTODY_WITHDRAW);
    buffer_u16(out, count);
    for (uint16_t i = 0; i < count; i++)
        buffer_put(out, ids[i].bytes, HASH_SIZE);
}

err frame_custody_withdraw_read(struct bytes frame, struct bytes *ret_ids)
{
    struct reader reader = frame_custody_reader(frame);
    uint16_t count = reader_u16(&reader);
    struct bytes ids = reader_take(&reader, (size_t)count * HASH_SIZE);
    err failure = frame_custody_done(&reader);
    if (failure == OK && (count == 0 || count > FRAME_CUSTODY_WITHDRAW_MAX))
        failure = ERR_MALFORMED;
    if (failure == OK)
        *ret_ids = ids;
    return failure;
}

void frame_custody_collect_write(struct buffer *out, uint64_t after)
{
    buffer_u8(out, FRAME_CUSTODY_COLLECT);
    buffer_u64(out, after);
}

static err frame_custody_number_read(struct bytes frame, uint64_t *ret_number)
{
    struct reader reader = frame_custody_reader(frame);
    uint64_t number = reader_u64(&reader);
    err failure = frame_custody_done(&reader);
    if (failure == OK)
        *ret_number = number;
    return failure;
}

err frame_custody_collect_read(struct bytes frame, uint64_t *ret_after)
{
    return frame_custody_number_read(frame, ret_after);
}

void frame_custody_envelope_write(struct buffer *out, const struct frame_custody_envelope *answer)
{
    buffer_u8(out, FRAME_CUSTODY_ENVELOPE);
    buffer_u64(out, answer->number);
    buffer_put(out, answer->envelope.data, answer->envelope.size);
}

err frame_custody_envelope_read(struct bytes frame, struct frame_custody_envelope *ret_answer)
{
    struct frame_custody_envelope answer;
    struct reader reader = frame_custody_reader(frame);
    answer.number = reader_u64(&reader);
    answer.envelope = reader_take(&reader, reader_left(&reader));
    if (reader.failed)
        return ERR_TRUNCATED;
    if ((answer.number == 0) != (answer.envelope.size == 0))
        return ERR_MALFORMED;
    if (answer.envelope.size > ENVELOPE_SIZE_MAX)
        return ERR_TOO_LARGE;
    *ret_answer = answer;
    return OK;
}

void frame_custody_taken_write(struct buffer *out, uint64_t number)
{
    buffer_u8(out, FRAME_CUSTODY_TAKEN);
    buffer_u64(out, number);
}

err frame_custody_taken_read(struct bytes frame, uint64_t *ret_number)
{
    return frame_custody_number_read(frame, ret_number);
}
