/* The content registry: which content each kind of record carries. */
#ifndef CONSILIUM_PROTOCOL_CONTENTS_CONTENT_REGISTRY_H
#define CONSILIUM_PROTOCOL_CONTENTS_CONTENT_REGISTRY_H

#include "protocol/record/content.h"
#include "protocol/record/kind.h"

/* The table of a kind's content; NULL for unknown kinds, and for reserved kinds without one. */
const struct content_table *content_registry_table(uint16_t kind);

/* A struct of any content; it has the size and alignment for all of them. */
enum { CONTENT_REGISTRY_VALUE_SIZE_MAX = 32768 };
union content_registry_value {
    uint8_t bytes[CONTENT_REGISTRY_VALUE_SIZE_MAX];
    uint64_t aligned;
    void *pointer;
};

/* Reads a content of any known kind, for callers that only check whether it is well formed.
 * ERR_UNSUPPORTED for a kind without a table; else as content_read. */
MUST_USE err content_registry_read(uint16_t kind, struct bytes content,
                                   union content_registry_value *value);

#endif
