#include "node/api/api_actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/api_call.h"
#include "node/service/case_items.h"
#include "node/service/case_mail.h"
#include "node/service/lookup.h"
#include "node/service/opinion_export.h"
#include "node/service/participant.h"
#include "node/service/requester.h"
#include "node/views/content_json_decode.h"
#include "node/views/content_json_encode.h"
#include "node/views/view_json.h"
#include "protocol/contents/opinion_file.h"

/* ---- the result ---- */

static void api_actions_on_done(void *arg, const struct action_result *result)
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
    json_t *json = json_pack("{s:o}", "case", content_json_encode_hex(ID_BYTES(result->case_id)));
    if (result->posted_count > 0) {
        const struct runtime_done *first = &result->posted[0]; /* the others are mail about it */
        json_object_set_new(json, "record", content_json_encode_hex(ID_BYTES(first->record)));
        json_object_set_new(json, "sequence", json_integer((json_int_t)first->sequence));
        json_object_set_new(json, "kind", json_string(kind_name(result->kind)));
        json_object_set_new(json, "time", content_json_encode_time(result->time));
    }
    api_call_created(call, json);
}

static struct action api_actions_begin(struct api_call *call)
{
    const char *passphrase = json_string_value(json_object_get(call->form, "passphrase"));
    passphrase = passphrase == NULL ? "" : passphrase; /* of a check */
    return (struct action){.service = call->federation->service,
                           .signer = {.account = call->account,
                                      .passphrase = bytes_of_text(passphrase),
                                      .uid = api_call_uid(call),
                                      .asker = api_call_asker(call)},
                           .case_id = call->case_id,
                           .is_check = call->is_check,
                           .on_done = api_actions_on_done,
                           .arg = call};
}

/* What of a form is wanted: the struct of a content's table. */
struct api_actions_form {
    const struct content_table *table;
    bool is_whole; /* a required field that is missing is refused; else the action fills some in */
    uint16_t
        kind; /* of the record; KIND_NONE: it may be mail, for which the case need not be here */
};

/* Fills the struct, which borrows from the form. False: refused, with all that is wrong: in the
 * form, and that the case takes no such record now. */
static bool api_actions_read(struct api_call *call, const struct api_actions_form *form,
                             void *ret_value)
{
    static const char *const ignored[] = {"passphrase", NULL};
    struct content_json_take how = {
        .table = form->table, .ignored = ignored, .is_whole = form->is_whole};
    struct refusal refusal, state;
    json_object_del(call->form, "clinician"); /* the login: a content may have such a field */
    if (content_json_decode(&how, call->form, ret_value, &refusal) == OK)
        return true;
    if (form->kind != KIND_NONE &&
        action_check(call->federation->service, &call->case_id, form->kind, &state) != OK)
        refusal_merge(&refusal, &state);
    api_call_refuse(call, &refusal);
    return false;
}

/* A field under the name that its content has. */
static void api_actions_rename(struct api_call *call, const char *from, const char *to)
{
    json_t *value = json_object_get(call->form, from);
    if (value != NULL) {
        json_object_set(call->form, to, value);
        json_object_del(call->form, from);
    }
}

/* The handler of a route whose form is the content that the action takes. `resolve` puts ids in
 * place of names; false: refused. */
