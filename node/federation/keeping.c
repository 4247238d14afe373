/* From the core's batches to the store's, and back when they are durable. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/federation/audit.h"
#include "node/federation/errands.h"
#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "protocol/consult/caserecord.h"
#include "protocol/core/streams.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "protocol/record/witness.h"
#include "store/record_table.h"
#include "store/row_table.h"

enum {
    KEEPING_OPS_A_RECORD = 5, /* a put, destroyed, a row about what it lacks, two of a retraction */
    KEEPING_KEY_SIZE = STREAM_ID_SIZE + 8,
    KEEPING_ROUND_MAX = 16, /* what a batch leads to is kept as well, at the end */
};

struct keeping_ops {
    struct store_op all[KEEPING_OPS_A_RECORD * STEP_RECORD_COUNT_MAX + 1];
    size_t count;
    uint8_t states[STEP_RECORD_COUNT_MAX][KEEPING_STATE_SIZE];
    struct record_claim claims[STEP_RECORD_COUNT_MAX];
    uint8_t lack_keys[STEP_RECORD_COUNT_MAX][KEEPING_KEY_SIZE];
    uint8_t lack_values[STEP_RECORD_COUNT_MAX][HASH_SIZE + 5];
    uint8_t retractions[STEP_RECORD_COUNT_MAX][RETRACTION_SIZE];
    uint64_t audit_number; /* of the entry in this batch; 0: none */
};

/* Where the stream stands once this record is in. */
static struct bytes keeping_state(const struct shell *shell, const struct record_claim *claim,
                                  uint8_t memory[static KEEPING_STATE_SIZE])
{
    const struct chain_link *head = chain_find(&shell->roster.chain, &claim->header.head);
    struct buffer state = buffer_over(memory, KEEPING_STATE_SIZE);
    buffer_u64(&state, claim->header.sequence);
    buffer_put(&state, claim->id.bytes, HASH_SIZE);
    buffer_u64(&state, head == NULL ? 0 : head->epoch);
    buffer_u32(&state, 0);
    return buffer_bytes(&state);
}

static void keeping_lack(struct keeping_ops *ops, size_t index, bool is_missing, uint32_t flags)
{
    const struct record_claim *claim = &ops->claims[index];
    struct buffer key = buffer_over(ops->lack_keys[index], KEEPING_KEY_SIZE);
    struct buffer value = buffer_over(ops->lack_values[index], HASH_SIZE + 5);
    stream_id_write(&key, &claim->header.stream);
    buffer_u64(&key, claim->header.sequence);
    buffer_put(&value, claim->id.bytes, HASH_SIZE);
    buffer_u32(&value, flags);
    buffer_u8(&value, (uint8_t)claim->header.audience);
    struct store_op *op = &ops->all[ops->count++];
    op->kind = is_missing ? STORE_ROW_PUT : STORE_ROW_DELETE;
    op->row = (struct store_row){STORE_TABLE_LACK, buffer_bytes(&key), buffer_bytes(&value)};
}

/* (S-14) All of it anew. What was destroyed stays so, also where the disk lost that, too. */
static void keeping_mend(const struct shell *shell, struct keeping_ops *ops, size_t index,
                         const struct step_record *record)
{
    const struct record_claim *claim = &ops->claims[index];
    bool is_own = ID_EQUAL(claim->header.stream.writer, shell->config.self);
    uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    bool is_lacking =
        (record->flags & (RECORD_BARE | RECORD_KEYLESS)) != 0 && (record->flags & gone) == 0;
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
    keeping_lack(ops, index, is_lacking, record->flags);
}

