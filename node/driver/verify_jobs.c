#include "node/driver/verify_jobs.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/runtime/event_queue.h"
#include "protocol/replication/batch_verify.h"

/* ---- checking ---- */

enum {
    VERIFY_JOBS_OPEN_COUNT = 64,
    VERIFY_JOBS_SAMPLE_MS = 100,
    VERIFY_JOBS_SAMPLE_BUSY = 64, /* more records than this in a sample: there is other work */
};

struct verify_jobs {
    struct runtime *runtime;
    struct batch_buffer_queue checking; /* in the order of their effects */
    size_t under_way;                   /* with the workers */
    struct mono sampled_at;             /* when it was last looked how much is to be checked */
    size_t sampled_count;               /* records since then */
    bool is_busy;
    bool is_closed;
    pthread_mutex_t lock; /* guards `open`, and the chains of the pieces in it */
    /* The piece of a stream that no worker has begun, and that others may join (T-29): by the
     * stream's slot. Two streams at one place take turns. */
    struct verify_jobs_piece *open[VERIFY_JOBS_OPEN_COUNT];
};

/* Whole runs of a batch, about as many records as one worker should have at a time: few, so that
 * all cores work for one frame; enough, so that handing them over costs little. */
enum { VERIFY_JOBS_PIECE_RECORDS = 8 };

struct verify_jobs_piece {
    struct job job; /* first: a worker's job is its piece */
    struct batch_buffer *batch_buffer;
    struct step_batch batch;
    struct buffer memory; /* for what is opened */

    /* a piece that others joined, and these, in order */
    struct verify_jobs_piece *next;
    struct verify_jobs_piece *last;
    size_t record_count; /* of all of them */
};

struct verify_jobs *verify_jobs_new(struct runtime *runtime)
{
    struct verify_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL)
        return NULL;
    jobs->runtime = runtime;
    if (pthread_mutex_init(&jobs->lock, NULL) != 0) {
        free(jobs);
        return NULL;
    }
    return jobs;
}

