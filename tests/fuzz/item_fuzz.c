/* No proof that a peer makes up is taken for one of a real item: of all inputs only the true leaf
 * with its true steps verifies.
 *
 * Input: u32 index, 32 bytes leaf, then a proof as on the wire, for a fixed item of eleven chunks.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/record/item.h"

enum { LEAF_COUNT = 11 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hash nodes[2 * LEAF_COUNT + ITEM_PROOF_COUNT_MAX];
    static struct item_shape shape;
    static struct item_id id;
    if (shape.chunk_count == 0) {
        struct item_tree tree;
        if (item_shape_of(LEAF_COUNT * (uint64_t)ITEM_PIECE_SIZE, &shape) != OK)
            abort();
        item_tree_init(&tree);
        for (uint8_t i = 0; i < LEAF_COUNT; i++) {
            nodes[i] = item_leaf((struct bytes){&i, 1});
            if (item_tree_add(&tree, &nodes[i]) != OK)
                abort();
        }
        item_nodes_fill(nodes, LEAF_COUNT);
        if (item_tree_finish(&tree, &shape, &id) != OK)
            abort();
    }

    struct reader reader = reader_of((struct bytes){data, size});
    struct hash leaf;
    struct item_proof proof, due;
    uint32_t index = reader_u32(&reader);
    reader_copy(&reader, leaf.bytes, sizeof leaf.bytes);
    if (item_proof_read(&reader, &proof) != OK ||
        item_proof_verify(&id, &shape, index, &leaf, &proof) != OK)
        return 0;
    item_proof_make(nodes, LEAF_COUNT, index, &due);
    if (!ID_EQUAL(leaf, nodes[index]) || proof.count != due.count ||
        memcmp(proof.steps, due.steps, due.count * sizeof due.steps[0]) != 0)
        abort();
    return 0;
}
