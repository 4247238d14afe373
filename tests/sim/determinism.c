#include "tests/sim/determinism.h"

#include <string.h>

#include "protocol/roster/roster_export.h"
#include "tests/sim/player.h"

/* One step at a time: the bytes are shared by all twins. */
static uint8_t determinism_bytes[EVENT_CODEC_EVENT_SIZE_MAX];

struct determinism {
    struct player *player;
    uint8_t roster[256 * 1024];
    size_t roster_size;
};

static void determinism_roster(struct hospital *hospital)
{
    struct determinism *determinism = hospital->determinism;
    struct buffer roster = buffer_over(determinism_bytes, sizeof determinism->roster);
    if (hospital->roster.chain.count > 0)
        roster_export_write(&hospital->roster, &roster);
    WORLD_CHECK(hospital->world, !roster.failed);
    if (roster.size == determinism->roster_size &&
        memcmp(determinism_bytes, determinism->roster, roster.size) == 0)
        return;
    memcpy(determinism->roster, determinism_bytes, roster.size);
    determinism->roster_size = roster.size;
    WORLD_CHECK(hospital->world, player_roster(determinism->player, buffer_bytes(&roster)) == OK);
}

void determinism_begin(struct hospital *hospital)
{
    uint8_t memory[512];
    struct buffer config = buffer_over(memory, sizeof memory);
    struct roster_plan plan = roster_plan_small();
    determinism_end(hospital);
    if (!hospital->world->is_twinned)
        return;
    hospital->determinism = calloc(1, sizeof *hospital->determinism);
    if (hospital->determinism == NULL)
        abort();
    event_codec_config_write(&hospital->config, &config);
    hospital->determinism->player = player_new(buffer_bytes(&config), &plan);
    WORLD_CHECK(hospital->world, !config.failed && hospital->determinism->player != NULL);
}

void determinism_step(struct hospital *hospital, const struct event *event)
{
    struct hash left = {0};
    if (hospital->determinism == NULL)
        return;
    struct hash effects = event_codec_effects(&hospital->world->step);
    determinism_roster(hospital);
    struct buffer bytes = buffer_over(determinism_bytes, sizeof determinism_bytes);
    event_codec_event_write(event, &bytes);
    WORLD_CHECK(hospital->world, !bytes.failed);
    WORLD_CHECK(hospital->world,
                player_event(hospital->determinism->player, buffer_bytes(&bytes), &left) == OK);
    if (!ID_EQUAL(left, effects))
        world_fail(hospital->world, "the same event left something else", __func__);
}

void determinism_end(struct hospital *hospital)
{
    if (hospital->determinism == NULL)
        return;
    player_free(hospital->determinism->player);
    free(hospital->determinism);
    hospital->determinism = NULL;
}
