#include "node/cli/present/render.h"

#include <stdio.h>
#include <string.h>

#include "node/cli/present/api_json.h"
#include "node/cli/present/render_next.h"
#include "node/cli/present/render_record.h"
#include "node/cli/terminal/term.h"

enum { RENDER_LABEL_WIDTH = 16 };

static void render_head(const char *title)
{
    printf("\n%s\n", title);
}

static void render_pair(const char *label, const char *text)
{
    term_pair(2, label, RENDER_LABEL_WIDTH, text);
}

/* ---- the case ---- */

static void render_patient(const json_t *told)
{
    char line[160];
    const char *age = api_json_text(told, "age"), *sex = api_json_text(told, "sex");
    const char *country = api_json_text(told, "country");
    snprintf(line, sizeof line, "%s%s%s%s%s", age, age[0] != '\0' && sex[0] != '\0' ? ", " : "",
             sex, country[0] != '\0' && (age[0] != '\0' || sex[0] != '\0') ? ", " : "", country);
    if (line[0] != '\0')
        render_pair("patient", line);
}

/* The part of this institution; after a request to join, the state of that request. */
static void render_part(const json_t *about)
{
    char line[600];
    const json_t *join = json_object_get(about, "own_join");
    const json_t *letter = json_object_get(join, "letter");
    const json_t *refusal = json_object_get(json_object_get(join, "refusal"), "content");
    const char *word = api_json_text(refusal, "text");
    bool is_told =
        api_json_text(refusal, "reason")[0] != '\0' && !api_json_equals(refusal, "reason", "other");
    const char *why =
        api_json_text(json_object_get(json_object_get(about, "access_ended"), "content"), "text");
    if (join == NULL && api_json_equals(about, "part", "ended")) {
        snprintf(line, sizeof line, "participant, whose access has ended%s%.500s",
                 why[0] == '\0' ? "" : ": ", why);
        render_pair("our part", line);
        return;
    }
    if (join == NULL) {
        render_pair("our part", api_json_equals(about, "part", "none")
                                    ? "none (yet)"
                                    : api_json_text(about, "part"));
        return;
    }
    if (api_json_equals(join, "state", "waiting"))
        snprintf(line, sizeof line, "waiting for the requester: %.60s asked to join on %s UTC",
                 api_json_name(letter, "clinician"), term_time(api_json_text(letter, "time")));
    else if (api_json_equals(join, "state", "declined"))
        snprintf(line, sizeof line, "declined (%.60s, %s)", api_json_name(letter, "clinician"),
                 term_time(api_json_text(letter, "time")));
    else
        snprintf(line, sizeof line, "asked to join; refused%s%s%s%.400s",
                 is_told || word[0] != '\0' ? ": " : "",
                 is_told ? api_json_text(refusal, "reason") : "",
                 is_told && word[0] != '\0' ? "; " : "", word);
    render_pair("our part", line);
}

static void render_top(const json_t *about)
{
    char line[512];
    const json_t *announcement = json_object_get(about, "announcement");
    const json_t *told = json_object_get(about, "deadline") == NULL ? announcement : about;
    const char *deadline = api_json_text(told, "deadline");
    const char *from = api_json_name(about, "requester");
    printf("Case %.16s, %s: %s\n", api_json_text(about, "case"), api_json_text(told, "specialty"),
           api_json_text(about, "state"));
    render_pair("from", from[0] != '\0' ? from : api_json_name(announcement, "writer"));
    render_part(about);
    snprintf(line, sizeof line, "%s UTC, %s", term_time(deadline), term_left(deadline));
    render_pair("until", line);
    if (json_object_get(announcement, "delivery") != NULL) {
        printf("  %-14s", "announced");
        render_record_delivery(json_object_get(announcement, "delivery"), NULL, 0);
    }
    /* Of an erased case, neither is left. */
    if (api_json_text(told, "question")[0] == '\0')
        return;
    snprintf(line, sizeof line, "%s, %s; %s, %s",
             term_count(api_json_number(told, "wanted_count"), "opinion"),
             api_json_text(told, "mode"), api_json_text(told, "service"),
             api_json_text(told, "reason"));
    render_pair("wanted", line);
    render_patient(told);
    render_head("Question");
    term_text(api_json_text(told, "question"), 2);
}

