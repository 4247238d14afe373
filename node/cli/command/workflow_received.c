#include "node/cli/command/workflow_received.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/api_json.h"
#include "node/cli/present/render_record.h"
#include "node/cli/terminal/term.h"

/* All entries about the case, page by page; NULL after an error, which was printed. */
static json_t *received_entries(struct command_run *run)
{
    char after[32] = "0", path[256];
    char *in_case = request_escape(run->arguments[0]);
    json_t *all = json_array(), *page = NULL;
    bool is_last = false, is_good = true;
    while (is_good && !is_last) {
        snprintf(path, sizeof path, "audit?limit=200&case=%.80s&after=%s", in_case, after);
        page = request_send(run, METHOD_GET, path, NULL);
        is_good = page != NULL;
        json_array_extend(all, json_object_get(page, "entries"));
        is_last = api_json_text(page, "next")[0] == '\0';
        snprintf(after, sizeof after, "%.20s", api_json_text(page, "next"));
        json_decref(page);
    }
    free(in_case);
    if (!is_good) {
        json_decref(all);
        return NULL;
    }
    return all;
}

/* The entry of the institution in the report; a new one when it has none. */
static json_t *received_by(json_t *report, const json_t *institution)
{
    size_t index;
    json_t *one, *list = json_object_get(report, "received");
    json_array_foreach(list, index, one)
    {
        if (api_json_equals(json_object_get(one, "institution"), "node",
                            api_json_text(institution, "node")))
            return one;
    }
    one = json_pack("{s:O,s:[]}", "institution", institution, "items");
    json_array_append_new(list, one);
    return one;
}

static void received_take(json_t *report, json_t *entry)
{
    json_t *institution = json_object_get(entry, "institution");
    if (api_json_equals(entry, "what", "exported"))
        json_object_set_new(report, "exports",
                            json_integer((json_int_t)api_json_number(report, "exports") + 1));
    if (institution == NULL)
        return;
    json_t *one = received_by(report, institution);
    if (api_json_equals(entry, "what", "disclosed")) {
        json_object_set(one, "granted_at", json_object_get(entry, "time"));
        json_object_set(one, "entry", json_object_get(entry, "number"));
        json_object_del(one, "ended_at");
    } else if (api_json_equals(entry, "what", "disclosure-ended")) {
        json_object_set(one, "ended_at", json_object_get(entry, "time"));
    } else if (api_json_equals(entry, "what", "item-served")) {
        json_array_append_new(json_object_get(one, "items"),
                              json_pack("{s:O,s:O}", "item", json_object_get(entry, "item"), "at",
                                        json_object_get(entry, "time")));
    }
}

/* Adds the signed receipts of their clinicians from the thread. */
static void received_opened(json_t *report, const json_t *thread)
{
    size_t index, place;
    json_t *record, *one, *list = json_object_get(report, "received");
    json_array_foreach(json_object_get(thread, "thread"), index, record)
    {
        const json_t *writer = json_object_get(record, "writer");
        json_array_foreach(list, place, one)
        {
            if (!api_json_equals(record, "kind", "OPENED") ||
                !api_json_equals(json_object_get(one, "institution"), "node",
                                 api_json_text(writer, "node")))
                continue;
            if (json_object_get(one, "opened_by") == NULL)
                json_object_set_new(one, "opened_by", json_array());
            json_array_append_new(json_object_get(one, "opened_by"),
                                  json_pack("{s:s,s:s}", "name", api_json_name(record, "clinician"),
                                            "at", api_json_text(record, "time")));
        }
    }
}

static void received_erased(json_t *report, const json_t *erasure)
{
    size_t index;
    json_t *receipt;
    json_array_foreach(json_object_get(erasure, "receipts"), index, receipt) json_object_set(
        received_by(report, receipt), "erased_at", json_object_get(receipt, "erased_at"));
}

/* Who sent no receipt, and was never told: it has all that it received. */
static void received_untold(json_t *report, const json_t *erasure)
{
    size_t index;
    json_t *member;
    json_array_foreach(json_object_get(erasure, "silent"), index, member)
    {
        if (json_is_boolean(json_object_get(member, "told")))
            json_object_set(received_by(report, member), "told_of_erasure",
                            json_object_get(member, "told"));
    }
}

/* ---- the page ---- */

