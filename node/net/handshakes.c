/* A table of at most HANDSHAKE_COUNT_MAX, in which each entry carries how many its source and its
 * network have; a walk through all of it for each coming and going is some microseconds. What is
 * known lies in a table of sets: the oldest of a set makes room. Only members get in there, so no
 * outsider can choose what it holds. */
#include "node/net/handshakes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    HANDSHAKES_KNOWN_WAYS = 8,
    HANDSHAKES_KNOWN_SETS = HANDSHAKE_KNOWN_COUNT / HANDSHAKES_KNOWN_WAYS,
    HANDSHAKES_KEPT_MAX = HANDSHAKE_COUNT_MAX / 2, /* of all sources together */
};

struct handshakes_entry {
    int id;
    struct handshake_address source; /* the rest of the bytes zero */
    size_t network_size;             /* how many bytes of it are the network */
    uint64_t since_ms;
    uint32_t source_count; /* of the same source, this one too */
    uint32_t network_count;
    bool is_kept; /* is never cut for another */
};

struct handshakes_known {
    struct handshake_address source;
    uint64_t at_ms;
    bool is_used;
};

struct handshakes {
    struct handshakes_entry entries[HANDSHAKE_COUNT_MAX + 1]; /* one too many, until one is cut */
    size_t count;
    size_t kept_count;
    struct handshakes_known known[HANDSHAKES_KNOWN_SETS][HANDSHAKES_KNOWN_WAYS];
};

struct handshakes *handshakes_new(void)
{
    return calloc(1, sizeof(struct handshakes));
}

void handshakes_free(struct handshakes *handshakes)
{
    free(handshakes);
}

size_t handshakes_count(const struct handshakes *handshakes)
{
    return handshakes->count;
}

/* ---- sources ---- */

static bool handshakes_is_v4(const struct handshake_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

static struct handshake_address handshakes_source(const struct handshake_address *address)
{
    struct handshake_address source = *address;
    if (!handshakes_is_v4(address))
        memset(source.bytes + 8, 0, 8);
    return source;
}

static bool handshakes_same(const struct handshake_address *a, const struct handshake_address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Both are IPv4 or neither is: twelve bytes of the one say that it is. */
static bool handshakes_same_network(const struct handshakes_entry *a,
                                    const struct handshakes_entry *b)
{
    return a->network_size == b->network_size &&
           memcmp(a->source.bytes, b->source.bytes, a->network_size) == 0;
}

/* ---- who is known ---- */

/* FNV-1a (Fowler, Noll, Vo). */
static struct handshakes_known *handshakes_set(struct handshakes *handshakes,
                                               const struct handshake_address *source)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof source->bytes; i++)
        hash = (hash ^ source->bytes[i]) * 16777619u;
    return handshakes->known[hash % HANDSHAKES_KNOWN_SETS];
}

void handshakes_know(struct handshakes *handshakes, const struct handshake_address *from,
                     uint64_t now_ms)
{
    struct handshake_address source = handshakes_source(from);
    struct handshakes_known *set = handshakes_set(handshakes, &source);
    struct handshakes_known *place = &set[0];
    for (size_t i = 0; i < HANDSHAKES_KNOWN_WAYS; i++) {
        if (set[i].is_used && handshakes_same(&set[i].source, &source)) {
            place = &set[i];
            break;
        }
        if (!set[i].is_used || (place->is_used && set[i].at_ms < place->at_ms))
            place = &set[i];
    }
    *place = (struct handshakes_known){source, now_ms, true};
}

static bool handshakes_knows(struct handshakes *handshakes, const struct handshake_address *source,
                             uint64_t now_ms)
{
    const struct handshakes_known *set = handshakes_set(handshakes, source);
    for (size_t i = 0; i < HANDSHAKES_KNOWN_WAYS; i++)
        if (set[i].is_used && handshakes_same(&set[i].source, source))
            return now_ms - set[i].at_ms < (uint64_t)HANDSHAKE_KNOWN_S * 1000;
    return false;
}

/* ---- coming and going ---- */

static size_t handshakes_find(const struct handshakes *handshakes, int id)
{
    size_t at = 0;
    while (at < handshakes->count && handshakes->entries[at].id != id)
        at++;
    return at;
}

