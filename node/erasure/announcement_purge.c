#include "node/erasure/announcement_purge.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
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
struct announcement_purge_walk {
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

struct announcement_purge {
    struct runtime *runtime;
    struct announcement_purge_walk *walk; /* under way; NULL: none */
    bool has_rows;                        /* rows are there, or may be */
    struct mono next_at;                  /* the next page */
    bool is_rekey_due;
    struct mono rekey_until; /* then at the latest */
    struct mono rekey_after; /* not before */
};

struct announcement_purge *announcement_purge_new(struct runtime *runtime)
{
    struct announcement_purge *purge = calloc(1, sizeof *purge);
    if (purge != NULL)
        purge->runtime = runtime;
    return purge;
}

void announcement_purge_free(struct announcement_purge *purge)
{
    if (purge != NULL)
        free(purge->walk);
    free(purge);
}

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

bool announcement_purge_is_done(struct store *store, const struct record_claim *claim,
                                struct bytes plaintext)
{
    struct purge_row what = announcement_purge_of(&claim->header.stream);
    if (!announcement_purge_case(plaintext, &what.case_id))
        return false;
    struct hash id = purge_row_tombstone(&what);
    return row_table_tombstone(store, STORE_TOMBSTONE_RETRACTION, id.bytes, NULL);
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

static void announcement_purge_look_at(struct announcement_purge_walk *walk,
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
        !announcement_purge_is_done(runtime_store(walk->runtime), &claim, opened.plaintext))
        return;
    struct store_op *op = &walk->ops[walk->op_count];
    walk->streams[walk->op_count] = walk->stream;
    *op = (struct store_op){.kind = STORE_DESTROY};
    op->position.stream = &walk->streams[walk->op_count++];
    op->position.sequence = record->sequence;
    op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
}

/* One generation after the other. What the disk lost is passed by: it comes back empty. */
static err announcement_purge_collect(struct announcement_purge_walk *walk)
{
    struct runtime *runtime = walk->runtime;
    struct store_stream_row row;
    struct store_record records[ANNOUNCEMENT_PURGE_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = ANNOUNCEMENT_PURGE_PAGE_RECORDS,
                              .memory = runtime_page(runtime),
                              .memory_size = RUNTIME_PAGE_SIZE};
    err failure = record_table_range(runtime_store(runtime), &walk->stream, walk->from, &page);
    if (failure == ERR_CORRUPT) {
        walk->from++;
        return stream_table_get(runtime_store(runtime), &walk->stream, &row);
    }
    for (size_t i = 0; failure == OK && i < page.record_count; i++) {
        announcement_purge_look_at(walk, &records[i]);
        walk->from = records[i].sequence + 1;
    }
    if (failure != OK || page.record_count > 0)
        return failure;
    walk->stream.generation++;
    walk->from = 1;
    failure = stream_table_get(runtime_store(runtime), &walk->stream, &row);
    walk->is_ending = failure == ERR_NOT_FOUND;
    return failure == ERR_NOT_FOUND ? OK : failure;
}

static void announcement_purge_forget_rows(struct announcement_purge_walk *walk)
{
    for (size_t i = 0; i < walk->row_count; i++) {
        walk->ops[walk->op_count++] = purge_row_delete(&walk->rows[i], &walk->keys[i]);
    }
}

/* ---- the walk ---- */

static void announcement_purge_end(struct announcement_purge *purge, err failure)
{
    free(purge->walk);
    purge->walk = NULL;
    if (failure == OK || runtime_is_closing(purge->runtime))
        return;
    purge->next_at.ms = runtime_mono().ms + ANNOUNCEMENT_PURGE_RETRY_MS;
    log_error(
        "retract-failed", log_text("federation", runtime_name(purge->runtime)),
        log_err("why", failure),
        log_text("do", "nothing: it is tried again in ten seconds; if it goes on, check the disk"));
}

static void announcement_purge_on_kept(void *arg, err result)
{
    struct announcement_purge *purge = arg;
    if (purge->walk == NULL)
        return;
    purge->walk->is_keeping = false;
    if (result != OK || purge->walk->is_ending)
        announcement_purge_end(purge, result);
}

static void announcement_purge_page(struct announcement_purge *purge)
{
    struct announcement_purge_walk *walk = purge->walk;
    walk->op_count = 0;
    err failure = announcement_purge_collect(walk);
    if (failure != OK) {
        announcement_purge_end(purge, failure);
        return;
    }
    if (!purge->is_rekey_due && walk->op_count > 0) {
        purge->is_rekey_due = true;
        purge->rekey_until.ms = runtime_mono().ms + ANNOUNCEMENT_PURGE_REKEY_MS;
    }
    if (walk->is_ending)
        announcement_purge_forget_rows(walk);
    if (walk->op_count == 0)
        return;
    walk->is_keeping = true;
    struct runtime_keep keep = {walk->ops, walk->op_count, STORE_RELEASING,
                                announcement_purge_on_kept, purge};
    runtime_keep(purge->runtime, &keep);
}

/* ---- the rows ---- */

struct announcement_purge_rows {
    struct announcement_purge_walk *walk;
    size_t looked_at;
};

/* The first row says which streams; those of the same are taken with it. */
static bool announcement_purge_row(void *arg, const struct purge_row *row)
{
    struct announcement_purge_rows *rows = arg;
    struct announcement_purge_walk *walk = rows->walk;
    struct stream_id stream = {.scope = row->scope, .writer = row->writer, .generation = 1};
    if (walk->row_count == 0)
        walk->stream = stream;
    if (stream_id_equal(&stream, &walk->stream))
        walk->rows[walk->row_count++] = *row;
    return ++rows->looked_at < ANNOUNCEMENT_PURGE_LOOK_MAX &&
           walk->row_count < ANNOUNCEMENT_PURGE_ROW_MAX;
}

static void announcement_purge_begin(struct announcement_purge *purge)
{
    struct announcement_purge_walk *walk = calloc(1, sizeof *walk);
    struct announcement_purge_rows rows = {.walk = walk};
    if (walk == NULL)
        return; /* the next tick tries again */
    walk->runtime = purge->runtime;
    walk->from = 1;
    purge->walk = walk;
    err failure = purge_row_scan(runtime_store(purge->runtime), announcement_purge_row, &rows);
    if (failure != OK || walk->row_count == 0) {
        purge->has_rows = failure != OK;
        announcement_purge_end(purge, failure);
    }
}

/* For all that was destroyed since the last one, when no row is left; not more often than now and
 * then, and not put off for ever by who sends one mirror after the other. */
static void announcement_purge_rekey(struct announcement_purge *purge)
{
    struct mono now = runtime_mono();
    if (!purge->is_rekey_due || now.ms < purge->rekey_after.ms ||
        (announcement_purge_waits(purge) && now.ms < purge->rekey_until.ms))
        return;
    purge->rekey_after.ms = now.ms + ANNOUNCEMENT_PURGE_REKEY_MS;
    purge->is_rekey_due = false;
    err failure = store_rekey(runtime_store(purge->runtime), 0);
    if (failure != OK && failure != ERR_BUSY)
        log_error("rekey-failed", log_text("federation", runtime_name(purge->runtime)),
                  log_err("why", failure),
                  log_text("do", "check the disk, then restart the daemon: it begins a new key"));
}

void announcement_purge_wake(struct announcement_purge *purge)
{
    purge->has_rows = true;
}

void announcement_purge_tick(struct announcement_purge *purge)
{
    struct mono now = runtime_mono();
    announcement_purge_rekey(purge);
    if (!announcement_purge_waits(purge) || now.ms < purge->next_at.ms ||
        (purge->walk != NULL && purge->walk->is_keeping))
        return;
    purge->next_at.ms = now.ms + ANNOUNCEMENT_PURGE_PAUSE_MS;
    if (purge->walk == NULL)
        announcement_purge_begin(purge);
    if (purge->walk != NULL)
        announcement_purge_page(purge);
}

bool announcement_purge_waits(const struct announcement_purge *purge)
{
    return purge->walk != NULL || purge->has_rows;
}
