/* Whether people could take two names for each other.
 *
 * Two names are alike when they differ only in case, accents, blanks, punctuation and invisible
 * characters, or in letters and digits that are drawn alike: of Latin, Greek and Cyrillic, such as
 * Cyrillic "а" for "a", and 0 for O, 1 and I for l. The rule follows the skeletons of Unicode
 * Technical Standard #39, with a small table of its own. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_NAME_SKELETON_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_NAME_SKELETON_H

#include <stdbool.h>

#include "protocol/base/bytes.h"

enum { NAME_SKELETON_HASH_SIZE = 16 };

/* Hashes of the name after each of the two foldings. */
struct name_skeleton {
    uint8_t folded[NAME_SKELETON_HASH_SIZE]; /* by case and accents */
    uint8_t drawn[NAME_SKELETON_HASH_SIZE];  /* by the shapes of letters, too */
};

/* `name` is UTF-8 of at most MEMBER_NAME_SIZE_MAX bytes; what is not is compared byte by byte. */
struct name_skeleton name_skeleton_of(struct bytes name);

/* True when the names are alike; equal names are. */
bool name_skeleton_equal(const struct name_skeleton *a, const struct name_skeleton *b);

#endif
