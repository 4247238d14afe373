#include "node/api/api_draft_owners.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/api/api_call.h"
#include "node/audit/audit.h"
#include "node/service/drafting.h"
#include "node/views/content_json_encode.h"

/* False: refused. */
static bool api_is_permitted(struct api_call *call)
{
    bool is_permitted = api_call_is_administrator(call);
    if (!is_permitted)
        api_call_refuse_saying(call, ERR_NOT_ENTITLED,
                               "only an administrator sees and deletes drafts of other users",
                               "administrators are root, the daemon's user, and the group "
                               "`administrators` of the configuration");
    return is_permitted;
}

static json_t *api_stub(const struct draft *draft)
{
    json_int_t size = 0;
    for (size_t i = 0; i < draft->attachment_count; i++)
        size += (json_int_t)draft->attachments[i].size;
    return json_pack("{s:o,s:o,s:I,s:I,s:b}", "draft",
                     content_json_encode_hex((struct bytes){draft->id, DRAFT_ID_SIZE}), "made_at",
                     content_json_encode_time(draft->made_at), "attachments",
                     (json_int_t)draft->attachment_count, "size", size, "sending",
                     (int)!ID_IS_ZERO(draft->sending));
}

/* The list of this user's drafts; made if it is not there yet. */
static json_t *api_list_of(json_t *owners, uid_t uid)
{
    size_t index;
    json_t *owner;
    json_array_foreach(owners, index, owner)
    {
        if (json_integer_value(json_object_get(owner, "uid")) == (json_int_t)uid)
            return json_object_get(owner, "drafts");
    }
    owner = json_pack("{s:I,s:i,s:[]}", "uid", (json_int_t)uid, "limit", DRAFT_EACH_COUNT_MAX,
                      "drafts");
    json_array_append_new(owners, owner);
    return json_object_get(owner, "drafts");
}

static void api_get_owners(struct api_call *call)
{
    const struct draft_book *book = call->federation->service->drafts;
    json_int_t count = 0;
    if (!api_is_permitted(call))
        return;
    json_t *owners = json_array();
    for (const struct draft *draft = draft_next(book, NULL); draft != NULL;
         draft = draft_next(book, draft), count++)
        json_array_append_new(api_list_of(owners, draft->uid), api_stub(draft));
    api_call_answer(call, json_pack("{s:o,s:I,s:i}", "owners", owners, "count", count, "limit",
                                    DRAFT_COUNT_MAX));
}

/* ---- deleting ---- */

static void api_note_deleted(const struct api_call *call, uid_t owner)
{
    char note[64];
    snprintf(note, sizeof note, "of user %u", (unsigned)owner);
    struct audit_fact fact = {
        .what = AUDIT_DRAFT_DELETED, .uid = api_call_uid(call) + 1, .note = bytes_of_text(note)};
    audit_note(runtime_audit(call->federation->runtime), &fact);
}

/* The user of the path; false, and refused. */
static bool api_read_owner(struct api_call *call, uid_t *ret_uid)
{
    const char *text = api_call_part(call, 1);
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (!api_is_permitted(call))
        return false;
    if (text[0] < '0' || text[0] > '9' || *end != 0 || number >= UINT32_MAX) {
        api_call_refuse_saying(call, ERR_INVALID, "the path must name the number of a user", NULL);
        return false;
    }
    *ret_uid = (uid_t)number;
    return true;
}

static void api_delete_of_owner(struct api_call *call)
{
    struct service *service = call->federation->service;
    struct draft *draft = NULL, *after = NULL;
    struct refusal refusal;
    json_int_t deleted = 0, left = 0;
    uid_t uid = 0;
    if (!api_read_owner(call, &uid))
        return;
    for (draft = draft_next(service->drafts, NULL); draft != NULL; draft = after) {
        after = draft_next(service->drafts, draft);
        if (draft->uid != uid)
            continue;
        if (ID_IS_ZERO(draft->sending) && drafting_delete(service, draft, uid, &refusal) == OK) {
            api_note_deleted(call, uid);
            deleted++;
        } else {
            left++;
        }
    }
    api_call_answer(call, json_pack("{s:I,s:I}", "deleted", deleted, "left", left));
}

static void api_delete_one(struct api_call *call)
{
    struct service *service = call->federation->service;
    struct refusal refusal;
    uid_t uid = 0;
    if (!api_read_owner(call, &uid))
        return;
    struct draft *draft = drafting_find_open(service, uid, api_call_part(call, 2), &refusal);
    if (draft == NULL || drafting_delete(service, draft, uid, &refusal) != OK) {
        api_call_refuse(call, &refusal);
        return;
    }
    api_note_deleted(call, uid);
    api_call_answer(call, json_pack("{s:i,s:i}", "deleted", 1, "left", 0));
}

const struct api_route api_draft_owners_routes[] = {
    {HTTP_GET, "draft-owners", 0, api_get_owners},
    {HTTP_DELETE, "draft-owners/?", API_NO_BODY, api_delete_of_owner},
    {HTTP_DELETE, "draft-owners/?/?", API_NO_BODY, api_delete_one},
    {HTTP_GET, "", 0, NULL},
};
