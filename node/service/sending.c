#include "node/service/sending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit/audit_entry.h"
#include "node/drafts/outgoing_identifiers.h"
#include "node/drafts/outgoing_preview.h"
#include "node/os/log.h"
#include "protocol/contents/mail.h"

struct sending {
    struct action action;
    struct draft *draft;
    struct outgoing_preview outgoing_preview;
    struct write_request *request;
};

static void sending_free(struct sending *sending)
{
    sending->draft->in_progress--;
    outgoing_preview_clear(&sending->outgoing_preview);
    write_request_free(sending->request);
    free(sending);
}

/* ---- the records that do not exist yet ---- */

struct sending_mailed {
    const struct sending *sending;
    bool is_there;
};

static bool sending_on_mailed(void *arg, const struct stored_record *stored_record)
{
    struct sending_mailed *mailed = arg;
    struct mail_directed directed;
    if (ID_EQUAL(stored_record->claim.header.stream.writer,
                 runtime_settings(mailed->sending->action.service->runtime)->self) &&
        stored_record_content(stored_record, KIND_DIRECTED, &mail_directed_table, &directed) &&
        bytes_equal(directed.announcement, mailed->sending->outgoing_preview.announcement))
        mailed->is_there = true;
    return !mailed->is_there;
}

static err sending_add_directed(struct sending *sending, const struct node_id *node,
                                struct wall expires)
{
    struct scope scope = scope_mail(node);
    struct sending_mailed mailed = {.sending = sending};
    struct runtime *runtime = sending->action.service->runtime;
    err failure =
        stored_record_scope(runtime_store(runtime), &scope, 0, sending_on_mailed, &mailed);
    if (failure != OK || mailed.is_there)
        return failure;
    uint8_t memory[8192];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct mail_directed directed = {.announcement = sending->outgoing_preview.announcement,
                                     .opening = sending->draft->opening};
    failure = mail_directed_write(&directed, &content);
    struct write_request_record record = {.kind = KIND_DIRECTED,
                                          .scope = scope,
                                          .audience = AUDIENCE_SCOPE,
                                          .expires = expires,
                                          .content = buffer_bytes(&content),
                                          .case_id = sending->outgoing_preview.case_id};
    return failure == OK ? write_request_add(sending->request, &record) : failure;
}

static err sending_add_announcement(struct sending *sending)
{
    const struct service *service = sending->action.service;
    const struct outgoing_preview *outgoing_preview = &sending->outgoing_preview;
    const struct settings *settings = roster_settings(runtime_roster(service->runtime));
    struct wall expires = {runtime_wall().ms + settings->announcement_ms_max};
    err failure = OK;
    for (size_t i = 0; failure == OK && i < outgoing_preview->directed_count; i++)
        failure = sending_add_directed(sending, &outgoing_preview->directed[i], expires);
    const struct inbox_entry *entry = inbox_find(service->inbox, &outgoing_preview->case_id);
    if (outgoing_preview->directed_count > 0 || (entry != NULL && entry->is_own))
        return failure;
    struct write_request_record record = {.kind = KIND_ANNOUNCEMENT,
                                          .scope = outgoing_preview->board,
                                          .audience = AUDIENCE_SCOPE,
                                          .expires = expires,
                                          .content = outgoing_preview->announcement,
                                          .case_id = outgoing_preview->case_id};
    return failure == OK ? write_request_add(sending->request, &record) : failure;
}

static err sending_add_to_case(struct sending *sending, uint16_t kind, struct bytes content)
{
    struct write_request_record record = {.kind = kind,
                                          .scope = scope_case(&sending->outgoing_preview.case_id),
                                          .audience = AUDIENCE_SCOPE,
                                          .content = content,
                                          .case_id = sending->outgoing_preview.case_id};
    return content.size == 0 ? OK : write_request_add(sending->request, &record);
}

struct sending_supplied {
    const struct sending *sending;
    bool is_there;
};

