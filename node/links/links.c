#include "node/links/links.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/links/links_direct.h"
#include "node/links/links_internal.h"
#include "node/links/links_relay.h"
#include "node/links/links_route.h"
#include "node/os/log.h"
#include "node/roster_sync/publisher.h"

static struct links_member *links_of_runtime(struct links *links, struct link_id link)
{
    for (size_t i = 0; link.value != 0 && i < LINK_COUNT_MAX; i++) {
        if (links->members[i].link.value == link.value)
            return &links->members[i];
    }
    return NULL;
}

/* ---- the way ---- */

/* ---- what the runtime calls ---- */

static err links_send(void *arg, struct link_id link, struct bytes frame)
{
    struct links *links = arg;
    struct links_member *member = links_of_runtime(links, link);
    if (member == NULL)
        return ERR_NOT_FOUND;
    if (member->route == LINKS_BOXED)
        return links_relay_send(links, member, frame);
    struct hub_link direct = member->is_outbound_up ? member->outbound : member->inbound;
    return hub_send(links->hub, direct, frame);
}

static void links_hang_up(void *arg, struct link_id link)
{
    struct links *links = arg;
    struct links_member *member = links_of_runtime(links, link);
    if (member == NULL)
        return;
    member->quiet_until.ms = runtime_mono().ms + LINKS_QUIET_MS;
    links_direct_close(links, member);
    links_relay_hang_up(links, member);
    links_route_choose(links, member);
}

/* ---- the members ---- */

static struct links_member *links_add(struct links *links, const struct node_id *node)
{
    struct links_member *place = NULL;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        if (ID_EQUAL(member->node, *node))
            return member;
        if (place == NULL && ID_IS_ZERO(member->node))
            place = member;
    }
    if (place != NULL)
        place->node = *node;
    return place;
}

static void links_drop(struct links *links, struct links_member *member)
{
    links_direct_close(links, member);
    links_relay_hang_up(links, member);
    links_route_choose(links, member);
    links_relay_forget(member);
    memset(member, 0, sizeof *member);
}

/* Publishers come through relays; they go first, so that a full table has room for them. */
static void links_add_publishers(struct links *links, const struct settings *settings)
{
    for (uint32_t i = 0; i < settings->publisher_count; i++) {
        const struct transport_key *key = &settings->publishers[i];
        struct node_id node;
        memcpy(node.bytes, key->bytes, sizeof node.bytes);
        struct links_member *publisher = links_add(links, &node);
        if (publisher == NULL)
            continue;
        publisher->key = *key;
        publisher->is_publisher = true;
        publisher->is_listed = true;
    }
}

/* Whoever the roster admits, but for ourselves, is of interest, as far as the table reaches. */
static void links_refresh(struct links *links)
{
    const struct roster *roster = runtime_roster(links->runtime);
    struct transport_key keys[LINK_COUNT_MAX];
    size_t count = 0;
    for (size_t i = 0; i < LINK_COUNT_MAX; i++)
        links->members[i].is_listed = false;
    if (roster_current_head(roster) != NULL)
        links_add_publishers(links, roster_settings(roster));
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        if (entry->state != MEMBER_ADMITTED ||
            ID_EQUAL(entry->node_id, runtime_settings(links->runtime)->self))
            continue;
        struct links_member *member = links_add(links, &entry->node_id);
        if (member == NULL)
            continue;
        if (!ID_IS_ZERO(member->key) && !ID_EQUAL(member->key, entry->transport_key)) {
            links_drop(links, member); /* its keys were rotated */
            member->node = entry->node_id;
        }
        member->key = entry->transport_key;
        member->is_listed = true;
        keys[count++] = entry->transport_key;
    }
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        if (!ID_IS_ZERO(member->node) && !member->is_listed)
            links_drop(links, member);
    }
    if (hub_allow(links->hub, keys, count) != OK)
        log_error("not-enough-memory", log_text("for", "the list of members"));
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (links->members[i].is_listed && !links->members[i].is_publisher)
            links_direct_dial(links, &links->members[i]);
    }
    links_relay_refresh(links);
}

static void links_roster_changed(void *arg)
{
    links_refresh(arg);
}

/* ---- the hub's calls ---- */

