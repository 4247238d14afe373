/* The audit log, for reading, checking and taking out. */
#ifndef CONSILIUM_NODE_API_API_AUDIT_H
#define CONSILIUM_NODE_API_API_AUDIT_H

#include "node/api/api_internal.h"

/* Ends the check of the audit log that is under way, and answers it. */
void api_audit_stop(struct api_federation *federation);

/* Ends with a NULL handler. */
extern const struct api_route api_audit_routes[];

#endif
