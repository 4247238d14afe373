/* Each cell of the table that protocol/wire/tunnel.c opens with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/tunnel_ends.h"

enum column {
    DIAL,
    INIT_GOOD,
    INIT_BAD,
    RESP_GOOD,
    RESP_BAD,
    DATA_GOOD,
    KEEP_GOOD,
    END_GOOD,
    SEALED_BAD,
    SEND,
    TIME_EARLY,
    TIME_LATE,
    LOST,
    HANG_UP,
    UNKNOWN,
    COLUMN_COUNT
};

/* What a cell must come to: the state after, the change told, the first byte sent (0 for none). */
struct cell {
    unsigned state, change;
    uint8_t sent;
};

enum { I = TUNNEL_IDLE, D = TUNNEL_DIALED, A = TUNNEL_ANSWERED, C = TUNNEL_CONNECTED };
enum { S_ = TUNNEL_SAME, UP = TUNNEL_UP, DN = TUNNEL_DOWN };

/* The session under test is `small`'s, so its own dial wins. */
static const struct cell cells[TUNNEL_STATE_COUNT][COLUMN_COUNT] = {
    [TUNNEL_IDLE] = {[DIAL] = {D, S_, 1},
                     [INIT_GOOD] = {A, S_, 2},
                     [INIT_BAD] = {I, S_, 0},
                     [RESP_GOOD] = {I, S_, 0},
                     [RESP_BAD] = {I, S_, 0},
                     [DATA_GOOD] = {D, S_, 1},
                     [KEEP_GOOD] = {D, S_, 1},
                     [END_GOOD] = {I, S_, 0},
                     [SEALED_BAD] = {D, S_, 1},
                     [SEND] = {I, S_, 0},
                     [TIME_EARLY] = {I, S_, 0},
                     [TIME_LATE] = {I, S_, 0},
                     [LOST] = {I, S_, 0},
                     [HANG_UP] = {I, S_, 0},
                     [UNKNOWN] = {I, S_, 0}},
    [TUNNEL_DIALED] = {[DIAL] = {D, S_, 0},
                       [INIT_GOOD] = {D, S_, 1},
                       [INIT_BAD] = {D, S_, 1},
                       [RESP_GOOD] = {C, UP, 4},
                       [RESP_BAD] = {I, DN, 0},
                       [DATA_GOOD] = {D, S_, 0},
                       [KEEP_GOOD] = {D, S_, 0},
                       [END_GOOD] = {D, S_, 0},
                       [SEALED_BAD] = {D, S_, 0},
                       [SEND] = {D, S_, 0},
                       [TIME_EARLY] = {D, S_, 0},
                       [TIME_LATE] = {I, DN, 0},
                       [LOST] = {I, DN, 0},
                       [HANG_UP] = {I, DN, 0},
                       [UNKNOWN] = {D, S_, 0}},
    [TUNNEL_ANSWERED] = {[DIAL] = {A, S_, 0},
                         [INIT_GOOD] = {A, S_, 2},
                         [INIT_BAD] = {A, S_, 0},
                         [RESP_GOOD] = {A, S_, 0},
                         [RESP_BAD] = {A, S_, 0},
                         [DATA_GOOD] = {C, UP, 0},
                         [KEEP_GOOD] = {C, UP, 0},
                         [END_GOOD] = {I, DN, 0},
                         [SEALED_BAD] = {I, DN, 0},
                         [SEND] = {A, S_, 0},
                         [TIME_EARLY] = {A, S_, 0},
                         [TIME_LATE] = {I, DN, 0},
                         [LOST] = {I, DN, 0},
                         [HANG_UP] = {I, DN, 0},
                         [UNKNOWN] = {A, S_, 0}},
    [TUNNEL_CONNECTED] = {[DIAL] = {C, S_, 0},
                          [INIT_GOOD] = {A, DN, 2},
                          [INIT_BAD] = {C, S_, 0},
                          [RESP_GOOD] = {C, S_, 0},
                          [RESP_BAD] = {C, S_, 0},
                          [DATA_GOOD] = {C, S_, 0},
                          [KEEP_GOOD] = {C, S_, 0},
                          [END_GOOD] = {I, DN, 0},
                          [SEALED_BAD] = {I, DN, 0},
                          [SEND] = {C, S_, 3},
                          [TIME_EARLY] = {C, S_, 0},
                          [TIME_LATE] = {I, DN, 0},
                          [LOST] = {I, DN, 0},
                          [HANG_UP] = {I, DN, 5},
                          [UNKNOWN] = {C, S_, 0}},
};

