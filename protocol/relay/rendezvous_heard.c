#include "protocol/relay/rendezvous_heard.h"

#include <string.h>

enum { RENDEZVOUS_MINUTE_MS = 60 * 1000 };

static void rendezvous_heard_malformed(struct rendezvous *relay, uint32_t link, struct mono now)
{
    relay->counts.malformed++;
    if (++relay->links[link].malformed >= RENDEZVOUS_MALFORMED_MAX)
        rendezvous_state_refuse(relay, link, RELAY_REFUSED_MALFORMED, now);
}

/* Who asks on although it is not answered is not listening to its limits: it goes. */
static void rendezvous_heard_limited(struct rendezvous *relay, uint32_t link,
                                     const struct rendezvous_pending *pending, struct mono now)
{
    struct rendezvous_link *limited = &relay->links[link];
    relay->counts.limited++;
    for (uint8_t i = 0; i < limited->pending_count; i++) {
        struct rendezvous_pending *same = &limited->pending[i];
        if (same->limit == pending->limit && ID_EQUAL(same->key, pending->key)) {
            same->units += pending->units;
            return;
        }
    }
    if (limited->pending_count == RENDEZVOUS_PENDING_MAX) {
        rendezvous_state_refuse(relay, link, RELAY_REFUSED_MALFORMED, now);
        return;
    }
    limited->pending[limited->pending_count++] = *pending;
    rendezvous_state_tell(relay, link);
}

static void rendezvous_heard_over(struct rendezvous *relay, uint32_t link, enum relay_limit limit,
                                  struct mono now)
{
    rendezvous_heard_limited(relay, link, &(struct rendezvous_pending){.limit = limit}, now);
}

/* (L-14): a control frame costs one minute's share of the published count, a list more. */
static bool rendezvous_heard_pays(struct rendezvous *relay, uint32_t link, uint32_t frames,
                                  struct mono now)
{
    struct rendezvous_link *payer = &relay->links[link];
    const uint64_t full = (uint64_t)relay->config.limits.control_count * RENDEZVOUS_MINUTE_MS;
    uint64_t passed = now.ms - payer->budget_at.ms;
    uint64_t gained =
        passed >= RENDEZVOUS_MINUTE_MS ? full : passed * relay->config.limits.control_count;
    payer->budget = payer->budget + gained > full ? full : payer->budget + gained;
    payer->budget_at = now;
    if (payer->budget < (uint64_t)frames * RENDEZVOUS_MINUTE_MS) {
        rendezvous_heard_over(relay, link, RELAY_LIMIT_CONTROL, now);
        return false;
    }
    payer->budget -= (uint64_t)frames * RENDEZVOUS_MINUTE_MS;
    return true;
}

static void rendezvous_heard_hello(struct rendezvous *relay, uint32_t link,
                                   const struct relay_frame *frame, struct mono now)
{
    struct rendezvous_link *greeting = &relay->links[link];
    if (greeting->state != RENDEZVOUS_JOINED) {
        rendezvous_heard_malformed(relay, link, now);
    } else if (frame->version_min > RELAY_VERSION || frame->version_max < RELAY_VERSION) {
        rendezvous_state_refuse(relay, link, RELAY_REFUSED_VERSION, now);
    } else if (!ID_EQUAL(frame->federation, relay->config.federation)) {
        rendezvous_state_refuse(relay, link, RELAY_REFUSED_FEDERATION, now);
    } else {
        greeting->state = RENDEZVOUS_GREETED;
        greeting->welcome = true;
        greeting->draining = relay->drains;
        rendezvous_state_tell(relay, link);
        presence_came(&relay->presence, &greeting->key);
    }
}

static void rendezvous_heard_list(struct rendezvous *relay, uint32_t link,
                                  const struct relay_frame *frame, struct mono now)
{
    if (!rendezvous_heard_pays(relay, link, 1 + frame->count / 32u, now))
        return;
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        if (frame->type == RELAY_UNWATCH) {
            presence_unwatch(&relay->presence, link, &entry.key);
        } else if (presence_watch(&relay->presence, link, &entry.key) != OK) {
            rendezvous_heard_over(relay, link, RELAY_LIMIT_WATCHES, now);
            return;
        }
    }
}

