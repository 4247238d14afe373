#include "node/runtime/batch_buffer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct batch_buffer *batch_buffer_new(enum event_kind kind, size_t size)
{
    struct batch_buffer *batch_buffer = malloc(sizeof *batch_buffer + size);
    if (batch_buffer == NULL)
        return NULL;
    memset(batch_buffer, 0, sizeof *batch_buffer);
    batch_buffer->references = 1;
    batch_buffer->kind = kind;
    batch_buffer->memory_size = size;
    return batch_buffer;
}

struct batch_buffer *batch_buffer_of_batch(enum event_kind kind, const struct step_batch *batch,
                                           size_t extra)
{
    size_t runs_size = batch->run_count * sizeof *batch->runs;
    size_t records_size = batch->record_count * sizeof *batch->records;
    struct batch_buffer *batch_buffer = batch_buffer_new(kind, runs_size + records_size + extra);
    if (batch_buffer == NULL)
        return NULL;
    batch_buffer->batch = (struct step_batch){.runs = (void *)batch_buffer->memory,
                                              .run_count = batch->run_count,
                                              .records = (void *)(batch_buffer->memory + runs_size),
                                              .record_count = batch->record_count};
    if (runs_size > 0)
        memcpy(batch_buffer->batch.runs, batch->runs, runs_size);
    if (records_size > 0)
        memcpy(batch_buffer->batch.records, batch->records, records_size);
    return batch_buffer;
}

uint8_t *batch_buffer_extra(struct batch_buffer *batch_buffer)
{
    return batch_buffer->memory + batch_buffer->batch.run_count * sizeof *batch_buffer->batch.runs +
           batch_buffer->batch.record_count * sizeof *batch_buffer->batch.records;
}

struct event batch_buffer_event(const struct batch_buffer *batch_buffer)
{
    struct event event = {.kind = batch_buffer->kind,
                          .link = batch_buffer->link,
                          .token = batch_buffer->token,
                          .verdict = batch_buffer->verdict,
                          .custody = batch_buffer->custody};
    if (batch_buffer->kind != EVENT_CUSTODY)
        event.batch = batch_buffer->batch;
    else
        event.letter = (struct bytes){batch_buffer->memory, batch_buffer->letter_size};
    return event;
}

struct batch_buffer *batch_buffer_share(struct batch_buffer *batch_buffer)
{
    batch_buffer->references++;
    return batch_buffer;
}

void batch_buffer_drop(struct batch_buffer *batch_buffer)
{
    if (batch_buffer == NULL || --batch_buffer->references > 0)
        return;
    batch_buffer_drop(batch_buffer->source);
    sodium_memzero(batch_buffer->memory, batch_buffer->memory_size);
    free(batch_buffer);
}

void batch_buffer_queue_add(struct batch_buffer_queue *queue, struct batch_buffer *batch_buffer)
{
    batch_buffer->next = NULL;
    if (queue->last == NULL)
        queue->first = batch_buffer;
    else
        queue->last->next = batch_buffer;
    queue->last = batch_buffer;
    queue->count++;
}

struct batch_buffer *batch_buffer_queue_take(struct batch_buffer_queue *queue)
{
    struct batch_buffer *batch_buffer = queue->first;
    if (batch_buffer == NULL)
        return NULL;
    queue->first = batch_buffer->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    return batch_buffer;
}
