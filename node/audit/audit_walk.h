/* Following the chain, and comparing it with what others witnessed. */
#ifndef CONSILIUM_NODE_AUDIT_AUDIT_WALK_H
#define CONSILIUM_NODE_AUDIT_AUDIT_WALK_H

#include "node/audit/audit_entry.h"

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
const char *audit_walk_fault_sentence(enum audit_fault fault);
/* "missing"; static storage. */
const char *audit_walk_fault_name(enum audit_fault fault);

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
