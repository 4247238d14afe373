#include "node/cli/command/command.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/cli/terminal/input_file.h"
#include "node/cli/terminal/term.h"

enum { OPTION_SOCKET = 1000, OPTION_FEDERATION, OPTION_JSON, OPTION_CLINICIAN, OPTION_PASSPHRASE };
enum { COMMAND_TEXT_SIZE_MAX = 64 * 1024 };

static size_t field_count(const struct command *command)
{
    size_t count = 0;
    while (command->fields != NULL && command->fields[count].name != NULL)
        count++;
    return count;
}

static size_t argument_count(const char *arguments)
{
    size_t count = 0;
    for (const char *c = arguments; *c != '\0'; c++)
        count += *c != ' ' && (c == arguments || c[-1] == ' ');
    return count;
}

/* ---- parsing ---- */

bool command_is_repeated(const struct command_field *field)
{
    return field->type == FIELD_LIST || field->type == FIELD_LOCALS;
}

void command_option_name(const struct command_field *field, char *ret_name, size_t size)
{
    snprintf(ret_name, size, "%s", field->name);
    for (char *c = ret_name; *c != '\0'; c++)
        *c = *c == '_' ? '-' : *c;
}

/* An option of one value is refused when it is given twice: either could be the wrong one. */
static void command_once(struct argp_state *state, const char *name, const char **value,
                         const char *later)
{
    if (*value != NULL)
        argp_error(state, "--%s is given twice: `%s` and `%s`; give it once", name, *value, later);
    *value = later;
}

static void command_take_argument(struct command_run *run, struct argp_state *state,
                                  const char *value)
{
    if (run->argument_count >= argument_count(run->command->arguments))
        argp_error(state, "unexpected argument `%s`%s", value,
                   run->argument_count == 0 ? ""
                                            : "; put quotes around a text that contains blanks");
    run->arguments[run->argument_count++] = value;
}

static error_t command_take_field(struct command_run *run, struct argp_state *state, int key,
                                  const char *value)
{
    size_t index = (size_t)key - 1;
    char name[48];
    if (key < 1 || index >= field_count(run->command))
        return ARGP_ERR_UNKNOWN;
    const struct command_field *field = &run->command->fields[index];
    command_option_name(field, name, sizeof name);
    if (!command_is_repeated(field) && run->values[index].count == 1)
        command_once(state, name, &run->values[index].all[0], value == NULL ? "yes" : value);
    if (run->values[index].count == COMMAND_VALUE_MAX)
        argp_error(state, "--%s is given more than %d times, which is the most", name,
                   COMMAND_VALUE_MAX);
    run->values[index].all[run->values[index].count++] = value == NULL ? "yes" : value;
    return 0;
}

static error_t command_take(int key, char *value, struct argp_state *state)
{
    struct command_run *run = state->input;
    switch (key) {
    case OPTION_SOCKET:
        command_once(state, "socket", &run->socket, value);
        return 0;
    case OPTION_FEDERATION:
        command_once(state, "federation", &run->federation, value);
        return 0;
    case OPTION_JSON:
        run->is_json = true;
        return 0;
    case OPTION_CLINICIAN:
        command_once(state, "clinician", &run->clinician, value);
        return 0;
    case OPTION_PASSPHRASE:
        command_once(state, "passphrase-file", &run->passphrase_file, value);
        return 0;
    case 'y':
        run->is_sure = true;
        return 0;
    case ARGP_KEY_ARG:
        command_take_argument(run, state, value);
        return 0;
    default:
        return command_take_field(run, state, key, value);
    }
}

/* ---- help ---- */

enum { COMMAND_HELP_SIZE = 200, COMMAND_DOC_SIZE = 1024, COMMAND_COMMON_COUNT = 6 };

