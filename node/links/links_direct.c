#include "node/links/links_direct.h"

#include <assert.h>

#include "node/links/links_route.h"

/* It names no endpoint any more. */
static void links_direct_undial(struct links *links, struct links_member *member)
{
    if (member->outbound.id != 0)
        hub_close(links->hub, member->outbound); /* with links_direct_down, if it was up */
    member->outbound = (struct hub_link){0};
}

/* The endpoints of a member that can be dialed. */
static size_t links_direct_addresses(const struct roster *roster, const struct roster_entry *entry,
                                     struct address ret_addresses[static ENDPOINT_COUNT_MAX])
{
    struct member full;
    size_t count = 0;
    roster_member(roster, entry, &full);
    for (uint32_t i = 0; i < full.endpoint_count; i++)
        if (address_parse(full.endpoints[i], &ret_addresses[count]) == OK &&
            address_dialable(&ret_addresses[count]))
            count++;
    return count;
}

/* Dials a member where the roster says that it is, also when it said something else before. */
void links_direct_dial(struct links *links, struct links_member *member)
{
    const struct roster *roster = runtime_roster(links->runtime);
    const struct roster_entry *entry = roster_find(roster, &member->node);
    struct address addresses[ENDPOINT_COUNT_MAX];
    if (entry == NULL || member->quiet_until.ms > runtime_mono().ms)
        return;
    size_t count = links_direct_addresses(roster, entry, addresses);
    if (count == 0) {
        links_direct_undial(links, member);
        return;
    }
    if (member->outbound.id == 0 &&
        hub_dial(links->hub, &addresses[0], &member->key, &member->outbound) != OK) {
        member->outbound = (struct hub_link){0};
        return;
    }
    err redirected = hub_redirect(links->hub, member->outbound, addresses, count);
    assert(redirected == OK); /* they were looked at, and the link is there */
    (void)redirected;
}

struct links_member *links_direct_member(struct links *links, struct hub_link link)
{
    for (size_t i = 0; link.id != 0 && i < LINK_COUNT_MAX; i++) {
        struct links_member *member = &links->members[i];
        if (member->inbound.id == link.id || member->outbound.id == link.id)
            return member;
    }
    return NULL;
}

void links_direct_up(struct links *links, struct hub_link link, const struct transport_key *key,
                     enum hub_direction direction)
{
    struct links_member *member = links_route_member(links, key);
    if (member == NULL)
        return;
    if (direction == HUB_INBOUND)
        member->inbound = link;
    else
        member->is_outbound_up = true;
    member->told.is_told = false;
    links_route_choose(links, member);
}

bool links_direct_down(struct links *links, struct hub_link link, enum hub_reason reason)
{
    struct links_member *member = links_direct_member(links, link);
    if (member == NULL)
        return false;
    bool was_used = member->route == LINKS_DIRECT &&
                    (member->is_outbound_up ? member->outbound.id : member->inbound.id) == link.id;
    if (member->inbound.id == link.id)
        member->inbound = (struct hub_link){0};
    else
        member->is_outbound_up = false;
    /* what was under way on it is lost: the other direct link counts as another way */
    if (was_used)
        links_route_lose(links, member, hub_reason_sentence(reason));
    links_route_choose(links, member);
    return true;
}

void links_direct_close(struct links *links, struct links_member *member)
{
    struct hub_link inbound = member->inbound, outbound = member->outbound;
    member->inbound = (struct hub_link){0};
    member->outbound = (struct hub_link){0};
    member->is_outbound_up = false;
    if (inbound.id != 0)
        hub_close(links->hub, inbound);
    if (outbound.id != 0)
        hub_close(links->hub, outbound);
}
