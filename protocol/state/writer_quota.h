/* How much each writer has made this node keep, and how much it may. The link's budget pays before
 * a signature is checked, whoever wrote the records; the writer's is charged when they go to the
 * store, so that one member cannot fill disks through many links, and refunded when that takes them
 * not. What a writer used stands in the store with the records, and outlives a restart. Over budget
 * means later: what is passed over is asked for again, and stands against nobody. */
#ifndef CONSILIUM_PROTOCOL_STATE_WRITER_QUOTA_H
#define CONSILIUM_PROTOCOL_STATE_WRITER_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/ids.h"

struct writer_use {
    struct node_id node; /* zeros: free */
    uint64_t used_kib;   /* of records that were given to the store, also before the start */
};

struct writer_quota {
    struct writer_use *all;
    uint32_t mask;
    uint32_t count;
};

size_t writer_quota_memory_size(uint32_t count_max);
/* `count_max` is a power of two, twice the members that there may be; memory is zeroed. */
void writer_quota_init(struct writer_quota *writer_quota, void *memory, uint32_t count_max);

/* A record of so many bytes was kept; each counts whole KiB. */
void writer_quota_charge(struct writer_quota *writer_quota, const struct node_id *node,
                         size_t size);
/* It was not kept after all. */
void writer_quota_refund(struct writer_quota *writer_quota, const struct node_id *node,
                         size_t size);
/* So many records were here at the start; each counts as one KiB until it is known better. */
void writer_quota_restore(struct writer_quota *writer_quota, const struct node_id *node,
                          uint64_t record_count);

/* What the writer had used, as the store kept it. */
void writer_quota_restore_used(struct writer_quota *writer_quota, const struct node_id *node,
                               uint64_t used_kib);
uint64_t writer_quota_used(const struct writer_quota *writer_quota, const struct node_id *node);

/* Has a member used up what it may by `now`? It is one since `since`, as far as is known here. */
bool writer_quota_is_spent(const struct writer_quota *writer_quota, const struct node_id *node,
                           struct wall since, struct wall now);

#endif
