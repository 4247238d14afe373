#include "tests/sim/villain.h"

#include <string.h>

#include "tests/sim/relay.h"

enum { VILLAIN_BOX_AT = 1 + KEY_SIZE, VILLAIN_DATA = 3, VILLAIN_KEEP = 4 };

static uint8_t villain_memory[FRAME_SIZE_MAX + RELAY_WRAP_SIZE];

static void villain_pass(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct relay_parcel parcel = {.frame = frame};
    relay_carry(relay, hospital, &parcel);
}

static void villain_loose(struct relay *relay, struct hospital *hospital, struct bytes frame,
                          uint64_t delay_ms)
{
    struct relay_parcel parcel = {frame, delay_ms, true};
    relay_carry(relay, hospital, &parcel);
}

static void villain_keep(struct relay *relay, const struct hospital *hospital, struct bytes frame)
{
    uint32_t place = relay->caught_count < RELAY_CAUGHT_MAX
                         ? relay->caught_count++
                         : (uint32_t)chance_below(&relay->world->chance, RELAY_CAUGHT_MAX);
    struct relay_caught *caught = &relay->caught[place];
    free(caught->frame);
    caught->frame = malloc(frame.size);
    if (caught->frame == NULL)
        abort();
    memcpy(caught->frame, frame.data, frame.size);
    caught->size = frame.size;
    caught->to = hospital->index;
}

static struct transport_key *villain_any(struct relay *relay)
{
    struct world *world = relay->world;
    return &world->hospitals[chance_below(&world->chance, world->count)].transport_key;
}

/* An old frame again, as it was or as if from somebody else, to whom it was for or to another. */
static void villain_replay(struct relay *relay)
{
    struct world *world = relay->world;
    const struct relay_caught *caught =
        &relay->caught[chance_below(&world->chance, relay->caught_count)];
    uint32_t to = chance_of(&world->chance, 80)
                      ? caught->to
                      : (uint32_t)chance_below(&world->chance, world->count);
    memcpy(villain_memory, caught->frame, caught->size);
    if (chance_of(&world->chance, 20))
        memcpy(villain_memory + 1, villain_any(relay)->bytes, KEY_SIZE);
    villain_loose(relay, &world->hospitals[to], (struct bytes){villain_memory, caught->size},
                  chance_below(&world->chance, 60));
}

static void villain_forge(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct chance *chance = &relay->world->chance;
    size_t size = frame.size;
    memcpy(villain_memory, frame.data, size);
    switch (chance_below(chance, 4)) {
    case 0:
        villain_memory[chance_below(chance, size)] ^= (uint8_t)(1u << chance_below(chance, 8));
        break;
    case 1:
        memcpy(villain_memory + 1, villain_any(relay)->bytes, KEY_SIZE);
        break;
    case 2:
        size = VILLAIN_BOX_AT + chance_below(chance, 80);
        chance_bytes(chance, villain_memory + VILLAIN_BOX_AT, size - VILLAIN_BOX_AT);
        villain_memory[VILLAIN_BOX_AT] = (uint8_t)chance_below(chance, 7);
        break;
    default:
        size = 1 + chance_below(chance, size);
        break;
    }
    villain_pass(relay, hospital, (struct bytes){villain_memory, size});
}

static void villain_lie(struct relay *relay, struct hospital *hospital)
{
    struct chance *chance = &relay->world->chance;
    struct buffer buffer = buffer_over(villain_memory, sizeof villain_memory);
    struct relay_entry entry = {*villain_any(relay), (uint32_t)chance_below(chance, 2)};
    struct relay_frame frame = {.key = *villain_any(relay)};
    switch (chance_below(chance, 5)) {
    case 0:
        relay_frame_write_list(RELAY_PRESENCE, &entry, 1, &buffer);
        break;
    case 1:
        entry.value = (uint32_t)chance_next(chance);
        relay_frame_write_list(RELAY_CREDIT, &entry, 1, &buffer);
        break;
    case 2:
        frame.type = RELAY_HEAD;
        frame.head.epoch = chance_below(chance, 100);
        chance_bytes(chance, frame.head.id.bytes, HASH_SIZE);
        relay_frame_write(&frame, &buffer);
        break;
    case 3:
        frame.type = RELAY_STATUS;
        frame.code = 1 + (unsigned)chance_below(chance, 5);
        frame.units = (uint32_t)chance_next(chance);
        relay_frame_write(&frame, &buffer);
        break;
    default:
        buffer.size = 1 + chance_below(chance, 200);
        chance_bytes(chance, villain_memory, buffer.size);
        break;
    }
    if (!buffer.failed)
        villain_pass(relay, hospital, buffer_bytes(&buffer));
}

/* Sessions come up; what they carry does not pass. Now and then a box without a session lures the
 * hospital to dial here again. */
static void villain_swallow(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    if (frame.data[VILLAIN_BOX_AT] != VILLAIN_DATA) {
        villain_pass(relay, hospital, frame);
        return;
    }
    relay->malice_count++;
    memcpy(villain_memory, frame.data, frame.size);
    villain_loose(relay, hospital, (struct bytes){villain_memory, frame.size},
                  61 * SECOND_MS + chance_below(&relay->world->chance, 9 * SECOND_MS));
}

static void villain_shrink(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct relay_frame welcome;
    struct buffer buffer = buffer_over(villain_memory, sizeof villain_memory);
    if (relay_frame_parse(frame, &welcome) != OK)
        return;
    welcome.limits.pair_units = welcome.limits.member_units = 2;
    relay->malice_count++;
    relay_frame_write(&welcome, &buffer);
    villain_pass(relay, hospital, buffer_bytes(&buffer));
}

void villain_carry(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct chance *chance = &relay->world->chance;
    bool is_box = frame.data[0] == RELAY_DELIVER && frame.size > VILLAIN_BOX_AT;
    if (relay->malice == 0) {
        villain_pass(relay, hospital, frame);
        return;
    }
    if ((relay->malice & VILLAIN_SWALLOWS) != 0 && is_box) {
        villain_swallow(relay, hospital, frame);
        return;
    }
    if ((relay->malice & VILLAIN_STARVES) != 0 && frame.data[0] == RELAY_CREDIT) {
        relay->malice_count++;
        return;
    }
    if ((relay->malice & VILLAIN_SHRINKS) != 0 && frame.data[0] == RELAY_WELCOME) {
        villain_shrink(relay, hospital, frame);
        return;
    }
    if (is_box)
        villain_keep(relay, hospital, frame);
    unsigned what = 1u << chance_below(chance, 6);
    if ((relay->malice & what) == 0 || !chance_of(chance, relay->malice_percent)) {
        villain_pass(relay, hospital, frame);
        return;
    }
    relay->malice_count++;
    if (what == VILLAIN_LIES) {
        villain_lie(relay, hospital);
        villain_pass(relay, hospital, frame);
    } else if (!is_box || what == VILLAIN_REPLAYS) {
        if (relay->caught_count > 0)
            villain_replay(relay);
        villain_pass(relay, hospital, frame);
    } else if (what == VILLAIN_DELAYS) {
        villain_loose(relay, hospital, frame, chance_below(chance, 3 * SECOND_MS));
    } else if (what == VILLAIN_DOUBLES) {
        villain_pass(relay, hospital, frame);
        villain_pass(relay, hospital, frame);
    } else if (what == VILLAIN_FORGES) {
        villain_forge(relay, hospital, frame);
    }
    /* else it is dropped */
}
