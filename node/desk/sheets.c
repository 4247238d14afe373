#include "node/desk/sheets.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/desk/show.h"
#include "protocol/consult/announcement.h"
#include "protocol/hash.h"

enum { SHEETS_MEMORY_SIZE = 4 * STATEMENT_CONTENT_SIZE_MAX };

/* While it is being made. */
struct sheets_making {
    struct shell *shell;
    const struct draft *draft;
    struct sheets sheets;
    struct buffer out; /* over sheets.memory */
    struct form_problem *problem;
    struct casefile *casefile;
    struct readout_memory *before; /* of the case file that is added to */
};

static err sheets_complain(struct sheets_making *making, err code, const char *text)
{
    form_complain(making->problem, code, "%s", text);
    return code;
}

/* Writes a content behind the others. */
static err sheets_write(struct sheets_making *making, const struct content_table *table,
                        const void *value, struct bytes *ret_content)
{
    size_t start = making->out.size;
    err failure = content_write(table, value, &making->out);
    if (failure == OK) {
        *ret_content = (struct bytes){making->out.data + start, making->out.size - start};
        return OK;
    }
    form_complain(making->problem, failure, "the %s cannot be written: %s", table->name,
                  err_sentence(failure));
    return failure;
}

/* ---- the announcement ---- */

static err sheets_check_times(struct sheets_making *making, const struct announcement *announcement)
{
    const struct settings *settings = roster_settings(shell_roster(making->shell));
    struct wall now = shell_wall();
    if (announcement->deadline.ms <= now.ms)
        return sheets_complain(making, ERR_INVALID, "deadline: it is past");
    if (announcement->deadline.ms - now.ms > settings->announcement_ms_max) {
        form_complain(making->problem, ERR_INVALID,
                      "deadline: further away than the %u days that this federation allows",
                      (unsigned)(settings->announcement_ms_max / (24 * 3600 * 1000)));
        return ERR_INVALID;
    }
    if (announcement->wanted_count < 1 ||
        announcement->wanted_count > settings->participant_count_max) {
        form_complain(making->problem, ERR_INVALID, "wanted_count: 1 to %u opinions",
                      (unsigned)settings->participant_count_max);
        return ERR_INVALID;
    }
    return OK;
}

static err sheets_check_board(struct sheets_making *making, const struct announcement *announcement)
{
    const struct roster *roster = shell_roster(making->shell);
    int board = roster_board_of_tag(roster, announcement->specialty);
    if (board >= 0) {
        making->sheets.board = roster_board_scope(roster, (uint32_t)board);
        return OK;
    }
    char list[SHOW_BOARDS_SIZE];
    show_boards(making->shell, list);
    form_complain(making->problem, ERR_INVALID, "specialty: no such board; there are %s", list);
    return ERR_INVALID;
}

/* Names all that must still be written, at once. */
static err sheets_check_whole(struct sheets_making *making)
{
    static const char *const needed[] = {"question",     "description", "specialty",
                                         "service",      "reason",      "language",
                                         "wanted_count", "deadline",    "mode"};
    char list[FORM_PROBLEM_SIZE] = "";
    size_t size = 0;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const json_t *value = json_object_get(making->draft->fields, needed[i]);
        if (value == NULL || (json_is_string(value) && json_string_length(value) == 0))
            size += (size_t)snprintf(list + size, sizeof list - size, "%s%s: missing",
                                     size == 0 ? "" : "; ", needed[i]);
    }
    return size == 0 ? OK : sheets_complain(making, ERR_INVALID, list);
}

static err sheets_add_announcement(struct sheets_making *making)
{
    struct announcement announcement;
    json_t *part = draft_part(making->draft, &announcement_table);
    struct form_take how = {.table = &announcement_table};
    err failure =
        part == NULL ? ERR_NO_MEMORY : form_take(&how, part, &announcement, making->problem);
    announcement.case_id = making->draft->case_id;
    memcpy(announcement.opening.bytes, making->draft->opening.bytes, HASH_SIZE);
    if (failure == OK)
        failure = sheets_check_whole(making);
    if (failure == OK)
        failure = sheets_check_board(making, &announcement);
    if (failure == OK)
        failure = sheets_check_times(making, &announcement);
    if (failure == OK)
        failure =
            sheets_write(making, &announcement_table, &announcement, &making->sheets.announcement);
    json_decref(part);
    return failure;
}

/* ---- who is asked directly ---- */

