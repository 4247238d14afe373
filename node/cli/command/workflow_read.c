#include "node/cli/command/workflow_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_confirm.h"
#include "node/cli/command/workflow_items.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/api_json.h"
#include "node/cli/present/table.h"
#include "node/cli/terminal/term.h"

enum { READ_RECEIPT_MAX = 64 };

/* ---- who reads, and what is new ---- */

/* The certificate of the account that signs; NULL after an error, which was printed. The caller
 * drops `ret_answer`. */
static const char *read_certificate(struct command_run *run, json_t **ret_answer)
{
    size_t index;
    json_t *account;
    if (!request_signer(run))
        return NULL;
    *ret_answer = request_send(run, METHOD_GET, "clinicians", NULL);
    json_array_foreach(json_object_get(*ret_answer, "clinicians"), index, account)
    {
        if (api_json_equals(account, "login", run->clinician))
            return api_json_text(account, "certificate");
    }
    if (*ret_answer != NULL)
        term_problem("this institution has no account %s; choose one of `consilium clinician list` "
                     "with --clinician",
                     run->clinician);
    return NULL;
}

static bool read_is_opened(const json_t *opened_by, const char *certificate)
{
    size_t index;
    json_t *who;
    json_array_foreach(opened_by, index, who)
    {
        if (api_json_equals(who, "certificate", certificate))
            return true;
    }
    return false;
}

/* Is it named on the command line, or is all of it wanted? */
static bool read_is_wanted(const struct command_run *run, const char *field, const char *id)
{
    size_t count = command_count(run, field);
    for (size_t i = 0; i < count; i++) {
        const char *wanted = command_nth(run, field, i);
        if (strncmp(wanted, id, strlen(wanted)) == 0)
            return true;
    }
    return count == 0 && command_count(run, "items") + command_count(run, "records") == 0;
}

/* What a person reads of others: not what only keeps order. */
static bool read_is_said(const json_t *record)
{
    static const char *const kinds[] = {"OPINION", "POST",      "ASK",     "SUPPLY",
                                        "DECLINE", "SYNTHESIS", "OUTCOME", "FLAG"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (api_json_equals(record, "kind", kinds[i]))
            return json_object_get(record, "delivery") == NULL; /* which only our own have */
    }
    return false;
}

static json_t *read_records(const struct command_run *run, const json_t *thread,
                            const char *certificate)
{
    size_t index;
    json_t *record, *list = json_array();
    json_array_foreach(json_object_get(thread, "thread"), index, record)
    {
        if (read_is_said(record) &&
            read_is_wanted(run, "records", api_json_text(record, "record")) &&
            !read_is_opened(json_object_get(record, "opened_by"), certificate) &&
            json_array_size(list) < READ_RECEIPT_MAX)
            json_array_append(list, json_object_get(record, "record"));
    }
    return list;
}

static json_t *read_items(const struct command_run *run, const json_t *items)
{
    size_t index;
    json_t *item, *list = json_array();
    json_array_foreach(json_object_get(items, "items"), index, item)
    {
        if (read_is_wanted(run, "items", api_json_text(item, "item")))
            json_array_append(list, item);
    }
    return list;
}

/* ---- the receipt ---- */

static bool read_sign(struct command_run *run, const json_t *items, json_t *records,
                      const char *certificate)
{
    char path[256], *id = request_escape(run->arguments[0]);
    size_t index;
    json_t *item, *ids = json_array(), *names = json_array();
    json_array_foreach(items, index, item)
    {
        if (read_is_opened(json_object_get(item, "opened_by"), certificate))
            continue;
        json_array_append(ids, json_object_get(item, "item"));
        json_array_append(names, json_object_get(item, "name"));
    }
    snprintf(path, sizeof path, "cases/%s/opened", id);
    free(id);
    bool is_signed = json_array_size(ids) + json_array_size(records) == 0;
    json_t *body = json_pack("{s:o,s:O}", "items", ids, "records", records);
    json_t *shown = json_pack("{s:o,s:O}", "documents and images", names, "records", records);
    json_t *answer = is_signed ? NULL : workflow_confirm_post(run, path, body, shown);
    json_decref(shown);
    if (answer != NULL && !run->is_json)
        printf("Signed that you opened %s and %s.\n",
               term_count((long long)json_array_size(ids), "item"),
               term_count((long long)json_array_size(records), "record"));
    is_signed = is_signed || answer != NULL;
    json_decref(answer);
    json_decref(body);
    return is_signed;
}

/* ---- the files ---- */

static bool read_one(struct command_run *run, const json_t *item, const char *file)
{
    char path[512];
    char *in_case = request_escape(run->arguments[0]);
    char *clinician = request_escape(run->clinician);
    snprintf(path, sizeof path, "cases/%s/items/%s?clinician=%s", in_case,
             api_json_text(item, "item"), clinician);
    free(clinician);
    free(in_case);
    return request_download(run, path, NULL, file);
}

static bool read_write(struct command_run *run, const json_t *items, const char *folder,
                       json_t *written)
{
    size_t index;
    json_t *item;
    json_array_foreach(items, index, item)
    {
        char file[4096];
        workflow_output_file(folder, api_json_text(item, "name"), index + 1, file, sizeof file);
        if (!read_one(run, item, file))
            return false;
        json_array_append_new(
            written, json_pack("{s:s,s:s}", "item", api_json_text(item, "item"), "file", file));
    }
    return true;
}

/* ---- all of it ---- */

static int read_all(struct command_run *run, const char *certificate, const char *folder)
{
    json_t *about = workflow_items_get(run);
    json_t *thread = about == NULL ? NULL : request_thread(run);
    json_t *items = read_items(run, about), *written = json_array();
    json_t *records = read_records(run, thread, certificate);
    bool is_some = json_array_size(items) + json_array_size(records) > 0;
    bool is_named = command_count(run, "items") + command_count(run, "records") > 0;
    bool is_good = thread != NULL && (is_some || !is_named);
    if (thread != NULL && !is_good)
        term_problem("the case has no such item or record, or you have opened it already");
    is_good = is_good && read_sign(run, items, records, certificate) &&
              read_write(run, items, folder, written);
    if (is_good && !is_some && !run->is_json)
        printf("Nothing new to open.\n");
    json_decref(records);
    json_decref(items);
    json_decref(thread);
    json_decref(about);
    int status = workflow_output_print(run, written, table_written);
    return is_good ? status : 1;
}

int workflow_read(struct command_run *run)
{
    const char *folder;
    json_t *accounts = NULL;
    /* the folder first: a receipt for files that were never written would be false */
    const char *certificate = workflow_output_folder(command_value(run, "to"), &folder)
                                  ? read_certificate(run, &accounts)
                                  : NULL;
    int status = certificate == NULL ? 1 : read_all(run, certificate, folder);
    json_decref(accounts);
    return status;
}
