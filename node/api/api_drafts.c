#include "node/api/api_drafts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/api_call.h"
#include "node/api/api_items.h"
#include "node/attachment/name_hints.h"
#include "node/drafts/outgoing_preview.h"
#include "node/drafts/outgoing_preview_json.h"
#include "node/service/action.h"
#include "node/service/drafting.h"
#include "node/service/sending.h"
#include "node/views/content_json_encode.h"
#include "node/views/view_json.h"

/* ---- showing ---- */

static json_t *api_attachment(const struct draft_attachment *attachment)
{
    json_t *notes = json_array();
    for (unsigned bit = 0; bit < ATTACHMENT_BIT_COUNT; bit++) {
        if ((attachment->stripped & 1u << bit) != 0)
            json_array_append_new(notes,
                                  json_string(attachment_stripped_text((enum attachment_bit)bit)));
    }
    json_t *hints = json_array();
    for (unsigned hint = 0; hint < NAME_HINT_COUNT; hint++) {
        if ((name_hints_of(bytes_of_text(attachment->name)) & 1u << hint) != 0)
            json_array_append_new(hints, json_string(name_hints_text((enum name_hint)hint)));
    }
    return json_pack("{s:o,s:s,s:s,s:I,s:o,s:o,s:o}", "item",
                     content_json_encode_hex(ID_BYTES(attachment->item_id)), "name",
                     attachment->name, "media_type", attachment->media_type, "size",
                     (json_int_t)attachment->size, "stripped", notes, "name_hints", hints,
                     "findings", outgoing_preview_json_findings(attachment));
}

/* Who is asked alone, by name. */
static json_t *api_draft_directed(const struct api_call *call, const struct draft *draft)
{
    size_t index;
    json_t *named, *list = json_array();
    json_array_foreach(json_object_get(draft->fields, "directed"), index, named)
    {
        struct node_id node;
        const char *id = json_string_value(named);
        if (id != NULL && ids_from_hex(id, node.bytes, NODE_ID_SIZE) == OK)
            json_array_append_new(list, view_json_member(call->federation->runtime, &node));
    }
    return list;
}

/* The accounts of these users. */
static json_t *api_draft_logins(const struct api_call *call, const uid_t *uids, size_t count)
{
    const struct account *account = NULL;
    json_t *list = json_array();
    for (size_t i = 0; (account = account_at(call->federation->service->accounts, i)) != NULL;
         i++) {
        for (size_t j = 0; j < count; j++) {
            if (account->uid == uids[j])
                json_array_append_new(list, json_string(account->login));
        }
    }
    return list;
}

static json_t *api_draft(const struct api_call *call, const struct draft *draft)
{
    json_t *attachments = json_array();
    struct outgoing_preview outgoing_preview = {.memory = NULL};
    struct refusal problem;
    for (size_t i = 0; i < draft->attachment_count; i++)
        json_array_append_new(attachments, api_attachment(&draft->attachments[i]));
    json_t *json = json_pack(
        "{s:o,s:o,s:o,s:O,s:o,s:b}", "draft",
        content_json_encode_hex((struct bytes){draft->id, DRAFT_ID_SIZE}),
        draft->is_supply ? "supplies" : "case", content_json_encode_hex(ID_BYTES(draft->case_id)),
        "made_at", content_json_encode_time(draft->made_at), "fields", draft->fields, "attachments",
        attachments, "sending", (int)!ID_IS_ZERO(draft->sending));
    json_object_set_new(json, "directed", api_draft_directed(call, draft));
    char revision[DRAFT_REVISION_SIZE];
    draft_revision(draft, revision);
    json_object_set_new(json, "revision", json_string(revision));
    json_object_set_new(json, "own", json_boolean(draft->uid == api_call_uid(call)));
    json_object_set_new(json, "of", api_draft_logins(call, &draft->uid, 1));
    json_object_set_new(json, "shared", api_draft_logins(call, draft->shared, draft->shared_count));
    err failure =
        outgoing_preview_make(call->federation->runtime, draft, &outgoing_preview, &problem);
    if (failure != OK)
        json_object_set_new(json, "missing", json_string(problem.message));
    outgoing_preview_clear(&outgoing_preview);
    return json;
}

