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

#include "node/audit/audit.h"
#include "node/os/log.h"
#include "node/rows/case_row.h"
#include "node/rows/items_row.h"
#include "node/rows/missing_row.h"
#include "node/rows/stream_state.h"
#include "node/runtime/runtime_state.h"
#include "store/item_file.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum {
    CASE_ERASURE_OP_MAX = STORE_BATCH_OP_MAX - 8,
    CASE_ERASURE_BACKUP_DAYS = 30,
    CASE_ERASURE_PAGE_RECORDS = 64,
};

/* What an op points at. */
struct case_erasure_target {
    enum { CASE_ERASURE_OTHER, CASE_ERASURE_ITEM, CASE_ERASURE_MISSING } row;
    struct stream_id stream;
    uint64_t sequence;
    struct item_id item;
    struct missing_row_bytes missing;
};

/* One erasure: the ops are collected first, then kept in batches; the last one tells. */
struct case_erasure {
    struct case_erasure *next;
    struct runtime *runtime;
    struct scope scope;
    struct record_id erase;
    struct store_op *ops;
    struct case_erasure_target *targets; /* one for each op */
    size_t op_count;
    size_t capacity;
    size_t kept;
    bool is_ahead; /* of batches that were still to be handed to the store */
    uint64_t record_count;
    uint64_t item_count;
    uint64_t chunk_count;
    err failure;
};

static void case_erasure_free(struct case_erasure *case_erasure)
{
    struct case_erasure **link = &case_erasure->runtime->case_erasure;
    while (*link != case_erasure)
        link = &(*link)->next;
    *link = case_erasure->next;
    free(case_erasure->ops);
    free(case_erasure->targets);
    free(case_erasure);
}

/* The next op and its target; NULL: no memory. */
static struct store_op *case_erasure_add(struct case_erasure *case_erasure, enum store_op_kind kind,
                                         struct case_erasure_target **ret_target)
{
    if (case_erasure->op_count == case_erasure->capacity) {
        size_t capacity = case_erasure->capacity == 0 ? 256 : 2 * case_erasure->capacity;
        struct store_op *ops = realloc(case_erasure->ops, capacity * sizeof *ops);
        if (ops != NULL)
            case_erasure->ops = ops;
        struct case_erasure_target *targets =
            realloc(case_erasure->targets, capacity * sizeof *targets);
        if (targets != NULL)
            case_erasure->targets = targets;
        if (ops == NULL || targets == NULL) {
            case_erasure->failure = ERR_NO_MEMORY;
            return NULL;
        }
        case_erasure->capacity = capacity;
    }
    *ret_target = &case_erasure->targets[case_erasure->op_count];
    struct store_op *op = &case_erasure->ops[case_erasure->op_count++];
    *op = (struct store_op){.kind = kind};
    (*ret_target)->row = CASE_ERASURE_OTHER;
    return op;
}

/* ---- what there is ---- */

static bool case_erasure_position(struct case_erasure *case_erasure, const struct stream_id *stream,
                                  uint64_t sequence)
{
    struct case_erasure_target *target;
    struct store_op *op = case_erasure_add(case_erasure, STORE_DESTROY, &target);
    if (op == NULL)
        return false;
    target->stream = *stream;
    op->position.sequence = sequence;
    op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
    case_erasure->record_count++;
    return true;
}

/* What the disk lost is destroyed too, or it would come back when it is mended. */
static bool case_erasure_lost(struct case_erasure *case_erasure, const struct store_stream_row *row,
                              uint64_t *from)
{
    struct store_record record;
    if (*from > stream_state_tail(row))
        return false;
    case_erasure->failure = OK;
    bool is_here = record_table_get(case_erasure->runtime->store, &row->stream, *from,
                                    case_erasure->runtime->page_memory, &record) == ERR_CORRUPT;
    uint64_t sequence = (*from)++;
    return !is_here || case_erasure_position(case_erasure, &row->stream, sequence);
}

static bool case_erasure_stream(void *arg, const struct store_stream_row *row)
{
    struct case_erasure *case_erasure = arg;
    struct store_record records[CASE_ERASURE_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = CASE_ERASURE_PAGE_RECORDS,
                              .memory = case_erasure->runtime->page_memory,
                              .memory_size = 2 * (size_t)STORE_RECORD_SIZE_MAX};
    if (!scope_equal(&row->stream.scope, &case_erasure->scope))
        return true;
    uint64_t from = 1;
    bool is_more = true;
    do {
        case_erasure->failure =
            record_table_range(case_erasure->runtime->store, &row->stream, from, &page);
        if (case_erasure->failure == ERR_CORRUPT && case_erasure_lost(case_erasure, row, &from))
            continue;
        for (size_t i = 0; case_erasure->failure == OK && i < page.record_count; i++) {
            struct record_claim claim;
            from = records[i].sequence + 1;
            bool is_clear = record_parse(records[i].head, &claim) == OK &&
                            claim.header.audience == AUDIENCE_CLEAR;
            if (!is_clear && !records[i].destroyed &&
                !case_erasure_position(case_erasure, &row->stream, records[i].sequence))
                return false;
        }
        is_more = page.record_count > 0;
    } while (case_erasure->failure == OK && is_more);
    return case_erasure->failure == OK;
}

