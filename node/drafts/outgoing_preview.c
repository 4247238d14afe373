#include "node/drafts/outgoing_preview.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/content_json_decode.h"
#include "node/views/view_json.h"
#include "protocol/base/hash.h"
#include "protocol/contents/announcement.h"

enum { OUTGOING_PREVIEW_MEMORY_SIZE = 4 * STATEMENT_CONTENT_SIZE_MAX };

/* While it is being made. */
struct outgoing_preview_making {
    struct runtime *runtime;
    const struct draft *draft;
    struct outgoing_preview outgoing_preview;
    struct buffer out; /* over outgoing_preview.memory */
    struct refusal *problem;
    struct case_file *case_file;
    struct stored_record_memory *before; /* of the case file that is added to */
};

static err outgoing_preview_complain(struct outgoing_preview_making *making, err code,
                                     const char *text)
{
    refusal_set(making->problem, code, NULL, "%s", text);
    return code;
}

/* Writes a content behind the others. */
static err outgoing_preview_write(struct outgoing_preview_making *making,
                                  const struct content_table *table, const void *value,
                                  struct bytes *ret_content)
{
    size_t start = making->out.size;
    err failure = content_write(table, value, &making->out);
    if (failure == OK) {
        *ret_content = (struct bytes){making->out.data + start, making->out.size - start};
        return OK;
    }
    refusal_set(making->problem, failure, NULL, "the %s cannot be written: %s", table->name,
                err_sentence(failure));
    return failure;
}

/* ---- the announcement ---- */

static err outgoing_preview_check_deadline(struct outgoing_preview_making *making,
                                           const struct announcement *announcement)
{
    const struct settings *settings = roster_settings(runtime_roster(making->runtime));
    struct wall now = runtime_wall();
    if (announcement->deadline.ms <= now.ms)
        return outgoing_preview_complain(making, ERR_INVALID, "deadline: must be in the future");
    if (announcement->deadline.ms - now.ms > settings->announcement_ms_max) {
        refusal_set(making->problem, ERR_INVALID, NULL,
                    "deadline: at most %u days from now in this federation",
                    (unsigned)(settings->announcement_ms_max / (24 * 3600 * 1000)));
        return ERR_INVALID;
    }
    return OK;
}

static err outgoing_preview_check_count(struct outgoing_preview_making *making,
                                        const struct announcement *announcement)
{
    const struct settings *settings = roster_settings(runtime_roster(making->runtime));
    if (announcement->wanted_count < 1 ||
        announcement->wanted_count > settings->participant_count_max) {
        refusal_set(making->problem, ERR_INVALID, NULL, "wanted_count: 1 to %u opinions",
                    (unsigned)settings->participant_count_max);
        return ERR_INVALID;
    }
    return OK;
}

static err outgoing_preview_check_board(struct outgoing_preview_making *making,
                                        const struct announcement *announcement)
{
    const struct roster *roster = runtime_roster(making->runtime);
    int board = roster_board_of_tag(roster, announcement->specialty);
    if (board >= 0) {
        making->outgoing_preview.board = roster_board_scope(roster, (uint32_t)board);
        return OK;
    }
    char list[VIEW_JSON_BOARDS_SIZE];
    view_json_boards(making->runtime, list);
    refusal_set(making->problem, ERR_INVALID, NULL,
                "specialty: no board has this tag; the boards are: %s", list);
    return ERR_INVALID;
}

/* Names all required fields that are missing, and what is wrong with the others. */
static err outgoing_preview_check_whole(struct outgoing_preview_making *making,
                                        const struct announcement *announcement)
{
    static const char *const needed[] = {"question",     "description", "specialty",
                                         "service",      "reason",      "language",
                                         "wanted_count", "deadline",    "mode"};
    struct refusal all, *problem = making->problem, one;
    refusal_clear(&all);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const json_t *value = json_object_get(making->draft->fields, needed[i]);
        if (value == NULL || (json_is_string(value) && json_string_length(value) == 0))
            (void)refusal_add(&all, ERR_INVALID, "%s: missing", needed[i]);
    }
    making->problem = &one;
    if (announcement->specialty.size > 0 &&
        outgoing_preview_check_board(making, announcement) != OK)
        refusal_merge(&all, &one);
    if (announcement->deadline.ms > 0 &&
        outgoing_preview_check_deadline(making, announcement) != OK)
        refusal_merge(&all, &one);
    if (json_object_get(making->draft->fields, "wanted_count") != NULL &&
        outgoing_preview_check_count(making, announcement) != OK)
        refusal_merge(&all, &one);
    making->problem = problem;
    *problem = all;
    return all.code;
}

