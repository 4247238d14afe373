/* The exact contents that a draft becomes and a clinician will sign. The preview is read back from
 * these bytes, and its hash is over them. */
#ifndef CONSILIUM_NODE_DRAFTS_OUTGOING_PREVIEW_H
#define CONSILIUM_NODE_DRAFTS_OUTGOING_PREVIEW_H

#include "node/drafts/draft.h"
#include "node/views/stored_record.h"

/* Owned; outgoing_preview_clear. Empty spans are not part of it. */
struct outgoing_preview {
    struct case_id case_id;
    struct bytes open;
    struct bytes manifest;
    struct bytes announcement;
    struct bytes supply;
    struct node_id directed[PARTICIPANT_COUNT_MAX]; /* asked by mail; none: the board is */
    size_t directed_count;
    struct scope board;
    struct hash preview; /* hash(PREVIEW; open, manifest, announcement, supply, directed) */
    struct hash root;    /* of the manifest */
    uint8_t *memory;
};

/* Makes the contents of a complete draft; what is missing or wrong is in `ret_problem`.
 * ERR_INVALID, ERR_TOO_LARGE, ERR_STATE, ERR_NO_MEMORY, ... */
MUST_USE err outgoing_preview_make(struct runtime *runtime, const struct draft *draft,
                                   struct outgoing_preview *ret_preview,
                                   struct refusal *ret_problem);
void outgoing_preview_clear(struct outgoing_preview *outgoing_preview);

/* The case file in force of a case of ours, to be added to; owned by the caller, freed with free.
 * `memory` holds its texts. ERR_NOT_FOUND. */
MUST_USE err outgoing_preview_casefile(struct runtime *runtime, const struct case_id *case_id,
                                       struct stored_record_memory *memory,
                                       struct case_file *ret_casefile);

#endif
