/* The preview: read back from the very bytes that will be signed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/attachment/attachment.h"
#include "node/desk/sheets.h"
#include "node/desk/show.h"
#include "protocol/consult/announcement.h"

static void sheets_line(FILE *out, const char *name, struct bytes text)
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

static void sheets_text(FILE *out, const char *name, const char *text)
{
    sheets_line(out, name, bytes_of_text(text));
}

static void sheets_time(FILE *out, const char *name, struct wall time)
{
    char text[FORM_TIME_SIZE];
    form_time(time, text);
    sheets_text(out, name, text);
}

static void sheets_say_announcement(FILE *out, struct bytes content)
{
    struct announcement said;
    if (announcement_read(content, &said) != OK) {
        fprintf(out, "  (cannot be read back: do not send it)\n");
        return;
    }
    char count[16];
    snprintf(count, sizeof count, "%" PRIu64, said.wanted_count);
    sheets_line(out, "question", said.question);
    sheets_line(out, "specialty", said.specialty);
    sheets_text(out, "service", content_code_name(&announcement_services, said.service));
    sheets_text(out, "reason", content_code_name(&announcement_reasons, said.reason));
    sheets_text(out, "opinions wanted", count);
    sheets_time(out, "deadline", said.deadline);
    sheets_line(out, "language", said.language);
    sheets_text(out, "mode", content_code_name(&announcement_modes, said.mode));
    sheets_text(out, "age", content_code_name(&announcement_ages, said.age));
    sheets_text(out, "sex", content_code_name(&announcement_sexes, said.sex));
    sheets_line(out, "country", said.country);
    sheets_line(out, "fees", said.fee_link);
}

static void sheets_say_stripped(FILE *out, uint32_t stripped)
{
    for (unsigned bit = 0; bit < ATTACHMENT_BIT_COUNT; bit++) {
        if ((stripped & 1u << bit) != 0)
            fprintf(out, "  %-18s- taken out: %s\n", "",
                    attachment_stripped_text((enum attachment_bit)bit));
    }
}

static const struct draft_attachment *sheets_attachment(const struct draft *draft,
                                                        const struct item_id *item)
{
    for (size_t i = 0; i < draft->attachment_count; i++) {
        if (ID_EQUAL(draft->attachments[i].item_id, *item))
            return &draft->attachments[i];
    }
    return NULL;
}

static void sheets_say_manifest(FILE *out, struct bytes content, const struct draft *draft)
{
    struct casefile *said = calloc(1, sizeof *said);
    if (said == NULL || casefile_read(content, said) != OK) {
        fprintf(out, "  (cannot be read back: do not send it)\n");
        free(said);
        return;
    }
    sheets_line(out, "description", said->description);
    sheets_line(out, "language", said->language);
    for (size_t i = 0; i < said->item_count; i++) {
        const struct casefile_item *item = &said->items[i];
        const struct draft_attachment *attachment = sheets_attachment(draft, &item->item_id);
        char line[ITEM_NAME_SIZE_MAX + MEDIA_TYPE_SIZE_MAX + 64];
        snprintf(line, sizeof line, "%.*s (%.*s, %" PRIu64 " bytes)%s", (int)item->name.size,
                 (const char *)item->name.data, (int)item->media_type.size,
                 (const char *)item->media_type.data, item->size,
                 attachment == NULL ? ", sent before" : "");
        sheets_text(out, "attachment", line);
        if (attachment != NULL)
            sheets_say_stripped(out, attachment->stripped);
    }
    free(said);
}

/* "0 records": an item as every page numbers it. */
static void sheets_say_asked(FILE *out, size_t index, const struct caserecord_ask_item *item)
{
    char name[48];
    snprintf(name, sizeof name, "asked %zu", index);
    fprintf(out, "  %-18s%s: ", name, content_code_name(&caserecord_wanteds, item->wanted));
    fwrite(item->text.data, 1, item->text.size, out);
    fputc('\n', out);
}

static void sheets_say_answer(FILE *out, const struct caserecord_supply_answer *answer)
{
    char name[48];
    snprintf(name, sizeof name, "answer %u", (unsigned)answer->index);
    sheets_text(out, name, content_code_name(&caserecord_answers, answer->answer));
    sheets_line(out, "", answer->note);
}

/* Each answer below what was asked; what is not answered is named too. */
static void sheets_say_answers(FILE *out, const struct caserecord_supply *said,
                               const struct caserecord_ask *ask)
{
    for (size_t i = 0; ask != NULL && i < ask->item_count; i++) {
        bool is_answered = false;
        sheets_say_asked(out, i, &ask->items[i]);
        for (size_t j = 0; j < said->answer_count; j++) {
            if (said->answers[j].index == i)
                sheets_say_answer(out, &said->answers[j]);
            is_answered = is_answered || said->answers[j].index == i;
        }
        if (!is_answered)
            sheets_text(out, "", "NOT ANSWERED: it stays open");
    }
    for (size_t j = 0; ask == NULL && j < said->answer_count; j++)
        sheets_say_answer(out, &said->answers[j]);
}