static bool sending_on_supplied(void *arg, const struct stored_record *stored_record)
{
    struct sending_supplied *supplied = arg;
    supplied->is_there =
        stored_record->is_readable && stored_record->statement.kind == KIND_SUPPLY &&
        bytes_equal(stored_record->statement.content, supplied->sending->outgoing_preview.supply);
    return !supplied->is_there;
}

static err sending_add_supply(struct sending *sending)
{
    struct sending_supplied supplied = {.sending = sending};
    struct scope scope = scope_case(&sending->outgoing_preview.case_id);
    struct runtime *runtime = sending->action.service->runtime;
    err failure = OK;
    if (sending->outgoing_preview.supply.size > 0)
        failure =
            stored_record_scope(runtime_store(runtime), &scope, 0, sending_on_supplied, &supplied);
    if (failure == OK && !supplied.is_there)
        failure = sending_add_to_case(sending, KIND_SUPPLY, sending->outgoing_preview.supply);
    return failure;
}

/* The records of the case come before those that tell others of it, so that a JOIN finds the case
 * open. */
static err sending_add_all(struct sending *sending)
{
    const struct outgoing_preview *outgoing_preview = &sending->outgoing_preview;
    const struct consult *consult =
        runtime_case(sending->action.service->runtime, &outgoing_preview->case_id);
    bool is_open = consult != NULL && !ID_IS_ZERO(consult->open);
    bool is_filed = consult != NULL && ID_EQUAL(consult->manifest_root, outgoing_preview->root);
    err failure = OK;
    if (!is_open)
        failure = sending_add_to_case(sending, KIND_OPEN, outgoing_preview->open);
    if (failure == OK && !is_filed)
        failure = sending_add_to_case(sending, KIND_MANIFEST, outgoing_preview->manifest);
    if (failure == OK)
        failure = sending_add_supply(sending);
    if (failure == OK && outgoing_preview->announcement.size > 0)
        failure = sending_add_announcement(sending);
    return failure;
}

/* If nothing of it has left, the draft may be changed again. */
static void sending_unmark(struct sending *sending)
{
    const struct service *service = sending->action.service;
    struct draft *draft = sending->draft;
    const struct consult *consult = runtime_case(service->runtime, &draft->case_id);
    if (!draft->is_supply && consult != NULL && !ID_IS_ZERO(consult->open))
        return;
    memset(&draft->sending, 0, sizeof draft->sending);
    if (draft_save(service->drafts, draft, NULL, NULL) != OK)
        log_warn("draft-not-kept", LOG_NONE); /* it stays marked, and can be sent again */
}

/* ---- step by step: mark the draft, sign and post, remove the draft ---- */

static void sending_on_signed(void *arg, const struct action_result *result)
{
    struct sending *sending = arg;
    struct service *service = sending->action.service;
    struct draft *draft = sending->draft;
    if (result->refusal != NULL && result->posted_count == 0 && !service->is_stopped)
        sending_unmark(sending);
    struct action action = sending->action;
    sending_free(sending);
    if (result->refusal == NULL && !service->is_stopped)
        draft_remove(service->drafts, draft, false);
    action.on_done(action.arg, result);
}

static void sending_on_marked(void *arg, err result)
{
    struct sending *sending = arg;
    if (result == OK && sending->action.service->is_stopped)
        result = ERR_BUSY;
    if (result == OK)
        result = sending_add_all(sending);
    struct action signing = sending->action;
    signing.on_done = sending_on_signed;
    signing.arg = sending;
    struct write_request *request = sending->request;
    sending->request = NULL;
    action_sign(&signing, request, result);
}

/* API-7: what was confirmed is what is signed. */
static bool sending_is_confirmed(const struct action *action,
                                 const struct outgoing_preview *outgoing_preview,
                                 const struct sending_confirmation *confirmation)
{
    if (!ID_EQUAL(confirmation->preview, outgoing_preview->preview))
        action_refuse_saying(action, ERR_STATE, "what would leave differs from what was confirmed",
                             "read the preview again, and confirm that one");
    else if (!bytes_equal(confirmation->full_name,
                          action->signer.account->certificate.request.name))
        action_refuse_saying(action, ERR_INVALID,
                             "confirmed_by: not the full name of this clinician",
                             "write it as `consilium clinician list` shows it");
    else
        return true;
    return false;
}

