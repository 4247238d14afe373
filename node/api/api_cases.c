/* Inbox, requests, and the cases of this node. */
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/desk/receipts.h"
#include "node/desk/sheets.h"
#include "node/desk/show.h"
#include "protocol/consult/mail.h"
#include "protocol/roster/tag.h"

/* ---- announcements ---- */

static bool api_is_over(enum case_state state)
{
    return state == CASE_CLOSED || state == CASE_FOLLOWED_UP || state == CASE_WITHDRAWN ||
           state == CASE_ERASED;
}

/* A mirror may be on its way: the stream of the case itself tells first. */
static const char *api_entry_state(const struct api_call *call, const struct inbox_entry *entry)
{
    const struct consult *consult = shell_case(call->federation->shell, &entry->case_id);
    if (entry->mirrored != MIRROR_NONE)
        return content_code_name(&mirror_whats, entry->mirrored);
    if (consult != NULL && api_is_over(consult->state))
        return consult_state_name(consult->state);
    return inbox_is_open(entry, shell_wall()) ? "open" : "over";
}

static const char *api_part_in(const struct api_federation *federation,
                               const struct case_id *case_id)
{
    const struct node_id *self = &shell_settings(federation->shell)->self;
    const struct consult *consult = shell_case(federation->shell, case_id);
    if (consult == NULL)
        return "none";
    if (ID_EQUAL(consult->requester, *self))
        return "requester";
    const struct consult_participant *participant = consult_participant_of(consult, self);
    return participant == NULL                  ? "granted"
           : api_has_ended(federation, consult) ? "ended"
                                                : "participant";
}

/* The announcement as it stands in the store. */
static json_t *api_entry(struct api_call *call, const struct inbox_entry *entry)
{
    struct readout readout;
    struct readout_memory *memory = api_memory(call);
    struct shell *shell = call->federation->shell;
    if (memory == NULL || readout_find(shell_store(shell), &entry->record, memory, &readout) != OK)
        return NULL;
    json_t *json = show_record(shell, &readout);
    json_t *content = json_incref(json_object_get(json, "content"));
    const json_t *inside = json_object_get(content, "announcement");
    json_object_del(json, "content");
    json_object_update(json, (json_t *)(uintptr_t)(inside == NULL ? content : inside));
    json_decref(content);
    json_object_del(json, "case_id");
    json_object_set_new(json, "case", form_show_hex(ID_BYTES(entry->case_id)));
    json_object_set_new(json, "deadline", form_show_time(entry->deadline));
    json_object_set_new(json, "state", json_string(api_entry_state(call, entry)));
    json_object_set_new(json, "part", json_string(api_part_in(call->federation, &entry->case_id)));
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
    const char *language = http_query(request, "language");
    struct bytes said = {entry->language, entry->language_size};
    size_t size = language == NULL ? 0 : strlen(language);
    bool speaks =
        language == NULL || (said.size >= size && memcmp(said.data, language, size) == 0 &&
                             (said.size == size || said.data[size] == '-'));
    return entry->is_directed == listing->wants_directed && speaks &&
           api_state_fits(http_query(request, "state"),
                          strcmp(api_entry_state(listing->call, entry), "open") == 0) &&
           api_specialty_fits(http_query(request, "specialty"),
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
    struct api_listing listing = {
        .call = call, .list = json_array(), .limit = api_limit(call), .wants_directed = directed};
    inbox_scan(call->federation->inbox, api_after(call), api_on_entry, &listing);
    json_t *json = json_pack("{s:o}", directed ? "requests" : "inbox", listing.list);
    if (json_array_size(listing.list) == listing.limit)
        api_set_next(json, listing.next);
    api_answer(call, json);
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
    struct consult_view view = consult_view(consult, shell_wall());
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:b}", "participants",
                     (json_int_t)view.participant_count, "ended", (json_int_t)view.ended_count,
                     "institutions_with_opinion", (json_int_t)view.institution_count, "opinions",
                     (json_int_t)view.opinion_count, "revealed", (json_int_t)view.revealed_count,
                     "declined", (json_int_t)view.declined_count, "erased",
                     (json_int_t)view.erased_count, "silent", (json_int_t)view.silent_count,
                     "cap_reached", (int)view.is_cap_reached, "overdue", (int)view.is_overdue,
                     "follow_up_due", (int)view.is_follow_up_due);
}

