/* A requester says, by MIRROR, that it erased a case: what it had told a board, or those whom it
 * asked, of it is destroyed here as well. (C-53)
 *
 *   1. With the mirror itself come a tombstone, so that nothing of it is taken in any more, and a
 *      row that says that it is still to be done.
 *   2. The requester's streams in that scope are read, a page at a time and not too often, and what
 *      a tombstone names is destroyed. One walk does it for all rows of that writer in that scope
 *      that were there when it began: who sends many mirrors makes nobody walk for each. (C-57)
 *   3. The rows go when the walk has come to the end: what a crash cut short is done at the next
 *      start. When no row is left, a new store key is asked for, once for all. */
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/purge_row.h"
#include "node/runtime/runtime_state.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/mirror.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "protocol/replication/batch_verify.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum {
    ANNOUNCEMENT_PURGE_PAGE_RECORDS = 64,
    ANNOUNCEMENT_PURGE_ROW_MAX = 2048,  /* that one walk does away with */
    ANNOUNCEMENT_PURGE_LOOK_MAX = 8192, /* rows that are looked at for it */
    ANNOUNCEMENT_PURGE_PAUSE_MS = 100,  /* between two pages */
    ANNOUNCEMENT_PURGE_RETRY_MS = 10 * 1000,
    ANNOUNCEMENT_PURGE_REKEY_MS = 10 * 60 * 1000, /* between two new keys */
};

/* One walk. */
struct announcement_purge {
    struct runtime *runtime;
    struct stream_id stream;
    uint64_t from;
    bool is_ending;
    bool is_keeping; /* a batch is on its way */
    size_t op_count;
    struct store_op ops[ANNOUNCEMENT_PURGE_ROW_MAX];
    struct stream_id streams[ANNOUNCEMENT_PURGE_PAGE_RECORDS]; /* that the ops point at */
    size_t row_count;
    struct purge_row rows[ANNOUNCEMENT_PURGE_ROW_MAX];
    struct purge_row_bytes keys[ANNOUNCEMENT_PURGE_ROW_MAX]; /* that the ops point at */
};

/* ---- the row and the tombstone ---- */

/* The case that an announcement or a request is about; false when it is neither. */
static bool announcement_purge_case(struct bytes plaintext, struct case_id *ret_case)
{
    struct statement statement;
    struct announcement announcement;
    struct mail_directed directed;
    if (statement_read(plaintext, &statement) != OK)
        return false;
    struct bytes content = statement.content;
    if (statement.kind == KIND_DIRECTED && mail_directed_read(content, &directed) == OK)
        content = directed.announcement;
    else if (statement.kind != KIND_ANNOUNCEMENT)
        return false;
    if (announcement_read(content, &announcement) != OK)
        return false;
    *ret_case = announcement.case_id;
    return true;
}

static struct purge_row announcement_purge_of(const struct stream_id *stream)
{
    return (struct purge_row){.scope = stream->scope, .writer = stream->writer};
}

bool announcement_purge_is_done(const struct runtime *runtime, const struct record_claim *claim,
                                struct bytes plaintext)
{
    struct purge_row what = announcement_purge_of(&claim->header.stream);
    if (!announcement_purge_case(plaintext, &what.case_id))
        return false;
    struct hash id = purge_row_tombstone(&what);
    return row_table_tombstone(runtime->store, STORE_TOMBSTONE_RETRACTION, id.bytes, NULL);
}

size_t announcement_purge_stage(const struct record_claim *claim, struct bytes plaintext,
                                struct purge_row_bytes *memory, struct store_op ops[static 2])
{
    struct statement statement;
    struct mirror mirror;
    struct purge_row what = announcement_purge_of(&claim->header.stream);
    if (what.scope.kind == SCOPE_CASE || statement_read(plaintext, &statement) != OK ||
        statement.kind != KIND_MIRROR || mirror_read(statement.content, &mirror) != OK ||
        mirror.what != MIRROR_ERASED)
        return 0;
    what.case_id = mirror.case_id;
    struct hash id = purge_row_tombstone(&what);
    ops[0] = (struct store_op){.kind = STORE_TOMBSTONE};
    ops[0].tombstone.kind = STORE_TOMBSTONE_RETRACTION;
    ops[0].tombstone.erased_at = claim->header.time;
    memcpy(ops[0].tombstone.id, id.bytes, HASH_SIZE);
    ops[1] = purge_row_put(&what, memory);
    return 2;
}

