/* What the requester does in a case of its own. */
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/audit/audit.h"
#include "node/views/view_json.h"
#include "protocol/roster/roster_entitled.h"

static void api_requester_write(struct api_call *call, uint16_t kind,
                                const struct content_table *table,
                                bool (*fix)(struct api_call *call, void *value))
{
    struct api_writing writing = {
        .kind = kind, .audience = AUDIENCE_SCOPE, .table = table, .fix = fix};
    if (api_find_case(call))
        api_write(call, &writing);
}

/* ---- access ---- */

/* The member is named by id, by its prefix, or in words. */
static bool api_resolve_participant(struct api_call *call)
{
    struct node_id node;
    const char *name = json_string_value(json_object_get(call->form, "participant"));
    if (!api_find_member(call, name, &node))
        return false;
    json_object_set_new(call->form, "participant", content_json_show_hex(ID_BYTES(node)));
    return true;
}

/* A waiting join is named by any prefix; without one, that of the member, when there is one. */
static bool api_resolve_join(struct api_call *call)
{
    const char *prefix = json_string_value(json_object_get(call->form, "join"));
    const char *participant = json_string_value(json_object_get(call->form, "participant"));
    const struct inbox_letter *letter = NULL;
    json_object_del(call->form, "join");
    for (size_t i = 0; (letter = inbox_letter(call->federation->inbox, &call->case_id, i)) != NULL;
         i++) {
        char record[2 * HASH_SIZE + 1], writer[2 * NODE_ID_SIZE + 1];
        ids_to_hex(ID_BYTES(letter->record), record);
        ids_to_hex(ID_BYTES(letter->writer), writer);
        if (letter->kind != KIND_JOIN || strcmp(writer, participant) != 0 ||
            (prefix != NULL && strncasecmp(prefix, record, strlen(prefix)) != 0))
            continue;
        json_object_set_new(call->form, "join", json_string(record));
        char clinician[2 * HASH_SIZE + 1];
        ids_to_hex(ID_BYTES(letter->clinician), clinician);
        json_object_set_new(call->form, "clinician_joined", json_string(clinician));
    }
    return true;
}

static bool api_fix_grant(struct api_call *call, void *value)
{
    struct case_record_grant *grant = value;
    const char *joined = json_string_value(json_object_get(call->form, "clinician_joined"));
    memset(&grant->clinician, 0, sizeof grant->clinician); /* the field names the signer here */
    if (joined != NULL && ids_from_hex(joined, grant->clinician.bytes, HASH_SIZE) != OK)
        memset(&grant->clinician, 0, sizeof grant->clinician);
    const struct api_federation *federation = call->federation;
    err failure = roster_entitled_member(runtime_roster(federation->runtime), &grant->participant,
                                         runtime_wall());
    if (failure != OK && failure != ERR_COOLING_OFF) {
        api_refuse(call, failure, "the institution is not admitted now", NULL);
        return false;
    }
    if (roster_expired(runtime_roster(federation->runtime), runtime_wall())) {
        api_refuse_err(call, ERR_EXPIRED);
        return false;
    }
    return true;
}

/* Who has access is given it no second time: answers so. */
static bool api_has_access(struct api_call *call)
{
    struct node_id node;
    const struct consult *consult = api_consult(call);
    const char *named = json_string_value(json_object_get(call->form, "participant"));
    if (consult == NULL || named == NULL || ids_from_hex(named, node.bytes, NODE_ID_SIZE) != OK)
        return false;
    const struct consult_participant *participant = consult_participant_of(consult, &node);
    if (participant == NULL || participant->is_ended || consult->state == CASE_ERASED)
        return false;
    api_answer(call, json_pack("{s:o,s:o,s:b}", "case",
                               content_json_show_hex(ID_BYTES(call->case_id)), "institution",
                               view_json_member(call->federation->runtime, &node), "already", 1));
    return true;
}

static void api_post_grant(struct api_call *call)
{
    struct api_writing writing = {.kind = KIND_GRANT,
                                  .audience = AUDIENCE_SCOPE,
                                  .table = &case_record_grant_table,
                                  .fix = api_fix_grant,
                                  .aside = "clinician_joined"};
    if (api_find_case(call) && api_resolve_participant(call) && !api_has_access(call) &&
        api_resolve_join(call))
        api_write(call, &writing);
}

static err api_add_end_of(struct api_call *call, const void *value, struct service_order *order)
{
    return api_add_end(call, value, order);
}

static void api_post_grant_end(struct api_call *call)
{
    struct api_writing writing = {.kind = KIND_GRANT_END,
                                  .audience = AUDIENCE_SCOPE,
                                  .table = &case_record_grant_end_table,
                                  .add = api_add_end_of};
    if (api_find_case(call) && api_resolve_participant(call))
        api_write(call, &writing);
}

/* ---- what came in, and what follows from it ---- */

static void api_add_unrevealed(const struct consult *consult, uint16_t kind,
                               struct case_record_reveal *reveal)
{
    for (size_t i = 0; i < consult->taken_count && reveal->record_count < NAMED_COUNT_MAX; i++) {
        if (consult->taken[i].kind == kind && !consult->taken[i].is_revealed)
            reveal->records[reveal->record_count++] = consult->taken[i].record_id;
    }
}

/* Without a list: all opinions that are taken in and not revealed; with them what was asked and
 * said meanwhile to the requester alone, which nobody else could read ever after. */