static void handshakes_remove(struct handshakes *handshakes, size_t at)
{
    const struct handshakes_entry gone = handshakes->entries[at];
    handshakes->kept_count -= gone.is_kept;
    handshakes->entries[at] = handshakes->entries[--handshakes->count];
    for (size_t i = 0; i < handshakes->count; i++) {
        struct handshakes_entry *entry = &handshakes->entries[i];
        entry->network_count -= handshakes_same_network(entry, &gone);
        entry->source_count -= handshakes_same(&entry->source, &gone.source);
    }
}

void handshakes_end(struct handshakes *handshakes, int id)
{
    size_t at = handshakes_find(handshakes, id);
    if (at < handshakes->count)
        handshakes_remove(handshakes, at);
}

static struct handshakes_entry *handshakes_add(struct handshakes *handshakes, int id,
                                               const struct handshake_address *from,
                                               uint64_t now_ms)
{
    struct handshakes_entry *added = &handshakes->entries[handshakes->count];
    unsigned kept = 0;
    *added = (struct handshakes_entry){.id = id,
                                       .source = handshakes_source(from),
                                       .network_size = handshakes_is_v4(from) ? 15 : 6,
                                       .since_ms = now_ms};
    for (size_t i = 0; i < handshakes->count; i++) {
        struct handshakes_entry *entry = &handshakes->entries[i];
        if (handshakes_same_network(entry, added)) {
            entry->network_count++;
            added->network_count++;
        }
        if (handshakes_same(&entry->source, &added->source)) {
            entry->source_count++;
            added->source_count++;
            kept += entry->is_kept;
        }
    }
    added->network_count++;
    added->source_count++;
    added->is_kept = kept < HANDSHAKE_KEPT_EACH_COUNT &&
                     handshakes->kept_count < HANDSHAKES_KEPT_MAX &&
                     handshakes_knows(handshakes, &added->source, now_ms);
    handshakes->kept_count += added->is_kept;
    handshakes->count++;
    return added;
}

/* ---- who is cut ---- */

/* Less than 0, 0 or more: whether the first has a better claim to its place than the second. */
static int handshakes_compare(const struct handshakes_entry *a, const struct handshakes_entry *b)
{
    if (a->network_count != b->network_count)
        return a->network_count < b->network_count ? -1 : 1;
    return (a->source_count > b->source_count) - (a->source_count < b->source_count);
}

/* One by chance of those with the weakest claim; of one source alone if `only` is not NULL. At most
 * half of the table is kept, and less than its bound of each source, so there is one. */
static size_t handshakes_weakest(const struct handshakes *handshakes,
                                 const struct handshake_address *only, uint32_t random_value)
{
    size_t weakest[HANDSHAKE_COUNT_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < handshakes->count; i++) {
        const struct handshakes_entry *entry = &handshakes->entries[i];
        if (entry->is_kept || (only != NULL && !handshakes_same(&entry->source, only)))
            continue;
        int order = count == 0 ? 0 : handshakes_compare(entry, &handshakes->entries[weakest[0]]);
        if (order > 0)
            count = 0;
        if (order >= 0)
            weakest[count++] = i;
    }
    return weakest[random_value % count];
}

int handshakes_begin(struct handshakes *handshakes, int id, const struct handshake_address *from,
                     uint64_t now_ms, uint32_t random_value)
{
    handshakes_end(handshakes, id);
    const struct handshakes_entry *added = handshakes_add(handshakes, id, from, now_ms);
    const struct handshake_address *only =
        added->source_count > HANDSHAKE_EACH_COUNT_MAX ? &added->source : NULL;
    if (only == NULL && handshakes->count <= HANDSHAKE_COUNT_MAX)
        return -1;
    size_t at = handshakes_weakest(handshakes, only, random_value);
    int cut = handshakes->entries[at].id;
    handshakes_remove(handshakes, at);
    return cut;
}

int handshakes_overdue(const struct handshakes *handshakes, uint64_t at_ms)
{
    for (size_t i = 0; i < handshakes->count; i++)
        if (handshakes->entries[i].since_ms <= at_ms)
            return handshakes->entries[i].id;
    return -1;
}