/* ---- one page ---- */

static void announcement_purge_look_at(struct announcement_purge *announcement_purge,
                                       const struct store_record *record)
{
    uint8_t plaintext[RECORD_SIZE_MAX];
    struct buffer memory = buffer_over(plaintext, sizeof plaintext);
    struct record_claim claim;
    struct step_record opened = {
        .record = {record->head.data, record->head.size + record->body.size},
        .has_key = record->has_key,
        .key = record->key,
        .flags = record->flags};
    if (record->destroyed || !record->has_key || record_parse(record->head, &claim) != OK)
        return;
    batch_verify_open(&opened, &memory);
    if (opened.verdict != OK ||
        !announcement_purge_is_done(announcement_purge->runtime, &claim, opened.plaintext))
        return;
    struct store_op *op = &announcement_purge->ops[announcement_purge->op_count];
    announcement_purge->streams[announcement_purge->op_count] = announcement_purge->stream;
    *op = (struct store_op){.kind = STORE_DESTROY};
    op->position.stream = &announcement_purge->streams[announcement_purge->op_count++];
    op->position.sequence = record->sequence;
    op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
}

/* One generation after the other. What the disk lost is passed by: it comes back empty. */
static err announcement_purge_collect(struct announcement_purge *announcement_purge)
{
    struct runtime *runtime = announcement_purge->runtime;
    struct store_stream_row row;
    struct store_record records[ANNOUNCEMENT_PURGE_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = ANNOUNCEMENT_PURGE_PAGE_RECORDS,
                              .memory = runtime->page_memory,
                              .memory_size = 2 * (size_t)STORE_RECORD_SIZE_MAX};
    err failure = record_table_range(runtime->store, &announcement_purge->stream,
                                     announcement_purge->from, &page);
    if (failure == ERR_CORRUPT) {
        announcement_purge->from++;
        return stream_table_get(runtime->store, &announcement_purge->stream, &row);
    }
    for (size_t i = 0; failure == OK && i < page.record_count; i++) {
        announcement_purge_look_at(announcement_purge, &records[i]);
        announcement_purge->from = records[i].sequence + 1;
    }
    if (failure != OK || page.record_count > 0)
        return failure;
    announcement_purge->stream.generation++;
    announcement_purge->from = 1;
    failure = stream_table_get(runtime->store, &announcement_purge->stream, &row);
    announcement_purge->is_ending = failure == ERR_NOT_FOUND;
    return failure == ERR_NOT_FOUND ? OK : failure;
}

static void announcement_purge_forget_rows(struct announcement_purge *announcement_purge)
{
    for (size_t i = 0; i < announcement_purge->row_count; i++) {
        announcement_purge->ops[announcement_purge->op_count++] =
            purge_row_delete(&announcement_purge->rows[i], &announcement_purge->keys[i]);
    }
}

/* ---- the walk ---- */

static void announcement_purge_end(struct runtime *runtime, err failure)
{
    free(runtime->announcement_purge);
    runtime->announcement_purge = NULL;
    if (failure == OK || runtime->is_closing)
        return;
    runtime->retracting_at.ms = runtime_mono().ms + ANNOUNCEMENT_PURGE_RETRY_MS;
    log_error("retract-failed", log_text("federation", runtime->name), log_err("why", failure),
              log_text("do", "it is tried again in a while"));
}

static void announcement_purge_on_kept(void *arg, err result)
{
    struct runtime *runtime = arg;
    if (runtime->announcement_purge == NULL)
        return;
    runtime->announcement_purge->is_keeping = false;
    if (result != OK || runtime->announcement_purge->is_ending)
        announcement_purge_end(runtime, result);
}

