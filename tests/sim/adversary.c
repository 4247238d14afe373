#include "tests/sim/adversary.h"

#include <string.h>

#include "tests/sim/relay.h"

enum { ADVERSARY_BOX_AT = 1 + KEY_SIZE, ADVERSARY_DATA = 3, ADVERSARY_KEEP = 4 };

static uint8_t adversary_memory[FRAME_SIZE_MAX + RELAY_WRAP_SIZE];

static void adversary_pass(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct relay_batch_buffer batch_buffer = {.frame = frame};
    relay_carry(relay, hospital, &batch_buffer);
}

static void adversary_loose(struct relay *relay, struct hospital *hospital, struct bytes frame,
                            uint64_t delay_ms)
{
    struct relay_batch_buffer batch_buffer = {frame, delay_ms, true};
    relay_carry(relay, hospital, &batch_buffer);
}

static void adversary_keep(struct relay *relay, const struct hospital *hospital, struct bytes frame)
{
    uint32_t place = relay->caught_count < RELAY_CAUGHT_MAX
                         ? relay->caught_count++
                         : (uint32_t)prng_below(&relay->world->prng, RELAY_CAUGHT_MAX);
    struct relay_caught *caught = &relay->caught[place];
    free(caught->frame);
    caught->frame = malloc(frame.size);
    if (caught->frame == NULL)
        abort();
    memcpy(caught->frame, frame.data, frame.size);
    caught->size = frame.size;
    caught->to = hospital->index;
}

static struct transport_key *adversary_any(struct relay *relay)
{
    struct world *world = relay->world;
    return &world->hospitals[prng_below(&world->prng, world->count)].transport_key;
}

/* An old frame again, as it was or as if from somebody else, to whom it was for or to another. */
static void adversary_replay(struct relay *relay)
{
    struct world *world = relay->world;
    const struct relay_caught *caught =
        &relay->caught[prng_below(&world->prng, relay->caught_count)];
    uint32_t to =
        prng_of(&world->prng, 80) ? caught->to : (uint32_t)prng_below(&world->prng, world->count);
    memcpy(adversary_memory, caught->frame, caught->size);
    if (prng_of(&world->prng, 20))
        memcpy(adversary_memory + 1, adversary_any(relay)->bytes, KEY_SIZE);
    adversary_loose(relay, &world->hospitals[to], (struct bytes){adversary_memory, caught->size},
                    prng_below(&world->prng, 60));
}

static void adversary_forge(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct prng *prng = &relay->world->prng;
    size_t size = frame.size;
    memcpy(adversary_memory, frame.data, size);
    switch (prng_below(prng, 4)) {
    case 0:
        adversary_memory[prng_below(prng, size)] ^= (uint8_t)(1u << prng_below(prng, 8));
        break;
    case 1:
        memcpy(adversary_memory + 1, adversary_any(relay)->bytes, KEY_SIZE);
        break;
    case 2:
        size = ADVERSARY_BOX_AT + prng_below(prng, 80);
        prng_bytes(prng, adversary_memory + ADVERSARY_BOX_AT, size - ADVERSARY_BOX_AT);
        adversary_memory[ADVERSARY_BOX_AT] = (uint8_t)prng_below(prng, 7);
        break;
    default:
        size = 1 + prng_below(prng, size);
        break;
    }
    adversary_pass(relay, hospital, (struct bytes){adversary_memory, size});
}

