#include "node/cli/present/render_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/present/api_json.h"
#include "node/cli/terminal/term.h"

static void draft_pair(const char *label, const char *text)
{
    term_pair(2, label, 16, text);
}

static void draft_field(const json_t *fields, const char *name, const char *label)
{
    const json_t *value = json_object_get(fields, name);
    char line[64];
    if (json_is_integer(value)) {
        snprintf(line, sizeof line, "%lld", (long long)json_integer_value(value));
        draft_pair(label, line);
    } else if (strcmp(name, "deadline") == 0 && json_is_string(value)) {
        snprintf(line, sizeof line, "%s UTC, %s", term_time(json_string_value(value)),
                 term_left(json_string_value(value)));
        draft_pair(label, line);
    } else if (json_is_string(value)) {
        draft_pair(label, json_string_value(value));
    }
}

static void draft_logins(const char *label, const json_t *list)
{
    size_t index;
    json_t *login;
    json_array_foreach(list, index, login)
        draft_pair(index == 0 ? label : "", json_string_value(login));
}

static void draft_item(const json_t *item)
{
    size_t index;
    json_t *part;
    printf("  %.16s  ", api_json_text(item, "item"));
    term_line(api_json_text(item, "name"), 44);
    printf("  %10s\n", term_size(api_json_number(item, "size")));
    json_array_foreach(json_object_get(item, "findings"), index, part)
        term_text(json_string_value(part), 20);
    json_array_foreach(json_object_get(item, "stripped"), index, part)
    {
        char line[200];
        snprintf(line, sizeof line, "removed: %.150s", json_string_value(part));
        term_text(line, 20);
    }
    json_array_foreach(json_object_get(item, "name_hints"), index, part)
    {
        char line[200];
        snprintf(line, sizeof line, "LOOK: the name may hold %.100s", json_string_value(part));
        term_text(line, 20);
    }
}

static void draft_text(const json_t *fields, const char *name, const char *title)
{
    const char *text = api_json_text(fields, name);
    if (text[0] == '\0')
        return;
    printf("\n%s\n", title);
    term_text(text, 2);
}

/* The option that sets a field, as it is typed; NULL: no option sets it. */
static const char *draft_option(const char *field, size_t size)
{
    static const struct {
        const char *name;
        const char *option;
    } options[] = {{"question", "--question @question.txt"},
                   {"description", "--description @description.txt"},
                   {"specialty", "--specialty oncology"},
                   {"service", "--service clinical-consult"},
                   {"reason", "--reason rare"},
                   {"language", "--language en"},
                   {"wanted_count", "--wanted-count 2"},
                   {"deadline", "--deadline 14d"},
                   {"mode", "--mode independent-first"},
                   {"directed", "--directed MEMBER"}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strlen(options[i].name) == size && strncmp(options[i].name, field, size) == 0)
            return options[i].option;
    }
    return NULL;
}

/* The command that sets what is missing. */
static void draft_say_edit(const char *draft, const char *missing)
{
    char line[700];
    size_t used = (size_t)snprintf(line, sizeof line, "consilium draft edit %.8s", draft);
    for (const char *at = missing; at != NULL; at = strstr(at, "; ")) {
        at += strspn(at, "; ");
        const char *option = draft_option(at, strcspn(at, ":;"));
        if (option != NULL && used < sizeof line)
            used += (size_t)snprintf(line + used, sizeof line - used, " %s", option);
    }
    printf("Set them, for example:\n");
    term_text(line, 2);
}

/* `missing` is one text; "; " separates the missing things. */
static void draft_missing(const json_t *answer)
{
    const char *missing = api_json_text(answer, "missing");
    if (api_json_is(answer, "sending")) {
        printf("\nSending was interrupted: `consilium announce %.8s` continues it.\n",
               api_json_text(answer, "draft"));
    } else if (missing[0] == '\0') {
        printf("\nReady: `consilium announce %.8s` shows what is sent, asks, signs and sends.\n",
               api_json_text(answer, "draft"));
    } else {
        printf("\nNot ready to send:\n");
        term_text(missing, 2);
        if (api_json_text(answer, "supplies")[0] == '\0')
            draft_say_edit(api_json_text(answer, "draft"), missing);
    }
}