static void links_on_up(void *user, struct hub_link link, const struct transport_key *peer,
                        enum hub_direction direction)
{
    struct links *links = user;
    struct links_relay_state *relay = links_relay_of_link(links, link);
    if (relay != NULL)
        links_relay_up(links, relay);
    else
        links_direct_up(links, link, peer, direction);
}

static void links_on_frame(void *user, struct hub_link link, struct bytes frame)
{
    struct links *links = user;
    struct links_relay_state *relay = links_relay_of_link(links, link);
    if (relay != NULL) {
        links_relay_frame(links, relay, frame);
        return;
    }
    struct links_member *member = links_direct_member(links, link);
    if (member != NULL)
        links_route_heard(links, member, frame);
}

static void links_on_down(void *user, struct hub_link link, enum hub_reason reason)
{
    struct links *links = user;
    struct links_relay_state *relay = links_relay_of_link(links, link);
    if (relay != NULL) {
        log_warn("relay-down", log_hex("relay", ID_BYTES(relay->key)),
                 log_text("why", hub_reason_sentence(reason)));
        links_relay_down(links, relay);
        return;
    }
    (void)links_direct_down(links, link, reason);
}

static bool links_is_news(struct links_told *told, enum hub_reason reason)
{
    bool is_news = !told->is_told || told->reason != reason;
    *told = (struct links_told){true, reason};
    return is_news;
}

static void links_on_failed(void *user, struct hub_link link, enum hub_reason reason)
{
    struct links *links = user;
    const struct roster *roster = runtime_roster(links->runtime);
    struct links_relay_state *relay = links_relay_of_link(links, link);
    struct links_member *member = relay == NULL ? links_direct_member(links, link) : NULL;
    const char *why = hub_reason_sentence(reason);
    if (relay != NULL && links_is_news(&relay->told, reason))
        log_info("relay-not-reached", log_hex("relay", ID_BYTES(relay->key)), log_text("why", why));
    if (member == NULL || !links_is_news(&member->told, reason))
        return;
    const struct roster_entry *entry = roster_find(roster, &member->node);
    log_info("member-not-reached",
             log_bytes("name", entry == NULL ? BYTES_NONE : roster_name(roster, entry)),
             log_text("why", why));
}

static void links_on_second(void *user, struct hub_link link)
{
    struct links *links = user;
    (void)link;
    driver_second(links->driver);
}

static void links_on_drained(void *user, struct hub_link link)
{
    struct links *links = user;
    struct links_relay_state *relay = links_relay_of_link(links, link);
    if (relay != NULL) {
        links_relay_drained(links, relay);
        return;
    }
    struct links_member *member = links_direct_member(links, link);
    if (member != NULL && member->link.value != 0)
        runtime_link_drained(links->runtime, member->link);
}

/* Does whoever is found at the other end of the link not list our key? */
static bool links_refuses(const struct links *links, struct hub_link link)
{
    struct hub_dialing dialing;
    return link.id != 0 && hub_dialing(links->hub, link, &dialing) && !dialing.is_up &&
           dialing.has_failed && dialing.reason == HUB_REFUSED;
}

/* One alone proves nothing: its list may be older than the roster. */
static bool links_is_refused(const struct links *links)
{
    size_t relays = 0, refusing_relays = 0, members = 0, refusing_members = 0;
    for (size_t i = 0; i < LINKS_RELAY_MAX; i++) {
        const struct links_relay_state *relay = &links->relays[i];
        relays += ID_IS_ZERO(relay->key) ? 0 : 1;
        refusing_relays += links_refuses(links, relay->link) ? 1 : 0;
    }
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct links_member *member = &links->members[i];
        if (member->link.value != 0)
            return false;
        members += member->outbound.id != 0 ? 1 : 0;
        refusing_members += links_refuses(links, member->outbound) ? 1 : 0;
    }
    return relays > 0 ? refusing_relays == relays : members > 0 && refusing_members == members;
}

static void links_on_tick(uv_timer_t *timer)
{
    struct links *links = timer->data;
    runtime_set_refused(links->runtime, links_is_refused(links));
    links_relay_tick(links);
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        if (!member->is_listed || member->quiet_until.ms > runtime_mono().ms)
            continue;
        if (member->quiet_until.ms != 0) {
            member->quiet_until = (struct mono){0};
            if (!member->is_publisher)
                links_direct_dial(links, member);
        }
        links_route_choose(links, member);
    }
}

