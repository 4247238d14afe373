/* Which content each kind of record carries. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_VOCABULARY_H
#define CONSILIUM_PROTOCOL_CONSULT_VOCABULARY_H

#include "protocol/record/content.h"
#include "protocol/record/kind.h"

/* The table of a kind's content; NULL for kinds that are not known, or reserved without one. */
const struct content_table *vocabulary_table(uint16_t kind);

/* A struct of any content; large enough and aligned for all of them. */
enum { VOCABULARY_VALUE_SIZE_MAX = 32768 };
union vocabulary_value {
    uint8_t bytes[VOCABULARY_VALUE_SIZE_MAX];
    uint64_t aligned;
    void *pointer;
};

/* Reads a content of any known kind, for those who only ask whether it is well formed.
 * ERR_UNSUPPORTED for a kind without a table; else as content_read. */
MUST_USE err vocabulary_read(uint16_t kind, struct bytes content, union vocabulary_value *value);

#endif
