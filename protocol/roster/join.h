/* A join request: an institution mails it to the society to be admitted, or to change its keys.
 *
 * Canonical msgpack [body, signature]; body = [version 1, node_id, name, country, signing key,
 * transport key, [endpoint...], [tag...], time_ms, old key's signature or nil]. The signature is
 * hash_sign(JOIN_REQUEST, body) with the signing key that the body names: proof of possession. The
 * fingerprint is that of hash(JOIN_REQUEST; body). */
#ifndef CONSILIUM_PROTOCOL_ROSTER_JOIN_H
#define CONSILIUM_PROTOCOL_ROSTER_JOIN_H

#include "protocol/member/member.h"

/* Spans borrow from the bytes that were read. */
struct join_request {
    struct node_id node_id;
    struct bytes name;
    uint8_t country[2];
    struct sign_key sign_key;
    struct transport_key transport_key;
    uint32_t endpoint_count;
    struct bytes endpoints[ENDPOINT_COUNT_MAX];
    uint32_t tag_count;
    struct bytes tags[MEMBER_BOARD_COUNT_MAX]; /* requested boards, ascending, each once */
    struct wall time;
    /* Only to change a member's keys: the old signing key's signature over member_keys_message. A
     * change without it has a cooling-off. */
    bool has_old_signature;
    struct signature old_signature;
};

/* Writes the signed request. `secret` belongs to request->sign_key. ERR_INVALID when a field breaks
 * a rule; ERR_FULL when `buffer` is too small (JOIN_REQUEST_SIZE_MAX is enough). */
MUST_USE err join_write(struct buffer *buffer, const struct join_request *request,
                        const uint8_t secret[static 64]);

/* Reads the request and checks its format and signature. On failure `*ret_request` does not change.
 * ERR_BAD_SIGNATURE, ERR_VERSION, or errors of reading. */
MUST_USE err join_read(struct bytes all, struct join_request *ret_request);

/* The hash whose fingerprint both sides display. `all` was read. */
struct hash join_fingerprint(struct bytes all);

/* The member entry that the request asks for, dated `epoch`. Spans are those of the request. */
void join_member(const struct join_request *request, uint64_t epoch, struct member *ret_member);

#endif
