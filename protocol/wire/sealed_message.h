/* The content of an envelope (spec/custody.md): one record, in the format of a link, or one report
 * of durable records. The custodian gives it no authority: the reader checks it like anything from
 * a link. */
#ifndef CONSILIUM_PROTOCOL_WIRE_SEALED_MESSAGE_H
#define CONSILIUM_PROTOCOL_WIRE_SEALED_MESSAGE_H

#include "protocol/wire/frame.h"

enum sealed_message_kind {
    SEALED_MESSAGE_RECORD = 1,
    SEALED_MESSAGE_REPORT = 2,
};

struct sealed_message_report {
    struct signature signature;
    struct bytes signed_part; /* all that follows the signature */
    struct federation_id federation;
    struct node_id reporter;
    uint16_t count;
    struct reader positions; /* frame_position_read, `count` times */
};

struct sealed_message {
    enum sealed_message_kind kind;
    struct frame_record record;          /* of a SEALED_MESSAGE_RECORD */
    struct sealed_message_report report; /* of a SEALED_MESSAGE_REPORT */
};

enum {
    SEALED_MESSAGE_SIZE_MAX = RECORD_SIZE_MAX + 64,
    SEALED_MESSAGE_SIGNED_AT = 1 + SIGNATURE_SIZE, /* offset of the signed part of a report */
    SEALED_MESSAGE_REPORT_OVERHEAD = SEALED_MESSAGE_SIGNED_AT + HASH_SIZE + NODE_ID_SIZE + 2,
    SEALED_MESSAGE_SEAL_SIZE = 48, /* the bytes that sealing adds */
};
_Static_assert(SEALED_MESSAGE_SIZE_MAX + SEALED_MESSAGE_SEAL_SIZE <= ENVELOPE_SIZE_MAX,
               "a letter must fit");
_Static_assert(SEALED_MESSAGE_REPORT_OVERHEAD + CUSTODY_REPORT_COUNT_MAX * FRAME_POSITION_SIZE <=
                   SEALED_MESSAGE_SIZE_MAX,
               "a report must fit");

void sealed_message_record_write(struct buffer *out, const struct frame_record *record);
/* Writes a report with zeros for its signature. The caller appends `count` positions, then signs it
 * from SEALED_MESSAGE_SIGNED_AT on. */
void sealed_message_report_begin(struct buffer *out, const struct federation_id *federation,
                                 const struct node_id *reporter, uint16_t count);

/* Checks the format of the whole message, positions too; it borrows. ERR_TRUNCATED, ERR_TOO_LARGE,
 * ERR_MALFORMED, ERR_UNSUPPORTED (another kind of message). */
MUST_USE err sealed_message_read(struct bytes bytes, struct sealed_message *ret_letter);

#endif
