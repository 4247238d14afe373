/* Frames that wait because a link's queue is full. They go out in order when it has room.
 *
 * Bounded for each link: a peer that takes nothing while this much waits is hung up, and catches up
 * when it comes back: the store is the outbox that counts. */
#ifndef CONSILIUM_NODE_FEDERATION_OUTBOX_H
#define CONSILIUM_NODE_FEDERATION_OUTBOX_H

#include "node/federation/shell.h"

struct outbox;

enum { OUTBOX_SIZE_MAX = 16 * 1024 * 1024 };

struct outbox *outbox_new(void);
/* Accepts NULL. */
void outbox_free(struct outbox *outbox);

/* Sends now, or keeps a copy. ERR_FULL: over the bound, or no memory: hang the link up. */
MUST_USE err outbox_send(struct outbox *outbox, const struct shell_links *links,
                         struct link_id link, struct bytes frame);
/* Bytes that wait for the link. */
size_t outbox_size(const struct outbox *outbox, struct link_id link);
/* The link has room again. */
void outbox_drain(struct outbox *outbox, const struct shell_links *links, struct link_id link);
/* The link is gone, and what waited for it. */
void outbox_forget(struct outbox *outbox, struct link_id link);

#endif
