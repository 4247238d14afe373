/* Our own access to a case of somebody else: what the requester says of it in its stream, and by
 * mail. */
#include "node/api/api_state.h"

static bool api_on_grant(void *arg, const struct stored_record *stored_record)
{
    struct api_granted *granted = arg;
    struct case_record_grant grant;
    if (!ID_EQUAL(stored_record->claim.header.stream.writer, granted->requester) ||
        !stored_record_content(stored_record, KIND_GRANT, &case_record_grant_table, &grant) ||
        !ID_EQUAL(grant.participant, granted->self))
        return true;
    granted->last = stored_record->claim.header.time;
    granted->is_answer = granted->is_answer || ID_EQUAL(grant.join, granted->join);
    return true;
}

struct api_granted api_granted(const struct api_federation *federation,
                               const struct consult *consult, const struct record_id *join)
{
    struct scope scope = scope_case(&consult->case_id);
    struct api_granted granted = {.self = runtime_settings(federation->runtime)->self,
                                  .requester = consult->requester};
    if (join != NULL)
        granted.join = *join;
    if (stored_record_scope(runtime_store(federation->runtime), &scope, 0, api_on_grant,
                            &granted) != OK)
        granted.last.ms = 0;
    return granted;
}

/* C-49: what the requester wrote last, by its own clock, the letter or a grant. */
bool api_has_ended(const struct api_federation *federation, const struct consult *consult)
{
    const struct consult_participant *self =
        consult_participant_of(consult, &runtime_settings(federation->runtime)->self);
    const struct inbox_letter *end =
        self == NULL ? NULL : inbox_end_of_access(federation->inbox, consult);
    if (end != NULL)
        return api_granted(federation, consult, NULL).last.ms <= end->time.ms;
    return self != NULL && self->is_ended;
}