static err outgoing_preview_add_announcement(struct outgoing_preview_making *making)
{
    struct announcement announcement;
    json_t *part = draft_part(making->draft, &announcement_table);
    struct content_json_take how = {.table = &announcement_table};
    err failure = part == NULL ? ERR_NO_MEMORY
                               : content_json_decode(&how, part, &announcement, making->problem);
    announcement.case_id = making->draft->case_id;
    memcpy(announcement.opening.bytes, making->draft->opening.bytes, HASH_SIZE);
    if (failure == OK)
        failure = outgoing_preview_check_whole(making, &announcement);
    if (failure == OK)
        failure = outgoing_preview_write(making, &announcement_table, &announcement,
                                         &making->outgoing_preview.announcement);
    json_decref(part);
    return failure;
}

/* ---- who is asked directly ---- */

static err outgoing_preview_add_directed(struct outgoing_preview_making *making)
{
    const struct roster *roster = runtime_roster(making->runtime);
    const json_t *list = json_object_get(making->draft->fields, "directed");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct node_id node;
        if (text == NULL || ids_from_hex(text, node.bytes, NODE_ID_SIZE) != OK)
            return outgoing_preview_complain(
                making, ERR_INVALID, "directed: unknown member; `consilium members` lists them");
        const struct roster_entry *entry = roster_find(roster, &node);
        if (entry == NULL || entry->state != MEMBER_ADMITTED)
            return outgoing_preview_complain(
                making, ERR_INVALID,
                "directed: not an admitted member; `consilium members` "
                "lists them");
        if (ID_EQUAL(node, runtime_settings(making->runtime)->self))
            return outgoing_preview_complain(making, ERR_INVALID,
                                             "directed: this is your own institution");
        if (making->outgoing_preview.directed_count == PARTICIPANT_COUNT_MAX)
            return outgoing_preview_complain(making, ERR_TOO_LARGE, "directed: too many members");
        making->outgoing_preview.directed[making->outgoing_preview.directed_count++] = node;
    }
    return OK;
}

static err outgoing_preview_add_open(struct outgoing_preview_making *making)
{
    struct case_record_open *open = calloc(1, sizeof *open);
    json_t *part = draft_part(making->draft, &case_record_open_table);
    struct content_json_take how = {.table = &case_record_open_table};
    err failure = open == NULL || part == NULL
                      ? ERR_NO_MEMORY
                      : content_json_decode(&how, part, open, making->problem);
    if (failure == OK) {
        open->opening = making->draft->opening;
        open->requester = runtime_settings(making->runtime)->self;
        open->announcement = making->outgoing_preview.announcement;
        open->directed_count = making->outgoing_preview.directed_count;
        memcpy(open->directed, making->outgoing_preview.directed, sizeof open->directed);
        failure = outgoing_preview_write(making, &case_record_open_table, open,
                                         &making->outgoing_preview.open);
    }
    json_decref(part);
    free(open);
    return failure;
}

/* ---- the case file ---- */

static bool outgoing_preview_lists(const struct case_file *case_file, const struct item_id *item)
{
    for (size_t i = 0; i < case_file->item_count; i++) {
        if (ID_EQUAL(case_file->items[i].item_id, *item))
            return true;
    }
    return false;
}

