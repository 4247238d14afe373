#include "node/service/participant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/service/case_access.h"
#include "node/service/case_items.h"
#include "node/service/case_mail.h"
#include "node/views/receipts.h"

static void participant_write(const struct action *action, const struct content_table *table,
                              uint16_t kind, const void *value)
{
    struct action_record record = {
        .kind = kind, .audience = AUDIENCE_SCOPE, .table = table, .value = value};
    action_write(action, &record);
}

/* Before the reveal of an independent-first case the requester alone reads it. */
static void participant_write_apart(const struct action *action, const struct content_table *table,
                                    uint16_t kind, const void *value)
{
    struct action_record record = {
        .kind = kind, .audience = action_audience(action), .table = table, .value = value};
    action_write(action, &record);
}

void participant_decline(const struct action *action, const struct case_record_decline *decline)
{
    if (decline->reason == CASE_RECORD_DECLINE_NONE)
        action_refuse_saying(action, ERR_INVALID, "reason: missing",
                             "one of unavailable, not-my-field, local-care-adequate, "
                             "conflict-of-interest, other");
    else if (case_access_is_open(action->service, action_consult(action)))
        participant_write_apart(action, &case_record_decline_table, KIND_DECLINE, decline);
    else
        case_mail_decline(action, decline);
}

/* ---- what the node adds to an opinion ---- */

static err participant_fill_head(const struct action *action, struct opinion_stream_head *head)
{
    struct runtime *runtime = action->service->runtime;
    struct scope scope = scope_federation();
    struct stream_id stream = engine_own_stream(runtime_engine(runtime), &scope);
    uint64_t tail = 0, complete_to = 0;
    struct stored_record stored_record;
    struct stored_record_memory *memory = stored_record_memory_new();
    err failure = memory == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK && !engine_position(runtime_engine(runtime), &stream, &tail, &complete_to))
        failure = ERR_NOT_FOUND;
    if (failure == OK)
        failure = stored_record_at(runtime_store(runtime), &stream, tail, memory, &stored_record);
    if (failure == OK)
        *head = (struct opinion_stream_head){stream.generation, tail, stored_record.claim.id};
    stored_record_memory_free(memory);
    return failure;
}

static int participant_compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* API-9 */
static err participant_fill_opened(const struct action *action, struct opinion *opinion)
{
    struct case_items *items = NULL;
    struct receipts *receipts = NULL;
    struct refusal refusal;
    err failure = case_items_load(action->service, &action->case_id, &items, &refusal);
    if (failure == OK)
        failure = receipts_read(action->service->runtime, &action->case_id, &receipts);
    for (size_t i = 0; failure == OK && i < items->file.item_count; i++) {
        const struct item_id *item = &items->file.items[i].item_id;
        if (receipts_has_item(receipts, &action->signer.account->certificate.cert_id, item))
            opinion->items_opened[opinion->item_opened_count++] = *item;
    }
    if (failure == OK) {
        opinion->manifest_root = case_file_root(&items->file);
        qsort(opinion->items_opened, opinion->item_opened_count, sizeof opinion->items_opened[0],
              participant_compare);
    }
    receipts_free(receipts);
    case_items_free(items);
    return failure;
}

static err participant_fill_opinion(const struct action *action, struct opinion *opinion)
{
    const struct inbox_entry *entry = inbox_find(action->service->inbox, &action->case_id);
    memset(opinion->items_opened, 0, sizeof opinion->items_opened);
    opinion->item_opened_count = 0;
    opinion->sentence = bytes_of_text(OPINION_SENTENCE);
    opinion->roster_head = roster_current_id(runtime_roster(action->service->runtime));
    err failure =
        entry == NULL ? ERR_NOT_FOUND : participant_fill_head(action, &opinion->stream_head);
    if (failure == OK)
        failure = participant_fill_opened(action, opinion);
    if (failure == OK)
        opinion->announcement = entry->record;
    return failure;
}

/* ---- an earlier opinion of the same clinician ---- */

struct participant_earlier {
    const struct action *action;
    const struct record_id *named; /* the one to be replaced; NULL: none */
    bool is_named_found;
    struct record_id last; /* zeros: none */
    struct wall time;      /* of that */
};

/* By the key: a renewal issues another certificate over the same key. */
static bool participant_is_by_signer(const struct action *action,
                                     const struct stored_record *stored_record)
{
    const struct certificate *own = &action->signer.account->certificate;
    const struct cert_id *signer = &stored_record->statement.author.cert_id;
    struct runtime *runtime = action->service->runtime;
    const struct clinician *author = engine_clinician(runtime_engine(runtime), signer);
    return ID_EQUAL(stored_record->claim.header.stream.writer, runtime_settings(runtime)->self) &&
           (ID_EQUAL(*signer, own->cert_id) ||
            (author != NULL && ID_EQUAL(author->key, own->request.clinician_key)));
}

