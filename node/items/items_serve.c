#include "node/items/items_serve.h"

#include <stdlib.h>
#include <string.h>

#include "node/audit/audit.h"
#include "node/items/items_fetch.h"
#include "node/items/items_table.h"
#include "node/os/log.h"
#include "store/item_file.h"

static void items_serve_answer(struct items *items, struct link_id link,
                               const struct frame_item_want *want, uint32_t index,
                               enum frame_answer answer)
{
    struct frame_item_status status = {want->case_id, want->item, index, answer};
    uint8_t memory[1 + 2 * HASH_SIZE + 5];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_item_status_write(&frame, &status);
    runtime_send_frame(items->runtime, link, buffer_bytes(&frame));
}

/* Reads the whole tree and proves it against the item_id: a leaf that the disk has spoiled must not
 * make us a liar. */
static err items_serve_nodes(struct items *items, struct items_entry *entry)
{
    uint32_t count = entry->row.shape.chunk_count;
    struct item_tree tree;
    struct item_id id;
    if (entry->nodes != NULL)
        return OK;
    struct hash *nodes = calloc(item_nodes_count(count), sizeof *nodes);
    if (nodes == NULL)
        return ERR_NO_MEMORY;
    err failure = item_file_leaves(runtime_store(items->runtime), &entry->id, 0, count, nodes);
    item_tree_init(&tree);
    for (uint32_t i = 0; failure == OK && i < count; i++)
        failure = item_tree_add(&tree, &nodes[i]);
    if (failure == OK)
        failure = item_tree_finish(&tree, &entry->row.shape, &id);
    if (failure == OK && !ID_EQUAL(id, entry->id))
        failure = ERR_CORRUPT;
    if (failure != OK) {
        log_error("item-unreadable", log_hex("item", ID_BYTES(entry->id)), log_err("why", failure));
        free(nodes);
        return failure;
    }
    item_nodes_fill(nodes, count);
    entry->nodes = nodes;
    return OK;
}

static err items_serve_chunk(struct items *items, struct items_entry *entry, struct link_id link,
                             const struct frame_item_want *want, uint32_t index)
{
    struct item_file_chunk read;
    struct item_proof proof;
    err failure =
        item_file_read(runtime_store(items->runtime), &entry->id, index, items->chunk, &read);
    if (failure != OK)
        return failure;
    struct hash leaf = item_leaf(read.data);
    if (!ID_EQUAL(leaf, entry->nodes[index]))
        return ERR_CORRUPT;
    item_proof_make(entry->nodes, entry->row.shape.chunk_count, index, &proof);
    struct frame_item_chunk chunk = {
        .case_id = want->case_id, .item = want->item, .index = index, .chunk = read.data};
    chunk.proof = (struct bytes){proof.steps[0].bytes, (size_t)proof.count * HASH_SIZE};
    struct buffer frame = buffer_over(items->frame, sizeof items->frame);
    frame_item_chunk_write(&frame, &chunk);
    runtime_send_frame(items->runtime, link, buffer_bytes(&frame));
    return OK;
}

static void items_serve_chunks(struct items *items, struct items_entry *entry, struct link_id link,
                               const struct frame_item_want *want)
{
    uint32_t chunk_count = entry->row.shape.chunk_count;
    uint32_t count = want->count < ITEMS_WANT_CHUNKS ? want->count : ITEMS_WANT_CHUNKS;
    err failure = items_serve_nodes(items, entry);
    for (uint32_t i = 0; i < count && want->first < chunk_count - i; i++) {
        uint32_t index = want->first + i;
        if (failure == OK)
            failure = items_serve_chunk(items, entry, link, want, index);
        if (failure == OK)
            continue;
        items_serve_answer(items, link, want, index,
                           failure == ERR_NO_MEMORY ? FRAME_BUSY : FRAME_NOT_HELD);
        if (failure == ERR_CORRUPT)
            items_fetch_mend(items, entry, index);
        return;
    }
}

/* ---- (W-13) the audit log first ---- */

static bool items_serve_is_noted(const struct items_row *row, const struct node_id *node)
{
    for (size_t i = 0; i < row->served_count; i++) {
        if (ID_EQUAL(row->served[i], *node))
            return true;
    }
    return false;
}

static void items_serve_unnote(struct items_row *row, const struct node_id *node)
{
    for (size_t i = 0; i < row->served_count; i++) {
        if (ID_EQUAL(row->served[i], *node)) {
            row->served[i] = row->served[--row->served_count];
            return;
        }
    }
}

static void items_serve(struct items *items, struct link_id link, const struct node_id *node,
                        const struct frame_item_want *want);

