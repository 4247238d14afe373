#include "protocol/custody/mailbox_keys.h"

#include <string.h>

#include "protocol/base/planted.h"
#include "protocol/custody/custody_store.h"
#include "protocol/record/kind.h"
#include "protocol/record/mailbox.h"
#include "protocol/record/statement.h"
#include "protocol/replication/publish.h"
#include "protocol/state/engine_state.h"

enum { MAILBOX_KEYS_RETRY_MS = 5000 };

#define MAILBOX_KEYS_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

size_t mailbox_keys_memory_size(void)
{
    return MAILBOX_KEYS_COUNT * sizeof(struct mailbox_keys_entry);
}

void mailbox_keys_init(struct mailbox_keys *mailbox_keys, void *memory)
{
    mailbox_keys->all = memory;
}

/* The roster bounds how many there are; NULL when there is no room. */
static struct mailbox_keys_entry *mailbox_keys_place(const struct engine *engine,
                                                     const struct node_id *node)
{
    const struct mailbox_keys *mailbox_keys = engine->mailbox_keys;
    uint32_t place = 0;
    if (mailbox_keys->all == NULL)
        return NULL;
    for (size_t i = 0; i < NODE_ID_SIZE; i++)
        place = (place ^ node->bytes[i] ^ engine->config.hash_key[i]) * 16777619U;
    place ^= place >> 15;
    for (uint32_t i = 0; i < MAILBOX_KEYS_COUNT; i++) {
        struct mailbox_keys_entry *entry = &mailbox_keys->all[(place + i) % MAILBOX_KEYS_COUNT];
        if (ID_IS_ZERO(entry->node) || ID_EQUAL(entry->node, *node))
            return entry;
    }
    return NULL;
}

/* Is the position (a, a) behind (b, b)? */
static bool mailbox_keys_is_later(uint32_t generation_a, uint64_t sequence_a, uint32_t generation_b,
                                  uint64_t sequence_b)
{
    return generation_a > generation_b || (generation_a == generation_b && sequence_a > sequence_b);
}

static struct mailbox_keys_own *mailbox_keys_own(struct mailbox_keys *mailbox_keys,
                                                 const struct mailbox_key *key)
{
    struct mailbox_keys_own *free = NULL;
    for (uint32_t i = 0; i < mailbox_keys->own_count; i++) {
        if (ID_EQUAL(mailbox_keys->own[i].key, *key))
            return &mailbox_keys->own[i];
        if (!mailbox_keys->own[i].has_secret)
            free = &mailbox_keys->own[i];
    }
    if (mailbox_keys->own_count < MAILBOX_KEYS_OWN_MAX)
        free = &mailbox_keys->own[mailbox_keys->own_count++];
    if (free != NULL)
        *free = (struct mailbox_keys_own){.key = *key};
    return free;
}

/* Each of our own but the last was replaced when the one behind it was written. */
static void mailbox_keys_replace(struct mailbox_keys *mailbox_keys)
{
    for (uint32_t i = 0; i < mailbox_keys->own_count; i++) {
        struct mailbox_keys_own *own = &mailbox_keys->own[i];
        for (uint32_t j = 0; own->generation != 0 && j < mailbox_keys->own_count; j++) {
            const struct mailbox_keys_own *by = &mailbox_keys->own[j];
            if (mailbox_keys_is_later(by->generation, by->sequence, own->generation,
                                      own->sequence) &&
                (own->replaced_at.ms == 0 || by->since.ms < own->replaced_at.ms))
                own->replaced_at = by->since;
        }
    }
}

void mailbox_keys_take(struct engine *engine, const struct record_header *header,
                       struct bytes content)
{
    struct mailbox mailbox;
    const struct node_id *node = &header->stream.writer;
    struct mailbox_keys_entry *entry = mailbox_keys_place(engine, node);
    if (entry == NULL || mailbox_read(content, &mailbox) != OK)
        return;
    uint32_t generation = header->stream.generation;
    if (ID_EQUAL(*node, engine->config.self)) {
        struct mailbox_keys_own *own = mailbox_keys_own(engine->mailbox_keys, &mailbox.key);
        if (own != NULL && own->generation == 0) {
            own->generation = generation;
            own->sequence = header->sequence;
            own->since = header->time;
        }
        mailbox_keys_replace(engine->mailbox_keys);
    }
    if (!ID_IS_ZERO(entry->node) &&
        !mailbox_keys_is_later(generation, header->sequence, entry->generation, entry->sequence))
        return;
    *entry = (struct mailbox_keys_entry){.node = *node,
                                         .key = mailbox.key,
                                         .generation = generation,
                                         .sequence = header->sequence,
                                         .since = header->time,
                                         .epoch = entry->epoch,
                                         .head = entry->head};
    const struct peer *peer = peers_of_node(engine, node);
    if (peer != NULL)
        mailbox_keys_heard(engine, peer);
}