/* (T-2) the bytes that came are the bytes that are kept */
static void keeping_put(const struct shell *shell, struct keeping_ops *ops, size_t index,
                        const struct step_run *run, const struct step_record *record)
{
    const struct record_claim *claim = &ops->claims[index];
    struct bytes head = {record->record.data, RECORD_BARE_SIZE};
    bool has_body = (record->flags & RECORD_BARE) == 0;
    struct bytes body = has_body ? claim->body : BYTES_NONE;
    uint32_t lacking = RECORD_BARE | RECORD_KEYLESS;
    uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    if (run->is_mend) {
        keeping_mend(shell, ops, index, record);
        return;
    }
    struct store_op *op = &ops->all[ops->count++];
    if (run->is_fill && (record->flags & RECORD_DESTROYED) != 0) {
        op->kind = STORE_DESTROY;
        op->position.stream = &claim->header.stream;
        op->position.sequence = claim->header.sequence;
        op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
        keeping_lack(ops, index, false, record->flags);
        return;
    }
    if (run->is_fill) {
        op->kind = STORE_FILL;
        op->fill = (struct store_fill){.stream = &claim->header.stream,
                                       .sequence = claim->header.sequence,
                                       .body = body,
                                       .key = record->has_key ? &record->key : NULL,
                                       .flags = record->flags & RECORD_MALFORMED,
                                       .flags_mask = lacking | RECORD_MALFORMED};
        keeping_lack(ops, index, false, record->flags);
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
        .stream_state = keeping_state(shell, claim, ops->states[index]),
        .continues = true,
    };
    if ((record->flags & lacking) != 0 && (record->flags & gone) == 0)
        keeping_lack(ops, index, true, record->flags);
}

/* A disclosure stands in the audit log before any key can leave: the grant and its entry are one
 * batch. */
