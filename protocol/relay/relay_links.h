/* The links of a relay and its private struct; for relay_engine.c, relay_input.c and relay_output.c
 * only. */
#ifndef CONSILIUM_PROTOCOL_RELAY_RELAY_LINKS_H
#define CONSILIUM_PROTOCOL_RELAY_RELAY_LINKS_H

#include "protocol/relay/forward_queue.h"
#include "protocol/relay/presence.h"
#include "protocol/relay/relay_engine.h"

/* The largest control frame that a relay sends fits this size. */
enum { RELAY_ENGINE_CONTROL_SIZE = 1024 };
_Static_assert(3 + PRESENCE_TAKE_MAX * (KEY_SIZE + 4) <= RELAY_ENGINE_CONTROL_SIZE, "lists");
_Static_assert(2 + KEY_SIZE + ENDPOINT_COUNT_MAX * (1 + ENDPOINT_SIZE_MAX) <=
                   RELAY_ENGINE_CONTROL_SIZE,
               "hints");

enum relay_engine_link_state {
    RELAY_ENGINE_UNUSED,
    RELAY_ENGINE_JOINED,  /* up, its HELLO not yet received */
    RELAY_ENGINE_GREETED, /* takes part */
    RELAY_ENGINE_LEAVING, /* to be closed; its frames are ignored */
};

/* A refusal of one frame, to be sent with the key of its addressee. */
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

    /* pending output */
    enum relay_refusal refusal; /* 0: none */
    bool welcome, head, draining, published;
    err published_result;
    struct relay_engine_pending pending[RELAY_ENGINE_PENDING_MAX];
    uint8_t pending_count;
    struct transport_key where[RELAY_ENGINE_PENDING_MAX];
    uint8_t where_count;
    uint16_t stash_size; /* size of a control frame that could not be sent */

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
    bool ready, verifying; /* complete; and given to the caller */
};

struct relay_engine {
    struct relay_engine_config config;
    struct relay_engine_link *links; /* from 1; forward_queue and presence use the same numbers */
    struct arena_places places;
    struct hash_index by_id, by_key;
    uint8_t *stashes; /* RELAY_ENGINE_CONTROL_SIZE of each link */
    struct queue_node *control_node;
    struct queue control; /* links with pending output */
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

    enum relay_engine_sending sending; /* kind of the last effect of relay_engine_next */
    struct forward_queue_frame data;
    uint32_t control_link;
    size_t out_size;
    uint8_t *out; /* RELAY_FORWARD_SIZE_MAX */
    struct relay_engine_counts counts;
};

/* The link with this number of the caller's, with this key, with this key and taking part; or 0. */
uint32_t relay_links_by_id(const struct relay_engine *relay, uint64_t id);
uint32_t relay_links_by_key(const struct relay_engine *relay, const struct transport_key *key);
uint32_t relay_links_connected(const struct relay_engine *relay, const struct transport_key *key);

/* Adds a link; 0 when all places are used. No other link may have its key. */
uint32_t relay_links_join(struct relay_engine *relay, uint64_t id, const struct transport_key *key);

/* The link no longer takes part: its frames are dropped or returned, watchers get a report. Its
 * number stays in use until relay_links_free. */
void relay_links_leave(struct relay_engine *relay, uint32_t link, struct mono now);
void relay_links_free(struct relay_engine *relay, uint32_t link);

/* Marks that the link has pending output. */
void relay_links_mark(struct relay_engine *relay, uint32_t link);

/* The link leaves, gets the reason, and is closed. */
void relay_links_refuse(struct relay_engine *relay, uint32_t link, enum relay_refusal refusal,
                        struct mono now);

/* The role of this key in the list. A relay is listed for members to know, not to connect. */
bool relay_links_admits(const struct relay_engine *relay, const struct transport_key *key,
                        bool *ret_publisher);

/* The answer to a publisher's upload. */
void relay_links_published(struct relay_engine *relay, uint32_t link, err result);

#endif
