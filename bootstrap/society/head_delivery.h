/* Carries new heads and their content to the members that are connected to a relay, over tunnels:
 * the relay sees that the publisher talks to a member, and nothing else.
 *
 * A member asks what is newer than its own (FRAME_HEADS_WANT); it gets the heads, then a delta from
 * the head before or a snapshot; it asks once more when it has accepted them, and that counts as
 * reached. Everything runs on the loop of society_publish.c. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_HEAD_DELIVERY_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_HEAD_DELIVERY_H

#include "bootstrap/directory/society_directory.h"
#include "protocol/wire/tunnel.h"

struct head_delivery;

/* Borrowed until head_delivery_free. */
struct head_delivery_config {
    const struct society *society;
    const uint64_t *epochs; /* of the heads, founding first */
    uint32_t epoch_count;
    struct tunnel_identity identity; /* the publisher's */
    const struct transport_key *relays;
    uint32_t relay_count;
    /* True when a box of this size may be forwarded now; it is then charged. */
    bool (*may_send)(void *arg, uint32_t relay, const struct transport_key *to, size_t size);
    void (*send)(void *arg, uint32_t relay, const struct transport_key *to, struct bytes box);
    struct mono (*now)(void *arg);
    void *arg;
};

/* NULL when memory is short. */
struct head_delivery *head_delivery_new(const struct head_delivery_config *config);
/* Accepts NULL. */
void head_delivery_free(struct head_delivery *delivery);

/* What a relay reported. */
void head_delivery_present(struct head_delivery *delivery, uint32_t relay,
                           const struct transport_key *key, bool connected);
void head_delivery_box(struct head_delivery *delivery, uint32_t relay,
                       const struct transport_key *from, struct bytes box);
void head_delivery_lost(struct head_delivery *delivery, uint32_t relay,
                        const struct transport_key *key);
void head_delivery_relay_down(struct head_delivery *delivery, uint32_t relay);

/* Continues: call it when time has passed or there is credit again. */
void head_delivery_go_on(struct head_delivery *delivery);

struct head_delivery_counts {
    uint32_t connected; /* members seen at a relay */
    uint32_t reached;   /* have the last head with its content */
    uint32_t pending;   /* connected, not reached, and still worth trying */
};
struct head_delivery_counts head_delivery_counts(const struct head_delivery *delivery);

#endif
