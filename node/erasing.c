/* Erasing a case here: bodies, keys and items go, headers and clear records stay, and a tombstone
 * keeps them from coming back. The core is told when it is durable, and says so with a receipt. */
#include <stdlib.h>
#include <string.h>

#include "node/audit.h"
#include "node/io/log.h"
#include "node/shell_state.h"
#include "store/item_file.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum {
    ERASING_OP_MAX = STORE_BATCH_OP_MAX - 8,
    ERASING_BACKUP_DAYS = 30,
    ERASING_PAGE_RECORDS = 64,
};

/* One erasure: the ops are collected first, then kept in batches; the last one tells. */
struct erasing {
    struct shell *shell;
    struct scope scope;
    struct record_id erase;
    struct store_op *ops;
    struct stream_id *streams; /* what the ops point at */
    struct item_id *items;
    size_t op_count;
    size_t capacity;
    size_t kept;
    uint64_t record_count;
    uint64_t item_count;
    err failure;
};

static void erasing_free(struct erasing *erasing)
{
    free(erasing->ops);
    free(erasing->streams);
    free(erasing->items);
    free(erasing);
}

static bool erasing_reserve(struct erasing *erasing)
{
    if (erasing->op_count < erasing->capacity)
        return true;
    size_t capacity = erasing->capacity == 0 ? 256 : 2 * erasing->capacity;
    struct store_op *ops = realloc(erasing->ops, capacity * sizeof *ops);
    if (ops != NULL)
        erasing->ops = ops;
    struct stream_id *streams = realloc(erasing->streams, capacity * sizeof *streams);
    if (streams != NULL)
        erasing->streams = streams;
    if (ops == NULL || streams == NULL) {
        erasing->failure = ERR_NO_MEMORY;
        return false;
    }
    erasing->capacity = capacity;
    return true;
}

static bool erasing_position(struct erasing *erasing, const struct stream_id *stream,
                             uint64_t sequence)
{
    if (!erasing_reserve(erasing))
        return false;
    erasing->streams[erasing->op_count] = *stream;
    erasing->ops[erasing->op_count++] =
        (struct store_op){.kind = STORE_DESTROY,
                          .position = {.sequence = sequence,
                                       .flags = RECORD_DESTROYED | RECORD_BARE,
                                       .flags_mask = RECORD_DESTROYED | RECORD_BARE}};
    erasing->record_count++;
    return true;
}

static bool erasing_stream(void *arg, const struct store_stream_row *row)
{
    struct erasing *erasing = arg;
    struct store_record records[ERASING_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = ERASING_PAGE_RECORDS,
                              .memory = erasing->shell->page_memory,
                              .memory_size = 2 * (size_t)STORE_RECORD_SIZE_MAX};
    if (!scope_equal(&row->stream.scope, &erasing->scope))
        return true;
    uint64_t from = 1;
    do {
        erasing->failure = record_table_range(erasing->shell->store, &row->stream, from, &page);
        for (size_t i = 0; erasing->failure == OK && i < page.record_count; i++) {
            struct record_claim claim;
            from = records[i].sequence + 1;
            bool is_clear = record_parse(records[i].head, &claim) == OK &&
                            claim.header.audience == AUDIENCE_CLEAR;
            if (!is_clear && !records[i].destroyed &&
                !erasing_position(erasing, &row->stream, records[i].sequence))
                return false;
        }
    } while (erasing->failure == OK && page.record_count > 0);
    return erasing->failure == OK;
}

/* A row of an item begins with the case it belongs to (items.c). */
static bool erasing_item(void *arg, const struct store_row *row)
{
    struct erasing *erasing = arg;
    if (row->value.size < HASH_SIZE || row->key.size != HASH_SIZE ||
        memcmp(row->value.data, erasing->scope.id, HASH_SIZE) != 0)
        return true;
    if (!erasing_reserve(erasing))
        return false;
    struct store_op op = {.kind = STORE_ITEM_DELETE};
    memcpy(op.item.bytes, row->key.data, HASH_SIZE);
    erasing->ops[erasing->op_count++] = op;
    erasing->item_count++;
    return true;
}

static void erasing_tell(struct erasing *erasing)
{
    struct event event = shell_event(EVENT_DESTROYED);
    event.destroyed.scope = erasing->scope;
    event.destroyed.erase = erasing->erase;
    event.destroyed.record_count = erasing->record_count;
    event.destroyed.item_count = erasing->item_count;
    event.destroyed.backups_until.ms =
        event.wall.ms + (uint64_t)ERASING_BACKUP_DAYS * 24 * 3600 * 1000;
    shell_turn(erasing->shell, &event, NULL);
}

static void erasing_next(struct erasing *erasing);

static void erasing_on_kept(void *arg, err result)
{
    struct erasing *erasing = arg;
    if (result != OK) {
        log_error("erase-failed", log_text("federation", erasing->shell->name),
                  log_err("why", result), log_text("do", "it is tried again at the next start"));
        erasing_free(erasing);
        return;
    }
    erasing_next(erasing);
}

/* Keeps the next batch; after the last one: a new epoch key, so that old pages cannot be read. */
static void erasing_next(struct erasing *erasing)
{
    struct shell *shell = erasing->shell;
    if (erasing->kept == erasing->op_count) {
        err failure = store_rekey(shell->store, 0);
        if (failure != OK && failure != ERR_BUSY)
            log_error("rekey-failed", log_err("why", failure));
        erasing_tell(erasing);
        erasing_free(erasing);
        return;
    }
    size_t count = erasing->op_count - erasing->kept;
    count = count > ERASING_OP_MAX ? ERASING_OP_MAX : count;
    struct store_op *ops = erasing->ops + erasing->kept;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == STORE_DESTROY)
            ops[i].position.stream = &erasing->streams[erasing->kept + i];
    }
    struct shell_keep keep = {ops, count, STORE_RELEASING, erasing_on_kept, erasing};
    erasing->kept += count;
    shell_keep(shell, &keep);
}

void erasing_case(struct shell *shell, const struct effect *effect)
{
    struct erasing *erasing = calloc(1, sizeof *erasing);
    if (erasing == NULL)
        abort(); /* the erasure would be forgotten */
    erasing->shell = shell;
    erasing->scope = effect->destroy.scope;
    erasing->erase = effect->destroy.erase;
    err failure = stream_table_scan(shell->store, erasing_stream, erasing);
    if (failure == OK && erasing->failure == OK)
        failure = row_table_scan(shell->store, STORE_TABLE_ITEM, erasing_item, erasing);
    if (failure == OK)
        failure = erasing->failure;
    if (failure == OK && erasing_reserve(erasing)) {
        struct store_op op = {
            .kind = STORE_TOMBSTONE,
            .tombstone = {.kind = STORE_TOMBSTONE_CASE, .erased_at = shell_wall()}};
        memcpy(op.tombstone.id, erasing->scope.id, HASH_SIZE);
        erasing->ops[erasing->op_count++] = op;
        struct audit_fact fact = {.what = AUDIT_ERASED, .record = erasing->erase};
        memcpy(fact.case_id.bytes, erasing->scope.id, HASH_SIZE);
        if (shell->audit != NULL)
            audit_note(shell->audit, &fact);
        erasing_next(erasing);
        return;
    }
    erasing_on_kept(erasing, failure == OK ? ERR_NO_MEMORY : failure);
}
