/* An item comes back whole, chunk by chunk, and no chunk is taken for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/hash.h"
#include "protocol/record/item.h"

enum { COUNT_MAX = 70 };

/* An item of a few chunks, sealed. */
struct sealed {
    struct item_key key;
    struct item_shape shape;
    struct item_id id;
    struct hash nodes[2 * COUNT_MAX + ITEM_PROOF_COUNT_MAX];
    uint8_t *plain;
    uint8_t *chunks; /* CHUNK_SIZE_MAX apart */
};

static struct bytes chunk_at(const struct sealed *sealed, uint32_t index)
{
    return (struct bytes){sealed->chunks + (size_t)index * CHUNK_SIZE_MAX,
                          item_piece_size(&sealed->shape, index) + ITEM_SEAL_SIZE};
}

static void seal(struct sealed *sealed, uint64_t size)
{
    struct item_tree tree;
    memset(sealed->key.bytes, 0x42, sizeof sealed->key.bytes);
    assert_int_equal(item_shape_of(size, &sealed->shape), OK);
    sealed->plain = malloc(size + 1);
    sealed->chunks = malloc((size_t)sealed->shape.chunk_count * CHUNK_SIZE_MAX);
    assert_non_null(sealed->plain);
    assert_non_null(sealed->chunks);
    for (size_t i = 0; i < size; i++)
        sealed->plain[i] = (uint8_t)(i * 7 + i / 251);
    item_tree_init(&tree);
    for (uint32_t i = 0; i < sealed->shape.chunk_count; i++) {
        struct bytes piece = {sealed->plain + (size_t)i * ITEM_PIECE_SIZE,
                              item_piece_size(&sealed->shape, i)};
        item_seal_chunk(&sealed->key, &sealed->shape, i, piece,
                        sealed->chunks + (size_t)i * CHUNK_SIZE_MAX);
        sealed->nodes[i] = item_leaf(chunk_at(sealed, i));
        assert_int_equal(item_tree_add(&tree, &sealed->nodes[i]), OK);
    }
    assert_int_equal(item_tree_finish(&tree, &sealed->shape, &sealed->id), OK);
    item_nodes_fill(sealed->nodes, sealed->shape.chunk_count);
}

static void unseal(struct sealed *sealed)
{
    free(sealed->plain);
    free(sealed->chunks);
}

static void the_shape_follows_from_the_size(void **state)
{
    (void)state;
    const struct {
        uint64_t size;
        uint32_t chunk_count;
        size_t last;
    } rows[] = {
        {0, 1, 0},
        {1, 1, 1},
        {ITEM_PIECE_SIZE, 1, ITEM_PIECE_SIZE},
        {ITEM_PIECE_SIZE + 1, 2, 1},
        {ATTACHMENT_SIZE_MAX, 1093, 33856},
        {(uint64_t)ITEM_CHUNK_COUNT_MAX * ITEM_PIECE_SIZE, ITEM_CHUNK_COUNT_MAX, ITEM_PIECE_SIZE},
    };
    struct item_shape shape;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(item_shape_of(rows[i].size, &shape), OK);
        assert_int_equal(shape.chunk_count, rows[i].chunk_count);
        assert_int_equal(item_piece_size(&shape, shape.chunk_count - 1), rows[i].last);
    }
    uint64_t over = (uint64_t)ITEM_CHUNK_COUNT_MAX * ITEM_PIECE_SIZE + 1;
    assert_int_equal(item_shape_of(over, &shape), ERR_TOO_LARGE);
    assert_int_equal(item_shape_of(UINT64_MAX, &shape), ERR_TOO_LARGE);
}

static void what_was_sealed_opens_to_the_same_bytes(void **state)
{
    (void)state;
    const uint64_t sizes[] = {0, 1, ITEM_PIECE_SIZE, ITEM_PIECE_SIZE + 1, 3 * ITEM_PIECE_SIZE - 1};
    uint8_t piece[ITEM_PIECE_SIZE];
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct sealed item;
        seal(&item, sizes[s]);
        for (uint32_t i = 0; i < item.shape.chunk_count; i++) {
            assert_true(chunk_at(&item, i).size <= CHUNK_SIZE_MAX);
            assert_int_equal(item_open_chunk(&item.key, &item.shape, i, chunk_at(&item, i), piece),
                             OK);
            size_t size = item_piece_size(&item.shape, i);
            assert_memory_equal(piece, item.plain + (size_t)i * ITEM_PIECE_SIZE, size);
        }
        unseal(&item);
    }
}

