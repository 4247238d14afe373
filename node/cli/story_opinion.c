/* Opinions: written, exported, and checked without a node. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/cli/print.h"
#include "node/cli/request.h"
#include "node/cli/show.h"
#include "node/cli/story.h"
#include "node/io/file.h"
#include "protocol/opinion_file.h"

enum { OPINION_FILE_MAX = 16 * 1024 * 1024 };

int story_template(struct run *run)
{
    (void)run;
    puts("{\n"
         "  \"text\": \"Your opinion, in full.\",\n"
         "  \"language\": \"en\",\n"
         "  \"diagnosis\": \"confirmed\",\n"
         "  \"diagnosis_text\": \"\",\n"
         "  \"treatment\": \"modified\",\n"
         "  \"treatment_text\": \"\",\n"
         "  \"alternatives\": [\n"
         "    { \"what\": \"\", \"why\": \"fewer-side-effects\", \"remark\": \"\" }\n"
         "  ],\n"
         "  \"confidence\": \"moderate\",\n"
         "  \"references\": [],\n"
         "  \"trials\": []\n"
         "}");
    return 0;
}

/* Fields left empty in the template were not said. */
static void reply_drop_empty(json_t *object)
{
    void *next;
    const char *key;
    json_t *value;
    json_object_foreach_safe(object, next, key, value)
    {
        size_t index;
        json_t *element;
        json_array_foreach(value, index, element)
        {
            if (json_is_object(element))
                reply_drop_empty(element);
        }
        bool is_empty = (json_is_string(value) && json_string_length(value) == 0) ||
                        (json_is_array(value) && json_array_size(value) == 0);
        if (is_empty)
            json_object_del(object, key);
    }
}

static json_t *reply_body(struct run *run)
{
    const char *file = command_value(run, "file");
    json_t *options = command_body(run);
    if (file == NULL || options == NULL)
        return options;
    json_error_t error;
    json_t *body = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(body)) {
        show_problem("%s:%d: %s; start from `consilium opinion template`", file, error.line,
                     body == NULL ? error.text : "not an object");
        json_decref(body);
        json_decref(options);
        return NULL;
    }
    reply_drop_empty(body);
    json_object_update(body, options);
    json_decref(options);
    return body;
}

int story_reply(struct run *run)
{
    char path[256];
    json_t *body = reply_body(run);
    if (body == NULL)
        return 1;
    char *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%s/opinion", id);
    free(id);
    json_t *answer = request_sign(run, METHOD_POST, path, body);
    json_decref(body);
    return story_print(run, answer, print_done);
}

int story_export(struct run *run)
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
        printf("Written to %s. Anyone can check it:\n  consilium opinion verify %s --federation "
               "FEDERATION-ID\n",
               to == NULL ? file : to, to == NULL ? file : to);
    return is_done ? 0 : 1;
}

/* ---- checking: no node, no network, no trust but the id that was given ---- */

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
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
    json_object_set_new(object, key, json_string(text));
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

static int verify_file(struct run *run, const char *path, const struct opinion_file_trust *trust)
{
    uint8_t *data;
    size_t size;
    static struct opinion_file_facts facts;
    struct opinion_file_memory *memory = calloc(1, sizeof *memory);
    err failure = file_read(path, OPINION_FILE_MAX, &data, &size);
    if (failure != OK || memory == NULL) {
        show_problem("%s: %s", path, failure == ERR_IO ? strerror(errno) : err_sentence(failure));
        free(memory);
        return 1;
    }
    facts.part = OPINION_FILE_WHOLE;
    failure = verify_check((struct bytes){data, size}, trust, memory, &facts);
    int status = 1;
    if (failure == OK) {
        status = story_print(run, verify_facts(&facts), NULL);
        if (!run->is_json && !facts.is_anchored)
            printf("\nNOT ANCHORED: checked against the last head in the file itself. Name a head "
                   "that\nyou trust with --head, and the answer holds up to that head.\n");
    } else {
        if (run->is_json)
            show_json(json_pack("{s:b,s:s,s:s}", "valid", 0, "error", err_name(failure), "part",
                                opinion_file_part_name(facts.part)));
        show_problem("NOT VALID: %s: %s", opinion_file_part_name(facts.part),
                     err_sentence(failure));
    }
    free(memory);
    free(data);
    return status;
}

int story_verify(struct run *run)
{
    struct opinion_file_trust trust = {.head = NULL};
    struct head_id head;
    const char *named = command_value(run, "head");
    if (run->federation == NULL ||
        ids_from_hex(run->federation, trust.federation.bytes, HASH_SIZE) != OK ||
        (named != NULL && ids_from_hex(named, head.bytes, HASH_SIZE) != OK)) {
        show_problem("name the federation by its id, from a source that you trust: --federation "
                     "ID (64 hexadecimal digits)");
        return 2;
    }
    if (named != NULL)
        trust.head = &head;
    return verify_file(run, run->arguments[0], &trust);
}
