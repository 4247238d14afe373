/* A batch with the memory it lies in, on its way between core, workers and store.
 *
 * One block of heap each; counted, because a kept batch shares the bytes of the checked one. */
#ifndef CONSILIUM_NODE_FEDERATION_PARCEL_H
#define CONSILIUM_NODE_FEDERATION_PARCEL_H

#include <stdatomic.h>

#include "protocol/core/step.h"

struct parcel {
    struct parcel *next;
    struct parcel *source; /* whose bytes the records borrow, counted; NULL: own */
    unsigned references;
    bool is_done;
    atomic_size_t pieces_left; /* until it is; with the workers */
    enum event_kind kind;
    struct link_id link;
    struct token token;
    err verdict;
    bool is_releasing; /* EFFECT_KEEP's */
    struct step_batch batch;
    void *owner; /* the shell */
    enum step_custody custody;
    size_t letter_size;    /* of a letter or envelope, which lies in `memory` */
    uint64_t audit_number; /* of the audit entry kept with it; 0: none */
    size_t memory_size;
    uint8_t memory[]; /* runs, records, bytes */
};

struct parcel_queue {
    struct parcel *first;
    struct parcel *last;
    size_t count;
};

/* One reference, and `size` bytes of memory behind it. NULL when there is no memory. */
struct parcel *parcel_new(enum event_kind kind, size_t size);
/* Copies runs and records (not the bytes they point at) into a new parcel with `extra` more bytes
 * behind them (parcel_extra). NULL when there is no memory. */
struct parcel *parcel_of_batch(enum event_kind kind, const struct step_batch *batch, size_t extra);
/* The `extra` bytes. */
uint8_t *parcel_extra(struct parcel *parcel);

struct parcel *parcel_share(struct parcel *parcel);
/* Wipes keys and plaintexts with the last reference. Accepts NULL. */
void parcel_drop(struct parcel *parcel);

void parcel_queue_add(struct parcel_queue *queue, struct parcel *parcel);
/* Takes the first off; NULL when empty. */
struct parcel *parcel_queue_take(struct parcel_queue *queue);

#endif
