#include "protocol/wire/relay_credit.h"

enum { RELAY_CREDIT_RESERVE_UNITS = 2 };

void relay_credit_init(struct relay_credit *credit, const struct relay_limits *limits)
{
    credit->limits = *limits;
    credit->units = 0;
    credit->peer_count = 0;
}

static struct relay_credit_peer *relay_credit_find(struct relay_credit *credit,
                                                   const struct transport_key *peer)
{
    for (uint32_t i = 0; i < credit->peer_count; i++) {
        if (ID_EQUAL(credit->peers[i].key, *peer))
            return &credit->peers[i];
    }
    return NULL;
}

bool relay_credit_take(struct relay_credit *credit, const struct transport_key *peer,
                       size_t box_size)
{
    uint32_t units = relay_frame_units(box_size);
    struct relay_credit_peer *found = relay_credit_find(credit, peer);
    uint32_t under_way = found != NULL ? found->units : 0;
    if (units > credit->limits.member_units - credit->units ||
        units > credit->limits.pair_units - under_way)
        return false;
    if (found == NULL) {
        if (credit->peer_count >= credit->limits.session_count ||
            credit->peer_count >= RELAY_CREDIT_PEER_COUNT)
            return false;
        found = &credit->peers[credit->peer_count++];
        *found = (struct relay_credit_peer){.key = *peer};
    }
    found->units += units;
    credit->units += units;
    return true;
}

bool relay_credit_take_frame(struct relay_credit *credit, const struct transport_key *peer,
                             size_t box_size)
{
    size_t reserve = (size_t)RELAY_CREDIT_RESERVE_UNITS * RELAY_UNIT_SIZE;
    if (credit->units == 0)
        return relay_credit_take(credit, peer, box_size);
    if (!relay_credit_take(credit, peer, box_size + reserve))
        return false;
    relay_credit_give(credit, peer, RELAY_CREDIT_RESERVE_UNITS);
    return true;
}

void relay_credit_give(struct relay_credit *credit, const struct transport_key *peer,
                       uint32_t units)
{
    struct relay_credit_peer *found = relay_credit_find(credit, peer);
    if (found == NULL)
        return;
    if (units > found->units)
        units = found->units;
    found->units -= units;
    credit->units -= units;
    if (found->units == 0)
        *found = credit->peers[--credit->peer_count];
}
