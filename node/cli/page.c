#include "node/cli/page.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/answer.h"
#include "node/cli/page_record.h"
#include "node/cli/show.h"

enum { PAGE_LABEL_WIDTH = 16 };

static void page_head(const char *title)
{
    printf("\n%s\n", title);
}

static void page_pair(const char *label, const char *text)
{
    show_pair(2, label, PAGE_LABEL_WIDTH, text);
}

/* ---- the case ---- */

static void page_patient(const json_t *told)
{
    char line[160];
    const char *age = answer_text(told, "age"), *sex = answer_text(told, "sex");
    const char *country = answer_text(told, "country");
    snprintf(line, sizeof line, "%s%s%s%s%s", age, age[0] != '\0' && sex[0] != '\0' ? ", " : "",
             sex, country[0] != '\0' && (age[0] != '\0' || sex[0] != '\0') ? ", " : "", country);
    if (line[0] != '\0')
        page_pair("patient", line);
}

/* What this institution has to do with it; of who asked to join, what became of that. */
static void page_part(const json_t *about)
{
    char line[600];
    const json_t *join = json_object_get(about, "own_join");
    const json_t *letter = json_object_get(join, "letter");
    const json_t *refusal = json_object_get(json_object_get(join, "refusal"), "content");
    const char *word = answer_text(refusal, "text");
    bool is_told =
        answer_text(refusal, "reason")[0] != '\0' && !answer_equals(refusal, "reason", "other");
    const char *why =
        answer_text(json_object_get(json_object_get(about, "access_ended"), "content"), "text");
    if (join == NULL && answer_equals(about, "part", "ended")) {
        snprintf(line, sizeof line, "participant, whose access has ended%s%.500s",
                 why[0] == '\0' ? "" : ": ", why);
        page_pair("our part", line);
        return;
    }
    if (join == NULL) {
        page_pair("our part",
                  answer_equals(about, "part", "none") ? "none (yet)" : answer_text(about, "part"));
        return;
    }
    if (answer_equals(join, "state", "waiting"))
        snprintf(line, sizeof line, "waits for the requester: %.60s asked to join on %s UTC",
                 answer_name(letter, "clinician"), show_time(answer_text(letter, "time")));
    else if (answer_equals(join, "state", "declined"))
        snprintf(line, sizeof line, "declined (%.60s, %s)", answer_name(letter, "clinician"),
                 show_time(answer_text(letter, "time")));
    else
        snprintf(line, sizeof line, "asked to join, and was refused%s%s%s%.400s",
                 is_told || word[0] != '\0' ? ": " : "",
                 is_told ? answer_text(refusal, "reason") : "",
                 is_told && word[0] != '\0' ? "; " : "", word);
    page_pair("our part", line);
}

static void page_top(const json_t *about)
{
    char line[512];
    const json_t *announcement = json_object_get(about, "announcement");
    const json_t *told = json_object_get(about, "deadline") == NULL ? announcement : about;
    const char *deadline = answer_text(told, "deadline");
    const char *from = answer_name(about, "requester");
    printf("Case %.16s, %s: %s\n", answer_text(about, "case"), answer_text(told, "specialty"),
           answer_text(about, "state"));
    page_pair("from", from[0] != '\0' ? from : answer_name(announcement, "writer"));
    page_part(about);
    snprintf(line, sizeof line, "%s UTC, %s", show_time(deadline), show_left(deadline));
    page_pair("until", line);
    if (json_object_get(announcement, "delivery") != NULL) {
        printf("  %-14s", "announced");
        page_record_delivery(json_object_get(announcement, "delivery"), NULL, 0);
    }
    /* Of an erased case, neither is left. */
    if (answer_text(told, "question")[0] == '\0')
        return;
    snprintf(line, sizeof line, "%s, %s; %s, %s",
             show_count(answer_number(told, "wanted_count"), "opinion"), answer_text(told, "mode"),
             answer_text(told, "service"), answer_text(told, "reason"));
    page_pair("wanted", line);
    page_patient(told);
    page_head("Question");
    show_text(answer_text(told, "question"), 2);
}

static void page_file(const json_t *file)
{
    size_t index;
    json_t *item;
    if (!json_is_object(file))
        return;
    page_head("Case file");
    show_text(answer_text(file, "description"), 2);
    json_array_foreach(json_object_get(file, "items"), index, item)
    {
        printf("  - ");
        show_line(answer_text(item, "name"), 44);
        printf("  %10s  %.16s\n", show_size(answer_number(item, "size")),
               answer_text(item, "item_id"));
    }
}

static const char *page_standing(const json_t *participant)
{
    if (answer_is(participant, "ended"))
        return "access ended";
    if (answer_is(participant, "declined"))
        return "declined";
    return answer_is(participant, "opinion") ? "gave an opinion" : "no opinion yet";
}

static void page_participants(const json_t *about)
{
    size_t index;
    json_t *participant;
    const json_t *counts = json_object_get(about, "counts");
    if (!json_is_array(json_object_get(about, "participants")))
        return;
    long long opinions = answer_number(counts, "opinions"),
              institutions = answer_number(counts, "institutions_with_opinion");
    printf("\nParticipants: %lld, opinions: %lld of %lld wanted, revealed: %lld\n",
           answer_number(counts, "participants"), institutions,
           answer_number(about, "wanted_count"), answer_number(counts, "revealed"));
    if (opinions > institutions)
        printf("  %lld opinions in all: several of one institution count as one\n", opinions);
    json_array_foreach(json_object_get(about, "participants"), index, participant)
    {
        printf("  ");
        show_line(answer_text(participant, "name"), 30);
        printf("  ");
        show_line(answer_name(participant, "clinician"), 26);
        printf("  %s\n", page_standing(participant));
    }
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
        char text[512];
        snprintf(text, sizeof text, "%.8s %lld: %s: %s", answer_text(item, "ask"),
                 answer_number(item, "index"), answer_text(item, "wanted"),
                 answer_text(item, "text"));
        page_pair(answer_text(item, "state"), text);
    }
}

