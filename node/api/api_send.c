/* Sending a draft: what was shown, and nothing else, leaves. */
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/drafts/outgoing_preview.h"
#include "node/os/log.h"
#include "protocol/contents/mail.h"

struct api_sending {
    struct api_call *call;
    struct draft *draft;
    struct outgoing_preview outgoing_preview;
    struct service_order *order;
};

static void api_sending_free(struct api_sending *sending)
{
    sending->draft->in_progress--;
    outgoing_preview_clear(&sending->outgoing_preview);
    service_order_free(sending->order);
    free(sending);
}

/* ---- what is still to be posted: what stands already is not written twice ---- */

struct api_mailed {
    const struct api_sending *sending;
    bool is_there;
};

static bool api_on_mailed(void *arg, const struct stored_record *stored_record)
{
    struct api_mailed *mailed = arg;
    struct mail_directed directed;
    if (ID_EQUAL(stored_record->claim.header.stream.writer,
                 runtime_settings(mailed->sending->call->federation->runtime)->self) &&
        stored_record_content(stored_record, KIND_DIRECTED, &mail_directed_table, &directed) &&
        bytes_equal(directed.announcement, mailed->sending->outgoing_preview.announcement))
        mailed->is_there = true;
    return !mailed->is_there;
}

static err api_add_directed(struct api_sending *sending, const struct node_id *node,
                            struct wall expires)
{
    struct scope scope = scope_mail(node);
    struct api_mailed mailed = {.sending = sending};
    struct runtime *runtime = sending->call->federation->runtime;
    err failure = stored_record_scope(runtime_store(runtime), &scope, 0, api_on_mailed, &mailed);
    if (failure != OK || mailed.is_there)
        return failure;
    uint8_t memory[8192];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct mail_directed directed = {.announcement = sending->outgoing_preview.announcement,
                                     .opening = sending->draft->opening};
    failure = mail_directed_write(&directed, &content);
    struct service_letter letter = {.kind = KIND_DIRECTED,
                                    .scope = scope,
                                    .audience = AUDIENCE_SCOPE,
                                    .expires = expires,
                                    .content = buffer_bytes(&content),
                                    .case_id = sending->outgoing_preview.case_id};
    return failure == OK ? service_add(sending->order, &letter) : failure;
}

static err api_add_announcement(struct api_sending *sending)
{
    const struct api_federation *federation = sending->call->federation;
    const struct outgoing_preview *outgoing_preview = &sending->outgoing_preview;
    const struct settings *settings = roster_settings(runtime_roster(federation->runtime));
    struct wall expires = {runtime_wall().ms + settings->announcement_ms_max};
    err failure = OK;
    for (size_t i = 0; failure == OK && i < outgoing_preview->directed_count; i++)
        failure = api_add_directed(sending, &outgoing_preview->directed[i], expires);
    const struct inbox_entry *entry = inbox_find(federation->inbox, &outgoing_preview->case_id);
    if (outgoing_preview->directed_count > 0 || (entry != NULL && entry->is_own))
        return failure;
    struct service_letter letter = {.kind = KIND_ANNOUNCEMENT,
                                    .scope = outgoing_preview->board,
                                    .audience = AUDIENCE_SCOPE,
                                    .expires = expires,
                                    .content = outgoing_preview->announcement,
                                    .case_id = outgoing_preview->case_id};
    return failure == OK ? service_add(sending->order, &letter) : failure;
}

static err api_add_to_case(struct api_sending *sending, uint16_t kind, struct bytes content)
{
    struct service_letter letter = {.kind = kind,
                                    .scope = scope_case(&sending->outgoing_preview.case_id),
                                    .audience = AUDIENCE_SCOPE,
                                    .content = content,
                                    .case_id = sending->outgoing_preview.case_id};
    return content.size == 0 ? OK : service_add(sending->order, &letter);
}

struct api_supplied {
    const struct api_sending *sending;
    bool is_there;
};

static bool api_on_supplied(void *arg, const struct stored_record *stored_record)
{
    struct api_supplied *supplied = arg;
    supplied->is_there =
        stored_record->is_readable && stored_record->statement.kind == KIND_SUPPLY &&
        bytes_equal(stored_record->statement.content, supplied->sending->outgoing_preview.supply);
    return !supplied->is_there;
}

static err api_add_supply(struct api_sending *sending)
{
    struct api_supplied supplied = {.sending = sending};
    struct scope scope = scope_case(&sending->outgoing_preview.case_id);
    struct runtime *runtime = sending->call->federation->runtime;
    err failure = OK;
    if (sending->outgoing_preview.supply.size > 0)
        failure =
            stored_record_scope(runtime_store(runtime), &scope, 0, api_on_supplied, &supplied);
    if (failure == OK && !supplied.is_there)
        failure = api_add_to_case(sending, KIND_SUPPLY, sending->outgoing_preview.supply);
    return failure;
}

/* The case itself first, then those who are told of it: a join finds it open. */
static err api_add_all(struct api_sending *sending)
{
    const struct outgoing_preview *outgoing_preview = &sending->outgoing_preview;
    const struct consult *consult =
        runtime_case(sending->call->federation->runtime, &outgoing_preview->case_id);
    bool is_open = consult != NULL && !ID_IS_ZERO(consult->open);
    bool is_filed = consult != NULL && ID_EQUAL(consult->manifest_root, outgoing_preview->root);
    err failure = OK;
    if (!is_open)
        failure = api_add_to_case(sending, KIND_OPEN, outgoing_preview->open);
    if (failure == OK && !is_filed)
        failure = api_add_to_case(sending, KIND_MANIFEST, outgoing_preview->manifest);
    if (failure == OK)
        failure = api_add_supply(sending);
    if (failure == OK && outgoing_preview->announcement.size > 0)
        failure = api_add_announcement(sending);
    return failure;
}

