#include "node/net/hub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "node/net/hub_connection.h"
#include "node/net/hub_inbound.h"
#include "node/net/hub_instance.h"
#include "node/net/hub_outbound.h"
#include "node/net/hub_table.h"

const char *hub_reason_sentence(enum hub_reason reason)
{
    switch (reason) {
    case HUB_NO_NAME:
        return "no such name, or nobody who knows names answers";
    case HUB_UNREACHABLE:
        return "nobody listens there";
    case HUB_TIMED_OUT:
        return "no answer in time";
    case HUB_REFUSED:
        return "they do not list our key";
    case HUB_BAD_PEER:
        return "whoever answers there does not have the key that is expected";
    case HUB_DISCONNECTED:
        return "the connection ended";
    case HUB_SILENT:
        return "nothing was heard for too long";
    case HUB_REPLACED:
        return "the same key connected again";
    case HUB_DISALLOWED:
        return "the key is no longer listed";
    case HUB_VIOLATION:
        return "the peer broke the rules of the link";
    case HUB_CLOSED:
        return "closed here";
    case HUB_MOVED:
        return "the peer is to be found elsewhere";
    }
    return "unknown";
}

static void hub_say(struct hub_peer *line, uint8_t control)
{
    /* a full queue means that something is under way already, which serves as well */
    err ignored =
        line->direction == HUB_INBOUND
            ? hub_inbound_send((struct hub_inbound *)line, hub_table_word(control), BYTES_NONE)
            : hub_outbound_send((struct hub_outbound *)line, hub_table_word(control), BYTES_NONE);
    (void)ignored;
}

/* ---- who may come in ---- */

static bool hub_admits(void *user, const struct transport_key *key)
{
    struct hub *hub = user;
    bool listed = hub_table_lists(hub, key);
    hub->counts.refused += !listed;
    return listed;
}

err hub_allow(struct hub *hub, const struct transport_key *keys, size_t count)
{
    struct transport_key *copy = NULL;
    if (count != 0) {
        copy = reallocarray(NULL, count, sizeof *copy);
        if (copy == NULL)
            return ERR_NO_MEMORY;
        memcpy(copy, keys, count * sizeof *copy);
        qsort(copy, count, sizeof *copy, hub_table_compare_keys);
    }
    free(hub->allowed);
    hub->allowed = copy;
    hub->allowed_count = count;
    for (uint32_t i = 0; i < hub->line_capacity; i++) {
        struct hub_peer *line = hub->lines[i];
        if (line != NULL && line->direction == HUB_INBOUND && !hub_table_lists(hub, &line->peer))
            hub_inbound_end((struct hub_inbound *)line, HUB_DISALLOWED);
    }
    return OK;
}

/* ---- time ---- */

static void hub_sweep_line(struct hub *hub, struct hub_peer *line, uint64_t now)
{
    uint64_t quiet_ms = now - line->heard_ms;
    if (quiet_ms >= hub->config.pace.silent_ms) {
        if (line->direction == HUB_INBOUND)
            hub_inbound_end((struct hub_inbound *)line, HUB_SILENT);
        else
            hub_outbound_retry((struct hub_outbound *)line, HUB_SILENT);
    } else if (quiet_ms >= hub->config.pace.ask_ms &&
               now - line->asked_ms >= hub->config.pace.ask_ms) {
        line->asked_ms = now;
        hub_say(line, HUB_CONTROL_PING);
    }
}

static void hub_on_second(void *user)
{
    struct hub *hub = user;
    uint64_t now = uv_now(hub->loop);
    for (uint32_t i = 0; i < hub->line_capacity; i++)
        if (hub->lines[i] != NULL && hub->lines[i]->up)
            hub_sweep_line(hub, hub->lines[i], now);
    if (hub->listening)
        hub_inbound_sweep(hub);
}

/* ---- life ---- */

static uint32_t hub_or(uint32_t number, uint32_t standard)
{
    return number == 0 ? standard : number;
}

static void hub_fill(struct hub *hub, const struct hub_config *config)
{
    struct hub_config *own = &hub->config;
    *own = *config;
    own->inbound_count_max = hub_or(config->inbound_count_max, LINK_COUNT_MAX);
    own->queue_count_max = hub_or(config->queue_count_max, 64);
    own->pace.ask_ms = hub_or(config->pace.ask_ms, 15000);
    own->pace.silent_ms = hub_or(config->pace.silent_ms, 45000);
    own->pace.handshake_ms = hub_or(config->pace.handshake_ms, 5000);
    own->pace.retry_ms_min = hub_or(config->pace.retry_ms_min, 250);
    own->pace.retry_ms_max = hub_or(config->pace.retry_ms_max, 60000);
    own->pace.lookup_ms = hub_or(config->pace.lookup_ms, 5000);
    own->pace.second_ms = hub_or(config->pace.second_ms, 250);
    own->listen = NULL; /* the hub's own copy, with the ports that were found */
}

