#include "node/runtime/fork_proofs.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/runtime/runtime_state.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "store/record_table.h"
#include "store/row_table.h"

enum { FORK_PROOFS_LOOK_MS = 1000, FORK_PROOFS_RETRY_MS = 30 * 1000, FORK_PROOFS_POSTS_MAX = 8 };

/* A proof on its way into our stream. */
struct fork_proofs_post {
    struct runtime *runtime;
    uint8_t key[FORK_PROOFS_KEY_SIZE];
    uint8_t row[FORK_PROOFS_ROW_SIZE];
};

static err fork_proofs_keep(struct runtime *runtime, const struct fork_proofs_post *post)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){
        STORE_TABLE_HEAD, {post->key, FORK_PROOFS_KEY_SIZE}, {post->row, FORK_PROOFS_ROW_SIZE}};
    return store_submit(runtime->store, &op, 1, STORE_NORMAL, 0);
}

static void fork_proofs_on_posted(void *arg, const struct runtime_done *done)
{
    struct fork_proofs_post *post = arg;
    post->runtime->fork_proof_posts--;
    if (done->verdict == OK) {
        post->row[FORK_PROOFS_ROW_SIZE - 1] = 1;
        (void)fork_proofs_keep(post->runtime, post); /* else it is posted once more */
    } else {
        fork_proofs_wake(post->runtime);
    }
    free(post);
}

