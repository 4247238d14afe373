#include "node/http/http_strict.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Headers of which a second one, even an equal one, has no meaning. */
static const char *const http_single[] = {"Host", "Content-Length", "Content-Type",
                                          "Transfer-Encoding"};
enum { HTTP_SINGLE_COUNT = sizeof http_single / sizeof http_single[0] };

struct http_seen {
    unsigned count[HTTP_SINGLE_COUNT];
    const char *fault;
};

/* A token of RFC 9110, section 5.6.2. */
static bool http_is_token(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)name[i];
        if (!isascii(c) || (!isalnum(c) && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL)))
            return false;
    }
    return size > 0;
}

static enum MHD_Result http_on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct http_seen *seen = arg;
    (void)kind;
    if (!http_is_token(name, strlen(name)))
        seen->fault = "the name of a header has a blank or another character that no name has";
    for (size_t i = 0; i < HTTP_SINGLE_COUNT; i++) {
        if (strcasecmp(name, http_single[i]) == 0 && ++seen->count[i] > 1)
            seen->fault = i == 0   ? "there is more than one Host"
                          : i == 1 ? "there is more than one Content-Length"
                                   : "a header that may stand once is there twice";
    }
    if (value == NULL)
        seen->fault = "a header has no value";
    return MHD_YES;
}

const char *http_strict_fault(const struct http_connection *own, struct MHD_Connection *connection,
                              const char *version)
{
    struct http_seen seen = {.fault = NULL};
    /* libmicrohttpd ends the path and query, and what follows is the version; a NUL that came in
     * the path ends them sooner */
    if (own->has_nul_escape || own->uri_end == NULL || version != own->uri_end + 1)
        return "the path holds a NUL";
    MHD_get_connection_values(connection, MHD_HEADER_KIND, http_on_header, &seen);
    return seen.fault;
}
