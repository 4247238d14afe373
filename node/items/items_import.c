#include "node/items/items_import.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/items/items_table.h"
#include "store/item_file.h"

enum items_import_state {
    ITEMS_IMPORT_WAITING,
    ITEMS_IMPORT_IDENTIFYING,
    ITEMS_IMPORT_NOTING,
    ITEMS_IMPORT_CREATING,
    ITEMS_IMPORT_SEALING,
    ITEMS_IMPORT_WRITING,
    ITEMS_IMPORT_ENDING,
    ITEMS_IMPORT_DELETING,
};

struct items_putting {
    struct job job; /* first */
    struct items_putting *next;
    struct items *items;
    enum items_import_state state;
    struct items_content content;
    struct item_id id;
    struct items_row row;
    err verdict;
    uint32_t done_count;  /* chunks durable */
    uint32_t batch_count; /* sealed now */
    uint32_t unwritten;   /* of those */
    uint8_t *sealed;      /* ITEMS_PUT_CHUNKS chunks */
    struct hash leaves[ITEMS_PUT_CHUNKS];
    void (*on_done)(void *arg, const struct items_put *put);
    void *arg;
};

/* Enters the state; when that fails at once, what was begun is deleted. */
static void items_import_enter(struct items_putting *put, enum items_import_state state);

/* ---- on a worker ---- */

static void items_import_seal(const struct items_putting *put, uint32_t index, uint8_t *chunk,
                              struct bytes *ret_chunk)
{
    const struct item_shape *shape = &put->row.shape;
    size_t size = item_piece_size(shape, index);
    struct bytes piece = {NULL, size};
    if (size > 0)
        piece.data = put->content.data + (size_t)index * ITEM_PIECE_SIZE;
    item_seal_chunk(&put->row.key, shape, index, piece, chunk);
    *ret_chunk = (struct bytes){chunk, size + ITEM_SEAL_SIZE};
}

static void items_import_run(struct job *job)
{
    struct items_putting *put = (struct items_putting *)job;
    struct bytes chunk;
    if (put->state == ITEMS_IMPORT_SEALING) {
        for (uint32_t i = 0; i < put->batch_count; i++) {
            items_import_seal(put, put->done_count + i, put->sealed + (size_t)i * CHUNK_SIZE_MAX,
                              &chunk);
            put->leaves[i] = item_leaf(chunk);
        }
        return;
    }
    struct item_tree tree;
    item_tree_init(&tree);
    put->verdict = OK;
    for (uint32_t i = 0; i < put->row.shape.chunk_count && put->verdict == OK; i++) {
        items_import_seal(put, i, put->sealed, &chunk);
        struct hash leaf = item_leaf(chunk);
        put->verdict = item_tree_add(&tree, &leaf);
    }
    if (put->verdict == OK)
        put->verdict = item_tree_finish(&tree, &put->row.shape, &put->id);
}

/* ---- on the loop ---- */

static void items_import_free(struct items_putting *put)
{
    if (put->content.data != NULL)
        sodium_memzero(put->content.data, put->content.size);
    free(put->content.data);
    free(put->sealed);
    sodium_memzero(put, sizeof *put);
    free(put);
}

static void items_import_tell(struct items_putting *put, err verdict)
{
    struct items_put told = {.verdict = verdict};
    if (verdict == OK) {
        told.item_id = put->id;
        told.item_key = put->row.key;
        told.size = put->row.shape.size;
        told.chunk_count = put->row.shape.chunk_count;
    }
    if (put->on_done != NULL)
        put->on_done(put->arg, &told);
    put->on_done = NULL;
    sodium_memzero(&told, sizeof told);
}

static void items_import_end(struct items_putting *put)
{
    struct items *items = put->items;
    items->puts = put->next;
    items_import_tell(put, put->verdict);
    items_import_free(put);
    if (items->puts != NULL && items->puts->state == ITEMS_IMPORT_WAITING)
        items_import_enter(items->puts, ITEMS_IMPORT_IDENTIFYING);
}

