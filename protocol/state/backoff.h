/* How long one peer is not asked about a stream after something of it was refused: each stream,
 * with the reason, and twice as long each time it is refused for the same one (T-26). */
#ifndef CONSILIUM_PROTOCOL_STATE_BACKOFF_H
#define CONSILIUM_PROTOCOL_STATE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/ids.h"

enum {
    BACKOFF_COUNT = 64, /* streams of one peer; beyond, the pause that ends first yields */
    BACKOFF_MS = 1000,
    BACKOFF_MS_MAX = 20 * 1000, /* less than the time between two summaries */
};

struct backoff {
    uint32_t slot; /* of the stream */
    err reason;    /* OK: this place is free */
    uint64_t pause_ms;
    struct mono until;
};

/* Zeros: nothing was refused. Lies in the peer, and ends with its connection. */
struct backoffs {
    struct backoff all[BACKOFF_COUNT];
};

/* A record of the stream was refused for this reason. */
void backoff_refused(struct backoffs *backoffs, uint32_t slot, err reason, struct mono now);
/* Is the peer not to be asked about the stream now? */
bool backoff_holds(const struct backoffs *backoffs, uint32_t slot, struct mono now);
/* What its records are judged by has changed: the stream may be asked for at once. */
void backoff_end(struct backoff *backoff);

#endif
