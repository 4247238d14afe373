/* Records on their way between the core and what is around it: copied out of the step. */
#ifndef CONSILIUM_TESTS_SIM_IN_FLIGHT_H
#define CONSILIUM_TESTS_SIM_IN_FLIGHT_H

#include "protocol/step/step.h"

struct batch_buffer {
    struct batch_buffer *next;
    struct link_id link;
    struct token token;
    struct step_batch batch;
    uint8_t *memory;
    struct buffer room; /* for opened bodies */
    err verdict;
    bool is_written;
};

/* A copy of the batch, with room to open its records. */
struct batch_buffer *batch_buffer_of_batch(const struct step_batch *batch);
void batch_buffer_drop(struct batch_buffer *batch_buffer);
void batch_buffer_queue(struct batch_buffer **queue, struct batch_buffer *batch_buffer);
/* NULL when the queue is empty. */
struct batch_buffer *in_flight_unqueue(struct batch_buffer **queue);

/* Opens each record. */
void in_flight_open(struct batch_buffer *batch_buffer);

#endif
