#include "node/driver/envelopes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/ack_row.h"
#include "node/rows/held_row.h"
#include "node/rows/mailbox_row.h"
#include "node/rows/node_row.h"
#include "node/runtime/event_queue.h"
#include "protocol/base/hash.h"
#include "protocol/wire/sealed_message.h"

_Static_assert(SEALED_MESSAGE_SEAL_SIZE == crypto_box_SEALBYTES, "what sealing adds");
_Static_assert(KEY_SIZE == crypto_box_SECRETKEYBYTES, "a mailbox secret");

/* ---- secrets ---- */

struct envelopes_making {
    struct runtime *runtime;
    struct mailbox_key key;
};

static void envelopes_on_made(void *arg, err result)
{
    struct envelopes_making *making = arg;
    struct event event = runtime_event(EVENT_CUSTODY);
    event.custody = CUSTODY_MAILBOX;
    event.verdict = result;
    event.mailbox = making->key;
    if (!runtime_is_closing(making->runtime))
        runtime_enqueue(making->runtime, &event);
    free(making);
}

/* (CU-1) */
static void envelopes_make(struct runtime *runtime)
{
    uint8_t secret[KEY_SIZE];
    struct envelopes_making *making = malloc(sizeof *making);
    if (making == NULL)
        abort(); /* the engine waits for an answer */
    making->runtime = runtime;
    crypto_box_keypair(making->key.bytes, secret);
    struct store_op op = mailbox_row_put(&making->key, secret);
    runtime_keep(runtime, &(struct runtime_keep){&op, 1, STORE_NORMAL, envelopes_on_made, making});
    sodium_memzero(secret, sizeof secret);
}

static void envelopes_on_rekeyed(void *arg, err result)
{
    struct runtime *runtime = arg;
    struct store_op op = node_row_rekey_delete();
    if (result == OK && !runtime_is_closing(runtime))
        runtime_keep(runtime, &(struct runtime_keep){&op, 1, STORE_RELEASING, NULL, NULL});
}

/* When one is under way already, another follows, whose end nobody tells: the mark stays, and the
 * next start takes one more. */
static void envelopes_rekey(struct runtime *runtime)
{
    uint64_t token = runtime_await(runtime, envelopes_on_rekeyed, runtime);
    err failure = store_rekey(runtime_store(runtime), token);
    if (failure != OK)
        runtime_forget(runtime, token);
    if (failure != OK && failure != ERR_BUSY)
        log_error("rekey-failed", log_text("federation", runtime_name(runtime)),
                  log_err("why", failure),
                  log_text("do", "check the disk; it is tried again at the next start"));
}

static void envelopes_on_forgotten(void *arg, err result)
{
    struct runtime *runtime = arg;
    if (result == OK && !runtime_is_closing(runtime))
        envelopes_rekey(runtime);
}

/* (CU-2) */
static void envelopes_forget(struct runtime *runtime, const struct mailbox_key *key)
{
    struct store_op ops[2] = {mailbox_row_delete(key), node_row_rekey_put()};
    runtime_keep(runtime,
                 &(struct runtime_keep){ops, 2, STORE_RELEASING, envelopes_on_forgotten, runtime});
}

/* ---- letters ---- */

static void envelopes_answer(struct runtime *runtime, const struct effect *effect,
                             struct batch_buffer *batch_buffer, err verdict)
{
    batch_buffer->link = effect->link;
    batch_buffer->token = effect->token;
    batch_buffer->verdict = verdict;
    event_queue_add_answer(runtime_events(runtime), batch_buffer);
}

static struct batch_buffer *envelopes_batch_buffer(enum step_custody what, size_t size)
{
    struct batch_buffer *batch_buffer = batch_buffer_new(EVENT_CUSTODY, size + 1);
    if (batch_buffer == NULL)
        abort(); /* the engine waits for an answer */
    batch_buffer->custody = what;
    return batch_buffer;
}

static void envelopes_enclose(struct runtime *runtime, const struct effect *effect)
{
    struct bytes letter = effect->enclose.letter;
    size_t from = effect->enclose.signed_from;
    struct batch_buffer *batch_buffer =
        envelopes_batch_buffer(CUSTODY_ENCLOSE, letter.size + crypto_box_SEALBYTES + letter.size);
    uint8_t *plain = batch_buffer->memory + letter.size + crypto_box_SEALBYTES;
    memcpy(plain, letter.data, letter.size);
    if (from > 0) {
        struct signature signature;
        struct bytes message = {plain + from, letter.size - from};
        hash_sign(CONTEXT_CUSTODY_REPORT, message, runtime_settings(runtime)->sign_secret,
                  &signature);
        memcpy(plain + from - SIGNATURE_SIZE, signature.bytes, SIGNATURE_SIZE);
    }
    int failed =
        crypto_box_seal(batch_buffer->memory, plain, letter.size, effect->enclose.to.bytes);
    sodium_memzero(plain, letter.size);
    batch_buffer->letter_size = letter.size + crypto_box_SEALBYTES;
    envelopes_answer(runtime, effect, batch_buffer, failed == 0 ? OK : ERR_BAD_KEY);
}

struct envelopes_opening {
    struct bytes envelope;
    struct batch_buffer *batch_buffer;
};

/* Which of our keys it was sealed to, the envelope does not say: there are two at most, for long.
 */
