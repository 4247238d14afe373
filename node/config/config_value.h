/* The types of settings: reading one value, and saying what it should have been. Part of config. */
#ifndef CONSILIUM_NODE_CONFIG_CONFIG_VALUE_H
#define CONSILIUM_NODE_CONFIG_CONFIG_VALUE_H

#include "node/config/config.h"

/* Reads `text` as one value of the setting (one item of it, for a list). `ret_number` gets INT,
 * BOOL (0, 1), CHOICE (index), DURATION (ms), SIZE (bytes); 0 else. ERR_INVALID. */
MUST_USE err config_value_read(const struct config_setting *setting, const char *text,
                               int64_t *ret_number);

/* Says what a value must look like, as the end of a sentence that begins "write ". */
void config_value_wanted(const struct config_setting *setting, char *ret_text, size_t capacity);

/* True when the type is kept as a number. */
bool config_value_is_number(enum config_type type);

#endif
