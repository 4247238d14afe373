/* Links: frames between us and peers whose transport keys we know, by ZeroMQ with CURVE.
 *
 * One hub for each transport key of ours: a listening socket, or none, and one dialing socket for
 * each peer that we dial. A link is *up* or it is not; frames pass only while it is up, whole, in
 * order, and what was not yet sent when it went down is gone: a send is never an acknowledgement.
 *
 *   inbound   one connection of one listed key. It comes up with the hub's own hello, it gets a new
 *             id each time, and a second connection of the same key takes the place of the first.
 *   outbound  dialed until hub_close: each attempt a fresh socket, again after 250 ms to 60 s. It
 *             keeps its id; up and down follow each other. A name is looked up for each attempt,
 * and two of its addresses, of both families if there are, are tried side by side.
 *
 * The first byte 0x00 of a frame is the hub's own (hello, ping, pong, nothing); all others belong
 * to the caller. Whoever heard nothing for 15 s asks; after 45 s of silence the link is down.
 *
 * Everything runs on the loop. Callbacks may call any hub function but hub_free. */
#ifndef CONSILIUM_NODE_NET_HUB_H
#define CONSILIUM_NODE_NET_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/net/zap_authenticator.h"
#include "node/os/address.h"
#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/ids.h"

struct hub;

/* Never used twice by one hub; 0 is no link. */
struct hub_link {
    uint64_t id;
};

enum hub_direction { HUB_INBOUND, HUB_OUTBOUND };

enum hub_reason {
    HUB_NO_NAME,      /* no such name, or no answer to the question in time */
    HUB_UNREACHABLE,  /* nobody listens, or there is no way */
    HUB_TIMED_OUT,    /* no answer in time */
    HUB_REFUSED,      /* they do not list our key */
    HUB_BAD_PEER,     /* no handshake with the key that was pinned, or not our protocol */
    HUB_DISCONNECTED, /* the connection ended */
    HUB_SILENT,       /* nothing heard for 45 s */
    HUB_REPLACED,     /* the same key came again */
    HUB_DISALLOWED,   /* hub_allow no longer lists the key */
    HUB_VIOLATION,    /* the peer broke the hub's rules */
    HUB_CLOSED,       /* hub_close */
    HUB_MOVED,        /* hub_redirect */
};

/* "they do not list our key"...; static. */
const char *hub_reason_sentence(enum hub_reason reason);

/* Any may be NULL. `user` is the config's. */
struct hub_calls {
    void (*on_up)(void *user, struct hub_link link, const struct transport_key *peer,
                  enum hub_direction direction);
    /* `frame` is borrowed for the call; 1 to FRAME_SIZE_MAX + RELAY_WRAP_SIZE bytes. */
    void (*on_frame)(void *user, struct hub_link link, struct bytes frame);
    /* After on_up, once. An inbound link is gone then; an outbound one is dialed again. */
    void (*on_down)(void *user, struct hub_link link, enum hub_reason reason);
    /* There is room again after ERR_BUSY. */
    void (*on_drained)(void *user, struct hub_link link);
    /* An attempt to dial failed, for the status page; the next follows by itself. */
    void (*on_failed)(void *user, struct hub_link link, enum hub_reason reason);
    /* Another process with this hub's key was connected to the same peer while this one was: what
     * the peer showed proves it. Once for each time. */
    void (*on_second)(void *user, struct hub_link link);
};

/* Zero means what stands in brackets; other values are for tests. */
struct hub_pace {
    uint32_t ask_ms;       /* quiet for so long: ask (15,000) */
    uint32_t silent_ms;    /* quiet for so long: down (45,000) */
    uint32_t handshake_ms; /* a handshake takes at most so long (5,000) */
    uint32_t retry_ms_min; /* first and longest wait between attempts (250, 60,000) */
    uint32_t retry_ms_max;
    uint32_t lookup_ms; /* a name is waited for at most so long (5,000) */
    uint32_t second_ms; /* the second address is tried so long after the first (250) */
};

