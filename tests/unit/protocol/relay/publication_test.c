/* A relay's chain grows by publications that continue it, and by nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/relay/publication.h"
#include "tests/harness/federation.h"

enum { HEADS = 5, MEMORY = 1 << 16 };

/* Heads 1 to HEADS of one federation, one hospital more in each, as the society would mail them. */
static struct {
    struct federation federation;
    uint8_t head[HEADS + 1][HEAD_SIZE_MAX];
    size_t head_size[HEADS + 1];
    uint8_t list[HEADS + 1][4096];
    size_t list_size[HEADS + 1];
    struct chain_link links[16];
    struct officers officers[4];
    struct chain chain; /* a relay's */
    uint8_t memory[MEMORY];
} made;

static void keep_head(uint32_t epoch)
{
    struct bytes head = made.federation.signed_head;
    memcpy(made.head[epoch], head.data, head.size);
    made.head_size[epoch] = head.size;
}

static void keep_list(uint32_t epoch)
{
    struct bytes list = roster_transport_list(&made.federation.roster);
    assert_true(list.size <= sizeof made.list[epoch]);
    memcpy(made.list[epoch], list.data, list.size);
    made.list_size[epoch] = list.size;
}

static int set_up(void **state)
{
    (void)state;
    memset(&made, 0, sizeof made);
    federation_found(&made.federation, roster_plan_small(), 1);
    keep_head(1);
    keep_list(1);
    for (uint32_t epoch = 2; epoch <= HEADS; epoch++) {
        struct member member = federation_member(epoch, epoch);
        federation_put_member(&made.federation, &member);
        assert_int_equal(federation_draft(&made.federation), OK);
        keep_head(epoch);
        assert_int_equal(federation_take(&made.federation), OK);
        keep_list(epoch);
    }
    made.chain = (struct chain){.links = made.links,
                                .capacity = 16,
                                .officer_sets = made.officers,
                                .officer_set_capacity = 4};
    chain_init(&made.chain, &made.federation.roster.chain.federation);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    federation_end(&made.federation);
    return 0;
}

static struct bytes written(uint32_t first, uint32_t last, uint32_t list)
{
    struct buffer buffer = buffer_over(made.memory, sizeof made.memory);
    publication_begin(&buffer, last - first + 1);
    for (uint32_t epoch = first; epoch <= last; epoch++)
        publication_put(&buffer, (struct bytes){made.head[epoch], made.head_size[epoch]});
    buffer_put(&buffer, made.list[list], made.list_size[list]);
    assert_false(buffer.failed);
    return buffer_bytes(&buffer);
}

static err learn(struct bytes all)
{
    struct publication publication;
    err failure = publication_read(all, &publication);
    if (failure != OK)
        return failure;
    return publication_learn(&publication, &made.chain, NULL, (struct wall){1});
}

static void check_refused(struct bytes all, err expected)
{
    uint32_t count = made.chain.count;
    struct roster_head tip = made.chain.tip;
    assert_int_equal(learn(all), expected);
    assert_int_equal(made.chain.count, count);
    assert_memory_equal(&made.chain.tip, &tip, sizeof tip);
}

/* (L-23) */
static void what_continues_the_chain_is_learned(void **state)
{
    (void)state;
    assert_int_equal(learn(written(1, 2, 2)), OK);
    assert_int_equal(made.chain.tip.epoch, 2);
    assert_int_equal(learn(written(3, 5, 5)), OK);
    assert_int_equal(made.chain.tip.epoch, 5);
}

static void heads_that_are_here_already_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(learn(written(1, 3, 3)), OK);
    assert_int_equal(learn(written(1, 5, 5)), OK);
    check_refused(written(1, 5, 5), ERR_DUPLICATE);
    check_refused(written(2, 3, 3), ERR_DUPLICATE);
}

