/* Why other members accept nothing that this institution writes, in words, and the way out. */
#ifndef CONSILIUM_NODE_VIEWS_STANDING_H
#define CONSILIUM_NODE_VIEWS_STANDING_H

#include <jansson.h>

#include "node/runtime/runtime.h"
#include "node/views/refusal.h"

/* OK, or why a record of this kind cannot be written: ERR_FORKED, ERR_UNKNOWN_MEMBER; then with
 * words. Others obey an erasure all the same (C-50). */
MUST_USE err standing_check(const struct runtime *runtime, uint16_t kind,
                            struct refusal *ret_refusal);

/* `state`, `message` and `hint`; null when nothing stands in the way. */
json_t *standing_json(const struct runtime *runtime);

#endif
