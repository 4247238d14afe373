/* The preview: read back from the very bytes that will be signed. */
#ifndef CONSILIUM_NODE_DRAFTS_OUTGOING_PREVIEW_JSON_H
#define CONSILIUM_NODE_DRAFTS_OUTGOING_PREVIEW_JSON_H

#include "node/drafts/outgoing_preview.h"

/* What leaves, as text for people and as JSON: {"preview", "board", "participants", "text",
 * "audience_count"}. NULL: no memory. */
json_t *outgoing_preview_json(struct runtime *runtime,
                              const struct outgoing_preview *outgoing_preview,
                              const struct draft *draft);

/* What was found in an attachment, a list of lines: those that begin with "LOOK: " are warnings. */
json_t *outgoing_preview_json_findings(const struct draft_attachment *attachment);

#endif