static void old_heads_behind_new_ones_are_refused(void **state)
{
    (void)state;
    struct buffer buffer = buffer_over(made.memory, sizeof made.memory);
    publication_begin(&buffer, 3);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t epoch = i == 1 ? 1 : i / 2 + 1; /* 1, 1, 2 */
        publication_put(&buffer, (struct bytes){made.head[epoch], made.head_size[epoch]});
    }
    buffer_put(&buffer, made.list[2], made.list_size[2]);
    check_refused(buffer_bytes(&buffer), ERR_MALFORMED);
}

static void a_gap_changes_nothing(void **state)
{
    (void)state;
    check_refused(written(2, 3, 3), ERR_OUT_OF_ORDER);
    assert_int_equal(learn(written(1, 1, 1)), OK);
    check_refused(written(3, 5, 5), ERR_OUT_OF_ORDER);
}

static void a_list_that_is_not_the_last_heads_changes_nothing(void **state)
{
    (void)state;
    check_refused(written(1, 3, 2), ERR_BAD_HASH);
    check_refused(written(1, 3, 5), ERR_BAD_HASH);
    assert_true(ID_EQUAL(made.chain.federation, made.federation.roster.chain.federation));
    assert_int_equal(learn(written(1, 3, 3)), OK);
}

static void another_federation_is_refused(void **state)
{
    (void)state;
    made.chain.federation.bytes[0] ^= 1;
    check_refused(written(1, 1, 1), ERR_BAD_HASH);
}

static void one_signature_too_few_is_refused(void **state)
{
    (void)state;
    struct member member = federation_member(9, HEADS + 1);
    assert_int_equal(learn(written(1, HEADS, HEADS)), OK);
    federation_put_member(&made.federation, &member);
    assert_int_equal(federation_draft(&made.federation), OK);
    federation_sign(&made.federation, 1);
    keep_head(1);
    check_refused(written(1, 1, 1), ERR_THRESHOLD);
}

static void every_truncation_and_bit_flip_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(learn(written(1, 1, 1)), OK);
    struct chain before = made.chain;
    struct bytes all = written(2, 2, 2);
    for (size_t size = 0; size < all.size; size++) {
        assert_int_not_equal(learn((struct bytes){all.data, size}), OK);
        assert_memory_equal(&made.chain, &before, sizeof before);
    }
    for (size_t bit = 0; bit < all.size * 8; bit += 3) {
        made.memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        err failure = learn(all);
        if (failure == OK) /* one of the signatures may be spoiled into another valid order: no */
            fail_msg("bit %zu was flipped and nobody noticed", bit);
        assert_memory_equal(&made.chain, &before, sizeof before);
        made.memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(learn(all), OK);
}

static void its_parts_put_together_are_the_whole(void **state)
{
    (void)state;
    static uint8_t large[2 * RELAY_PART_SIZE_MAX + 7], whole[sizeof large];
    static uint8_t frame_memory[RELAY_PART_SIZE_MAX + 9];
    struct relay_frame frame;
    uint32_t index = 0;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i / 251);
    for (;; index++) {
        struct buffer buffer = buffer_over(frame_memory, sizeof frame_memory);
        if (!publication_part((struct bytes){large, sizeof large}, index, &buffer))
            break;
        assert_false(buffer.failed);
        assert_int_equal(relay_frame_parse(buffer_bytes(&buffer), &frame), OK);
        assert_int_equal(frame.total, sizeof large);
        memcpy(whole + frame.offset, frame.body.data, frame.body.size);
    }
    assert_int_equal(index, 3);
    assert_memory_equal(whole, large, sizeof large);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_continues_the_chain_is_learned),
        TEST(heads_that_are_here_already_are_passed_over),
        TEST(old_heads_behind_new_ones_are_refused),
        TEST(a_gap_changes_nothing),
        TEST(a_list_that_is_not_the_last_heads_changes_nothing),
        TEST(another_federation_is_refused),
        TEST(one_signature_too_few_is_refused),
        TEST(every_truncation_and_bit_flip_changes_nothing),
        TEST(its_parts_put_together_are_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
