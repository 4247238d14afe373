#include "protocol/wire/sealed_message.h"

enum { SEALED_MESSAGE_HAS_KEY = 1 };

void sealed_message_record_write(struct buffer *out, const struct frame_record *record)
{
    buffer_u8(out, SEALED_MESSAGE_RECORD);
    buffer_u8(out, record->has_key ? SEALED_MESSAGE_HAS_KEY : 0);
    if (record->has_key)
        buffer_put(out, record->key.bytes, KEY_SIZE);
    buffer_put(out, record->record.data, record->record.size);
}

void sealed_message_report_begin(struct buffer *out, const struct federation_id *federation,
                                 const struct node_id *reporter, uint16_t count)
{
    const struct signature unsigned_yet = {{0}};
    buffer_u8(out, SEALED_MESSAGE_REPORT);
    buffer_put(out, unsigned_yet.bytes, SIGNATURE_SIZE);
    buffer_put(out, federation->bytes, HASH_SIZE);
    buffer_put(out, reporter->bytes, NODE_ID_SIZE);
    buffer_u16(out, count);
}

static err sealed_message_record_read(struct reader *reader, struct frame_record *ret_record)
{
    uint8_t flags = reader_u8(reader);
    struct frame_record record = {.has_key = flags == SEALED_MESSAGE_HAS_KEY};
    if (flags > SEALED_MESSAGE_HAS_KEY)
        return ERR_MALFORMED;
    if (record.has_key)
        reader_copy(reader, record.key.bytes, KEY_SIZE);
    record.record = reader_take(reader, reader_left(reader));
    if (reader->failed || record.record.size < RECORD_BARE_SIZE)
        return ERR_TRUNCATED;
    if (record.record.size > RECORD_SIZE_MAX)
        return ERR_TOO_LARGE;
    *ret_record = record;
    return OK;
}

static err sealed_message_report_read(struct reader *reader,
                                      struct sealed_message_report *ret_report)
{
    struct sealed_message_report report;
    struct frame_position position;
    reader_copy(reader, report.signature.bytes, SIGNATURE_SIZE);
    struct reader rest = *reader;
    report.signed_part = reader_take(&rest, reader_left(&rest));
    reader_copy(reader, report.federation.bytes, HASH_SIZE);
    reader_copy(reader, report.reporter.bytes, NODE_ID_SIZE);
    report.count = reader_u16(reader);
    if (reader->failed)
        return ERR_TRUNCATED;
    if (report.count == 0 || report.count > CUSTODY_REPORT_COUNT_MAX)
        return ERR_MALFORMED;
    report.positions = *reader;
    for (uint16_t i = 0; i < report.count; i++) {
        err failure = frame_position_read(reader, &position);
        if (failure != OK)
            return failure;
    }
    if (!reader_done(reader))
        return ERR_MALFORMED;
    *ret_report = report;
    return OK;
}

err sealed_message_read(struct bytes bytes, struct sealed_message *ret_letter)
{
    struct sealed_message letter = {.kind = SEALED_MESSAGE_RECORD};
    struct reader reader = reader_of(bytes);
    uint8_t kind = reader_u8(&reader);
    err failure = ERR_UNSUPPORTED;
    if (kind == SEALED_MESSAGE_RECORD) {
        failure = sealed_message_record_read(&reader, &letter.record);
    } else if (kind == SEALED_MESSAGE_REPORT) {
        letter.kind = SEALED_MESSAGE_REPORT;
        failure = sealed_message_report_read(&reader, &letter.report);
    } else if (reader.failed) {
        failure = ERR_TRUNCATED;
    }
    if (failure == OK)
        *ret_letter = letter;
    return failure;
}
