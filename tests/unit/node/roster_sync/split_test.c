/* Two rosters: a society that shows one hospital this head and another one that. Whoever meets sees
 * it, keeps both heads, and hands the other side nothing that opens a body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/wire/frame.h"
#include "tests/harness/network.h"

enum { A = 0, B = 1, C = 2 };

/* A head with its content, as it travels. */
struct head_batch_buffer {
    uint8_t frame[FRAME_SIZE_MAX];
    size_t frame_size;
    uint8_t part[FRAME_SIZE_MAX];
    size_t part_size;
    struct hash proof; /* under which it is kept when it is refused */
};

struct split {
    struct network *network;
    struct federation other; /* the same federation, as its officers tell it to others */
    struct network_case one;
    unsigned keys, records; /* that went from A to B */
    struct frame_status status;
};

static bool count_records(void *arg, const struct network_house *from,
                          const struct network_house *to, struct network_frame *frame)
{
    struct split *split = arg;
    struct reader reader;
    struct frame_record record;
    uint16_t count;
    if (from != &split->network->houses[A] || to != &split->network->houses[B] ||
        frame->data[0] != FRAME_RECORDS ||
        frame_records_open((struct bytes){frame->data, frame->size}, &reader, &count) != OK)
        return true;
    while (count-- > 0 && frame_record_read(&reader, &record) == OK) {
        split->records++;
        split->keys += record.has_key ? 1 : 0;
    }
    return true;
}

static int given_a_case_that_two_share(void **state)
{
    struct split *split = calloc(1, sizeof *split);
    struct network determinism = {.founded_ms = 0};
    split->network = network_new_in_touch();
    network_found(&determinism, split->network->founded_ms);
    split->other = determinism.society;
    split->one = network_ask(&split->network->houses[A], 1);
    assert_true(network_spreads(split->network, B, &split->one.announcement));
    network_take_part(&split->network->houses[B], &split->network->houses[A], &split->one);
    network_cut(split->network, A, C);
    network_cut(split->network, B, C);
    split->network->on_frame = count_records;
    split->network->arg = split;
    *state = split;
    return 0;
}

static int then_it_ends(void **state)
{
    struct split *split = *state;
    network_free(split->network);
    federation_end(&split->other);
    free(split);
    return 0;
}

#define WITH_TWO(test)                                                                             \
    cmocka_unit_test_setup_teardown(test, given_a_case_that_two_share, then_it_ends)

/* The officers admit one more, and sign that. */
static struct head_batch_buffer admit(struct federation *society, uint32_t number)
{
    struct head_batch_buffer batch_buffer = {.frame_size = 0};
    uint8_t part_memory[DELTA_PART_SIZE_MAX];
    struct buffer frame = buffer_over(batch_buffer.frame, sizeof batch_buffer.frame);
    struct buffer out = buffer_over(batch_buffer.part, sizeof batch_buffer.part);
    struct buffer part = buffer_over(part_memory, sizeof part_memory);
    struct member member =
        federation_member(number, roster_current_head(&society->roster)->epoch + 1);
    size_t offset = 0;
    federation_put_member(society, &member);
    assert_int_equal(OK, federation_draft(society));
    frame_heads_begin(&frame);
    assert_true(frame_head_write(&frame, society->signed_head));
    batch_buffer.frame_size = frame.size;
    assert_true(delta_part_write(&society->delta, 0, &offset, &part));
    frame_roster_part_write(&out, buffer_bytes(&part));
    batch_buffer.part_size = out.size;
    batch_buffer.proof = hash_one(CONTEXT_HEAD, society->signed_head);
    assert_int_equal(OK, federation_take(society));
    return batch_buffer;
}

static struct engine_peer only_peer(const struct network_house *house)
{
    struct engine_peer peer;
    assert_true(engine_peer(runtime_engine(house->runtime), 0, &peer));
    return peer;
}

/* The house hears of the head from the one that it is connected with. */
static void hear(struct network_house *house, const struct head_batch_buffer *batch_buffer,
                 bool with_content)
{
    struct link_id link = only_peer(house).link;
    driver_frame(house->driver, link,
                 (struct bytes){batch_buffer->frame, batch_buffer->frame_size});
    if (with_content)
        driver_frame(house->driver, link,
                     (struct bytes){batch_buffer->part, batch_buffer->part_size});
}

struct kept {
    const struct network_house *house;
    const struct hash *proof;
};

static bool is_kept(void *arg)
{
    const struct kept *kept = arg;
    uint8_t key_memory[1 + HASH_SIZE] = {'p'}, memory[HEAD_SIZE_MAX];
    struct buffer row = buffer_over(memory, sizeof memory);
    memcpy(key_memory + 1, kept->proof->bytes, HASH_SIZE);
    return row_table_get(runtime_store(kept->house->runtime), STORE_TABLE_HEAD,
                         (struct bytes){key_memory, sizeof key_memory}, &row) == OK;
}

