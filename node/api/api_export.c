/* A signed opinion as a file that stands alone (protocol/contents/opinion_file.h). */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/audit/audit.h"
#include "node/roster_sync/roster_sync.h"
#include "node/views/membership_proofs.h"
#include "protocol/contents/opinion_file.h"
#include "store/record_table.h"

/* Everything that goes into one file, while it is put together. */
struct api_exporting {
    struct api_call *call;
    struct record_id record;
    struct store_record stored[3]; /* opinion, certificate, receipt */
    struct record_claim claims[3];
    uint8_t memory[3][STORE_RECORD_SIZE_MAX];
    uint8_t proofs[3][INCLUSION_SIZE_MAX];
    struct record_id receipt;
    struct opinion_file file;
    struct buffer out;
};

static struct bytes api_whole(const struct store_record *record)
{
    return (struct bytes){record->head.data, record->head.size + record->body.size};
}

static err api_load_opinion(struct api_exporting *exporting)
{
    struct store *store = runtime_store(exporting->call->federation->runtime);
    struct store_record *record = &exporting->stored[0];
    err failure = record_table_find(store, &exporting->record, exporting->memory[0], record);
    if (failure == OK && (!record->has_body || !record->has_key))
        failure = record->destroyed ? ERR_DESTROYED : ERR_NOT_ENTITLED;
    if (failure == OK)
        failure = record_parse(api_whole(record), &exporting->claims[0]);
    exporting->file.opinion = api_whole(record);
    exporting->file.opinion_key = record->key;
    return failure;
}

static err api_load_certificate(struct api_exporting *exporting)
{
    struct runtime *runtime = exporting->call->federation->runtime;
    uint8_t *plaintext = malloc(RECORD_SIZE_MAX);
    struct buffer out = buffer_over(plaintext, RECORD_SIZE_MAX);
    struct statement statement;
    struct store_record *record = &exporting->stored[1];
    err failure = plaintext == NULL
                      ? ERR_NO_MEMORY
                      : record_open(&exporting->claims[0], &exporting->stored[0].key, &out);
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
                                   exporting->memory[1], record);
    }
    if (failure == OK)
        failure = record_parse(api_whole(record), &exporting->claims[1]);
    exporting->file.certificate = api_whole(record);
    if (plaintext != NULL)
        sodium_memzero(plaintext, RECORD_SIZE_MAX);
    free(plaintext);
    return failure;
}

static bool api_on_take_in(void *arg, const struct stored_record *stored_record)
{
    struct api_exporting *exporting = arg;
    struct case_record_take_in take_in;
    if (!stored_record_content(stored_record, KIND_TAKE_IN, &case_record_take_in_table, &take_in))
        return true;
    for (size_t i = 0; i < take_in.taken_count; i++) {
        if (ID_EQUAL(take_in.taken[i].record_id, exporting->record)) {
            exporting->receipt = stored_record->claim.id;
            return false;
        }
    }
    return true;
}

static err api_load_receipt(struct api_exporting *exporting)
{
    struct api_call *call = exporting->call;
    struct store *store = runtime_store(call->federation->runtime);
    struct scope scope = scope_case(&call->case_id);
    const struct consult *consult = api_consult(call);
    struct store_record *record = &exporting->stored[2];
    err failure = stored_record_scope(store, &scope, 0, api_on_take_in, exporting);
    if (failure != OK || ID_IS_ZERO(exporting->receipt) || consult == NULL)
        return failure;
    failure = record_table_find(store, &exporting->receipt, exporting->memory[2], record);
    if (failure == OK)
        failure = record_parse(api_whole(record), &exporting->claims[2]);
    exporting->file.has_receipt = failure == OK && record->has_key;
    exporting->file.opening = consult->opening;
    exporting->file.receipt = api_whole(record);
    exporting->file.receipt_key = record->key;
    return failure;
}