/* ---- life ---- */

err links_new(const struct links_config *config, struct links **ret_links)
{
    struct links *links = calloc(1, sizeof *links);
    if (links == NULL)
        return ERR_NO_MEMORY;
    links->driver = config->driver;
    links->runtime = driver_runtime(config->driver);
    links->identity = (struct tunnel_identity){
        .federation = runtime_settings(links->runtime)->federation,
        .local = config->public_key,
        .local_secret = config->secret_key,
    };
    struct hub_config hub = {
        .public_key = config->public_key,
        .secret_key = config->secret_key,
        .listen = config->listen,
        .listen_count = config->listen_count,
        .calls = {.on_up = links_on_up,
                  .on_frame = links_on_frame,
                  .on_down = links_on_down,
                  .on_drained = links_on_drained,
                  .on_failed = links_on_failed,
                  .on_second = links_on_second},
        .user = links,
    };
    err failure = hub_new(config->zap_authenticator, &hub, &links->hub);
    if (failure != OK) {
        free(links);
        return failure;
    }
    uv_timer_init(config->loop, &links->tick);
    links->tick.data = links;
    uv_timer_start(&links->tick, links_on_tick, LINKS_TICK_MS, LINKS_TICK_MS);
    struct runtime_links face = {links_send, links_hang_up, links_roster_changed, links};
    runtime_attach_links(links->runtime, &face);
    links_refresh(links);
    *ret_links = links;
    return OK;
}

static void links_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void links_free(struct links *links)
{
    if (links == NULL)
        return;
    struct runtime_links nothing = {0};
    runtime_attach_links(links->runtime, &nothing);
    for (size_t i = 0; i < LINK_COUNT_MAX; i++)
        links_relay_forget(&links->members[i]);
    for (size_t i = 0; i < LINKS_RELAY_MAX; i++)
        links_relay_down(links, &links->relays[i]);
    hub_free(links->hub);
    sodium_memzero(&links->box_step, sizeof links->box_step);
    uv_close((uv_handle_t *)&links->tick, links_on_closed);
}

/* ---- for screens ---- */

enum links_way links_way(const struct links *links, const struct node_id *node,
                         struct transport_key *ret_relay)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        const struct links_member *member = &links->members[i];
        if (!ID_EQUAL(member->node, *node))
            continue;
        if (member->route == LINKS_BOXED && ret_relay != NULL)
            *ret_relay = links->relays[member->way_relay].key;
        return member->route;
    }
    return LINKS_NONE;
}

/* A time of the loop, by the clock on the wall. */
static struct wall links_wall(const struct links *links, uint64_t loop_ms)
{
    uint64_t now = uv_now(links->tick.loop);
    return (struct wall){loop_ms == 0 ? 0 : runtime_wall().ms + loop_ms - now};
}

static struct links_tries links_tries(const struct links *links, struct hub_link link)
{
    struct hub_dialing dialing;
    if (!hub_dialing(links->hub, link, &dialing))
        return (struct links_tries){.why = NULL};
    bool is_in_vain = !dialing.is_up && dialing.has_failed;
    return (struct links_tries){
        .last = links_wall(links, dialing.tried_at_ms),
        .last_success = links_wall(links, dialing.succeeded_at_ms),
        .next = links_wall(links, dialing.next_at_ms),
        .why = is_in_vain ? hub_reason_sentence(dialing.reason) : NULL,
    };
}

bool links_relay(const struct links *links, uint32_t n, struct links_relay *ret_relay)
{
    if (n >= LINKS_RELAY_MAX || ID_IS_ZERO(links->relays[n].key))
        return false;
    const struct links_relay_state *relay = &links->relays[n];
    *ret_relay = (struct links_relay){relay->key, relay->is_welcome, relay->epoch,
                                      links_tries(links, relay->link)};
    return true;
}

bool links_member_tries(const struct links *links, uint32_t n, struct node_id *ret_node,
                        struct links_tries *ret_tries)
{
    if (n >= LINK_COUNT_MAX)
        return false;
    *ret_node = links->members[n].node;
    *ret_tries = links_tries(links, links->members[n].outbound);
    return true;
}
