#include "node/service/requester.h"

#include <string.h>

#include "node/service/case_mail.h"
#include "protocol/roster/roster_entitled.h"

static void requester_write(const struct action *action, uint16_t kind,
                            const struct content_table *table, const void *value)
{
    struct action_record record = {
        .kind = kind, .audience = AUDIENCE_SCOPE, .table = table, .value = value};
    action_write(action, &record);
}

/* ---- access ---- */

static bool requester_has_access(const struct action *action, const struct node_id *node)
{
    const struct consult *consult = action_consult(action);
    const struct consult_participant *participant =
        consult == NULL ? NULL : consult_participant_of(consult, node);
    return participant != NULL && !participant->is_ended && consult->state != CASE_ERASED;
}

/* May the roster in force, as this node knows it, let the member have anything? */
static err requester_check_member(const struct action *action, const struct node_id *node)
{
    const struct roster *roster = runtime_roster(action->service->runtime);
    err failure = roster_entitled_member(roster, node, runtime_wall());
    if (failure != OK && failure != ERR_COOLING_OFF) {
        action_refuse_saying(action, failure, "the institution is not an admitted member now",
                             "`consilium members` shows the members");
        return failure;
    }
    if (!roster_expired(roster, runtime_wall()))
        return OK;
    action_refuse_err(action, ERR_EXPIRED);
    return ERR_EXPIRED;
}

void requester_grant(const struct action *action, const struct node_id *participant,
                     const char *join)
{
    struct case_record_grant grant = {.participant = *participant};
    const struct inbox *inbox = action->service->inbox;
    const struct inbox_letter *letter = NULL;
    if (requester_has_access(action, participant)) {
        struct action_result result = {.case_id = action->case_id, .is_done_already = true};
        action->on_done(action->arg, &result);
        return;
    }
    for (size_t i = 0; (letter = inbox_letter(inbox, &action->case_id, i)) != NULL; i++) {
        char record[2 * HASH_SIZE + 1];
        ids_to_hex(ID_BYTES(letter->record), record);
        if (letter->kind != KIND_JOIN || !ID_EQUAL(letter->writer, *participant) ||
            (join != NULL && strncasecmp(join, record, strlen(join)) != 0))
            continue;
        grant.join = letter->record;
        grant.clinician = letter->clinician;
    }
    if (action_may_write(action, KIND_GRANT) && requester_check_member(action, participant) == OK)
        requester_write(action, KIND_GRANT, &case_record_grant_table, &grant);
}

void requester_end_access(const struct action *action, const struct case_record_grant_end *end)
{
    struct action_record record = {.kind = KIND_GRANT_END,
                                   .audience = AUDIENCE_SCOPE,
                                   .table = &case_record_grant_end_table,
                                   .value = end};
    if (!action_may_write(action, KIND_GRANT_END))
        return;
    struct write_request *request = write_request_new(action->service->runtime);
    err failure = request == NULL ? ERR_NO_MEMORY : action_add(action, &record, request);
    if (failure == OK)
        failure = case_mail_add_end(action, end, request);
    action_sign(action, request, failure);
}

/* ---- opinions ---- */

static void requester_add_unrevealed(const struct consult *consult, uint16_t kind,
                                     struct case_record_reveal *reveal)
{
    for (size_t i = 0; i < consult->taken_count && reveal->record_count < NAMED_COUNT_MAX; i++) {
        if (consult->taken[i].kind == kind && !consult->taken[i].is_revealed)
            reveal->records[reveal->record_count++] = consult->taken[i].record_id;
    }
}

void requester_reveal(const struct action *action, const struct case_record_reveal *reveal)
{
    static const uint16_t besides[] = {KIND_ASK, KIND_POST, KIND_DECLINE};
    struct case_record_reveal revealed = *reveal;
    if (!action_may_write(action, KIND_REVEAL))
        return;
    const struct consult *consult = action_consult(action);
    if (revealed.record_count == 0) {
        requester_add_unrevealed(consult, KIND_OPINION, &revealed);
        if (revealed.record_count == 0) {
            action_refuse_saying(action, ERR_STATE, "no opinion has arrived that could be revealed",
                                 "`consilium show CASE` shows who was given access");
            return;
        }
        for (size_t i = 0; i < sizeof besides / sizeof besides[0]; i++)
            requester_add_unrevealed(consult, besides[i], &revealed);
    }
    requester_write(action, KIND_REVEAL, &case_record_reveal_table, &revealed);
}

void requester_synthesise(const struct action *action,
                          const struct case_record_synthesis *synthesis)
{
    const struct consult *consult = action_consult(action);
    bool is_early = consult != NULL && consult->state == CASE_ANNOUNCED;
    if (is_early && consult_view(consult, runtime_wall()).opinion_count == 0)
        action_refuse_saying(action, ERR_STATE,
                             "no opinion has arrived: there is nothing to sum up",
                             "wait for one, or end the case: `consilium close CASE`");
    else if (is_early && consult->mode == ANNOUNCEMENT_INDEPENDENT_FIRST)
        action_refuse_saying(action, ERR_STATE, consult_verdict_sentence(CONSULT_NOT_REVEALED),
                             "reveal the opinions first: `consilium reveal CASE`");
    else
        requester_write(action, KIND_SYNTHESIS, &case_record_synthesis_table, synthesis);
}

/* ---- the end of the case ---- */

void requester_close(const struct action *action, const struct case_record_close *end,
                     bool is_without_synthesis)
{
    const struct consult *consult = action_consult(action);
    /* a successor of the requester cannot write a synthesis, and may close */
    bool is_open = action_is_requester(action) &&
                   (consult->state == CASE_ANNOUNCED || consult->state == CASE_REVEALED);
    if (is_open && !is_without_synthesis && consult_view(consult, runtime_wall()).opinion_count > 0)
        action_refuse_saying(action, ERR_STATE, "opinions were given and no synthesis was written",
                             "write one: `consilium synthesis CASE`; or close the case without: "
                             "`--without-synthesis`");
    else
        requester_write(action, KIND_CLOSE, &case_record_close_table, end);
}

void requester_extend(const struct action *action, const struct case_record_extend *extend)
{
    if (!action_may_write(action, KIND_EXTEND))
        return;
    if (extend->deadline.ms > action_consult(action)->deadline.ms &&
        extend->deadline.ms > runtime_wall().ms)
        requester_write(action, KIND_EXTEND, &case_record_extend_table, extend);
    else
        action_refuse_saying(action, ERR_INVALID,
                             "deadline: must be later than now and than the deadline in force",
                             "`consilium show CASE` shows the deadline in force");
}

void requester_report_outcome(const struct action *action,
                              const struct case_record_outcome *outcome)
{
    requester_write(action, KIND_OUTCOME, &case_record_outcome_table, outcome);
}

void requester_withdraw(const struct action *action, const struct case_record_withdraw *withdraw)
{
    requester_write(action, KIND_WITHDRAW, &case_record_withdraw_table, withdraw);
}

void requester_erase(const struct action *action)
{
    if (!action_may_write(action, KIND_ERASE))
        return;
    const struct consult *consult = action_consult(action);
    struct case_record_erase erase = {.opening = consult->opening, .requester = consult->requester};
    struct action_record record = {.kind = KIND_ERASE,
                                   .audience = AUDIENCE_CLEAR,
                                   .table = &case_record_erase_table,
                                   .value = &erase};
    action_write(action, &record);
}
