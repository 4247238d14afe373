/* What only a person can decide about the roster: to follow a head that heals a split. */
#include "node/api/api_state.h"
#include "node/runtime/runtime.h"

static void api_post_heal(struct api_call *call)
{
    const char *typed = json_string_value(json_object_get(call->form, "fingerprint"));
    if (!api_is_administrator(call)) {
        api_refuse(call, ERR_NOT_ENTITLED, "only an administrator confirms a healing head",
                   "root, the daemon's user, and the group `administrators` of the configuration "
                   "are: sudo consilium roster heal ...");
        return;
    }
    if (typed == NULL) {
        api_refuse(call, ERR_INVALID, "the fingerprint is missing",
                   "have two of the society's officers read it out on the phone");
        return;
    }
    err failure = runtime_heal(call->federation->runtime, typed); /* ROSTER-34 */
    if (failure == OK)
        api_answer(call, json_pack("{s:b}", "followed", 1));
    else if (failure == ERR_NOT_FOUND)
        api_refuse(call, failure, "no healing head waits here",
                   "the society publishes it; `consilium status` shows it when it came");
    else if (failure == ERR_BAD_HASH)
        api_refuse(call, failure, "that is not the fingerprint of the healing head that came",
                   "do not follow it, and tell the officers");
    else
        api_refuse_err(call, failure);
}

const struct api_route api_roster_routes[] = {
    {HTTP_POST, "roster/heal", 0, api_post_heal},
    {HTTP_GET, "", 0, NULL},
};
