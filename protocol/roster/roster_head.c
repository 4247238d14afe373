#include "protocol/roster/roster_head.h"

#include <string.h>

#include "protocol/base/pack.h"

enum { ROSTER_HEAD_VERSION = 1, ROSTER_HEAD_FIELDS = 14, ROSTER_HEAD_EPOCH_MAX = INT32_MAX };

/* ---- the body ---- */

static void roster_head_put_optional(struct buffer *buffer, struct bytes id)
{
    if (ids_all_zero(id))
        pack_put_nil(buffer);
    else
        pack_put_bin(buffer, id);
}

static void roster_head_take_optional(struct pack *pack, uint8_t out[static HASH_SIZE])
{
    if (pack_nil(pack)) {
        memset(out, 0, HASH_SIZE);
        return;
    }
    pack_fixed(pack, out, HASH_SIZE);
    if (ids_all_zero((struct bytes){out, HASH_SIZE}))
        pack_fail(pack, ERR_NOT_CANONICAL);
}

void roster_head_write(struct buffer *buffer, const struct roster_head *head)
{
    pack_put_array(buffer, ROSTER_HEAD_FIELDS);
    pack_put_uint(buffer, ROSTER_HEAD_VERSION);
    roster_head_put_optional(buffer, ID_BYTES(head->federation));
    pack_put_uint(buffer, head->epoch);
    roster_head_put_optional(buffer, ID_BYTES(head->previous));
    pack_put_uint(buffer, head->issued.ms);
    pack_put_uint(buffer, head->valid_until.ms);
    pack_put_bin(buffer, ID_BYTES(head->members_root));
    pack_put_uint(buffer, head->member_count);
    pack_put_bin(buffer, ID_BYTES(head->settings_hash));
    pack_put_bin(buffer, ID_BYTES(head->transport_hash));
    pack_put_bin(buffer, ID_BYTES(head->cuts_hash));
    pack_put_uint(buffer, head->officers.threshold);
    pack_put_array(buffer, head->officers.count);
    for (uint32_t i = 0; i < head->officers.count; i++)
        pack_put_bin(buffer, ID_BYTES(head->officers.keys[i]));
    pack_put_array(buffer, head->heal_count);
    for (uint32_t i = 0; i < head->heal_count; i++)
        pack_put_bin(buffer, ID_BYTES(head->heals[i]));
}

static void roster_head_read_fields(struct pack *pack, struct roster_head *head)
{
    roster_head_take_optional(pack, head->federation.bytes);
    head->epoch = pack_uint_max(pack, ROSTER_HEAD_EPOCH_MAX);
    roster_head_take_optional(pack, head->previous.bytes);
    head->issued.ms = pack_uint(pack);
    head->valid_until.ms = pack_uint(pack);
    pack_fixed(pack, head->members_root.bytes, HASH_SIZE);
    head->member_count = (uint32_t)pack_uint_max(pack, MEMBER_COUNT_MAX);
    pack_fixed(pack, head->settings_hash.bytes, HASH_SIZE);
    pack_fixed(pack, head->transport_hash.bytes, HASH_SIZE);
    pack_fixed(pack, head->cuts_hash.bytes, HASH_SIZE);
    head->officers.threshold = (uint32_t)pack_uint_max(pack, OFFICER_COUNT_MAX);
    head->officers.count = pack_array(pack, OFFICER_COUNT_MAX);
    for (uint32_t i = 0; i < head->officers.count; i++)
        pack_fixed(pack, head->officers.keys[i].bytes, KEY_SIZE);
    head->heal_count = pack_array(pack, ROSTER_HEAD_HEALS_COUNT);
    for (uint32_t i = 0; i < head->heal_count; i++)
        pack_fixed(pack, head->heals[i].bytes, HASH_SIZE);
}

err roster_head_read(struct bytes body, struct roster_head *ret_head)
{
    struct pack pack;
    struct roster_head head;
    memset(&head, 0, sizeof head);
    if (body.size > HEAD_SIZE_MAX)
        return ERR_TOO_LARGE;
    err failure = pack_open(body, &pack);
    if (failure != OK)
        return failure;
    if (pack_array(&pack, ROSTER_HEAD_FIELDS) != ROSTER_HEAD_FIELDS)
        return ERR_MALFORMED;
    if (pack_uint(&pack) != ROSTER_HEAD_VERSION)
        return ERR_VERSION;
    roster_head_read_fields(&pack, &head);
    failure = pack_close(&pack);
    if (failure == OK)
        failure = roster_head_check(&head);
    if (failure == OK)
        *ret_head = head;
    return failure;
}

/* ROSTER-2: sorted keys, so that an officer has one place and one vote. */
static bool roster_head_officers_fit(const struct officers *officers)
{
    if (officers->count == 0 || officers->count > OFFICER_COUNT_MAX || officers->threshold == 0 ||
        officers->threshold > officers->count)
        return false;
    for (uint32_t i = 1; i < officers->count; i++) {
        if (memcmp(officers->keys[i - 1].bytes, officers->keys[i].bytes, KEY_SIZE) >= 0)
            return false;
    }
    return true;
}

