#include "node/api/api_cases.h"

#include <stdlib.h>
#include <string.h>

#include "node/api/api_call.h"
#include "node/service/case_access.h"
#include "node/service/case_items.h"
#include "node/service/case_mail.h"
#include "node/views/content_json_encode.h"
#include "node/views/receipts.h"
#include "node/views/view_json.h"
#include "protocol/contents/mail.h"
#include "protocol/member/tag.h"

/* ---- announcements ---- */

static bool api_is_over(enum case_state state)
{
    return state == CASE_CLOSED || state == CASE_FOLLOWED_UP || state == CASE_WITHDRAWN ||
           state == CASE_ERASED;
}

/* The stream of the case tells first: a mirror may arrive later. */
static const char *api_entry_state(const struct api_call *call, const struct inbox_entry *entry)
{
    const struct consult *consult = runtime_case(call->federation->runtime, &entry->case_id);
    if (entry->mirrored != MIRROR_NONE)
        return content_code_name(&mirror_whats, entry->mirrored);
    if (consult != NULL && api_is_over(consult->state))
        return consult_state_name(consult->state);
    return inbox_is_open(entry, runtime_wall()) ? "open" : "over";
}

/* The stored announcement. */
static json_t *api_entry(struct api_call *call, const struct inbox_entry *entry)
{
    struct stored_record stored_record;
    struct stored_record_memory *memory = api_call_memory(call);
    struct runtime *runtime = call->federation->runtime;
    if (memory == NULL ||
        stored_record_find(runtime_store(runtime), &entry->record, memory, &stored_record) != OK)
        return NULL;
    json_t *json = view_json_record(runtime, &stored_record);
    json_t *content = json_incref(json_object_get(json, "content"));
    const json_t *inside = json_object_get(content, "announcement");
    json_object_del(json, "content");
    json_object_update(json, (json_t *)(uintptr_t)(inside == NULL ? content : inside));
    json_decref(content);
    json_object_del(json, "case_id");
    json_object_set_new(json, "case", content_json_encode_hex(ID_BYTES(entry->case_id)));
    json_object_set_new(json, "deadline", content_json_encode_time(entry->deadline));
    json_object_set_new(json, "state", json_string(api_entry_state(call, entry)));
    json_object_set_new(json, "part",
                        json_string(case_access_role(call->federation->service, &entry->case_id)));
    json_object_set_new(json, "directed", json_boolean(entry->is_directed));
    json_object_set_new(json, "own", json_boolean(entry->is_own));
    return json;
}

struct api_listing {
    struct api_call *call;
    json_t *list;
    size_t limit;
    bool wants_directed;
    uint64_t next;
};

static bool api_state_fits(const char *wanted, bool is_open)
{
    if (wanted == NULL || strcmp(wanted, "open") == 0)
        return is_open;
    return strcmp(wanted, "all") == 0 || (strcmp(wanted, "closed") == 0 && !is_open);
}

static bool api_specialty_fits(const char *wanted, struct bytes specialty)
{
    return wanted == NULL || tag_covers(bytes_of_text(wanted), specialty);
}

static bool api_entry_fits(const struct api_listing *listing, const struct inbox_entry *entry)
{
    const struct http_request *request = listing->call->request;
    const char *language = http_request_query(request, "language");
    struct bytes said = {entry->language, entry->language_size};
    size_t size = language == NULL ? 0 : strlen(language);
    bool speaks =
        language == NULL || (said.size >= size && memcmp(said.data, language, size) == 0 &&
                             (said.size == size || said.data[size] == '-'));
    return entry->is_directed == listing->wants_directed && speaks &&
           api_state_fits(http_request_query(request, "state"),
                          strcmp(api_entry_state(listing->call, entry), "open") == 0) &&
           api_specialty_fits(http_request_query(request, "specialty"),
                              (struct bytes){entry->specialty, entry->specialty_size});
}

static bool api_on_entry(void *arg, const struct inbox_entry *entry)
{
    struct api_listing *listing = arg;
    if (!api_entry_fits(listing, entry))
        return true;
    if (json_array_size(listing->list) == listing->limit)
        return false;
    json_t *json = api_entry(listing->call, entry);
    if (json != NULL)
        json_array_append_new(listing->list, json);
    listing->next = entry->number;
    return true;
}

