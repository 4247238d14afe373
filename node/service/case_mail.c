#include "node/service/case_mail.h"

#include <stdio.h>
#include <string.h>

#include "node/service/case_access.h"
#include "node/views/view_json.h"

/* ---- what we wrote ourselves ---- */

/* The last mail about the case that this institution wrote into another's mailbox. */
struct case_mail_written {
    const struct service *service;
    const struct case_id *case_id;
    const struct record_id *refused; /* only mail that refuses this JOIN; NULL: any */
    uint16_t kind;                   /* KIND_JOIN, KIND_MAIL_DECLINE; KIND_NONE: none */
    struct record_id record;
    struct cert_id clinician;
    struct wall time;
};

static bool case_mail_on_written(void *arg, const struct stored_record *stored_record)
{
    struct case_mail_written *written = arg;
    struct mail_join join;
    struct mail_decline decline;
    uint16_t kind = KIND_NONE;
    if (!ID_EQUAL(stored_record->claim.header.stream.writer,
                  runtime_settings(written->service->runtime)->self))
        return true;
    if (written->refused == NULL &&
        stored_record_content(stored_record, KIND_JOIN, &mail_join_table, &join) &&
        ID_EQUAL(join.case_id, *written->case_id))
        kind = KIND_JOIN;
    if (stored_record_content(stored_record, KIND_MAIL_DECLINE, &mail_decline_table, &decline) &&
        ID_EQUAL(decline.case_id, *written->case_id) &&
        (written->refused == NULL || ID_EQUAL(decline.announcement, *written->refused)))
        kind = KIND_MAIL_DECLINE;
    if (kind == KIND_NONE)
        return true;
    written->kind = kind;
    written->record = stored_record->claim.id;
    written->clinician = stored_record->statement.author.cert_id;
    written->time = stored_record->claim.header.time;
    return true;
}

static struct case_mail_written case_mail_written(const struct service *service,
                                                  const struct case_id *case_id,
                                                  const struct node_id *to,
                                                  const struct record_id *refused)
{
    struct scope scope = scope_mail(to);
    struct case_mail_written written = {.service = service, .case_id = case_id, .refused = refused};
    if (stored_record_scope(runtime_store(service->runtime), &scope, 0, case_mail_on_written,
                            &written) != OK)
        written.kind = KIND_NONE;
    return written;
}

/* ---- which requests to join wait ---- */

/* C-49 */
static bool case_mail_is_refused(const struct service *service, const struct inbox_letter *join)
{
    return case_mail_written(service, &join->case_id, &join->writer, &join->record).kind ==
           KIND_MAIL_DECLINE;
}

/* Is the institution a participant, by a grant for this JOIN (number `n`) or a later one? */
static bool case_mail_is_granted(const struct service *service, const struct inbox_letter *join,
                                 size_t n)
{
    const struct consult *consult = runtime_case(service->runtime, &join->case_id);
    const struct consult_participant *participant =
        consult == NULL ? NULL : consult_participant_of(consult, &join->writer);
    const struct inbox_letter *later = join;
    if (participant == NULL || !participant->is_ended)
        return participant != NULL;
    for (; later != NULL; later = inbox_letter(service->inbox, &join->case_id, ++n)) {
        if (ID_EQUAL(later->record, participant->join))
            return true;
    }
    return false;
}

const struct inbox_letter *case_mail_next(const struct service *service,
                                          const struct case_id *case_id, uint16_t kind, size_t *n)
{
    const struct inbox_letter *letter = NULL;
    while ((letter = inbox_letter(service->inbox, case_id, *n)) != NULL) {
        size_t at = (*n)++;
        if (letter->kind != kind)
            continue;
        if (kind != KIND_JOIN ||
            (!case_mail_is_granted(service, letter, at) && !case_mail_is_refused(service, letter)))
            return letter;
    }
    return NULL;
}

/* ---- our own request ---- */

struct case_mail_own case_mail_own(const struct service *service, const struct case_id *case_id)
{
    struct case_mail_own own = {.state = CASE_MAIL_NONE};
    const struct inbox_entry *entry = inbox_find(service->inbox, case_id);
    const struct consult *consult = runtime_case(service->runtime, case_id);
    if (entry == NULL || entry->is_own || case_access_is_open(service, consult))
        return own;
    struct case_mail_written written = case_mail_written(service, case_id, &entry->writer, NULL);
    if (written.kind == KIND_NONE ||
        (consult != NULL && case_access_answers(service, consult, &written.record)))
        return own;
    own.record = written.record;
    own.state = written.kind == KIND_JOIN ? CASE_MAIL_WAITING : CASE_MAIL_DECLINED;
    const struct inbox_letter *letter = NULL;
    for (size_t n = 0;
         own.state == CASE_MAIL_WAITING &&
         (letter = case_mail_next(service, case_id, KIND_MAIL_DECLINE, &n)) != NULL;) {
        /* C-49: a refusal by anyone but the requester counts for nothing */
        if (ID_EQUAL(letter->writer, entry->writer) && ID_EQUAL(letter->about, written.record)) {
            own.state = CASE_MAIL_REFUSED;
            own.refusal = letter->record;
        }
    }
    return own;
}

const struct inbox_letter *case_mail_end_of_access(const struct service *service,
                                                   const struct consult *consult)
{
    return case_access_is_open(service, consult) ? NULL
                                                 : inbox_end_of_access(service->inbox, consult);
}

/* ---- writing mail ---- */

static err case_mail_add(const struct action *action, const struct node_id *to,
                         const struct action_record *record, struct write_request *request)
{
    const struct settings *settings = roster_settings(runtime_roster(action->service->runtime));
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    err failure = content_write(record->table, record->value, &content);
    struct write_request_record mail = {
        .kind = record->kind,
        .scope = scope_mail(to),
        .audience = AUDIENCE_SCOPE,
        .expires = {runtime_wall().ms + settings->announcement_ms_max},
        .content = buffer_bytes(&content),
        .case_id = action->case_id};
    return failure == OK ? write_request_add(request, &mail) : failure;
}

