/* Frames: the messages of two members over a link, direct or tunnelled. Byte for byte:
 * spec/wire.md.
 *
 * A frame is one message: u8 type, then fixed binary. Type 0x00 belongs to the link itself. The
 * structs borrow from the frame that was read. All readers return ERR_TRUNCATED, ERR_MALFORMED or
 * ERR_TOO_LARGE: count it against the peer and drop the frame. */
#ifndef CONSILIUM_PROTOCOL_WIRE_FRAME_H
#define CONSILIUM_PROTOCOL_WIRE_FRAME_H

#include "protocol/base/limits.h"
#include "protocol/record/record.h"

enum { FRAME_VERSION = 1 };

enum frame_type {
    FRAME_HELLO = 0x01,
    FRAME_HEADS_WANT = 0x02,
    FRAME_HEADS = 0x03,
    FRAME_ROSTER_PART = 0x0d,
    FRAME_SUMMARY = 0x04,
    FRAME_STREAMS = 0x05,
    FRAME_ACK = 0x06,
    FRAME_WANT = 0x07,
    FRAME_RECORDS = 0x08,
    FRAME_STATUS = 0x09,
    FRAME_ITEM_WANT = 0x0a,
    FRAME_ITEM_CHUNK = 0x0b,
    FRAME_ITEM_STATUS = 0x0c,
    FRAME_CUSTODY_LEAVE = 0x0e,
    FRAME_CUSTODY_ANSWER = 0x0f,
    FRAME_CUSTODY_WITHDRAW = 0x10,
    FRAME_CUSTODY_COLLECT = 0x11,
    FRAME_CUSTODY_ENVELOPE = 0x12,
    FRAME_CUSTODY_TAKEN = 0x13,
};
enum { FRAME_TYPE_LAST = FRAME_CUSTODY_TAKEN };

/* The first frame on every connection, from both sides. */
struct frame_hello {
    uint8_t version_min;
    uint8_t version_max;
    struct federation_id federation;
    uint64_t epoch;
    struct head_id head;
    struct wall time; /* the sender's clock, to compare the two clocks */
};

void frame_hello_write(struct buffer *out, const struct frame_hello *hello);
MUST_USE err frame_hello_read(struct bytes frame, struct frame_hello *ret_hello);

/* The sender knows the heads up to `epoch`, and holds the content of `base` (zeros: of none). */
struct frame_heads_want {
    uint64_t epoch;
    struct head_id base;
};
void frame_heads_want_write(struct buffer *out, const struct frame_heads_want *want);
MUST_USE err frame_heads_want_read(struct bytes frame, struct frame_heads_want *ret_want);

/* Signed heads, ascending by epoch: begin, then each; `count` is at most FRAME_HEAD_COUNT_MAX. */
enum { FRAME_HEAD_COUNT_MAX = 64 };
void frame_heads_begin(struct buffer *out);
/* False when the head does not fit this frame: begin another one. */
bool frame_head_write(struct buffer *out, struct bytes signed_head);
/* This, frame_positions_open and frame_records_open check the format of the whole frame: when they
 * return OK, every element can be read and nothing is left over. */
MUST_USE err frame_heads_open(struct bytes frame, struct reader *ret_reader);
/* ERR_NOT_FOUND at the end. */
MUST_USE err frame_head_read(struct reader *reader, struct bytes *ret_signed_head);

/* A part of a delta, in the format of protocol/roster/delta.h; borrowed. */
void frame_roster_part_write(struct buffer *out, struct bytes part);
MUST_USE err frame_roster_part_read(struct bytes frame, struct bytes *ret_part);

/* One digest over all live streams that both sides may name; equal digests: no sync is needed. */
struct frame_summary {
    struct hash digest;
    uint32_t stream_count;
};
void frame_summary_write(struct buffer *out, const struct frame_summary *summary);
MUST_USE err frame_summary_read(struct bytes frame, struct frame_summary *ret_summary);

/* The sender's position in a stream: FRAME_STREAMS has every shared stream, FRAME_ACK those that
 * changed. `tail` is the last accepted position. `had` is the last position up to which header,
 * body and checked key are all durable at the sender. `tail_hint` is the first 8 bytes of the id of
 * the record at `tail`; it reveals that two peers hold different records at one position. */