static err fork_proofs_body(const uint8_t row[static FORK_PROOFS_ROW_SIZE], struct buffer *body)
{
    uint8_t memory[2048];
    const uint8_t *theirs = row, *ours = row + RECORD_BARE_SIZE;
    struct buffer content = buffer_over(memory, sizeof memory);
    struct audit_evidence_fork_proof proof = {.header_a = {ours, RECORD_HEADER_SIZE},
                                              .header_b = {theirs, RECORD_HEADER_SIZE}};
    struct statement statement = {.kind = KIND_FORK_PROOF};
    memcpy(proof.signature_a.bytes, ours + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    memcpy(proof.signature_b.bytes, theirs + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    err failure = audit_evidence_fork_proof_write(&proof, &content);
    statement.content = buffer_bytes(&content);
    return failure != OK ? failure : statement_write(&statement, body);
}

/* Takes `post` over. */
static void fork_proofs_publish(struct fork_proofs_post *post)
{
    struct runtime *runtime = post->runtime;
    uint8_t memory[2560];
    struct buffer body = buffer_over(memory, sizeof memory);
    err failure = fork_proofs_body(post->row, &body);
    if (failure != OK) {
        log_error("fork-proof-incomplete", log_err("why", failure));
        free(post);
        return;
    }
    struct runtime_post words = {
        .scope = scope_federation(), .audience = AUDIENCE_CLEAR, .plaintext = buffer_bytes(&body)};
    runtime->fork_proof_posts++;
    runtime_post(runtime, &words, fork_proofs_on_posted, post);
}

/* Both sides, from the row, or from an older row and the record beside it. NULL: that cannot be. */
static struct fork_proofs_post *fork_proofs_make(struct runtime *runtime, struct bytes key,
                                                 struct bytes theirs, struct bytes ours)
{
    struct fork_proofs_post *post = calloc(1, sizeof *post);
    if (post == NULL)
        return NULL;
    post->runtime = runtime;
    memcpy(post->key, key.data, FORK_PROOFS_KEY_SIZE);
    memcpy(post->row, theirs.data, RECORD_BARE_SIZE);
    memcpy(post->row + RECORD_BARE_SIZE, ours.data, RECORD_BARE_SIZE);
    return post;
}

/* The table holds heads, and more. */
static bool fork_proofs_is_one(const struct store_row *row)
{
    return row->key.size == FORK_PROOFS_KEY_SIZE &&
           (row->value.size == FORK_PROOFS_ROW_SIZE || row->value.size == FORK_PROOFS_ROW_SIZE_OLD);
}

/* What stands at the position here. */
static err fork_proofs_ours(struct runtime *runtime, struct bytes key,
                            struct store_record *ret_ours)
{
    struct reader reader = reader_of(key);
    struct stream_id stream;
    err failure = stream_id_read(&reader, &stream);
    if (failure == OK)
        failure = record_table_get(runtime->store, &stream, reader_u64(&reader),
                                   runtime->page_memory, ret_ours);
    return failure == OK && ret_ours->head.size < RECORD_BARE_SIZE ? ERR_CORRUPT : failure;
}

void fork_proofs_found(struct runtime *runtime, const struct effect *effect)
{
    const struct stream_id *stream = &effect->forked.stream;
    uint8_t memory[FORK_PROOFS_KEY_SIZE];
    struct buffer key = buffer_over(memory, sizeof memory);
    struct store_record ours;
    stream_id_write(&key, stream);
    buffer_u64(&key, effect->forked.sequence);
    err failure = fork_proofs_ours(runtime, buffer_bytes(&key), &ours);
    struct fork_proofs_post *post =
        failure == OK
            ? fork_proofs_make(runtime, buffer_bytes(&key), effect->forked.other, ours.head)
            : NULL;
    if (post == NULL) {
        log_error("fork-proof-incomplete", log_err("why", failure));
        return;
    }
    failure = fork_proofs_keep(runtime, post);
    log_error("equivocation", log_text("federation", runtime->name),
              log_hex("writer", ID_BYTES(stream->writer)), log_err("kept", failure),
              log_text("do", "tell the society: two different records stand at one position"));
    fork_proofs_publish(post);
}

/* ---- the start ---- */

static uint64_t fork_proofs_epoch(const struct runtime *runtime, const uint8_t *bare)
{
    struct record_claim claim;
    const struct chain_link *head =
        record_parse((struct bytes){bare, RECORD_BARE_SIZE}, &claim) == OK
            ? chain_find(&runtime->roster.chain, &claim.header.head)
            : NULL;
    return head == NULL ? 0 : head->epoch;
}

/* The stream ends where its fork is. */
static bool fork_proofs_restore_one(void *arg, const struct store_row *row)
{
    struct runtime *runtime = arg;
    struct event event = runtime_event(EVENT_RESTORE_FORKS);
    uint8_t memory[STREAM_ID_SIZE + 8];
    struct buffer fork = buffer_over(memory, sizeof memory);
    struct store_record record;
    if (!fork_proofs_is_one(row))
        return true;
    const uint8_t *ours = row->value.data + RECORD_BARE_SIZE;
    if (row->value.size != FORK_PROOFS_ROW_SIZE)
        ours = fork_proofs_ours(runtime, row->key, &record) == OK ? record.head.data : NULL;
    uint64_t a = fork_proofs_epoch(runtime, row->value.data);
    uint64_t b = ours == NULL ? 0 : fork_proofs_epoch(runtime, ours);
    buffer_put(&fork, row->key.data, STREAM_ID_SIZE);
    buffer_u64(&fork, a > b ? a : b);
    event.forks = buffer_bytes(&fork);
    runtime_step(runtime, &event);
    return true;
}

err fork_proofs_restore(struct runtime *runtime)
{
    return row_table_scan(runtime->store, STORE_TABLE_HEAD, fork_proofs_restore_one, runtime);
}

/* ---- those that are not posted ---- */

static bool fork_proofs_look(void *arg, const struct store_row *row)
{
    struct runtime *runtime = arg;
    struct bytes ours = {row->value.data + RECORD_BARE_SIZE, RECORD_BARE_SIZE};
    struct store_record record;
    struct fork_proofs_post *post;
    bool is_whole = row->value.size == FORK_PROOFS_ROW_SIZE;
    if (!fork_proofs_is_one(row) || (is_whole && row->value.data[FORK_PROOFS_ROW_SIZE - 1] != 0))
        return true;
    if (!is_whole && fork_proofs_ours(runtime, row->key, &record) != OK)
        return true;
    post = fork_proofs_make(runtime, row->key, row->value, is_whole ? ours : record.head);
    if (post != NULL)
        fork_proofs_publish(post);
    if (runtime->fork_proof_posts < FORK_PROOFS_POSTS_MAX)
        return true;
    runtime->owes_fork_proofs = true; /* and more, when these stand there */
    return false;
}

void fork_proofs_wake(struct runtime *runtime)
{
    runtime->owes_fork_proofs = true;
}

/* (T-25) */
void fork_proofs_tick(struct runtime *runtime)
{
    struct mono now = runtime_mono();
    struct engine_status status;
    if (!runtime->owes_fork_proofs || runtime->is_closing || runtime->fork_proof_posts > 0 ||
        now.ms < runtime->fork_proofs_at.ms)
        return;
    engine_status(runtime->engine, &status);
    runtime->fork_proofs_at.ms =
        now.ms + (status.posting_waits ? FORK_PROOFS_LOOK_MS : FORK_PROOFS_RETRY_MS);
    if (status.posting_waits)
        return;
    runtime->owes_fork_proofs = false;
    if (row_table_scan(runtime->store, STORE_TABLE_HEAD, fork_proofs_look, runtime) != OK)
        fork_proofs_wake(runtime);
}
