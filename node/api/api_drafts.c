/* Drafts, their attachments, the preview, and sending. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/attachment/attachment.h"
#include "node/attachment/attachment_pdf.h"
#include "node/drafts/outgoing_preview.h"
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
    return json_pack("{s:o,s:s,s:s,s:I,s:o}", "item",
                     content_json_show_hex(ID_BYTES(attachment->item_id)), "name", attachment->name,
                     "media_type", attachment->media_type, "size", (json_int_t)attachment->size,
                     "stripped", notes);
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

static json_t *api_draft(const struct api_call *call, const struct draft *draft)
{
    json_t *attachments = json_array();
    struct outgoing_preview outgoing_preview = {.memory = NULL};
    struct refusal problem;
    for (size_t i = 0; i < draft->attachment_count; i++)
        json_array_append_new(attachments, api_attachment(&draft->attachments[i]));
    json_t *json = json_pack(
        "{s:o,s:o,s:o,s:O,s:o,s:b}", "draft",
        content_json_show_hex((struct bytes){draft->id, DRAFT_ID_SIZE}),
        draft->is_supply ? "supplies" : "case", content_json_show_hex(ID_BYTES(draft->case_id)),
        "made_at", content_json_show_time(draft->made_at), "fields", draft->fields, "attachments",
        attachments, "sending", (int)!ID_IS_ZERO(draft->sending));
    json_object_set_new(json, "directed", api_draft_directed(call, draft));
    err failure =
        outgoing_preview_make(call->federation->runtime, draft, &outgoing_preview, &problem);
    if (failure != OK)
        json_object_set_new(json, "missing", json_string(problem.message));
    outgoing_preview_clear(&outgoing_preview);
    return json;
}

static struct draft *api_match_draft(const struct api_call *call, const char *prefix,
                                     size_t *ret_count)
{
    struct draft *found = NULL, *draft = NULL;
    char hex[2 * DRAFT_ID_SIZE + 1];
    uid_t uid = http_peer(call->request).uid;
    *ret_count = 0;
    for (size_t i = 0; (draft = draft_at(call->federation->drafts, uid, i)) != NULL; i++) {
        ids_to_hex((struct bytes){draft->id, DRAFT_ID_SIZE}, hex);
        if (strlen(prefix) >= 4 && strncasecmp(prefix, hex, strlen(prefix)) == 0) {
            found = draft;
            ++*ret_count;
        }
    }
    return found;
}

/* The draft of the path; NULL, and refused. */
static struct draft *api_find_draft(struct api_call *call)
{
    size_t count = 0;
    struct draft *draft = api_match_draft(call, api_part(call, 1), &count);
    if (count == 1)
        return draft;
    api_refuse(call, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
               count == 0 ? "you have no such draft" : "several drafts begin so: give more digits",
               "`consilium draft list` shows yours");
    return NULL;
}

/* The same, when it may still be changed. */
static struct draft *api_find_open_draft(struct api_call *call)
{
    struct draft *draft = api_find_draft(call);
    if (draft == NULL || ID_IS_ZERO(draft->sending))
        return draft;
    api_refuse(call, ERR_STATE, "the draft is being sent and cannot be changed any more",
               "send it again with the same preview: it goes on where it stopped");
    return NULL;
}

static void api_get_drafts(struct api_call *call)
{
    json_t *list = json_array();
    const struct draft *draft = NULL;
    uid_t uid = http_peer(call->request).uid;
    for (size_t i = 0; (draft = draft_at(call->federation->drafts, uid, i)) != NULL; i++)
        json_array_append_new(list, api_draft(call, draft));
    api_answer(call, json_pack("{s:o}", "drafts", list));
}

static void api_get_draft(struct api_call *call)
{
    const struct draft *draft = api_find_draft(call);
    if (draft != NULL)
        api_answer(call, api_draft(call, draft));
}

/* ---- changing ---- */

struct api_saving {
    struct api_call *call;
    uint8_t id[DRAFT_ID_SIZE];
    bool is_new;
};

