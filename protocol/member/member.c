#include "protocol/member/member.h"

#include <string.h>

#include "protocol/base/pack.h"
#include "protocol/base/utf8.h"
#include "protocol/member/endpoint.h"
#include "protocol/member/tag.h"

enum { MEMBER_FIELDS = 13, MEMBER_EPOCH_MAX = INT32_MAX };

/* ---- names ---- */

/* ROSTER-10: control characters of C0 and C1, DEL, and the direction marks and overrides (Unicode,
 * Bidi_Control): U+061C, U+200E/F, U+202A-E, U+2066-9. */
static bool member_name_hides(const uint8_t *at, size_t left)
{
    if (at[0] < 0x20 || at[0] == 0x7f)
        return true;
    if (left >= 2 && ((at[0] == 0xc2 && at[1] < 0xa0) || (at[0] == 0xd8 && at[1] == 0x9c)))
        return true;
    if (left < 3 || at[0] != 0xe2)
        return false;
    if (at[1] == 0x80)
        return at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xaa && at[2] <= 0xae);
    return at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9;
}

err member_name_check(struct bytes name, size_t size_max)
{
    if (name.size > size_max)
        return ERR_TOO_LARGE;
    if (name.size == 0 || !utf8_valid(name))
        return ERR_MALFORMED;
    for (size_t i = 0; i < name.size; i++) {
        if (member_name_hides(name.data + i, name.size - i))
            return ERR_MALFORMED;
    }
    return OK;
}

/* ---- rules within one entry ---- */

static bool member_country_fits(const uint8_t country[static 2])
{
    return country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z';
}

static bool member_epoch_fits(const struct member *member, uint64_t epoch)
{
    return epoch >= member->admitted_epoch && epoch <= MEMBER_EPOCH_MAX;
}

/* ROSTER-8, ROSTER-9: tags are in order, and none has a date before the last (re)admission. */
static err member_boards_check(const struct member *member)
{
    if (member->board_count > MEMBER_BOARD_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < member->board_count; i++) {
        const struct member_board *board = &member->boards[i];
        err failure = tag_check(board->tag);
        if (failure != OK)
            return failure;
        if (i > 0 && tag_compare(member->boards[i - 1].tag, board->tag) >= 0)
            return ERR_MALFORMED;
        if (!member_epoch_fits(member, board->since_epoch))
            return ERR_MALFORMED;
        if (member->state == MEMBER_ADMITTED && board->since_epoch < member->state_since_epoch)
            return ERR_MALFORMED;
    }
    return OK;
}

static bool member_state_fits(const struct member *member)
{
    if (member->state < MEMBER_ADMITTED || member->state > MEMBER_REMOVED)
        return false;
    if (member->admitted_epoch == 0 || !member_epoch_fits(member, member->admitted_epoch) ||
        !member_epoch_fits(member, member->state_since_epoch) ||
        !member_epoch_fits(member, member->keys_since_epoch))
        return false;
    if (member->keys_signed && member->keys_since_epoch == member->admitted_epoch)
        return false;
    if (ID_IS_ZERO(member->successor))
        return true;
    return member->state == MEMBER_REMOVED && !ID_EQUAL(member->successor, member->node_id);
}

err member_check(const struct member *member)
{
    err failure = member_name_check(member->name, MEMBER_NAME_SIZE_MAX);
    if (failure != OK)
        return failure;
    if (member->endpoint_count > ENDPOINT_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < member->endpoint_count; i++) {
        failure = endpoint_check(member->endpoints[i]);
        if (failure != OK)
            return failure;
    }
    if (!member_country_fits(member->country) || ID_IS_ZERO(member->node_id) ||
        ID_IS_ZERO(member->sign_key) || ID_IS_ZERO(member->transport_key) ||
        !member_state_fits(member))
        return ERR_MALFORMED;
    return member_boards_check(member);
}

/* ---- bytes ---- */

