/* What the running node may touch: its data, the folder of its socket, and the child that reads
 * PDF. node/os/sandbox.h says how it is kept to that.
 *
 * Three steps: find before anything else, paths before the first thread, calls when all is open. */
#ifndef CONSILIUM_NODE_DAEMON_CONFINEMENT_H
#define CONSILIUM_NODE_DAEMON_CONFINEMENT_H

#include "node/daemon/configuration.h"

struct confinement {
    char socket_folder[CONFIGURATION_PATH_SIZE];
    char pdf_program[CONFIGURATION_PATH_SIZE];
    /* data, the marker's and the socket's folder, then each federation's, which may be a link to
     * elsewhere */
    const char *folders[CONFIGURATION_FEDERATION_MAX + 5]; /* ends with NULL */
    const char *programs[2]; /* ends with NULL; none when there is no consilium-pdf */
};

/* Fills `ret_confinement`, which points into itself and borrows from `configuration`. */
void confinement_find(const struct configuration *configuration,
                      struct confinement *ret_confinement);

/* As sandbox_paths. A kernel without Landlock is OK: a warning is logged. ERR_IO: do not start. */
MUST_USE err confinement_paths(const struct confinement *confinement);

/* As sandbox_calls; ERR_IO: do not start. */
MUST_USE err confinement_calls(const struct confinement *confinement);

#endif
