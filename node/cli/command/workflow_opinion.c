#include "node/cli/command/workflow_opinion.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/api_json.h"
#include "node/cli/present/render_record.h"
#include "node/cli/present/table.h"
#include "node/cli/terminal/input_file.h"
#include "node/cli/terminal/term.h"
#include "protocol/contents/opinion_file.h"

enum { OPINION_FILE_MAX = 16 * 1024 * 1024 };

static void export_tell(struct command_run *run, const char *file)
{
    json_t *status = request_send(run, METHOD_GET, "status", NULL);
    const char *federation = api_json_text(status, "federation");
    printf("Written to ");
    (void)term_short(file, 68);
    printf(".\nAnyone who has the id of the federation from a trusted source can check it:\n"
           "  consilium opinion verify ");
    (void)term_short(file, 51);
    printf(" \\\n  --federation %s\n", federation[0] == '\0' ? "ID" : federation);
    json_decref(status);
}

int workflow_opinion_export(struct command_run *run)
{
    char path[512], file[256];
    const char *to = command_value(run, "to");
    char *in_case = request_escape(run->arguments[0]);
    char *record = request_escape(run->arguments[1]);
    snprintf(path, sizeof path, "cases/%s/opinions/%s/export", in_case, record);
    snprintf(file, sizeof file, "%.64s.opinion", record);
    free(record);
    free(in_case);
    json_t *body = json_object();
    bool is_done = request_download(run, path, body, to == NULL ? file : to);
    json_decref(body);
    if (is_done && !run->is_json)
        export_tell(run, to == NULL ? file : to);
    return is_done ? 0 : 1;
}

/* ---- checking: without node or network; only the given id is trusted ---- */

static void verify_hex(json_t *object, const char *key, struct bytes id)
{
    char text[IDS_HEX_MAX];
    ids_to_hex(id, text);
    json_object_set_new(object, key, json_string(text));
}

static void verify_text(json_t *object, const char *key, struct bytes text)
{
    if (text.size > 0)
        json_object_set_new(object, key, json_stringn((const char *)text.data, text.size));
}

static void verify_time(json_t *object, const char *key, struct wall wall)
{
    char text[40];
    struct tm parts;
    time_t seconds = (time_t)(wall.ms / 1000);
    gmtime_r(&seconds, &parts);
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + size, sizeof text - size, ".%03uZ", (unsigned)(wall.ms % 1000));
    json_object_set_new(object, key, json_string(text));
}

static void verify_texts(json_t *object, const char *key, const struct bytes *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_stringn((const char *)texts[i].data, texts[i].size));
    if (count > 0)
        json_object_set(object, key, list);
    json_decref(list);
}

/* What is advised, under the names that spec/api.md gives an opinion. */
static void verify_opinion(json_t *json, const struct opinion *opinion)
{
    const char *confidence = content_code_name(&opinion_confidences, opinion->confidence);
    json_t *alternatives = json_array();
    for (size_t i = 0; i < opinion->alternative_count; i++) {
        const struct opinion_alternative *one = &opinion->alternatives[i];
        json_t *said = json_object();
        verify_text(said, "what", one->what);
        json_object_set_new(said, "why", json_string(content_code_name(&opinion_whys, one->why)));
        verify_text(said, "remark", one->remark);
        json_array_append_new(alternatives, said);
    }
    if (opinion->alternative_count > 0)
        json_object_set(json, "alternatives", alternatives);
    json_decref(alternatives);
    if (confidence[0] != '\0')
        json_object_set_new(json, "confidence", json_string(confidence));
    verify_texts(json, "references", opinion->references, opinion->reference_count);
    verify_texts(json, "trials", opinion->trials, opinion->trial_count);
}

