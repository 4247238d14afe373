/* The records of a case, in order of arrival, and what each is worth. */
#include <stdlib.h>

#include "node/api/api_state.h"
#include "node/views/receipts.h"
#include "node/views/view_json.h"

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

void api_get_thread(struct api_call *call)
{
    struct api_thread thread = {.call = call, .limit = api_limit(call)};
    struct runtime *runtime = call->federation->runtime;
    if (!api_find_case(call))
        return;
    struct scope scope = scope_case(&call->case_id);
    thread.consult = api_consult(call);
    err failure = receipts_read(runtime, &call->case_id, &thread.receipts);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return;
    }
    thread.list = json_array();
    failure = stored_record_scope(runtime_store(runtime), &scope, api_after(call), api_on_thread,
                                  &thread);
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
