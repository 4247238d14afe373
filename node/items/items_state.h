/* What the rooms of items share: items.c (the face), items_table.c (what is in memory),
 * items_import.c (sealing our own), items_serve.c (answering),
 * items_fetch.c (a fetch), items_request.c (which chunk of whom), items_receive.c (what comes). */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_STATE_H
#define CONSILIUM_NODE_ITEMS_ITEMS_STATE_H

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

/* ---- items_table.c ---- */

/* From memory, else from the store; ERR_NOT_FOUND, ERR_CORRUPT, ERR_NO_MEMORY. Borrowed until the
 * next call of this. */
MUST_USE err items_table_find(struct items *items, const struct item_id *id,
                              struct items_entry **ret_entry);
/* In memory only; NULL. */
struct items_entry *items_table_known(struct items *items, const struct item_id *id);
/* NULL: no memory. */
struct items_entry *items_table_add(struct items *items, const struct item_id *id,
                                    const struct items_row *row);
/* Keeps the entry's row, with `extra` (may be NULL) in one batch; `kept` is copied. `entry` is NULL
 * for the callback when it was dropped meanwhile. Not called when the items are closed. */
struct items_kept {
    void (*on_done)(struct items *items, struct items_entry *entry, const struct items_kept *kept,
                    err result);
    struct item_id item;
    struct node_id node;
    uint64_t audit_number; /* 0: none */
};
void items_table_keep(struct items *items, struct items_entry *entry, const struct store_op *extra,
                      const struct items_kept *kept);
/* Forgets it and, when `is_deleted`, deletes file and row. */
void items_table_drop(struct items *items, struct items_entry *entry, bool is_deleted);

/* Deletes file and row. */
void items_delete(struct items *items, const struct item_id *id);

/* Counts what still comes; the memory goes with the last of it after items_free. */
void items_hold(struct items *items);
void items_release(struct items *items);
/* On a worker, or here when all are busy. `done` must call items_release. */
void items_work(struct items *items, struct job *job);

bool items_case_is_erased(const struct items *items, const struct case_id *case_id);
/* The node at the other end; false when it is not greeted. */
bool items_node_of(const struct items *items, struct link_id link, struct node_id *ret_node);

/* ---- items_import.c ---- */

/* Answers ERR_BUSY to all. */
void items_import_stop(struct items *items);

/* ---- items_serve.c ---- */

void items_serve_want(struct items *items, struct link_id link, struct bytes frame);

/* ---- items_fetch.c ---- */

/* Makes the row's fetch go on; `entry` has none yet. */
void items_fetch_begin(struct items *items, struct items_entry *entry);
/* When all chunks are durable: the fetch is over, and the row says so. */
void items_fetch_whole(struct items *items, struct items_entry *entry);
/* Sources come and go, time passes; then asks for what is missing. */
void items_fetch_tick(struct items *items);
void items_fetch_pump(struct items *items, struct items_entry *entry);
enum items_state items_fetch_state(const struct items_entry *entry);
/* A chunk that was thought durable is not what it should be. */
void items_fetch_mend(struct items *items, struct items_entry *entry, uint32_t index);
void items_fetch_status(struct items *items, struct link_id link, struct bytes frame);

/* ---- items_request.c ---- */

/* Frees it; the wants that are out are forgotten. */
void items_fetch_end(struct items *items, struct items_entry *entry);
/* What was asked of the source is missing again; it is asked nothing more for `pause_ms`. */
void items_fetch_silence(struct items *items, struct items_fetch *fetch,
                         struct items_source *source, uint64_t pause_ms);
/* What a source owes for a chunk; NULL when it was not asked for it. */
struct items_source *items_fetch_source(struct items_fetch *fetch, struct link_id link);
struct items_want *items_fetch_want(struct items_source *source, uint32_t index);
/* The chunk is missing again. */
void items_fetch_return(struct items *items, struct items_fetch *fetch, uint32_t index);

/* ---- items_receive.c ---- */

void items_take_chunk(struct items *items, struct link_id link, struct bytes frame);

#endif
