/* The running node: all federations of one configuration on one loop, until it is told to end. */
#ifndef CONSILIUM_NODE_DAEMON_DAEMON_H
#define CONSILIUM_NODE_DAEMON_DAEMON_H

#include "node/daemon/configuration.h"
#include "node/onboarding/identity.h"

/* Runs until SIGTERM or SIGINT. Returns the exit status; what went wrong was printed. */
MUST_USE int daemon_run(const struct configuration *configuration, const struct identity *identity);

#endif
