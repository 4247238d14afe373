/* What in the texts of a preview may tell who the patient is (node/identifiers): the places that
 * the clinician changes, or keeps with a reason, before it is sent (DEID-1). */
#ifndef CONSILIUM_NODE_DRAFTS_OUTGOING_IDENTIFIERS_H
#define CONSILIUM_NODE_DRAFTS_OUTGOING_IDENTIFIERS_H

#include "node/drafts/outgoing_preview.h"
#include "node/identifiers/identifiers.h"

struct outgoing_identifier {
    const char *field; /* "question", "description", "consent", "note", "answer" */
    enum identifier_kind kind;
    struct bytes text;   /* the place itself; borrowed from the preview, as the next two */
    struct bytes before; /* what stands before it in its line, at most about 24 characters */
    struct bytes after;
};

struct outgoing_identifiers {
    struct outgoing_identifier all[IDENTIFIER_COUNT_MAX];
    size_t count;
    bool is_cut; /* there are more, or a text could not be examined whole */
};

/* ERR_NO_MEMORY, ERR_INVALID: the preview cannot be read back. */
MUST_USE err outgoing_identifiers_find(const struct outgoing_preview *outgoing_preview,
                                       struct outgoing_identifiers *ret_found);

/* "2 persons, 1 date": how many of each kind; "more" if not all are listed. */
enum { OUTGOING_IDENTIFIERS_COUNTS_SIZE = 160 };
void outgoing_identifiers_counts(const struct outgoing_identifiers *found,
                                 char ret_text[static OUTGOING_IDENTIFIERS_COUNTS_SIZE]);

#endif
