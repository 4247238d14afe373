/* JSON to contents of records and back, by the contents' own tables (protocol/record/content.h). So
 * the local API has the field names, limits and codes of spec/consult.md, and no list of its own.
 *
 *   UINT      number                          BIN, FIXED  hexadecimal text
 *   BOOL      true, false                     TIME        "2025-02-14T09:30:00.000Z"
 *   CODE      its name                        MAP, LIST   object, array
 *   TEXT ...  text
 *
 * A date alone is taken as the end of that day in UTC. */
#ifndef CONSILIUM_NODE_VIEWS_CONTENT_JSON_H
#define CONSILIUM_NODE_VIEWS_CONTENT_JSON_H

#include <jansson.h>

#include "node/views/refusal.h"
#include "protocol/base/ids.h"
#include "protocol/record/content.h"

enum { CONTENT_JSON_DEPTH_MAX = 16, CONTENT_JSON_TIME_SIZE = 32 };

/* Wipes what jansson frees: passphrases pass through it. Once, before the first use. */
void content_json_harden(void);

/* Reads one JSON object. Windows habits are harmless: a byte-order mark before the object or at the
 * beginning of a text is dropped, and CR LF in a text becomes LF. Else strictly: depth at most
 * CONTENT_JSON_DEPTH_MAX, no duplicate keys, nothing after it. ERR_INVALID, ERR_TOO_LARGE (too
 * deep); `ret_problem->message` tells where. */
MUST_USE err content_json_parse(struct bytes text, json_t **ret_form, struct refusal *ret_problem);

/* Fields that are not of a table. NULL or false when it is missing and may be; ERR_INVALID with the
 * field's name otherwise. */
MUST_USE err content_json_text(const json_t *form, const char *name, size_t size_max,
                               const char **ret_text, struct refusal *ret_problem);
MUST_USE err content_json_need_text(const json_t *form, const char *name, size_t size_max,
                                    const char **ret_text, struct refusal *ret_problem);
/* Unknown fields are an error that names all of them: `known` ends with NULL. The second adds to
 * what `problem` says already. */
MUST_USE err content_json_check_names(const json_t *form, const char *const *known,
                                      struct refusal *ret_problem);
void content_json_add_unknown(const json_t *form, const char *const *known,
                              struct refusal *problem);

void content_json_time(struct wall time, char ret_text[static CONTENT_JSON_TIME_SIZE]);
MUST_USE err content_json_read_time(const char *text, struct wall *ret_time);

#endif
