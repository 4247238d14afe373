#include "node/cli/page.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/show.h"

static const char *page_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static long long page_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static bool page_is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void page_head(const char *title)
{
    printf("\n%s\n", title);
}

/* ---- the case ---- */

static void page_top(const json_t *about)
{
    const json_t *announcement = json_object_get(about, "announcement");
    const json_t *from = json_object_get(about, "requester");
    const json_t *told = json_object_get(about, "deadline") == NULL ? announcement : about;
    if (from == NULL)
        from = json_object_get(announcement, "writer");
    printf("Case %.16s, %s: %s\n", page_of(about, "case"), page_of(told, "specialty"),
           page_of(about, "state"));
    printf("  from            ");
    (void)show_short(page_of(from, "name"), 62);
    printf("\n  this hospital   %s\n", strcmp(page_of(about, "part"), "none") == 0
                                           ? "takes no part; `consilium join` offers to"
                                           : page_of(about, "part"));
    printf("  until           %s UTC\n", show_time(page_of(told, "deadline")));
    /* Of an erased case, neither is left. */
    if (page_of(told, "question")[0] == '\0')
        return;
    printf("  wanted          %lld opinions, %s; %s, %s\n", page_number(told, "wanted_count"),
           page_of(told, "mode"), page_of(told, "service"), page_of(told, "reason"));
    page_head("Question");
    show_text(page_of(told, "question"), 2);
}

static void page_file(const json_t *file)
{
    size_t index;
    json_t *item;
    if (!json_is_object(file))
        return;
    page_head("Case file");
    show_text(page_of(file, "description"), 2);
    json_array_foreach(json_object_get(file, "items"), index, item)
    {
        printf("  - ");
        show_line(page_of(item, "name"), 36);
        printf("  %9lld bytes  %.16s\n", page_number(item, "size"), page_of(item, "item_id"));
    }
}

static const char *page_standing(const json_t *participant)
{
    if (page_is(participant, "ended"))
        return "access ended";
    if (page_is(participant, "declined"))
        return "declined";
    return page_is(participant, "opinion") ? "gave an opinion" : "no opinion yet";
}

static void page_participants(const json_t *about)
{
    size_t index;
    json_t *participant;
    const json_t *counts = json_object_get(about, "counts");
    if (!json_is_array(json_object_get(about, "participants")))
        return;
    printf("\nParticipants: %lld, opinions: %lld, revealed: %lld\n",
           page_number(counts, "participants"), page_number(counts, "opinions"),
           page_number(counts, "revealed"));
    json_array_foreach(json_object_get(about, "participants"), index, participant)
    {
        const json_t *clinician = json_object_get(participant, "clinician");
        printf("  ");
        show_line(page_of(participant, "name"), 30);
        printf("  ");
        show_line(page_of(clinician, "name"), 26);
        printf("  %s\n", page_standing(participant));
    }
    if (page_number(about, "joins_waiting") > 0)
        printf("  %lld joins wait for an answer: `consilium joins`, then `consilium grant`\n",
               page_number(about, "joins_waiting"));
    if (page_is(counts, "overdue"))
        printf("  The deadline is over: `consilium close` or `consilium extend`.\n");
    if (page_is(counts, "follow_up_due"))
        printf("  The follow-up is due: `consilium outcome`.\n");
}

static void page_asked(const json_t *asked)
{
    size_t index;
    json_t *item;
    if (json_array_size(asked) == 0)
        return;
    page_head("Asked for");
    json_array_foreach(asked, index, item)
    {
        printf("  %.16s  %lld  ", page_of(item, "ask"), page_number(item, "index"));
        show_line(page_of(item, "state"), 14);
        printf("  ");
        show_line(page_of(item, "wanted"), 8);
        printf(" ");
        (void)show_short(page_of(item, "text"), 34);
        putchar('\n');
    }
}

void page_case(const json_t *about)
{
    page_top(about);
    page_file(json_object_get(about, "case_file"));
    page_participants(about);
    page_asked(json_object_get(about, "asked"));
    page_head("Responsibility");
    show_text(page_of(about, "responsibility"), 2);
}

/* ---- the thread ---- */

