/* What a participant does in a case of others: decline, give an opinion, ask; and what both sides
 * do: discuss, flag. */
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/drafts/outgoing_preview.h"
#include "node/views/receipts.h"
#include "protocol/contents/opinion.h"

static void api_post_decline(struct api_call *call)
{
    if (!api_find_case(call))
        return;
    struct api_writing writing = {
        .kind = KIND_DECLINE, .audience = api_audience(call), .table = &case_record_decline_table};
    if (!api_takes_part(call))
        api_mail_decline(call);
    else
        api_write(call, &writing);
}

/* ---- the opinion ---- */

static err api_fill_head(const struct api_call *call, struct opinion_stream_head *head)
{
    struct runtime *runtime = call->federation->runtime;
    struct scope scope = scope_federation();
    struct stream_id stream = engine_own_stream(runtime_engine(runtime), &scope);
    uint64_t tail = 0, had = 0;
    struct stored_record stored_record;
    struct stored_record_memory *memory = stored_record_memory_new();
    err failure = memory == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK && !engine_position(runtime_engine(runtime), &stream, &tail, &had))
        failure = ERR_NOT_FOUND;
    if (failure == OK)
        failure = stored_record_at(runtime_store(runtime), &stream, tail, memory, &stored_record);
    if (failure == OK)
        *head = (struct opinion_stream_head){stream.generation, tail, stored_record.claim.id};
    stored_record_memory_free(memory);
    return failure;
}

static int api_compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* Those items of the case file in force that this very clinician has receipts for: API-9. */
static err api_fill_seen(struct api_call *call, struct opinion *opinion)
{
    struct case_file *case_file = calloc(1, sizeof *case_file);
    struct receipts *receipts = NULL;
    err failure = case_file == NULL || api_memory(call) == NULL
                      ? ERR_NO_MEMORY
                      : outgoing_preview_casefile(call->federation->runtime, &call->case_id,
                                                  call->memory, case_file);
    if (failure == OK)
        failure = receipts_read(call->federation->runtime, &call->case_id, &receipts);
    for (size_t i = 0; failure == OK && i < case_file->item_count; i++) {
        const struct item_id *item = &case_file->items[i].item_id;
        if (receipts_has_item(receipts, &call->account->certificate.cert_id, item))
            opinion->items_opened[opinion->item_opened_count++] = *item;
    }
    if (failure == OK) {
        opinion->manifest_root = case_file_root(case_file);
        qsort(opinion->items_opened, opinion->item_opened_count, sizeof opinion->items_opened[0],
              api_compare);
    }
    receipts_free(receipts);
    free(case_file);
    return failure;
}

static bool api_fix_opinion(struct api_call *call, void *value)
{
    struct opinion *opinion = value;
    const struct inbox_entry *entry = inbox_find(call->federation->inbox, &call->case_id);
    memset(opinion->items_opened, 0, sizeof opinion->items_opened);
    opinion->item_opened_count = 0;
    opinion->sentence = bytes_of_text(OPINION_SENTENCE);
    opinion->roster_head = roster_current_id(runtime_roster(call->federation->runtime));
    err failure = entry == NULL ? ERR_NOT_FOUND : api_fill_head(call, &opinion->stream_head);
    if (failure == OK)
        failure = api_fill_seen(call, opinion);
    if (failure != OK) {
        api_refuse(call, failure,
                   failure == ERR_NOT_FOUND
                       ? "announcement, case file or certificate are not all here yet"
                       : NULL,
                   "wait for the case to arrive");
        return false;
    }
    opinion->announcement = entry->record;
    if (opinion->text.size > 0 && opinion->language.size > 0)
        return true;
    api_refuse(call, ERR_INVALID, opinion->text.size == 0 ? "text: missing" : "language: missing",
               NULL);
    return false;
}

/* ---- an earlier opinion of the same clinician ---- */

/* What the clinician of the call gave before: the last that stands, and the one that is named. */
struct api_earlier {
    const struct api_call *call;
    const struct record_id *named; /* NULL: none */
    struct record_id standing;     /* zeros: none */
    struct wall time;              /* of that */
    bool is_named_found;
};

/* A key has as many certificates as it was renewed. */
static bool api_is_by_signer(const struct api_call *call, const struct stored_record *stored_record)
{
    const struct account *account = call->account;
    const struct clinician *author = engine_clinician(runtime_engine(call->federation->runtime),
                                                      &stored_record->statement.author.cert_id);
    return ID_EQUAL(stored_record->claim.header.stream.writer,
                    runtime_settings(call->federation->runtime)->self) &&
           (ID_EQUAL(stored_record->statement.author.cert_id, account->certificate.cert_id) ||
            (author != NULL && ID_EQUAL(author->key, account->certificate.request.clinician_key)));
}

static bool api_on_earlier(void *arg, const struct stored_record *stored_record)
{
    struct api_earlier *earlier = arg;
    static struct opinion opinion; /* one loop, one thread */
    if (!stored_record_content(stored_record, KIND_OPINION, &opinion_table, &opinion) ||
        !api_is_by_signer(earlier->call, stored_record))
        return true;
    if (earlier->named != NULL && ID_EQUAL(stored_record->claim.id, *earlier->named))
        earlier->is_named_found = true;
    earlier->standing = stored_record->claim.id;
    earlier->time = stored_record->claim.header.time;
    return true;
}

