/* The transport list: which transport keys may connect, and in which role. It is all that a relay
 * learns of the roster.
 *
 * Entries of 33 bytes (key, role), ascending by key, each key once. A suspended or removed member
 * is not in it. */
#ifndef CONSILIUM_PROTOCOL_MEMBER_TRANSPORT_LIST_H
#define CONSILIUM_PROTOCOL_MEMBER_TRANSPORT_LIST_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/hash.h"
#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

enum transport_role { TRANSPORT_MEMBER = 1, TRANSPORT_PUBLISHER = 2, TRANSPORT_RELAY = 3 };

enum {
    TRANSPORT_ENTRY_SIZE = KEY_SIZE + 1,
    TRANSPORT_LIST_SIZE_MAX =
        TRANSPORT_ENTRY_SIZE * (MEMBER_COUNT_MAX + PUBLISHER_COUNT_MAX + RELAY_COUNT_MAX),
};

/* Checks order, roles and size. ERR_TOO_LARGE, ERR_TRUNCATED, ERR_NOT_CANONICAL (order) or
 * ERR_MALFORMED (role). */
MUST_USE err transport_list_check(struct bytes list);

struct hash transport_list_hash(struct bytes list);

/* The caller has checked `list`. False when `key` is not in it. */
bool transport_list_find(struct bytes list, const struct transport_key *key,
                         enum transport_role *ret_role);

uint32_t transport_list_count(struct bytes list);
void transport_list_at(struct bytes list, uint32_t index, struct transport_key *ret_key,
                       enum transport_role *ret_role);

#endif
