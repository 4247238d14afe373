#include "node/federation/parcel.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct parcel *parcel_new(enum event_kind kind, size_t size)
{
    struct parcel *parcel = malloc(sizeof *parcel + size);
    if (parcel == NULL)
        return NULL;
    memset(parcel, 0, sizeof *parcel);
    parcel->references = 1;
    parcel->kind = kind;
    parcel->memory_size = size;
    return parcel;
}

struct parcel *parcel_of_batch(enum event_kind kind, const struct step_batch *batch, size_t extra)
{
    size_t runs_size = batch->run_count * sizeof *batch->runs;
    size_t records_size = batch->record_count * sizeof *batch->records;
    struct parcel *parcel = parcel_new(kind, runs_size + records_size + extra);
    if (parcel == NULL)
        return NULL;
    parcel->batch = (struct step_batch){.runs = (void *)parcel->memory,
                                        .run_count = batch->run_count,
                                        .records = (void *)(parcel->memory + runs_size),
                                        .record_count = batch->record_count};
    if (runs_size > 0)
        memcpy(parcel->batch.runs, batch->runs, runs_size);
    if (records_size > 0)
        memcpy(parcel->batch.records, batch->records, records_size);
    return parcel;
}

uint8_t *parcel_extra(struct parcel *parcel)
{
    return parcel->memory + parcel->batch.run_count * sizeof *parcel->batch.runs +
           parcel->batch.record_count * sizeof *parcel->batch.records;
}

struct parcel *parcel_share(struct parcel *parcel)
{
    parcel->references++;
    return parcel;
}

void parcel_drop(struct parcel *parcel)
{
    if (parcel == NULL || --parcel->references > 0)
        return;
    parcel_drop(parcel->source);
    sodium_memzero(parcel->memory, parcel->memory_size);
    free(parcel);
}

void parcel_queue_add(struct parcel_queue *queue, struct parcel *parcel)
{
    parcel->next = NULL;
    if (queue->last == NULL)
        queue->first = parcel;
    else
        queue->last->next = parcel;
    queue->last = parcel;
    queue->count++;
}

struct parcel *parcel_queue_take(struct parcel_queue *queue)
{
    struct parcel *parcel = queue->first;
    if (parcel == NULL)
        return NULL;
    queue->first = parcel->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    return parcel;
}
