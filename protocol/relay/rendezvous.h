/* A relay's whole logic: who is connected, forwarding of boxes, credit, hints, and the upload of a
 * newer roster chain. Events in, effects out; no clock, no randomness, no memory but what was
 * handed in. The frames are those of protocol/link/relay_frame.h, the rules those of spec/links.md.
 *
 * A relay knows links (a number that the caller never uses twice), the transport key that was
 * proved for each (ZAP), and the signed list of keys that may connect. It knows no names, keeps
 * nothing and can open nothing.
 *
 *     rendezvous_on_event(relay, &event);
 *     while (rendezvous_next(relay, now, &effect))
 *         carry out effect; when a send found no room: rendezvous_blocked(relay, now)
 *
 * Nothing here fails: what a stranger does wrong is counted, answered with a status, or ends its
 * link. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_H
#define CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_H

#include "protocol/link/relay_frame.h"
#include "protocol/relay/finder.h"
#include "protocol/roster/transport_list.h"

enum {
    RENDEZVOUS_STALL_MS = 30 * 1000,  /* a link that takes nothing for so long is closed */
    RENDEZVOUS_UPLOAD_MS = 30 * 1000, /* an upload that stops for so long makes room for another */
    RENDEZVOUS_MALFORMED_MAX = 8,     /* frames without meaning until a link is closed */
    RENDEZVOUS_PENDING_MAX = 8,       /* questions of one link that wait for their answer */
};

struct rendezvous_config {
    struct federation_id federation;
    struct relay_limits limits;
    uint32_t link_count;                /* at once; the caller lets no more in */
    uint8_t secret[FINDER_SECRET_SIZE]; /* random, of this run only */
};

struct rendezvous; /* rendezvous_state.h */

/* How much memory a relay with this configuration needs, and makes it there. The memory is zeroed,
 * aligned to SLAB_ALIGNMENT, the caller's, and lives as long as the relay; most of it is touched
 * only under load. */
size_t rendezvous_size(const struct rendezvous_config *config);
struct rendezvous *rendezvous_init(const struct rendezvous_config *config, void *memory);

/* Sets whom the relay admits: `list` was checked by the caller (a signed list, or before there is
 * one the founding publisher alone, with head zeros) and is copied. Links of keys that it does not
 * name end; the others are told the new head. */
void rendezvous_set_list(struct rendezvous *relay, const struct relay_head *head, struct bytes list,
                         struct mono now);

/* The list that counts now; borrowed until the next one. */
struct bytes rendezvous_list(const struct rendezvous *relay);
struct relay_head rendezvous_head(const struct rendezvous *relay);

enum rendezvous_event_kind {
    RENDEZVOUS_LINK_UP,   /* link, key */
    RENDEZVOUS_LINK_DOWN, /* link */
    RENDEZVOUS_FRAME,     /* link, bytes: borrowed for the call */
    RENDEZVOUS_DRAINED,   /* link: it takes frames again */
    RENDEZVOUS_TIME,      /* due at rendezvous_deadline */
    RENDEZVOUS_VERIFIED,  /* result, and with OK head and bytes: the answer to an effect VERIFY */
    RENDEZVOUS_DRAIN,     /* until_ms from now the relay ends */
};

struct rendezvous_event {
    enum rendezvous_event_kind kind;
    struct mono now;
    uint64_t link;
    struct transport_key key;
    struct bytes bytes;
    err result;
    struct relay_head head;
    uint32_t until_ms;
};

void rendezvous_on_event(struct rendezvous *relay, const struct rendezvous_event *event);

enum rendezvous_effect_kind {
    RENDEZVOUS_SEND,   /* link, bytes: until the next call */
    RENDEZVOUS_CLOSE,  /* link; no LINK_DOWN needs to follow */
    RENDEZVOUS_VERIFY, /* bytes: a publication; until VERIFIED, which must come */
};

struct rendezvous_effect {
    enum rendezvous_effect_kind kind;
    uint64_t link;
    struct bytes bytes;
};

/* The next thing to do, fairly; false when there is nothing now. A SEND counts as done at the next
 * call of any function here but rendezvous_blocked. */
bool rendezvous_next(struct rendezvous *relay, struct mono now,
                     struct rendezvous_effect *ret_effect);

/* The SEND given last found no room: it is kept and comes again after DRAINED for its link. */
void rendezvous_blocked(struct rendezvous *relay, struct mono now);

/* When the next TIME is due; UINT64_MAX when none is. */
struct mono rendezvous_deadline(const struct rendezvous *relay);

/* Nothing is queued for anybody. */
bool rendezvous_is_idle(const struct rendezvous *relay);

/* For the status page: sums only, nothing about anyone. */
struct rendezvous_counts {
    uint32_t links, sessions; /* now */
    uint32_t queued_units, queued_units_max;
    uint64_t frames_in, frames_forwarded, bytes_forwarded;
    uint64_t gone, busy, limited, malformed, refused; /* answers and closed links */
    uint64_t published;                               /* lists taken */
};
struct rendezvous_counts rendezvous_counts(const struct rendezvous *relay);

#endif