static err hub_copy_listen(struct hub *hub, const struct hub_config *config)
{
    if (config->listen_count == 0)
        return OK;
    hub->listen = reallocarray(NULL, config->listen_count, sizeof *hub->listen);
    if (hub->listen == NULL)
        return ERR_NO_MEMORY;
    memcpy(hub->listen, config->listen, config->listen_count * sizeof *hub->listen);
    return hub_inbound_open(hub);
}

err hub_new(struct zap_authenticator *zap_authenticator, const struct hub_config *config,
            struct hub **ret_hub)
{
    struct hub *hub = sodium_init() < 0 ? NULL : calloc(1, sizeof *hub);
    if (hub == NULL)
        return ERR_NO_MEMORY;
    hub->zap_authenticator = zap_authenticator;
    hub->loop = zap_authenticator_watches(zap_authenticator)->loop;
    hub->references = 1;
    hub_fill(hub, config);
    hub_instance_begin(hub);
    hub->door.admits = hub_admits;
    hub->door.on_second = hub_on_second;
    hub->door.user = hub;
    zap_authenticator_open(zap_authenticator, &hub->door);
    err result = hub_copy_listen(hub, config);
    if (result != OK) {
        hub_free(hub);
        return result;
    }
    hub->counts = (struct hub_counts){0};
    *ret_hub = hub;
    return OK;
}

void hub_free(struct hub *hub)
{
    if (hub == NULL)
        return;
    hub->freeing = true;
    hub->config.calls = (struct hub_calls){0};
    zap_authenticator_shut(hub->zap_authenticator, &hub->door);
    for (uint32_t i = 0; i < hub->line_capacity; i++)
        if (hub->lines[i] != NULL)
            hub_close(hub, hub_table_link_of(hub->lines[i]));
    if (hub->listening)
        hub_inbound_close(hub);
    hub_table_release(hub);
}

/* ---- the caller's side ---- */

err hub_dial(struct hub *hub, const struct address *address, const struct transport_key *peer,
             struct hub_link *ret_link)
{
    if (!address_dialable(address))
        return ERR_INVALID;
    if (hub->outbound_count >= HUB_OUTBOUND_COUNT_MAX)
        return ERR_FULL;
    return hub_outbound_open(hub, address, peer, ret_link);
}

err hub_redirect(struct hub *hub, struct hub_link link, const struct address *addresses,
                 size_t count)
{
    struct hub_peer *line = hub_table_find(hub, link);
    if (line == NULL || line->direction != HUB_OUTBOUND)
        return ERR_NOT_FOUND;
    return hub_outbound_redirect((struct hub_outbound *)line, addresses, count);
}

err hub_send_two(struct hub *hub, struct hub_link link, struct bytes head, struct bytes rest)
{
    struct hub_peer *line = hub_table_find(hub, link);
    if (line == NULL || !line->up)
        return ERR_NOT_FOUND;
    size_t size = head.size + rest.size;
    if (size == 0 || size > HUB_FRAME_SIZE_MAX ||
        (head.size != 0 ? head.data[0] : rest.data[0]) == HUB_CONTROL)
        return ERR_INVALID;
    if (line->blocked) {
        hub->counts.busy++;
        return ERR_BUSY;
    }
    err result = line->direction == HUB_INBOUND
                     ? hub_inbound_send((struct hub_inbound *)line, head, rest)
                     : hub_outbound_send((struct hub_outbound *)line, head, rest);
    if (result == ERR_BUSY) {
        line->blocked = true;
        hub->blocked_count += line->direction == HUB_INBOUND;
        hub->counts.busy++;
    } else if (result == OK) {
        hub->counts.frames_out++;
    }
    return result;
}

err hub_send(struct hub *hub, struct hub_link link, struct bytes frame)
{
    return hub_send_two(hub, link, frame, BYTES_NONE);
}

void hub_close(struct hub *hub, struct hub_link link)
{
    struct hub_peer *line = hub_table_find(hub, link);
    if (line == NULL)
        return;
    if (line->direction == HUB_INBOUND)
        hub_inbound_end((struct hub_inbound *)line, HUB_CLOSED);
    else
        hub_outbound_end((struct hub_outbound *)line, HUB_CLOSED);
}

bool hub_link_up(const struct hub *hub, struct hub_link link)
{
    const struct hub_peer *line = hub_table_find(hub, link);
    return line != NULL && line->up;
}

bool hub_dialing(const struct hub *hub, struct hub_link link, struct hub_dialing *ret_dialing)
{
    const struct hub_peer *line = hub_table_find(hub, link);
    if (line == NULL || line->direction != HUB_OUTBOUND)
        return false;
    *ret_dialing = ((const struct hub_outbound *)line)->dialing;
    ret_dialing->is_up = line->up;
    return true;
}

struct address hub_address(const struct hub *hub, size_t index)
{
    assert(index < hub->config.listen_count);
    return hub->listen[index];
}

struct hub_counts hub_counts(const struct hub *hub)
{
    return hub->counts;
}
