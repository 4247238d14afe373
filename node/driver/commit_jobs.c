#include "node/driver/commit_jobs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/ack_row.h"
#include "node/rows/fork_row.h"
#include "node/rows/missing_row.h"
#include "node/rows/stream_state.h"
#include "node/rows/writer_row.h"
#include "node/runtime/completions.h"
#include "node/runtime/event_queue.h"
#include "protocol/contents/case_record.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "protocol/state/streams.h"

enum {
    COMMIT_JOBS_OPS_A_RECORD =
        6, /* a put, destroyed, a row about what it lacks, two of a retraction, its writer's use */
};

struct commit_jobs_ops {
    struct store_op all[COMMIT_JOBS_OPS_A_RECORD * STEP_RECORD_COUNT_MAX + 1];
    size_t count;
    uint8_t states[STEP_RECORD_COUNT_MAX][STREAM_STATE_SIZE];
    struct record_claim claims[STEP_RECORD_COUNT_MAX];
    struct missing_row_bytes missing[STEP_RECORD_COUNT_MAX];
    struct purge_row_bytes purges[STEP_RECORD_COUNT_MAX];
    struct writer_row_bytes writers[STEP_RECORD_COUNT_MAX];
    uint64_t audit_number; /* of the entry in this batch; 0: none */
};

struct commit_jobs {
    struct runtime *runtime;
    struct commit_jobs_told told;
    struct batch_buffer_queue waiting;   /* for the store */
    struct batch_buffer_queue under_way; /* that the store has */
};

struct commit_jobs *commit_jobs_new(struct runtime *runtime, const struct commit_jobs_told *told)
{
    struct commit_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs != NULL)
        *jobs = (struct commit_jobs){.runtime = runtime, .told = *told};
    return jobs;
}

void commit_jobs_free(struct commit_jobs *jobs)
{
    struct batch_buffer *batch_buffer;
    if (jobs == NULL)
        return;
    while ((batch_buffer = batch_buffer_queue_take(&jobs->waiting)) != NULL)
        batch_buffer_drop(batch_buffer);
    while ((batch_buffer = batch_buffer_queue_take(&jobs->under_way)) != NULL)
        batch_buffer_drop(batch_buffer);
    free(jobs);
}

/* Where the stream stands once this record is in. */
static struct bytes commit_jobs_state(const struct commit_jobs *jobs,
                                      const struct record_claim *claim,
                                      uint8_t memory[static STREAM_STATE_SIZE])
{
    const struct chain_link *head =
        chain_find(&runtime_roster(jobs->runtime)->chain, &claim->header.head);
    struct stream_state state = {.tail = claim->header.sequence,
                                 .tail_id = claim->id,
                                 .epoch = head == NULL ? 0 : head->epoch};
    return stream_state_write(&state, memory);
}

static void commit_jobs_missing(struct commit_jobs_ops *ops, size_t index, bool is_missing,
                                uint32_t flags)
{
    const struct record_claim *claim = &ops->claims[index];
    const struct missing_row row = {claim->header.stream, claim->header.sequence, claim->id, flags,
                                    claim->header.audience};
    struct missing_row_bytes *memory = &ops->missing[index];
    ops->all[ops->count++] = is_missing ? missing_row_put(&row, memory)
                                        : missing_row_delete(&row.stream, row.sequence, memory);
}

/* (S-14) The whole record again. What was destroyed stays destroyed, even where the disk lost the
 * fact. */
