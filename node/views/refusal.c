#include "node/views/refusal.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What to do when the caller has nothing more exact to say. */
static const char *refusal_hint_of(err code)
{
    switch (code) {
    case OK:
    case ERR_COUNT:
        break;
    case ERR_INVALID:
    case ERR_MALFORMED:
        return "nothing was changed: correct what is named, and try again";
    case ERR_TOO_LARGE:
        return "nothing was changed: shorten what is named, and try again";
    case ERR_PASSPHRASE:
        return "type the passphrase again; it cannot be read or reset";
    case ERR_STATE:
        return "nothing was changed; `consilium show CASE` shows what can be done next";
    case ERR_BUSY:
        return "wait a moment and try again; if it does not help, see `consilium status`";
    case ERR_FUTURE:
        return "this machine's clock is in doubt: `consilium status` says why; set it right";
    case ERR_FULL:
        return "free space on the disk, or raise the quota in the configuration";
    case ERR_EXPIRED:
        return "the roster has expired: ask the society to sign a new head";
    case ERR_NOT_FOUND:
        return "name it by its id, or by at least the first 4 digits, as the lists show";
    case ERR_UNKNOWN_HEAD:
        return "the roster is being updated: try again in a minute";
    case ERR_IO:
    case ERR_CORRUPT:
        return "see the daemon's log";
    case ERR_NO_MEMORY:
        return "the machine is out of memory: try again, and see the daemon's log";
    case ERR_DESTROYED:
        return "the case was erased; only the receipt is left here";
    case ERR_NOT_CANONICAL:
        return "name each thing once";
    case ERR_EXISTS:
    case ERR_DUPLICATE:
        return "nothing was changed; the lists show what is there";
    case ERR_NOT_ENTITLED:
        return "`consilium show CASE` shows the part of this institution, `consilium clinician "
               "list` "
               "who may sign";
    case ERR_UNKNOWN_MEMBER:
        return "`consilium members` lists the members";
    case ERR_COOLING_OFF:
        return "the society's cooling-off period has to pass first: ask an officer when it ends";
    case ERR_OVER_BUDGET:
        return "wait a minute and try again";
    case ERR_UNSUPPORTED:
        return "spec/api.md lists the paths, and the methods of each";
    case ERR_TRUNCATED:
    case ERR_VERSION:
    case ERR_BAD_SIGNATURE:
    case ERR_BAD_HASH:
    case ERR_BAD_KEY:
    case ERR_THRESHOLD:
    case ERR_OUT_OF_ORDER:
    case ERR_FORKED:
    case ERR_BEYOND_CUT:
        return "what is stored here does not fit together: `consilium status` and the daemon's log "
               "say "
               "more; tell the administrator";
    }
    return "nothing is to be done";
}

err refusal_set(struct refusal *ret_refusal, err code, const char *hint, const char *format, ...)
{
    ret_refusal->code = code;
    snprintf(ret_refusal->hint, sizeof ret_refusal->hint, "%s",
             hint == NULL ? refusal_hint_of(code) : hint);
    if (format == NULL) {
        snprintf(ret_refusal->message, sizeof ret_refusal->message, "%s", err_sentence(code));
        return code;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ret_refusal->message, sizeof ret_refusal->message, format, arguments);
    va_end(arguments);
    return code;
}

void refusal_clear(struct refusal *ret_refusal)
{
    *ret_refusal = (struct refusal){.code = OK};
}

err refusal_add(struct refusal *refusal, err code, const char *format, ...)
{
    size_t used = strlen(refusal->message);
    if (refusal->code == OK) {
        refusal->code = code;
        snprintf(refusal->hint, sizeof refusal->hint, "%s", refusal_hint_of(code));
    } else if (used + 2 < sizeof refusal->message) {
        memcpy(refusal->message + used, "; ", 3);
        used += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->message + used, sizeof refusal->message - used, format, arguments);
    va_end(arguments);
    return refusal->code;
}

void refusal_merge(struct refusal *refusal, const struct refusal *other)
{
    char rest[REFUSAL_MESSAGE_SIZE];
    bool is_first = refusal->code == OK && other->code != OK;
    snprintf(rest, sizeof rest, "%s", other->message);
    for (char *at = rest, *end = NULL; other->code != OK && at != NULL; at = end) {
        end = strstr(at, "; ");
        if (end != NULL) {
            *end = '\0';
            end += 2;
        }
        if (strstr(refusal->message, at) == NULL)
            (void)refusal_add(refusal, other->code, "%s", at);
    }
    if (is_first)
        memcpy(refusal->hint, other->hint, sizeof refusal->hint);
}

err refusal_of(struct refusal *ret_refusal, err code)
{
    return refusal_set(ret_refusal, code, NULL, NULL);
}