static void api_on_saved(void *arg, err result)
{
    struct api_saving *saving = arg;
    struct api_call *call = saving->call;
    char hex[2 * DRAFT_ID_SIZE + 1];
    size_t count = 0;
    ids_to_hex((struct bytes){saving->id, DRAFT_ID_SIZE}, hex);
    struct draft *draft = call->api->is_closing ? NULL : api_match_draft(call, hex, &count);
    bool is_new = saving->is_new;
    free(saving);
    if (result != OK || draft == NULL)
        api_refuse_err(call, result == OK ? ERR_NOT_FOUND : result);
    else if (is_new)
        api_created(call, api_draft(call, draft));
    else
        api_answer(call, api_draft(call, draft));
}

static void api_save_draft(struct api_call *call, const struct draft *draft, bool is_new)
{
    struct api_saving *saving = calloc(1, sizeof *saving);
    err failure = saving == NULL ? ERR_NO_MEMORY : OK;
    if (saving != NULL) {
        *saving = (struct api_saving){.call = call, .is_new = is_new};
        memcpy(saving->id, draft->id, DRAFT_ID_SIZE);
        failure = draft_save(call->federation->drafts, draft, api_on_saved, saving);
    }
    if (failure != OK) {
        free(saving);
        api_refuse_err(call, failure);
    }
}

/* Members may be named in words; the draft keeps their ids. */
static bool api_resolve_directed(struct api_call *call)
{
    json_t *list = json_object_get(call->form, "directed");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct node_id node;
        if (!api_find_member(call, json_string_value(json_array_get(list, i)), &node))
            return false;
        json_array_set_new(list, i, content_json_show_hex(ID_BYTES(node)));
    }
    return true;
}

static bool api_resolve_ask(struct api_call *call, const struct draft *draft)
{
    const char *ask = json_string_value(json_object_get(call->form, "ask"));
    struct record_id record;
    if (ask == NULL || !draft->is_supply)
        return true;
    call->case_id = draft->case_id;
    if (!api_find_record(call, ask, &record))
        return false;
    json_object_set_new(call->form, "ask", content_json_show_hex(ID_BYTES(record)));
    return true;
}

static void api_change_draft(struct api_call *call, struct draft *draft, bool is_new)
{
    struct refusal problem;
    struct draft_book *drafts = call->federation->drafts; /* the call ends with its answer */
    if (!api_resolve_directed(call) || !api_resolve_ask(call, draft)) {
        if (is_new)
            draft_remove(drafts, draft, true);
    } else if (draft_change(draft, call->form, &problem) != OK) {
        api_refuse_problem(call, &problem);
        if (is_new)
            draft_remove(drafts, draft, true);
    } else {
        api_save_draft(call, draft, is_new);
    }
}

static void api_put_draft(struct api_call *call)
{
    struct draft *draft = api_find_open_draft(call);
    if (draft != NULL)
        api_change_draft(call, draft, false);
}

static void api_post_draft(struct api_call *call)
{
    uid_t uid = http_peer(call->request).uid;
    const char *supplies = json_string_value(json_object_get(call->form, "supplies"));
    struct draft *draft = NULL;
    if (supplies != NULL) {
        if (!api_find_case_named(call, supplies) || !api_may_write(call, KIND_SUPPLY))
            return;
        draft = draft_new_supply(call->federation->drafts, uid, &call->case_id);
        json_object_del(call->form, "supplies");
    } else {
        draft = draft_new(call->federation->drafts, uid);
    }
    if (draft == NULL)
        api_refuse(call, ERR_FULL, "too many drafts", "delete those that are not needed any more");
    else
        api_change_draft(call, draft, true);
}

static void api_delete_draft(struct api_call *call)
{
    struct draft *draft = api_find_open_draft(call);
    if (draft == NULL)
        return;
    if (draft->in_progress > 0) {
        api_refuse(call, ERR_BUSY, "an attachment is being added to it", NULL);
        return;
    }
    draft_remove(call->federation->drafts, draft, true);
    api_answer(call, json_pack("{s:b}", "deleted", 1));
}