static void commit_jobs_mend(const struct commit_jobs *jobs, struct commit_jobs_ops *ops,
                             size_t index, const struct step_record *record)
{
    const struct record_claim *claim = &ops->claims[index];
    bool is_own = ID_EQUAL(claim->header.stream.writer, runtime_settings(jobs->runtime)->self);
    struct store_op *op = &ops->all[ops->count++];
    op->kind = STORE_MEND;
    op->put = (struct store_put){
        .stream = &claim->header.stream,
        .sequence = claim->header.sequence,
        .id = &claim->id,
        .head = {record->record.data, RECORD_BARE_SIZE},
        .body = (record->flags & RECORD_BARE) == 0 ? claim->body : BYTES_NONE,
        .key = record->has_key ? &record->key : NULL,
        .flags = record->flags | (is_own ? RECORD_OWN : 0),
    };
    if ((record->flags & RECORD_DESTROYED) != 0) {
        op = &ops->all[ops->count++];
        op->kind = STORE_DESTROY;
        op->position.stream = &claim->header.stream;
        op->position.sequence = claim->header.sequence;
        op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
    }
    commit_jobs_missing(ops, index, step_is_missing(record->flags), record->flags);
}

/* (T-2) the bytes that came are the bytes that are kept */
static void commit_jobs_put(const struct commit_jobs *jobs, struct commit_jobs_ops *ops,
                            size_t index, const struct step_run *run,
                            const struct step_record *record)
{
    const struct record_claim *claim = &ops->claims[index];
    struct bytes head = {record->record.data, RECORD_BARE_SIZE};
    bool has_body = (record->flags & RECORD_BARE) == 0;
    struct bytes body = has_body ? claim->body : BYTES_NONE;
    if (run->purpose == RUN_REPAIR) {
        commit_jobs_mend(jobs, ops, index, record);
        return;
    }
    struct store_op *op = &ops->all[ops->count++];
    if (run->purpose == RUN_FILL && (record->flags & RECORD_DESTROYED) != 0) {
        op->kind = STORE_DESTROY;
        op->position.stream = &claim->header.stream;
        op->position.sequence = claim->header.sequence;
        op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
        commit_jobs_missing(ops, index, false, record->flags);
        return;
    }
    if (run->purpose == RUN_FILL) {
        op->kind = STORE_FILL;
        op->fill =
            (struct store_fill){.stream = &claim->header.stream,
                                .sequence = claim->header.sequence,
                                .body = body,
                                .key = record->has_key ? &record->key : NULL,
                                .flags = record->flags & RECORD_MALFORMED,
                                .flags_mask = RECORD_BARE | RECORD_KEYLESS | RECORD_MALFORMED};
        commit_jobs_missing(ops, index, false, record->flags);
        return;
    }
    op->kind = STORE_PUT;
    op->put = (struct store_put){
        .stream = &claim->header.stream,
        .sequence = claim->header.sequence,
        .id = &claim->id,
        .head = head,
        .body = body,
        .key = record->has_key ? &record->key : NULL,
        .flags = record->flags,
        .stream_state = commit_jobs_state(jobs, claim, ops->states[index]),
        .continues = true,
    };
    if (step_is_missing(record->flags))
        commit_jobs_missing(ops, index, true, record->flags);
}

/* A disclosure stands in the audit log before any key can leave: the grant and its entry are one
 * batch. */
