#include "tests/sim/boxes.h"

#include <stdlib.h>
#include <string.h>

enum { BOXES_TOLD_SIZE = 16, BOXES_TRIM_COUNT = 4096 };

/* From one to another through one relay: hashes of what was sealed, and how far it was opened. */
struct boxes_lane {
    uint64_t *all;
    size_t count, capacity, opened;
};

struct boxes {
    struct boxes_lane lanes[WAY_RELAYS_MAX][WORLD_HOSPITALS_MAX][WORLD_HOSPITALS_MAX];
};

struct boxes *boxes_new(void)
{
    struct boxes *boxes = calloc(1, sizeof *boxes);
    if (boxes == NULL)
        abort();
    return boxes;
}

void boxes_free(struct boxes *boxes)
{
    struct boxes_lane *lanes = &boxes->lanes[0][0][0];
    for (size_t i = 0; i < sizeof boxes->lanes / sizeof *lanes; i++)
        free(lanes[i].all);
    free(boxes);
}

static uint64_t boxes_hash(struct bytes frame)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < frame.size; i++)
        hash = (hash ^ frame.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void boxes_sealed(struct hospital *from, const struct hospital *to, uint32_t relay,
                  struct bytes frame, struct bytes box)
{
    struct boxes_lane *lane = &from->world->boxes->lanes[relay][from->index][to->index];
    if (frame.size >= BOXES_TOLD_SIZE &&
        memmem(box.data, box.size, frame.data + frame.size - BOXES_TOLD_SIZE, BOXES_TOLD_SIZE) !=
            NULL)
        world_fail(from->world, "a relay can read a box", from->name);
    if (lane->count == lane->capacity && lane->opened >= BOXES_TRIM_COUNT) {
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
    lane->all[lane->count++] = boxes_hash(frame);
}

void boxes_opened(struct hospital *to, const struct hospital *from, uint32_t relay,
                  struct bytes frame)
{
    struct boxes_lane *lane = &to->world->boxes->lanes[relay][from->index][to->index];
    uint64_t hash = boxes_hash(frame);
    while (lane->opened < lane->count && lane->all[lane->opened] != hash)
        lane->opened++;
    if (lane->opened == lane->count)
        world_fail(to->world, "a relay forged, replayed or reordered what a member said",
                   from->name);
    lane->opened++;
}
