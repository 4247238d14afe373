/* Erasing a case here: bodies, keys and items go, headers and clear records stay, and a tombstone
 * keeps them from coming back. The core is told when it is durable, and says so with a receipt.
 *
 *   1. A row keeps how the case stood (who took part, who is to erase), for its records will not
 *      tell any more. Batches keep their order: when the row is durable, so is every record of the
 *      case that was on its way, and the core lets no more of them in.
 *   2. Everything is looked for and destroyed, in as many batches as it takes.
 *   3. The tombstone comes with the last batch: an erased case without one is erased again at the
 *      next start. */
#include <stdlib.h>
#include <string.h>

#include "node/federation/audit.h"
#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "store/item_file.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum {
    ERASING_OP_MAX = STORE_BATCH_OP_MAX - 8,
    ERASING_BACKUP_DAYS = 30,
    ERASING_PAGE_RECORDS = 64,
    ERASING_LACK_KEY_SIZE = STREAM_ID_SIZE + 8,
};

/* What an op points at. */
struct erasing_target {
    struct stream_id stream;
    struct item_id item;
    uint8_t lack[ERASING_LACK_KEY_SIZE];
};

/* One erasure: the ops are collected first, then kept in batches; the last one tells. */
struct erasing {
    struct erasing *next;
    struct shell *shell;
    struct scope scope;
    struct record_id erase;
    struct store_op *ops;
    struct erasing_target *targets; /* one for each op */
    size_t op_count;
    size_t capacity;
    size_t kept;
    uint64_t record_count;
    uint64_t item_count;
    uint64_t chunk_count;
    err failure;
};

static void erasing_free(struct erasing *erasing)
{
    struct erasing **link = &erasing->shell->erasing;
    while (*link != erasing)
        link = &(*link)->next;
    *link = erasing->next;
    free(erasing->ops);
    free(erasing->targets);
    free(erasing);
}

/* The next op and its target; NULL: no memory. */
static struct store_op *erasing_add(struct erasing *erasing, enum store_op_kind kind,
                                    struct erasing_target **ret_target)
{
    if (erasing->op_count == erasing->capacity) {
        size_t capacity = erasing->capacity == 0 ? 256 : 2 * erasing->capacity;
        struct store_op *ops = realloc(erasing->ops, capacity * sizeof *ops);
        if (ops != NULL)
            erasing->ops = ops;
        struct erasing_target *targets = realloc(erasing->targets, capacity * sizeof *targets);
        if (targets != NULL)
            erasing->targets = targets;
        if (ops == NULL || targets == NULL) {
            erasing->failure = ERR_NO_MEMORY;
            return NULL;
        }
        erasing->capacity = capacity;
    }
    *ret_target = &erasing->targets[erasing->op_count];
    struct store_op *op = &erasing->ops[erasing->op_count++];
    *op = (struct store_op){.kind = kind};
    return op;
}

/* ---- what there is ---- */

static bool erasing_position(struct erasing *erasing, const struct stream_id *stream,
                             uint64_t sequence)
{
    struct erasing_target *target;
    struct store_op *op = erasing_add(erasing, STORE_DESTROY, &target);
    if (op == NULL)
        return false;
    target->stream = *stream;
    op->position.sequence = sequence;
    op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
    erasing->record_count++;
    return true;
}

/* What the disk lost is destroyed too, or it would come back when it is mended. */
static bool erasing_lost(struct erasing *erasing, const struct store_stream_row *row,
                         uint64_t *from)
{
    struct store_record record;
    struct reader state = reader_of((struct bytes){row->state, row->state_size});
    if (*from > reader_u64(&state))
        return false;
    erasing->failure = OK;
    bool is_here = record_table_get(erasing->shell->store, &row->stream, *from,
                                    erasing->shell->page_memory, &record) == ERR_CORRUPT;
    uint64_t sequence = (*from)++;
    return !is_here || erasing_position(erasing, &row->stream, sequence);
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
    bool is_more = true;
    do {
        erasing->failure = record_table_range(erasing->shell->store, &row->stream, from, &page);
        if (erasing->failure == ERR_CORRUPT && erasing_lost(erasing, row, &from))
            continue;
        for (size_t i = 0; erasing->failure == OK && i < page.record_count; i++) {
            struct record_claim claim;
            from = records[i].sequence + 1;
            bool is_clear = record_parse(records[i].head, &claim) == OK &&
                            claim.header.audience == AUDIENCE_CLEAR;
            if (!is_clear && !records[i].destroyed &&
                !erasing_position(erasing, &row->stream, records[i].sequence))
                return false;
        }
        is_more = page.record_count > 0;
    } while (erasing->failure == OK && is_more);
    return erasing->failure == OK;
}

