/* A member: one institution as the roster lists it.
 *
 * Each date is the epoch of the roster head that introduced the value; roster_entitled.h says what
 * it means for access. spec/roster.md gives the bytes. */
#ifndef CONSILIUM_PROTOCOL_MEMBER_MEMBER_H
#define CONSILIUM_PROTOCOL_MEMBER_MEMBER_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/ids.h"
#include "protocol/base/limits.h"

enum member_state { MEMBER_ADMITTED = 1, MEMBER_SUSPENDED = 2, MEMBER_REMOVED = 3 };

struct member_board {
    struct bytes tag;
    uint64_t since_epoch;
};

/* All `struct bytes` borrow from the packed entry that was read. */
struct member {
    struct node_id node_id;
    struct bytes name;  /* UTF-8, 1 to MEMBER_NAME_SIZE_MAX bytes, no control characters */
    uint8_t country[2]; /* ISO 3166-1 alpha-2, upper case */
    struct sign_key sign_key;
    struct transport_key transport_key;
    uint32_t endpoint_count;
    struct bytes endpoints[ENDPOINT_COUNT_MAX];
    uint32_t board_count;
    struct member_board boards[MEMBER_BOARD_COUNT_MAX]; /* by tag, ascending, each once */
    enum member_state state;
    uint64_t admitted_epoch; /* first admission */
    uint64_t state_since_epoch;
    uint64_t keys_since_epoch;
    bool keys_signed;                /* the last key change carries the old key's signature */
    struct signature keys_signature; /* over member_keys_message; zeros when not keys_signed */
    struct node_id successor;        /* who may close a removed member's cases; zeros: nobody */
};

/* Writes the canonical encoding. `member` is valid by `member_check`. */
void member_write(struct buffer *buffer, const struct member *member);

/* Reads one whole packed entry and checks it with `member_check`. On failure `*ret_member` does not
 * change.
 *
 *   ERR_TRUNCATED, ERR_NOT_CANONICAL, ERR_TOO_LARGE, ERR_MALFORMED   drop it */
MUST_USE err member_read(struct bytes packed, struct member *ret_member);

/* OK when every field follows its rules: name, country, endpoints, tags, dates above 0 and none
 * before the admission, keys not zero, successor only when removed. ERR_TOO_LARGE or ERR_MALFORMED
 * otherwise. */
MUST_USE err member_check(const struct member *member);

/* OK when text is a valid name: 1 to `size_max` bytes of UTF-8 without control characters and
 * without direction marks. */
MUST_USE err member_name_check(struct bytes name, size_t size_max);

/* The message that the old signing key signs (context MEMBER_KEYS) to authorise new keys:
 * federation, node_id, new signing key, new transport key. */
enum { MEMBER_KEYS_MESSAGE_SIZE = 32 + 16 + 32 + 32 };
void member_keys_message(const struct federation_id *federation, const struct member *member,
                         uint8_t ret_message[static MEMBER_KEYS_MESSAGE_SIZE]);

/* The lowest since_epoch of a tag of `member` that covers `tag`; 0 when none does. */
uint64_t member_serves_since(const struct member *member, struct bytes tag);

#endif
