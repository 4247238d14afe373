#include "node/net/hub_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/net/hub_connection.h"
#include "node/net/hub_inbound.h"
#include "node/net/hub_outbound.h"

struct hub_link hub_table_link_of(const struct hub_peer *line)
{
    return (struct hub_link){line->id};
}

struct hub_peer *hub_table_find(const struct hub *hub, struct hub_link link)
{
    uint32_t slot = link.id & 0xffff;
    struct hub_peer *line = slot < hub->line_capacity ? hub->lines[slot] : NULL;
    return line != NULL && line->id == link.id ? line : NULL;
}

static err hub_grow(struct hub *hub)
{
    uint32_t capacity = hub->line_capacity == 0 ? 64 : 2 * hub->line_capacity;
    if (hub->line_capacity >= HUB_PEER_COUNT_MAX)
        return ERR_FULL;
    struct hub_peer **lines = reallocarray(hub->lines, capacity, sizeof *lines);
    if (lines == NULL)
        return ERR_NO_MEMORY;
    memset(lines + hub->line_capacity, 0, (capacity - hub->line_capacity) * sizeof *lines);
    hub->line_cursor = hub->line_capacity;
    hub->lines = lines;
    hub->line_capacity = capacity;
    return OK;
}

err hub_table_enter(struct hub *hub, struct hub_peer *line)
{
    uint32_t *count = line->direction == HUB_INBOUND ? &hub->inbound_count : &hub->outbound_count;
    if (hub->inbound_count + hub->outbound_count >= hub->line_capacity) {
        err result = hub_grow(hub);
        if (result != OK)
            return result;
    }
    while (hub->lines[hub->line_cursor] != NULL)
        hub->line_cursor = (hub->line_cursor + 1) % hub->line_capacity;
    line->hub = hub;
    line->id = ++hub->line_counter << 16 | hub->line_cursor;
    line->heard_ms = line->asked_ms = uv_now(hub->loop);
    hub->lines[hub->line_cursor] = line;
    ++*count;
    return OK;
}

void hub_table_leave(struct hub_peer *line)
{
    struct hub *hub = line->hub;
    uint32_t *count = line->direction == HUB_INBOUND ? &hub->inbound_count : &hub->outbound_count;
    assert(hub->lines[line->id & 0xffff] == line);
    hub->lines[line->id & 0xffff] = NULL;
    --*count;
}

void hub_table_raise(struct hub_peer *line)
{
    struct hub *hub = line->hub;
    line->up = true;
    line->blocked = false;
    line->heard_ms = line->asked_ms = uv_now(hub->loop);
    if (hub->config.calls.on_up != NULL)
        hub->config.calls.on_up(hub->config.user, hub_table_link_of(line), &line->peer,
                                line->direction);
}

void hub_table_lower(struct hub_peer *line, enum hub_reason reason)
{
    struct hub *hub = line->hub;
    bool was_up = line->up;
    line->up = false;
    line->blocked = false;
    if (was_up && hub->config.calls.on_down != NULL)
        hub->config.calls.on_down(hub->config.user, hub_table_link_of(line), reason);
}

int hub_table_compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct transport_key));
}

bool hub_table_lists(const struct hub *hub, const struct transport_key *key)
{
    return hub->allowed_count != 0 && bsearch(key, hub->allowed, hub->allowed_count, sizeof *key,
                                              hub_table_compare_keys) != NULL;
}

void hub_table_release(struct hub *hub)
{
    if (--hub->references != 0)
        return;
    struct zap_authenticator *zap_authenticator = hub->zap_authenticator;
    free(hub->allowed);
    free(hub->lines);
    free(hub->listen);
    free(hub->connections);
    free(hub->seen);
    handshakes_free(hub->strangers);
    free(hub);
    zap_authenticator_close(zap_authenticator);
}

struct bytes hub_table_word(uint8_t control)
{
    static const uint8_t words[][2] = {
        [HUB_CONTROL_PING] = {HUB_CONTROL, HUB_CONTROL_PING},
        [HUB_CONTROL_PONG] = {HUB_CONTROL, HUB_CONTROL_PONG},
        [HUB_CONTROL_NOTHING] = {HUB_CONTROL, HUB_CONTROL_NOTHING},
    };
    return (struct bytes){words[control], sizeof words[control]};
}

bool hub_table_asks(struct bytes frame)
{
    return frame.size >= 2 && frame.data[1] == HUB_CONTROL_PING;
}
