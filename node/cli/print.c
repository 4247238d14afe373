#include "node/cli/print.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/answer.h"
#include "node/cli/page_record.h"
#include "node/cli/show.h"

static void print_next(const json_t *answer)
{
    const char *next = answer_text(answer, "next");
    if (next[0] != '\0')
        printf("\nThere is more: --after %s\n", next);
}

void print_members(const json_t *answer)
{
    size_t index;
    json_t *member;
    if (json_array_size(answer_list(answer)) == 0)
        printf("No member fits.\n");
    json_array_foreach(answer_list(answer), index, member)
    {
        printf("%.12s  ", answer_text(member, "node"));
        show_line(answer_text(member, "name"), 32);
        printf("  %-2s  ", answer_text(member, "country"));
        show_line(answer_text(member, "state"), 10);
        printf("  ");
        const json_t *connection = json_object_get(member, "connection");
        (void)show_short(json_is_string(connection) ? json_string_value(connection) : "", 16);
        putchar('\n');
    }
    print_next(answer);
}

void print_boards(const json_t *answer)
{
    size_t index;
    json_t *board;
    if (json_array_size(answer_list(answer)) == 0)
        printf("The society lists no board yet.\n");
    json_array_foreach(answer_list(answer), index, board)
    {
        show_line(answer_text(board, "specialty")[0] != '\0' ? answer_text(board, "specialty")
                                                             : answer_text(board, "tag"),
                  24);
        printf("  ");
        show_line(answer_text(board, "name"), 30);
        printf("  %s%s\n", show_count(answer_number(board, "members"), "member"),
               answer_is(board, "serves") ? ", yours too" : "");
    }
}

/* What one must know to open it or pass on: the rest is on its page. */
static void print_case(const json_t *entry)
{
    char line[512];
    if (answer_equals(entry, "state", "erased")) {
        printf("%.16s  erased\n", answer_text(entry, "case"));
        snprintf(line, sizeof line, "`consilium erasure %.8s` lists the receipts",
                 answer_text(entry, "case"));
        show_pair(2, answer_name(entry, "requester"), 2,
                  answer_equals(entry, "part", "requester") ? line : "");
        putchar('\n');
        return;
    }
    const json_t *announcement = json_object_get(entry, "announcement");
    const json_t *about = announcement == NULL ? entry : announcement;
    const char *deadline = answer_text(about, "deadline");
    const char *from = answer_name(entry, "requester");
    const char *part = answer_text(entry, "part");
    printf("%.16s  ", answer_text(entry, "case"));
    show_line(answer_text(about, "specialty"), 22);
    printf("  ");
    show_line(answer_text(entry, "state"), 11);
    printf("  %.10s, %s\n", deadline, show_left(deadline));
    snprintf(line, sizeof line, "%s; %s; %lld wanted%s%s",
             from[0] != '\0' ? from : answer_name(entry, "writer"), answer_text(about, "reason"),
             answer_number(about, "wanted_count"),
             strcmp(part, "none") == 0 || part[0] == '\0' ? "" : "; you are ",
             strcmp(part, "none") == 0 ? "" : part);
    show_text(line, 2);
    show_excerpt(answer_text(about, "question"), 2, 4);
    if (json_object_get(announcement, "delivery") != NULL)
        page_record_delivery(json_object_get(announcement, "delivery"), NULL, 2);
    putchar('\n');
}

static void print_case_list(const json_t *answer, const char *none)
{
    size_t index;
    json_t *entry;
    const json_t *list = answer_list(answer);
    if (json_array_size(list) == 0)
        printf("%s\n", none);
    json_array_foreach(list, index, entry) print_case(entry);
    print_next(answer);
}

void print_inbox(const json_t *answer)
{
    print_case_list(answer,
                    "Nothing is open on your boards. --state all shows what is over, too.\n"
                    "An institution sees what is asked after its admission, not older cases;\n"
                    "`consilium requests` shows what was asked of it alone.");
}

void print_requests(const json_t *answer)
{
    print_case_list(answer, "Nobody asks this institution alone. `consilium inbox` shows what is\n"
                            "asked on its boards.");
}

void print_cases(const json_t *answer)
{
    print_case_list(answer, "No such case. `consilium draft new` begins one, `consilium inbox` "
                            "shows\nthose of others.");
}

