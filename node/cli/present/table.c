#include "node/cli/present/table.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/present/api_json.h"
#include "node/cli/present/render_record.h"
#include "node/cli/terminal/term.h"

static void table_next(const json_t *answer)
{
    const char *next = api_json_text(answer, "next");
    if (next[0] != '\0')
        printf("\nMore follows: --after %s\n", next);
}

void table_members(const json_t *answer)
{
    size_t index;
    json_t *member;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("No member matches.\n");
    json_array_foreach(api_json_list(answer), index, member)
    {
        printf("%.12s  ", api_json_text(member, "node"));
        term_line(api_json_text(member, "name"), 32);
        printf("  %-2s  ", api_json_text(member, "country"));
        term_line(api_json_text(member, "state"), 10);
        printf("  ");
        const json_t *connection = json_object_get(member, "connection");
        (void)term_short(json_is_string(connection) ? json_string_value(connection) : "", 16);
        putchar('\n');
    }
    table_next(answer);
}

void table_boards(const json_t *answer)
{
    size_t index;
    json_t *board;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("The society has no board yet.\n");
    json_array_foreach(api_json_list(answer), index, board)
    {
        term_line(api_json_text(board, "specialty")[0] != '\0' ? api_json_text(board, "specialty")
                                                               : api_json_text(board, "tag"),
                  24);
        printf("  ");
        term_line(api_json_text(board, "name"), 30);
        printf("  %s%s\n", term_count(api_json_number(board, "members"), "member"),
               api_json_is(board, "serves") ? ", also here" : "");
    }
}

/* What a reader needs to decide whether to open it; `show` has the rest. */
static void table_case(const json_t *entry)
{
    char line[512];
    if (api_json_equals(entry, "state", "erased")) {
        printf("%.16s  erased\n", api_json_text(entry, "case"));
        snprintf(line, sizeof line, "`consilium erasure %.8s` lists the receipts",
                 api_json_text(entry, "case"));
        if (api_json_name(entry, "requester")[0] != '\0')
            term_text(api_json_name(entry, "requester"), 2);
        if (api_json_equals(entry, "part", "requester"))
            term_text(line, 2);
        putchar('\n');
        return;
    }
    const json_t *announcement = json_object_get(entry, "announcement");
    const json_t *about = announcement == NULL ? entry : announcement;
    const char *deadline = api_json_text(about, "deadline");
    const char *from = api_json_name(entry, "requester");
    const char *part = api_json_text(entry, "part");
    printf("%.16s  ", api_json_text(entry, "case"));
    term_line(api_json_text(about, "specialty"), 22);
    printf("  ");
    term_line(api_json_text(entry, "state"), 11);
    printf("  %.10s, %s\n", deadline, term_left(deadline));
    snprintf(line, sizeof line, "%s; %s; %lld wanted%s%s",
             from[0] != '\0' ? from : api_json_name(entry, "writer"),
             api_json_text(about, "reason"), api_json_number(about, "wanted_count"),
             strcmp(part, "none") == 0 || part[0] == '\0' ? "" : "; this institution: ",
             strcmp(part, "none") == 0 ? "" : part);
    term_text(line, 2);
    term_excerpt(api_json_text(about, "question"), 2, 4);
    if (json_object_get(announcement, "delivery") != NULL)
        render_record_delivery(json_object_get(announcement, "delivery"), NULL, 2);
    putchar('\n');
}

static void table_case_list(const json_t *answer, const char *none)
{
    size_t index;
    json_t *entry;
    const json_t *list = api_json_list(answer);
    if (json_array_size(list) == 0)
        printf("%s\n", none);
    json_array_foreach(list, index, entry) table_case(entry);
    table_next(answer);
}

void table_inbox(const json_t *answer)
{
    table_case_list(answer, "No case is open on your boards. --state all lists closed cases, too.\n"
                            "An institution receives no announcement older than its admission.\n"
                            "`consilium requests` lists requests to this institution only.");
}

void table_requests(const json_t *answer)
{
    table_case_list(answer,
                    "No request to this institution only. `consilium inbox` lists the cases\n"
                    "of its boards.");
}

void table_cases(const json_t *answer)
{
    table_case_list(answer, "No such case. `consilium draft new` begins one, `consilium inbox` "
                            "lists\nthose of other institutions.");
}

void table_done(const json_t *answer)
{
    const char *record = api_json_text(answer, "record");
    if (record[0] == '\0') {
        term_value(answer);
        return;
    }
    printf("Signed and stored here; the node sends it. Record %.16s.\n", record);
    if (api_json_text(answer, "case")[0] != '\0')
        printf("`consilium show %.8s` shows its delivery.\n", api_json_text(answer, "case"));
}

void table_grant(const json_t *answer)
{
    char line[400];
    if (!api_json_is(answer, "already")) {
        table_done(answer);
        return;
    }
    snprintf(line, sizeof line, "%.300s has access already; nothing was changed.",
             api_json_name(answer, "institution"));
    term_text(line, 0);
}

