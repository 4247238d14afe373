#include "protocol/base/merkle.h"

#include <assert.h>

static struct hash merkle_node(const struct hash *left, const struct hash *right)
{
    struct bytes parts[] = {ID_BYTES(*left), ID_BYTES(*right)};
    return hash_parts(CONTEXT_MERKLE_NODE, parts, 2);
}

struct hash merkle_leaf(struct bytes content)
{
    return hash_one(CONTEXT_MERKLE_LEAF, content);
}

static uint32_t merkle_ones(uint32_t count)
{
    return (uint32_t)__builtin_popcount(count);
}

void merkle_begin(struct merkle *merkle)
{
    merkle->count = 0;
}

/* As in binary counting: a carry joins two subtrees of the same size. */
void merkle_add(struct merkle *merkle, const struct hash *leaf)
{
    assert(merkle->count < UINT32_MAX);
    uint32_t last = merkle_ones(merkle->count);
    merkle->tops[last] = *leaf;
    merkle->count++;
    for (uint32_t rest = merkle->count; (rest & 1) == 0; rest >>= 1) {
        last--;
        merkle->tops[last] = merkle_node(&merkle->tops[last], &merkle->tops[last + 1]);
    }
}

static struct hash merkle_top(const struct merkle *merkle)
{
    uint32_t i = merkle_ones(merkle->count);
    if (i == 0)
        return (struct hash){{0}};
    struct hash top = merkle->tops[--i];
    while (i > 0) {
        i--;
        top = merkle_node(&merkle->tops[i], &top);
    }
    return top;
}

/* ROSTER-4: the count is part of the root. */
static struct hash merkle_bind(uint32_t count, const struct hash *top)
{
    uint8_t memory[8];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    buffer_u64(&buffer, count);
    struct bytes parts[] = {buffer_bytes(&buffer), ID_BYTES(*top)};
    return hash_parts(CONTEXT_MERKLE_NODE, parts, 2);
}

struct hash merkle_root(const struct merkle *merkle)
{
    struct hash top = merkle_top(merkle);
    return merkle_bind(merkle->count, &top);
}

static struct hash merkle_top_of(const struct hash *leaves, uint32_t count)
{
    struct merkle merkle;
    merkle_begin(&merkle);
    for (uint32_t i = 0; i < count; i++)
        merkle_add(&merkle, &leaves[i]);
    return merkle_top(&merkle);
}

void merkle_prove(const struct hash *leaves, uint32_t count, uint32_t index,
                  struct merkle_proof *ret_proof)
{
    assert(index < count);
    struct hash down[MERKLE_HEIGHT_MAX];
    uint32_t height = 0, begin = 0, end = count;
    while (end - begin > 1) {
        uint32_t split = 1;
        while (split * 2 < end - begin)
            split *= 2;
        if (index < begin + split) {
            down[height++] = merkle_top_of(leaves + begin + split, end - begin - split);
            end = begin + split;
        } else {
            down[height++] = merkle_top_of(leaves + begin, split);
            begin += split;
        }
    }
    ret_proof->index = index;
    ret_proof->count = count;
    ret_proof->height = height;
    for (uint32_t i = 0; i < height; i++)
        ret_proof->path[i] = down[height - 1 - i];
}

/* RFC 9162, section 2.1.3.2: `last` climbs the right edge of the tree. When `index` reaches that
 * edge, the levels at which it has no sibling are skipped. */
err merkle_check(const struct hash *root, const struct hash *leaf, const struct merkle_proof *proof)
{
    if (proof->index >= proof->count || proof->height > MERKLE_HEIGHT_MAX)
        return ERR_MALFORMED;
    uint32_t place = proof->index, last = proof->count - 1;
    struct hash top = *leaf;
    for (uint32_t i = 0; i < proof->height; i++) {
        if (last == 0)
            return ERR_MALFORMED;
        if ((place & 1) == 1 || place == last) {
            top = merkle_node(&proof->path[i], &top);
            while ((place & 1) == 0 && place != 0) {
                place >>= 1;
                last >>= 1;
            }
        } else {
            top = merkle_node(&top, &proof->path[i]);
        }
        place >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return ERR_MALFORMED;
    struct hash bound = merkle_bind(proof->count, &top);
    return ID_EQUAL(bound, *root) ? OK : ERR_BAD_HASH;
}

void merkle_proof_write(struct buffer *buffer, const struct merkle_proof *proof)
{
    pack_put_array(buffer, 3);
    pack_put_uint(buffer, proof->index);
    pack_put_uint(buffer, proof->count);
    pack_put_array(buffer, proof->height);
    for (uint32_t i = 0; i < proof->height; i++)
        pack_put_bin(buffer, ID_BYTES(proof->path[i]));
}

void merkle_proof_read(struct pack *pack, struct merkle_proof *ret_proof)
{
    if (pack_array(pack, 3) != 3)
        pack_fail(pack, ERR_MALFORMED);
    ret_proof->index = (uint32_t)pack_uint_max(pack, UINT32_MAX);
    ret_proof->count = (uint32_t)pack_uint_max(pack, UINT32_MAX);
    ret_proof->height = pack_array(pack, MERKLE_HEIGHT_MAX);
    for (uint32_t i = 0; i < ret_proof->height; i++)
        pack_fixed(pack, ret_proof->path[i].bytes, HASH_SIZE);
}
