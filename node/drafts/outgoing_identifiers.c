#include "node/drafts/outgoing_identifiers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/contents/announcement.h"

enum { OUTGOING_IDENTIFIERS_AROUND = 24 };

struct outgoing_search {
    struct identifier_rules *rules;
    struct identifier_list list;
    struct outgoing_identifiers *found;
};

static bool outgoing_is_inside(uint8_t byte)
{
    return (byte & 0xc0) == 0x80; /* of a character of several bytes */
}

static struct bytes outgoing_before(struct bytes text, size_t start)
{
    size_t from = start;
    while (from > 0 && start - from < OUTGOING_IDENTIFIERS_AROUND && text.data[from - 1] != '\n')
        from--;
    while (from < start && outgoing_is_inside(text.data[from]))
        from++;
    return (struct bytes){text.data + from, start - from};
}

static struct bytes outgoing_after(struct bytes text, size_t end)
{
    size_t to = end;
    while (to < text.size && to - end < OUTGOING_IDENTIFIERS_AROUND && text.data[to] != '\n')
        to++;
    while (to > end && to < text.size && outgoing_is_inside(text.data[to]))
        to--;
    return (struct bytes){text.data + end, to - end};
}

static err outgoing_search_in(struct outgoing_search *search, const char *field, struct bytes text)
{
    struct outgoing_identifiers *found = search->found;
    if (text.size == 0)
        return OK;
    err failure = identifiers_find(search->rules, text, &search->list);
    found->is_cut = found->is_cut || failure == ERR_TOO_LARGE || search->list.is_cut;
    for (size_t i = 0; failure == OK && i < search->list.count; i++) {
        const struct identifier *one = &search->list.all[i];
        if (found->count == IDENTIFIER_COUNT_MAX) {
            found->is_cut = true;
            break;
        }
        found->all[found->count++] =
            (struct outgoing_identifier){.field = field,
                                         .kind = one->kind,
                                         .text = {text.data + one->start, one->size},
                                         .before = outgoing_before(text, one->start),
                                         .after = outgoing_after(text, one->start + one->size)};
    }
    return failure == ERR_TOO_LARGE ? OK : failure;
}

static err outgoing_search_case(struct outgoing_search *search,
                                const struct outgoing_preview *outgoing_preview)
{
    struct announcement announcement;
    struct case_record_open opening;
    struct case_file *file = calloc(1, sizeof *file);
    err failure = file == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK && outgoing_preview->announcement.size > 0) {
        failure = announcement_read(outgoing_preview->announcement, &announcement);
        if (failure == OK)
            failure = outgoing_search_in(search, "question", announcement.question);
    }
    if (failure == OK && outgoing_preview->manifest.size > 0) {
        failure = case_file_read(outgoing_preview->manifest, file);
        if (failure == OK)
            failure = outgoing_search_in(search, "description", file->description);
    }
    if (failure == OK && outgoing_preview->open.size > 0) {
        failure = case_record_open_read(outgoing_preview->open, &opening);
        if (failure == OK)
            failure = outgoing_search_in(search, "consent", opening.consent);
    }
    free(file);
    return failure;
}

static err outgoing_search_supply(struct outgoing_search *search, struct bytes content)
{
    struct case_record_supply *said = calloc(1, sizeof *said);
    err failure = said == NULL ? ERR_NO_MEMORY : case_record_supply_read(content, said);
    for (size_t i = 0; failure == OK && i < said->answer_count; i++)
        failure = outgoing_search_in(search, "answer", said->answers[i].note);
    if (failure == OK)
        failure = outgoing_search_in(search, "note", said->note);
    free(said);
    return failure;
}

err outgoing_identifiers_find(const struct outgoing_preview *outgoing_preview,
                              struct outgoing_identifiers *ret_found)
{
    struct outgoing_search *search = calloc(1, sizeof *search);
    memset(ret_found, 0, sizeof *ret_found);
    if (search == NULL)
        return ERR_NO_MEMORY;
    search->found = ret_found;
    search->rules = identifiers_rules_new();
    err failure = search->rules == NULL ? ERR_NO_MEMORY : OK;
    if (failure == OK)
        failure = outgoing_search_case(search, outgoing_preview);
    if (failure == OK && outgoing_preview->supply.size > 0)
        failure = outgoing_search_supply(search, outgoing_preview->supply);
    identifiers_rules_free(search->rules);
    free(search);
    return failure;
}

void outgoing_identifiers_counts(const struct outgoing_identifiers *found,
                                 char ret_text[static OUTGOING_IDENTIFIERS_COUNTS_SIZE])
{
    size_t counts[IDENTIFIER_KIND_COUNT] = {0}, used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < found->count; i++)
        counts[found->all[i].kind]++;
    for (unsigned kind = 0; kind < IDENTIFIER_KIND_COUNT; kind++) {
        if (counts[kind] > 0)
            used += (size_t)snprintf(ret_text + used, OUTGOING_IDENTIFIERS_COUNTS_SIZE - used,
                                     "%s%zu %s", used == 0 ? "" : ", ", counts[kind],
                                     identifiers_kind_name((enum identifier_kind)kind));
    }
    if (found->is_cut)
        snprintf(ret_text + used, OUTGOING_IDENTIFIERS_COUNTS_SIZE - used, "%sand more",
                 used == 0 ? "" : " ");
}
