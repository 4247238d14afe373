#include "node/runtime/send_queue.h"

#include <stdlib.h>
#include <string.h>

struct send_queue_frame {
    struct send_queue_frame *next;
    size_t size;
    uint8_t data[];
};

struct send_queue_lane {
    struct link_id link; /* 0: free */
    struct send_queue_frame *first;
    struct send_queue_frame *last;
    size_t size;
};

struct send_queue {
    struct send_queue_lane lanes[LINK_COUNT_MAX];
};

struct send_queue *send_queue_new(void)
{
    return calloc(1, sizeof(struct send_queue));
}

static struct send_queue_lane *send_queue_lane(struct send_queue *send_queue, struct link_id link)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (send_queue->lanes[i].link.value == link.value)
            return &send_queue->lanes[i];
    }
    return NULL;
}

static void send_queue_clear(struct send_queue_lane *lane)
{
    while (lane->first != NULL) {
        struct send_queue_frame *frame = lane->first;
        lane->first = frame->next;
        free(frame);
    }
    memset(lane, 0, sizeof *lane);
}

void send_queue_free(struct send_queue *send_queue)
{
    for (size_t i = 0; send_queue != NULL && i < LINK_COUNT_MAX; i++)
        send_queue_clear(&send_queue->lanes[i]);
    free(send_queue);
}

static err send_queue_keep(struct send_queue *send_queue, struct link_id link, struct bytes frame)
{
    struct send_queue_lane *lane = send_queue_lane(send_queue, link);
    if (lane == NULL)
        lane = send_queue_lane(send_queue, (struct link_id){0});
    if (lane == NULL || lane->size + frame.size > SEND_QUEUE_SIZE_MAX)
        return ERR_FULL;
    struct send_queue_frame *kept = malloc(sizeof *kept + frame.size);
    if (kept == NULL)
        return ERR_FULL;
    kept->next = NULL;
    kept->size = frame.size;
    memcpy(kept->data, frame.data, frame.size);
    lane->link = link;
    lane->size += frame.size;
    if (lane->last == NULL)
        lane->first = kept;
    else
        lane->last->next = kept;
    lane->last = kept;
    return OK;
}

err send_queue_send(struct send_queue *send_queue, const struct runtime_links *links,
                    struct link_id link, struct bytes frame)
{
    if (send_queue_lane(send_queue, link) != NULL)
        return send_queue_keep(send_queue, link, frame);
    err failure = links->send(links->arg, link, frame);
    if (failure == ERR_BUSY)
        return send_queue_keep(send_queue, link, frame);
    return OK; /* a link that is gone says so by itself */
}

size_t send_queue_size(const struct send_queue *send_queue, struct link_id link)
{
    for (size_t i = 0; link.value != 0 && i < LINK_COUNT_MAX; i++) {
        if (send_queue->lanes[i].link.value == link.value)
            return send_queue->lanes[i].size;
    }
    return 0;
}

void send_queue_drain(struct send_queue *send_queue, const struct runtime_links *links,
                      struct link_id link)
{
    struct send_queue_lane *lane = send_queue_lane(send_queue, link);
    while (lane != NULL && lane->first != NULL) {
        struct send_queue_frame *frame = lane->first;
        if (links->send(links->arg, link, (struct bytes){frame->data, frame->size}) == ERR_BUSY)
            return;
        lane->first = frame->next;
        lane->size -= frame->size;
        free(frame);
    }
    if (lane != NULL)
        memset(lane, 0, sizeof *lane);
}

void send_queue_forget(struct send_queue *send_queue, struct link_id link)
{
    struct send_queue_lane *lane = send_queue_lane(send_queue, link);
    if (lane != NULL && link.value != 0)
        send_queue_clear(lane);
}
