/* The records of a case, in order of arrival, and what each is worth. */
#include <stdlib.h>

#include "node/api/api_state.h"
#include "node/desk/receipts.h"
#include "node/desk/show.h"

struct api_thread {
    struct api_call *call;
    const struct consult *consult;
    struct receipts *receipts;
    json_t *list;
    size_t limit;
    uint64_t next;
    bool is_full;
};

static void api_judge(const struct api_thread *thread, const struct readout *readout, json_t *json)
{
    const struct consult *consult = thread->consult;
    const struct record_claim *claim = &readout->claim;
    struct consult_record record = consult_record_of(
        &claim->header, &claim->id, readout->is_readable ? &readout->statement : NULL);
    const struct consult_taken *taken = consult_taken_of(consult, &claim->id);
    if (taken != NULL) {
        json_object_set_new(json, "taken_in", json_true());
        json_object_set_new(json, "revealed", json_boolean(taken->is_revealed));
        return;
    }
    if (!readout->is_readable || ID_EQUAL(claim->header.stream.writer, consult->requester))
        return;
    enum consult_verdict verdict = consult_judge(consult, &record);
    json_object_set_new(json, "verdict", json_string(consult_verdict_sentence(verdict)));
}

static bool api_on_thread(void *arg, const struct readout *readout)
{
    struct api_thread *thread = arg;
    struct shell *shell = thread->call->federation->shell;
    if (json_array_size(thread->list) == thread->limit) {
        thread->is_full = true;
        return false;
    }
    json_t *json = show_record(shell, readout);
    if (json == NULL)
        return false;
    thread->next = readout->number;
    if (thread->consult != NULL)
        api_judge(thread, readout, json);
    json_t *delivery = json_object_get(json, "delivery");
    json_t *opened = receipts_show_record(shell, thread->receipts, &readout->claim.id);
    if (delivery != NULL)
        json_object_set_new(delivery, "opened_by", opened);
    else
        json_object_set_new(json, "opened_by", opened);
    json_array_append_new(thread->list, json);
    return true;
}

void api_get_thread(struct api_call *call)
{
    struct api_thread thread = {.call = call, .limit = api_limit(call)};
    struct shell *shell = call->federation->shell;
    if (!api_find_case(call))
        return;
    struct scope scope = scope_case(&call->case_id);
    thread.consult = api_consult(call);
    err failure = receipts_read(shell, &call->case_id, &thread.receipts);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return;
    }
    thread.list = json_array();
    failure = readout_scope(shell_store(shell), &scope, api_after(call), api_on_thread, &thread);
    receipts_free(thread.receipts);
    json_t *json = json_pack("{s:o}", "thread", thread.list);
    if (failure != OK) {
        json_decref(json);
        api_refuse_err(call, failure);
        return;
    }
    if (thread.is_full)
        api_set_next(json, thread.next);
    api_answer(call, json);
}
