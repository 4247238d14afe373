/* Mailbox keys (spec/custody.md): everybody's last one, and for how long our own secrets live. */
#ifndef CONSILIUM_PROTOCOL_CUSTODY_MAILBOX_KEYS_H
#define CONSILIUM_PROTOCOL_CUSTODY_MAILBOX_KEYS_H

#include "protocol/step/step.h"

struct engine;

enum { MAILBOX_KEYS_COUNT = 16384, MAILBOX_KEYS_OWN_MAX = 16 };

struct peer;

/* A member's last one. */
struct mailbox_keys_entry {
    struct node_id node; /* zeros: free */
    struct mailbox_key key;
    uint32_t generation;
    uint64_t sequence;
    struct wall since;
    uint64_t epoch; /* of the last head that it said it holds, since our start; 0: it said none */
    struct head_id head;
};

/* One of our own. */
struct mailbox_keys_own {
    struct mailbox_key key;
    bool has_secret;
    uint32_t generation; /* of its record; 0: not published */
    uint64_t sequence;
    struct wall since;
    struct wall replaced_at; /* 0: it is the last one */
};

struct mailbox_keys {
    struct mailbox_keys_entry *all; /* MAILBOX_KEYS_COUNT, or none */
    uint32_t count;
    struct mailbox_keys_own own[MAILBOX_KEYS_OWN_MAX];
    uint32_t own_count;
    bool is_making;         /* its secret is being kept */
    struct mono publish_at; /* not before */
};

size_t mailbox_keys_memory_size(void);
void mailbox_keys_init(struct mailbox_keys *mailbox_keys, void *memory);

/* A MAILBOX_KEY is durable (or replayed). Others than the writer's last one are passed over. */
void mailbox_keys_take(struct engine *engine, const struct record_header *header,
                       struct bytes content);

/* A member says which roster head it holds. */
void mailbox_keys_heard(struct engine *engine, const struct peer *peer);
/* May a key go into an envelope for it? Not when the last head that it said is none of ours, as
 * over a link (peers_may_release_to); who said none since our start is taken for one of ours. */
bool mailbox_keys_may_release_to(const struct engine *engine, const struct node_id *node);

/* NULL when none is known. */
const struct mailbox_key *mailbox_keys_of(const struct engine *engine, const struct node_id *node);

/* EVENT_RESTORE_MAILBOX; CUSTODY_MAILBOX is answered. */
void mailbox_keys_restore(struct engine *engine, const struct mailbox_key *key);
void mailbox_keys_made(struct engine *engine, const struct event *event);

/* Publishes, replaces, has secrets destroyed when their time has come. */
void mailbox_keys_react(struct engine *engine, struct step *step);

#endif
