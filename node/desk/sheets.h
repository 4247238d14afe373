/* What a draft becomes: the contents that a clinician will sign, byte for byte, before anything is
 * signed. The preview is read back from these bytes, and its hash is over them. */
#ifndef CONSILIUM_NODE_DESK_SHEETS_H
#define CONSILIUM_NODE_DESK_SHEETS_H

#include "node/desk/draft.h"
#include "node/desk/readout.h"

/* Owned; sheets_clear. Empty spans are not part of it. */
struct sheets {
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

/* Makes the contents of a complete draft; what is missing or wrong stands in `ret_problem`.
 * ERR_INVALID, ERR_TOO_LARGE, ERR_STATE, ERR_NO_MEMORY, ... */
MUST_USE err sheets_make(struct shell *shell, const struct draft *draft, struct sheets *ret_sheets,
                         struct form_problem *ret_problem);
void sheets_clear(struct sheets *sheets);

/* The case file in force of a case of ours, to be added to; owned by the caller, freed with free.
 * `memory` holds its texts. ERR_NOT_FOUND. */
MUST_USE err sheets_casefile(struct shell *shell, const struct case_id *case_id,
                             struct readout_memory *memory, struct casefile *ret_casefile);

/* What leaves, as text for people and as JSON: {"preview", "board", "participants", "text",
 * "audience_count"}. NULL: no memory. */
json_t *sheets_show(struct shell *shell, const struct sheets *sheets, const struct draft *draft);

#endif