static void equal_pieces_look_different_when_sealed(void **state)
{
    (void)state;
    struct sealed item;
    uint8_t zeros[ITEM_PIECE_SIZE] = {0}, first[CHUNK_SIZE_MAX], second[CHUNK_SIZE_MAX];
    seal(&item, 2 * ITEM_PIECE_SIZE);
    item_seal_chunk(&item.key, &item.shape, 0, (struct bytes){zeros, sizeof zeros}, first);
    item_seal_chunk(&item.key, &item.shape, 1, (struct bytes){zeros, sizeof zeros}, second);
    assert_memory_not_equal(first, second, 64);
    unseal(&item);
}

static void a_chunk_opens_only_where_it_was_sealed(void **state)
{
    (void)state;
    struct sealed item;
    struct item_shape other;
    uint8_t piece[ITEM_PIECE_SIZE];
    seal(&item, 3 * ITEM_PIECE_SIZE);
    struct bytes chunk = chunk_at(&item, 1);
    assert_int_equal(item_open_chunk(&item.key, &item.shape, 0, chunk, piece), ERR_BAD_KEY);
    assert_int_equal(item_open_chunk(&item.key, &item.shape, 2, chunk, piece), ERR_BAD_KEY);
    assert_int_equal(item_open_chunk(&item.key, &item.shape, 3, chunk, piece), ERR_MALFORMED);
    assert_int_equal(item_shape_of(2 * ITEM_PIECE_SIZE, &other), OK);
    assert_int_equal(item_open_chunk(&item.key, &other, 1, chunk, piece), ERR_BAD_KEY);
    assert_int_equal(item_shape_of(2 * ITEM_PIECE_SIZE + 5, &other), OK);
    assert_int_equal(item_open_chunk(&item.key, &other, 1, chunk, piece), ERR_BAD_KEY);
    struct item_key key = item.key;
    key.bytes[31] ^= 1;
    assert_int_equal(item_open_chunk(&key, &item.shape, 1, chunk, piece), ERR_BAD_KEY);
    unseal(&item);
}

static void an_altered_or_cut_chunk_does_not_open(void **state)
{
    (void)state;
    struct sealed item;
    uint8_t piece[ITEM_PIECE_SIZE];
    seal(&item, 100);
    struct bytes chunk = chunk_at(&item, 0);
    for (size_t size = 0; size < chunk.size; size++)
        assert_int_equal(
            item_open_chunk(&item.key, &item.shape, 0, (struct bytes){chunk.data, size}, piece),
            ERR_MALFORMED);
    for (size_t i = 0; i < chunk.size; i++) {
        item.chunks[i] ^= 0x10;
        assert_int_equal(item_open_chunk(&item.key, &item.shape, 0, chunk, piece), ERR_BAD_KEY);
        item.chunks[i] ^= 0x10;
    }
    assert_int_equal(item_open_chunk(&item.key, &item.shape, 0, chunk, piece), OK);
    unseal(&item);
}

static void a_shape_whose_count_does_not_fit_its_size_is_refused(void **state)
{
    (void)state;
    struct sealed item;
    struct item_proof proof;
    struct item_tree tree;
    struct item_id id;
    uint8_t piece[ITEM_PIECE_SIZE];
    seal(&item, 2 * ITEM_PIECE_SIZE);
    item_proof_make(item.nodes, 2, 0, &proof);
    const struct item_shape wrong[] = {{item.shape.size, 1},
                                       {item.shape.size, 3},
                                       {item.shape.size, 0},
                                       {item.shape.size, UINT32_MAX},
                                       {UINT64_MAX, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(item_open_chunk(&item.key, &wrong[i], 0, chunk_at(&item, 0), piece),
                         ERR_MALFORMED);
        assert_int_equal(item_proof_verify(&item.id, &wrong[i], 0, &item.nodes[0], &proof),
                         ERR_MALFORMED);
    }
    item_tree_init(&tree);
    assert_int_equal(item_tree_finish(&tree, &item.shape, &id), ERR_MALFORMED);
    assert_int_equal(item_tree_add(&tree, &item.nodes[0]), OK);
    assert_int_equal(item_tree_finish(&tree, &item.shape, &id), ERR_MALFORMED);
    unseal(&item);
}

/* A tree over `count` made-up leaves; no chunks are needed to speak about proofs. */
struct grown {
    struct item_shape shape;
    struct item_id id;
    struct hash nodes[2 * COUNT_MAX + ITEM_PROOF_COUNT_MAX];
};

static void grow(struct grown *grown, uint32_t count)
{
    struct item_tree tree;
    assert_int_equal(item_shape_of((uint64_t)count * ITEM_PIECE_SIZE, &grown->shape), OK);
    item_tree_init(&tree);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)i;
        grown->nodes[i] = item_leaf((struct bytes){&byte, 1});
        assert_int_equal(item_tree_add(&tree, &grown->nodes[i]), OK);
    }
    assert_int_equal(item_tree_finish(&tree, &grown->shape, &grown->id), OK);
    item_nodes_fill(grown->nodes, count);
    assert_true(item_nodes_count(count) < sizeof grown->nodes / sizeof grown->nodes[0]);
}