static void commit_jobs_audit(struct commit_jobs *jobs, struct commit_jobs_ops *ops,
                              const struct step_record *record, const struct record_claim *claim)
{
    struct statement statement;
    struct case_record_grant grant;
    struct case_record_grant_end end;
    struct audit_fact fact = {.record = claim->id};
    if (jobs->told.audit == NULL || (record->flags & RECORD_OWN) == 0 ||
        statement_read(record->plaintext, &statement) != OK)
        return;
    if (statement.kind == KIND_GRANT && case_record_grant_read(statement.content, &grant) == OK) {
        fact.what = AUDIT_DISCLOSED;
        fact.node = grant.participant;
    } else if (statement.kind == KIND_GRANT_END &&
               case_record_grant_end_read(statement.content, &end) == OK) {
        fact.what = AUDIT_DISCLOSURE_ENDED;
        fact.node = end.participant;
    } else {
        return;
    }
    fact.kind = statement.kind;
    memcpy(fact.case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    audit_stage(jobs->told.audit, &fact, &ops->all[ops->count]);
    ops->audit_number = ops->all[ops->count++].audit.number;
}

/* What its writer has erased is not taken in: its place is, with nothing in it. */
static void commit_jobs_spare(const struct commit_jobs *jobs, const struct record_claim *claim,
                              struct step_record *record)
{
    if (record->plaintext.size == 0 ||
        !announcement_purge_is_done(runtime_store(jobs->runtime), claim, record->plaintext))
        return;
    record->flags = (record->flags & ~(uint32_t)RECORD_KEYLESS) | RECORD_BARE | RECORD_DESTROYED;
    record->has_key = false;
    record->record.size = RECORD_BARE_SIZE;
    record->plaintext = BYTES_NONE;
}

static err commit_jobs_stage(struct commit_jobs *jobs, struct commit_jobs_ops *ops, size_t index,
                             const struct step_run *run, struct step_record *record)
{
    err failure = record_parse_again(record->record, &record->id, &ops->claims[index]);
    if (failure != OK)
        return failure;
    commit_jobs_spare(jobs, &ops->claims[index], record);
    commit_jobs_put(jobs, ops, index, run, record);
    ops->count += announcement_purge_stage(&ops->claims[index], record->plaintext,
                                           &ops->purges[index], &ops->all[ops->count]);
    return OK;
}

/* (T-21) What the writer of the record, the last of its run, has used with it. */
static void commit_jobs_use(const struct commit_jobs *jobs, struct commit_jobs_ops *ops,
                            size_t index)
{
    const struct node_id *writer = &ops->claims[index].header.stream.writer;
    if (ID_EQUAL(*writer, runtime_settings(jobs->runtime)->self))
        return;
    ops->all[ops->count++] = writer_row_put(
        writer, engine_writer_used(runtime_engine(jobs->runtime), writer), &ops->writers[index]);
}

static err commit_jobs_try(struct commit_jobs *jobs, struct batch_buffer *batch_buffer)
{
    struct commit_jobs_ops *ops = malloc(sizeof *ops);
    if (ops == NULL)
        return ERR_BUSY;
    ops->count = 0;
    ops->audit_number = 0;
    memset(ops->all, 0,
           (COMMIT_JOBS_OPS_A_RECORD * batch_buffer->batch.record_count + 1) * sizeof *ops->all);
    struct step_record *record = batch_buffer->batch.records;
    size_t index = 0;
    err failure = OK;
    for (size_t i = 0; i < batch_buffer->batch.run_count; i++) {
        const struct step_run *run = &batch_buffer->batch.runs[i];
        for (uint16_t j = 0; j < run->count && failure == OK; j++, index++)
            failure = commit_jobs_stage(jobs, ops, index, run, &record[index]);
        if (failure == OK && run->count > 0)
            commit_jobs_use(jobs, ops, index - 1);
    }
    if (failure == OK && batch_buffer->batch.record_count == 1)
        commit_jobs_audit(jobs, ops, record, &ops->claims[0]);
    if (failure == OK)
        failure = store_submit(runtime_store(jobs->runtime), ops->all, ops->count,
                               batch_buffer->is_releasing ? STORE_RELEASING : STORE_NORMAL,
                               (uint64_t)(uintptr_t)batch_buffer);
    if (ops->audit_number != 0 && failure != OK)
        audit_settle(jobs->told.audit, ops->audit_number, failure);
    batch_buffer->audit_number = ops->audit_number;
    free(ops);
    return failure;
}

static void commit_jobs_tell(struct commit_jobs *jobs, struct batch_buffer *batch_buffer,
                             err verdict)
{
    batch_buffer->verdict = verdict;
    struct event event = batch_buffer_event(batch_buffer);
    if (verdict != OK)
        log_warn("not-kept", log_text("federation", runtime_name(jobs->runtime)),
                 log_err("why", verdict));
    event_queue_add(runtime_events(jobs->runtime), &event, batch_buffer);
}

void commit_jobs_add(struct commit_jobs *jobs, const struct effect *effect,
                     struct batch_buffer *source)
{
    struct batch_buffer *batch_buffer = batch_buffer_of_batch(EVENT_KEPT, &effect->batch, 0);
    if (batch_buffer == NULL)
        abort(); /* the engine waits for an answer */
    batch_buffer->source = source == NULL ? NULL : batch_buffer_share(source);
    batch_buffer->link = effect->link;
    batch_buffer->token = effect->token;
    batch_buffer->is_releasing = effect->is_releasing;
    batch_buffer_queue_add(&jobs->waiting, batch_buffer);
}

void commit_jobs_submit(struct commit_jobs *jobs)
{
    while (jobs->waiting.first != NULL) {
        struct batch_buffer *batch_buffer = jobs->waiting.first;
        err failure = commit_jobs_try(jobs, batch_buffer);
        if (failure == ERR_BUSY)
            return; /* after the next commit */
        (void)batch_buffer_queue_take(&jobs->waiting);
        if (failure != OK)
            commit_jobs_tell(jobs, batch_buffer, failure);
        else
            batch_buffer_queue_add(&jobs->under_way, batch_buffer);
    }
}

static void commit_jobs_mended(struct commit_jobs *jobs, const struct step_batch *batch)
{
    struct record_claim claim;
    if (batch->run_count == 1 && batch->runs->purpose == RUN_REPAIR &&
        record_parse_again(batch->records->record, &batch->records->id, &claim) == OK)
        scrub_repaired(jobs->told.scrub, &claim);
}

static void commit_jobs_on_done(void *arg, const struct store_done *done)
{
    struct commit_jobs *jobs = arg;
    if (done->token == 0)
        return;
    if ((done->token & 1) != 0) {
        completions_settle(runtime_completions(jobs->runtime), done->token, done->result);
        return;
    }
    struct batch_buffer *batch_buffer = batch_buffer_queue_take(&jobs->under_way);
    assert((uint64_t)(uintptr_t)batch_buffer == done->token); /* batches keep their order */
    if (batch_buffer->audit_number != 0)
        audit_settle(jobs->told.audit, batch_buffer->audit_number, done->result);
    if (done->result == OK) {
        rollback_check_kept(jobs->told.rollback_check, &batch_buffer->batch);
        late_check_kept(jobs->told.late_check, &batch_buffer->batch);
        commit_jobs_mended(jobs, &batch_buffer->batch);
    }
    commit_jobs_tell(jobs, batch_buffer, done->result);
}

void commit_jobs_drain(struct commit_jobs *jobs)
{
    (void)store_drain(runtime_store(jobs->runtime), commit_jobs_on_done, jobs);
}

bool commit_jobs_is_idle(const struct commit_jobs *jobs)
{
    return jobs->waiting.first == NULL && jobs->under_way.first == NULL;
}

const struct batch_buffer_queue *commit_jobs_waiting(const struct commit_jobs *jobs)
{
    return &jobs->waiting;
}

/* What a peer reported is for people to see; losing the last of it costs a wrong number until the
 * peer connects again. */
void commit_jobs_acked(struct commit_jobs *jobs, const struct effect *effect)
{
    const struct ack_row row = {effect->acked.stream, effect->acked.peer, effect->acked.had};
    struct ack_row_bytes memory;
    struct store_op op = ack_row_put(&row, &memory);
    err failure = store_submit(runtime_store(jobs->runtime), &op, 1, STORE_NORMAL, 0);
    if (failure != OK)
        log_debug("report-not-kept", log_err("why", failure));
}

void commit_jobs_forks(struct commit_jobs *jobs, struct bytes forks)
{
    struct store_op op = fork_row_list_put(forks);
    err failure = store_submit(runtime_store(jobs->runtime), &op, 1, STORE_NORMAL, 0);
    if (failure != OK)
        log_warn("forks-not-kept", log_text("federation", runtime_name(jobs->runtime)),
                 log_err("why", failure),
                 log_text("do", "check the disk; the forks are found again when they are met"));
}