static void reach(enum tunnel_state wanted)
{
    set_up(NULL);
    if (wanted == TUNNEL_DIALED)
        on_plain(&small, TUNNEL_EVENT_DIAL);
    if (wanted == TUNNEL_ANSWERED || wanted == TUNNEL_CONNECTED) {
        on_plain(&large, TUNNEL_EVENT_DIAL);
        deliver(&large, &small);
    }
    if (wanted == TUNNEL_ANSWERED || wanted == TUNNEL_CONNECTED)
        deliver(&small, &large);
    if (wanted == TUNNEL_CONNECTED)
        deliver(&large, &small);
    assert_int_equal(small.tunnel.state, wanted);
}

/* A box of type `type` that is good for `small` in its state where there is such a thing. */
static void make_good(uint8_t type)
{
    bool sealing = small.tunnel.state == TUNNEL_ANSWERED || small.tunnel.state == TUNNEL_CONNECTED;
    if (type == 1) {
        struct tunnel other = large.tunnel;
        tunnel_init(&large.tunnel, &large.identity, &relay.identity.local, &small.identity.local);
        on_plain(&large, TUNNEL_EVENT_DIAL);
        large.tunnel = other;
    } else if (type == 2) {
        if (small.tunnel.state == TUNNEL_DIALED) {
            large.tunnel.state = TUNNEL_IDLE;
            deliver(&small, &large);
        }
        large.sent_size = 49;
        large.sent[0] = 2;
    } else if (sealing && small.tunnel.state == TUNNEL_ANSWERED) {
        /* the KEEP that came of the RESP was made and not delivered: undo it */
        large.tunnel.session.sending.nonce = 0;
    }
    if (type < 3)
        return;
    if (!sealing) {
        large.sent[0] = type;
        large.sent_size = 40;
        return;
    }
    if (type == 3) {
        on_event(&large, TUNNEL_EVENT_SEND, bytes_of_text("frame"));
    } else if (type == 4) {
        now.ms += TUNNEL_KEEP_MS;
        on_plain(&large, TUNNEL_EVENT_TIME);
        now.ms -= TUNNEL_KEEP_MS;
    } else {
        on_plain(&large, TUNNEL_EVENT_HANG_UP);
    }
    assert_int_equal(large.sent[0], type);
}

static void make_bad(uint8_t type)
{
    make_good(type);
    large.sent[large.sent_size - 1] ^= 1;
}

static uint64_t late_ms(enum tunnel_state state)
{
    return state == TUNNEL_CONNECTED ? TUNNEL_SILENT_MS : TUNNEL_DIAL_MS;
}

static void play(enum tunnel_state state, enum column column)
{
    static const uint8_t types[COLUMN_COUNT] = {
        [INIT_GOOD] = 1, [INIT_BAD] = 1,  [RESP_GOOD] = 2, [RESP_BAD] = 2,
        [DATA_GOOD] = 3, [KEEP_GOOD] = 4, [END_GOOD] = 5,  [SEALED_BAD] = 3};
    static const uint8_t unknown[] = {9, 1, 2, 3};
    if (column == DIAL) {
        on_plain(&small, TUNNEL_EVENT_DIAL);
    } else if (column == SEND) {
        on_event(&small, TUNNEL_EVENT_SEND, bytes_of_text("frame"));
    } else if (column == TIME_EARLY || column == TIME_LATE) {
        now.ms += column == TIME_LATE ? late_ms(state) : TUNNEL_DIAL_MS - 1;
        on_plain(&small, TUNNEL_EVENT_TIME);
    } else if (column == LOST) {
        on_plain(&small, TUNNEL_EVENT_LOST);
    } else if (column == HANG_UP) {
        on_plain(&small, TUNNEL_EVENT_HANG_UP);
    } else if (column == UNKNOWN) {
        on_event(&small, TUNNEL_EVENT_FRAME, (struct bytes){unknown, sizeof unknown});
    } else {
        if (column == INIT_BAD || column == RESP_BAD || column == SEALED_BAD)
            make_bad(types[column]);
        else
            make_good(types[column]);
        deliver(&large, &small);
    }
}

static void walks_every_cell_of_the_table(void **unused)
{
    (void)unused;
    for (unsigned state = 0; state < TUNNEL_STATE_COUNT; state++) {
        for (unsigned column = 0; column < COLUMN_COUNT; column++) {
            const struct cell *cell = &cells[state][column];
            reach((enum tunnel_state)state);
            play((enum tunnel_state)state, (enum column)column);
            if (small.tunnel.state != cell->state || small.step.change != cell->change ||
                (small.sent_size > 0 ? small.sent[0] : 0) != cell->sent)
                fail_msg("state %u, column %u: came to state %u, change %u, sent %u", state, column,
                         small.tunnel.state, small.step.change,
                         small.sent_size > 0 ? small.sent[0] : 0u);
            assert_true((small.step.change == TUNNEL_DOWN) ==
                        (small.step.reason != TUNNEL_REASON_NONE));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(walks_every_cell_of_the_table, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
