#include "node/rollback/rollback_check.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rollback/rollback_guard.h"
#include "node/rows/generation_row.h"
#include "node/rows/node_row.h"
#include "node/rows/stream_state.h"
#include "store/stream_table.h"

struct rollback_check {
    struct runtime *runtime;
    struct rollback_guard *guard; /* NULL until rollback_check_restore */
    struct mono next_at;          /* the next look at the file */
    bool is_id_under_way;
    bool is_restored; /* from a backup, and the store says so until the ends of streams are kept */
    bool is_distrusted; /* the marker is another's from now on */
};

struct rollback_check *rollback_check_new(struct runtime *runtime)
{
    struct rollback_check *check = calloc(1, sizeof *check);
    if (check != NULL)
        check->runtime = runtime;
    return check;
}

void rollback_check_free(struct rollback_check *check)
{
    if (check != NULL)
        rollback_guard_close(check->guard);
    free(check);
}

/* The id that the store shares with its marker; false when it never had one. */
static bool rollback_check_id(const struct rollback_check *check, struct rollback_guard_id *ret_id)
{
    return node_row_marker_get(runtime_store(check->runtime), ret_id->bytes);
}

static void rollback_check_complain(const struct rollback_check *check)
{
    log_error("marker-failed", log_text("federation", runtime_name(check->runtime)),
              log_text("file", runtime_settings(check->runtime)->marker),
              log_text("why", strerror(errno)),
              log_text("do", "create the directory that `marker` names (mode 700), or fix its "
                             "permissions; until then no record is written after a start before "
                             "two other members were connected"));
}

static bool rollback_check_restore_row(void *arg, const struct generation_row *row)
{
    struct rollback_check *check = arg;
    struct event event = runtime_event(EVENT_RESTORE_GENERATION);
    event.generation.stream = row->stream;
    event.generation.opened_at = row->opened_at;
    event.generation.is_ended = row->is_ended;
    (void)runtime_step(check->runtime, &event);
    return true;
}

/* (S-18) The mark of a store that was put back from a backup. */
static void rollback_check_restored(struct rollback_check *check)
{
    struct node_row_restored restored;
    check->is_restored = node_row_restored_get(runtime_store(check->runtime), &restored);
    if (check->is_restored)
        log_warn("store-is-restored", log_text("federation", runtime_name(check->runtime)),
                 log_count("backup_age_hours",
                           (restored.restored_at.ms - restored.made_at.ms) / (60 * 60 * 1000)),
                 log_text("do", "nothing: no record is written and no key given out before the "
                                "other members told what this node wrote since"));
}

err rollback_check_restore(struct rollback_check *check, enum event_marker *ret_marker)
{
    struct rollback_guard_id id;
    err failure =
        generation_row_scan(runtime_store(check->runtime), rollback_check_restore_row, check);
    if (failure == OK)
        failure = rollback_guard_open(runtime_settings(check->runtime)->marker,
                                      runtime_settings(check->runtime)->store_key, &check->guard);
    rollback_check_restored(check);
    *ret_marker = check->is_restored ? MARKER_OTHER : MARKER_NONE;
    if (failure != OK || !rollback_guard_is_there(check->guard))
        return failure;
    if (rollback_guard_is_moved(check->guard)) /* (T-34) */
        log_warn("marker-moved", log_text("federation", runtime_name(check->runtime)),
                 log_text("file", runtime_settings(check->runtime)->marker),
                 log_text("do", "this is a copy of the marker: if another copy of this node runs, "
                                "shut it down; nothing is written before others have told how far "
                                "this node wrote"));
    if (!rollback_check_id(check, &id) || !rollback_guard_is_of(check->guard, &id) ||
        rollback_guard_is_moved(check->guard)) {
        *ret_marker = MARKER_OTHER;
        return OK;
    }
    struct event event = runtime_event(EVENT_RESTORE_MARKER);
    for (size_t n = 0;
         rollback_guard_entry(check->guard, n, &event.marker.stream, &event.marker.sequence); n++)
        (void)runtime_step(check->runtime, &event);
    /* (S-18) the marker may have been put back too: what it names is waited for, and that is all */
    if (!check->is_restored)
        *ret_marker = MARKER_HERE;
    return OK;
}

/* ---- beginning the file ---- */

struct rollback_check_scan {
    struct rollback_check *check;
    err failure;
};

static bool rollback_check_note_stream(void *arg, const struct store_stream_row *row)
{
    struct rollback_check_scan *scan = arg;
    uint64_t tail = stream_state_tail(row);
    if (tail > 0 && ID_EQUAL(row->stream.writer, runtime_settings(scan->check->runtime)->self))
        scan->failure = rollback_guard_note(scan->check->guard, &row->stream, tail);
    return scan->failure == OK;
}

