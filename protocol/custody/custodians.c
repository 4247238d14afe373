#include "protocol/custody/custodians.h"

#include <string.h>

#include "protocol/base/hash.h"

static struct hash custodians_weight(const struct node_id *recipient, const struct node_id *member)
{
    struct bytes parts[] = {ID_BYTES(*recipient), ID_BYTES(*member)};
    return hash_parts(CONTEXT_RENDEZVOUS, parts, 2);
}

void custodians_of(const struct roster *roster, const struct node_id *recipient,
                   struct custodians *ret_custodians)
{
    struct hash weights[CUSTODIAN_ASKED_COUNT];
    struct custodians best = {.count = 0};
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *member = roster_at(roster, i);
        if (member->state != MEMBER_ADMITTED || ID_EQUAL(member->node_id, *recipient))
            continue;
        struct hash weight = custodians_weight(recipient, &member->node_id);
        uint32_t place = best.count;
        while (place > 0 && memcmp(weights[place - 1].bytes, weight.bytes, HASH_SIZE) < 0)
            place--;
        if (place == CUSTODIAN_ASKED_COUNT)
            continue;
        uint32_t last = best.count < CUSTODIAN_ASKED_COUNT ? best.count++ : best.count - 1;
        for (uint32_t j = last; j > place; j--) {
            best.nodes[j] = best.nodes[j - 1];
            weights[j] = weights[j - 1];
        }
        best.nodes[place] = member->node_id;
        weights[place] = weight;
    }
    *ret_custodians = best;
}

int custodians_rank(const struct custodians *custodians, const struct node_id *node)
{
    for (uint32_t i = 0; i < custodians->count; i++) {
        if (ID_EQUAL(custodians->nodes[i], *node))
            return (int)i;
    }
    return -1;
}
