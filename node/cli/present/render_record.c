#include "node/cli/present/render_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/present/api_json.h"
#include "node/cli/terminal/term.h"

enum { RECORD_LABEL_WIDTH = 16, RECORD_TEXT_SIZE = 2048 };

/* ---- titles ---- */

static const struct {
    const char *kind;
    const char *title;
} record_titles[] = {
    {"OPEN", "Case opened"},
    {"MANIFEST", "Case file"},
    {"GRANT", "Access given"},
    {"GRANT_END", "Access ended"},
    {"OPINION", "Opinion"},
    {"POST", "Discussion"},
    {"ASK", "Request for more"},
    {"SUPPLY", "Supplied"},
    {"DECLINE", "Declined"},
    {"REVEAL", "Opinions revealed"},
    {"RELEASE", "Opinion released"},
    {"SYNTHESIS", "Summary"},
    {"CLOSE", "Case closed"},
    {"EXTEND", "Deadline extended"},
    {"WITHDRAW", "Case withdrawn"},
    {"OUTCOME", "Outcome"},
    {"OPENED", "Opened, with receipt"},
    {"ERASE", "Erasure ordered"},
    {"ERASED", "Erased, with receipt"},
    {"FLAG", "FLAGGED"},
    {"ANNOUNCEMENT", "New case"},
    {"MIRROR", "Case update"},
    {"DIRECTED", "Request to this institution"},
    {"JOIN", "Request to join"},
    {"GRANT_NOTICE", "Access granted"},
    {"MAIL_DECLINE", "Declined by mail"},
};

const char *render_record_title(const char *kind)
{
    for (size_t i = 0; i < sizeof record_titles / sizeof record_titles[0]; i++) {
        if (strcmp(record_titles[i].kind, kind) == 0)
            return record_titles[i].title;
    }
    return kind;
}

/* ---- pieces ---- */

static void record_pair(const char *label, const char *text)
{
    term_pair(2, label, RECORD_LABEL_WIDTH, text);
}

/* "fewer-side-effects" as words. */
static const char *record_words(const char *code)
{
    static char words[64];
    snprintf(words, sizeof words, "%s", code);
    for (char *c = words; *c != '\0'; c++)
        *c = *c == '-' ? ' ' : *c;
    return words;
}

/* "changed: no cisplatin" */
static void record_verdict(const json_t *content, const char *label, const char *code,
                           const char *text)
{
    char line[RECORD_TEXT_SIZE];
    const char *chosen = api_json_text(content, code), *words = api_json_text(content, text);
    if (chosen[0] == '\0' && words[0] == '\0')
        return;
    snprintf(line, sizeof line, "%s%s%s", chosen, chosen[0] == '\0' || words[0] == '\0' ? "" : ": ",
             words);
    record_pair(label, line);
}

static void record_list(const char *label, const json_t *list)
{
    size_t index;
    json_t *value;
    json_array_foreach(list, index, value)
        record_pair(index == 0 ? label : "", json_string_value(value));
}

static void record_alternatives(const json_t *list)
{
    size_t index;
    json_t *one;
    json_array_foreach(list, index, one)
    {
        char line[RECORD_TEXT_SIZE];
        const char *remark = api_json_text(one, "remark");
        snprintf(line, sizeof line, "%s (%s)%s%s", api_json_text(one, "what"),
                 record_words(api_json_text(one, "why")), remark[0] == '\0' ? "" : ": ", remark);
        record_pair(index == 0 ? "alternatives" : "", line);
    }
}

void render_record_opinion(const json_t *content)
{
    record_verdict(content, "diagnosis", "diagnosis", "diagnosis_text");
    record_verdict(content, "treatment", "treatment", "treatment_text");
    record_alternatives(json_object_get(content, "alternatives"));
    if (api_json_text(content, "confidence")[0] != '\0')
        record_pair("confidence", record_words(api_json_text(content, "confidence")));
    putchar('\n');
    term_text(api_json_text(content, "text"), 2);
    putchar('\n');
    record_list("references", json_object_get(content, "references"));
    record_list("trials", json_object_get(content, "trials"));
    if (api_json_text(content, "replaces")[0] != '\0')
        printf("  replaces        %.16s\n", api_json_text(content, "replaces"));
    term_text(api_json_text(content, "sentence"), 2);
}

/* ---- the small ones ---- */

static void record_asked(const json_t *content)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(content, "items"), index, item)
    {
        char lead[64];
        snprintf(lead, sizeof lead, "%zu %s", index, api_json_text(item, "wanted"));
        if (json_is_object(item))
            record_pair(lead, api_json_text(item, "text"));
    }
    json_array_foreach(json_object_get(content, "answers"), index, item)
    {
        char lead[64];
        snprintf(lead, sizeof lead, "%lld %s", api_json_number(item, "index"),
                 api_json_text(item, "answer"));
        if (json_is_object(item))
            term_pair(2, lead, RECORD_LABEL_WIDTH + 4, api_json_text(item, "note"));
    }
}

static void record_ids(const json_t *content)
{
    static const struct {
        const char *key;
        const char *label;
    } lists[] = {{"records", "opinions"}, {"opinions", "followed"}},
      ones[] = {{"record_id", "record"}, {"answers", "about"}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t index;
        json_t *id;
        json_array_foreach(json_object_get(content, lists[i].key), index, id)
            printf("  %-14s%.16s\n", index == 0 ? lists[i].label : "", json_string_value(id));
    }
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
        if (api_json_text(content, ones[i].key)[0] != '\0')
            printf("  %-14s%.16s\n", ones[i].label, api_json_text(content, ones[i].key));
    }
}

