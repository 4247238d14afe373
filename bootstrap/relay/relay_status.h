/* The status of a relay: DIRECTORY/status, lines of key=value, totals only. Written when it
 * starts, every half minute, on SIGUSR1 and at its end. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_STATUS_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_STATUS_H

#include <stdio.h>

#include "bootstrap/relay/relay_config.h"

struct relay_status {
    const char *state; /* "running", "draining", "ended" */
    uint64_t uptime_s;
    struct relay_head head;
    struct wall valid_until;
    uint32_t listed;
    struct relay_engine_counts counts;
    uint64_t refused_handshakes;
    size_t memory_size; /* reserved; used only under load */
};

/* Writes the file, whole. ERR_IO (errno). */
MUST_USE err relay_status_write(const struct relay_config *config,
                                const struct relay_status *status);

/* Asks a relay that runs in `directory` to write its status, and copies it to `out`. Prints a
 * notice on standard error after two seconds, and gives up after thirty.
 *
 *   ERR_STATE         no relay runs there; the last status, if there is one, was copied
 *   ERR_NOT_FOUND     no relay ever ran there
 *   ERR_NOT_ENTITLED  it runs as another user
 *   ERR_BUSY          the relay does not answer; its last status was copied
 *   ERR_IO            it could not be read */
MUST_USE err relay_status_show(const char *directory, FILE *out);

/* Takes the lock that says that a relay runs in `directory`, until the process ends.
 * ERR_BUSY, ERR_IO. */
MUST_USE err relay_status_lock(const char *directory, int *ret_fd);

#endif
