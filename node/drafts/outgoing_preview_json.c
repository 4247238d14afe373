#include "node/drafts/outgoing_preview_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/attachment/attachment.h"
#include "node/attachment/name_hints.h"
#include "node/drafts/outgoing_identifiers.h"
#include "node/views/content_json_encode.h"
#include "node/views/view_json.h"
#include "protocol/contents/announcement.h"

json_t *outgoing_preview_json_findings(const struct draft_attachment *attachment)
{
    json_t *lines = json_array();
    const char *line = attachment->findings;
    for (const char *end; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1)
        json_array_append_new(lines, json_stringn(line, (size_t)(end - line)));
    return lines;
}

static void outgoing_preview_line(FILE *out, const char *name, struct bytes text)
{
    if (text.size == 0)
        return;
    fprintf(out, "  %-18s", name);
    for (size_t i = 0; i < text.size; i++) {
        fputc(text.data[i], out);
        if (text.data[i] == '\n')
            fprintf(out, "  %-18s", "");
    }
    fputc('\n', out);
}

static void outgoing_preview_text(FILE *out, const char *name, const char *text)
{
    outgoing_preview_line(out, name, bytes_of_text(text));
}

static void outgoing_preview_time(FILE *out, const char *name, struct wall time)
{
    char text[CONTENT_JSON_TIME_SIZE];
    content_json_time(time, text);
    outgoing_preview_text(out, name, text);
}

static void outgoing_preview_say_announcement(FILE *out, struct bytes content)
{
    struct announcement said;
    if (announcement_read(content, &said) != OK) {
        fprintf(out, "  (cannot be read back: do not send it)\n");
        return;
    }
    char count[16];
    snprintf(count, sizeof count, "%" PRIu64, said.wanted_count);
    outgoing_preview_line(out, "question", said.question);
    outgoing_preview_line(out, "specialty", said.specialty);
    outgoing_preview_text(out, "service", content_code_name(&announcement_services, said.service));
    outgoing_preview_text(out, "reason", content_code_name(&announcement_reasons, said.reason));
    outgoing_preview_text(out, "opinions wanted", count);
    outgoing_preview_time(out, "deadline", said.deadline);
    outgoing_preview_line(out, "language", said.language);
    outgoing_preview_text(out, "mode", content_code_name(&announcement_modes, said.mode));
    outgoing_preview_text(out, "age", content_code_name(&announcement_ages, said.age));
    outgoing_preview_text(out, "sex", content_code_name(&announcement_sexes, said.sex));
    outgoing_preview_line(out, "country", said.country);
    outgoing_preview_line(out, "fees", said.fee_link);
}

static void outgoing_preview_say_stripped(FILE *out, uint32_t stripped)
{
    for (unsigned bit = 0; bit < ATTACHMENT_BIT_COUNT; bit++) {
        if ((stripped & 1u << bit) != 0)
            fprintf(out, "  %-18s- taken out: %s\n", "",
                    attachment_stripped_text((enum attachment_bit)bit));
    }
}

static void outgoing_preview_say_findings(FILE *out, const struct draft_attachment *attachment)
{
    size_t index;
    json_t *line, *lines = outgoing_preview_json_findings(attachment);
    json_array_foreach(lines, index, line)
        fprintf(out, "  %-18s- %s\n", "", json_string_value(line));
    json_decref(lines);
}

static void outgoing_preview_say_name(FILE *out, struct bytes name)
{
    for (unsigned hint = 0; hint < NAME_HINT_COUNT; hint++) {
        if ((name_hints_of(name) & 1u << hint) != 0)
            fprintf(out, "  %-18s- LOOK: the name of the file may hold %s\n", "",
                    name_hints_text((enum name_hint)hint));
    }
}

static const struct draft_attachment *outgoing_preview_attachment(const struct draft *draft,
                                                                  const struct item_id *item)
{
    for (size_t i = 0; i < draft->attachment_count; i++) {
        if (ID_EQUAL(draft->attachments[i].item_id, *item))
            return &draft->attachments[i];
    }
    return NULL;
}

