/* Who says of many cases that they are erased costs its readers one walk, a page at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/contents/mirror.h"
#include "tests/harness/network.h"

enum { A, B, CASE_COUNT = 150, MIRROR_COUNT = 40, PAGE = 64 };

/* ---- pages that B reads of A's board (the linker leads here) ---- */

static const struct network_house *watched;
static struct stream_id watched_stream;
static unsigned page_count;

MUST_USE err __real_record_table_range(struct store *store, const struct stream_id *stream,
                                       uint64_t sequence, struct store_page *page);
MUST_USE err __wrap_record_table_range(struct store *store, const struct stream_id *stream,
                                       uint64_t sequence, struct store_page *page);

err __wrap_record_table_range(struct store *store, const struct stream_id *stream,
                              uint64_t sequence, struct store_page *page)
{
    if (watched != NULL && watched->runtime != NULL && store == runtime_store(watched->runtime) &&
        stream_id_equal(stream, &watched_stream))
        page_count++;
    return __real_record_table_range(store, stream, sequence, page);
}

/* ---- the town ---- */

struct story {
    struct network *network;
    struct record_id said[CASE_COUNT]; /* announcements; the first ones are of erased cases */
};

static struct case_id case_of(size_t n)
{
    return (struct case_id){{(uint8_t)(n + 1), 7}};
}

static struct scope board_of(const struct network *network)
{
    struct federation_id federation = roster_federation(&network->society.roster);
    return scope_board(&federation, bytes_of_text("hematology"));
}

/* A announces many cases, B has all of them; then B is away, and A says that some are erased. */
static int given_many_mirrors(void **state)
{
    struct story *story = calloc(1, sizeof *story);
    assert_non_null(story);
    struct network *network = story->network = network_new_in_touch();
    struct scope board = board_of(network);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct case_id case_id = case_of(i);
        struct announcement said = network_announcement(&case_id);
        story->said[i] = network_write(&network->houses[A], &board, KIND_ANNOUNCEMENT, &said);
    }
    assert_true(network_spreads(network, B, &story->said[CASE_COUNT - 1]));
    network_shut(network, B);
    for (size_t i = 0; i < MIRROR_COUNT; i++) {
        struct mirror mirror = {.case_id = case_of(i), .what = MIRROR_ERASED};
        (void)network_write(&network->houses[A], &board, KIND_MIRROR, &mirror);
    }
    network_open(network, B);
    watched = &network->houses[B];
    watched_stream =
        (struct stream_id){.scope = board, .writer = network->houses[A].node, .generation = 1};
    page_count = 0;
    *state = story;
    return 0;
}

static int then_it_ends(void **state)
{
    struct story *story = *state;
    watched = NULL;
    network_free(story->network);
    free(story);
    return 0;
}

#define WITH_MIRRORS(test) cmocka_unit_test_setup_teardown(test, given_many_mirrors, then_it_ends)

static size_t destroyed_count(const struct story *story)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    size_t count = 0;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct store_record record;
        assert_int_equal(OK, record_table_find(runtime_store(story->network->houses[B].runtime),
                                               &story->said[i], memory, &record));
        assert_true(i < MIRROR_COUNT || !record.destroyed);
        count += record.destroyed ? 1 : 0;
    }
    return count;
}

static bool count_row(void *arg, const struct store_row *row)
{
    (void)row;
    ++*(size_t *)arg;
    return true;
}

static size_t rows_left(const struct story *story)
{
    size_t count = 0;
    assert_int_equal(OK, row_table_scan(runtime_store(story->network->houses[B].runtime),
                                        STORE_TABLE_RETRACTION, count_row, &count));
    return count;
}

static bool all_is_done(void *arg)
{
    const struct story *story = arg;
    struct store_usage usage;
    assert_int_equal(OK, store_usage(runtime_store(story->network->houses[B].runtime), &usage));
    return destroyed_count(story) == MIRROR_COUNT && rows_left(story) == 0 && usage.epoch > 1 &&
           !usage.rekeying;
}

/* ---- stories ---- */

/* One that began with the first mirror, and one for all that came meanwhile. */
static void many_mirrors_cost_two_walks_at_most_and_one_key(void **state)
{
    struct story *story = *state;
    enum { PAGES_A_WALK = (CASE_COUNT + MIRROR_COUNT) / PAGE + 2 };
    struct store_usage usage;
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    network_connect(story->network, B, A);
    while (!all_is_done(story) && runtime_mono().ms < end) {
        unsigned before = page_count;
        network_turn(story->network);
        assert_true(page_count <= before + 1);
    }
    assert_true(all_is_done(story));
    assert_in_range(page_count, 1, 2 * PAGES_A_WALK);
    assert_int_equal(OK, store_usage(runtime_store(story->network->houses[B].runtime), &usage));
    assert_int_equal(2, usage.epoch);
}

static bool mirrors_are_here(void *arg)
{
    return rows_left(arg) == MIRROR_COUNT;
}

static void what_an_end_cut_short_goes_on_at_the_next_start(void **state)
{
    struct story *story = *state;
    network_connect(story->network, B, A);
    assert_true(network_until(story->network, mirrors_are_here, story));
    network_shut(story->network, B); /* before any walk has come to its end */
    network_open(story->network, B);
    assert_true(rows_left(story) > 0);
    assert_true(network_until(story->network, all_is_done, story));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MIRRORS(many_mirrors_cost_two_walks_at_most_and_one_key),
        WITH_MIRRORS(what_an_end_cut_short_goes_on_at_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