/* Copied by hub_new, what it points to as well. */
struct hub_config {
    struct transport_key public_key;
    const uint8_t *secret_key; /* 32 bytes, borrowed until hub_free */
    const struct address *listen;
    size_t listen_count;        /* 0: no listening socket at all */
    uint32_t inbound_count_max; /* 0: LINK_COUNT_MAX */
    uint32_t queue_count_max;   /* frames waiting in each direction of each link; 0: 64 */
    struct hub_calls calls;
    void *user;
    struct hub_pace pace;
};

/* Opens the door, if there is one: proves first, over loopback, that a random key is refused.
 *
 *   ERR_NOT_ENTITLED  the random key was not refused: do not start
 *   ERR_EXISTS        an address is in use; errno EADDRINUSE or EADDRNOTAVAIL
 *   ERR_IO            errno says why
 *   ERR_NO_MEMORY */
MUST_USE err hub_new(struct zap_authenticator *zap_authenticator, const struct hub_config *config,
                     struct hub **ret_hub);

/* Closes all links without a callback; memory goes as the loop turns. Accepts NULL. */
void hub_free(struct hub *hub);

/* Sets who may come in: exactly these keys (copied); none at the start. Live inbound links of
 * keys that are not among them go down (HUB_DISALLOWED) before this returns and are disconnected.
 * Outbound links are the caller's to close. ERR_NO_MEMORY: the old list stands. */
MUST_USE err hub_allow(struct hub *hub, const struct transport_key *keys, size_t count);

/* Starts dialing. `peer` is whom we must find there. ERR_FULL: over 4,096 links; ERR_INVALID: the
 * address cannot be dialed. */
MUST_USE err hub_dial(struct hub *hub, const struct address *address,
                      const struct transport_key *peer, struct hub_link *ret_link);

/* Where an outbound link is dialed from now on: 1 to ENDPOINT_COUNT_MAX addresses (copied), tried
 * in turn. Nothing happens when they are those of before. Otherwise the link goes down (HUB_MOVED)
 * if it was up, and is dialed at once. ERR_INVALID: none of them can be dialed, and the old ones
 * stand; ERR_NOT_FOUND: no outbound link. */
MUST_USE err hub_redirect(struct hub *hub, struct hub_link link, const struct address *addresses,
                          size_t count);

/* Queues a copy of the frame.
 *
 *   ERR_BUSY       the queue is full: send again after on_drained
 *   ERR_NOT_FOUND  the link is not up
 *   ERR_INVALID    empty, first byte 0x00, or too large */
MUST_USE err hub_send(struct hub *hub, struct hub_link link, struct bytes frame);

/* The same for a frame in two parts, one copy less for who wraps. */
MUST_USE err hub_send_two(struct hub *hub, struct hub_link link, struct bytes head,
                          struct bytes rest);

/* Ends a link for good, with on_down (HUB_CLOSED) if it was up. Unknown links are passed over. */
void hub_close(struct hub *hub, struct hub_link link);

/* Whether it is up. */
bool hub_link_up(const struct hub *hub, struct hub_link link);

/* How the dialing of an outbound link goes. Times are of the loop (uv_now). */
struct hub_dialing {
    bool is_up;
    bool has_failed;          /* since it was up last, or ever */
    enum hub_reason reason;   /* of the last failure, or of the last end */
    uint64_t tried_at_ms;     /* the last attempt; 0: none yet */
    uint64_t succeeded_at_ms; /* when it came up last; 0: never */
    uint64_t next_at_ms;      /* 0: it is up, or an attempt is under way */
};

/* False: no outbound link. */
bool hub_dialing(const struct hub *hub, struct hub_link link, struct hub_dialing *ret_dialing);

/* Where it listens, with the port that was found for 0. `index` < listen_count. */
struct address hub_address(const struct hub *hub, size_t index);

/* Since hub_new. */
struct hub_counts {
    uint64_t refused;    /* handshakes of keys that are not listed */
    uint64_t failed;     /* handshakes that broke otherwise */
    uint64_t violations; /* links cut because the peer broke the hub's rules */
    uint64_t frames_in;
    uint64_t frames_out;
    uint64_t busy; /* sends that found the queue full */
};
struct hub_counts hub_counts(const struct hub *hub);

#endif
