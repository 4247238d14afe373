#include "protocol/roster/inclusion.h"

#include "protocol/base/merkle.h"
#include "protocol/base/pack.h"

err inclusion_write(const struct roster *roster, const struct node_id *node_id,
                    struct buffer *buffer)
{
    struct merkle_proof proof;
    const struct roster_entry *entry = roster_find(roster, node_id);
    if (entry == NULL)
        return ERR_NOT_FOUND;
    struct head_id head = roster_current_id(roster);
    merkle_prove(roster_leaves(roster), roster_count(roster), roster_index(roster, entry), &proof);
    pack_put_array(buffer, 3);
    pack_put_bin(buffer, ID_BYTES(head));
    pack_put_bin(buffer, roster_packed(roster, entry));
    merkle_proof_write(buffer, &proof);
    return buffer->failed ? ERR_FULL : OK;
}

struct inclusion {
    struct head_id head;
    struct bytes packed;
    struct merkle_proof proof;
};

static err inclusion_read(struct bytes all, struct inclusion *ret)
{
    struct pack pack;
    if (all.size > INCLUSION_SIZE_MAX)
        return ERR_TOO_LARGE;
    err failure = pack_open(all, &pack);
    if (failure != OK)
        return failure;
    if (pack_array(&pack, 3) != 3)
        pack_fail(&pack, ERR_MALFORMED);
    pack_fixed(&pack, ret->head.bytes, HASH_SIZE);
    ret->packed = pack_bin(&pack, MEMBER_SIZE_MAX);
    merkle_proof_read(&pack, &ret->proof);
    return pack_close(&pack);
}

err inclusion_check(struct bytes all, const struct roster_head *head, const struct head_id *head_id,
                    struct member *ret_member)
{
    struct inclusion inclusion;
    err failure = inclusion_read(all, &inclusion);
    if (failure != OK)
        return failure;
    if (!ID_EQUAL(inclusion.head, *head_id))
        return ERR_UNKNOWN_HEAD;
    struct hash leaf = merkle_leaf(inclusion.packed);
    if (inclusion.proof.count != head->member_count)
        return ERR_BAD_HASH;
    failure = merkle_check(&head->members_root, &leaf, &inclusion.proof);
    if (failure != OK)
        return failure;
    return member_read(inclusion.packed, ret_member);
}

err inclusion_head(struct bytes all, struct head_id *ret_head)
{
    struct inclusion inclusion;
    err failure = inclusion_read(all, &inclusion);
    if (failure == OK)
        *ret_head = inclusion.head;
    return failure;
}
