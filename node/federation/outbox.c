#include "node/federation/outbox.h"

#include <stdlib.h>
#include <string.h>

struct outbox_frame {
    struct outbox_frame *next;
    size_t size;
    uint8_t data[];
};

struct outbox_lane {
    struct link_id link; /* 0: free */
    struct outbox_frame *first;
    struct outbox_frame *last;
    size_t size;
};

struct outbox {
    struct outbox_lane lanes[LINK_COUNT_MAX];
};

struct outbox *outbox_new(void)
{
    return calloc(1, sizeof(struct outbox));
}

static struct outbox_lane *outbox_lane(struct outbox *outbox, struct link_id link)
{
    for (size_t i = 0; i < LINK_COUNT_MAX; i++) {
        if (outbox->lanes[i].link.value == link.value)
            return &outbox->lanes[i];
    }
    return NULL;
}

static void outbox_clear(struct outbox_lane *lane)
{
    while (lane->first != NULL) {
        struct outbox_frame *frame = lane->first;
        lane->first = frame->next;
        free(frame);
    }
    memset(lane, 0, sizeof *lane);
}

void outbox_free(struct outbox *outbox)
{
    for (size_t i = 0; outbox != NULL && i < LINK_COUNT_MAX; i++)
        outbox_clear(&outbox->lanes[i]);
    free(outbox);
}

static err outbox_keep(struct outbox *outbox, struct link_id link, struct bytes frame)
{
    struct outbox_lane *lane = outbox_lane(outbox, link);
    if (lane == NULL)
        lane = outbox_lane(outbox, (struct link_id){0});
    if (lane == NULL || lane->size + frame.size > OUTBOX_SIZE_MAX)
        return ERR_FULL;
    struct outbox_frame *kept = malloc(sizeof *kept + frame.size);
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

err outbox_send(struct outbox *outbox, const struct shell_links *links, struct link_id link,
                struct bytes frame)
{
    if (outbox_lane(outbox, link) != NULL)
        return outbox_keep(outbox, link, frame);
    err failure = links->send(links->arg, link, frame);
    if (failure == ERR_BUSY)
        return outbox_keep(outbox, link, frame);
    return OK; /* a link that is gone says so by itself */
}

size_t outbox_size(const struct outbox *outbox, struct link_id link)
{
    for (size_t i = 0; link.value != 0 && i < LINK_COUNT_MAX; i++) {
        if (outbox->lanes[i].link.value == link.value)
            return outbox->lanes[i].size;
    }
    return 0;
}

void outbox_drain(struct outbox *outbox, const struct shell_links *links, struct link_id link)
{
    struct outbox_lane *lane = outbox_lane(outbox, link);
    while (lane != NULL && lane->first != NULL) {
        struct outbox_frame *frame = lane->first;
        if (links->send(links->arg, link, (struct bytes){frame->data, frame->size}) == ERR_BUSY)
            return;
        lane->first = frame->next;
        lane->size -= frame->size;
        free(frame);
    }
    if (lane != NULL)
        memset(lane, 0, sizeof *lane);
}

void outbox_forget(struct outbox *outbox, struct link_id link)
{
    struct outbox_lane *lane = outbox_lane(outbox, link);
    if (lane != NULL && link.value != 0)
        outbox_clear(lane);
}