err roster_head_check(const struct roster_head *head)
{
    bool founding = head->epoch == ROSTER_HEAD_EPOCH_FIRST;
    if (head->epoch == 0 || head->epoch > ROSTER_HEAD_EPOCH_MAX ||
        ID_IS_ZERO(head->federation) != founding || ID_IS_ZERO(head->previous) != founding)
        return ERR_MALFORMED;
    if (head->issued.ms == 0 || head->valid_until.ms < head->issued.ms ||
        !roster_head_officers_fit(&head->officers))
        return ERR_MALFORMED;
    if (head->heal_count == 0)
        return OK;
    if (founding || head->heal_count != ROSTER_HEAD_HEALS_COUNT ||
        memcmp(head->heals[0].bytes, head->heals[1].bytes, HASH_SIZE) >= 0)
        return ERR_MALFORMED;
    return OK;
}

bool roster_head_same_content(const struct roster_head *a, const struct roster_head *b)
{
    return ID_EQUAL(a->members_root, b->members_root) && a->member_count == b->member_count &&
           ID_EQUAL(a->settings_hash, b->settings_hash) &&
           ID_EQUAL(a->transport_hash, b->transport_hash) && ID_EQUAL(a->cuts_hash, b->cuts_hash);
}

/* ROSTER-1: the hash does not cover signatures. */
struct head_id roster_head_id(struct bytes body)
{
    struct hash hash = hash_one(CONTEXT_HEAD, body);
    struct head_id id;
    memcpy(id.bytes, hash.bytes, HASH_SIZE);
    return id;
}

struct federation_id roster_head_federation(const struct head_id *founding)
{
    struct federation_id federation;
    memcpy(federation.bytes, founding->bytes, HASH_SIZE);
    return federation;
}

/* ---- signatures ---- */

void roster_head_sign(struct bytes body, const uint8_t secret[static 64],
                      struct signature *ret_signature)
{
    hash_sign(CONTEXT_HEAD, body, secret, ret_signature);
}

void roster_head_signed_write(struct buffer *buffer, const struct roster_head_signed *signed_head)
{
    pack_put_array(buffer, 2);
    pack_put_bin(buffer, signed_head->body);
    pack_put_array(buffer, signed_head->signature_count);
    for (uint32_t i = 0; i < signed_head->signature_count; i++) {
        pack_put_array(buffer, 2);
        pack_put_uint(buffer, signed_head->signatures[i].officer);
        pack_put_bin(buffer, ID_BYTES(signed_head->signatures[i].signature));
    }
}

err roster_head_signed_read(struct bytes all, struct roster_head_signed *ret_signed)
{
    struct pack pack;
    struct roster_head_signed head = {.signature_count = 0};
    if (all.size > HEAD_SIZE_MAX)
        return ERR_TOO_LARGE;
    err failure = pack_open(all, &pack);
    if (failure != OK)
        return failure;
    if (pack_array(&pack, 2) != 2)
        pack_fail(&pack, ERR_MALFORMED);
    head.body = pack_bin(&pack, HEAD_SIZE_MAX);
    head.signature_count = pack_array(&pack, OFFICER_COUNT_MAX);
    for (uint32_t i = 0; i < head.signature_count; i++) {
        if (pack_array(&pack, 2) != 2)
            pack_fail(&pack, ERR_MALFORMED);
        head.signatures[i].officer = (uint32_t)pack_uint_max(&pack, OFFICER_COUNT_MAX - 1);
        pack_fixed(&pack, head.signatures[i].signature.bytes, SIGNATURE_SIZE);
        if (i > 0 && head.signatures[i].officer <= head.signatures[i - 1].officer)
            pack_fail(&pack, ERR_NOT_CANONICAL);
    }
    failure = pack_close(&pack);
    if (failure == OK)
        *ret_signed = head;
    return failure;
}

/* ROSTER-3. The cheap count comes before the expensive signatures. */
err roster_head_signatures_check(const struct roster_head_signed *signed_head,
                                 const struct officers *officers, uint32_t needed)
{
    for (uint32_t i = 0; i < signed_head->signature_count; i++) {
        if (signed_head->signatures[i].officer >= officers->count)
            return ERR_MALFORMED;
    }
    if (signed_head->signature_count < needed)
        return ERR_THRESHOLD;
    for (uint32_t i = 0; i < signed_head->signature_count; i++) {
        const struct roster_head_signature *one = &signed_head->signatures[i];
        err failure = hash_verify(CONTEXT_HEAD, signed_head->body, &officers->keys[one->officer],
                                  &one->signature);
        if (failure != OK)
            return failure;
    }
    return OK;
}
