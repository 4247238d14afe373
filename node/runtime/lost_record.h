/* A record of which nothing here can be used any more: the disk lost it, or its signature was
 * spoiled on the way. It goes on the list of what is missing, and the engine requests it like the
 * rest of that list, until a copy with its writer's signature has come (S-14). */
#ifndef CONSILIUM_NODE_RUNTIME_LOST_RECORD_H
#define CONSILIUM_NODE_RUNTIME_LOST_RECORD_H

#include "node/runtime/runtime.h"

struct lost_record {
    struct stream_id stream;
    uint64_t sequence;
    struct record_id id;
    uint32_t flags; /* as stored, as far as they are known */
};

/* Is it on the list already? */
bool lost_record_is_known(struct runtime *runtime, const struct lost_record *lost);

/* It stands on the list for good before anybody is asked for it. Not twice. Without memory it is
 * left to whoever meets it next. */
void lost_record_keep(struct runtime *runtime, const struct lost_record *lost);

#endif