static err sheets_add_directed(struct sheets_making *making)
{
    const struct roster *roster = shell_roster(making->shell);
    const json_t *list = json_object_get(making->draft->fields, "directed");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct node_id node;
        if (text == NULL || ids_from_hex(text, node.bytes, NODE_ID_SIZE) != OK)
            return sheets_complain(making, ERR_INVALID, "directed: a member is not known");
        const struct roster_entry *entry = roster_find(roster, &node);
        if (entry == NULL || entry->state != MEMBER_ADMITTED)
            return sheets_complain(making, ERR_INVALID, "directed: a member is not admitted");
        if (ID_EQUAL(node, shell_settings(making->shell)->self))
            return sheets_complain(making, ERR_INVALID, "directed: this is our own institution");
        if (making->sheets.directed_count == PARTICIPANT_COUNT_MAX)
            return sheets_complain(making, ERR_TOO_LARGE, "directed: too many members");
        making->sheets.directed[making->sheets.directed_count++] = node;
    }
    return OK;
}

static err sheets_add_open(struct sheets_making *making)
{
    struct caserecord_open *open = calloc(1, sizeof *open);
    json_t *part = draft_part(making->draft, &caserecord_open_table);
    struct form_take how = {.table = &caserecord_open_table};
    err failure =
        open == NULL || part == NULL ? ERR_NO_MEMORY : form_take(&how, part, open, making->problem);
    if (failure == OK) {
        open->opening = making->draft->opening;
        open->requester = shell_settings(making->shell)->self;
        open->announcement = making->sheets.announcement;
        open->directed_count = making->sheets.directed_count;
        memcpy(open->directed, making->sheets.directed, sizeof open->directed);
        failure = sheets_write(making, &caserecord_open_table, open, &making->sheets.open);
    }
    json_decref(part);
    free(open);
    return failure;
}

/* ---- the case file ---- */

static bool sheets_lists(const struct casefile *casefile, const struct item_id *item)
{
    for (size_t i = 0; i < casefile->item_count; i++) {
        if (ID_EQUAL(casefile->items[i].item_id, *item))
            return true;
    }
    return false;
}

static err sheets_add_items(struct sheets_making *making)
{
    struct casefile *casefile = making->casefile;
    for (size_t i = 0; i < making->draft->attachment_count; i++) {
        const struct draft_attachment *attachment = &making->draft->attachments[i];
        if (sheets_lists(casefile, &attachment->item_id))
            continue; /* sent already, before something broke off */
        if (casefile->item_count == ITEM_COUNT_MAX)
            return sheets_complain(making, ERR_TOO_LARGE, "a case holds at most 64 attachments");
        casefile->items[casefile->item_count++] =
            (struct casefile_item){.item_id = attachment->item_id,
                                   .item_key = attachment->item_key,
                                   .name = bytes_of_text(attachment->name),
                                   .media_type = bytes_of_text(attachment->media_type),
                                   .size = attachment->size,
                                   .chunk_count = attachment->chunk_count};
    }
    return OK;
}

err sheets_casefile(struct shell *shell, const struct case_id *case_id,
                    struct readout_memory *memory, struct casefile *ret_casefile)
{
    const struct consult *consult = shell_case(shell, case_id);
    struct readout readout;
    if (consult == NULL || ID_IS_ZERO(consult->manifest))
        return ERR_NOT_FOUND;
    err failure = readout_find(shell_store(shell), &consult->manifest, memory, &readout);
    if (failure == OK && !readout_content(&readout, KIND_MANIFEST, &casefile_table, ret_casefile))
        failure = ERR_NOT_FOUND;
    return failure;
}

static err sheets_add_manifest(struct sheets_making *making)
{
    struct form_take how = {.table = &casefile_table};
    struct casefile *said = calloc(1, sizeof *said);
    json_t *part = draft_part(making->draft, &casefile_table);
    err failure =
        said == NULL || part == NULL ? ERR_NO_MEMORY : form_take(&how, part, said, making->problem);
    if (failure == OK && making->draft->is_supply) {
        failure = sheets_casefile(making->shell, &making->draft->case_id, making->before,
                                  making->casefile);
        if (failure != OK)
            (void)sheets_complain(making, failure, "the case has no case file to add to");
    }
    if (failure == OK && said->description.size > 0)
        making->casefile->description = said->description;
    if (failure == OK && said->language.size > 0)
        making->casefile->language = said->language;
    if (failure == OK && making->casefile->description.size == 0)
        failure = sheets_complain(making, ERR_INVALID, "description: missing");
    if (failure == OK)
        failure = sheets_add_items(making);
    if (failure == OK)
        failure = sheets_write(making, &casefile_table, making->casefile, &making->sheets.manifest);
    if (failure == OK)
        making->sheets.root = casefile_root(making->casefile);
    json_decref(part);
    free(said);
    return failure;
}

