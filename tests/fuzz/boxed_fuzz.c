/* Two ends of a boxed session and a relay that does what the input says: drops, repeats, spoils,
 * invents. Nothing opens that was not sent, each thing opens once and in order. */
#include <stdlib.h>
#include <string.h>

#include "protocol/wire/tunnel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BOX_MAX = 128, KEPT = 8 };

struct side {
    struct tunnel_identity identity;
    uint8_t secret[KEY_SIZE];
    struct tunnel tunnel;
    uint8_t sent; /* the number that the next frame carries */
    uint8_t opened;
    uint8_t box[KEPT][BOX_MAX]; /* the last ones it sent */
    size_t box_size[KEPT];
    unsigned box_count;
};

static struct side sides[2];
static struct tunnel_step step;
static struct mono now;
static uint8_t fresh;

static void on_event(struct side *side, enum tunnel_event_kind kind, struct bytes bytes)
{
    struct side *other = side == &sides[0] ? &sides[1] : &sides[0];
    struct tunnel_event event = {.kind = kind, .now = now, .bytes = bytes};
    uint8_t secret[KEY_SIZE];
    if (tunnel_needs_secret(&side->tunnel, &event)) {
        memset(secret, ++fresh, sizeof secret);
        secret[1] = (uint8_t)(side - sides);
        event.secret = secret;
    }
    tunnel_on_event(&side->tunnel, &event, &step);
    if (step.opened.size > 0) {
        /* later than all before, and indeed sent */
        uint8_t number = step.opened.data[0];
        if (step.opened.size != 2 || number < side->opened || number >= other->sent)
            abort();
        side->opened = (uint8_t)(number + 1);
    }
    if (step.send.size == 0)
        return;
    if (step.send.size > BOX_MAX)
        abort();
    unsigned slot = side->box_count++ % KEPT;
    memcpy(side->box[slot], step.send.data, step.send.size);
    side->box_size[slot] = step.send.size;
}

static void begin(void)
{
    struct transport_key relay = {{9}};
    memset(sides, 0, sizeof sides);
    for (int i = 0; i < 2; i++) {
        memset(sides[i].secret, i + 1, KEY_SIZE);
        noise_public(sides[i].secret, &sides[i].identity.local);
        sides[i].identity.local_secret = sides[i].secret;
    }
    for (int i = 0; i < 2; i++)
        tunnel_init(&sides[i].tunnel, &sides[i].identity, &relay, &sides[1 - i].identity.local);
    now.ms = 1000;
    fresh = 0;
}

static void deliver(struct side *from, struct side *to, unsigned back, uint8_t spoil)
{
    if (from->box_count == 0)
        return;
    unsigned slot = (from->box_count - 1 - back) % KEPT;
    if (from->box_size[slot] == 0)
        return;
    uint8_t box[BOX_MAX];
    size_t size = from->box_size[slot];
    memcpy(box, from->box[slot], size);
    if (spoil != 0)
        box[spoil % size] ^= (uint8_t)(spoil | 1);
    on_event(to, TUNNEL_EVENT_FRAME, (struct bytes){box, size});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_of((struct bytes){data, size});
    begin();
    for (int steps = 0; steps < 200 && reader_left(&reader) > 0; steps++) {
        uint8_t what = reader_u8(&reader);
        struct side *side = &sides[what & 1], *other = &sides[~what & 1];
        uint8_t frame[2] = {side->sent, what};
        unsigned argument = what >> 4;
        switch (what >> 1 & 7) {
        case 0:
            on_event(side, TUNNEL_EVENT_DIAL, BYTES_NONE);
            break;
        case 1:
            if (side->sent < 255 && tunnel_is_up(&side->tunnel)) {
                side->sent++;
                on_event(side, TUNNEL_EVENT_SEND, (struct bytes){frame, sizeof frame});
            }
            break;
        case 2:
            deliver(other, side, argument % KEPT, 0);
            break;
        case 3:
            deliver(other, side, argument % KEPT, reader_u8(&reader));
            break;
        case 4:
            now.ms += (uint64_t)argument * 2000;
            on_event(side, TUNNEL_EVENT_TIME, BYTES_NONE);
            break;
        case 5:
            on_event(side, argument & 1 ? TUNNEL_EVENT_LOST : TUNNEL_EVENT_HANG_UP, BYTES_NONE);
            break;
        case 6:
            on_event(side, TUNNEL_EVENT_FRAME, reader_take(&reader, reader_u8(&reader)));
            break;
        default: /* the relay at its best */
            deliver(other, side, 0, 0);
            deliver(side, other, 0, 0);
            break;
        }
    }
    return 0;
}
