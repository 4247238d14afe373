/* The state of the node in the text format that Prometheus reads: for the textfile collector of its
 * node exporter. Nothing clinical, and no institution but the node's federations by name. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_RENDER_METRICS_H
#define CONSILIUM_NODE_CLI_PRESENT_RENDER_METRICS_H

#include <jansson.h>

/* `answer` is that of GET /v1/status. Prints to standard output. */
void render_metrics(const json_t *answer);

#endif
