#include "protocol/record/item.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/base/hash.h"

_Static_assert(ITEM_SEAL_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "the seal's size");
_Static_assert(KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key's size");

/* u64 size, u32 count */
enum { SHAPE_SIZE = 12 };

static void shape_write(struct buffer *buffer, const struct item_shape *shape)
{
    buffer_u64(buffer, shape->size);
    buffer_u32(buffer, shape->chunk_count);
}

err item_shape_of(uint64_t size, struct item_shape *ret_shape)
{
    uint64_t count = size / ITEM_PIECE_SIZE + (size % ITEM_PIECE_SIZE != 0);
    if (count > ITEM_CHUNK_COUNT_MAX)
        return ERR_TOO_LARGE;
    if (count == 0)
        count = 1;
    *ret_shape = (struct item_shape){.size = size, .chunk_count = (uint32_t)count};
    return OK;
}

/* A shape from a remote party is valid only when its count is the one that its size gives. */
static bool shape_holds(const struct item_shape *shape, uint32_t index)
{
    struct item_shape due;
    return item_shape_of(shape->size, &due) == OK && due.chunk_count == shape->chunk_count &&
           index < shape->chunk_count;
}

size_t item_piece_size(const struct item_shape *shape, uint32_t index)
{
    assert(index < shape->chunk_count);
    uint64_t left = shape->size - (uint64_t)index * ITEM_PIECE_SIZE;
    return left < ITEM_PIECE_SIZE ? (size_t)left : ITEM_PIECE_SIZE;
}

/* ---- chunks ---- */

struct chunk_secret {
    uint8_t key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
    uint8_t bound[SHAPE_SIZE + 4]; /* associated data: shape, u32 index */
};

static void chunk_secret_derive(const struct item_key *item_key, const struct item_shape *shape,
                                uint32_t index, struct chunk_secret *ret_secret)
{
    uint8_t memory[3 + 4];
    struct hash derived;
    struct buffer bound = buffer_over(ret_secret->bound, sizeof ret_secret->bound);
    shape_write(&bound, shape);
    buffer_u32(&bound, index);
    assert(!bound.failed);

    struct buffer input = buffer_over(memory, sizeof memory);
    buffer_put(&input, "key", 3);
    buffer_u32(&input, index);
    derived = hash_keyed(CONTEXT_ITEM_KEY, item_key->bytes, buffer_bytes(&input));
    memcpy(ret_secret->key, derived.bytes, sizeof ret_secret->key);
    memcpy(memory, "non", 3);
    derived = hash_keyed(CONTEXT_ITEM_KEY, item_key->bytes, buffer_bytes(&input));
    memcpy(ret_secret->nonce, derived.bytes, sizeof ret_secret->nonce);
    sodium_memzero(&derived, sizeof derived);
}

void item_seal_chunk(const struct item_key *key, const struct item_shape *shape, uint32_t index,
                     struct bytes piece, uint8_t *ret_chunk)
{
    struct chunk_secret secret;
    assert(shape_holds(shape, index) && piece.size == item_piece_size(shape, index));
    chunk_secret_derive(key, shape, index, &secret);
    int failed = crypto_aead_xchacha20poly1305_ietf_encrypt(ret_chunk, NULL, piece.data, piece.size,
                                                            secret.bound, sizeof secret.bound, NULL,
                                                            secret.nonce, secret.key);
    assert(failed == 0);
    sodium_memzero(&secret, sizeof secret);
}

err item_open_chunk(const struct item_key *key, const struct item_shape *shape, uint32_t index,
                    struct bytes chunk, uint8_t *ret_piece)
{
    struct chunk_secret secret;
    if (!shape_holds(shape, index) || chunk.size != item_piece_size(shape, index) + ITEM_SEAL_SIZE)
        return ERR_MALFORMED;
    chunk_secret_derive(key, shape, index, &secret);
    int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
        ret_piece, NULL, NULL, chunk.data, chunk.size, secret.bound, sizeof secret.bound,
        secret.nonce, secret.key);
    sodium_memzero(&secret, sizeof secret);
    return failed == 0 ? OK : ERR_BAD_KEY;
}

struct hash item_leaf(struct bytes chunk)
{
    return hash_one(CONTEXT_ITEM_LEAF, chunk);
}

/* ---- the tree ---- */

static struct hash node_join(const struct hash *left, const struct hash *right)
{
    struct bytes parts[] = {bytes_of_text("node"), ID_BYTES(*left), ID_BYTES(*right)};
    return hash_parts(CONTEXT_ITEM, parts, sizeof parts / sizeof parts[0]);
}

static struct item_id id_of(const struct item_shape *shape, const struct hash *root)
{
    uint8_t memory[SHAPE_SIZE];
    struct item_id id;
    struct buffer bound = buffer_over(memory, sizeof memory);
    shape_write(&bound, shape);
    struct bytes parts[] = {bytes_of_text("root"), buffer_bytes(&bound), ID_BYTES(*root)};
    struct hash hash = hash_parts(CONTEXT_ITEM, parts, sizeof parts / sizeof parts[0]);
    memcpy(id.bytes, hash.bytes, sizeof id.bytes);
    return id;
}

