#include "node/api/api_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/api_call.h"
#include "node/audit/audit_check.h"
#include "node/views/content_json_encode.h"
#include "node/views/view_json.h"
#include "protocol/base/hash.h"
#include "store/row_table.h"

static json_t *api_entry_of(struct runtime *runtime, const struct store_audit *stored)
{
    struct audit_entry entry;
    struct hash hash = hash_one(CONTEXT_AUDIT, stored->entry);
    if (audit_entry_read(stored->entry, &entry) != OK)
        return json_pack("{s:I,s:b}", "number", (json_int_t)stored->number, "unreadable", 1);
    const struct audit_fact *fact = &entry.fact;
    json_t *json = json_pack("{s:I,s:o,s:s,s:o,s:o}", "number", (json_int_t)entry.number, "time",
                             content_json_encode_time(entry.time), "what",
                             content_code_name(&audit_entry_whats, fact->what), "hash",
                             content_json_encode_hex(ID_BYTES(hash)), "previous",
                             content_json_encode_hex(ID_BYTES(entry.previous)));
    if (fact->login.size > 0)
        json_object_set_new(json, "login", content_json_encode_text(fact->login));
    if (fact->uid > 0)
        json_object_set_new(json, "uid", json_integer((json_int_t)fact->uid - 1));
    if (!ID_IS_ZERO(fact->clinician))
        json_object_set_new(json, "clinician", content_json_encode_hex(ID_BYTES(fact->clinician)));
    if (!ID_IS_ZERO(fact->case_id))
        json_object_set_new(json, "case", content_json_encode_hex(ID_BYTES(fact->case_id)));
    if (!ID_IS_ZERO(fact->record))
        json_object_set_new(json, "record", content_json_encode_hex(ID_BYTES(fact->record)));
    if (fact->kind != 0)
        json_object_set_new(json, "kind", json_string(kind_name((uint16_t)fact->kind)));
    if (!ID_IS_ZERO(fact->node))
        json_object_set_new(json, "institution", view_json_member(runtime, &fact->node));
    if (!ID_IS_ZERO(fact->item))
        json_object_set_new(json, "item", content_json_encode_hex(ID_BYTES(fact->item)));
    if (fact->note.size > 0)
        json_object_set_new(json, "note", content_json_encode_text(fact->note));
    return json;
}

/* API-19: the whole log tells of every patient's case who opened what, and of everybody who works
 * here what he did. False: refused. */
static bool api_may_see_all(struct api_call *call)
{
    const struct api *api = call->api;
    if (api_call_is_administrator(call) ||
        (api->has_privacy_officers &&
         http_request_peer_in_group(call->request, api->privacy_officers)))
        return true;
    api_call_refuse_saying(
        call, ERR_NOT_ENTITLED, "only administrators and privacy officers see the whole audit log",
        "name a case: consilium audit list --case CASE. Administrators are root, "
        "the daemon's user and the group `administrators` of the configuration, "
        "privacy officers the group `privacy-officers`");
    return false;
}

enum { API_LOOKED_AT_MAX = 4096 }; /* entries, of which one request may pass over most */

struct api_reading {
    struct runtime *runtime;
    const struct case_id *about; /* of this case alone; NULL: all */
    json_t *list;
    size_t limit;
    size_t looked_at;
    uint64_t next;
    bool is_full;
};

static bool api_is_about(const struct api_reading *reading, const struct store_audit *stored)
{
    struct audit_entry entry;
    return reading->about == NULL || (audit_entry_read(stored->entry, &entry) == OK &&
                                      ID_EQUAL(entry.fact.case_id, *reading->about));
}

static bool api_on_audit(void *arg, const struct store_audit *stored)
{
    struct api_reading *reading = arg;
    if (json_array_size(reading->list) == reading->limit ||
        reading->looked_at++ == API_LOOKED_AT_MAX) {
        reading->is_full = true;
        return false;
    }
    if (api_is_about(reading, stored))
        json_array_append_new(reading->list, api_entry_of(reading->runtime, stored));
    reading->next = stored->number;
    return true;
}

static void api_get_audit(struct api_call *call)
{
    struct api_reading reading = {.runtime = call->federation->runtime,
                                  .limit = api_call_limit(call)};
    const char *about = http_request_query(call->request, "case");
    if (about == NULL ? !api_may_see_all(call) : !api_call_find_case_named(call, about))
        return;
    reading.about = about == NULL ? NULL : &call->case_id;
    reading.list = json_array();
    err failure = row_table_audit(runtime_store(reading.runtime), api_call_after(call) + 1,
                                  api_on_audit, &reading);
    json_t *json = json_pack("{s:o}", "entries", reading.list);
    if (failure != OK) {
        json_decref(json);
        api_call_refuse_err(call, failure);
        return;
    }
    if (reading.is_full)
        api_call_set_next(json, reading.next);
    api_call_answer(call, json);
}

/* ---- checking: one step a turn of the loop ---- */

struct api_checking {
    struct api_call *call; /* answered at the end */
    struct audit_check *check;
    uv_idle_t idle;
};

static void api_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* The call is the caller's to answer. */
static struct api_call *api_end_check(struct api_checking *checking)
{
    struct api_call *call = checking->call;
    call->federation->checking = NULL;
    audit_check_free(checking->check);
    uv_close((uv_handle_t *)&checking->idle, api_on_closed);
    return call;
}

