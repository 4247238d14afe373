/* The local API (spec/api.md), by which clinicians and programs of the hospital use their node. */
#ifndef CONSILIUM_NODE_API_API_H
#define CONSILIUM_NODE_API_API_H

#include "node/items/items.h"
#include "node/links/links.h"
#include "node/onboarding/identity.h"
#include "node/runtime/runtime.h"

struct api;

/* Borrowed until api_free, the arrays only for the call. */
struct api_config {
    uv_loop_t *loop;
    struct workers *workers;
    const char *socket;         /* path; made with mode 0660, removed at the end */
    const char *group;          /* who may use it; NULL: root and the daemon's user only */
    const char *administrators; /* a group that may also make accounts; NULL: none but these two */
    const char
        *privacy_officers; /* a group that may read the whole audit log; NULL: administrators */
    const char *data;      /* directory for files of its own */
    const struct identity *identity;
    struct runtime *const *runtimes; /* one for each federation, each with its links and items */
    struct links *const *links;      /* NULL in it: that federation has none */
    struct items *const *items;
    size_t count;
    uint64_t probe_ms; /* how often the API asks itself for an answer; 0: as usual */
};

/* Listens at once. ERR_EXISTS: another process serves the socket; ERR_IO: errno says why;
 * ERR_NOT_FOUND: no such group; ERR_NO_MEMORY. */
MUST_USE err api_new(const struct api_config *config, struct api **ret_api);
/* Answers pending calls with ERR_BUSY and closes. Memory is freed in later turns of the loop.
 * Accepts NULL. */
void api_free(struct api *api);

/* False when the socket did not answer several times in a row: then people get no answer either.
 * API-17. */
bool api_is_answering(const struct api *api);

#endif
