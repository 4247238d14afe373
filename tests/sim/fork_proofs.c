#include "tests/sim/fork_proofs.h"

#include <string.h>

#include "protocol/record/audit_evidence.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "protocol/state/streams.h"
#include "tests/sim/acceptance.h"
#include "tests/sim/hospital.h"

enum { FORK_PROOFS_RETRY_MS = 30 * 1000 };

static void fork_proofs_post(struct hospital *hospital, struct disk_fork *fork)
{
    struct audit_evidence_fork_proof proof;
    uint8_t content[2048], body[2560];
    struct buffer inner = buffer_over(content, sizeof content);
    struct buffer outer = buffer_over(body, sizeof body);
    proof.header_a = (struct bytes){fork->ours, RECORD_HEADER_SIZE};
    proof.header_b = (struct bytes){fork->theirs, RECORD_HEADER_SIZE};
    memcpy(proof.signature_a.bytes, fork->ours + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    memcpy(proof.signature_b.bytes, fork->theirs + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    struct statement statement = {.kind = KIND_FORK_PROOF};
    err failure = audit_evidence_fork_proof_write(&proof, &inner);
    statement.content = buffer_bytes(&inner);
    if (failure == OK)
        failure = statement_write(&statement, &outer);
    WORLD_CHECK(hospital->world, failure == OK);
    struct posting posting = {scope_federation(), AUDIENCE_CLEAR, buffer_bytes(&outer), {0}};
    fork->token.value = hospital_post(hospital, &posting);
}

void fork_proofs_found(struct hospital *hospital, const struct effect *effect)
{
    struct disk *disk = &hospital->disk;
    struct disk_stream *stream = disk_find(disk, &effect->forked.stream);
    const struct disk_record *ours = disk_at(disk, &effect->forked.stream, effect->forked.sequence);
    world_note(hospital->world, hospital, "forked", effect->forked.sequence);
    acceptance_forked(hospital, &effect->forked.stream);
    WORLD_CHECK(hospital->world, ours != NULL && disk->found_count < DISK_FORKS_MAX);
    stream->flags |= STREAM_FORKED;
    struct disk_fork *fork = &disk->found[disk->found_count++];
    *fork = (struct disk_fork){.is_posted = false};
    memcpy(fork->ours, ours->bytes, RECORD_BARE_SIZE);
    memcpy(fork->theirs, effect->forked.other.data, RECORD_BARE_SIZE);
    fork_proofs_post(hospital, fork);
}

void fork_proofs_tick(struct hospital *hospital)
{
    struct engine_status status;
    for (size_t i = 0; i < hospital->disk.found_count; i++) {
        struct disk_fork *fork = &hospital->disk.found[i];
        if (fork->is_posted || fork->token.value != 0 || fork->retry_at > hospital->world->now)
            continue;
        engine_status(hospital->engine, &status);
        if (!status.posting_waits)
            fork_proofs_post(hospital, fork);
    }
}

void fork_proofs_done(struct hospital *hospital, struct token token, err verdict)
{
    for (size_t i = 0; i < hospital->disk.found_count; i++) {
        struct disk_fork *fork = &hospital->disk.found[i];
        if (fork->token.value != token.value)
            continue;
        fork->token.value = 0;
        fork->is_posted = verdict == OK;
        fork->retry_at = hospital->world->now + FORK_PROOFS_RETRY_MS;
    }
}

void fork_proofs_forget(struct hospital *hospital)
{
    for (size_t i = 0; i < hospital->disk.found_count; i++) {
        hospital->disk.found[i].token.value = 0;
        hospital->disk.found[i].retry_at = 0;
    }
}
