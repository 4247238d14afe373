#include "protocol/relay/relay_input.h"

#include <string.h>

enum { RELAY_ENGINE_MINUTE_MS = 60 * 1000 };

static void relay_input_malformed(struct relay_engine *relay, uint32_t link, struct mono now)
{
    relay->counts.malformed++;
    if (++relay->links[link].malformed >= RELAY_ENGINE_MALFORMED_MAX)
        relay_links_refuse(relay, link, RELAY_REFUSED_MALFORMED, now);
}

/* A link that continues to send requests without waiting for answers ignores its limits: it is
 * closed. */
static void relay_input_limited(struct relay_engine *relay, uint32_t link,
                                const struct relay_engine_pending *pending, struct mono now)
{
    struct relay_engine_link *limited = &relay->links[link];
    relay->counts.limited++;
    for (uint8_t i = 0; i < limited->pending_count; i++) {
        struct relay_engine_pending *same = &limited->pending[i];
        if (same->limit == pending->limit && ID_EQUAL(same->key, pending->key)) {
            same->units += pending->units;
            return;
        }
    }
    if (limited->pending_count == RELAY_ENGINE_PENDING_MAX) {
        relay_links_refuse(relay, link, RELAY_REFUSED_MALFORMED, now);
        return;
    }
    limited->pending[limited->pending_count++] = *pending;
    relay_links_mark(relay, link);
}

static void relay_input_over(struct relay_engine *relay, uint32_t link, enum relay_limit limit,
                             struct mono now)
{
    relay_input_limited(relay, link, &(struct relay_engine_pending){.limit = limit}, now);
}

/* (L-14): a control frame costs one minute's share of the published count, a list more. */
static bool relay_input_pays(struct relay_engine *relay, uint32_t link, uint32_t frames,
                             struct mono now)
{
    struct relay_engine_link *payer = &relay->links[link];
    const uint64_t full = (uint64_t)relay->config.limits.control_count * RELAY_ENGINE_MINUTE_MS;
    uint64_t passed = now.ms - payer->budget_at.ms;
    uint64_t gained =
        passed >= RELAY_ENGINE_MINUTE_MS ? full : passed * relay->config.limits.control_count;
    payer->budget = payer->budget + gained > full ? full : payer->budget + gained;
    payer->budget_at = now;
    if (payer->budget < (uint64_t)frames * RELAY_ENGINE_MINUTE_MS) {
        relay_input_over(relay, link, RELAY_LIMIT_CONTROL, now);
        return false;
    }
    payer->budget -= (uint64_t)frames * RELAY_ENGINE_MINUTE_MS;
    return true;
}

static void relay_input_hello(struct relay_engine *relay, uint32_t link,
                              const struct relay_frame *frame, struct mono now)
{
    struct relay_engine_link *greeting = &relay->links[link];
    if (greeting->state != RELAY_ENGINE_JOINED) {
        relay_input_malformed(relay, link, now);
    } else if (frame->version_min > RELAY_VERSION || frame->version_max < RELAY_VERSION) {
        relay_links_refuse(relay, link, RELAY_REFUSED_VERSION, now);
    } else if (!ID_EQUAL(frame->federation, relay->config.federation)) {
        relay_links_refuse(relay, link, RELAY_REFUSED_FEDERATION, now);
    } else {
        greeting->state = RELAY_ENGINE_GREETED;
        greeting->welcome = true;
        greeting->draining = relay->drains;
        relay_links_mark(relay, link);
        presence_came(&relay->presence, &greeting->key);
    }
}

static void relay_input_list(struct relay_engine *relay, uint32_t link,
                             const struct relay_frame *frame, struct mono now)
{
    if (!relay_input_pays(relay, link, 1 + frame->count / 32u, now))
        return;
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        if (frame->type == RELAY_UNWATCH) {
            presence_unwatch(&relay->presence, link, &entry.key);
        } else if (presence_watch(&relay->presence, link, &entry.key) != OK) {
            relay_input_over(relay, link, RELAY_LIMIT_WATCHES, now);
            return;
        }
    }
}

static void relay_input_offer(struct relay_engine *relay, uint32_t link,
                              const struct relay_frame *frame, struct mono now)
{
    struct relay_engine_link *offering = &relay->links[link];
    if (!relay_input_pays(relay, link, 1, now))
        return;
    offering->endpoint_count = frame->endpoints.count;
    for (uint8_t i = 0; i < frame->endpoints.count; i++) {
        struct bytes text = frame->endpoints.text[i];
        offering->endpoint_size[i] = (uint8_t)text.size;
        memcpy(offering->endpoint[i], text.data, text.size);
    }
}