static void api_list_entries(struct api_call *call, bool directed)
{
    struct api_listing listing = {.call = call,
                                  .list = json_array(),
                                  .limit = api_call_limit(call),
                                  .wants_directed = directed};
    inbox_scan(call->federation->service->inbox, api_call_after(call), api_on_entry, &listing);
    json_t *json = json_pack("{s:o}", directed ? "requests" : "inbox", listing.list);
    if (json_array_size(listing.list) == listing.limit)
        api_call_set_next(json, listing.next);
    api_call_answer(call, json);
}

static void api_get_inbox(struct api_call *call)
{
    api_list_entries(call, false);
}

static void api_get_requests(struct api_call *call)
{
    api_list_entries(call, true);
}

/* ---- cases ---- */

static json_t *api_counts(const struct consult *consult)
{
    struct consult_view view = consult_view(consult, runtime_wall());
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:b}", "participants",
                     (json_int_t)view.participant_count, "ended", (json_int_t)view.ended_count,
                     "institutions_with_opinion", (json_int_t)view.institution_count, "opinions",
                     (json_int_t)view.opinion_count, "revealed", (json_int_t)view.revealed_count,
                     "declined", (json_int_t)view.declined_count, "erased",
                     (json_int_t)view.erased_count, "silent", (json_int_t)view.silent_count,
                     "cap_reached", (int)view.is_cap_reached, "overdue", (int)view.is_overdue,
                     "follow_up_due", (int)view.is_follow_up_due);
}

/* The announcement in the OPEN record of the case; NULL when that is not here. */
static json_t *api_opened_with(const struct api_call *call, const struct consult *consult)
{
    struct runtime *runtime = call->federation->runtime;
    struct stored_record_memory *memory =
        ID_IS_ZERO(consult->open) ? NULL : stored_record_memory_new();
    struct stored_record stored_record;
    json_t *announcement = NULL;
    if (memory != NULL &&
        stored_record_find(runtime_store(runtime), &consult->open, memory, &stored_record) == OK) {
        json_t *json = view_json_record(runtime, &stored_record);
        announcement =
            json_incref(json_object_get(json_object_get(json, "content"), "announcement"));
        json_decref(json);
    }
    stored_record_memory_free(memory);
    return announcement;
}

static json_t *api_case_short(const struct api_call *call, const struct consult *consult)
{
    json_t *json = json_pack(
        "{s:o,s:s,s:s,s:o,s:o,s:I,s:o,s:o,s:s,s:o}", "case",
        content_json_encode_hex(ID_BYTES(consult->case_id)), "part",
        case_access_role(call->federation->service, &consult->case_id), "state",
        consult_state_name(consult->state), "specialty",
        content_json_encode_text((struct bytes){consult->specialty, consult->specialty_size}),
        "requester",
        ID_IS_ZERO(consult->requester)
            ? json_null()
            : view_json_member(call->federation->runtime, &consult->requester),
        "wanted_count", (json_int_t)consult->wanted_count, "deadline",
        content_json_encode_time(consult->deadline), "opened_at",
        content_json_encode_time(consult->opened_at), "mode",
        content_code_name(&announcement_modes, consult->mode), "counts", api_counts(consult));
    json_t *announcement = api_opened_with(call, consult);
    if (json != NULL && announcement != NULL)
        json_object_update_missing(json, announcement); /* question, language, ... */
    json_object_del(json, "case_id");
    json_decref(announcement);
    return json;
}

/* Before the case is read. */
static bool api_brief_fits(const struct api_call *call, const struct engine_case_brief *brief)
{
    const char *state = http_request_query(call->request, "state");
    return api_state_fits(state == NULL ? "all" : state, !api_is_over(brief->state));
}

static bool api_case_fits(const struct api_call *call, const struct consult *consult)
{
    const char *role = http_request_query(call->request, "role");
    const char *part = case_access_role(call->federation->service, &consult->case_id);
    return (role == NULL || strcmp(role, "all") == 0 || strcmp(role, part) == 0) &&
           api_specialty_fits(http_request_query(call->request, "specialty"),
                              (struct bytes){consult->specialty, consult->specialty_size});
}

