#include "node/service/case_access.h"

struct case_access_grants {
    struct node_id self;
    struct node_id requester;
    struct record_id join;
    bool is_answer;   /* one of the grants names `join` */
    struct wall last; /* when the last was written; 0: never */
};

static bool case_access_on_record(void *arg, const struct stored_record *stored_record)
{
    struct case_access_grants *grants = arg;
    struct case_record_grant grant;
    if (!ID_EQUAL(stored_record->claim.header.stream.writer, grants->requester) ||
        !stored_record_content(stored_record, KIND_GRANT, &case_record_grant_table, &grant) ||
        !ID_EQUAL(grant.participant, grants->self))
        return true;
    grants->last = stored_record->claim.header.time;
    grants->is_answer = grants->is_answer || ID_EQUAL(grant.join, grants->join);
    return true;
}

static struct case_access_grants case_access_grants(const struct service *service,
                                                    const struct consult *consult,
                                                    const struct record_id *join)
{
    struct scope scope = scope_case(&consult->case_id);
    struct case_access_grants grants = {.self = runtime_settings(service->runtime)->self,
                                        .requester = consult->requester};
    if (join != NULL)
        grants.join = *join;
    if (stored_record_scope(runtime_store(service->runtime), &scope, 0, case_access_on_record,
                            &grants) != OK)
        grants.last.ms = 0;
    return grants;
}

const struct consult_participant *case_access_participant(const struct service *service,
                                                          const struct consult *consult)
{
    return consult_participant_of(consult, &runtime_settings(service->runtime)->self);
}

/* C-49: the requester's last word counts, by its own clock: the mail or a later grant. (T-31) A
 * mail from the future counts from its time on. */
bool case_access_has_ended(const struct service *service, const struct consult *consult)
{
    const struct consult_participant *self = case_access_participant(service, consult);
    const struct inbox_letter *end =
        self == NULL ? NULL : inbox_end_of_access(service->inbox, consult);
    if (end != NULL && end->time.ms <= runtime_wall().ms + CLOCK_SKEW_MS_MAX)
        return case_access_grants(service, consult, NULL).last.ms <= end->time.ms;
    return self != NULL && self->is_ended;
}

bool case_access_is_open(const struct service *service, const struct consult *consult)
{
    return consult != NULL && case_access_participant(service, consult) != NULL &&
           !case_access_has_ended(service, consult);
}

bool case_access_answers(const struct service *service, const struct consult *consult,
                         const struct record_id *join)
{
    return case_access_grants(service, consult, join).is_answer;
}

const char *case_access_role(const struct service *service, const struct case_id *case_id)
{
    const struct consult *consult = runtime_case(service->runtime, case_id);
    if (consult == NULL)
        return "none";
    if (ID_EQUAL(consult->requester, runtime_settings(service->runtime)->self))
        return "requester";
    return case_access_participant(service, consult) == NULL ? "granted"
           : case_access_has_ended(service, consult)         ? "ended"
                                                             : "participant";
}
