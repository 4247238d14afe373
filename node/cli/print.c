#include "node/cli/print.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "node/cli/show.h"

static const char *print_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static long long print_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* The list that an answer holds under its only array, whatever its name. */
static const json_t *print_list(const json_t *answer)
{
    const char *key;
    json_t *value;
    json_t *all = json_incref((json_t *)(uintptr_t)answer);
    const json_t *found = json_is_array(answer) ? answer : NULL;
    if (json_is_object(answer)) {
        json_object_foreach(all, key, value)
        {
            if (json_is_array(value))
                found = value;
        }
    }
    json_decref(all);
    return found;
}

static void print_next(const json_t *answer)
{
    const char *next = print_of(answer, "next");
    if (next[0] != '\0')
        printf("\nThere is more: --after %s\n", next);
}

void print_status(const json_t *answer)
{
    show_value(answer);
}

void print_members(const json_t *answer)
{
    size_t index;
    json_t *member;
    json_array_foreach(print_list(answer), index, member)
    {
        show_line(print_of(member, "node"), 12);
        printf("  ");
        show_line(print_of(member, "name"), 34);
        printf("  %-2s  ", print_of(member, "country"));
        show_line(print_of(member, "state"), 10);
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
    json_array_foreach(print_list(answer), index, board)
    {
        show_line(print_of(board, "specialty")[0] != '\0' ? print_of(board, "specialty")
                                                          : print_of(board, "tag"),
                  24);
        printf("  ");
        show_line(print_of(board, "name"), 30);
        printf("  %lld members%s\n", print_number(board, "members"),
               json_is_true(json_object_get(board, "serves")) ? ", yours too" : "");
    }
}

void print_preview(const json_t *answer)
{
    show_text(print_of(answer, "text"), 0);
    printf("\npreview %s\n", print_of(answer, "preview"));
}

static void print_announcement(const json_t *entry)
{
    const json_t *announcement = json_object_get(entry, "announcement");
    const json_t *about = announcement == NULL ? entry : announcement;
    const json_t *from = json_object_get(entry, "requester");
    if (from == NULL)
        from = json_object_get(entry, "writer");
    printf("case ");
    show_line(print_of(entry, "case"), 16);
    printf("  ");
    show_line(print_of(about, "specialty"), 20);
    printf("  ");
    show_line(print_of(entry, "state"), 12);
    printf("  until %s\n", show_time(print_of(about, "deadline")));
    if (from != NULL) {
        printf("  from ");
        (void)show_short(print_of(from, "name"), 60);
        putchar('\n');
    }
    show_text(print_of(about, "question"), 2);
    putchar('\n');
}

void print_inbox(const json_t *answer)
{
    size_t index;
    json_t *entry;
    const json_t *list = print_list(answer);
    if (json_array_size(list) == 0)
        printf("Nothing new. `consilium inbox --state all` shows closed cases too.\n");
    json_array_foreach(list, index, entry) print_announcement(entry);
    print_next(answer);
}

void print_cases(const json_t *answer)
{
    size_t index;
    json_t *entry;
    const json_t *list = print_list(answer);
    if (json_array_size(list) == 0)
        printf("No case yet. `consilium draft new` begins one, `consilium inbox` shows those of "
               "others.\n");
    json_array_foreach(list, index, entry) print_announcement(entry);
    print_next(answer);
}

void print_done(const json_t *answer)
{
    const char *record = print_of(answer, "record");
    if (record[0] == '\0') {
        show_value(answer);
        return;
    }
    printf("%s is kept here, and goes to those whom it is for.\n", print_of(answer, "kind"));
    printf("record           %.16s\n", record);
    if (print_of(answer, "case")[0] != '\0')
        printf("case             %.16s\n", print_of(answer, "case"));
}

void print_audit(const json_t *answer)
{
    if (json_is_true(json_object_get(answer, "sound")))
        printf("The audit log is sound: %lld entries, compared with %lld witnessed heads.\n",
               print_number(answer, "count"), print_number(answer, "witnesses"));
    else
        printf("THE AUDIT LOG IS NOT SOUND at entry %lld: %s.\n", print_number(answer, "number"),
               print_of(answer, "says"));
}

void print_sent(const json_t *answer)
{
    printf("Signed and kept here; it goes to those whom it is for.\n");
    printf("case %.16s  (`consilium show %.8s` tells how it goes on)\n", print_of(answer, "case"),
           print_of(answer, "case"));
}

/* ---- tables ---- */

static void print_column(const char *text, size_t width)
{
    show_line(text, width);
    printf("  ");
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
    if (json_array_size(print_list(answer)) == 0)
        printf("The society lists no relay.\n");
    json_array_foreach(print_list(answer), index, relay)
    {
        print_column(print_of(relay, "name"), 24);
        print_column(
            json_is_true(json_object_get(relay, "connected")) ? "connected" : "NOT CONNECTED", 13);
        print_last(print_of(relay, "endpoint"), 37);
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
    if (json_array_size(print_list(answer)) == 0)
        printf("No account yet: `consilium clinician add` makes one.\n");
    json_array_foreach(print_list(answer), index, clinician)
    {
        char tags[200];
        print_join(json_object_get(clinician, "specialties"), tags, sizeof tags);
        print_column(print_of(clinician, "login"), 10);
        print_column(print_of(clinician, "name"), 26);
        print_column(json_is_true(json_object_get(clinician, "revoked")) ? "REVOKED" : "", 7);
        print_column(show_time(print_of(clinician, "valid_until")), 10);
        print_last(tags, 19);
    }
}

void print_account(const json_t *answer)
{
    const char *waits = print_of(answer, "waits");
    printf("The account %s is made, for user %lld of this machine alone.\n",
           print_of(answer, "login"), print_number(answer, "uid"));
    printf("  signs as     ");
    print_last(print_of(answer, "name"), 65);
    printf("  until        %.10s\n", print_of(answer, "valid_until"));
    printf("  certificate  %.16s\n", print_of(answer, "certificate"));
    if (waits[0] != '\0')
        printf("It is not published yet (%s): the node does it by itself.\n", waits);
}

void print_specialists(const json_t *answer)
{
    size_t index;
    json_t *clinician;
    if (json_array_size(print_list(answer)) == 0)
        printf("No clinician of any member is known here (yet).\n");
    json_array_foreach(print_list(answer), index, clinician)
    {
        char tags[200];
        print_join(json_object_get(clinician, "specialties"), tags, sizeof tags);
        print_column(print_of(clinician, "name"), 26);
        print_column(print_of(json_object_get(clinician, "institution"), "name"), 28);
        print_last(tags, 22);
    }
    print_next(answer);
}

void print_drafts(const json_t *answer)
{
    size_t index;
    json_t *draft;
    if (json_array_size(print_list(answer)) == 0)
        printf("No draft. `consilium draft new` begins one.\n");
    json_array_foreach(print_list(answer), index, draft)
    {
        const json_t *fields = json_object_get(draft, "fields");
        char what[64];
        snprintf(what, sizeof what, "answers what was asked in case %.8s",
                 print_of(draft, "supplies"));
        print_column(print_of(draft, "draft"), 16);
        print_column(show_time(print_of(draft, "made_at")), 16);
        printf("%zu files  ", json_array_size(json_object_get(draft, "attachments")));
        print_last(print_of(draft, "supplies")[0] != '\0' ? what : print_of(fields, "question"),
                   34);
    }
}

void print_items(const json_t *answer)
{
    size_t index;
    json_t *item;
    if (json_array_size(print_list(answer)) == 0)
        printf("No documents and no images.\n");
    json_array_foreach(print_list(answer), index, item)
    {
        char chunks[48];
        snprintf(chunks, sizeof chunks, "%lld of %lld parts", print_number(item, "chunks_here"),
                 print_number(item, "chunk_count"));
        print_column(print_of(item, "item"), 16);
        print_column(print_of(item, "name"), 26);
        printf("%9lld  ", print_number(item, "size"));
        print_last(strcmp(print_of(item, "state"), "here") == 0 ? "here" : chunks, 20);
    }
}

void print_joins(const json_t *answer)
{
    size_t index;
    json_t *join;
    if (json_array_size(print_list(answer)) == 0)
        printf("No join waits.\n");
    json_array_foreach(print_list(answer), index, join)
    {
        print_column(print_of(join, "record"), 16);
        print_column(show_time(print_of(join, "time")), 16);
        print_column(print_of(json_object_get(join, "writer"), "name"), 24);
        print_last(print_of(json_object_get(join, "clinician"), "name"), 18);
    }
}

void print_erasure(const json_t *answer)
{
    size_t index;
    json_t *member;
    printf("%s\n", json_is_true(json_object_get(answer, "erased")) ? "The case is erased."
                                                                   : "The case is not erased.");
    json_array_foreach(json_object_get(answer, "receipts"), index, member)
    {
        print_column(print_of(member, "name"), 30);
        printf("erased %s, ", show_time(print_of(member, "erased_at")));
        printf("backups until %.10s\n", show_time(print_of(member, "backups_until")));
    }
    json_array_foreach(json_object_get(answer, "silent"), index, member)
    {
        if (!json_is_true(json_object_get(answer, "erased")))
            break;
        print_column(print_of(member, "name"), 30);
        printf("silent: no receipt\n");
    }
}

void print_entries(const json_t *answer)
{
    size_t index;
    json_t *entry;
    json_array_foreach(print_list(answer), index, entry)
    {
        const char *who = print_of(entry, "login");
        printf("%5lld  %s  ", print_number(entry, "number"), show_time(print_of(entry, "time")));
        print_column(print_of(entry, "what"), 14);
        print_column(print_of(entry, "kind"), 12);
        print_column(print_of(entry, "case"), 8);
        print_last(who[0] == '\0' ? print_of(json_object_get(entry, "institution"), "name") : who,
                   15);
    }
    print_next(answer);
}
