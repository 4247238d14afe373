/* Records on their way between the core and what is around it: copied out of the step. */
#ifndef CONSILIUM_TESTS_SIM_PARCEL_H
#define CONSILIUM_TESTS_SIM_PARCEL_H

#include "protocol/core/step.h"

struct parcel {
    struct parcel *next;
    struct link_id link;
    struct token token;
    struct step_batch batch;
    uint8_t *memory;
    struct buffer room; /* for opened bodies */
    err verdict;
    bool is_written;
};

/* A copy of the batch, with room to open its records. */
struct parcel *parcel_of_batch(const struct step_batch *batch);
void parcel_drop(struct parcel *parcel);
void parcel_queue(struct parcel **queue, struct parcel *parcel);
/* NULL when the queue is empty. */
struct parcel *parcel_unqueue(struct parcel **queue);

/* Opens each record. */
void parcel_open(struct parcel *parcel);

#endif