static err outgoing_preview_add_items(struct outgoing_preview_making *making)
{
    struct case_file *case_file = making->case_file;
    for (size_t i = 0; i < making->draft->attachment_count; i++) {
        const struct draft_attachment *attachment = &making->draft->attachments[i];
        if (outgoing_preview_lists(case_file, &attachment->item_id))
            continue; /* sent already, before sending was interrupted */
        if (case_file->item_count == ITEM_COUNT_MAX)
            return outgoing_preview_complain(
                making, ERR_TOO_LARGE,
                "a case holds at most 64 attachments: take some out with "
                "`consilium draft detach`");
        case_file->items[case_file->item_count++] =
            (struct case_file_item){.item_id = attachment->item_id,
                                    .item_key = attachment->item_key,
                                    .name = bytes_of_text(attachment->name),
                                    .media_type = bytes_of_text(attachment->media_type),
                                    .size = attachment->size,
                                    .chunk_count = attachment->chunk_count};
    }
    return OK;
}

err outgoing_preview_casefile(struct runtime *runtime, const struct case_id *case_id,
                              struct stored_record_memory *memory, struct case_file *ret_casefile)
{
    const struct consult *consult = runtime_case(runtime, case_id);
    struct stored_record stored_record;
    if (consult == NULL || ID_IS_ZERO(consult->manifest))
        return ERR_NOT_FOUND;
    err failure =
        stored_record_find(runtime_store(runtime), &consult->manifest, memory, &stored_record);
    if (failure == OK &&
        !stored_record_content(&stored_record, KIND_MANIFEST, &case_file_table, ret_casefile))
        failure = ERR_NOT_FOUND;
    return failure;
}

static err outgoing_preview_add_manifest(struct outgoing_preview_making *making)
{
    struct content_json_take how = {.table = &case_file_table};
    struct case_file *said = calloc(1, sizeof *said);
    json_t *part = draft_part(making->draft, &case_file_table);
    err failure = said == NULL || part == NULL
                      ? ERR_NO_MEMORY
                      : content_json_decode(&how, part, said, making->problem);
    if (failure == OK && making->draft->is_supply) {
        failure = outgoing_preview_casefile(making->runtime, &making->draft->case_id,
                                            making->before, making->case_file);
        if (failure != OK)
            (void)outgoing_preview_complain(making, failure,
                                            "the case has no case file that could be extended");
    }
    if (failure == OK && said->description.size > 0)
        making->case_file->description = said->description;
    if (failure == OK && said->language.size > 0)
        making->case_file->language = said->language;
    if (failure == OK && making->case_file->description.size == 0)
        failure = outgoing_preview_complain(making, ERR_INVALID, "description: missing");
    if (failure == OK)
        failure = outgoing_preview_add_items(making);
    if (failure == OK)
        failure = outgoing_preview_write(making, &case_file_table, making->case_file,
                                         &making->outgoing_preview.manifest);
    if (failure == OK)
        making->outgoing_preview.root = case_file_root(making->case_file);
    json_decref(part);
    free(said);
    return failure;
}

/* Answers must be to items of an ASK that is stored here. */
static err outgoing_preview_check_supply(struct outgoing_preview_making *making,
                                         const struct case_record_supply *supply)
{
    struct stored_record stored_record;
    struct case_record_ask ask;
    if (supply->answer_count + supply->item_count + supply->note.size == 0)
        return outgoing_preview_complain(
            making, ERR_INVALID,
            "nothing is supplied: attach a file, answer an item, or write a note");
    if (ID_IS_ZERO(supply->ask))
        return supply->answer_count == 0
                   ? OK
                   : outgoing_preview_complain(
                         making, ERR_INVALID,
                         "ask: which ASK do the answers belong to? `consilium show` "
                         "lists what was asked for");
    if (stored_record_find(runtime_store(making->runtime), &supply->ask, making->before,
                           &stored_record) != OK ||
        !stored_record_content(&stored_record, KIND_ASK, &case_record_ask_table, &ask))
        return outgoing_preview_complain(
            making, ERR_INVALID,
            "ask: that record is no ASK; `consilium show CASE` lists what "
            "was asked for");
    for (size_t i = 0; i < supply->answer_count; i++) {
        if (supply->answers[i].index < ask.item_count)
            continue;
        refusal_set(making->problem, ERR_INVALID, NULL,
                    "answers: the ASK has no item %u; it has %zu items, counted from 0",
                    (unsigned)supply->answers[i].index, ask.item_count);
        return ERR_INVALID;
    }
    return OK;
}

