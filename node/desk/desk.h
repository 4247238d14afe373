/* What a person does, as records: contents are gathered, signed with the clinician's key, and
 * posted one after the other; the answer comes when the last one is durable.
 *
 *   desk_order_new, desk_add ..., then desk_sign (a clinician signs) or desk_post (the node does)
 *
 * The key is open only while the contents are signed. Each record that a person wrote stands in the
 * audit log. When one of several fails, those before it stand; doing the same again is safe where
 * the caller looks first at what stands already. */
#ifndef CONSILIUM_NODE_DESK_DESK_H
#define CONSILIUM_NODE_DESK_DESK_H

#include "node/desk/account.h"
#include "node/federation/shell.h"
#include "protocol/record/kind.h"

struct desk_letter {
    uint16_t kind;
    struct scope scope;
    enum audience audience;
    struct wall expires;    /* 0: never */
    struct bytes content;   /* copied */
    struct case_id case_id; /* what it is about; zeros: no case */
};

enum { DESK_LETTER_COUNT_MAX = PARTICIPANT_COUNT_MAX + 8 };

struct desk_order;

/* What was done: `posted_count` letters are durable, in order. */
struct desk_done {
    err verdict;
    bool is_key_refused; /* the verdict is about the key or passphrase: nothing was posted */
    size_t posted_count;
    const struct shell_done *posted; /* one for each of these */
    struct wall time;                /* when the clinician signed */
};

/* NULL: no memory. */
struct desk_order *desk_order_new(struct shell *shell);
/* For orders that are not handed on; accepts NULL. */
void desk_order_free(struct desk_order *order);

/* ERR_FULL, ERR_NO_MEMORY. */
MUST_USE err desk_add(struct desk_order *order, const struct desk_letter *letter);

/* For desk_sign: the clinician confirmed this preview of the case. The audit log says so once the
 * passphrase has opened the key, and nothing is posted before that entry is durable. */
void desk_confirm(struct desk_order *order, const struct case_id *case_id,
                  const struct hash *preview);

/* The kind of the first letter: what follows it are letters about it. */
uint16_t desk_kind(const struct desk_order *order);

struct desk_signer {
    const struct account *account; /* NULL: the node itself */
    struct bytes passphrase;
    uint64_t uid; /* of the caller */
};

/* Hands the order on; `on_done` comes once, later or at once, and the order is freed after it. */
void desk_sign(struct desk_order *order, const struct account_room *room,
               const struct desk_signer *signer,
               void (*on_done)(void *arg, const struct desk_done *done), void *arg);
/* The same without a clinician: for kinds that a node writes, or may. */
void desk_post(struct desk_order *order, void (*on_done)(void *arg, const struct desk_done *done),
               void *arg);

#endif
