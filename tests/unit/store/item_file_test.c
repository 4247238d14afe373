/* Goal: an item's chunks come in any order, are reported when durable, survive a reopening, and go
 * with their file when the item is deleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/disk/item_row.h"
#include "store/item_file.h"
#include "tests/unit/store/fixture.h"

static uint8_t memory[CHUNK_SIZE_MAX];
static const struct item_id item = {.bytes = {1, 2, 3}};
static const struct item_file_shape shape = {.size = 10 * CHUNK_SIZE_MAX + 77,
                                             .chunk_size = CHUNK_SIZE_MAX};

static int setup(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

struct wait {
    uint64_t token;
    bool done;
    err result;
};

static void on_done(void *arg, const struct store_done *done)
{
    struct wait *wait = arg;
    if (done->token == wait->token) {
        wait->done = true;
        wait->result = done->result;
    }
}

static err wait_for(struct fixture *fixture, uint64_t token)
{
    struct wait wait = {.token = token};
    while (!wait.done) {
        store_drain(fixture->store, on_done, &wait);
        usleep(500);
    }
    return wait.result;
}

static err create(struct fixture *fixture, const struct item_file_shape *as)
{
    err result = item_file_create(fixture->store, &item, as, 1);
    return result == OK ? wait_for(fixture, 1) : result;
}

static err submit_chunk(struct fixture *fixture, uint32_t index, uint64_t token)
{
    static uint8_t data[CHUNK_SIZE_MAX];
    memset(data, (int)index + 1, sizeof data);
    struct item_file_chunk chunk = {.index = index,
                                    .data = {data, item_row_chunk_size(&shape, index)}};
    memset(chunk.leaf.bytes, (int)index + 101, HASH_SIZE);
    return item_file_write(fixture->store, &item, &chunk, token);
}

static size_t file_count(const struct fixture *fixture)
{
    char path[256];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/items", fixture->path);
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(list);
    return count;
}

static void chunks_in_any_order_are_resumed_after_a_break(void **state)
{
    struct fixture *fixture = *state;
    struct item_file_state item_state;
    struct item_file_chunk chunk;
    assert_int_equal(create(fixture, &shape), OK);
    assert_int_equal(submit_chunk(fixture, 10, 20), OK);
    assert_int_equal(submit_chunk(fixture, 3, 21), OK);
    assert_int_equal(wait_for(fixture, 21), OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(create(fixture, &shape), OK); /* the same shape: go on */
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), OK);
    assert_int_equal(item_state.chunk_count, 11);
    assert_int_equal(item_state.chunks_here, 2);
    uint32_t next;
    assert_int_equal(item_file_next(fixture->store, &item, true, 0, &next), OK);
    assert_int_equal(next, 3);
    assert_int_equal(item_file_next(fixture->store, &item, false, 3, &next), OK);
    assert_int_equal(next, 4);
    assert_int_equal(item_file_read(fixture->store, &item, 10, memory, &chunk), OK);
    assert_int_equal(chunk.data.size, 77);
    assert_int_equal(chunk.data.data[76], 11);
    assert_int_equal(chunk.leaf.bytes[31], 111);
    assert_int_equal(item_file_read(fixture->store, &item, 4, memory, &chunk), ERR_NOT_FOUND);
    struct hash leaves[11];
    assert_int_equal(item_file_leaves(fixture->store, &item, 0, 11, leaves), OK);
    assert_int_equal(leaves[3].bytes[0], 104);
    assert_int_equal(leaves[4].bytes[0], 0);
    assert_int_equal(item_file_leaves(fixture->store, &item, 5, 7, leaves), ERR_INVALID);
}

static void a_whole_item_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct item_file_state item_state;
    assert_int_equal(create(fixture, &shape), OK);
    for (uint32_t i = 0; i < 11; i += 1) {
        assert_int_equal(submit_chunk(fixture, i, 100 + i), OK);
    }
    fixture_close(fixture); /* syncs what waits */
    fixture_open(fixture);
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), OK);
    assert_int_equal(item_state.chunks_here, 11);
    uint32_t next;
    assert_int_equal(item_file_next(fixture->store, &item, false, 0, &next), OK);
    assert_int_equal(next, 11);
    for (uint32_t i = 0; i < 11; i += 1) {
        struct item_file_chunk chunk;
        assert_int_equal(item_file_read(fixture->store, &item, i, memory, &chunk), OK);
        assert_int_equal(chunk.data.size, item_row_chunk_size(&shape, i));
        assert_int_equal(chunk.data.data[chunk.data.size - 1], i + 1);
    }
}

