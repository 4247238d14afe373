#define PCRE2_CODE_UNIT_WIDTH 8
#include "node/identifiers/identifiers.h"

#include <pcre2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "node/identifiers/identifier_capitals.h"
#include "node/identifiers/identifier_patterns.h"
#include "protocol/base/utf8.h"

/* A pattern that takes more steps on one text is given up; the longest texts take some 10,000. */
enum { IDENTIFIERS_STEP_MAX = 2000000, IDENTIFIERS_CANDIDATE_MAX = 4 * IDENTIFIER_COUNT_MAX };

struct identifier_rules {
    size_t count;
    pcre2_match_context *bounds;
    pcre2_code *codes[];
};

void identifiers_rules_free(struct identifier_rules *rules)
{
    for (size_t i = 0; rules != NULL && i < rules->count; i++)
        pcre2_code_free(rules->codes[i]);
    if (rules != NULL)
        pcre2_match_context_free(rules->bounds);
    free(rules);
}

struct identifier_rules *identifiers_rules_new(void)
{
    size_t count = 0;
    while (identifier_patterns[count].text != NULL)
        count++;
    struct identifier_rules *rules = calloc(1, sizeof *rules + count * sizeof rules->codes[0]);
    if (rules == NULL)
        return NULL;
    rules->bounds = pcre2_match_context_create(NULL);
    for (; rules->count < count; rules->count++) {
        int failure;
        PCRE2_SIZE at;
        rules->codes[rules->count] =
            pcre2_compile((PCRE2_SPTR)identifier_patterns[rules->count].text, PCRE2_ZERO_TERMINATED,
                          PCRE2_UTF | PCRE2_UCP, &failure, &at, NULL);
        if (rules->codes[rules->count] == NULL)
            break;
    }
    if (rules->bounds == NULL || rules->count < count) {
        identifiers_rules_free(rules);
        return NULL;
    }
    pcre2_set_match_limit(rules->bounds, IDENTIFIERS_STEP_MAX);
    return rules;
}

struct identifiers_found {
    struct identifier all[IDENTIFIERS_CANDIDATE_MAX];
    size_t count;
    bool is_cut;
};

static void identifiers_add(void *arg, const struct identifier *candidate)
{
    struct identifiers_found *found = arg;
    if (found->count == IDENTIFIERS_CANDIDATE_MAX)
        found->is_cut = true;
    else
        found->all[found->count++] = *candidate;
}

static err identifiers_match(const struct identifier_rules *rules, size_t index, struct bytes text,
                             pcre2_match_data *match, struct identifiers_found *found)
{
    const PCRE2_SIZE *spans = pcre2_get_ovector_pointer(match);
    for (size_t at = 0; at < text.size && !found->is_cut;) {
        int count = pcre2_match(rules->codes[index], text.data, text.size, at, PCRE2_NO_UTF_CHECK,
                                match, rules->bounds);
        if (count == PCRE2_ERROR_NOMATCH)
            break;
        if (count < 0)
            return ERR_TOO_LARGE;
        size_t group = count > 1 && spans[2] != PCRE2_UNSET ? 1 : 0;
        struct identifier candidate = {.kind = identifier_patterns[index].kind,
                                       .start = spans[2 * group],
                                       .size = spans[2 * group + 1] - spans[2 * group]};
        if (candidate.size > 0)
            identifiers_add(found, &candidate);
        at = spans[1] > at ? spans[1] : at + 1;
        while (at < text.size && (text.data[at] & 0xc0) == 0x80)
            at++;
    }
    return OK;
}

static int identifiers_compare(const void *left, const void *right)
{
    const struct identifier *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

/* Those that overlap become one, of the kind of the longest. */
static void identifiers_join(struct identifiers_found *found, struct identifier_list *ret_list)
{
    size_t longest = 0;
    qsort(found->all, found->count, sizeof found->all[0], identifiers_compare);
    ret_list->count = 0;
    ret_list->is_cut = found->is_cut;
    for (size_t i = 0; i < found->count; i++) {
        const struct identifier *next = &found->all[i];
        struct identifier *last = ret_list->count == 0 ? NULL : &ret_list->all[ret_list->count - 1];
        if (last != NULL && next->start < last->start + last->size) {
            size_t end = next->start + next->size;
            if (next->size > longest) {
                last->kind = next->kind;
                longest = next->size;
            }
            if (end > last->start + last->size)
                last->size = end - last->start;
        } else if (ret_list->count == IDENTIFIER_COUNT_MAX) {
            ret_list->is_cut = true;
            return;
        } else {
            ret_list->all[ret_list->count++] = *next;
            longest = next->size;
        }
    }
}

err identifiers_find(const struct identifier_rules *rules, struct bytes text,
                     struct identifier_list *ret_list)
{
    if (!utf8_valid(text))
        return ERR_INVALID;
    struct identifiers_found *found = calloc(1, sizeof *found);
    pcre2_match_data *match = pcre2_match_data_create(2, NULL);
    err failure = found == NULL || match == NULL ? ERR_NO_MEMORY : OK;
    ret_list->count = 0;
    ret_list->is_cut = false;
    for (size_t i = 0; failure == OK && i < rules->count; i++)
        failure = identifiers_match(rules, i, text, match, found);
    if (failure == OK) {
        identifier_capitals_find(text, identifiers_add, found);
        identifiers_join(found, ret_list);
    }
    pcre2_match_data_free(match);
    free(found);
    return failure;
}

const char *identifiers_kind_text(enum identifier_kind kind)
{
    static const char *const texts[IDENTIFIER_KIND_COUNT] = {
        [IDENTIFIER_PERSON] = "a person",
        [IDENTIFIER_PLACE] = "a place below a country",
        [IDENTIFIER_DATE] = "a date finer than a year",
        [IDENTIFIER_AGE] = "an age over 89",
        [IDENTIFIER_PHONE] = "a phone or fax number",
        [IDENTIFIER_MAIL] = "a mail address",
        [IDENTIFIER_WEB] = "a web or network address",
        [IDENTIFIER_NUMBER] = "a number of a record, person or device",
    };
    return texts[kind];
}

const char *identifiers_kind_name(enum identifier_kind kind)
{
    static const char *const names[IDENTIFIER_KIND_COUNT] = {
        [IDENTIFIER_PERSON] = "person", [IDENTIFIER_PLACE] = "place",   [IDENTIFIER_DATE] = "date",
        [IDENTIFIER_AGE] = "age",       [IDENTIFIER_PHONE] = "phone",   [IDENTIFIER_MAIL] = "mail",
        [IDENTIFIER_WEB] = "web",       [IDENTIFIER_NUMBER] = "number",
    };
    return names[kind];
}
