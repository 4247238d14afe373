/* Configuration files: INI, checked against a table of settings, so that a wrong one is one line
 * that says where and what to do.
 *
 *   data = /var/lib/consilium            ; before any section: section ""
 *   [listen]
 *   endpoint = tcp://0.0.0.0:7801
 *   [federation north]                   ; a section that may stand often, each with a name
 *   relay = tcp://relay.example:7800
 */
#ifndef CONSILIUM_NODE_CONFIG_CONFIG_H
#define CONSILIUM_NODE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "protocol/base/error.h"

enum config_type {
    CONFIG_TEXT,
    CONFIG_PATH,     /* made absolute, from the directory of the configuration file */
    CONFIG_INT,      /* decimal */
    CONFIG_BOOL,     /* yes no true false on off */
    CONFIG_CHOICE,   /* one of `choices` */
    CONFIG_ENDPOINT, /* tcp://HOST:PORT */
    CONFIG_DURATION, /* 250ms 30s 5m 2h 7d; kept in milliseconds */
    CONFIG_SIZE,     /* 512 64K 10M 4G (powers of 1024); kept in bytes */
};

/* One setting that a program knows. Static storage. */
struct config_setting {
    const char *section; /* "" before any section; "federation *" for [federation NAME] */
    const char *key;
    enum config_type type;
    bool many;                  /* a list, separated by commas */
    bool required;              /* must be set (in each section of a repeated kind) */
    const char *fallback;       /* the value when it is not set; NULL: then it is unset */
    int64_t min, max;           /* of numbers, durations (ms) and sizes; both 0: from 0 on */
    const char *const *choices; /* ends with NULL */
    const char *help;           /* one sentence */
};

struct config_schema {
    const struct config_setting *settings;
    size_t count;
};

struct config;

/* What is wrong, in one line without newline: `FILE:LINE: ...`. */
struct config_trouble {
    char line[1024];
};

/* Reads and checks all of `path`. `schema` is borrowed for as long as the config lives.
 * ERR_NOT_FOUND, ERR_IO, ERR_INVALID: `ret_trouble->line` says what and what to do: print it and
 * exit. */
MUST_USE err config_load(const struct config_schema *schema, const char *path,
                         struct config **ret_config, struct config_trouble *ret_trouble);

/* Accepts NULL. */
void config_free(struct config *config);

/* ---- asking: `section` as written, "federation north" for a repeated one. The setting must be
 * in the schema with that type (asserted: these names are ours). Texts live as long as the config.
 */

/* False when neither set nor with a fallback. The others then answer NULL, 0, false. */
bool config_has(const struct config *config, const char *section, const char *key);
/* TEXT, PATH, ENDPOINT and CHOICE. */
const char *config_text(const struct config *config, const char *section, const char *key);
/* INT, DURATION (ms), SIZE (bytes); CHOICE: its index. */
int64_t config_int(const struct config *config, const char *section, const char *key);
bool config_bool(const struct config *config, const char *section, const char *key);
/* Lists: how many, and each as text. */
size_t config_count(const struct config *config, const char *section, const char *key);
const char *config_item(const struct config *config, const char *section, const char *key,
                        size_t index);

/* Sections of a repeated kind, in the order of the file: `kind` is "federation *", the answer
 * "federation north". */
size_t config_section_count(const struct config *config, const char *kind);
const char *config_section(const struct config *config, const char *kind, size_t index);

/* Writes one line that complains about a setting which only the program can judge (a port in use, a
 * directory of someone else): `FILE:LINE: [section] key: what`. */
void config_complain(const struct config *config, const char *section, const char *key,
                     const char *what, struct config_trouble *ret_trouble);

/* Every setting with its help, type, range and default, as a file that could be used. */
void config_help(const struct config_schema *schema, FILE *out);

#endif
