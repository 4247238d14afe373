/* Cases at rest that somebody looks at: read from the store, and left at rest. */
#ifndef CONSILIUM_NODE_RUNTIME_CASE_CACHE_H
#define CONSILIUM_NODE_RUNTIME_CASE_CACHE_H

#include "protocol/engine/engine.h"
#include "store/store.h"

struct case_cache;

/* NULL: no memory. */
struct case_cache *case_cache_new(void);
/* Accepts NULL. */
void case_cache_free(struct case_cache *cache);

/* The case as its row says; NULL when there is none that can be read. Borrowed until the fourth
 * call after this one for another case. */
const struct consult *case_cache_read(struct case_cache *cache, struct store *store,
                                      const struct case_id *case_id);

#endif
