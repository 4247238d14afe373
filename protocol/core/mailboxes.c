#include "protocol/core/mailboxes.h"

#include <string.h>

#include "protocol/core/core_state.h"
#include "protocol/core/custody.h"
#include "protocol/core/publish.h"
#include "protocol/record/kind.h"
#include "protocol/record/mailbox.h"
#include "protocol/record/statement.h"

enum { MAILBOXES_RETRY_MS = 5000 };

#define MAILBOXES_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

size_t mailboxes_memory_size(void)
{
    return MAILBOXES_COUNT * sizeof(struct mailboxes_entry);
}

void mailboxes_init(struct mailboxes *mailboxes, void *memory)
{
    mailboxes->all = memory;
}

/* The roster bounds how many there are; NULL when there is no room. */
static struct mailboxes_entry *mailboxes_place(const struct core *core, const struct node_id *node)
{
    const struct mailboxes *mailboxes = &core->mailboxes;
    uint32_t place = 0;
    if (mailboxes->all == NULL)
        return NULL;
    for (size_t i = 0; i < NODE_ID_SIZE; i++)
        place = (place ^ node->bytes[i] ^ core->config.hash_key[i]) * 16777619U;
    place ^= place >> 15;
    for (uint32_t i = 0; i < MAILBOXES_COUNT; i++) {
        struct mailboxes_entry *entry = &mailboxes->all[(place + i) % MAILBOXES_COUNT];
        if (ID_IS_ZERO(entry->node) || ID_EQUAL(entry->node, *node))
            return entry;
    }
    return NULL;
}

/* Is the position (a, a) behind (b, b)? */
static bool mailboxes_is_later(uint32_t generation_a, uint64_t sequence_a, uint32_t generation_b,
                               uint64_t sequence_b)
{
    return generation_a > generation_b || (generation_a == generation_b && sequence_a > sequence_b);
}

static struct mailboxes_own *mailboxes_own(struct mailboxes *mailboxes,
                                           const struct mailbox_key *key)
{
    struct mailboxes_own *free = NULL;
    for (uint32_t i = 0; i < mailboxes->own_count; i++) {
        if (ID_EQUAL(mailboxes->own[i].key, *key))
            return &mailboxes->own[i];
        if (!mailboxes->own[i].has_secret)
            free = &mailboxes->own[i];
    }
    if (mailboxes->own_count < MAILBOXES_OWN_MAX)
        free = &mailboxes->own[mailboxes->own_count++];
    if (free != NULL)
        *free = (struct mailboxes_own){.key = *key};
    return free;
}

/* Each of our own but the last was replaced when the one behind it was written. */
static void mailboxes_replace(struct mailboxes *mailboxes)
{
    for (uint32_t i = 0; i < mailboxes->own_count; i++) {
        struct mailboxes_own *own = &mailboxes->own[i];
        for (uint32_t j = 0; own->generation != 0 && j < mailboxes->own_count; j++) {
            const struct mailboxes_own *by = &mailboxes->own[j];
            if (mailboxes_is_later(by->generation, by->sequence, own->generation, own->sequence) &&
                (own->replaced_at.ms == 0 || by->since.ms < own->replaced_at.ms))
                own->replaced_at = by->since;
        }
    }
}

void mailboxes_take(struct core *core, const struct record_header *header, struct bytes content)
{
    struct mailbox mailbox;
    const struct node_id *node = &header->stream.writer;
    struct mailboxes_entry *entry = mailboxes_place(core, node);
    if (entry == NULL || mailbox_read(content, &mailbox) != OK)
        return;
    uint32_t generation = header->stream.generation;
    if (ID_EQUAL(*node, core->config.self)) {
        struct mailboxes_own *own = mailboxes_own(&core->mailboxes, &mailbox.key);
        if (own != NULL && own->generation == 0) {
            own->generation = generation;
            own->sequence = header->sequence;
            own->since = header->time;
        }
        mailboxes_replace(&core->mailboxes);
    }
    if (!ID_IS_ZERO(entry->node) &&
        !mailboxes_is_later(generation, header->sequence, entry->generation, entry->sequence))
        return;
    *entry = (struct mailboxes_entry){.node = *node,
                                      .key = mailbox.key,
                                      .generation = generation,
                                      .sequence = header->sequence,
                                      .since = header->time,
                                      .epoch = entry->epoch,
                                      .head = entry->head};
    const struct peer *peer = core_peer_of_node(core, node);
    if (peer != NULL)
        mailboxes_heard(core, peer);
}

