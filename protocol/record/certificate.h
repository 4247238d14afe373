/* A clinician's certificate, issued by the institution, and its revocation: contents of records in
 * the institution's federation stream.
 *
 * Three nested maps, so that signed bytes are carried unchanged:
 *
 *   request      who the clinician is, at which institution, with which key
 *   issue        { request bytes, the clinician's proof of possession, serial, validity }
 *   certificate  { issue bytes, the institution's signature }
 *
 * possession = hash_sign(CERTIFICATE_REQUEST; request), by the clinician's key: it prevents a
 * certificate on another person's key. signature = hash_sign(CERTIFICATE; issue), by the
 * institution's key. cert_id = hash(CERTIFICATE; issue). */
#ifndef CONSILIUM_PROTOCOL_RECORD_CERTIFICATE_H
#define CONSILIUM_PROTOCOL_RECORD_CERTIFICATE_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"

enum {
    CERTIFICATE_REQUEST_SIZE_MAX = 2400,
    CERTIFICATE_ISSUE_SIZE_MAX = CERTIFICATE_REQUEST_SIZE_MAX + 160,
    CERTIFICATE_SIZE_MAX = CERTIFICATE_ISSUE_SIZE_MAX + 80,
};

struct certificate_request {
    struct federation_id federation;
    struct node_id node_id; /* the institution */
    struct sign_key clinician_key;
    struct bytes name;
    struct bytes credentials; /* "MD, PhD" */
    struct bytes specialties[SPECIALTY_COUNT_MAX];
    size_t specialty_count;
    struct bytes country;
    struct bytes licence; /* optional */
};
CONTENT_DECLARE(certificate_request, struct certificate_request);

struct certificate_issue {
    struct bytes request;
    struct signature possession;
    uint64_t serial; /* of this institution, from 1 */
    struct wall valid_from;
    struct wall valid_until;
};
CONTENT_DECLARE(certificate_issue, struct certificate_issue);

/* The content of a CERTIFICATE record. */
struct certificate_envelope {
    struct bytes issue;
    struct signature signature;
};
CONTENT_DECLARE(certificate_envelope, struct certificate_envelope);

/* All three layers, parsed; texts borrow from the bytes that were read. */
struct certificate {
    struct cert_id cert_id;
    struct certificate_request request;
    struct certificate_issue issue;
    struct signature signature;
    struct bytes signed_part; /* the issue's bytes as received */
};

/* A position in an institution's federation stream, ordered by generation, then sequence. */
struct certificate_position {
    uint64_t generation;
    uint64_t sequence;
};
bool certificate_position_before(struct certificate_position a, struct certificate_position b);

#define CERTIFICATE_REASON_LIST(X)                                                                 \
    X(CERTIFICATE_LEFT, "left-the-institution")                                                    \
    X(CERTIFICATE_KEY_COMPROMISED, "key-compromised")                                              \
    X(CERTIFICATE_KEY_LOST, "key-lost")                                                            \
    X(CERTIFICATE_REPLACED, "replaced")                                                            \
    X(CERTIFICATE_LICENCE_ENDED, "licence-ended")                                                  \
    X(CERTIFICATE_ISSUED_WRONGLY, "issued-wrongly")
enum certificate_reason { CERTIFICATE_REASON_NONE, CERTIFICATE_REASON_LIST(CONTENT_CODE_ENUM) };
extern const struct content_codes certificate_reasons;

/* The content of a REVOCATION record. Opinions that name a stream head at or after `generation`,
 * `sequence` are no longer covered; earlier ones still are. */
struct certificate_revocation {
    struct cert_id cert_id;
    enum certificate_reason reason;
    uint64_t generation;
    uint64_t sequence;
    struct bytes note; /* optional */
};
CONTENT_DECLARE(certificate_revocation, struct certificate_revocation);

/* ---- making one ---- */

/* The clinician's proof of possession over the bytes of a written request. */
void certificate_prove(struct bytes request, const uint8_t clinician_secret[static 64],
                       struct signature *ret_possession);

/* Writes the content of a CERTIFICATE record: `issue` (its request and possession as the clinician
 * gave them) signed by the institution. Errors as content_write and certificate_check. */
MUST_USE err certificate_write(const struct certificate_issue *issue,
                               const uint8_t institution_secret[static 64], struct buffer *out,
                               struct cert_id *ret_cert_id);

/* ---- reading and checking one ---- */

/* Reads all three layers; verifies no signature. On failure `*ret_certificate` is zeros. */
MUST_USE err certificate_read(struct bytes content, struct certificate *ret_certificate);

/* Verifies both signatures, and that the certificate is about this member of this federation.
 * `institution_key` NULL: the signature of the record that held it covers the institution's.
 *
 *   ERR_BAD_SIGNATURE    the institution's, or the proof of possession, is not valid
 *   ERR_UNKNOWN_MEMBER   about another institution or federation */
MUST_USE err certificate_check(const struct certificate *certificate,
                               const struct federation_id *federation,
                               const struct node_id *institution,
                               const struct sign_key *institution_key);

/* OK when the certificate covers something signed at `time` while the institution's federation
 * stream stood at `at`. `recorded` is the position of the certificate's own record; `revocation`
 * may be NULL.
 *
 *   ERR_FUTURE         not valid yet at `time`, or not recorded yet at `at`
 *   ERR_EXPIRED        its validity was over
 *   ERR_NOT_ENTITLED   revoked from a position at or before `at` */
MUST_USE err certificate_covers(const struct certificate *certificate,
                                struct certificate_position recorded,
                                const struct certificate_revocation *revocation, struct wall time,
                                struct certificate_position at);

#endif
