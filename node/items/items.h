/* The items of case files (documents, images) of one federation: sealed and kept here, served to
 * those whom the case grants access, fetched from those who hold them.
 *
 * A row (node/rows/items_row.h) says whose case an item belongs to and holds its key;
 * the chunks are the store's item files. Everything runs on the loop; nothing blocks but short
 * reads.
 *
 * Serving: a whole item goes, a few chunks for each want, to whom engine_may_have_items admits; the
 * audit log names an institution durably before it gets the first chunk of an item.
 * Fetching: from all connected institutions that have access, the requester first; each chunk is
 * checked against the item_id before it is written, so it does not matter who sent it. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_H
#define CONSILIUM_NODE_ITEMS_ITEMS_H

#include "node/runtime/runtime.h"
#include "protocol/contents/case_file.h"
#include "protocol/record/item.h"

struct items;

/* Attaches itself to the runtime (frames, links). ERR_NO_MEMORY. */
MUST_USE err items_new(struct runtime *runtime, struct items **ret_items);
/* Accepts NULL. */
void items_free(struct items *items);

/* ---- our own attachments ---- */

/* A sealed item as it stands in a case file; without name and media type, which are the caller's.
 */
struct items_put {
    err verdict;
    struct item_id item_id;
    struct item_key item_key; /* secret */
    uint64_t size;
    uint64_t chunk_count;
};

/* Seals `content` (malloc'd; taken over, wiped and freed) under a new key on a worker, chunk by
 * chunk into the store, and calls `on_done` once, later or at once: with OK when all of it and its
 * row are durable. Nobody can ask for it before a MANIFEST of the case names its item_id.
 * ERR_TOO_LARGE, ERR_FULL, ERR_IO, ERR_BUSY come as the verdict; nothing is left of it then. */
struct items_content {
    uint8_t *data;
    size_t size;
};
void items_put(struct items *items, const struct case_id *case_id, struct items_content content,
               void (*on_done)(void *arg, const struct items_put *put), void *arg);

/* Drops an item that no case file lists (of a draft), or one that is not wanted any more. */
void items_drop(struct items *items, const struct item_id *item_id);

/* ---- fetching ---- */

/* Starts to fetch, or goes on. `item` is as the case file in force lists it; its key is kept in the
 * row. OK when it is under way or all here, and it goes on after a restart by itself.
 * ERR_NOT_FOUND (no such case here), ERR_NOT_ENTITLED, ERR_COOLING_OFF, ERR_DESTROYED as
 * engine_may_have_items; ERR_EXISTS: another case has an item of this id, so one of the two case
 * files lies; ERR_INVALID: the chunk count does not fit the size; ERR_FULL, ERR_NO_MEMORY. */
MUST_USE err items_fetch(struct items *items, const struct case_id *case_id,
                         const struct case_file_item *item);

enum items_state {
    ITEMS_ABSENT,   /* nothing was asked for */
    ITEMS_FETCHING, /* chunks come, or are asked for */
    ITEMS_WAITING,  /* nobody who holds it is connected; or the disk has no room now */
    ITEMS_REFUSED,  /* those who hold it say that we are not entitled */
    ITEMS_HERE,     /* all chunks durable */
};
struct items_progress {
    enum items_state state;
    uint64_t chunk_count;
    uint64_t chunks_here;
};
struct items_progress items_progress(struct items *items, const struct case_file_item *item);

/* Opens piece `index` of an item into `ret_piece` (ITEM_PIECE_SIZE bytes).
 * ERR_NOT_FOUND: not here yet. ERR_CORRUPT: the disk gave other bytes, the chunk is fetched again.
 * ERR_BAD_KEY: the case file gives a key that does not open it. ERR_INVALID: no such piece. */
MUST_USE err items_read(struct items *items, const struct case_file_item *item, uint32_t index,
                        uint8_t *ret_piece, size_t *ret_size);

#endif
