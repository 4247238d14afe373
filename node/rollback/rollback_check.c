/* Is this store an older copy of itself? What its marker tells the core at the start, and what the
 * marker is told from then on. */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rollback/rollback_guard.h"
#include "node/rows/generation_row.h"
#include "node/rows/node_row.h"
#include "node/rows/stream_state.h"
#include "node/runtime/runtime_state.h"
#include "store/stream_table.h"

/* The id that the store shares with its marker; false when it never had one. */
static bool rollback_check_id(const struct runtime *runtime, struct rollback_guard_id *ret_id)
{
    return node_row_marker_get(runtime->store, ret_id->bytes);
}

static void rollback_check_complain(const struct runtime *runtime)
{
    log_error("marker-failed", log_text("federation", runtime->name),
              log_text("file", runtime->config.marker), log_text("why", strerror(errno)),
              log_text("do", "see to the directory that `marker` names; without it, nothing is "
                             "written after a start before two other members were there"));
}

static bool rollback_check_restore_row(void *arg, const struct generation_row *row)
{
    struct runtime *runtime = arg;
    struct event event = runtime_event(EVENT_RESTORE_GENERATION);
    event.generation.stream = row->stream;
    event.generation.opened_at = row->opened_at;
    event.generation.is_ended = row->is_ended;
    runtime_step(runtime, &event);
    return true;
}

err rollback_check_restore(struct runtime *runtime, enum event_marker *ret_marker)
{
    struct rollback_guard_id id;
    err failure = generation_row_scan(runtime->store, rollback_check_restore_row, runtime);
    if (failure == OK)
        failure = rollback_guard_open(runtime->config.marker, runtime->config.store_key,
                                      &runtime->marker);
    *ret_marker = MARKER_NONE;
    if (failure != OK || !rollback_guard_is_there(runtime->marker))
        return failure;
    if (!rollback_check_id(runtime, &id) || !rollback_guard_is_of(runtime->marker, &id)) {
        *ret_marker = MARKER_OTHER;
        return OK;
    }
    struct event event = runtime_event(EVENT_RESTORE_MARKER);
    for (size_t n = 0;
         rollback_guard_entry(runtime->marker, n, &event.marker.stream, &event.marker.sequence);
         n++)
        runtime_step(runtime, &event);
    *ret_marker = MARKER_HERE;
    return OK;
}

/* ---- beginning the file ---- */

struct rollback_check_scan {
    struct runtime *runtime;
    err failure;
};

static bool rollback_check_note_stream(void *arg, const struct store_stream_row *row)
{
    struct rollback_check_scan *scan = arg;
    uint64_t tail = stream_state_tail(row);
    if (tail > 0 && ID_EQUAL(row->stream.writer, scan->runtime->config.self))
        scan->failure = rollback_guard_note(scan->runtime->marker, &row->stream, tail);
    return scan->failure == OK;
}

/* What was lost and has not come back is still to be waited for. */
static err rollback_check_note_lost(struct runtime *runtime)
{
    struct stream_id stream;
    uint64_t sequence, tail, had;
    err failure = OK;
    for (size_t n = 0;
         failure == OK && rollback_guard_entry(runtime->marker, n, &stream, &sequence); n++) {
        bool is_here = engine_position(runtime->engine, &stream, &tail, &had) && tail >= sequence;
        if (!is_here)
            failure = rollback_guard_note(runtime->marker, &stream, sequence);
    }
    return failure;
}

static void rollback_check_begin(struct runtime *runtime, const struct rollback_guard_id *id)
{
    struct rollback_check_scan scan = {runtime, rollback_guard_begin(runtime->marker, id)};
    if (scan.failure == OK) {
        err failure = stream_table_scan(runtime->store, rollback_check_note_stream, &scan);
        scan.failure = scan.failure == OK ? failure : scan.failure;
    }
    if (scan.failure == OK)
        scan.failure = rollback_check_note_lost(runtime);
    if (scan.failure == OK)
        scan.failure = rollback_guard_commit(runtime->marker);
    if (scan.failure != OK)
        rollback_check_complain(runtime);
    else
        log_info("marker-begun", log_text("federation", runtime->name),
                 log_text("file", runtime->config.marker));
}

static void rollback_check_on_id(void *arg, err result)
{
    struct runtime *runtime = arg;
    struct rollback_guard_id id;
    runtime->is_marking = false;
    if (result == OK && !runtime->is_closing && rollback_check_id(runtime, &id))
        rollback_check_begin(runtime, &id);
}

/* The id first: a marker whose id the store does not know is taken for another's. */
static void rollback_check_renew(struct runtime *runtime)
{
    struct rollback_guard_id id;
    randombytes_buf(id.bytes, sizeof id.bytes);
    struct store_op op = node_row_marker_put(id.bytes);
    struct runtime_keep keep = {&op, 1, STORE_NORMAL, rollback_check_on_id, runtime};
    runtime->is_marking = true;
    runtime_keep(runtime, &keep);
}

void rollback_check_start(struct runtime *runtime, enum event_marker marker)
{
    struct rollback_guard_id id;
    if (marker != MARKER_HERE || !engine_is_proven(runtime->engine))
        return;
    if (rollback_guard_is_long(runtime->marker) && rollback_check_id(runtime, &id))
        rollback_check_begin(runtime, &id);
    else if (rollback_guard_resume(runtime->marker) != OK)
        rollback_check_complain(runtime);
}

void rollback_check_tick(struct runtime *runtime)
{
    struct mono now = runtime_mono();
    if (!rollback_guard_is_wanted(runtime->marker) || runtime->is_marking ||
        now.ms < runtime->marker_at.ms)
        return;
    runtime->marker_at.ms = now.ms + PROVING_INTERVAL_MS;
    rollback_guard_sync(runtime->marker);
    if (!rollback_guard_is_begun(runtime->marker) && engine_is_proven(runtime->engine))
        rollback_check_renew(runtime);
}

/* ---- what is told from then on ---- */

void rollback_check_kept(struct runtime *runtime, const struct step_batch *batch)
{
    struct record_claim claim;
    const struct step_record *record = batch->records;
    /* (S-11) */
    if (runtime->marker == NULL || batch->record_count != 1 || (record->flags & RECORD_OWN) == 0 ||
        record_parse_again(record->record, &record->id, &claim) != OK)
        return;
    if (rollback_guard_note(runtime->marker, &claim.header.stream, claim.header.sequence) != OK)
        rollback_check_complain(runtime);
}

void rollback_check_generation(struct runtime *runtime, const struct effect *effect)
{
    const struct generation_row row = {effect->generation.stream, effect->generation.opened_at,
                                       effect->generation.is_ended};
    struct generation_row_bytes memory;
    struct store_op op = generation_row_put(&row, &memory);
    struct runtime_keep keep = {&op, 1, STORE_RELEASING, NULL, NULL};
    runtime_keep(runtime, &keep);
}