/* The row of an item holds its key. */
static bool case_erasure_item(void *arg, const struct item_id *item, const struct items_row *row)
{
    struct case_erasure *case_erasure = arg;
    struct case_erasure_target *target;
    struct item_file_state file;
    if (memcmp(row->case_id.bytes, case_erasure->scope.id, HASH_SIZE) != 0)
        return true;
    struct store_op *op = case_erasure_add(case_erasure, STORE_ITEM_DELETE, &target);
    if (op == NULL)
        return false;
    op->item = *item;
    op = case_erasure_add(case_erasure, STORE_ROW_DELETE, &target);
    if (op == NULL)
        return false;
    target->row = CASE_ERASURE_ITEM;
    target->item = *item;
    case_erasure->item_count++;
    if (item_file_state(case_erasure->runtime->store, item, &file) == OK)
        case_erasure->chunk_count += file.chunks_here;
    return true;
}

/* What is destroyed is not lacked; but of what the disk lost the header is still to come. */
static bool case_erasure_missing(void *arg, const struct missing_row *row)
{
    struct case_erasure *case_erasure = arg;
    struct case_erasure_target *target;
    if ((row->flags & RECORD_LOST) != 0 || !scope_equal(&row->stream.scope, &case_erasure->scope))
        return true;
    struct store_op *op = case_erasure_add(case_erasure, STORE_ROW_DELETE, &target);
    if (op == NULL)
        return false;
    target->row = CASE_ERASURE_MISSING;
    target->stream = row->stream;
    target->sequence = row->sequence;
    return true;
}

static err case_erasure_collect(struct case_erasure *case_erasure)
{
    struct store *store = case_erasure->runtime->store;
    err failure = stream_table_scan(store, case_erasure_stream, case_erasure);
    if (failure == OK && case_erasure->failure == OK)
        failure = items_row_scan(store, case_erasure_item, case_erasure);
    if (failure == OK && case_erasure->failure == OK)
        failure = missing_row_scan(store, case_erasure_missing, case_erasure);
    return failure == OK ? case_erasure->failure : failure;
}

/* ---- destroying ---- */

static void case_erasure_tell(const struct case_erasure *case_erasure)
{
    struct event event = runtime_event(EVENT_DESTROYED);
    event.destroyed.scope = case_erasure->scope;
    event.destroyed.erase = case_erasure->erase;
    event.destroyed.record_count = case_erasure->record_count;
    event.destroyed.item_count = case_erasure->item_count;
    event.destroyed.chunk_count = case_erasure->chunk_count;
    event.destroyed.backups_until.ms =
        event.wall.ms + (uint64_t)CASE_ERASURE_BACKUP_DAYS * 24 * 3600 * 1000;
    runtime_turn(case_erasure->runtime, &event, NULL);
}

static void case_erasure_fail(struct case_erasure *case_erasure, err failure)
{
    if (!case_erasure->runtime->is_closing)
        log_error("erase-failed", log_text("federation", case_erasure->runtime->name),
                  log_err("why", failure), log_text("do", "it is tried again at the next start"));
    case_erasure_free(case_erasure);
}

static void case_erasure_next(struct case_erasure *case_erasure);

static void case_erasure_on_kept(void *arg, err result)
{
    struct case_erasure *case_erasure = arg;
    if (result == OK)
        case_erasure_next(case_erasure);
    else
        case_erasure_fail(case_erasure, result);
}

/* Lets the ops of a batch point at their targets, which stay where they are from now on. */
static void case_erasure_aim(struct case_erasure *case_erasure, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        struct store_op *op = &case_erasure->ops[i];
        struct case_erasure_target *target = &case_erasure->targets[i];
        if (op->kind == STORE_DESTROY)
            op->position.stream = &target->stream;
        if (target->row == CASE_ERASURE_ITEM)
            *op = items_row_delete(&target->item);
        if (target->row == CASE_ERASURE_MISSING)
            *op = missing_row_delete(&target->stream, target->sequence, &target->missing);
    }
}