static void relay_input_where(struct relay_engine *relay, uint32_t link,
                              const struct relay_frame *frame, struct mono now)
{
    struct relay_engine_link *asking = &relay->links[link];
    if (!relay_input_pays(relay, link, 1, now))
        return;
    if (asking->where_count == RELAY_ENGINE_PENDING_MAX) {
        relay_input_over(relay, link, RELAY_LIMIT_CONTROL, now);
        return;
    }
    asking->where[asking->where_count++] = frame->key;
    relay_links_mark(relay, link);
}

static void relay_input_forward(struct relay_engine *relay, uint32_t link,
                                const struct relay_frame *frame, struct mono now)
{
    uint32_t to = relay_links_connected(relay, &frame->key);
    if (to == link) {
        relay_input_malformed(relay, link, now);
        return;
    }
    enum forward_queue_answer answer =
        forward_queue_push(&relay->forward_queue, link, to, &frame->key, frame->body);
    if (answer == FORWARD_QUEUE_SESSIONS) {
        struct relay_engine_pending pending = {.key = frame->key,
                                               .limit = RELAY_LIMIT_SESSIONS,
                                               .units = relay_frame_units(frame->body.size)};
        relay_input_limited(relay, link, &pending, now);
    }
    uint32_t queued = forward_queue_queued_units(&relay->forward_queue);
    if (queued > relay->counts.queued_units_max)
        relay->counts.queued_units_max = queued;
}

/* ---- a publisher's chain ---- */

static err relay_input_upload_part(struct relay_engine *relay, uint32_t link,
                                   const struct relay_frame *frame, struct mono now)
{
    struct relay_engine_upload *upload = &relay->upload;
    uint64_t id = relay->links[link].id;
    bool idle = now.ms - upload->at.ms >= RELAY_ENGINE_UPLOAD_MS && !upload->verifying;
    if (upload->link != 0 && (upload->link != id || upload->verifying) && !idle)
        return ERR_BUSY;
    if (frame->total > relay->config.limits.publish_size)
        return ERR_TOO_LARGE;
    if (frame->offset == 0) {
        upload->link = id;
        upload->total = frame->total;
        upload->size = 0;
        upload->ready = false;
    }
    if (upload->link != id || frame->offset != upload->size || frame->total != upload->total)
        return ERR_OUT_OF_ORDER;
    memcpy(upload->memory + upload->size, frame->body.data, frame->body.size);
    upload->size += (uint32_t)frame->body.size;
    upload->at = now;
    upload->ready = upload->size == upload->total;
    return OK;
}

/* (L-22): only a key that the current list names as a publisher's may offer a list. */
static void relay_input_publish(struct relay_engine *relay, uint32_t link,
                                const struct relay_frame *frame, struct mono now)
{
    bool publisher = false;
    if (!relay_links_admits(relay, &relay->links[link].key, &publisher) || !publisher) {
        relay_links_published(relay, link, ERR_NOT_ENTITLED);
        relay_input_malformed(relay, link, now);
        return;
    }
    err result = relay_input_upload_part(relay, link, frame, now);
    if (result == ERR_TOO_LARGE)
        relay_input_over(relay, link, RELAY_LIMIT_PUBLISH, now);
    else if (result != OK)
        relay_links_published(relay, link, result);
}

void relay_input_frame(struct relay_engine *relay, uint32_t link, struct bytes bytes,
                       struct mono now)
{
    struct relay_frame frame;
    relay->counts.frames_in++;
    bool greeted = relay->links[link].state == RELAY_ENGINE_GREETED;
    if (relay_frame_parse(bytes, &frame) != OK || (!greeted && frame.type != RELAY_HELLO)) {
        relay_input_malformed(relay, link, now);
        return;
    }
    switch (frame.type) {
    case RELAY_HELLO:
        relay_input_hello(relay, link, &frame, now);
        return;
    case RELAY_WATCH:
    case RELAY_UNWATCH:
        relay_input_list(relay, link, &frame, now);
        return;
    case RELAY_OFFER:
        relay_input_offer(relay, link, &frame, now);
        return;
    case RELAY_WHERE:
        relay_input_where(relay, link, &frame, now);
        return;
    case RELAY_FORWARD:
        relay_input_forward(relay, link, &frame, now);
        return;
    case RELAY_PUBLISH:
        relay_input_publish(relay, link, &frame, now);
        return;
    case RELAY_WELCOME:
    case RELAY_PRESENCE:
    case RELAY_HINTS:
    case RELAY_DELIVER:
    case RELAY_CREDIT:
    case RELAY_STATUS:
    case RELAY_HEAD:
    case RELAY_PUBLISHED:
        relay_input_malformed(relay, link, now);
        return;
    }
}