void item_tree_init(struct item_tree *tree)
{
    tree->count = 0;
}

/* The count has one bit set for each root. */
static size_t tree_root_count(uint32_t count)
{
    size_t root_count = 0;
    for (uint32_t left = count; left > 0; left &= left - 1)
        root_count++;
    return root_count;
}

/* As in adding one to a binary number: a carry joins two subtrees of the same size. */
err item_tree_add(struct item_tree *tree, const struct hash *leaf)
{
    struct hash root = *leaf;
    size_t root_count = tree_root_count(tree->count);
    if (tree->count == ITEM_CHUNK_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (uint32_t carry = tree->count; carry % 2 == 1; carry /= 2) {
        root_count--;
        root = node_join(&tree->roots[root_count], &root);
    }
    tree->roots[root_count] = root;
    tree->count++;
    return OK;
}

err item_tree_finish(const struct item_tree *tree, const struct item_shape *shape,
                     struct item_id *ret_id)
{
    if (tree->count != shape->chunk_count || !shape_holds(shape, 0))
        return ERR_MALFORMED;
    size_t root_count = tree_root_count(tree->count);
    struct hash root = tree->roots[root_count - 1];
    for (size_t i = root_count - 1; i > 0; i--)
        root = node_join(&tree->roots[i - 1], &root);
    *ret_id = id_of(shape, &root);
    return OK;
}

/* ---- proofs ---- */

static uint32_t level_above(uint32_t count)
{
    return count / 2 + count % 2;
}

size_t item_nodes_count(uint32_t leaf_count)
{
    size_t total = leaf_count;
    for (uint32_t count = leaf_count; count > 1; count = level_above(count))
        total += level_above(count);
    return total;
}

void item_nodes_fill(struct hash *nodes, uint32_t leaf_count)
{
    struct hash *level = nodes;
    assert(leaf_count > 0 && leaf_count <= ITEM_CHUNK_COUNT_MAX);
    for (uint32_t count = leaf_count; count > 1; count = level_above(count)) {
        struct hash *above = level + count;
        for (uint32_t i = 0; i + 1 < count; i += 2)
            above[i / 2] = node_join(&level[i], &level[i + 1]);
        if (count % 2 == 1)
            above[count / 2] = level[count - 1];
        level = above;
    }
}

void item_proof_make(const struct hash *nodes, uint32_t leaf_count, uint32_t index,
                     struct item_proof *ret_proof)
{
    const struct hash *level = nodes;
    uint32_t at = index;
    assert(leaf_count <= ITEM_CHUNK_COUNT_MAX && index < leaf_count);
    ret_proof->count = 0;
    for (uint32_t count = leaf_count; count > 1; count = level_above(count)) {
        uint32_t beside = at ^ 1;
        if (beside < count)
            ret_proof->steps[ret_proof->count++] = level[beside];
        level += count;
        at /= 2;
    }
}

err item_proof_verify(const struct item_id *id, const struct item_shape *shape, uint32_t index,
                      const struct hash *leaf, const struct item_proof *proof)
{
    struct hash node = *leaf;
    uint8_t used = 0;
    uint32_t at = index;
    if (!shape_holds(shape, index) || proof->count > ITEM_PROOF_COUNT_MAX)
        return ERR_MALFORMED;
    for (uint32_t count = shape->chunk_count; count > 1; count = level_above(count)) {
        if ((at ^ 1) < count) {
            if (used == proof->count)
                return ERR_MALFORMED;
            const struct hash *beside = &proof->steps[used++];
            node = at % 2 == 1 ? node_join(beside, &node) : node_join(&node, beside);
        }
        at /= 2;
    }
    if (used != proof->count)
        return ERR_MALFORMED;
    struct item_id due = id_of(shape, &node);
    return ID_EQUAL(due, *id) ? OK : ERR_BAD_HASH;
}

void item_proof_write(struct buffer *buffer, const struct item_proof *proof)
{
    assert(proof->count <= ITEM_PROOF_COUNT_MAX);
    buffer_u8(buffer, proof->count);
    for (uint8_t i = 0; i < proof->count; i++)
        buffer_put(buffer, proof->steps[i].bytes, HASH_SIZE);
}

err item_proof_read(struct reader *reader, struct item_proof *ret_proof)
{
    uint8_t count = reader_u8(reader);
    if (!reader->failed && count > ITEM_PROOF_COUNT_MAX)
        return ERR_TOO_LARGE;
    struct bytes steps = reader_take(reader, (size_t)count * HASH_SIZE);
    if (reader->failed)
        return ERR_TRUNCATED;
    ret_proof->count = count;
    if (count > 0)
        memcpy(ret_proof->steps, steps.data, steps.size);
    return OK;
}
