#include "tests/sim/tunnels.h"

#include <stdlib.h>
#include <string.h>

enum { TUNNELS_TOLD_SIZE = 16, TUNNELS_TRIM_COUNT = 4096 };

/* From one to another through one relay: hashes of what was sealed, and how far it was opened. */
struct tunnels_lane {
    uint64_t *all;
    size_t count, capacity, opened;
};

struct tunnels {
    struct tunnels_lane lanes[ROUTE_RELAYS_MAX][WORLD_HOSPITALS_MAX][WORLD_HOSPITALS_MAX];
};

struct tunnels *tunnels_new(void)
{
    struct tunnels *tunnels = calloc(1, sizeof *tunnels);
    if (tunnels == NULL)
        abort();
    return tunnels;
}

void tunnels_free(struct tunnels *tunnels)
{
    struct tunnels_lane *lanes = &tunnels->lanes[0][0][0];
    for (size_t i = 0; i < sizeof tunnels->lanes / sizeof *lanes; i++)
        free(lanes[i].all);
    free(tunnels);
}

static uint64_t tunnels_hash(struct bytes frame)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < frame.size; i++)
        hash = (hash ^ frame.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void tunnels_sealed(struct hospital *from, const struct hospital *to, uint32_t relay,
                    struct bytes frame, struct bytes box)
{
    struct tunnels_lane *lane = &from->world->tunnels->lanes[relay][from->index][to->index];
    if (frame.size >= TUNNELS_TOLD_SIZE &&
        memmem(box.data, box.size, frame.data + frame.size - TUNNELS_TOLD_SIZE,
               TUNNELS_TOLD_SIZE) != NULL)
        world_fail(from->world, "a relay can read a box", from->name);
    if (lane->count == lane->capacity && lane->opened >= TUNNELS_TRIM_COUNT) {
        lane->count -= lane->opened;
        memmove(lane->all, lane->all + lane->opened, lane->count * sizeof *lane->all);
        lane->opened = 0;
    }
    if (lane->count == lane->capacity) {
        lane->capacity = 2 * lane->capacity + 64;
        lane->all = realloc(lane->all, lane->capacity * sizeof *lane->all);
        if (lane->all == NULL)
            abort();
    }
    lane->all[lane->count++] = tunnels_hash(frame);
}

void tunnels_opened(struct hospital *to, const struct hospital *from, uint32_t relay,
                    struct bytes frame)
{
    struct tunnels_lane *lane = &to->world->tunnels->lanes[relay][from->index][to->index];
    uint64_t hash = tunnels_hash(frame);
    while (lane->opened < lane->count && lane->all[lane->opened] != hash)
        lane->opened++;
    if (lane->opened == lane->count)
        world_fail(to->world, "a relay forged, replayed or reordered what a member said",
                   from->name);
    lane->opened++;
}