void print_done(const json_t *answer)
{
    const char *record = answer_text(answer, "record");
    if (record[0] == '\0') {
        show_value(answer);
        return;
    }
    printf("Signed and kept here; it goes to those whom it is for. Record %.16s.\n", record);
    if (answer_text(answer, "case")[0] != '\0')
        printf("`consilium show %.8s` tells how far it got.\n", answer_text(answer, "case"));
}

void print_grant(const json_t *answer)
{
    char line[400];
    if (!answer_is(answer, "already")) {
        print_done(answer);
        return;
    }
    snprintf(line, sizeof line, "%.300s has access already: nothing more was written.",
             answer_name(answer, "institution"));
    show_text(line, 0);
}

void print_audit(const json_t *answer)
{
    if (answer_is(answer, "sound"))
        printf("The audit log is sound: %s, compared with %s.\n",
               show_count(answer_number(answer, "count"), "entry"),
               show_count(answer_number(answer, "witnesses"), "witnessed head"));
    else
        printf("THE AUDIT LOG IS NOT SOUND at entry %lld: %s.\n", answer_number(answer, "number"),
               answer_text(answer, "says"));
}

void print_sent(const json_t *answer)
{
    printf("Signed and kept here; it goes to those whom it is for.\n");
    printf("case %.16s  (`consilium show %.8s` tells how it goes on)\n",
           answer_text(answer, "case"), answer_text(answer, "case"));
}

/* ---- tables ---- */

static void print_column(const char *text, size_t width)
{
    show_line(text, width);
    printf("  ");
}

/* Enough of an id to name it by. */
static void print_id(const char *id)
{
    printf("%.16s  ", id);
}

static void print_last(const char *text, size_t width)
{
    (void)show_short(text, width);
    putchar('\n');
}

void print_relays(const json_t *answer)
{
    size_t index;
    json_t *relay;
    if (json_array_size(answer_list(answer)) == 0)
        printf("The society lists no relay.\n");
    json_array_foreach(answer_list(answer), index, relay)
    {
        print_column(answer_text(relay, "name"), 24);
        print_column(answer_is(relay, "connected") ? "connected" : "NOT CONNECTED", 13);
        print_last(answer_text(relay, "endpoint"), 37);
    }
}

/* "oncology, radiology" of a list of texts. */
static void print_join(const json_t *list, char *ret_text, size_t size)
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

void print_clinicians(const json_t *answer)
{
    size_t index;
    json_t *clinician;
    if (json_array_size(answer_list(answer)) == 0)
        printf("No account yet: `sudo consilium clinician add` makes one.\n");
    json_array_foreach(answer_list(answer), index, clinician)
    {
        char tags[200];
        print_join(json_object_get(clinician, "specialties"), tags, sizeof tags);
        print_column(answer_text(clinician, "login"), 10);
        print_column(answer_text(clinician, "name"), 26);
        bool is_over = strcmp(show_left(answer_text(clinician, "valid_until")), "over") == 0;
        print_column(answer_is(clinician, "revoked") ? "REVOKED" : is_over ? "OVER" : "", 7);
        printf("%.10s  ", answer_text(clinician, "valid_until"));
        print_last(tags, 19);
    }
}

void print_account(const json_t *answer)
{
    const char *waits = answer_text(answer, "waits");
    printf("The account %s is for user %lld of this machine alone.\n", answer_text(answer, "login"),
           answer_number(answer, "uid"));
    printf("  signs as     ");
    print_last(answer_text(answer, "name"), 65);
    char tags[200];
    print_join(json_object_get(answer, "specialties"), tags, sizeof tags);
    printf("  specialties  ");
    print_last(tags, 65);
    printf("  until        %.10s\n", answer_text(answer, "valid_until"));
    printf("  certificate  %.16s\n", answer_text(answer, "certificate"));
    if (waits[0] != '\0')
        printf("It is not published yet (%s): the node does it by itself.\n", waits);
}

void print_revoked(const json_t *answer)
{
    printf("The account %s is revoked: nothing more can be signed with it.\n"
           "What was signed before stays valid.\n",
           answer_text(answer, "login"));
}

void print_specialists(const json_t *answer)
{
    size_t index;
    json_t *clinician;
    if (json_array_size(answer_list(answer)) == 0)
        printf("No clinician of any member is known here (yet).\n");
    json_array_foreach(answer_list(answer), index, clinician)
    {
        char tags[200];
        print_join(json_object_get(clinician, "specialties"), tags, sizeof tags);
        print_column(answer_text(clinician, "name"), 26);
        print_column(answer_name(clinician, "institution"), 28);
        print_last(tags, 22);
    }
    print_next(answer);
}

