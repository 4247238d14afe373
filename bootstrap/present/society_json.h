/* The roster as JSON, for `show --json`, `verify --json` and `publish --json`.
 *
 * A function that makes a value returns a new reference, or NULL when memory is short. What takes
 * a value takes NULL too, and then fails. Members of an object keep their order. */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_JSON_H
#define CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_JSON_H

#include <jansson.h>

#include "bootstrap/directory/society_directory.h"

/* Text of a roster is UTF-8 (ROSTER-10); other text gives NULL. */
json_t *society_json_text(struct bytes text);
/* Ids, keys and hashes: at most HASH_SIZE bytes. */
json_t *society_json_hex(struct bytes value);

/* Appends `value` and releases it. Releases `*list` as well, and sets it to NULL, when either is
 * NULL. */
void society_json_append(json_t **list, json_t *value);

/* What `show --json` prints: what is in force and what is pending, each only when it exists. */
json_t *society_json_roster(const struct society *society);

/* Prints `value` on one line of standard output and releases it. Exit status: 1, and an error
 * message, when it is NULL. */
int society_json_print(json_t *value);

#endif