void member_write(struct buffer *buffer, const struct member *member)
{
    pack_put_array(buffer, MEMBER_FIELDS);
    pack_put_bin(buffer, ID_BYTES(member->node_id));
    pack_put_text(buffer, member->name);
    pack_put_text(buffer, (struct bytes){member->country, sizeof member->country});
    pack_put_bin(buffer, ID_BYTES(member->sign_key));
    pack_put_bin(buffer, ID_BYTES(member->transport_key));
    pack_put_array(buffer, member->endpoint_count);
    for (uint32_t i = 0; i < member->endpoint_count; i++)
        pack_put_text(buffer, member->endpoints[i]);
    pack_put_array(buffer, member->board_count);
    for (uint32_t i = 0; i < member->board_count; i++) {
        pack_put_array(buffer, 2);
        pack_put_text(buffer, member->boards[i].tag);
        pack_put_uint(buffer, member->boards[i].since_epoch);
    }
    pack_put_uint(buffer, (uint64_t)member->state);
    pack_put_uint(buffer, member->admitted_epoch);
    pack_put_uint(buffer, member->state_since_epoch);
    pack_put_uint(buffer, member->keys_since_epoch);
    if (member->keys_signed)
        pack_put_bin(buffer, ID_BYTES(member->keys_signature));
    else
        pack_put_nil(buffer);
    if (ID_IS_ZERO(member->successor))
        pack_put_nil(buffer);
    else
        pack_put_bin(buffer, ID_BYTES(member->successor));
}

static void member_read_boards(struct pack *pack, struct member *member)
{
    member->board_count = pack_array(pack, MEMBER_BOARD_COUNT_MAX);
    for (uint32_t i = 0; i < member->board_count; i++) {
        if (pack_array(pack, 2) != 2)
            pack_fail(pack, ERR_MALFORMED);
        member->boards[i].tag = pack_text(pack, TAG_SIZE_MAX);
        member->boards[i].since_epoch = pack_uint(pack);
    }
}

static void member_read_fields(struct pack *pack, struct member *member)
{
    if (pack_array(pack, MEMBER_FIELDS) != MEMBER_FIELDS)
        pack_fail(pack, ERR_MALFORMED);
    pack_fixed(pack, member->node_id.bytes, NODE_ID_SIZE);
    member->name = pack_text(pack, MEMBER_NAME_SIZE_MAX);
    struct bytes country = pack_text(pack, sizeof member->country);
    if (country.size == sizeof member->country)
        memcpy(member->country, country.data, sizeof member->country);
    else
        pack_fail(pack, ERR_MALFORMED);
    pack_fixed(pack, member->sign_key.bytes, KEY_SIZE);
    pack_fixed(pack, member->transport_key.bytes, KEY_SIZE);
    member->endpoint_count = pack_array(pack, ENDPOINT_COUNT_MAX);
    for (uint32_t i = 0; i < member->endpoint_count; i++)
        member->endpoints[i] = pack_text(pack, ENDPOINT_SIZE_MAX);
    member_read_boards(pack, member);
    member->state = (enum member_state)pack_uint_max(pack, MEMBER_REMOVED);
    member->admitted_epoch = pack_uint(pack);
    member->state_since_epoch = pack_uint(pack);
    member->keys_since_epoch = pack_uint(pack);
    member->keys_signed = !pack_nil(pack);
    if (member->keys_signed)
        pack_fixed(pack, member->keys_signature.bytes, SIGNATURE_SIZE);
    if (!pack_nil(pack)) {
        pack_fixed(pack, member->successor.bytes, NODE_ID_SIZE);
        if (ID_IS_ZERO(member->successor))
            pack_fail(pack, ERR_NOT_CANONICAL);
    }
}

err member_read(struct bytes packed, struct member *ret_member)
{
    struct pack pack;
    struct member member = {.board_count = 0};
    if (packed.size > MEMBER_SIZE_MAX)
        return ERR_TOO_LARGE;
    err failure = pack_open(packed, &pack);
    if (failure != OK)
        return failure;
    member_read_fields(&pack, &member);
    failure = pack_close(&pack);
    if (failure == OK)
        failure = member_check(&member);
    if (failure == OK)
        *ret_member = member;
    return failure;
}

/* ---- what follows from it ---- */

void member_keys_message(const struct federation_id *federation, const struct member *member,
                         uint8_t ret_message[static MEMBER_KEYS_MESSAGE_SIZE])
{
    struct buffer buffer = buffer_over(ret_message, MEMBER_KEYS_MESSAGE_SIZE);
    buffer_put(&buffer, federation->bytes, HASH_SIZE);
    buffer_put(&buffer, member->node_id.bytes, NODE_ID_SIZE);
    buffer_put(&buffer, member->sign_key.bytes, KEY_SIZE);
    buffer_put(&buffer, member->transport_key.bytes, KEY_SIZE);
}

uint64_t member_serves_since(const struct member *member, struct bytes tag)
{
    uint64_t since = 0;
    for (uint32_t i = 0; i < member->board_count; i++) {
        const struct member_board *board = &member->boards[i];
        if (tag_covers(board->tag, tag) && (since == 0 || board->since_epoch < since))
            since = board->since_epoch;
    }
    return since;
}
