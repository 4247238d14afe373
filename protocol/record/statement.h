/* A statement: the plaintext of a record's body. It holds one content of one kind and, where a
 * person speaks, the clinician's own signature.
 *
 *   u16 kind | u8 flags | u8 0 | u32 content size | content
 *   | when signed: cert_id 32, time_ms u64, signature 64 | zeros up to a size class
 *
 * The clinician's signature is hash_sign(STATEMENT; u16 kind | federation 32 | scope kind u8 |
 * scope id 32 | node_id 16 | cert_id 32 | time_ms u64 | content): it is valid for one case at one
 * institution under one certificate only. */
#ifndef CONSILIUM_PROTOCOL_RECORD_STATEMENT_H
#define CONSILIUM_PROTOCOL_RECORD_STATEMENT_H

#include "protocol/base/error.h"
#include "protocol/record/kind.h"
#include "protocol/record/record.h"

enum {
    STATEMENT_HEAD_SIZE = 8,
    STATEMENT_AUTHOR_SIZE = HASH_SIZE + 8 + SIGNATURE_SIZE,
    STATEMENT_PLACE_SIZE = 2 + HASH_SIZE + 1 + HASH_SIZE + NODE_ID_SIZE + HASH_SIZE + 8,
    STATEMENT_CONTENT_SIZE_MAX =
        RECORD_PLAINTEXT_SIZE_MAX - STATEMENT_HEAD_SIZE - STATEMENT_AUTHOR_SIZE,
    STATEMENT_PADDED_SIZE_MAX = 4096, /* the largest class of announcements */
};

struct statement_author {
    struct cert_id cert_id;
    struct wall time; /* when the clinician signed */
    struct signature signature;
};

struct statement {
    uint16_t kind; /* as received, known or not */
    bool is_signed;
    struct bytes content;           /* canonical msgpack map, not parsed yet; borrows */
    struct statement_author author; /* zeros when not signed */
};

/* The context of a statement; part of what the clinician signs. */
struct statement_place {
    struct federation_id federation;
    struct scope scope;
    struct node_id node; /* the institution that writes the record */
};

/* The place that a record's header gives. */
struct statement_place statement_place_of(const struct record_header *header);

/* Appends the body. ERR_TOO_LARGE when the content is over its limit (announcements: when the whole
 * is over STATEMENT_PADDED_SIZE_MAX) or `out` is full: `out` then holds nothing useful. */
MUST_USE err statement_write(const struct statement *statement, struct buffer *out);

/* Parses a body's plaintext. `ret_statement->content` borrows from `body`. It checks neither the
 * content nor the kind: kind_check and the content's own reader do. On failure `*ret_statement`
 * does not change.
 *
 *   ERR_TRUNCATED      ends early
 *   ERR_TOO_LARGE      content over STATEMENT_CONTENT_SIZE_MAX
 *   ERR_MALFORMED      unknown flags
 *   ERR_NOT_CANONICAL  reserved byte or padding not zero, or padding where none is allowed */
MUST_USE err statement_read(struct bytes body, struct statement *ret_statement);

/* Signs as the clinician: fills in the author block (`author` gives cert_id and time; its signature
 * is ignored). `secret` is the 64-byte Ed25519 secret key. */
void statement_sign(struct statement *statement, const struct statement_place *place,
                    const struct statement_author *author, const uint8_t secret[static 64]);

/* OK when the clinician's key signed it for this place.
 *
 *   ERR_NOT_FOUND      it is not signed
 *   ERR_BAD_SIGNATURE  the clinician did not sign it for this place: never show it as theirs */
MUST_USE err statement_verify(const struct statement *statement,
                              const struct statement_place *place,
                              const struct sign_key *clinician);

#endif
