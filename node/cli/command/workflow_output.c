#include "node/cli/command/workflow_output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/cli/terminal/term.h"

int workflow_output_print(const struct command_run *run, json_t *answer,
                          void (*print)(const json_t *answer))
{
    if (answer == NULL)
        return 1;
    if (run->is_json)
        term_json(answer);
    else if (print != NULL)
        print(answer);
    else
        term_value(answer);
    json_decref(answer);
    return 0;
}

void workflow_output_file(const char *folder, const char *name, size_t number, char *ret_file,
                          size_t size)
{
    char *clean = term_clean(name, false);
    for (char *c = clean; *c != '\0'; c++)
        *c = strchr("/\\:*?\"<>|", *c) != NULL ? '_' : *c;
    const char *start = clean + strspn(clean, ".");
    snprintf(ret_file, size, "%s/%zu-%.140s", folder, number % 1000,
             *start == '\0' ? "item" : start);
    free(clean);
}

bool workflow_output_folder(const char *wanted, const char **ret_folder)
{
    *ret_folder = wanted == NULL ? "." : wanted;
    if (wanted != NULL && mkdir(wanted, 0700) != 0 && errno != EEXIST) {
        term_problem("%s: %s", wanted, strerror(errno));
        return false;
    }
    struct stat status;
    if (stat(*ret_folder, &status) == 0 && !S_ISDIR(status.st_mode)) {
        term_problem("%s: is not a folder; name a folder, or a new name", *ret_folder);
        return false;
    }
    if (access(*ret_folder, W_OK | X_OK) == 0)
        return true;
    term_problem("%s: %s", *ret_folder, strerror(errno));
    return false;
}
