/* Hubs of a test: a place is a loop with its gate, a side is one hub in it and what it told. */
#ifndef CONSILIUM_TESTS_HARNESS_HUB_SIDES_H
#define CONSILIUM_TESTS_HARNESS_HUB_SIDES_H

#include <sodium.h>
#include <string.h>
#include <zmq.h>

#include "node/net/curve_selftest.h"
#include "node/net/hub.h"
#include "node/net/hub_socket.h"
#include "protocol/base/limits.h"

enum { PATIENCE_MS = 20000, FRAME_MAX = FRAME_SIZE_MAX + RELAY_WRAP_SIZE };

/* One hub, and what it told. */
struct side {
    uv_loop_t *loop;
    struct hub *hub;
    struct transport_key key;
    uint8_t secret[KEY_SIZE];
    unsigned ups, downs, drains, fails, frames, seconds;
    struct hub_link link; /* the last that came up */
    struct transport_key peer;
    enum hub_reason reason; /* of the last down or failure */
    uint32_t last_number;   /* of the last frame */
    bool out_of_order;
    size_t last_size;
    bool echo;
};

/* A loop with its gate, and a timer so that waiting for nothing ends. */
struct place {
    uv_loop_t loop;
    uv_timer_t tick;
    struct zap_authenticator *zap_authenticator;
};

/* Counts a link that came up, and notes it. */
void on_up(void *user, struct hub_link link, const struct transport_key *peer,
           enum hub_direction direction);

/* Counts a frame, and checks its number. */
void on_frame(void *user, struct hub_link link, struct bytes frame);

/* Counts a link that went down, and notes the reason. */
void on_down(void *user, struct hub_link link, enum hub_reason reason);

/* Makes the loop and the authenticator. */
void place_open(struct place *place);

/* Releases both; the hubs in it were freed before. */
void place_close(struct place *place);

/* Turns the loop until `condition`; fails the test when that does not come. */
#define UNTIL(place, condition)                                                                    \
    do {                                                                                           \
        uv_update_time(&(place)->loop);                                                            \
        for (uint64_t end_ = uv_now(&(place)->loop) + PATIENCE_MS; !(condition);) {                \
            (void)uv_run(&(place)->loop, UV_RUN_ONCE);                                             \
            if (uv_now(&(place)->loop) > end_)                                                     \
                fail_msg("never: %s", #condition);                                                 \
        }                                                                                          \
    } while (0)
/* Makes the configuration of a hub whose calls lead to this side. */
struct hub_config side_config(struct side *side);

/* Gives 127.0.0.1 at this port. */
struct address loopback(uint16_t port);

/* Makes the side's hub, which listens at this port; 0: any. */
void listen_at(struct place *place, struct side *side, uint16_t port);

/* Makes the side's hub, which does not listen. */
void only_dial(struct place *place, struct side *side);

/* Dials the server's hub. */
struct hub_link dial(struct side *side, struct side *server);

/* Sends a frame of `size` bytes that carries a number. */
err send_number(struct side *side, struct hub_link link, uint32_t number, size_t size);

/* Two linked sides in one place. */
void link_up(struct place *place, struct side *server, struct side *client);

/* Makes a peer that obeys no rule: a bare socket. Its config lives as long as it. */
void *stray(struct place *place, struct side *self, struct side *server);

/* Connects the bare socket to the server. */
void stray_connect(void *socket, struct side *server);

extern const uint8_t hello[3];

/* Sends without waiting; true when the socket took it. */
bool stray_sends(void *socket, const void *data, size_t size);

#endif