/* A step is over. After items_free nobody waits; what is half done goes at the next start. */
static void items_import_next(struct items_putting *put, err result, enum items_import_state next)
{
    struct items *items = put->items;
    if (items->is_closing) {
        items_import_free(put);
    } else if (put->state == ITEMS_IMPORT_DELETING ||
               (result == OK && put->state == ITEMS_IMPORT_ENDING)) {
        items_import_end(put);
    } else if (result == OK) {
        items_import_enter(put, next);
    } else {
        put->verdict = result;
        if (put->state == ITEMS_IMPORT_IDENTIFYING)
            items_import_end(put);
        else
            items_import_enter(put, ITEMS_IMPORT_DELETING);
    }
    items_table_release(items);
}

static void items_import_on_stored(void *arg, err result)
{
    struct items_putting *put = arg;
    items_import_next(put, result,
                      put->state == ITEMS_IMPORT_NOTING ? ITEMS_IMPORT_CREATING
                                                        : ITEMS_IMPORT_SEALING);
}

static void items_import_on_written(void *arg, err result)
{
    struct items_putting *put = arg;
    if (result != OK)
        put->verdict = result;
    if (--put->unwritten > 0) {
        items_table_release(put->items);
        return;
    }
    put->done_count += put->batch_count;
    bool is_whole = put->done_count == put->row.shape.chunk_count;
    items_import_next(put, put->verdict, is_whole ? ITEMS_IMPORT_ENDING : ITEMS_IMPORT_SEALING);
}

static void items_import_worked(struct job *job)
{
    struct items_putting *put = (struct items_putting *)job;
    items_import_next(put, put->verdict,
                      put->state == ITEMS_IMPORT_SEALING ? ITEMS_IMPORT_WRITING
                                                         : ITEMS_IMPORT_NOTING);
}

static void items_import_keep(struct items_putting *put)
{
    uint8_t memory[ITEMS_ROW_SIZE_MAX];
    struct store_op ops[2] = {{.kind = STORE_ITEM_DELETE, .item = put->id}};
    size_t count = 1;
    if (put->state == ITEMS_IMPORT_DELETING) {
        ops[count++] = items_row_delete(&put->id);
    } else {
        put->row.state = put->state == ITEMS_IMPORT_ENDING ? ITEMS_ROW_HERE : ITEMS_ROW_PUTTING;
        ops[0] = items_row_put(&put->row, &put->id, memory);
    }
    struct runtime_keep keep = {ops, count, STORE_NORMAL, items_import_on_stored, put};
    if (put->state == ITEMS_IMPORT_DELETING)
        keep.urgency = STORE_RELEASING;
    items_table_hold(put->items);
    runtime_keep(put->items->runtime, &keep);
    sodium_memzero(memory, sizeof memory);
}

static err items_import_create(struct items_putting *put)
{
    struct runtime *runtime = put->items->runtime;
    const struct item_shape *shape = &put->row.shape;
    struct item_file_shape file = {shape->size + (uint64_t)shape->chunk_count * ITEM_SEAL_SIZE,
                                   CHUNK_SIZE_MAX};
    uint64_t token = runtime_await(runtime, items_import_on_stored, put);
    err failure = token == 0 ? ERR_NO_MEMORY
                             : item_file_create(runtime_store(runtime), &put->id, &file, token);
    if (failure == OK)
        items_table_hold(put->items);
    else
        runtime_forget(runtime, token);
    return failure;
}

