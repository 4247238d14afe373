#include "node/cli/command/workflow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_confirm.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/api_json.h"
#include "node/cli/present/checkup.h"
#include "node/cli/present/render.h"
#include "node/cli/present/render_draft.h"
#include "node/cli/present/render_metrics.h"
#include "node/cli/present/render_record.h"
#include "node/cli/present/render_status.h"
#include "node/cli/present/table.h"
#include "node/cli/terminal/input_file.h"
#include "node/cli/terminal/output_file.h"
#include "node/cli/terminal/term.h"
#include "protocol/base/limits.h"

enum { WORKFLOW_ATTACHMENT_MAX = 64 * 1024 * 1024, WORKFLOW_POLL_MS = 300 };

/* "cases/CASE/what"; caller frees. */
static char *workflow_path(const char *before, const char *id, const char *after)
{
    char path[512];
    char *escaped = request_escape(id);
    snprintf(path, sizeof path, "%s/%s%s%s", before, escaped, after[0] == '\0' ? "" : "/", after);
    free(escaped);
    return strdup(path);
}

static json_t *workflow_get(struct command_run *run, const char *before, const char *id,
                            const char *after)
{
    char *path = workflow_path(before, id, after);
    json_t *answer = request_send(run, METHOD_GET, path, NULL);
    free(path);
    return answer;
}

static json_t *workflow_sign(struct command_run *run, const char *id, const char *what,
                             json_t *body)
{
    char *path = workflow_path("cases", id, what);
    json_t *answer = workflow_confirm_post(run, path, body, NULL);
    free(path);
    return answer;
}

/* ---- the node ---- */

/* Of the named federation, or of all federations of the node. */
enum { WORKFLOW_STATUS_WAITS = 3 }; /* exit status while posting waits */

/* Prints the status of one federation or of all (`all` not NULL), and says by the exit status
 * whether records can be written. */
static int workflow_status_print(struct command_run *run, json_t *answer, const json_t *all,
                                 void (*render)(const json_t *answer))
{
    bool waits = api_json_is(answer, "posting_waits");
    size_t index;
    json_t *federation;
    json_array_foreach(all, index, federation) waits =
        waits || api_json_is(federation, "posting_waits");
    int status = workflow_output_print(run, answer, render);
    return status == 0 && waits ? WORKFLOW_STATUS_WAITS : status;
}

int workflow_status(struct command_run *run)
{
    if (run->federation != NULL)
        return workflow_status_print(run, request_send(run, METHOD_GET, "status", NULL), NULL,
                                     render_status);
    json_t *answer = request_send(run, METHOD_GET, "/v1/status", NULL);
    json_t *all = json_object_get(answer, "federations");
    if (json_array_size(all) != 1)
        return workflow_status_print(run, answer, all, render_status_all);
    json_t *only = json_incref(json_array_get(all, 0));
    json_decref(answer);
    return workflow_status_print(run, only, NULL, render_status);
}

/* The status ends with 1 if something keeps the node from its work. */
int workflow_doctor(struct command_run *run)
{
    const struct checkup_machine machine = {.now = time(NULL), .clock = kernel_clock_state()};
    json_t *status = request_send(run, METHOD_GET, "/v1/status", NULL);
    if (status == NULL) {
        if (!run->is_json)
            term_text("To find out why the node does not answer: `systemctl status consiliumd`, "
                      "`journalctl -u consiliumd`, and as root `consiliumd --config FILE "
                      "--check-config`.",
                      0);
        return 1;
    }
    json_t *checks = checkup_of(status, &machine);
    bool has_fault = checkup_has_fault(checks);
    int ended = workflow_output_print(run, checks, checkup_render);
    json_decref(status);
    return ended == 0 && has_fault ? 1 : ended;
}

/* --json gives the answer that they are made of. */
int workflow_metrics(struct command_run *run)
{
    return workflow_output_print(run, request_send(run, METHOD_GET, "/v1/status", NULL),
                                 render_metrics);
}

/* ---- for the society ---- */