static void outgoing_preview_say_manifest(FILE *out, struct bytes content,
                                          const struct draft *draft)
{
    struct case_file *said = calloc(1, sizeof *said);
    if (said == NULL || case_file_read(content, said) != OK) {
        fprintf(out, "  (cannot be read back: do not send it)\n");
        free(said);
        return;
    }
    outgoing_preview_line(out, "description", said->description);
    outgoing_preview_line(out, "language", said->language);
    for (size_t i = 0; i < said->item_count; i++) {
        const struct case_file_item *item = &said->items[i];
        const struct draft_attachment *attachment =
            outgoing_preview_attachment(draft, &item->item_id);
        char line[ITEM_NAME_SIZE_MAX + MEDIA_TYPE_SIZE_MAX + 64];
        snprintf(line, sizeof line, "%.*s (%.*s, %" PRIu64 " bytes)%s", (int)item->name.size,
                 (const char *)item->name.data, (int)item->media_type.size,
                 (const char *)item->media_type.data, item->size,
                 attachment == NULL ? ", sent before" : "");
        outgoing_preview_text(out, "attachment", line);
        if (attachment == NULL)
            continue;
        outgoing_preview_say_name(out, item->name);
        outgoing_preview_say_findings(out, attachment);
        outgoing_preview_say_stripped(out, attachment->stripped);
    }
    free(said);
}

/* "0 records": an item as every page numbers it. */
static void outgoing_preview_say_asked(FILE *out, size_t index,
                                       const struct case_record_ask_item *item)
{
    char name[48];
    snprintf(name, sizeof name, "asked %zu", index);
    fprintf(out, "  %-18s%s: ", name, content_code_name(&case_record_wanteds, item->wanted));
    fwrite(item->text.data, 1, item->text.size, out);
    fputc('\n', out);
}

static void outgoing_preview_say_answer(FILE *out, const struct case_record_supply_answer *answer)
{
    char name[48];
    snprintf(name, sizeof name, "answer %u", (unsigned)answer->index);
    outgoing_preview_text(out, name, content_code_name(&case_record_answers, answer->answer));
    outgoing_preview_line(out, "", answer->note);
}

/* Each answer below what was asked; what is not answered is named too. */
static void outgoing_preview_say_answers(FILE *out, const struct case_record_supply *said,
                                         const struct case_record_ask *ask)
{
    for (size_t i = 0; ask != NULL && i < ask->item_count; i++) {
        bool is_answered = false;
        outgoing_preview_say_asked(out, i, &ask->items[i]);
        for (size_t j = 0; j < said->answer_count; j++) {
            if (said->answers[j].index == i)
                outgoing_preview_say_answer(out, &said->answers[j]);
            is_answered = is_answered || said->answers[j].index == i;
        }
        if (!is_answered)
            outgoing_preview_text(out, "", "NOT ANSWERED: it stays open");
    }
    for (size_t j = 0; ask == NULL && j < said->answer_count; j++)
        outgoing_preview_say_answer(out, &said->answers[j]);
}

static void outgoing_preview_say_supply(FILE *out, struct runtime *runtime, struct bytes content)
{
    struct case_record_supply *said = calloc(1, sizeof *said);
    struct case_record_ask *ask = calloc(1, sizeof *ask);
    struct stored_record_memory *memory = stored_record_memory_new();
    struct stored_record stored_record;
    if (said != NULL && ask != NULL && memory != NULL &&
        case_record_supply_read(content, said) == OK) {
        bool is_asked =
            stored_record_find(runtime_store(runtime), &said->ask, memory, &stored_record) == OK &&
            stored_record_content(&stored_record, KIND_ASK, &case_record_ask_table, ask);
        outgoing_preview_say_answers(out, said, is_asked ? ask : NULL);
        outgoing_preview_line(out, "note", said->note);
    }
    stored_record_memory_free(memory);
    free(ask);
    free(said);
}

