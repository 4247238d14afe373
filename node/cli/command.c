#include "node/cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/cli/show.h"
#include "node/io/file.h"

enum { OPTION_SOCKET = 1000, OPTION_FEDERATION, OPTION_JSON, OPTION_CLINICIAN, OPTION_PASSPHRASE };
enum { COMMAND_TEXT_SIZE_MAX = 64 * 1024 };

static size_t field_count(const struct command *command)
{
    size_t count = 0;
    while (command->fields != NULL && command->fields[count].name != NULL)
        count++;
    return count;
}

/* ---- parsing ---- */

static error_t command_take(int key, char *value, struct argp_state *state)
{
    struct run *run = state->input;
    switch (key) {
    case OPTION_SOCKET:
        run->socket = value;
        return 0;
    case OPTION_FEDERATION:
        run->federation = value;
        return 0;
    case OPTION_JSON:
        run->is_json = true;
        return 0;
    case OPTION_CLINICIAN:
        run->clinician = value;
        return 0;
    case OPTION_PASSPHRASE:
        run->passphrase_file = value;
        return 0;
    case 'y':
        run->is_sure = true;
        return 0;
    case ARGP_KEY_ARG:
        if (run->argument_count == COMMAND_ARGUMENT_MAX)
            argp_error(state, "too many arguments: `%s`", value);
        run->arguments[run->argument_count++] = value;
        return 0;
    default:
        break;
    }
    size_t index = (size_t)key - 1;
    if (key < 1 || index >= field_count(run->command))
        return ARGP_ERR_UNKNOWN;
    if (run->values[index].count == COMMAND_VALUE_MAX)
        argp_error(state, "too many of --%s; at most %d", run->command->fields[index].name,
                   COMMAND_VALUE_MAX);
    run->values[index].all[run->values[index].count++] = value == NULL ? "" : value;
    return 0;
}

static size_t argument_count(const char *arguments)
{
    size_t count = 0;
    for (const char *c = arguments; *c != '\0'; c++)
        count += *c != ' ' && (c == arguments || c[-1] == ' ') && *c != '[';
    return count;
}

static const struct argp_option command_common[] = {
    {"socket", OPTION_SOCKET, "PATH", 0,
     "The node's socket; default $CONSILIUM_SOCKET or /run/consilium/consilium.sock", 9},
    {"federation", OPTION_FEDERATION, "NAME", 0,
     "Which federation of the node, when it has several", 9},
    {"json", OPTION_JSON, NULL, 0, "Print the answer as JSON", 9},
    {"yes", 'y', NULL, 0, "Do not ask: what is shown was read by whoever calls", 9},
    {"clinician", OPTION_CLINICIAN, "LOGIN", 0,
     "Who signs; default: your login, when it has an account", 9},
    {"passphrase-file", OPTION_PASSPHRASE, "FILE", 0,
     "That clinician's passphrase: the first line of FILE (mode 600)", 9},
};

void command_parse(struct run *run, int argc, char **argv)
{
    struct argp_option options[COMMAND_FIELD_MAX + 8];
    char names[COMMAND_FIELD_MAX][48], arguments[128], program[128];
    size_t count = field_count(run->command), n = 0;
    memset(options, 0, sizeof options);
    for (; n < count; n++) {
        const struct field *field = &run->command->fields[n];
        snprintf(names[n], sizeof names[n], "%s", field->name);
        for (char *c = names[n]; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        options[n] = (struct argp_option){names[n], (int)n + 1, field->value, 0, field->help, 1};
    }
    memcpy(&options[n], command_common, sizeof command_common);
    snprintf(arguments, sizeof arguments, "%s", run->command->arguments);
    snprintf(program, sizeof program, "consilium %s", run->command->name);
    const struct argp argp = {.options = options,
                              .parser = command_take,
                              .args_doc = arguments,
                              .doc = run->command->help};
    argv[0] = program;
    program_invocation_name = program;
    if (argp_parse(&argp, argc, argv, 0, NULL, run) != 0)
        exit(2);
    if (run->argument_count < argument_count(run->command->arguments)) {
        fprintf(stderr, "%s: wants %s; see %s --help\n", program, run->command->arguments, program);
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        if (run->command->fields[i].is_required && run->values[i].count == 0) {
            fprintf(stderr, "%s: wants --%s; see %s --help\n", program, names[i], program);
            exit(2);
        }
    }
}

static size_t command_index(const struct run *run, const char *name)
{
    size_t count = field_count(run->command);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(run->command->fields[i].name, name) == 0)
            return i;
    }
    return COMMAND_FIELD_MAX;
}