/* One line for each stream, as consilium-society remove --cuts reads it. */
int workflow_report(struct command_run *run)
{
    char file[256];
    const char *to = command_value(run, "to");
    size_t index;
    json_t *stream;
    json_t *answer = workflow_get(run, "members", run->arguments[0], "streams");
    if (answer == NULL)
        return 1;
    if (run->is_json)
        return workflow_output_print(run, answer, NULL);
    snprintf(file, sizeof file, "%.40s.report", json_string_value(json_object_get(answer, "node")));
    to = to == NULL ? file : to;
    struct output_file out;
    if (!output_file_open(&out, to)) {
        json_decref(answer);
        return 1;
    }
    fprintf(out.stream,
            "# stream, sequence, record: the last position of each stream at this institution\n");
    json_array_foreach(json_object_get(answer, "streams"), index, stream)
        fprintf(out.stream, "%s %lld %s\n", json_string_value(json_object_get(stream, "stream")),
                (long long)json_integer_value(json_object_get(stream, "sequence")),
                json_string_value(json_object_get(stream, "record")));
    json_decref(answer);
    if (!output_file_commit(&out, run->is_sure))
        return 1;
    printf("Written to %s. Give it to the society (consilium-society remove --cuts).\n", to);
    return 0;
}

/* ---- drafts ---- */

static json_t *workflow_upload(struct command_run *run, const char *draft, const char *file,
                               const char *name, bool is_as_pictures)
{
    uint8_t *data;
    size_t size;
    char path[1024];
    const char *slash = strrchr(file, '/');
    name = name != NULL ? name : slash == NULL ? file : slash + 1;
    if (!input_file_is_utf8(name, strlen(name))) {
        term_problem(
            "the name of the file is not UTF-8; rename the file, or give another name with "
            "--name NAME");
        return NULL;
    }
    if (strlen(name) > ITEM_NAME_SIZE_MAX || name[0] == '\0') {
        term_problem("the name is %s; give another one with --name NAME, such as --name letter.pdf",
                     name[0] == '\0' ? "empty" : "longer than 120 bytes");
        return NULL;
    }
    if (!input_file_read(file, WORKFLOW_ATTACHMENT_MAX, &data, &size))
        return NULL;
    char *draft_escaped = request_escape(draft);
    char *escaped = request_escape(name);
    snprintf(path, sizeof path, "drafts/%s/attachments?name=%s%s", draft_escaped, escaped,
             is_as_pictures ? "&pages=pictures" : "");
    json_t *answer = request_upload(run, path, data, size);
    free(escaped);
    free(draft_escaped);
    free(data);
    return answer;
}

int workflow_attach(struct command_run *run)
{
    json_t *answer =
        workflow_upload(run, run->arguments[0], run->arguments[1], command_value(run, "name"),
                        command_value(run, "pages_as_pictures") != NULL);
    return workflow_output_print(run, answer, render_draft_attached);
}

/* The node does not search images and pages for names: a person must look at the exact bytes. */
static bool workflow_save_items(struct command_run *run, const char *draft, const char *folder)
{
    size_t index;
    json_t *item, *about = workflow_get(run, "drafts", draft, "");
    bool is_good = about != NULL;
    json_array_foreach(json_object_get(about, "attachments"), index, item)
    {
        char path[300], file[4096];
        char *escaped = request_escape(draft);
        snprintf(path, sizeof path, "drafts/%.100s/attachments/%.64s", escaped,
                 api_json_text(item, "item"));
        free(escaped);
        workflow_output_file(folder, api_json_text(item, "name"), index + 1, file, sizeof file);
        is_good = is_good && request_download(run, path, NULL, file);
        if (is_good && !run->is_json)
            term_pair(0, "written to ", 11, file);
    }
    json_decref(about);
    return is_good;
}

/* How to look at the attachments, if there are any. */
static void workflow_tell_items(const json_t *preview, const char *draft)
{
    const json_t *participants = json_object_get(preview, "participants");
    if (json_array_size(json_object_get(participants, "attachments")) > 0)
        printf("\n`consilium preview %.8s --save-items FOLDER` writes the attachments as they\n"
               "would be sent. Look at each of them.\n",
               draft);
}