/* ---- attachments ---- */

struct api_upload {
    struct job job;
    struct api_call *call;
    struct draft *draft; /* in_progress keeps it */
    uint8_t *content;
    size_t size;
    char name[ITEM_NAME_SIZE_MAX + 1];
    char pdf_program[4096];
    enum attachment_verdict verdict;
    struct attachment taken;
};

static void api_upload_free(struct api_upload *upload)
{
    upload->draft->in_progress--;
    attachment_clear(&upload->taken);
    free(upload->content);
    free(upload);
}

static void api_upload_run(struct job *job)
{
    struct api_upload *upload = (struct api_upload *)job;
    struct bytes content = {upload->content, upload->size};
    upload->verdict =
        attachment_take(bytes_of_text(upload->name), content, upload->pdf_program, &upload->taken);
}

static void api_on_put(void *arg, const struct items_put *put)
{
    struct api_upload *upload = arg;
    struct api_call *call = upload->call;
    struct draft *draft = upload->draft;
    struct draft_attachment attachment = {.item_id = put->item_id,
                                          .item_key = put->item_key,
                                          .size = put->size,
                                          .chunk_count = put->chunk_count,
                                          .stripped = upload->taken.stripped};
    snprintf(attachment.name, sizeof attachment.name, "%s", upload->name);
    snprintf(attachment.media_type, sizeof attachment.media_type, "%s",
             attachment_media_type(upload->taken.type));
    api_upload_free(upload);
    if (put->verdict != OK) {
        api_refuse_err(call, put->verdict);
    } else if (draft->attachment_count == ITEM_COUNT_MAX || !ID_IS_ZERO(draft->sending) ||
               call->api->is_closing) {
        items_drop(call->federation->items, &put->item_id);
        api_refuse(call, ERR_STATE, "the draft takes no more attachments", NULL);
    } else {
        draft->attachments[draft->attachment_count++] = attachment;
        api_save_draft(call, draft, false);
    }
}

static void api_upload_done(struct job *job)
{
    struct api_upload *upload = (struct api_upload *)job;
    if (upload->verdict != ATTACHMENT_TAKEN || upload->call->api->is_closing) {
        struct api_call *call = upload->call;
        enum attachment_verdict verdict = upload->verdict;
        char message[256];
        snprintf(message, sizeof message, "%s: %s", upload->name, attachment_sentence(verdict));
        api_upload_free(upload);
        api_refuse(call,
                   verdict == ATTACHMENT_TOO_LARGE    ? ERR_TOO_LARGE
                   : verdict == ATTACHMENT_NO_CLEANER ? ERR_IO
                   : verdict == ATTACHMENT_NO_MEMORY  ? ERR_NO_MEMORY
                                                      : ERR_INVALID,
                   message, attachment_advice(verdict));
        return;
    }
    struct items_content content = {upload->taken.data, upload->taken.size};
    upload->taken.data = NULL;
    free(upload->content);
    upload->content = NULL;
    items_put(upload->call->federation->items, &upload->draft->case_id, content, api_on_put,
              upload);
}

static void api_post_attachment(struct api_call *call)
{
    const char *name = http_query(call->request, "name");
    struct draft *draft = api_find_open_draft(call);
    if (draft == NULL)
        return;
    if (name == NULL || *name == 0 || strlen(name) > ITEM_NAME_SIZE_MAX) {
        api_refuse(call, ERR_INVALID, "name: missing, or longer than 120 bytes",
                   "say ?name=letter.pdf");
        return;
    }
    struct api_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        api_refuse_err(call, ERR_NO_MEMORY);
        return;
    }
    upload->call = call;
    upload->draft = draft;
    draft->in_progress++;
    snprintf(upload->name, sizeof upload->name, "%s", name);
    upload->content = http_take_body(call->request, &upload->size);
    upload->job = (struct job){.run = api_upload_run, .done = api_upload_done};
    if (attachment_pdf_find(upload->pdf_program, sizeof upload->pdf_program) != OK)
        upload->pdf_program[0] = 0; /* then only a PDF is refused */
    err failure =
        workers_submit(call->api->config.workers, (uint64_t)(uintptr_t)upload, &upload->job);
    if (failure != OK) {
        api_upload_free(upload);
        api_refuse_err(call, failure);
    }
}

