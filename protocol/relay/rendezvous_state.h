/* What a relay remembers of its links; for the rooms of `rendezvous` only. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_STATE_H
#define CONSILIUM_PROTOCOL_RELAY_RENDEZVOUS_STATE_H

#include "protocol/relay/presence.h"
#include "protocol/relay/rendezvous.h"
#include "protocol/relay/traffic.h"

/* Every control frame that a relay sends fits in this. */
enum { RENDEZVOUS_CONTROL_SIZE = 1024 };
_Static_assert(3 + PRESENCE_TAKE_MAX * (KEY_SIZE + 4) <= RENDEZVOUS_CONTROL_SIZE, "lists");
_Static_assert(2 + KEY_SIZE + ENDPOINT_COUNT_MAX * (1 + ENDPOINT_SIZE_MAX) <=
                   RENDEZVOUS_CONTROL_SIZE,
               "hints");

enum rendezvous_link_state {
    RENDEZVOUS_UNUSED,
    RENDEZVOUS_JOINED,  /* up, its HELLO not yet heard */
    RENDEZVOUS_GREETED, /* takes part */
    RENDEZVOUS_LEAVING, /* to be closed; what it sends is passed over */
};

/* A refusal of one frame, to be said with the key that it was for. */
struct rendezvous_pending {
    struct transport_key key;
    enum relay_limit limit;
    uint32_t units;
};

struct rendezvous_link {
    enum rendezvous_link_state state;
    uint64_t id;
    struct transport_key key;
    bool blocked;
    struct mono blocked_since;
    uint32_t malformed;
    uint64_t budget; /* control frames, in 1/60,000 */
    struct mono budget_at;

    /* what it is to be told */
    enum relay_refusal refusal; /* 0: none */
    bool welcome, head, draining, published;
    err published_result;
    struct rendezvous_pending pending[RENDEZVOUS_PENDING_MAX];
    uint8_t pending_count;
    struct transport_key where[RENDEZVOUS_PENDING_MAX];
    uint8_t where_count;
    uint16_t stash_size; /* a control frame that found no room */

    uint8_t endpoint_count;
    uint8_t endpoint_size[ENDPOINT_COUNT_MAX];
    uint8_t endpoint[ENDPOINT_COUNT_MAX][ENDPOINT_SIZE_MAX];
};

enum rendezvous_sending { RENDEZVOUS_NOTHING, RENDEZVOUS_DATA, RENDEZVOUS_CONTROL };

struct rendezvous_upload {
    uint8_t *memory; /* publish_size */
    uint64_t link;   /* 0: none */
    uint32_t total, size;
    struct mono at;
    bool ready, verifying; /* whole; and given to the caller */
};

struct rendezvous {
    struct rendezvous_config config;
    struct rendezvous_link *links; /* from 1; the numbers that traffic and presence use too */
    struct slab_places places;
    struct finder by_id, by_key;
    uint8_t *stashes; /* RENDEZVOUS_CONTROL_SIZE of each link */
    struct queue_node *control_node;
    struct queue control; /* links that have something to be told */
    struct traffic traffic;
    struct presence presence;
    struct rendezvous_upload upload;
    uint8_t *list;
    size_t list_size;
    struct relay_head head;
    bool drains;
    struct mono drain_at;
    struct mono swept_at;
    uint32_t blocked_count;

    enum rendezvous_sending sending; /* what rendezvous_next gave last */
    struct traffic_frame data;
    uint32_t control_link;
    size_t out_size;
    uint8_t *out; /* RELAY_FORWARD_SIZE_MAX */
    struct rendezvous_counts counts;
};

/* The link with this number of the caller's, with this key, with this key and taking part; or 0. */
uint32_t rendezvous_state_by_id(const struct rendezvous *relay, uint64_t id);
uint32_t rendezvous_state_by_key(const struct rendezvous *relay, const struct transport_key *key);
uint32_t rendezvous_state_connected(const struct rendezvous *relay,
                                    const struct transport_key *key);

/* A link comes up; 0 when all places are used. Its key must not be in use. */
uint32_t rendezvous_state_join(struct rendezvous *relay, uint64_t id,
                               const struct transport_key *key);

/* It takes part no more: what was under way is dropped or returned, watchers will learn of it. Its
 * number stays in use until rendezvous_state_free. */
void rendezvous_state_leave(struct rendezvous *relay, uint32_t link, struct mono now);
void rendezvous_state_free(struct rendezvous *relay, uint32_t link);

/* The link has something to be told. */
void rendezvous_state_tell(struct rendezvous *relay, uint32_t link);

/* Leaves, is told why, and is closed. */
void rendezvous_state_refuse(struct rendezvous *relay, uint32_t link, enum relay_refusal refusal,
                             struct mono now);

/* What the list says about this key. A relay is listed for members to know, not to connect. */
bool rendezvous_state_admits(const struct rendezvous *relay, const struct transport_key *key,
                             bool *ret_publisher);

/* The answer to what a publisher sent. */
void rendezvous_state_published(struct rendezvous *relay, uint32_t link, err result);

#endif
