/* By which way a hospital reaches each other one: a direct line, or boxes through a relay. The part
 * of node/links that the simulator needs, with its meaning; the boxes, the credit and the frames
 * are the production ones.
 *
 *   route.c      the choice of the way, what waits for credit, the shell's face
 *   route_tunnel.c  hello to relays, presence, boxes */
#ifndef CONSILIUM_TESTS_SIM_ROUTE_H
#define CONSILIUM_TESTS_SIM_ROUTE_H

#include "protocol/step/step.h"
#include "protocol/wire/relay_choice.h"
#include "protocol/wire/relay_credit.h"

enum {
    ROUTE_RELAYS_MAX = 3,
    ROUTE_QUIET_MS = 30 * 1000, /* after the core hung up */
    ROUTE_SECOND_DIAL_MS = 4 * 1000,
    ROUTE_TICK_MS = 500,
    ROUTE_WAITING_SIZE_MAX = 16 * 1024 * 1024, /* as the shell's outbox */
    ROUTE_NOBODY = UINT32_MAX,
};

struct hospital;

enum route_kind { ROUTE_NONE, ROUTE_DIRECT, ROUTE_BOXED };

struct route_frame {
    struct route_frame *next;
    size_t size;
    uint8_t data[];
};

/* One peer through one relay. */
struct route_hop {
    struct tunnel tunnel;
    struct relay_choice choice;
    bool is_present;
    uint64_t present_since;
};

struct route {
    enum route_kind kind;
    uint32_t relay;      /* BOXED */
    struct link_id link; /* as the core knows it; 0: down */
    uint32_t line;       /* the direct connection that is up; 0: none */
    bool is_broken;      /* the session in use ended: what follows is another connection */
    uint64_t quiet_until;
    struct route_hop *hops[ROUTE_RELAYS_MAX];
    struct route_frame *waiting;
    size_t waiting_size;
};

/* A hospital's connection to a relay. */
struct wire {
    uint32_t number;  /* 0: none */
    bool is_known[2]; /* to the hospital, to the relay */
    uint64_t last_at[2];
    uint64_t stuck_until; /* it takes nothing from the relay */
    bool is_welcome;
    struct relay_credit credit;
};

/* All ways are down, and what waited is gone. */
void route_reset(struct hospital *hospital);
/* ROUTE_NOBODY when the link is not up. */
uint32_t route_peer(const struct hospital *hospital, struct link_id link);
bool route_is_listed(const struct hospital *hospital, uint32_t peer);

/* The direct connection `line` came up, or the one that was `link` is known to be down. */
void route_line_up(struct hospital *hospital, uint32_t peer, uint32_t line);
void route_line_down(struct hospital *hospital, uint32_t peer, struct link_id link);
/* Chooses the way to a peer anew and tells the core. */
void route_choose(struct hospital *hospital, uint32_t peer);
void route_heard(struct hospital *hospital, uint32_t peer, struct bytes frame);
void route_tick(struct hospital *hospital);
/* The roster changed: whoever is no member is not spoken to. */
void route_refresh(struct hospital *hospital);

void route_send(struct hospital *hospital, struct link_id link, struct bytes frame);
void route_drain(struct hospital *hospital, uint32_t peer);
void route_hang_up(struct hospital *hospital, struct link_id link);

/* ---- route_tunnel.c ---- */
void route_box_up(struct hospital *hospital, uint32_t relay);
void route_box_down(struct hospital *hospital, uint32_t relay);
void route_box_frame(struct hospital *hospital, uint32_t relay, struct bytes frame);
void route_box_tick(struct hospital *hospital);
/* The relay over which a session with the peer is up; -1: none. */
int route_box_session(const struct hospital *hospital, uint32_t peer);
/* False: there is no credit now. */
bool route_box_send(struct hospital *hospital, uint32_t peer, struct bytes frame);
void route_box_hang_up(struct hospital *hospital, uint32_t peer);

#endif
