/* What one does in a case of others: join, decline, give an opinion, ask; and what both sides do:
 * discuss, flag. */
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/desk/receipts.h"
#include "node/desk/sheets.h"
#include "protocol/consult/mail.h"
#include "protocol/consult/opinion.h"

/* ---- letters to the requester ---- */

static err api_add_mail(struct api_call *call, const struct node_id *to, uint16_t kind,
                        struct bytes content, struct desk_order *order)
{
    const struct settings *settings = roster_settings(shell_roster(call->federation->shell));
    struct desk_letter letter = {.kind = kind,
                                 .scope = scope_mail(to),
                                 .audience = AUDIENCE_SCOPE,
                                 .expires = {shell_wall().ms + settings->announcement_ms_max},
                                 .content = content,
                                 .case_id = call->case_id};
    return order == NULL ? ERR_NO_MEMORY : desk_add(order, &letter);
}

static void api_mail(struct api_call *call, const struct node_id *to, uint16_t kind,
                     const struct buffer *content, err failure)
{
    struct desk_order *order = desk_order_new(call->federation->shell);
    if (failure == OK)
        failure = api_add_mail(call, to, kind, buffer_bytes(content), order);
    if (failure == OK) {
        api_sign(call, order);
        return;
    }
    desk_order_free(order);
    api_refuse_err(call, failure);
}

/* The announcement of another institution that is still open; NULL, and refused. */
static const struct inbox_entry *api_open_entry(struct api_call *call)
{
    const struct inbox_entry *entry = inbox_find(call->federation->inbox, &call->case_id);
    if (entry == NULL)
        api_refuse(call, ERR_NOT_FOUND, "its announcement is not here", NULL);
    else if (entry->is_own)
        api_refuse(call, ERR_STATE, "it is this institution's own case", NULL);
    else if (entry->mirrored != MIRROR_NONE)
        api_refuse(call, ERR_STATE, "the case is over", NULL);
    else
        return entry;
    return NULL;
}

