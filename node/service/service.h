/* What a person does, as records: contents are gathered, signed with the clinician's key, and
 * posted one after the other; the answer comes when the last one is durable.
 *
 *   service_order_new, service_add ..., then service_sign (a clinician signs) or service_post (the
 * node does)
 *
 * The key is open only while the contents are signed. Each record that a person wrote stands in the
 * audit log. When one of several fails, those before it stand; doing the same again is safe where
 * the caller looks first at what stands already. */
#ifndef CONSILIUM_NODE_SERVICE_SERVICE_H
#define CONSILIUM_NODE_SERVICE_SERVICE_H

#include "node/runtime/runtime.h"
#include "node/service/account.h"
#include "protocol/record/kind.h"

struct service_letter {
    uint16_t kind;
    struct scope scope;
    enum audience audience;
    struct wall expires;    /* 0: never */
    struct bytes content;   /* copied */
    struct case_id case_id; /* what it is about; zeros: no case */
};

enum { SERVICE_LETTER_COUNT_MAX = PARTICIPANT_COUNT_MAX + 8 };

struct service_order;

/* What was done: `posted_count` letters are durable, in order. */
struct service_done {
    err verdict;
    bool is_key_refused; /* the verdict is about the key or passphrase: nothing was posted */
    size_t posted_count;
    const struct runtime_done *posted; /* one for each of these */
    struct wall time;                  /* when the clinician signed */
};

/* NULL: no memory. */
struct service_order *service_order_new(struct runtime *runtime);
/* For orders that are not handed on; accepts NULL. */
void service_order_free(struct service_order *order);

/* ERR_FULL, ERR_NO_MEMORY. */
MUST_USE err service_add(struct service_order *order, const struct service_letter *letter);

/* For service_sign: the clinician confirmed this preview of the case. The audit log says so once
 * the passphrase has opened the key, and nothing is posted before that entry is durable. */
void service_confirm(struct service_order *order, const struct case_id *case_id,
                     const struct hash *preview);

/* The kind of the first letter: what follows it are letters about it. */
uint16_t service_kind(const struct service_order *order);

struct service_signer {
    const struct account *account; /* NULL: the node itself */
    struct bytes passphrase;
    uint64_t uid; /* of the caller */
};

/* Hands the order on; `on_done` comes once, later or at once, and the order is freed after it. */
void service_sign(struct service_order *order, const struct account_room *room,
                  const struct service_signer *signer,
                  void (*on_done)(void *arg, const struct service_done *done), void *arg);
/* The same without a clinician: for kinds that a node writes, or may. */
void service_post(struct service_order *order,
                  void (*on_done)(void *arg, const struct service_done *done), void *arg);

#endif
