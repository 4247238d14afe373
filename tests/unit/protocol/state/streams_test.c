/* The table of streams: three things are found again, and lists lose nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/state/streams.h"

enum { STREAM_COUNT = 16, MISSING_COUNT = 8 };

struct table {
    struct streams streams;
    void *memory;
};

static int made(void **state)
{
    uint8_t hash_key[16] = {1, 2, 3};
    struct table *table = malloc(sizeof *table);
    assert_non_null(table);
    table->memory = calloc(1, streams_memory_size(STREAM_COUNT, MISSING_COUNT));
    assert_non_null(table->memory);
    streams_init(&table->streams, table->memory, STREAM_COUNT, MISSING_COUNT, hash_key);
    *state = table;
    return 0;
}

static int freed(void **state)
{
    struct table *table = *state;
    free(table->memory);
    free(table);
    return 0;
}

static struct stream_id stream_of(uint8_t number)
{
    return (struct stream_id){scope_federation(), {{number}}, 1};
}

static struct streams *streams_of(void **state)
{
    struct table *table = *state;
    return &table->streams;
}

static void finds_what_was_added_and_nothing_else(void **state)
{
    struct streams *streams = streams_of(state);
    for (uint8_t i = 0; i < STREAM_COUNT; i++) {
        struct stream_id id = stream_of(i);
        assert_int_equal(streams_find(streams, &id), STREAM_NONE);
        uint32_t slot = streams_add(streams, &id);
        assert_int_equal(streams_add(streams, &id), slot);
        assert_int_equal(streams_find(streams, &id), slot);
    }
    struct stream_id other = stream_of(3);
    other.generation = 2;
    assert_int_equal(streams_find(streams, &other), STREAM_NONE);
    assert_int_equal(streams->count, STREAM_COUNT);
}

static void a_full_table_takes_no_more(void **state)
{
    struct streams *streams = streams_of(state);
    for (uint8_t i = 0; i < STREAM_COUNT; i++) {
        struct stream_id id = stream_of(i);
        assert_int_not_equal(streams_add(streams, &id), STREAM_NONE);
    }
    struct stream_id more = stream_of(99), known = stream_of(5);
    assert_int_equal(streams_add(streams, &more), STREAM_NONE);
    assert_int_not_equal(streams_add(streams, &known), STREAM_NONE);
}

static void rewinding_forgets_what_is_in_flight_and_its_answers(void **state)
{
    struct streams *streams = streams_of(state);
    struct stream_id id = stream_of(1);
    uint32_t slot = streams_add(streams, &id);
    struct stream *stream = &streams->all[slot];
    stream->tail = 3;
    stream->tail_id = (struct record_id){{3}};
    stream->next = 9;
    stream->next_id = (struct record_id){{9}};
    uint32_t speculation = stream->speculation;
    streams_rewind(streams, slot);
    assert_int_equal(stream->next, 3);
    assert_true(ID_EQUAL(stream->next_id, stream->tail_id));
    assert_int_not_equal(stream->speculation, speculation);
}

/* How many streams the list names, or -1 when its ways back do not fit its ways on. */
static int list_length(const struct streams *streams)
{
    int length = 0;
    uint32_t before = STREAM_NONE;
    for (uint32_t slot = streams->behind_first; slot != STREAM_NONE;
         slot = streams->all[slot].behind_next) {
        if (streams->all[slot].behind_previous != before || !streams->all[slot].is_behind)
            return -1;
        before = slot;
        length++;
    }
    return length;
}

static void the_list_of_those_behind_holds_each_once(void **state)
{
    struct streams *streams = streams_of(state);
    const uint16_t place = 7;
    for (uint8_t i = 0; i < 5; i++) {
        struct stream_id id = stream_of(i);
        uint32_t slot = streams_add(streams, &id);
        streams_want(streams, slot, 4, place);
        streams_want(streams, slot, 6, place);
        assert_int_equal(list_length(streams), i + 1);
    }
    /* one in the middle, the first and the last leave */
    const uint32_t leaving[] = {2, 4, 0, 1, 3};
    for (int i = 0; i < 5; i++) {
        streams_settle(streams, leaving[i]);
        assert_int_equal(list_length(streams), 5 - i);
        streams->all[leaving[i]].kept = 6;
        streams_settle(streams, leaving[i]);
        assert_int_equal(list_length(streams), 4 - i);
        streams_settle(streams, leaving[i]);
    }
    assert_int_equal(list_length(streams), 0);
}

static void nothing_is_wanted_of_what_is_here_or_forked(void **state)
{
    struct streams *streams = streams_of(state);
    struct stream_id id = stream_of(1);
    uint32_t slot = streams_add(streams, &id);
    streams->all[slot].kept = 5;
    streams_want(streams, slot, 5, 1);
    assert_int_equal(list_length(streams), 0);
    streams->all[slot].flags = STREAM_FORKED;
    streams_want(streams, slot, 9, 1);
    assert_int_equal(list_length(streams), 0);
}

static void had_ends_before_the_first_missing(void **state)
{
    struct streams *streams = streams_of(state);
    struct stream_id id = stream_of(1);
    struct record_id record = {{1}};
    uint32_t slot = streams_add(streams, &id);
    streams->all[slot].tail = 10;
    assert_int_equal(streams_had(streams, slot), 10);
    assert_true(streams_missing_add(streams, slot, 7, &record, false));
    assert_true(streams_missing_add(streams, slot, 4, &record, false));
    assert_true(streams_missing_add(streams, slot, 2, &record, true)); /* sealed: not counted */
    assert_int_equal(streams_had(streams, slot), 3);
    streams_missing_remove(streams, slot, 4);
    assert_int_equal(streams_had(streams, slot), 6);
    assert_null(streams_missing_find(streams, slot, 4));
    assert_non_null(streams_missing_find(streams, slot, 2));
    streams_missing_remove(streams, slot, 4);
    streams_missing_remove(streams, slot, 7);
    streams_missing_remove(streams, slot, 2);
    assert_int_equal(streams_had(streams, slot), 10);
}

static void places_of_missing_are_used_again(void **state)
{
    struct streams *streams = streams_of(state);
    struct record_id record = {{1}};
    struct stream_id ids[2] = {stream_of(1), stream_of(2)};
    uint32_t slots[2] = {streams_add(streams, &ids[0]), streams_add(streams, &ids[1])};
    for (int round = 0; round < 5; round++) {
        for (uint64_t i = 1; i <= MISSING_COUNT; i++)
            assert_true(streams_missing_add(streams, slots[i % 2], i, &record, false));
        assert_false(streams_missing_add(streams, slots[0], 99, &record, false));
        for (uint64_t i = MISSING_COUNT; i >= 1; i--)
            streams_missing_remove(streams, slots[i % 2], i);
        assert_int_equal(streams->all[slots[0]].missing_first, STREAM_NONE);
        assert_int_equal(streams->all[slots[1]].missing_first, STREAM_NONE);
    }
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, made, freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TABLE(finds_what_was_added_and_nothing_else),
        WITH_TABLE(a_full_table_takes_no_more),
        WITH_TABLE(rewinding_forgets_what_is_in_flight_and_its_answers),
        WITH_TABLE(the_list_of_those_behind_holds_each_once),
        WITH_TABLE(nothing_is_wanted_of_what_is_here_or_forked),
        WITH_TABLE(had_ends_before_the_first_missing),
        WITH_TABLE(places_of_missing_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
