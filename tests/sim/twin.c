#include "tests/sim/twin.h"

#include <string.h>

#include "protocol/roster/roster_export.h"
#include "tests/sim/player.h"

/* One step at a time: the bytes are shared by all twins. */
static uint8_t twin_bytes[TRANSCRIPT_EVENT_SIZE_MAX];

struct twin {
    struct player *player;
    uint8_t roster[256 * 1024];
    size_t roster_size;
};

static void twin_roster(struct hospital *hospital)
{
    struct twin *twin = hospital->twin;
    struct buffer roster = buffer_over(twin_bytes, sizeof twin->roster);
    if (hospital->roster.chain.count > 0)
        roster_export_write(&hospital->roster, &roster);
    WORLD_CHECK(hospital->world, !roster.failed);
    if (roster.size == twin->roster_size && memcmp(twin_bytes, twin->roster, roster.size) == 0)
        return;
    memcpy(twin->roster, twin_bytes, roster.size);
    twin->roster_size = roster.size;
    WORLD_CHECK(hospital->world, player_roster(twin->player, buffer_bytes(&roster)) == OK);
}

void twin_begin(struct hospital *hospital)
{
    uint8_t memory[512];
    struct buffer config = buffer_over(memory, sizeof memory);
    struct roster_plan plan = roster_plan_small();
    twin_end(hospital);
    if (!hospital->world->is_twinned)
        return;
    hospital->twin = calloc(1, sizeof *hospital->twin);
    if (hospital->twin == NULL)
        abort();
    transcript_config_write(&hospital->config, &config);
    hospital->twin->player = player_new(buffer_bytes(&config), &plan);
    WORLD_CHECK(hospital->world, !config.failed && hospital->twin->player != NULL);
}

void twin_step(struct hospital *hospital, const struct event *event)
{
    struct hash left = {0};
    if (hospital->twin == NULL)
        return;
    struct hash effects = transcript_effects(&hospital->world->step);
    twin_roster(hospital);
    struct buffer bytes = buffer_over(twin_bytes, sizeof twin_bytes);
    transcript_event_write(event, &bytes);
    WORLD_CHECK(hospital->world, !bytes.failed);
    WORLD_CHECK(hospital->world,
                player_event(hospital->twin->player, buffer_bytes(&bytes), &left) == OK);
    if (!ID_EQUAL(left, effects))
        world_fail(hospital->world, "the same event left something else", __func__);
}

void twin_end(struct hospital *hospital)
{
    if (hospital->twin == NULL)
        return;
    player_free(hospital->twin->player);
    free(hospital->twin);
    hospital->twin = NULL;
}
