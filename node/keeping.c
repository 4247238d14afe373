/* From the core's batches to the store's, and back when they are durable. */
#include <stdlib.h>
#include <string.h>

#include "node/io/log.h"
#include "node/shell_state.h"
#include "protocol/kind.h"
#include "protocol/statement.h"
#include "protocol/witness.h"
#include "store/record_table.h"

/* A put, perhaps a row about what it lacks; and one for the audit. */
enum { KEEPING_OPS_A_RECORD = 2, KEEPING_KEY_SIZE = STREAM_ID_SIZE + 8 };

struct keeping_ops {
    struct store_op all[KEEPING_OPS_A_RECORD * STEP_RECORD_COUNT_MAX];
    size_t count;
    uint8_t states[STEP_RECORD_COUNT_MAX][KEEPING_STATE_SIZE];
    struct record_claim claims[STEP_RECORD_COUNT_MAX];
    uint8_t lack_keys[STEP_RECORD_COUNT_MAX][KEEPING_KEY_SIZE];
    uint8_t lack_values[STEP_RECORD_COUNT_MAX][HASH_SIZE + 5];
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

static void keeping_put(const struct shell *shell, struct keeping_ops *ops, size_t index,
                        const struct step_run *run, const struct step_record *record)
{
    const struct record_claim *claim = &ops->claims[index];
    struct bytes head = {record->record.data, RECORD_BARE_SIZE};
    bool has_body = (record->flags & RECORD_BARE) == 0;
    struct bytes body = has_body ? claim->body : BYTES_NONE;
    uint32_t lacking = RECORD_BARE | RECORD_KEYLESS;
    uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED;
    struct store_op *op = &ops->all[ops->count++];
    if (run->is_fill) {
        op->kind = STORE_FILL;
        op->fill = (struct store_fill){.stream = &claim->header.stream,
                                       .sequence = claim->header.sequence,
                                       .body = body,
                                       .key = record->has_key ? &record->key : NULL,
                                       .flags_mask = lacking};
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
    };
    if ((record->flags & lacking) != 0 && (record->flags & gone) == 0)
        keeping_lack(ops, index, true, record->flags);
}

static err keeping_try(struct shell *shell, struct parcel *parcel)
{
    struct keeping_ops *ops = malloc(sizeof *ops);
    if (ops == NULL)
        return ERR_BUSY;
    ops->count = 0;
    memset(ops->all, 0, 2 * parcel->batch.record_count * sizeof *ops->all);
    const struct step_record *record = parcel->batch.records;
    size_t index = 0;
    err failure = OK;
    for (size_t i = 0; i < parcel->batch.run_count; i++) {
        for (uint16_t j = 0; j < parcel->batch.runs[i].count; j++, index++) {
            failure = record_parse(record[index].record, &ops->claims[index]);
            if (failure == OK)
                keeping_put(shell, ops, index, &parcel->batch.runs[i], &record[index]);
        }
    }
    if (failure == OK)
        failure = store_submit(shell->store, ops->all, ops->count, STORE_NORMAL,
                               (uint64_t)(uintptr_t)parcel);
    free(ops);
    return failure;
}

static void keeping_finish(struct shell *shell, struct parcel *parcel, err verdict)
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
    parcel_queue_add(&shell->keeping, parcel);
}

void keeping_submit(struct shell *shell)
{
    if (shell->is_turning)
        return;
    while (shell->keeping.first != NULL) {
        struct parcel *parcel = shell->keeping.first;
        err failure = keeping_try(shell, parcel);
        if (failure == ERR_BUSY)
            return; /* after the next commit */
        (void)parcel_queue_take(&shell->keeping);
        if (failure != OK)
            keeping_finish(shell, parcel, failure);
        else
            shell->kept_under_way++;
    }
}

static void keeping_on_done(void *arg, const struct store_done *done)
{
    struct shell *shell = arg;
    if (done->token == 0)
        return;
    struct parcel *parcel = (struct parcel *)(uintptr_t)done->token;
    shell->kept_under_way--;
    keeping_finish(shell, parcel, done->result);
}

void keeping_drain(struct shell *shell)
{
    (void)store_drain(shell->store, keeping_on_done, shell);
}

/* What a peer reported is for people to see; losing the last of it costs a wrong number until the
 * peer connects again. */
void keeping_acked(struct shell *shell, const struct effect *effect)
{
    uint8_t key_memory[STREAM_ID_SIZE + NODE_ID_SIZE], value_memory[8];
    struct buffer key = buffer_over(key_memory, sizeof key_memory);
    struct buffer value = buffer_over(value_memory, sizeof value_memory);
    stream_id_write(&key, &effect->acked.stream);
    buffer_put(&key, effect->acked.peer.bytes, NODE_ID_SIZE);
    buffer_u64(&value, effect->acked.had);
    struct store_op op = {.kind = STORE_ROW_PUT,
                          .row = {STORE_TABLE_ACK, buffer_bytes(&key), buffer_bytes(&value)}};
    err failure = store_submit(shell->store, &op, 1, STORE_NORMAL, 0);
    if (failure != OK)
        log_debug("report-not-kept", log_err("why", failure));
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
    struct shell_post post = {.scope = scope_federation(),
                              .audience = AUDIENCE_CLEAR,
                              .plaintext = buffer_bytes(&body)};
    if (failure == OK)
        shell_post(shell, &post, NULL, NULL);
}

void keeping_forked(struct shell *shell, const struct effect *effect)
{
    const struct stream_id *stream = &effect->forked.stream;
    struct store_record ours;
    uint8_t key_memory[KEEPING_KEY_SIZE], state_memory[KEEPING_STATE_SIZE];
    struct record_claim claim;
    err failure = record_table_get(shell->store, stream, effect->forked.sequence,
                                   shell->page_memory, &ours);
    if (failure == OK)
        failure = record_parse(ours.head, &claim);
    if (failure != OK) {
        log_error("fork-proof-incomplete", log_err("why", failure));
        return;
    }
    struct buffer key = buffer_over(key_memory, sizeof key_memory);
    stream_id_write(&key, stream);
    buffer_u64(&key, effect->forked.sequence);
    struct bytes state = keeping_state(shell, &claim, state_memory);
    state_memory[KEEPING_STATE_SIZE - 1] = STREAM_FORKED;
    struct store_op ops[] = {
        {.kind = STORE_ROW_PUT,
         .row = {STORE_TABLE_HEAD, buffer_bytes(&key), effect->forked.other}},
        {.kind = STORE_STREAM, .stream = {stream, state}},
    };
    failure = store_submit(shell->store, ops, 2, STORE_NORMAL, 0);
    log_error("equivocation", log_text("federation", shell->name),
              log_hex("writer", ID_BYTES(stream->writer)), log_err("kept", failure),
              log_text("do", "tell the society: two different records stand at one position"));
    keeping_post_proof(shell, ours.head, effect->forked.other);
}