/* API-14: one clinician gives one opinion, unless another is meant. */
static bool api_is_first_opinion(struct api_call *call)
{
    const json_t *additional = json_object_get(call->form, "additional");
    const char *replaces = json_string_value(json_object_get(call->form, "replaces"));
    struct record_id named;
    struct api_earlier earlier = {.call = call};
    struct scope scope = scope_case(&call->case_id);
    char id[2 * HASH_SIZE + 1], time[CONTENT_JSON_TIME_SIZE], message[200], hint[200];
    if (additional != NULL && !json_is_boolean(additional)) {
        api_refuse(call, ERR_INVALID, "additional: true or false is wanted", NULL);
        return false;
    }
    if (replaces != NULL && ids_from_hex(replaces, named.bytes, HASH_SIZE) == OK)
        earlier.named = &named;
    err failure = stored_record_scope(runtime_store(call->federation->runtime), &scope, 0,
                                      api_on_earlier, &earlier);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return false;
    }
    ids_to_hex(ID_BYTES(earlier.standing), id);
    content_json_time(earlier.time, time);
    if (earlier.named != NULL && !earlier.is_named_found) {
        api_refuse(call, ERR_INVALID, "replaces: that is no opinion of this clinician",
                   "only one's own opinion is replaced; `consilium show CASE` lists them");
        return false;
    }
    if (earlier.named != NULL || ID_IS_ZERO(earlier.standing) || json_is_true(additional))
        return true;
    snprintf(message, sizeof message, "%s gave an opinion on this case on %.10s: %.16s",
             call->account->login, time, id);
    snprintf(hint, sizeof hint,
             "to put this in its place: --replaces %.16s; to give one beside it: --additional (an "
             "institution counts once)",
             id);
    api_refuse(call, ERR_EXISTS, message, hint);
    return false;
}

static void api_post_opinion(struct api_call *call)
{
    if (!api_find_case(call) || !api_resolve_record(call, "replaces") ||
        !api_may_write(call, KIND_OPINION) || !api_is_first_opinion(call))
        return;
    struct api_writing writing = {.kind = KIND_OPINION,
                                  .audience = api_audience(call),
                                  .table = &opinion_table,
                                  .fix = api_fix_opinion,
                                  .aside = "additional"};
    api_write(call, &writing);
}

/* ---- the small ones ---- */

static void api_post_ask(struct api_call *call)
{
    if (!api_find_case(call))
        return;
    struct api_writing writing = {
        .kind = KIND_ASK, .audience = api_audience(call), .table = &case_record_ask_table};
    api_write(call, &writing);
}

static void api_post_post(struct api_call *call)
{
    struct api_writing writing = {
        .kind = KIND_POST, .audience = AUDIENCE_SCOPE, .table = &case_record_post_table};
    if (api_find_case(call) && api_resolve_record(call, "answers"))
        api_write(call, &writing);
}

/* `record` in the form is the field `record_id` of the content. */
static bool api_rename_record(struct api_call *call)
{
    json_t *record = json_object_get(call->form, "record");
    if (record != NULL) {
        json_object_set(call->form, "record_id", record);
        json_object_del(call->form, "record");
    }
    return api_resolve_record(call, "record_id");
}

static void api_post_release(struct api_call *call)
{
    struct api_writing writing = {
        .kind = KIND_RELEASE, .audience = AUDIENCE_SCOPE, .table = &case_record_release_table};
    if (!api_find_case(call) || !api_rename_record(call))
        return;
    const struct consult *consult = api_consult(call);
    if (consult != NULL && consult->deadline.ms > runtime_wall().ms)
        api_refuse(call, ERR_STATE, consult_verdict_sentence(CONSULT_TOO_EARLY),
                   "the author may release after the deadline");
    else
        api_write(call, &writing);
}

static void api_post_flag(struct api_call *call)
{
    struct api_writing writing = {
        .kind = KIND_FLAG, .audience = AUDIENCE_SCOPE, .table = &case_record_flag_table};
    if (api_find_case(call) && api_rename_record(call))
        api_write(call, &writing);
}

const struct api_route api_participant_routes[] = {
    {HTTP_POST, "cases/?/decline", API_SIGNED, api_post_decline},
    {HTTP_POST, "cases/?/opinion", API_SIGNED, api_post_opinion},
    {HTTP_POST, "cases/?/ask", API_SIGNED, api_post_ask},
    {HTTP_POST, "cases/?/post", API_SIGNED, api_post_post},
    {HTTP_POST, "cases/?/release", API_SIGNED, api_post_release},
    {HTTP_POST, "cases/?/flag", API_SIGNED, api_post_flag},
    {HTTP_POST, "cases/?/opinions/?/export", API_NO_BODY, api_post_export},
    {HTTP_GET, "", 0, NULL},
};
