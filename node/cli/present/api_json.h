/* Reading the answers of the node: a missing value is empty, 0 or false. */
#ifndef CONSILIUM_NODE_CLI_PRESENT_API_JSON_H
#define CONSILIUM_NODE_CLI_PRESENT_API_JSON_H

#include <jansson.h>
#include <stdbool.h>

const char *api_json_text(const json_t *object, const char *key);
long long api_json_number(const json_t *object, const char *key);
bool api_json_is(const json_t *object, const char *key);
bool api_json_equals(const json_t *object, const char *key, const char *text);
/* "name" of the object under `key`: a member, a clinician. */
const char *api_json_name(const json_t *object, const char *key);
/* The only array of an answer, under any name. */
const json_t *api_json_list(const json_t *answer);

#endif
