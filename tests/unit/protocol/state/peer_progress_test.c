/* What peers were sent and have reported, against a table that is plain and slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/state/peer_progress.h"

enum { MARK_COUNT = 64, SESSION_COUNT = 9, STREAM_COUNT = 40 };

struct table {
    struct peer_progress marks;
    struct mark memory[MARK_COUNT];
    bool is_live[SESSION_COUNT];
    uint64_t plain[SESSION_COUNT][STREAM_COUNT]; /* 0: none */
    uint64_t prng;
};

static int made(void **state)
{
    struct table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    assert_int_equal(peer_progress_memory_size(MARK_COUNT), sizeof table->memory);
    peer_progress_init(&table->marks, table->memory, MARK_COUNT);
    *state = table;
    return 0;
}

static int freed(void **state)
{
    free(*state);
    return 0;
}

static bool is_live(const void *arg, uint32_t session)
{
    const struct table *table = arg;
    return table->is_live[session];
}

static uint32_t below(struct table *table, uint32_t count)
{
    table->prng = table->prng * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(table->prng >> 33) % count;
}

static void assert_same(struct table *table)
{
    for (uint32_t session = 1; session < SESSION_COUNT; session++) {
        for (uint32_t stream = 0; stream < STREAM_COUNT; stream++) {
            const struct mark *mark = peer_progress_find(&table->marks, session, stream);
            assert_int_equal(mark == NULL ? 0 : mark->sent, table->plain[session][stream]);
        }
    }
}

static void is_found_again_by_session_and_stream(void **state)
{
    struct table *table = *state;
    peer_progress_add(&table->marks, 1, 2)->sent = 12;
    peer_progress_add(&table->marks, 2, 1)->sent = 21;
    assert_int_equal(peer_progress_find(&table->marks, 1, 2)->sent, 12);
    assert_int_equal(peer_progress_add(&table->marks, 2, 1)->sent, 21);
    assert_null(peer_progress_find(&table->marks, 1, 1));
}

static void takes_no_more_when_three_quarters_full(void **state)
{
    struct table *table = *state;
    for (uint32_t i = 0; i < MARK_COUNT / 4 * 3; i++)
        assert_non_null(peer_progress_add(&table->marks, 1, i));
    assert_null(peer_progress_add(&table->marks, 1, 1000));
    assert_non_null(peer_progress_add(&table->marks, 1, 5));
}

static void a_table_half_empty_is_not_swept(void **state)
{
    struct table *table = *state;
    for (uint32_t i = 0; i < MARK_COUNT / 2; i++)
        assert_non_null(peer_progress_add(&table->marks, 1, i));
    peer_progress_sweep(&table->marks, is_live, table);
    assert_int_equal(table->marks.count, MARK_COUNT / 2);
}

static void sweeping_drops_the_dead_and_loses_none_that_live(void **state)
{
    struct table *table = *state;
    for (int round = 0; round < 400; round++) {
        uint32_t session = 1 + below(table, SESSION_COUNT - 1);
        for (uint32_t i = 0; i < 12; i++) {
            uint32_t stream = below(table, STREAM_COUNT);
            struct mark *mark = peer_progress_add(&table->marks, session, stream);
            if (mark == NULL)
                break;
            mark->sent = table->plain[session][stream] = 1 + below(table, 1000);
            table->is_live[session] = true;
        }
        assert_same(table);
        if (table->marks.count <= MARK_COUNT / 2)
            continue;
        for (uint32_t i = 1; i < SESSION_COUNT; i++)
            table->is_live[i] = below(table, 2) == 0;
        peer_progress_sweep(&table->marks, is_live, table);
        for (uint32_t i = 1; i < SESSION_COUNT; i++) {
            if (!table->is_live[i])
                memset(table->plain[i], 0, sizeof table->plain[i]);
        }
        assert_same(table);
    }
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, made, freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TABLE(is_found_again_by_session_and_stream),
        WITH_TABLE(takes_no_more_when_three_quarters_full),
        WITH_TABLE(a_table_half_empty_is_not_swept),
        WITH_TABLE(sweeping_drops_the_dead_and_loses_none_that_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
