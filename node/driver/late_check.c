#include "node/driver/late_check.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/node_row.h"
#include "node/runtime/lost_record.h"
#include "store/record_table.h"

enum {
    LATE_CHECK_RECORDS = 128, /* at a time: few milliseconds of all workers */
    LATE_CHECK_PIECE = 16,    /* what one worker has of them */
    LATE_CHECK_PIECES = LATE_CHECK_RECORDS / LATE_CHECK_PIECE,
    LATE_CHECK_PAGE = 128,
    LATE_CHECK_PAGES_MAX = 8, /* read in one turn of the loop */
    LATE_CHECK_AGAIN_MS = 1000,
};

struct late_check_record {
    struct lost_record name;
    struct sign_key key;
    uint8_t head[RECORD_BARE_SIZE];
    bool is_good;
};

struct late_check_piece {
    struct job job; /* first: a worker's job is its piece */
    struct late_check *late;
    struct late_check_record *records;
    size_t count;
};

struct late_check {
    struct runtime *runtime;
    struct verify_jobs *verify_jobs;
    uint64_t last; /* the record up to which all is done, with what is under way */
    struct late_check_record records[LATE_CHECK_RECORDS];
    size_t count;
    struct late_check_piece pieces[LATE_CHECK_PIECES];
    atomic_size_t pieces_left;
    struct mono next_at; /* after a failure */
    bool is_due;
    bool is_checking; /* the workers have the pieces */
    bool is_closed;
};

struct late_check *late_check_new(struct runtime *runtime, struct verify_jobs *verify_jobs)
{
    struct late_check *late = calloc(1, sizeof *late);
    if (late != NULL) {
        late->runtime = runtime;
        late->verify_jobs = verify_jobs;
    }
    return late;
}

void late_check_close(struct late_check *late)
{
    if (late == NULL)
        return;
    late->is_closed = true;
    if (!late->is_checking)
        free(late);
}

void late_check_start(struct late_check *late)
{
    late->last = node_row_checked_get(runtime_store(late->runtime));
    late->is_due = true;
}

void late_check_kept(struct late_check *late, const struct step_batch *batch)
{
    for (size_t i = 0; i < batch->record_count; i++)
        late->is_due = late->is_due || (batch->records[i].flags & RECORD_UNSIGNED) != 0;
}

bool late_check_waits(const struct late_check *late)
{
    return late->is_due;
}

/* ---- what they found ---- */

static void late_check_on_kept(void *arg, err result)
{
    struct late_check *late = arg;
    if (result == OK || runtime_is_closing(late->runtime))
        return;
    late_check_start(late); /* what comes behind it in the store's queue may be done twice */
    late->next_at.ms = runtime_mono().ms + LATE_CHECK_AGAIN_MS;
}

static void late_check_spoiled(struct late_check *late, const struct lost_record *name)
{
    if (lost_record_is_known(late->runtime, name))
        return;
    log_warn(
        "signature-spoiled", log_text("federation", runtime_name(late->runtime)),
        log_hex("writer", ID_BYTES(name->stream.writer)), log_count("sequence", name->sequence),
        log_text("do", "nothing: who passed the record on changed its signature; the record is "
                       "requested from other members"));
    lost_record_keep(late->runtime, name);
}

/* What is good loses its mark together with the new place. */
static void late_check_keep(struct late_check *late)
{
    struct store_op ops[LATE_CHECK_RECORDS + 1];
    uint8_t memory[NODE_ROW_CHECKED_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < late->count; i++) {
        const struct late_check_record *record = &late->records[i];
        if (!record->is_good) {
            late_check_spoiled(late, &record->name);
            continue;
        }
        ops[count].kind = STORE_FLAG;
        ops[count++].position = (struct store_position){.stream = &record->name.stream,
                                                        .sequence = record->name.sequence,
                                                        .flags_mask = RECORD_UNSIGNED};
    }
    ops[count++] = node_row_checked_put(late->last, memory);
    struct runtime_keep keep = {.ops = ops,
                                .op_count = count,
                                .urgency = STORE_NORMAL,
                                .on_done = late_check_on_kept,
                                .arg = late};
    runtime_keep(late->runtime, &keep);
}

/* ---- the workers ---- */

static void late_check_next(struct late_check *late);