/* What only programs and proofs need of a record's content. */
static const char *const page_inner[] = {
    "announcement", "stream_head", "roster_head", "manifest_root", "opening", "requester",
    "join",         "clinician",   "ask",         "items",         "answers", "items_opened"};

static void page_items(const json_t *content)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(content, "items"), index, item)
    {
        if (page_of(item, "wanted")[0] == '\0')
            continue;
        printf("  %zu  %s: ", index, page_of(item, "wanted"));
        (void)show_short(page_of(item, "text"), 60);
        putchar('\n');
    }
    json_array_foreach(json_object_get(content, "answers"), index, item)
    {
        printf("  %lld  %s%s", page_number(item, "index"), page_of(item, "answer"),
               page_of(item, "note")[0] == '\0' ? "" : ": ");
        (void)show_short(page_of(item, "note"), 50);
        putchar('\n');
    }
}

static void page_content(const json_t *record)
{
    const char *kind = page_of(record, "kind");
    json_t *content = json_copy(json_object_get(record, "content"));
    if (!json_is_object(content)) {
        json_decref(content);
        return;
    }
    size_t count = json_array_size(json_object_get(content, "items"));
    if (strcmp(kind, "OPEN") == 0 || strcmp(kind, "TAKE_IN") == 0)
        json_object_clear(content);
    if (strcmp(kind, "MANIFEST") == 0 || strcmp(kind, "OPENED") == 0) {
        printf("  %zu documents and images%s\n", count, kind[0] == 'M' ? " in the case file" : "");
        json_object_clear(content);
    }
    page_items(content);
    for (size_t i = 0; i < sizeof page_inner / sizeof page_inner[0]; i++)
        json_object_del(content, page_inner[i]);
    show_fields(content, 2);
    json_decref(content);
}

static void page_notes(const json_t *record)
{
    const json_t *delivery = json_object_get(record, "delivery");
    const char *verdict = page_of(record, "verdict"), *signature = page_of(record, "signature");
    if (signature[0] != '\0' && strcmp(signature, "good") != 0 && strcmp(signature, "none") != 0)
        printf("  SIGNATURE NOT GOOD: %s\n", signature);
    if (strcmp(page_of(record, "audience"), "requester") == 0 && !page_is(record, "revealed"))
        printf("  for the requester alone, until it is revealed\n");
    if (verdict[0] != '\0' && strcmp(verdict, "it counts") != 0)
        show_text(verdict, 2);
    if (page_of(record, "why")[0] != '\0') {
        printf("  not readable: ");
        (void)show_short(page_of(record, "why"), 60);
        putchar('\n');
    }
    if (delivery != NULL && page_number(delivery, "reached") < page_number(delivery, "audience"))
        printf("  reached %lld of %lld institutions so far\n", page_number(delivery, "reached"),
               page_number(delivery, "audience"));
}

static void page_record(const json_t *record)
{
    const json_t *clinician = json_object_get(record, "clinician");
    char who[512];
    snprintf(who, sizeof who, "%s%s%s", page_of(clinician, "name"),
             page_of(clinician, "name")[0] == '\0' ? "" : ", ",
             page_of(json_object_get(record, "writer"), "name"));
    printf("\n%s  ", show_time(page_of(record, "time")));
    show_line(page_of(record, "kind"), 10);
    printf("  %.16s\n  ", page_of(record, "record"));
    (void)show_short(who, 76);
    putchar('\n');
    page_notes(record);
    page_content(record);
}

void page_thread(const json_t *answer)
{
    size_t index;
    json_t *record;
    size_t erased_count = 0;
    const char *next = page_of(answer, "next");
    page_head("Thread (times are UTC; --json has all of it)");
    json_array_foreach(json_object_get(answer, "thread"), index, record)
    {
        /* Says only that the requester has the record: the page tells it from the record. */
        if (strcmp(page_of(record, "kind"), "TAKE_IN") == 0)
            continue;
        if (strcmp(page_of(record, "why"), "erased") == 0)
            erased_count++;
        else
            page_record(record);
    }
    if (erased_count > 0)
        printf("\n%zu records are erased: nothing of them can be read.\n", erased_count);
    if (next[0] != '\0')
        printf("\nThere is more: consilium thread CASE --after %s\n", next);
}