/* Keeps the next batch; after the last one: a new epoch key, so that old pages cannot be read. */
static void case_erasure_next(struct case_erasure *case_erasure)
{
    struct runtime *runtime = case_erasure->runtime;
    if (case_erasure->kept == case_erasure->op_count) {
        err failure = store_rekey(runtime->store, 0);
        if (failure != OK && failure != ERR_BUSY)
            log_error("rekey-failed", log_err("why", failure));
        case_erasure_tell(case_erasure);
        case_erasure_free(case_erasure);
        return;
    }
    size_t count = case_erasure->op_count - case_erasure->kept;
    count = count > CASE_ERASURE_OP_MAX ? CASE_ERASURE_OP_MAX : count;
    case_erasure_aim(case_erasure, case_erasure->kept, count);
    struct runtime_keep keep = {case_erasure->ops + case_erasure->kept, count, STORE_RELEASING,
                                case_erasure_on_kept, case_erasure};
    case_erasure->kept += count;
    runtime_keep(runtime, &keep);
}

/* ---- the row that remembers the case ---- */

static void case_erasure_remember(struct case_erasure *case_erasure);

static void case_erasure_on_remembered(void *arg, err result)
{
    struct case_erasure *case_erasure = arg;
    struct runtime *runtime = case_erasure->runtime;
    struct case_erasure_target *target;
    if (result == OK && case_erasure->is_ahead) {
        case_erasure_remember(case_erasure);
        return;
    }
    if (result == OK)
        result = case_erasure_collect(case_erasure);
    struct store_op *op =
        result == OK ? case_erasure_add(case_erasure, STORE_TOMBSTONE, &target) : NULL;
    if (op == NULL) {
        case_erasure_fail(case_erasure, result == OK ? ERR_NO_MEMORY : result);
        return;
    }
    struct audit_fact fact = {.what = AUDIT_ERASED, .record = case_erasure->erase};
    memcpy(fact.case_id.bytes, case_erasure->scope.id, HASH_SIZE);
    audit_note(runtime->audit, &fact);
    op->tombstone.kind = STORE_TOMBSTONE_CASE;
    op->tombstone.erased_at = runtime_wall();
    memcpy(op->tombstone.id, case_erasure->scope.id, HASH_SIZE);
    case_erasure_next(case_erasure);
}

static void case_erasure_remember(struct case_erasure *case_erasure)
{
    struct runtime *runtime = case_erasure->runtime;
    struct case_id case_id;
    memcpy(case_id.bytes, case_erasure->scope.id, HASH_SIZE);
    uint8_t *memory = malloc(ENGINE_CASE_SIZE_MAX);
    struct buffer exported = buffer_over(memory, memory == NULL ? 0 : (size_t)ENGINE_CASE_SIZE_MAX);
    err failure = engine_case_export(runtime->engine, &case_id, &exported);
    if (failure != OK) {
        free(memory);
        case_erasure_fail(case_erasure, failure);
        return;
    }
    struct store_op op = case_row_put(&case_id, buffer_bytes(&exported));
    case_erasure->is_ahead = runtime->keeping.first != NULL;
    struct runtime_keep keep = {&op, 1, STORE_RELEASING, case_erasure_on_remembered, case_erasure};
    runtime_keep(runtime, &keep);
    free(memory);
}

static bool case_erasure_is_under_way(const struct runtime *runtime, const struct scope *scope)
{
    const struct case_erasure *case_erasure = runtime->case_erasure;
    while (case_erasure != NULL && !scope_equal(&case_erasure->scope, scope))
        case_erasure = case_erasure->next;
    return case_erasure != NULL;
}

void case_erasure_case(struct runtime *runtime, const struct scope *scope,
                       const struct record_id *erase)
{
    if (case_erasure_is_under_way(runtime, scope))
        return;
    struct case_erasure *case_erasure = calloc(1, sizeof *case_erasure);
    if (case_erasure == NULL)
        abort(); /* the erasure would be forgotten */
    case_erasure->runtime = runtime;
    case_erasure->scope = *scope;
    case_erasure->erase = *erase;
    case_erasure->next = runtime->case_erasure;
    runtime->case_erasure = case_erasure;
    if (row_table_tombstone(runtime->store, STORE_TOMBSTONE_CASE, scope->id, NULL)) {
        case_erasure_tell(case_erasure); /* done before, and perhaps the receipt was not */
        case_erasure_free(case_erasure);
        return;
    }
    recording_forget(runtime->recording);
    case_erasure_remember(case_erasure);
}

void case_erasure_resume(struct runtime *runtime)
{
    struct engine_case_brief brief;
    for (uint32_t n = 0; engine_case_at(runtime->engine, n, &brief); n++) {
        const struct consult *consult = engine_case(runtime->engine, &brief.case_id);
        struct scope scope = scope_case(&brief.case_id);
        if (consult != NULL &&
            consult->state == CASE_ERASED) /* none of them rests before it is done */
            case_erasure_case(runtime, &scope, &consult->erase);
    }
}