void render_draft(const json_t *answer)
{
    static const struct {
        const char *name;
        const char *label;
    } lines[] = {{"specialty", "board"}, {"service", "service"},
                 {"reason", "reason"},   {"wanted_count", "opinions"},
                 {"deadline", "until"},  {"language", "language"},
                 {"mode", "mode"},       {"age", "age"},
                 {"sex", "sex"},         {"country", "country"},
                 {"consent", "consent"}, {"initiative", "initiative"}};
    const json_t *fields = json_object_get(answer, "fields");
    size_t index;
    json_t *item;
    printf("Draft %.16s, created %s UTC; not sent\n", api_json_text(answer, "draft"),
           term_time(api_json_text(answer, "made_at")));
    if (api_json_text(answer, "supplies")[0] != '\0')
        printf("  %-14scase %.16s\n", "supplies", api_json_text(answer, "supplies"));
    if (!api_json_is(answer, "own"))
        draft_logins("of", json_object_get(answer, "of"));
    draft_logins("shared with", json_object_get(answer, "shared"));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        draft_field(fields, lines[i].name, lines[i].label);
    bool is_directed = json_array_size(json_object_get(answer, "directed")) > 0;
    json_array_foreach(json_object_get(answer, "directed"), index, item)
        draft_pair(index == 0 ? "asked only" : "", api_json_text(item, "name"));
    draft_text(fields, "question",
               is_directed ? "Question (read by the institutions that you ask, and by no board)"
                           : "Question (read by the whole board)");
    draft_text(fields, "description", "Description (read by participants)");
    draft_text(fields, "note", "Note");
    if (json_array_size(json_object_get(answer, "attachments")) > 0)
        printf("\nAttached\n");
    json_array_foreach(json_object_get(answer, "attachments"), index, item) draft_item(item);
    draft_missing(answer);
}

void render_draft_attached(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "attachments");
    size_t count = json_array_size(list);
    if (count == 0)
        return;
    printf("Attached to draft %.8s, as it would be sent:\n", api_json_text(answer, "draft"));
    const json_t *last = json_array_get(list, count - 1);
    draft_item(last);
    if (json_array_size(json_object_get(last, "name_hints")) > 0) {
        char line[400];
        snprintf(line, sizeof line,
                 "Participants see the name of the file. To give another: `consilium draft detach "
                 "%.8s %.16s`, then `consilium draft attach %.8s FILE --name NAME`.",
                 api_json_text(answer, "draft"), api_json_text(last, "item"),
                 api_json_text(answer, "draft"));
        term_text(line, 0);
    }
    draft_missing(answer);
}

/* The node writes "  name              text": a text that is too long continues in its column. */
static void preview_line(const char *line)
{
    enum { PREVIEW_COLUMN = 20 };
    bool is_pair = strlen(line) > PREVIEW_COLUMN && strncmp(line, "  ", 2) == 0 &&
                   line[PREVIEW_COLUMN - 1] == ' ';
    if (line[strspn(line, " ")] == '\0') {
        putchar('\n');
        return;
    }
    if (!is_pair) {
        term_text(line, 0);
        return;
    }
    char lead[PREVIEW_COLUMN + 1];
    memcpy(lead, line, PREVIEW_COLUMN); /* names are ASCII: the node writes them */
    lead[PREVIEW_COLUMN] = '\0';
    term_pair(0, lead, PREVIEW_COLUMN, line + PREVIEW_COLUMN);
}

void render_draft_preview(const json_t *answer)
{
    char *text = strdup(api_json_text(answer, "text"));
    char *rest = text;
    while (rest != NULL && *rest != '\0') {
        char *end = strchr(rest, '\n');
        if (end != NULL)
            *end = '\0';
        preview_line(rest);
        rest = end == NULL ? NULL : end + 1;
    }
    free(text);
    printf("\npreview %s\n", api_json_text(answer, "preview"));
}