struct frame_position {
    struct stream_id stream;
    uint64_t tail;
    uint64_t had;
    uint64_t tail_hint;
};
enum {
    FRAME_POSITION_SIZE = STREAM_ID_SIZE + 24,
    FRAME_POSITION_COUNT_MAX = 840,
};
_Static_assert(3 + FRAME_POSITION_COUNT_MAX * FRAME_POSITION_SIZE <= FRAME_SIZE_MAX,
               "a page of positions must fit a frame");

/* Begins a frame of `count` positions; the caller appends each with frame_position_write. */
void frame_positions_begin(struct buffer *out, enum frame_type type, uint16_t count);
void frame_position_write(struct buffer *out, const struct frame_position *position);
MUST_USE err frame_positions_open(struct bytes frame, struct reader *ret_reader,
                                  uint16_t *ret_count);
MUST_USE err frame_position_read(struct reader *reader, struct frame_position *ret_position);

/* Requests at most `count` records of this stream, from this position on. */
struct frame_want {
    struct stream_id stream;
    uint64_t from;
    uint16_t count;
};
void frame_want_write(struct buffer *out, const struct frame_want *want);
MUST_USE err frame_want_read(struct bytes frame, struct frame_want *ret_want);

/* One record as sent, with its key when the receiver is entitled to it. */
struct frame_record {
    bool has_key;
    struct record_key key;
    struct bytes record; /* whole or header-only */
};
enum { FRAME_RECORD_OVERHEAD = 5 + KEY_SIZE };

/* Begins a frame; `count` is patched by frame_records_end. */
void frame_records_begin(struct buffer *out);
void frame_record_write(struct buffer *out, const struct frame_record *record);
void frame_records_end(struct buffer *out, uint16_t count);
MUST_USE err frame_records_open(struct bytes frame, struct reader *ret_reader, uint16_t *ret_count);
MUST_USE err frame_record_read(struct reader *reader, struct frame_record *ret_record);

enum frame_answer {
    FRAME_NOT_HELD = 1,
    FRAME_NOT_ENTITLED = 2, /* with the roster head on which the sender decided */
    FRAME_DESTROYED = 3,
    FRAME_BUSY = 4,
};

struct frame_status {
    struct stream_id stream;
    uint64_t sequence;
    enum frame_answer answer;
    struct head_id head;
};
void frame_status_write(struct buffer *out, const struct frame_status *status);
MUST_USE err frame_status_read(struct bytes frame, struct frame_status *ret_status);

/* Chunks of a case-file item, by index. */
struct frame_item_want {
    struct case_id case_id;
    struct item_id item;
    uint32_t first;
    uint16_t count;
};
void frame_item_want_write(struct buffer *out, const struct frame_item_want *want);
MUST_USE err frame_item_want_read(struct bytes frame, struct frame_item_want *ret_want);

/* One chunk's ciphertext with the proof that it is leaf `index` of the item's tree. */
struct frame_item_chunk {
    struct case_id case_id;
    struct item_id item;
    uint32_t index;
    struct bytes proof; /* whole hashes, at most FRAME_PROOF_COUNT_MAX */
    struct bytes chunk;
};
enum { FRAME_PROOF_COUNT_MAX = 24 };
_Static_assert(1 + 64 + 4 + 1 + FRAME_PROOF_COUNT_MAX * HASH_SIZE + CHUNK_SIZE_MAX <=
                   FRAME_SIZE_MAX,
               "a chunk with its proof must fit a frame");
void frame_item_chunk_write(struct buffer *out, const struct frame_item_chunk *chunk);
MUST_USE err frame_item_chunk_read(struct bytes frame, struct frame_item_chunk *ret_chunk);

struct frame_item_status {
    struct case_id case_id;
    struct item_id item;
    uint32_t index;
    enum frame_answer answer;
};
void frame_item_status_write(struct buffer *out, const struct frame_item_status *status);
MUST_USE err frame_item_status_read(struct bytes frame, struct frame_item_status *ret_status);

#endif
