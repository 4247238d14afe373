#include "node/federation/envelopes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/log.h"
#include "protocol/hash.h"
#include "protocol/link/letter.h"
#include "store/row_table.h"

enum { ENVELOPES_HEAD_SIZE = HASH_SIZE + 2 * NODE_ID_SIZE + 8 }; /* before a held envelope */
_Static_assert(LETTER_SEAL_SIZE == crypto_box_SEALBYTES, "what sealing adds");
_Static_assert(KEY_SIZE == crypto_box_SECRETKEYBYTES, "a mailbox secret");

#define ENVELOPES_MARK "mailbox secret forgotten"

void envelopes_secret(const struct shell *shell, uint8_t ret_secret[static KEY_SIZE])
{
    struct hash hash =
        hash_keyed(CONTEXT_DEPOSIT, shell->config.store_key, ID_BYTES(shell->config.federation));
    memcpy(ret_secret, hash.bytes, KEY_SIZE);
    sodium_memzero(&hash, sizeof hash);
}

/* ---- secrets ---- */

struct envelopes_making {
    struct shell *shell;
    struct mailbox_key key;
};

static void envelopes_on_made(void *arg, err result)
{
    struct envelopes_making *making = arg;
    struct event event = shell_event(EVENT_CUSTODY);
    event.custody = CUSTODY_MAILBOX;
    event.verdict = result;
    event.mailbox = making->key;
    if (!making->shell->is_closing)
        shell_turn(making->shell, &event, NULL);
    free(making);
}

/* (CU-1) */
static void envelopes_make(struct shell *shell)
{
    uint8_t secret[KEY_SIZE];
    struct envelopes_making *making = malloc(sizeof *making);
    if (making == NULL)
        abort(); /* the core counts on an answer */
    making->shell = shell;
    crypto_box_keypair(making->key.bytes, secret);
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_MAILBOX, ID_BYTES(making->key), {secret, KEY_SIZE}};
    shell_keep(shell, &(struct shell_keep){&op, 1, STORE_NORMAL, envelopes_on_made, making});
    sodium_memzero(secret, sizeof secret);
}

static void envelopes_on_rekeyed(void *arg, err result)
{
    struct shell *shell = arg;
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row = (struct store_row){STORE_TABLE_META, bytes_of_text(ENVELOPES_MARK), BYTES_NONE};
    if (result == OK && !shell->is_closing)
        shell_keep(shell, &(struct shell_keep){&op, 1, STORE_RELEASING, NULL, NULL});
}

/* When one is under way already, another follows, whose end nobody tells: the mark stays, and the
 * next start takes one more. */
static void envelopes_rekey(struct shell *shell)
{
    uint64_t token = shell_await(shell, envelopes_on_rekeyed, shell);
    err failure = store_rekey(shell->store, token);
    if (failure != OK)
        shell_forget(shell, token);
    if (failure != OK && failure != ERR_BUSY)
        log_error("rekey-failed", log_err("why", failure));
}

static void envelopes_on_forgotten(void *arg, err result)
{
    struct shell *shell = arg;
    if (result == OK && !shell->is_closing)
        envelopes_rekey(shell);
}

/* (CU-2) */
static void envelopes_forget(struct shell *shell, const struct mailbox_key *key)
{
    struct store_op ops[2] = {{.kind = STORE_ROW_DELETE}, {.kind = STORE_ROW_PUT}};
    ops[0].row = (struct store_row){STORE_TABLE_MAILBOX, ID_BYTES(*key), BYTES_NONE};
    ops[1].row =
        (struct store_row){STORE_TABLE_META, bytes_of_text(ENVELOPES_MARK), bytes_of_text("1")};
    shell_keep(shell, &(struct shell_keep){ops, 2, STORE_RELEASING, envelopes_on_forgotten, shell});
}

/* ---- letters ---- */

static void envelopes_answer(struct shell *shell, const struct effect *effect,
                             struct parcel *parcel, err verdict)
{
    parcel->link = effect->link;
    parcel->token = effect->token;
    parcel->verdict = verdict;
    parcel_queue_add(&shell->followers, parcel);
}

static struct parcel *envelopes_parcel(enum step_custody what, size_t size)
{
    struct parcel *parcel = parcel_new(EVENT_CUSTODY, size + 1);
    if (parcel == NULL)
        abort(); /* the core counts on an answer */
    parcel->custody = what;
    return parcel;
}