static bool keeps(struct split *split, int house, const struct head_batch_buffer *batch_buffer)
{
    struct kept kept = {&split->network->houses[house], &batch_buffer->proof};
    return network_until(split->network, is_kept, &kept);
}

static uint32_t split_count(const struct network_house *house)
{
    struct engine_status status;
    engine_status(runtime_engine(house->runtime), &status);
    return status.split_count;
}

static bool parted(void *arg)
{
    const struct split *split = arg;
    return split_count(&split->network->houses[A]) == 1 &&
           split_count(&split->network->houses[B]) == 1;
}

static bool answered(void *arg)
{
    const struct split *split = arg;
    return split->records > 0;
}

/* B asks A for A's stream on the board from its first record on, as one who lacks it. */
static void want(struct split *split, uint16_t count)
{
    struct network_house *a = &split->network->houses[A];
    struct federation_id federation = roster_federation(&split->network->society.roster);
    struct frame_want wanted = {
        .stream = {scope_board(&federation, bytes_of_text("hematology")), a->node, 1},
        .from = 1,
        .count = count};
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_want_write(&frame, &wanted);
    split->records = split->keys = 0;
    driver_frame(a->driver, only_peer(a).link, buffer_bytes(&frame));
    assert_true(network_until(split->network, answered, split));
}

static err items_for_b(const struct split *split)
{
    return engine_may_have_items(runtime_engine(split->network->houses[A].runtime),
                                 &split->network->houses[B].node, &split->one.id);
}

static void two_houses_with_two_heads_show_it_and_hand_each_other_no_keys(void **state)
{
    struct split *split = *state;
    struct network_house *a = &split->network->houses[A], *b = &split->network->houses[B];
    struct head_batch_buffer ours = admit(&split->network->society, 4);
    struct head_batch_buffer theirs = admit(&split->other, 5);
    want(split, 1);
    assert_int_equal(split->keys, split->records);
    assert_int_equal(OK, items_for_b(split));
    hear(a, &ours, true);
    hear(b, &theirs, true);
    assert_true(network_until(split->network, parted, split));
    assert_true(only_peer(a).is_split && only_peer(b).is_split);
    assert_true(keeps(split, A, &theirs) && keeps(split, B, &ours));
    split->records = split->keys = 0;
    struct network_case two = network_ask(a, 2); /* pushed to B as header and signature */
    assert_true(network_until(split->network, answered, split));
    assert_int_equal(0, split->keys);
    want(split, 1);
    assert_int_equal(0, split->keys);
    want(split, 64);
    assert_int_equal(0, split->keys);
    assert_int_equal(ERR_FORKED, items_for_b(split));
    /* and C, which has neither, gets all from the one that it meets */
    network_connect(split->network, A, C);
    assert_true(network_spreads(split->network, C, &two.announcement));
    assert_int_equal(1, split_count(a));
    assert_int_equal(0, split_count(&split->network->houses[C]));
}

static void rosters_that_left_each_other_long_ago_are_traced_to_where_they_parted(void **state)
{
    struct split *split = *state;
    struct head_batch_buffer ours[6], theirs[6];
    for (uint32_t i = 0; i < 6; i++) {
        ours[i] = admit(&split->network->society, 4 + i);
        theirs[i] = admit(&split->other, 20 + i);
        hear(&split->network->houses[A], &ours[i], true);
        hear(&split->network->houses[B], &theirs[i], true);
    }
    assert_true(network_until(split->network, parted, split));
    assert_true(keeps(split, A, &theirs[0]) && keeps(split, B, &ours[0]));
}

/* It goes on further than ours does: a longer chain is no better one. */
static void a_longer_roster_that_left_ours_gets_no_keys_either(void **state)
{
    struct split *split = *state;
    struct head_batch_buffer ours = admit(&split->network->society, 4);
    struct head_batch_buffer first = admit(&split->other, 20), second = admit(&split->other, 21);
    hear(&split->network->houses[A], &ours, true);
    hear(&split->network->houses[B], &first, true);
    hear(&split->network->houses[B], &second, true);
    assert_true(keeps(split, A, &first));
    assert_false(only_peer(&split->network->houses[A]).is_same_head);
    want(split, 1);
    assert_int_equal(0, split->keys);
    assert_int_equal(ERR_BUSY, items_for_b(split));
}

static void an_older_fork_is_kept_and_stops_nothing(void **state)
{
    struct split *split = *state;
    struct network_house *a = &split->network->houses[A];
    struct head_batch_buffer ours = admit(&split->network->society, 4);
    struct head_batch_buffer stolen = admit(&split->other, 5);
    hear(a, &ours, true); /* B asks A for it */
    hear(a, &stolen, false);
    assert_true(keeps(split, A, &stolen));
    struct network_case two = network_ask(a, 2);
    assert_true(network_spreads(split->network, B, &two.announcement));
    assert_int_equal(0, split_count(a));
    want(split, 1);
    assert_int_equal(split->keys, split->records);
    assert_int_equal(OK, items_for_b(split));
}