int workflow_preview(struct command_run *run)
{
    const char *wanted = command_value(run, "save_items"), *folder = NULL;
    if (wanted != NULL && !workflow_output_folder(wanted, &folder))
        return 1;
    json_t *preview = workflow_get(run, "drafts", run->arguments[0], "preview");
    if (preview == NULL)
        return 1;
    int status = workflow_output_print(run, json_incref(preview), render_draft_preview);
    if (!run->is_json && folder == NULL)
        workflow_tell_items(preview, run->arguments[0]);
    bool is_saved = folder == NULL || workflow_save_items(run, run->arguments[0], folder);
    json_decref(preview);
    return is_saved ? status : 1;
}

static bool workflow_ask_name(char *ret_name, size_t size)
{
    printf("You have read this and confirm it. Your full name: ");
    fflush(stdout);
    if (fgets(ret_name, (int)size, stdin) == NULL)
        return false;
    ret_name[strcspn(ret_name, "\n")] = '\0';
    return ret_name[0] != '\0';
}

static bool workflow_has_identifiers(const json_t *preview)
{
    return json_array_size(json_object_get(preview, "identifiers")) > 0 ||
           json_is_true(json_object_get(preview, "has_more_identifiers"));
}

/* Why what may identify the patient may stay; true if nothing may, or a reason was typed. */
static bool workflow_ask_reason(struct command_run *run, const json_t *preview, json_t *body)
{
    char reason[200];
    if (!workflow_has_identifiers(preview) || json_object_get(body, "keep_reason") != NULL)
        return true;
    if (run->is_sure || run->is_json) /* the node says what is wanted */
        return true;
    putchar('\n');
    term_text("Above, LOOK marks what may tell who the patient is. If all of it may stay, say why "
              "in one line: it goes into the audit log. Enter alone: nothing is sent; change the "
              "draft with `consilium draft edit`.",
              0);
    fputs("Why: ", stdout);
    fflush(stdout);
    if (fgets(reason, sizeof reason, stdin) == NULL)
        return false;
    reason[strcspn(reason, "\r\n")] = '\0';
    json_object_set_new(body, "keep_reason", json_string(reason));
    return reason[0] != '\0';
}

/* Shows what would be sent, asks a person to confirm it, and sends it. With --yes, --preview must
 * name the preview that was read: the node sends nothing that no person has read. */
static json_t *workflow_send(struct command_run *run, const char *draft)
{
    char name[200];
    const char *confirmed = command_value(run, "confirmed_by");
    const char *seen = command_value(run, "preview");
    json_t *preview = workflow_get(run, "drafts", draft, "preview");
    if (preview == NULL)
        return NULL;
    const char *hash = json_string_value(json_object_get(preview, "preview"));
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s*,s:s*,s:s*}", "preview", hash, "confirmed_by", confirmed,
                             "keep_reason", command_value(run, "keep_reason"));
    char *path = workflow_path("drafts", draft, "send");
    bool is_checked = confirmed != NULL && (run->is_sure || !workflow_has_identifiers(preview) ||
                                            command_value(run, "keep_reason") != NULL);
    bool is_wrong = is_checked && !request_check(run, path, body);
    if (!is_wrong && seen == NULL && !run->is_json) {
        render_draft_preview(preview);
        workflow_tell_items(preview, draft);
    }
    if (is_wrong) {
        /* it was printed */
    } else if (seen != NULL && (hash == NULL || strcmp(seen, hash) != 0)) {
        term_problem("the draft has changed since that preview; read `consilium preview` again");
    } else if (seen == NULL && run->is_sure) {
        term_problem("--yes needs --preview HASH, as `consilium preview` printed it");
    } else if (!workflow_ask_reason(run, preview, body)) {
        term_problem("nothing was sent");
    } else if (seen == NULL &&
               !workflow_confirm_ask(
                   "This will be sent to other institutions and cannot be recalled. Is it "
                   "free of names, dates and numbers that identify the patient?")) {
        term_problem("nothing was sent");
    } else if (confirmed == NULL && !workflow_ask_name(name, sizeof name)) {
        term_problem("nothing was sent: give the full name of the person who confirms it "
                     "(--confirmed-by)");
    } else {
        if (confirmed == NULL)
            json_object_set_new(body, "confirmed_by", json_string(name));
        answer = request_sign(run, METHOD_POST, path, body);
    }
    free(path);
    json_decref(body);
    json_decref(preview);
    return answer;
}

