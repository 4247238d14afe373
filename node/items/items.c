#include "node/items/items_state.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/federation/audit.h"
#include "node/io/log.h"
#include "store/item_file.h"
#include "store/row_table.h"

/* ---- what still comes ---- */

void items_hold(struct items *items)
{
    items->pending++;
}

static void items_free_entries(struct items *items)
{
    while (items->entries != NULL) {
        struct items_entry *entry = items->entries;
        items->entries = entry->next;
        items_fetch_end(items, entry);
        free(entry->nodes);
        sodium_memzero(entry, sizeof *entry);
        free(entry);
    }
}

void items_release(struct items *items)
{
    items->pending--;
    if (items->pending > 0 || !items->is_closing || items->is_timer_open)
        return;
    items_free_entries(items);
    free(items);
}

void items_work(struct items *items, struct job *job)
{
    items_hold(items);
    if (workers_submit(shell_settings(items->shell)->workers, items->job_count++, job) == OK)
        return;
    job->run(job); /* all workers are busy: this thread helps */
    job->done(job);
}

/* ---- who ---- */

bool items_case_is_erased(const struct items *items, const struct case_id *case_id)
{
    const struct consult *consult = core_case(shell_core(items->shell), case_id);
    return consult != NULL && consult->state == CASE_ERASED;
}

bool items_node_of(const struct items *items, struct link_id link, struct node_id *ret_node)
{
    struct core_peer peer;
    for (uint32_t n = 0; core_peer(shell_core(items->shell), n, &peer); n++) {
        if (peer.link.value == link.value) {
            *ret_node = peer.node;
            return true;
        }
    }
    return false;
}

/* ---- entries ---- */

static void items_entry_free(struct items *items, struct items_entry *entry)
{
    struct items_entry **link = &items->entries;
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    items_fetch_end(items, entry);
    free(entry->nodes);
    sodium_memzero(entry, sizeof *entry);
    free(entry);
}

/* What was not used for the longest, and nothing goes on with, makes room. */
static void items_entry_evict(struct items *items)
{
    struct items_entry *last = NULL;
    size_t idle_count = 0;
    for (struct items_entry *entry = items->entries; entry != NULL; entry = entry->next) {
        if (entry->writing == 0 && entry->fetch == NULL) {
            idle_count++;
            last = entry;
        }
    }
    if (idle_count > ITEMS_IDLE_MAX)
        items_entry_free(items, last);
}

struct items_entry *items_entry_known(struct items *items, const struct item_id *id)
{
    for (struct items_entry *entry = items->entries; entry != NULL; entry = entry->next) {
        if (!entry->is_dropped && ID_EQUAL(entry->id, *id))
            return entry;
    }
    return NULL;
}

struct items_entry *items_entry_add(struct items *items, const struct item_id *id,
                                    const struct items_row *row)
{
    struct items_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->id = *id;
    entry->row = *row;
    entry->next = items->entries;
    items->entries = entry;
    return entry;
}

err items_entry_find(struct items *items, const struct item_id *id, struct items_entry **ret_entry)
{
    struct items_entry *entry = items_entry_known(items, id);
    struct items_row row;
    if (entry == NULL) {
        err failure = items_row_load(shell_store(items->shell), id, &row);
        if (failure != OK)
            return failure;
        entry = items_entry_add(items, id, &row);
        sodium_memzero(&row, sizeof row);
        if (entry == NULL)
            return ERR_NO_MEMORY;
    } else if (entry != items->entries) {
        struct items_entry **link = &items->entries;
        while (*link != entry)
            link = &(*link)->next;
        *link = entry->next;
        entry->next = items->entries;
        items->entries = entry;
    }
    if (items_case_is_erased(items, &entry->row.case_id)) {
        items_entry_drop(items, entry, false); /* erasing.c deletes it */
        return ERR_NOT_FOUND;
    }
    items_entry_evict(items);
    *ret_entry = entry;
    return OK;
}

struct items_keeping {
    struct items *items;
    struct items_entry *entry;
    struct items_kept kept;
};

static void items_on_kept(void *arg, err result)
{
    struct items_keeping *keeping = arg;
    struct items *items = keeping->items;
    struct items_entry *entry = keeping->entry;
    if (keeping->kept.audit_number != 0)
        audit_settle(shell_audit(items->shell), keeping->kept.audit_number, result);
    entry->writing--;
    bool is_gone = entry->is_dropped;
    if (is_gone && entry->writing == 0)
        items_entry_free(items, entry);
    if (!items->is_closing && keeping->kept.on_done != NULL)
        keeping->kept.on_done(items, is_gone ? NULL : entry, &keeping->kept, result);
    free(keeping);
    items_release(items);
}

void items_entry_keep(struct items *items, struct items_entry *entry, const struct store_op *extra,
                      const struct items_kept *kept)
{
    uint8_t memory[ITEMS_ROW_SIZE_MAX];
    struct store_op ops[2] = {items_row_op(&entry->row, &entry->id, memory)};
    size_t count = 1;
    if (extra != NULL)
        ops[count++] = *extra;
    struct items_keeping *keeping = malloc(sizeof *keeping);
    if (keeping == NULL)
        abort(); /* memory and store would be at odds */
    *keeping = (struct items_keeping){items, entry, *kept};
    entry->writing++;
    items_hold(items);
    struct shell_keep keep = {ops, count, STORE_NORMAL, items_on_kept, keeping};
    shell_keep(items->shell, &keep);
    sodium_memzero(memory, sizeof memory);
}

