/* A relay with members around it, without sockets: each link takes so many frames and then no more
 * until the test drains it. For the tests of `relay_engine`. */
#ifndef CONSILIUM_TESTS_HARNESS_RELAY_WORLD_H
#define CONSILIUM_TESTS_HARNESS_RELAY_WORLD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/relay/forward_queue.h"
#include "protocol/relay/presence.h"
#include "protocol/relay/relay_engine.h"

enum { WORLD_MEMBERS = 128, WORLD_INBOX = 256, WORLD_ROOM = 1 << 30, WORLD_PUBLISHER = 1 };

struct world_member {
    struct transport_key key;
    uint64_t link; /* 0: not connected */
    int room;      /* frames that its link still takes */
    bool closed;   /* by the relay */
    uint8_t *inbox[WORLD_INBOX];
    size_t inbox_size[WORLD_INBOX];
    uint64_t inbox_turn[WORLD_INBOX]; /* the frame's place among all that the relay sent */
    int inbox_count;
};

struct world {
    struct relay_engine_config config;
    void *memory;
    struct relay_engine *relay;
    struct mono now;
    uint64_t links_made, frames_sent;
    struct world_member members[WORLD_MEMBERS + 1]; /* from 1; 1 is the publisher */
    struct bytes verify;                            /* what the relay wants verified */
    uint8_t list[TRANSPORT_ENTRY_SIZE * WORLD_MEMBERS];
};

extern struct world world;

/* Writes the transport list of the first `count` members into `world.list`. */
struct bytes world_list(int count);

/* Makes a relay's head of this epoch. */
struct relay_head world_head(uint64_t epoch);

/* Makes the relay and its members; nobody is connected. */
void world_begin(const struct relay_limits *limits, uint32_t link_count);

/* Empties the inbox of this member. */
void world_empty(int member);

/* Releases the relay and all inboxes. */
void world_end(void);

/* Carries out all effects that the relay has now. */
void world_pump(void);

/* Gives the relay an event at the present time. */
void world_event(struct relay_engine_event event);

/* The member sends these bytes. */
void world_say_bytes(int member, struct bytes bytes);

/* The member sends this frame. */
void world_say(int member, struct relay_frame frame);

/* The member sends a list of the keys of `count` members from `first` on. */
void world_say_list(int member, enum relay_type type, int first, int count);

/* The member connects, without a HELLO. */
void world_link(int member);

/* The member sends its HELLO. */
void world_hello(int member);

/* Connects `count` members from `first` on, sends their HELLO, and forgets the WELCOME. */
void world_join(int first, int count);

/* The member's link goes down. */
void world_leave(int member);

/* The member's link takes `room` frames again, and the relay is told. */
void world_drain(int member, int room);

/* Lets so much time pass. */
void world_time(uint64_t ms);

/* A box of `size` bytes that begins with `tag`. */
void world_forward(int from, int to, uint8_t tag, size_t size);

/* The frame at `index` of a member's inbox. */
struct relay_frame world_got(int member, int index);

/* The one frame that this member got; its inbox is kept until world_empty. */
struct relay_frame world_got_one(int member, enum relay_type type);

/* Counts the frames of this type in the member's inbox. */
int world_got_count(int member, enum relay_type type);

#endif
