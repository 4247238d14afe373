/* A draft, and the preview of what would be sent. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_RENDER_DRAFT_H
#define CONSILIUM_NODE_CLI_PRESENT_RENDER_DRAFT_H

#include <jansson.h>

/* The answers of `drafts/DRAFT`; of creating and changing one. */
void render_draft(const json_t *answer);
/* The last attachment of the same: the new attachment. */
void render_draft_attached(const json_t *answer);
void render_draft_preview(const json_t *answer);

#endif
