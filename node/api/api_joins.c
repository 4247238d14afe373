/* Letters between the requester and those who are no participants (yet): asking to join, declining
 * by mail, refusing who asked. What a person is told of them comes from the letters themselves:
 * ours lie in the other's mail, theirs in ours. */
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/views/view_json.h"
#include "protocol/contents/mail.h"

/* ---- what we wrote ourselves ---- */

/* The last that this institution wrote about the case into the other's mail. */
struct api_written_mail {
    const struct api_call *call;
    uint16_t kind; /* KIND_JOIN, KIND_MAIL_DECLINE; KIND_NONE: nothing that is in force */
    struct record_id record;
    const struct record_id *refused; /* a JOIN whose refusal is looked for; NULL: any letter */
    json_t *shown;                   /* the record; the reader drops it */
};

static bool api_on_written(void *arg, const struct stored_record *stored_record)
{
    struct api_written_mail *written = arg;
    struct runtime *runtime = written->call->federation->runtime;
    struct mail_join join;
    struct mail_decline decline;
    uint16_t kind = KIND_NONE;
    if (!ID_EQUAL(stored_record->claim.header.stream.writer, runtime_settings(runtime)->self))
        return true;
    if (written->refused == NULL &&
        stored_record_content(stored_record, KIND_JOIN, &mail_join_table, &join) &&
        ID_EQUAL(join.case_id, written->call->case_id))
        kind = KIND_JOIN;
    if (stored_record_content(stored_record, KIND_MAIL_DECLINE, &mail_decline_table, &decline) &&
        ID_EQUAL(decline.case_id, written->call->case_id) &&
        (written->refused == NULL || ID_EQUAL(decline.announcement, *written->refused)))
        kind = KIND_MAIL_DECLINE;
    if (kind == KIND_NONE)
        return true;
    written->kind = kind;
    written->record = stored_record->claim.id;
    json_decref(written->shown);
    written->shown = view_json_record(runtime, stored_record);
    return true;
}

static void api_read_written(const struct api_call *call, const struct node_id *to,
                             struct api_written_mail *written)
{
    struct scope scope = scope_mail(to);
    written->call = call;
    if (stored_record_scope(runtime_store(call->federation->runtime), &scope, 0, api_on_written,
                            written) != OK)
        written->kind = KIND_NONE;
}

/* ---- which joins wait ---- */

/* C-49: did we refuse this JOIN? */
static bool api_is_refused(const struct api_call *call, const struct inbox_letter *letter)
{
    struct api_written_mail written = {.refused = &letter->record};
    api_read_written(call, &letter->writer, &written);
    json_decref(written.shown);
    return written.kind == KIND_MAIL_DECLINE;
}

/* Does a join of the same institution that came later, or this one, stand in its grant? */
static bool api_is_granted(const struct api_call *call, const struct inbox_letter *letter, size_t n)
{
    const struct consult *consult = api_consult(call);
    const struct consult_participant *participant =
        consult == NULL ? NULL : consult_participant_of(consult, &letter->writer);
    const struct inbox_letter *later = letter;
    if (participant == NULL || !participant->is_ended)
        return participant != NULL;
    for (; later != NULL; later = inbox_letter(call->federation->inbox, &call->case_id, ++n)) {
        if (ID_EQUAL(later->record, participant->join))
            return true;
    }
    return false;
}

/* The next letter of this kind about the case, from `*n` on; of the JOINs only those that wait.
 * NULL past the last. */
static const struct inbox_letter *api_next_letter(const struct api_call *call, uint16_t kind,
                                                  size_t *n)
{
    const struct inbox_letter *letter = NULL;
    while ((letter = inbox_letter(call->federation->inbox, &call->case_id, *n)) != NULL) {
        size_t at = (*n)++;
        if (letter->kind != kind)
            continue;
        if (kind != KIND_JOIN ||
            (!api_is_granted(call, letter, at) && !api_is_refused(call, letter)))
            return letter;
    }
    return NULL;
}

static json_t *api_show_letter(const struct api_call *call, const struct inbox_letter *letter)
{
    struct runtime *runtime = call->federation->runtime;
    struct stored_record stored_record;
    struct stored_record_memory *memory = stored_record_memory_new();
    json_t *json = NULL;
    if (memory != NULL &&
        stored_record_find(runtime_store(runtime), &letter->record, memory, &stored_record) == OK)
        json = view_json_record(runtime, &stored_record);
    stored_record_memory_free(memory);
    return json;
}

size_t api_letters(const struct api_call *call, uint16_t kind, json_t *list)
{
    const struct consult *consult = api_consult(call);
    const struct inbox_letter *letter = NULL;
    size_t n = 0, count = 0;
    if (consult == NULL ||
        !ID_EQUAL(consult->requester, runtime_settings(call->federation->runtime)->self))
        return 0;
    while ((letter = api_next_letter(call, kind, &n)) != NULL) {
        json_t *shown = list == NULL ? NULL : api_show_letter(call, letter);
        if (shown != NULL)
            json_array_append_new(list, shown);
        count++;
    }
    return count;
}