static void sheets_say_supply(FILE *out, struct shell *shell, struct bytes content)
{
    struct caserecord_supply *said = calloc(1, sizeof *said);
    struct caserecord_ask *ask = calloc(1, sizeof *ask);
    struct readout_memory *memory = readout_memory_new();
    struct readout readout;
    if (said != NULL && ask != NULL && memory != NULL &&
        caserecord_supply_read(content, said) == OK) {
        bool is_asked = readout_find(shell_store(shell), &said->ask, memory, &readout) == OK &&
                        readout_content(&readout, KIND_ASK, &caserecord_ask_table, ask);
        sheets_say_answers(out, said, is_asked ? ask : NULL);
        sheets_line(out, "note", said->note);
    }
    readout_memory_free(memory);
    free(ask);
    free(said);
}

static void sheets_say_open(FILE *out, struct bytes content)
{
    struct caserecord_open *said = calloc(1, sizeof *said);
    if (said != NULL && caserecord_open_read(content, said) == OK) {
        sheets_text(out, "asked by", content_code_name(&caserecord_initiatives, said->initiative));
        sheets_line(out, "consent", said->consent);
    }
    free(said);
}

/* Institutions other than this one that the announcement is for, as the roster in force has it. */
static size_t sheets_audience(const struct shell *shell, const struct sheets *sheets)
{
    const struct roster *roster = shell_roster(shell);
    size_t count = 0;
    if (sheets->directed_count > 0)
        return sheets->directed_count;
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        count += entry->state == MEMBER_ADMITTED &&
                 !ID_EQUAL(entry->node_id, shell_settings(shell)->self) &&
                 roster_serves(roster, entry, &sheets->board);
    }
    return count;
}

static void sheets_say(FILE *out, struct shell *shell, const struct sheets *sheets,
                       const struct draft *draft)
{
    const struct roster *roster = shell_roster(shell);
    if (sheets->announcement.size > 0 && sheets->directed_count == 0) {
        fprintf(out, "Every member of the board will see:\n");
    } else if (sheets->announcement.size > 0) {
        fprintf(out, "These institutions are asked directly:\n");
        for (size_t i = 0; i < sheets->directed_count; i++) {
            const struct roster_entry *entry = roster_find(roster, &sheets->directed[i]);
            struct bytes name = entry == NULL ? bytes_of_text("?") : roster_name(roster, entry);
            fprintf(out, "  %.*s\n", (int)name.size, (const char *)name.data);
        }
        fprintf(out, "and will see:\n");
    }
    if (sheets->announcement.size > 0)
        sheets_say_announcement(out, sheets->announcement);
    fprintf(out, "%sOnly institutions that are granted access will see%s:\n",
            sheets->announcement.size > 0 ? "\n" : "",
            sheets->announcement.size > 0 ? ", beside that" : "");
    if (sheets->manifest.size > 0)
        sheets_say_manifest(out, sheets->manifest, draft);
    if (sheets->open.size > 0)
        sheets_say_open(out, sheets->open);
    if (sheets->supply.size > 0)
        sheets_say_supply(out, shell, sheets->supply);
    fprintf(out, "\nThe pictures and pages themselves are not searched for names: look at them.\n"
                 "No real patients yet.\n");
    if (sheets->announcement.size > 0 && sheets_audience(shell, sheets) == 0)
        fprintf(out, "\nNO OTHER INSTITUTION SERVES THIS BOARD: nobody will read this.\n");
}

static json_t *sheets_show_content(const struct content_table *table, struct bytes content)
{
    union vocabulary_value *value = calloc(1, sizeof *value);
    json_t *json = NULL;
    if (value != NULL && content.size > 0 && content_read(table, content, value) == OK)
        json = form_show(table, value);
    free(value);
    return json == NULL ? json_null() : json;
}

static json_t *sheets_show_stripped(const struct draft *draft)
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
            list, json_pack("{s:s,s:o}", "name", draft->attachments[i].name, "stripped", notes));
    }
    return list;
}

static json_t *sheets_show_directed(const struct shell *shell, const struct sheets *sheets)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sheets->directed_count; i++)
        json_array_append_new(list, show_member(shell, &sheets->directed[i]));
    return list;
}

json_t *sheets_show(struct shell *shell, const struct sheets *sheets, const struct draft *draft)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    sheets_say(out, shell, sheets, draft);
    fclose(out);
    json_t *json = json_pack(
        "{s:o,s:o,s:o,s:{s:o,s:o,s:o,s:o},s:o,s:o}", "preview",
        form_show_hex(ID_BYTES(sheets->preview)), "case", form_show_hex(ID_BYTES(sheets->case_id)),
        "board", sheets_show_content(&announcement_table, sheets->announcement), "participants",
        "case_file", sheets_show_content(&casefile_table, sheets->manifest), "opening",
        sheets_show_content(&caserecord_open_table, sheets->open), "supply",
        sheets_show_content(&caserecord_supply_table, sheets->supply), "attachments",
        sheets_show_stripped(draft), "directed", sheets_show_directed(shell, sheets), "text",
        form_show_text((struct bytes){(const uint8_t *)text, size}));
    free(text);
    if (json != NULL && sheets->announcement.size > 0)
        json_object_set_new(json, "audience_count",
                            json_integer((json_int_t)sheets_audience(shell, sheets)));
    return json;
}
