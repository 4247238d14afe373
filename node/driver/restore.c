#include "node/driver/restore.h"

#include <string.h>

#include "node/driver/envelopes.h"
#include "node/driver/fork_proofs.h"
#include "node/roster_sync/roster_sync.h"
#include "node/rows/case_row.h"
#include "node/rows/fork_row.h"
#include "node/rows/missing_row.h"
#include "node/rows/stream_state.h"
#include "node/rows/writer_row.h"
#include "protocol/replication/batch_verify.h"
#include "store/record_table.h"
#include "store/stream_table.h"

enum { RESTORE_PAGE_RECORDS = 64 };

struct restore {
    struct runtime *runtime;
    bool is_damaged;
    err failure;
    int pass;
    bool is_again;
    uint64_t record_count;
};

/* Gives the engine an event at the start; what it then wants to do would be too early. */
static void restore_tell(struct runtime *runtime, const struct event *event)
{
    (void)runtime_step(runtime, event);
}

static bool restore_stream(void *arg, const struct store_stream_row *row)
{
    struct restore *restore = arg;
    struct event event = runtime_event(EVENT_RESTORE_STREAM);
    struct stream_state state;
    restore->failure = stream_state_read(row, &state);
    if (restore->failure != OK)
        return false;
    event.stream.id = row->stream;
    event.stream.tail = state.tail;
    event.stream.tail_id = state.tail_id;
    event.stream.epoch = state.epoch;
    event.stream.flags = state.flags;
    restore_tell(restore->runtime, &event);
    return true;
}

static bool restore_writer(void *arg, const struct node_id *writer, uint64_t used_kib)
{
    struct restore *restore = arg;
    struct event event = runtime_event(EVENT_RESTORE_WRITER);
    event.writer.node = *writer;
    event.writer.used_kib = used_kib;
    restore_tell(restore->runtime, &event);
    return true;
}

/* How cases stood when they went to rest, or when they were erased. */
static bool restore_case(void *arg, struct bytes exported)
{
    struct restore *restore = arg;
    struct event event = runtime_event(EVENT_RESTORE_CASE);
    event.rest.row = exported;
    restore_tell(restore->runtime, &event);
    return true;
}

static err restore_forks(struct runtime *runtime)
{
    struct event event = runtime_event(EVENT_RESTORE_FORKS);
    struct buffer row = buffer_over(runtime_page(runtime), RUNTIME_PAGE_SIZE);
    err failure = fork_row_list_get(runtime_store(runtime), &row);
    if (failure != OK)
        return failure == ERR_NOT_FOUND ? OK : failure;
    event.forks = buffer_bytes(&row);
    restore_tell(runtime, &event);
    return OK;
}

static bool restore_missing(void *arg, const struct missing_row *row)
{
    struct restore *restore = arg;
    struct event event = runtime_event(EVENT_RESTORE_MISSING);
    event.missing.id = row->stream;
    event.missing.sequence = row->sequence;
    event.missing.record = row->record;
    event.missing.flags = row->flags;
    event.missing.is_sealed = row->audience == AUDIENCE_REQUESTER;
    restore_tell(restore->runtime, &event);
    return true;
}

/* Federation first (who are the clinicians), then mail (which cases are there), then cases, then
 * what we wrote on boards. */
static bool restore_is_in_pass(const struct runtime *runtime, const struct stream_id *stream,
                               int pass)
{
    struct case_id case_id;
    memcpy(case_id.bytes, stream->scope.id, HASH_SIZE);
    bool is_own = ID_EQUAL(stream->writer, runtime_settings(runtime)->self);
    switch (stream->scope.kind) {
    case SCOPE_FEDERATION:
        return pass == 0;
    case SCOPE_MAIL:
        return pass == 2;
    case SCOPE_CASE:
        return (pass == 1 || pass == 3) && !engine_case_rests(runtime_engine(runtime), &case_id);
    case SCOPE_BOARD:
        return pass == 4 && is_own;
    }
    return false;
}
enum { RESTORE_PASS_COUNT = 5 };

