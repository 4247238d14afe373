/* Filters and pages of a GET: a value that nothing can have is refused, not answered by an empty
 * list. */
#ifndef CONSILIUM_NODE_API_API_QUERY_H
#define CONSILIUM_NODE_API_API_QUERY_H

#include "node/api/api_internal.h"

/* Are they such as can be answered? False: the call is refused. */
bool api_query_check(struct api_call *call);

#endif