static void case_mail_send(const struct action *action, const struct node_id *to,
                           const struct action_record *record)
{
    struct write_request *request = write_request_new(action->service->runtime);
    err failure = request == NULL ? ERR_NO_MEMORY : case_mail_add(action, to, record, request);
    action_sign(action, request, failure);
}

/* The announcement of another institution, if it is open; NULL: the action was refused. */
static const struct inbox_entry *case_mail_open_entry(const struct action *action)
{
    const struct inbox_entry *entry = inbox_find(action->service->inbox, &action->case_id);
    if (entry == NULL)
        action_refuse_saying(action, ERR_NOT_FOUND, "the announcement of the case is not here",
                             "`consilium inbox --state all` lists the announcements");
    else if (entry->is_own)
        action_refuse_saying(action, ERR_STATE, "it is this institution's own case",
                             "`consilium joins CASE` lists who wants to join it");
    else if (entry->mirrored != MIRROR_NONE)
        action_refuse_saying(action, ERR_STATE, "the case is over",
                             "`consilium inbox` lists the cases that are open");
    else
        return entry;
    return NULL;
}

/* The clinician's name in a request that waits. */
static void case_mail_refuse_waiting(const struct action *action,
                                     const struct case_mail_written *join)
{
    json_t *clinician = view_json_clinician(action->service->runtime, &join->clinician);
    const char *name = json_string_value(json_object_get(clinician, "name"));
    char time[CONTENT_JSON_TIME_SIZE];
    struct refusal refusal;
    content_json_time(join->time, time);
    refusal_set(&refusal, ERR_EXISTS,
                "`consilium show CASE` tells when access is granted or refused",
                "%.120s of this institution asked to join on %.10s; this waits for the requester",
                name == NULL ? "a clinician" : name, time);
    json_decref(clinician);
    action_refuse(action, &refusal);
}

void case_mail_join(const struct action *action, struct bytes note)
{
    const struct service *service = action->service;
    const struct inbox_entry *entry = case_mail_open_entry(action);
    if (entry == NULL)
        return;
    if (case_access_is_open(service, action_consult(action))) {
        action_refuse_saying(action, ERR_EXISTS, "this institution has access already",
                             "read the case: `consilium fetch CASE`, then `consilium read CASE`");
        return;
    }
    if (case_mail_own(service, &action->case_id).state == CASE_MAIL_WAITING) {
        struct case_mail_written join =
            case_mail_written(service, &action->case_id, &entry->writer, NULL);
        case_mail_refuse_waiting(action, &join);
        return;
    }
    struct mail_join join = {
        .case_id = action->case_id, .announcement = entry->record, .note = note};
    struct action_record record = {.kind = KIND_JOIN, .table = &mail_join_table, .value = &join};
    case_mail_send(action, &entry->writer, &record);
}

/* `about`: the announcement, or the JOIN that is refused. */
static void case_mail_send_decline(const struct action *action, const struct node_id *to,
                                   const struct record_id *about,
                                   const struct case_record_decline *decline)
{
    struct mail_decline mail = {.case_id = action->case_id,
                                .announcement = *about,
                                .reason = decline->reason,
                                .text = decline->text};
    struct action_record record = {
        .kind = KIND_MAIL_DECLINE, .table = &mail_decline_table, .value = &mail};
    case_mail_send(action, to, &record);
}

void case_mail_decline(const struct action *action, const struct case_record_decline *decline)
{
    const struct inbox_entry *entry = case_mail_open_entry(action);
    if (entry != NULL)
        case_mail_send_decline(action, &entry->writer, &entry->record, decline);
}

/* The waiting JOIN that is named; NULL: the action was refused. */
static const struct inbox_letter *case_mail_find_join(const struct action *action,
                                                      const char *named)
{
    const struct inbox_letter *letter = NULL, *found = NULL;
    const struct roster *roster = runtime_roster(action->service->runtime);
    size_t n = 0, count = 0, size = strlen(named);
    while ((letter = case_mail_next(action->service, &action->case_id, KIND_JOIN, &n)) != NULL) {
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
    action_refuse_saying(action, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
                         count == 0 ? "no such request to join waits for an answer"
                                    : "several requests to join fit: name one by its record",
                         "`consilium joins CASE` lists them");
    return NULL;
}

void case_mail_refuse_join(const struct action *action, const char *join,
                           const struct case_record_decline *decline)
{
    if (!action_is_requester(action)) {
        action_refuse_saying(action, ERR_NOT_ENTITLED,
                             "this is not a case of this institution: its requester decides who "
                             "joins",
                             "`consilium cases --role requester` lists the cases of this "
                             "institution");
        return;
    }
    const struct inbox_letter *letter = case_mail_find_join(action, join);
    struct case_record_decline said = *decline;
    if (said.reason == CASE_RECORD_DECLINE_NONE)
        said.reason = CASERECORD_DECLINE_OTHER;
    if (letter != NULL)
        case_mail_send_decline(action, &letter->writer, &letter->record, &said);
}

err case_mail_add_end(const struct action *action, const struct case_record_grant_end *end,
                      struct write_request *request)
{
    struct mail_decline mail = {.case_id = action->case_id,
                                .announcement = action_consult(action)->open,
                                .reason = CASERECORD_DECLINE_OTHER,
                                .text = end->note};
    struct action_record record = {
        .kind = KIND_MAIL_DECLINE, .table = &mail_decline_table, .value = &mail};
    return case_mail_add(action, &end->participant, &record, request);
}
