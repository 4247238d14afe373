/* A proof that a member was in the roster at one head, for files that are read without a node: the
 * packed entry, its merkle proof, and the head's id.
 *
 * Canonical msgpack: [head_id, packed entry, merkle proof]. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_INCLUSION_H
#define CONSILIUM_PROTOCOL_ROSTER_INCLUSION_H

#include "protocol/roster/roster.h"

enum { INCLUSION_SIZE_MAX = MEMBER_SIZE_MAX + 34 * (13 + 2) };

/* Proves `node_id` at the head in force. ERR_NOT_FOUND; ERR_FULL when `buffer` is too small. */
MUST_USE err inclusion_write(const struct roster *roster, const struct node_id *node_id,
                             struct buffer *buffer);

/* Reads `all` and checks it against `head`. The caller guarantees that the body of `head` hashes to
 * `head_id`, for example with a chain. `*ret_member` borrows from `all`.
 *
 *   ERR_UNKNOWN_HEAD  it is a proof for another head
 *   ERR_BAD_HASH      it leads to another root
 *   and the errors of reading */
MUST_USE err inclusion_check(struct bytes all, const struct roster_head *head,
                             const struct head_id *head_id, struct member *ret_member);

/* The head that the proof is for. */
MUST_USE err inclusion_head(struct bytes all, struct head_id *ret_head);

#endif