/* The announcement as it stands in the opening of the case; NULL when that is not here. */
static json_t *api_opened_with(const struct api_call *call, const struct consult *consult)
{
    struct shell *shell = call->federation->shell;
    struct readout_memory *memory = ID_IS_ZERO(consult->open) ? NULL : readout_memory_new();
    struct readout readout;
    json_t *announcement = NULL;
    if (memory != NULL &&
        readout_find(shell_store(shell), &consult->open, memory, &readout) == OK) {
        json_t *json = show_record(shell, &readout);
        announcement =
            json_incref(json_object_get(json_object_get(json, "content"), "announcement"));
        json_decref(json);
    }
    readout_memory_free(memory);
    return announcement;
}

static json_t *api_case_short(const struct api_call *call, const struct consult *consult)
{
    json_t *json = json_pack(
        "{s:o,s:s,s:s,s:o,s:o,s:I,s:o,s:o,s:s,s:o}", "case",
        form_show_hex(ID_BYTES(consult->case_id)), "part",
        api_part_in(call->federation, &consult->case_id), "state",
        consult_state_name(consult->state), "specialty",
        form_show_text((struct bytes){consult->specialty, consult->specialty_size}), "requester",
        ID_IS_ZERO(consult->requester) ? json_null()
                                       : show_member(call->federation->shell, &consult->requester),
        "wanted_count", (json_int_t)consult->wanted_count, "deadline",
        form_show_time(consult->deadline), "opened_at", form_show_time(consult->opened_at), "mode",
        content_code_name(&announcement_modes, consult->mode), "counts", api_counts(consult));
    json_t *announcement = api_opened_with(call, consult);
    if (json != NULL && announcement != NULL)
        json_object_update_missing(json, announcement); /* question, language, ... */
    json_object_del(json, "case_id");
    json_decref(announcement);
    return json;
}

/* Before the case is read. */
static bool api_brief_fits(const struct api_call *call, const struct core_case_brief *brief)
{
    const char *state = http_query(call->request, "state");
    return api_state_fits(state == NULL ? "all" : state, !api_is_over(brief->state));
}

static bool api_case_fits(const struct api_call *call, const struct consult *consult)
{
    const char *role = http_query(call->request, "role");
    const char *part = api_part_in(call->federation, &consult->case_id);
    return (role == NULL || strcmp(role, "all") == 0 || strcmp(role, part) == 0) &&
           api_specialty_fits(http_query(call->request, "specialty"),
                              (struct bytes){consult->specialty, consult->specialty_size});
}

static void api_get_cases(struct api_call *call)
{
    const struct core *core = shell_core(call->federation->shell);
    struct core_case_brief brief;
    json_t *list = json_array();
    size_t limit = api_limit(call);
    uint32_t index = (uint32_t)api_after(call);
    for (; json_array_size(list) < limit && core_case_at(core, index, &brief); index++) {
        const struct consult *consult = api_brief_fits(call, &brief)
                                            ? shell_case(call->federation->shell, &brief.case_id)
                                            : NULL;
        if (consult != NULL && api_case_fits(call, consult))
            json_array_append_new(list, api_case_short(call, consult));
    }
    json_t *json = json_pack("{s:o}", "cases", list);
    if (core_case_at(core, index, &brief))
        api_set_next(json, index);
    api_answer(call, json);
}

static json_t *api_participants(struct shell *shell, const struct consult *consult)
{
    json_t *list = json_array();
    for (size_t i = 0; i < consult->participant_count; i++) {
        const struct consult_participant *participant = &consult->participants[i];
        json_t *json = show_member(shell, &participant->node);
        json_object_set_new(json, "ended", json_boolean(participant->is_ended));
        json_object_set_new(json, "opinion", json_boolean(participant->has_opinion));
        json_object_set_new(json, "declined", json_boolean(participant->has_declined));
        if (!ID_IS_ZERO(participant->clinician))
            json_object_set_new(json, "clinician", show_clinician(shell, &participant->clinician));
        json_array_append_new(list, json);
    }
    return list;
}

/* What was asked for, item by item, and what became of each. */
static bool api_on_asked(void *arg, const struct readout *readout)
{
    struct api_listing *listing = arg;
    struct caserecord_ask ask;
    struct caserecord_supply supply;
    char hex[2 * HASH_SIZE + 1];
    if (readout_content(readout, KIND_ASK, &caserecord_ask_table, &ask)) {
        for (size_t i = 0; i < ask.item_count; i++)
            json_array_append_new(
                listing->list,
                json_pack("{s:o,s:I,s:s,s:o,s:o,s:s}", "ask",
                          form_show_hex(ID_BYTES(readout->claim.id)), "index", (json_int_t)i,
                          "wanted", content_code_name(&caserecord_wanteds, ask.items[i].wanted),
                          "text", form_show_text(ask.items[i].text), "by",
                          show_member(listing->call->federation->shell,
                                      &readout->claim.header.stream.writer),
                          "state", "open"));
        return true;
    }
    if (!readout_content(readout, KIND_SUPPLY, &caserecord_supply_table, &supply))
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
                    json_string(content_code_name(&caserecord_answers, supply.answers[i].answer)));
        }
    }
    return true;
}