/* The entry is durable, or the disk refused it: now the wants are answered. */
static void items_serve_on_noted(struct items *items, struct items_entry *entry,
                                 const struct items_kept *kept, err result)
{
    struct items_parked waited[ITEMS_PARKED_MAX];
    size_t count = 0;
    if (entry != NULL && result != OK)
        items_serve_unnote(&entry->row, &kept->node);
    for (size_t i = 0; i < ITEMS_PARKED_MAX; i++) {
        struct items_parked *parked = &items->parked[i];
        if (!parked->is_used || !ID_EQUAL(parked->node, kept->node) ||
            !ID_EQUAL(parked->want.item, kept->item))
            continue;
        waited[count++] = *parked;
        parked->is_used = false;
    }
    for (size_t i = 0; i < count; i++) {
        if (result == OK && entry != NULL)
            items_serve(items, waited[i].link, &waited[i].node, &waited[i].want);
        else
            items_serve_answer(items, waited[i].link, &waited[i].want, waited[i].want.first,
                               FRAME_BUSY);
    }
}

/* Wants are parked only while their institution's entry is on its way. */
static bool items_serve_is_parked(const struct items *items, const struct node_id *node,
                                  const struct item_id *item)
{
    for (size_t i = 0; i < ITEMS_PARKED_MAX; i++) {
        const struct items_parked *parked = &items->parked[i];
        if (parked->is_used && ID_EQUAL(parked->node, *node) && ID_EQUAL(parked->want.item, *item))
            return true;
    }
    return false;
}

/* False when there is no place. */
static bool items_serve_park(struct items *items, struct link_id link, const struct node_id *node,
                             const struct frame_item_want *want)
{
    for (size_t i = 0; i < ITEMS_PARKED_MAX; i++) {
        if (!items->parked[i].is_used) {
            items->parked[i] = (struct items_parked){true, link, *node, *want};
            return true;
        }
    }
    return false;
}

static void items_serve_note(struct items *items, struct items_entry *entry,
                             const struct node_id *node)
{
    struct audit_fact fact = {
        .what = AUDIT_ITEM_SERVED, .case_id = entry->row.case_id, .node = *node, .item = entry->id};
    struct store_op op;
    struct items_kept kept = {.on_done = items_serve_on_noted, .item = entry->id, .node = *node};
    audit_stage(runtime_audit(items->runtime), &fact, &op);
    kept.audit_number = op.audit.number;
    entry->row.served[entry->row.served_count++] = *node;
    items_table_keep(items, entry, &op, &kept);
}

/* ---- wants ---- */

static enum frame_answer items_serve_refusal(err failure)
{
    if (failure == ERR_DESTROYED)
        return FRAME_DESTROYED;
    if (failure == ERR_BUSY || failure == ERR_NO_MEMORY)
        return FRAME_BUSY;
    return failure == ERR_NOT_FOUND || failure == ERR_CORRUPT ? FRAME_NOT_HELD : FRAME_NOT_ENTITLED;
}

/* What stands against answering at all; OK and the entry else. */
static err items_serve_admit(struct items *items, struct link_id link, const struct node_id *node,
                             const struct frame_item_want *want, struct items_entry **ret_entry)
{
    err failure = engine_may_have_items(runtime_engine(items->runtime), node, &want->case_id);
    if (failure == OK)
        failure = items_table_find(items, &want->item, ret_entry);
    if (failure != OK)
        return failure;
    const struct items_entry *entry = *ret_entry;
    if (!ID_EQUAL(entry->row.case_id, want->case_id) || entry->row.state != ITEMS_ROW_HERE ||
        want->first >= entry->row.shape.chunk_count)
        return ERR_NOT_FOUND;
    return runtime_unsent(items->runtime, link) > ITEMS_UNSENT_MAX ? ERR_BUSY : OK;
}

static void items_serve(struct items *items, struct link_id link, const struct node_id *node,
                        const struct frame_item_want *want)
{
    struct items_entry *entry;
    err failure = items_serve_admit(items, link, node, want, &entry);
    bool is_under_way = failure == OK && items_serve_is_parked(items, node, &want->item);
    bool is_noted = failure == OK && items_serve_is_noted(&entry->row, node);
    if (failure == OK && is_noted && !is_under_way) {
        items_serve_chunks(items, entry, link, want);
        return;
    }
    if (failure == OK && ((!is_noted && entry->row.served_count == ITEMS_ROW_SERVED_MAX) ||
                          !items_serve_park(items, link, node, want)))
        failure = ERR_BUSY;
    if (failure != OK)
        items_serve_answer(items, link, want, want->first, items_serve_refusal(failure));
    else if (!is_noted)
        items_serve_note(items, entry, node);
}

void items_serve_want(struct items *items, struct link_id link, struct bytes frame)
{
    struct frame_item_want want;
    struct node_id node;
    err failure = frame_item_want_read(frame, &want);
    if (failure != OK)
        log_debug("item-want-malformed", log_err("why", failure));
    else if (items_table_node_of(items, link, &node))
        items_serve(items, link, &node, &want);
}