static void render_file(const json_t *file)
{
    size_t index;
    json_t *item;
    if (!json_is_object(file))
        return;
    render_head("Case file");
    term_text(api_json_text(file, "description"), 2);
    json_array_foreach(json_object_get(file, "items"), index, item)
    {
        printf("  - ");
        term_line(api_json_text(item, "name"), 44);
        printf("  %10s  %.16s\n", term_size(api_json_number(item, "size")),
               api_json_text(item, "item_id"));
    }
}

static const char *render_standing(const json_t *participant)
{
    if (api_json_is(participant, "ended"))
        return "access ended";
    if (api_json_is(participant, "declined"))
        return "declined";
    return api_json_is(participant, "opinion") ? "gave an opinion" : "no opinion yet";
}

static void render_participants(const json_t *about)
{
    size_t index;
    json_t *participant;
    const json_t *counts = json_object_get(about, "counts");
    if (!json_is_array(json_object_get(about, "participants")))
        return;
    long long opinions = api_json_number(counts, "opinions"),
              institutions = api_json_number(counts, "institutions_with_opinion");
    printf("\nParticipants: %lld, opinions: %lld of %lld wanted, revealed: %lld\n",
           api_json_number(counts, "participants"), institutions,
           api_json_number(about, "wanted_count"), api_json_number(counts, "revealed"));
    if (opinions > institutions)
        printf("  %lld opinions in all: several of one institution count once\n", opinions);
    json_array_foreach(json_object_get(about, "participants"), index, participant)
    {
        printf("  ");
        term_line(api_json_text(participant, "name"), 30);
        printf("  ");
        term_line(api_json_name(participant, "clinician"), 26);
        printf("  %s\n", render_standing(participant));
    }
}

static void render_asked(const json_t *asked)
{
    size_t index;
    json_t *item;
    if (json_array_size(asked) == 0)
        return;
    render_head("Asked for");
    json_array_foreach(asked, index, item)
    {
        char text[512];
        snprintf(text, sizeof text, "%.8s %lld: %s: %s", api_json_text(item, "ask"),
                 api_json_number(item, "index"), api_json_text(item, "wanted"),
                 api_json_text(item, "text"));
        render_pair(api_json_text(item, "state"), text);
    }
}

static void render_declined(const json_t *declined)
{
    size_t index;
    json_t *record;
    if (json_array_size(declined) == 0)
        return;
    render_head("Declined");
    json_array_foreach(declined, index, record) render_record(record);
}

void render_case(const json_t *about)
{
    render_top(about);
    render_file(json_object_get(about, "case_file"));
    render_participants(about);
    render_asked(json_object_get(about, "asked"));
    render_declined(json_object_get(about, "declined_by_mail"));
    render_head("Responsibility, and next steps");
    term_text(api_json_text(about, "responsibility"), 2);
    render_next(about);
}

/* ---- the thread ---- */

/* An opinion that its own institution replaced says so. */
static void render_mark_replaced(const json_t *thread, json_t *record)
{
    size_t index;
    json_t *later;
    json_array_foreach(thread, index, later)
    {
        const json_t *content = json_object_get(later, "content");
        if (api_json_equals(content, "replaces", api_json_text(record, "record")) &&
            api_json_equals(json_object_get(later, "writer"), "node",
                            api_json_text(json_object_get(record, "writer"), "node")))
            json_object_set(record, "replaced_by", json_object_get(later, "record"));
    }
}

void render_thread(const json_t *answer)
{
    size_t index;
    json_t *record;
    size_t erased_count = 0;
    const char *next = api_json_text(answer, "next");
    render_head("Thread (times are UTC; --json has all of it)");
    json_array_foreach(json_object_get(answer, "thread"), index, record)
    {
        /* It only confirms that the requester has the record, which the record shows already. */
        if (api_json_equals(record, "kind", "TAKE_IN"))
            continue;
        if (api_json_equals(record, "kind", "OPINION"))
            render_mark_replaced(json_object_get(answer, "thread"), record);
        if (api_json_equals(record, "why", "erased"))
            erased_count++;
        else
            render_record(record);
    }
    if (erased_count > 0)
        printf("\n%s erased; the content is destroyed.\n",
               term_count((long long)erased_count, "record"));
    if (next[0] != '\0')
        printf("\nMore follows: --after %s\n", next);
}
