#include "node/cli/command/workflow_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_confirm.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/table.h"
#include "node/cli/terminal/input_file.h"
#include "node/cli/terminal/term.h"

enum { REPLY_FILE_MAX = 1024 * 1024 };

/* What stands between < and > has to be replaced. */
static const char reply_template[] =
    "{\n"
    "  \"text\": \"<your opinion, in full>\",\n"
    "  \"language\": \"<the language of the text, such as en or zh-Hans>\",\n"
    "  \"diagnosis\": \"<confirmed, clarified or changed>\",\n"
    "  \"diagnosis_text\": \"\",\n"
    "  \"treatment\": \"<same, modified or changed>\",\n"
    "  \"treatment_text\": \"\",\n"
    "  \"alternatives\": [\n"
    "    {\n"
    "      \"what\": \"\",\n"
    "      \"why\": \"<less-invasive, fewer-side-effects, more-targeted or other>\",\n"
    "      \"remark\": \"\"\n"
    "    }\n"
    "  ],\n"
    "  \"confidence\": \"<very-low, low, moderate or high>\",\n"
    "  \"references\": [],\n"
    "  \"trials\": []\n"
    "}\n";

int workflow_reply_template(struct command_run *run)
{
    (void)run;
    fputs(reply_template, stdout);
    return 0;
}

static bool reply_is_empty(const json_t *value)
{
    return (json_is_string(value) && json_string_length(value) == 0) ||
           ((json_is_array(value) || json_is_object(value)) && json_array_size(value) == 0 &&
            json_object_size(value) == 0);
}

/* Does it still hold the words of the template? */
static bool reply_is_untouched(const json_t *value, const json_t *in_template)
{
    const char *text = json_string_value(value), *words = json_string_value(in_template);
    return text != NULL && words != NULL && words[0] == '<' && strstr(text, words) != NULL;
}

/* Drops the fields that are empty, as in the template, and list elements of which nothing was
 * filled in. */
static void reply_drop_empty(json_t *object, const json_t *in_template)
{
    void *next;
    const char *key;
    json_t *value;
    json_object_foreach_safe(object, next, key, value)
    {
        const json_t *first = json_array_get(json_object_get(in_template, key), 0);
        for (size_t i = json_array_size(value); i-- > 0;) {
            json_t *element = json_array_get(value, i);
            if (json_is_object(element))
                reply_drop_empty(element, first);
            bool is_blank =
                json_object_size(element) == 1 &&
                reply_is_untouched(json_object_get(element, "why"), json_object_get(first, "why"));
            if (is_blank || reply_is_empty(element))
                json_array_remove(value, i);
        }
        if (reply_is_empty(value))
            json_object_del(object, key);
    }
}

/* Adds the names of the fields that are as in the template to `list`. */
static void reply_find_untouched(json_t *object, const json_t *in_template, json_t *list)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size_t index;
        json_t *element;
        const json_t *words = json_object_get(in_template, key);
        if (reply_is_untouched(value, words))
            json_array_append_new(list, json_string(key));
        json_array_foreach(value, index, element)
        {
            if (json_is_object(element))
                reply_find_untouched(element, json_array_get(words, 0), list);
        }
    }
}

/* False, with an error printed that names each field, when something is still as in the template.
 */
static bool reply_is_filled_in(json_t *body, const json_t *in_template)
{
    char names[512] = "";
    size_t used = 0, index;
    json_t *name, *list = json_array();
    reply_find_untouched(body, in_template, list);
    json_array_foreach(list, index, name)
    {
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                     index == 0 ? "" : ", ", json_string_value(name));
    }
    bool is_filled_in = json_array_size(list) == 0;
    json_decref(list);
    if (!is_filled_in)
        term_problem("nothing was signed: still as in the template: %s. Write what you mean in "
                     "place of <...>; \"\" leaves an answer out",
                     names);
    return is_filled_in;
}

static json_t *reply_read(const char *file)
{
    json_error_t error;
    char *text;
    size_t size;
    if (!input_file_text(file, REPLY_FILE_MAX, &text, &size))
        return NULL;
    json_t *body = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (json_is_object(body))
        return body;
    term_problem("%s:%d: %s; start from `consilium opinion template`", file,
                 body == NULL ? error.line : 1, body == NULL ? error.text : "not a JSON object");
    json_decref(body);
    return NULL;
}

/* The fields of the file, over which the options go; NULL after an error, which was printed. */
static json_t *reply_body(struct command_run *run)
{
    const char *file = command_value(run, "file");
    json_t *options = command_body(run);
    json_t *body = file == NULL ? json_object() : reply_read(file);
    json_t *in_template = json_loads(reply_template, 0, NULL);
    bool is_good = options != NULL && body != NULL;
    if (is_good) {
        json_object_update(body, options);
        reply_drop_empty(body, in_template);
        is_good = reply_is_filled_in(body, in_template);
    }
    json_decref(in_template);
    json_decref(options);
    if (is_good)
        return body;
    json_decref(body);
    return NULL;
}

int workflow_reply_give(struct command_run *run)
{
    char path[256];
    json_t *body = reply_body(run);
    if (body == NULL)
        return 1;
    char *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%.200s/opinion", id);
    free(id);
    json_t *answer = workflow_confirm_post(run, path, body, NULL);
    json_decref(body);
    return workflow_output_print(run, answer, table_done);
}
