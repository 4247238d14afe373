/* A command of `consilium`: its arguments, its options, and the function that runs it.
 *
 * Most commands are one request to the local API: the options are its fields (command_table.c).
 * A command of several requests has a function (workflow.h). */
#ifndef CONSILIUM_NODE_CLI_COMMAND_COMMAND_H
#define CONSILIUM_NODE_CLI_COMMAND_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { COMMAND_FIELD_MAX = 24, COMMAND_ARGUMENT_MAX = 3, COMMAND_VALUE_MAX = 32 };

/* How an option's value becomes JSON. */
enum command_field_type {
    FIELD_TEXT,   /* a string; @FILE reads it from a file, @- from standard input */
    FIELD_NUMBER, /* decimal */
    FIELD_TIME,   /* RFC 3339, or from now on: 36h, 14d */
    FIELD_LIST,   /* repeated: an array of strings */
    FIELD_FLAG,   /* true when given */
    FIELD_LOCAL,  /* not sent: only the command uses it */
    FIELD_LOCALS, /* the same, repeated */
};

struct command_field {
    const char *name; /* in JSON; the option has '-' for '_' */
    enum command_field_type type;
    bool is_required;
    const char *value; /* "TEXT" in the help; NULL for flags */
    const char *help;
};

enum command_method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE };

/* The common options that a command uses; --json, --federation and --socket apply to all. */
enum command_wants {
    WANTS_SIGNER = 1,     /* --clinician, --passphrase-file */
    WANTS_PASSPHRASE = 2, /* --passphrase-file alone */
    WANTS_YES = 4,
};

struct command_run;

struct command {
    const char *name;      /* "close", or two words: "draft new" */
    const char *arguments; /* "CASE", "CASE MEMBER", "" */
    const char *help;      /* one sentence */
    enum command_method method;
    const char *path; /* after /v1/FEDERATION/; %s for each argument; fields of a GET are a query */
    const struct command_field *fields; /* ends with a NULL name */
    unsigned wants;      /* of enum command_wants; a plain request with a signer is signed */
    const char *confirm; /* the question before it is signed at a terminal; NULL: none */
    const char *example; /* as typed; each line at most 66 columns */
    /* Instead of, or after, the plain request; NULL: print the answer. */
    int (*run)(struct command_run *run);
    void (*print)(const json_t *answer);
};

/* One call of the program. */
struct command_run {
    const struct command *command;
    const char *socket;
    const char *federation;
    const char *clinician;
    const char *passphrase_file;
    bool is_json;
    bool is_sure;    /* --yes */
    bool is_checked; /* by request_check: the node would not refuse what is signed next */
    const char *arguments[COMMAND_ARGUMENT_MAX];
    size_t argument_count;
    struct {
        const char *all[COMMAND_VALUE_MAX];
        size_t count;
    } values[COMMAND_FIELD_MAX]; /* by field */
};

/* Parses the arguments after the command's name. Prints help, or a usage error, and exits (2). An
 * option that takes one value is refused when it is given twice. */
void command_parse(struct command_run *run, int argc, char **argv);

/* The value of a field, NULL when it was not given; the first of a list. */
const char *command_value(const struct command_run *run, const char *field);
size_t command_count(const struct command_run *run, const char *field);
const char *command_nth(const struct command_run *run, const char *field, size_t n);

/* All fields that are sent, as an object; NULL when some are malformed (an error was printed for
 * each). */
json_t *command_body(const struct command_run *run);

/* "wanted-count" of "wanted_count": a field as an option. */
void command_option_name(const struct command_field *field, char *ret_name, size_t size);
/* True when the option may be given several times. */
bool command_is_repeated(const struct command_field *field);

#endif