/* The draft of the path; NULL, and refused. */
static struct draft *api_find_draft(struct api_call *call)
{
    struct refusal refusal;
    struct draft *draft =
        drafting_find(call->federation->service, http_request_peer(call->request).uid,
                      api_call_part(call, 1), &refusal);
    if (draft == NULL)
        api_call_refuse(call, &refusal);
    return draft;
}

/* The same, for a change. */
static struct draft *api_find_open_draft(struct api_call *call)
{
    struct refusal refusal;
    struct draft *draft =
        drafting_find_open(call->federation->service, http_request_peer(call->request).uid,
                           api_call_part(call, 1), &refusal);
    if (draft == NULL)
        api_call_refuse(call, &refusal);
    return draft;
}

static void api_get_drafts(struct api_call *call)
{
    json_t *list = json_array();
    const struct draft *draft = NULL;
    uid_t uid = http_request_peer(call->request).uid;
    for (size_t i = 0; (draft = draft_at(call->federation->service->drafts, uid, i)) != NULL; i++)
        json_array_append_new(list, api_draft(call, draft));
    api_call_answer(call, json_pack("{s:o}", "drafts", list));
}

static void api_get_draft(struct api_call *call)
{
    const struct draft *draft = api_find_draft(call);
    if (draft != NULL)
        api_call_answer(call, api_draft(call, draft));
}

/* ---- changing ---- */

static void api_on_drafted(void *arg, const struct draft *draft, const struct refusal *refusal)
{
    struct api_call *call = arg;
    if (refusal != NULL)
        api_call_refuse(call, refusal);
    else if (call->is_new)
        api_call_created(call, api_draft(call, draft));
    else
        api_call_answer(call, api_draft(call, draft));
}

static struct drafting api_drafting(struct api_call *call)
{
    return (struct drafting){
        .service = call->federation->service, .on_done = api_on_drafted, .arg = call};
}

/* `supplied`: the case whose records the form names; NULL: a new case. */
static bool api_resolve_draft(struct api_call *call, const struct case_id *supplied)
{
    if (supplied != NULL)
        call->case_id = *supplied;
    return api_call_resolve_members(call, "directed") &&
           (supplied == NULL || api_call_resolve_records(call, "ask"));
}

/* API-23: who changes what it was shown is told when that has changed meanwhile. True when it has
 * not, or when the form does not say what was shown. */
static bool api_is_as_shown(struct api_call *call, const struct draft *draft)
{
    char revision[DRAFT_REVISION_SIZE];
    const json_t *shown = json_object_get(call->form, "revision");
    draft_revision(draft, revision);
    bool is_same =
        shown == NULL || (json_is_string(shown) && strcmp(json_string_value(shown), revision) == 0);
    if (is_same)
        json_object_del(call->form, "revision");
    else
        api_call_refuse_saying(call, ERR_STATE,
                               "somebody changed the draft since it was shown to you; nothing was "
                               "overwritten",
                               "`consilium draft show DRAFT`, and then change what is there now");
    return is_same;
}

static void api_put_draft(struct api_call *call)
{
    struct draft *draft = api_find_open_draft(call);
    if (draft == NULL || !api_is_as_shown(call, draft) ||
        !api_resolve_draft(call, draft->is_supply ? &draft->case_id : NULL))
        return;
    struct drafting drafting = api_drafting(call);
    drafting_change(&drafting, draft, call->form);
}

static void api_post_draft(struct api_call *call)
{
    const char *supplies = json_string_value(json_object_get(call->form, "supplies"));
    const struct case_id *supplied = supplies == NULL ? NULL : &call->case_id;
    if ((supplies != NULL && !api_call_find_case_named(call, supplies)) ||
        !api_resolve_draft(call, supplied))
        return;
    if (supplies != NULL)
        json_object_del(call->form, "supplies");
    call->is_new = true;
    struct drafting drafting = api_drafting(call);
    drafting_make(&drafting, http_request_peer(call->request).uid, supplied, call->form);
}

