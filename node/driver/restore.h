/* The start: roster, streams, what is missing, and what records mean, from the store into the
 * engine. */
#ifndef CONSILIUM_NODE_DRIVER_RESTORE_H
#define CONSILIUM_NODE_DRIVER_RESTORE_H

#include "node/rollback/rollback_check.h"
#include "node/runtime/runtime.h"

struct restored {
    enum event_marker marker;
    bool is_damaged;       /* a read met damage: the scrub should hurry */
    uint64_t record_count; /* replayed */
};

/* Before EVENT_START. Fails when what is stored does not fit together, as the reads do. */
MUST_USE err restore_all(struct runtime *runtime, struct rollback_check *rollback_check,
                         struct restored *ret_restored);

#endif
