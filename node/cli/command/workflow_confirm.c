#include "node/cli/command/workflow_confirm.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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
    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    line[strcspn(line, " \r\n")] = '\0';
    return strcasecmp(line, "yes") == 0;
}

bool workflow_confirm_is_asked(const struct command_run *run)
{
    return run->command->confirm != NULL && !run->is_sure && !run->is_json && isatty(STDIN_FILENO);
}

/* ---- what is to be signed ---- */

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

/* "  c7751fd20a9b3e44  Opinion, Dr. Karin Berg; Hillside Cancer Centre", and how it begins */
static void confirm_show_record(const json_t *record)
{
    char line[512], lead[24];
    const char *name = api_json_text(json_object_get(record, "clinician"), "name");
    const char *kind = api_json_text(record, "kind");
    snprintf(line, sizeof line, "%.60s, %.120s%s%.200s", render_record_title(kind), name,
             name[0] == '\0' ? "" : "; ", api_json_name(record, "writer"));
    snprintf(lead, sizeof lead, "%.16s  ", api_json_text(record, "record"));
    term_pair(2, lead, 20, line);
    term_excerpt(api_json_text(json_object_get(record, "content"), "text"), 20, 2);
}

static bool confirm_names(const json_t *named, const char *record)
{
    size_t index;
    json_t *one;
    const char *only = json_string_value(named);
    if (only != NULL)
        return only[0] != '\0' && strncasecmp(only, record, strlen(only)) == 0;
    json_array_foreach(named, index, one)
    {
        if (json_is_string(one) && confirm_names(one, record))
            return true;
    }
    return false;
}

/* The records that the body names; of a reveal that names none, the opinions that it reveals. */
static void confirm_show_records(struct command_run *run, const json_t *body)
{
    static const char *const fields[] = {"record", "records", "opinions", "answers", "replaces"};
    bool is_reveal =
        strcmp(run->command->name, "reveal") == 0 && json_object_get(body, "records") == NULL;
    bool is_any = is_reveal;
    size_t index;
    json_t *record;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        is_any = is_any || json_object_get(body, fields[i]) != NULL;
    json_t *thread = is_any ? request_thread(run) : NULL;
    json_array_foreach(json_object_get(thread, "thread"), index, record)
    {
        bool is_shown = is_reveal && api_json_equals(record, "kind", "OPINION") &&
                        !api_json_is(record, "revealed");
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
            is_shown = is_shown || confirm_names(json_object_get(body, fields[i]),
                                                 api_json_text(record, "record"));
        if (is_shown)
            confirm_show_record(record);
    }
    json_decref(thread);
}

static void confirm_show_body(const struct command_run *run, const json_t *body)
{
    static const char *const hidden[] = {"clinician", "records", "record",
                                         "opinions",  "answers", "replaces"};
    json_t *rest = json_copy((json_t *)(uintptr_t)body);
    printf("\nTo be signed: %s, by %s\n", run->command->name, run->clinician);
    if (strcmp(run->command->name, "reply") == 0) {
        render_record_opinion(body);
        json_t *language = json_incref(json_object_get(rest, "language"));
        json_object_clear(rest);
        json_object_set_new(rest, "language", language);
    }
    if (api_json_text(rest, "text")[0] != '\0')
        term_text(api_json_text(rest, "text"), 2);
    json_object_del(rest, "text");
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        json_object_del(rest, hidden[i]);
    if (json_object_size(rest) > 0)
        term_value(rest);
    json_decref(rest);
}

/* ---- what may have been overlooked ---- */

static void confirm_warn(bool is_asked, const char *text)
{
    if (is_asked) {
        putchar('\n');
        term_pair(0, "Note: ", 6, text);
    } else {
        term_problem("note: %s", text);
    }
}

static bool confirm_is(const struct command_run *run, const char *name)
{
    return strcmp(run->command->name, name) == 0;
}

static void confirm_warn_all(const struct command_run *run, const json_t *about, bool is_asked)
{
    char line[400];
    const json_t *counts = json_object_get(about, "counts");
    long long wanted = api_json_number(about, "wanted_count"),
              here = api_json_number(counts, "institutions_with_opinion"),
              opinions = api_json_number(counts, "opinions");
    bool is_announced = api_json_equals(about, "state", "announced");
    if (confirm_is(run, "reveal") && is_announced && here < wanted) {
        snprintf(line, sizeof line,
                 "%lld of %lld wanted opinions arrived, and the deadline is %s UTC (%s). "
                 "Participants who answer after this have read the others first.",
                 here, wanted, term_time(api_json_text(about, "deadline")),
                 term_left(api_json_text(about, "deadline")));
        confirm_warn(is_asked, line);
    }
    if (confirm_is(run, "withdraw") && opinions > 0) {
        snprintf(line, sizeof line,
                 "%s arrived already. After `consilium synthesis` and `consilium close` the "
                 "participants learn what became of the case; after a withdrawal they do not.",
                 term_count(opinions, "opinion"));
        confirm_warn(is_asked, line);
    }
    bool is_summed_up = !is_announced && !api_json_equals(about, "state", "revealed");
    if (confirm_is(run, "close") && is_asked && opinions > 0 && !is_summed_up)
        confirm_warn(is_asked, "You have not written a summary of the opinions (`consilium "
                               "synthesis`), so the participants do not learn your conclusion.");
    if (confirm_is(run, "close") && is_announced && here < wanted) {
        snprintf(line, sizeof line,
                 "%lld of %lld wanted opinions arrived; after this nobody can give one.", here,
                 wanted);
        confirm_warn(is_asked, line);
    }
}

/* ---- all of it ---- */

static json_t *confirm_case(struct command_run *run)
{
    char path[256];
    char *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%.200s", id);
    free(id);
    return request_send(run, METHOD_GET, path, NULL);
}

static bool confirm_warns(const struct command_run *run)
{
    return confirm_is(run, "reveal") || confirm_is(run, "withdraw") || confirm_is(run, "close");
}

/* What is shown goes where the person looks, though standard output may be a file. */
static bool confirm_at_terminal(struct command_run *run, const json_t *about, const json_t *shown)
{
    fflush(stdout);
    int before = isatty(STDOUT_FILENO) ? -1 : dup(STDOUT_FILENO);
    if (before >= 0)
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    confirm_show_case(about);
    confirm_show_body(run, shown);
    confirm_show_records(run, shown);
    confirm_warn_all(run, about, true);
    bool is_meant = workflow_confirm_ask(run->command->confirm);
    fflush(stdout);
    if (before >= 0) {
        (void)dup2(before, STDOUT_FILENO);
        (void)close(before);
    }
    if (!is_meant)
        term_problem("nothing was signed");
    return is_meant;
}

static bool confirm_is_meant(struct command_run *run, const json_t *shown)
{
    bool is_asked = workflow_confirm_is_asked(run);
    if (!is_asked && (run->is_sure || !confirm_warns(run)))
        return true;
    json_t *about = confirm_case(run);
    bool is_meant = about != NULL;
    if (is_meant && is_asked)
        is_meant = confirm_at_terminal(run, about, shown);
    else if (is_meant)
        confirm_warn_all(run, about, false);
    json_decref(about);
    return is_meant;
}

json_t *workflow_confirm_post(struct command_run *run, const char *path, json_t *body,
                              const json_t *shown)
{
    if (!request_check(run, path, body) || !confirm_is_meant(run, shown == NULL ? body : shown))
        return NULL;
    return request_sign(run, METHOD_POST, path, body);
}
