#include "tests/sim/acceptance.h"

#include <string.h>

#include "protocol/consult/consult.h"
#include "tests/sim/hospital.h"
#include "tests/sim/ledger.h"

static const char *const acceptance_scopes[] = {"federation", "board", "case", "mail"};

_Noreturn static void acceptance_fail(const struct hospital *hospital,
                                      const struct record_claim *claim, const char *what)
{
    char text[200];
    const struct stream_id *stream = &claim->header.stream;
    const struct hospital *writer = hospital_of(hospital->world, &stream->writer);
    (void)snprintf(text, sizeof text, "%s, %s of %s (%02x) generation %u at %llu", hospital->name,
                   acceptance_scopes[(stream->scope.kind - SCOPE_FEDERATION) & 3],
                   writer == NULL ? "nobody" : writer->name, stream->scope.id[0],
                   (unsigned)stream->generation, (unsigned long long)claim->header.sequence);
    world_fail(hospital->world, what, text);
}

/* ---- taken in ---- */

static const struct world_member *acceptance_member(const struct hospital *hospital,
                                                    const struct hospital *other)
{
    return &hospital->world->heads[hospital->epoch - 1].members[other->index];
}

/* (T-6) by the cuts that the society signed up to the hospital's head */
static bool acceptance_is_cut(const struct hospital *hospital, const struct record_claim *claim)
{
    const struct world *world = hospital->world;
    for (uint32_t i = 0; i < world->cut_count; i++) {
        const struct world_cut *cut = &world->cuts[i];
        if (cut->epoch <= hospital->epoch && stream_id_equal(&cut->stream, &claim->header.stream))
            return claim->header.sequence > cut->sequence;
    }
    return true; /* without one, nothing of a removed writer counts */
}

static const char *acceptance_refuses_writer(const struct hospital *hospital,
                                             const struct hospital *writer,
                                             const struct record_claim *claim)
{
    const struct world_member *row = acceptance_member(hospital, writer);
    const struct scope *scope = &claim->header.stream.scope;
    if (row->state != MEMBER_ADMITTED && row->state != MEMBER_REMOVED)
        return "taken in from a writer that is not admitted";
    if (row->state == MEMBER_REMOVED && acceptance_is_cut(hospital, claim))
        return "taken in beyond a cut";
    if (hospital->forked_at[writer->index] == hospital->epoch &&
        row->state_since == row->admitted_epoch)
        return "taken in from a writer that equivocated";
    if (writer == hospital)
        return NULL;
    if (scope->kind == SCOPE_MAIL && memcmp(scope->id, hospital->node.bytes, NODE_ID_SIZE) != 0)
        return "taken in from a writer that has no part there";
    if (scope->kind == SCOPE_CASE && !ledger_takes_part(hospital, writer, scope))
        return "taken in from a writer that has no part there";
    return NULL;
}

/* In federation and cases an expiry means nothing. */
static bool acceptance_has_lapsed(const struct hospital *hospital, const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    enum scope_kind kind = header->stream.scope.kind;
    return (kind == SCOPE_BOARD || kind == SCOPE_MAIL) && !claim->is_bare &&
           header->expires.ms != 0 && header->expires.ms <= hospital_wall(hospital).ms;
}

void acceptance_taken(struct hospital *hospital, const struct step_batch *batch)
{
    const struct step_record *record = batch->records;
    for (size_t i = 0; i < batch->run_count; i++) {
        for (uint16_t j = 0; j < batch->runs[i].count; j++, record++) {
            struct record_claim claim;
            if (batch->runs[i].purpose == RUN_DETACHED) /* an ERASE is obeyed wherever it stands */
                continue;
            WORLD_CHECK(hospital->world, record_parse(record->record, &claim) == OK);
            const struct hospital *writer =
                hospital_of(hospital->world, &claim.header.stream.writer);
            WORLD_CHECK(hospital->world, writer != NULL);
            if (acceptance_has_lapsed(hospital, &claim))
                acceptance_fail(hospital, &claim, "a body is taken in after its expiry");
            const char *why = acceptance_refuses_writer(hospital, writer, &claim);
            if (why != NULL)
                acceptance_fail(hospital, &claim, why);
        }
    }
}

void acceptance_forked(struct hospital *hospital, const struct stream_id *stream)
{
    const struct hospital *writer = hospital_of(hospital->world, &stream->writer);
    if (!writer->is_puppet)
        world_fail(hospital->world, "an honest writer said two things at one position",
                   writer->name);
    hospital->forked_at[writer->index] = hospital->epoch;
}

void acceptance_forks(struct hospital *hospital, struct bytes forks)
{
    struct reader reader = reader_of(forks);
    while (!reader_done(&reader)) {
        struct stream_id stream;
        WORLD_CHECK(hospital->world, stream_id_read(&reader, &stream) == OK);
        (void)reader_u64(&reader);
        uint32_t writer = hospital_of(hospital->world, &stream.writer)->index;
        if (hospital->forked_at[writer] == 0)
            hospital->forked_at[writer] = hospital->epoch;
    }
}