/* The attachment of the path, by its item id; its place, or -1 and refused. */
static int api_find_attachment(struct api_call *call, const struct draft *draft)
{
    const char *prefix = api_part(call, 3);
    char hex[2 * HASH_SIZE + 1];
    int found = -1;
    size_t count = 0;
    for (size_t i = 0; i < draft->attachment_count; i++) {
        ids_to_hex(ID_BYTES(draft->attachments[i].item_id), hex);
        bool is_named = strcmp(prefix, draft->attachments[i].name) == 0;
        if (is_named || (strlen(prefix) >= 4 && strncasecmp(prefix, hex, strlen(prefix)) == 0)) {
            found = (int)i;
            count++;
        }
    }
    if (count == 1)
        return found;
    api_refuse(call, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
               count == 0 ? "the draft has no such attachment" : "several attachments are named so",
               "name it by its id: `consilium draft show` lists them");
    return -1;
}

static void api_delete_attachment(struct api_call *call)
{
    struct draft *draft = api_find_open_draft(call);
    int place = draft == NULL ? -1 : api_find_attachment(call, draft);
    if (place < 0)
        return;
    draft_detach(call->federation->drafts, draft, (size_t)place);
    api_save_draft(call, draft, false);
}

static void api_get_attachment(struct api_call *call)
{
    const struct draft *draft = api_find_draft(call);
    int place = draft == NULL ? -1 : api_find_attachment(call, draft);
    if (place < 0)
        return;
    const struct draft_attachment *attachment = &draft->attachments[place];
    struct case_file_item item = {.item_id = attachment->item_id,
                                  .item_key = attachment->item_key,
                                  .size = attachment->size,
                                  .chunk_count = attachment->chunk_count,
                                  .name = bytes_of_text(attachment->name)};
    api_answer_item(call, &item);
}

/* ---- what leaves ---- */

static void api_get_preview(struct api_call *call)
{
    const struct draft *draft = api_find_draft(call);
    struct outgoing_preview outgoing_preview = {.memory = NULL};
    struct refusal problem;
    if (draft == NULL)
        return;
    if (outgoing_preview_make(call->federation->runtime, draft, &outgoing_preview, &problem) != OK)
        api_refuse_problem(call, &problem);
    else
        api_answer(call,
                   outgoing_preview_show(call->federation->runtime, &outgoing_preview, draft));
    outgoing_preview_clear(&outgoing_preview);
}

static void api_post_send(struct api_call *call)
{
    struct draft *draft = api_find_draft(call);
    if (draft != NULL)
        api_send(call, draft);
}

const struct api_route api_drafts_routes[] = {
    {HTTP_GET, "drafts", 0, api_get_drafts},
    {HTTP_POST, "drafts", 0, api_post_draft},
    {HTTP_GET, "drafts/?", 0, api_get_draft},
    {HTTP_PUT, "drafts/?", 0, api_put_draft},
    {HTTP_DELETE, "drafts/?", API_NO_BODY, api_delete_draft},
    {HTTP_POST, "drafts/?/attachments", API_UPLOAD, api_post_attachment},
    {HTTP_GET, "drafts/?/attachments/?", 0, api_get_attachment},
    {HTTP_DELETE, "drafts/?/attachments/?", API_NO_BODY, api_delete_attachment},
    {HTTP_GET, "drafts/?/preview", 0, api_get_preview},
    {HTTP_POST, "drafts/?/send", API_SIGNED, api_post_send},
    {HTTP_GET, "", 0, NULL},
};