static void each_leaf_of_each_tree_has_a_proof_that_fits_it_alone(void **state)
{
    (void)state;
    struct grown tree;
    struct item_proof proof;
    for (uint32_t count = 1; count <= COUNT_MAX; count++) {
        grow(&tree, count);
        for (uint32_t i = 0; i < count; i++) {
            item_proof_make(tree.nodes, count, i, &proof);
            for (uint32_t j = 0; j < count; j++) {
                err due = i == j ? OK : ERR_BAD_HASH;
                err at = item_proof_verify(&tree.id, &tree.shape, j, &tree.nodes[i], &proof);
                assert_true(due == OK ? at == OK : at == ERR_BAD_HASH || at == ERR_MALFORMED);
                err of = item_proof_verify(&tree.id, &tree.shape, i, &tree.nodes[j], &proof);
                assert_int_equal(of, due);
            }
        }
    }
}

static void a_proof_with_a_changed_missing_or_added_step_is_refused(void **state)
{
    (void)state;
    struct grown tree;
    struct item_proof proof;
    grow(&tree, 11);
    item_proof_make(tree.nodes, 11, 6, &proof);
    assert_int_equal(proof.count, 4);
    for (uint8_t i = 0; i < proof.count; i++) {
        struct item_proof spoiled = proof;
        spoiled.steps[i].bytes[i] ^= 1;
        assert_int_equal(item_proof_verify(&tree.id, &tree.shape, 6, &tree.nodes[6], &spoiled),
                         ERR_BAD_HASH);
    }
    for (unsigned count = 0; count <= UINT8_MAX; count++) {
        struct item_proof spoiled = proof;
        spoiled.count = (uint8_t)count;
        err due = count == 4 ? OK : ERR_MALFORMED;
        assert_int_equal(item_proof_verify(&tree.id, &tree.shape, 6, &tree.nodes[6], &spoiled),
                         due);
    }
}

static void a_proof_of_another_count_or_size_is_refused(void **state)
{
    (void)state;
    struct grown tree;
    struct item_proof proof;
    struct item_shape other;
    grow(&tree, 8);
    item_proof_make(tree.nodes, 8, 3, &proof);
    assert_int_equal(item_shape_of(7 * ITEM_PIECE_SIZE, &other), OK);
    assert_int_equal(item_proof_verify(&tree.id, &other, 3, &tree.nodes[3], &proof), ERR_BAD_HASH);
    assert_int_equal(item_shape_of(8 * ITEM_PIECE_SIZE - 1, &other), OK);
    assert_int_equal(item_proof_verify(&tree.id, &other, 3, &tree.nodes[3], &proof), ERR_BAD_HASH);
    /* an inner node is no leaf of a smaller item */
    struct item_proof above = {.count = 2};
    memcpy(above.steps, proof.steps + 1, 2 * sizeof proof.steps[0]);
    assert_int_equal(item_shape_of(4 * ITEM_PIECE_SIZE, &other), OK);
    assert_int_equal(item_proof_verify(&tree.id, &other, 1, &tree.nodes[8 + 1], &above),
                     ERR_BAD_HASH);
}