/* What argp gets; static, because argp uses it until the program ends. */
struct command_usage {
    struct argp_option options[COMMAND_FIELD_MAX + COMMAND_COMMON_COUNT + 2];
    char names[COMMAND_FIELD_MAX][48];
    char helps[COMMAND_FIELD_MAX][COMMAND_HELP_SIZE];
    char doc[COMMAND_DOC_SIZE];
    char program[128];
};

/* Every command accepts all common options, so a script may always pass them; the help of a
 * command lists those that it uses. */
static int command_flags(const struct command *command, unsigned wants)
{
    return (command->wants & wants) != 0 ? 0 : OPTION_HIDDEN;
}

static void command_usage_common(const struct command *command, struct argp_option *option)
{
    const struct argp_option common[COMMAND_COMMON_COUNT] = {
        {"clinician", OPTION_CLINICIAN, "LOGIN", command_flags(command, WANTS_SIGNER),
         "The account that signs; default: your login name", 90},
        {"passphrase-file", OPTION_PASSPHRASE, "FILE",
         command_flags(command, WANTS_SIGNER | WANTS_PASSPHRASE),
         "File with that account's passphrase in its first line (mode 600)", 91},
        {"yes", 'y', NULL, command_flags(command, WANTS_YES),
         "Do not ask; replace existing files (for scripts)", 92},
        {"json", OPTION_JSON, NULL, 0, "Print the answer as JSON", 93},
        {"federation", OPTION_FEDERATION, "NAME", 0,
         "The federation to use, if the node is in several", 94},
        {"socket", OPTION_SOCKET, "PATH", 0,
         "The node's socket; default $CONSILIUM_SOCKET or /run/consilium/consilium.sock", 95},
    };
    memcpy(option, common, sizeof common);
}

static void command_usage_make(const struct command *command, struct command_usage *usage)
{
    size_t count = field_count(command);
    for (size_t i = 0; i < count; i++) {
        const struct command_field *field = &command->fields[i];
        command_option_name(field, usage->names[i], sizeof usage->names[i]);
        snprintf(usage->helps[i], sizeof usage->helps[i], "%s%s", field->help,
                 field->is_required ? " (required)" : "");
        usage->options[i] = (struct argp_option){
            .name = usage->names[i],
            .key = (int)i + 1,
            .arg = field->value,
            .doc = usage->helps[i],
            .group = field->is_required
                         ? 1
                         : (int)i + 2, /* in the order of the table, not the alphabet */
        };
    }
    command_usage_common(command, &usage->options[count]);
    size_t used =
        (size_t)snprintf(usage->doc, sizeof usage->doc, "%s.\vExample:\n  ", command->help);
    for (const char *c = command->example; *c != '\0' && used + 4 < sizeof usage->doc; c++) {
        used += (size_t)snprintf(usage->doc + used, sizeof usage->doc - used, "%c%s", *c,
                                 *c == '\n' ? "  " : "");
    }
    snprintf(usage->program, sizeof usage->program, "consilium %s", command->name);
}

/* ---- all of it ---- */

/* Names everything that is missing, and ends the program. */
static void command_check_whole(const struct command_run *run, const struct command_usage *usage)
{
    char list[400] = "";
    size_t used = 0, count = 0;
    if (run->argument_count < argument_count(run->command->arguments)) {
        used = (size_t)snprintf(list, sizeof list, "%s", run->command->arguments);
        count = argument_count(run->command->arguments);
    }
    for (size_t i = 0; i < field_count(run->command); i++) {
        if (!run->command->fields[i].is_required || run->values[i].count > 0 || used >= sizeof list)
            continue;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s--%s", count == 0 ? "" : ", ",
                                 usage->names[i]);
        count++;
    }
    if (count == 0)
        return;
    fprintf(stderr, "%s: %s %s missing. For example:\n  ", usage->program, list,
            count == 1 ? "is" : "are");
    for (const char *c = run->command->example; *c != '\0'; c++)
        fprintf(stderr, "%c%s", *c, *c == '\n' ? "  " : "");
    fputc('\n', stderr);
    exit(2);
}

