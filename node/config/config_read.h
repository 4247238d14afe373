/* What a configuration is while it is read and asked, and the reading of it. Part of config. */
#ifndef CONSILIUM_NODE_CONFIG_CONFIG_READ_H
#define CONSILIUM_NODE_CONFIG_CONFIG_READ_H

#include "node/config/config.h"

struct config_section {
    struct config_section *next;
    char *name;
    unsigned line;
};

struct config_value {
    struct config_value *next;
    const struct config_setting *setting;
    struct config_section *section; /* in which it stands */
    unsigned line;                  /* 0: the fallback */
    size_t count;                   /* items of a list, else 1 */
    char **items;
    int64_t number;
};

struct config {
    const struct config_schema *schema;
    char *path;
    char *directory; /* with the slash at its end; "" for the working directory */
    struct config_section *sections;
    struct config_value *values;
};

/* Reads `text`, which it cuts up, into `config`, whose schema, path and directory are set.
 * ERR_INVALID: `ret_trouble` says why; ERR_NO_MEMORY. */
MUST_USE err config_read_text(struct config *config, char *text,
                              struct config_trouble *ret_trouble);

/* True when a section of that name is one of `kind`: "listen" is "listen", and "federation north"
 * is one of "federation *". */
bool config_read_section_fits(const char *kind, const char *name);

/* The value of a setting, or its fallback; NULL when it is unset. */
struct config_value *config_read_find(const struct config *config, const char *section,
                                      const char *key);

/* Frees what reading made. */
void config_read_free(struct config *config);

#endif
