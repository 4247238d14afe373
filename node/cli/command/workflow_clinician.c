#include "node/cli/command/workflow_clinician.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/table.h"
#include "node/cli/terminal/secret.h"
#include "node/cli/terminal/term.h"

/* The user who may sign: by default, the user of this machine with the name of the account. */
static bool clinician_user(json_t *body)
{
    const char *login = json_string_value(json_object_get(body, "login"));
    if (json_object_get(body, "uid") != NULL)
        return true;
    const struct passwd *user = login == NULL ? NULL : getpwnam(login);
    if (user == NULL) {
        term_problem("this machine has no user %s; name the user who may sign with --uid UID",
                     login == NULL ? "" : login);
        return false;
    }
    json_object_set_new(body, "uid", json_integer((json_int_t)user->pw_uid));
    return true;
}

int workflow_clinician_add(struct command_run *run)
{
    char prompt[160];
    json_t *body = command_body(run);
    if (body == NULL || !clinician_user(body)) {
        json_decref(body);
        return 1;
    }
    snprintf(prompt, sizeof prompt, "New passphrase of %.40s (which only that person may know)",
             command_value(run, "login"));
    const char *passphrase = secret_read(SECRET_NEW, run->passphrase_file, prompt);
    json_t *answer = NULL;
    if (passphrase != NULL) {
        json_object_set_new(body, "passphrase", json_string(passphrase));
        answer = request_send(run, METHOD_POST, "clinicians", body);
    }
    json_decref(body);
    return workflow_output_print(run, answer, table_account);
}

/* Only a change that the clinician's key must sign needs the passphrase. */
int workflow_clinician_renew(struct command_run *run)
{
    char prompt[160], path[256];
    json_t *body = command_body(run), *answer = NULL;
    bool is_good = body != NULL;
    if (is_good && command_count(run, "specialties") > 0) {
        snprintf(prompt, sizeof prompt, "Passphrase of %.40s", run->arguments[0]);
        const char *passphrase = secret_read(SECRET_OLD, run->passphrase_file, prompt);
        is_good = passphrase != NULL;
        if (is_good)
            json_object_set_new(body, "passphrase", json_string(passphrase));
    }
    char *escaped = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "clinicians/%.100s/renew", escaped);
    free(escaped);
    if (is_good)
        answer = request_send(run, METHOD_POST, path, body);
    json_decref(body);
    return workflow_output_print(run, answer, table_account);
}

int workflow_clinician_passphrase(struct command_run *run)
{
    char prompt[160], path[256];
    const char *login = run->arguments[0];
    snprintf(prompt, sizeof prompt, "Passphrase of %.40s", login);
    const char *old = secret_read(SECRET_OLD, run->passphrase_file, prompt);
    snprintf(prompt, sizeof prompt, "New passphrase of %.40s", login);
    const char *later =
        old == NULL ? NULL
                    : secret_read(SECRET_NEW, command_value(run, "new_passphrase_file"), prompt);
    if (later == NULL)
        return 1;
    char *escaped = request_escape(login);
    snprintf(path, sizeof path, "clinicians/%.100s/passphrase", escaped);
    free(escaped);
    json_t *body = json_pack("{s:s,s:s}", "passphrase", old, "new_passphrase", later);
    json_t *answer = request_send(run, METHOD_POST, path, body);
    json_decref(body);
    if (answer == NULL || run->is_json)
        return workflow_output_print(run, answer, NULL);
    printf("The passphrase of %.40s is changed; the old one no longer works.\n", login);
    json_decref(answer);
    return 0;
}
