#include "protocol/replication/batch_verify.h"

#include "protocol/base/planted.h"

void batch_verify_open(struct step_record *record, struct buffer *memory)
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

/* What is repaired is known by its id. Whether its own signature is good, too, is noted: the key
 * may have changed since. */
static err batch_verify_verify(const struct step_run *run, struct step_record *records)
{
    struct record_claim claim;
    struct step_record *last = &records[run->count - 1];
    if (run->purpose == RUN_FILL || (run->count > 1 && PLANTED(RUN_NOT_VERIFIED)))
        return OK;
    err failure = record_parse_again(last->record, &last->id, &claim);
    if (failure == OK)
        failure = record_verify(&claim, &run->key);
    if (run->purpose == RUN_REPAIR && failure == ERR_BAD_SIGNATURE) {
        last->flags |= RECORD_UNSIGNED;
        return OK;
    }
    return failure;
}

void batch_verify_batch(struct step_batch *batch, struct buffer *memory)
{
    struct step_record *record = batch->records;
    for (size_t i = 0; i < batch->run_count; i++) {
        struct step_run *run = &batch->runs[i];
        run->verdict = batch_verify_verify(run, record);
        for (uint16_t j = 0; j < run->count && run->verdict == OK; j++)
            batch_verify_open(&record[j], memory);
        record += run->count;
    }
}

static bool batch_verify_may_grow(const struct step_batch *batch)
{
    return batch->run_count == 1 && batch->runs->purpose == RUN_EXTEND &&
           batch->runs->is_from_writer;
}

bool batch_verify_continues(const struct step_batch *batch, const struct step_batch *next)
{
    struct record_claim claim;
    return batch_verify_may_grow(batch) && batch_verify_may_grow(next) &&
           batch->runs->stream == next->runs->stream &&
           batch->runs->speculation == next->runs->speculation &&
           ID_EQUAL(batch->runs->key, next->runs->key) &&
           batch->runs->first + batch->runs->count == next->runs->first &&
           record_parse_again(next->records->record, &next->records->id, &claim) == OK &&
           ID_EQUAL(claim.header.previous, batch->records[batch->record_count - 1].id);
}

void batch_verify_answer(struct step_record *records, size_t count, const struct sign_key *signer)
{
    struct record_claim claim;
    for (size_t i = 0; i < count; i++) {
        if ((records[i].flags & RECORD_UNSIGNED) == 0)
            return;
    }
    for (size_t i = count; i > 0 && count - i < BATCH_VERIFY_ANSWER_MAX; i--) {
        if (record_parse(records[i - 1].record, &claim) != OK ||
            record_verify(&claim, signer) != OK)
            continue;
        records[i - 1].flags &= ~(uint32_t)RECORD_UNSIGNED;
        return;
    }
}
