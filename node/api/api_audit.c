/* The audit log, for reading, checking and taking out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/desk/show.h"
#include "node/federation/audit.h"
#include "protocol/hash.h"
#include "store/row_table.h"

static json_t *api_entry_of(struct shell *shell, const struct store_audit *stored)
{
    struct audit_entry entry;
    struct hash hash = hash_one(CONTEXT_AUDIT, stored->entry);
    if (audit_entry_read(stored->entry, &entry) != OK)
        return json_pack("{s:I,s:b}", "number", (json_int_t)stored->number, "unreadable", 1);
    const struct audit_fact *fact = &entry.fact;
    json_t *json = json_pack(
        "{s:I,s:o,s:s,s:o,s:o}", "number", (json_int_t)entry.number, "time",
        form_show_time(entry.time), "what", content_code_name(&audit_whats, fact->what), "hash",
        form_show_hex(ID_BYTES(hash)), "previous", form_show_hex(ID_BYTES(entry.previous)));
    if (fact->login.size > 0)
        json_object_set_new(json, "login", form_show_text(fact->login));
    if (fact->uid > 0)
        json_object_set_new(json, "uid", json_integer((json_int_t)fact->uid - 1));
    if (!ID_IS_ZERO(fact->clinician))
        json_object_set_new(json, "clinician", form_show_hex(ID_BYTES(fact->clinician)));
    if (!ID_IS_ZERO(fact->case_id))
        json_object_set_new(json, "case", form_show_hex(ID_BYTES(fact->case_id)));
    if (!ID_IS_ZERO(fact->record))
        json_object_set_new(json, "record", form_show_hex(ID_BYTES(fact->record)));
    if (fact->kind != 0)
        json_object_set_new(json, "kind", json_string(kind_name((uint16_t)fact->kind)));
    if (!ID_IS_ZERO(fact->node))
        json_object_set_new(json, "institution", show_member(shell, &fact->node));
    if (!ID_IS_ZERO(fact->item))
        json_object_set_new(json, "item", form_show_hex(ID_BYTES(fact->item)));
    if (fact->note.size > 0)
        json_object_set_new(json, "note", form_show_text(fact->note));
    return json;
}

struct api_reading {
    struct shell *shell;
    json_t *list;
    size_t limit;
    uint64_t next;
    bool is_full;
    FILE *out; /* or as lines */
};

static bool api_on_audit(void *arg, const struct store_audit *stored)
{
    struct api_reading *reading = arg;
    if (json_array_size(reading->list) == reading->limit) {
        reading->is_full = true;
        return false;
    }
    json_array_append_new(reading->list, api_entry_of(reading->shell, stored));
    reading->next = stored->number;
    return true;
}

static void api_get_audit(struct api_call *call)
{
    struct api_reading reading = {
        .shell = call->federation->shell, .list = json_array(), .limit = api_limit(call)};
    err failure =
        row_table_audit(shell_store(reading.shell), api_after(call) + 1, api_on_audit, &reading);
    json_t *json = json_pack("{s:o}", "entries", reading.list);
    if (failure != OK) {
        json_decref(json);
        api_refuse_err(call, failure);
        return;
    }
    if (reading.is_full)
        api_set_next(json, reading.next);
    api_answer(call, json);
}

static void api_get_verdict(struct api_call *call)
{
    struct audit_verdict verdict;
    err failure = audit_verify(call->federation->shell, &verdict);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return;
    }
    bool is_sound = verdict.fault == AUDIT_SOUND;
    json_t *json = json_pack(
        "{s:b,s:I,s:I,s:I,s:s,s:o}", "sound", (int)is_sound, "number", (json_int_t)verdict.number,
        "count", (json_int_t)verdict.count, "witnesses", (json_int_t)verdict.witness_count, "says",
        audit_fault_sentence(verdict.fault), "head", form_show_hex(ID_BYTES(verdict.head)));
    if (!is_sound)
        json_object_set_new(json, "fault", json_string(audit_fault_name(verdict.fault)));
    api_answer(call, json);
}

static bool api_on_line(void *arg, const struct store_audit *stored)
{
    struct api_reading *reading = arg;
    json_t *json = api_entry_of(reading->shell, stored);
    json_object_set_new(json, "entry", form_show_hex(stored->entry));
    (void)json_dumpf(json, reading->out, JSON_COMPACT);
    fputc('\n', reading->out);
    json_decref(json);
    return true;
}

static void api_post_audit_export(struct api_call *call)
{
    char *text = NULL;
    size_t size = 0;
    struct api_reading reading = {.shell = call->federation->shell,
                                  .out = open_memstream(&text, &size)};
    err failure = reading.out == NULL
                      ? ERR_NO_MEMORY
                      : row_table_audit(shell_store(reading.shell), 0, api_on_line, &reading);
    if (reading.out != NULL && fclose(reading.out) != 0)
        failure = ERR_NO_MEMORY;
    if (failure != OK) {
        free(text);
        api_refuse_err(call, failure);
        return;
    }
    struct audit_fact fact = {.what = AUDIT_EXPORTED,
                              .uid = (uint64_t)http_peer(call->request).uid + 1,
                              .note = bytes_of_text("audit log")};
    audit_note(shell_audit(call->federation->shell), &fact);
    struct http_answer answer = {
        .status = 200, .type = "application/x-ndjson", .file_name = "audit.jsonl"};
    struct http_request *request = call->request;
    api_call_free(call);
    http_answer(request, &answer, (struct bytes){(const uint8_t *)text, size});
    free(text);
}

const struct api_route api_audit_routes[] = {
    {HTTP_GET, "audit", 0, api_get_audit},
    {HTTP_GET, "audit/verify", 0, api_get_verdict},
    {HTTP_POST, "audit/export", API_NO_BODY, api_post_audit_export},
    {HTTP_GET, "", 0, NULL},
};
