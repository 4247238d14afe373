#include "node/cli/command/workflow_draft.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/api_json.h"
#include "node/cli/present/render_draft.h"
#include "node/cli/present/table.h"
#include "node/cli/terminal/term.h"

enum { DRAFT_LINE_SIZE = 4096, DRAFT_TEXT_SIZE = 60 * 1024, DRAFT_ID_TEXT = 40 };

/* In the order in which they are asked; the names are fields of the command. */
static const struct draft_question {
    const char *field;
    const char *ask;
    bool is_text; /* several lines */
    bool is_optional;
} draft_questions[] = {
    {"question",
     "What do you want to know? The whole board reads this: no name, date or number of "
     "the patient.",
     true, false},
    {"description", "The case: history, findings, treatment so far. Only participants read this.",
     true, false},
    {"specialty", "Which board do you ask?", false, false},
    {"service", "What do you want: clinical-consult, radiology-read or pathology-read?", false,
     false},
    {"reason",
     "Why: unclear-diagnosis, serious, rare, local-options-exhausted, risky-treatment or "
     "reassurance?",
     false, false},
    {"wanted_count", "How many opinions do you want?", false, false},
    {"deadline", "Until when? 14d, 36h, or a date such as 2026-01-31T12:00:00.000Z.", false, false},
    {"language", "In which language did you write? en, de, zh-Hans ...", false, false},
    {"mode",
     "Shall participants read the opinions of others only after you reveal them "
     "(independent-first), or at once (open)?",
     false, false},
    {"age", "Age of the patient: newborn, infant, child, adolescent, 18-29, 30-39 ... 80+?", false,
     true},
    {"sex", "Sex: female, male or other?", false, true},
    {"country", "Country of the patient, two letters?", false, true},
    {"consent", "Consent of the patient, and where it is filed?", false, true},
    {"initiative", "Who wants the opinion: physician or patient?", false, true},
};

/* ---- Ctrl-C ---- */

/* What is said then; empty while nothing is stored. */
static char draft_goodbye[200];

static void draft_on_interrupt(int number)
{
    (void)number;
    if (write(STDERR_FILENO, draft_goodbye, strlen(draft_goodbye)) < 0) {
        /* the terminal is gone */
    }
    _exit(130);
}

/* ---- storing ---- */

/* What was shown last: a colleague's change since then is not overwritten (API-23). */
static char draft_revision[32];

static void draft_remember(char draft[static DRAFT_ID_TEXT], const json_t *shown)
{
    snprintf(draft, DRAFT_ID_TEXT, "%s", api_json_text(shown, "draft"));
    snprintf(draft_revision, sizeof draft_revision, "%s", api_json_text(shown, "revision"));
    snprintf(draft_goodbye, sizeof draft_goodbye,
             "\nconsilium: what you typed is kept: `consilium draft edit %.8s` continues\n", draft);
}

/* `draft`: its id, "" while there is none. False after an error, which was printed; `body` is told
 * what was shown. */
static bool draft_store(struct command_run *run, json_t *body, char draft[static DRAFT_ID_TEXT])
{
    char path[100] = "drafts";
    bool is_new = draft[0] == '\0';
    if (!is_new) {
        snprintf(path, sizeof path, "drafts/%s", draft);
        if (draft_revision[0] != '\0')
            json_object_set_new(body, "revision", json_string(draft_revision));
    }
    json_t *answer = request_send(run, is_new ? METHOD_POST : METHOD_PUT, path, body);
    if (answer == NULL)
        return false;
    draft_remember(draft, answer);
    json_decref(answer);
    return true;
}

/* The answer as an option would be read: @FILE, 14d, a number. */
static bool draft_store_field(struct command_run *run, const char *field, const char *text,
                              char draft[static DRAFT_ID_TEXT])
{
    const struct command_field *fields = run->command->fields;
    memset(run->values, 0, sizeof run->values);
    for (size_t i = 0; fields[i].name != NULL; i++) {
        if (strcmp(fields[i].name, field) != 0)
            continue;
        run->values[i].all[0] = text;
        run->values[i].count = 1;
    }
    json_t *body = command_body(run);
    bool is_stored = body != NULL && draft_store(run, body, draft);
    json_decref(body);
    return is_stored;
}

/* ---- asking ---- */

