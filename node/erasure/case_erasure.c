#include "node/erasure/case_erasure.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/case_row.h"
#include "node/rows/items_row.h"
#include "node/rows/missing_row.h"
#include "node/rows/stream_state.h"
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
struct case_erasure_run {
    struct case_erasure_run *next;
    struct case_erasure *owner;
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

struct case_erasure {
    struct runtime *runtime;
    struct audit *audit;
    const struct batch_buffer_queue *waiting;
    struct case_erasure_run *first; /* under way */
};

struct case_erasure *case_erasure_new(struct runtime *runtime, struct audit *audit,
                                      const struct batch_buffer_queue *waiting)
{
    struct case_erasure *case_erasure = calloc(1, sizeof *case_erasure);
    if (case_erasure != NULL)
        *case_erasure = (struct case_erasure){runtime, audit, waiting, NULL};
    return case_erasure;
}

static void case_erasure_end(struct case_erasure_run *run)
{
    struct case_erasure_run **link = &run->owner->first;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    free(run->ops);
    free(run->targets);
    free(run);
}

/* The next op and its target; NULL: no memory. */
static struct store_op *case_erasure_add(struct case_erasure_run *run, enum store_op_kind kind,
                                         struct case_erasure_target **ret_target)
{
    if (run->op_count == run->capacity) {
        size_t capacity = run->capacity == 0 ? 256 : 2 * run->capacity;
        struct store_op *ops = realloc(run->ops, capacity * sizeof *ops);
        if (ops != NULL)
            run->ops = ops;
        struct case_erasure_target *targets = realloc(run->targets, capacity * sizeof *targets);
        if (targets != NULL)
            run->targets = targets;
        if (ops == NULL || targets == NULL) {
            run->failure = ERR_NO_MEMORY;
            return NULL;
        }
        run->capacity = capacity;
    }
    *ret_target = &run->targets[run->op_count];
    struct store_op *op = &run->ops[run->op_count++];
    *op = (struct store_op){.kind = kind};
    (*ret_target)->row = CASE_ERASURE_OTHER;
    return op;
}

void case_erasure_free(struct case_erasure *case_erasure)
{
    while (case_erasure != NULL && case_erasure->first != NULL)
        case_erasure_end(case_erasure->first);
    free(case_erasure);
}

/* ---- what there is ---- */

static bool case_erasure_position(struct case_erasure_run *run, const struct stream_id *stream,
                                  uint64_t sequence)
{
    struct case_erasure_target *target;
    struct store_op *op = case_erasure_add(run, STORE_DESTROY, &target);
    if (op == NULL)
        return false;
    target->stream = *stream;
    op->position.sequence = sequence;
    op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
    run->record_count++;
    return true;
}

/* What the disk lost is destroyed too, or it would come back when it is mended. */
static bool case_erasure_lost(struct case_erasure_run *run, const struct store_stream_row *row,
                              uint64_t *from)
{
    struct store_record record;
    if (*from > stream_state_tail(row))
        return false;
    run->failure = OK;
    bool is_here = record_table_get(runtime_store(run->runtime), &row->stream, *from,
                                    runtime_page(run->runtime), &record) == ERR_CORRUPT;
    uint64_t sequence = (*from)++;
    return !is_here || case_erasure_position(run, &row->stream, sequence);
}

static bool case_erasure_stream(void *arg, const struct store_stream_row *row)
{
    struct case_erasure_run *run = arg;
    struct store_record records[CASE_ERASURE_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = CASE_ERASURE_PAGE_RECORDS,
                              .memory = runtime_page(run->runtime),
                              .memory_size = RUNTIME_PAGE_SIZE};
    if (!scope_equal(&row->stream.scope, &run->scope))
        return true;
    uint64_t from = 1;
    bool is_more = true;
    do {
        run->failure = record_table_range(runtime_store(run->runtime), &row->stream, from, &page);
        if (run->failure == ERR_CORRUPT && case_erasure_lost(run, row, &from))
            continue;
        for (size_t i = 0; run->failure == OK && i < page.record_count; i++) {
            struct record_claim claim;
            from = records[i].sequence + 1;
            bool is_clear = record_parse(records[i].head, &claim) == OK &&
                            claim.header.audience == AUDIENCE_CLEAR;
            if (!is_clear && !records[i].destroyed &&
                !case_erasure_position(run, &row->stream, records[i].sequence))
                return false;
        }
        is_more = page.record_count > 0;
    } while (run->failure == OK && is_more);
    return run->failure == OK;
}

/* The row of an item holds its key. */
static bool case_erasure_item(void *arg, const struct item_id *item, const struct items_row *row)
{
    struct case_erasure_run *run = arg;
    struct case_erasure_target *target;
    struct item_file_state file;
    if (memcmp(row->case_id.bytes, run->scope.id, HASH_SIZE) != 0)
        return true;
    struct store_op *op = case_erasure_add(run, STORE_ITEM_DELETE, &target);
    if (op == NULL)
        return false;
    op->item = *item;
    op = case_erasure_add(run, STORE_ROW_DELETE, &target);
    if (op == NULL)
        return false;
    target->row = CASE_ERASURE_ITEM;
    target->item = *item;
    run->item_count++;
    if (item_file_state(runtime_store(run->runtime), item, &file) == OK)
        run->chunk_count += file.chunks_here;
    return true;
}

/* What is destroyed is not lacked; but of what the disk lost the header is still to come. */
static bool case_erasure_missing(void *arg, const struct missing_row *row)
{
    struct case_erasure_run *run = arg;
    struct case_erasure_target *target;
    if ((row->flags & RECORD_LOST) != 0 || !scope_equal(&row->stream.scope, &run->scope))
        return true;
    struct store_op *op = case_erasure_add(run, STORE_ROW_DELETE, &target);
    if (op == NULL)
        return false;
    target->row = CASE_ERASURE_MISSING;
    target->stream = row->stream;
    target->sequence = row->sequence;
    return true;
}

static err case_erasure_collect(struct case_erasure_run *run)
{
    struct store *store = runtime_store(run->runtime);
    err failure = stream_table_scan(store, case_erasure_stream, run);
    if (failure == OK && run->failure == OK)
        failure = items_row_scan(store, case_erasure_item, run);
    if (failure == OK && run->failure == OK)
        failure = missing_row_scan(store, case_erasure_missing, run);
    return failure == OK ? run->failure : failure;
}

/* ---- destroying ---- */

static void case_erasure_tell(const struct case_erasure_run *run)
{
    struct event event = runtime_event(EVENT_DESTROYED);
    event.destroyed.scope = run->scope;
    event.destroyed.erase = run->erase;
    event.destroyed.record_count = run->record_count;
    event.destroyed.item_count = run->item_count;
    event.destroyed.chunk_count = run->chunk_count;
    event.destroyed.backups_until.ms =
        event.wall.ms + (uint64_t)CASE_ERASURE_BACKUP_DAYS * 24 * 3600 * 1000;
    runtime_enqueue(run->runtime, &event);
}

static void case_erasure_fail(struct case_erasure_run *run, err failure)
{
    if (!runtime_is_closing(run->runtime))
        log_error("erase-failed", log_text("federation", runtime_name(run->runtime)),
                  log_err("why", failure),
                  log_text("do", "check the disk, then restart the daemon: the erasure goes on"));
    case_erasure_end(run);
}

static void case_erasure_next(struct case_erasure_run *run);

static void case_erasure_on_kept(void *arg, err result)
{
    struct case_erasure_run *run = arg;
    if (result == OK)
        case_erasure_next(run);
    else
        case_erasure_fail(run, result);
}

/* Lets the ops of a batch point at their targets, which stay where they are from now on. */
static void case_erasure_aim(struct case_erasure_run *run, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        struct store_op *op = &run->ops[i];
        struct case_erasure_target *target = &run->targets[i];
        if (op->kind == STORE_DESTROY)
            op->position.stream = &target->stream;
        if (target->row == CASE_ERASURE_ITEM)
            *op = items_row_delete(&target->item);
        if (target->row == CASE_ERASURE_MISSING)
            *op = missing_row_delete(&target->stream, target->sequence, &target->missing);
    }
}

