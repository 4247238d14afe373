#include "node/service/opinion_export.h"

#include <sodium.h>
#include <stdlib.h>

#include "node/audit/audit.h"
#include "node/roster_sync/roster_sync.h"
#include "node/runtime/lost_record.h"
#include "protocol/contents/opinion_file.h"
#include "store/record_table.h"

/* Everything that goes into one file, while it is put together. */
struct opinion_export_parts {
    const struct service *service;
    struct opinion_export wanted;
    struct store_record stored[3]; /* opinion, certificate, receipt */
    struct record_claim claims[3];
    uint8_t memory[3][STORE_RECORD_SIZE_MAX];
    uint8_t proofs[3][INCLUSION_SIZE_MAX];
    struct record_id receipt;
    struct opinion_file file;
    struct buffer *out;
};

static struct bytes opinion_export_whole(const struct store_record *record)
{
    return (struct bytes){record->head.data, record->head.size + record->body.size};
}

static err opinion_export_load_opinion(struct opinion_export_parts *parts)
{
    struct store *store = runtime_store(parts->service->runtime);
    struct store_record *record = &parts->stored[0];
    err failure = record_table_find(store, &parts->wanted.record, parts->memory[0], record);
    if (failure == OK && (!record->has_body || !record->has_key))
        failure = record->destroyed ? ERR_DESTROYED : ERR_NOT_ENTITLED;
    if (failure == OK)
        failure = record_parse(opinion_export_whole(record), &parts->claims[0]);
    parts->file.opinion = opinion_export_whole(record);
    parts->file.opinion_key = record->key;
    return failure;
}

static err opinion_export_load_certificate(struct opinion_export_parts *parts)
{
    struct runtime *runtime = parts->service->runtime;
    uint8_t *plaintext = malloc(RECORD_SIZE_MAX);
    struct buffer out = buffer_over(plaintext, RECORD_SIZE_MAX);
    struct statement statement;
    struct store_record *record = &parts->stored[1];
    err failure = plaintext == NULL ? ERR_NO_MEMORY
                                    : record_open(&parts->claims[0], &parts->stored[0].key, &out);
    if (failure == OK)
        failure = statement_read(buffer_bytes(&out), &statement);
    if (failure == OK && statement.kind != KIND_OPINION)
        failure = ERR_INVALID;
    const struct clinician *clinician =
        failure == OK ? engine_clinician(runtime_engine(runtime), &statement.author.cert_id) : NULL;
    if (failure == OK && clinician == NULL)
        failure = ERR_NOT_FOUND;
    if (failure == OK) {
        struct stream_id stream = {.scope = scope_federation(),
                                   .writer = clinician->node,
                                   .generation = (uint32_t)clinician->recorded.generation};
        failure = record_table_get(runtime_store(runtime), &stream, clinician->recorded.sequence,
                                   parts->memory[1], record);
    }
    if (failure == OK)
        failure = record_parse(opinion_export_whole(record), &parts->claims[1]);
    parts->file.certificate = opinion_export_whole(record);
    if (plaintext != NULL)
        sodium_memzero(plaintext, RECORD_SIZE_MAX);
    free(plaintext);
    return failure;
}

static bool opinion_export_on_take_in(void *arg, const struct stored_record *stored_record)
{
    struct opinion_export_parts *parts = arg;
    struct case_record_take_in take_in;
    if (!stored_record_content(stored_record, KIND_TAKE_IN, &case_record_take_in_table, &take_in))
        return true;
    for (size_t i = 0; i < take_in.taken_count; i++) {
        if (ID_EQUAL(take_in.taken[i].record_id, parts->wanted.record)) {
            parts->receipt = stored_record->claim.id;
            return false;
        }
    }
    return true;
}

static err opinion_export_load_receipt(struct opinion_export_parts *parts)
{
    struct store *store = runtime_store(parts->service->runtime);
    struct scope scope = scope_case(&parts->wanted.case_id);
    const struct consult *consult = runtime_case(parts->service->runtime, &parts->wanted.case_id);
    struct store_record *record = &parts->stored[2];
    err failure = stored_record_scope(store, &scope, 0, opinion_export_on_take_in, parts);
    if (failure != OK || ID_IS_ZERO(parts->receipt) || consult == NULL)
        return failure;
    failure = record_table_find(store, &parts->receipt, parts->memory[2], record);
    if (failure == OK)
        failure = record_parse(opinion_export_whole(record), &parts->claims[2]);
    parts->file.has_receipt = failure == OK && record->has_key;
    parts->file.opening = consult->opening;
    parts->file.receipt = opinion_export_whole(record);
    parts->file.receipt_key = record->key;
    return failure;
}

