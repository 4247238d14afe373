#include "tests/sim/forge.h"

#include <string.h>

#include "tests/sim/hospital.h"
#include "tests/sim/line.h"

void forge_restart(struct forge *forge)
{
    forge->frame = buffer_over(forge->frame_memory, sizeof forge->frame_memory);
    forge->count = 0;
    frame_records_begin(&forge->frame);
}

void forge_begin(struct forge *forge, struct hospital *writer, const struct scope *scope)
{
    *forge = (struct forge){.writer = writer};
    forge->header = (struct record_header){.federation = writer->config.federation,
                                           .stream = {*scope, writer->node, 1},
                                           .audience = AUDIENCE_SCOPE,
                                           .sequence = 1,
                                           .head = roster_current_id(&writer->roster),
                                           .time = hospital_wall(writer)};
    forge_restart(forge);
}

struct record_id forge_record(struct forge *forge, struct bytes plaintext, bool spoil)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct world *world = forge->writer->world;
    struct record_secrets secrets = {.sign_secret = forge->writer->sign_secret};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_id id;
    prng_bytes(&world->prng, secrets.key.bytes, KEY_SIZE);
    prng_bytes(&world->prng, secrets.nonce, sizeof secrets.nonce);
    WORLD_CHECK(world, record_seal(&forge->header, plaintext, &secrets, &out, &id) == OK);
    if (spoil)
        memory[RECORD_HEADER_SIZE] ^= 1;
    struct frame_record record = {forge->header.audience != AUDIENCE_CLEAR, secrets.key,
                                  buffer_bytes(&out)};
    frame_record_write(&forge->frame, &record);
    forge->count++;
    forge->header.sequence++;
    forge->header.previous = id;
    WORLD_CHECK(world, !forge->frame.failed);
    return id;
}

void forge_send(struct forge *forge, struct hospital *to, bool is_last)
{
    frame_records_end(&forge->frame, forge->count);
    WORLD_CHECK(to->world, line_forge(forge->writer, to, buffer_bytes(&forge->frame)));
    if (is_last)
        forge_restart(forge);
}