void print_deleted(const json_t *answer)
{
    (void)answer;
    printf("The draft is removed, with its attachments.\n");
}

void print_drafts(const json_t *answer)
{
    size_t index;
    json_t *draft;
    if (json_array_size(answer_list(answer)) == 0)
        printf("No draft. `consilium draft new` begins one.\n");
    json_array_foreach(answer_list(answer), index, draft)
    {
        const json_t *fields = json_object_get(draft, "fields");
        char what[64];
        snprintf(what, sizeof what, "answers what was asked in case %.8s",
                 answer_text(draft, "supplies"));
        print_id(answer_text(draft, "draft"));
        print_column(show_time(answer_text(draft, "made_at")), 16);
        print_column(
            show_count((long long)json_array_size(json_object_get(draft, "attachments")), "file"),
            8);
        print_last(
            answer_text(draft, "supplies")[0] != '\0' ? what : answer_text(fields, "question"), 34);
    }
}

void print_items(const json_t *answer)
{
    size_t index;
    json_t *item;
    if (json_array_size(answer_list(answer)) == 0)
        printf("No documents and no images: all that is told stands in `consilium show`.\n");
    json_array_foreach(answer_list(answer), index, item)
    {
        char chunks[48];
        snprintf(chunks, sizeof chunks, "%lld of %lld parts", answer_number(item, "chunks_here"),
                 answer_number(item, "chunk_count"));
        print_id(answer_text(item, "item"));
        print_column(answer_text(item, "name"), 28);
        printf("%10s  ", show_size(answer_number(item, "size")));
        print_last(answer_equals(item, "state", "here") ? "here" : chunks, 20);
        page_record_delivery(NULL, json_object_get(item, "opened_by"), 18);
    }
}

void print_written(const json_t *answer)
{
    size_t index;
    json_t *file;
    json_array_foreach(answer, index, file) show_text(answer_text(file, "file"), 2);
}

void print_joins(const json_t *answer)
{
    size_t index;
    json_t *join;
    const char *in_case = "CASE";
    if (json_array_size(answer_list(answer)) == 0)
        printf("No join waits. Who has access, `consilium show` tells.\n");
    json_array_foreach(answer_list(answer), index, join)
    {
        const json_t *content = json_object_get(join, "content");
        in_case = answer_text(content, "case_id");
        print_id(answer_text(join, "record"));
        print_column(show_time(answer_text(join, "time")), 16);
        print_column(answer_name(join, "writer"), 24);
        print_last(answer_name(join, "clinician"), 18);
        if (answer_text(content, "note")[0] != '\0')
            show_text(answer_text(content, "note"), 2);
    }
    if (json_array_size(answer_list(answer)) > 0)
        printf("\n`consilium grant %.8s --participant NAME` gives access,\n"
               "`consilium refuse %.8s JOIN --note TEXT` does not.\n",
               in_case, in_case);
}

void print_erasure(const json_t *answer)
{
    size_t index;
    json_t *member;
    printf("%s\n", answer_is(answer, "erased") ? "The case is erased." : "The case is not erased.");
    json_array_foreach(json_object_get(answer, "receipts"), index, member)
    {
        print_column(answer_text(member, "name"), 30);
        printf("erased %s, ", show_time(answer_text(member, "erased_at")));
        printf("backups until %.10s\n", show_time(answer_text(member, "backups_until")));
    }
    json_array_foreach(json_object_get(answer, "silent"), index, member)
    {
        if (!answer_is(answer, "erased"))
            break;
        print_column(answer_text(member, "name"), 30);
        printf("silent: no receipt\n");
    }
}

void print_entries(const json_t *answer)
{
    size_t index;
    json_t *entry;
    if (json_array_size(answer_list(answer)) == 0)
        printf("No entry (yet).\n");
    json_array_foreach(answer_list(answer), index, entry)
    {
        const char *who = answer_text(entry, "login");
        printf("%5lld  %s  ", answer_number(entry, "number"),
               show_time(answer_text(entry, "time")));
        print_column(answer_text(entry, "what"), 14);
        print_column(answer_text(entry, "kind"), 12);
        printf("%-8.8s  ", answer_text(entry, "case"));
        print_last(who[0] == '\0' ? answer_name(entry, "institution") : who, 15);
    }
    print_next(answer);
}
