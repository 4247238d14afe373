/* Presence: which watcher wants to know whether a key is connected to a relay. A new connection is
 * reported at once. A lost one is reported only after PRESENCE_SETTLE_MS, and not at all when the
 * key is back by then, so that a short break causes no reports. */
#ifndef CONSILIUM_PROTOCOL_RELAY_PRESENCE_H
#define CONSILIUM_PROTOCOL_RELAY_PRESENCE_H

#include "protocol/base/hash_index.h"
#include "protocol/base/ids.h"
#include "protocol/base/queue.h"
#include "protocol/wire/relay_frame.h"

enum { PRESENCE_SETTLE_MS = 3000, PRESENCE_TAKE_MAX = 24 };

struct presence_watch; /* presence.c */

struct presence {
    uint32_t watch_count_max; /* of one watcher */
    uint8_t secret[HASH_INDEX_SECRET_SIZE];
    struct presence_watch *watches;
    struct arena_places places;
    struct hash_index hash_index; /* by the key that is watched */
    struct queue_node *of_watcher;
    struct queue_node *due; /* in the watcher's list, or among those that settle */
    struct queue *watched;  /* of each watcher */
    struct queue *telling;  /* of each watcher */
    struct queue settling;
    struct queue_node *notified_node;
    struct queue notified;
};

/* Watchers are numbered from 1 to `watcher_count`. */
void presence_init(struct presence *presence, uint32_t watcher_count, uint32_t watch_count_max,
                   const uint8_t secret[static HASH_INDEX_SECRET_SIZE], struct arena *arena);

/* The watcher will get reports about this key, now and at changes. ERR_OVER_BUDGET: it has all its
 * watches. */
MUST_USE err presence_watch(struct presence *presence, uint32_t watcher,
                            const struct transport_key *key);
void presence_unwatch(struct presence *presence, uint32_t watcher, const struct transport_key *key);

/* Removes all watches of one watcher. */
void presence_forget(struct presence *presence, uint32_t watcher);

/* `key` connected or disconnected. */
void presence_came(struct presence *presence, const struct transport_key *key);
void presence_went(struct presence *presence, const struct transport_key *key, struct mono now);

/* Makes the settled disconnections due. */
void presence_on_time(struct presence *presence, struct mono now);
/* UINT64_MAX when nothing settles. */
struct mono presence_deadline(const struct presence *presence);

/* A watcher to which something is due, or 0; each is returned once until something new is due. */
uint32_t presence_pop_notified(struct presence *presence);

/* Takes up to PRESENCE_TAKE_MAX keys to report to this watcher, with the present answers of
 * `is_connected`; what the watcher knows already is left out. 0: nothing is due. */
uint16_t presence_take(struct presence *presence, uint32_t watcher,
                       bool (*is_connected)(const void *user, const struct transport_key *key),
                       const void *user, struct relay_entry entries[static PRESENCE_TAKE_MAX]);

#endif
