/* Asks a Unix socket for an answer by HTTP in each period, and tells whether it answers. Any answer
 * counts, whatever its status. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_PROBE_H
#define CONSILIUM_NODE_HTTP_HTTP_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "protocol/base/error.h"

enum {
    HTTP_PROBE_MS = 10 * 1000,
    HTTP_PROBE_MISSED_MAX = 3, /* periods without an answer; then it does not answer */
};

struct http_probe;

/* `socket` is a path, copied. The first try is after one period. ERR_NO_MEMORY. */
MUST_USE err http_probe_new(uv_loop_t *loop, const char *socket, uint64_t period_ms,
                            struct http_probe **ret_probe);
/* Frees in a later turn of the loop. Accepts NULL. */
void http_probe_free(struct http_probe *probe);

/* True until enough tries in a row got no answer, and again after the next answer. */
bool http_probe_is_answered(const struct http_probe *probe);

#endif
