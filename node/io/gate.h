/* The process's one ZeroMQ context, and the porter at its door (ZAP, ZeroMQ RFC 27).
 *
 * The porter is a socket in the loop, bound before any listener can be made: CURVE without one
 * lets every client in that knows the server's key. It asks the hub whose domain the request
 * names. When it can no longer answer, the process ends: an open door is worse. */
#ifndef CONSILIUM_NODE_IO_GATE_H
#define CONSILIUM_NODE_IO_GATE_H

#include <uv.h>

#include "protocol/error.h"

struct gate;

/* Makes the context, raises RLIMIT_NOFILE to what is allowed, and ignores SIGPIPE. No fork after
 * it but with exec. ERR_NO_MEMORY, ERR_IO. */
MUST_USE err gate_new(uv_loop_t *loop, struct gate **ret_gate);

/* After the hubs were freed. The context ends when the loop has turned and closed the last socket:
 * run the loop until it is empty. Accepts NULL. */
void gate_free(struct gate *gate);

#endif