static void keeping_audit(struct shell *shell, struct keeping_ops *ops,
                          const struct step_record *record, const struct record_claim *claim)
{
    struct statement statement;
    struct caserecord_grant grant;
    struct caserecord_grant_end end;
    struct audit_fact fact = {.record = claim->id};
    if (shell->audit == NULL || (record->flags & RECORD_OWN) == 0 ||
        statement_read(record->plaintext, &statement) != OK)
        return;
    if (statement.kind == KIND_GRANT && caserecord_grant_read(statement.content, &grant) == OK) {
        fact.what = AUDIT_DISCLOSED;
        fact.node = grant.participant;
    } else if (statement.kind == KIND_GRANT_END &&
               caserecord_grant_end_read(statement.content, &end) == OK) {
        fact.what = AUDIT_DISCLOSURE_ENDED;
        fact.node = end.participant;
    } else {
        return;
    }
    fact.kind = statement.kind;
    memcpy(fact.case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    audit_stage(shell->audit, &fact, &ops->all[ops->count]);
    ops->audit_number = ops->all[ops->count++].audit.number;
}

/* What its writer has erased is not taken in: its place is, with nothing in it. */
static void keeping_spare(const struct shell *shell, const struct record_claim *claim,
                          struct step_record *record)
{
    if (record->plaintext.size == 0 || !retracting_is_done(shell, claim, record->plaintext))
        return;
    record->flags = (record->flags & ~(uint32_t)RECORD_KEYLESS) | RECORD_BARE | RECORD_DESTROYED;
    record->has_key = false;
    record->record.size = RECORD_BARE_SIZE;
    record->plaintext = BYTES_NONE;
}

static err keeping_stage(struct shell *shell, struct keeping_ops *ops, size_t index,
                         const struct step_run *run, struct step_record *record)
{
    err failure = record_parse_again(record->record, &record->id, &ops->claims[index]);
    if (failure != OK)
        return failure;
    keeping_spare(shell, &ops->claims[index], record);
    keeping_put(shell, ops, index, run, record);
    ops->count += retracting_stage(&ops->claims[index], record->plaintext, ops->retractions[index],
                                   &ops->all[ops->count]);
    return OK;
}

static err keeping_try(struct shell *shell, struct parcel *parcel)
{
    struct keeping_ops *ops = malloc(sizeof *ops);
    if (ops == NULL)
        return ERR_BUSY;
    ops->count = 0;
    ops->audit_number = 0;
    memset(ops->all, 0, (KEEPING_OPS_A_RECORD * parcel->batch.record_count + 1) * sizeof *ops->all);
    struct step_record *record = parcel->batch.records;
    size_t index = 0;
    err failure = OK;
    for (size_t i = 0; i < parcel->batch.run_count; i++) {
        const struct step_run *run = &parcel->batch.runs[i];
        for (uint16_t j = 0; j < run->count && failure == OK; j++, index++)
            failure = keeping_stage(shell, ops, index, run, &record[index]);
    }
    if (failure == OK && parcel->batch.record_count == 1)
        keeping_audit(shell, ops, record, &ops->claims[0]);
    if (failure == OK)
        failure = store_submit(shell->store, ops->all, ops->count,
                               parcel->is_releasing ? STORE_RELEASING : STORE_NORMAL,
                               (uint64_t)(uintptr_t)parcel);
    if (ops->audit_number != 0 && failure != OK)
        audit_settle(shell->audit, ops->audit_number, failure);
    parcel->audit_number = ops->audit_number;
    free(ops);
    return failure;
}

static void keeping_tell(struct shell *shell, struct parcel *parcel, err verdict)
{
    struct event event = shell_event(EVENT_KEPT);
    event.link = parcel->link;
    event.token = parcel->token;
    event.verdict = verdict;
    event.batch = parcel->batch;
    if (verdict != OK)
        log_warn("not-kept", log_text("federation", shell->name), log_err("why", verdict));
    shell_turn(shell, &event, parcel);
    parcel_drop(parcel);
}

void keeping_add(struct shell *shell, const struct effect *effect, struct parcel *source)
{
    struct parcel *parcel = parcel_of_batch(EVENT_KEPT, &effect->batch, 0);
    if (parcel == NULL)
        abort(); /* the core counts on an answer */
    parcel->source = source == NULL ? NULL : parcel_share(source);
    parcel->link = effect->link;
    parcel->token = effect->token;
    parcel->is_releasing = effect->is_releasing;
    parcel_queue_add(&shell->keeping, parcel);
}

void keeping_submit(struct shell *shell)
{
    if (shell->is_turning || shell->store == NULL) /* closing: what was not kept never was */
        return;
    while (shell->keeping.first != NULL) {
        struct parcel *parcel = shell->keeping.first;
        err failure = keeping_try(shell, parcel);
        if (failure == ERR_BUSY)
            return; /* after the next commit */
        (void)parcel_queue_take(&shell->keeping);
        if (failure != OK)
            keeping_tell(shell, parcel, failure);
        else
            parcel_queue_add(&shell->kept_under_way, parcel);
    }
}

static void keeping_mended(struct shell *shell, const struct step_batch *batch)
{
    struct record_claim claim;
    if (batch->run_count == 1 && batch->runs->is_mend &&
        record_parse_again(batch->records->record, &batch->records->id, &claim) == OK)
        scrub_mended(shell, &claim);
}

static void keeping_on_done(void *arg, const struct store_done *done)
{
    struct shell *shell = arg;
    if (done->token == 0)
        return;
    if ((done->token & 1) != 0) {
        errands_settle(shell->errands, done->token, done->result);
        return;
    }
    struct parcel *parcel = parcel_queue_take(&shell->kept_under_way);
    assert((uint64_t)(uintptr_t)parcel == done->token); /* batches keep their order */
    if (parcel->audit_number != 0)
        audit_settle(shell->audit, parcel->audit_number, done->result);
    if (done->result == OK)
        proving_kept(shell, &parcel->batch);
    if (done->result == OK)
        keeping_mended(shell, &parcel->batch);
    keeping_tell(shell, parcel, done->result);
}

void keeping_drain(struct shell *shell)
{
    (void)store_drain(shell->store, keeping_on_done, shell);
    while (errands_tell(shell->errands))
        continue;
}

void keeping_finish(struct shell *shell)
{
    /* batches keep their order: what was submitted before this one is durable with it */
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row = (struct store_row){STORE_TABLE_META, bytes_of_text("barrier"), BYTES_NONE};
    for (int round = 0; round < KEEPING_ROUND_MAX; round++) {
        keeping_submit(shell);
        if (store_commit(shell->store, &op, 1, STORE_RELEASING, NULL) != OK)
            return;
        keeping_drain(shell);
        if (shell->keeping.first == NULL && shell->kept_under_way.first == NULL)
            return;
    }
}

struct keeping_report_key {
    uint8_t memory[STREAM_ID_SIZE + NODE_ID_SIZE];
};

static struct bytes keeping_report(const struct stream_id *stream, const struct node_id *peer,
                                   struct keeping_report_key *key)
{
    struct buffer buffer = buffer_over(key->memory, sizeof key->memory);
    stream_id_write(&buffer, stream);
    buffer_put(&buffer, peer->bytes, NODE_ID_SIZE);
    return buffer_bytes(&buffer);
}

/* What a peer reported is for people to see; losing the last of it costs a wrong number until the
 * peer connects again. */
void keeping_acked(struct shell *shell, const struct effect *effect)
{
    struct keeping_report_key key;
    uint8_t memory[8];
    struct buffer value = buffer_over(memory, sizeof memory);
    buffer_u64(&value, effect->acked.had);
    struct store_op op = {.kind = STORE_ROW_PUT, .row = {.table = STORE_TABLE_ACK}};
    op.row.key = keeping_report(&effect->acked.stream, &effect->acked.peer, &key);
    op.row.value = buffer_bytes(&value);
    err failure = store_submit(shell->store, &op, 1, STORE_NORMAL, 0);
    if (failure != OK)
        log_debug("report-not-kept", log_err("why", failure));
}

uint64_t keeping_reported(struct shell *shell, const struct node_id *peer,
                          const struct stream_id *stream)
{
    struct keeping_report_key key;
    uint8_t memory[8];
    struct buffer value = buffer_over(memory, sizeof memory);
    if (row_table_get(shell->store, STORE_TABLE_ACK, keeping_report(stream, peer, &key), &value) !=
        OK)
        return 0;
    struct reader reader = reader_of(buffer_bytes(&value));
    return reader_u64(&reader);
}

/* ---- equivocation ---- */

static void keeping_post_proof(struct shell *shell, struct bytes ours, struct bytes theirs)
{
    uint8_t content_memory[2048], body_memory[2560];
    struct buffer content = buffer_over(content_memory, sizeof content_memory);
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    struct witness_fork_proof proof = {
        .header_a = {ours.data, RECORD_HEADER_SIZE},
        .header_b = {theirs.data, RECORD_HEADER_SIZE},
    };
    memcpy(proof.signature_a.bytes, ours.data + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    memcpy(proof.signature_b.bytes, theirs.data + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    struct statement statement = {.kind = KIND_FORK_PROOF};
    err failure = witness_fork_proof_write(&proof, &content);
    statement.content = buffer_bytes(&content);
    if (failure == OK)
        failure = statement_write(&statement, &body);
    struct shell_post post = {
        .scope = scope_federation(), .audience = AUDIENCE_CLEAR, .plaintext = buffer_bytes(&body)};
    if (failure == OK)
        shell_post(shell, &post, NULL, NULL);
}

void keeping_forks(struct shell *shell, struct bytes forks)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD, bytes_of_text(KEEPING_FORKS), forks};
    err failure = store_submit(shell->store, &op, 1, STORE_NORMAL, 0);
    if (failure != OK)
        log_warn("forks-not-kept", log_err("why", failure));
}

/* A row of its own: that of the stream tells where it ends, which later batches may have moved. */
void keeping_forked(struct shell *shell, const struct effect *effect)
{
    const struct stream_id *stream = &effect->forked.stream;
    struct store_record ours;
    uint8_t key_memory[KEEPING_KEY_SIZE];
    err failure =
        record_table_get(shell->store, stream, effect->forked.sequence, shell->page_memory, &ours);
    if (failure != OK) {
        log_error("fork-proof-incomplete", log_err("why", failure));
        return;
    }
    struct buffer key = buffer_over(key_memory, sizeof key_memory);
    stream_id_write(&key, stream);
    buffer_u64(&key, effect->forked.sequence);
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD, buffer_bytes(&key), effect->forked.other};
    failure = store_submit(shell->store, &op, 1, STORE_NORMAL, 0);
    log_error("equivocation", log_text("federation", shell->name),
              log_hex("writer", ID_BYTES(stream->writer)), log_err("kept", failure),
              log_text("do", "tell the society: two different records stand at one position"));
    keeping_post_proof(shell, ours.head, effect->forked.other);
}