static void rendezvous_heard_offer(struct rendezvous *relay, uint32_t link,
                                   const struct relay_frame *frame, struct mono now)
{
    struct rendezvous_link *offering = &relay->links[link];
    if (!rendezvous_heard_pays(relay, link, 1, now))
        return;
    offering->endpoint_count = frame->endpoints.count;
    for (uint8_t i = 0; i < frame->endpoints.count; i++) {
        struct bytes text = frame->endpoints.text[i];
        offering->endpoint_size[i] = (uint8_t)text.size;
        memcpy(offering->endpoint[i], text.data, text.size);
    }
}

static void rendezvous_heard_where(struct rendezvous *relay, uint32_t link,
                                   const struct relay_frame *frame, struct mono now)
{
    struct rendezvous_link *asking = &relay->links[link];
    if (!rendezvous_heard_pays(relay, link, 1, now))
        return;
    if (asking->where_count == RENDEZVOUS_PENDING_MAX) {
        rendezvous_heard_over(relay, link, RELAY_LIMIT_CONTROL, now);
        return;
    }
    asking->where[asking->where_count++] = frame->key;
    rendezvous_state_tell(relay, link);
}

static void rendezvous_heard_forward(struct rendezvous *relay, uint32_t link,
                                     const struct relay_frame *frame, struct mono now)
{
    uint32_t to = rendezvous_state_connected(relay, &frame->key);
    if (to == link) {
        rendezvous_heard_malformed(relay, link, now);
        return;
    }
    enum traffic_answer answer = traffic_push(&relay->traffic, link, to, &frame->key, frame->body);
    if (answer == TRAFFIC_SESSIONS) {
        struct rendezvous_pending pending = {.key = frame->key,
                                             .limit = RELAY_LIMIT_SESSIONS,
                                             .units = relay_frame_units(frame->body.size)};
        rendezvous_heard_limited(relay, link, &pending, now);
    }
    uint32_t queued = traffic_queued_units(&relay->traffic);
    if (queued > relay->counts.queued_units_max)
        relay->counts.queued_units_max = queued;
}

/* ---- a publisher's chain ---- */

static err rendezvous_heard_upload_part(struct rendezvous *relay, uint32_t link,
                                        const struct relay_frame *frame, struct mono now)
{
    struct rendezvous_upload *upload = &relay->upload;
    uint64_t id = relay->links[link].id;
    bool idle = now.ms - upload->at.ms >= RENDEZVOUS_UPLOAD_MS && !upload->verifying;
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
static void rendezvous_heard_publish(struct rendezvous *relay, uint32_t link,
                                     const struct relay_frame *frame, struct mono now)
{
    bool publisher = false;
    if (!rendezvous_state_admits(relay, &relay->links[link].key, &publisher) || !publisher) {
        rendezvous_state_published(relay, link, ERR_NOT_ENTITLED);
        rendezvous_heard_malformed(relay, link, now);
        return;
    }
    err result = rendezvous_heard_upload_part(relay, link, frame, now);
    if (result == ERR_TOO_LARGE)
        rendezvous_heard_over(relay, link, RELAY_LIMIT_PUBLISH, now);
    else if (result != OK)
        rendezvous_state_published(relay, link, result);
}

void rendezvous_heard_frame(struct rendezvous *relay, uint32_t link, struct bytes bytes,
                            struct mono now)
{
    struct relay_frame frame;
    relay->counts.frames_in++;
    bool greeted = relay->links[link].state == RENDEZVOUS_GREETED;
    if (relay_frame_parse(bytes, &frame) != OK || (!greeted && frame.type != RELAY_HELLO)) {
        rendezvous_heard_malformed(relay, link, now);
        return;
    }
    switch (frame.type) {
    case RELAY_HELLO:
        rendezvous_heard_hello(relay, link, &frame, now);
        return;
    case RELAY_WATCH:
    case RELAY_UNWATCH:
        rendezvous_heard_list(relay, link, &frame, now);
        return;
    case RELAY_OFFER:
        rendezvous_heard_offer(relay, link, &frame, now);
        return;
    case RELAY_WHERE:
        rendezvous_heard_where(relay, link, &frame, now);
        return;
    case RELAY_FORWARD:
        rendezvous_heard_forward(relay, link, &frame, now);
        return;
    case RELAY_PUBLISH:
        rendezvous_heard_publish(relay, link, &frame, now);
        return;
    case RELAY_WELCOME:
    case RELAY_PRESENCE:
    case RELAY_HINTS:
    case RELAY_DELIVER:
    case RELAY_CREDIT:
    case RELAY_STATUS:
    case RELAY_HEAD:
    case RELAY_PUBLISHED:
        rendezvous_heard_malformed(relay, link, now);
        return;
    }
}