static void api_get_cases(struct api_call *call)
{
    const struct engine *engine = runtime_engine(call->federation->runtime);
    struct engine_case_brief brief;
    json_t *list = json_array();
    size_t limit = api_call_limit(call);
    uint32_t index = (uint32_t)api_call_after(call);
    for (; json_array_size(list) < limit && engine_case_at(engine, index, &brief); index++) {
        const struct consult *consult =
            api_brief_fits(call, &brief) ? runtime_case(call->federation->runtime, &brief.case_id)
                                         : NULL;
        if (consult != NULL && api_case_fits(call, consult))
            json_array_append_new(list, api_case_short(call, consult));
    }
    json_t *json = json_pack("{s:o}", "cases", list);
    if (engine_case_at(engine, index, &brief))
        api_call_set_next(json, index);
    api_call_answer(call, json);
}

static json_t *api_participants(struct runtime *runtime, const struct consult *consult)
{
    json_t *list = json_array();
    for (size_t i = 0; i < consult->participant_count; i++) {
        const struct consult_participant *participant = &consult->participants[i];
        json_t *json = view_json_member(runtime, &participant->node);
        json_object_set_new(json, "ended", json_boolean(participant->is_ended));
        json_object_set_new(json, "opinion", json_boolean(participant->has_opinion));
        json_object_set_new(json, "declined", json_boolean(participant->has_declined));
        if (!ID_IS_ZERO(participant->clinician))
            json_object_set_new(json, "clinician",
                                view_json_clinician(runtime, &participant->clinician));
        json_array_append_new(list, json);
    }
    return list;
}

/* What was asked for, item by item, and how each was answered. */
static bool api_on_asked(void *arg, const struct stored_record *stored_record)
{
    struct api_listing *listing = arg;
    struct case_record_ask ask;
    struct case_record_supply supply;
    char hex[2 * HASH_SIZE + 1];
    if (stored_record_content(stored_record, KIND_ASK, &case_record_ask_table, &ask)) {
        for (size_t i = 0; i < ask.item_count; i++)
            json_array_append_new(
                listing->list,
                json_pack("{s:o,s:I,s:s,s:o,s:o,s:s}", "ask",
                          content_json_encode_hex(ID_BYTES(stored_record->claim.id)), "index",
                          (json_int_t)i, "wanted",
                          content_code_name(&case_record_wanteds, ask.items[i].wanted), "text",
                          content_json_encode_text(ask.items[i].text), "by",
                          view_json_member(listing->call->federation->runtime,
                                           &stored_record->claim.header.stream.writer),
                          "state", "open"));
        return true;
    }
    if (!stored_record_content(stored_record, KIND_SUPPLY, &case_record_supply_table, &supply))
        return true;
    ids_to_hex(ID_BYTES(supply.ask), hex);
    for (size_t i = 0; i < supply.answer_count; i++) {
        size_t place = 0;
        json_t *asked = NULL;
        json_array_foreach(listing->list, place, asked)
        {
            if (strcmp(json_string_value(json_object_get(asked, "ask")), hex) == 0 &&
                (uint64_t)json_integer_value(json_object_get(asked, "index")) ==
                    supply.answers[i].index)
                json_object_set_new(
                    asked, "state",
                    json_string(content_code_name(&case_record_answers, supply.answers[i].answer)));
        }
    }
    return true;
}

static json_t *api_asked(struct api_call *call)
{
    struct api_listing listing = {.call = call, .list = json_array()};
    struct scope scope = scope_case(&call->case_id);
    if (stored_record_scope(runtime_store(call->federation->runtime), &scope, 0, api_on_asked,
                            &listing) == OK)
        return listing.list;
    json_decref(listing.list);
    return json_null();
}

static json_t *api_case_file(const struct api_call *call)
{
    struct case_items *items = NULL;
    struct refusal refusal;
    if (case_items_load(call->federation->service, &call->case_id, &items, &refusal) != OK)
        return json_null();
    json_t *json = content_json_encode(&case_file_table, &items->file);
    struct hash root = case_file_root(&items->file);
    json_object_set_new(json, "root", content_json_encode_hex(ID_BYTES(root)));
    case_items_free(items);
    return json == NULL ? json_null() : json;
}

/* ---- mail about a case ---- */

/* A stored record; JSON null when it is not here. */
static json_t *api_stored(const struct api_call *call, const struct record_id *id)
{
    struct runtime *runtime = call->federation->runtime;
    struct stored_record stored_record;
    struct stored_record_memory *memory = stored_record_memory_new();
    json_t *json = NULL;
    if (memory != NULL &&
        stored_record_find(runtime_store(runtime), id, memory, &stored_record) == OK)
        json = view_json_record(runtime, &stored_record);
    stored_record_memory_free(memory);
    return json == NULL ? json_null() : json;
}

