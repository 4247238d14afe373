/* The items that are in memory, and what is kept of each. */
#ifndef CONSILIUM_NODE_ITEMS_ITEMS_TABLE_H
#define CONSILIUM_NODE_ITEMS_ITEMS_TABLE_H

#include "node/items/items_internal.h"

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
void items_table_delete(struct items *items, const struct item_id *id);

/* Counts what still comes; the memory goes with the last of it after items_free. */
void items_table_hold(struct items *items);
void items_table_release(struct items *items);
/* On a worker, or here when all are busy. `done` must call items_table_release. */
void items_table_work(struct items *items, struct job *job);

bool items_table_case_is_erased(const struct items *items, const struct case_id *case_id);
/* The node at the other end; false when it is not greeted. */
bool items_table_node_of(const struct items *items, struct link_id link, struct node_id *ret_node);

#endif
