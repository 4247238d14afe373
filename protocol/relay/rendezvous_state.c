#include "protocol/relay/rendezvous_state.h"

uint32_t rendezvous_state_by_id(const struct rendezvous *relay, uint64_t id)
{
    uint64_t hash = finder_hash(relay->config.secret, BYTES_NONE, id);
    uint32_t link = finder_first(&relay->by_id, hash);
    while (link != 0 && relay->links[link].id != id)
        link = finder_next(&relay->by_id, link);
    return link;
}

uint32_t rendezvous_state_by_key(const struct rendezvous *relay, const struct transport_key *key)
{
    uint64_t hash = finder_hash(relay->config.secret, ID_BYTES(*key), 0);
    uint32_t link = finder_first(&relay->by_key, hash);
    while (link != 0 && !ID_EQUAL(relay->links[link].key, *key))
        link = finder_next(&relay->by_key, link);
    return link;
}

uint32_t rendezvous_state_connected(const struct rendezvous *relay, const struct transport_key *key)
{
    uint32_t link = rendezvous_state_by_key(relay, key);
    return link != 0 && relay->links[link].state == RENDEZVOUS_GREETED ? link : 0;
}

uint32_t rendezvous_state_join(struct rendezvous *relay, uint64_t id,
                               const struct transport_key *key)
{
    uint32_t link = slab_places_get(&relay->places);
    if (link == 0)
        return 0;
    relay->links[link] =
        (struct rendezvous_link){.state = RENDEZVOUS_JOINED, .id = id, .key = *key};
    finder_add(&relay->by_id, finder_hash(relay->config.secret, BYTES_NONE, id), link);
    finder_add(&relay->by_key, finder_hash(relay->config.secret, ID_BYTES(*key), 0), link);
    relay->counts.links++;
    return link;
}

void rendezvous_state_leave(struct rendezvous *relay, uint32_t link, struct mono now)
{
    struct rendezvous_link *leaving = &relay->links[link];
    if (leaving->state == RENDEZVOUS_LEAVING)
        return;
    finder_remove(&relay->by_key, finder_hash(relay->config.secret, ID_BYTES(leaving->key), 0),
                  link);
    traffic_leave(&relay->traffic, link);
    presence_forget(&relay->presence, link);
    if (leaving->state == RENDEZVOUS_GREETED)
        presence_went(&relay->presence, &leaving->key, now);
    if (relay->upload.link == leaving->id && !relay->upload.ready)
        relay->upload.link = 0;
    leaving->state = RENDEZVOUS_LEAVING;
}

void rendezvous_state_free(struct rendezvous *relay, uint32_t link)
{
    struct rendezvous_link *gone = &relay->links[link];
    if (relay->control_node[link].linked)
        queue_remove(&relay->control, relay->control_node, link);
    finder_remove(&relay->by_id, finder_hash(relay->config.secret, BYTES_NONE, gone->id), link);
    relay->blocked_count -= gone->blocked;
    gone->state = RENDEZVOUS_UNUSED;
    slab_places_put(&relay->places, link);
    relay->counts.links--;
}

void rendezvous_state_tell(struct rendezvous *relay, uint32_t link)
{
    if (!relay->control_node[link].linked)
        queue_append(&relay->control, relay->control_node, link);
}

void rendezvous_state_refuse(struct rendezvous *relay, uint32_t link, enum relay_refusal refusal,
                             struct mono now)
{
    if (relay->links[link].state == RENDEZVOUS_LEAVING)
        return;
    rendezvous_state_leave(relay, link, now);
    relay->links[link].refusal = refusal;
    relay->counts.refused++;
    rendezvous_state_tell(relay, link);
}

bool rendezvous_state_admits(const struct rendezvous *relay, const struct transport_key *key,
                             bool *ret_publisher)
{
    enum transport_role role;
    if (!transport_list_find((struct bytes){relay->list, relay->list_size}, key, &role) ||
        role == TRANSPORT_RELAY)
        return false;
    *ret_publisher = role == TRANSPORT_PUBLISHER;
    return true;
}

void rendezvous_state_published(struct rendezvous *relay, uint32_t link, err result)
{
    relay->links[link].published = true;
    relay->links[link].published_result = result;
    rendezvous_state_tell(relay, link);
}
