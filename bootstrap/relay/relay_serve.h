/* Runs the relay: a hub that admits the keys of the list, the pure logic of
 * protocol/relay/relay_engine between its links, and the roster that publishers bring. One thread,
 * besides libzmq's own. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_SERVE_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_SERVE_H

#include "bootstrap/relay/relay_config.h"

enum {
    RELAY_SERVE_DRAIN_MS = 5000,   /* SIGTERM: the longest drain */
    RELAY_SERVE_FAREWELL_MS = 500, /* and the shortest, so that every member is told */
    RELAY_SERVE_STATUS_MS = 30 * 1000,
};

/* Runs until SIGTERM or SIGINT; SIGUSR1 writes the status. Returns the exit status; an
 * error was logged, with what to do. */
int relay_serve(const struct relay_config *config);

#endif