static void api_delete_draft(struct api_call *call)
{
    struct refusal refusal;
    struct draft *draft = api_find_open_draft(call);
    if (draft == NULL)
        return;
    if (drafting_delete(call->federation->service, draft, (uid_t)api_call_uid(call), &refusal) !=
        OK)
        api_call_refuse(call, &refusal);
    else
        api_call_answer(call, json_pack("{s:b}", "deleted", 1));
}

static void api_post_share(struct api_call *call)
{
    static const char *const names[] = {"login", NULL};
    struct refusal refusal;
    const char *login = NULL;
    bool is_end = false;
    struct draft *draft = api_find_open_draft(call);
    if (draft == NULL || !api_call_take_flag(call, "end", &is_end))
        return;
    err failure = content_json_check_names(call->form, names, &refusal);
    if (failure == OK)
        failure =
            content_json_need_text(call->form, "login", ACCOUNT_LOGIN_SIZE_MAX, &login, &refusal);
    if (failure != OK) {
        api_call_refuse(call, &refusal);
        return;
    }
    struct drafting drafting = api_drafting(call);
    drafting_share(&drafting, draft, (uid_t)api_call_uid(call), login, is_end);
}

/* ---- attachments ---- */

static void api_post_attachment(struct api_call *call)
{
    const char *name = http_request_query(call->request, "name");
    struct draft *draft = api_find_open_draft(call);
    if (draft == NULL)
        return;
    if (name == NULL || *name == 0 || strlen(name) > ITEM_NAME_SIZE_MAX) {
        api_call_refuse_saying(call, ERR_INVALID, "name: missing, or longer than 120 bytes",
                               "add ?name=letter.pdf to the path");
        return;
    }
    struct drafting drafting = api_drafting(call);
    const char *pages = http_request_query(call->request, "pages");
    if (pages != NULL && strcmp(pages, "pictures") != 0) {
        api_call_refuse_saying(call, ERR_INVALID, "pages: unknown value",
                               "leave it out, or write pages=pictures");
        return;
    }
    struct drafting_file file = {.name = name, .is_as_pictures = pages != NULL};
    file.content = http_request_take_body(call->request, &file.size);
    drafting_attach(&drafting, draft, &file);
}

/* The attachment of the path; NULL, and refused. */
static const struct draft_attachment *api_find_attachment(struct api_call *call,
                                                          const struct draft *draft)
{
    struct refusal refusal;
    const struct draft_attachment *attachment =
        drafting_find_attachment(draft, api_call_part(call, 3), &refusal);
    if (attachment == NULL)
        api_call_refuse(call, &refusal);
    return attachment;
}

static void api_delete_attachment(struct api_call *call)
{
    struct draft *draft = api_find_open_draft(call);
    const struct draft_attachment *attachment =
        draft == NULL ? NULL : api_find_attachment(call, draft);
    if (attachment == NULL)
        return;
    struct drafting drafting = api_drafting(call);
    drafting_detach(&drafting, draft, attachment);
}

static void api_get_attachment(struct api_call *call)
{
    const struct draft *draft = api_find_draft(call);
    const struct draft_attachment *attachment =
        draft == NULL ? NULL : api_find_attachment(call, draft);
    if (attachment == NULL)
        return;
    struct case_file_item item = {.item_id = attachment->item_id,
                                  .item_key = attachment->item_key,
                                  .size = attachment->size,
                                  .chunk_count = attachment->chunk_count,
                                  .name = bytes_of_text(attachment->name)};
    api_items_answer(call, &item);
}

/* ---- what leaves ---- */

static void api_get_preview(struct api_call *call)
{
    const struct draft *draft = api_find_draft(call);
    struct outgoing_preview outgoing_preview = {.memory = NULL};
    struct refusal refusal;
    if (draft == NULL)
        return;
    if (outgoing_preview_make(call->federation->runtime, draft, &outgoing_preview, &refusal) != OK)
        api_call_refuse(call, &refusal);
    else
        api_call_answer(call,
                        outgoing_preview_json(call->federation->runtime, &outgoing_preview, draft));
    outgoing_preview_clear(&outgoing_preview);
}