/* Nothing of it has left: it may be changed again. */
static void api_unmark(struct api_sending *sending)
{
    const struct api_federation *federation = sending->call->federation;
    struct draft *draft = sending->draft;
    const struct consult *consult = runtime_case(federation->runtime, &draft->case_id);
    if (!draft->is_supply && consult != NULL && !ID_IS_ZERO(consult->open))
        return;
    memset(&draft->sending, 0, sizeof draft->sending);
    if (draft_save(federation->drafts, draft, NULL, NULL) != OK)
        log_warn("draft-not-kept", LOG_NONE); /* it stays marked: send it again */
}

/* ---- step by step: mark the draft, sign and post, forget the draft ---- */

static void api_on_sent(void *arg, const struct service_done *done)
{
    struct api_sending *sending = arg;
    struct api_call *call = sending->call;
    struct draft *draft = sending->draft;
    bool was_supply = draft->is_supply;
    err verdict = done->verdict;
    size_t count = done->posted_count;
    struct case_id case_id = sending->outgoing_preview.case_id;
    json_t *records = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(records, content_json_show_hex(ID_BYTES(done->posted[i].record)));
    if (verdict != OK && count == 0 && !call->api->is_closing)
        api_unmark(sending);
    api_sending_free(sending);
    if (verdict != OK) {
        json_decref(records);
        api_refuse(call, verdict, NULL,
                   count == 0 ? NULL : "send it again: it goes on where it stopped");
        return;
    }
    if (!call->api->is_closing)
        draft_remove(call->federation->drafts, draft, false);
    api_created(call, json_pack("{s:o,s:b,s:o}", "case", content_json_show_hex(ID_BYTES(case_id)),
                                "supplied", (int)was_supply, "records", records));
}

static void api_on_marked(void *arg, err result)
{
    struct api_sending *sending = arg;
    struct api_call *call = sending->call;
    if (result == OK && call->api->is_closing)
        result = ERR_BUSY;
    if (result == OK)
        result = api_add_all(sending);
    if (result != OK) {
        if (!call->api->is_closing)
            api_unmark(sending);
        api_sending_free(sending);
        api_refuse_err(call, result);
        return;
    }
    struct account_room room = api_room(call);
    const char *passphrase = json_string_value(json_object_get(call->form, "passphrase"));
    struct service_signer signer = {.account = call->account,
                                    .passphrase = bytes_of_text(passphrase),
                                    .uid = http_peer(call->request).uid};
    struct service_order *order = sending->order;
    sending->order = NULL;
    service_sign(order, &room, &signer, api_on_sent, sending);
}

/* API-7: what was confirmed by name is what is signed. */
static bool api_is_confirmed(struct api_call *call, const struct outgoing_preview *outgoing_preview)
{
    static const char *const names[] = {"clinician", "passphrase", "preview", "confirmed_by", NULL};
    struct refusal problem;
    const char *preview = NULL, *name = NULL;
    struct hash shown;
    const struct bytes signer = call->account->certificate.request.name;
    if (content_json_check_names(call->form, names, &problem) != OK ||
        content_json_need_text(call->form, "preview", 2 * HASH_SIZE, &preview, &problem) != OK ||
        content_json_need_text(call->form, "confirmed_by", CLINICIAN_NAME_SIZE_MAX, &name,
                               &problem) != OK)
        api_refuse_problem(call, &problem);
    else if (ids_from_hex(preview, shown.bytes, HASH_SIZE) != OK ||
             !ID_EQUAL(shown, outgoing_preview->preview))
        api_refuse(call, ERR_STATE, "what would leave is not what was shown",
                   "look at the preview again, and confirm that one");
    else if (!bytes_equal(bytes_of_text(name), signer))
        api_refuse(call, ERR_INVALID, "confirmed_by: not the full name of this clinician",
                   "write it as `consilium clinician list` shows it");
    else
        return true;
    return false;
}

void api_send(struct api_call *call, struct draft *draft)
{
    struct refusal problem;
    struct outgoing_preview outgoing_preview = {.memory = NULL};
    if (draft->in_progress > 0) {
        api_refuse(call, ERR_BUSY, "it is being changed or sent just now", NULL);
        return;
    }
    if (outgoing_preview_make(call->federation->runtime, draft, &outgoing_preview, &problem) !=
        OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    call->case_id = outgoing_preview.case_id;
    if ((draft->is_supply && !api_may_write(call, KIND_SUPPLY)) ||
        !api_is_confirmed(call, &outgoing_preview)) {
        outgoing_preview_clear(&outgoing_preview);
        return;
    }
    struct api_sending *sending = calloc(1, sizeof *sending);
    if (sending != NULL)
        sending->order = service_order_new(call->federation->runtime);
    if (sending == NULL || sending->order == NULL) {
        free(sending);
        outgoing_preview_clear(&outgoing_preview);
        api_refuse_err(call, ERR_NO_MEMORY);
        return;
    }
    sending->call = call;
    sending->draft = draft;
    sending->outgoing_preview = outgoing_preview;
    draft->in_progress++;
    draft->sending = outgoing_preview.preview;
    service_confirm(sending->order, &outgoing_preview.case_id, &outgoing_preview.preview);
    err failure = draft_save(call->federation->drafts, draft, api_on_marked, sending);
    if (failure != OK) {
        memset(&draft->sending, 0, sizeof draft->sending);
        api_sending_free(sending);
        api_refuse_err(call, failure);
    }
}
