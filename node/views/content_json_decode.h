/* From JSON into the struct that a content's table describes. */
#ifndef CONSILIUM_NODE_VIEWS_CONTENT_JSON_DECODE_H
#define CONSILIUM_NODE_VIEWS_CONTENT_JSON_DECODE_H

#include "node/views/content_json.h"

/* Fills the struct of `table` from the object `form`. Texts and lists borrow from `form`; ids are
 * copied. Fields that are missing or null stay zeros, and required ones are an error only when
 * `is_whole`; unknown ones are always. What content_write would refuse is found here, with the
 * name of its field.
 * `arena` (CONTENT_JSON_ARENA_SIZE bytes) gets bytes that were written as hexadecimal. */
enum { CONTENT_JSON_ARENA_SIZE = 64 * 1024 };
struct content_json_take {
    const struct content_table *table;
    const char *const
        *ignored; /* fields that the caller reads itself; ends with NULL; may be NULL */
    bool is_whole;
    struct buffer *arena; /* may be NULL when the table holds no BIN */
};
MUST_USE err content_json_decode(const struct content_json_take *how, const json_t *form,
                                 void *ret_value, struct refusal *ret_problem);

#endif
