/* Records that one person writes together: signed with the clinician's key and posted one after the
 * other; the result comes when the last one is durable.
 *
 *   write_request_new, write_request_add ..., then write_request_sign or, for what the node itself
 *   writes, write_request_post
 *
 * The key is open only while the contents are signed. The audit log gets an entry for each record
 * that a person wrote. If one of several records fails, those before it stay; a repetition is safe
 * if the caller first looks which records exist. */
#ifndef CONSILIUM_NODE_SIGNING_WRITE_REQUEST_H
#define CONSILIUM_NODE_SIGNING_WRITE_REQUEST_H

#include "node/runtime/runtime.h"
#include "node/signing/account.h"
#include "protocol/record/kind.h"

struct write_request_record {
    uint16_t kind;
    struct scope scope;
    enum audience audience;
    struct wall expires;    /* 0: never */
    struct bytes content;   /* copied */
    struct case_id case_id; /* what it is about; zeros: no case */
};

enum { WRITE_REQUEST_COUNT_MAX = PARTICIPANT_COUNT_MAX + 8 };

struct write_request;

/* What was done: `posted_count` records are durable, in order. */
struct write_request_done {
    err verdict;
    size_t posted_count;
    const struct runtime_done *posted; /* one for each of these */
    struct wall time;                  /* when the clinician signed */
};

/* NULL: no memory. */
struct write_request *write_request_new(struct runtime *runtime);
/* For a request that is not signed or posted; accepts NULL. */
void write_request_free(struct write_request *request);

/* ERR_FULL, ERR_NO_MEMORY. */
MUST_USE err write_request_add(struct write_request *request,
                               const struct write_request_record *record);

/* For write_request_sign: the clinician confirmed this preview of the case. The audit log gets an
 * entry once the passphrase has opened the key; nothing is posted before that entry is durable.
 * `note`: one line for that entry, without clinical text; empty: none. */
void write_request_confirm(struct write_request *request, const struct case_id *case_id,
                           const struct hash *preview, const char *note);

/* The kind of the first record: the others are messages about it. */
uint16_t write_request_kind(const struct write_request *request);

struct write_request_signer {
    const struct account *account; /* NULL: the node itself */
    struct bytes passphrase;
    uint64_t uid;                  /* of the caller */
    struct passphrase_asker asker; /* whose turn the check of the passphrase takes */
};

/* Takes the request over. `on_done` comes once, now or later; the request is freed after it. */
void write_request_sign(struct write_request *request, const struct account_room *room,
                        const struct write_request_signer *signer,
                        void (*on_done)(void *arg, const struct write_request_done *done),
                        void *arg);
/* The same without a clinician: for kinds that a node writes, or may. */
void write_request_post(struct write_request *request,
                        void (*on_done)(void *arg, const struct write_request_done *done),
                        void *arg);

#endif