/* DEID-1: what may tell who the patient is leaves only with a reason. `ret_note` is for the audit
 * log. False: refused. */
static bool sending_is_resolved(const struct action *action,
                                const struct outgoing_preview *outgoing_preview,
                                struct bytes reason, char ret_note[static AUDIT_NOTE_SIZE_MAX])
{
    char counts[OUTGOING_IDENTIFIERS_COUNTS_SIZE], text[240];
    struct outgoing_identifiers *found = calloc(1, sizeof *found);
    err failure =
        found == NULL ? ERR_NO_MEMORY : outgoing_identifiers_find(outgoing_preview, found);
    bool is_any = failure == OK && (found->count > 0 || found->is_cut);
    ret_note[0] = '\0';
    if (is_any)
        outgoing_identifiers_counts(found, counts);
    free(found);
    if (failure != OK) {
        action_refuse_err(action, failure);
        return false;
    }
    if (is_any && reason.size == 0) {
        snprintf(text, sizeof text, "the text may tell who the patient is: %s", counts);
        action_refuse_saying(action, ERR_STATE, text,
                             "change the draft where the preview marks it, or say in "
                             "keep_reason (--keep-reason) why it may stay");
        return false;
    }
    if (is_any)
        snprintf(ret_note, AUDIT_NOTE_SIZE_MAX, "kept: %.60s; %.*s", counts, (int)reason.size,
                 (const char *)reason.data);
    return true;
}

/* Takes the preview over. */
static void sending_begin(const struct action *action, struct draft *draft,
                          struct outgoing_preview *outgoing_preview, const char *note)
{
    struct sending *sending = calloc(1, sizeof *sending);
    if (sending != NULL)
        sending->request = write_request_new(action->service->runtime);
    if (sending == NULL || sending->request == NULL) {
        free(sending);
        outgoing_preview_clear(outgoing_preview);
        action_refuse_err(action, ERR_NO_MEMORY);
        return;
    }
    sending->action = *action;
    sending->draft = draft;
    sending->outgoing_preview = *outgoing_preview;
    draft->in_progress++;
    draft->sending = outgoing_preview->preview;
    write_request_confirm(sending->request, &outgoing_preview->case_id, &outgoing_preview->preview,
                          note);
    err failure = draft_save(action->service->drafts, draft, sending_on_marked, sending);
    if (failure != OK) {
        memset(&draft->sending, 0, sizeof draft->sending);
        sending_free(sending);
        action_refuse_err(action, failure);
    }
}

void sending_send(const struct action *action, struct draft *draft,
                  const struct sending_confirmation *confirmation)
{
    struct outgoing_preview outgoing_preview = {.memory = NULL};
    struct action in_case = *action;
    struct refusal refusal;
    char note[AUDIT_NOTE_SIZE_MAX];
    in_case.case_id = draft->case_id;
    if (draft->in_progress > 0)
        action_refuse_saying(action, ERR_BUSY, "the draft is being changed or sent now",
                             "wait until that has ended: `consilium draft list` shows it");
    else if (outgoing_preview_make(action->service->runtime, draft, &outgoing_preview, &refusal) !=
             OK)
        action_refuse(action, &refusal);
    else if ((draft->is_supply && !action_may_write(&in_case, KIND_SUPPLY)) ||
             !sending_is_confirmed(&in_case, &outgoing_preview, confirmation) ||
             !sending_is_resolved(&in_case, &outgoing_preview, confirmation->keep_reason, note))
        outgoing_preview_clear(&outgoing_preview);
    else if (action->is_check) {
        outgoing_preview_clear(&outgoing_preview);
        action_checked(&in_case);
    } else
        sending_begin(&in_case, draft, &outgoing_preview, note);
}