void mailbox_keys_heard(struct engine *engine, const struct peer *peer)
{
    struct mailbox_keys_entry *entry = mailbox_keys_place(engine, &peer->node);
    if (entry == NULL || ID_IS_ZERO(entry->node))
        return; /* nothing is left for it yet */
    entry->epoch = peer->epoch;
    entry->head = peer->head;
}

bool mailbox_keys_may_release_to(const struct engine *engine, const struct node_id *node)
{
    const struct mailbox_keys_entry *entry = mailbox_keys_place(engine, node);
    if (entry == NULL || ID_IS_ZERO(entry->node) || entry->epoch == 0)
        return true;
    enum chain_relation relation =
        chain_compare(&engine->roster->chain, entry->epoch, &entry->head);
    return relation == CHAIN_SAME || relation == CHAIN_PEER_BEHIND;
}

const struct mailbox_key *mailbox_keys_of(const struct engine *engine, const struct node_id *node)
{
    const struct mailbox_keys_entry *entry = mailbox_keys_place(engine, node);
    return entry == NULL || ID_IS_ZERO(entry->node) ? NULL : &entry->key;
}

void mailbox_keys_restore(struct engine *engine, const struct mailbox_key *key)
{
    struct mailbox_keys_own *own = mailbox_keys_own(engine->mailbox_keys, key);
    if (own != NULL)
        own->has_secret = true;
}

void mailbox_keys_made(struct engine *engine, const struct event *event)
{
    engine->mailbox_keys->is_making = false;
    if (event->verdict == OK)
        mailbox_keys_restore(engine, &event->mailbox);
}

/* Does the last one published still serve? */
static bool mailbox_keys_serves(const struct engine *engine)
{
    const struct mailbox_keys *mailbox_keys = engine->mailbox_keys;
    const struct mailbox_keys_entry *last = mailbox_keys_place(engine, &engine->config.self);
    if (last == NULL || ID_IS_ZERO(last->node) ||
        last->since.ms > engine->wall.ms + CLOCK_SKEW_MS_MAX || /* it would serve too long */
        last->since.ms + MAILBOX_REPLACE_DAY * MAILBOX_KEYS_DAY_MS <= engine->wall.ms)
        return false;
    for (uint32_t i = 0; i < mailbox_keys->own_count; i++) {
        if (ID_EQUAL(mailbox_keys->own[i].key, last->key))
            return mailbox_keys->own[i].has_secret;
    }
    return false;
}

static void mailbox_keys_publish(struct engine *engine, const struct mailbox_key *key,
                                 struct step *step)
{
    uint8_t content_memory[64], body_memory[128];
    struct buffer content = buffer_over(content_memory, sizeof content_memory);
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    struct mailbox mailbox = {*key};
    struct statement statement = {.kind = KIND_MAILBOX_KEY};
    err failure = mailbox_write(&mailbox, &content);
    statement.content = buffer_bytes(&content);
    if (failure == OK)
        failure = statement_write(&statement, &body);
    struct publish_post post = {
        .scope = scope_federation(), .audience = AUDIENCE_CLEAR, .plaintext = buffer_bytes(&body)};
    if (failure == OK)
        failure = publish_post(engine, &post, step);
    engine->mailbox_keys->publish_at.ms =
        engine->now.ms + MAILBOX_KEYS_RETRY_MS; /* if it does not succeed */
}

/* (CU-2) */
static void mailbox_keys_forget(struct engine *engine, struct step *step)
{
    struct mailbox_keys *mailbox_keys = engine->mailbox_keys;
    for (uint32_t i = 0; i < mailbox_keys->own_count; i++) {
        struct mailbox_keys_own *own = &mailbox_keys->own[i];
        if (!own->has_secret || own->replaced_at.ms == 0 || PLANTED(MAILBOX_KEY_KEPT) ||
            own->replaced_at.ms + MAILBOX_KEEP_DAY * MAILBOX_KEYS_DAY_MS > engine->wall.ms)
            continue;
        own->has_secret = false;
        custody_store_effect(step, CUSTODY_FORGET)->mailbox = own->key;
    }
}

void mailbox_keys_react(struct engine *engine, struct step *step)
{
    struct mailbox_keys *mailbox_keys = engine->mailbox_keys;
    if (mailbox_keys->all == NULL || !step_has_room(step, 64, 4096))
        return;
    mailbox_keys_forget(engine, step);
    if (!custody_store_is_on(engine) || mailbox_keys->is_making ||
        mailbox_keys->publish_at.ms > engine->now.ms || peers_may_post(engine) != OK ||
        mailbox_keys_serves(engine))
        return;
    for (uint32_t i = 0; i < mailbox_keys->own_count; i++) { /* (CU-1) */
        if (mailbox_keys->own[i].has_secret && mailbox_keys->own[i].generation == 0) {
            mailbox_keys_publish(engine, &mailbox_keys->own[i].key, step);
            return;
        }
    }
    mailbox_keys->is_making = true;
    (void)custody_store_effect(step, CUSTODY_MAILBOX);
}