static void outgoing_preview_say_open(FILE *out, struct bytes content)
{
    struct case_record_open *said = calloc(1, sizeof *said);
    if (said != NULL && case_record_open_read(content, said) == OK) {
        outgoing_preview_text(out, "asked by",
                              content_code_name(&case_record_initiatives, said->initiative));
        outgoing_preview_line(out, "consent", said->consent);
    }
    free(said);
}

/* Institutions other than this one that the announcement is for, as the roster in force has it. */
static size_t outgoing_preview_audience(const struct runtime *runtime,
                                        const struct outgoing_preview *outgoing_preview)
{
    const struct roster *roster = runtime_roster(runtime);
    size_t count = 0;
    if (outgoing_preview->directed_count > 0)
        return outgoing_preview->directed_count;
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        count += entry->state == MEMBER_ADMITTED &&
                 !ID_EQUAL(entry->node_id, runtime_settings(runtime)->self) &&
                 roster_serves(roster, entry, &outgoing_preview->board);
    }
    return count;
}

/* "  question          a person: ... seen by [Dr Grey] in ..." */
static void outgoing_preview_say_identifiers(FILE *out, const struct outgoing_identifiers *found)
{
    if (found->count == 0 && !found->is_cut)
        return;
    fprintf(out, "\nLOOK: this may tell who the patient is. Change the draft, or say why it may "
                 "stay:\n");
    for (size_t i = 0; i < found->count; i++) {
        const struct outgoing_identifier *one = &found->all[i];
        fprintf(out, "  %-18s%s: ", one->field, identifiers_kind_text(one->kind));
        fwrite(one->before.data, 1, one->before.size, out);
        fputc('[', out);
        fwrite(one->text.data, 1, one->text.size, out);
        fputc(']', out);
        fwrite(one->after.data, 1, one->after.size, out);
        fputc('\n', out);
    }
    if (found->is_cut)
        fprintf(out, "  There is more: not all of it is listed.\n");
}

static void outgoing_preview_say(FILE *out, struct runtime *runtime,
                                 const struct outgoing_preview *outgoing_preview,
                                 const struct draft *draft,
                                 const struct outgoing_identifiers *found)
{
    const struct roster *roster = runtime_roster(runtime);
    if (outgoing_preview->announcement.size > 0 && outgoing_preview->directed_count == 0) {
        fprintf(out, "Every member of the board will see:\n");
    } else if (outgoing_preview->announcement.size > 0) {
        fprintf(out, "These institutions are asked directly:\n");
        for (size_t i = 0; i < outgoing_preview->directed_count; i++) {
            const struct roster_entry *entry = roster_find(roster, &outgoing_preview->directed[i]);
            struct bytes name = entry == NULL ? bytes_of_text("?") : roster_name(roster, entry);
            fprintf(out, "  %.*s\n", (int)name.size, (const char *)name.data);
        }
        fprintf(out, "and will see:\n");
    }
    if (outgoing_preview->announcement.size > 0)
        outgoing_preview_say_announcement(out, outgoing_preview->announcement);
    fprintf(out, "%sOnly institutions that are granted access will see%s:\n",
            outgoing_preview->announcement.size > 0 ? "\n" : "",
            outgoing_preview->announcement.size > 0 ? ", beside that" : "");
    if (outgoing_preview->manifest.size > 0)
        outgoing_preview_say_manifest(out, outgoing_preview->manifest, draft);
    if (outgoing_preview->open.size > 0)
        outgoing_preview_say_open(out, outgoing_preview->open);
    if (outgoing_preview->supply.size > 0)
        outgoing_preview_say_supply(out, runtime, outgoing_preview->supply);
    outgoing_preview_say_identifiers(out, found);
    fprintf(out, "\nThe program searches the texts above for names, dates and numbers, and misses "
                 "some.\nIt does not search pictures and pages: look at them.\n"
                 "No real patients yet.\n");
    if (outgoing_preview->announcement.size > 0 &&
        outgoing_preview_audience(runtime, outgoing_preview) == 0)
        fprintf(out, "\nNO OTHER INSTITUTION SERVES THIS BOARD: nobody will read this.\n");
}

