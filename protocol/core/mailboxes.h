/* Mailbox keys (spec/custody.md): everybody's last one, and for how long our own secrets live. */
#ifndef CONSILIUM_PROTOCOL_CORE_MAILBOXES_H
#define CONSILIUM_PROTOCOL_CORE_MAILBOXES_H

#include "protocol/core/step.h"

struct core;

enum { MAILBOXES_COUNT = 16384, MAILBOXES_OWN_MAX = 16 };

struct peer;

/* A member's last one. */
struct mailboxes_entry {
    struct node_id node; /* zeros: free */
    struct mailbox_key key;
    uint32_t generation;
    uint64_t sequence;
    struct wall since;
    uint64_t epoch; /* of the last head that it said it holds, since our start; 0: it said none */
    struct head_id head;
};

/* One of our own. */
struct mailboxes_own {
    struct mailbox_key key;
    bool has_secret;
    uint32_t generation; /* of its record; 0: not published */
    uint64_t sequence;
    struct wall since;
    struct wall replaced_at; /* 0: it is the last one */
};

struct mailboxes {
    struct mailboxes_entry *all; /* MAILBOXES_COUNT, or none */
    uint32_t count;
    struct mailboxes_own own[MAILBOXES_OWN_MAX];
    uint32_t own_count;
    bool is_making;         /* its secret is being kept */
    struct mono publish_at; /* not before */
};

size_t mailboxes_memory_size(void);
void mailboxes_init(struct mailboxes *mailboxes, void *memory);

/* A MAILBOX_KEY is durable (or replayed). Others than the writer's last one are passed over. */
void mailboxes_take(struct core *core, const struct record_header *header, struct bytes content);

/* A member says which roster head it holds. */
void mailboxes_heard(struct core *core, const struct peer *peer);
/* May a key go into an envelope for it? Not when the last head that it said is none of ours, as
 * over a link (core_may_hand_to); who said none since our start is taken for one of ours. */
bool mailboxes_may_hand_to(const struct core *core, const struct node_id *node);

/* NULL when none is known. */
const struct mailbox_key *mailboxes_of(const struct core *core, const struct node_id *node);

/* EVENT_RESTORE_MAILBOX; CUSTODY_MAILBOX is answered. */
void mailboxes_restore(struct core *core, const struct mailbox_key *key);
void mailboxes_made(struct core *core, const struct event *event);

/* Publishes, replaces, has secrets destroyed when their time has come. */
void mailboxes_react(struct core *core, struct step *step);

#endif
