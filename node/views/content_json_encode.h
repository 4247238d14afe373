/* From the struct that a content's table describes to JSON. */
#ifndef CONSILIUM_NODE_VIEWS_CONTENT_JSON_ENCODE_H
#define CONSILIUM_NODE_VIEWS_CONTENT_JSON_ENCODE_H

#include "node/views/content_json.h"

/* An object with the fields of `value` that are not zero. Item keys are never shown. NULL when
 * there is no memory. */
json_t *content_json_encode(const struct content_table *table, const void *value);

json_t *content_json_encode_hex(struct bytes bytes);
json_t *content_json_encode_text(struct bytes text);
json_t *content_json_encode_time(struct wall time); /* JSON null for 0 */

#endif