void mailboxes_heard(struct core *core, const struct peer *peer)
{
    struct mailboxes_entry *entry = mailboxes_place(core, &peer->node);
    if (entry == NULL || ID_IS_ZERO(entry->node))
        return; /* nothing is left for it yet */
    entry->epoch = peer->epoch;
    entry->head = peer->head;
}

bool mailboxes_may_hand_to(const struct core *core, const struct node_id *node)
{
    const struct mailboxes_entry *entry = mailboxes_place(core, node);
    if (entry == NULL || ID_IS_ZERO(entry->node) || entry->epoch == 0)
        return true;
    enum chain_relation relation = chain_compare(&core->roster->chain, entry->epoch, &entry->head);
    return relation == CHAIN_SAME || relation == CHAIN_PEER_BEHIND;
}

const struct mailbox_key *mailboxes_of(const struct core *core, const struct node_id *node)
{
    const struct mailboxes_entry *entry = mailboxes_place(core, node);
    return entry == NULL || ID_IS_ZERO(entry->node) ? NULL : &entry->key;
}

void mailboxes_restore(struct core *core, const struct mailbox_key *key)
{
    struct mailboxes_own *own = mailboxes_own(&core->mailboxes, key);
    if (own != NULL)
        own->has_secret = true;
}

void mailboxes_made(struct core *core, const struct event *event)
{
    core->mailboxes.is_making = false;
    if (event->verdict == OK)
        mailboxes_restore(core, &event->mailbox);
}

/* Does the last one published still serve? */
static bool mailboxes_serves(const struct core *core)
{
    const struct mailboxes *mailboxes = &core->mailboxes;
    const struct mailboxes_entry *last = mailboxes_place(core, &core->config.self);
    if (last == NULL || ID_IS_ZERO(last->node) ||
        last->since.ms + MAILBOX_REPLACE_DAY * MAILBOXES_DAY_MS <= core->wall.ms)
        return false;
    for (uint32_t i = 0; i < mailboxes->own_count; i++) {
        if (ID_EQUAL(mailboxes->own[i].key, last->key))
            return mailboxes->own[i].has_secret;
    }
    return false;
}

static void mailboxes_publish(struct core *core, const struct mailbox_key *key, struct step *step)
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
        failure = publish_post(core, &post, step);
    core->mailboxes.publish_at.ms = core->now.ms + MAILBOXES_RETRY_MS; /* if it does not succeed */
}

/* (CU-2) */
static void mailboxes_forget(struct core *core, struct step *step)
{
    struct mailboxes *mailboxes = &core->mailboxes;
    for (uint32_t i = 0; i < mailboxes->own_count; i++) {
        struct mailboxes_own *own = &mailboxes->own[i];
        if (!own->has_secret || own->replaced_at.ms == 0 ||
            own->replaced_at.ms + MAILBOX_KEEP_DAY * MAILBOXES_DAY_MS > core->wall.ms)
            continue;
        own->has_secret = false;
        custody_effect(step, CUSTODY_FORGET)->mailbox = own->key;
    }
}

void mailboxes_react(struct core *core, struct step *step)
{
    struct mailboxes *mailboxes = &core->mailboxes;
    if (mailboxes->all == NULL || !step_has_room(step, 64, 4096))
        return;
    mailboxes_forget(core, step);
    if (!custody_is_on(core) || mailboxes->is_making || mailboxes->publish_at.ms > core->now.ms ||
        core_may_post(core) != OK || mailboxes_serves(core))
        return;
    for (uint32_t i = 0; i < mailboxes->own_count; i++) { /* (CU-1) */
        if (mailboxes->own[i].has_secret && mailboxes->own[i].generation == 0) {
            mailboxes_publish(core, &mailboxes->own[i].key, step);
            return;
        }
    }
    mailboxes->is_making = true;
    (void)custody_effect(step, CUSTODY_MAILBOX);
}
