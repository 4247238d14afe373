#include "node/items/items.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit/audit.h"
#include "node/items/items_fetch.h"
#include "node/items/items_import.h"
#include "node/items/items_internal.h"
#include "node/items/items_receive.h"
#include "node/items/items_serve.h"
#include "node/items/items_table.h"
#include "node/os/log.h"
#include "store/item_file.h"
#include "store/row_table.h"

void items_put(struct items *items, const struct case_id *case_id, struct items_content content,
               void (*on_done)(void *arg, const struct items_put *put), void *arg)
{
    items_import_put(items, case_id, content, on_done, arg);
}

void items_drop(struct items *items, const struct item_id *item)
{
    struct items_entry *entry = items_table_known(items, item);
    if (entry != NULL)
        items_table_drop(items, entry, true);
    else
        items_table_delete(items, item);
}

/* ---- reading ---- */

err items_read(struct items *items, const struct case_file_item *item, uint32_t index,
               uint8_t *ret_piece, size_t *ret_size)
{
    struct item_shape shape;
    struct items_entry *entry;
    struct item_file_chunk chunk;
    err failure = item_shape_of(item->size, &shape);
    if (failure != OK || index >= shape.chunk_count)
        return ERR_INVALID;
    failure = items_table_find(items, &item->item_id, &entry);
    if (failure != OK)
        return failure;
    failure =
        item_file_read(runtime_store(items->runtime), &item->item_id, index, items->chunk, &chunk);
    if (failure == OK && !ID_EQUAL(chunk.leaf, item_leaf(chunk.data)))
        failure = ERR_CORRUPT;
    if (failure == ERR_CORRUPT)
        items_fetch_mend(items, entry, index);
    if (failure == OK)
        failure = item_open_chunk(&item->item_key, &shape, index, chunk.data, ret_piece);
    if (failure == OK)
        *ret_size = item_piece_size(&shape, index);
    return failure == ERR_MALFORMED ? ERR_BAD_KEY : failure;
}

struct items_progress items_progress(struct items *items, const struct case_file_item *item)
{
    struct items_progress progress = {.chunk_count = item->chunk_count};
    struct items_entry *entry;
    struct item_file_state file;
    if (items_table_find(items, &item->item_id, &entry) != OK ||
        entry->row.state == ITEMS_ROW_PUTTING)
        return progress;
    progress.chunk_count = entry->row.shape.chunk_count;
    if (entry->row.state == ITEMS_ROW_HERE) {
        progress.state = ITEMS_HERE;
        progress.chunks_here = progress.chunk_count;
        return progress;
    }
    progress.state = items_fetch_state(entry);
    if (entry->fetch != NULL && entry->fetch->marks != NULL)
        progress.chunks_here = entry->fetch->here_count;
    else if (item_file_state(runtime_store(items->runtime), &item->item_id, &file) == OK)
        progress.chunks_here = file.chunks_here;
    return progress;
}

/* ---- life ---- */

static void items_on_frame(void *arg, struct link_id link, struct bytes frame)
{
    struct items *items = arg;
    if (frame.data[0] == FRAME_ITEM_WANT)
        items_serve_want(items, link, frame);
    else if (frame.data[0] == FRAME_ITEM_CHUNK)
        items_receive_chunk(items, link, frame);
    else if (frame.data[0] == FRAME_ITEM_STATUS)
        items_fetch_status(items, link, frame);
}

static size_t items_fetch_count(const struct items *items)
{
    size_t count = 0;
    for (const struct items_entry *entry = items->entries; entry != NULL; entry = entry->next)
        count += entry->fetch != NULL ? 1 : 0;
    return count;
}

/* Fetches go on; at the start, items that a crash left half sealed are deleted. */
static bool items_restore_row(void *arg, const struct item_id *id, const struct items_row *row)
{
    struct items *items = arg;
    if (row->state == 0)
        log_error("item-row-unreadable", log_hex("item", ID_BYTES(*id)),
                  log_text("do", "restore a backup, or ask the requester to send the item again"));
    if (row->state == ITEMS_ROW_PUTTING && !items->is_started)
        items_table_delete(items, id);
    if (row->state == ITEMS_ROW_FETCHING && items_table_known(items, id) == NULL) {
        items->has_more = items_fetch_count(items) >= ITEMS_FETCH_MAX;
        struct items_entry *entry = items->has_more ? NULL : items_table_add(items, id, row);
        if (entry != NULL)
            items_fetch_begin(items, entry);
    }
    return !items->has_more;
}

static err items_restore(struct items *items)
{
    items->has_more = false;
    return items_row_scan(runtime_store(items->runtime), items_restore_row, items);
}

static void items_on_tick(uv_timer_t *timer)
{
    struct items *items = timer->data;
    items_fetch_tick(items);
    if (items->has_more && items_fetch_count(items) < ITEMS_FETCH_MAX / 2 &&
        items_restore(items) != OK)
        items->has_more = true;
}

err items_new(struct runtime *runtime, struct items **ret_items)
{
    struct items *items = calloc(1, sizeof *items);
    if (items == NULL)
        return ERR_NO_MEMORY;
    items->runtime = runtime;
    uv_timer_init(runtime_settings(runtime)->loop, &items->tick);
    items->tick.data = items;
    items->is_timer_open = true;
    err failure = items_restore(items);
    if (failure != OK) {
        items_free(items);
        return failure;
    }
    items->is_started = true;
    uv_timer_start(&items->tick, items_on_tick, ITEMS_TICK_MS, ITEMS_TICK_MS);
    struct runtime_items face = {items_on_frame, items};
    runtime_attach_items(runtime, &face);
    *ret_items = items;
    return OK;
}

static void items_on_timer_closed(uv_handle_t *handle)
{
    struct items *items = handle->data;
    items->is_timer_open = false;
    items_table_release(items);
}

void items_free(struct items *items)
{
    if (items == NULL)
        return;
    struct runtime_items nobody = {0};
    runtime_attach_items(items->runtime, &nobody);
    items->is_closing = true;
    items_import_stop(items);
    items_table_hold(items);
    uv_close((uv_handle_t *)&items->tick, items_on_timer_closed);
}
