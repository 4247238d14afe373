/* A signed opinion as a file that can be verified without a node
 * (protocol/contents/opinion_file.h): the opinion, the certificate of its author, the requester's
 * receipt, and proofs that their writers were members. */
#ifndef CONSILIUM_NODE_SERVICE_OPINION_EXPORT_H
#define CONSILIUM_NODE_SERVICE_OPINION_EXPORT_H

#include "node/service/service.h"
#include "node/views/refusal.h"

struct opinion_export {
    struct case_id case_id;
    struct record_id record;
    uint64_t uid; /* of the user who exports: for the audit log */
};

/* Appends the file to `out` (OPINION_FILE_SIZE_MAX bytes), and notes the export in the audit log.
 */
MUST_USE err opinion_export_write(const struct service *service,
                                  const struct opinion_export *wanted, struct buffer *out,
                                  struct refusal *ret_refusal);

#endif