/* Answers are to items of an ASK that is here. */
static err sheets_check_supply(struct sheets_making *making, const struct caserecord_supply *supply)
{
    struct readout readout;
    static struct caserecord_ask ask; /* one loop, one thread */
    if (supply->answer_count + supply->item_count + supply->note.size == 0)
        return sheets_complain(making, ERR_INVALID,
                               "nothing is supplied: attach something, answer, or note why");
    if (ID_IS_ZERO(supply->ask))
        return supply->answer_count == 0
                   ? OK
                   : sheets_complain(making, ERR_INVALID,
                                     "ask: which ASK do the answers belong to? `consilium show` "
                                     "lists what was asked for");
    if (readout_find(shell_store(making->shell), &supply->ask, making->before, &readout) != OK ||
        !readout_content(&readout, KIND_ASK, &caserecord_ask_table, &ask))
        return sheets_complain(making, ERR_INVALID, "ask: that record asks for nothing");
    for (size_t i = 0; i < supply->answer_count; i++) {
        if (supply->answers[i].index < ask.item_count)
            continue;
        form_complain(making->problem, ERR_INVALID,
                      "answers: there is no item %u; that ASK has %zu, counted from 0",
                      (unsigned)supply->answers[i].index, ask.item_count);
        return ERR_INVALID;
    }
    return OK;
}

static err sheets_add_supply(struct sheets_making *making)
{
    struct caserecord_supply *supply = calloc(1, sizeof *supply);
    json_t *part = draft_part(making->draft, &caserecord_supply_table);
    struct form_take how = {.table = &caserecord_supply_table};
    err failure = supply == NULL || part == NULL ? ERR_NO_MEMORY
                                                 : form_take(&how, part, supply, making->problem);
    if (failure == OK) {
        for (size_t i = 0; i < making->draft->attachment_count; i++)
            supply->items[supply->item_count++] = making->draft->attachments[i].item_id;
        failure = sheets_check_supply(making, supply);
    }
    if (failure == OK)
        failure = sheets_write(making, &caserecord_supply_table, supply, &making->sheets.supply);
    json_decref(part);
    free(supply);
    return failure;
}

/* ---- all of it ---- */

static err sheets_fill(struct sheets_making *making)
{
    struct sheets *sheets = &making->sheets;
    sheets->case_id = making->draft->case_id;
    if (making->draft->is_supply) {
        bool is_changed = making->draft->attachment_count > 0 ||
                          json_object_get(making->draft->fields, "description") != NULL;
        err failure = is_changed ? sheets_add_manifest(making) : OK;
        return failure == OK ? sheets_add_supply(making) : failure;
    }
    err failure = sheets_add_announcement(making);
    if (failure == OK)
        failure = sheets_add_directed(making);
    if (failure == OK)
        failure = sheets_add_open(making);
    if (failure == OK)
        failure = sheets_add_manifest(making);
    return failure;
}

err sheets_make(struct shell *shell, const struct draft *draft, struct sheets *ret_sheets,
                struct form_problem *ret_problem)
{
    struct sheets_making making = {.shell = shell, .draft = draft, .problem = ret_problem};
    making.sheets.memory = malloc(SHEETS_MEMORY_SIZE);
    making.casefile = calloc(1, sizeof *making.casefile);
    making.before = readout_memory_new();
    making.out = buffer_over(making.sheets.memory, SHEETS_MEMORY_SIZE);
    err failure = OK;
    if (making.sheets.memory == NULL || making.casefile == NULL || making.before == NULL)
        failure = sheets_complain(&making, ERR_NO_MEMORY, err_sentence(ERR_NO_MEMORY));
    if (failure == OK)
        failure = sheets_fill(&making);
    free(making.casefile);
    readout_memory_free(making.before);
    if (failure != OK) {
        sheets_clear(&making.sheets);
        return failure;
    }
    const struct sheets *made = &making.sheets;
    const struct bytes parts[] = {
        made->open,
        made->manifest,
        made->announcement,
        made->supply,
        {(const uint8_t *)made->directed, made->directed_count * sizeof made->directed[0]}};
    making.sheets.preview = hash_parts(CONTEXT_PREVIEW, parts, sizeof parts / sizeof parts[0]);
    *ret_sheets = making.sheets;
    return OK;
}

void sheets_clear(struct sheets *sheets)
{
    if (sheets->memory != NULL)
        sodium_memzero(sheets->memory, SHEETS_MEMORY_SIZE);
    free(sheets->memory);
    *sheets = (struct sheets){.memory = NULL};
}