void table_audit(const json_t *answer)
{
    if (api_json_is(answer, "sound"))
        printf("The audit log is sound: %s, compared with %s.\n",
               term_count(api_json_number(answer, "count"), "entry"),
               term_count(api_json_number(answer, "witnesses"), "witnessed head"));
    else
        printf("THE AUDIT LOG IS NOT SOUND at entry %lld: %s.\n", api_json_number(answer, "number"),
               api_json_text(answer, "says"));
}

void table_sent(const json_t *answer)
{
    printf("Signed and stored here; the node sends it.\n");
    printf("case %.16s  (`consilium show %.8s` shows its progress)\n",
           api_json_text(answer, "case"), api_json_text(answer, "case"));
}

/* ---- tables ---- */

static void table_column(const char *text, size_t width)
{
    term_line(text, width);
    printf("  ");
}

/* Enough of an id to name the object by. */
static void table_id(const char *id)
{
    printf("%.16s  ", id);
}

static void table_last(const char *text, size_t width)
{
    (void)term_short(text, width);
    putchar('\n');
}

void table_relays(const json_t *answer)
{
    size_t index;
    json_t *relay;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("The society has no relay.\n");
    json_array_foreach(api_json_list(answer), index, relay)
    {
        table_column(api_json_text(relay, "name"), 24);
        table_column(api_json_is(relay, "connected") ? "connected" : "NOT CONNECTED", 13);
        table_last(api_json_text(relay, "endpoint"), 37);
    }
}

/* "oncology, radiology" of a list of texts. */
static void table_join(const json_t *list, char *ret_text, size_t size)
{
    size_t index, used = 0;
    json_t *text;
    ret_text[0] = '\0';
    json_array_foreach(list, index, text)
    {
        int added = snprintf(ret_text + used, size - used, "%s%s", index == 0 ? "" : ", ",
                             json_string_value(text));
        used += added < 0 || (size_t)added >= size - used ? 0 : (size_t)added;
    }
}

void table_clinicians(const json_t *answer)
{
    size_t index;
    json_t *clinician;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("No account yet: `sudo consilium clinician add` makes one.\n");
    json_array_foreach(api_json_list(answer), index, clinician)
    {
        char tags[200];
        table_join(json_object_get(clinician, "specialties"), tags, sizeof tags);
        table_column(api_json_text(clinician, "login"), 10);
        table_column(api_json_text(clinician, "name"), 26);
        bool is_over = strcmp(term_left(api_json_text(clinician, "valid_until")), "over") == 0;
        table_column(api_json_is(clinician, "revoked") ? "REVOKED" : is_over ? "OVER" : "", 7);
        printf("%.10s  ", api_json_text(clinician, "valid_until"));
        table_last(tags, 19);
    }
}

void table_account(const json_t *answer)
{
    const char *waits = api_json_text(answer, "waits");
    printf("The account %s can be used only by user %lld of this machine.\n",
           api_json_text(answer, "login"), api_json_number(answer, "uid"));
    printf("  signs as     ");
    table_last(api_json_text(answer, "name"), 65);
    char tags[200];
    table_join(json_object_get(answer, "specialties"), tags, sizeof tags);
    printf("  specialties  ");
    table_last(tags, 65);
    printf("  until        %.10s\n", api_json_text(answer, "valid_until"));
    printf("  certificate  %.16s\n", api_json_text(answer, "certificate"));
    if (waits[0] != '\0')
        printf("It is not published yet (%s); the node will publish it.\n", waits);
}

void table_revoked(const json_t *answer)
{
    printf("The account %s is revoked: nobody can sign with it now.\n"
           "Earlier signatures remain valid.\n",
           api_json_text(answer, "login"));
}

void table_specialists(const json_t *answer)
{
    size_t index;
    json_t *clinician;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("No clinician matches.\n");
    json_array_foreach(api_json_list(answer), index, clinician)
    {
        char tags[200];
        table_join(json_object_get(clinician, "specialties"), tags, sizeof tags);
        table_column(api_json_text(clinician, "name"), 26);
        table_column(api_json_name(clinician, "institution"), 28);
        table_last(tags, 22);
    }
    table_next(answer);
}

void table_deleted(const json_t *answer)
{
    (void)answer;
    printf("The draft and its attachments are deleted.\n");
}

void table_drafts(const json_t *answer)
{
    size_t index;
    json_t *draft;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("No draft. `consilium draft new` begins one.\n");
    json_array_foreach(api_json_list(answer), index, draft)
    {
        const json_t *fields = json_object_get(draft, "fields");
        char what[64];
        snprintf(what, sizeof what, "supplies case %.8s", api_json_text(draft, "supplies"));
        const char *of = json_string_value(json_array_get(json_object_get(draft, "of"), 0));
        table_id(api_json_text(draft, "draft"));
        table_column(term_time(api_json_text(draft, "made_at")), 16);
        table_column(
            term_count((long long)json_array_size(json_object_get(draft, "attachments")), "file"),
            8);
        table_last(api_json_text(draft, "supplies")[0] != '\0' ? what
                                                               : api_json_text(fields, "question"),
                   34);
        if (!api_json_is(draft, "own"))
            term_pair(2, "shared by ", 12, of == NULL ? "another user" : of);
    }
}

