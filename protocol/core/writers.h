/* How much each writer has made this node keep, and how much it may. The link's budget pays before
 * a signature is checked, whoever wrote the records; the writer's is charged when they are durable,
 * so that one member cannot fill disks through many links. Over budget means later: what is passed
 * over is asked for again, and stands against nobody. */
#ifndef CONSILIUM_PROTOCOL_CORE_WRITERS_H
#define CONSILIUM_PROTOCOL_CORE_WRITERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/ids.h"

struct writer_use {
    struct node_id node; /* zeros: free */
    uint64_t used_kib;   /* of records kept since the start; of those before, one for each */
};

struct writers {
    struct writer_use *all;
    uint32_t mask;
    uint32_t count;
};

size_t writers_memory_size(uint32_t count_max);
/* `count_max` is a power of two, twice the members that there may be; memory is zeroed. */
void writers_init(struct writers *writers, void *memory, uint32_t count_max);

/* A record of so many bytes was kept; each counts whole KiB. */
void writers_charge(struct writers *writers, const struct node_id *node, size_t size);
/* So many records were here at the start. */
void writers_restore(struct writers *writers, const struct node_id *node, uint64_t record_count);

/* Has a member used up what it may by `now`? It is one since `since`, as far as is known here. */
bool writers_is_spent(const struct writers *writers, const struct node_id *node, struct wall since,
                      struct wall now);

#endif
