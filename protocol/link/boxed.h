/* A boxed session: frames from member to member inside a relay's forward frames, which the relay
 * can neither read, forge nor replay. One `struct boxed` for each (relay, peer).
 *
 * Events in, effects out: `boxed_on_event` takes one event and leaves in the step what to forward,
 * what was opened, and whether the session came up or went down. It reads no clock and draws no
 * randomness.
 *
 * What the room promises and asks:
 * - A frame opens only as exactly the next one. The relay delivers in order, so a gap means loss:
 *   the session ends, both sides know at once or at the next frame, and a new handshake follows.
 *   Frames under way when a session ends are lost; the streams above send them again.
 * - Up means: the peer's living node holds its transport secret. The one that answered is up only
 *   when the first sealed frame opened, since a relay can replay a first message.
 * - On a double dial the smaller transport key is the initiator.
 * - A relay can always end a session, by dropping a frame; it gains nothing else.
 * - A failed dial is not repeated here: the caller dials again after its own back-off.
 *
 * A box, as `forward` and `deliver` frames carry it (spec/links.md):
 *
 *     u8 1 INIT | first Noise message (48)
 *     u8 2 RESP | second Noise message (48)
 *     u8 3 DATA | sealed frame (its size + 16)
 *     u8 4 KEEP | sealed nothing (16): I am here
 *     u8 5 END  | sealed nothing (16): I end this session
 *
 * The type byte is associated data of what it seals. */
#ifndef CONSILIUM_PROTOCOL_LINK_BOXED_H
#define CONSILIUM_PROTOCOL_LINK_BOXED_H

#include "protocol/limits.h"
#include "protocol/link/noise.h"

enum {
    BOXED_VERSION = 1,
    BOXED_WRAP_SIZE = 1 + NOISE_TAG_SIZE,
    BOXED_SIZE_MAX = FRAME_SIZE_MAX + BOXED_WRAP_SIZE,
    BOXED_HANDSHAKE_SIZE = 1 + NOISE_MESSAGE_SIZE,

    BOXED_DIAL_MS = 10 * 1000,       /* an unanswered handshake is given up */
    BOXED_REDIAL_MS = 5 * 1000,      /* between dials that the peer's stray frames make us do */
    BOXED_KEEP_MS = 20 * 1000,       /* a session that sent nothing says KEEP */
    BOXED_SILENT_MS = 60 * 1000,     /* a session that heard nothing ends */
    BOXED_AGE_MS = 12 * 3600 * 1000, /* a session ends, and fresh keys follow */
};

enum boxed_state {
    BOXED_IDLE,      /* no session */
    BOXED_DIALED,    /* INIT sent, RESP awaited */
    BOXED_ANSWERED,  /* RESP sent, the first sealed frame awaited */
    BOXED_CONNECTED, /* frames flow */
};
enum { BOXED_STATE_COUNT = BOXED_CONNECTED + 1 };

/* Borrowed by every session made with it and unchanged while they live. */
struct boxed_identity {
    struct federation_id federation;
    struct transport_key local;
    const uint8_t *local_secret; /* KEY_SIZE bytes, in locked memory */
};

/* Secret; wiped by boxed_clear. */
struct boxed {
    enum boxed_state state;
    const struct boxed_identity *identity;
    struct transport_key peer;
    struct hash prologue;
    struct noise_handshake handshake;    /* DIALED only */
    struct noise_session session;        /* ANSWERED and CONNECTED */
    uint8_t init[BOXED_HANDSHAKE_SIZE];  /* DIALED: what was sent, to repeat it */
    struct transport_key peer_ephemeral; /* of the last INIT answered: its copies count nothing */
    struct mono entered_at;
    struct mono sent_at;
    struct mono heard_at;
    struct mono redial_after;
};

enum boxed_event_kind {
    BOXED_EVENT_DIAL,    /* the caller wants a session */
    BOXED_EVENT_FRAME,   /* `bytes` is a box that the relay delivered from this peer */
    BOXED_EVENT_SEND,    /* `bytes` is a frame for the peer, 1 to FRAME_SIZE_MAX bytes */
    BOXED_EVENT_TIME,    /* time passed; due at boxed_deadline */
    BOXED_EVENT_LOST,    /* the relay said the peer is gone or frames were lost, or its link went */
    BOXED_EVENT_HANG_UP, /* the caller wants no session any more */
};
enum { BOXED_EVENT_COUNT = BOXED_EVENT_HANG_UP + 1 };

struct boxed_event {
    enum boxed_event_kind kind;
    struct mono now;
    struct bytes bytes;    /* borrowed for the call */
    const uint8_t *secret; /* 32 fresh random bytes when boxed_needs_secret says so; else unused */
};

enum boxed_change {
    BOXED_SAME,
    BOXED_UP,   /* may send from now on */
    BOXED_DOWN, /* the session ended, or the dial failed; the reason tells */
};

enum boxed_reason {
    BOXED_REASON_NONE,
    BOXED_REASON_TIMEOUT,  /* the peer did not answer the handshake, or not to its end */
    BOXED_REASON_SILENT,   /* nothing heard for BOXED_SILENT_MS */
    BOXED_REASON_FAILED,   /* a frame did not open: lost, altered or replayed on the way */
    BOXED_REASON_REPLACED, /* the peer began a new handshake; up follows if it completes */
    BOXED_REASON_LOST,     /* BOXED_EVENT_LOST */
    BOXED_REASON_ENDED,    /* one of the two hung up */
    BOXED_REASON_AGED,     /* too old or too many messages: dial again */
};

/* What one event did. `send` and `opened` point into the step and live until its next use. At
 * most 130 KiB: keep one for all sessions. */
struct boxed_step {
    struct bytes send;   /* a box to forward to the peer, or empty */
    struct bytes opened; /* a frame from the peer, or empty */
    enum boxed_change change;
    enum boxed_reason reason; /* with BOXED_DOWN */
    bool dropped;             /* the event's bytes counted for nothing; a reason to trace */
    uint8_t send_memory[BOXED_SIZE_MAX];
    uint8_t opened_memory[FRAME_SIZE_MAX];
};

/* An idle session with `peer` through `relay`. `identity` stays borrowed. */
void boxed_init(struct boxed *boxed, const struct boxed_identity *identity,
                const struct transport_key *relay, const struct transport_key *peer);

/* Wipes all keys. */
void boxed_clear(struct boxed *boxed);

/* True when this event may start or answer a handshake, so that it needs `secret`. A cheap look. */
bool boxed_needs_secret(const struct boxed *boxed, const struct boxed_event *event);

/* A SEND in any state but CONNECTED is dropped. */
void boxed_on_event(struct boxed *boxed, const struct boxed_event *event,
                    struct boxed_step *ret_step);

bool boxed_is_up(const struct boxed *boxed);

/* When the next BOXED_EVENT_TIME is due; UINT64_MAX when none is. */
struct mono boxed_deadline(const struct boxed *boxed);

#endif
