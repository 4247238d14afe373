/* What a person names by a name, an id, or the first digits of an id (at least 4). A name that fits
 * nothing, or several things, is refused. */
#ifndef CONSILIUM_NODE_SERVICE_LOOKUP_H
#define CONSILIUM_NODE_SERVICE_LOOKUP_H

#include "node/service/service.h"
#include "node/views/refusal.h"

/* A case that this node takes part in, or whose announcement is here. */
MUST_USE err lookup_case(const struct service *service, const char *name, struct case_id *ret_case,
                         struct refusal *ret_refusal);

/* A member of the roster; also by its whole name. */
MUST_USE err lookup_member(const struct service *service, const char *name,
                           struct node_id *ret_node, struct refusal *ret_refusal);

/* A record of the case. */
MUST_USE err lookup_record(const struct service *service, const struct case_id *case_id,
                           const char *name, struct record_id *ret_record,
                           struct refusal *ret_refusal);

#endif
