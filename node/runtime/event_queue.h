/* What happened and was not yet dealt with: events for the engine, and results that somebody waits
 * for. Modules put them here; the driver's loop takes them out, one at a time.
 *
 * Answers (what was sealed or read, or a letter that was opened) come before everything else, as
 * step.h asks for. All others keep their order. */
#ifndef CONSILIUM_NODE_RUNTIME_EVENT_QUEUE_H
#define CONSILIUM_NODE_RUNTIME_EVENT_QUEUE_H

#include "node/runtime/batch_buffer.h"

struct event_queue;

/* One entry: a result when `on_done` is set, else an event. */
struct event_queue_entry {
    struct event event;                /* its clocks are set when it is taken out */
    struct batch_buffer *batch_buffer; /* the memory that the event's batch lies in; NULL: none */
    void (*on_done)(void *arg, err result);
    void *arg;
    err result;
};

/* NULL: no memory. */
struct event_queue *event_queue_new(void);
/* Drops what is left. Accepts NULL. */
void event_queue_free(struct event_queue *queue);

/* These end the process when there is no memory: an event lost here would leave engine and world at
 * odds. What an event points at lives until it was taken out; `batch_buffer` (may be NULL) is taken
 * over with its reference. */
void event_queue_add(struct event_queue *queue, const struct event *event,
                     struct batch_buffer *batch_buffer);
void event_queue_add_result(struct event_queue *queue, void (*on_done)(void *arg, err result),
                            void *arg, err result);
/* The event is made from the buffer (batch_buffer_event), which is taken over. */
void event_queue_add_answer(struct event_queue *queue, struct batch_buffer *batch_buffer);

/* False: nothing is left. The caller drops the entry's buffer. */
bool event_queue_take(struct event_queue *queue, struct event_queue_entry *ret_entry);
bool event_queue_is_empty(const struct event_queue *queue);

#endif
