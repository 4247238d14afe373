/* The structs and functions of this folder: only its own files include this. */
#ifndef CONSILIUM_NODE_API_API_INTERNAL_H
#define CONSILIUM_NODE_API_API_INTERNAL_H

#include <jansson.h>

#include "node/api/api.h"
#include "node/http/http.h"
#include "node/http/http_probe.h"
#include "node/service/service.h"
#include "node/views/content_json.h"
#include "node/views/refusal.h"

enum {
    API_UPLOAD_COUNT_MAX = 3,  /* running at a time; one of one user */
    API_UPLOAD_KEPT_COUNT = 1, /* of these, for administrators alone */
};
enum { API_FEDERATION_COUNT_MAX = 16, API_PAGE_MAX = 200 };

struct api_federation {
    struct api *api;
    const char *name;
    struct runtime *runtime;
    struct links *links;
    struct service *service;
    struct api_checking *checking; /* the check of the audit log that runs; NULL */
};

struct api_reader; /* of events */

struct api {
    struct api_config config;
    struct http *http;
    struct http_probe *probe;
    struct secure_arena *secrets;
    struct passphrase_checks *checks;
    gid_t group;
    gid_t administrators;
    bool has_group;
    bool has_administrators;
    gid_t privacy_officers;
    bool has_privacy_officers;
    bool is_closing;
    unsigned uses; /* calls that are not answered, and one for the API itself */
    struct api_call *uploads[API_UPLOAD_COUNT_MAX]; /* NULL: a free place */
    struct api_reader *readers;
    struct api_federation federations[API_FEDERATION_COUNT_MAX];
    size_t federation_count;
};

/* One request, from its head to its answer. Answering frees it. */
struct api_call {
    struct api *api;
    struct api_federation *federation; /* NULL: about the whole node */
    struct http_request *request;
    const struct api_route *route;
    json_t *form;                        /* NULL without a body */
    struct stored_record_memory *memory; /* of the call's own reads; made when asked for */
    const struct account *account;       /* who signs, or reads */
    struct case_id case_id;              /* after api_find_case */
    bool is_check;                       /* nothing is signed: only what would be refused is told */
    bool is_new;                         /* what is being written did not exist before */
};

enum api_flags {
    API_SIGNED = 1,  /* needs "clinician" and "passphrase" */
    API_UPLOAD = 2,  /* the body is bytes */
    API_NO_BODY = 4, /* a write without a body is fine */
};

struct api_route {
    enum http_method method;
    const char *pattern; /* "cases/?/join", below /v1/{federation}; "?" is any one segment */
    unsigned flags;
    void (*handle)(struct api_call *call);
};

#endif