int workflow_announce(struct command_run *run)
{
    return workflow_output_print(run, workflow_send(run, run->arguments[0]), table_sent);
}

/* "0=supplied:see the letter" */
static bool workflow_answer(json_t *list, const char *text)
{
    char what[64];
    unsigned index;
    int used = 0;
    if (sscanf(text, "%u=%63[a-z-]%n", &index, what, &used) != 2)
        return false;
    json_t *answer = json_pack("{s:I,s:s}", "index", (json_int_t)index, "answer", what);
    if (text[used] == ':')
        json_object_set_new(answer, "note", json_string(text + used + 1));
    json_array_append_new(list, answer);
    return text[used] == ':' || text[used] == '\0';
}

/* Deletes a refused draft of a supply, which cannot be edited. */
static bool workflow_can_leave(struct command_run *run, const char *draft)
{
    json_t *preview = workflow_get(run, "drafts", draft, "preview");
    if (preview == NULL) {
        char *path = workflow_path("drafts", draft, "");
        json_decref(request_send(run, METHOD_DELETE, path, NULL));
        free(path);
    }
    bool can = preview != NULL;
    json_decref(preview);
    return can;
}

int workflow_supply(struct command_run *run)
{
    json_t *body = command_body(run);
    if (body == NULL)
        return 1;
    json_t *answers = json_array();
    bool is_good = true;
    for (size_t i = 0; i < command_count(run, "answer"); i++)
        is_good = is_good && workflow_answer(answers, command_nth(run, "answer", i));
    if (!is_good)
        term_problem(
            "--answer must be N=supplied, N=not-available or N=not-given, with an optional "
            ":NOTE; for example 1=not-available:never measured");
    json_object_set_new(body, "supplies", json_string(run->arguments[0]));
    if (json_array_size(answers) > 0)
        json_object_set(body, "answers", answers);
    json_t *draft = is_good ? request_send(run, METHOD_POST, "drafts", body) : NULL;
    const char *id = json_string_value(json_object_get(draft, "draft"));
    for (size_t i = 0; id != NULL && is_good && i < command_count(run, "attach"); i++) {
        json_t *item = workflow_upload(run, id, command_nth(run, "attach", i), NULL,
                                       command_value(run, "pages_as_pictures") != NULL);
        is_good = item != NULL;
        json_decref(item);
    }
    if (id != NULL && is_good && !workflow_can_leave(run, id)) {
        is_good = false;
        id = NULL;
    }
    json_t *answer = id == NULL || !is_good ? NULL : workflow_send(run, id);
    if (answer == NULL && id != NULL)
        term_problem("it is kept as a draft: `consilium announce %.16s` sends it, `consilium draft "
                     "delete` deletes it",
                     id);
    json_decref(answers);
    json_decref(draft);
    json_decref(body);
    return workflow_output_print(run, answer, table_sent);
}

/* ---- reading ---- */

int workflow_show(struct command_run *run)
{
    json_t *about = workflow_get(run, "cases", run->arguments[0], "");
    json_t *thread = about == NULL ? NULL : request_thread(run);
    if (thread == NULL) {
        json_decref(about);
        return 1;
    }
    if (run->is_json) {
        json_t *both = json_pack("{s:o,s:o}", "case", about, "thread", thread);
        return workflow_output_print(run, both, NULL);
    }
    render_case(about);
    render_thread(thread);
    json_decref(about);
    json_decref(thread);
    return 0;
}

