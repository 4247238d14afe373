#include "node/driver/verify_jobs.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/runtime/event_queue.h"
#include "protocol/replication/batch_verify.h"

/* ---- checking ---- */

struct verify_jobs {
    struct runtime *runtime;
    struct batch_buffer_queue checking; /* in the order of their effects */
    size_t under_way;                   /* with the workers */
    bool is_closed;
};

struct verify_jobs *verify_jobs_new(struct runtime *runtime)
{
    struct verify_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs != NULL)
        jobs->runtime = runtime;
    return jobs;
}

static void verify_jobs_release(struct verify_jobs *jobs)
{
    struct batch_buffer *batch_buffer;
    if (jobs->under_way > 0)
        return;
    while ((batch_buffer = batch_buffer_queue_take(&jobs->checking)) != NULL)
        batch_buffer_drop(batch_buffer);
    free(jobs);
}

void verify_jobs_close(struct verify_jobs *jobs)
{
    if (jobs == NULL)
        return;
    jobs->is_closed = true;
    verify_jobs_release(jobs);
}

/* Whole runs of a batch, about as many records as one worker should have at a time: few, so that
 * all cores work for one frame; enough, so that handing them over costs little. */
enum { VERIFY_JOBS_PIECE_RECORDS = 8 };

struct verify_jobs_piece {
    struct job job; /* first: a worker's job is its piece */
    struct batch_buffer *batch_buffer;
    struct step_batch batch;
    struct buffer memory; /* for what is opened */
};

/* True for the last of its batch: what the others wrote is seen then. */
static bool verify_jobs_run(struct job *job)
{
    struct verify_jobs_piece *piece = (struct verify_jobs_piece *)job;
    batch_verify_batch(&piece->batch, &piece->memory);
    return atomic_fetch_sub(&piece->batch_buffer->pieces_left, 1) == 1;
}

void verify_jobs_deliver(struct verify_jobs *jobs)
{
    while (verify_jobs_waits(jobs)) {
        struct batch_buffer *batch_buffer = batch_buffer_queue_take(&jobs->checking);
        struct event event = {
            .kind = EVENT_CHECKED, .link = batch_buffer->link, .batch = batch_buffer->batch};
        event_queue_add(runtime_events(jobs->runtime), &event, batch_buffer);
        runtime_wake(jobs->runtime);
    }
}

bool verify_jobs_waits(const struct verify_jobs *jobs)
{
    return jobs->checking.first != NULL && jobs->checking.first->is_done;
}

bool verify_jobs_is_idle(const struct verify_jobs *jobs)
{
    return jobs->under_way == 0;
}

static void verify_jobs_done(struct job *job)
{
    struct batch_buffer *batch_buffer = ((struct verify_jobs_piece *)job)->batch_buffer;
    struct verify_jobs *jobs = batch_buffer->owner;
    batch_buffer->is_done = true;
    jobs->under_way--;
    if (jobs->is_closed)
        verify_jobs_release(jobs);
    else
        verify_jobs_deliver(jobs);
}

/* Cuts the batch; `memory` is where what is opened goes, as large as the records. How many. */
static size_t verify_jobs_cut(struct batch_buffer *batch_buffer, struct verify_jobs_piece *pieces,
                              uint8_t *memory)
{
    const struct step_batch *batch = &batch_buffer->batch;
    struct step_record *record = batch->records;
    struct verify_jobs_piece *piece = NULL;
    size_t count = 0;
    for (size_t i = 0; i < batch->run_count; i++) {
        if (piece == NULL || piece->batch.record_count >= VERIFY_JOBS_PIECE_RECORDS) {
            piece = &pieces[count++];
            *piece = (struct verify_jobs_piece){
                .job = {.run_part = verify_jobs_run, .done = verify_jobs_done},
                .batch_buffer = batch_buffer,
                .batch = {.runs = &batch->runs[i], .records = record}};
            piece->memory = buffer_over(memory, 0);
        }
        piece->batch.run_count++;
        piece->batch.record_count += batch->runs[i].count;
        for (uint16_t j = 0; j < batch->runs[i].count; j++, record++) {
            piece->memory.capacity += record->record.size;
            memory += record->record.size;
        }
    }
    return count;
}