void table_draft_owners(const json_t *answer)
{
    size_t index, place;
    json_t *owner, *draft;
    json_t *owners = json_object_get(answer, "owners");
    printf("%lld of %lld drafts.\n", json_integer_value(json_object_get(answer, "count")),
           json_integer_value(json_object_get(answer, "limit")));
    json_array_foreach(owners, index, owner)
    {
        json_t *drafts = json_object_get(owner, "drafts");
        printf("User %lld: %s, at most %lld\n", json_integer_value(json_object_get(owner, "uid")),
               term_count((long long)json_array_size(drafts), "draft"),
               json_integer_value(json_object_get(owner, "limit")));
        json_array_foreach(drafts, place, draft)
        {
            printf("  ");
            table_id(api_json_text(draft, "draft"));
            table_column(term_time(api_json_text(draft, "made_at")), 16);
            table_column(
                term_count(json_integer_value(json_object_get(draft, "attachments")), "file"), 8);
            table_last(term_size(json_integer_value(json_object_get(draft, "size"))), 34);
        }
    }
}

void table_draft_cleared(const json_t *answer)
{
    long long left = json_integer_value(json_object_get(answer, "left"));
    printf("%s deleted.\n",
           term_count(json_integer_value(json_object_get(answer, "deleted")), "draft"));
    if (left > 0)
        printf("%s left: they are being sent, or a file is being attached.\n",
               term_count(left, "draft"));
}

void table_items(const json_t *answer)
{
    size_t index;
    json_t *item;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("No documents or images; `consilium show` has the text of the case.\n");
    json_array_foreach(api_json_list(answer), index, item)
    {
        char chunks[48];
        snprintf(chunks, sizeof chunks, "%lld of %lld parts", api_json_number(item, "chunks_here"),
                 api_json_number(item, "chunk_count"));
        table_id(api_json_text(item, "item"));
        table_column(api_json_text(item, "name"), 28);
        printf("%10s  ", term_size(api_json_number(item, "size")));
        table_last(api_json_equals(item, "state", "here") ? "here" : chunks, 20);
        render_record_delivery(NULL, json_object_get(item, "opened_by"), 18);
    }
}

void table_written(const json_t *answer)
{
    size_t index;
    json_t *file;
    json_array_foreach(answer, index, file) term_text(api_json_text(file, "file"), 2);
}

void table_joins(const json_t *answer)
{
    size_t index;
    json_t *join;
    const char *in_case = "CASE";
    if (json_array_size(api_json_list(answer)) == 0)
        printf("No request to join. `consilium show` lists who has access.\n");
    json_array_foreach(api_json_list(answer), index, join)
    {
        const json_t *content = json_object_get(join, "content");
        in_case = api_json_text(content, "case_id");
        table_id(api_json_text(join, "record"));
        table_column(term_time(api_json_text(join, "time")), 16);
        table_column(api_json_name(join, "writer"), 24);
        table_last(api_json_name(join, "clinician"), 18);
        if (api_json_text(content, "note")[0] != '\0')
            term_text(api_json_text(content, "note"), 2);
    }
    if (json_array_size(api_json_list(answer)) > 0)
        printf("\n`consilium grant %.8s --participant NAME` gives access,\n"
               "`consilium refuse %.8s JOIN --note TEXT` does not.\n",
               in_case, in_case);
}

/* It has never reported that it has the erasure; only who wrote that knows. */
static bool table_untold(const json_t *member)
{
    return json_is_false(json_object_get(member, "told"));
}

void table_erasure(const json_t *answer)
{
    size_t index;
    json_t *member;
    printf("%s\n",
           api_json_is(answer, "erased") ? "The case is erased." : "The case is not erased.");
    json_array_foreach(json_object_get(answer, "receipts"), index, member)
    {
        table_column(api_json_text(member, "name"), 30);
        printf("erased %s, ", term_time(api_json_text(member, "erased_at")));
        printf("backups until %.10s\n", term_time(api_json_text(member, "backups_until")));
    }
    json_array_foreach(json_object_get(answer, "silent"), index, member)
    {
        if (!api_json_is(answer, "erased"))
            break;
        table_column(api_json_text(member, "name"), 30);
        printf("%s\n", table_untold(member) ? "NEVER TOLD of the erasure: not reached since"
                                            : "no receipt yet");
    }
}

void table_entries(const json_t *answer)
{
    size_t index;
    json_t *entry;
    if (json_array_size(api_json_list(answer)) == 0)
        printf("No entries.\n");
    json_array_foreach(api_json_list(answer), index, entry)
    {
        const char *who = api_json_text(entry, "login");
        printf("%5lld  %s  ", api_json_number(entry, "number"),
               term_time(api_json_text(entry, "time")));
        table_column(api_json_text(entry, "what"), 14);
        table_column(api_json_text(entry, "kind"), 12);
        printf("%-8.8s  ", api_json_text(entry, "case"));
        table_last(who[0] == '\0' ? api_json_name(entry, "institution") : who, 15);
    }
    table_next(answer);
}