/* "07:35  Discussion in case ee51ff7d, from Lakeside Hospital" */
static void workflow_tell_event(const json_t *data)
{
    char clock[16] = "", line[400];
    time_t now = time(NULL);
    struct tm parts;
    const char *of = api_json_text(data, "case"), *writer = api_json_name(data, "writer");
    if (localtime_r(&now, &parts) != NULL)
        strftime(clock, sizeof clock, "%H:%M  ", &parts);
    snprintf(line, sizeof line, "%s%s%s%.8s%s%s", clock,
             render_record_title(api_json_text(data, "kind")), of[0] == '\0' ? "" : " in case ", of,
             writer[0] == '\0' ? "" : ", from ", writer);
    term_text(line, 0);
}

static bool workflow_on_event(void *arg, char *line)
{
    const struct command_run *run = arg;
    if (strncmp(line, "data: ", 6) != 0)
        return true;
    json_t *data = json_loads(line + 6, 0, NULL);
    if (data == NULL)
        return true;
    if (run->is_json) {
        json_dumpf(data, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (api_json_text(data, "kind")[0] != '\0' &&
               strcmp(api_json_text(data, "kind"), "TAKE_IN") != 0) {
        workflow_tell_event(data);
    }
    fflush(stdout);
    json_decref(data);
    return true;
}

int workflow_watch(struct command_run *run)
{
    return request_lines(run, "events", workflow_on_event, run) ? 0 : 1;
}

/* ---- a case of another institution ---- */

static void workflow_add_asked(json_t *items, const struct command_run *run, const char *wanted)
{
    for (size_t i = 0; i < command_count(run, wanted); i++)
        json_array_append_new(
            items, json_pack("{s:s,s:s}", "wanted", wanted, "text", command_nth(run, wanted, i)));
}

int workflow_ask(struct command_run *run)
{
    json_t *body = command_body(run);
    if (body == NULL)
        return 1;
    json_t *items = json_array();
    const char *const kinds[] = {"records", "test", "image", "other"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        workflow_add_asked(items, run, kinds[i]);
    json_object_set_new(body, "items", items);
    json_t *answer = workflow_sign(run, run->arguments[0], "ask", body);
    json_decref(body);
    return workflow_output_print(run, answer, table_done);
}

/* A person at a terminal is warned and asked; for a script, the node refuses without
 * --without-synthesis. */
int workflow_close(struct command_run *run)
{
    json_t *body = command_body(run), *answer = NULL;
    if (body != NULL && workflow_confirm_is_asked(run))
        json_object_set_new(body, "without_synthesis", json_true());
    if (body != NULL)
        answer = workflow_sign(run, run->arguments[0], "close", body);
    json_decref(body);
    return workflow_output_print(run, answer, table_done);
}

int workflow_erase(struct command_run *run)
{
    json_t *body = json_object(), *answer = NULL;
    char *path = workflow_path("cases", run->arguments[0], "erase");
    bool is_meant = request_check(run, path, body);
    if (is_meant && !run->is_sure &&
        !workflow_confirm_ask("This destroys the case here and at every participant that "
                              "follows the protocol. It cannot be undone. Erase it?")) {
        term_problem("nothing was erased");
        is_meant = false;
    }
    if (is_meant)
        answer = request_sign(run, METHOD_POST, path, body);
    free(path);
    json_decref(body);
    return workflow_output_print(run, answer, table_done);
}

int workflow_audit_verify(struct command_run *run)
{
    json_t *answer = request_wait(run, "audit/verify", "audit/progress", "entries");
    bool is_sound = api_json_is(answer, "sound");
    int status = workflow_output_print(run, answer, table_audit);
    return is_sound ? status : 1;
}

int workflow_audit_export(struct command_run *run)
{
    const char *to = command_value(run, "to");
    json_t *body = json_object();
    to = to == NULL ? "audit.jsonl" : to;
    bool is_done = request_download(run, "audit/export", body, to);
    json_decref(body);
    if (is_done && !run->is_json)
        printf("Written to %s.\n", to);
    return is_done ? 0 : 1;
}