static json_t *api_asked(struct api_call *call)
{
    struct api_listing listing = {.call = call, .list = json_array()};
    struct scope scope = scope_case(&call->case_id);
    if (readout_scope(shell_store(call->federation->shell), &scope, 0, api_on_asked, &listing) ==
        OK)
        return listing.list;
    json_decref(listing.list);
    return json_null();
}

static json_t *api_case_file(struct api_call *call)
{
    struct casefile *casefile = calloc(1, sizeof *casefile);
    json_t *json = NULL;
    if (casefile != NULL && api_memory(call) != NULL &&
        sheets_casefile(call->federation->shell, &call->case_id, call->memory, casefile) == OK) {
        json = form_show(&casefile_table, casefile);
        struct hash root = casefile_root(casefile);
        json_object_set_new(json, "root", form_show_hex(ID_BYTES(root)));
    }
    free(casefile);
    return json == NULL ? json_null() : json;
}

static void api_get_case(struct api_call *call)
{
    if (!api_find_case(call))
        return;
    const struct consult *consult = api_consult(call);
    const struct inbox_entry *entry = inbox_find(call->federation->inbox, &call->case_id);
    json_t *json = consult != NULL
                       ? api_case_short(call, consult)
                       : json_pack("{s:o,s:s,s:s}", "case", form_show_hex(ID_BYTES(call->case_id)),
                                   "part", "none", "state", api_entry_state(call, entry));
    if (entry != NULL)
        json_object_set_new(json, "announcement", api_entry(call, entry));
    if (consult != NULL) {
        json_object_set_new(json, "participants",
                            api_participants(call->federation->shell, consult));
        json_object_set_new(json, "asked", api_asked(call));
        json_object_set_new(json, "case_file", api_case_file(call));
        json_object_set_new(json, "joins_waiting",
                            json_integer((json_int_t)api_letters(call, KIND_JOIN, NULL)));
        json_t *declines = json_array();
        (void)api_letters(call, KIND_MAIL_DECLINE, declines);
        json_object_set_new(json, "declined_by_mail", declines);
    }
    json_t *join = api_own_join(call);
    if (join != NULL)
        json_object_set_new(json, "own_join", join);
    json_t *end = consult == NULL ? NULL : api_end_of_access(call, consult);
    if (end != NULL)
        json_object_set_new(json, "access_ended", end);
    json_object_set_new(json, "responsibility",
                        json_string("advice; the treating clinician keeps the responsibility"));
    api_answer(call, json);
}

static void api_get_erasure(struct api_call *call)
{
    if (!api_find_case(call))
        return;
    const struct consult *consult = api_consult(call);
    json_t *receipts = json_array(), *silent = json_array();
    for (size_t i = 0; consult != NULL && i < consult->participant_count; i++) {
        const struct consult_participant *participant = &consult->participants[i];
        json_t *json = show_member(call->federation->shell, &participant->node);
        if (participant->erased_at.ms == 0) {
            json_array_append_new(silent, json);
            continue;
        }
        json_object_set_new(json, "erased_at", form_show_time(participant->erased_at));
        json_object_set_new(json, "backups_until", form_show_time(participant->backups_until));
        json_array_append_new(receipts, json);
    }
    bool is_erased = consult != NULL && consult->state == CASE_ERASED;
    api_answer(call, json_pack("{s:b,s:o,s:o}", "erased", (int)is_erased, "receipts", receipts,
                               "silent", silent));
}

const struct api_route api_cases_routes[] = {
    {HTTP_GET, "inbox", 0, api_get_inbox},
    {HTTP_GET, "requests", 0, api_get_requests},
    {HTTP_GET, "cases", 0, api_get_cases},
    {HTTP_GET, "cases/?", 0, api_get_case},
    {HTTP_GET, "cases/?/thread", 0, api_get_thread},
    {HTTP_GET, "cases/?/erasure", 0, api_get_erasure},
    {HTTP_GET, "", 0, NULL},
};
