#include "tests/sim/vault.h"

#include <sodium.h>
#include <string.h>

#include "protocol/hash.h"
#include "protocol/link/letter.h"
#include "tests/sim/hospital.h"

enum { VAULT_SECRETS_MAX = 16, VAULT_ROWS_MAX = 1024, VAULT_ACKS_MAX = 4096 };

struct vault_secret {
    struct mailbox_key key;
    uint8_t secret[KEY_SIZE];
};

struct vault_row {
    uint64_t number;
    struct step_held held;
    uint8_t *envelope;
};

struct vault_ack {
    struct node_id peer;
    struct stream_id stream;
    uint64_t had;
};

struct vault_waiting {
    struct vault_waiting *next;
    struct event event;
    uint8_t *memory;
};

struct vault {
    struct vault_secret secrets[VAULT_SECRETS_MAX];
    size_t secret_count;
    struct vault_row rows[VAULT_ROWS_MAX];
    size_t row_count;
    struct vault_ack acks[VAULT_ACKS_MAX];
    size_t ack_count;
    struct vault_waiting *waiting;
};

void vault_allow(struct world *world)
{
    world->has_custody = true;
}

void vault_configure(struct hospital *hospital)
{
    struct core_config *config = &hospital->config;
    hospital->vault = NULL;
    if (!hospital->world->has_custody)
        return;
    config->held_count_max = VAULT_ROWS_MAX;
    config->deposit_count_max = 1024;
    config->reach_count_max = 4096;
    memcpy(config->deposit_secret, hospital->node.bytes, NODE_ID_SIZE);
    hospital->vault = calloc(1, sizeof *hospital->vault);
    if (hospital->vault == NULL)
        abort();
}

void vault_forget(struct hospital *hospital)
{
    while (hospital->vault != NULL && hospital->vault->waiting != NULL) {
        struct vault_waiting *waiting = hospital->vault->waiting;
        hospital->vault->waiting = waiting->next;
        free(waiting->memory);
        free(waiting);
    }
}

void vault_free(struct hospital *hospital)
{
    vault_forget(hospital);
    for (size_t i = 0; hospital->vault != NULL && i < hospital->vault->row_count; i++)
        free(hospital->vault->rows[i].envelope);
    free(hospital->vault);
}

/* ---- effects ---- */