/* What was lost and has not come back is still to be waited for. */
static err rollback_check_note_lost(struct rollback_check *check)
{
    struct stream_id stream;
    uint64_t sequence, tail, had;
    err failure = OK;
    for (size_t n = 0; failure == OK && rollback_guard_entry(check->guard, n, &stream, &sequence);
         n++) {
        bool is_here = engine_position(runtime_engine(check->runtime), &stream, &tail, &had) &&
                       tail >= sequence;
        if (!is_here)
            failure = rollback_guard_note(check->guard, &stream, sequence);
    }
    return failure;
}

static void rollback_check_begin(struct rollback_check *check, const struct rollback_guard_id *id)
{
    struct rollback_check_scan scan = {check, rollback_guard_begin(check->guard, id)};
    if (scan.failure == OK) {
        err failure =
            stream_table_scan(runtime_store(check->runtime), rollback_check_note_stream, &scan);
        scan.failure = scan.failure == OK ? failure : scan.failure;
    }
    if (scan.failure == OK)
        scan.failure = rollback_check_note_lost(check);
    if (scan.failure == OK)
        scan.failure = rollback_guard_commit(check->guard);
    if (scan.failure != OK)
        rollback_check_complain(check);
    else
        log_info("marker-begun", log_text("federation", runtime_name(check->runtime)),
                 log_text("file", runtime_settings(check->runtime)->marker));
}

static void rollback_check_on_id(void *arg, err result)
{
    struct rollback_check *check = arg;
    struct rollback_guard_id id;
    check->is_id_under_way = false;
    if (result == OK && !check->is_distrusted && !runtime_is_closing(check->runtime) &&
        rollback_check_id(check, &id))
        rollback_check_begin(check, &id);
}

/* All that the mark says is kept now in the rows of generations, which were submitted before. */
static void rollback_check_unmark(struct rollback_check *check)
{
    struct store_op op = node_row_restored_delete();
    struct runtime_keep keep = {&op, 1, STORE_RELEASING, NULL, NULL};
    check->is_restored = false;
    runtime_keep(check->runtime, &keep);
}

/* The id first: a marker whose id the store does not know is taken for another's. */
static void rollback_check_renew(struct rollback_check *check)
{
    struct rollback_guard_id id;
    randombytes_buf(id.bytes, sizeof id.bytes);
    struct store_op op = node_row_marker_put(id.bytes);
    struct runtime_keep keep = {&op, 1, STORE_NORMAL, rollback_check_on_id, check};
    check->is_id_under_way = true;
    runtime_keep(check->runtime, &keep);
}

void rollback_check_start(struct rollback_check *check, enum event_marker marker)
{
    struct rollback_guard_id id;
    if (marker != MARKER_HERE || !engine_is_proven(runtime_engine(check->runtime)))
        return;
    if (rollback_guard_is_long(check->guard) && rollback_check_id(check, &id))
        rollback_check_begin(check, &id);
    else if (rollback_guard_resume(check->guard) != OK)
        rollback_check_complain(check);
}

void rollback_check_distrust(struct rollback_check *check)
{
    struct rollback_guard_id id;
    if (check->is_distrusted || !rollback_guard_is_wanted(check->guard))
        return;
    check->is_distrusted = true;
    randombytes_buf(id.bytes, sizeof id.bytes); /* the store does not know it */
    if (rollback_guard_begin(check->guard, &id) != OK || rollback_guard_commit(check->guard) != OK)
        rollback_check_complain(check);
}

void rollback_check_tick(struct rollback_check *check)
{
    struct mono now = runtime_mono();
    if (check->is_id_under_way || check->is_distrusted || now.ms < check->next_at.ms)
        return;
    check->next_at.ms = now.ms + ROLLBACK_CHECK_INTERVAL_MS;
    rollback_guard_sync(check->guard);
    if (!engine_is_proven(runtime_engine(check->runtime)) ||
        !engine_has_told_ends(runtime_engine(check->runtime)))
        return;
    if (check->is_restored)
        rollback_check_unmark(check);
    if (rollback_guard_is_wanted(check->guard) && !rollback_guard_is_begun(check->guard))
        rollback_check_renew(check);
}

/* ---- what is told from then on ---- */

void rollback_check_kept(struct rollback_check *check, const struct step_batch *batch)
{
    struct record_claim claim;
    const struct step_record *record = batch->records;
    /* (S-11) */
    if (check->guard == NULL || batch->record_count != 1 || (record->flags & RECORD_OWN) == 0 ||
        record_parse_again(record->record, &record->id, &claim) != OK)
        return;
    if (rollback_guard_note(check->guard, &claim.header.stream, claim.header.sequence) != OK)
        rollback_check_complain(check);
}

void rollback_check_generation(struct rollback_check *check, const struct effect *effect)
{
    const struct generation_row row = {effect->generation.stream, effect->generation.opened_at,
                                       effect->generation.is_ended};
    struct generation_row_bytes memory;
    struct store_op op = generation_row_put(&row, &memory);
    struct runtime_keep keep = {&op, 1, STORE_RELEASING, NULL, NULL};
    runtime_keep(check->runtime, &keep);
}
