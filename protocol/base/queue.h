/* Lists of numbered things, in order of arrival, for rooms that live in a slab: a thing is an index
 * from 1, and each list that it may stand in has a node for it in an array of its own. A zeroed
 * queue is empty, a zeroed node stands nowhere. */
#ifndef CONSILIUM_PROTOCOL_BASE_QUEUE_H
#define CONSILIUM_PROTOCOL_BASE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct queue {
    uint32_t first;
    uint32_t last;
    uint32_t count;
};

struct queue_node {
    uint32_t previous;
    uint32_t next;
    bool linked;
};

/* `nodes[index]` must stand in no queue. */
void queue_append(struct queue *queue, struct queue_node *nodes, uint32_t index);

/* `nodes[index]` must stand in this queue. */
void queue_remove(struct queue *queue, struct queue_node *nodes, uint32_t index);

/* The first becomes the last. */
void queue_rotate(struct queue *queue, struct queue_node *nodes);

#endif
