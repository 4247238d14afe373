/* Frames that wait because a link's queue is full. They go out in order when it has room.
 *
 * Bounded for each link: a peer that takes nothing while this much waits is hung up, and catches up
 * when it comes back: the store is the outbox that counts. */
#ifndef CONSILIUM_NODE_RUNTIME_SEND_QUEUE_H
#define CONSILIUM_NODE_RUNTIME_SEND_QUEUE_H

#include "node/runtime/runtime.h"

struct send_queue;

enum { SEND_QUEUE_SIZE_MAX = 16 * 1024 * 1024 };

struct send_queue *send_queue_new(void);
/* Accepts NULL. */
void send_queue_free(struct send_queue *send_queue);

/* Sends now, or keeps a copy. ERR_FULL: over the bound, or no memory: hang the link up. */
MUST_USE err send_queue_send(struct send_queue *send_queue, const struct runtime_links *links,
                             struct link_id link, struct bytes frame);
/* Bytes that wait for the link. */
size_t send_queue_size(const struct send_queue *send_queue, struct link_id link);
/* The link has room again. */
void send_queue_drain(struct send_queue *send_queue, const struct runtime_links *links,
                      struct link_id link);
/* The link is gone, and what waited for it. */
void send_queue_forget(struct send_queue *send_queue, struct link_id link);

#endif
