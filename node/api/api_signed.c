/* Writing in the clinician's name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/views/view_json.h"

static json_t *api_written(struct api_call *call, const struct service_done *done)
{
    const struct runtime_done *first = &done->posted[0]; /* what follows it are letters about it */
    json_t *json =
        json_pack("{s:o,s:I,s:s,s:o}", "record", content_json_show_hex(ID_BYTES(first->record)),
                  "sequence", (json_int_t)first->sequence, "kind", kind_name(call->kind), "time",
                  content_json_show_time(done->time));
    if (json != NULL && !ID_IS_ZERO(call->case_id))
        json_object_set_new(json, "case", content_json_show_hex(ID_BYTES(call->case_id)));
    return json;
}

/* API-11: the answer comes when the last record is durable. */
static void api_on_signed(void *arg, const struct service_done *done)
{
    struct api_call *call = arg;
    if (done->verdict == OK && done->posted_count > 0) {
        api_created(call, api_written(call, done));
        return;
    }
    char message[200];
    if (done->verdict == ERR_BUSY) {
        api_refuse(call, ERR_BUSY,
                   "posting waits: heads were not compared yet, or the stream is being written",
                   "look at `consilium status`; try again when a peer or relay is connected");
    } else if (done->posted_count > 0) {
        snprintf(message, sizeof message, "%s; %zu of its records stand already",
                 err_sentence(done->verdict), done->posted_count);
        api_refuse(call, done->verdict, message, "do the same again: it goes on where it stopped");
    } else {
        api_refuse_err(call, done->verdict);
    }
}

void api_sign(struct api_call *call, struct service_order *order)
{
    call->kind = service_kind(order);
    struct account_room room = api_room(call);
    const char *passphrase = json_string_value(json_object_get(call->form, "passphrase"));
    struct service_signer signer = {.account = call->account,
                                    .passphrase =
                                        bytes_of_text(passphrase == NULL ? "" : passphrase),
                                    .uid = http_peer(call->request).uid};
    service_sign(order, &room, &signer, api_on_signed, call);
}

bool api_may_write(struct api_call *call, uint16_t kind)
{
    const struct consult *consult = api_consult(call);
    char message[200];
    if (consult == NULL || consult->state == CASE_DRAFT) {
        api_refuse(call, ERR_STATE, "this institution has no part in the case (yet)",
                   "join it first, and wait for the grant");
        return false;
    }
    if (consult->state == CASE_ERASED && kind != KIND_ERASE) {
        api_refuse(call, ERR_STATE, consult_verdict_sentence(CONSULT_ERASED),
                   "nothing of it is kept; `consilium erasure CASE` lists the receipts");
        return false;
    }
    enum consult_verdict verdict =
        api_has_ended(call->federation, consult)
            ? CONSULT_GRANT_ENDED
            : consult_allows(consult, &runtime_settings(call->federation->runtime)->self, kind);
    if (verdict == CONSULT_COUNTS || verdict == CONSULT_AWAITS)
        return true;
    snprintf(message, sizeof message, "%s; the state of the case is: %s",
             consult_verdict_sentence(verdict), consult_state_name(consult->state));
    bool is_right = verdict == CONSULT_WRONG_WRITER || verdict == CONSULT_NOT_GRANTED ||
                    verdict == CONSULT_GRANT_ENDED;
    api_refuse(call, is_right ? ERR_NOT_ENTITLED : ERR_STATE, message,
               "`consilium show CASE` tells how it stands, and what could come next");
    return false;
}

enum audience api_audience(const struct api_call *call)
{
    const struct consult *consult = api_consult(call);
    bool is_requester =
        consult != NULL &&
        ID_EQUAL(consult->requester, runtime_settings(call->federation->runtime)->self);
    return consult != NULL && !is_requester && consult->mode == ANNOUNCEMENT_INDEPENDENT_FIRST &&
                   consult->state == CASE_ANNOUNCED
               ? AUDIENCE_REQUESTER
               : AUDIENCE_SCOPE;
}

static err api_add_content(struct api_call *call, const struct api_writing *writing,
                           const void *value, struct service_order *order)
{
    uint8_t *memory = malloc(STATEMENT_CONTENT_SIZE_MAX);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    struct buffer content = buffer_over(memory, STATEMENT_CONTENT_SIZE_MAX);
    err failure = content_write(writing->table, value, &content);
    struct service_letter letter = {.kind = writing->kind,
                                    .scope = scope_case(&call->case_id),
                                    .audience = writing->audience,
                                    .content = buffer_bytes(&content),
                                    .case_id = call->case_id};
    if (failure == OK)
        failure = service_add(order, &letter);
    free(memory);
    return failure;
}

/* The form without what is not of the content. */
static json_t *api_content_form(const struct api_call *call, const struct api_writing *writing)
{
    json_t *form = json_copy(call->form);
    json_object_del(form, "clinician");
    json_object_del(form, "passphrase");
    if (writing->aside != NULL)
        json_object_del(form, writing->aside);
    return form;
}

/* `form` outlives `value`, which borrows from it. */
static void api_write_form(struct api_call *call, const struct api_writing *writing,
                           const json_t *form, union content_registry_value *value)
{
    struct refusal problem;
    /* whole only after `fix`: content_write then says what is missing */
    struct content_json_take how = {.table = writing->table, .is_whole = writing->fix == NULL};
    if (content_json_take(&how, form, value, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    if (writing->fix != NULL && !writing->fix(call, value))
        return;
    struct service_order *order = service_order_new(call->federation->runtime);
    err failure = order == NULL ? ERR_NO_MEMORY : api_add_content(call, writing, value, order);
    if (failure == OK && writing->add != NULL)
        failure = writing->add(call, value, order);
    if (failure == OK) {
        api_sign(call, order);
        return;
    }
    service_order_free(order);
    api_refuse(call, failure, failure == ERR_MALFORMED ? "a field is missing" : NULL, NULL);
}

void api_write(struct api_call *call, const struct api_writing *writing)
{
    if (!api_may_write(call, writing->kind))
        return;
    union content_registry_value *value = calloc(1, sizeof *value);
    json_t *form = api_content_form(call, writing);
    if (value == NULL || form == NULL)
        api_refuse_err(call, ERR_NO_MEMORY);
    else
        api_write_form(call, writing, form, value);
    json_decref(form);
    free(value);
}
