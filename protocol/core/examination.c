#include "protocol/core/examination.h"

void examination_open(struct step_record *record, struct buffer *memory)
{
    struct record_claim claim;
    record->verdict = record_parse_again(record->record, &record->id, &claim);
    if (record->verdict != OK || (record->flags & RECORD_BARE) != 0)
        return;
    record->verdict = record_check_body(&claim);
    if (record->verdict != OK || (record->flags & RECORD_KEYLESS) != 0)
        return;
    size_t start = memory->size;
    record->verdict = record_open(&claim, record->has_key ? &record->key : NULL, memory);
    if (record->verdict == OK)
        record->plaintext = (struct bytes){memory->data + start, memory->size - start};
}

static err examination_verify(const struct step_run *run, const struct step_record *records)
{
    struct record_claim claim;
    const struct step_record *last = &records[run->count - 1];
    if (run->is_fill)
        return OK;
    err failure = record_parse_again(last->record, &last->id, &claim);
    return failure == OK ? record_verify(&claim, &run->key) : failure;
}

void examination_batch(struct step_batch *batch, struct buffer *memory)
{
    struct step_record *record = batch->records;
    for (size_t i = 0; i < batch->run_count; i++) {
        struct step_run *run = &batch->runs[i];
        run->verdict = examination_verify(run, record);
        for (uint16_t j = 0; j < run->count && run->verdict == OK; j++)
            examination_open(&record[j], memory);
        record += run->count;
    }
}