static err api_load_proofs(struct api_exporting *exporting)
{
    size_t count = exporting->file.has_receipt ? 3 : 2;
    err failure = OK;
    for (size_t i = 0; failure == OK && i < count; i++) {
        struct buffer proof = buffer_over(exporting->proofs[i], INCLUSION_SIZE_MAX);
        failure = membership_proofs_find(exporting->call->federation->proofs, &exporting->claims[i],
                                         &proof);
        struct bytes made = buffer_bytes(&proof);
        bool is_there = false;
        for (size_t j = 0; j < exporting->file.proof_count; j++)
            is_there = is_there || bytes_equal(exporting->file.proofs[j], made);
        if (failure == OK && !is_there)
            exporting->file.proofs[exporting->file.proof_count++] = made;
    }
    return failure;
}

static err api_write_file(struct api_exporting *exporting)
{
    struct runtime *runtime = exporting->call->federation->runtime;
    const struct chain *chain = &runtime_roster(runtime)->chain;
    uint8_t memory[HEAD_SIZE_MAX];
    err failure = OK;
    exporting->file.head_count = chain->count;
    opinion_file_begin(&exporting->out, &exporting->file);
    const struct chain_link *link = chain_since(chain, 0);
    for (; failure == OK && link != NULL; link = chain_since(chain, link->epoch + 1)) {
        struct buffer head = buffer_over(memory, sizeof memory);
        failure = roster_sync_read(runtime_store(runtime), link->epoch, &head);
        if (failure == OK)
            opinion_file_add_head(&exporting->out, buffer_bytes(&head));
    }
    return failure == OK && exporting->out.failed ? ERR_TOO_LARGE : failure;
}

static err api_export(struct api_exporting *exporting)
{
    err failure = api_load_opinion(exporting);
    if (failure == OK)
        failure = api_load_certificate(exporting);
    if (failure == OK)
        failure = api_load_receipt(exporting);
    if (failure == OK)
        failure = api_load_proofs(exporting);
    if (failure == OK)
        failure = api_write_file(exporting);
    return failure;
}

static void api_answer_export(struct api_call *call, const struct api_exporting *exporting)
{
    struct audit_fact fact = {.what = AUDIT_EXPORTED,
                              .uid = (uint64_t)http_peer(call->request).uid + 1,
                              .case_id = call->case_id,
                              .record = exporting->record,
                              .kind = KIND_OPINION};
    char hex[2 * HASH_SIZE + 1], name[2 * HASH_SIZE + 16];
    audit_note(runtime_audit(call->federation->runtime), &fact);
    ids_to_hex(ID_BYTES(exporting->record), hex);
    snprintf(name, sizeof name, "%.16s.opinion", hex);
    struct http_answer answer = {
        .status = 200, .type = "application/octet-stream", .file_name = name};
    struct http_request *request = call->request;
    api_call_free(call);
    http_answer(request, &answer, buffer_bytes(&exporting->out));
}

void api_post_export(struct api_call *call)
{
    struct record_id record;
    if (!api_find_case(call) || !api_find_record(call, api_part(call, 3), &record))
        return;
    struct api_exporting *exporting = calloc(1, sizeof *exporting);
    uint8_t *out = malloc(OPINION_FILE_SIZE_MAX);
    err failure = exporting == NULL || out == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK) {
        exporting->call = call;
        exporting->record = record;
        exporting->out = buffer_over(out, OPINION_FILE_SIZE_MAX);
        failure = api_export(exporting);
    }
    if (failure == OK)
        api_answer_export(call, exporting);
    else
        api_refuse(call, failure,
                   failure == ERR_INVALID        ? "this record is no opinion"
                   : failure == ERR_NOT_ENTITLED ? "this opinion is not readable here (yet)"
                   : failure == ERR_NOT_FOUND
                       ? "the certificate, or a proof of membership, is not here"
                       : NULL,
                   NULL);
    if (exporting != NULL)
        sodium_memzero(exporting, sizeof *exporting);
    free(exporting);
    free(out);
}