static void api_get_joins(struct api_call *call)
{
    if (!api_find_case(call))
        return;
    json_t *list = json_array();
    (void)api_letters(call, KIND_JOIN, list);
    api_answer(call, json_pack("{s:o}", "joins", list));
}

/* ---- what became of our own asking ---- */

/* The requester's refusal of our JOIN; NULL. */
static json_t *api_refusal(const struct api_call *call, const struct inbox_entry *entry,
                           const struct record_id *join)
{
    const struct inbox_letter *letter = NULL;
    for (size_t n = 0; (letter = api_next_letter(call, KIND_MAIL_DECLINE, &n)) != NULL;) {
        if (ID_EQUAL(letter->writer, entry->writer) && ID_EQUAL(letter->about, *join))
            return api_show_letter(call, letter); /* C-49: of nobody else */
    }
    return NULL;
}

json_t *api_end_of_access(const struct api_call *call, const struct consult *consult)
{
    const struct inbox_letter *letter = inbox_end_of_access(call->federation->inbox, consult);
    return letter == NULL || api_takes_part(call) ? NULL : api_show_letter(call, letter);
}

json_t *api_own_join(const struct api_call *call)
{
    const struct inbox_entry *entry = inbox_find(call->federation->inbox, &call->case_id);
    struct api_written_mail written = {.kind = KIND_NONE};
    if (entry == NULL || entry->is_own || api_takes_part(call))
        return NULL;
    api_read_written(call, &entry->writer, &written);
    const struct consult *consult = api_consult(call);
    bool is_answered =
        consult != NULL && api_granted(call->federation, consult, &written.record).is_answer;
    if (written.kind == KIND_NONE || is_answered) {
        json_decref(written.shown);
        return NULL;
    }
    json_t *refusal = written.kind == KIND_JOIN ? api_refusal(call, entry, &written.record) : NULL;
    const char *state = written.kind == KIND_MAIL_DECLINE ? "declined"
                        : refusal != NULL                 ? "refused"
                                                          : "waiting";
    json_t *json = json_pack("{s:s,s:o}", "state", state, "letter", written.shown);
    if (refusal != NULL)
        json_object_set_new(json, "refusal", refusal);
    return json;
}

/* ---- writing letters ---- */

static err api_add_mail(struct api_call *call, const struct node_id *to, uint16_t kind,
                        struct bytes content, struct service_order *order)
{
    const struct settings *settings = roster_settings(runtime_roster(call->federation->runtime));
    struct service_letter letter = {.kind = kind,
                                    .scope = scope_mail(to),
                                    .audience = AUDIENCE_SCOPE,
                                    .expires = {runtime_wall().ms + settings->announcement_ms_max},
                                    .content = content,
                                    .case_id = call->case_id};
    return order == NULL ? ERR_NO_MEMORY : service_add(order, &letter);
}

static void api_mail(struct api_call *call, const struct node_id *to, uint16_t kind,
                     const struct buffer *content, err failure)
{
    struct service_order *order = service_order_new(call->federation->runtime);
    if (failure == OK)
        failure = api_add_mail(call, to, kind, buffer_bytes(content), order);
    if (failure == OK) {
        api_sign(call, order);
        return;
    }
    service_order_free(order);
    api_refuse_err(call, failure);
}

/* The announcement of another institution that is still open; NULL, and refused. */
static const struct inbox_entry *api_open_entry(struct api_call *call)
{
    const struct inbox_entry *entry = inbox_find(call->federation->inbox, &call->case_id);
    if (entry == NULL)
        api_refuse(call, ERR_NOT_FOUND, "its announcement is not here", NULL);
    else if (entry->is_own)
        api_refuse(call, ERR_STATE, "it is this institution's own case", NULL);
    else if (entry->mirrored != MIRROR_NONE)
        api_refuse(call, ERR_STATE, "the case is over", NULL);
    else
        return entry;
    return NULL;
}

/* ---- joining ---- */

/* May this institution ask (again)? Refuses and answers false. */
static bool api_may_join(struct api_call *call)
{
    char message[300];
    if (api_takes_part(call)) {
        api_refuse(call, ERR_EXISTS, "this institution has access already", NULL);
        return false;
    }
    json_t *join = api_own_join(call);
    const json_t *letter = json_object_get(join, "letter");
    const char *state = json_string_value(json_object_get(join, "state"));
    const char *name =
        json_string_value(json_object_get(json_object_get(letter, "clinician"), "name"));
    const char *time = json_string_value(json_object_get(letter, "time"));
    bool is_waiting = state != NULL && strcmp(state, "waiting") == 0;
    if (is_waiting) {
        snprintf(message, sizeof message,
                 "%.120s of this institution asked to join on %.10s; it waits for the requester",
                 name == NULL ? "somebody" : name, time == NULL ? "" : time);
        api_refuse(call, ERR_EXISTS, message,
                   "`consilium show CASE` tells when access is granted, or refused");
    }
    json_decref(join);
    return !is_waiting;
}