static void announcement_purge_page(struct announcement_purge *announcement_purge)
{
    struct runtime *runtime = announcement_purge->runtime;
    announcement_purge->op_count = 0;
    err failure = announcement_purge_collect(announcement_purge);
    if (failure != OK) {
        announcement_purge_end(runtime, failure);
        return;
    }
    if (!runtime->is_retraction_rekey_due && announcement_purge->op_count > 0) {
        runtime->is_retraction_rekey_due = true;
        runtime->retraction_due_at.ms = runtime_mono().ms + ANNOUNCEMENT_PURGE_REKEY_MS;
    }
    if (announcement_purge->is_ending)
        announcement_purge_forget_rows(announcement_purge);
    if (announcement_purge->op_count == 0)
        return;
    announcement_purge->is_keeping = true;
    struct runtime_keep keep = {announcement_purge->ops, announcement_purge->op_count,
                                STORE_RELEASING, announcement_purge_on_kept, runtime};
    runtime_keep(runtime, &keep);
}

/* ---- the rows ---- */

struct announcement_purge_rows {
    struct announcement_purge *announcement_purge;
    size_t looked_at;
};

/* The first row says which streams; those of the same are taken with it. */
static bool announcement_purge_row(void *arg, const struct purge_row *row)
{
    struct announcement_purge_rows *rows = arg;
    struct announcement_purge *announcement_purge = rows->announcement_purge;
    struct stream_id stream = {.scope = row->scope, .writer = row->writer, .generation = 1};
    if (announcement_purge->row_count == 0)
        announcement_purge->stream = stream;
    if (stream_id_equal(&stream, &announcement_purge->stream))
        announcement_purge->rows[announcement_purge->row_count++] = *row;
    return ++rows->looked_at < ANNOUNCEMENT_PURGE_LOOK_MAX &&
           announcement_purge->row_count < ANNOUNCEMENT_PURGE_ROW_MAX;
}

static void announcement_purge_begin(struct runtime *runtime)
{
    struct announcement_purge *announcement_purge = calloc(1, sizeof *announcement_purge);
    struct announcement_purge_rows rows = {.announcement_purge = announcement_purge};
    if (announcement_purge == NULL)
        return; /* the next tick tries again */
    announcement_purge->runtime = runtime;
    announcement_purge->from = 1;
    runtime->announcement_purge = announcement_purge;
    err failure = purge_row_scan(runtime->store, announcement_purge_row, &rows);
    if (failure != OK || announcement_purge->row_count == 0) {
        runtime->has_retractions = failure != OK;
        announcement_purge_end(runtime, failure);
    }
}

/* For all that was destroyed since the last one, when no row is left; not more often than now and
 * then, and not put off for ever by who sends one mirror after the other. */
static void announcement_purge_rekey(struct runtime *runtime)
{
    struct mono now = runtime_mono();
    if (!runtime->is_retraction_rekey_due || now.ms < runtime->retraction_rekey_at.ms ||
        (announcement_purge_waits(runtime) && now.ms < runtime->retraction_due_at.ms))
        return;
    runtime->retraction_rekey_at.ms = now.ms + ANNOUNCEMENT_PURGE_REKEY_MS;
    runtime->is_retraction_rekey_due = false;
    err failure = store_rekey(runtime->store, 0);
    if (failure != OK && failure != ERR_BUSY)
        log_error("rekey-failed", log_err("why", failure));
}

void announcement_purge_wake(struct runtime *runtime)
{
    runtime->has_retractions = true;
}

void announcement_purge_tick(struct runtime *runtime)
{
    struct mono now = runtime_mono();
    announcement_purge_rekey(runtime);
    if (!announcement_purge_waits(runtime) || now.ms < runtime->retracting_at.ms ||
        (runtime->announcement_purge != NULL && runtime->announcement_purge->is_keeping))
        return;
    runtime->retracting_at.ms = now.ms + ANNOUNCEMENT_PURGE_PAUSE_MS;
    if (runtime->announcement_purge == NULL)
        announcement_purge_begin(runtime);
    if (runtime->announcement_purge != NULL)
        announcement_purge_page(runtime->announcement_purge);
}

bool announcement_purge_waits(const struct runtime *runtime)
{
    return runtime->announcement_purge != NULL || runtime->has_retractions;
}
