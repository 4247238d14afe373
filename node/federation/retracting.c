/* A requester says, by MIRROR, that it erased a case: what it had told a board, or those whom it
 * asked, of it is destroyed here as well. (C-53)
 *
 *   1. With the mirror itself come a tombstone, so that nothing of it is taken in any more, and a
 *      row that says that it is still to be done.
 *   2. The requester's streams in that scope are read, and what is about the case is destroyed.
 *   3. The row goes with the last batch: what a crash cut short is done at the next start. */
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
    RETRACTING_OP_MAX = 64, /* in one batch; what is left comes in the next */
};

struct retracting {
    struct shell *shell;
    struct retraction what;
    struct stream_id stream;
    uint64_t from;
    struct store_op ops[RETRACTING_OP_MAX];
    struct stream_id streams[RETRACTING_OP_MAX]; /* that the ops point at */
    size_t op_count;
    bool is_last;
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

/* ---- destroying ---- */

static void retracting_look_at(struct retracting *retracting, const struct store_record *record)
{
    uint8_t plaintext[RECORD_SIZE_MAX];
    struct buffer memory = buffer_over(plaintext, sizeof plaintext);
    struct step_record opened = {
        .record = {record->head.data, record->head.size + record->body.size},
        .has_key = record->has_key,
        .key = record->key,
        .flags = record->flags};
    struct case_id case_id;
    if (record->destroyed || !record->has_key)
        return;
    examination_open(&opened, &memory);
    if (opened.verdict != OK || !retracting_case(opened.plaintext, &case_id) ||
        !ID_EQUAL(case_id, retracting->what.case_id))
        return;
    struct store_op *op = &retracting->ops[retracting->op_count];
    retracting->streams[retracting->op_count] = retracting->stream;
    *op = (struct store_op){.kind = STORE_DESTROY};
    op->position.stream = &retracting->streams[retracting->op_count++];
    op->position.sequence = record->sequence;
    op->position.flags = op->position.flags_mask = RECORD_DESTROYED | RECORD_BARE;
}

/* One generation after the other, until a batch is full. */
static err retracting_collect(struct retracting *retracting)
{
    struct shell *shell = retracting->shell;
    struct store_stream_row row;
    struct store_record records[RETRACTING_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = RETRACTING_PAGE_RECORDS,
                              .memory = shell->page_memory,
                              .memory_size = 2 * (size_t)STORE_RECORD_SIZE_MAX};
    err failure = OK;
    while (failure == OK && retracting->op_count < RETRACTING_OP_MAX - 1) {
        failure = record_table_range(shell->store, &retracting->stream, retracting->from, &page);
        for (size_t i = 0;
             failure == OK && i < page.record_count && retracting->op_count < RETRACTING_OP_MAX - 1;
             i++) {
            retracting_look_at(retracting, &records[i]);
            retracting->from = records[i].sequence + 1;
        }
        if (failure != OK || page.record_count > 0)
            continue;
        retracting->stream.generation++;
        retracting->from = 1;
        if (stream_table_get(shell->store, &retracting->stream, &row) == ERR_NOT_FOUND) {
            retracting->is_last = true;
            break;
        }
    }
    return failure;
}

static void retracting_next(struct retracting *retracting);

static void retracting_on_kept(void *arg, err result)
{
    struct retracting *retracting = arg;
    struct shell *shell = retracting->shell;
    if (result == OK && !retracting->is_last && !shell->is_closing) {
        retracting_next(retracting);
        return;
    }
    if (result == OK)
        result = store_rekey(shell->store, 0);
    if (result != OK && result != ERR_BUSY && !shell->is_closing)
        log_error("retract-failed", log_text("federation", shell->name), log_err("why", result),
                  log_text("do", "it is tried again at the next start"));
    free(retracting);
}

static void retracting_next(struct retracting *retracting)
{
    uint8_t key[RETRACTION_SIZE];
    retracting->op_count = 0;
    err failure = retracting_collect(retracting);
    if (failure != OK) {
        retracting->is_last = true;
        retracting_on_kept(retracting, failure);
        return;
    }
    if (retracting->is_last) {
        struct store_op *op = &retracting->ops[retracting->op_count++];
        retracting_key(&retracting->what, key);
        *op = (struct store_op){.kind = STORE_ROW_DELETE};
        op->row = (struct store_row){STORE_TABLE_RETRACTION, {key, sizeof key}, BYTES_NONE};
    }
    struct shell_keep keep = {retracting->ops, retracting->op_count, STORE_RELEASING,
                              retracting_on_kept, retracting};
    shell_keep(retracting->shell, &keep);
}

void retracting_begin(struct shell *shell, const struct retraction *what)
{
    struct retracting *retracting = calloc(1, sizeof *retracting);
    if (retracting == NULL)
        return; /* its row stays: the next start does it */
    retracting->shell = shell;
    retracting->what = *what;
    retracting->stream =
        (struct stream_id){.scope = what->scope, .writer = what->writer, .generation = 1};
    retracting->from = 1;
    retracting_next(retracting);
}

static bool retracting_resume_row(void *arg, const struct store_row *row)
{
    struct retraction what = {.scope.kind = SCOPE_BOARD};
    struct reader reader = reader_of(row->key);
    what.scope.kind = (enum scope_kind)reader_u8(&reader);
    reader_copy(&reader, what.scope.id, HASH_SIZE);
    reader_copy(&reader, what.writer.bytes, NODE_ID_SIZE);
    reader_copy(&reader, what.case_id.bytes, HASH_SIZE);
    if (reader_done(&reader))
        retracting_begin(arg, &what);
    return true;
}

void retracting_resume(struct shell *shell)
{
    err failure =
        row_table_scan(shell->store, STORE_TABLE_RETRACTION, retracting_resume_row, shell);
    if (failure != OK)
        log_error("retract-failed", log_text("federation", shell->name), log_err("why", failure));
}
