#include "node/net/hub_lookup.h"

#include <stdlib.h>

#include "node/net/hub_table.h"

enum { HUB_FOUND_COUNT_MAX = 16 }; /* addresses of one name that are looked at */

/* Outlives its owner until it is answered: what libuv's threads have begun is not called off. */
struct hub_lookup {
    uv_getaddrinfo_t request;
    struct hub *hub;
    struct hub_outbound *owner; /* NULL: given up */
    uint16_t port;
    void (*on_found)(struct hub_outbound *outbound, const struct addrinfo *found, uint16_t port);
};

static void hub_lookup_on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct hub_lookup *lookup = request->data;
    struct hub *hub = lookup->hub;
    if (lookup->owner != NULL)
        lookup->on_found(lookup->owner, status == 0 ? found : NULL, lookup->port);
    uv_freeaddrinfo(found);
    free(lookup);
    hub_table_release(hub);
}

struct hub_lookup *hub_lookup_begin(struct hub_outbound *outbound, const struct address *address,
                                    void (*on_found)(struct hub_outbound *outbound,
                                                     const struct addrinfo *found, uint16_t port))
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct hub *hub = outbound->line.hub;
    struct hub_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return NULL;
    *lookup = (struct hub_lookup){
        .hub = hub, .owner = outbound, .port = address->port, .on_found = on_found};
    lookup->request.data = lookup;
    if (uv_getaddrinfo(hub->loop, &lookup->request, hub_lookup_on_answer, address->host, NULL,
                       &hints) != 0) {
        free(lookup);
        return NULL;
    }
    hub->references++;
    return lookup;
}

void hub_lookup_forget(struct hub_lookup *lookup)
{
    lookup->owner = NULL;
    (void)uv_cancel((uv_req_t *)&lookup->request);
}

size_t hub_lookup_pick(const struct addrinfo *found, unsigned round, uint16_t port,
                       struct address ret_picked[static HUB_RACE_COUNT])
{
    const struct addrinfo *families[2][HUB_FOUND_COUNT_MAX];
    unsigned counts[2] = {0, 0};
    const struct addrinfo *picked[HUB_RACE_COUNT] = {NULL, NULL};
    int first = found == NULL ? AF_UNSPEC : found->ai_family;
    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
        unsigned family = a->ai_family != first;
        if (counts[family] < HUB_FOUND_COUNT_MAX)
            families[family][counts[family]++] = a;
    }
    if (counts[0] == 0)
        return 0;
    picked[0] = families[0][round % counts[0]];
    if (counts[1] != 0)
        picked[1] = families[1][round % counts[1]];
    else if (counts[0] > 1)
        picked[1] = families[0][(round + 1) % counts[0]];
    size_t count = 0;
    for (size_t i = 0; i < HUB_RACE_COUNT; i++) {
        struct address *address = &ret_picked[count];
        *address = (struct address){.port = port, .literal = true};
        if (picked[i] == NULL ||
            getnameinfo(picked[i]->ai_addr, picked[i]->ai_addrlen, address->host,
                        sizeof address->host, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        address->v6 = picked[i]->ai_family == AF_INET6;
        count++;
    }
    return count;
}
