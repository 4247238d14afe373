/* The relay at work: a hub that admits the list, the pure logic of protocol/relay/relay_engine
 * between its links, and the roster that publishers bring. One thread but for libzmq's own. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_SERVE_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_SERVE_H

#include "bootstrap/relay/relay_config.h"

enum {
    RELAY_SERVE_DRAIN_MS = 5000,   /* SIGTERM: at most so long */
    RELAY_SERVE_FAREWELL_MS = 500, /* and at least so long, so that all hear of it */
    RELAY_SERVE_STATUS_MS = 30 * 1000,
};

/* Runs until SIGTERM or SIGINT; SIGUSR1 writes the status. Returns the exit status; what went wrong
 * was logged, with what to do. */
int relay_serve(const struct relay_config *config);

#endif