static bool draft_read_line(char line[static DRAFT_LINE_SIZE])
{
    if (fgets(line, DRAFT_LINE_SIZE, stdin) == NULL)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

/* Lines up to one that is a dot, behind what is there. False at the end of the input. */
static bool draft_ask_text(struct command_run *run, const struct draft_question *question,
                           const char *before, char draft[static DRAFT_ID_TEXT])
{
    static char text[DRAFT_TEXT_SIZE];
    char line[DRAFT_LINE_SIZE];
    int used = snprintf(text, sizeof text, "%s", before);
    for (size_t count = 0; draft_read_line(line); count++) {
        size_t room = sizeof text - (size_t)used;
        if (strcmp(line, ".") == 0 || (count == 0 && line[0] == '\0'))
            return true;
        bool is_file = count == 0 && line[0] == '@';
        int added = snprintf(text + used, room, "%s%s", used == 0 ? "" : "\n", line);
        bool is_kept = (size_t)added < room &&
                       draft_store_field(run, question->field, is_file ? line : text, draft);
        if (is_kept && is_file)
            return true;
        if (is_kept) {
            used += added;
        } else {
            text[used] = '\0';
            printf("This line was not kept. Go on, or end with a dot:\n");
        }
    }
    return false;
}

static void draft_say_boards(struct command_run *run)
{
    json_t *answer = request_send(run, METHOD_GET, "boards", NULL);
    if (answer != NULL)
        table_boards(answer);
    json_decref(answer);
}

/* What was given before, and how the question is left. */
static void draft_say_question(struct command_run *run, const struct draft_question *question,
                               const json_t *fields)
{
    char line[200];
    const json_t *before = json_object_get(fields, question->field);
    putchar('\n');
    term_text(question->ask, 0);
    if (strcmp(question->field, "specialty") == 0)
        draft_say_boards(run);
    if (json_is_string(before))
        term_excerpt(json_string_value(before), 2, 2);
    else if (json_is_integer(before))
        printf("  %lld\n", (long long)json_integer_value(before));
    snprintf(line, sizeof line, "(%s%sEnter %s)",
             question->is_text && before != NULL ? "What you type goes behind it; " : "",
             question->is_text ? "@FILE reads a file; a line with only a dot ends the text; " : "",
             before != NULL          ? "keeps what is there"
             : question->is_optional ? "leaves it out"
                                     : "leaves it for later");
    term_text(line, 0);
    fputs("> ", stdout);
    fflush(stdout);
}

/* False at the end of the input. */
static bool draft_ask(struct command_run *run, const struct draft_question *question,
                      const json_t *fields, char draft[static DRAFT_ID_TEXT])
{
    char line[DRAFT_LINE_SIZE];
    draft_say_question(run, question, fields);
    if (question->is_text)
        return draft_ask_text(run, question, api_json_text(fields, question->field), draft);
    while (draft_read_line(line)) {
        if (line[0] == '\0' || draft_store_field(run, question->field, line, draft))
            return true;
        fputs("> ", stdout);
        fflush(stdout);
    }
    return false;
}

/* ---- all of it ---- */

static bool draft_is_guided(const struct command_run *run)
{
    bool is_any = false;
    for (size_t i = 0; run->command->fields[i].name != NULL; i++)
        is_any = is_any || run->values[i].count > 0;
    return !is_any && !run->is_json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* `before`: the draft that is continued; NULL: a new one. */
static int draft_guide(struct command_run *run, const json_t *before)
{
    char draft[DRAFT_ID_TEXT] = "", path[100];
    const struct sigaction interrupt = {.sa_handler = draft_on_interrupt};
    bool is_going_on = true;
    if (before != NULL)
        draft_remember(draft, before);
    (void)sigaction(SIGINT, &interrupt, NULL);
    term_text("Each answer is kept at once as a draft. Nothing is sent; Ctrl-C ends this, and "
              "`consilium draft edit` continues it.",
              0);
    for (size_t i = 0; is_going_on && i < sizeof draft_questions / sizeof draft_questions[0]; i++)
        is_going_on = draft_ask(run, &draft_questions[i], json_object_get(before, "fields"), draft);
    if (draft[0] == '\0') {
        term_problem("nothing was typed, so there is no draft");
        return 1;
    }
    snprintf(path, sizeof path, "drafts/%s", draft);
    putchar('\n');
    return workflow_output_print(run, request_send(run, METHOD_GET, path, NULL), render_draft);
}

int workflow_draft_new(struct command_run *run)
{
    if (draft_is_guided(run))
        return draft_guide(run, NULL);
    json_t *body = command_body(run);
    json_t *answer = body == NULL ? NULL : request_send(run, METHOD_POST, "drafts", body);
    json_decref(body);
    return workflow_output_print(run, answer, render_draft);
}

int workflow_draft_edit(struct command_run *run)
{
    char path[200];
    char *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "drafts/%.100s", id);
    free(id);
    if (draft_is_guided(run)) {
        json_t *before = request_send(run, METHOD_GET, path, NULL);
        int status = before == NULL ? 1 : draft_guide(run, before);
        json_decref(before);
        return status;
    }
    json_t *body = command_body(run);
    json_t *answer = body == NULL ? NULL : request_send(run, METHOD_PUT, path, body);
    json_decref(body);
    return workflow_output_print(run, answer, render_draft);
}