/* An answer with `size` bytes of its own behind it. */
static uint8_t *vault_later(struct hospital *hospital, const struct effect *effect,
                            const struct event *event, size_t size)
{
    struct vault_waiting *waiting = calloc(1, sizeof *waiting);
    struct vault_waiting **end = &hospital->vault->waiting;
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

static void vault_make(struct hospital *hospital, const struct effect *effect)
{
    struct vault *vault = hospital->vault;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    uint8_t seed[crypto_box_SEEDBYTES];
    WORLD_CHECK(hospital->world, vault->secret_count < VAULT_SECRETS_MAX);
    struct vault_secret *secret = &vault->secrets[vault->secret_count++];
    chance_bytes(&hospital->world->chance, seed, sizeof seed);
    crypto_box_seed_keypair(secret->key.bytes, secret->secret, seed);
    event.mailbox = secret->key;
    (void)vault_later(hospital, effect, &event, 0);
}

static void vault_lose(struct hospital *hospital, const struct mailbox_key *key)
{
    struct vault *vault = hospital->vault;
    for (size_t i = 0; i < vault->secret_count; i++) {
        if (ID_EQUAL(vault->secrets[i].key, *key))
            vault->secrets[i] = vault->secrets[--vault->secret_count];
    }
}

/* As crypto_box_seal, but chance is the world's. */
static void vault_enclose(struct hospital *hospital, const struct effect *effect)
{
    static uint8_t plain[LETTER_SIZE_MAX];
    uint8_t seed[crypto_box_SEEDBYTES], secret[KEY_SIZE], both[2 * KEY_SIZE];
    uint8_t nonce[crypto_box_NONCEBYTES];
    struct bytes letter = effect->enclose.letter;
    size_t from = effect->enclose.signed_from;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    uint8_t *out =
        vault_later(hospital, effect, &event, letter.size + (size_t)crypto_box_SEALBYTES);
    memcpy(plain, letter.data, letter.size);
    if (from > 0) {
        struct signature signature;
        hash_sign(CONTEXT_CUSTODY_REPORT, (struct bytes){plain + from, letter.size - from},
                  hospital->sign_secret, &signature);
        memcpy(plain + from - SIGNATURE_SIZE, signature.bytes, SIGNATURE_SIZE);
    }
    chance_bytes(&hospital->world->chance, seed, sizeof seed);
    crypto_box_seed_keypair(out, secret, seed);
    memcpy(both, out, KEY_SIZE);
    memcpy(both + KEY_SIZE, effect->enclose.to.bytes, KEY_SIZE);
    crypto_generichash(nonce, sizeof nonce, both, sizeof both, NULL, 0);
    WORLD_CHECK(hospital->world, crypto_box_easy(out + KEY_SIZE, plain, letter.size, nonce,
                                                 effect->enclose.to.bytes, secret) == 0);
}

static void vault_open(struct hospital *hospital, const struct effect *effect)
{
    const struct vault *vault = hospital->vault;
    struct bytes envelope = effect->envelope;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    event.verdict = ERR_BAD_KEY;
    if (envelope.size <= crypto_box_SEALBYTES) {
        (void)vault_later(hospital, effect, &event, 0);
        return;
    }
    uint8_t *out = vault_later(hospital, effect, &event, envelope.size - crypto_box_SEALBYTES);
    struct vault_waiting *last = hospital->vault->waiting;
    while (last->next != NULL)
        last = last->next;
    for (size_t i = 0; i < vault->secret_count && last->event.verdict != OK; i++) {
        if (crypto_box_seal_open(out, envelope.data, envelope.size, vault->secrets[i].key.bytes,
                                 vault->secrets[i].secret) == 0)
            last->event.verdict = OK;
    }
}

static void vault_hold(struct hospital *hospital, const struct effect *effect)
{
    struct vault *vault = hospital->vault;
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    WORLD_CHECK(hospital->world, vault->row_count < VAULT_ROWS_MAX);
    struct vault_row *row = &vault->rows[vault->row_count++];
    row->number = effect->token.value;
    row->held = effect->hold.held;
    row->envelope = malloc(row->held.size);
    if (row->envelope == NULL)
        abort();
    memcpy(row->envelope, effect->hold.envelope.data, row->held.size);
    (void)vault_later(hospital, effect, &event, 0);
}

static struct vault_row *vault_row(struct hospital *hospital, uint64_t number)
{
    struct vault *vault = hospital->vault;
    for (size_t i = 0; i < vault->row_count; i++) {
        if (vault->rows[i].number == number)
            return &vault->rows[i];
    }
    return NULL;
}

static void vault_fetch(struct hospital *hospital, const struct effect *effect)
{
    const struct vault_row *row = vault_row(hospital, effect->token.value);
    struct event event = hospital_event(hospital, EVENT_CUSTODY);
    WORLD_CHECK(hospital->world, row != NULL);
    memcpy(vault_later(hospital, effect, &event, row->held.size), row->envelope, row->held.size);
}

static void vault_let_go(struct hospital *hospital, const struct effect *effect)
{
    struct vault_row *row = vault_row(hospital, effect->token.value);
    if (row == NULL)
        return;
    free(row->envelope);
    *row = hospital->vault->rows[--hospital->vault->row_count];
}

void vault_perform(struct hospital *hospital, const struct effect *effect)
{
    WORLD_CHECK(hospital->world, hospital->vault != NULL);
    if (effect->custody == CUSTODY_MAILBOX)
        vault_make(hospital, effect);
    else if (effect->custody == CUSTODY_FORGET)
        vault_lose(hospital, &effect->mailbox);
    else if (effect->custody == CUSTODY_ENCLOSE)
        vault_enclose(hospital, effect);
    else if (effect->custody == CUSTODY_OPEN)
        vault_open(hospital, effect);
    else if (effect->custody == CUSTODY_HOLD)
        vault_hold(hospital, effect);
    else if (effect->custody == CUSTODY_LET_GO)
        vault_let_go(hospital, effect);
    else
        vault_fetch(hospital, effect);
}

void vault_acked(struct hospital *hospital, const struct effect *effect)
{
    struct vault *vault = hospital->vault;
    size_t i = 0;
    if (vault == NULL)
        return;
    while (i < vault->ack_count &&
           !(ID_EQUAL(vault->acks[i].peer, effect->acked.peer) &&
             stream_id_equal(&vault->acks[i].stream, &effect->acked.stream)))
        i++;
    WORLD_CHECK(hospital->world, i < VAULT_ACKS_MAX);
    vault->ack_count += i == vault->ack_count ? 1 : 0;
    vault->acks[i] =
        (struct vault_ack){effect->acked.peer, effect->acked.stream, effect->acked.had};
}

bool vault_answer(struct hospital *hospital,
                  void (*turn)(struct hospital *hospital, const struct event *event))
{
    struct vault_waiting *waiting = hospital->vault == NULL ? NULL : hospital->vault->waiting;
    if (waiting == NULL)
        return false;
    hospital->vault->waiting = waiting->next;
    turn(hospital, &waiting->event);
    free(waiting->memory);
    free(waiting);
    return true;
}

void vault_restore(struct hospital *hospital)
{
    const struct vault *vault = hospital->vault;
    for (size_t i = 0; vault != NULL && i < vault->secret_count; i++) {
        struct event event = hospital_event(hospital, EVENT_RESTORE_MAILBOX);
        event.mailbox = vault->secrets[i].key;
        hospital_step(hospital, &event);
    }
    for (size_t i = 0; vault != NULL && i < vault->row_count; i++) {
        struct event event = hospital_event(hospital, EVENT_RESTORE_HELD);
        event.token.value = vault->rows[i].number;
        event.held = vault->rows[i].held;
        hospital_step(hospital, &event);
    }
    for (size_t i = 0; vault != NULL && i < vault->ack_count; i++) {
        struct event event = hospital_event(hospital, EVENT_RESTORE_REPORT);
        event.report.peer = vault->acks[i].peer;
        event.report.stream = vault->acks[i].stream;
        event.report.had = vault->acks[i].had;
        hospital_step(hospital, &event);
    }
}

size_t vault_count(const struct hospital *hospital, const struct hospital *recipient)
{
    size_t count = 0;
    for (size_t i = 0; i < hospital->vault->row_count; i++)
        count += ID_EQUAL(hospital->vault->rows[i].held.recipient, recipient->node) ? 1 : 0;
    return count;
}

size_t vault_sealed(const struct hospital *hospital, const struct hospital *recipient)
{
    size_t count = 0;
    for (size_t i = 0; i < hospital->vault->row_count; i++) {
        const struct step_held *held = &hospital->vault->rows[i].held;
        count += ID_EQUAL(held->recipient, recipient->node) &&
                         held->size > 2 + RECORD_BARE_SIZE + LETTER_SEAL_SIZE
                     ? 1
                     : 0;
    }
    return count;
}
