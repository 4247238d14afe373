#include "node/runtime/fork_proofs.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/fork_row.h"
#include "node/runtime/runtime_state.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "store/record_table.h"

enum { FORK_PROOFS_LOOK_MS = 1000, FORK_PROOFS_RETRY_MS = 30 * 1000, FORK_PROOFS_POSTS_MAX = 8 };

/* A proof on its way into our stream. */
struct fork_proofs_post {
    struct runtime *runtime;
    struct fork_row row;
};

static err fork_proofs_keep(struct runtime *runtime, const struct fork_proofs_post *post)
{
    struct fork_row_bytes memory;
    struct store_op op = fork_row_put(&post->row, &memory);
    return store_submit(runtime->store, &op, 1, STORE_NORMAL, 0);
}

static void fork_proofs_on_posted(void *arg, const struct runtime_done *done)
{
    struct fork_proofs_post *post = arg;
    post->runtime->fork_proof_posts--;
    if (done->verdict == OK) {
        post->row.is_posted = true;
        (void)fork_proofs_keep(post->runtime, post); /* else it is posted once more */
    } else {
        fork_proofs_wake(post->runtime);
    }
    free(post);
}

static err fork_proofs_body(const struct fork_row *row, struct buffer *body)
{
    uint8_t memory[2048];
    const uint8_t *theirs = row->theirs, *ours = row->ours;
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
    err failure = fork_proofs_body(&post->row, &body);
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

/* NULL: no memory. */
static struct fork_proofs_post *fork_proofs_make(struct runtime *runtime,
                                                 const struct fork_row *row)
{
    struct fork_proofs_post *post = calloc(1, sizeof *post);
    if (post == NULL)
        return NULL;
    post->runtime = runtime;
    post->row = *row;
    return post;
}

/* Fills in what stands at the position here, unless the row holds it. */
static err fork_proofs_complete(struct runtime *runtime, struct fork_row *row)
{
    struct store_record record;
    if (row->has_ours)
        return OK;
    err failure = record_table_get(runtime->store, &row->stream, row->sequence,
                                   runtime->page_memory, &record);
    if (failure == OK && record.head.size < RECORD_BARE_SIZE)
        failure = ERR_CORRUPT;
    if (failure != OK)
        return failure;
    memcpy(row->ours, record.head.data, RECORD_BARE_SIZE);
    row->has_ours = true;
    return OK;
}

void fork_proofs_found(struct runtime *runtime, const struct effect *effect)
{
    struct fork_row row = {.stream = effect->forked.stream, .sequence = effect->forked.sequence};
    memcpy(row.theirs, effect->forked.other.data, RECORD_BARE_SIZE);
    err failure = fork_proofs_complete(runtime, &row);
    struct fork_proofs_post *post = failure == OK ? fork_proofs_make(runtime, &row) : NULL;
    if (post == NULL) {
        log_error("fork-proof-incomplete", log_err("why", failure));
        return;
    }
    failure = fork_proofs_keep(runtime, post);
    log_error("equivocation", log_text("federation", runtime->name),
              log_hex("writer", ID_BYTES(row.stream.writer)), log_err("kept", failure),
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
static bool fork_proofs_restore_one(void *arg, const struct fork_row *from)
{
    struct runtime *runtime = arg;
    struct event event = runtime_event(EVENT_RESTORE_FORKS);
    struct fork_row row = *from;
    uint8_t memory[STREAM_ID_SIZE + 8];
    struct buffer fork = buffer_over(memory, sizeof memory);
    err failure = fork_proofs_complete(runtime, &row);
    uint64_t a = fork_proofs_epoch(runtime, row.theirs);
    uint64_t b = failure == OK ? fork_proofs_epoch(runtime, row.ours) : 0;
    stream_id_write(&fork, &row.stream);
    buffer_u64(&fork, a > b ? a : b);
    event.forks = buffer_bytes(&fork);
    runtime_step(runtime, &event);
    return true;
}

err fork_proofs_restore(struct runtime *runtime)
{
    return fork_row_scan(runtime->store, fork_proofs_restore_one, runtime);
}

/* ---- those that are not posted ---- */

static bool fork_proofs_look(void *arg, const struct fork_row *from)
{
    struct runtime *runtime = arg;
    struct fork_row row = *from;
    if (row.is_posted || fork_proofs_complete(runtime, &row) != OK)
        return true;
    struct fork_proofs_post *post = fork_proofs_make(runtime, &row);
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
    if (fork_row_scan(runtime->store, fork_proofs_look, runtime) != OK)
        fork_proofs_wake(runtime);
}