static json_t *verify_facts(const struct opinion_file_facts *facts)
{
    const struct certificate_request *who = &facts->certificate.request;
    json_t *json = json_object();
    json_object_set_new(json, "valid", json_true());
    json_object_set_new(json, "anchored", json_boolean(facts->is_anchored));
    verify_hex(json, "checked_head", ID_BYTES(facts->checked_head));
    json_object_set_new(json, "checked_epoch", json_integer((json_int_t)facts->checked_epoch));
    verify_hex(json, "case", ID_BYTES(facts->case_id));
    verify_hex(json, "record", ID_BYTES(facts->record_id));
    verify_text(json, "clinician", who->name);
    verify_text(json, "credentials", who->credentials);
    verify_text(json, "institution", facts->institution_name);
    verify_time(json, "signed_at", facts->signed_at);
    json_object_set_new(json, "taken_in", json_boolean(facts->is_taken_in));
    verify_text(json, "requester", facts->requester_name);
    const struct opinion *opinion = &facts->opinion;
    const char *diagnosis = content_code_name(&opinion_diagnoses, opinion->diagnosis);
    const char *treatment = content_code_name(&opinion_treatments, opinion->treatment);
    if (diagnosis[0] != '\0')
        json_object_set_new(json, "diagnosis", json_string(diagnosis));
    verify_text(json, "diagnosis_text", opinion->diagnosis_text);
    if (treatment[0] != '\0')
        json_object_set_new(json, "treatment", json_string(treatment));
    verify_text(json, "treatment_text", opinion->treatment_text);
    verify_text(json, "text", opinion->text);
    verify_opinion(json, opinion);
    json_object_set_new(json, "items_opened", json_integer((json_int_t)opinion->item_opened_count));
    verify_text(json, "sentence", opinion->sentence);
    return json;
}

/* The chain's memory, sized by the file's own count of heads, which was bounded by its size. */
static err verify_check(struct bytes all, const struct opinion_file_trust *trust,
                        struct opinion_file_memory *memory, struct opinion_file_facts *ret_facts)
{
    struct opinion_file file;
    err failure = opinion_file_read(all, &file);
    if (failure != OK)
        return failure;
    memory->chain.capacity = file.head_count;
    memory->chain.officer_set_capacity = file.head_count;
    memory->chain.links = calloc(file.head_count, sizeof *memory->chain.links);
    memory->chain.officer_sets = calloc(file.head_count, sizeof *memory->chain.officer_sets);
    if (memory->chain.links == NULL || memory->chain.officer_sets == NULL)
        failure = ERR_NO_MEMORY;
    if (failure == OK)
        failure = opinion_file_verify(all, trust, memory, ret_facts);
    free(memory->chain.links);
    free(memory->chain.officer_sets);
    return failure;
}

static void verify_page(const json_t *facts)
{
    char line[1024];
    if (api_json_is(facts, "anchored"))
        printf("VALID, up to the roster head that you trust.\n");
    else if (api_json_is(facts, "head_is_missing"))
        term_text(
            "SIGNATURES GOOD, BUT NOT ANCHORED: the head that you named is not among those in "
            "the file. Name one of the time when it was exported, or have it exported again.",
            0);
    else
        term_text("SIGNATURES GOOD, BUT NOT ANCHORED: they fit each other and the roster in the "
                  "file; that this is the federation's own roster, only a head that you trust can "
                  "tell (--head).",
                  0);
    printf("\nSigned %s UTC by\n", term_time(api_json_text(facts, "signed_at")));
    snprintf(line, sizeof line, "%s, %s; %s", api_json_text(facts, "clinician"),
             api_json_text(facts, "credentials"), api_json_text(facts, "institution"));
    term_text(line, 2);
    printf("  in case %.16s, record %.16s\n", api_json_text(facts, "case"),
           api_json_text(facts, "record"));
    if (api_json_is(facts, "taken_in"))
        term_pair(2, "taken in by ", 14, api_json_text(facts, "requester"));
    printf("  documents and images opened: %lld\n", api_json_number(facts, "items_opened"));
    printf("\nOpinion\n");
    render_record_opinion(facts);
    printf("\nChecked against roster head %lld, %s\n  %s\n",
           api_json_number(facts, "checked_epoch"),
           api_json_is(facts, "anchored") ? "which you named:" : "the last in the file:",
           api_json_text(facts, "checked_head"));
}

