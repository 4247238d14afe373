/* The audit log: who did what to which case, each entry chained to the one before.
 *
 * An entry is a canonical msgpack map (spec/api.md, "Audit") that names the hash of the entry
 * before it; its own hash is hash(AUDIT; entry). So an altered, dropped, reordered or inserted
 * entry is found by walking the chain. A log cut short is found against the heads that this
 * institution wrote into its federation stream (AUDIT_HEAD), which other members hold: once a day
 * when something happened, and after each AUDIT_HEAD_EVERY entries.
 *
 * Entries never hold clinical text. */
#ifndef CONSILIUM_NODE_AUDIT_AUDIT_H
#define CONSILIUM_NODE_AUDIT_AUDIT_H

#include "node/runtime/runtime.h"
#include "protocol/record/content.h"

struct audit;

#define AUDIT_WHAT_LIST(X)                                                                         \
    X(AUDIT_STARTED, "started")                                                                    \
    X(AUDIT_ACCOUNT_MADE, "account-made")                                                          \
    X(AUDIT_ACCOUNT_REVOKED, "account-revoked")                                                    \
    X(AUDIT_POSTED, "posted")       /* a person wrote a record */                                  \
    X(AUDIT_CONFIRMED, "confirmed") /* a person confirmed a preview: what leaves */                \
    X(AUDIT_DISCLOSED, "disclosed") /* an institution was granted access to a case */              \
    X(AUDIT_DISCLOSURE_ENDED, "disclosure-ended")                                                  \
    X(AUDIT_ITEM_SERVED, "item-served") /* an item went to an institution */                       \
    X(AUDIT_ITEM_READ, "item-read")     /* an item went to a person here */                        \
    X(AUDIT_EXPORTED, "exported")                                                                  \
    X(AUDIT_ERASED, "erased")                                                                      \
    X(AUDIT_REFUSED, "refused") /* an earlier entry was not kept: its bytes stand in `lost` */     \
    X(AUDIT_ACCOUNT_RENEWED, "account-renewed")                                                    \
    X(AUDIT_PASSPHRASE_CHANGED, "passphrase-changed")
enum audit_what { AUDIT_NOTHING, AUDIT_WHAT_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes audit_whats;

enum {
    AUDIT_LOGIN_SIZE_MAX = 32,
    AUDIT_NOTE_SIZE_MAX = 200,
    AUDIT_ENTRY_SIZE_MAX = 1024, /* without a refused one inside it */
    AUDIT_HEAD_EVERY = 256,
};

/* What happened. Zeros where something has no meaning. */
struct audit_fact {
    enum audit_what what;
    struct bytes login;       /* of the clinician's account */
    struct cert_id clinician; /* who signed */
    uint64_t uid;             /* of the caller, plus 1; 0: the node itself */
    struct case_id case_id;
    struct record_id record;
    uint64_t kind;       /* of the record */
    struct node_id node; /* to whom something was disclosed */
    struct item_id item;
    struct bytes note; /* one line, no clinical text */
};

/* One entry as stored. */
struct audit_entry {
    uint64_t number;
    struct hash previous; /* of the entry before; zeros in the first */
    struct wall time;
    struct audit_fact fact;
    struct bytes lost; /* AUDIT_REFUSED: the entry that the store did not take */
};
/* As content_read and content_write. */
MUST_USE err audit_entry_read(struct bytes entry, struct audit_entry *ret_entry);
MUST_USE err audit_entry_write(const struct audit_entry *entry, struct buffer *out);

/* Finds the end of the log in the runtime's store; call it when the store is open.
 * ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_USE err audit_open(struct runtime *runtime, struct audit **ret_audit);
/* Accepts NULL. */
void audit_close(struct audit *audit);

/* ---- writing ---- */

/* Makes the next entry as an op for a batch that is submitted at once; `ret_op` borrows from the
 * audit until the next call. Tell audit_settle what became of the batch. */
void audit_stage(struct audit *audit, const struct audit_fact *fact, struct store_op *ret_op);
/* The batch with the entry `number` was kept or refused. A refused entry is written again, as
 * AUDIT_REFUSED, so that the chain can be followed through it. */
void audit_settle(struct audit *audit, uint64_t number, err result);

/* Stage, keep and settle in one, for what needs no other batch. */
void audit_note(struct audit *audit, const struct audit_fact *fact);

/* A second passed: writes an AUDIT_HEAD record when one is due. */
void audit_tick(struct audit *audit);

/* ---- checking ---- */

#define AUDIT_FAULT_LIST(X)                                                                        \
    X(AUDIT_SOUND, "every entry follows from the one before")                                      \
    X(AUDIT_ALTERED, "an entry does not have the hash that the next one names")                    \
    X(AUDIT_MISSING, "an entry is missing")                                                        \
    X(AUDIT_REORDERED, "an entry does not stand at its number")                                    \
    X(AUDIT_INSERTED, "an entry stands where the chain does not pass")                             \
    X(AUDIT_UNREADABLE, "an entry cannot be read")                                                 \
    X(AUDIT_TRUNCATED, "the log is shorter than a head that the federation witnessed")             \
    X(AUDIT_REWRITTEN, "an entry differs from a head that the federation witnessed")
#define AUDIT_FAULT_ENUM(name, sentence) name,
enum audit_fault { AUDIT_FAULT_LIST(AUDIT_FAULT_ENUM) AUDIT_FAULT_COUNT };
#undef AUDIT_FAULT_ENUM
/* The sentences above; static storage. */
const char *audit_fault_sentence(enum audit_fault fault);
/* "missing"; static storage. */
const char *audit_fault_name(enum audit_fault fault);

struct audit_verdict {
    enum audit_fault fault;
    uint64_t number;               /* the entry it is about; when sound, of the last one */
    uint64_t count;                /* entries looked at */
    uint64_t audit_evidence_count; /* heads in the federation stream that were compared */
    struct hash head;              /* of the last entry */
};

/* Over entries that the caller hands over (node/audit/audit_check.h hands over the store's): first
 * all of them to audit_walk_look, then all to audit_walk_step, each time in order; then what others
 * witnessed is compared by the caller. */
struct audit_walk;
struct audit_walk *audit_walk_new(void); /* NULL: no memory */
void audit_walk_free(struct audit_walk *walk);
/* A head that was witnessed; before the first step. */
void audit_walk_witness(struct audit_walk *walk, uint64_t number, const struct hash *hash);
void audit_walk_look(struct audit_walk *walk, struct bytes entry);
void audit_walk_step(struct audit_walk *walk, uint64_t number, struct bytes entry);
/* All was handed over. The first fault found is the verdict. */
struct audit_verdict audit_walk_end(struct audit_walk *walk);

#endif
