/* An opinion file: one signed opinion that anyone can check without a node, years later.
 *
 *   "consilium opinion 1\n"
 *   u32 size, the opinion's record as sent | its record key 32
 *   u32 size, the record of the clinician's CERTIFICATE
 *   u8 0 or 1; when 1, the requester's receipt: opening 32 | u32 size, the TAKE_IN record | its key
 *   u8 count, then each: u32 size, inclusion proof (inclusion.h)
 *   u32 count, then each: u32 size, signed roster head, from the founding one on
 *
 * Each inclusion proof shows a member as admitted, with its key, at one of the heads. A node makes
 * the author's proof when it receives the opinion, because the roster in force then still lists
 * that key, and stores it with the record. After a rotation or a removal it could make none. The
 * record keys decrypt these two records and nothing else. The file holds no revocations: it gives
 * the position of the institution's stream at which the opinion was signed, and a checker compares
 * a revocation that it knows with that position. Normative text: spec/consult.md. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_OPINION_FILE_H
#define CONSILIUM_PROTOCOL_CONTENTS_OPINION_FILE_H

#include "protocol/contents/case_record.h"
#include "protocol/contents/opinion.h"
#include "protocol/record/certificate.h"
#include "protocol/record/record.h"
#include "protocol/record/statement.h"
#include "protocol/roster/chain.h"

enum { OPINION_FILE_PROOF_COUNT_MAX = 4 };

/* Spans borrow from the bytes that were read. */
struct opinion_file {
    struct bytes opinion; /* the whole record */
    struct record_key opinion_key;
    struct bytes certificate; /* the whole record */
    bool has_receipt;
    struct case_record_opening opening; /* proves that the receipt's writer is the requester */
    struct bytes receipt;               /* the whole TAKE_IN record */
    struct record_key receipt_key;
    struct bytes proofs[OPINION_FILE_PROOF_COUNT_MAX]; /* institution's; its key at the
                                                          certificate, if another; requester's */
    size_t proof_count;
    uint32_t head_count;
    struct bytes heads; /* reading only: framed */
};

/* ---- writing: _begin, then _add_head for each of head_count heads ---- */

void opinion_file_begin(struct buffer *buffer, const struct opinion_file *file);
void opinion_file_add_head(struct buffer *buffer, struct bytes signed_head);

/* ---- reading and checking ---- */

/* Checks the format only. On failure `*ret_file` does not change.
 *
 *   ERR_VERSION                                 it is no opinion file, or of a later version
 *   ERR_TRUNCATED, ERR_TOO_LARGE, ERR_MALFORMED */
MUST_USE err opinion_file_read(struct bytes all, struct opinion_file *ret_file);

/* The part of a file that failed its check. */
#define OPINION_FILE_PART_LIST(X)                                                                  \
    X(OPINION_FILE_WHOLE, "the file")                                                              \
    X(OPINION_FILE_HEADS, "the roster heads")                                                      \
    X(OPINION_FILE_ANCHOR, "the head that is trusted")                                             \
    X(OPINION_FILE_PROOFS, "the proofs of membership")                                             \
    X(OPINION_FILE_RECORD, "the record of the opinion")                                            \
    X(OPINION_FILE_CERTIFICATE, "the clinician's certificate")                                     \
    X(OPINION_FILE_CLINICIAN, "the clinician's signature")                                         \
    X(OPINION_FILE_RECEIPT, "the requester's receipt")
enum opinion_file_part { OPINION_FILE_PART_LIST(CONTENT_CODE_ENUM) OPINION_FILE_PART_COUNT };

/* "the clinician's signature"; static storage. */
const char *opinion_file_part_name(enum opinion_file_part part);

/* The proved facts. Texts borrow from the file's bytes and from the caller's memory. */
struct opinion_file_facts {
    enum opinion_file_part part; /* the part that failed; valid when the verdict is not OK */

    bool is_anchored; /* checked against a head that the checker trusts; if not, display that */
    struct head_id checked_head; /* that head or, when not anchored, the last one in the file */
    uint64_t checked_epoch;

    struct record_id record_id;
    struct case_id case_id;
    struct wall written;   /* by the institution's record */
    struct wall signed_at; /* by the clinician */
    struct node_id institution;
    struct bytes institution_name;
    uint8_t institution_country[2];
    uint64_t institution_epoch; /* of the head at which it is proved to be admitted */
    struct certificate certificate;
    struct opinion opinion;

    bool is_taken_in; /* there is a valid receipt */
    struct node_id requester;
    struct bytes requester_name;
    struct wall taken_in_at;
};

struct opinion_file_trust {
    struct federation_id federation;
    const struct head_id *head; /* NULL: none, the facts are "not anchored" */
};

/* About 130 KB, owned by the caller, which also sets the memory of `chain` (links, officer_sets and
 * their capacities, for at least the heads of the file: see opinion_file_read). */
struct opinion_file_memory {
    struct chain chain;
    uint8_t opinion[RECORD_BODY_SIZE_MAX];
    uint8_t receipt[RECORD_BODY_SIZE_MAX];
};

/* Checks everything: the chain of heads from the founding one of that federation; the membership;
 * the institution's signature; the certificate; the clinician's signature over this case,
 * announcement, institution and certificate; the receipt, if there is one. On an error
 * `ret_facts->part` says which part failed; the caller must not use the other facts then.
 *
 *   errors of reading, and of chain_learn for the heads
 *   ERR_UNKNOWN_HEAD    the trusted head, or a named one, is not among the file's heads
 *   ERR_UNKNOWN_MEMBER  no proof shows the signer as an admitted member
 *   ERR_BAD_SIGNATURE   a signature is not valid
 *   ERR_BAD_HASH        the certificate is not the one that the clinician signed under
 *   ERR_BAD_KEY         a record key does not decrypt its record
 *   ERR_FUTURE, ERR_EXPIRED   the certificate did not cover that time or position
 *   ERR_MALFORMED       not an opinion, or parts that do not belong together */
MUST_USE err opinion_file_verify(struct bytes all, const struct opinion_file_trust *trust,
                                 struct opinion_file_memory *memory,
                                 struct opinion_file_facts *ret_facts);

#endif
