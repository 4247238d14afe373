/* What may be wrong with a node, and what to do about each: the status of the API, judged. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_CHECKUP_H
#define CONSILIUM_NODE_CLI_PRESENT_CHECKUP_H

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

#include "node/os/kernel_clock.h"

/* What the status does not tell. */
struct checkup_machine {
    time_t now;
    enum kernel_clock clock;
};

/* The checks of all federations of `GET /v1/status`, each {"federation"?, "check", "state" ("ok",
 * "warning" or "fault"), "says", "do"?}; a fault keeps the node from its work. The caller owns it.
 */
json_t *checkup_of(const json_t *status, const struct checkup_machine *machine);

bool checkup_has_fault(const json_t *checks);

/* For people, at most 80 columns wide. */
void checkup_render(const json_t *checks);

#endif
