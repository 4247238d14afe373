#include "protocol/relay/relay_links.h"

uint32_t relay_links_by_id(const struct relay_engine *relay, uint64_t id)
{
    uint64_t hash = hash_index_hash(relay->config.secret, BYTES_NONE, id);
    uint32_t link = hash_index_first(&relay->by_id, hash);
    while (link != 0 && relay->links[link].id != id)
        link = hash_index_next(&relay->by_id, link);
    return link;
}

uint32_t relay_links_by_key(const struct relay_engine *relay, const struct transport_key *key)
{
    uint64_t hash = hash_index_hash(relay->config.secret, ID_BYTES(*key), 0);
    uint32_t link = hash_index_first(&relay->by_key, hash);
    while (link != 0 && !ID_EQUAL(relay->links[link].key, *key))
        link = hash_index_next(&relay->by_key, link);
    return link;
}

uint32_t relay_links_connected(const struct relay_engine *relay, const struct transport_key *key)
{
    uint32_t link = relay_links_by_key(relay, key);
    return link != 0 && relay->links[link].state == RELAY_ENGINE_GREETED ? link : 0;
}

uint32_t relay_links_join(struct relay_engine *relay, uint64_t id, const struct transport_key *key)
{
    uint32_t link = arena_places_get(&relay->places);
    if (link == 0)
        return 0;
    relay->links[link] =
        (struct relay_engine_link){.state = RELAY_ENGINE_JOINED, .id = id, .key = *key};
    hash_index_add(&relay->by_id, hash_index_hash(relay->config.secret, BYTES_NONE, id), link);
    hash_index_add(&relay->by_key, hash_index_hash(relay->config.secret, ID_BYTES(*key), 0), link);
    relay->counts.links++;
    return link;
}

void relay_links_leave(struct relay_engine *relay, uint32_t link, struct mono now)
{
    struct relay_engine_link *leaving = &relay->links[link];
    if (leaving->state == RELAY_ENGINE_LEAVING)
        return;
    hash_index_remove(&relay->by_key,
                      hash_index_hash(relay->config.secret, ID_BYTES(leaving->key), 0), link);
    forward_queue_leave(&relay->forward_queue, link);
    presence_forget(&relay->presence, link);
    if (leaving->state == RELAY_ENGINE_GREETED)
        presence_went(&relay->presence, &leaving->key, now);
    if (relay->upload.link == leaving->id && !relay->upload.ready)
        relay->upload.link = 0;
    leaving->state = RELAY_ENGINE_LEAVING;
}

void relay_links_free(struct relay_engine *relay, uint32_t link)
{
    struct relay_engine_link *gone = &relay->links[link];
    if (relay->control_node[link].linked)
        queue_remove(&relay->control, relay->control_node, link);
    hash_index_remove(&relay->by_id, hash_index_hash(relay->config.secret, BYTES_NONE, gone->id),
                      link);
    relay->blocked_count -= gone->blocked;
    gone->state = RELAY_ENGINE_UNUSED;
    arena_places_put(&relay->places, link);
    relay->counts.links--;
}

void relay_links_mark(struct relay_engine *relay, uint32_t link)
{
    if (!relay->control_node[link].linked)
        queue_append(&relay->control, relay->control_node, link);
}

void relay_links_refuse(struct relay_engine *relay, uint32_t link, enum relay_refusal refusal,
                        struct mono now)
{
    if (relay->links[link].state == RELAY_ENGINE_LEAVING)
        return;
    relay_links_leave(relay, link, now);
    relay->links[link].refusal = refusal;
    relay->counts.refused++;
    relay_links_mark(relay, link);
}

bool relay_links_admits(const struct relay_engine *relay, const struct transport_key *key,
                        bool *ret_publisher)
{
    enum transport_role role;
    if (!transport_list_find((struct bytes){relay->list, relay->list_size}, key, &role) ||
        role == TRANSPORT_RELAY)
        return false;
    *ret_publisher = role == TRANSPORT_PUBLISHER;
    return true;
}

void relay_links_published(struct relay_engine *relay, uint32_t link, err result)
{
    relay->links[link].published = true;
    relay->links[link].published_result = result;
    relay_links_mark(relay, link);
}