void verify_jobs_check(struct verify_jobs *jobs, const struct effect *effect)
{
    size_t size = 0;
    size_t pieces_size = effect->batch.run_count * sizeof(struct verify_jobs_piece);
    for (size_t i = 0; i < effect->batch.record_count; i++)
        size += effect->batch.records[i].record.size;
    struct batch_buffer *batch_buffer =
        batch_buffer_of_batch(EVENT_CHECKED, &effect->batch, pieces_size + 2 * size);
    if (batch_buffer == NULL)
        abort(); /* the engine waits for an answer */
    batch_buffer->owner = jobs;
    batch_buffer->link = effect->link;
    struct verify_jobs_piece *pieces = (void *)batch_buffer_extra(batch_buffer);
    uint8_t *place = batch_buffer_extra(batch_buffer) + pieces_size;
    for (size_t i = 0; i < batch_buffer->batch.record_count; i++) {
        struct step_record *record = &batch_buffer->batch.records[i];
        memcpy(place, record->record.data, record->record.size);
        record->record.data = place;
        place += record->record.size;
    }
    size_t piece_count = verify_jobs_cut(batch_buffer, pieces, place);
    atomic_init(&batch_buffer->pieces_left, piece_count);
    batch_buffer_queue_add(&jobs->checking, batch_buffer);
    jobs->under_way++;
    for (size_t i = 0; i < piece_count; i++) {
        bool is_taken =
            workers_submit_any(runtime_settings(jobs->runtime)->workers, &pieces[i].job) == OK;
        if (is_taken || !verify_jobs_run(&pieces[i].job))
            continue;
        batch_buffer->is_done =
            true; /* too much waits: this thread helped, and tells with a tick */
        jobs->under_way--;
    }
}

/* ---- sealing ---- */

void verify_jobs_seal(struct runtime *runtime, const struct effect *effect)
{
    const struct bytes plaintext = effect->seal.plaintext;
    struct step_run run = {.stream = effect->seal.stream, .count = 1};
    struct step_record blank = {.flags = RECORD_OWN};
    struct step_batch batch = {&run, 1, &blank, 1};
    size_t room = RECORD_BARE_SIZE + RECORD_SEAL_SIZE + 2 * plaintext.size;
    struct batch_buffer *batch_buffer = batch_buffer_of_batch(EVENT_SEALED, &batch, room);
    if (batch_buffer == NULL)
        abort(); /* the stream would wait for ever */
    struct step_record *record = batch_buffer->batch.records;
    struct record_secrets secrets = {.sign_secret = runtime_settings(runtime)->sign_secret};
    randombytes_buf(secrets.key.bytes, sizeof secrets.key.bytes);
    randombytes_buf(secrets.nonce, sizeof secrets.nonce);
    struct buffer out = buffer_over(batch_buffer_extra(batch_buffer), room - plaintext.size);
    struct record_id id;
    batch_buffer->verdict = record_seal(&effect->seal.header, plaintext, &secrets, &out, &id);
    record->record = buffer_bytes(&out);
    record->has_key = effect->seal.header.audience != AUDIENCE_CLEAR;
    if (record->has_key)
        record->key = secrets.key;
    uint8_t *copy = batch_buffer_extra(batch_buffer) + room - plaintext.size;
    memcpy(copy, plaintext.data, plaintext.size);
    record->plaintext = (struct bytes){copy, plaintext.size};
    sodium_memzero(&secrets, sizeof secrets);
    batch_buffer->token = effect->token;
    event_queue_add_answer(runtime_events(runtime), batch_buffer);
}
