/* The process's one ZeroMQ context, and its ZAP handler (ZeroMQ RFC 27).
 *
 * The handler is a socket in the loop, bound before any listener can be made: CURVE without one
 * lets every client in that knows the server's key. It asks the hub whose domain the request
 * names. When it can no longer answer, the process ends: an open door is worse. */
#ifndef CONSILIUM_NODE_NET_ZAP_AUTHENTICATOR_H
#define CONSILIUM_NODE_NET_ZAP_AUTHENTICATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "protocol/base/error.h"
#include "protocol/base/ids.h"

struct zap_authenticator;
struct zmq_poller_set;

/* Makes the context, raises RLIMIT_NOFILE to what is allowed, and ignores SIGPIPE. No fork after
 * it but with exec. ERR_NO_MEMORY, ERR_IO. */
MUST_USE err zap_authenticator_new(uv_loop_t *loop, struct zap_authenticator **ret_gate);

/* After the hubs were freed. The context ends when the loop has turned and closed the last socket:
 * run the loop until it is empty. Accepts NULL. */
void zap_authenticator_free(struct zap_authenticator *zap_authenticator);

/* ---- for hubs ---- */

/* One domain, and who may enter there; lies in the hub. */
struct zap_authenticator_door {
    char domain[24]; /* ours: zap_authenticator_open fills it */
    bool (*admits)(void *user, const struct transport_key *key);
    void (*on_second)(void *user);
    void *user;
    struct zap_authenticator_door *next;
};

/* Opens a door and keeps the gate alive; both end with zap_authenticator_close. */
void zap_authenticator_open(struct zap_authenticator *zap_authenticator,
                            struct zap_authenticator_door *door);
/* From then on nobody is admitted there. */
void zap_authenticator_shut(struct zap_authenticator *zap_authenticator,
                            struct zap_authenticator_door *door);
/* The hub is gone. */
void zap_authenticator_close(struct zap_authenticator *zap_authenticator);

void *zap_authenticator_context(struct zap_authenticator *zap_authenticator);
struct zmq_poller_set *zap_authenticator_watches(struct zap_authenticator *zap_authenticator);
/* A number that no one else has, for names of inproc endpoints. */
uint64_t zap_authenticator_number(struct zap_authenticator *zap_authenticator);
/* The ZAP handler's socket, to wait for, and answering what waits there, outside of the loop. */
void *zap_authenticator_authenticator(struct zap_authenticator *zap_authenticator);
void zap_authenticator_answer(struct zap_authenticator *zap_authenticator);

#endif
