/* The dear arithmetic: checks on workers, seals at once. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "protocol/core/examination.h"

/* ---- checking ---- */

/* Whole runs of a batch, about as many records as one worker should have at a time: few, so that
 * all cores work for one frame; enough, so that handing them over costs little. */
enum { CRYPTO_PIECE_RECORDS = 8 };

struct crypto_piece {
    struct job job; /* first: a worker's job is its piece */
    struct parcel *parcel;
    struct step_batch batch;
    struct buffer memory; /* for what is opened */
};

/* True for the last of its parcel: what the others wrote is seen then. */
static bool crypto_run(struct job *job)
{
    struct crypto_piece *piece = (struct crypto_piece *)job;
    examination_batch(&piece->batch, &piece->memory);
    return atomic_fetch_sub(&piece->parcel->pieces_left, 1) == 1;
}

void crypto_deliver(struct shell *shell)
{
    while (shell->checking.first != NULL && shell->checking.first->is_done) {
        struct parcel *parcel = parcel_queue_take(&shell->checking);
        struct event event = shell_event(EVENT_CHECKED);
        event.link = parcel->link;
        event.batch = parcel->batch;
        shell_turn(shell, &event, parcel);
        parcel_drop(parcel);
    }
}

bool crypto_waits(const struct shell *shell)
{
    return shell->checking.first != NULL && shell->checking.first->is_done;
}

static void crypto_done(struct job *job)
{
    struct parcel *parcel = ((struct crypto_piece *)job)->parcel;
    struct shell *shell = parcel->owner;
    parcel->is_done = true;
    shell->jobs_under_way--;
    if (shell->is_closing)
        shell_release(shell);
    else
        crypto_deliver(shell);
}

/* Cuts the batch; `memory` is where what is opened goes, as large as the records. How many. */
static size_t crypto_cut(struct parcel *parcel, struct crypto_piece *pieces, uint8_t *memory)
{
    const struct step_batch *batch = &parcel->batch;
    struct step_record *record = batch->records;
    struct crypto_piece *piece = NULL;
    size_t count = 0;
    for (size_t i = 0; i < batch->run_count; i++) {
        if (piece == NULL || piece->batch.record_count >= CRYPTO_PIECE_RECORDS) {
            piece = &pieces[count++];
            *piece = (struct crypto_piece){.job = {.run_part = crypto_run, .done = crypto_done},
                                           .parcel = parcel,
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

void crypto_check(struct shell *shell, const struct effect *effect)
{
    size_t size = 0;
    size_t pieces_size = effect->batch.run_count * sizeof(struct crypto_piece);
    for (size_t i = 0; i < effect->batch.record_count; i++)
        size += effect->batch.records[i].record.size;
    struct parcel *parcel = parcel_of_batch(EVENT_CHECKED, &effect->batch, pieces_size + 2 * size);
    if (parcel == NULL)
        abort(); /* the core counts on an answer */
    parcel->owner = shell;
    parcel->link = effect->link;
    struct crypto_piece *pieces = (void *)parcel_extra(parcel);
    uint8_t *place = parcel_extra(parcel) + pieces_size;
    for (size_t i = 0; i < parcel->batch.record_count; i++) {
        struct step_record *record = &parcel->batch.records[i];
        memcpy(place, record->record.data, record->record.size);
        record->record.data = place;
        place += record->record.size;
    }
    size_t piece_count = crypto_cut(parcel, pieces, place);
    atomic_init(&parcel->pieces_left, piece_count);
    parcel_queue_add(&shell->checking, parcel);
    shell->jobs_under_way++;
    for (size_t i = 0; i < piece_count; i++) {
        bool is_taken = workers_submit_any(shell->config.workers, &pieces[i].job) == OK;
        if (is_taken || !crypto_run(&pieces[i].job))
            continue;
        parcel->is_done = true; /* too much waits: this thread helped, and tells with a tick */
        shell->jobs_under_way--;
    }
}

/* ---- sealing ---- */

void crypto_seal(struct shell *shell, const struct effect *effect)
{
    const struct bytes plaintext = effect->seal.plaintext;
    struct step_run run = {.stream = effect->seal.stream, .count = 1};
    struct step_record blank = {.flags = RECORD_OWN};
    struct step_batch batch = {&run, 1, &blank, 1};
    size_t room = RECORD_BARE_SIZE + RECORD_SEAL_SIZE + 2 * plaintext.size;
    struct parcel *parcel = parcel_of_batch(EVENT_SEALED, &batch, room);
    if (parcel == NULL)
        abort(); /* the stream would wait for ever */
    struct step_record *record = parcel->batch.records;
    struct record_secrets secrets = {.sign_secret = shell->config.sign_secret};
    randombytes_buf(secrets.key.bytes, sizeof secrets.key.bytes);
    randombytes_buf(secrets.nonce, sizeof secrets.nonce);
    struct buffer out = buffer_over(parcel_extra(parcel), room - plaintext.size);
    struct record_id id;
    parcel->verdict = record_seal(&effect->seal.header, plaintext, &secrets, &out, &id);
    record->record = buffer_bytes(&out);
    record->has_key = effect->seal.header.audience != AUDIENCE_CLEAR;
    if (record->has_key)
        record->key = secrets.key;
    uint8_t *copy = parcel_extra(parcel) + room - plaintext.size;
    memcpy(copy, plaintext.data, plaintext.size);
    record->plaintext = (struct bytes){copy, plaintext.size};
    sodium_memzero(&secrets, sizeof secrets);
    parcel->token = effect->token;
    parcel_queue_add(&shell->followers, parcel);
}
