#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/tunnel_ends.h"

struct end small, large, relay; /* small has the smaller transport key */

struct mono now;

uint8_t fresh;

void end_init(struct end *end, uint8_t fill)
{
    memset(end, 0, sizeof *end);
    memset(end->secret, fill, KEY_SIZE);
    memset(end->identity.federation.bytes, 0xfe, HASH_SIZE);
    noise_public(end->secret, &end->identity.local);
    end->identity.local_secret = end->secret;
}

int set_up(void **state)
{
    (void)state;
    end_init(&small, 1);
    end_init(&large, 2);
    end_init(&relay, 3);
    if (memcmp(small.identity.local.bytes, large.identity.local.bytes, KEY_SIZE) > 0) {
        end_init(&small, 2);
        end_init(&large, 1);
    }
    tunnel_init(&small.tunnel, &small.identity, &relay.identity.local, &large.identity.local);
    tunnel_init(&large.tunnel, &large.identity, &relay.identity.local, &small.identity.local);
    now.ms = 1000000;
    fresh = 0x40;
    return 0;
}

void on_event(struct end *end, enum tunnel_event_kind kind, struct bytes bytes)
{
    uint8_t secret[KEY_SIZE];
    struct tunnel_event event = {.kind = kind, .now = now, .bytes = bytes, .secret = NULL};
    if (tunnel_needs_secret(&end->tunnel, &event)) {
        memset(secret, fresh++, sizeof secret);
        event.secret = secret;
    }
    tunnel_on_event(&end->tunnel, &event, &end->step);
    end->sent_size = end->step.send.size;
    assert_true(end->sent_size <= FRAME_MAX);
    if (end->sent_size > 0)
        memcpy(end->sent, end->step.send.data, end->sent_size);
}

void on_plain(struct end *end, enum tunnel_event_kind kind)
{
    on_event(end, kind, BYTES_NONE);
}

void deliver(struct end *from, struct end *to)
{
    assert_true(from->sent_size > 0);
    on_event(to, TUNNEL_EVENT_FRAME, (struct bytes){from->sent, from->sent_size});
}

void connect_ends(struct end *from, struct end *to)
{
    on_plain(from, TUNNEL_EVENT_DIAL);
    deliver(from, to);
    deliver(to, from);
    assert_int_equal(from->step.change, TUNNEL_UP);
    deliver(from, to);
    assert_int_equal(to->step.change, TUNNEL_UP);
    assert_true(tunnel_is_up(&from->tunnel) && tunnel_is_up(&to->tunnel));
}

void send_frame(struct end *from, struct end *to, const char *text)
{
    on_event(from, TUNNEL_EVENT_SEND, bytes_of_text(text));
    deliver(from, to);
    assert_true(bytes_equal(to->step.opened, bytes_of_text(text)));
}
