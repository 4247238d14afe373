/* The frames between a node and a relay, both ways; normative text: spec/links.md.
 *
 * Each ZeroMQ message is one frame: u8 type, then fixed fields, big-endian, nothing after them.
 * Relays know transport keys only; what they forward is a box (`tunnel`) that they cannot decrypt.
 *
 *   node to relay
 *     0x01 HELLO    u16 version_min | u16 version_max | federation 32 | u64 epoch | head 32
 *     0x02 WATCH    u16 count | count * key 32        report these, now and at each change
 *     0x03 UNWATCH  u16 count | count * key 32
 *     0x04 OFFER    u8 count | count * (u8 size | text)   direct endpoints, for peers that ask
 *     0x05 WHERE    key 32                            asks for this peer's direct endpoints
 *     0x06 FORWARD  to 32 | box
 *     0x07 PUBLISH  u32 total | u32 offset | part     a publisher's roster chain, in parts
 *
 *   relay to node
 *     0x81 WELCOME  u16 version | federation 32 | u64 epoch | head 32 | limits 6 * u32
 *     0x82 PRESENCE u16 count | count * (key 32 | u8 connected)
 *     0x83 HINTS    key 32 | u8 count | count * (u8 size | text)
 *     0x84 DELIVER  from 32 | box
 *     0x85 CREDIT   u16 count | count * (key 32 | u32 units)
 *     0x86 STATUS   u8 code | u8 limit | key 32 | u32 units | u32 value
 *     0x87 HEAD     u64 epoch | head 32               the relay holds a newer list from now on
 *     0x88 PUBLISHED u16 result | u64 epoch | head 32
 *
 * Credit: a FORWARD frame of n bytes costs ceil(n / 512) units. A node may have `pair_units` in
 * flight to one peer and `member_units` to all peers together; CREDIT (and a STATUS about dropped
 * frames) returns units, for that peer and for the sum. The relay accepts every frame within
 * credit, without an answer. */
#ifndef CONSILIUM_PROTOCOL_WIRE_RELAY_FRAME_H
#define CONSILIUM_PROTOCOL_WIRE_RELAY_FRAME_H

#include "protocol/wire/tunnel.h"

enum {
    RELAY_VERSION = 1, /* the only one so far */
    RELAY_UNIT_SIZE = 512,
    RELAY_FORWARD_SIZE_MAX = 1 + KEY_SIZE + TUNNEL_SIZE_MAX,
    RELAY_UNITS_MAX = (RELAY_FORWARD_SIZE_MAX + RELAY_UNIT_SIZE - 1) / RELAY_UNIT_SIZE,
    RELAY_KEY_COUNT_MAX = 512,      /* in one WATCH, UNWATCH, PRESENCE, CREDIT */
    RELAY_PART_SIZE_MAX = 61440,    /* of one PUBLISH */
    RELAY_CONTROL_SIZE_MAX = 32768, /* every frame but FORWARD, DELIVER, PUBLISH */
};

_Static_assert(1 + KEY_SIZE + TUNNEL_WRAP_SIZE <= RELAY_WRAP_SIZE, "the wrapping of a frame");
_Static_assert(3 + RELAY_KEY_COUNT_MAX * (KEY_SIZE + 4) <= RELAY_CONTROL_SIZE_MAX, "lists fit");

enum relay_type {
    RELAY_HELLO = 0x01,
    RELAY_WATCH = 0x02,
    RELAY_UNWATCH = 0x03,
    RELAY_OFFER = 0x04,
    RELAY_WHERE = 0x05,
    RELAY_FORWARD = 0x06,
    RELAY_PUBLISH = 0x07,
    RELAY_WELCOME = 0x81,
    RELAY_PRESENCE = 0x82,
    RELAY_HINTS = 0x83,
    RELAY_DELIVER = 0x84,
    RELAY_CREDIT = 0x85,
    RELAY_STATUS = 0x86,
    RELAY_HEAD = 0x87,
    RELAY_PUBLISHED = 0x88,
};

enum relay_code {
    RELAY_GONE = 1,    /* `key` is not connected: `units` of frames to it were dropped */
    RELAY_BUSY = 2,    /* over credit: the frame to `key` was dropped, without cost */
    RELAY_LIMITED = 3, /* over `limit`, which is `value`; `units` of frames to `key` were dropped */
    RELAY_DRAINING = 4, /* the relay ends in `value` ms: use another one */
    RELAY_REFUSED = 5,  /* `value` is a relay_refusal; the link closes */
};

