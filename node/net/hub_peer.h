/* The private struct of the hub, for the files of this folder: hub (the face to the caller),
 * hub_table (the links), hub_inbound, hub_outbound, hub_socket (options), curve_selftest (the proof
 * at the start).
 */
#ifndef CONSILIUM_NODE_NET_HUB_PEER_H
#define CONSILIUM_NODE_NET_HUB_PEER_H

#include <sys/types.h>

#include "node/net/handshakes.h"
#include "node/net/hub.h"
#include "node/net/zmq_poller.h"
#include "protocol/base/limits.h"

enum {
    HUB_PEER_COUNT_MAX = 4096 + 8192,
    HUB_OUTBOUND_COUNT_MAX = 4096,
    HUB_RACE_COUNT = 2, /* addresses of one peer that are tried side by side */
    HUB_BUCKET_COUNT = 1024,
    HUB_USER_SIZE = 2 * KEY_SIZE + 1,
    HUB_ROUTING_SIZE = 5,  /* a zero byte and a counter: what a ROUTER assigns itself */
    HUB_CONTROL = 0x00,    /* the first byte of our own frames; the second is one of these: */
    HUB_CONTROL_HELLO = 1, /* and the version; then, from who dials, hub_instance.h */
    HUB_CONTROL_PING = 2,
    HUB_CONTROL_PONG = 3,
    HUB_CONTROL_NOTHING = 4, /* asks a full queue whether there is room */
    HUB_CONTROL_SECOND = 5,  /* another process with your key is alive, and what it said */
    HUB_VERSION = 1,
    HUB_HELLO_SIZE = 3,
    HUB_FRAME_SIZE_MAX = FRAME_SIZE_MAX + RELAY_WRAP_SIZE,
};

/* One link, at the head of its inbound or outbound form. */
struct hub_peer {
    struct hub *hub;
    uint64_t id; /* counter << 16 | slot */
    enum hub_direction direction;
    bool up;
    bool blocked; /* a send found the queue full, and on_drained is owed */
    struct transport_key peer;
    uint64_t heard_ms;
    uint64_t asked_ms;
};

struct hub_inbound {
    struct hub_peer line;
    uint8_t routing[HUB_ROUTING_SIZE];
    char user[HUB_USER_SIZE]; /* the ZAP User-Id that every frame must bear */
    int fd;                   /* of its connection; -1 when that ended */
    bool gone;                /* ended: down as soon as what came before is read */
    struct hub_inbound *next; /* in its bucket */
};

struct hub_attempt;
struct hub_instance;
struct hub_lookup;

struct hub_outbound {
    struct hub_peer line;
    struct address addresses[ENDPOINT_COUNT_MAX];
    unsigned address_count;
    unsigned rounds;                              /* which of several addresses is next */
    struct hub_attempt *attempts[HUB_RACE_COUNT]; /* side by side; up: the first, alone */
    struct address second;     /* to be tried soon, or when the first has failed; port 0: none */
    enum hub_reason reason;    /* the most telling of the tries that failed in this round */
    struct hub_lookup *lookup; /* NULL when no name is asked for */
    bool is_asking;            /* the lookup is what this round waits for */
    uv_timer_t timer;          /* ends a wait, a lookup or a try */
    unsigned failures;         /* in a row; how long the next wait is */
    struct hub_dialing dialing;
};

enum hub_connection_state {
    HUB_CONNECTION_NONE,
    HUB_CONNECTION_STRANGER, /* has not said hello */
    HUB_CONNECTION_MEMBER,
    HUB_CONNECTION_CUT, /* shut down, and not known to have ended */
};

/* What is known of a connection to the listening socket, by its descriptor. */
struct hub_connection {
    enum hub_connection_state state;
    struct handshake_address from;
    struct hub_inbound *inbound; /* of a member */
};

struct hub {
    struct zap_authenticator *zap_authenticator;
    uv_loop_t *loop;
    struct hub_config config; /* with every number filled in */
    struct zap_authenticator_door door;
    unsigned references; /* sockets, timers and lookups that are open, and the owner */
    bool freeing;
    struct hub_counts counts;

    struct transport_key *allowed; /* sorted */
    size_t allowed_count;

    struct hub_peer **lines;
    uint32_t line_capacity;
    uint32_t line_cursor;
    uint32_t inbound_count;
    uint32_t outbound_count;
    uint64_t line_counter;

    bool listening;
    struct zmq_poller router;
    struct zmq_poller monitor;
    struct address *listen; /* with the ports that were found */
    struct hub_inbound *buckets[HUB_BUCKET_COUNT];
    struct hub_connection *connections; /* by descriptor */
    size_t connection_capacity;
    struct handshakes *strangers; /* of the connections, those that have not said hello */
    unsigned gone_count;
    unsigned blocked_count; /* inbound only */

    uint8_t instance[16]; /* this process (hub_instance.h) */
    uint64_t began_ms;    /* Unix time */
    struct hub_instance *seen;
    size_t seen_count;
};

#endif
