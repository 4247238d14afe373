#include "node/net/hub_instance.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/net/hub_table.h"
#include "protocol/base/hash.h"

enum { HUB_INSTANCE_ID_SIZE = 16, HUB_INSTANCE_TAGGED_SIZE = HUB_INSTANCE_ID_SIZE + 8 };

/* The last two processes of one key. */
struct hub_instance {
    struct transport_key key;
    uint8_t last[HUB_INSTANCE_SIZE];
    uint8_t before[HUB_INSTANCE_SIZE]; /* zeros: none */
};

static uint64_t hub_instance_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void hub_instance_begin(struct hub *hub)
{
    randombytes_buf(hub->instance, sizeof hub->instance);
    hub->began_ms = hub_instance_now();
}

static void hub_instance_tag(const struct hub *hub, const struct transport_key *to,
                             const uint8_t *said, struct hash *ret_tag)
{
    uint8_t memory[KEY_SIZE + HUB_INSTANCE_TAGGED_SIZE];
    struct buffer part = buffer_over(memory, sizeof memory);
    buffer_put(&part, to->bytes, sizeof to->bytes);
    buffer_put(&part, said, HUB_INSTANCE_TAGGED_SIZE);
    *ret_tag = hash_keyed(CONTEXT_INSTANCE, hub->config.secret_key, buffer_bytes(&part));
}

void hub_instance_write(const struct hub *hub, const struct transport_key *to,
                        uint8_t ret_said[static HUB_INSTANCE_SIZE])
{
    struct hash tag;
    struct buffer said = buffer_over(ret_said, HUB_INSTANCE_SIZE);
    buffer_put(&said, hub->instance, HUB_INSTANCE_ID_SIZE);
    buffer_u64(&said, hub_instance_now());
    hub_instance_tag(hub, to, ret_said, &tag);
    buffer_put(&said, tag.bytes, sizeof tag.bytes);
}

bool hub_instance_is_second(const struct hub *hub, const struct transport_key *peer,
                            struct bytes said)
{
    struct hash tag;
    if (said.size != HUB_INSTANCE_SIZE ||
        memcmp(said.data, hub->instance, HUB_INSTANCE_ID_SIZE) == 0)
        return false;
    struct reader reader = reader_of(said);
    (void)reader_take(&reader, HUB_INSTANCE_ID_SIZE);
    if (reader_u64(&reader) < hub->began_ms)
        return false; /* an earlier run of this node (L-41) */
    hub_instance_tag(hub, peer, said.data, &tag);
    return sodium_memcmp(tag.bytes, said.data + HUB_INSTANCE_TAGGED_SIZE, sizeof tag.bytes) == 0;
}

/* NULL: no memory. */
static struct hub_instance *hub_instance_of(struct hub *hub, const struct transport_key *key)
{
    for (size_t i = 0; i < hub->seen_count; i++) {
        if (ID_EQUAL(hub->seen[i].key, *key))
            return &hub->seen[i];
    }
    /* as many as may come in; keys that left the list make room */
    struct hub_instance *place = NULL;
    for (size_t i = 0; i < hub->seen_count && place == NULL; i++) {
        if (!hub_table_lists(hub, &hub->seen[i].key))
            place = &hub->seen[i];
    }
    if (place == NULL) {
        struct hub_instance *seen = reallocarray(hub->seen, hub->seen_count + 1, sizeof *seen);
        if (seen == NULL)
            return NULL;
        hub->seen = seen;
        place = &seen[hub->seen_count++];
    }
    *place = (struct hub_instance){.key = *key};
    return place;
}

bool hub_instance_note(struct hub *hub, const struct transport_key *key, struct bytes said,
                       struct bytes *ret_other)
{
    struct hub_instance *seen = said.size == HUB_INSTANCE_SIZE ? hub_instance_of(hub, key) : NULL;
    if (seen == NULL)
        return false;
    bool is_last = memcmp(seen->last, said.data, HUB_INSTANCE_ID_SIZE) == 0;
    bool is_back = !is_last && memcmp(seen->before, said.data, HUB_INSTANCE_ID_SIZE) == 0;
    if (!is_last)
        memcpy(seen->before, seen->last, sizeof seen->before);
    memcpy(seen->last, said.data, sizeof seen->last);
    *ret_other = (struct bytes){seen->before, sizeof seen->before};
    return is_back;
}
