/* A relay's whole logic: who is connected, forwarding of boxes, credit, hints, and the upload of a
 * newer roster chain. Events in, effects out; no clock, no randomness, no memory but what was
 * handed in. The frames are those of protocol/wire/relay_frame.h, the rules those of spec/links.md.
 *
 * A relay knows links (a number that the caller never uses twice), the transport key that was
 * proved for each (ZAP), and the signed list of keys that may connect. It knows no names, keeps
 * nothing and can open nothing.
 *
 *     relay_engine_on_event(relay, &event);
 *     while (relay_engine_next(relay, now, &effect))
 *         carry out effect; when a send found no room: relay_engine_blocked(relay, now)
 *
 * Nothing here fails: what a stranger does wrong is counted, answered with a status, or ends its
 * link. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RELAY_ENGINE_H
#define CONSILIUM_PROTOCOL_RELAY_RELAY_ENGINE_H

#include "protocol/base/hash_index.h"
#include "protocol/member/transport_list.h"
#include "protocol/wire/relay_frame.h"

enum {
    RELAY_ENGINE_STALL_MS = 30 * 1000, /* a link that takes nothing for so long is closed */
    RELAY_ENGINE_UPLOAD_MS =
        30 * 1000,                  /* an upload that stops for so long makes room for another */
    RELAY_ENGINE_MALFORMED_MAX = 8, /* frames without meaning until a link is closed */
    RELAY_ENGINE_PENDING_MAX = 8,   /* questions of one link that wait for their answer */
};

struct relay_engine_config {
    struct federation_id federation;
    struct relay_limits limits;
    uint32_t link_count;                    /* at once; the caller lets no more in */
    uint8_t secret[HASH_INDEX_SECRET_SIZE]; /* random, of this run only */
};

struct relay_engine; /* relay_state.h */

/* How much memory a relay with this configuration needs, and makes it there. The memory is zeroed,
 * aligned to ARENA_ALIGNMENT, the caller's, and lives as long as the relay; most of it is touched
 * only under load. */
size_t relay_engine_size(const struct relay_engine_config *config);
struct relay_engine *relay_engine_init(const struct relay_engine_config *config, void *memory);

/* Sets whom the relay admits: `list` was checked by the caller (a signed list, or before there is
 * one the founding publisher alone, with head zeros) and is copied. Links of keys that it does not
 * name end; the others are told the new head. */
void relay_engine_set_list(struct relay_engine *relay, const struct relay_head *head,
                           struct bytes list, struct mono now);

/* The list that counts now; borrowed until the next one. */
struct bytes relay_engine_list(const struct relay_engine *relay);
struct relay_head relay_engine_head(const struct relay_engine *relay);

enum relay_engine_event_kind {
    RELAY_ENGINE_LINK_UP,   /* link, key */
    RELAY_ENGINE_LINK_DOWN, /* link */
    RELAY_ENGINE_FRAME,     /* link, bytes: borrowed for the call */
    RELAY_ENGINE_DRAINED,   /* link: it takes frames again */
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

/* The next thing to do, fairly; false when there is nothing now. A SEND counts as done at the next
 * call of any function here but relay_engine_blocked. */
bool relay_engine_next(struct relay_engine *relay, struct mono now,
                       struct relay_engine_effect *ret_effect);

/* The SEND given last found no room: it is kept and comes again after DRAINED for its link. */
void relay_engine_blocked(struct relay_engine *relay, struct mono now);

/* When the next TIME is due; UINT64_MAX when none is. */
struct mono relay_engine_deadline(const struct relay_engine *relay);

/* Nothing is queued for anybody. */
bool relay_engine_is_idle(const struct relay_engine *relay);

/* For the status page: sums only, nothing about anyone. */
struct relay_engine_counts {
    uint32_t links, sessions; /* now */
    uint32_t queued_units, queued_units_max;
    uint64_t frames_in, frames_forwarded, bytes_forwarded;
    uint64_t gone, busy, limited, malformed, refused; /* answers and closed links */
    uint64_t published;                               /* lists taken */
};
struct relay_engine_counts relay_engine_counts(const struct relay_engine *relay);

#endif
