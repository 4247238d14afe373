/* consilium: the command line with which clinicians and administrators use the local node. */
#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_confirm.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/command_table.h"
#include "node/cli/manual.h"
#include "node/cli/terminal/term.h"

static void usage(void)
{
    printf("Usage: consilium COMMAND [ARGUMENT...] [OPTION...]\n"
           "\n"
           "Ask colleagues at other hospitals for a second opinion, and give one.\n"
           "`consilium COMMAND --help` describes a command and its options.\n");
    command_table_list();
    printf("\n"
           "CASE, DRAFT, RECORD, ITEM and MEMBER may be shortened to a unique beginning of\n"
           "at least 4 digits. Exit status: 0 done; 1 refused or failed, with the reason on\n"
           "standard error; 2 the command line was wrong; 3 of `status`: no record can be\n"
           "written now.\n"
           "\n"
           "NO REAL PATIENTS YET: de-identification is not built.\n"
           "Not for emergencies: telephone.\n"
           "Every opinion is advice; the treating clinician remains responsible.\n");
}

/* The path with its arguments, and for GET the fields as a query. Caller frees. */
static char *path_of(const struct command_run *run)
{
    char path[2048], *escaped[COMMAND_ARGUMENT_MAX];
    size_t count = run->argument_count;
    for (size_t i = 0; i < COMMAND_ARGUMENT_MAX; i++)
        escaped[i] = request_escape(i < count ? run->arguments[i] : "");
    const char *at = run->command->path;
    size_t used = 0, next = 0;
    for (; *at != '\0' && used < sizeof path - 1; at++) {
        if (at[0] == '%' && at[1] == 's') {
            int added = snprintf(path + used, sizeof path - used, "%s", escaped[next++]);
            used += added < 0 ? 0 : (size_t)added;
            at++;
        } else {
            path[used++] = *at;
        }
        if (used >= sizeof path)
            used = sizeof path - 1;
    }
    path[used] = '\0';
    char separator = '?';
    const struct command_field *field = run->command->fields;
    for (; run->command->method == METHOD_GET && field->name != NULL; field++) {
        const char *value = command_value(run, field->name);
        if (value == NULL || used + 1 >= sizeof path)
            continue;
        char *text = request_escape(value);
        int added =
            snprintf(path + used, sizeof path - used, "%c%s=%s", separator, field->name, text);
        used += added < 0 ? 0 : (size_t)added;
        separator = '&';
        free(text);
    }
    for (size_t i = 0; i < COMMAND_ARGUMENT_MAX; i++)
        free(escaped[i]);
    return strdup(path);
}

static int plain(struct command_run *run)
{
    char *path = path_of(run);
    json_t *body = run->command->method == METHOD_GET ? NULL : command_body(run);
    json_t *answer = NULL;
    bool is_signed = (run->command->wants & WANTS_SIGNER) != 0;
    if (is_signed && body != NULL)
        answer = workflow_confirm_post(run, path, body, NULL);
    else if (workflow_confirm_is_asked(run) && !workflow_confirm_ask(run->command->confirm))
        term_problem("nothing was changed");
    else if (run->command->method == METHOD_GET || body != NULL)
        answer = request_send(run, run->command->method, path, body);
    json_decref(body);
    free(path);
    return workflow_output_print(run, answer, run->command->print);
}

int main(int argc, char **argv)
{
    struct command_run run = {.command = NULL};
    int words = 0;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage();
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("consilium " CONSILIUM_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--manual") == 0) { /* tests/lint/manual.py */
        manual_commands();
        return 0;
    }
    if (strcmp(argv[1], "completion") == 0 && argc == 2) {
        manual_completion();
        return 0;
    }
    run.command = command_table_find(argc - 1, argv + 1, &words);
    if (run.command == NULL) {
        if (argv[1][0] == '-')
            term_problem("the command comes before its options: consilium COMMAND %s ...", argv[1]);
        else if (!command_table_list_group(argv[1]))
            term_problem("there is no command `%s`; `consilium --help` lists them", argv[1]);
        return 2;
    }
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        term_problem(
            "libsodium or libcurl cannot be initialised; reinstall the package consilium-node");
        return 1;
    }
    command_parse(&run, argc - words, argv + words);
    int status = run.command->run == NULL ? plain(&run) : run.command->run(&run);
    curl_global_cleanup();
    return status;
}
