#include "node/runtime/event_queue.h"

#include <stdlib.h>

struct event_queue_link {
    struct event_queue_link *next;
    struct event_queue_entry entry;
};

struct event_queue {
    struct batch_buffer_queue answers;
    struct event_queue_link *first;
    struct event_queue_link **end;
};

struct event_queue *event_queue_new(void)
{
    struct event_queue *queue = calloc(1, sizeof *queue);
    if (queue != NULL)
        queue->end = &queue->first;
    return queue;
}

void event_queue_free(struct event_queue *queue)
{
    struct event_queue_entry entry;
    while (queue != NULL && event_queue_take(queue, &entry))
        batch_buffer_drop(entry.batch_buffer);
    free(queue);
}

static void event_queue_append(struct event_queue *queue, const struct event_queue_entry *entry)
{
    struct event_queue_link *link = malloc(sizeof *link);
    if (link == NULL)
        abort();
    link->next = NULL;
    link->entry = *entry;
    *queue->end = link;
    queue->end = &link->next;
}

void event_queue_add(struct event_queue *queue, const struct event *event,
                     struct batch_buffer *batch_buffer)
{
    event_queue_append(queue,
                       &(struct event_queue_entry){.event = *event, .batch_buffer = batch_buffer});
}

void event_queue_add_result(struct event_queue *queue, void (*on_done)(void *arg, err result),
                            void *arg, err result)
{
    event_queue_append(
        queue, &(struct event_queue_entry){.on_done = on_done, .arg = arg, .result = result});
}

void event_queue_add_answer(struct event_queue *queue, struct batch_buffer *batch_buffer)
{
    batch_buffer_queue_add(&queue->answers, batch_buffer);
}

bool event_queue_take(struct event_queue *queue, struct event_queue_entry *ret_entry)
{
    struct batch_buffer *answer = batch_buffer_queue_take(&queue->answers);
    struct event_queue_link *link = queue->first;
    if (answer != NULL) {
        *ret_entry =
            (struct event_queue_entry){.event = batch_buffer_event(answer), .batch_buffer = answer};
        return true;
    }
    if (link == NULL)
        return false;
    queue->first = link->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    *ret_entry = link->entry;
    free(link);
    return true;
}

bool event_queue_is_empty(const struct event_queue *queue)
{
    return queue->first == NULL && queue->answers.first == NULL;
}