void command_parse(struct command_run *run, int argc, char **argv)
{
    static struct command_usage usage;
    const struct command *command = run->command;
    command_usage_make(command, &usage);
    const struct argp argp = {.options = usage.options,
                              .parser = command_take,
                              .args_doc = command->arguments,
                              .doc = usage.doc};
    argv[0] = usage.program;
    program_invocation_name = usage.program;
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, run) != 0)
        exit(2);
    command_check_whole(run, &usage);
}

static size_t command_index(const struct command_run *run, const char *name)
{
    size_t count = field_count(run->command);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(run->command->fields[i].name, name) == 0)
            return i;
    }
    return COMMAND_FIELD_MAX;
}

size_t command_count(const struct command_run *run, const char *field)
{
    size_t index = command_index(run, field);
    return index == COMMAND_FIELD_MAX ? 0 : run->values[index].count;
}

const char *command_nth(const struct command_run *run, const char *field, size_t n)
{
    return n < command_count(run, field) ? run->values[command_index(run, field)].all[n] : NULL;
}

const char *command_value(const struct command_run *run, const char *field)
{
    return command_nth(run, field, 0);
}

/* ---- values ---- */

/* "@FILE" gives the content of the file, "@-" standard input. */
static json_t *command_text(const char *value)
{
    char *text;
    size_t size;
    if (value[0] != '@')
        return json_string(value);
    if (!input_file_text(value + 1, COMMAND_TEXT_SIZE_MAX, &text, &size))
        return NULL;
    json_t *json = json_stringn(text, size);
    free(text);
    return json;
}

/* "36h" and "14d" count from now; any other value goes to the node unchanged, which checks it. */
static json_t *command_time(const char *value)
{
    char *end;
    char text[40];
    unsigned long number = strtoul(value, &end, 10);
    bool is_relative = end != value && (end[0] == 'h' || end[0] == 'd') && end[1] == '\0';
    if (!is_relative || number > 100000)
        return json_string(value);
    time_t when = time(NULL) + (time_t)(number * (end[0] == 'h' ? 3600 : 86400));
    struct tm parts;
    gmtime_r(&when, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
    return json_string(text);
}

static json_t *command_number(const struct command_field *field, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0) {
        char name[64];
        command_option_name(field, name, sizeof name);
        term_problem("--%s: `%s` is not a whole number", name, value);
        return NULL;
    }
    return json_integer(number);
}

static json_t *command_list_of(const struct command_run *run, size_t index)
{
    json_t *list = json_array();
    for (size_t i = 0; i < run->values[index].count; i++)
        json_array_append_new(list, json_string(run->values[index].all[i]));
    return list;
}

static json_t *command_field(const struct command_run *run, size_t index)
{
    const struct command_field *field = &run->command->fields[index];
    const char *value = run->values[index].all[0];
    switch (field->type) {
    case FIELD_TEXT:
        return command_text(value);
    case FIELD_NUMBER:
        return command_number(field, value);
    case FIELD_TIME:
        return command_time(value);
    case FIELD_LIST:
        return command_list_of(run, index);
    case FIELD_FLAG:
        return json_true();
    case FIELD_LOCAL:
    case FIELD_LOCALS:
        break;
    }
    return NULL;
}

json_t *command_body(const struct command_run *run)
{
    json_t *body = json_object();
    size_t count = field_count(run->command);
    bool is_good = true;
    for (size_t i = 0; i < count; i++) {
        enum command_field_type type = run->command->fields[i].type;
        if (run->values[i].count == 0 || type == FIELD_LOCAL || type == FIELD_LOCALS)
            continue;
        json_t *value = command_field(run, i);
        is_good = is_good && value != NULL;
        if (value != NULL)
            json_object_set_new(body, run->command->fields[i].name, value);
    }
    if (is_good)
        return body;
    json_decref(body);
    return NULL;
}