static bool envelopes_try(void *arg, const struct mailbox_key *key, const uint8_t *secret)
{
    struct envelopes_opening *opening = arg;
    struct batch_buffer *batch_buffer = opening->batch_buffer;
    struct bytes envelope = opening->envelope;
    if (crypto_box_seal_open(batch_buffer->memory, envelope.data, envelope.size, key->bytes,
                             secret) != 0)
        return true;
    batch_buffer->letter_size = envelope.size - crypto_box_SEALBYTES;
    return false;
}

static void envelopes_open(struct runtime *runtime, const struct effect *effect)
{
    struct envelopes_opening opening = {.envelope = effect->envelope};
    opening.batch_buffer = envelopes_batch_buffer(CUSTODY_OPEN, effect->envelope.size);
    err failure = OK;
    if (effect->envelope.size > crypto_box_SEALBYTES)
        failure = mailbox_row_scan(runtime_store(runtime), envelopes_try, &opening);
    if (failure == OK && opening.batch_buffer->letter_size == 0)
        failure = ERR_BAD_KEY;
    envelopes_answer(runtime, effect, opening.batch_buffer, failure);
}

/* ---- held for others ---- */

struct envelopes_holding {
    struct runtime *runtime;
    uint64_t number;
};

static void envelopes_on_held(void *arg, err result)
{
    struct envelopes_holding *holding = arg;
    struct event event = runtime_event(EVENT_CUSTODY);
    event.custody = CUSTODY_HOLD;
    event.token.value = holding->number;
    event.verdict = result;
    if (!runtime_is_closing(holding->runtime))
        runtime_enqueue(holding->runtime, &event);
    free(holding);
}

static void envelopes_hold(struct runtime *runtime, const struct effect *effect)
{
    const struct step_held *held = &effect->hold.held;
    struct held_row_bytes key;
    size_t size = HELD_ROW_HEAD_SIZE + effect->hold.envelope.size;
    uint8_t *memory = malloc(size);
    struct envelopes_holding *holding = malloc(sizeof *holding);
    if (memory == NULL || holding == NULL)
        abort(); /* the engine waits for an answer */
    *holding = (struct envelopes_holding){runtime, effect->token.value};
    struct store_op op =
        held_row_put(effect->token.value, held, effect->hold.envelope, memory, &key);
    runtime_keep(runtime, &(struct runtime_keep){&op, 1, STORE_NORMAL, envelopes_on_held, holding});
    free(memory);
}

static void envelopes_let_go(struct runtime *runtime, const struct effect *effect)
{
    struct held_row_bytes key;
    struct store_op op = held_row_delete(effect->token.value, &key);
    runtime_keep(runtime, &(struct runtime_keep){&op, 1, STORE_RELEASING, NULL, NULL});
}

static void envelopes_fetch(struct runtime *runtime, const struct effect *effect)
{
    struct batch_buffer *batch_buffer =
        envelopes_batch_buffer(CUSTODY_FETCH, HELD_ROW_HEAD_SIZE + (size_t)ENVELOPE_SIZE_MAX);
    struct buffer envelope = buffer_over(batch_buffer->memory, batch_buffer->memory_size);
    err failure = held_row_get(runtime_store(runtime), effect->token.value, &envelope);
    if (failure == OK)
        batch_buffer->letter_size = envelope.size;
    envelopes_answer(runtime, effect, batch_buffer, failure);
}

void envelopes_perform(struct runtime *runtime, const struct effect *effect)
{
    switch (effect->custody) {
    case CUSTODY_MAILBOX:
        envelopes_make(runtime);
        break;
    case CUSTODY_FORGET:
        envelopes_forget(runtime, &effect->mailbox);
        break;
    case CUSTODY_ENCLOSE:
        envelopes_enclose(runtime, effect);
        break;
    case CUSTODY_OPEN:
        envelopes_open(runtime, effect);
        break;
    case CUSTODY_HOLD:
        envelopes_hold(runtime, effect);
        break;
    case CUSTODY_LET_GO:
        envelopes_let_go(runtime, effect);
        break;
    case CUSTODY_FETCH:
        envelopes_fetch(runtime, effect);
        break;
    }
}

/* ---- the start ---- */

static bool envelopes_restore_held(void *arg, uint64_t number, const struct step_held *held)
{
    struct runtime *runtime = arg;
    struct event event = runtime_event(EVENT_RESTORE_HELD);
    event.token.value = number;
    event.held = *held;
    (void)runtime_step(runtime, &event);
    return true;
}

static bool envelopes_restore_mailbox(void *arg, const struct mailbox_key *key,
                                      const uint8_t *secret)
{
    struct runtime *runtime = arg;
    struct event event = runtime_event(EVENT_RESTORE_MAILBOX);
    (void)secret;
    event.mailbox = *key;
    (void)runtime_step(runtime, &event);
    return true;
}

static bool envelopes_restore_report(void *arg, const struct ack_row *row)
{
    struct runtime *runtime = arg;
    struct event event = runtime_event(EVENT_RESTORE_REPORT);
    event.report.stream = row->stream;
    event.report.peer = row->peer;
    event.report.had = row->durable;
    (void)runtime_step(runtime, &event);
    return true;
}

err envelopes_restore(struct runtime *runtime)
{
    err failure = mailbox_row_scan(runtime_store(runtime), envelopes_restore_mailbox, runtime);
    if (failure == OK)
        failure = held_row_scan(runtime_store(runtime), envelopes_restore_held, runtime);
    if (failure == OK)
        failure = ack_row_scan(runtime_store(runtime), envelopes_restore_report, runtime);
    return failure;
}

void envelopes_resume(struct runtime *runtime)
{
    if (node_row_rekey_is_due(runtime_store(runtime)))
        envelopes_rekey(runtime);
}
