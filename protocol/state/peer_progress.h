/* What each connected peer was sent, and has reported durable, of our own streams.
 *
 * A mark lives as long as the connection: nothing about a peer is trusted across one. */
#ifndef CONSILIUM_PROTOCOL_STATE_PEER_PROGRESS_H
#define CONSILIUM_PROTOCOL_STATE_PEER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mark {
    uint32_t session; /* 0: free */
    uint32_t stream;
    uint64_t sent; /* it has, or was sent, all up to here */
    uint64_t had;  /* it reported header, body and key durable up to here */
};

struct peer_progress {
    struct mark *all;
    uint32_t mask;
    uint32_t count;
};

size_t peer_progress_memory_size(uint32_t count_max);
/* `count_max` is a power of two; memory is zeroed. */
void peer_progress_init(struct peer_progress *marks, void *memory, uint32_t count_max);

/* NULL when there is none. */
struct mark *peer_progress_find(struct peer_progress *marks, uint32_t session, uint32_t stream);
/* Made when new; NULL when the table is three quarters full: treat the peer as behind. */
struct mark *peer_progress_add(struct peer_progress *marks, uint32_t session, uint32_t stream);

/* Drops the marks of sessions that `is_live` denies, when the table is over half full. */
void peer_progress_sweep(struct peer_progress *marks,
                         bool (*is_live)(const void *arg, uint32_t session), const void *arg);

#endif
