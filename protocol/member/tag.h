/* Specialty tags: slugs such as `hematology/bmt`, which name boards.
 *
 * One or more segments of [a-z0-9-], joined by `/`; at most TAG_SIZE_MAX bytes. A tag covers itself
 * and every longer tag that continues it with a `/`. */
#ifndef CONSILIUM_PROTOCOL_MEMBER_TAG_H
#define CONSILIUM_PROTOCOL_MEMBER_TAG_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* OK, ERR_TOO_LARGE or ERR_MALFORMED. */
MUST_USE err tag_check(struct bytes tag);

/* `hematology` covers `hematology` and `hematology/bmt`, not `hematology-x`. */
bool tag_covers(struct bytes wide, struct bytes narrow);

/* Below, equal to or above 0, in byte order. */
int tag_compare(struct bytes a, struct bytes b);

#endif