static bool api_fix_reveal(struct api_call *call, void *value)
{
    struct case_record_reveal *reveal = value;
    const struct consult *consult = api_consult(call);
    if (reveal->record_count > 0)
        return true;
    api_add_unrevealed(consult, KIND_OPINION, reveal);
    if (reveal->record_count == 0) {
        api_refuse(call, ERR_STATE, "there is no opinion to reveal (yet)", NULL);
        return false;
    }
    api_add_unrevealed(consult, KIND_ASK, reveal);
    api_add_unrevealed(consult, KIND_POST, reveal);
    api_add_unrevealed(consult, KIND_DECLINE, reveal);
    return true;
}

static void api_post_reveal(struct api_call *call)
{
    if (api_find_case(call) && api_resolve_records(call, "records")) {
        struct api_writing writing = {.kind = KIND_REVEAL,
                                      .audience = AUDIENCE_SCOPE,
                                      .table = &case_record_reveal_table,
                                      .fix = api_fix_reveal};
        api_write(call, &writing);
    }
}

static void api_post_synthesis(struct api_call *call)
{
    struct api_writing writing = {
        .kind = KIND_SYNTHESIS, .audience = AUDIENCE_SCOPE, .table = &case_record_synthesis_table};
    if (!api_find_case(call) || !api_resolve_records(call, "records"))
        return;
    const struct consult *consult = api_consult(call);
    bool is_early = consult != NULL && consult->state == CASE_ANNOUNCED;
    if (is_early && consult_view(consult, runtime_wall()).opinion_count == 0)
        api_refuse(call, ERR_STATE, "no opinion is here (yet): there is nothing to sum up",
                   "wait for one, or end the case: `consilium close CASE`");
    else if (is_early && consult->mode == ANNOUNCEMENT_INDEPENDENT_FIRST)
        api_refuse(call, ERR_STATE, consult_verdict_sentence(CONSULT_NOT_REVEALED),
                   "reveal the opinions first");
    else
        api_write(call, &writing);
}

/* Those who answered learn from the synthesis what was made of it; a case that ends without one
 * does so because somebody said so. A successor cannot write one. */
static bool api_may_close(struct api_call *call)
{
    const json_t *without = json_object_get(call->form, "without_synthesis");
    const struct consult *consult = api_consult(call);
    if (without != NULL && !json_is_boolean(without)) {
        api_refuse(call, ERR_INVALID, "without_synthesis: true or false is wanted", NULL);
        return false;
    }
    bool is_open = consult != NULL &&
                   (consult->state == CASE_ANNOUNCED || consult->state == CASE_REVEALED) &&
                   ID_EQUAL(consult->requester, runtime_settings(call->federation->runtime)->self);
    if (!is_open || json_is_true(without) ||
        consult_view(consult, runtime_wall()).opinion_count == 0)
        return true;
    api_refuse(call, ERR_STATE, "opinions were given and no synthesis is written",
               "write one: `consilium synthesis CASE`; or close it all the same: "
               "`--without-synthesis`");
    return false;
}

static void api_post_close(struct api_call *call)
{
    struct api_writing writing = {.kind = KIND_CLOSE,
                                  .audience = AUDIENCE_SCOPE,
                                  .table = &case_record_close_table,
                                  .aside = "without_synthesis"};
    if (api_find_case(call) && api_may_close(call))
        api_write(call, &writing);
}

static bool api_fix_extend(struct api_call *call, void *value)
{
    const struct case_record_extend *extend = value;
    const struct consult *consult = api_consult(call);
    if (extend->deadline.ms > consult->deadline.ms && extend->deadline.ms > runtime_wall().ms)
        return true;
    api_refuse(call, ERR_INVALID, "deadline: a later one than that in force is wanted", NULL);
    return false;
}

static void api_post_extend(struct api_call *call)
{
    api_requester_write(call, KIND_EXTEND, &case_record_extend_table, api_fix_extend);
}

static void api_post_outcome(struct api_call *call)
{
    struct api_writing writing = {
        .kind = KIND_OUTCOME, .audience = AUDIENCE_SCOPE, .table = &case_record_outcome_table};
    if (api_find_case(call) && api_resolve_records(call, "opinions"))
        api_write(call, &writing);
}

static void api_post_withdraw(struct api_call *call)
{
    api_requester_write(call, KIND_WITHDRAW, &case_record_withdraw_table, NULL);
}

static bool api_fix_erase(struct api_call *call, void *value)
{
    struct case_record_erase *erase = value;
    const struct consult *consult = api_consult(call);
    erase->opening = consult->opening;
    erase->requester = consult->requester;
    return true;
}

static void api_post_erase(struct api_call *call)
{
    struct api_writing writing = {.kind = KIND_ERASE,
                                  .audience = AUDIENCE_CLEAR,
                                  .table = &case_record_erase_table,
                                  .fix = api_fix_erase};
    if (api_find_case(call))
        api_write(call, &writing);
}

const struct api_route api_requester_routes[] = {
    {HTTP_POST, "cases/?/grants", API_SIGNED, api_post_grant},
    {HTTP_POST, "cases/?/grants/end", API_SIGNED, api_post_grant_end},
    {HTTP_POST, "cases/?/reveal", API_SIGNED, api_post_reveal},
    {HTTP_POST, "cases/?/synthesis", API_SIGNED, api_post_synthesis},
    {HTTP_POST, "cases/?/close", API_SIGNED, api_post_close},
    {HTTP_POST, "cases/?/extend", API_SIGNED, api_post_extend},
    {HTTP_POST, "cases/?/outcome", API_SIGNED, api_post_outcome},
    {HTTP_POST, "cases/?/withdraw", API_SIGNED, api_post_withdraw},
    {HTTP_POST, "cases/?/erase", API_SIGNED, api_post_erase},
    {HTTP_GET, "", 0, NULL},
};
