/* Records that a hospital's core would not write: for stories of bad members. */
#ifndef CONSILIUM_TESTS_SIM_FORGE_H
#define CONSILIUM_TESTS_SIM_FORGE_H

#include "tests/sim/world.h"

/* A stream in the making, signed with the writer's real key. */
struct forge {
    struct hospital *writer;
    struct record_header header; /* of the next record; change it as you like */
    uint8_t frame_memory[FRAME_SIZE_MAX];
    struct buffer frame;
    uint16_t count;
};

void forge_begin(struct forge *forge, struct hospital *writer, const struct scope *scope);
/* Appends the next record to the frame; `spoil` takes a bit off its signature. */
struct record_id forge_record(struct forge *forge, struct bytes plaintext, bool spoil);
/* Begins the next frame of the stream. */
void forge_restart(struct forge *forge);
/* Sends the frame to one hospital, and begins another when `is_last` of its receivers. */
void forge_send(struct forge *forge, struct hospital *to, bool is_last);

#endif
