/* Carrying new heads and their content to the members that are connected to a relay, over boxed
 * sessions: the relay sees that the publisher talks to them, and nothing else.
 *
 * A member asks what is newer than its own (FRAME_HEADS_WANT); it gets the heads, then a delta from
 * the head before or a snapshot; it asks once more when it has taken them, and that counts as
 * reached. Everything runs on the loop of society_publish.c. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_COURIER_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_COURIER_H

#include "bootstrap/society_folder.h"
#include "protocol/link/boxed.h"

struct society_courier;

/* Borrowed until society_courier_free. */
struct society_courier_config {
    const struct society *society;
    const uint64_t *epochs; /* of the heads, founding first */
    uint32_t epoch_count;
    struct boxed_identity identity; /* the publisher's */
    const struct transport_key *relays;
    uint32_t relay_count;
    /* Whether a box of this size may be forwarded now; it is then charged. */
    bool (*may_send)(void *arg, uint32_t relay, const struct transport_key *to, size_t size);
    void (*send)(void *arg, uint32_t relay, const struct transport_key *to, struct bytes box);
    struct mono (*now)(void *arg);
    void *arg;
};

/* NULL when memory is short. */
struct society_courier *society_courier_new(const struct society_courier_config *config);
/* Accepts NULL. */
void society_courier_free(struct society_courier *courier);

/* What a relay said. */
void society_courier_present(struct society_courier *courier, uint32_t relay,
                             const struct transport_key *key, bool connected);
void society_courier_box(struct society_courier *courier, uint32_t relay,
                         const struct transport_key *from, struct bytes box);
void society_courier_lost(struct society_courier *courier, uint32_t relay,
                          const struct transport_key *key);
void society_courier_relay_down(struct society_courier *courier, uint32_t relay);

/* Time passed, or there is credit again: goes on. */
void society_courier_go_on(struct society_courier *courier);

struct society_courier_counts {
    uint32_t connected; /* members seen at a relay */
    uint32_t reached;   /* have the last head with its content */
    uint32_t pending;   /* connected, not reached, and still worth trying */
};
struct society_courier_counts society_courier_counts(const struct society_courier *courier);

#endif