static void api_answer_verdict(struct api_checking *checking)
{
    struct audit_verdict verdict = audit_check_verdict(checking->check);
    struct api_call *call = api_end_check(checking);
    bool is_sound = verdict.fault == AUDIT_SOUND;
    json_t *json = json_pack("{s:b,s:I,s:I,s:I,s:s,s:o}", "sound", (int)is_sound, "number",
                             (json_int_t)verdict.number, "count", (json_int_t)verdict.count,
                             "witnesses", (json_int_t)verdict.audit_evidence_count, "says",
                             audit_walk_fault_sentence(verdict.fault), "head",
                             content_json_encode_hex(ID_BYTES(verdict.head)));
    if (!is_sound)
        json_object_set_new(json, "fault", json_string(audit_walk_fault_name(verdict.fault)));
    api_call_answer(call, json);
}

static void api_on_idle(uv_idle_t *idle)
{
    struct api_checking *checking = idle->data;
    bool is_done = false;
    err failure = audit_check_step(checking->check, &is_done);
    if (failure != OK)
        api_call_refuse_err(api_end_check(checking), failure);
    else if (is_done)
        api_answer_verdict(checking);
}

void api_audit_stop(struct api_federation *federation)
{
    if (federation->checking != NULL)
        api_call_refuse_saying(api_end_check(federation->checking), ERR_BUSY,
                               "the node is stopping",
                               "wait until it runs again: systemctl status consiliumd");
}

static void api_get_verdict(struct api_call *call)
{
    if (call->federation->checking != NULL) {
        api_call_refuse_saying(call, ERR_BUSY, "the audit log is being checked already",
                               "wait until the running check has ended");
        return;
    }
    struct api_checking *checking = calloc(1, sizeof *checking);
    struct audit_check *check = audit_check_new(call->federation->runtime);
    if (checking == NULL || check == NULL) {
        free(checking);
        audit_check_free(check);
        api_call_refuse_err(call, ERR_NO_MEMORY);
        return;
    }
    *checking = (struct api_checking){.call = call, .check = check};
    checking->idle.data = checking;
    (void)uv_idle_init(call->api->config.loop, &checking->idle);
    (void)uv_idle_start(&checking->idle, api_on_idle);
    call->federation->checking = checking;
}

static void api_get_progress(struct api_call *call)
{
    const struct api_checking *checking = call->federation->checking;
    struct audit_progress progress = {.done = 0};
    if (checking != NULL)
        progress = audit_check_progress(checking->check);
    api_call_answer(call, json_pack("{s:b,s:I,s:I}", "checking", (int)(checking != NULL), "done",
                                    (json_int_t)progress.done, "all", (json_int_t)progress.all));
}

/* ---- taking it out: some entries for each piece that the reader has room for ---- */

enum { API_LINES_ENTRY_MAX = 32 };

struct api_lines {
    struct runtime *runtime;
    uint64_t next; /* the entry to go on with */
    char *text;    /* what was written and not taken yet */
    size_t size;
    size_t taken;
    FILE *out;
    unsigned count;
};

static bool api_on_line(void *arg, const struct store_audit *stored)
{
    struct api_lines *lines = arg;
    if (lines->count++ == API_LINES_ENTRY_MAX)
        return false;
    json_t *json = api_entry_of(lines->runtime, stored);
    json_object_set_new(json, "entry", content_json_encode_hex(stored->entry));
    (void)json_dumpf(json, lines->out, JSON_COMPACT);
    fputc('\n', lines->out);
    json_decref(json);
    lines->next = stored->number + 1;
    return true;
}

static err api_fill_lines(struct api_lines *lines)
{
    free(lines->text);
    lines->text = NULL;
    lines->size = lines->taken = 0;
    lines->count = 0;
    lines->out = open_memstream(&lines->text, &lines->size);
    if (lines->out == NULL)
        return ERR_NO_MEMORY;
    err failure = row_table_audit(runtime_store(lines->runtime), lines->next, api_on_line, lines);
    if (fclose(lines->out) != 0)
        failure = ERR_NO_MEMORY;
    return failure;
}

static bool api_read_lines(void *arg, uint8_t *piece, size_t size_max, size_t *ret_size)
{
    struct api_lines *lines = arg;
    if (lines->taken == lines->size && api_fill_lines(lines) != OK)
        return false;
    size_t left = lines->size - lines->taken;
    *ret_size = left < size_max ? left : size_max;
    if (*ret_size > 0)
        memcpy(piece, lines->text + lines->taken, *ret_size);
    lines->taken += *ret_size;
    return true;
}

static void api_free_lines(void *arg)
{
    struct api_lines *lines = arg;
    free(lines->text);
    free(lines);
}

static void api_post_audit_export(struct api_call *call)
{
    if (!api_may_see_all(call))
        return;
    struct api_lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL) {
        api_call_refuse_err(call, ERR_NO_MEMORY);
        return;
    }
    lines->runtime = call->federation->runtime;
    struct audit_fact fact = {.what = AUDIT_EXPORTED,
                              .uid = (uint64_t)http_request_peer(call->request).uid + 1,
                              .note = bytes_of_text("audit log")};
    audit_note(runtime_audit(call->federation->runtime), &fact);
    struct http_answer answer = {
        .status = 200, .type = "application/x-ndjson", .file_name = "audit.jsonl"};
    struct http_flow_source source = {.read = api_read_lines, .free = api_free_lines, .arg = lines};
    struct http_request *request = call->request;
    api_call_free(call);
    http_response_answer_flow(request, &answer, &source);
}

const struct api_route api_audit_routes[] = {
    {HTTP_GET, "audit", 0, api_get_audit},
    {HTTP_GET, "audit/verify", 0, api_get_verdict},
    {HTTP_GET, "audit/progress", 0, api_get_progress},
    {HTTP_POST, "audit/export", API_NO_BODY, api_post_audit_export},
    {HTTP_GET, "", 0, NULL},
};