#define API_ACTION(name, type, is_whole, kind, resolve, act)                                       \
    static void api_post_##name(struct api_call *call)                                             \
    {                                                                                              \
        static const struct api_actions_form form = {&type##_table, is_whole, kind};               \
        struct type value;                                                                         \
        if (!api_call_find_case(call) || !(resolve) || !api_actions_read(call, &form, &value))     \
            return;                                                                                \
        struct action action = api_actions_begin(call);                                            \
        act(&action, &value);                                                                      \
    }

API_ACTION(decline, case_record_decline, true, KIND_NONE, true, participant_decline)
API_ACTION(ask, case_record_ask, true, KIND_ASK, true, participant_ask)
API_ACTION(post, case_record_post, true, KIND_POST, api_call_resolve_records(call, "answers"),
           participant_discuss)
API_ACTION(reveal, case_record_reveal, false, KIND_REVEAL,
           api_call_resolve_records(call, "records"), requester_reveal)
API_ACTION(synthesis, case_record_synthesis, true, KIND_SYNTHESIS,
           api_call_resolve_records(call, "records"), requester_synthesise)
API_ACTION(extend, case_record_extend, true, KIND_EXTEND, true, requester_extend)
API_ACTION(outcome, case_record_outcome, true, KIND_OUTCOME,
           api_call_resolve_records(call, "opinions"), requester_report_outcome)
API_ACTION(withdraw, case_record_withdraw, true, KIND_WITHDRAW, true, requester_withdraw)
API_ACTION(grant_end, case_record_grant_end, true, KIND_GRANT_END,
           api_call_resolve_members(call, "participant"), requester_end_access)

/* `record` in the form is the field `record_id` of the content. */
static bool api_actions_resolve_record(struct api_call *call)
{
    api_actions_rename(call, "record", "record_id");
    return api_call_resolve_records(call, "record_id");
}

API_ACTION(release, case_record_release, true, KIND_RELEASE, api_actions_resolve_record(call),
           participant_release)
API_ACTION(flag, case_record_flag, true, KIND_FLAG, api_actions_resolve_record(call),
           participant_flag)

/* ---- those with more than a content ---- */

static void api_post_opinion(struct api_call *call)
{
    bool is_additional = false;
    struct opinion *opinion = calloc(1, sizeof *opinion);
    if (opinion == NULL)
        api_call_refuse_err(call, ERR_NO_MEMORY);
    else if (api_call_find_case(call) && api_call_resolve_records(call, "replaces") &&
             api_call_take_flag(call, "additional", &is_additional) &&
             api_actions_read(call, &(struct api_actions_form){&opinion_table, false, KIND_OPINION},
                              opinion)) {
        struct action action = api_actions_begin(call);
        participant_give_opinion(&action, opinion, is_additional);
    }
    free(opinion);
}

static void api_post_close(struct api_call *call)
{
    bool is_without = false;
    struct case_record_close end;
    if (!api_call_find_case(call) || !api_call_take_flag(call, "without_synthesis", &is_without) ||
        !api_actions_read(
            call, &(struct api_actions_form){&case_record_close_table, true, KIND_CLOSE}, &end))
        return;
    struct action action = api_actions_begin(call);
    requester_close(&action, &end, is_without);
}

static void api_post_erase(struct api_call *call)
{
    struct case_record_erase none;
    if (!api_call_find_case(call) ||
        !api_actions_read(
            call, &(struct api_actions_form){&case_record_erase_table, false, KIND_NONE}, &none))
        return;
    struct action action = api_actions_begin(call);
    requester_erase(&action);
}

static void api_actions_on_granted(void *arg, const struct action_result *result)
{
    struct api_call *call = arg;
    struct node_id node;
    const char *named = json_string_value(json_object_get(call->form, "participant"));
    if (result->refusal != NULL || !result->is_done_already)
        api_actions_on_done(call, result);
    else if (ids_from_hex(named, node.bytes, NODE_ID_SIZE) == OK)
        api_call_answer(
            call, json_pack("{s:o,s:o,s:b}", "case",
                            content_json_encode_hex(ID_BYTES(call->case_id)), "institution",
                            view_json_member(call->federation->runtime, &node), "already", 1));
}

static void api_post_grant(struct api_call *call)
{
    struct case_record_grant grant;
    const char *join = json_string_value(json_object_get(call->form, "join"));
    json_t *kept = json_incref(json_object_get(call->form, "join"));
    json_object_del(call->form, "join"); /* not a whole id */
    if (api_call_find_case(call) && api_call_resolve_members(call, "participant") &&
        api_actions_read(call,
                         &(struct api_actions_form){&case_record_grant_table, false, KIND_GRANT},
                         &grant)) {
        struct action action = api_actions_begin(call);
        action.on_done = api_actions_on_granted;
        requester_grant(&action, &grant.participant, join);
    }
    json_decref(kept);
}

static void api_post_join(struct api_call *call)
{
    struct mail_join join;
    if (!api_call_find_case(call) ||
        !api_actions_read(call, &(struct api_actions_form){&mail_join_table, false, KIND_NONE},
                          &join))
        return;
    struct action action = api_actions_begin(call);
    case_mail_join(&action, join.note);
}

static void api_post_refuse(struct api_call *call)
{
    struct case_record_decline decline;
    api_actions_rename(call, "note", "text");
    if (!api_call_find_case(call) ||
        !api_actions_read(call,
                          &(struct api_actions_form){&case_record_decline_table, false, KIND_NONE},
                          &decline))
        return;
    struct action action = api_actions_begin(call);
    case_mail_refuse_join(&action, api_call_part(call, 3), &decline);
}

/* Items may be named by their file names. False: refused. */
static bool api_actions_resolve_items(struct api_call *call)
{
    json_t *list = json_object_get(call->form, "items");
    struct case_items *items = NULL;
    struct refusal refusal;
    err failure = OK;
    if (json_array_size(list) > 0)
        failure = case_items_load(call->federation->service, &call->case_id, &items, &refusal);
    for (size_t i = 0; failure == OK && i < json_array_size(list); i++) {
        const struct case_file_item *item =
            case_items_find(items, json_string_value(json_array_get(list, i)), &refusal);
        if (item == NULL)
            failure = refusal.code;
        else
            json_array_set_new(list, i, content_json_encode_hex(ID_BYTES(item->item_id)));
    }
    case_items_free(items);
    if (failure != OK)
        api_call_refuse(call, &refusal);
    return failure == OK;
}

API_ACTION(opened, case_record_opened, false, KIND_OPENED,
           api_call_resolve_records(call, "records") && api_actions_resolve_items(call),
           case_items_open)

/* ---- an opinion as a file ---- */

static void api_post_export(struct api_call *call)
{
    struct refusal refusal;
    struct service *service = call->federation->service;
    struct opinion_export wanted = {.uid = api_call_uid(call)};
    char hex[2 * HASH_SIZE + 1], file_name[2 * HASH_SIZE + 16];
    if (!api_call_find_case(call))
        return;
    wanted.case_id = call->case_id;
    uint8_t *memory = malloc(OPINION_FILE_SIZE_MAX);
    struct buffer out = buffer_over(memory, OPINION_FILE_SIZE_MAX);
    err failure = memory == NULL ? refusal_of(&refusal, ERR_NO_MEMORY)
                                 : lookup_record(service, &call->case_id, api_call_part(call, 3),
                                                 &wanted.record, &refusal);
    if (failure == OK)
        failure = opinion_export_write(service, &wanted, &out, &refusal);
    if (failure != OK) {
        free(memory);
        api_call_refuse(call, &refusal);
        return;
    }
    ids_to_hex(ID_BYTES(wanted.record), hex);
    snprintf(file_name, sizeof file_name, "%.16s.opinion", hex);
    struct http_answer answer = {
        .status = 200, .type = "application/octet-stream", .file_name = file_name};
    struct http_request *request = call->request;
    api_call_free(call);
    http_response_answer(request, &answer, buffer_bytes(&out));
    free(memory);
}

const struct api_route api_actions_routes[] = {
    {HTTP_POST, "cases/?/join", API_SIGNED, api_post_join},
    {HTTP_POST, "cases/?/joins/?/refuse", API_SIGNED, api_post_refuse},
    {HTTP_POST, "cases/?/grants", API_SIGNED, api_post_grant},
    {HTTP_POST, "cases/?/grants/end", API_SIGNED, api_post_grant_end},
    {HTTP_POST, "cases/?/decline", API_SIGNED, api_post_decline},
    {HTTP_POST, "cases/?/opened", API_SIGNED, api_post_opened},
    {HTTP_POST, "cases/?/opinion", API_SIGNED, api_post_opinion},
    {HTTP_POST, "cases/?/ask", API_SIGNED, api_post_ask},
    {HTTP_POST, "cases/?/post", API_SIGNED, api_post_post},
    {HTTP_POST, "cases/?/release", API_SIGNED, api_post_release},
    {HTTP_POST, "cases/?/flag", API_SIGNED, api_post_flag},
    {HTTP_POST, "cases/?/reveal", API_SIGNED, api_post_reveal},
    {HTTP_POST, "cases/?/synthesis", API_SIGNED, api_post_synthesis},
    {HTTP_POST, "cases/?/close", API_SIGNED, api_post_close},
    {HTTP_POST, "cases/?/extend", API_SIGNED, api_post_extend},
    {HTTP_POST, "cases/?/outcome", API_SIGNED, api_post_outcome},
    {HTTP_POST, "cases/?/withdraw", API_SIGNED, api_post_withdraw},
    {HTTP_POST, "cases/?/erase", API_SIGNED, api_post_erase},
    {HTTP_POST, "cases/?/opinions/?/export", API_NO_BODY, api_post_export},
    {HTTP_GET, "", 0, NULL},
};