static void who_knows_of_a_head_without_its_content_hands_out_no_keys(void **state)
{
    struct split *split = *state;
    struct network_house *a = &split->network->houses[A];
    struct head_batch_buffer ours = admit(&split->network->society, 4);
    struct engine_status status;
    hear(a, &ours, false);
    engine_status(runtime_engine(a->runtime), &status);
    assert_true(status.keys_wait);
    assert_int_not_equal(OK, items_for_b(split));
    hear(a, &ours, true);
    engine_status(runtime_engine(a->runtime), &status);
    assert_false(status.keys_wait);
}

/* ---- content on its way ---- */

/* The content of our next head in two parts. */
static void in_two(const struct head_batch_buffer *batch_buffer, struct buffer frames[static 2])
{
    struct delta_part part;
    struct reader reader;
    struct bytes content;
    enum delta_kind kind;
    assert_int_equal(
        OK, delta_part_read((struct bytes){batch_buffer->part + 1, batch_buffer->part_size - 1},
                            &part));
    reader = reader_of(part.items);
    assert_int_equal(OK, delta_item_read(&reader, &kind, &content));
    for (uint32_t i = 0; i < 2; i++) {
        buffer_u8(&frames[i], FRAME_ROSTER_PART);
        buffer_put(&frames[i], part.head.bytes, HASH_SIZE);
        buffer_put(&frames[i], part.base.bytes, HASH_SIZE);
        buffer_u32(&frames[i], i);
        buffer_u8(&frames[i], i == 1 ? 1 : 0);
        if (i == 0)
            delta_item_write(&frames[i], kind, content);
    }
}

static void who_begins_anew_does_not_take_the_place_of_who_is_giving(void **state)
{
    struct split *split = *state;
    struct network *network = split->network;
    struct network_house *a = &network->houses[A];
    uint8_t memory[2][2048];
    struct buffer frames[] = {buffer_over(memory[0], sizeof memory[0]),
                              buffer_over(memory[1], sizeof memory[1])};
    network_connect(network, A, C);
    struct engine_peer first, second;
    while (!engine_peer(runtime_engine(a->runtime), 1, &second))
        network_turn(network);
    first = only_peer(a);
    struct head_batch_buffer ours = admit(&network->society, 4);
    in_two(&ours, frames);
    hear(a, &ours, false);
    driver_frame(a->driver, first.link, buffer_bytes(&frames[0]));
    driver_frame(a->driver, second.link, buffer_bytes(&frames[0]));
    driver_frame(a->driver, first.link, buffer_bytes(&frames[1]));
    assert_int_equal(2, roster_current_head(runtime_roster(a->runtime))->epoch);
}

static void who_gave_content_that_was_none_waits_until_others_had_their_turn(void **state)
{
    struct split *split = *state;
    struct network_house *a = &split->network->houses[A];
    struct head_batch_buffer ours = admit(&split->network->society, 4);
    struct head_batch_buffer wrong = ours;
    struct link_id link = only_peer(a).link;
    size_t at = 0;
    while (memcmp(wrong.part + at, "Good Test", 9) != 0)
        at++;
    wrong.part[at] = 'F'; /* its name is another */
    hear(a, &ours, false);
    driver_frame(a->driver, link, (struct bytes){wrong.part, wrong.part_size});
    driver_frame(a->driver, link, (struct bytes){ours.part, ours.part_size});
    assert_int_equal(1, roster_current_head(runtime_roster(a->runtime))->epoch);
    network_connect(split->network, A, C);
    struct engine_peer second;
    while (!engine_peer(runtime_engine(a->runtime), 1, &second))
        network_turn(split->network);
    driver_frame(a->driver, second.link, (struct bytes){ours.part, ours.part_size});
    assert_int_equal(2, roster_current_head(runtime_roster(a->runtime))->epoch);
}

static void who_asks_and_does_not_take_is_not_answered_without_end(void **state)
{
    struct split *split = *state;
    struct network_house *a = &split->network->houses[A];
    struct link_id link = only_peer(a).link;
    struct frame_heads_want want = {.epoch = 0};
    uint8_t memory[64];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_heads_want_write(&frame, &want);
    split->network->lane_max = 4;
    for (int i = 0; i < 2000; i++)
        driver_frame(a->driver, link, buffer_bytes(&frame));
    assert_true(runtime_unsent(a->runtime, link) > 0);
    assert_true(runtime_unsent(a->runtime, link) < 300 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TWO(who_begins_anew_does_not_take_the_place_of_who_is_giving),
        WITH_TWO(who_gave_content_that_was_none_waits_until_others_had_their_turn),
        WITH_TWO(who_asks_and_does_not_take_is_not_answered_without_end),
        WITH_TWO(two_houses_with_two_heads_show_it_and_hand_each_other_no_keys),
        WITH_TWO(rosters_that_left_each_other_long_ago_are_traced_to_where_they_parted),
        WITH_TWO(a_longer_roster_that_left_ours_gets_no_keys_either),
        WITH_TWO(an_older_fork_is_kept_and_stops_nothing),
        WITH_TWO(who_knows_of_a_head_without_its_content_hands_out_no_keys),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