static void envelopes_enclose(struct shell *shell, const struct effect *effect)
{
    struct bytes letter = effect->enclose.letter;
    size_t from = effect->enclose.signed_from;
    struct parcel *parcel =
        envelopes_parcel(CUSTODY_ENCLOSE, letter.size + crypto_box_SEALBYTES + letter.size);
    uint8_t *plain = parcel->memory + letter.size + crypto_box_SEALBYTES;
    memcpy(plain, letter.data, letter.size);
    if (from > 0) {
        struct signature signature;
        struct bytes message = {plain + from, letter.size - from};
        hash_sign(CONTEXT_CUSTODY_REPORT, message, shell->config.sign_secret, &signature);
        memcpy(plain + from - SIGNATURE_SIZE, signature.bytes, SIGNATURE_SIZE);
    }
    int failed = crypto_box_seal(parcel->memory, plain, letter.size, effect->enclose.to.bytes);
    sodium_memzero(plain, letter.size);
    parcel->letter_size = letter.size + crypto_box_SEALBYTES;
    envelopes_answer(shell, effect, parcel, failed == 0 ? OK : ERR_BAD_KEY);
}

struct envelopes_opening {
    struct bytes envelope;
    struct parcel *parcel;
};

/* Which of our keys it was sealed to, the envelope does not say: there are two at most, for long.
 */
static bool envelopes_try(void *arg, const struct store_row *row)
{
    struct envelopes_opening *opening = arg;
    struct parcel *parcel = opening->parcel;
    struct bytes envelope = opening->envelope;
    if (row->key.size != KEY_SIZE || row->value.size != KEY_SIZE ||
        crypto_box_seal_open(parcel->memory, envelope.data, envelope.size, row->key.data,
                             row->value.data) != 0)
        return true;
    parcel->letter_size = envelope.size - crypto_box_SEALBYTES;
    return false;
}

static void envelopes_open(struct shell *shell, const struct effect *effect)
{
    struct envelopes_opening opening = {.envelope = effect->envelope};
    opening.parcel = envelopes_parcel(CUSTODY_OPEN, effect->envelope.size);
    err failure = OK;
    if (effect->envelope.size > crypto_box_SEALBYTES)
        failure = row_table_scan(shell->store, STORE_TABLE_MAILBOX, envelopes_try, &opening);
    if (failure == OK && opening.parcel->letter_size == 0)
        failure = ERR_BAD_KEY;
    envelopes_answer(shell, effect, opening.parcel, failure);
}

/* ---- held for others ---- */

struct envelopes_number {
    uint8_t memory[8];
};

static struct bytes envelopes_key(uint64_t number, struct envelopes_number *key)
{
    struct buffer buffer = buffer_over(key->memory, sizeof key->memory);
    buffer_u64(&buffer, number);
    return buffer_bytes(&buffer);
}

struct envelopes_holding {
    struct shell *shell;
    uint64_t number;
};

static void envelopes_on_held(void *arg, err result)
{
    struct envelopes_holding *holding = arg;
    struct event event = shell_event(EVENT_CUSTODY);
    event.custody = CUSTODY_HOLD;
    event.token.value = holding->number;
    event.verdict = result;
    if (!holding->shell->is_closing)
        shell_turn(holding->shell, &event, NULL);
    free(holding);
}

static void envelopes_hold(struct shell *shell, const struct effect *effect)
{
    const struct step_held *held = &effect->hold.held;
    struct envelopes_number key;
    size_t size = ENVELOPES_HEAD_SIZE + effect->hold.envelope.size;
    uint8_t *memory = malloc(size);
    struct envelopes_holding *holding = malloc(sizeof *holding);
    if (memory == NULL || holding == NULL)
        abort(); /* the core counts on an answer */
    *holding = (struct envelopes_holding){shell, effect->token.value};
    struct buffer value = buffer_over(memory, size);
    buffer_put(&value, held->id.bytes, HASH_SIZE);
    buffer_put(&value, held->depositor.bytes, NODE_ID_SIZE);
    buffer_put(&value, held->recipient.bytes, NODE_ID_SIZE);
    buffer_u64(&value, held->until.ms);
    buffer_put(&value, effect->hold.envelope.data, effect->hold.envelope.size);
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HELD, envelopes_key(effect->token.value, &key),
                                buffer_bytes(&value)};
    shell_keep(shell, &(struct shell_keep){&op, 1, STORE_NORMAL, envelopes_on_held, holding});
    free(memory);
}

