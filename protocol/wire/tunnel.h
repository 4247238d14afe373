/* A tunnel: frames from member to member inside a relay's forward frames. The relay can neither
 * read, forge nor replay them. One `struct tunnel` for each (relay, peer).
 *
 * Events in, effects out: `tunnel_on_event` takes one event and leaves in the step what to forward,
 * which frame was decrypted, and whether the session came up or went down. It reads no clock and
 * draws no randomness.
 *
 * Guarantees and requirements:
 * - A frame decrypts only as exactly the next one. The relay delivers in order, so a gap means
 * loss: the session ends, both sides detect it at once or at the next frame, and a new handshake
 * follows. Frames in flight when a session ends are lost; the streams above send them again.
 * - Up means: the peer's live node holds its transport secret. The responder is up only when the
 *   first sealed frame decrypts, since a relay can replay a first message.
 * - On a double dial the smaller transport key is the initiator.
 * - A relay can always end a session, by dropping a frame; it gains nothing else.
 * - A failed dial is not repeated here: the caller dials again after its own back-off.
 *
 * A box, as `forward` and `deliver` frames carry it (spec/links.md):
 *
 *     u8 1 INIT | first Noise message (48)
 *     u8 2 RESP | second Noise message (48)
 *     u8 3 DATA | sealed frame (its size + 16)
 *     u8 4 KEEP | sealed nothing (16): keep-alive
 *     u8 5 END  | sealed nothing (16): the sender ends this session
 *
 * The type byte is associated data of the sealed part. */
#ifndef CONSILIUM_PROTOCOL_WIRE_TUNNEL_H
#define CONSILIUM_PROTOCOL_WIRE_TUNNEL_H

#include "protocol/base/limits.h"
#include "protocol/wire/noise.h"

enum {
    TUNNEL_VERSION = 1,
    TUNNEL_WRAP_SIZE = 1 + NOISE_TAG_SIZE,
    TUNNEL_SIZE_MAX = FRAME_SIZE_MAX + TUNNEL_WRAP_SIZE,
    TUNNEL_HANDSHAKE_SIZE = 1 + NOISE_MESSAGE_SIZE,

    TUNNEL_DIAL_MS = 10 * 1000,       /* until an unanswered handshake is given up */
    TUNNEL_REDIAL_MS = 5 * 1000,      /* between dials that stray frames of the peer cause */
    TUNNEL_KEEP_MS = 20 * 1000,       /* a session that sent nothing sends KEEP */
    TUNNEL_SILENT_MS = 60 * 1000,     /* a session that received nothing ends */
    TUNNEL_AGE_MS = 12 * 3600 * 1000, /* a session ends, and a new handshake follows */
};

enum tunnel_state {
    TUNNEL_IDLE,      /* no session */
    TUNNEL_DIALED,    /* INIT sent, RESP awaited */
    TUNNEL_ANSWERED,  /* RESP sent, the first sealed frame awaited */
    TUNNEL_CONNECTED, /* frames flow */
};
enum { TUNNEL_STATE_COUNT = TUNNEL_CONNECTED + 1 };

/* Borrowed by every session made with it; must not change while they exist. */
struct tunnel_identity {
    struct federation_id federation;
    struct transport_key local;
    const uint8_t *local_secret; /* KEY_SIZE bytes, in locked memory */
};

/* Secret; wiped by tunnel_clear. */
struct tunnel {
    enum tunnel_state state;
    const struct tunnel_identity *identity;
    struct transport_key peer;
    struct hash prologue;
    struct noise_handshake handshake;    /* DIALED only */
    struct noise_session session;        /* ANSWERED and CONNECTED */
    uint8_t init[TUNNEL_HANDSHAKE_SIZE]; /* DIALED: the message that was sent, to repeat it */
    struct transport_key peer_ephemeral; /* of the last answered INIT: its copies are ignored */
    struct mono entered_at;
    struct mono sent_at;
    struct mono heard_at;
    struct mono redial_after;
};

enum tunnel_event_kind {
    TUNNEL_EVENT_DIAL,  /* the caller wants a session */
    TUNNEL_EVENT_FRAME, /* `bytes` is a box that the relay delivered from this peer */
    TUNNEL_EVENT_SEND,  /* `bytes` is a frame for the peer, 1 to FRAME_SIZE_MAX bytes */
    TUNNEL_EVENT_TIME,  /* time passed; due at tunnel_deadline */
    TUNNEL_EVENT_LOST,  /* the relay reported the peer gone or frames lost, or its link went down */
    TUNNEL_EVENT_HANG_UP, /* the caller no longer wants a session */
};
enum { TUNNEL_EVENT_COUNT = TUNNEL_EVENT_HANG_UP + 1 };

struct tunnel_event {
    enum tunnel_event_kind kind;
    struct mono now;
    struct bytes bytes;    /* borrowed for the call */
    const uint8_t *secret; /* 32 fresh random bytes when tunnel_needs_secret says so; else unused */
};

enum tunnel_change {
    TUNNEL_SAME,
    TUNNEL_UP,   /* may send from now on */
    TUNNEL_DOWN, /* the session ended, or the dial failed; see the reason */
};

enum tunnel_reason {
    TUNNEL_REASON_NONE,
    TUNNEL_REASON_TIMEOUT,  /* the peer did not answer the handshake, or did not complete it */
    TUNNEL_REASON_SILENT,   /* nothing received for TUNNEL_SILENT_MS */
    TUNNEL_REASON_FAILED,   /* a frame did not decrypt: lost, altered or replayed */
    TUNNEL_REASON_REPLACED, /* the peer began a new handshake; up follows if it completes */
    TUNNEL_REASON_LOST,     /* TUNNEL_EVENT_LOST */
    TUNNEL_REASON_ENDED,    /* one of the two hung up */
    TUNNEL_REASON_AGED,     /* too old or too many messages: dial again */
};

/* The effects of one event. `send` and `opened` point into the step and live until its next use. At
 * most 130 KiB: keep one for all sessions. */
struct tunnel_step {
    struct bytes send;   /* a box to forward to the peer, or empty */
    struct bytes opened; /* a frame from the peer, or empty */
    enum tunnel_change change;
    enum tunnel_reason reason; /* with TUNNEL_DOWN */
    bool dropped;              /* the event's bytes were ignored; worth a trace */
    uint8_t send_memory[TUNNEL_SIZE_MAX];
    uint8_t opened_memory[FRAME_SIZE_MAX];
};

/* An idle session with `peer` through `relay`. `identity` stays borrowed. */
void tunnel_init(struct tunnel *tunnel, const struct tunnel_identity *identity,
                 const struct transport_key *relay, const struct transport_key *peer);

/* Wipes all keys. */
void tunnel_clear(struct tunnel *tunnel);

/* True when this event may start or answer a handshake, so that it needs `secret`. Cheap. */
bool tunnel_needs_secret(const struct tunnel *tunnel, const struct tunnel_event *event);

/* A SEND in any state but CONNECTED is dropped. */
void tunnel_on_event(struct tunnel *tunnel, const struct tunnel_event *event,
                     struct tunnel_step *ret_step);

bool tunnel_is_up(const struct tunnel *tunnel);

/* When the next TUNNEL_EVENT_TIME is due; UINT64_MAX when none is. */
struct mono tunnel_deadline(const struct tunnel *tunnel);

#endif
