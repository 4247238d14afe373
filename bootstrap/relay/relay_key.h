/* The relay's own transport key, the only secret it has: DIRECTORY/relay.key, mode 0600, two lines
 * of text. It is not a key file as members have them (node/os/keyfile.h): that room can open what
 * is sealed, and a relay links nothing that can open anything. */
#ifndef CONSILIUM_BOOTSTRAP_RELAY_RELAY_KEY_H
#define CONSILIUM_BOOTSTRAP_RELAY_RELAY_KEY_H

#include "protocol/base/error.h"
#include "protocol/base/fingerprint.h"
#include "protocol/base/ids.h"

/* Makes the directory if it is missing, and a new key in it.
 *
 *   ERR_EXISTS        there is a key already: nothing was written
 *   ERR_NOT_ENTITLED  the directory is another's, or open to others
 *   ERR_INVALID, ERR_IO (errno) as node/os/file.h */
MUST_USE err relay_key_make(const char *directory, struct transport_key *ret_public);

/* Reads the secret into locked memory.
 *
 *   ERR_NOT_FOUND     there is none: `consilium-relay init` makes it
 *   ERR_NOT_ENTITLED  it is another's, or others may read it
 *   ERR_MALFORMED     not such a file */
MUST_USE err relay_key_load(const char *directory, uint8_t ret_secret[static KEY_SIZE],
                            struct transport_key *ret_public);

/* What the fingerprint below is of. */
struct hash relay_key_hash(const struct transport_key *public_key);

/* What the relay's administrator reads to the society on the phone. */
void relay_key_fingerprint(const struct transport_key *public_key,
                           char ret_text[static FINGERPRINT_TEXT_SIZE]);

#endif