static bool late_check_run(struct job *job)
{
    struct late_check_piece *piece = (struct late_check_piece *)job;
    for (size_t i = 0; i < piece->count; i++) {
        struct late_check_record *record = &piece->records[i];
        struct record_claim claim;
        record->is_good =
            record_parse((struct bytes){record->head, sizeof record->head}, &claim) == OK &&
            record_verify(&claim, &record->key) == OK;
    }
    return atomic_fetch_sub(&piece->late->pieces_left, 1) == 1;
}

static void late_check_done(struct job *job)
{
    struct late_check *late = ((struct late_check_piece *)job)->late;
    late->is_checking = false;
    if (late->is_closed) {
        free(late);
    } else if (!runtime_is_closing(late->runtime)) {
        late_check_keep(late);
        late_check_next(late);
    }
}

static void late_check_submit(struct late_check *late)
{
    size_t pieces = (late->count + LATE_CHECK_PIECE - 1) / LATE_CHECK_PIECE;
    atomic_init(&late->pieces_left, pieces);
    late->is_checking = true;
    for (size_t i = 0; i < pieces; i++) {
        struct late_check_piece *piece = &late->pieces[i];
        size_t rest = late->count - i * LATE_CHECK_PIECE;
        *piece =
            (struct late_check_piece){.job = {.run_part = late_check_run, .done = late_check_done},
                                      .late = late,
                                      .records = &late->records[i * LATE_CHECK_PIECE],
                                      .count = rest < LATE_CHECK_PIECE ? rest : LATE_CHECK_PIECE};
        if (workers_submit_any(runtime_settings(late->runtime)->workers, &piece->job) != OK &&
            late_check_run(&piece->job))
            late_check_done(&piece->job); /* all are busy after all: this thread helped */
    }
}

/* ---- what is to be checked ---- */

/* Takes the record in, if it has a mark and its key is known. */
static void late_check_take(struct late_check *late, const struct store_record *stored)
{
    struct record_claim claim;
    if ((stored->flags & RECORD_UNSIGNED) == 0 || stored->head.size != RECORD_BARE_SIZE ||
        record_parse_again(stored->head, &stored->id, &claim) != OK)
        return;
    const struct sign_key *key = roster_signer(runtime_roster(late->runtime),
                                               &claim.header.stream.writer, &claim.header.head);
    if (key == NULL)
        return; /* (T-27) it keeps its mark */
    struct late_check_record *record = &late->records[late->count++];
    record->name =
        (struct lost_record){claim.header.stream, stored->sequence, stored->id, stored->flags};
    record->key = *key;
    memcpy(record->head, stored->head.data, RECORD_BARE_SIZE);
}

/* Reads on until there is something to check. False: there was nothing left to read. */
static bool late_check_read(struct late_check *late)
{
    struct store_record records[LATE_CHECK_PAGE];
    struct store_page page = {.records = records,
                              .record_max = LATE_CHECK_PAGE,
                              .memory = runtime_page(late->runtime),
                              .memory_size = RUNTIME_PAGE_SIZE};
    late->count = 0;
    for (size_t pages = 0; pages < LATE_CHECK_PAGES_MAX; pages++) {
        size_t room = LATE_CHECK_RECORDS - late->count;
        page.record_max = room < LATE_CHECK_PAGE ? room : LATE_CHECK_PAGE;
        if (room == 0)
            break;
        err failure = record_table_all(runtime_store(late->runtime), late->last, &page);
        if (failure == ERR_CORRUPT) {
            late->last++; /* at most the damaged one, which is the scrub's */
            continue;
        }
        if (failure != OK || page.record_count == 0)
            return false;
        for (size_t i = 0; i < page.record_count; i++)
            late_check_take(late, &records[i]);
        late->last = records[page.record_count - 1].number;
    }
    return true;
}

/* At most one piece of work at a time, and only when nobody else has any. */
static void late_check_next(struct late_check *late)
{
    uint64_t before = late->last;
    if (!late->is_due || late->is_checking || !verify_jobs_is_idle(late->verify_jobs) ||
        runtime_mono().ms < late->next_at.ms)
        return;
    late->is_due = late_check_read(late);
    if (late->count > 0)
        late_check_submit(late);
    else if (late->last != before)
        late_check_keep(late);
}

void late_check_tick(struct late_check *late)
{
    late_check_next(late);
}
