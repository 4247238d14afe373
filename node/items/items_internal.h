/* The struct of items, for the files of this folder alone. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_INTERNAL_H
#define CONSILIUM_NODE_ITEMS_ITEMS_INTERNAL_H

#include "node/items/items.h"
#include "node/os/workers.h"
#include "node/rows/items_row.h"
#include "protocol/wire/frame.h"
#include "store/store.h"

enum {
    ITEMS_IDLE_MAX = 8,         /* entries kept in memory that nothing goes on with */
    ITEMS_FETCH_MAX = 1024,     /* fetches in memory; more wait in the store */
    ITEMS_WANT_CHUNKS = 8,      /* asked for, and answered, in one FRAME_ITEM_WANT */
    ITEMS_SOURCE_WANTS = 3,     /* unanswered, of one source */
    ITEMS_WINDOW_CHUNKS = 128,  /* of all fetches together: asked for, checked or being written */
    ITEMS_UNSENT_MAX = 1 << 20, /* a link with more waiting gets no chunks now */
    ITEMS_PARKED_MAX = 64,      /* wants that wait for their audit entry */
    ITEMS_PUT_CHUNKS = 69,      /* sealed at a time: what the store syncs at once */
    ITEMS_TICK_MS = 250,
    ITEMS_ANSWER_MS = 10 * 1000, /* without a chunk for so long: somebody else is asked */
    ITEMS_BUSY_MS = 300,
    ITEMS_NOT_HELD_MS = 10 * 1000,
    ITEMS_REFUSED_MS = 30 * 1000,
    ITEMS_DISK_MS = 30 * 1000, /* the disk had no room */
    ITEMS_BAD_MAX = 3,         /* wrong chunks of one source, and it is not asked again */
};

/* ---- fetching ---- */

enum items_mark { ITEMS_MISSING, ITEMS_ASKED, ITEMS_COMING, ITEMS_DURABLE };

struct items_want {
    uint32_t first;
    uint32_t count; /* 0: free */
    uint32_t left;  /* chunks that have not come */
};

/* An institution that has access to the case, and so may hold the item. */
struct items_source {
    struct node_id node;
    struct link_id link; /* 0: not connected */
    struct mono resume_at;
    struct mono deadline;     /* of its wants */
    enum frame_answer answer; /* its last refusal; 0: none on this link */
    unsigned bad_count;
    struct items_want wants[ITEMS_SOURCE_WANTS];
};

struct items_fetch {
    bool is_ready; /* row and file are there */
    bool is_opening;
    struct mono resume_at;
    uint8_t *marks; /* enum items_mark, one for each chunk; NULL until ready */
    uint32_t here_count;
    uint32_t first_missing; /* none is missing before it */
    struct items_source sources[ITEMS_ROW_SERVED_MAX];
    size_t source_count;
};

/* ---- an item in memory ---- */

struct items_entry {
    struct items_entry *next; /* the most recently used first */
    struct item_id id;
    struct items_row row;
    unsigned writing;          /* batches under way that hold the row */
    bool is_dropped;           /* deleted meanwhile: goes when nothing is under way */
    struct hash *nodes;        /* of the whole tree, when it is served; NULL else */
    struct items_fetch *fetch; /* NULL: none under way */
};

/* A want that waits until the audit log says that this institution gets the item. */
struct items_parked {
    bool is_used;
    struct link_id link;
    struct node_id node;
    struct frame_item_want want;
};

struct items_putting;

struct items {
    struct runtime *runtime;
    struct items_entry *entries;
    struct items_putting *puts; /* the first one is worked on */
    struct items_parked parked[ITEMS_PARKED_MAX];
    uint32_t window;    /* chunks asked for, checked or being written */
    uint64_t job_count; /* spreads the jobs over the workers */
    unsigned pending;   /* callbacks and jobs that still come */
    bool has_more;      /* rows of unfinished fetches that are not in memory */
    bool is_started;
    bool is_closing;
    bool is_timer_open;
    uv_timer_t tick;
    uint8_t chunk[CHUNK_SIZE_MAX];
    uint8_t frame[FRAME_SIZE_MAX];
};

#endif
