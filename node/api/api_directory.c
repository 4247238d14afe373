#include "node/api/api_directory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "node/api/api_call.h"
#include "node/api/api_status.h"
#include "node/links/links.h"
#include "node/roster_sync/roster_sync.h"
#include "node/service/lookup.h"
#include "node/views/content_json_encode.h"
#include "node/views/view_json.h"
#include "protocol/member/tag.h"
#include "protocol/roster/roster_entitled.h"
#include "store/stream_table.h"

/* Text as it is compared: case, accents' spelling and width folded. NULL: empty. */
static char *api_fold(struct bytes text)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t size =
        utf8proc_map(text.data, (utf8proc_ssize_t)text.size, &folded,
                     UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
    return size < 0 ? NULL : (char *)folded;
}

static bool api_contains(struct bytes text, const char *wanted)
{
    if (wanted == NULL || *wanted == 0)
        return true;
    char *said = api_fold(text), *sought = api_fold(bytes_of_text(wanted));
    bool contains = said != NULL && sought != NULL && strstr(said, sought) != NULL;
    free(said);
    free(sought);
    return contains;
}

static bool api_is_country(const uint8_t *country, const char *wanted)
{
    return wanted == NULL || (strlen(wanted) == 2 && toupper(wanted[0]) == country[0] &&
                              toupper(wanted[1]) == country[1]);
}

/* ---- members ---- */

static json_t *api_member(const struct api_call *call, const struct roster_entry *entry)
{
    const struct api_federation *federation = call->federation;
    const struct roster *roster = runtime_roster(federation->runtime);
    struct member member;
    roster_member(roster, entry, &member);
    json_t *json = view_json_member(federation->runtime, &entry->node_id);
    json_t *boards = json_array();
    for (uint32_t i = 0; i < member.board_count; i++)
        json_array_append_new(boards, content_json_encode_text(member.boards[i].tag));
    json_object_set_new(json, "boards", boards);
    json_object_set_new(json, "since_epoch", json_integer((json_int_t)entry->admitted_epoch));
    bool is_self = ID_EQUAL(entry->node_id, runtime_settings(federation->runtime)->self);
    enum links_way route = api_status_way(federation, &entry->node_id);
    json_object_set_new(json, "connection",
                        json_string(is_self                 ? "this institution"
                                    : route == LINKS_DIRECT ? "direct"
                                    : route == LINKS_BOXED  ? "relayed"
                                                            : "none"));
    struct wall until = roster_entitled_from(roster, entry, -1, runtime_wall());
    if (until.ms != 0)
        json_object_set_new(json, "cooling_off_until", content_json_encode_time(until));
    return json;
}

static bool api_member_fits(const struct api_call *call, const struct roster_entry *entry)
{
    const struct roster *roster = runtime_roster(call->federation->runtime);
    const char *board = http_request_query(call->request, "board");
    struct member member;
    roster_member(roster, entry, &member);
    return api_contains(member.name, http_request_query(call->request, "text")) &&
           api_is_country(member.country, http_request_query(call->request, "country")) &&
           (board == NULL || member_serves_since(&member, bytes_of_text(board)) != 0);
}

static void api_get_members(struct api_call *call)
{
    const struct roster *roster = runtime_roster(call->federation->runtime);
    json_t *list = json_array();
    size_t limit = api_call_limit(call);
    uint64_t index = api_call_after(call);
    for (; index < roster_count(roster) && json_array_size(list) < limit; index++) {
        const struct roster_entry *entry = roster_at(roster, (uint32_t)index);
        if (api_member_fits(call, entry))
            json_array_append_new(list, api_member(call, entry));
    }
    json_t *json = json_pack("{s:o}", "members", list);
    if (index < roster_count(roster))
        api_call_set_next(json, index);
    api_call_answer(call, json);
}

static void api_get_boards(struct api_call *call)
{
    const struct roster *roster = runtime_roster(call->federation->runtime);
    const struct settings *settings = roster_settings(roster);
    const struct roster_entry *self =
        roster_find(roster, &runtime_settings(call->federation->runtime)->self);
    json_t *list = json_array();
    for (uint32_t i = 0; settings != NULL && i < settings->board_count; i++) {
        struct scope scope = roster_board_scope(roster, i);
        bool serves = self != NULL && roster_serves(roster, self, &scope);
        uint32_t others = roster_entitled_count(roster, &scope, runtime_wall());
        json_array_append_new(
            list, json_pack("{s:o,s:o,s:I,s:b}", "specialty",
                            content_json_encode_text(settings->boards[i].tag), "name",
                            content_json_encode_text(settings->boards[i].name), "members",
                            (json_int_t)others + (serves ? 1 : 0), "serves", (int)serves));
    }
    api_call_answer(call, json_pack("{s:o}", "boards", list));
}

/* ---- specialists ---- */

struct api_specialists {
    struct api_call *call;
    json_t *list;
    size_t limit;
    uint64_t next;
    bool is_full;
};

static bool api_specialist_fits(const struct api_call *call, const struct certificate *certificate)
{
    const char *specialty = http_request_query(call->request, "specialty");
    const struct certificate_request *request = &certificate->request;
    bool fits = specialty == NULL;
    for (size_t i = 0; !fits && i < request->specialty_count; i++)
        fits = tag_covers(bytes_of_text(specialty), request->specialties[i]) ||
               tag_covers(request->specialties[i], bytes_of_text(specialty));
    return fits && api_contains(request->name, http_request_query(call->request, "text")) &&
           (request->country.size != 2 ||
            api_is_country(request->country.data, http_request_query(call->request, "country")));
}