static void restore_record(struct restore *restore, const struct store_record *record)
{
    uint8_t plaintext[RECORD_SIZE_MAX];
    struct buffer memory = buffer_over(plaintext, sizeof plaintext);
    struct step_record opened = {
        .record = {record->head.data, record->head.size + record->body.size},
        .has_key = record->has_key,
        .key = record->key,
        .flags = record->flags};
    if (record->destroyed)
        opened.flags |= RECORD_BARE;
    batch_verify_open(&opened, &memory);
    if (opened.verdict != OK || opened.plaintext.size == 0)
        return;
    struct event event = runtime_event(EVENT_REPLAY);
    event.replay.batch.records = &opened;
    event.replay.batch.record_count = 1;
    event.replay.is_again = restore->is_again;
    restore_tell(restore->runtime, &event);
    restore->record_count++;
}

static bool restore_replay(void *arg, const struct store_stream_row *row)
{
    struct restore *restore = arg;
    struct runtime *runtime = restore->runtime;
    struct store_record records[RESTORE_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = RESTORE_PAGE_RECORDS,
                              .memory = runtime_page(runtime),
                              .memory_size = RUNTIME_PAGE_SIZE};
    if (!restore_is_in_pass(runtime, &row->stream, restore->pass))
        return true;
    uint64_t from = 1;
    uint64_t tail = stream_state_tail(row);
    bool is_more = true;
    do {
        restore->failure = record_table_range(runtime_store(runtime), &row->stream, from, &page);
        if (restore->failure == ERR_CORRUPT && from <= tail) {
            restore->is_damaged = true; /* it may come back; the case goes on then */
            restore->failure = OK;
            from++;
            continue;
        }
        for (size_t i = 0; restore->failure == OK && i < page.record_count; i++) {
            restore_record(restore, &records[i]);
            from = records[i].sequence + 1;
        }
        is_more = page.record_count > 0;
    } while (restore->failure == OK && is_more);
    return restore->failure == OK;
}

static err restore_meaning(struct restore *restore)
{
    err failure = OK;
    for (int again = 0; failure == OK && again < 2; again++) {
        restore->is_again = again == 1;
        for (restore->pass = 0; failure == OK && restore->pass < RESTORE_PASS_COUNT;
             restore->pass++) {
            failure = stream_table_scan(runtime_store(restore->runtime), restore_replay, restore);
            if (failure == OK)
                failure = restore->failure;
        }
    }
    return failure;
}

static err restore_roster(struct runtime *runtime)
{
    struct roster_sync *roster_sync = runtime_roster_sync(runtime);
    err failure = roster_sync_restore(runtime_store(runtime), runtime_roster_change(runtime));
    if (failure == ERR_NOT_FOUND)
        failure = OK; /* the invitation is still to come */
    return failure == OK ? roster_sync_open(roster_sync) : failure;
}

static err restore_streams(struct restore *restore)
{
    struct runtime *runtime = restore->runtime;
    err failure = stream_table_scan(runtime_store(runtime), restore_stream, restore);
    if (failure == OK)
        failure = restore->failure;
    if (failure == OK)
        failure = writer_row_scan(runtime_store(runtime), restore_writer, restore);
    if (failure == OK)
        failure = restore_forks(runtime);
    if (failure == OK) /* those of a writer that the list has no room for */
        failure = fork_proofs_restore(runtime);
    if (failure == OK)
        failure = missing_row_scan(runtime_store(runtime), restore_missing, restore);
    return failure;
}

err restore_all(struct runtime *runtime, struct rollback_check *rollback_check,
                struct restored *ret_restored)
{
    struct restore restore = {.runtime = runtime};
    enum event_marker marker = MARKER_NONE;
    err failure = restore_roster(runtime);
    if (failure == OK)
        failure = restore_streams(&restore);
    if (failure == OK)
        failure = case_row_scan(runtime_store(runtime), restore_case, &restore);
    if (failure == OK)
        failure = envelopes_restore(runtime);
    if (failure == OK)
        failure = rollback_check_restore(rollback_check, &marker);
    if (failure == OK)
        failure = restore_meaning(&restore);
    if (failure == OK)
        *ret_restored = (struct restored){marker, restore.is_damaged, restore.record_count};
    return failure;
}
