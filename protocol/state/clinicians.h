/* The clinicians whose certificates stand in the federation's streams: enough of each to check a
 * signature without reading the store. */
#ifndef CONSILIUM_PROTOCOL_STATE_CLINICIANS_H
#define CONSILIUM_PROTOCOL_STATE_CLINICIANS_H

#include "protocol/record/certificate.h"
#include "protocol/record/record.h"
#include "protocol/record/statement.h"

struct clinician {
    struct cert_id cert_id; /* zeros: free */
    struct node_id node;
    struct sign_key key;
    struct wall valid_from;
    struct wall valid_until;
    bool is_revoked;
    struct certificate_position recorded;
    struct certificate_position revoked_from;
};

struct clinicians {
    struct clinician *all;
    uint32_t mask;
    uint32_t count;
};

size_t clinicians_memory_size(uint32_t count_max);
/* `count_max` is a power of two; memory is zeroed. */
void clinicians_init(struct clinicians *clinicians, void *memory, uint32_t count_max);

/* Takes a CERTIFICATE or REVOCATION that stands in `header`'s stream. Others are passed over.
 * `key` is the institution's, NULL when it was another then and the stream vouches. OK; ERR_FULL,
 * also when this institution has its share of the table; or why the certificate counts for nothing.
 */
MUST_USE err clinicians_take(struct clinicians *clinicians, const struct record_header *header,
                             const struct sign_key *key, uint16_t kind, struct bytes content);

/* NULL when it is not known here. */
const struct clinician *clinicians_find(const struct clinicians *clinicians,
                                        const struct cert_id *cert_id);

/* Was the certificate of `node`, valid at `time`, and not revoked by now? OK or ERR_NOT_FOUND,
 * ERR_UNKNOWN_MEMBER, ERR_FUTURE, ERR_EXPIRED, ERR_NOT_ENTITLED (revoked). */
MUST_USE err clinicians_check(const struct clinicians *clinicians, const struct cert_id *cert_id,
                              const struct node_id *node, struct wall time);

/* OK when the statement is what the clinician it names signed there, under a certificate of the
 * writer that was valid then and is not revoked. Errors as clinicians_check, statement_verify. */
MUST_USE err clinicians_check_statement(const struct clinicians *clinicians,
                                        const struct record_header *header,
                                        const struct statement *statement);

#endif
