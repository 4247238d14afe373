/* The relay engine: connected links, forwarding of boxes, credit, hints, and the upload of a newer
 * roster chain. Events in, effects out; no clock, no randomness, no memory but the caller's. The
 * frames are those of protocol/wire/relay_frame.h, the rules those of spec/links.md.
 *
 * A relay knows links (a number that the caller never uses twice), the transport key that was
 * proved for each (ZAP), and the signed list of keys that may connect. It knows no names, stores
 * nothing and can decrypt nothing.
 *
 *     relay_engine_on_event(relay, &event);
 *     while (relay_engine_next(relay, now, &effect))
 *         carry out effect; when a send would block: relay_engine_blocked(relay, now)
 *
 * Nothing here fails: an error of a remote party is counted, answered with a status, or ends its
 * link. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RELAY_ENGINE_H
#define CONSILIUM_PROTOCOL_RELAY_RELAY_ENGINE_H

#include "protocol/base/hash_index.h"
#include "protocol/member/transport_list.h"
#include "protocol/wire/relay_frame.h"

enum {
    RELAY_ENGINE_STALL_MS = 30 * 1000, /* a link that accepts nothing for this long is closed */
    RELAY_ENGINE_UPLOAD_MS =
        30 * 1000,                  /* an upload that pauses for this long gives way to another */
    RELAY_ENGINE_MALFORMED_MAX = 8, /* invalid frames until a link is closed */
    RELAY_ENGINE_PENDING_MAX = 8,   /* unanswered requests of one link */
};

struct relay_engine_config {
    struct federation_id federation;
    struct relay_limits limits;
    uint32_t link_count;                    /* at once; the caller accepts no more */
    uint8_t secret[HASH_INDEX_SECRET_SIZE]; /* random, of this run only */
};

struct relay_engine; /* relay_links.h */

/* The memory that a relay with this configuration needs; then the relay in it. The caller owns the
 * memory, which is zeroed, aligned to ARENA_ALIGNMENT, and lives as long as the relay; most of it
 * is touched only under load. */
size_t relay_engine_size(const struct relay_engine_config *config);
struct relay_engine *relay_engine_init(const struct relay_engine_config *config, void *memory);

/* Sets the keys that the relay admits. The caller has checked `list` (a signed list or, before
 * there is one, the founding publisher alone, with head zeros); it is copied. Links of keys that it
 * does not name end; the others get the new head. */
void relay_engine_set_list(struct relay_engine *relay, const struct relay_head *head,
                           struct bytes list, struct mono now);

/* The list in force; borrowed until the next one. */
struct bytes relay_engine_list(const struct relay_engine *relay);
struct relay_head relay_engine_head(const struct relay_engine *relay);

enum relay_engine_event_kind {
    RELAY_ENGINE_LINK_UP,   /* link, key */
    RELAY_ENGINE_LINK_DOWN, /* link */
    RELAY_ENGINE_FRAME,     /* link, bytes: borrowed for the call */
    RELAY_ENGINE_DRAINED,   /* link: it accepts frames again */
    RELAY_ENGINE_TIME,      /* due at relay_engine_deadline */
    RELAY_ENGINE_VERIFIED,  /* result, and with OK head and bytes: the answer to an effect VERIFY */
    RELAY_ENGINE_DRAIN,     /* until_ms from now the relay ends */
};

struct relay_engine_event {
    enum relay_engine_event_kind kind;
    struct mono now;
    uint64_t link;
    struct transport_key key;
    struct bytes bytes;
    err result;
    struct relay_head head;
    uint32_t until_ms;
};

void relay_engine_on_event(struct relay_engine *relay, const struct relay_engine_event *event);

enum relay_engine_effect_kind {
    RELAY_ENGINE_SEND,   /* link, bytes: until the next call */
    RELAY_ENGINE_CLOSE,  /* link; no LINK_DOWN needs to follow */
    RELAY_ENGINE_VERIFY, /* bytes: a publication; until VERIFIED, which must come */
};

struct relay_engine_effect {
    enum relay_engine_effect_kind kind;
    uint64_t link;
    struct bytes bytes;
};

/* The next effect, fairly; false when there is none now. A SEND counts as done at the next call of
 * any function here except relay_engine_blocked. */
bool relay_engine_next(struct relay_engine *relay, struct mono now,
                       struct relay_engine_effect *ret_effect);

/* The last SEND would block: the engine keeps it and returns it again after DRAINED for its
 * link. */
void relay_engine_blocked(struct relay_engine *relay, struct mono now);

/* When the next TIME is due; UINT64_MAX when none is. */
struct mono relay_engine_deadline(const struct relay_engine *relay);

/* True when nothing is queued. */
bool relay_engine_is_idle(const struct relay_engine *relay);

/* For the status page: sums only, nothing about a member. */
struct relay_engine_counts {
    uint32_t links, sessions; /* now */
    uint32_t queued_units, queued_units_max;
    uint64_t frames_in, frames_forwarded, bytes_forwarded;
    uint64_t gone, busy, limited, malformed, refused; /* answers and closed links */
    uint64_t published;                               /* lists accepted */
};
struct relay_engine_counts relay_engine_counts(const struct relay_engine *relay);

#endif
