#include "node/cli/command/workflow_confirm.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/command/request.h"
#include "node/cli/present/api_json.h"
#include "node/cli/present/render_record.h"
#include "node/cli/terminal/term.h"

bool workflow_confirm_ask(const char *question)
{
    char line[64];
    putchar('\n');
    term_text(question, 0);
    printf("Type yes: ");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) != NULL && strcmp(line, "yes\n") == 0;
}

static void confirm_show_case(const json_t *about)
{
    char line[512];
    const json_t *announcement = json_object_get(about, "announcement");
    const json_t *told = json_object_get(about, "deadline") == NULL ? announcement : about;
    const char *from = api_json_name(about, "requester");
    snprintf(line, sizeof line, "Case %.16s, %.64s, from %.300s", api_json_text(about, "case"),
             api_json_text(told, "specialty"),
             from[0] != '\0' ? from : api_json_name(announcement, "writer"));
    term_text(line, 0);
    term_excerpt(api_json_text(told, "question"), 2, 2);
}

static void confirm_show_body(const struct command_run *run, const json_t *body)
{
    json_t *rest = json_copy((json_t *)(uintptr_t)body);
    printf("\nTo be signed: %s\n", run->command->name);
    if (strcmp(run->command->name, "reply") == 0) {
        render_record_opinion(body);
        json_object_clear(rest);
    }
    term_text(api_json_text(rest, "text"), 2);
    json_object_del(rest, "text");
    if (json_object_size(rest) > 0)
        term_value(rest);
    json_decref(rest);
}

bool workflow_confirm_sign(struct command_run *run, const json_t *body)
{
    char path[256];
    if (run->command->confirm == NULL || run->is_sure || run->is_json || !isatty(STDIN_FILENO))
        return true;
    char *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%.200s", id);
    free(id);
    json_t *about = request_send(run, METHOD_GET, path, NULL);
    if (about == NULL)
        return false;
    confirm_show_case(about);
    confirm_show_body(run, body);
    bool is_meant = workflow_confirm_ask(run->command->confirm);
    if (!is_meant)
        term_problem("nothing was signed");
    json_decref(about);
    return is_meant;
}
