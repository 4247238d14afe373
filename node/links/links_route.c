#include "node/links/links_route.h"

#include "node/links/links_relay.h"
#include "node/os/log.h"
#include "node/roster_sync/publisher.h"

/* The relay over which a boxed session with the member is up; -1: none. */
static int links_relay_session(const struct links *links, const struct links_member *member)
{
    struct relay_choice all[LINKS_RELAY_MAX];
    for (int i = 0; i < LINKS_RELAY_MAX; i++) {
        all[i] = member->at[i].choice;
        all[i].is_up = all[i].is_up && links->relays[i].is_welcome;
    }
    int current = member->route == LINKS_BOXED ? (int)member->way_relay : -1;
    return relay_choice_best(all, LINKS_RELAY_MAX, current);
}

struct links_member *links_route_member(struct links *links, const struct transport_key *key)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        if (!ID_IS_ZERO(member->node) && ID_EQUAL(member->key, *key))
            return member;
    }
    return NULL;
}

static enum links_way links_best(const struct links *links, const struct links_member *member,
                                 uint32_t *ret_relay)
{
    int relay = links_relay_session(links, member);
    *ret_relay = relay < 0 ? 0 : (uint32_t)relay;
    if (!member->is_listed || member->quiet_until.ms > runtime_mono().ms)
        return LINKS_NONE;
    if (member->inbound.id != 0 || member->is_outbound_up)
        return LINKS_DIRECT;
    return relay < 0 ? LINKS_NONE : LINKS_BOXED;
}

static void links_choose_publisher(struct links *links, const struct links_member *publisher,
                                   struct link_id old)
{
    if (old.value != 0)
        publisher_down(links->runtime, old);
    if (publisher->link.value != 0)
        publisher_up(links->runtime, publisher->link);
}

static struct bytes links_name(const struct links *links, const struct links_member *member)
{
    const struct roster *roster = runtime_roster(links->runtime);
    const struct roster_entry *entry = roster_find(roster, &member->node);
    return entry == NULL ? BYTES_NONE : roster_name(roster, entry);
}

void links_route_lose(struct links *links, struct links_member *member, const char *why)
{
    struct link_id old = member->link;
    member->link = (struct link_id){0};
    member->route = LINKS_NONE;
    if (old.value == 0)
        return;
    log_info("member-gone", log_bytes("name", links_name(links, member)), log_text("why", why));
    driver_link_down(links->driver, old);
}

void links_route_choose(struct links *links, struct links_member *member)
{
    uint32_t relay;
    enum links_way route = links_best(links, member, &relay);
    if (route == member->route && (route != LINKS_BOXED || relay == member->way_relay))
        return;
    struct link_id old = member->link;
    member->route = route;
    member->way_relay = relay;
    member->link = (struct link_id){route == LINKS_NONE ? 0 : ++links->link_last};
    if (member->is_publisher) {
        links_choose_publisher(links, member, old);
        return;
    }
    if (route == LINKS_NONE)
        log_info("member-gone", log_bytes("name", links_name(links, member)),
                 log_text("why", member->is_listed ? "hung up here" : "no longer listed"));
    else
        log_info("member", log_bytes("name", links_name(links, member)),
                 log_text("way", route == LINKS_DIRECT ? "direct" : "relayed"));
    if (old.value != 0)
        driver_link_down(links->driver, old);
    if (member->link.value != 0)
        driver_link_up(links->driver, member->link, &member->key);
}

void links_route_heard(struct links *links, struct links_member *member, struct bytes frame)
{
    if (member->link.value == 0)
        return;
    if (member->is_publisher)
        publisher_frame(links->runtime, member->link, frame);
    else
        driver_frame(links->driver, member->link, frame);
}
