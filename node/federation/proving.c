/* Is this store an older copy of itself? What its marker tells the core at the start, and what the
 * marker is told from then on. */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "node/federation/marker.h"
#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "store/row_table.h"
#include "store/stream_table.h"

static const char proving_row[] = "marker";

/* The id that the store shares with its marker; false when it never had one. */
static bool proving_id(const struct shell *shell, struct marker_id *ret_id)
{
    struct buffer value = buffer_over(ret_id->bytes, sizeof ret_id->bytes);
    return row_table_get(shell->store, STORE_TABLE_META, bytes_of_text(proving_row), &value) ==
               OK &&
           value.size == sizeof ret_id->bytes;
}

static void proving_complain(const struct shell *shell)
{
    log_error("marker-failed", log_text("federation", shell->name),
              log_text("file", shell->config.marker), log_text("why", strerror(errno)),
              log_text("do", "see to the directory that `marker` names; without it, nothing is "
                             "written after a start before two other members were there"));
}

static bool proving_restore_row(void *arg, const struct store_row *row)
{
    struct shell *shell = arg;
    struct event event = shell_event(EVENT_RESTORE_GENERATION);
    struct reader key = reader_of(row->key), value = reader_of(row->value);
    event.generation.opened_at.ms = 0;
    if (stream_id_read(&key, &event.generation.stream) != OK)
        return true;
    event.generation.opened_at.ms = reader_u64(&value);
    event.generation.is_ended = reader_u8(&value) != 0;
    shell_step(shell, &event);
    return true;
}

err proving_restore(struct shell *shell, enum event_marker *ret_marker)
{
    struct marker_id id;
    err failure = row_table_scan(shell->store, STORE_TABLE_GENERATION, proving_restore_row, shell);
    if (failure == OK)
        failure = marker_open(shell->config.marker, shell->config.store_key, &shell->marker);
    *ret_marker = MARKER_NONE;
    if (failure != OK || !marker_is_there(shell->marker))
        return failure;
    if (!proving_id(shell, &id) || !marker_is_of(shell->marker, &id)) {
        *ret_marker = MARKER_OTHER;
        return OK;
    }
    struct event event = shell_event(EVENT_RESTORE_MARKER);
    for (size_t n = 0; marker_entry(shell->marker, n, &event.marker.stream, &event.marker.sequence);
         n++)
        shell_step(shell, &event);
    *ret_marker = MARKER_HERE;
    return OK;
}

/* ---- beginning the file ---- */

struct proving_scan {
    struct shell *shell;
    err failure;
};

static bool proving_note_stream(void *arg, const struct store_stream_row *row)
{
    struct proving_scan *scan = arg;
    struct reader state = reader_of((struct bytes){row->state, row->state_size});
    uint64_t tail = reader_u64(&state);
    if (tail > 0 && ID_EQUAL(row->stream.writer, scan->shell->config.self))
        scan->failure = marker_note(scan->shell->marker, &row->stream, tail);
    return scan->failure == OK;
}

/* What was lost and has not come back is still to be waited for. */
static err proving_note_lost(struct shell *shell)
{
    struct stream_id stream;
    uint64_t sequence, tail, had;
    err failure = OK;
    for (size_t n = 0; failure == OK && marker_entry(shell->marker, n, &stream, &sequence); n++) {
        bool is_here = core_position(shell->core, &stream, &tail, &had) && tail >= sequence;
        if (!is_here)
            failure = marker_note(shell->marker, &stream, sequence);
    }
    return failure;
}

static void proving_begin(struct shell *shell, const struct marker_id *id)
{
    struct proving_scan scan = {shell, marker_begin(shell->marker, id)};
    if (scan.failure == OK) {
        err failure = stream_table_scan(shell->store, proving_note_stream, &scan);
        scan.failure = scan.failure == OK ? failure : scan.failure;
    }
    if (scan.failure == OK)
        scan.failure = proving_note_lost(shell);
    if (scan.failure == OK)
        scan.failure = marker_commit(shell->marker);
    if (scan.failure != OK)
        proving_complain(shell);
    else
        log_info("marker-begun", log_text("federation", shell->name),
                 log_text("file", shell->config.marker));
}

static void proving_on_id(void *arg, err result)
{
    struct shell *shell = arg;
    struct marker_id id;
    shell->is_marking = false;
    if (result == OK && !shell->is_closing && proving_id(shell, &id))
        proving_begin(shell, &id);
}

/* The id first: a marker whose id the store does not know is taken for another's. */
static void proving_renew(struct shell *shell)
{
    struct marker_id id;
    struct store_op op = {.kind = STORE_ROW_PUT};
    randombytes_buf(id.bytes, sizeof id.bytes);
    op.row = (struct store_row){STORE_TABLE_META, bytes_of_text(proving_row), ID_BYTES(id)};
    struct shell_keep keep = {&op, 1, STORE_NORMAL, proving_on_id, shell};
    shell->is_marking = true;
    shell_keep(shell, &keep);
}

void proving_start(struct shell *shell, enum event_marker marker)
{
    struct marker_id id;
    if (marker != MARKER_HERE || !core_is_proven(shell->core))
        return;
    if (marker_is_long(shell->marker) && proving_id(shell, &id))
        proving_begin(shell, &id);
    else if (marker_resume(shell->marker) != OK)
        proving_complain(shell);
}

void proving_tick(struct shell *shell)
{
    struct mono now = shell_mono();
    if (!marker_is_wanted(shell->marker) || shell->is_marking || now.ms < shell->marker_at.ms)
        return;
    shell->marker_at.ms = now.ms + PROVING_INTERVAL_MS;
    marker_sync(shell->marker);
    if (!marker_is_begun(shell->marker) && core_is_proven(shell->core))
        proving_renew(shell);
}

/* ---- what is told from then on ---- */

void proving_kept(struct shell *shell, const struct step_batch *batch)
{
    struct record_claim claim;
    const struct step_record *record = batch->records;
    /* (S-11) */
    if (shell->marker == NULL || batch->record_count != 1 || (record->flags & RECORD_OWN) == 0 ||
        record_parse_again(record->record, &record->id, &claim) != OK)
        return;
    if (marker_note(shell->marker, &claim.header.stream, claim.header.sequence) != OK)
        proving_complain(shell);
}

void proving_generation(struct shell *shell, const struct effect *effect)
{
    uint8_t key_memory[STREAM_ID_SIZE], value_memory[9];
    struct buffer key = buffer_over(key_memory, sizeof key_memory);
    struct buffer value = buffer_over(value_memory, sizeof value_memory);
    stream_id_write(&key, &effect->generation.stream);
    buffer_u64(&value, effect->generation.opened_at.ms);
    buffer_u8(&value, effect->generation.is_ended);
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_GENERATION, buffer_bytes(&key), buffer_bytes(&value)};
    struct shell_keep keep = {&op, 1, STORE_RELEASING, NULL, NULL};
    shell_keep(shell, &keep);
}