static void adversary_lie(struct relay *relay, struct hospital *hospital)
{
    struct prng *prng = &relay->world->prng;
    struct buffer buffer = buffer_over(adversary_memory, sizeof adversary_memory);
    struct relay_entry entry = {*adversary_any(relay), (uint32_t)prng_below(prng, 2)};
    struct relay_frame frame = {.key = *adversary_any(relay)};
    switch (prng_below(prng, 5)) {
    case 0:
        relay_frame_write_list(RELAY_PRESENCE, &entry, 1, &buffer);
        break;
    case 1:
        entry.value = (uint32_t)prng_next(prng);
        relay_frame_write_list(RELAY_CREDIT, &entry, 1, &buffer);
        break;
    case 2:
        frame.type = RELAY_HEAD;
        frame.head.epoch = prng_below(prng, 100);
        prng_bytes(prng, frame.head.id.bytes, HASH_SIZE);
        relay_frame_write(&frame, &buffer);
        break;
    case 3:
        frame.type = RELAY_STATUS;
        frame.code = 1 + (unsigned)prng_below(prng, 5);
        frame.units = (uint32_t)prng_next(prng);
        relay_frame_write(&frame, &buffer);
        break;
    default:
        buffer.size = 1 + prng_below(prng, 200);
        prng_bytes(prng, adversary_memory, buffer.size);
        break;
    }
    if (!buffer.failed)
        adversary_pass(relay, hospital, buffer_bytes(&buffer));
}

/* Sessions come up; what they carry does not pass. Now and then a box without a session lures the
 * hospital to dial here again. */
static void adversary_swallow(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    if (frame.data[ADVERSARY_BOX_AT] != ADVERSARY_DATA) {
        adversary_pass(relay, hospital, frame);
        return;
    }
    relay->malice_count++;
    memcpy(adversary_memory, frame.data, frame.size);
    adversary_loose(relay, hospital, (struct bytes){adversary_memory, frame.size},
                    61 * SECOND_MS + prng_below(&relay->world->prng, 9 * SECOND_MS));
}

static void adversary_shrink(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct relay_frame welcome;
    struct buffer buffer = buffer_over(adversary_memory, sizeof adversary_memory);
    if (relay_frame_parse(frame, &welcome) != OK)
        return;
    welcome.limits.pair_units = welcome.limits.member_units = 2;
    relay->malice_count++;
    relay_frame_write(&welcome, &buffer);
    adversary_pass(relay, hospital, buffer_bytes(&buffer));
}

void adversary_carry(struct relay *relay, struct hospital *hospital, struct bytes frame)
{
    struct prng *prng = &relay->world->prng;
    bool is_box = frame.data[0] == RELAY_DELIVER && frame.size > ADVERSARY_BOX_AT;
    if (relay->malice == 0) {
        adversary_pass(relay, hospital, frame);
        return;
    }
    if ((relay->malice & ADVERSARY_SWALLOWS) != 0 && is_box) {
        adversary_swallow(relay, hospital, frame);
        return;
    }
    if ((relay->malice & ADVERSARY_STARVES) != 0 && frame.data[0] == RELAY_CREDIT) {
        relay->malice_count++;
        return;
    }
    if ((relay->malice & ADVERSARY_SHRINKS) != 0 && frame.data[0] == RELAY_WELCOME) {
        adversary_shrink(relay, hospital, frame);
        return;
    }
    if (is_box)
        adversary_keep(relay, hospital, frame);
    unsigned what = 1u << prng_below(prng, 6);
    if ((relay->malice & what) == 0 || !prng_of(prng, relay->malice_percent)) {
        adversary_pass(relay, hospital, frame);
        return;
    }
    relay->malice_count++;
    if (what == ADVERSARY_LIES) {
        adversary_lie(relay, hospital);
        adversary_pass(relay, hospital, frame);
    } else if (!is_box || what == ADVERSARY_REPLAYS) {
        if (relay->caught_count > 0)
            adversary_replay(relay);
        adversary_pass(relay, hospital, frame);
    } else if (what == ADVERSARY_DELAYS) {
        adversary_loose(relay, hospital, frame, prng_below(prng, 3 * SECOND_MS));
    } else if (what == ADVERSARY_DOUBLES) {
        adversary_pass(relay, hospital, frame);
        adversary_pass(relay, hospital, frame);
    } else if (what == ADVERSARY_FORGES) {
        adversary_forge(relay, hospital, frame);
    }
    /* else it is dropped */
}