void acceptance_started(const struct hospital *hospital)
{
    const struct disk *disk = &hospital->disk;
    for (size_t i = 0; i < disk->case_count; i++) {
        struct case_id case_id;
        memcpy(case_id.bytes, disk->cases[i].scope.id, HASH_SIZE);
        const struct consult *consult =
            disk->cases[i].is_buried ? hospital_case(hospital, &case_id) : NULL;
        if (disk->cases[i].is_buried && (consult == NULL || consult->state != CASE_ERASED))
            world_fail(hospital->world, "a start forgets that a case was erased", hospital->name);
    }
}

/* ---- kept ---- */

/* One body, and the key that came with it. */
static void acceptance_body(const struct hospital *hospital, const struct step_record *record,
                            const struct record_claim *claim)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct buffer out = buffer_over(memory, sizeof memory);
    const struct scope *scope = &claim->header.stream.scope;
    bool is_clear = claim->header.audience == AUDIENCE_CLEAR;
    if ((record->flags & RECORD_BARE) != 0 || claim->is_bare)
        return;
    for (size_t i = 0; i < hospital->disk.case_count && !is_clear; i++) {
        const struct disk_case *row = &hospital->disk.cases[i];
        if (row->is_buried && scope_equal(&row->scope, scope))
            acceptance_fail(hospital, claim, "a body of an erased case is kept");
    }
    if (record_check_body(claim) != OK)
        acceptance_fail(hospital, claim, "a body that its header does not promise is kept");
    if ((record->flags & (RECORD_KEYLESS | RECORD_MALFORMED)) == 0 &&
        record_open(claim, record->has_key ? &record->key : NULL, &out) != OK)
        acceptance_fail(hospital, claim, "a key that does not open its body is kept");
}

/* 0 when the hospital does not know the head. */
static uint64_t acceptance_epoch(const struct hospital *hospital, const struct head_id *head)
{
    for (uint64_t i = 0; i < hospital->epoch; i++) {
        if (ID_EQUAL(hospital->world->heads[i].id, *head))
            return i + 1;
    }
    return 0;
}

/* (T-9) */
static void acceptance_heads(const struct hospital *hospital, const struct record_claim *claim,
                             const struct disk_record *before)
{
    struct record_claim last;
    if (before == NULL || before->bytes == NULL ||
        record_parse((struct bytes){before->bytes, before->size}, &last) != OK)
        return;
    if (acceptance_epoch(hospital, &claim->header.head) <
        acceptance_epoch(hospital, &last.header.head))
        acceptance_fail(hospital, claim, "kept under an older head than the one before it");
}

/* Records of one run are one chain, from what stood there to a signature of their writer. */
static void acceptance_run(const struct hospital *hospital, const struct step_run *run,
                           const struct step_record *records)
{
    struct record_claim claim;
    struct record_id previous = {{0}};
    for (uint16_t i = 0; i < run->count; i++) {
        WORLD_CHECK(hospital->world, record_parse(records[i].record, &claim) == OK);
        const struct record_header *header = &claim.header;
        const struct disk_record *before =
            i > 0 || header->sequence == 1
                ? NULL
                : disk_at(&hospital->disk, &header->stream, header->sequence - 1);
        if (before != NULL)
            previous = before->id;
        acceptance_heads(hospital, &claim, before);
        if ((i > 0 || before != NULL) && !ID_EQUAL(header->previous, previous))
            acceptance_fail(hospital, &claim, "a record is kept behind one that it does not name");
        previous = claim.id;
        acceptance_body(hospital, &records[i], &claim);
    }
    if (step_run_fills(run))
        return; /* known by its id */
    const struct hospital *writer = hospital_of(hospital->world, &claim.header.stream.writer);
    struct sign_key key;
    memcpy(key.bytes, writer->sign_secret + sizeof writer->sign_secret - sizeof key.bytes,
           sizeof key.bytes);
    if (record_verify(&claim, &key) != OK)
        acceptance_fail(hospital, &claim, "kept without its writer's signature");
}

void acceptance_written(struct hospital *hospital, const struct step_batch *batch)
{
    const struct step_record *records = batch->records;
    for (size_t i = 0; i < batch->run_count; i++) {
        acceptance_run(hospital, &batch->runs[i], records);
        records += batch->runs[i].count;
    }
}

/* ---- heads ---- */

void acceptance_greeted(struct hospital *hospital, uint32_t peer, struct bytes frame)
{
    struct frame_hello hello;
    if (frame_hello_read(frame, &hello) == OK)
        hospital->told_heads[peer] = hello.head;
}

bool acceptance_is_of_one_chain(const struct hospital *from, const struct hospital *to)
{
    return acceptance_epoch(from, &from->told_heads[to->index]) != 0;
}

bool acceptance_has_compared(const struct hospital *hospital)
{
    const struct world *world = hospital->world;
    uint32_t others = 0, compared = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        bool is_other = i != hospital->index;
        others +=
            is_other && acceptance_member(hospital, &world->hospitals[i])->state == MEMBER_ADMITTED;
        compared += is_other && acceptance_epoch(hospital, &hospital->told_heads[i]) != 0;
    }
    return hospital->is_relay_told || compared >= (others < 2 ? others : 2);
}
