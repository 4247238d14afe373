/* Frames about mail for offline members (spec/custody.md); the rest as in frame.h. */
#ifndef CONSILIUM_PROTOCOL_WIRE_FRAME_CUSTODY_H
#define CONSILIUM_PROTOCOL_WIRE_FRAME_CUSTODY_H

#include "protocol/wire/frame.h"

/* Asks the custodian to hold an envelope for `recipient`. */
struct frame_custody_leave {
    struct deposit_id id;
    struct node_id recipient;
    struct bytes envelope; /* not empty, at most ENVELOPE_SIZE_MAX */
};
void frame_custody_leave_write(struct buffer *out, const struct frame_custody_leave *leave);
MUST_USE err frame_custody_leave_read(struct bytes frame, struct frame_custody_leave *ret_leave);

enum frame_custody_verdict {
    FRAME_CUSTODY_HELD = 1, /* durably */
    FRAME_CUSTODY_FULL = 2,
    FRAME_CUSTODY_REFUSED = 3,
};
struct frame_custody_answer {
    struct deposit_id id;
    enum frame_custody_verdict verdict;
};
void frame_custody_answer_write(struct buffer *out, const struct frame_custody_answer *answer);
MUST_USE err frame_custody_answer_read(struct bytes frame, struct frame_custody_answer *ret_answer);

/* Withdraws deposits: whole deposit_ids, at least one, at most FRAME_CUSTODY_WITHDRAW_MAX. */
enum { FRAME_CUSTODY_WITHDRAW_MAX = 128 };
void frame_custody_withdraw_write(struct buffer *out, const struct deposit_id *ids, uint16_t count);
MUST_USE err frame_custody_withdraw_read(struct bytes frame, struct bytes *ret_ids);

/* Asks for the next envelope held for the sender, after this number. */
void frame_custody_collect_write(struct buffer *out, uint64_t after);
MUST_USE err frame_custody_collect_read(struct bytes frame, uint64_t *ret_after);

/* The answer; number 0 and no bytes: none. */
struct frame_custody_envelope {
    uint64_t number;
    struct bytes envelope;
};
void frame_custody_envelope_write(struct buffer *out, const struct frame_custody_envelope *answer);
MUST_USE err frame_custody_envelope_read(struct bytes frame,
                                         struct frame_custody_envelope *ret_answer);

/* Says that this envelope need not be held any longer. */
void frame_custody_taken_write(struct buffer *out, uint64_t number);
MUST_USE err frame_custody_taken_read(struct bytes frame, uint64_t *ret_number);

#endif