/* A row of an item begins with the case it belongs to (items_row.c); it holds the item's key. */
static bool erasing_item(void *arg, const struct store_row *row)
{
    struct erasing *erasing = arg;
    struct erasing_target *target;
    struct item_file_state file;
    if (row->value.size < HASH_SIZE || row->key.size != HASH_SIZE ||
        memcmp(row->value.data, erasing->scope.id, HASH_SIZE) != 0)
        return true;
    struct store_op *op = erasing_add(erasing, STORE_ITEM_DELETE, &target);
    if (op == NULL)
        return false;
    memcpy(op->item.bytes, row->key.data, HASH_SIZE);
    struct item_id item = op->item;
    op = erasing_add(erasing, STORE_ROW_DELETE, &target);
    if (op == NULL)
        return false;
    target->item = item;
    op->row.table = STORE_TABLE_ITEM;
    erasing->item_count++;
    if (item_file_state(erasing->shell->store, &item, &file) == OK)
        erasing->chunk_count += file.chunks_here;
    return true;
}

/* What is destroyed is not lacked; but of what the disk lost the header is still to come. */
static bool erasing_lack(void *arg, const struct store_row *row)
{
    struct erasing *erasing = arg;
    struct erasing_target *target;
    struct stream_id stream;
    struct reader key = reader_of(row->key), value = reader_of(row->value);
    (void)reader_take(&value, HASH_SIZE);
    bool is_lost = (reader_u32(&value) & RECORD_LOST) != 0;
    if (row->key.size != ERASING_LACK_KEY_SIZE || stream_id_read(&key, &stream) != OK || is_lost ||
        !scope_equal(&stream.scope, &erasing->scope))
        return true;
    struct store_op *op = erasing_add(erasing, STORE_ROW_DELETE, &target);
    if (op == NULL)
        return false;
    memcpy(target->lack, row->key.data, sizeof target->lack);
    op->row.table = STORE_TABLE_LACK;
    return true;
}

static err erasing_collect(struct erasing *erasing)
{
    struct store *store = erasing->shell->store;
    err failure = stream_table_scan(store, erasing_stream, erasing);
    if (failure == OK && erasing->failure == OK)
        failure = row_table_scan(store, STORE_TABLE_ITEM, erasing_item, erasing);
    if (failure == OK && erasing->failure == OK)
        failure = row_table_scan(store, STORE_TABLE_LACK, erasing_lack, erasing);
    return failure == OK ? erasing->failure : failure;
}

/* ---- destroying ---- */

static void erasing_tell(const struct erasing *erasing)
{
    struct event event = shell_event(EVENT_DESTROYED);
    event.destroyed.scope = erasing->scope;
    event.destroyed.erase = erasing->erase;
    event.destroyed.record_count = erasing->record_count;
    event.destroyed.item_count = erasing->item_count;
    event.destroyed.chunk_count = erasing->chunk_count;
    event.destroyed.backups_until.ms =
        event.wall.ms + (uint64_t)ERASING_BACKUP_DAYS * 24 * 3600 * 1000;
    shell_turn(erasing->shell, &event, NULL);
}

static void erasing_fail(struct erasing *erasing, err failure)
{
    if (!erasing->shell->is_closing)
        log_error("erase-failed", log_text("federation", erasing->shell->name),
                  log_err("why", failure), log_text("do", "it is tried again at the next start"));
    erasing_free(erasing);
}

static void erasing_next(struct erasing *erasing);

static void erasing_on_kept(void *arg, err result)
{
    struct erasing *erasing = arg;
    if (result == OK)
        erasing_next(erasing);
    else
        erasing_fail(erasing, result);
}

