/* Each frame between members that is read has one spelling: written again it gives the same bytes
 * (a hello may be longer, for later versions may append to it). */
#include <stdlib.h>
#include <string.h>

#include "protocol/wire/frame_custody.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[FRAME_SIZE_MAX];

/* The frame that `out` began to write; false when `in` is no such frame. */
static bool write_small(struct bytes in, struct buffer *out)
{
    union {
        struct frame_hello hello;
        struct frame_heads_want heads_want;
        struct frame_summary summary;
        struct frame_want want;
        struct frame_status status;
        struct bytes part;
    } u;
    switch (in.data[0]) {
    case FRAME_HELLO:
        if (frame_hello_read(in, &u.hello) != OK)
            return false;
        frame_hello_write(out, &u.hello);
        return true;
    case FRAME_HEADS_WANT:
        if (frame_heads_want_read(in, &u.heads_want) != OK)
            return false;
        frame_heads_want_write(out, &u.heads_want);
        return true;
    case FRAME_SUMMARY:
        if (frame_summary_read(in, &u.summary) != OK)
            return false;
        frame_summary_write(out, &u.summary);
        return true;
    case FRAME_WANT:
        if (frame_want_read(in, &u.want) != OK)
            return false;
        frame_want_write(out, &u.want);
        return true;
    case FRAME_STATUS:
        if (frame_status_read(in, &u.status) != OK)
            return false;
        frame_status_write(out, &u.status);
        return true;
    case FRAME_ROSTER_PART:
        if (frame_roster_part_read(in, &u.part) != OK)
            return false;
        frame_roster_part_write(out, u.part);
        return true;
    default: /* others are lists, items, or unknown */
        return false;
    }
}

static bool write_item(struct bytes in, struct buffer *out)
{
    union {
        struct frame_item_want want;
        struct frame_item_chunk chunk;
        struct frame_item_status status;
    } u;
    switch (in.data[0]) {
    case FRAME_ITEM_WANT:
        if (frame_item_want_read(in, &u.want) != OK)
            return false;
        frame_item_want_write(out, &u.want);
        return true;
    case FRAME_ITEM_CHUNK:
        if (frame_item_chunk_read(in, &u.chunk) != OK)
            return false;
        frame_item_chunk_write(out, &u.chunk);
        return true;
    case FRAME_ITEM_STATUS:
        if (frame_item_status_read(in, &u.status) != OK)
            return false;
        frame_item_status_write(out, &u.status);
        return true;
    default:
        return false;
    }
}

static bool write_custody(struct bytes in, struct buffer *out)
{
    union {
        struct frame_custody_leave leave;
        struct frame_custody_answer answer;
        struct frame_custody_envelope envelope;
        struct bytes ids;
        uint64_t number;
    } u;
    struct deposit_id ids[FRAME_CUSTODY_WITHDRAW_MAX];
    if (in.data[0] == FRAME_CUSTODY_LEAVE && frame_custody_leave_read(in, &u.leave) == OK) {
        frame_custody_leave_write(out, &u.leave);
    } else if (in.data[0] == FRAME_CUSTODY_ANSWER &&
               frame_custody_answer_read(in, &u.answer) == OK) {
        frame_custody_answer_write(out, &u.answer);
    } else if (in.data[0] == FRAME_CUSTODY_WITHDRAW &&
               frame_custody_withdraw_read(in, &u.ids) == OK) {
        memcpy(ids, u.ids.data, u.ids.size);
        frame_custody_withdraw_write(out, ids, (uint16_t)(u.ids.size / HASH_SIZE));
    } else if (in.data[0] == FRAME_CUSTODY_COLLECT &&
               frame_custody_collect_read(in, &u.number) == OK) {
        frame_custody_collect_write(out, u.number);
    } else if (in.data[0] == FRAME_CUSTODY_ENVELOPE &&
               frame_custody_envelope_read(in, &u.envelope) == OK) {
        frame_custody_envelope_write(out, &u.envelope);
    } else if (in.data[0] == FRAME_CUSTODY_TAKEN && frame_custody_taken_read(in, &u.number) == OK) {
        frame_custody_taken_write(out, u.number);
    } else {
        return false;
    }
    return true;
}

static bool write_heads(struct bytes in, struct buffer *out)
{
    struct reader reader;
    struct bytes head;
    err failure = frame_heads_open(in, &reader);
    if (failure == OK)
        frame_heads_begin(out);
    while (failure == OK) {
        failure = frame_head_read(&reader, &head);
        if (failure == OK && !frame_head_write(out, head))
            abort();
    }
    return failure == ERR_NOT_FOUND;
}

static bool write_list(struct bytes in, struct buffer *out)
{
    struct reader reader;
    struct frame_position position;
    struct frame_record record;
    uint16_t count;
    err failure;
    if (in.data[0] == FRAME_RECORDS) {
        failure = frame_records_open(in, &reader, &count);
        if (failure == OK)
            frame_records_begin(out);
        for (uint16_t i = 0; failure == OK && i < count; i++) {
            failure = frame_record_read(&reader, &record);
            if (failure == OK)
                frame_record_write(out, &record);
        }
        if (failure == OK)
            frame_records_end(out, count);
        return failure == OK;
    }
    if (in.data[0] != FRAME_STREAMS && in.data[0] != FRAME_ACK)
        return in.data[0] == FRAME_HEADS && write_heads(in, out);
    failure = frame_positions_open(in, &reader, &count);
    if (failure == OK)
        frame_positions_begin(out, (enum frame_type)in.data[0], count);
    for (uint16_t i = 0; failure == OK && i < count; i++) {
        failure = frame_position_read(&reader, &position);
        if (failure == OK)
            frame_position_write(out, &position);
    }
    return failure == OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct buffer out = buffer_over(memory, sizeof memory);
    if (size == 0 || size > (size_t)FRAME_SIZE_MAX)
        return 0;
    if (!write_small(in, &out) && !write_item(in, &out) && !write_custody(in, &out) &&
        !write_list(in, &out))
        return 0;
    if (data[0] == FRAME_HELLO && in.size > out.size)
        in.size = out.size;
    if (out.failed || !bytes_equal(buffer_bytes(&out), in))
        abort();
    return 0;
}
