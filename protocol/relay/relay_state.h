/* What a relay remembers of its links; for the rooms of `relay_engine` only. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RELAY_STATE_H
#define CONSILIUM_PROTOCOL_RELAY_RELAY_STATE_H

#include "protocol/relay/forward_queue.h"
#include "protocol/relay/presence.h"
#include "protocol/relay/relay_engine.h"

/* Every control frame that a relay sends fits in this. */
enum { RELAY_ENGINE_CONTROL_SIZE = 1024 };
_Static_assert(3 + PRESENCE_TAKE_MAX * (KEY_SIZE + 4) <= RELAY_ENGINE_CONTROL_SIZE, "lists");
_Static_assert(2 + KEY_SIZE + ENDPOINT_COUNT_MAX * (1 + ENDPOINT_SIZE_MAX) <=
                   RELAY_ENGINE_CONTROL_SIZE,
               "hints");

enum relay_engine_link_state {
    RELAY_ENGINE_UNUSED,
    RELAY_ENGINE_JOINED,  /* up, its HELLO not yet heard */
    RELAY_ENGINE_GREETED, /* takes part */
    RELAY_ENGINE_LEAVING, /* to be closed; what it sends is passed over */
};

/* A refusal of one frame, to be said with the key that it was for. */
struct relay_engine_pending {
    struct transport_key key;
    enum relay_limit limit;
    uint32_t units;
};

struct relay_engine_link {
    enum relay_engine_link_state state;
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
    struct relay_engine_pending pending[RELAY_ENGINE_PENDING_MAX];
    uint8_t pending_count;
    struct transport_key where[RELAY_ENGINE_PENDING_MAX];
    uint8_t where_count;
    uint16_t stash_size; /* a control frame that found no room */

    uint8_t endpoint_count;
    uint8_t endpoint_size[ENDPOINT_COUNT_MAX];
    uint8_t endpoint[ENDPOINT_COUNT_MAX][ENDPOINT_SIZE_MAX];
};

enum relay_engine_sending { RELAY_ENGINE_NOTHING, RELAY_ENGINE_DATA, RELAY_ENGINE_CONTROL };

struct relay_engine_upload {
    uint8_t *memory; /* publish_size */
    uint64_t link;   /* 0: none */
    uint32_t total, size;
    struct mono at;
    bool ready, verifying; /* whole; and given to the caller */
};

struct relay_engine {
    struct relay_engine_config config;
    struct relay_engine_link *links; /* from 1; the numbers that traffic and presence use too */
    struct arena_places places;
    struct hash_index by_id, by_key;
    uint8_t *stashes; /* RELAY_ENGINE_CONTROL_SIZE of each link */
    struct queue_node *control_node;
    struct queue control; /* links that have something to be told */
    struct forward_queue forward_queue;
    struct presence presence;
    struct relay_engine_upload upload;
    uint8_t *list;
    size_t list_size;
    struct relay_head head;
    bool drains;
    struct mono drain_at;
    struct mono swept_at;
    uint32_t blocked_count;

    enum relay_engine_sending sending; /* what relay_engine_next gave last */
    struct forward_queue_frame data;
    uint32_t control_link;
    size_t out_size;
    uint8_t *out; /* RELAY_FORWARD_SIZE_MAX */
    struct relay_engine_counts counts;
};

/* The link with this number of the caller's, with this key, with this key and taking part; or 0. */
uint32_t relay_state_by_id(const struct relay_engine *relay, uint64_t id);
uint32_t relay_state_by_key(const struct relay_engine *relay, const struct transport_key *key);
uint32_t relay_state_connected(const struct relay_engine *relay, const struct transport_key *key);

/* A link comes up; 0 when all places are used. Its key must not be in use. */
uint32_t relay_state_join(struct relay_engine *relay, uint64_t id, const struct transport_key *key);

/* It takes part no more: what was under way is dropped or returned, watchers will learn of it. Its
 * number stays in use until relay_state_free. */
void relay_state_leave(struct relay_engine *relay, uint32_t link, struct mono now);
void relay_state_free(struct relay_engine *relay, uint32_t link);

/* The link has something to be told. */
void relay_state_tell(struct relay_engine *relay, uint32_t link);

/* Leaves, is told why, and is closed. */
void relay_state_refuse(struct relay_engine *relay, uint32_t link, enum relay_refusal refusal,
                        struct mono now);

/* What the list says about this key. A relay is listed for members to know, not to connect. */
bool relay_state_admits(const struct relay_engine *relay, const struct transport_key *key,
                        bool *ret_publisher);

/* The answer to what a publisher sent. */
void relay_state_published(struct relay_engine *relay, uint32_t link, err result);

#endif