static void page_declined(const json_t *declined)
{
    size_t index;
    json_t *record;
    if (json_array_size(declined) == 0)
        return;
    page_head("Declined");
    json_array_foreach(declined, index, record) page_record(record);
}

/* ---- what could come next ---- */

static void page_command(const char *command, const json_t *about, const char *why)
{
    char line[64];
    snprintf(line, sizeof line, "consilium %s %.8s", command, answer_text(about, "case"));
    show_pair(2, line, 34, why);
}

static bool page_is_asked(const json_t *about)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(about, "asked"), index, item)
    {
        if (answer_equals(item, "state", "open"))
            return true;
    }
    return false;
}

static void page_next_requester(const json_t *about, const json_t *counts)
{
    bool is_unrevealed = answer_number(counts, "opinions") > answer_number(counts, "revealed");
    bool is_first = answer_equals(about, "mode", "independent-first");
    bool is_readable = answer_number(counts, "opinions") > 0 && !(is_first && is_unrevealed);
    bool is_announced = answer_equals(about, "state", "announced");
    bool is_running = is_announced || answer_equals(about, "state", "revealed") ||
                      answer_equals(about, "state", "synthesised");
    if (is_running && page_is_asked(about))
        page_command("supply", about, "gives what was asked for, or says why not");
    if (is_running && answer_number(about, "joins_waiting") > 0)
        page_command("joins", about, "who asked to join waits: grant, or refuse");
    if (is_announced && is_first && is_unrevealed)
        page_command("reveal", about, "lets the participants read the opinions");
    if (is_running && is_readable && !answer_equals(about, "state", "synthesised"))
        page_command("synthesis", about, "sums the opinions up, before the case is closed");
    if (answer_equals(about, "state", "synthesised") && !answer_is(counts, "overdue"))
        page_command("close", about, "when nothing more is wanted");
    if (answer_equals(about, "state", "closed") && !answer_is(counts, "follow_up_due"))
        page_command("outcome", about, "tells those who answered how it ended");
    if (answer_is(counts, "overdue")) {
        if (answer_equals(about, "state", "synthesised") || answer_number(counts, "opinions") == 0)
            page_command("close", about, "the deadline is over");
        page_command("extend", about, "gives it more time: the deadline is over");
    }
    if (answer_is(counts, "follow_up_due"))
        page_command("outcome", about, "the follow-up is due: tell how it ended");
}

static bool page_waits(const json_t *about)
{
    return answer_equals(json_object_get(about, "own_join"), "state", "waiting");
}

static void page_next(const json_t *about)
{
    const json_t *counts = json_object_get(about, "counts");
    const char *state = answer_text(about, "state");
    bool is_open = strcmp(state, "announced") == 0 || strcmp(state, "revealed") == 0 ||
                   strcmp(state, "open") == 0;
    if (answer_equals(about, "part", "requester")) {
        page_next_requester(about, counts);
    } else if (is_open && page_waits(about)) {
        show_text("Nothing to do now: the requester grants access, or refuses.", 2);
    } else if (is_open &&
               (answer_equals(about, "part", "none") || answer_equals(about, "part", "ended"))) {
        page_command("join", about,
                     json_object_get(about, "own_join") != NULL ||
                             answer_equals(about, "part", "ended")
                         ? "asks for access anew"
                         : "offers an opinion; the case file follows");
        if (json_object_get(about, "own_join") == NULL)
            page_command("decline", about, "says that nobody here will");
    } else if (is_open && answer_equals(about, "part", "participant")) {
        page_command("fetch", about, "gets documents and images");
        page_command("read", about, "writes them out, with your receipt");
        page_command("reply", about, "gives your opinion");
    }
}

void page_case(const json_t *about)
{
    page_top(about);
    page_file(json_object_get(about, "case_file"));
    page_participants(about);
    page_asked(json_object_get(about, "asked"));
    page_declined(json_object_get(about, "declined_by_mail"));
    page_head("Responsibility, and what could come next");
    show_text(answer_text(about, "responsibility"), 2);
    page_next(about);
}

/* ---- the thread ---- */

/* An opinion that its own institution replaced says so. */
static void page_mark_replaced(const json_t *thread, json_t *record)
{
    size_t index;
    json_t *later;
    json_array_foreach(thread, index, later)
    {
        const json_t *content = json_object_get(later, "content");
        if (answer_equals(content, "replaces", answer_text(record, "record")) &&
            answer_equals(json_object_get(later, "writer"), "node",
                          answer_text(json_object_get(record, "writer"), "node")))
            json_object_set(record, "replaced_by", json_object_get(later, "record"));
    }
}

void page_thread(const json_t *answer)
{
    size_t index;
    json_t *record;
    size_t erased_count = 0;
    const char *next = answer_text(answer, "next");
    page_head("Thread (times are UTC; --json has all of it)");
    json_array_foreach(json_object_get(answer, "thread"), index, record)
    {
        /* Says only that the requester has the record: the page tells it from the record. */
        if (answer_equals(record, "kind", "TAKE_IN"))
            continue;
        if (answer_equals(record, "kind", "OPINION"))
            page_mark_replaced(json_object_get(answer, "thread"), record);
        if (answer_equals(record, "why", "erased"))
            erased_count++;
        else
            page_record(record);
    }
    if (erased_count > 0)
        printf("\n%s erased: nothing can be read there.\n",
               show_count((long long)erased_count, "record"));
    if (next[0] != '\0')
        printf("\nThere is more: --after %s\n", next);
}
