#include "protocol/relay/presence.h"

#include <assert.h>
#include <string.h>

enum presence_told { PRESENCE_UNTOLD, PRESENCE_ABSENT, PRESENCE_CONNECTED };

struct presence_watch {
    struct transport_key key;
    uint32_t watcher;
    enum presence_told told;
    bool settles; /* in `settling`, until `due_at`; else perhaps in the watcher's list */
    struct mono due_at;
};

void presence_init(struct presence *presence, uint32_t watcher_count, uint32_t watch_count_max,
                   const uint8_t secret[static HASH_INDEX_SECRET_SIZE], struct arena *arena)
{
    uint64_t count = (uint64_t)watcher_count * watch_count_max;
    assert(count > 0 && count < UINT32_MAX / 4);
    *presence = (struct presence){.watch_count_max = watch_count_max};
    memcpy(presence->secret, secret, sizeof presence->secret);
    presence->watches = arena_take(arena, (size_t)count + 1, sizeof *presence->watches);
    arena_places_init(&presence->places, arena, (uint32_t)count);
    hash_index_init(&presence->hash_index, arena, (uint32_t)count);
    presence->of_watcher = arena_take(arena, (size_t)count + 1, sizeof *presence->of_watcher);
    presence->due = arena_take(arena, (size_t)count + 1, sizeof *presence->due);
    size_t watchers = (size_t)watcher_count + 1;
    presence->watched = arena_take(arena, watchers, sizeof *presence->watched);
    presence->telling = arena_take(arena, watchers, sizeof *presence->telling);
    presence->notified_node = arena_take(arena, watchers, sizeof *presence->notified_node);
}

static uint64_t presence_hash(const struct presence *presence, const struct transport_key *key)
{
    return hash_index_hash(presence->secret, ID_BYTES(*key), 0);
}

static uint32_t presence_find(const struct presence *presence, uint32_t watcher,
                              const struct transport_key *key)
{
    uint32_t index = hash_index_first(&presence->hash_index, presence_hash(presence, key));
    while (index != 0 && (presence->watches[index].watcher != watcher ||
                          !ID_EQUAL(presence->watches[index].key, *key)))
        index = hash_index_next(&presence->hash_index, index);
    return index;
}

static void presence_rest(struct presence *presence, uint32_t index)
{
    struct presence_watch *watch = &presence->watches[index];
    if (!presence->due[index].linked)
        return;
    queue_remove(watch->settles ? &presence->settling : &presence->telling[watch->watcher],
                 presence->due, index);
    watch->settles = false;
}

static void presence_tell(struct presence *presence, uint32_t index)
{
    uint32_t watcher = presence->watches[index].watcher;
    presence_rest(presence, index);
    queue_append(&presence->telling[watcher], presence->due, index);
    if (!presence->notified_node[watcher].linked)
        queue_append(&presence->notified, presence->notified_node, watcher);
}

err presence_watch(struct presence *presence, uint32_t watcher, const struct transport_key *key)
{
    uint32_t index = presence_find(presence, watcher, key);
    if (index == 0) {
        if (presence->watched[watcher].count >= presence->watch_count_max)
            return ERR_OVER_BUDGET;
        index = arena_places_get(&presence->places);
        assert(index != 0);
        presence->watches[index] = (struct presence_watch){.key = *key, .watcher = watcher};
        hash_index_add(&presence->hash_index, presence_hash(presence, key), index);
        queue_append(&presence->watched[watcher], presence->of_watcher, index);
    }
    presence->watches[index].told = PRESENCE_UNTOLD;
    presence_tell(presence, index);
    return OK;
}

static void presence_free(struct presence *presence, uint32_t index)
{
    struct presence_watch *watch = &presence->watches[index];
    presence_rest(presence, index);
    hash_index_remove(&presence->hash_index, presence_hash(presence, &watch->key), index);
    queue_remove(&presence->watched[watch->watcher], presence->of_watcher, index);
    arena_places_put(&presence->places, index);
}

void presence_unwatch(struct presence *presence, uint32_t watcher, const struct transport_key *key)
{
    uint32_t index = presence_find(presence, watcher, key);
    if (index != 0)
        presence_free(presence, index);
}

void presence_forget(struct presence *presence, uint32_t watcher)
{
    while (presence->watched[watcher].first != 0)
        presence_free(presence, presence->watched[watcher].first);
    if (presence->notified_node[watcher].linked)
        queue_remove(&presence->notified, presence->notified_node, watcher);
}

/* The watch after `index` (0: the first) of this key, of any watcher. */
static uint32_t presence_each(const struct presence *presence, uint32_t index,
                              const struct transport_key *key)
{
    index = index == 0 ? hash_index_first(&presence->hash_index, presence_hash(presence, key))
                       : hash_index_next(&presence->hash_index, index);
    while (index != 0 && !ID_EQUAL(presence->watches[index].key, *key))
        index = hash_index_next(&presence->hash_index, index);
    return index;
}

void presence_came(struct presence *presence, const struct transport_key *key)
{
    for (uint32_t i = presence_each(presence, 0, key); i != 0; i = presence_each(presence, i, key))
        presence_tell(presence, i);
}

void presence_went(struct presence *presence, const struct transport_key *key, struct mono now)
{
    for (uint32_t i = presence_each(presence, 0, key); i != 0;
         i = presence_each(presence, i, key)) {
        struct presence_watch *watch = &presence->watches[i];
        if (watch->told == PRESENCE_UNTOLD)
            continue; /* it is in the watcher's list already */
        presence_rest(presence, i);
        watch->settles = true;
        watch->due_at.ms = now.ms + PRESENCE_SETTLE_MS;
        queue_append(&presence->settling, presence->due, i);
    }
}

void presence_on_time(struct presence *presence, struct mono now)
{
    while (presence_deadline(presence).ms <= now.ms)
        presence_tell(presence, presence->settling.first);
}

struct mono presence_deadline(const struct presence *presence)
{
    uint32_t first = presence->settling.first;
    return first == 0 ? (struct mono){UINT64_MAX} : presence->watches[first].due_at;
}

uint32_t presence_pop_notified(struct presence *presence)
{
    uint32_t watcher = presence->notified.first;
    if (watcher != 0)
        queue_remove(&presence->notified, presence->notified_node, watcher);
    return watcher;
}

uint16_t presence_take(struct presence *presence, uint32_t watcher,
                       bool (*is_connected)(const void *user, const struct transport_key *key),
                       const void *user, struct relay_entry entries[static PRESENCE_TAKE_MAX])
{
    uint16_t count = 0;
    while (count < PRESENCE_TAKE_MAX && presence->telling[watcher].first != 0) {
        uint32_t index = presence->telling[watcher].first;
        struct presence_watch *watch = &presence->watches[index];
        bool connected = is_connected(user, &watch->key);
        enum presence_told told = connected ? PRESENCE_CONNECTED : PRESENCE_ABSENT;
        presence_rest(presence, index);
        if (watch->told == told)
            continue;
        watch->told = told;
        entries[count++] = (struct relay_entry){.key = watch->key, .value = connected};
    }
    return count;
}