static void the_order_and_the_number_of_leaves_make_the_id(void **state)
{
    (void)state;
    struct grown tree;
    struct item_id seen[COUNT_MAX + 1];
    for (uint32_t count = 1; count <= COUNT_MAX; count++) {
        grow(&tree, count);
        seen[count] = tree.id;
        for (uint32_t before = 1; before < count; before++)
            assert_false(ID_EQUAL(seen[before], seen[count]));
    }
    struct item_tree swapped;
    struct item_id id;
    grow(&tree, 3);
    item_tree_init(&swapped);
    assert_int_equal(item_tree_add(&swapped, &tree.nodes[0]), OK);
    assert_int_equal(item_tree_add(&swapped, &tree.nodes[2]), OK);
    assert_int_equal(item_tree_add(&swapped, &tree.nodes[1]), OK);
    assert_int_equal(item_tree_finish(&swapped, &tree.shape, &id), OK);
    assert_false(ID_EQUAL(id, tree.id));
}

/* Reckoned with Python's hashlib from the description in item.h. */
static void the_id_of_eleven_leaves_is_the_one_reckoned_apart(void **state)
{
    (void)state;
    struct grown tree;
    char hex[IDS_HEX_MAX];
    grow(&tree, 11);
    ids_to_hex(ID_BYTES(tree.id), hex);
    assert_string_equal(hex, "bb6054a2dfce637dafc94946837444626f08dd109baf9b3047fd02ee2204c2c3");
}

static void a_tree_takes_as_many_leaves_as_the_limit(void **state)
{
    (void)state;
    struct item_tree tree;
    struct hash leaf = {{0}};
    item_tree_init(&tree);
    tree.count = ITEM_CHUNK_COUNT_MAX; /* filling it would take a minute */
    assert_int_equal(item_tree_add(&tree, &leaf), ERR_TOO_LARGE);
    memset(tree.roots, 0, sizeof tree.roots);
    tree.count = ITEM_CHUNK_COUNT_MAX - 1;
    assert_int_equal(item_tree_add(&tree, &leaf), OK);
    assert_int_equal(tree.count, ITEM_CHUNK_COUNT_MAX);
}

static void a_proof_survives_writing_and_reading(void **state)
{
    (void)state;
    struct grown tree;
    struct item_proof proof, again;
    uint8_t memory[1 + ITEM_PROOF_COUNT_MAX * HASH_SIZE];
    grow(&tree, 37);
    item_proof_make(tree.nodes, 37, 30, &proof);
    struct buffer buffer = buffer_over(memory, sizeof memory);
    item_proof_write(&buffer, &proof);
    assert_int_equal(buffer.size, 1 + proof.count * HASH_SIZE);
    struct reader reader = reader_of(buffer_bytes(&buffer));
    assert_int_equal(item_proof_read(&reader, &again), OK);
    assert_true(reader_done(&reader));
    assert_int_equal(item_proof_verify(&tree.id, &tree.shape, 30, &tree.nodes[30], &again), OK);
    for (size_t size = 0; size < buffer.size; size++) {
        reader = reader_of((struct bytes){memory, size});
        assert_int_equal(item_proof_read(&reader, &again), ERR_TRUNCATED);
    }
    memory[0] = ITEM_PROOF_COUNT_MAX + 1;
    reader = reader_of(buffer_bytes(&buffer));
    assert_int_equal(item_proof_read(&reader, &again), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shape_follows_from_the_size),
        cmocka_unit_test(what_was_sealed_opens_to_the_same_bytes),
        cmocka_unit_test(equal_pieces_look_different_when_sealed),
        cmocka_unit_test(a_chunk_opens_only_where_it_was_sealed),
        cmocka_unit_test(an_altered_or_cut_chunk_does_not_open),
        cmocka_unit_test(a_shape_whose_count_does_not_fit_its_size_is_refused),
        cmocka_unit_test(each_leaf_of_each_tree_has_a_proof_that_fits_it_alone),
        cmocka_unit_test(a_proof_with_a_changed_missing_or_added_step_is_refused),
        cmocka_unit_test(a_proof_of_another_count_or_size_is_refused),
        cmocka_unit_test(the_order_and_the_number_of_leaves_make_the_id),
        cmocka_unit_test(the_id_of_eleven_leaves_is_the_one_reckoned_apart),
        cmocka_unit_test(a_tree_takes_as_many_leaves_as_the_limit),
        cmocka_unit_test(a_proof_survives_writing_and_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