static void items_on_deleted(void *arg, err result)
{
    if (result != OK)
        log_error("item-not-deleted", log_err("why", result));
    items_release(arg);
}

static void items_delete(struct items *items, const struct item_id *id)
{
    struct store_op op = {.kind = STORE_ITEM_DELETE, .item = *id};
    struct store_op row = {.kind = STORE_ROW_DELETE};
    row.row = (struct store_row){STORE_TABLE_ITEM, ID_BYTES(*id), BYTES_NONE};
    struct store_op ops[] = {op, row};
    struct shell_keep keep = {ops, 2, STORE_RELEASING, items_on_deleted, items};
    items_hold(items);
    shell_keep(items->shell, &keep);
}

void items_entry_drop(struct items *items, struct items_entry *entry, bool is_deleted)
{
    if (is_deleted)
        items_delete(items, &entry->id);
    entry->is_dropped = true;
    items_fetch_end(items, entry);
    if (entry->writing == 0)
        items_entry_free(items, entry);
}

void items_drop(struct items *items, const struct item_id *item)
{
    struct items_entry *entry = items_entry_known(items, item);
    if (entry != NULL)
        items_entry_drop(items, entry, true);
    else
        items_delete(items, item);
}

/* ---- reading ---- */

err items_read(struct items *items, const struct casefile_item *item, uint32_t index,
               uint8_t *ret_piece, size_t *ret_size)
{
    struct item_shape shape;
    struct items_entry *entry;
    struct item_file_chunk chunk;
    err failure = item_shape_of(item->size, &shape);
    if (failure != OK || index >= shape.chunk_count)
        return ERR_INVALID;
    failure = items_entry_find(items, &item->item_id, &entry);
    if (failure != OK)
        return failure;
    failure =
        item_file_read(shell_store(items->shell), &item->item_id, index, items->chunk, &chunk);
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

struct items_progress items_progress(struct items *items, const struct casefile_item *item)
{
    struct items_progress progress = {.chunk_count = item->chunk_count};
    struct items_entry *entry;
    struct item_file_state file;
    if (items_entry_find(items, &item->item_id, &entry) != OK ||
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
    else if (item_file_state(shell_store(items->shell), &item->item_id, &file) == OK)
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
        items_take_chunk(items, link, frame);
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
static bool items_restore_row(void *arg, const struct store_row *stored)
{
    struct items *items = arg;
    struct items_row row;
    struct item_id id;
    if (stored->key.size != HASH_SIZE || items_row_read(stored->value, &row) != OK) {
        log_error("item-row-unreadable", LOG_NONE);
        return true;
    }
    memcpy(id.bytes, stored->key.data, HASH_SIZE);
    if (row.state == ITEMS_ROW_PUTTING && !items->is_started)
        items_delete(items, &id);
    if (row.state == ITEMS_ROW_FETCHING && items_entry_known(items, &id) == NULL) {
        items->has_more = items_fetch_count(items) >= ITEMS_FETCH_MAX;
        struct items_entry *entry = items->has_more ? NULL : items_entry_add(items, &id, &row);
        if (entry != NULL)
            items_fetch_begin(items, entry);
    }
    sodium_memzero(&row, sizeof row);
    return !items->has_more;
}

static err items_restore(struct items *items)
{
    items->has_more = false;
    return row_table_scan(shell_store(items->shell), STORE_TABLE_ITEM, items_restore_row, items);
}

static void items_on_tick(uv_timer_t *timer)
{
    struct items *items = timer->data;
    items_fetch_tick(items);
    if (items->has_more && items_fetch_count(items) < ITEMS_FETCH_MAX / 2 &&
        items_restore(items) != OK)
        items->has_more = true;
}

err items_new(struct shell *shell, struct items **ret_items)
{
    struct items *items = calloc(1, sizeof *items);
    if (items == NULL)
        return ERR_NO_MEMORY;
    items->shell = shell;
    uv_timer_init(shell_settings(shell)->loop, &items->tick);
    items->tick.data = items;
    items->is_timer_open = true;
    err failure = items_restore(items);
    if (failure != OK) {
        items_free(items);
        return failure;
    }
    items->is_started = true;
    uv_timer_start(&items->tick, items_on_tick, ITEMS_TICK_MS, ITEMS_TICK_MS);
    struct shell_items face = {items_on_frame, items};
    shell_attach_items(shell, &face);
    *ret_items = items;
    return OK;
}

static void items_on_timer_closed(uv_handle_t *handle)
{
    struct items *items = handle->data;
    items->is_timer_open = false;
    items_release(items);
}

void items_free(struct items *items)
{
    if (items == NULL)
        return;
    struct shell_items nobody = {0};
    shell_attach_items(items->shell, &nobody);
    items->is_closing = true;
    items_put_stop(items);
    items_hold(items);
    uv_close((uv_handle_t *)&items->tick, items_on_timer_closed);
}
