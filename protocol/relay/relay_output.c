#include "protocol/relay/relay_output.h"

#include <assert.h>

static void relay_output_status(struct buffer *buffer, enum relay_code code,
                                const struct transport_key *key, uint32_t value)
{
    static const struct transport_key nobody;
    struct relay_frame frame = {
        .type = RELAY_STATUS, .code = code, .key = key != NULL ? *key : nobody, .value = value};
    relay_frame_write(&frame, buffer);
}

static void relay_output_welcome(const struct relay_engine *relay, struct buffer *buffer)
{
    struct relay_frame frame = {
        .type = RELAY_WELCOME,
        .version_min = RELAY_VERSION,
        .version_max = RELAY_VERSION,
        .federation = relay->config.federation,
        .head = relay->head,
        .limits = relay->config.limits,
    };
    relay_frame_write(&frame, buffer);
}

static uint32_t relay_output_limit(const struct relay_limits *limits, enum relay_limit limit)
{
    switch (limit) {
    case RELAY_LIMIT_NONE:
        return 0;
    case RELAY_LIMIT_SESSIONS:
        return limits->session_count;
    case RELAY_LIMIT_WATCHES:
        return limits->watch_count;
    case RELAY_LIMIT_CONTROL:
        return limits->control_count;
    case RELAY_LIMIT_PUBLISH:
        return limits->publish_size;
    }
    return 0;
}

static void relay_output_pending(const struct relay_engine *relay, struct relay_engine_link *link,
                                 struct buffer *buffer)
{
    const struct relay_engine_pending *pending = &link->pending[--link->pending_count];
    struct relay_frame frame = {
        .type = RELAY_STATUS,
        .code = RELAY_LIMITED,
        .limit = pending->limit,
        .key = pending->key,
        .units = pending->units,
        .value = relay_output_limit(&relay->config.limits, pending->limit),
    };
    relay_frame_write(&frame, buffer);
}

/* The endpoints that a connected peer offers; none when it is not connected or offers none. */
static void relay_output_hints(const struct relay_engine *relay, struct relay_engine_link *link,
                               struct buffer *buffer)
{
    struct relay_frame frame = {.type = RELAY_HINTS, .key = link->where[--link->where_count]};
    uint32_t peer = relay_links_connected(relay, &frame.key);
    if (peer != 0) {
        const struct relay_engine_link *offering = &relay->links[peer];
        frame.endpoints.count = offering->endpoint_count;
        for (uint8_t i = 0; i < offering->endpoint_count; i++)
            frame.endpoints.text[i] =
                (struct bytes){offering->endpoint[i], offering->endpoint_size[i]};
    }
    relay_frame_write(&frame, buffer);
}

static bool relay_output_own(struct relay_engine *relay, struct relay_engine_link *link,
                             struct mono now, struct buffer *buffer)
{
    if (link->welcome) {
        link->welcome = false;
        relay_output_welcome(relay, buffer);
    } else if (link->draining) {
        uint64_t left = relay->drain_at.ms > now.ms ? relay->drain_at.ms - now.ms : 0;
        link->draining = false;
        relay_output_status(buffer, RELAY_DRAINING, NULL, (uint32_t)left);
    } else if (link->head) {
        link->head = false;
        relay_frame_write(&(struct relay_frame){.type = RELAY_HEAD, .head = relay->head}, buffer);
    } else if (link->published) {
        struct relay_frame frame = {.type = RELAY_PUBLISHED,
                                    .result = (uint16_t)link->published_result,
                                    .head = relay->head};
        link->published = false;
        relay_frame_write(&frame, buffer);
    } else if (link->pending_count > 0) {
        relay_output_pending(relay, link, buffer);
    } else if (link->where_count > 0) {
        relay_output_hints(relay, link, buffer);
    } else {
        return false;
    }
    return true;
}

static bool relay_output_connected(const void *user, const struct transport_key *key)
{
    return relay_links_connected(user, key) != 0;
}

static bool relay_output_shared(struct relay_engine *relay, uint32_t link, struct buffer *buffer)
{
    struct relay_entry entries[PRESENCE_TAKE_MAX];
    struct forward_queue_status status;
    if (forward_queue_take_status(&relay->forward_queue, link, &status)) {
        struct relay_frame frame = {
            .type = RELAY_STATUS, .code = status.code, .key = status.key, .units = status.units};
        if (status.code == RELAY_GONE)
            relay->counts.gone++;
        else
            relay->counts.busy++;
        relay_frame_write(&frame, buffer);
        return true;
    }
    uint16_t count =
        forward_queue_take_credit(&relay->forward_queue, link, entries, PRESENCE_TAKE_MAX);
    if (count > 0) {
        relay_frame_write_list(RELAY_CREDIT, entries, count, buffer);
        return true;
    }
    count = presence_take(&relay->presence, link, relay_output_connected, relay, entries);
    if (count > 0)
        relay_frame_write_list(RELAY_PRESENCE, entries, count, buffer);
    return count > 0;
}

bool relay_output_write(struct relay_engine *relay, uint32_t index, struct mono now,
                        struct buffer *buffer)
{
    struct relay_engine_link *link = &relay->links[index];
    bool written;
    if (link->state == RELAY_ENGINE_LEAVING) {
        written = link->refusal != 0;
        if (written)
            relay_output_status(buffer, RELAY_REFUSED, NULL, link->refusal);
        link->refusal = 0;
    } else {
        written =
            relay_output_own(relay, link, now, buffer) || relay_output_shared(relay, index, buffer);
    }
    assert(!buffer->failed);
    return written;
}
