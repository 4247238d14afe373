#include "node/driver/fork_proofs.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/fork_row.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "store/record_table.h"

enum { FORK_PROOFS_LOOK_MS = 1000, FORK_PROOFS_RETRY_MS = 30 * 1000, FORK_PROOFS_POSTS_MAX = 8 };

struct fork_proofs {
    struct runtime *runtime;
    bool is_due;       /* some are not posted, or may not be */
    size_t post_count; /* on their way into our stream */
    struct mono next_at;
};

struct fork_proofs *fork_proofs_new(struct runtime *runtime)
{
    struct fork_proofs *proofs = calloc(1, sizeof *proofs);
    if (proofs != NULL)
        proofs->runtime = runtime;
    return proofs;
}

void fork_proofs_free(struct fork_proofs *proofs)
{
    free(proofs);
}

/* A proof on its way into our stream. */
struct fork_proofs_post {
    struct fork_proofs *proofs;
    struct fork_row row;
};

static err fork_proofs_keep(struct runtime *runtime, const struct fork_proofs_post *post)
{
    struct fork_row_bytes memory;
    struct store_op op = fork_row_put(&post->row, &memory);
    return store_submit(runtime_store(runtime), &op, 1, STORE_NORMAL, 0);
}

static void fork_proofs_on_posted(void *arg, const struct runtime_done *done)
{
    struct fork_proofs_post *post = arg;
    post->proofs->post_count--;
    if (done->verdict == OK) {
        post->row.is_posted = true;
        (void)fork_proofs_keep(post->proofs->runtime, post); /* else it is posted once more */
    } else {
        fork_proofs_wake(post->proofs);
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
    struct runtime *runtime = post->proofs->runtime;
    uint8_t memory[2560];
    struct buffer body = buffer_over(memory, sizeof memory);
    err failure = fork_proofs_body(&post->row, &body);
    if (failure != OK) {
        log_error("fork-proof-incomplete", log_text("federation", runtime_name(runtime)),
                  log_err("why", failure),
                  log_text("do", "tell the society: a fork was found and cannot be proven"));
        free(post);
        return;
    }
    struct runtime_post words = {
        .scope = scope_federation(), .audience = AUDIENCE_CLEAR, .plaintext = buffer_bytes(&body)};
    post->proofs->post_count++;
    runtime_post(runtime, &words, fork_proofs_on_posted, post);
}

/* NULL: no memory. */
static struct fork_proofs_post *fork_proofs_make(struct fork_proofs *proofs,
                                                 const struct fork_row *row)
{
    struct fork_proofs_post *post = calloc(1, sizeof *post);
    if (post == NULL)
        return NULL;
    post->proofs = proofs;
    post->row = *row;
    return post;
}

/* Fills in what stands at the position here, unless the row holds it. */
static err fork_proofs_complete(struct runtime *runtime, struct fork_row *row)
{
    struct store_record record;
    if (row->has_ours)
        return OK;
    err failure = record_table_get(runtime_store(runtime), &row->stream, row->sequence,
                                   runtime_page(runtime), &record);
    if (failure == OK && record.head.size < RECORD_BARE_SIZE)
        failure = ERR_CORRUPT;
    if (failure != OK)
        return failure;
    memcpy(row->ours, record.head.data, RECORD_BARE_SIZE);
    row->has_ours = true;
    return OK;
}

void fork_proofs_found(struct fork_proofs *proofs, const struct effect *effect)
{
    struct runtime *runtime = proofs->runtime;
    struct fork_row row = {.stream = effect->forked.stream, .sequence = effect->forked.sequence};
    memcpy(row.theirs, effect->forked.other.data, RECORD_BARE_SIZE);
    err failure = fork_proofs_complete(runtime, &row);
    struct fork_proofs_post *post = failure == OK ? fork_proofs_make(proofs, &row) : NULL;
    if (post == NULL) {
        log_error("fork-proof-incomplete", log_text("federation", runtime_name(runtime)),
                  log_err("why", failure),
                  log_text("do", "tell the society: a fork was found and cannot be proven"));
        return;
    }
    failure = fork_proofs_keep(runtime, post);
    log_error("equivocation", log_text("federation", runtime_name(runtime)),
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
            ? chain_find(&runtime_roster(runtime)->chain, &claim.header.head)
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
    (void)runtime_step(runtime, &event);
    return true;
}

err fork_proofs_restore(struct runtime *runtime)
{
    return fork_row_scan(runtime_store(runtime), fork_proofs_restore_one, runtime);
}

/* ---- those that are not posted ---- */

static bool fork_proofs_look(void *arg, const struct fork_row *from)
{
    struct fork_proofs *proofs = arg;
    struct fork_row row = *from;
    if (row.is_posted || fork_proofs_complete(proofs->runtime, &row) != OK)
        return true;
    struct fork_proofs_post *post = fork_proofs_make(proofs, &row);
    if (post != NULL)
        fork_proofs_publish(post);
    if (proofs->post_count < FORK_PROOFS_POSTS_MAX)
        return true;
    proofs->is_due = true; /* and more, when these stand there */
    return false;
}

void fork_proofs_wake(struct fork_proofs *proofs)
{
    proofs->is_due = true;
}

/* (T-25) */
void fork_proofs_tick(struct fork_proofs *proofs)
{
    struct runtime *runtime = proofs->runtime;
    struct mono now = runtime_mono();
    struct engine_status status;
    if (!proofs->is_due || runtime_is_closing(runtime) || proofs->post_count > 0 ||
        now.ms < proofs->next_at.ms)
        return;
    engine_status(runtime_engine(runtime), &status);
    proofs->next_at.ms =
        now.ms + (status.posting_waits ? FORK_PROOFS_LOOK_MS : FORK_PROOFS_RETRY_MS);
    if (status.posting_waits)
        return;
    proofs->is_due = false;
    if (fork_row_scan(runtime_store(runtime), fork_proofs_look, proofs) != OK)
        fork_proofs_wake(proofs);
}