/* Keeps the next batch; after the last one: a new epoch key, so that old pages cannot be read. */
static void case_erasure_next(struct case_erasure_run *run)
{
    struct runtime *runtime = run->runtime;
    if (run->kept == run->op_count) {
        err failure = store_rekey(runtime_store(runtime), 0);
        if (failure != OK && failure != ERR_BUSY)
            log_error(
                "rekey-failed", log_text("federation", runtime_name(runtime)),
                log_err("why", failure),
                log_text("do", "check the disk, then restart the daemon: it begins a new key"));
        case_erasure_tell(run);
        case_erasure_end(run);
        return;
    }
    size_t count = run->op_count - run->kept;
    count = count > CASE_ERASURE_OP_MAX ? CASE_ERASURE_OP_MAX : count;
    case_erasure_aim(run, run->kept, count);
    struct runtime_keep keep = {run->ops + run->kept, count, STORE_RELEASING, case_erasure_on_kept,
                                run};
    run->kept += count;
    runtime_keep(runtime, &keep);
}

/* ---- the row that remembers the case ---- */

static void case_erasure_remember(struct case_erasure_run *run);

static void case_erasure_on_remembered(void *arg, err result)
{
    struct case_erasure_run *run = arg;
    struct case_erasure_target *target;
    if (result == OK && run->is_ahead) {
        case_erasure_remember(run);
        return;
    }
    if (result == OK)
        result = case_erasure_collect(run);
    struct store_op *op = result == OK ? case_erasure_add(run, STORE_TOMBSTONE, &target) : NULL;
    if (op == NULL) {
        case_erasure_fail(run, result == OK ? ERR_NO_MEMORY : result);
        return;
    }
    struct audit_fact fact = {.what = AUDIT_ERASED, .record = run->erase};
    memcpy(fact.case_id.bytes, run->scope.id, HASH_SIZE);
    audit_note(run->owner->audit, &fact);
    op->tombstone.kind = STORE_TOMBSTONE_CASE;
    op->tombstone.erased_at = runtime_wall();
    memcpy(op->tombstone.id, run->scope.id, HASH_SIZE);
    case_erasure_next(run);
}

