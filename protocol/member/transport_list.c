#include "protocol/member/transport_list.h"

#include <string.h>

/* ROSTER-14 */
err transport_list_check(struct bytes list)
{
    if (list.size > TRANSPORT_LIST_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (list.size % TRANSPORT_ENTRY_SIZE != 0)
        return ERR_TRUNCATED;
    for (size_t at = 0; at < list.size; at += TRANSPORT_ENTRY_SIZE) {
        const uint8_t *entry = list.data + at;
        if (entry[KEY_SIZE] < TRANSPORT_MEMBER || entry[KEY_SIZE] > TRANSPORT_RELAY)
            return ERR_MALFORMED;
        if (at > 0 && memcmp(entry - TRANSPORT_ENTRY_SIZE, entry, KEY_SIZE) >= 0)
            return ERR_NOT_CANONICAL;
    }
    return OK;
}

struct hash transport_list_hash(struct bytes list)
{
    return hash_one(CONTEXT_TRANSPORT_LIST, list);
}

uint32_t transport_list_count(struct bytes list)
{
    return (uint32_t)(list.size / TRANSPORT_ENTRY_SIZE);
}

void transport_list_at(struct bytes list, uint32_t index, struct transport_key *ret_key,
                       enum transport_role *ret_role)
{
    const uint8_t *entry = list.data + (size_t)index * TRANSPORT_ENTRY_SIZE;
    memcpy(ret_key->bytes, entry, KEY_SIZE);
    *ret_role = (enum transport_role)entry[KEY_SIZE];
}

bool transport_list_find(struct bytes list, const struct transport_key *key,
                         enum transport_role *ret_role)
{
    uint32_t low = 0, high = transport_list_count(list);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const uint8_t *entry = list.data + (size_t)middle * TRANSPORT_ENTRY_SIZE;
        int order = memcmp(entry, key->bytes, KEY_SIZE);
        if (order == 0) {
            *ret_role = (enum transport_role)entry[KEY_SIZE];
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
