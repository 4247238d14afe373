#include "tests/sim/parcel.h"

#include <stdlib.h>
#include <string.h>

struct parcel *parcel_of_batch(const struct step_batch *batch)
{
    size_t size = 0;
    for (size_t i = 0; i < batch->record_count; i++)
        size += 2 * batch->records[i].record.size + batch->records[i].plaintext.size;
    struct parcel *parcel = calloc(1, sizeof *parcel);
    struct step_run *runs = calloc(batch->run_count + 1, sizeof *runs);
    struct step_record *records = calloc(batch->record_count + 1, sizeof *records);
    uint8_t *memory = calloc(1, size + 1);
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
        memory += 2 * record->record.size; /* room to open it */
        if (record->plaintext.size > 0)
            memcpy(memory, batch->records[i].plaintext.data, record->plaintext.size);
        record->plaintext.data = memory;
        memory += record->plaintext.size;
    }
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

/* ---- crypto, with the meaning of node/crypto.c ---- */

void parcel_open(struct step_record *record)
{
    struct record_claim claim;
    record->verdict = record_parse(record->record, &claim);
    if (record->verdict != OK || (record->flags & RECORD_BARE) != 0)
        return;
    record->verdict = record_check_body(&claim);
    if (record->verdict != OK || (record->flags & RECORD_KEYLESS) != 0)
        return;
    if (claim.header.audience != AUDIENCE_CLEAR) {
        record->verdict = record_check_key(&claim, &record->key);
        if (record->verdict != OK)
            return;
    }
    uint8_t *room = (uint8_t *)(uintptr_t)record->record.data + record->record.size;
    struct buffer out = buffer_over(room, record->record.size);
    err failure = record_open(&claim, record->has_key ? &record->key : NULL, &out);
    record->verdict = failure == OK ? OK : ERR_MALFORMED;
    if (failure == OK)
        record->plaintext = buffer_bytes(&out);
}

void parcel_verify(struct parcel *parcel)
{
    struct step_record *record = parcel->batch.records;
    for (size_t i = 0; i < parcel->batch.run_count; i++) {
        struct step_run *run = &parcel->batch.runs[i];
        struct record_claim claim;
        run->verdict = OK;
        if (!run->is_fill)
            run->verdict = record_parse(record[run->count - 1].record, &claim);
        if (!run->is_fill && run->verdict == OK)
            run->verdict = record_verify(&claim, &run->key);
        for (uint16_t j = 0; j < run->count && run->verdict == OK; j++)
            parcel_open(&record[j]);
        record += run->count;
    }
}
