/* By which way a hospital reaches each other one: a direct line, or boxes through a relay. The part
 * of node/links that the simulator needs, with its meaning; the boxes, the credit and the frames
 * are the production ones.
 *
 *   way.c      the choice of the way, what waits for credit, the shell's face
 *   way_box.c  hello to relays, presence, boxes */
#ifndef CONSILIUM_TESTS_SIM_WAY_H
#define CONSILIUM_TESTS_SIM_WAY_H

#include "protocol/core/step.h"
#include "protocol/link/relay_choice.h"
#include "protocol/link/relay_credit.h"

enum {
    WAY_RELAYS_MAX = 3,
    WAY_QUIET_MS = 30 * 1000, /* after the core hung up */
    WAY_SECOND_DIAL_MS = 4 * 1000,
    WAY_TICK_MS = 500,
    WAY_WAITING_SIZE_MAX = 16 * 1024 * 1024, /* as the shell's outbox */
    WAY_NOBODY = UINT32_MAX,
};

struct hospital;

enum way_kind { WAY_NONE, WAY_DIRECT, WAY_BOXED };

struct way_frame {
    struct way_frame *next;
    size_t size;
    uint8_t data[];
};

/* One peer through one relay. */
struct way_hop {
    struct boxed boxed;
    struct relay_choice choice;
    bool is_present;
    uint64_t present_since;
};

struct way {
    enum way_kind kind;
    uint32_t relay;      /* BOXED */
    struct link_id link; /* as the core knows it; 0: down */
    uint32_t line;       /* the direct connection that is up; 0: none */
    bool is_broken;      /* the session in use ended: what follows is another connection */
    uint64_t quiet_until;
    struct way_hop *hops[WAY_RELAYS_MAX];
    struct way_frame *waiting;
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
void way_reset(struct hospital *hospital);
/* WAY_NOBODY when the link is not up. */
uint32_t way_peer(const struct hospital *hospital, struct link_id link);
bool way_is_listed(const struct hospital *hospital, uint32_t peer);

/* The direct connection `line` came up, or the one that was `link` is known to be down. */
void way_line_up(struct hospital *hospital, uint32_t peer, uint32_t line);
void way_line_down(struct hospital *hospital, uint32_t peer, struct link_id link);
/* Chooses the way to a peer anew and tells the core. */
void way_choose(struct hospital *hospital, uint32_t peer);
void way_heard(struct hospital *hospital, uint32_t peer, struct bytes frame);
void way_tick(struct hospital *hospital);
/* The roster changed: whoever is no member is not spoken to. */
void way_refresh(struct hospital *hospital);

void way_send(struct hospital *hospital, struct link_id link, struct bytes frame);
void way_drain(struct hospital *hospital, uint32_t peer);
void way_hang_up(struct hospital *hospital, struct link_id link);

/* ---- way_box.c ---- */
void way_box_up(struct hospital *hospital, uint32_t relay);
void way_box_down(struct hospital *hospital, uint32_t relay);
void way_box_frame(struct hospital *hospital, uint32_t relay, struct bytes frame);
void way_box_tick(struct hospital *hospital);
/* The relay over which a session with the peer is up; -1: none. */
int way_box_session(const struct hospital *hospital, uint32_t peer);
/* False: there is no credit now. */
bool way_box_send(struct hospital *hospital, uint32_t peer, struct bytes frame);
void way_box_hang_up(struct hospital *hospital, uint32_t peer);

#endif
