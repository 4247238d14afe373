/* The bytes of spec/items.md as in tests/vectors/items.txt: an item of one chunk, and ids over
 * three leaves. A value that differs is printed as the line that would fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/hash.h"
#include "protocol/record/item.h"

static char page[16384];

static int opened(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/items.txt", "r");
    if (file == NULL)
        return 1;
    size_t size = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    return size > 0 ? 0 : 1;
}

static void fits(const char *key, struct bytes value)
{
    static char hex[4096], line[4300];
    assert_true(value.size < sizeof hex / 2);
    ids_to_hex(value, hex);
    snprintf(line, sizeof line, "\n%s=%s\n", key, hex);
    if (strstr(page, line) == NULL)
        fail_msg("the line that would fit:%s", line);
}

/* (W-16) key and nonce follow from the item's key, and from nothing else */
static void an_item_of_one_chunk_is_as_written(void **state)
{
    (void)state;
    struct bytes plain = bytes_of_text("A letter to the tumor board.");
    struct item_key key;
    struct item_shape shape;
    struct item_tree tree;
    struct item_id id;
    uint8_t chunk[128], piece[128];
    for (size_t i = 0; i < KEY_SIZE; i++)
        key.bytes[i] = (uint8_t)(0x30 + i);
    assert_int_equal(item_shape_of(plain.size, &shape), OK);
    item_seal_chunk(&key, &shape, 0, plain, chunk);
    struct bytes sealed = {chunk, plain.size + ITEM_SEAL_SIZE};
    struct hash leaf = item_leaf(sealed);
    item_tree_init(&tree);
    assert_int_equal(item_tree_add(&tree, &leaf), OK);
    assert_int_equal(item_tree_finish(&tree, &shape, &id), OK);
    fits("item_key", ID_BYTES(key));
    fits("item_plain", plain);
    fits("item_chunk", sealed);
    fits("item_leaf", ID_BYTES(leaf));
    fits("item_id", ID_BYTES(id));
    assert_int_equal(item_open_chunk(&key, &shape, 0, sealed, piece), OK);
    /* (W-17) */
    assert_int_equal(item_open_chunk(&key, &shape, 1, sealed, piece), ERR_MALFORMED);
    sealed.size--;
    assert_int_equal(item_open_chunk(&key, &shape, 0, sealed, piece), ERR_MALFORMED);
}

static void an_item_of_three_chunks_has_its_id(void **state)
{
    (void)state;
    struct item_shape shape;
    struct item_tree tree;
    struct item_id id;
    assert_int_equal(item_shape_of(2 * ITEM_PIECE_SIZE + 1, &shape), OK);
    item_tree_init(&tree);
    for (uint8_t i = 0; i < 3; i++) {
        struct hash leaf = item_leaf((struct bytes){&i, 1});
        assert_int_equal(item_tree_add(&tree, &leaf), OK);
    }
    assert_int_equal(item_tree_finish(&tree, &shape, &id), OK);
    fits("item_id_of_3", ID_BYTES(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_of_one_chunk_is_as_written),
        cmocka_unit_test(an_item_of_three_chunks_has_its_id),
    };
    return cmocka_run_group_tests(tests, opened, NULL);
}
