/* A simulated relay: protocol/relay/relay_engine with what bootstrap/relay/relay_serve does around
 * it. It keeps its list over a restart and nothing else; it may be hostile (adversary.h). */
#ifndef CONSILIUM_TESTS_SIM_RELAY_H
#define CONSILIUM_TESTS_SIM_RELAY_H

#include "protocol/relay/relay_engine.h"
#include "protocol/roster/chain.h"

enum {
    RELAY_HEADS_MAX = 64,
    RELAY_LINKS_MAX = 64,
    RELAY_LIST_SIZE_MAX = 64 * TRANSPORT_ENTRY_SIZE,
    RELAY_CAUGHT_MAX = 64,
    RELAY_PUBLICATION_SIZE_MAX = 512 * 1024,
};

struct world;
struct hospital;
struct schedule_item;

/* What a hostile relay keeps of the boxes that passed. */
struct relay_caught {
    uint32_t to;
    size_t size;
    uint8_t *frame; /* owned */
};

struct relay {
    struct world *world;
    uint32_t index;
    struct transport_key key;
    struct relay_engine_config config;
    struct relay_engine *relay_engine;
    void *memory;
    bool is_running;
    uint32_t boot;
    uint64_t time_at;  /* the next TIME is planned then */
    uint64_t cut_from; /* bit i: hospital i cannot reach it */
    /* on its disk */
    struct chain chain;
    struct chain_link links[RELAY_HEADS_MAX];
    struct officers officers[8];
    uint8_t list[RELAY_LIST_SIZE_MAX];
    size_t list_size;
    struct relay_head head;
    /* hostile */
    unsigned malice;         /* enum adversary_malice */
    unsigned malice_percent; /* of the frames */
    struct relay_caught caught[RELAY_CAUGHT_MAX];
    uint32_t caught_count;
    uint64_t malice_count;
};

void relay_init(struct world *world, uint32_t index);
void relay_free(struct relay *relay);
void relay_boot(struct relay *relay);
void relay_crash(struct relay *relay);
/* It says that it ends, and ends in `ms`. */
void relay_drain(struct relay *relay, uint32_t ms);

/* Every hospital that may and is not connected dials every relay; the society publishes. */
void relay_dial_all(struct world *world);
/* A hospital's wire to it ends, with what is under way. */
void relay_cut(struct hospital *hospital, uint32_t relay);
void relay_cut_hospital(struct hospital *hospital);
/* Its wire takes nothing from the relay for so long. */
void relay_stick(struct hospital *hospital, uint32_t relay, uint64_t ms);
/* A frame of the hospital to the relay. */
void relay_send(struct hospital *hospital, uint32_t relay, struct bytes frame);
/* A frame from the relay to the hospital, after `ms` more than the usual; in order unless asked. */
struct relay_batch_buffer {
    struct bytes frame;
    uint64_t delay_ms;
    bool is_loose; /* it may overtake */
};
void relay_carry(struct relay *relay, struct hospital *hospital,
                 const struct relay_batch_buffer *batch_buffer);

/* Things of the agenda. */
void relay_up(struct world *world, const struct schedule_item *item);
void relay_down(struct world *world, const struct schedule_item *item);
void relay_deliver(struct world *world, const struct schedule_item *item);
void relay_time(struct world *world, const struct schedule_item *item);
void relay_drained(struct world *world, const struct schedule_item *item);

#endif