enum relay_limit {
    RELAY_LIMIT_NONE = 0,
    RELAY_LIMIT_SESSIONS = 1, /* peers to which one member has frames in flight */
    RELAY_LIMIT_WATCHES = 2,  /* keys that one member watches */
    RELAY_LIMIT_CONTROL = 3,  /* frames a minute other than FORWARD and PUBLISH */
    RELAY_LIMIT_PUBLISH = 4,  /* size of a published chain */
};

enum relay_refusal {
    RELAY_REFUSED_VERSION = 1,
    RELAY_REFUSED_FEDERATION = 2,
    RELAY_REFUSED_MALFORMED = 3, /* too many invalid frames */
    RELAY_REFUSED_UNLISTED = 4,  /* the list that the relay now holds does not name this key */
    RELAY_REFUSED_REPLACED = 5,  /* the same key connected again; the newer link stays */
    RELAY_REFUSED_STALLED = 6,   /* it received nothing for too long */
};

/* Published in WELCOME, in this order. */
struct relay_limits {
    uint32_t pair_units;    /* in flight from one member to one other; at least RELAY_UNITS_MAX */
    uint32_t member_units;  /* in flight from one member to all others; at least pair_units */
    uint32_t session_count; /* see RELAY_LIMIT_SESSIONS */
    uint32_t watch_count;   /* see RELAY_LIMIT_WATCHES */
    uint32_t control_count; /* see RELAY_LIMIT_CONTROL */
    uint32_t publish_size;  /* see RELAY_LIMIT_PUBLISH */
};

struct relay_head {
    uint64_t epoch;
    struct head_id id;
};

/* The endpoints of a member: at most ENDPOINT_COUNT_MAX texts of printable ASCII. */
struct relay_endpoints {
    uint8_t count;
    struct bytes text[ENDPOINT_COUNT_MAX]; /* borrowed */
};

/* One parsed frame; the type decides which fields are valid. Spans borrow from the input. */
struct relay_frame {
    enum relay_type type;
    uint16_t version_min, version_max; /* HELLO; in WELCOME both are the chosen one */
    struct federation_id federation;   /* HELLO, WELCOME */
    struct relay_head head;            /* HELLO, WELCOME, HEAD, PUBLISHED */
    struct relay_limits limits;        /* WELCOME */
    struct transport_key key;          /* FORWARD, DELIVER, WHERE, HINTS, STATUS */
    struct bytes body;                 /* FORWARD and DELIVER: box; PUBLISH: part;
                                        * lists: the entries, read with relay_frame_entry */
    uint16_t count;                    /* WATCH, UNWATCH, PRESENCE, CREDIT */
    struct relay_endpoints endpoints;  /* OFFER, HINTS */
    uint32_t total, offset;            /* PUBLISH */
    enum relay_code code;              /* STATUS */
    enum relay_limit limit;            /* STATUS */
    uint32_t units, value;             /* STATUS */
    uint16_t result;                   /* PUBLISHED: an `err` as a number; 0 is OK */
};

struct relay_entry {
    struct transport_key key;
    uint32_t value; /* PRESENCE: 0 or 1; CREDIT: units; else 0 */
};

/* OK, or ERR_TRUNCATED, ERR_TOO_LARGE, ERR_MALFORMED, ERR_UNSUPPORTED (an unknown type): drop the
 * frame and count it. */
MUST_USE err relay_frame_parse(struct bytes bytes, struct relay_frame *ret_frame);

/* Entry `index` (less than count) of a parsed WATCH, UNWATCH, PRESENCE or CREDIT frame. */
struct relay_entry relay_frame_entry(const struct relay_frame *frame, uint16_t index);

/* Writes any frame that is not a list; the fields of its type must be within bounds. The buffer
 * fails when it is too small. */
void relay_frame_write(const struct relay_frame *frame, struct buffer *buffer);

/* Writes a list frame from `count` entries, at most RELAY_KEY_COUNT_MAX. */
void relay_frame_write_list(enum relay_type type, const struct relay_entry *entries, uint16_t count,
                            struct buffer *buffer);

/* The cost of a FORWARD frame with a box of this size, in units. */
uint32_t relay_frame_units(size_t box_size);

#endif
