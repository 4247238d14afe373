/* Ids, keys and points in time. Each is a type of its own, so that mixing a case with a record, or
 * two kinds of clock, does not compile. All are plain values; copy them freely. */
#ifndef CONSILIUM_PROTOCOL_BASE_IDS_H
#define CONSILIUM_PROTOCOL_BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

enum { HASH_SIZE = 32, NODE_ID_SIZE = 16, KEY_SIZE = 32, SIGNATURE_SIZE = 64 };

struct hash {
    uint8_t bytes[HASH_SIZE];
};

/* BLAKE2b-256 of the founding roster head. */
struct federation_id {
    uint8_t bytes[HASH_SIZE];
};
struct head_id {
    uint8_t bytes[HASH_SIZE];
};
struct record_id {
    uint8_t bytes[HASH_SIZE];
};
struct case_id {
    uint8_t bytes[HASH_SIZE];
};
struct cert_id {
    uint8_t bytes[HASH_SIZE];
};
struct item_id {
    uint8_t bytes[HASH_SIZE];
};
/* One deposit of one member with custodians; opaque to them. */
struct deposit_id {
    uint8_t bytes[HASH_SIZE];
};
/* A member institution, for as long as it exists; random. */
struct node_id {
    uint8_t bytes[NODE_ID_SIZE];
};

/* Public keys: Ed25519 to sign, Curve25519 for links. */
struct sign_key {
    uint8_t bytes[KEY_SIZE];
};
struct transport_key {
    uint8_t bytes[KEY_SIZE];
};
struct signature {
    uint8_t bytes[SIGNATURE_SIZE];
};
/* Curve25519: mail for an offline member is sealed to it. */
struct mailbox_key {
    uint8_t bytes[KEY_SIZE];
};
/* The random key of one record's body: secret. */
struct record_key {
    uint8_t bytes[KEY_SIZE];
};

/* Unix time in milliseconds; 0 means "none". */
struct wall {
    uint64_t ms;
};
/* A monotonic clock, in milliseconds from an arbitrary start. */
struct mono {
    uint64_t ms;
};

/* True when two values of the same id type are equal. */
#define ID_EQUAL(a, b)                                                                             \
    (_Generic((a), __typeof__(((void)0, (b))) : 1) &&                                              \
     bytes_equal((struct bytes){(a).bytes, sizeof(a).bytes},                                       \
                 (struct bytes){(b).bytes, sizeof(b).bytes}))

#define ID_BYTES(id) ((struct bytes){.data = (id).bytes, .size = sizeof(id).bytes})

#define ID_IS_ZERO(id) ids_all_zero(ID_BYTES(id))

bool ids_all_zero(struct bytes bytes);

enum { IDS_HEX_MAX = 2 * 64 + 1 };

/* Writes lower-case hexadecimal and a NUL into `ret_text`, which holds 2 * bytes.size + 1. */
void ids_to_hex(struct bytes bytes, char *ret_text);

/* Reads exactly `size` bytes of hexadecimal, either case; ERR_MALFORMED otherwise. */
MUST_USE err ids_from_hex(const char *text, uint8_t *ret_bytes, size_t size);

#endif