static void api_post_join(struct api_call *call)
{
    static const char *const names[] = {"clinician", "passphrase", "note", NULL};
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct refusal problem;
    const char *note = NULL;
    const struct inbox_entry *entry = api_find_case(call) ? api_open_entry(call) : NULL;
    if (entry == NULL || !api_may_join(call))
        return;
    if (content_json_check_names(call->form, names, &problem) != OK ||
        content_json_text(call->form, "note", NOTE_SIZE_MAX, &note, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    struct mail_join join = {.case_id = call->case_id,
                             .announcement = entry->record,
                             .note = bytes_of_text(note == NULL ? "" : note)};
    err failure = mail_join_write(&join, &content);
    api_mail(call, &entry->writer, KIND_JOIN, &content, failure);
}

/* ---- declining, and refusing ---- */

/* C-49 */
err api_add_end(struct api_call *call, const struct case_record_grant_end *end,
                struct service_order *order)
{
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct mail_decline decline = {.case_id = call->case_id,
                                   .announcement = api_consult(call)->open,
                                   .reason = CASERECORD_DECLINE_OTHER,
                                   .text = end->note};
    err failure = mail_decline_write(&decline, &content);
    return failure == OK ? api_add_mail(call, &end->participant, KIND_MAIL_DECLINE,
                                        buffer_bytes(&content), order)
                         : failure;
}

/* `about`: the announcement, or the JOIN that is refused. */
static void api_mail_declined(struct api_call *call, const struct node_id *to,
                              const struct record_id *about, struct mail_decline *decline)
{
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    decline->case_id = call->case_id;
    decline->announcement = *about;
    err failure = mail_decline_write(decline, &content);
    api_mail(call, to, KIND_MAIL_DECLINE, &content, failure);
}

void api_mail_decline(struct api_call *call)
{
    static const char *const ignored[] = {"clinician", "passphrase", NULL};
    struct refusal problem;
    struct mail_decline decline;
    struct content_json_take how = {.table = &mail_decline_table, .ignored = ignored};
    const struct inbox_entry *entry = api_open_entry(call);
    if (entry == NULL)
        return;
    if (content_json_take(&how, call->form, &decline, &problem) != OK)
        api_refuse_problem(call, &problem);
    else if (decline.reason == CASE_RECORD_DECLINE_NONE)
        api_refuse(call, ERR_INVALID, "reason: missing", NULL);
    else
        api_mail_declined(call, &entry->writer, &entry->record, &decline);
}

/* The waiting join that the path names, by its record or by who asks; NULL, and refused. */
static const struct inbox_letter *api_find_join(struct api_call *call)
{
    const char *named = api_part(call, 3);
    const struct inbox_letter *letter = NULL, *found = NULL;
    const struct roster *roster = runtime_roster(call->federation->runtime);
    size_t n = 0, count = 0, size = strlen(named);
    while ((letter = api_next_letter(call, KIND_JOIN, &n)) != NULL) {
        char record[2 * HASH_SIZE + 1], node[2 * NODE_ID_SIZE + 1];
        const struct roster_entry *writer = roster_find(roster, &letter->writer);
        ids_to_hex(ID_BYTES(letter->record), record);
        ids_to_hex(ID_BYTES(letter->writer), node);
        bool is_prefix = size >= 4 && (strncasecmp(named, record, size) == 0 ||
                                       strncasecmp(named, node, size) == 0);
        bool is_name =
            writer != NULL && bytes_equal(roster_name(roster, writer), bytes_of_text(named));
        if (is_prefix || is_name) {
            found = letter;
            count++;
        }
    }
    if (count == 1)
        return found;
    api_refuse(call, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
               count == 0 ? "no such join waits" : "several joins fit: name one by its record",
               "`consilium joins CASE` lists them");
    return NULL;
}

/* C-49 */
static void api_post_refuse(struct api_call *call)
{
    static const char *const ignored[] = {"clinician", "passphrase", NULL};
    struct refusal problem;
    struct mail_decline decline;
    struct content_json_take how = {.table = &mail_decline_table, .ignored = ignored};
    if (!api_find_case(call))
        return;
    const struct consult *consult = api_consult(call);
    if (consult == NULL ||
        !ID_EQUAL(consult->requester, runtime_settings(call->federation->runtime)->self)) {
        api_refuse(call, ERR_NOT_ENTITLED, "who asks decides who joins: this is no case of ours",
                   NULL);
        return;
    }
    const struct inbox_letter *letter = api_find_join(call);
    if (letter == NULL)
        return;
    json_t *note = json_object_get(call->form, "note");
    if (note != NULL)
        json_object_set(call->form, "text", note);
    json_object_del(call->form, "note");
    if (content_json_take(&how, call->form, &decline, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    if (decline.reason == CASE_RECORD_DECLINE_NONE)
        decline.reason = CASERECORD_DECLINE_OTHER;
    api_mail_declined(call, &letter->writer, &letter->record, &decline);
}

const struct api_route api_joins_routes[] = {
    {HTTP_GET, "cases/?/joins", 0, api_get_joins},
    {HTTP_POST, "cases/?/join", API_SIGNED, api_post_join},
    {HTTP_POST, "cases/?/joins/?/refuse", API_SIGNED, api_post_refuse},
    {HTTP_GET, "", 0, NULL},
};