static void a_deleted_item_takes_its_file_with_it_and_may_come_anew(void **state)
{
    struct fixture *fixture = *state;
    struct item_file_state item_state;
    struct store_usage usage;
    struct store_op op = {.kind = STORE_ITEM_DELETE, .item = item};
    assert_int_equal(create(fixture, &shape), OK);
    assert_int_equal(file_count(fixture), 1);
    assert_int_equal(submit_chunk(fixture, 0, 2), OK);
    assert_int_equal(store_commit(fixture->store, &op, 1, STORE_RELEASING, NULL), OK);
    err late = wait_for(fixture, 2); /* whichever came first */
    assert_true(late == OK || late == ERR_NOT_FOUND);
    assert_int_equal(file_count(fixture), 0);
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), ERR_NOT_FOUND);
    assert_int_equal(store_commit(fixture->store, &op, 1, STORE_RELEASING, NULL), OK);
    assert_int_equal(submit_chunk(fixture, 1, 3), OK);
    assert_int_equal(wait_for(fixture, 3), ERR_NOT_FOUND);
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    assert_int_equal(usage.item_bytes, 0);
    assert_int_equal(create(fixture, &shape), OK);
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), OK);
    assert_int_equal(item_state.chunks_here, 0);
}

static void bad_shapes_and_chunks_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct item_file_shape bad = {.size = 0, .chunk_size = 1};
    assert_int_equal(create(fixture, &bad), ERR_INVALID);
    bad = (struct item_file_shape){.size = 10, .chunk_size = CHUNK_SIZE_MAX + 1};
    assert_int_equal(create(fixture, &bad), ERR_INVALID);
    bad = (struct item_file_shape){.size = UINT64_MAX, .chunk_size = 1};
    assert_int_equal(create(fixture, &bad), ERR_TOO_LARGE);
    assert_int_equal(create(fixture, &shape), OK);
    bad = shape;
    bad.size += 1;
    assert_int_equal(create(fixture, &bad), ERR_EXISTS);
    uint8_t data[10] = {0};
    struct item_file_chunk chunk = {.index = 0, .data = {data, sizeof data}};
    assert_int_equal(item_file_write(fixture->store, &item, &chunk, 9), OK);
    assert_int_equal(wait_for(fixture, 9), ERR_INVALID);
    chunk.index = 11;
    assert_int_equal(item_file_write(fixture->store, &item, &chunk, 10), OK);
    assert_int_equal(wait_for(fixture, 10), ERR_INVALID);
}

static void an_item_over_the_quota_is_refused_before_it_begins(void **state) /* (S-10) */
{
    struct fixture *fixture = *state;
    fixture_close(fixture);
    fixture->options.item_quota = 5 * CHUNK_SIZE_MAX;
    fixture_open(fixture);
    assert_int_equal(create(fixture, &shape), ERR_FULL);
    assert_int_equal(file_count(fixture), 0);
}

static void a_file_that_no_row_names_is_cleared_away(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    assert_int_equal(create(fixture, &shape), OK);
    fixture_close(fixture);
    snprintf(path, sizeof path, "%s/items/0123456789abcdef0123456789abcdef", fixture->path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(file_count(fixture), 2);
    fixture_open(fixture);
    assert_int_equal(file_count(fixture), 1);
    struct item_file_state item_state;
    assert_int_equal(item_file_state(fixture->store, &item, &item_state), OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(chunks_in_any_order_are_resumed_after_a_break),
        TEST(a_whole_item_comes_back),
        TEST(a_deleted_item_takes_its_file_with_it_and_may_come_anew),
        TEST(bad_shapes_and_chunks_are_refused),
        TEST(an_item_over_the_quota_is_refused_before_it_begins),
        TEST(a_file_that_no_row_names_is_cleared_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