/* OK when something is under way that will go on, if only to delete. */
static err items_import_write(struct items_putting *put)
{
    struct runtime *runtime = put->items->runtime;
    const struct item_shape *shape = &put->row.shape;
    err failure = OK;
    put->unwritten = 0;
    for (uint32_t i = 0; i < put->batch_count && failure == OK; i++) {
        uint32_t index = put->done_count + i;
        struct item_file_chunk chunk = {index, put->leaves[i], BYTES_NONE};
        chunk.data = (struct bytes){put->sealed + (size_t)i * CHUNK_SIZE_MAX,
                                    item_piece_size(shape, index) + ITEM_SEAL_SIZE};
        uint64_t token = runtime_await(runtime, items_import_on_written, put);
        failure = token == 0 ? ERR_NO_MEMORY
                             : item_file_write(runtime_store(runtime), &put->id, &chunk, token);
        if (failure == OK) {
            items_table_hold(put->items);
            put->unwritten++;
        } else {
            runtime_forget(runtime, token);
        }
    }
    if (failure != OK)
        put->verdict = failure; /* told when those before it are written */
    return put->unwritten > 0 ? OK : failure;
}

static err items_import_begin(struct items_putting *put)
{
    uint32_t left = put->row.shape.chunk_count - put->done_count;
    if (put->state == ITEMS_IMPORT_ENDING &&
        items_table_case_is_erased(put->items, &put->row.case_id))
        return ERR_DESTROYED;
    switch (put->state) {
    case ITEMS_IMPORT_WAITING:
        break;
    case ITEMS_IMPORT_IDENTIFYING:
    case ITEMS_IMPORT_SEALING:
        put->batch_count = left < ITEMS_PUT_CHUNKS ? left : ITEMS_PUT_CHUNKS;
        put->job.run = items_import_run;
        put->job.done = items_import_worked;
        items_table_work(put->items, &put->job);
        break;
    case ITEMS_IMPORT_CREATING:
        return items_import_create(put);
    case ITEMS_IMPORT_WRITING:
        return items_import_write(put);
    case ITEMS_IMPORT_NOTING:
    case ITEMS_IMPORT_ENDING:
    case ITEMS_IMPORT_DELETING:
        items_import_keep(put);
        break;
    }
    return OK;
}

static void items_import_enter(struct items_putting *put, enum items_import_state state)
{
    put->state = state;
    err failure = items_import_begin(put);
    if (failure == OK)
        return;
    put->verdict = failure;
    put->state = ITEMS_IMPORT_DELETING;
    items_import_keep(put);
}

/* ---- the face ---- */

void items_import_put(struct items *items, const struct case_id *case_id,
                      struct items_content content,
                      void (*on_done)(void *arg, const struct items_put *put), void *arg)
{
    struct items_putting *put = calloc(1, sizeof *put);
    struct items_put refused = {.verdict = put == NULL ? ERR_NO_MEMORY : OK};
    if (put != NULL) {
        put->items = items;
        put->content = content;
        put->row.case_id = *case_id;
        put->on_done = on_done;
        put->arg = arg;
        put->sealed = malloc((size_t)ITEMS_PUT_CHUNKS * CHUNK_SIZE_MAX);
        randombytes_buf(put->row.key.bytes, sizeof put->row.key.bytes);
        put->verdict = content.size > ATTACHMENT_SIZE_MAX
                           ? ERR_TOO_LARGE
                           : item_shape_of(content.size, &put->row.shape);
        if (put->verdict == OK && put->sealed == NULL)
            put->verdict = ERR_NO_MEMORY;
        if (put->verdict == OK && items_table_case_is_erased(items, case_id))
            put->verdict = ERR_DESTROYED;
        refused.verdict = put->verdict;
    }
    if (refused.verdict != OK) {
        if (put != NULL)
            items_import_free(put);
        else
            free(content.data);
        on_done(arg, &refused);
        return;
    }
    struct items_putting **end = &items->puts;
    while (*end != NULL)
        end = &(*end)->next;
    *end = put;
    if (items->puts == put)
        items_import_enter(put, ITEMS_IMPORT_IDENTIFYING);
}

void items_import_stop(struct items *items)
{
    while (items->puts != NULL) {
        struct items_putting *put = items->puts;
        items->puts = put->next;
        items_import_tell(put, ERR_BUSY);
        if (put->state == ITEMS_IMPORT_WAITING)
            items_import_free(put); /* nothing of it is under way */
    }
}
