/* The case file: description and items (documents, images), as the content of a MANIFEST record.
 * Only the requester and granted participants ever hold one, because it carries the items' keys.
 *
 * The latest manifest of a case lists all of its items; a SUPPLY says which of them answer which
 * request. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_CASE_FILE_H
#define CONSILIUM_PROTOCOL_CONTENTS_CASE_FILE_H

#include "protocol/base/ids.h"
#include "protocol/record/content.h"
#include "protocol/record/item.h"

struct case_file_item {
    struct item_id item_id;   /* root of the hash tree over its encrypted chunks */
    struct bytes name;        /* for display; never a path */
    struct bytes media_type;  /* "application/pdf" */
    uint64_t size;            /* of the plaintext, at most ATTACHMENT_SIZE_MAX */
    struct item_key item_key; /* secret: chunk keys are derived from it */
    uint64_t chunk_count;
};

struct case_file {
    struct bytes description;
    struct case_file_item items[ITEM_COUNT_MAX];
    size_t item_count;
    struct bytes language; /* of the description; optional */
};

/* ERR_MALFORMED too when two items have one id, or when the chunk count does not match the size. */
CONTENT_DECLARE(case_file, struct case_file);

/* The root that an opinion names as seen: hash(MANIFEST; language, description, then for each item:
 * item_id, name, media type, u64 size). It leaves out item keys, so that a reader without them can
 * check the root. */
struct hash case_file_root(const struct case_file *case_file);

#endif
