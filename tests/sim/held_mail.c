#include "tests/sim/held_mail.h"

#include <sodium.h>
#include <string.h>

#include "protocol/base/hash.h"
#include "protocol/wire/sealed_message.h"
#include "tests/sim/hospital.h"
#include "tests/sim/oracle.h"

enum {
    HELD_MAIL_SECRETS_MAX = 64,
    HELD_MAIL_ROWS_MAX = 1024,
    HELD_MAIL_ACKS_MAX = 4096,
    HELD_MAIL_MADE_MAX = 256,
    HELD_MAIL_NAME_SIZE = 16,
};

struct held_mail_secret {
    struct mailbox_key key;
    uint8_t secret[KEY_SIZE];
    uint64_t made_at;
};

struct held_mail_row {
    uint64_t number;
    struct step_held held;
    uint8_t *envelope;
};

struct held_mail_ack {
    struct node_id peer;
    struct stream_id stream;
    uint64_t had;
};

struct held_mail_waiting {
    struct held_mail_waiting *next;
    struct event event;
    uint8_t *memory;
};

/* What an envelope holds, by its first bytes. */
struct held_mail_letter {
    uint8_t name[HELD_MAIL_NAME_SIZE];
    struct scope scope;
    bool has_key;
};

struct held_mail {
    struct held_mail_secret secrets[HELD_MAIL_SECRETS_MAX];
    size_t secret_count;
    struct held_mail_row rows[HELD_MAIL_ROWS_MAX];
    size_t row_count;
    struct held_mail_ack acks[HELD_MAIL_ACKS_MAX];
    size_t ack_count;
    struct held_mail_waiting *waiting;
    struct held_mail *backup; /* of what stands above, but for `waiting` */
    /* for the oracle: a disk that is put back does not undo it */
    struct mailbox_key made[HELD_MAIL_MADE_MAX];
    size_t made_count;
    struct held_mail_letter *letters;
    size_t letter_count;
};

void held_mail_allow(struct world *world)
{
    world->has_custody = true;
}

void held_mail_configure(struct hospital *hospital)
{
    struct engine_config *config = &hospital->config;
    hospital->held_mail = NULL;
    if (!hospital->world->has_custody)
        return;
    config->held_count_max = HELD_MAIL_ROWS_MAX;
    config->deposit_count_max = 1024;
    config->reach_count_max = 4096;
    memcpy(config->deposit_secret, hospital->node.bytes, NODE_ID_SIZE);
    hospital->held_mail = calloc(1, sizeof *hospital->held_mail);
    if (hospital->held_mail == NULL)
        abort();
}

void held_mail_forget(struct hospital *hospital)
{
    while (hospital->held_mail != NULL && hospital->held_mail->waiting != NULL) {
        struct held_mail_waiting *waiting = hospital->held_mail->waiting;
        hospital->held_mail->waiting = waiting->next;
        free(waiting->memory);
        free(waiting);
    }
}

static void held_mail_drop_rows(struct held_mail *held_mail)
{
    for (size_t i = 0; i < held_mail->row_count; i++)
        free(held_mail->rows[i].envelope);
    held_mail->row_count = 0;
}

void held_mail_free(struct hospital *hospital)
{
    struct held_mail *held_mail = hospital->held_mail;
    if (held_mail == NULL)
        return;
    held_mail_forget(hospital);
    held_mail_drop_rows(held_mail);
    if (held_mail->backup != NULL)
        held_mail_drop_rows(held_mail->backup);
    free(held_mail->backup);
    free(held_mail->letters);
    free(held_mail);
}

/* ---- backups ---- */

/* What is durable of `from`, in place of what `to` has. */
static void held_mail_copy(const struct held_mail *from, struct held_mail *to)
{
    held_mail_drop_rows(to);
    memcpy(to->secrets, from->secrets, sizeof to->secrets);
    memcpy(to->acks, from->acks, sizeof to->acks);
    memcpy(to->rows, from->rows, sizeof to->rows);
    to->secret_count = from->secret_count;
    to->ack_count = from->ack_count;
    to->row_count = from->row_count;
    for (size_t i = 0; i < to->row_count; i++) {
        to->rows[i].envelope = malloc(to->rows[i].held.size);
        if (to->rows[i].envelope == NULL)
            abort();
        memcpy(to->rows[i].envelope, from->rows[i].envelope, to->rows[i].held.size);
    }
}

void held_mail_back_up(struct hospital *hospital)
{
    struct held_mail *held_mail = hospital->held_mail;
    if (held_mail == NULL)
        return;
    if (held_mail->backup == NULL)
        held_mail->backup = calloc(1, sizeof *held_mail->backup);
    if (held_mail->backup == NULL)
        abort();
    held_mail_copy(held_mail, held_mail->backup);
}

