/* The relay's own transport key, the only secret it has: DIRECTORY/relay.key, mode 0600, two lines
 * of text. It is not a key file as members have (node/os/keyfile.h): that code can open sealed
 * data, and a relay links nothing that can. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_KEY_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_KEY_H

#include "protocol/base/error.h"
#include "protocol/base/fingerprint.h"
#include "protocol/base/ids.h"

/* Makes the directory if it is missing, and a new key in it.
 *
 *   ERR_EXISTS        there is a key already: nothing was written
 *   ERR_NOT_ENTITLED  the directory belongs to another user, or others can open it
 *   ERR_INVALID, ERR_IO (errno) as node/os/file.h */
MUST_USE err relay_key_make(const char *directory, struct transport_key *ret_public);

/* Reads the secret into locked memory.
 *
 *   ERR_NOT_FOUND     there is none: `consilium-relay init` makes it
 *   ERR_NOT_ENTITLED  it belongs to another user, or others may read it
 *   ERR_MALFORMED     not such a file */
MUST_USE err relay_key_load(const char *directory, uint8_t ret_secret[static KEY_SIZE],
                            struct transport_key *ret_public);

/* The hash that the fingerprint shows. */
struct hash relay_key_hash(const struct transport_key *public_key);

/* What the relay's administrator reads to the society on the phone. */
void relay_key_fingerprint(const struct transport_key *public_key,
                           char ret_text[static FINGERPRINT_TEXT_SIZE]);

#endif