static err outgoing_preview_add_supply(struct outgoing_preview_making *making)
{
    struct case_record_supply *supply = calloc(1, sizeof *supply);
    json_t *part = draft_part(making->draft, &case_record_supply_table);
    struct content_json_take how = {.table = &case_record_supply_table};
    err failure = supply == NULL || part == NULL
                      ? ERR_NO_MEMORY
                      : content_json_decode(&how, part, supply, making->problem);
    if (failure == OK) {
        for (size_t i = 0; i < making->draft->attachment_count; i++)
            supply->items[supply->item_count++] = making->draft->attachments[i].item_id;
        failure = outgoing_preview_check_supply(making, supply);
    }
    if (failure == OK)
        failure = outgoing_preview_write(making, &case_record_supply_table, supply,
                                         &making->outgoing_preview.supply);
    json_decref(part);
    free(supply);
    return failure;
}

/* ---- all of it ---- */

static err outgoing_preview_fill(struct outgoing_preview_making *making)
{
    struct outgoing_preview *outgoing_preview = &making->outgoing_preview;
    outgoing_preview->case_id = making->draft->case_id;
    if (making->draft->is_supply) {
        bool is_changed = making->draft->attachment_count > 0 ||
                          json_object_get(making->draft->fields, "description") != NULL;
        err failure = is_changed ? outgoing_preview_add_manifest(making) : OK;
        return failure == OK ? outgoing_preview_add_supply(making) : failure;
    }
    err failure = outgoing_preview_add_announcement(making);
    if (failure == OK)
        failure = outgoing_preview_add_directed(making);
    if (failure == OK)
        failure = outgoing_preview_add_open(making);
    if (failure == OK)
        failure = outgoing_preview_add_manifest(making);
    return failure;
}

err outgoing_preview_make(struct runtime *runtime, const struct draft *draft,
                          struct outgoing_preview *ret_preview, struct refusal *ret_problem)
{
    struct outgoing_preview_making making = {
        .runtime = runtime, .draft = draft, .problem = ret_problem};
    making.outgoing_preview.memory = malloc(OUTGOING_PREVIEW_MEMORY_SIZE);
    making.case_file = calloc(1, sizeof *making.case_file);
    making.before = stored_record_memory_new();
    making.out = buffer_over(making.outgoing_preview.memory, OUTGOING_PREVIEW_MEMORY_SIZE);
    err failure = OK;
    if (making.outgoing_preview.memory == NULL || making.case_file == NULL || making.before == NULL)
        failure = outgoing_preview_complain(&making, ERR_NO_MEMORY, err_sentence(ERR_NO_MEMORY));
    if (failure == OK)
        failure = outgoing_preview_fill(&making);
    free(making.case_file);
    stored_record_memory_free(making.before);
    if (failure != OK) {
        outgoing_preview_clear(&making.outgoing_preview);
        return failure;
    }
    const struct outgoing_preview *made = &making.outgoing_preview;
    const struct bytes parts[] = {
        made->open,
        made->manifest,
        made->announcement,
        made->supply,
        {(const uint8_t *)made->directed, made->directed_count * sizeof made->directed[0]}};
    making.outgoing_preview.preview =
        hash_parts(CONTEXT_PREVIEW, parts, sizeof parts / sizeof parts[0]);
    *ret_preview = making.outgoing_preview;
    return OK;
}

void outgoing_preview_clear(struct outgoing_preview *outgoing_preview)
{
    if (outgoing_preview->memory != NULL)
        sodium_memzero(outgoing_preview->memory, OUTGOING_PREVIEW_MEMORY_SIZE);
    free(outgoing_preview->memory);
    *outgoing_preview = (struct outgoing_preview){.memory = NULL};
}
