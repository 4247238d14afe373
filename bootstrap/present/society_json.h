/* JSON, written as it goes, for `show --json` and `verify --json`. */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_JSON_H
#define CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "protocol/base/bytes.h"

/* `first`: nothing stands before the next value of this level. */
struct society_json {
    FILE *out;
    bool first;
};
/* `key` NULL: an element of an array, or the outermost value. */
void society_json_open(struct society_json *json, const char *key, char bracket);
void society_json_close(struct society_json *json, char bracket);
void society_json_text(struct society_json *json, const char *key, struct bytes text);
void society_json_hex(struct society_json *json, const char *key, struct bytes value);
void society_json_number(struct society_json *json, const char *key, uint64_t value);
void society_json_bool(struct society_json *json, const char *key, bool value);

#endif
