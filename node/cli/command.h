/* A command of `consilium`: its arguments and options, and what it does with them.
 *
 * Most commands are one request to the local API whose fields are options; a table says which
 * (command_table.c). Those that are more than one request have a function of their own. */
#ifndef CONSILIUM_NODE_CLI_COMMAND_H
#define CONSILIUM_NODE_CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { COMMAND_FIELD_MAX = 24, COMMAND_ARGUMENT_MAX = 3, COMMAND_VALUE_MAX = 32 };

/* How an option's value becomes JSON. */
enum field_type {
    FIELD_TEXT,   /* a string; @FILE reads it from a file, @- from standard input */
    FIELD_NUMBER, /* decimal */
    FIELD_TIME,   /* RFC 3339, or from now on: 36h, 14d */
    FIELD_LIST,   /* repeated: an array of strings */
    FIELD_FLAG,   /* true when given */
    FIELD_LOCAL,  /* not sent: the command's own business */
    FIELD_LOCALS, /* the same, repeated */
};

struct field {
    const char *name; /* in JSON; the option has '-' for '_' */
    enum field_type type;
    bool is_required;
    const char *value; /* "TEXT" in the help; NULL for flags */
    const char *help;
};

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE };

/* Which of the common options mean something to a command; those of the node always do. */
enum command_wants {
    WANTS_SIGNER = 1,     /* --clinician, --passphrase-file */
    WANTS_PASSPHRASE = 2, /* --passphrase-file alone */
    WANTS_YES = 4,
};

struct run;

struct command {
    const char *name;      /* "close", or two words: "draft new" */
    const char *arguments; /* "CASE", "CASE MEMBER", "" */
    const char *help;      /* one sentence */
    enum method method;
    const char *path; /* after /v1/FEDERATION/; %s for each argument; fields of a GET are a query */
    const struct field *fields; /* ends with a NULL name */
    unsigned wants;             /* of enum command_wants; a plain request with a signer is signed */
    const char *example;        /* as typed; several lines begin alike */
    /* Instead of, or after, the plain request; NULL: print the answer. */
    int (*run)(struct run *run);
    void (*print)(const json_t *answer);
};

/* One call of the program. */
struct run {
    const struct command *command;
    const char *socket;
    const char *federation;
    const char *clinician;
    const char *passphrase_file;
    bool is_json;
    bool is_sure; /* --yes */
    const char *arguments[COMMAND_ARGUMENT_MAX];
    size_t argument_count;
    struct {
        const char *all[COMMAND_VALUE_MAX];
        size_t count;
    } values[COMMAND_FIELD_MAX]; /* by field */
};

/* Parses what follows the command's name; prints help or usage errors and exits (2). An option that
 * takes one value is refused when it is given twice: nobody knows which was meant. */
void command_parse(struct run *run, int argc, char **argv);

/* The value of a field, NULL when it was not given; the first of a list. */
const char *command_value(const struct run *run, const char *field);
size_t command_count(const struct run *run, const char *field);
const char *command_nth(const struct run *run, const char *field, size_t n);

/* All fields that are sent, as an object; NULL when one is not well-formed (it was said). */
json_t *command_body(const struct run *run);

/* "wanted-count" of "wanted_count": a field as an option. */
void command_option_name(const struct field *field, char *ret_name, size_t size);
/* May it be given more than once? */
bool command_is_repeated(const struct field *field);

#endif