/* Lets the ops of a batch point at their targets, which stay where they are from now on. */
static void erasing_aim(struct erasing *erasing, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        struct store_op *op = &erasing->ops[i];
        const struct erasing_target *target = &erasing->targets[i];
        if (op->kind == STORE_DESTROY)
            op->position.stream = &target->stream;
        if (op->kind == STORE_ROW_DELETE && op->row.table == STORE_TABLE_ITEM)
            op->row.key = ID_BYTES(target->item);
        if (op->kind == STORE_ROW_DELETE && op->row.table == STORE_TABLE_LACK)
            op->row.key = (struct bytes){target->lack, sizeof target->lack};
    }
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
    erasing_aim(erasing, erasing->kept, count);
    struct shell_keep keep = {erasing->ops + erasing->kept, count, STORE_RELEASING, erasing_on_kept,
                              erasing};
    erasing->kept += count;
    shell_keep(shell, &keep);
}

/* ---- the row that remembers the case ---- */

static void erasing_remember(struct erasing *erasing);

static void erasing_on_remembered(void *arg, err result)
{
    struct erasing *erasing = arg;
    struct shell *shell = erasing->shell;
    struct erasing_target *target;
    if (result == OK && shell->keeping.first != NULL) {
        erasing_remember(erasing); /* some of it had to wait for the store */
        return;
    }
    if (result == OK)
        result = erasing_collect(erasing);
    struct store_op *op = result == OK ? erasing_add(erasing, STORE_TOMBSTONE, &target) : NULL;
    if (op == NULL) {
        erasing_fail(erasing, result == OK ? ERR_NO_MEMORY : result);
        return;
    }
    struct audit_fact fact = {.what = AUDIT_ERASED, .record = erasing->erase};
    memcpy(fact.case_id.bytes, erasing->scope.id, HASH_SIZE);
    audit_note(shell->audit, &fact);
    op->tombstone.kind = STORE_TOMBSTONE_CASE;
    op->tombstone.erased_at = shell_wall();
    memcpy(op->tombstone.id, erasing->scope.id, HASH_SIZE);
    erasing_next(erasing);
}

static void erasing_remember(struct erasing *erasing)
{
    struct shell *shell = erasing->shell;
    struct case_id case_id;
    memcpy(case_id.bytes, erasing->scope.id, HASH_SIZE);
    uint8_t *memory = malloc(CORE_CASE_SIZE_MAX);
    struct buffer exported = buffer_over(memory, memory == NULL ? 0 : (size_t)CORE_CASE_SIZE_MAX);
    err failure = core_case_export(shell->core, &case_id, &exported);
    if (failure != OK) {
        free(memory);
        erasing_fail(erasing, failure);
        return;
    }
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_CASE, ID_BYTES(case_id), buffer_bytes(&exported)};
    struct shell_keep keep = {&op, 1, STORE_RELEASING, erasing_on_remembered, erasing};
    shell_keep(shell, &keep);
    free(memory);
}

static bool erasing_is_under_way(const struct shell *shell, const struct scope *scope)
{
    const struct erasing *erasing = shell->erasing;
    while (erasing != NULL && !scope_equal(&erasing->scope, scope))
        erasing = erasing->next;
    return erasing != NULL;
}

void erasing_case(struct shell *shell, const struct scope *scope, const struct record_id *erase)
{
    if (erasing_is_under_way(shell, scope))
        return;
    struct erasing *erasing = calloc(1, sizeof *erasing);
    if (erasing == NULL)
        abort(); /* the erasure would be forgotten */
    erasing->shell = shell;
    erasing->scope = *scope;
    erasing->erase = *erase;
    erasing->next = shell->erasing;
    shell->erasing = erasing;
    if (row_table_tombstone(shell->store, STORE_TOMBSTONE_CASE, scope->id, NULL)) {
        erasing_tell(erasing); /* done before, and perhaps the receipt was not */
        erasing_free(erasing);
        return;
    }
    recording_forget(shell->recording);
    erasing_remember(erasing);
}

void erasing_resume(struct shell *shell)
{
    struct core_case_brief brief;
    for (uint32_t n = 0; core_case_at(shell->core, n, &brief); n++) {
        const struct consult *consult = core_case(shell->core, &brief.case_id);
        struct scope scope = scope_case(&brief.case_id);
        if (consult != NULL &&
            consult->state == CASE_ERASED) /* none of them rests before it is done */
            erasing_case(shell, &scope, &consult->erase);
    }
}
