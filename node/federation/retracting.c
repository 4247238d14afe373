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

#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "protocol/consult/announcement.h"
#include "protocol/consult/mail.h"
#include "protocol/consult/mirror.h"
#include "protocol/core/examination.h"
#include "protocol/hash.h"
#include "protocol/record/kind.h"
#include "protocol/record/statement.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

enum {
    RETRACTING_PAGE_RECORDS = 64,
    RETRACTING_ROW_MAX = 2048,  /* that one walk does away with */
    RETRACTING_LOOK_MAX = 8192, /* rows that are looked at for it */
    RETRACTING_PAUSE_MS = 100,  /* between two pages */
    RETRACTING_RETRY_MS = 10 * 1000,
    RETRACTING_REKEY_MS = 10 * 60 * 1000, /* between two new keys */
};

/* One walk. */
struct retracting {
    struct shell *shell;
    struct stream_id stream;
    uint64_t from;
    bool is_ending;
    bool is_keeping; /* a batch is on its way */
    size_t op_count;
    struct store_op ops[RETRACTING_ROW_MAX];
    struct stream_id streams[RETRACTING_PAGE_RECORDS]; /* that the ops point at */
    size_t row_count;
    uint8_t rows[RETRACTING_ROW_MAX][RETRACTION_SIZE];
};

/* ---- the row and the tombstone ---- */

static void retracting_key(const struct retraction *what, uint8_t key[static RETRACTION_SIZE])
{
    struct buffer buffer = buffer_over(key, RETRACTION_SIZE);
    buffer_u8(&buffer, (uint8_t)what->scope.kind);
    buffer_put(&buffer, what->scope.id, HASH_SIZE);
    buffer_put(&buffer, what->writer.bytes, NODE_ID_SIZE);
    buffer_put(&buffer, what->case_id.bytes, HASH_SIZE);
}

static struct hash retracting_id(const struct retraction *what)
{
    uint8_t key[RETRACTION_SIZE];
    retracting_key(what, key);
    return hash_one(CONTEXT_RETRACTION, (struct bytes){key, sizeof key});
}

/* The case that an announcement or a request is about; false when it is neither. */
static bool retracting_case(struct bytes plaintext, struct case_id *ret_case)
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

static struct retraction retracting_of(const struct stream_id *stream)
{
    return (struct retraction){.scope = stream->scope, .writer = stream->writer};
}

bool retracting_is_done(const struct shell *shell, const struct record_claim *claim,
                        struct bytes plaintext)
{
    struct retraction what = retracting_of(&claim->header.stream);
    if (!retracting_case(plaintext, &what.case_id))
        return false;
    struct hash id = retracting_id(&what);
    return row_table_tombstone(shell->store, STORE_TOMBSTONE_RETRACTION, id.bytes, NULL);
}

size_t retracting_stage(const struct record_claim *claim, struct bytes plaintext,
                        uint8_t key[static RETRACTION_SIZE], struct store_op ops[static 2])
{
    struct statement statement;
    struct mirror mirror;
    struct retraction what = retracting_of(&claim->header.stream);
    if (what.scope.kind == SCOPE_CASE || statement_read(plaintext, &statement) != OK ||
        statement.kind != KIND_MIRROR || mirror_read(statement.content, &mirror) != OK ||
        mirror.what != MIRROR_ERASED)
        return 0;
    what.case_id = mirror.case_id;
    struct hash id = retracting_id(&what);
    retracting_key(&what, key);
    ops[0] = (struct store_op){.kind = STORE_TOMBSTONE};
    ops[0].tombstone.kind = STORE_TOMBSTONE_RETRACTION;
    ops[0].tombstone.erased_at = claim->header.time;
    memcpy(ops[0].tombstone.id, id.bytes, HASH_SIZE);
    ops[1] = (struct store_op){.kind = STORE_ROW_PUT};
    ops[1].row = (struct store_row){STORE_TABLE_RETRACTION, {key, RETRACTION_SIZE}, BYTES_NONE};
    return 2;
}

/* ---- one page ---- */

static void retracting_look_at(struct retracting *retracting, const struct store_record *record)
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
    examination_open(&opened, &memory);
    if (opened.verdict != OK || !retracting_is_done(retracting->shell, &claim, opened.plaintext))
        return;
    struct store_op *op = &retracting->ops[retracting->op_count];
    retracting->streams[retracting->op_count] = retracting->stream;
    *op = (struct store_op){.kind = STORE_DESTROY};
    op->position.stream = &retracting->streams[retracting->op_count++];
    op->position.sequence = record->sequence;
    op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
}

/* One generation after the other. What the disk lost is passed by: it comes back empty. */
static err retracting_collect(struct retracting *retracting)
{
    struct shell *shell = retracting->shell;
    struct store_stream_row row;
    struct store_record records[RETRACTING_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = RETRACTING_PAGE_RECORDS,
                              .memory = shell->page_memory,
                              .memory_size = 2 * (size_t)STORE_RECORD_SIZE_MAX};
    err failure = record_table_range(shell->store, &retracting->stream, retracting->from, &page);
    if (failure == ERR_CORRUPT) {
        retracting->from++;
        return stream_table_get(shell->store, &retracting->stream, &row);
    }
    for (size_t i = 0; failure == OK && i < page.record_count; i++) {
        retracting_look_at(retracting, &records[i]);
        retracting->from = records[i].sequence + 1;
    }
    if (failure != OK || page.record_count > 0)
        return failure;
    retracting->stream.generation++;
    retracting->from = 1;
    failure = stream_table_get(shell->store, &retracting->stream, &row);
    retracting->is_ending = failure == ERR_NOT_FOUND;
    return failure == ERR_NOT_FOUND ? OK : failure;
}

