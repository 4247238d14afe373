#include "tests/sim/parcel.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/core/examination.h"

struct parcel *parcel_of_batch(const struct step_batch *batch)
{
    size_t size = 0, room = 0;
    for (size_t i = 0; i < batch->record_count; i++) {
        size += batch->records[i].record.size + batch->records[i].plaintext.size;
        room += batch->records[i].record.size;
    }
    struct parcel *parcel = calloc(1, sizeof *parcel);
    struct step_run *runs = calloc(batch->run_count + 1, sizeof *runs);
    struct step_record *records = calloc(batch->record_count + 1, sizeof *records);
    uint8_t *memory = calloc(1, size + room + 1);
    if (parcel == NULL || runs == NULL || records == NULL || memory == NULL)
        abort();
    if (batch->run_count > 0)
        memcpy(runs, batch->runs, batch->run_count * sizeof *runs);
    memcpy(records, batch->records, batch->record_count * sizeof *records);
    parcel->batch = (struct step_batch){runs, batch->run_count, records, batch->record_count};
    parcel->memory = memory;
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
    parcel->room = buffer_over(memory, room);
    return parcel;
}

void parcel_drop(struct parcel *parcel)
{
    free(parcel->batch.runs);
    free(parcel->batch.records);
    free(parcel->memory);
    free(parcel);
}

void parcel_queue(struct parcel **queue, struct parcel *parcel)
{
    while (*queue != NULL)
        queue = &(*queue)->next;
    *queue = parcel;
}

struct parcel *parcel_unqueue(struct parcel **queue)
{
    struct parcel *parcel = *queue;
    if (parcel != NULL)
        *queue = parcel->next;
    return parcel;
}

void parcel_open(struct parcel *parcel)
{
    for (size_t i = 0; i < parcel->batch.record_count; i++)
        examination_open(&parcel->batch.records[i], &parcel->room);
}