void held_mail_put_back(struct hospital *hospital)
{
    struct held_mail *held_mail = hospital->held_mail;
    if (held_mail != NULL && held_mail->backup != NULL)
        held_mail_copy(held_mail->backup, held_mail);
}

/* ---- effects ---- */

/* An answer with `size` bytes of its own behind it. */
static uint8_t *held_mail_later(struct hospital *hospital, const struct effect *effect,
                                const struct event *event, size_t size)
{
    struct held_mail_waiting *waiting = calloc(1, sizeof *waiting);
    struct held_mail_waiting **end = &hospital->held_mail->waiting;
    if (waiting == NULL || (waiting->memory = calloc(1, size + 1)) == NULL)
        abort();
    waiting->event = *event;
    waiting->event.link = effect->link;
    waiting->event.token = effect->token;
    waiting->event.custody = effect->custody;
    if (size > 0)
        waiting->event.letter = (struct bytes){waiting->memory, size};
    while (*end != NULL)
        end = &(*end)->next;
    *end = waiting;
    return waiting->memory;
}

static void held_mail_make(struct hospital *hospital, const struct effect *effect)
{
    struct held_mail *held_mail = hospital->held_mail;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    uint8_t seed[crypto_box_SEEDBYTES];
    WORLD_CHECK(hospital->world, held_mail->secret_count < HELD_MAIL_SECRETS_MAX);
    struct held_mail_secret *secret = &held_mail->secrets[held_mail->secret_count++];
    secret->made_at = hospital->world->now;
    prng_bytes(&hospital->world->prng, seed, sizeof seed);
    crypto_box_seed_keypair(secret->key.bytes, secret->secret, seed);
    event.mailbox = secret->key;
    WORLD_CHECK(hospital->world, held_mail->made_count < HELD_MAIL_MADE_MAX);
    held_mail->made[held_mail->made_count++] = secret->key;
    (void)held_mail_later(hospital, effect, &event, 0);
}

static void held_mail_lose(struct hospital *hospital, const struct mailbox_key *key)
{
    struct held_mail *held_mail = hospital->held_mail;
    for (size_t i = 0; i < held_mail->secret_count; i++) {
        if (ID_EQUAL(held_mail->secrets[i].key, *key))
            held_mail->secrets[i] = held_mail->secrets[--held_mail->secret_count];
    }
}

/* Whose mailbox it is, though its secret may be gone. */
static const struct hospital *held_mail_owner(const struct world *world,
                                              const struct mailbox_key *key)
{
    for (uint32_t i = 0; i < world->count; i++) {
        const struct held_mail *held_mail = world->hospitals[i].held_mail;
        for (size_t j = 0; held_mail != NULL && j < held_mail->made_count; j++) {
            if (ID_EQUAL(held_mail->made[j], *key))
                return &world->hospitals[i];
        }
    }
    world_fail(world, "sealed to nobody's key", "");
}

static void held_mail_note(struct hospital *hospital, const struct effect *effect,
                           const uint8_t *name)
{
    struct held_mail *held_mail = hospital->held_mail;
    struct held_mail_letter letter = {.has_key = false};
    oracle_letter(hospital, held_mail_owner(hospital->world, &effect->enclose.to),
                  effect->enclose.letter, &letter.scope, &letter.has_key);
    memcpy(letter.name, name, HELD_MAIL_NAME_SIZE);
    if (held_mail->letter_count % 256 == 0)
        held_mail->letters = realloc(held_mail->letters,
                                     (held_mail->letter_count + 256) * sizeof *held_mail->letters);
    if (held_mail->letters == NULL)
        abort();
    held_mail->letters[held_mail->letter_count++] = letter;
}

/* As crypto_box_seal, but chance is the world's. */
static void held_mail_enclose(struct hospital *hospital, const struct effect *effect)
{
    static uint8_t plain[SEALED_MESSAGE_SIZE_MAX];
    uint8_t seed[crypto_box_SEEDBYTES], secret[KEY_SIZE], both[2 * KEY_SIZE];
    uint8_t nonce[crypto_box_NONCEBYTES];
    struct bytes letter = effect->enclose.letter;
    size_t from = effect->enclose.signed_from;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    uint8_t *out =
        held_mail_later(hospital, effect, &event, letter.size + (size_t)crypto_box_SEALBYTES);
    memcpy(plain, letter.data, letter.size);
    if (from > 0) {
        struct signature signature;
        hash_sign(CONTEXT_CUSTODY_REPORT, (struct bytes){plain + from, letter.size - from},
                  hospital->sign_secret, &signature);
        memcpy(plain + from - SIGNATURE_SIZE, signature.bytes, SIGNATURE_SIZE);
    }
    prng_bytes(&hospital->world->prng, seed, sizeof seed);
    crypto_box_seed_keypair(out, secret, seed);
    held_mail_note(hospital, effect, out);
    memcpy(both, out, KEY_SIZE);
    memcpy(both + KEY_SIZE, effect->enclose.to.bytes, KEY_SIZE);
    crypto_generichash(nonce, sizeof nonce, both, sizeof both, NULL, 0);
    WORLD_CHECK(hospital->world, crypto_box_easy(out + KEY_SIZE, plain, letter.size, nonce,
                                                 effect->enclose.to.bytes, secret) == 0);
}

