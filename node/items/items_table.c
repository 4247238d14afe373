#include "node/items/items_table.h"

#include <sodium.h>
#include <stdlib.h>

#include "node/audit/audit.h"
#include "node/items/items_request.h"
#include "node/os/log.h"

void items_table_hold(struct items *items)
{
    items->pending++;
}

static void items_free_entries(struct items *items)
{
    while (items->entries != NULL) {
        struct items_entry *entry = items->entries;
        items->entries = entry->next;
        items_request_end(items, entry);
        free(entry->nodes);
        sodium_memzero(entry, sizeof *entry);
        free(entry);
    }
}

void items_table_release(struct items *items)
{
    items->pending--;
    if (items->pending > 0 || !items->is_closing || items->is_timer_open)
        return;
    items_free_entries(items);
    free(items);
}

void items_table_work(struct items *items, struct job *job)
{
    items_table_hold(items);
    if (workers_submit(runtime_settings(items->runtime)->workers, items->job_count++, job) == OK)
        return;
    job->run(job); /* all workers are busy: this thread helps */
    job->done(job);
}

bool items_table_case_is_erased(const struct items *items, const struct case_id *case_id)
{
    const struct consult *consult = runtime_case(items->runtime, case_id);
    return consult != NULL && consult->state == CASE_ERASED;
}

bool items_table_node_of(const struct items *items, struct link_id link, struct node_id *ret_node)
{
    struct engine_peer peer;
    for (uint32_t n = 0; engine_peer(runtime_engine(items->runtime), n, &peer); n++) {
        if (peer.link.value == link.value) {
            *ret_node = peer.node;
            return true;
        }
    }
    return false;
}

static void items_table_free(struct items *items, struct items_entry *entry)
{
    struct items_entry **link = &items->entries;
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    items_request_end(items, entry);
    free(entry->nodes);
    sodium_memzero(entry, sizeof *entry);
    free(entry);
}

/* What was not used for the longest, and nothing goes on with, makes room. */
static void items_table_evict(struct items *items)
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
        items_table_free(items, last);
}

struct items_entry *items_table_known(struct items *items, const struct item_id *id)
{
    for (struct items_entry *entry = items->entries; entry != NULL; entry = entry->next) {
        if (!entry->is_dropped && ID_EQUAL(entry->id, *id))
            return entry;
    }
    return NULL;
}

struct items_entry *items_table_add(struct items *items, const struct item_id *id,
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

err items_table_find(struct items *items, const struct item_id *id, struct items_entry **ret_entry)
{
    struct items_entry *entry = items_table_known(items, id);
    struct items_row row;
    if (entry == NULL) {
        err failure = items_row_get(runtime_store(items->runtime), id, &row);
        if (failure != OK)
            return failure;
        entry = items_table_add(items, id, &row);
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
    if (items_table_case_is_erased(items, &entry->row.case_id)) {
        items_table_drop(items, entry, false); /* case_erasure.c deletes it */
        return ERR_NOT_FOUND;
    }
    items_table_evict(items);
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
        audit_settle(runtime_audit(items->runtime), keeping->kept.audit_number, result);
    entry->writing--;
    bool is_gone = entry->is_dropped;
    if (is_gone && entry->writing == 0)
        items_table_free(items, entry);
    if (!items->is_closing && keeping->kept.on_done != NULL)
        keeping->kept.on_done(items, is_gone ? NULL : entry, &keeping->kept, result);
    free(keeping);
    items_table_release(items);
}

void items_table_keep(struct items *items, struct items_entry *entry, const struct store_op *extra,
                      const struct items_kept *kept)
{
    uint8_t memory[ITEMS_ROW_SIZE_MAX];
    struct store_op ops[2] = {items_row_put(&entry->row, &entry->id, memory)};
    size_t count = 1;
    if (extra != NULL)
        ops[count++] = *extra;
    struct items_keeping *keeping = malloc(sizeof *keeping);
    if (keeping == NULL)
        abort(); /* memory and store would be at odds */
    *keeping = (struct items_keeping){items, entry, *kept};
    entry->writing++;
    items_table_hold(items);
    struct runtime_keep keep = {ops, count, STORE_NORMAL, items_on_kept, keeping};
    runtime_keep(items->runtime, &keep);
    sodium_memzero(memory, sizeof memory);
}

static void items_on_deleted(void *arg, err result)
{
    if (result != OK)
        log_error("item-not-deleted", log_err("why", result));
    items_table_release(arg);
}

void items_table_delete(struct items *items, const struct item_id *id)
{
    struct store_op op = {.kind = STORE_ITEM_DELETE, .item = *id};
    struct store_op ops[] = {op, items_row_delete(id)};
    struct runtime_keep keep = {ops, 2, STORE_RELEASING, items_on_deleted, items};
    items_table_hold(items);
    runtime_keep(items->runtime, &keep);
}

void items_table_drop(struct items *items, struct items_entry *entry, bool is_deleted)
{
    if (is_deleted)
        items_table_delete(items, &entry->id);
    entry->is_dropped = true;
    items_request_end(items, entry);
    if (entry->writing == 0)
        items_table_free(items, entry);
}
