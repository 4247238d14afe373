#include "node/cli/manual.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/command_table.h"

static size_t manual_first_size(const struct command *command)
{
    return strcspn(command->name, " ");
}

/* The first words of all commands, or the second ones of those that begin with `first`. */
static void manual_words(const char *first)
{
    const char *last = "";
    for (const struct command *command = command_table_commands; command->name != NULL; command++) {
        size_t size = manual_first_size(command);
        bool is_same = strncmp(command->name, last, size) == 0 && last[size] == ' ';
        if (command->name[0] == '#')
            continue;
        if (first == NULL && !is_same)
            printf(" %.*s", (int)size, command->name);
        else if (first != NULL && strncmp(command->name, first, size) == 0 && first[size] == ' ' &&
                 command->name[size] == ' ')
            printf(" %s", command->name + size + 1);
        last = command->name;
    }
}

static void manual_options(const struct command *command)
{
    printf("    '%s '*) words='", command->name);
    for (const struct field *field = command->fields; field->name != NULL; field++) {
        char name[64];
        command_option_name(field, name, sizeof name);
        printf("--%s ", name);
    }
    if ((command->wants & WANTS_SIGNER) != 0)
        printf("--clinician ");
    if ((command->wants & (WANTS_SIGNER | WANTS_PASSPHRASE)) != 0)
        printf("--passphrase-file ");
    if ((command->wants & WANTS_YES) != 0)
        printf("--yes ");
    printf("--json --federation --socket --help' ;;\n");
}

static void manual_seconds(void)
{
    const char *last = "";
    for (const struct command *command = command_table_commands; command->name != NULL; command++) {
        size_t size = manual_first_size(command);
        bool is_same = strncmp(command->name, last, size) == 0 && last[size] == ' ';
        if (command->name[size] == ' ' && !is_same) {
            printf("    '%.*s') words='", (int)size, command->name);
            manual_words(command->name);
            printf("' ;;\n");
        }
        last = command->name;
    }
}

void manual_completion(void)
{
    printf("# bash completion of consilium; made by `consilium completion`\n"
           "_consilium() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} words= said=\"${COMP_WORDS[*]:1:2} \"\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then words='");
    manual_words(NULL);
    printf("'\n    elif [ \"$COMP_CWORD\" = 2 ]; then case ${COMP_WORDS[1]} in\n");
    manual_seconds();
    printf("    esac; fi\n    [ -n \"$words\" ] || case $said in\n");
    for (const struct command *command = command_table_commands; command->name != NULL; command++) {
        if (command->name[0] != '#')
            manual_options(command);
    }
    printf("    esac\n"
           "    [ -z \"$words\" ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "}\n"
           "complete -o default -F _consilium consilium\n");
}

/* ---- the page ---- */

static void manual_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\')
            printf("\\e");
        else if (*c == '-')
            printf("\\-");
        else if ((c == text || c[-1] == '\n') && (*c == '.' || *c == '\''))
            printf("\\&%c", *c);
        else
            putchar(*c);
    }
}

static void manual_field(const struct field *field)
{
    char name[64];
    command_option_name(field, name, sizeof name);
    printf(".TP\n.B \\-\\-");
    manual_text(name);
    if (field->value != NULL) {
        putchar(' ');
        manual_text(field->value);
    }
    putchar('\n');
    manual_text(field->help);
    printf("%s\n", field->is_required ? " (must be given)." : ".");
}

static void manual_command(const struct command *command)
{
    printf(".TP\n.B %s%s%s\n", command->name, command->arguments[0] == '\0' ? "" : " ",
           command->arguments);
    manual_text(command->help);
    printf(".\n");
    if (command->fields[0].name != NULL)
        printf(".RS\n");
    for (const struct field *field = command->fields; field->name != NULL; field++)
        manual_field(field);
    if (command->fields[0].name != NULL)
        printf(".RE\n");
    printf(".IP\n.nf\n");
    manual_text(command->example);
    printf("\n.fi\n");
}

void manual_commands(void)
{
    for (const struct command *command = command_table_commands; command->name != NULL; command++) {
        if (command->name[0] == '#')
            printf(".SS %s\n", command->help);
        else
            manual_command(command);
    }
}