/* The mail of this kind about a case of ours; empty in a case of others. */
static json_t *api_mail(const struct api_call *call, uint16_t kind)
{
    const struct consult *consult = api_call_consult(call);
    const struct inbox_letter *letter = NULL;
    json_t *list = json_array();
    if (consult == NULL ||
        !ID_EQUAL(consult->requester, runtime_settings(call->federation->runtime)->self))
        return list;
    for (size_t n = 0;
         (letter = case_mail_next(call->federation->service, &call->case_id, kind, &n)) != NULL;)
        json_array_append_new(list, api_stored(call, &letter->record));
    return list;
}

static void api_get_joins(struct api_call *call)
{
    if (api_call_find_case(call))
        api_call_answer(call, json_pack("{s:o}", "joins", api_mail(call, KIND_JOIN)));
}

/* NULL: nothing to tell. */
static json_t *api_own_join(const struct api_call *call)
{
    static const char *const names[] = {[CASE_MAIL_WAITING] = "waiting",
                                        [CASE_MAIL_REFUSED] = "refused",
                                        [CASE_MAIL_DECLINED] = "declined"};
    struct case_mail_own own = case_mail_own(call->federation->service, &call->case_id);
    if (own.state == CASE_MAIL_NONE)
        return NULL;
    json_t *json =
        json_pack("{s:s,s:o}", "state", names[own.state], "letter", api_stored(call, &own.record));
    if (own.state == CASE_MAIL_REFUSED)
        json_object_set_new(json, "refusal", api_stored(call, &own.refusal));
    return json;
}

static void api_get_case(struct api_call *call)
{
    if (!api_call_find_case(call))
        return;
    const struct consult *consult = api_call_consult(call);
    const struct inbox_entry *entry = inbox_find(call->federation->service->inbox, &call->case_id);
    json_t *json =
        consult != NULL
            ? api_case_short(call, consult)
            : json_pack("{s:o,s:s,s:s}", "case", content_json_encode_hex(ID_BYTES(call->case_id)),
                        "part", "none", "state", api_entry_state(call, entry));
    if (entry != NULL)
        json_object_set_new(json, "announcement", api_entry(call, entry));
    if (consult != NULL) {
        json_object_set_new(json, "participants",
                            api_participants(call->federation->runtime, consult));
        json_object_set_new(json, "asked", api_asked(call));
        json_object_set_new(json, "case_file", api_case_file(call));
        json_t *joins = api_mail(call, KIND_JOIN);
        json_object_set_new(json, "joins_waiting",
                            json_integer((json_int_t)json_array_size(joins)));
        json_decref(joins);
        json_object_set_new(json, "declined_by_mail", api_mail(call, KIND_MAIL_DECLINE));
    }
    json_t *join = api_own_join(call);
    if (join != NULL)
        json_object_set_new(json, "own_join", join);
    const struct inbox_letter *end =
        consult == NULL ? NULL : case_mail_end_of_access(call->federation->service, consult);
    if (end != NULL)
        json_object_set_new(json, "access_ended", api_stored(call, &end->record));
    json_object_set_new(json, "responsibility",
                        json_string("advice; the treating clinician keeps the responsibility"));
    api_call_answer(call, json);
}

/* Where the ERASE of the case stands, if this node wrote it; false when another did, or nobody. */
static bool api_own_erase(const struct api_call *call, const struct consult *consult,
                          struct record_header *ret_header)
{
    struct runtime *runtime = call->federation->runtime;
    struct stored_record_memory *memory = stored_record_memory_new();
    struct stored_record erase;
    bool is_own =
        consult != NULL && !ID_IS_ZERO(consult->erase) && memory != NULL &&
        stored_record_find(runtime_store(runtime), &consult->erase, memory, &erase) == OK &&
        ID_EQUAL(erase.claim.header.stream.writer, runtime_settings(runtime)->self);
    if (is_own)
        *ret_header = erase.claim.header;
    stored_record_memory_free(memory);
    return is_own;
}