static void received_time(const char *label, const json_t *one, const char *key)
{
    char line[64];
    if (api_json_text(one, key)[0] == '\0')
        return;
    snprintf(line, sizeof line, "%s UTC", term_time(api_json_text(one, key)));
    term_pair(2, label, 16, line);
}

static void received_one(const json_t *one)
{
    char line[200], before[200] = "";
    size_t index;
    json_t *opened;
    const json_t *items = json_object_get(one, "items");
    size_t count = json_array_size(items);
    printf("\n");
    term_text(api_json_name(one, "institution"), 0);
    received_time("access given", one, "granted_at");
    if (count > 0) {
        snprintf(line, sizeof line, "%s sent there, the last on %s UTC",
                 term_count((long long)count, "item"),
                 term_time(api_json_text(json_array_get(items, count - 1), "at")));
        term_pair(2, "case file", 16, line);
    }
    json_array_foreach(json_object_get(one, "opened_by"), index, opened)
    {
        snprintf(line, sizeof line, "%.120s, %s UTC", api_json_text(opened, "name"),
                 term_time(api_json_text(opened, "at")));
        if (strcmp(line, before) != 0) /* several receipts within a minute */
            term_pair(2, index == 0 ? "opened by" : "", 16, line);
        snprintf(before, sizeof before, "%s", line);
    }
    received_time("access ended", one, "ended_at");
    received_time("erased", one, "erased_at");
    if (json_is_boolean(json_object_get(one, "told_of_erasure")))
        term_pair(2, "erased", 16,
                  api_json_is(one, "told_of_erasure")
                      ? "no receipt yet; it was told"
                      : "NEVER TOLD of the erasure: it was not reached since");
}

/* Only the requester gives access; the log of a participant does not show the others. */
static const char *received_by_none(const char *part)
{
    if (strcmp(part, "requester") == 0)
        return "No institution was given access.";
    if (strcmp(part, "participant") == 0)
        return "This institution has access; only the requester gives access to others.";
    if (strcmp(part, "ended") == 0)
        return "The access of this institution has ended; only the requester gives access.";
    return "This institution gave access to none.";
}

static void received_page(const json_t *report)
{
    size_t index;
    json_t *one;
    const json_t *list = json_object_get(report, "received");
    printf("Who received case %.16s (audit log of this node)\n", api_json_text(report, "case"));
    if (json_object_get(report, "notice") != NULL) {
        printf("\nThe notice\n");
        render_record_delivery(json_object_get(report, "notice"), NULL, 2);
    }
    if (json_array_size(list) == 0)
        printf("\n%s\n", received_by_none(api_json_text(report, "part")));
    json_array_foreach(list, index, one) received_one(one);
    if (api_json_number(report, "exports") > 0)
        printf("\n%s written to a file here.\n",
               term_count(api_json_number(report, "exports"), "opinion"));
    if (!api_json_equals(report, "part", "requester"))
        term_text("\nThis institution does not lead the case; the log of the requester lists all "
                  "institutions.",
                  0);
    printf("\n`consilium audit list --case %.8s` lists each entry;\n"
           "`consilium audit verify` checks that none is missing.\n",
           api_json_text(report, "case"));
}

static json_t *received_get(struct command_run *run, const char *what)
{
    char path[256], *in_case = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%.80s%s", in_case, what);
    free(in_case);
    return request_send(run, METHOD_GET, path, NULL);
}

int workflow_received(struct command_run *run)
{
    size_t index;
    json_t *entry, *report = NULL;
    json_t *about = received_get(run, "");
    json_t *entries = about == NULL ? NULL : received_entries(run);
    json_t *thread = entries == NULL ? NULL : request_thread(run);
    json_t *erasure = thread == NULL ? NULL : received_get(run, "/erasure");
    if (erasure != NULL) {
        report = json_pack("{s:s,s:s,s:[]}", "case", api_json_text(about, "case"), "part",
                           api_json_text(about, "part"), "received");
        json_t *notice = json_object_get(json_object_get(about, "announcement"), "delivery");
        if (notice != NULL)
            json_object_set(report, "notice", notice);
        json_array_foreach(entries, index, entry) received_take(report, entry);
        received_opened(report, thread);
        received_erased(report, erasure);
        received_untold(report, erasure);
    }
    json_decref(erasure);
    json_decref(thread);
    json_decref(entries);
    json_decref(about);
    return workflow_output_print(run, report, received_page);
}