static void retracting_forget_rows(struct retracting *retracting)
{
    for (size_t i = 0; i < retracting->row_count; i++) {
        struct store_op *op = &retracting->ops[retracting->op_count++];
        *op = (struct store_op){.kind = STORE_ROW_DELETE};
        op->row = (struct store_row){
            STORE_TABLE_RETRACTION, {retracting->rows[i], RETRACTION_SIZE}, BYTES_NONE};
    }
}

/* ---- the walk ---- */

static void retracting_end(struct shell *shell, err failure)
{
    free(shell->retracting);
    shell->retracting = NULL;
    if (failure == OK || shell->is_closing)
        return;
    shell->retracting_at.ms = shell_mono().ms + RETRACTING_RETRY_MS;
    log_error("retract-failed", log_text("federation", shell->name), log_err("why", failure),
              log_text("do", "it is tried again in a while"));
}

static void retracting_on_kept(void *arg, err result)
{
    struct shell *shell = arg;
    if (shell->retracting == NULL)
        return;
    shell->retracting->is_keeping = false;
    if (result != OK || shell->retracting->is_ending)
        retracting_end(shell, result);
}

static void retracting_page(struct retracting *retracting)
{
    struct shell *shell = retracting->shell;
    retracting->op_count = 0;
    err failure = retracting_collect(retracting);
    if (failure != OK) {
        retracting_end(shell, failure);
        return;
    }
    if (!shell->is_retraction_rekey_due && retracting->op_count > 0) {
        shell->is_retraction_rekey_due = true;
        shell->retraction_due_at.ms = shell_mono().ms + RETRACTING_REKEY_MS;
    }
    if (retracting->is_ending)
        retracting_forget_rows(retracting);
    if (retracting->op_count == 0)
        return;
    retracting->is_keeping = true;
    struct shell_keep keep = {retracting->ops, retracting->op_count, STORE_RELEASING,
                              retracting_on_kept, shell};
    shell_keep(shell, &keep);
}

/* ---- the rows ---- */

struct retracting_rows {
    struct retracting *retracting;
    size_t looked_at;
};

/* The first row says which streams; those of the same are taken with it. */
static bool retracting_row(void *arg, const struct store_row *row)
{
    struct retracting_rows *rows = arg;
    struct retracting *retracting = rows->retracting;
    struct stream_id stream = {.scope.kind = SCOPE_BOARD, .generation = 1};
    struct reader reader = reader_of(row->key);
    stream.scope.kind = (enum scope_kind)reader_u8(&reader);
    reader_copy(&reader, stream.scope.id, HASH_SIZE);
    reader_copy(&reader, stream.writer.bytes, NODE_ID_SIZE);
    if (row->key.size != RETRACTION_SIZE)
        return true;
    if (retracting->row_count == 0)
        retracting->stream = stream;
    if (stream_id_equal(&stream, &retracting->stream))
        memcpy(retracting->rows[retracting->row_count++], row->key.data, RETRACTION_SIZE);
    return ++rows->looked_at < RETRACTING_LOOK_MAX && retracting->row_count < RETRACTING_ROW_MAX;
}

static void retracting_begin(struct shell *shell)
{
    struct retracting *retracting = calloc(1, sizeof *retracting);
    struct retracting_rows rows = {.retracting = retracting};
    if (retracting == NULL)
        return; /* the next tick tries again */
    retracting->shell = shell;
    retracting->from = 1;
    shell->retracting = retracting;
    err failure = row_table_scan(shell->store, STORE_TABLE_RETRACTION, retracting_row, &rows);
    if (failure != OK || retracting->row_count == 0) {
        shell->has_retractions = failure != OK;
        retracting_end(shell, failure);
    }
}

/* For all that was destroyed since the last one, when no row is left; not more often than now and
 * then, and not put off for ever by who sends one mirror after the other. */
static void retracting_rekey(struct shell *shell)
{
    struct mono now = shell_mono();
    if (!shell->is_retraction_rekey_due || now.ms < shell->retraction_rekey_at.ms ||
        (retracting_waits(shell) && now.ms < shell->retraction_due_at.ms))
        return;
    shell->retraction_rekey_at.ms = now.ms + RETRACTING_REKEY_MS;
    shell->is_retraction_rekey_due = false;
    err failure = store_rekey(shell->store, 0);
    if (failure != OK && failure != ERR_BUSY)
        log_error("rekey-failed", log_err("why", failure));
}

void retracting_wake(struct shell *shell)
{
    shell->has_retractions = true;
}

void retracting_tick(struct shell *shell)
{
    struct mono now = shell_mono();
    retracting_rekey(shell);
    if (!retracting_waits(shell) || now.ms < shell->retracting_at.ms ||
        (shell->retracting != NULL && shell->retracting->is_keeping))
        return;
    shell->retracting_at.ms = now.ms + RETRACTING_PAUSE_MS;
    if (shell->retracting == NULL)
        retracting_begin(shell);
    if (shell->retracting != NULL)
        retracting_page(shell->retracting);
}

bool retracting_waits(const struct shell *shell)
{
    return shell->retracting != NULL || shell->has_retractions;
}
