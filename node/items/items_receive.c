#include "node/items/items_receive.h"

#include <stdlib.h>
#include <string.h>

#include "node/items/items_fetch.h"
#include "node/items/items_request.h"
#include "node/items/items_table.h"
#include "node/os/log.h"
#include "store/item_file.h"

struct items_check {
    struct job job; /* first */
    struct items *items;
    struct item_id id;
    struct item_shape shape;
    struct node_id node; /* who sent it */
    uint32_t index;
    struct item_proof proof;
    struct hash leaf;
    err verdict;
    size_t size;
    uint8_t data[];
};

static void items_receive_run(struct job *job)
{
    struct items_check *check = (struct items_check *)job;
    check->leaf = item_leaf((struct bytes){check->data, check->size});
    check->verdict = item_proof_verify(&check->id, &check->shape, check->index, &check->leaf,
                                       &check->proof); /* (W-10) */
}

/* ---- writing ---- */

struct items_writing {
    struct items *items;
    struct item_id id;
    uint32_t index;
};

/* The fetch whose chunk this is, when it still waits for it. */
static struct items_entry *items_receive_entry(struct items *items, const struct item_id *id,
                                               uint32_t index)
{
    struct items_entry *entry = items->is_closing ? NULL : items_table_known(items, id);
    bool is_coming = entry != NULL && entry->fetch != NULL && entry->fetch->marks != NULL &&
                     index < entry->row.shape.chunk_count &&
                     entry->fetch->marks[index] == ITEMS_COMING;
    return is_coming ? entry : NULL;
}

static void items_receive_failed(struct items *items, struct items_entry *entry, uint32_t index,
                                 err failure)
{
    if (failure == ERR_NOT_FOUND) { /* deleted meanwhile */
        items_table_drop(items, entry, false);
        return;
    }
    items_request_return(items, entry->fetch, index);
    entry->fetch->resume_at.ms =
        runtime_mono().ms + (failure == ERR_BUSY ? ITEMS_BUSY_MS : ITEMS_DISK_MS);
    log_warn("chunk-not-kept", log_hex("item", ID_BYTES(entry->id)), log_err("why", failure));
}

static void items_receive_on_written(void *arg, err result)
{
    struct items_writing *writing = arg;
    struct items *items = writing->items;
    uint32_t index = writing->index;
    struct items_entry *entry = items_receive_entry(items, &writing->id, index);
    free(writing);
    if (entry != NULL && result != OK) {
        items_receive_failed(items, entry, index, result);
    } else if (entry != NULL) {
        entry->fetch->marks[index] = ITEMS_DURABLE;
        entry->fetch->here_count++;
        items->window--;
        items_fetch_whole(items, entry);
        /* the window has room again: for this fetch, or for another */
        for (entry = items->entries; entry != NULL; entry = entry->next) {
            if (entry->fetch != NULL && !entry->is_dropped)
                items_fetch_pump(items, entry);
        }
    }
    items_table_release(items);
}

static err items_receive_write(struct items *items, const struct items_check *check)
{
    struct items_writing *writing = malloc(sizeof *writing);
    if (writing == NULL)
        return ERR_BUSY;
    *writing = (struct items_writing){items, check->id, check->index};
    struct item_file_chunk chunk = {check->index, check->leaf, {check->data, check->size}};
    uint64_t token = runtime_await(items->runtime, items_receive_on_written, writing);
    err failure = token == 0
                      ? ERR_BUSY
                      : item_file_write(runtime_store(items->runtime), &check->id, &chunk, token);
    if (failure == OK) {
        items_table_hold(items);
        return OK;
    }
    runtime_forget(items->runtime, token);
    free(writing);
    return failure;
}

/* ---- checking ---- */

static void items_receive_refuse(struct items *items, struct items_entry *entry,
                                 const struct items_check *check)
{
    struct items_fetch *fetch = entry->fetch;
    items_request_return(items, fetch, check->index);
    log_warn("chunk-refused", log_hex("item", ID_BYTES(check->id)),
             log_hex("from", ID_BYTES(check->node)), log_err("why", check->verdict));
    for (size_t i = 0; i < fetch->source_count; i++) {
        struct items_source *source = &fetch->sources[i];
        if (!ID_EQUAL(source->node, check->node))
            continue;
        source->bad_count++;
        source->resume_at.ms = runtime_mono().ms + ITEMS_NOT_HELD_MS; /* others go first */
    }
    items_fetch_pump(items, entry);
}

static void items_receive_checked(struct job *job)
{
    struct items_check *check = (struct items_check *)job;
    struct items *items = check->items;
    struct items_entry *entry = items_receive_entry(items, &check->id, check->index);
    if (entry != NULL && check->verdict != OK) {
        items_receive_refuse(items, entry, check);
    } else if (entry != NULL) {
        err failure = items_receive_write(items, check);
        if (failure != OK)
            items_receive_failed(items, entry, check->index, failure);
    }
    free(check);
    items_table_release(items);
}

/* The fetch that asked this link for this chunk; NULL: nobody did. */
static struct items_entry *items_receive_asked(struct items *items, struct link_id link,
                                               const struct frame_item_chunk *chunk,
                                               struct items_source **ret_source,
                                               struct items_want **ret_want)
{
    struct items_entry *entry = items_table_known(items, &chunk->item);
    if (entry == NULL || entry->fetch == NULL || entry->fetch->marks == NULL ||
        chunk->index >= entry->row.shape.chunk_count ||
        entry->fetch->marks[chunk->index] != ITEMS_ASKED)
        return NULL;
    *ret_source = items_request_source(entry->fetch, link);
    *ret_want = *ret_source == NULL ? NULL : items_request_want(*ret_source, chunk->index);
    return *ret_want == NULL ? NULL : entry;
}

void items_receive_chunk(struct items *items, struct link_id link, struct bytes frame)
{
    struct frame_item_chunk chunk;
    struct items_source *source;
    struct items_want *want;
    err failure = frame_item_chunk_read(frame, &chunk);
    struct items_entry *entry =
        failure == OK ? items_receive_asked(items, link, &chunk, &source, &want) : NULL;
    if (entry == NULL) {
        log_debug("chunk-passed-over", log_err("why", failure));
        return;
    }
    struct items_check *check = malloc(sizeof *check + chunk.chunk.size);
    if (check == NULL)
        return; /* asked for again when its time is over */
    *check = (struct items_check){.items = items,
                                  .id = entry->id,
                                  .shape = entry->row.shape,
                                  .node = source->node,
                                  .index = chunk.index,
                                  .size = chunk.chunk.size};
    check->proof.count = (uint8_t)(chunk.proof.size / HASH_SIZE);
    memcpy(check->proof.steps, chunk.proof.data, chunk.proof.size);
    memcpy(check->data, chunk.chunk.data, chunk.chunk.size);
    check->job.run = items_receive_run;
    check->job.done = items_receive_checked;
    entry->fetch->marks[chunk.index] = ITEMS_COMING;
    source->answer = 0;
    source->deadline.ms = runtime_mono().ms + ITEMS_ANSWER_MS;
    if (--want->left == 0) {
        *want = (struct items_want){0};
        items_fetch_pump(items, entry); /* while the worker is at this one */
    }
    items_table_work(items, &check->job);
}