static bool participant_on_earlier(void *arg, const struct stored_record *stored_record)
{
    struct participant_earlier *earlier = arg;
    if (!stored_record->is_readable || stored_record->statement.kind != KIND_OPINION ||
        !participant_is_by_signer(earlier->action, stored_record))
        return true;
    if (earlier->named != NULL && ID_EQUAL(stored_record->claim.id, *earlier->named))
        earlier->is_named_found = true;
    earlier->last = stored_record->claim.id;
    earlier->time = stored_record->claim.header.time;
    return true;
}

static err participant_refuse_second(const struct action *action,
                                     const struct participant_earlier *earlier,
                                     struct refusal *ret_refusal)
{
    char id[2 * HASH_SIZE + 1], time[CONTENT_JSON_TIME_SIZE], hint[200];
    ids_to_hex(ID_BYTES(earlier->last), id);
    content_json_time(earlier->time, time);
    snprintf(hint, sizeof hint,
             "to replace it: --replaces %.16s; to add another: --additional (an institution counts "
             "once)",
             id);
    return refusal_set(ret_refusal, ERR_EXISTS, hint,
                       "%s gave an opinion on this case on %.10s: %.16s",
                       action->signer.account->login, time, id);
}

/* API-14 */
static err participant_may_give(const struct action *action, const struct opinion *opinion,
                                bool is_additional, struct refusal *ret_refusal)
{
    struct participant_earlier earlier = {.action = action};
    struct scope scope = scope_case(&action->case_id);
    if (!ID_IS_ZERO(opinion->replaces))
        earlier.named = &opinion->replaces;
    err failure = stored_record_scope(runtime_store(action->service->runtime), &scope, 0,
                                      participant_on_earlier, &earlier);
    if (failure != OK)
        return refusal_of(ret_refusal, failure);
    if (earlier.named != NULL && !earlier.is_named_found)
        return refusal_set(ret_refusal, ERR_INVALID,
                           "clinicians replace only their own opinions; `consilium show CASE` "
                           "lists them",
                           "replaces: that is no opinion of this clinician");
    if (earlier.named == NULL && !ID_IS_ZERO(earlier.last) && !is_additional)
        return participant_refuse_second(action, &earlier, ret_refusal);
    return OK;
}

void participant_give_opinion(const struct action *action, const struct opinion *opinion,
                              bool is_additional)
{
    struct refusal wrong, earlier;
    refusal_clear(&wrong);
    if (!action_may_write(action, KIND_OPINION))
        return;
    if (participant_may_give(action, opinion, is_additional, &earlier) != OK)
        refusal_merge(&wrong, &earlier);
    if (opinion->text.size == 0)
        (void)refusal_add(&wrong, ERR_INVALID, "text: missing");
    if (opinion->language.size == 0)
        (void)refusal_add(&wrong, ERR_INVALID, "language: missing");
    if (wrong.code != OK) {
        action_refuse(action, &wrong);
        return;
    }
    struct opinion *whole = malloc(sizeof *whole);
    err failure = whole == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK) {
        *whole = *opinion;
        failure = participant_fill_opinion(action, whole);
    }
    if (failure != OK)
        action_refuse_saying(
            action, failure,
            failure == ERR_NOT_FOUND
                ? "the announcement, the case file or the certificate is not here yet"
                : NULL,
            "wait until the case has arrived");
    else
        participant_write_apart(action, &opinion_table, KIND_OPINION, whole);
    free(whole);
}

/* ---- the others ---- */

void participant_ask(const struct action *action, const struct case_record_ask *ask)
{
    participant_write_apart(action, &case_record_ask_table, KIND_ASK, ask);
}

void participant_discuss(const struct action *action, const struct case_record_post *post)
{
    participant_write(action, &case_record_post_table, KIND_POST, post);
}

void participant_release(const struct action *action, const struct case_record_release *release)
{
    const struct consult *consult = action_consult(action);
    if (consult != NULL && consult->deadline.ms > runtime_wall().ms)
        action_refuse_saying(action, ERR_STATE, consult_verdict_sentence(CONSULT_TOO_EARLY),
                             "the author may release an opinion after the deadline");
    else
        participant_write(action, &case_record_release_table, KIND_RELEASE, release);
}

void participant_flag(const struct action *action, const struct case_record_flag *flag)
{
    participant_write(action, &case_record_flag_table, KIND_FLAG, flag);
}