static void api_on_sent(void *arg, const struct action_result *result)
{
    struct api_call *call = arg;
    if (result->refusal != NULL) {
        api_call_refuse(call, result->refusal);
        return;
    }
    if (result->is_checked) {
        api_call_checked(call);
        return;
    }
    json_t *records = json_array();
    for (size_t i = 0; i < result->posted_count; i++)
        json_array_append_new(records, content_json_encode_hex(ID_BYTES(result->posted[i].record)));
    api_call_created(call, json_pack("{s:o,s:b,s:o}", "case",
                                     content_json_encode_hex(ID_BYTES(result->case_id)), "supplied",
                                     (int)!call->is_new, "records", records));
}

/* False: refused. */
static bool api_read_confirmation(struct api_call *call, struct sending_confirmation *ret_read)
{
    static const char *const names[] = {"clinician",    "passphrase",  "preview",
                                        "confirmed_by", "keep_reason", NULL};
    struct refusal refusal;
    const char *preview = NULL, *name = NULL, *why = NULL;
    err failure = content_json_check_names(call->form, names, &refusal);
    if (failure == OK)
        failure = content_json_need_text(call->form, "preview", 2 * HASH_SIZE, &preview, &refusal);
    if (failure == OK)
        failure = content_json_need_text(call->form, "confirmed_by", CLINICIAN_NAME_SIZE_MAX, &name,
                                         &refusal);
    if (failure == OK)
        failure =
            content_json_text(call->form, "keep_reason", SENDING_REASON_SIZE_MAX, &why, &refusal);
    if (failure != OK) {
        api_call_refuse(call, &refusal);
        return false;
    }
    ret_read->keep_reason = bytes_of_text(why == NULL ? "" : why);
    if (ids_from_hex(preview, ret_read->preview.bytes, HASH_SIZE) != OK)
        memset(&ret_read->preview, 0, sizeof ret_read->preview); /* of no preview */
    ret_read->full_name = bytes_of_text(name);
    return true;
}

static void api_post_send(struct api_call *call)
{
    struct sending_confirmation confirmation;
    struct draft *draft = api_find_draft(call);
    if (draft == NULL || !api_read_confirmation(call, &confirmation))
        return;
    const char *passphrase = json_string_value(json_object_get(call->form, "passphrase"));
    passphrase = passphrase == NULL ? "" : passphrase; /* of a check */
    struct action action = {.service = call->federation->service,
                            .signer = {.account = call->account,
                                       .passphrase = bytes_of_text(passphrase),
                                       .uid = api_call_uid(call),
                                       .asker = api_call_asker(call)},
                            .is_check = call->is_check,
                            .on_done = api_on_sent,
                            .arg = call};
    call->is_new = !draft->is_supply;
    sending_send(&action, draft, &confirmation);
}

const struct api_route api_drafts_routes[] = {
    {HTTP_GET, "drafts", 0, api_get_drafts},
    {HTTP_POST, "drafts", 0, api_post_draft},
    {HTTP_GET, "drafts/?", 0, api_get_draft},
    {HTTP_PUT, "drafts/?", 0, api_put_draft},
    {HTTP_DELETE, "drafts/?", API_NO_BODY, api_delete_draft},
    {HTTP_POST, "drafts/?/share", 0, api_post_share},
    {HTTP_POST, "drafts/?/attachments", API_UPLOAD, api_post_attachment},
    {HTTP_GET, "drafts/?/attachments/?", 0, api_get_attachment},
    {HTTP_DELETE, "drafts/?/attachments/?", API_NO_BODY, api_delete_attachment},
    {HTTP_GET, "drafts/?/preview", 0, api_get_preview},
    {HTTP_POST, "drafts/?/send", API_SIGNED, api_post_send},
    {HTTP_GET, "", 0, NULL},
};
