#include "tests/sim/in_flight.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/replication/batch_verify.h"

struct batch_buffer *batch_buffer_of_batch(const struct step_batch *batch)
{
    size_t size = 0, room = 0;
    for (size_t i = 0; i < batch->record_count; i++) {
        size += batch->records[i].record.size + batch->records[i].plaintext.size;
        room += batch->records[i].record.size;
    }
    struct batch_buffer *batch_buffer = calloc(1, sizeof *batch_buffer);
    struct step_run *runs = calloc(batch->run_count + 1, sizeof *runs);
    struct step_record *records = calloc(batch->record_count + 1, sizeof *records);
    uint8_t *memory = calloc(1, size + room + 1);
    if (batch_buffer == NULL || runs == NULL || records == NULL || memory == NULL)
        abort();
    if (batch->run_count > 0)
        memcpy(runs, batch->runs, batch->run_count * sizeof *runs);
    memcpy(records, batch->records, batch->record_count * sizeof *records);
    batch_buffer->batch = (struct step_batch){runs, batch->run_count, records, batch->record_count};
    batch_buffer->memory = memory;
    for (size_t i = 0; i < batch->record_count; i++) {
        struct step_record *record = &records[i];
        if (record->record.size > 0)
            memcpy(memory, batch->records[i].record.data, record->record.size);
        record->record.data = memory;
        memory += record->record.size;
        if (record->plaintext.size > 0)
            memcpy(memory, batch->records[i].plaintext.data, record->plaintext.size);
        record->plaintext.data = memory;
        memory += record->plaintext.size;
    }
    batch_buffer->room = buffer_over(memory, room);
    return batch_buffer;
}

void batch_buffer_drop(struct batch_buffer *batch_buffer)
{
    free(batch_buffer->batch.runs);
    free(batch_buffer->batch.records);
    free(batch_buffer->memory);
    free(batch_buffer);
}

void batch_buffer_queue(struct batch_buffer **queue, struct batch_buffer *batch_buffer)
{
    while (*queue != NULL)
        queue = &(*queue)->next;
    *queue = batch_buffer;
}

struct batch_buffer *in_flight_unqueue(struct batch_buffer **queue)
{
    struct batch_buffer *batch_buffer = *queue;
    if (batch_buffer != NULL)
        *queue = batch_buffer->next;
    return batch_buffer;
}

void in_flight_open(struct batch_buffer *batch_buffer)
{
    for (size_t i = 0; i < batch_buffer->batch.record_count; i++)
        batch_verify_open(&batch_buffer->batch.records[i], &batch_buffer->room);
}
