/* A root binds every leaf, their order and their count; a proof holds for one leaf at one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/merkle.h"

enum { LEAVES = 70 };

static struct hash root_of(const struct hash *leaves, uint32_t count)
{
    struct merkle merkle;
    merkle_begin(&merkle);
    for (uint32_t i = 0; i < count; i++)
        merkle_add(&merkle, &leaves[i]);
    return merkle_root(&merkle);
}

static void fill(struct hash *leaves)
{
    for (uint8_t i = 0; i < LEAVES; i++)
        leaves[i] = merkle_leaf((struct bytes){&i, 1});
}

static void proves_each_leaf_of_each_size(void **state)
{
    (void)state;
    struct hash leaves[LEAVES];
    fill(leaves);
    for (uint32_t count = 1; count <= LEAVES; count++) {
        struct hash root = root_of(leaves, count);
        for (uint32_t i = 0; i < count; i++) {
            struct merkle_proof proof;
            merkle_prove(leaves, count, i, &proof);
            assert_int_equal(merkle_check(&root, &leaves[i], &proof), OK);
        }
    }
}

static void a_proof_fits_one_leaf_at_one_place_of_one_count(void **state)
{
    (void)state;
    struct hash leaves[LEAVES];
    struct merkle_proof good, bad;
    fill(leaves);
    for (uint32_t count = 1; count <= 20; count++) {
        struct hash root = root_of(leaves, count);
        for (uint32_t i = 0; i < count; i++) {
            merkle_prove(leaves, count, i, &good);
            assert_int_equal(merkle_check(&root, &leaves[count], &good), ERR_BAD_HASH);
            for (uint32_t other = 0; other < 40; other++) {
                bad = good;
                bad.index = other;
                assert_true(other == i || merkle_check(&root, &leaves[i], &bad) != OK);
                bad = good;
                bad.count = other;
                assert_true(other == count || merkle_check(&root, &leaves[i], &bad) != OK);
            }
            bad = good;
            bad.height++;
            assert_int_not_equal(merkle_check(&root, &leaves[i], &bad), OK);
            bad.height = 0;
            assert_true(count == 1 || merkle_check(&root, &leaves[i], &bad) != OK);
            bad.height = MERKLE_HEIGHT_MAX + 1;
            assert_int_equal(merkle_check(&root, &leaves[i], &bad), ERR_MALFORMED);
        }
    }
}

static void the_count_is_part_of_the_root(void **state)
{
    (void)state;
    struct hash leaves[LEAVES];
    struct merkle merkle;
    fill(leaves);
    /* a leaf that is itself the top of two others has their top, but not their root */
    struct bytes parts[] = {ID_BYTES(leaves[0]), ID_BYTES(leaves[1])};
    struct hash top = hash_parts(CONTEXT_MERKLE_NODE, parts, 2);
    merkle_begin(&merkle);
    struct hash none = merkle_root(&merkle);
    merkle_add(&merkle, &top);
    struct hash one = merkle_root(&merkle), two = root_of(leaves, 2);
    assert_false(ID_EQUAL(one, two));
    assert_false(ID_EQUAL(one, none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proves_each_leaf_of_each_size),
        cmocka_unit_test(a_proof_fits_one_leaf_at_one_place_of_one_count),
        cmocka_unit_test(the_count_is_part_of_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