static void case_erasure_remember(struct case_erasure_run *run)
{
    struct runtime *runtime = run->runtime;
    struct case_id case_id;
    memcpy(case_id.bytes, run->scope.id, HASH_SIZE);
    uint8_t *memory = malloc(ENGINE_CASE_SIZE_MAX);
    struct buffer exported = buffer_over(memory, memory == NULL ? 0 : (size_t)ENGINE_CASE_SIZE_MAX);
    err failure = engine_case_export(runtime_engine(runtime), &case_id, &exported);
    if (failure != OK) {
        free(memory);
        case_erasure_fail(run, failure);
        return;
    }
    struct store_op op = case_row_put(&case_id, buffer_bytes(&exported));
    run->is_ahead = run->owner->waiting->first != NULL;
    struct runtime_keep keep = {&op, 1, STORE_RELEASING, case_erasure_on_remembered, run};
    runtime_keep(runtime, &keep);
    free(memory);
}

static bool case_erasure_is_under_way(const struct case_erasure *case_erasure,
                                      const struct scope *scope)
{
    const struct case_erasure_run *run = case_erasure->first;
    while (run != NULL && !scope_equal(&run->scope, scope))
        run = run->next;
    return run != NULL;
}

void case_erasure_case(struct case_erasure *case_erasure, const struct scope *scope,
                       const struct record_id *erase)
{
    struct runtime *runtime = case_erasure->runtime;
    if (case_erasure_is_under_way(case_erasure, scope))
        return;
    struct case_erasure_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        abort(); /* the erasure would be forgotten */
    run->owner = case_erasure;
    run->runtime = runtime;
    run->scope = *scope;
    run->erase = *erase;
    run->next = case_erasure->first;
    case_erasure->first = run;
    if (row_table_tombstone(runtime_store(runtime), STORE_TOMBSTONE_CASE, scope->id, NULL)) {
        case_erasure_tell(run); /* done before, and perhaps the receipt was not */
        case_erasure_end(run);
        return;
    }
    runtime_forget_recordings(runtime);
    case_erasure_remember(run);
}

void case_erasure_resume(struct case_erasure *case_erasure)
{
    const struct engine *engine = runtime_engine(case_erasure->runtime);
    struct engine_case_brief brief;
    for (uint32_t n = 0; engine_case_at(engine, n, &brief); n++) {
        const struct consult *consult = engine_case(engine, &brief.case_id);
        struct scope scope = scope_case(&brief.case_id);
        if (consult != NULL &&
            consult->state == CASE_ERASED) /* none of them rests before it is done */
            case_erasure_case(case_erasure, &scope, &consult->erase);
    }
}