static json_t *outgoing_preview_json_content(const struct content_table *table,
                                             struct bytes content)
{
    union content_registry_value *value = calloc(1, sizeof *value);
    json_t *json = NULL;
    if (value != NULL && content.size > 0 && content_read(table, content, value) == OK)
        json = content_json_encode(table, value);
    free(value);
    return json == NULL ? json_null() : json;
}

static json_t *outgoing_preview_json_stripped(const struct draft *draft)
{
    json_t *list = json_array();
    for (size_t i = 0; i < draft->attachment_count; i++) {
        json_t *notes = json_array();
        for (unsigned bit = 0; bit < ATTACHMENT_BIT_COUNT; bit++) {
            if ((draft->attachments[i].stripped & 1u << bit) != 0)
                json_array_append_new(
                    notes, json_string(attachment_stripped_text((enum attachment_bit)bit)));
        }
        json_array_append_new(
            list, json_pack("{s:s,s:o,s:o}", "name", draft->attachments[i].name, "stripped", notes,
                            "findings", outgoing_preview_json_findings(&draft->attachments[i])));
    }
    return list;
}

static json_t *outgoing_preview_json_identifiers(const struct outgoing_identifiers *found)
{
    json_t *list = json_array();
    for (size_t i = 0; i < found->count; i++) {
        const struct outgoing_identifier *one = &found->all[i];
        json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:o,s:o}", "field", one->field, "kind",
                                              identifiers_kind_name(one->kind), "text",
                                              content_json_encode_text(one->text), "before",
                                              content_json_encode_text(one->before), "after",
                                              content_json_encode_text(one->after)));
    }
    return list;
}

static json_t *outgoing_preview_json_directed(const struct runtime *runtime,
                                              const struct outgoing_preview *outgoing_preview)
{
    json_t *list = json_array();
    for (size_t i = 0; i < outgoing_preview->directed_count; i++)
        json_array_append_new(list, view_json_member(runtime, &outgoing_preview->directed[i]));
    return list;
}

json_t *outgoing_preview_json(struct runtime *runtime,
                              const struct outgoing_preview *outgoing_preview,
                              const struct draft *draft)
{
    char *text = NULL;
    size_t size = 0;
    struct outgoing_identifiers *found = calloc(1, sizeof *found);
    FILE *out = open_memstream(&text, &size);
    if (found == NULL || out == NULL || outgoing_identifiers_find(outgoing_preview, found) != OK) {
        if (out != NULL)
            fclose(out);
        free(text);
        free(found);
        return NULL;
    }
    outgoing_preview_say(out, runtime, outgoing_preview, draft, found);
    fclose(out);
    json_t *json = json_pack(
        "{s:o,s:o,s:o,s:{s:o,s:o,s:o,s:o},s:o,s:o}", "preview",
        content_json_encode_hex(ID_BYTES(outgoing_preview->preview)), "case",
        content_json_encode_hex(ID_BYTES(outgoing_preview->case_id)), "board",
        outgoing_preview_json_content(&announcement_table, outgoing_preview->announcement),
        "participants", "case_file",
        outgoing_preview_json_content(&case_file_table, outgoing_preview->manifest), "opening",
        outgoing_preview_json_content(&case_record_open_table, outgoing_preview->open), "supply",
        outgoing_preview_json_content(&case_record_supply_table, outgoing_preview->supply),
        "attachments", outgoing_preview_json_stripped(draft), "directed",
        outgoing_preview_json_directed(runtime, outgoing_preview), "text",
        content_json_encode_text((struct bytes){(const uint8_t *)text, size}));
    free(text);
    if (json != NULL) {
        json_object_set_new(json, "identifiers", outgoing_preview_json_identifiers(found));
        json_object_set_new(json, "has_more_identifiers", json_boolean(found->is_cut));
    }
    free(found);
    if (json != NULL && outgoing_preview->announcement.size > 0)
        json_object_set_new(
            json, "audience_count",
            json_integer((json_int_t)outgoing_preview_audience(runtime, outgoing_preview)));
    return json;
}