/* (T-27) Whoever gets the file has these signatures alone. */
static err opinion_export_check(struct opinion_export_parts *parts)
{
    struct runtime *runtime = parts->service->runtime;
    size_t count = parts->file.has_receipt ? 3 : 2;
    for (size_t i = 0; i < count; i++) {
        const struct record_header *header = &parts->claims[i].header;
        const struct sign_key *signer =
            roster_signer(runtime_roster(runtime), &header->stream.writer, &header->head);
        if (signer == NULL || record_verify(&parts->claims[i], signer) == OK)
            continue;
        struct lost_record lost = {header->stream, header->sequence, parts->stored[i].id,
                                   parts->stored[i].flags};
        lost_record_keep(runtime, &lost);
        return ERR_BAD_SIGNATURE;
    }
    return OK;
}

static err opinion_export_load_proofs(struct opinion_export_parts *parts)
{
    size_t count = parts->file.has_receipt ? 3 : 2;
    err failure = OK;
    for (size_t i = 0; failure == OK && i < count; i++) {
        struct buffer proof = buffer_over(parts->proofs[i], INCLUSION_SIZE_MAX);
        failure = membership_proofs_find(parts->service->proofs, &parts->claims[i], &proof);
        struct bytes made = buffer_bytes(&proof);
        bool is_there = false;
        for (size_t j = 0; j < parts->file.proof_count; j++)
            is_there = is_there || bytes_equal(parts->file.proofs[j], made);
        if (failure == OK && !is_there)
            parts->file.proofs[parts->file.proof_count++] = made;
    }
    return failure;
}

static err opinion_export_write_file(struct opinion_export_parts *parts)
{
    struct runtime *runtime = parts->service->runtime;
    const struct chain *chain = &runtime_roster(runtime)->chain;
    uint8_t memory[HEAD_SIZE_MAX];
    err failure = OK;
    parts->file.head_count = chain->count;
    opinion_file_begin(parts->out, &parts->file);
    const struct chain_link *link = chain_since(chain, 0);
    for (; failure == OK && link != NULL; link = chain_since(chain, link->epoch + 1)) {
        struct buffer head = buffer_over(memory, sizeof memory);
        failure = roster_sync_read(runtime_store(runtime), link->epoch, &head);
        if (failure == OK)
            opinion_file_add_head(parts->out, buffer_bytes(&head));
    }
    return failure == OK && parts->out->failed ? ERR_TOO_LARGE : failure;
}

err opinion_export_write(const struct service *service, const struct opinion_export *wanted,
                         struct buffer *out, struct refusal *ret_refusal)
{
    struct opinion_export_parts *parts = calloc(1, sizeof *parts);
    if (parts == NULL)
        return refusal_of(ret_refusal, ERR_NO_MEMORY);
    parts->service = service;
    parts->wanted = *wanted;
    parts->out = out;
    err failure = opinion_export_load_opinion(parts);
    if (failure == OK)
        failure = opinion_export_load_certificate(parts);
    if (failure == OK)
        failure = opinion_export_load_receipt(parts);
    if (failure == OK)
        failure = opinion_export_check(parts);
    if (failure == OK)
        failure = opinion_export_load_proofs(parts);
    if (failure == OK)
        failure = opinion_export_write_file(parts);
    sodium_memzero(parts, sizeof *parts);
    free(parts);
    struct audit_fact fact = {.what = AUDIT_EXPORTED,
                              .uid = wanted->uid + 1,
                              .case_id = wanted->case_id,
                              .record = wanted->record,
                              .kind = KIND_OPINION};
    if (failure == OK)
        audit_note(runtime_audit(service->runtime), &fact);
    switch ((int)failure) {
    case OK:
        return OK;
    case ERR_INVALID:
        return refusal_set(ret_refusal, failure, "`consilium show CASE` lists the opinions",
                           "this record is no opinion");
    case ERR_NOT_ENTITLED:
        return refusal_set(ret_refusal, failure,
                           "opinions of others can be read after the requester reveals them",
                           "this opinion cannot be read here");
    case ERR_BAD_SIGNATURE:
        return refusal_set(ret_refusal, failure,
                           "try again when another member of the case is connected: the record is "
                           "requested from it",
                           "a signature was changed by whoever passed the record on");
    case ERR_NOT_FOUND:
        return refusal_set(ret_refusal, failure, "try again when a peer or a relay is connected",
                           "the author's certificate, or a proof of membership, is not here");
    default:
        return refusal_of(ret_refusal, failure);
    }
}
