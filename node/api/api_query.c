#include "node/api/api_query.h"

#include <stdio.h>
#include <string.h>

#include "node/api/api_call.h"
#include "protocol/member/tag.h"

static const char *const api_states[] = {"open", "closed", "all", NULL};
static const char *const api_roles[] = {"requester", "participant", "all", NULL};

static bool api_query_is_one_of(struct api_call *call, const char *name, const char *const *values)
{
    const char *said = http_request_query(call->request, name);
    char message[160];
    size_t size = 0;
    for (size_t i = 0; said != NULL && values[i] != NULL; i++) {
        if (strcmp(said, values[i]) == 0)
            return true;
        size += (size_t)snprintf(message + size, sizeof message - size, "%s%s",
                                 size == 0 ? ": must be one of " : ", ", values[i]);
    }
    if (said == NULL)
        return true;
    char whole[200];
    snprintf(whole, sizeof whole, "%s%s", name, message);
    api_call_refuse_saying(call, ERR_INVALID, whole, "choose one of these, or leave it out");
    return false;
}

static bool api_query_is_number(struct api_call *call, const char *name)
{
    const char *said = http_request_query(call->request, name);
    char message[64];
    if (said == NULL || (*said != '\0' && strspn(said, "0123456789") == strlen(said)))
        return true;
    snprintf(message, sizeof message, "%s: must be a number", name);
    api_call_refuse_saying(call, ERR_INVALID, message,
                           "give a number as a page printed it, or leave it out");
    return false;
}

/* The tag of a board, or of something above boards. */
static bool api_query_is_specialty(struct api_call *call)
{
    const char *said = http_request_query(call->request, "specialty");
    if (said == NULL || call->federation == NULL)
        return true;
    const struct roster *roster = runtime_roster(call->federation->runtime);
    const struct settings *settings = roster_settings(roster);
    struct bytes tag = bytes_of_text(said);
    bool is_known = roster_board_of_tag(roster, tag) >= 0;
    for (uint32_t i = 0; settings != NULL && i < settings->board_count; i++)
        is_known = is_known || tag_covers(tag, settings->boards[i].tag);
    if (!is_known)
        api_call_refuse_saying(call, ERR_INVALID, "specialty: no board has this tag",
                               "`consilium boards` lists them");
    return is_known;
}

bool api_query_check(struct api_call *call)
{
    return http_request_method(call->request) != HTTP_GET ||
           (api_query_is_number(call, "limit") && api_query_is_number(call, "after") &&
            api_query_is_one_of(call, "state", api_states) &&
            api_query_is_one_of(call, "role", api_roles) && api_query_is_specialty(call));
}
