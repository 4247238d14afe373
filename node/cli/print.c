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

static void print_label(const char *name, const char *text)
{
    if (text[0] != '\0') {
        printf("%-16s ", name);
        (void)show_short(text, 62);
        putchar('\n');
    }
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
    printf("\npreview          %s\n", print_of(answer, "preview"));
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

void print_case(const json_t *answer)
{
    show_value(answer);
    putchar('\n');
}

static void print_record(const json_t *record)
{
    const json_t *clinician = json_object_get(record, "clinician");
    const json_t *writer = json_object_get(record, "writer");
    const json_t *delivery = json_object_get(record, "delivery");
    const char *verdict = print_of(record, "verdict");
    const char *signature = print_of(record, "signature");
    printf("-- %s  %s  ", show_time(print_of(record, "time")), print_of(record, "kind"));
    (void)show_short(print_of(record, "record"), 16);
    putchar('\n');
    print_label("institution", print_of(writer, "name"));
    if (clinician != NULL && print_of(clinician, "name")[0] != '\0')
        printf("%-16s %s, %s (signature %s)\n", "clinician", print_of(clinician, "name"),
               print_of(clinician, "credentials"), signature);
    if (delivery != NULL)
        printf("%-16s kept here, reached %lld of %lld institutions\n", "delivery",
               print_number(delivery, "reached"), print_number(delivery, "audience"));
    if (verdict[0] != '\0' && strcmp(verdict, "it counts") != 0)
        print_label("note", verdict);
    if (print_of(record, "why")[0] != '\0')
        print_label("not readable", print_of(record, "why"));
    const json_t *content = json_object_get(record, "content");
    if (json_is_object(content))
        show_value(content);
    putchar('\n');
}

void print_thread(const json_t *answer)
{
    size_t index;
    json_t *record;
    json_array_foreach(print_list(answer), index, record) print_record(record);
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
    printf("record           %s\n", record);
    if (print_of(answer, "case")[0] != '\0')
        printf("case             %s\n", print_of(answer, "case"));
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
