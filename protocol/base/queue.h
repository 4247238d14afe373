/* Queues of numbered elements in an arena, in order of arrival. An element is an index from 1. Each
 * queue that it may be in has a node for it in an array of its own. A zeroed queue is empty; a
 * zeroed node is in no queue. */
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

/* `nodes[index]` must be in no queue. */
void queue_append(struct queue *queue, struct queue_node *nodes, uint32_t index);

/* `nodes[index]` must be in this queue. */
void queue_remove(struct queue *queue, struct queue_node *nodes, uint32_t index);

/* Moves the first element to the end. */
void queue_rotate(struct queue *queue, struct queue_node *nodes);

#endif