static void api_get_erasure(struct api_call *call)
{
    if (!api_call_find_case(call))
        return;
    const struct consult *consult = api_call_consult(call);
    json_t *receipts = json_array(), *silent = json_array();
    struct record_header erase;
    bool is_ours = api_own_erase(call, consult, &erase);
    for (size_t i = 0; consult != NULL && i < consult->participant_count; i++) {
        const struct consult_participant *participant = &consult->participants[i];
        json_t *json = view_json_member(call->federation->runtime, &participant->node);
        if (participant->erased_at.ms == 0) {
            if (is_ours)
                json_object_set_new(
                    json, "told",
                    json_boolean(runtime_acked(call->federation->runtime, &participant->node,
                                               &erase.stream) >= erase.sequence));
            json_array_append_new(silent, json);
            continue;
        }
        json_object_set_new(json, "erased_at", content_json_encode_time(participant->erased_at));
        json_object_set_new(json, "backups_until",
                            content_json_encode_time(participant->backups_until));
        json_array_append_new(receipts, json);
    }
    bool is_erased = consult != NULL && consult->state == CASE_ERASED;
    api_call_answer(call, json_pack("{s:b,s:o,s:o}", "erased", (int)is_erased, "receipts", receipts,
                                    "silent", silent));
}

/* ---- the records of a case, in order of arrival, and what each is worth ---- */

struct api_thread {
    struct api_call *call;
    const struct consult *consult;
    struct receipts *receipts;
    json_t *list;
    size_t limit;
    uint64_t next;
    bool is_full;
};

static void api_judge(const struct api_thread *thread, const struct stored_record *stored_record,
                      json_t *json)
{
    const struct consult *consult = thread->consult;
    const struct record_claim *claim = &stored_record->claim;
    struct consult_record record = consult_record_of(
        &claim->header, &claim->id, stored_record->is_readable ? &stored_record->statement : NULL);
    const struct consult_taken *taken = consult_taken_of(consult, &claim->id);
    if (taken != NULL) {
        json_object_set_new(json, "taken_in", json_true());
        json_object_set_new(json, "revealed", json_boolean(taken->is_revealed));
        return;
    }
    if (!stored_record->is_readable || ID_EQUAL(claim->header.stream.writer, consult->requester))
        return;
    enum consult_verdict verdict = consult_judge(consult, &record);
    json_object_set_new(json, "verdict", json_string(consult_verdict_sentence(verdict)));
}

static bool api_on_thread(void *arg, const struct stored_record *stored_record)
{
    struct api_thread *thread = arg;
    struct runtime *runtime = thread->call->federation->runtime;
    if (json_array_size(thread->list) == thread->limit) {
        thread->is_full = true;
        return false;
    }
    json_t *json = view_json_record(runtime, stored_record);
    if (json == NULL)
        return false;
    thread->next = stored_record->number;
    if (thread->consult != NULL)
        api_judge(thread, stored_record, json);
    json_t *delivery = json_object_get(json, "delivery");
    json_t *opened = receipts_show_record(runtime, thread->receipts, &stored_record->claim.id);
    if (delivery != NULL)
        json_object_set_new(delivery, "opened_by", opened);
    else
        json_object_set_new(json, "opened_by", opened);
    json_array_append_new(thread->list, json);
    return true;
}

static void api_get_thread(struct api_call *call)
{
    struct api_thread thread = {.call = call, .limit = api_call_limit(call)};
    struct runtime *runtime = call->federation->runtime;
    if (!api_call_find_case(call))
        return;
    struct scope scope = scope_case(&call->case_id);
    thread.consult = api_call_consult(call);
    err failure = receipts_read(runtime, &call->case_id, &thread.receipts);
    if (failure != OK) {
        api_call_refuse_err(call, failure);
        return;
    }
    thread.list = json_array();
    failure = stored_record_scope(runtime_store(runtime), &scope, api_call_after(call),
                                  api_on_thread, &thread);
    receipts_free(thread.receipts);
    json_t *json = json_pack("{s:o}", "thread", thread.list);
    if (failure != OK) {
        json_decref(json);
        api_call_refuse_err(call, failure);
        return;
    }
    if (thread.is_full)
        api_call_set_next(json, thread.next);
    api_call_answer(call, json);
}

const struct api_route api_cases_routes[] = {
    {HTTP_GET, "inbox", 0, api_get_inbox},
    {HTTP_GET, "requests", 0, api_get_requests},
    {HTTP_GET, "cases", 0, api_get_cases},
    {HTTP_GET, "cases/?", 0, api_get_case},
    {HTTP_GET, "cases/?/thread", 0, api_get_thread},
    {HTTP_GET, "cases/?/joins", 0, api_get_joins},
    {HTTP_GET, "cases/?/erasure", 0, api_get_erasure},
    {HTTP_GET, "", 0, NULL},
};