static void record_small(const json_t *content)
{
    static const char *const names[] = {"reason", "followed", "result", "final_diagnosis", "note"};
    if (json_object_get(content, "day") != NULL)
        printf("  %-14s%lld\n", "day", api_json_number(content, "day"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char label[32];
        const char *text = api_json_text(content, names[i]);
        snprintf(label, sizeof label, "%s", i == 3 ? "diagnosis" : names[i]);
        if (text[0] != '\0')
            record_pair(label, text);
    }
    if (api_json_text(content, "deadline")[0] != '\0')
        printf("  %-14s%s UTC\n", "until", term_time(api_json_text(content, "deadline")));
    if (json_object_get(content, "wanted_count") != NULL)
        printf("  %-14s%s\n", "wanted",
               term_count(api_json_number(content, "wanted_count"), "opinion"));
    if (api_json_text(content, "text")[0] != '\0')
        term_text(api_json_text(content, "text"), 2);
}

static void record_opened(size_t item_count, size_t record_count)
{
    if (item_count > 0)
        printf("  documents and images: %zu\n", item_count);
    if (record_count > 0)
        printf("  opinions and other records: %zu\n", record_count);
}

static void record_content(const json_t *record)
{
    const char *kind = api_json_text(record, "kind");
    const json_t *content = json_object_get(record, "content");
    size_t count = json_array_size(json_object_get(content, "items"));
    if (!json_is_object(content))
        return;
    if (strcmp(kind, "OPINION") == 0) {
        if (api_json_text(record, "replaced_by")[0] != '\0')
            printf("  REPLACED by %.16s\n", api_json_text(record, "replaced_by"));
        render_record_opinion(content);
    } else if (strcmp(kind, "MANIFEST") == 0) {
        record_opened(count, 0);
    } else if (strcmp(kind, "OPENED") == 0) {
        record_opened(count, json_array_size(json_object_get(content, "records")));
    } else if (strcmp(kind, "OPEN") != 0) {
        if (api_json_name(record, "institution")[0] != '\0')
            record_pair("institution", api_json_name(record, "institution"));
        record_asked(content);
        record_ids(content);
        record_small(content);
    }
}

/* ---- delivery ---- */

void render_record_delivery(const json_t *delivery, const json_t *opened_by, size_t indent)
{
    char line[RECORD_TEXT_SIZE] = "";
    size_t used = 0, index;
    json_t *who;
    if (delivery != NULL && api_json_number(delivery, "audience") > 0)
        used += (size_t)snprintf(line, sizeof line, "stored here, reached %lld of %s",
                                 api_json_number(delivery, "reached"),
                                 term_count(api_json_number(delivery, "audience"), "institution"));
    else if (delivery != NULL)
        used += (size_t)snprintf(line, sizeof line, "stored here");
    json_array_foreach(opened_by, index, who)
    {
        if (used + 100 > sizeof line)
            break;
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%.80s",
                                 index > 0  ? ", "
                                 : used > 0 ? "; opened by "
                                            : "opened by ",
                                 api_json_text(who, "name"));
    }
    if (used > 0)
        term_text(line, indent);
}

static void record_notes(const json_t *record)
{
    const json_t *delivery = json_object_get(record, "delivery");
    const json_t *opened = json_object_get(delivery != NULL ? delivery : record, "opened_by");
    const char *verdict = api_json_text(record, "verdict"),
               *signature = api_json_text(record, "signature");
    if (signature[0] != '\0' && strcmp(signature, "good") != 0 && strcmp(signature, "none") != 0)
        term_pair(
            2, "SIGNATURE NOT GOOD: ", 4,
            strcmp(signature, "revoked") == 0
                ? "the certificate is revoked, and there is no proof that this was signed before"
                : signature);
    if (api_json_equals(record, "time_doubt", "ahead"))
        term_text("its time lay in the future when it came here: its writer's clock was ahead", 2);
    if (api_json_equals(record, "time_doubt", "earlier"))
        term_text("its time is before that of the record that its writer wrote before it", 2);
    if (api_json_equals(record, "audience", "requester") && !api_json_is(record, "revealed"))
        printf("  readable by the requester only, until it is revealed\n");
    if (verdict[0] != '\0' && strcmp(verdict, "it counts") != 0)
        term_text(verdict, 2);
    if (api_json_text(record, "why")[0] != '\0')
        term_pair(2, "not readable: ", RECORD_LABEL_WIDTH, api_json_text(record, "why"));
    render_record_delivery(delivery, opened, 2);
}

void render_record(const json_t *record)
{
    const json_t *clinician = json_object_get(record, "clinician");
    const char *name = api_json_text(clinician, "name");
    const char *degree = api_json_text(clinician, "credentials");
    char who[512];
    snprintf(who, sizeof who, "%s%s%s%s%s", name, degree[0] == '\0' ? "" : ", ", degree,
             name[0] == '\0' ? "" : "; ", api_json_name(record, "writer"));
    printf("\n%s  ", term_time(api_json_text(record, "time")));
    term_line(render_record_title(api_json_text(record, "kind")), 44);
    printf("  %.16s\n", api_json_text(record, "record"));
    term_text(who, 2);
    record_content(record);
    record_notes(record);
}
