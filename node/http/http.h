/* HTTP on a listening Unix socket, in the libuv loop. A request is handed over complete; its answer
 * may come later.
 *
 * libmicrohttpd speaks the protocol without a thread of its own: its epoll descriptor is in the
 * loop. The connection is suspended until the answer is given. Everything here is called on the
 * loop, and calls back on it. */
#ifndef CONSILIUM_NODE_HTTP_HTTP_H
#define CONSILIUM_NODE_HTTP_HTTP_H

#include <jansson.h>
#include <sys/types.h>
#include <uv.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

struct http;
struct http_request; /* lives from on_head until its answer was sent, or was dropped */

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

enum {
    HTTP_JSON_SIZE_MAX = 1024 * 1024,
    HTTP_CONNECTION_COUNT_MAX = 64,
    HTTP_CONNECTION_EACH_COUNT_MAX = 32, /* of one user: half of them */
    HTTP_CONNECTION_KEPT_COUNT = 8,      /* for privileged users alone */
    HTTP_CONNECTION_MEMORY = 32 * 1024,  /* headers and URL */
    HTTP_IDLE_S_MAX = 30,
    HTTP_HEAD_MS_MAX = 30 * 1000, /* from the connection, or the answer before, to a whole head */
    HTTP_BODY_MS_MAX = 60 * 1000,
    HTTP_BODY_BYTES_A_SECOND = 128 * 1024, /* a second more for each so many that came */
    HTTP_ANSWER_MS_MAX = 60 * 1000,
    HTTP_ANSWER_BYTES_A_SECOND = 16 * 1024, /* the same, of those that were taken */
    HTTP_TURN_MS = 1000,
    HTTP_EVENTS_COUNT_MAX = 16,
    HTTP_EVENTS_EACH_COUNT_MAX = 8,    /* of one user */
    HTTP_EVENTS_SIZE_MAX = 256 * 1024, /* of events that a slow reader has not received yet */
    HTTP_PART_COUNT_MAX = 10,          /* segments of a path */
};

/* The process at the other end, as the kernel noted it at connect. */
struct http_peer {
    bool is_known;
    uid_t uid;
    gid_t gid;
    bool is_own_process; /* this very process */
    int fd;              /* of the connection */
};
/* Is the process in this group? Asks the kernel, as long as the connection is open. */
bool http_peer_in_group(const struct http_peer *peer, gid_t group);

struct http_limits {
    size_t connection_count_max;
    size_t connection_each_count_max;
    size_t connection_kept_count;
    bool is_own_process_free; /* connections of this process have no limit: it asks itself */
    uint64_t head_ms_max;
    uint64_t body_ms_max;
    uint64_t body_bytes_a_second;
    uint64_t answer_ms_max;
    uint64_t answer_bytes_a_second;
    uint64_t turn_ms; /* how often deadlines are looked at, and libmicrohttpd runs at the least */
};
/* The numbers above. */
struct http_limits http_limits_usual(void);

struct http_handlers {
    /* May this user have one of the places that are kept? NULL: nobody may. */
    bool (*is_privileged)(void *arg, const struct http_peer *peer);
    /* The head has arrived. Returns the largest body, in bytes, that this request may have: 0 for
     * none. May answer at once (http_answer): then no body is read. */
    size_t (*on_head)(void *arg, struct http_request *request);
    /* The request is complete. Answers now, or later. */
    void (*on_request)(void *arg, struct http_request *request);
    void *arg;
};

/* Serves `listen_fd`, a listening socket of the family AF_UNIX, and closes it at http_free.
 * ERR_NO_MEMORY, ERR_IO. */
MUST_USE err http_new(uv_loop_t *loop, int listen_fd, const struct http_handlers *handlers,
                      const struct http_limits *limits, struct http **ret_http);
/* Answers pending requests with 503 and closes. Requests that handlers still hold stay valid until
 * they answer them, without effect. The last memory is freed in a later turn of the loop. Accepts
 * NULL. */
void http_free(struct http *http);

/* ---- the request; everything is borrowed for as long as it lives ---- */

enum http_method http_request_method(const struct http_request *request);
const char *http_request_path(const struct http_request *request);
/* The n-th segment of the path; NULL past the end. */
const char *http_request_part(const struct http_request *request, size_t n);
/* NULL when it is not there (or holds a NUL). */
const char *http_request_query(const struct http_request *request, const char *name);
const char *http_request_header(const struct http_request *request, const char *name);
struct bytes http_request_body(const struct http_request *request);
/* Takes the body over: malloc'd, the caller wipes and frees it. NULL when there is none. */
uint8_t *http_request_take_body(struct http_request *request, size_t *ret_size);

/* False once the client has closed the connection: nobody waits for the answer. */
bool http_request_is_wanted(const struct http_request *request);

struct http_peer http_request_peer(const struct http_request *request);
/* Is the peer's process in this group? */
bool http_request_peer_in_group(const struct http_request *request, gid_t group);

/* The caller's own, for as long as the request lives; freed with `free_own`. */
void http_request_set_own(struct http_request *request, void *own, void (*free_own)(void *own));
void *http_request_own(const struct http_request *request);

/* ---- answers: exactly one; the request must not be used afterwards ---- */

struct http_answer {
    int status;
    const char *type;      /* media type; static */
    const char *file_name; /* NULL, or for Content-Disposition; checked, copied */
    bool is_retry_later;   /* Retry-After: 2 */
};
/* Copies `body`. */
void http_response_answer(struct http_request *request, const struct http_answer *answer,
                          struct bytes body);
/* Writes `json` and drops the reference. */
void http_response_answer_json(struct http_request *request, int status, json_t *json);

/* A body that is made piece by piece while it is sent. `read` fills the piece `index`: piece_size
 * bytes, the last one what is left; false breaks off. */
struct http_source {
    uint64_t size; /* of all */
    size_t piece_size;
    bool (*read)(void *arg, uint32_t index, uint8_t *ret_piece);
    void (*free)(void *arg);
    void *arg;
};
void http_response_answer_source(struct http_request *request, const struct http_answer *answer,
                                 const struct http_source *source);

/* A body of unknown size. `read` fills at most `size_max` bytes;
 * 0 is the end, false breaks off. */
struct http_flow_source {
    bool (*read)(void *arg, uint8_t *ret_piece, size_t size_max, size_t *ret_size);
    void (*free)(void *arg);
    void *arg;
};
void http_response_answer_flow(struct http_request *request, const struct http_answer *answer,
                               const struct http_flow_source *source);

/* ---- server-sent events ---- */

/* Begins a stream of events; ERR_BUSY (not answered) when there are too many. `on_gone` comes once,
 * when the reader has disconnected or is too slow. */
struct http_events;
MUST_USE err http_events_begin(struct http_request *request, void (*on_gone)(void *arg), void *arg,
                               struct http_events **ret_events);
/* Queues one event; `data` without newlines. */
void http_events_push(struct http_events *events, const char *event, const char *data);
/* Ends the stream from our side; `on_gone` does not come any more. */
void http_events_end(struct http_events *events);

#endif
