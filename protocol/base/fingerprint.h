/* A fingerprint: digits that two people compare on the phone to know that they hold the same value.
 * Eight groups of five digits; each group is a big-endian u32 of the hash modulo 100,000. */
#ifndef CONSILIUM_PROTOCOL_BASE_FINGERPRINT_H
#define CONSILIUM_PROTOCOL_BASE_FINGERPRINT_H

#include "protocol/base/hash.h"

enum { FINGERPRINT_TEXT_SIZE = 8 * 5 + 7 + 1 };

/* "12345 67890 ..." and a NUL. */
void fingerprint_write(const struct hash *hash, char ret_text[static FINGERPRINT_TEXT_SIZE]);

/* True when `text` holds the same 40 digits; spaces and hyphens between them are ignored. */
bool fingerprint_matches(const struct hash *hash, const char *text);

#endif
