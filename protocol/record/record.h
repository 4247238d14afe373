/* A record: one position of a signed, single-writer stream.
 *
 *   header (244 bytes, fixed binary) | signature (64) | body
 *
 * The signature is the institution's, over the header; the header binds the body by a hash over the
 * body's bytes as sent (ciphertext, unless the audience is clear), so a body can be destroyed and
 * the chain still verifies. A *header-only* record has a header and a signature, and no body.
 * Normative text: spec/streams.md. */
#ifndef CONSILIUM_PROTOCOL_RECORD_RECORD_H
#define CONSILIUM_PROTOCOL_RECORD_RECORD_H

#include "protocol/base/limits.h"
#include "protocol/base/scope.h"

enum {
    RECORD_VERSION = 1,
    RECORD_HEADER_SIZE = 244,
    RECORD_BARE_SIZE = RECORD_HEADER_SIZE + SIGNATURE_SIZE,
    RECORD_BODY_SIZE_MAX = RECORD_SIZE_MAX - RECORD_BARE_SIZE,
    RECORD_NONCE_SIZE = 24,
    RECORD_SEAL_SIZE = RECORD_NONCE_SIZE + 16, /* the bytes that encryption adds to a plaintext */
    RECORD_PLAINTEXT_SIZE_MAX = RECORD_BODY_SIZE_MAX - RECORD_SEAL_SIZE,
};

enum audience {
    AUDIENCE_CLEAR = 0,     /* signed, not encrypted; the link still encrypts */
    AUDIENCE_SCOPE = 1,     /* every member that the scope entitles */
    AUDIENCE_REQUESTER = 2, /* the requester of the case alone, until revealed or released */
};

struct record_header {
    struct federation_id federation;
    struct stream_id stream;
    enum audience audience;
    uint64_t sequence; /* from 1 in each generation */
    struct record_id previous;
    struct head_id head; /* the roster head that the writer held */
    struct wall time;
    struct wall expires; /* 0: never */
    struct hash key_commitment;
    uint32_t body_size;
    struct hash body_hash;
};

/* The fields of an unverified record; the spans borrow from its bytes. */
struct record_claim {
    struct record_header header;
    struct record_id id;
    struct signature signature;
    struct bytes header_bytes;
    struct bytes body; /* empty when header-only */
    bool is_bare;
};

/* Parses `all`: a whole record, or a header-only one. Verifies neither signature nor body.
 *
 *   ERR_TRUNCATED, ERR_TOO_LARGE, ERR_MALFORMED, ERR_VERSION   drop it, count it */
MUST_USE err record_parse(struct bytes all, struct record_claim *ret_claim);

/* The same for bytes that were parsed before: `id` is the id from then, which is computed again
 * only when it is zeros. */
MUST_USE err record_parse_again(struct bytes all, const struct record_id *id,
                                struct record_claim *ret_claim);

/* OK when `key` signed the header; ERR_BAD_SIGNATURE. */
MUST_USE err record_verify(const struct record_claim *claim, const struct sign_key *key);

/* OK when the body has the hash in the header; ERR_BAD_HASH; ERR_TRUNCATED when header-only. */
MUST_USE err record_check_body(const struct record_claim *claim);

/* OK when `key` matches the commitment in the header; ERR_BAD_KEY. */
MUST_USE err record_check_key(const struct record_claim *claim, const struct record_key *key);

/* Decrypts the body into `out` (capacity at least body_size). `key` may be NULL when the audience
 * is clear. Checks the commitment and the ciphertext's tag; the caller checks the body hash.
 *
 *   ERR_BAD_KEY     the key does not match the commitment: ask another peer
 *   ERR_MALFORMED   the right key does not decrypt it: the writer is at fault
 *   ERR_TRUNCATED   header-only
 *   ERR_TOO_LARGE   `out` is too small */
MUST_USE err record_open(const struct record_claim *claim, const struct record_key *key,
                         struct buffer *out);

/* The random and secret inputs of sealing, from the caller. `nonce` and `key` are random and used
 * once. */
struct record_secrets {
    const uint8_t *sign_secret; /* 64 bytes, Ed25519 */
    struct record_key key;
    uint8_t nonce[RECORD_NONCE_SIZE];
};

/* Encrypts (unless clear), commits and signs: appends the whole record to `out`. It computes the
 * header's commitment, body size and body hash; the caller sets the other fields. ERR_TOO_LARGE
 * when the plaintext is over RECORD_PLAINTEXT_SIZE_MAX or `out` is full. */
MUST_USE err record_seal(const struct record_header *header, struct bytes plaintext,
                         const struct record_secrets *secrets, struct buffer *out,
                         struct record_id *ret_id);

/* The id of a header's RECORD_HEADER_SIZE bytes. */
struct record_id record_id_of(struct bytes header_bytes);

#endif