static bool api_on_certificate(void *arg, const struct stored_record *stored_record)
{
    struct api_specialists *found = arg;
    struct certificate certificate;
    if (found->is_full)
        return false;
    if (!stored_record->is_readable || stored_record->statement.kind != KIND_CERTIFICATE ||
        certificate_read(stored_record->statement.content, &certificate) != OK ||
        !api_specialist_fits(found->call, &certificate))
        return true;
    const struct clinician *known =
        engine_clinician(runtime_engine(found->call->federation->runtime), &certificate.cert_id);
    if (known == NULL || known->is_revoked || known->valid_until.ms <= runtime_wall().ms)
        return true;
    if (json_array_size(found->list) == found->limit) {
        found->is_full = true;
        return false;
    }
    json_array_append_new(found->list,
                          view_json_certificate(found->call->federation->runtime, &certificate));
    found->next = stored_record->number;
    return true;
}

static void api_get_specialists(struct api_call *call)
{
    struct api_specialists found = {
        .call = call, .list = json_array(), .limit = api_call_limit(call)};
    struct scope scope = scope_federation();
    err failure = stored_record_scope(runtime_store(call->federation->runtime), &scope,
                                      api_call_after(call), api_on_certificate, &found);
    json_t *json = json_pack("{s:o}", "specialists", found.list);
    if (failure != OK) {
        json_decref(json);
        api_call_refuse_err(call, failure);
        return;
    }
    if (found.is_full)
        api_call_set_next(json, found.next);
    api_call_answer(call, json);
}

/* ---- where the streams of a member stand here: for the society, when the member leaves ---- */

/* Streams of cases and mail are left out: they would tell who takes part in what. */
struct api_report {
    struct node_id node;
    json_t *list;
};

static bool api_report_stream(void *arg, const struct store_stream_row *row)
{
    struct api_report *report = arg;
    struct reader state = reader_of((struct bytes){row->state, row->state_size});
    uint64_t tail = reader_u64(&state);
    uint8_t memory[STREAM_ID_SIZE];
    struct buffer id = buffer_over(memory, sizeof memory);
    struct record_id record;
    bool is_public =
        row->stream.scope.kind == SCOPE_FEDERATION || row->stream.scope.kind == SCOPE_BOARD;
    reader_copy(&state, record.bytes, sizeof record.bytes);
    if (!is_public || !ID_EQUAL(row->stream.writer, report->node) || state.failed)
        return true;
    stream_id_write(&id, &row->stream);
    json_array_append_new(report->list, json_pack("{s:o,s:I,s:o}", "stream",
                                                  content_json_encode_hex(buffer_bytes(&id)),
                                                  "sequence", (json_int_t)tail, "record",
                                                  content_json_encode_hex(ID_BYTES(record))));
    return true;
}

static void api_get_streams(struct api_call *call)
{
    struct api_report report = {.list = NULL};
    struct refusal refusal;
    if (lookup_member(call->federation->service, api_call_part(call, 1), &report.node, &refusal) !=
        OK) {
        api_call_refuse(call, &refusal);
        return;
    }
    report.list = json_array();
    err failure =
        stream_table_scan(runtime_store(call->federation->runtime), api_report_stream, &report);
    json_t *json = json_pack("{s:o,s:o}", "node", content_json_encode_hex(ID_BYTES(report.node)),
                             "streams", report.list);
    if (failure == OK) {
        api_call_answer(call, json);
        return;
    }
    json_decref(json);
    api_call_refuse_err(call, failure);
}

/* ---- a split of the roster ---- */

static void api_post_heal(struct api_call *call)
{
    const char *typed = json_string_value(json_object_get(call->form, "fingerprint"));
    if (!api_call_is_administrator(call)) {
        api_call_refuse_saying(
            call, ERR_NOT_ENTITLED, "only an administrator confirms a healing head",
            "administrators are root, the daemon's user, and the group `administrators` of the "
            "configuration: sudo consilium roster heal ...");
        return;
    }
    if (typed == NULL) {
        api_call_refuse_saying(call, ERR_INVALID, "the fingerprint is missing",
                               "have two officers of the society read it out on the phone");
        return;
    }
    err failure =
        roster_sync_heal(runtime_roster_sync(call->federation->runtime), typed); /* ROSTER-34 */
    if (failure == OK)
        api_call_answer(call, json_pack("{s:b}", "followed", 1));
    else if (failure == ERR_NOT_FOUND)
        api_call_refuse_saying(
            call, failure, "no healing head is pending here",
            "the society publishes it; `consilium status` shows it once it has arrived");
    else if (failure == ERR_BAD_HASH)
        api_call_refuse_saying(call, failure,
                               "that is not the fingerprint of the pending healing head",
                               "do not follow it; tell the officers of the society");
    else
        api_call_refuse_err(call, failure);
}

const struct api_route api_directory_routes[] = {
    {HTTP_GET, "members", 0, api_get_members},
    {HTTP_GET, "specialists", 0, api_get_specialists},
    {HTTP_GET, "boards", 0, api_get_boards},
    {HTTP_GET, "members/?/streams", 0, api_get_streams},
    {HTTP_POST, "roster/heal", 0, api_post_heal},
    {HTTP_GET, "", 0, NULL},
};