static void held_mail_open(struct hospital *hospital, const struct effect *effect)
{
    const struct held_mail *held_mail = hospital->held_mail;
    struct bytes envelope = effect->envelope;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    event.verdict = ERR_BAD_KEY;
    if (envelope.size <= crypto_box_SEALBYTES) {
        (void)held_mail_later(hospital, effect, &event, 0);
        return;
    }
    uint8_t *out = held_mail_later(hospital, effect, &event, envelope.size - crypto_box_SEALBYTES);
    struct held_mail_waiting *last = hospital->held_mail->waiting;
    while (last->next != NULL)
        last = last->next;
    for (size_t i = 0; i < held_mail->secret_count && last->event.verdict != OK; i++) {
        if (crypto_box_seal_open(out, envelope.data, envelope.size, held_mail->secrets[i].key.bytes,
                                 held_mail->secrets[i].secret) == 0)
            last->event.verdict = OK;
    }
}

static void held_mail_hold(struct hospital *hospital, const struct effect *effect)
{
    struct held_mail *held_mail = hospital->held_mail;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    if (hospital->disk.is_full) {
        event.verdict = ERR_FULL;
        (void)held_mail_later(hospital, effect, &event, 0);
        return;
    }
    WORLD_CHECK(hospital->world, held_mail->row_count < HELD_MAIL_ROWS_MAX);
    struct held_mail_row *row = &held_mail->rows[held_mail->row_count++];
    row->number = effect->token.value;
    row->held = effect->hold.held;
    row->envelope = malloc(row->held.size);
    if (row->envelope == NULL)
        abort();
    memcpy(row->envelope, effect->hold.envelope.data, row->held.size);
    (void)held_mail_later(hospital, effect, &event, 0);
}

static struct held_mail_row *held_mail_row(struct hospital *hospital, uint64_t number)
{
    struct held_mail *held_mail = hospital->held_mail;
    for (size_t i = 0; i < held_mail->row_count; i++) {
        if (held_mail->rows[i].number == number)
            return &held_mail->rows[i];
    }
    return NULL;
}

static void held_mail_fetch(struct hospital *hospital, const struct effect *effect)
{
    const struct held_mail_row *row = held_mail_row(hospital, effect->token.value);
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    WORLD_CHECK(hospital->world, row != NULL);
    memcpy(held_mail_later(hospital, effect, &event, row->held.size), row->envelope,
           row->held.size);
}

static void held_mail_let_go(struct hospital *hospital, const struct effect *effect)
{
    struct held_mail_row *row = held_mail_row(hospital, effect->token.value);
    if (row == NULL)
        return;
    free(row->envelope);
    *row = hospital->held_mail->rows[--hospital->held_mail->row_count];
}

void held_mail_perform(struct hospital *hospital, const struct effect *effect)
{
    WORLD_CHECK(hospital->world, hospital->held_mail != NULL);
    if (effect->custody == CUSTODY_MAILBOX)
        held_mail_make(hospital, effect);
    else if (effect->custody == CUSTODY_FORGET)
        held_mail_lose(hospital, &effect->mailbox);
    else if (effect->custody == CUSTODY_ENCLOSE)
        held_mail_enclose(hospital, effect);
    else if (effect->custody == CUSTODY_OPEN)
        held_mail_open(hospital, effect);
    else if (effect->custody == CUSTODY_HOLD)
        held_mail_hold(hospital, effect);
    else if (effect->custody == CUSTODY_LET_GO)
        held_mail_let_go(hospital, effect);
    else
        held_mail_fetch(hospital, effect);
}

void held_mail_acked(struct hospital *hospital, const struct effect *effect)
{
    struct held_mail *held_mail = hospital->held_mail;
    size_t i = 0;
    if (held_mail == NULL)
        return;
    while (i < held_mail->ack_count &&
           !(ID_EQUAL(held_mail->acks[i].peer, effect->acked.peer) &&
             stream_id_equal(&held_mail->acks[i].stream, &effect->acked.stream)))
        i++;
    WORLD_CHECK(hospital->world, i < HELD_MAIL_ACKS_MAX);
    held_mail->ack_count += i == held_mail->ack_count ? 1 : 0;
    held_mail->acks[i] =
        (struct held_mail_ack){effect->acked.peer, effect->acked.stream, effect->acked.had};
}

