/* Seals stored values, and derives the keys for that from the master key.
 *
 * A sealed value is nonce (24, random) | ciphertext | tag (16), XChaCha20-Poly1305. The associated
 * data is table and key, so a value that was moved to another place does not open (S-4). */
#ifndef CONSILIUM_STORE_DISK_SEAL_H
#define CONSILIUM_STORE_DISK_SEAL_H

#include "protocol/base/ids.h"

enum { SEAL_NONCE_SIZE = 24, SEAL_TAG_SIZE = 16, SEAL_OVERHEAD = 40, SEAL_INDEX_SIZE = 16 };

/* Derived from the master key, one for each purpose; in locked memory. */
struct seal_keys {
    uint8_t record[KEY_SIZE];
    uint8_t row[KEY_SIZE];
    uint8_t index[KEY_SIZE];
    uint8_t keyring[KEY_SIZE];
};

/* NULL when no locked memory is available. */
struct seal_keys *seal_keys_new(const uint8_t master[static KEY_SIZE]);
void seal_keys_free(struct seal_keys *keys);

/* Random nonces, 128 from each seed of the system, to save system calls. One thread only. */
struct seal_nonces {
    size_t left;
    uint8_t pool[SEAL_NONCE_SIZE * 128];
};

/* Writes plain.size + SEAL_OVERHEAD bytes to `out`, which does not overlap `plain`. */
void seal_close(const uint8_t key[static KEY_SIZE], struct seal_nonces *nonces, struct bytes name,
                struct bytes plain, uint8_t *out);

/* Writes sealed.size - SEAL_OVERHEAD bytes to `out`. ERR_CORRUPT when it does not open. */
MUST_USE err seal_open(const uint8_t key[static KEY_SIZE], struct bytes name, struct bytes sealed,
                       uint8_t *out);

/* The type of the value whose hash is an index key. */
enum seal_kind { SEAL_RECORD_ID = 1, SEAL_STREAM = 2, SEAL_ROW = 64 /* plus the table */ };

/* The keyed hash that replaces `name` on disk (S-3); name.size at most 320. */
void seal_index(const struct seal_keys *keys, unsigned kind, struct bytes name,
                uint8_t ret_index[static SEAL_INDEX_SIZE]);

#endif
