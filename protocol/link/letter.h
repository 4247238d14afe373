/* What lies in an envelope (spec/custody.md): one record, as a link would bring it, or one report
 * of what became durable. Nothing of it is believed because of where it lay. */
#ifndef CONSILIUM_PROTOCOL_LINK_LETTER_H
#define CONSILIUM_PROTOCOL_LINK_LETTER_H

#include "protocol/link/frame.h"

enum letter_kind {
    LETTER_RECORD = 1,
    LETTER_REPORT = 2,
};

struct letter_report {
    struct signature signature;
    struct bytes signed_part; /* all that follows the signature */
    struct federation_id federation;
    struct node_id reporter;
    uint16_t count;
    struct reader positions; /* frame_position_read, `count` times */
};

struct letter {
    enum letter_kind kind;
    struct frame_record record;  /* of a LETTER_RECORD */
    struct letter_report report; /* of a LETTER_REPORT */
};

enum {
    LETTER_SIZE_MAX = RECORD_SIZE_MAX + 64,
    LETTER_SIGNED_AT = 1 + SIGNATURE_SIZE, /* where the signed part of a report begins */
    LETTER_REPORT_OVERHEAD = LETTER_SIGNED_AT + HASH_SIZE + NODE_ID_SIZE + 2,
    LETTER_SEAL_SIZE = 48, /* what sealing adds */
};
_Static_assert(LETTER_SIZE_MAX + LETTER_SEAL_SIZE <= ENVELOPE_SIZE_MAX, "a letter must fit");
_Static_assert(LETTER_REPORT_OVERHEAD + CUSTODY_REPORT_COUNT_MAX * FRAME_POSITION_SIZE <=
                   LETTER_SIZE_MAX,
               "a report must fit");

void letter_record_write(struct buffer *out, const struct frame_record *record);
/* A report with zeros for its signature; the caller appends `count` positions, then it is signed
 * from LETTER_SIGNED_AT on. */
void letter_report_begin(struct buffer *out, const struct federation_id *federation,
                         const struct node_id *reporter, uint16_t count);

/* The shape of the whole, positions too; it borrows. ERR_TRUNCATED, ERR_TOO_LARGE, ERR_MALFORMED,
 * ERR_UNSUPPORTED (another kind of letter). */
MUST_USE err letter_read(struct bytes bytes, struct letter *ret_letter);

#endif
