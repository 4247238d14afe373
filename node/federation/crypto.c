/* The dear arithmetic: checks on workers, seals at once. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "protocol/core/examination.h"

/* ---- checking ---- */

static void crypto_run(struct job *job)
{
    struct parcel *parcel = (struct parcel *)job;
    size_t used = 0;
    for (size_t i = 0; i < parcel->batch.record_count; i++)
        used += parcel->batch.records[i].record.size;
    struct buffer memory = buffer_over(parcel_extra(parcel) + used, used);
    examination_batch(&parcel->batch, &memory);
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
    struct parcel *parcel = (struct parcel *)job;
    struct shell *shell = parcel->owner;
    parcel->is_done = true;
    shell->jobs_under_way--;
    if (shell->is_closing)
        shell_release(shell);
    else
        crypto_deliver(shell);
}

void crypto_check(struct shell *shell, const struct effect *effect)
{
    size_t size = 0;
    for (size_t i = 0; i < effect->batch.record_count; i++)
        size += effect->batch.records[i].record.size;
    struct parcel *parcel = parcel_of_batch(EVENT_CHECKED, &effect->batch, 2 * size);
    if (parcel == NULL)
        abort(); /* the core counts on an answer */
    parcel->owner = shell;
    parcel->link = effect->link;
    uint8_t *place = parcel_extra(parcel);
    for (size_t i = 0; i < parcel->batch.record_count; i++) {
        struct step_record *record = &parcel->batch.records[i];
        memcpy(place, record->record.data, record->record.size);
        record->record.data = place;
        place += record->record.size;
    }
    parcel->job.run = crypto_run;
    parcel->job.done = crypto_done;
    parcel_queue_add(&shell->checking, parcel);
    if (workers_submit(shell->config.workers, shell->checked_count++, &parcel->job) == OK) {
        shell->jobs_under_way++;
        return;
    }
    crypto_run(&parcel->job); /* all workers are busy: this thread helps, and tells with a tick */
    parcel->is_done = true;
}

/* ---- sealing ---- */

void crypto_seal(struct shell *shell, const struct effect *effect)
{
    const struct bytes plaintext = effect->seal.plaintext;
    struct step_run run = {.count = 1};
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