bool held_mail_answer(struct hospital *hospital,
                      void (*turn)(struct hospital *hospital, const struct event *event))
{
    struct held_mail_waiting *waiting =
        hospital->held_mail == NULL ? NULL : hospital->held_mail->waiting;
    if (waiting == NULL)
        return false;
    hospital->held_mail->waiting = waiting->next;
    turn(hospital, &waiting->event);
    free(waiting->memory);
    free(waiting);
    return true;
}

void held_mail_restore(struct hospital *hospital)
{
    const struct held_mail *held_mail = hospital->held_mail;
    for (size_t i = 0; held_mail != NULL && i < held_mail->secret_count; i++) {
        struct event event = hospital_event(hospital, EVENT_RESTORE_MAILBOX);
        event.mailbox = held_mail->secrets[i].key;
        hospital_step(hospital, &event);
    }
    for (size_t i = 0; held_mail != NULL && i < held_mail->row_count; i++) {
        struct event event = hospital_event(hospital, EVENT_RESTORE_HELD);
        event.token.value = held_mail->rows[i].number;
        event.held = held_mail->rows[i].held;
        hospital_step(hospital, &event);
    }
    for (size_t i = 0; held_mail != NULL && i < held_mail->ack_count; i++) {
        struct event event = hospital_event(hospital, EVENT_RESTORE_REPORT);
        event.report.peer = held_mail->acks[i].peer;
        event.report.stream = held_mail->acks[i].stream;
        event.report.had = held_mail->acks[i].had;
        hospital_step(hospital, &event);
    }
}

void held_mail_aged(const struct hospital *hospital)
{
    const uint64_t most = (uint64_t)(MAILBOX_REPLACE_DAY + MAILBOX_KEEP_DAY + 2) * DAY_MS;
    for (size_t i = 0; i < hospital->held_mail->secret_count; i++) {
        if (hospital->world->now - hospital->held_mail->secrets[i].made_at > most)
            world_fail(hospital->world, "a mailbox secret outlives its days", hospital->name);
    }
    for (size_t i = 0; i < hospital->held_mail->row_count; i++) {
        if (hospital->held_mail->rows[i].held.until.ms + 2 * DAY_MS < hospital_wall(hospital).ms)
            world_fail(hospital->world, "an envelope outlives its days", hospital->name);
    }
}

size_t held_mail_count(const struct hospital *hospital, const struct hospital *recipient)
{
    size_t count = 0;
    for (size_t i = 0; i < hospital->held_mail->row_count; i++)
        count += ID_EQUAL(hospital->held_mail->rows[i].held.recipient, recipient->node) ? 1 : 0;
    return count;
}

size_t held_mail_sealed(const struct hospital *hospital, const struct hospital *recipient)
{
    size_t count = 0;
    for (size_t i = 0; i < hospital->held_mail->row_count; i++) {
        const struct step_held *held = &hospital->held_mail->rows[i].held;
        count += ID_EQUAL(held->recipient, recipient->node) &&
                         held->size > 2 + RECORD_BARE_SIZE + SEALED_MESSAGE_SEAL_SIZE
                     ? 1
                     : 0;
    }
    return count;
}

const struct step_held *held_mail_held(const struct hospital *hospital, uint64_t number)
{
    const struct held_mail *held_mail = hospital->held_mail;
    for (size_t i = 0; held_mail != NULL && i < held_mail->row_count; i++) {
        if (held_mail->rows[i].number == number)
            return &held_mail->rows[i].held;
    }
    return NULL;
}

const struct step_held *held_mail_row_at(const struct hospital *hospital, size_t index,
                                         const uint8_t **ret_envelope)
{
    const struct held_mail *held_mail = hospital->held_mail;
    if (held_mail == NULL || index >= held_mail->row_count)
        return NULL;
    *ret_envelope = held_mail->rows[index].envelope;
    return &held_mail->rows[index].held;
}

bool held_mail_has_key(const struct hospital *depositor, const uint8_t *envelope,
                       struct scope *ret_scope)
{
    const struct held_mail *held_mail = depositor->held_mail;
    for (size_t i = 0; held_mail != NULL && i < held_mail->letter_count; i++) {
        const struct held_mail_letter *letter = &held_mail->letters[i];
        if (memcmp(letter->name, envelope, HELD_MAIL_NAME_SIZE) != 0)
            continue;
        *ret_scope = letter->scope;
        return letter->has_key;
    }
    return false;
}
