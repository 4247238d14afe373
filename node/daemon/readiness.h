/* Whether this machine is ready for the settings: what no parser can tell. Each finding is one line
 * that names the setting, where it stands, and what to do.
 *
 * All of it is asked by --check-config, also beside a running node, whose ports and stores are then
 * left alone; the start asks the first part, and finds out the rest by doing it. */
#ifndef CONSILIUM_NODE_DAEMON_READINESS_H
#define CONSILIUM_NODE_DAEMON_READINESS_H

#include "node/daemon/configuration.h"
#include "node/onboarding/identity.h"

/* Directory, keys, how they open, whose they are, group, and the socket's folder. ERR_INVALID. */
MUST_USE err readiness_check(const struct configuration *configuration,
                             struct config_trouble *ret_trouble);

/* True while a node holds one of these stores. */
bool readiness_is_running(const struct configuration *configuration);

/* Each federation has a store, and each endpoint to listen at is free. For a node that is not
 * running. ERR_INVALID. */
MUST_USE err readiness_check_apart(const struct configuration *configuration,
                                   struct config_trouble *ret_trouble);

/* Each store opens with these keys, and is of this institution and this federation. For a node that
 * is not running. ERR_INVALID. */
MUST_USE err readiness_check_stores(const struct configuration *configuration,
                                    const struct identity *identity,
                                    struct config_trouble *ret_trouble);

#endif
