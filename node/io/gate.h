/* The process's one ZeroMQ context, and the porter at its door (ZAP, ZeroMQ RFC 27).
 *
 * The porter is a socket in the loop, bound before any listener can be made: CURVE without one
 * lets every client in that knows the server's key. It asks the hub whose domain the request
 * names. When it can no longer answer, the process ends: an open door is worse. */
#ifndef CONSILIUM_NODE_IO_GATE_H
#define CONSILIUM_NODE_IO_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "protocol/error.h"
#include "protocol/ids.h"

struct gate;
struct watch_set;

/* Makes the context, raises RLIMIT_NOFILE to what is allowed, and ignores SIGPIPE. No fork after
 * it but with exec. ERR_NO_MEMORY, ERR_IO. */
MUST_USE err gate_new(uv_loop_t *loop, struct gate **ret_gate);

/* After the hubs were freed. The context ends when the loop has turned and closed the last socket:
 * run the loop until it is empty. Accepts NULL. */
void gate_free(struct gate *gate);

/* ---- for hubs ---- */

/* One domain, and who may enter there; lies in the hub. */
struct gate_door {
    char domain[24]; /* ours: gate_open fills it */
    bool (*admits)(void *user, const struct transport_key *key);
    void (*on_second)(void *user);
    void *user;
    struct gate_door *next;
};

/* Opens a door and keeps the gate alive; both end with gate_close. */
void gate_open(struct gate *gate, struct gate_door *door);
/* From then on nobody is admitted there. */
void gate_shut(struct gate *gate, struct gate_door *door);
/* The hub is gone. */
void gate_close(struct gate *gate);

void *gate_context(struct gate *gate);
struct watch_set *gate_watches(struct gate *gate);
/* A number that no one else has, for names of inproc endpoints. */
uint64_t gate_number(struct gate *gate);
/* The porter's socket, to wait for, and answering what waits there, outside of the loop. */
void *gate_porter(struct gate *gate);
void gate_answer(struct gate *gate);

#endif
