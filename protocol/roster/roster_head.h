/* A roster head: what k of n officers sign, about 500 bytes.
 *
 * On the wire ("signed head"): a canonical msgpack array [body, [[officer, signature]...]]; body is
 * the packed head. head_id = hash(HEAD; body). It does not cover the signatures, so two sets of
 * signers make the same head. A signature is hash_sign(HEAD, body) by an officer of the previous
 * head (given by its index there) or, in the founding head, by each of its own officers. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_HEAD_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_HEAD_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/hash.h"
#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

enum { ROSTER_HEAD_EPOCH_FIRST = 1, ROSTER_HEAD_HEALS_COUNT = 2 };

struct officers {
    uint32_t count;
    uint32_t threshold;                      /* 1 to count */
    struct sign_key keys[OFFICER_COUNT_MAX]; /* ascending, each once */
};

/* Owns all its data. */
struct roster_head {
    struct federation_id federation; /* zeros in the founding head */
    uint64_t epoch;                  /* 1 in the founding head; each later head has one more */
    struct head_id previous;         /* zeros in the founding head */
    struct wall issued;
    struct wall valid_until;
    struct hash members_root; /* merkle root over the packed members by node_id */
    uint32_t member_count;
    struct hash settings_hash;
    struct hash transport_hash;
    struct hash cuts_hash;
    struct officers officers;                      /* who sign the next head */
    uint32_t heal_count;                           /* 0, or 2 in a healing head */
    struct head_id heals[ROSTER_HEAD_HEALS_COUNT]; /* ascending */
};

struct roster_head_signature {
    uint32_t officer; /* index */
    struct signature signature;
};

struct roster_head_signed {
    struct bytes body; /* borrowed */
    uint32_t signature_count;
    struct roster_head_signature
        signatures[OFFICER_COUNT_MAX]; /* by officer, ascending, each once */
};

/* Writes the body alone. `head` is valid by `roster_head_check`. */
void roster_head_write(struct buffer *buffer, const struct roster_head *head);

/* On failure `*ret_head` does not change. ERR_VERSION, or errors as `member_read`. */
MUST_USE err roster_head_read(struct bytes body, struct roster_head *ret_head);

/* The rules within one head: dates in order, officers sorted and unique, threshold in range,
 * founding and healing fields together or not at all. ERR_MALFORMED otherwise. */
MUST_USE err roster_head_check(const struct roster_head *head);

/* True when both name the same members, settings, transport list and cuts. */
bool roster_head_same_content(const struct roster_head *a, const struct roster_head *b);

struct head_id roster_head_id(struct bytes body);

/* The id of the federation that a founding head creates. */
struct federation_id roster_head_federation(const struct head_id *founding);

void roster_head_sign(struct bytes body, const uint8_t secret[static 64],
                      struct signature *ret_signature);

void roster_head_signed_write(struct buffer *buffer, const struct roster_head_signed *signed_head);

/* Checks the format and HEAD_SIZE_MAX only; it verifies no signature. A double or unordered officer
 * is ERR_NOT_CANONICAL. */
MUST_USE err roster_head_signed_read(struct bytes all, struct roster_head_signed *ret_signed);

/* OK when at least `needed` officers of `officers` signed and every given signature is valid.
 *
 *   ERR_BAD_SIGNATURE  one of them is not valid
 *   ERR_MALFORMED      an officer that does not exist
 *   ERR_THRESHOLD      all are valid, but there are too few */
MUST_USE err roster_head_signatures_check(const struct roster_head_signed *signed_head,
                                          const struct officers *officers, uint32_t needed);

#endif
