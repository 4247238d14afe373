#include "protocol/roster/join.h"

#include <string.h>

#include "protocol/base/hash.h"
#include "protocol/base/pack.h"
#include "protocol/member/endpoint.h"
#include "protocol/member/tag.h"

enum { JOIN_VERSION = 1, JOIN_FIELDS = 10 };

static err join_check(const struct join_request *request)
{
    if (request->tag_count > MEMBER_BOARD_COUNT_MAX)
        return ERR_TOO_LARGE;
    /* A valid request must give a valid member entry. */
    struct member member;
    join_member(request, 1, &member);
    return member_check(&member);
}

/* ---- bytes ---- */

static void join_write_body(struct buffer *buffer, const struct join_request *request)
{
    pack_put_array(buffer, JOIN_FIELDS);
    pack_put_uint(buffer, JOIN_VERSION);
    pack_put_bin(buffer, ID_BYTES(request->node_id));
    pack_put_text(buffer, request->name);
    pack_put_text(buffer, (struct bytes){request->country, sizeof request->country});
    pack_put_bin(buffer, ID_BYTES(request->sign_key));
    pack_put_bin(buffer, ID_BYTES(request->transport_key));
    pack_put_array(buffer, request->endpoint_count);
    for (uint32_t i = 0; i < request->endpoint_count; i++)
        pack_put_text(buffer, request->endpoints[i]);
    pack_put_array(buffer, request->tag_count);
    for (uint32_t i = 0; i < request->tag_count; i++)
        pack_put_text(buffer, request->tags[i]);
    pack_put_uint(buffer, request->time.ms);
    if (request->has_old_signature)
        pack_put_bin(buffer, ID_BYTES(request->old_signature));
    else
        pack_put_nil(buffer);
}

err join_write(struct buffer *buffer, const struct join_request *request,
               const uint8_t secret[static 64])
{
    uint8_t memory[JOIN_REQUEST_SIZE_MAX];
    struct signature signature;
    if (join_check(request) != OK)
        return ERR_INVALID;
    struct buffer body = buffer_over(memory, sizeof memory - SIGNATURE_SIZE - 8);
    join_write_body(&body, request);
    if (body.failed)
        return ERR_INVALID;
    hash_sign(CONTEXT_JOIN_REQUEST, buffer_bytes(&body), secret, &signature);
    pack_put_array(buffer, 2);
    pack_put_bin(buffer, buffer_bytes(&body));
    pack_put_bin(buffer, ID_BYTES(signature));
    return buffer->failed ? ERR_FULL : OK;
}

static void join_read_fields(struct pack *pack, struct join_request *request)
{
    pack_fixed(pack, request->node_id.bytes, NODE_ID_SIZE);
    request->name = pack_text(pack, MEMBER_NAME_SIZE_MAX);
    struct bytes country = pack_text(pack, sizeof request->country);
    if (country.size == sizeof request->country)
        memcpy(request->country, country.data, sizeof request->country);
    else
        pack_fail(pack, ERR_MALFORMED);
    pack_fixed(pack, request->sign_key.bytes, KEY_SIZE);
    pack_fixed(pack, request->transport_key.bytes, KEY_SIZE);
    request->endpoint_count = pack_array(pack, ENDPOINT_COUNT_MAX);
    for (uint32_t i = 0; i < request->endpoint_count; i++)
        request->endpoints[i] = pack_text(pack, ENDPOINT_SIZE_MAX);
    request->tag_count = pack_array(pack, MEMBER_BOARD_COUNT_MAX);
    for (uint32_t i = 0; i < request->tag_count; i++)
        request->tags[i] = pack_text(pack, TAG_SIZE_MAX);
    request->time.ms = pack_uint(pack);
    request->has_old_signature = !pack_nil(pack);
    if (request->has_old_signature)
        pack_fixed(pack, request->old_signature.bytes, SIGNATURE_SIZE);
}

static err join_read_body(struct bytes body, struct join_request *ret_request)
{
    struct pack pack;
    struct join_request request = {.tag_count = 0};
    err failure = pack_open(body, &pack);
    if (failure != OK)
        return failure;
    if (pack_array(&pack, JOIN_FIELDS) != JOIN_FIELDS)
        return ERR_MALFORMED;
    if (pack_uint(&pack) != JOIN_VERSION)
        return ERR_VERSION;
    join_read_fields(&pack, &request);
    failure = pack_close(&pack);
    if (failure == OK)
        failure = join_check(&request);
    if (failure == OK)
        *ret_request = request;
    return failure;
}

static err join_open(struct bytes all, struct bytes *ret_body, struct signature *ret_signature)
{
    struct pack pack;
    if (all.size > JOIN_REQUEST_SIZE_MAX)
        return ERR_TOO_LARGE;
    err failure = pack_open(all, &pack);
    if (failure != OK)
        return failure;
    if (pack_array(&pack, 2) != 2)
        pack_fail(&pack, ERR_MALFORMED);
    *ret_body = pack_bin(&pack, JOIN_REQUEST_SIZE_MAX);
    pack_fixed(&pack, ret_signature->bytes, SIGNATURE_SIZE);
    return pack_close(&pack);
}

/* ROSTER-40 */
err join_read(struct bytes all, struct join_request *ret_request)
{
    struct bytes body;
    struct signature signature;
    struct join_request request;
    err failure = join_open(all, &body, &signature);
    if (failure == OK)
        failure = join_read_body(body, &request);
    if (failure == OK)
        failure = hash_verify(CONTEXT_JOIN_REQUEST, body, &request.sign_key, &signature);
    if (failure == OK)
        *ret_request = request;
    return failure;
}

struct hash join_fingerprint(struct bytes all)
{
    struct bytes body;
    struct signature signature;
    if (join_open(all, &body, &signature) != OK)
        return (struct hash){{0}};
    return hash_one(CONTEXT_JOIN_REQUEST, body);
}

void join_member(const struct join_request *request, uint64_t epoch, struct member *ret_member)
{
    struct member member = {
        .node_id = request->node_id,
        .name = request->name,
        .country = {request->country[0], request->country[1]},
        .sign_key = request->sign_key,
        .transport_key = request->transport_key,
        .endpoint_count = request->endpoint_count,
        .board_count = request->tag_count,
        .state = MEMBER_ADMITTED,
        .admitted_epoch = epoch,
        .state_since_epoch = epoch,
        .keys_since_epoch = epoch,
    };
    for (uint32_t i = 0; i < request->endpoint_count && i < ENDPOINT_COUNT_MAX; i++)
        member.endpoints[i] = request->endpoints[i];
    for (uint32_t i = 0; i < request->tag_count && i < MEMBER_BOARD_COUNT_MAX; i++)
        member.boards[i] = (struct member_board){request->tags[i], epoch};
    *ret_member = member;
}
