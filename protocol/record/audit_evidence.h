/* Evidence that members publish about each other: audit heads, proofs of a fork, key changes. */
#ifndef CONSILIUM_PROTOCOL_RECORD_AUDIT_EVIDENCE_H
#define CONSILIUM_PROTOCOL_RECORD_AUDIT_EVIDENCE_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"
#include "protocol/record/record.h"

/* The head of this institution's audit log. Whoever holds it can detect a truncated log. */
struct audit_evidence_audit_head {
    uint64_t sequence; /* of the newest audit entry */
    struct hash hash;  /* of that entry, chained to all before */
};
CONTENT_DECLARE(audit_evidence_audit_head, struct audit_evidence_audit_head);

/* Two headers that one writer signed for one position. The caller checks the signatures, with the
 * key that the roster gives for the writer at each header's head. */
struct audit_evidence_fork_proof {
    struct bytes header_a; /* RECORD_HEADER_SIZE bytes */
    struct signature signature_a;
    struct bytes header_b;
    struct signature signature_b;
};
/* ERR_MALFORMED too when they are not two different records at one position of one stream. */
CONTENT_DECLARE(audit_evidence_fork_proof, struct audit_evidence_fork_proof);

/* Written with the new key into each live stream when a signing key is rotated. */
struct audit_evidence_key_change {
    struct sign_key key;        /* the new key */
    struct head_id roster_head; /* the head that lists it */
};
CONTENT_DECLARE(audit_evidence_key_change, struct audit_evidence_key_change);

#endif