static void api_post_join(struct api_call *call)
{
    static const char *const names[] = {"clinician", "passphrase", "note", NULL};
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct form_problem problem;
    const char *note = NULL;
    const struct inbox_entry *entry = api_find_case(call) ? api_open_entry(call) : NULL;
    if (entry == NULL)
        return;
    const struct consult_participant *self = api_own_part(call);
    if (self != NULL && !self->is_ended) {
        api_refuse(call, ERR_EXISTS, "this institution has access already", NULL);
        return;
    }
    if (form_check_names(call->form, names, &problem) != OK ||
        form_text(call->form, "note", NOTE_SIZE_MAX, &note, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    struct mail_join join = {.case_id = call->case_id,
                             .announcement = entry->record,
                             .note = bytes_of_text(note == NULL ? "" : note)};
    err failure = mail_join_write(&join, &content);
    api_mail(call, &entry->writer, KIND_JOIN, &content, failure);
}

static void api_mail_decline(struct api_call *call)
{
    static const char *const ignored[] = {"clinician", "passphrase", NULL};
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct form_problem problem;
    struct mail_decline decline;
    struct form_take how = {.table = &mail_decline_table, .ignored = ignored};
    const struct inbox_entry *entry = api_open_entry(call);
    if (entry == NULL)
        return;
    if (form_take(&how, call->form, &decline, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    if (decline.reason == CASERECORD_DECLINE_NONE) {
        api_refuse(call, ERR_INVALID, "reason: missing", NULL);
        return;
    }
    decline.case_id = call->case_id;
    decline.announcement = entry->record;
    err failure = mail_decline_write(&decline, &content);
    api_mail(call, &entry->writer, KIND_MAIL_DECLINE, &content, failure);
}

static void api_post_decline(struct api_call *call)
{
    if (!api_find_case(call))
        return;
    const struct consult_participant *self = api_own_part(call);
    struct api_writing writing = {
        .kind = KIND_DECLINE, .audience = api_audience(call), .table = &caserecord_decline_table};
    if (self == NULL || self->is_ended)
        api_mail_decline(call);
    else
        api_write(call, &writing);
}

/* ---- the opinion ---- */

static err api_fill_head(const struct api_call *call, struct opinion_stream_head *head)
{
    struct shell *shell = call->federation->shell;
    struct scope scope = scope_federation();
    struct stream_id stream = core_own_stream(shell_core(shell), &scope);
    uint64_t tail = 0, had = 0;
    struct readout readout;
    struct readout_memory *memory = readout_memory_new();
    err failure = memory == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK && !core_position(shell_core(shell), &stream, &tail, &had))
        failure = ERR_NOT_FOUND;
    if (failure == OK)
        failure = readout_at(shell_store(shell), &stream, tail, memory, &readout);
    if (failure == OK)
        *head = (struct opinion_stream_head){stream.generation, tail, readout.claim.id};
    readout_memory_free(memory);
    return failure;
}

static int api_compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* Those items of the case file in force that this very clinician has receipts for: API-9. */
static err api_fill_seen(struct api_call *call, struct opinion *opinion)
{
    struct casefile *casefile = calloc(1, sizeof *casefile);
    struct receipts *receipts = NULL;
    err failure =
        casefile == NULL || api_memory(call) == NULL
            ? ERR_NO_MEMORY
            : sheets_casefile(call->federation->shell, &call->case_id, call->memory, casefile);
    if (failure == OK)
        failure = receipts_read(call->federation->shell, &call->case_id, &receipts);
    for (size_t i = 0; failure == OK && i < casefile->item_count; i++) {
        const struct item_id *item = &casefile->items[i].item_id;
        if (receipts_has_item(receipts, &call->account->certificate.cert_id, item))
            opinion->items_opened[opinion->item_opened_count++] = *item;
    }
    if (failure == OK) {
        opinion->manifest_root = casefile_root(casefile);
        qsort(opinion->items_opened, opinion->item_opened_count, sizeof opinion->items_opened[0],
              api_compare);
    }
    receipts_free(receipts);
    free(casefile);
    return failure;
}

static bool api_fix_opinion(struct api_call *call, void *value)
{
    struct opinion *opinion = value;
    const struct inbox_entry *entry = inbox_find(call->federation->inbox, &call->case_id);
    memset(opinion->items_opened, 0, sizeof opinion->items_opened);
    opinion->item_opened_count = 0;
    opinion->sentence = bytes_of_text(OPINION_SENTENCE);
    opinion->roster_head = roster_current_id(shell_roster(call->federation->shell));
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

static void api_post_opinion(struct api_call *call)
{
    if (!api_find_case(call) || !api_resolve_record(call, "replaces"))
        return;
    struct api_writing writing = {.kind = KIND_OPINION,
                                  .audience = api_audience(call),
                                  .table = &opinion_table,
                                  .fix = api_fix_opinion};
    api_write(call, &writing);
}

/* ---- the small ones ---- */

static void api_post_ask(struct api_call *call)
{
    if (!api_find_case(call))
        return;
    struct api_writing writing = {
        .kind = KIND_ASK, .audience = api_audience(call), .table = &caserecord_ask_table};
    api_write(call, &writing);
}

static void api_post_post(struct api_call *call)
{
    struct api_writing writing = {
        .kind = KIND_POST, .audience = AUDIENCE_SCOPE, .table = &caserecord_post_table};
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
        .kind = KIND_RELEASE, .audience = AUDIENCE_SCOPE, .table = &caserecord_release_table};
    if (!api_find_case(call) || !api_rename_record(call))
        return;
    const struct consult *consult = api_consult(call);
    if (consult != NULL && consult->deadline.ms > shell_wall().ms)
        api_refuse(call, ERR_STATE, consult_verdict_sentence(CONSULT_TOO_EARLY),
                   "the author may release after the deadline");
    else
        api_write(call, &writing);
}

static void api_post_flag(struct api_call *call)
{
    struct api_writing writing = {
        .kind = KIND_FLAG, .audience = AUDIENCE_SCOPE, .table = &caserecord_flag_table};
    if (api_find_case(call) && api_rename_record(call))
        api_write(call, &writing);
}

const struct api_route api_reply_routes[] = {
    {HTTP_POST, "cases/?/join", API_SIGNED, api_post_join},
    {HTTP_POST, "cases/?/decline", API_SIGNED, api_post_decline},
    {HTTP_POST, "cases/?/opinion", API_SIGNED, api_post_opinion},
    {HTTP_POST, "cases/?/ask", API_SIGNED, api_post_ask},
    {HTTP_POST, "cases/?/post", API_SIGNED, api_post_post},
    {HTTP_POST, "cases/?/release", API_SIGNED, api_post_release},
    {HTTP_POST, "cases/?/flag", API_SIGNED, api_post_flag},
    {HTTP_POST, "cases/?/opinions/?/export", API_NO_BODY, api_post_export},
    {HTTP_GET, "", 0, NULL},
};
