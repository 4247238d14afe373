#include "protocol/base/queue.h"

#include <assert.h>

void queue_append(struct queue *queue, struct queue_node *nodes, uint32_t index)
{
    assert(index != 0 && !nodes[index].linked);
    nodes[index] = (struct queue_node){.previous = queue->last, .next = 0, .linked = true};
    if (queue->last != 0)
        nodes[queue->last].next = index;
    else
        queue->first = index;
    queue->last = index;
    queue->count++;
}

void queue_remove(struct queue *queue, struct queue_node *nodes, uint32_t index)
{
    assert(index != 0 && nodes[index].linked && queue->count > 0);
    struct queue_node node = nodes[index];
    if (node.previous != 0)
        nodes[node.previous].next = node.next;
    else
        queue->first = node.next;
    if (node.next != 0)
        nodes[node.next].previous = node.previous;
    else
        queue->last = node.previous;
    nodes[index] = (struct queue_node){0};
    queue->count--;
}

void queue_rotate(struct queue *queue, struct queue_node *nodes)
{
    uint32_t first = queue->first;
    if (queue->count < 2)
        return;
    queue_remove(queue, nodes, first);
    queue_append(queue, nodes, first);
}
