#include "node/views/refusal.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What to do when the caller has nothing more exact to say. */
static const char *refusal_hint_of(err code)
{
    static const struct {
        err code;
        const char *hint;
    } table[] = {
        {ERR_PASSPHRASE, "type the passphrase again; it cannot be read or reset"},
        {ERR_STATE, "nothing was changed"},
        {ERR_BUSY, "wait a moment and try again; if it does not help, see `consilium status`"},
        {ERR_FUTURE, "this machine's clock is in doubt: `consilium status` says why; set it right"},
        {ERR_FULL, "free space on the disk, or raise the quota in the configuration"},
        {ERR_EXPIRED, "the roster has expired: ask the society to sign a new head"},
        {ERR_NOT_FOUND, "name it by its id, or by at least the first 4 digits, as the lists show"},
        {ERR_UNKNOWN_HEAD, "the roster is being updated: try again in a minute"},
        {ERR_IO, "see the daemon's log"},
        {ERR_CORRUPT, "see the daemon's log"},
        {ERR_NO_MEMORY, "the machine is out of memory: try again, and see the daemon's log"},
        {ERR_DESTROYED, "the case was erased; only the receipt is left here"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == code)
            return table[i].hint;
    }
    return "the command's --help shows what it expects";
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
