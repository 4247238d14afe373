/* A batch with the memory it lies in, on its way between engine, workers and store.
 *
 * One block of heap each; counted, because a kept batch shares the bytes of the checked one. */
#ifndef CONSILIUM_NODE_RUNTIME_BATCH_BUFFER_H
#define CONSILIUM_NODE_RUNTIME_BATCH_BUFFER_H

#include <stdatomic.h>

#include "protocol/step/step.h"

struct batch_buffer {
    struct batch_buffer *next;
    struct batch_buffer *source; /* whose bytes the records borrow, counted; NULL: own */
    unsigned references;
    bool is_done;
    atomic_size_t pieces_left; /* until it is; with the workers */
    enum event_kind kind;
    struct link_id link;
    struct token token;
    err verdict;
    bool is_releasing; /* EFFECT_KEEP's */
    struct step_batch batch;
    void *owner;    /* who gave it to the workers */
    bool is_merged; /* checked as one with others, which `merged` of the first of them holds */
    struct batch_buffer *merged;
    enum step_custody custody;
    size_t letter_size;    /* of a letter or envelope, which lies in `memory` */
    uint64_t audit_number; /* of the audit entry kept with it; 0: none */
    size_t memory_size;
    uint8_t memory[]; /* runs, records, bytes */
};

struct batch_buffer_queue {
    struct batch_buffer *first;
    struct batch_buffer *last;
    size_t count;
};

/* One reference, and `size` bytes of memory behind it. NULL when there is no memory. */
struct batch_buffer *batch_buffer_new(enum event_kind kind, size_t size);
/* Copies runs and records (not the bytes they point at) into a new one with `extra` more bytes
 * behind them (batch_buffer_extra). NULL when there is no memory. */
struct batch_buffer *batch_buffer_of_batch(enum event_kind kind, const struct step_batch *batch,
                                           size_t extra);
/* The `extra` bytes. */
uint8_t *batch_buffer_extra(struct batch_buffer *batch_buffer);

/* What happened to it, as an event that borrows its memory; the clocks are not set. */
struct event batch_buffer_event(const struct batch_buffer *batch_buffer);

struct batch_buffer *batch_buffer_share(struct batch_buffer *batch_buffer);
/* Wipes keys and plaintexts with the last reference. Accepts NULL. */
void batch_buffer_drop(struct batch_buffer *batch_buffer);

void batch_buffer_queue_add(struct batch_buffer_queue *queue, struct batch_buffer *batch_buffer);
/* Takes the first off; NULL when empty. */
struct batch_buffer *batch_buffer_queue_take(struct batch_buffer_queue *queue);

#endif