static void verify_jobs_release(struct verify_jobs *jobs)
{
    struct batch_buffer *batch_buffer;
    if (jobs->under_way > 0)
        return;
    while ((batch_buffer = batch_buffer_queue_take(&jobs->checking)) != NULL) {
        batch_buffer_drop(batch_buffer->merged);
        batch_buffer_drop(batch_buffer);
    }
    (void)pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

void verify_jobs_close(struct verify_jobs *jobs)
{
    if (jobs == NULL)
        return;
    jobs->is_closed = true;
    verify_jobs_release(jobs);
}

/* ---- several as one run ---- */

static struct verify_jobs_piece **verify_jobs_place(struct verify_jobs *jobs,
                                                    const struct verify_jobs_piece *piece)
{
    return &jobs->open[piece->batch.runs->stream % VERIFY_JOBS_OPEN_COUNT];
}

/* True when it joined another piece of its stream, and goes with that one. Else others may join it,
 * until a worker begins. */
static bool verify_jobs_join(struct verify_jobs *jobs, struct verify_jobs_piece *piece)
{
    struct verify_jobs_piece **place = verify_jobs_place(jobs, piece);
    (void)pthread_mutex_lock(&jobs->lock);
    struct verify_jobs_piece *first = *place;
    bool joins = first != NULL &&
                 first->batch_buffer->link.value == piece->batch_buffer->link.value &&
                 first->record_count + piece->record_count <= RUN_COUNT_MAX &&
                 batch_verify_continues(&first->last->batch, &piece->batch);
    if (joins) {
        first->last->next = piece;
        first->last = piece;
        first->record_count += piece->record_count;
    } else {
        *place = piece;
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return joins;
}

/* Nobody joins it any more. */
static void verify_jobs_begin(struct verify_jobs_piece *piece)
{
    struct verify_jobs *jobs = piece->batch_buffer->owner;
    struct verify_jobs_piece **place = verify_jobs_place(jobs, piece);
    (void)pthread_mutex_lock(&jobs->lock);
    if (*place == piece)
        *place = NULL;
    (void)pthread_mutex_unlock(&jobs->lock);
}

/* All records of the chain as one run, with memory for what is opened; NULL: no memory. */
static struct batch_buffer *verify_jobs_merge(const struct verify_jobs_piece *first,
                                              struct buffer *ret_memory)
{
    struct step_record records[RUN_COUNT_MAX];
    struct step_run run = first->batch.runs[0];
    struct step_batch batch = {&run, 1, records, 0};
    size_t size = 0;
    for (const struct verify_jobs_piece *piece = first; piece != NULL; piece = piece->next) {
        for (size_t i = 0; i < piece->batch.record_count; i++) {
            records[batch.record_count] = piece->batch.records[i];
            size += records[batch.record_count++].record.size;
        }
    }
    run.count = (uint16_t)batch.record_count;
    struct batch_buffer *merged = batch_buffer_of_batch(EVENT_CHECKED, &batch, 2 * size);
    sodium_memzero(records, batch.record_count * sizeof *records); /* keys */
    if (merged == NULL)
        return NULL;
    uint8_t *place = batch_buffer_extra(merged);
    for (size_t i = 0; i < merged->batch.record_count; i++) {
        struct step_record *record = &merged->batch.records[i];
        memcpy(place, record->record.data, record->record.size);
        record->record.data = place;
        place += record->record.size;
    }
    merged->link = first->batch_buffer->link;
    *ret_memory = buffer_over(place, size);
    return merged;
}

/* (T-30) */
static void verify_jobs_run_chain(struct verify_jobs_piece *first)
{
    struct buffer memory;
    struct batch_buffer *merged = verify_jobs_merge(first, &memory);
    if (merged != NULL)
        batch_verify_batch(&merged->batch, &memory);
    if (merged != NULL && merged->batch.runs->verdict == OK) {
        for (struct verify_jobs_piece *piece = first; piece != NULL; piece = piece->next)
            piece->batch_buffer->is_merged = true;
        first->batch_buffer->merged = merged;
        return;
    }
    batch_buffer_drop(merged);
    for (struct verify_jobs_piece *piece = first; piece != NULL; piece = piece->next)
        batch_verify_batch(&piece->batch, &piece->memory);
}

/* ---- one after the other ---- */

/* True for the last of its batch: what the others wrote is seen then. */
static bool verify_jobs_run(struct job *job)
{
    struct verify_jobs_piece *piece = (struct verify_jobs_piece *)job;
    verify_jobs_begin(piece);
    if (piece->next != NULL)
        verify_jobs_run_chain(piece);
    else
        batch_verify_batch(&piece->batch, &piece->memory);
    return atomic_fetch_sub(&piece->batch_buffer->pieces_left, 1) == 1;
}

void verify_jobs_deliver(struct verify_jobs *jobs)
{
    while (verify_jobs_waits(jobs)) {
        struct batch_buffer *batch_buffer = batch_buffer_queue_take(&jobs->checking);
        if (batch_buffer->is_merged) {
            struct batch_buffer *merged = batch_buffer->merged;
            batch_buffer_drop(batch_buffer);
            batch_buffer = merged;
        }
        if (batch_buffer == NULL)
            continue; /* it went with the first of them */
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

bool verify_jobs_is_idle(struct verify_jobs *jobs)
{
    struct mono now = runtime_mono();
    if (now.ms >= jobs->sampled_at.ms + VERIFY_JOBS_SAMPLE_MS) {
        jobs->is_busy = jobs->sampled_count > VERIFY_JOBS_SAMPLE_BUSY;
        jobs->sampled_count = 0;
        jobs->sampled_at = now;
    }
    return jobs->under_way == 0 && !jobs->is_busy && jobs->sampled_count <= VERIFY_JOBS_SAMPLE_BUSY;
}

/* The batch of the piece is checked, and so are those of all that joined it. */
static void verify_jobs_finish(struct verify_jobs *jobs, const struct verify_jobs_piece *piece)
{
    for (; piece != NULL; piece = piece->next) {
        piece->batch_buffer->is_done = true;
        jobs->under_way--;
    }
}

static void verify_jobs_done(struct job *job)
{
    const struct verify_jobs_piece *piece = (struct verify_jobs_piece *)job;
    struct verify_jobs *jobs = piece->batch_buffer->owner;
    verify_jobs_finish(jobs, piece);
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
                .batch = {.runs = &batch->runs[i], .records = record},
                .last = piece};
            piece->memory = buffer_over(memory, 0);
        }
        piece->batch.run_count++;
        piece->batch.record_count += batch->runs[i].count;
        piece->record_count = piece->batch.record_count;
        for (uint16_t j = 0; j < batch->runs[i].count; j++, record++) {
            piece->memory.capacity += record->record.size;
            memory += record->record.size;
        }
    }
    return count;
}

/* NULL: no memory. */
static struct batch_buffer *verify_jobs_copy(struct verify_jobs *jobs, const struct effect *effect,
                                             size_t pieces_size, uint8_t **ret_rest)
{
    size_t size = 0;
    for (size_t i = 0; i < effect->batch.record_count; i++)
        size += effect->batch.records[i].record.size;
    struct batch_buffer *batch_buffer =
        batch_buffer_of_batch(EVENT_CHECKED, &effect->batch, pieces_size + 2 * size);
    if (batch_buffer == NULL)
        return NULL;
    batch_buffer->owner = jobs;
    batch_buffer->link = effect->link;
    uint8_t *place = batch_buffer_extra(batch_buffer) + pieces_size;
    for (size_t i = 0; i < batch_buffer->batch.record_count; i++) {
        struct step_record *record = &batch_buffer->batch.records[i];
        memcpy(place, record->record.data, record->record.size);
        record->record.data = place;
        place += record->record.size;
    }
    *ret_rest = place;
    return batch_buffer;
}

void verify_jobs_check(struct verify_jobs *jobs, const struct effect *effect)
{
    size_t pieces_size = effect->batch.run_count * sizeof(struct verify_jobs_piece);
    uint8_t *rest;
    struct batch_buffer *batch_buffer = verify_jobs_copy(jobs, effect, pieces_size, &rest);
    if (batch_buffer == NULL)
        abort(); /* the engine waits for an answer */
    struct verify_jobs_piece *pieces = (void *)batch_buffer_extra(batch_buffer);
    size_t piece_count = verify_jobs_cut(batch_buffer, pieces, rest);
    atomic_init(&batch_buffer->pieces_left, piece_count);
    batch_buffer_queue_add(&jobs->checking, batch_buffer);
    jobs->under_way++;
    jobs->sampled_count += effect->batch.record_count;
    if (effect->batch.run_count == 1 && verify_jobs_join(jobs, pieces))
        return;
    for (size_t i = 0; i < piece_count; i++) {
        bool is_taken =
            workers_submit_any(runtime_settings(jobs->runtime)->workers, &pieces[i].job) == OK;
        if (!is_taken && verify_jobs_run(&pieces[i].job)) /* too much waits: this thread helped, */
            verify_jobs_finish(jobs, &pieces[i]);         /* and tells with a tick */
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