size_t command_count(const struct run *run, const char *field)
{
    size_t index = command_index(run, field);
    return index == COMMAND_FIELD_MAX ? 0 : run->values[index].count;
}

const char *command_nth(const struct run *run, const char *field, size_t n)
{
    return n < command_count(run, field) ? run->values[command_index(run, field)].all[n] : NULL;
}

const char *command_value(const struct run *run, const char *field)
{
    return command_nth(run, field, 0);
}

/* ---- values ---- */

/* "@FILE" gives what the file holds, without its last newline. */
static json_t *command_text(const char *value)
{
    if (value[0] != '@')
        return json_string(value);
    const char *path = strcmp(value, "@-") == 0 ? "/dev/stdin" : value + 1;
    FILE *file = fopen(path, "rb");
    char *text = malloc(COMMAND_TEXT_SIZE_MAX + 1);
    size_t size =
        file == NULL || text == NULL ? 0 : fread(text, 1, COMMAND_TEXT_SIZE_MAX + 1, file);
    json_t *json = NULL;
    if (file == NULL)
        show_problem("%s: %s", path, strerror(errno));
    else if (size > COMMAND_TEXT_SIZE_MAX)
        show_problem("%s: longer than %d bytes", path, COMMAND_TEXT_SIZE_MAX);
    else {
        while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
            size--;
        json = json_stringn(text, size);
        if (json == NULL)
            show_problem("%s: not text in UTF-8", path);
    }
    if (file != NULL)
        fclose(file);
    free(text);
    return json;
}

/* "36h" and "14d" count from now; anything else goes as it is, and the node judges it. */
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

static json_t *command_number(const struct field *field, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0) {
        show_problem("--%s: `%s` is no number", field->name, value);
        return NULL;
    }
    return json_integer(number);
}

static json_t *command_list_of(const struct run *run, size_t index)
{
    json_t *list = json_array();
    for (size_t i = 0; i < run->values[index].count; i++)
        json_array_append_new(list, json_string(run->values[index].all[i]));
    return list;
}

static json_t *command_field(const struct run *run, size_t index)
{
    const struct field *field = &run->command->fields[index];
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
        break;
    }
    return NULL;
}

json_t *command_body(const struct run *run)
{
    json_t *body = json_object();
    size_t count = field_count(run->command);
    for (size_t i = 0; i < count; i++) {
        if (run->values[i].count == 0 || run->command->fields[i].type == FIELD_LOCAL)
            continue;
        json_t *value = command_field(run, i);
        if (value == NULL) {
            json_decref(body);
            return NULL;
        }
        json_object_set_new(body, run->command->fields[i].name, value);
    }
    return body;
}

/* ---- finding ---- */

const struct command *command_find(int argc, char **argv, int *ret_words)
{
    const struct command *found = NULL;
    for (const struct command *command = command_catalog; command->name != NULL; command++) {
        char two[128];
        bool has_two = strchr(command->name, ' ') != NULL;
        if (has_two && argc < 2)
            continue;
        snprintf(two, sizeof two, "%s%s%s", argv[0], has_two ? " " : "", has_two ? argv[1] : "");
        if (strcmp(two, command->name) == 0 && (found == NULL || has_two)) {
            found = command;
            *ret_words = has_two ? 2 : 1;
        }
    }
    return found;
}

bool command_list_group(const char *word)
{
    size_t size = strlen(word);
    bool is_group = false;
    for (const struct command *command = command_catalog; command->name != NULL; command++) {
        if (strncmp(command->name, word, size) != 0 || command->name[size] != ' ')
            continue;
        if (!is_group)
            fprintf(stderr, "consilium: `%s` wants one word more:\n", word);
        is_group = true;
        fprintf(stderr, "  %-18s %-12s %s\n", command->name, command->arguments, command->help);
    }
    return is_group;
}

void command_list(void)
{
    for (const struct command *command = command_catalog; command->name != NULL; command++) {
        if (command->name[0] == '#') {
            printf("\n%s\n", command->help);
            continue;
        }
        char words[64];
        snprintf(words, sizeof words, "%s %s", command->name, command->arguments);
        printf("  %-26s %s\n", words, command->help);
    }
}