/* Prints an error when the file belongs to another federation than the named one. */
static bool verify_is_other(struct bytes all, const struct opinion_file_trust *trust)
{
    struct opinion_file file;
    struct roster_head_signed first;
    char text[IDS_HEX_MAX];
    if (opinion_file_read(all, &file) != OK)
        return false;
    struct reader reader = reader_of(file.heads);
    struct bytes head = reader_take(&reader, reader_u32(&reader));
    if (reader.failed || roster_head_signed_read(head, &first) != OK)
        return false;
    struct head_id founding = roster_head_id(first.body);
    struct federation_id federation = roster_head_federation(&founding);
    if (ID_EQUAL(federation, trust->federation))
        return false;
    ids_to_hex(ID_BYTES(federation), text);
    term_problem(
        "NOT VALID: the file belongs to another federation than the one you named. It names "
        "%s; compare that with a source that you trust",
        text);
    return true;
}

/* What went wrong, for a person; the part and the error name are in --json. */
static void verify_explain(const char *path, struct bytes all,
                           const struct opinion_file_trust *trust,
                           const struct opinion_file_facts *facts, err failure)
{
    if (failure == ERR_VERSION && facts->part == OPINION_FILE_WHOLE)
        term_problem("%s: NOT an opinion file, or of a later version; `consilium opinion export` "
                     "writes one",
                     path);
    else if (failure == ERR_TRUNCATED && facts->part == OPINION_FILE_WHOLE)
        term_problem("%s: NOT VALID: the file is incomplete; ask for it again", path);
    else if (!verify_is_other(all, trust))
        term_problem("NOT VALID: %s: %s", opinion_file_part_name(facts->part),
                     err_sentence(failure));
}

static int verify_file(struct command_run *run, const char *path,
                       const struct opinion_file_trust *trust)
{
    uint8_t *data;
    size_t size;
    static struct opinion_file_facts facts;
    struct opinion_file_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL || !input_file_read(path, OPINION_FILE_MAX, &data, &size)) {
        free(memory);
        return 1;
    }
    facts.part = OPINION_FILE_WHOLE;
    err failure = verify_check((struct bytes){data, size}, trust, memory, &facts);
    int status = 1;
    if (failure == OK) {
        json_t *found = verify_facts(&facts);
        bool is_missing = trust->head != NULL && !facts.is_anchored;
        if (is_missing)
            json_object_set_new(found, "head_is_missing", json_true());
        status = workflow_output_print(run, found, verify_page);
        status = is_missing ? 1 : status; /* the file lacks the named head */
    } else {
        if (run->is_json)
            term_json(json_pack("{s:b,s:s,s:s}", "valid", 0, "error", err_name(failure), "part",
                                opinion_file_part_name(facts.part)));
        verify_explain(path, (struct bytes){data, size}, trust, &facts, failure);
    }
    free(memory);
    free(data);
    return status;
}

int workflow_opinion_verify(struct command_run *run)
{
    struct opinion_file_trust trust = {.head = NULL};
    struct head_id head;
    const char *named = command_value(run, "head");
    if (run->federation == NULL ||
        ids_from_hex(run->federation, trust.federation.bytes, HASH_SIZE) != OK ||
        (named != NULL && ids_from_hex(named, head.bytes, HASH_SIZE) != OK)) {
        term_problem("give the id of the federation, from a source that you trust: --federation ID "
                     "(64 hexadecimal digits)%s",
                     named != NULL ? ", and the id of the head: --head ID" : "");
        return 2;
    }
    if (named != NULL)
        trust.head = &head;
    return verify_file(run, run->arguments[0], &trust);
}
