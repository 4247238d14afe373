/* What each connected peer was sent, and has reported durable, of our own streams.
 *
 * A mark lives as long as the connection: nothing about a peer is trusted across one. */
#ifndef CONSILIUM_PROTOCOL_CORE_MARKS_H
#define CONSILIUM_PROTOCOL_CORE_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mark {
    uint32_t session; /* 0: free */
    uint32_t stream;
    uint64_t sent; /* it has, or was sent, all up to here */
    uint64_t had;  /* it reported header, body and key durable up to here */
};

struct marks {
    struct mark *all;
    uint32_t mask;
    uint32_t count;
};

size_t marks_memory_size(uint32_t count_max);
/* `count_max` is a power of two; memory is zeroed. */
void marks_init(struct marks *marks, void *memory, uint32_t count_max);

/* NULL when there is none. */
struct mark *marks_find(struct marks *marks, uint32_t session, uint32_t stream);
/* Made when new; NULL when the table is three quarters full: treat the peer as behind. */
struct mark *marks_add(struct marks *marks, uint32_t session, uint32_t stream);

/* Drops the marks of sessions that `is_live` denies, when the table is over half full. */
void marks_sweep(struct marks *marks, bool (*is_live)(const void *arg, uint32_t session),
                 const void *arg);

#endif