static void envelopes_let_go(struct shell *shell, const struct effect *effect)
{
    struct envelopes_number key;
    struct store_op op = {.kind = STORE_ROW_DELETE};
    op.row =
        (struct store_row){STORE_TABLE_HELD, envelopes_key(effect->token.value, &key), BYTES_NONE};
    shell_keep(shell, &(struct shell_keep){&op, 1, STORE_RELEASING, NULL, NULL});
}

static void envelopes_fetch(struct shell *shell, const struct effect *effect)
{
    struct envelopes_number key;
    struct parcel *parcel =
        envelopes_parcel(CUSTODY_FETCH, ENVELOPES_HEAD_SIZE + (size_t)ENVELOPE_SIZE_MAX);
    struct buffer value = buffer_over(parcel->memory, parcel->memory_size);
    err failure = row_table_get(shell->store, STORE_TABLE_HELD,
                                envelopes_key(effect->token.value, &key), &value);
    if (failure == OK && value.size > ENVELOPES_HEAD_SIZE) {
        parcel->letter_size = value.size - ENVELOPES_HEAD_SIZE;
        memmove(parcel->memory, value.data + ENVELOPES_HEAD_SIZE, parcel->letter_size);
    }
    envelopes_answer(shell, effect, parcel, failure);
}

void envelopes_perform(struct shell *shell, const struct effect *effect)
{
    switch (effect->custody) {
    case CUSTODY_MAILBOX:
        envelopes_make(shell);
        break;
    case CUSTODY_FORGET:
        envelopes_forget(shell, &effect->mailbox);
        break;
    case CUSTODY_ENCLOSE:
        envelopes_enclose(shell, effect);
        break;
    case CUSTODY_OPEN:
        envelopes_open(shell, effect);
        break;
    case CUSTODY_HOLD:
        envelopes_hold(shell, effect);
        break;
    case CUSTODY_LET_GO:
        envelopes_let_go(shell, effect);
        break;
    case CUSTODY_FETCH:
        envelopes_fetch(shell, effect);
        break;
    }
}

/* ---- the start ---- */

static bool envelopes_restore_held(void *arg, const struct store_row *row)
{
    struct shell *shell = arg;
    struct event event = shell_event(EVENT_RESTORE_HELD);
    struct reader key = reader_of(row->key), value = reader_of(row->value);
    event.token.value = reader_u64(&key);
    reader_copy(&value, event.held.id.bytes, HASH_SIZE);
    reader_copy(&value, event.held.depositor.bytes, NODE_ID_SIZE);
    reader_copy(&value, event.held.recipient.bytes, NODE_ID_SIZE);
    event.held.until.ms = reader_u64(&value);
    event.held.size = (uint32_t)reader_left(&value);
    if (!value.failed && reader_done(&key))
        shell_step(shell, &event);
    return true;
}

static bool envelopes_restore_mailbox(void *arg, const struct store_row *row)
{
    struct shell *shell = arg;
    struct event event = shell_event(EVENT_RESTORE_MAILBOX);
    if (row->key.size != KEY_SIZE)
        return true;
    memcpy(event.mailbox.bytes, row->key.data, KEY_SIZE);
    shell_step(shell, &event);
    return true;
}

static bool envelopes_restore_report(void *arg, const struct store_row *row)
{
    struct shell *shell = arg;
    struct event event = shell_event(EVENT_RESTORE_REPORT);
    struct reader key = reader_of(row->key), value = reader_of(row->value);
    err failure = stream_id_read(&key, &event.report.stream);
    reader_copy(&key, event.report.peer.bytes, NODE_ID_SIZE);
    event.report.had = reader_u64(&value);
    if (failure == OK && reader_done(&key) && reader_done(&value))
        shell_step(shell, &event);
    return true;
}

err envelopes_restore(struct shell *shell)
{
    err failure =
        row_table_scan(shell->store, STORE_TABLE_MAILBOX, envelopes_restore_mailbox, shell);
    if (failure == OK)
        failure = row_table_scan(shell->store, STORE_TABLE_HELD, envelopes_restore_held, shell);
    if (failure == OK)
        failure = row_table_scan(shell->store, STORE_TABLE_ACK, envelopes_restore_report, shell);
    return failure;
}

void envelopes_resume(struct shell *shell)
{
    uint8_t memory[16];
    struct buffer mark = buffer_over(memory, sizeof memory);
    if (row_table_get(shell->store, STORE_TABLE_META, bytes_of_text(ENVELOPES_MARK), &mark) == OK)
        envelopes_rekey(shell);
}
