/* The status of a relay in the text format that Prometheus reads: for the textfile collector of its
 * node exporter. Totals only, as in the status: no member and no pair of members. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_METRICS_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_METRICS_H

#include <stdio.h>

#include "protocol/base/error.h"

/* Asks a relay that runs in `directory` for its status, and prints it. Errors as relay_status_show;
 * what was read of an earlier status is printed as well, with consilium_relay_up 0. */
MUST_USE err relay_metrics_show(const char *directory, FILE *out);

#endif
