/* Two ends of a boxed session, without a relay between them, for the tests of `tunnel`. */
#ifndef CONSILIUM_TESTS_HARNESS_TUNNEL_ENDS_H
#define CONSILIUM_TESTS_HARNESS_TUNNEL_ENDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/wire/tunnel.h"

enum { FRAME_MAX = 512 };

/* One end, with the last box it wants to have forwarded. */
struct end {
    uint8_t secret[KEY_SIZE];
    struct tunnel_identity identity;
    struct tunnel tunnel;
    struct tunnel_step step;
    uint8_t sent[FRAME_MAX];
    size_t sent_size;
};

extern struct end small, large, relay; /* small has the smaller transport key */

extern struct mono now;

extern uint8_t fresh;

/* Makes an end whose secret is filled with `fill`. */
void end_init(struct end *end, uint8_t fill);

/* Makes both ends; nothing is dialed. */
int set_up(void **state);

/* Gives the end an event, and keeps what it wants to have sent. */
void on_event(struct end *end, enum tunnel_event_kind kind, struct bytes bytes);

/* Gives the end an event without bytes. */
void on_plain(struct end *end, enum tunnel_event_kind kind);

/* Delivers to `to` what `from` last wanted to have sent. */
void deliver(struct end *from, struct end *to);

/* Completes the handshake that `from` dials. */
void connect_ends(struct end *from, struct end *to);

/* Sends a frame from one end to the other, which must open it. */
void send_frame(struct end *from, struct end *to, const char *text);

#endif
