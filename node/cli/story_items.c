/* Case files: fetched with progress, opened with a receipt, written out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/cli/request.h"
#include "node/cli/show.h"
#include "node/cli/story.h"

enum { FETCH_POLL_MS = 200, FETCH_BAR_WIDTH = 40, FETCH_PATIENCE_S = 120, READ_NAME_SIZE = 192 };

static json_t *fetch_items(struct run *run)
{
    char path[256], *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%s/items", id);
    free(id);
    return request_send(run, METHOD_GET, path, NULL);
}

static const json_t *fetch_list(const json_t *answer)
{
    const json_t *items = json_object_get(answer, "items");
    return items != NULL ? items : answer;
}

static long long fetch_number(const json_t *item, const char *key)
{
    return (long long)json_integer_value(json_object_get(item, key));
}

/* Draws one line over the last; false while something is still to come. */
static bool fetch_draw(const json_t *answer, bool is_drawn, long long *ret_here)
{
    size_t index;
    json_t *item;
    long long here = 0, all = 0;
    json_array_foreach(fetch_list(answer), index, item)
    {
        here += fetch_number(item, "chunks_here");
        all += fetch_number(item, "chunk_count");
    }
    if (is_drawn) {
        int filled = all == 0 ? FETCH_BAR_WIDTH : (int)(here * FETCH_BAR_WIDTH / all);
        printf("\r[%.*s%.*s] %lld of %lld pieces", filled,
               "########################################", FETCH_BAR_WIDTH - filled,
               "........................................", here, all);
        fflush(stdout);
    }
    *ret_here = here;
    return here == all;
}

int story_fetch(struct run *run)
{
    char path[256], *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%s/fetch", id);
    free(id);
    json_t *body = command_body(run);
    json_t *started = body == NULL ? NULL : request_send(run, METHOD_POST, path, body);
    json_decref(body);
    if (started == NULL)
        return 1;
    json_decref(started);
    long long before = -1, here;
    time_t last = time(NULL);
    for (;;) {
        json_t *answer = fetch_items(run);
        if (answer == NULL)
            return 1;
        bool is_done = fetch_draw(answer, !run->is_json && isatty(STDOUT_FILENO), &here);
        if (here != before)
            last = time(NULL);
        before = here;
        bool is_stuck = time(NULL) - last > FETCH_PATIENCE_S;
        if (is_done || is_stuck) {
            if (!run->is_json && isatty(STDOUT_FILENO))
                putchar('\n');
            if (is_stuck)
                show_problem("nothing has come for two minutes: whoever holds it is not "
                             "connected; the node goes on, look again later");
            int status = story_print(run, answer, NULL);
            return is_stuck ? 1 : status;
        }
        json_decref(answer);
        usleep(FETCH_POLL_MS * 1000);
    }
}

/* A name of others is never a path. */
static void read_file_name(const char *name, size_t number, char ret_name[static READ_NAME_SIZE])
{
    char *clean = show_clean(name, false);
    for (char *c = clean; *c != '\0'; c++)
        *c = strchr("/\\:*?\"<>|", *c) != NULL ? '_' : *c;
    const char *start = clean + strspn(clean, ".");
    snprintf(ret_name, READ_NAME_SIZE, "%zu-%.140s", number % 1000,
             *start == '\0' ? "item" : start);
    free(clean);
}

static bool read_wanted(const struct run *run, const char *item)
{
    size_t count = command_count(run, "items");
    for (size_t i = 0; i < count; i++) {
        const char *wanted = command_nth(run, "items", i);
        if (strncmp(wanted, item, strlen(wanted)) == 0)
            return true;
    }
    return count == 0;
}

static json_t *read_wanted_items(const struct run *run, const json_t *answer)
{
    json_t *list = json_array();
    size_t index;
    json_t *item;
    json_array_foreach(fetch_list(answer), index, item)
    {
        const char *id = json_string_value(json_object_get(item, "item"));
        if (id != NULL && read_wanted(run, id))
            json_array_append(list, item);
    }
    return list;
}

/* The signed receipt comes first: what was opened is part of what an opinion signs. */
static bool read_receipt(struct run *run, const json_t *items)
{
    char path[256], *id = request_escape(run->arguments[0]);
    size_t index;
    json_t *item, *ids = json_array();
    json_array_foreach(items, index, item) json_array_append(ids, json_object_get(item, "item"));
    snprintf(path, sizeof path, "cases/%s/opened", id);
    free(id);
    json_t *body = json_pack("{s:o}", "items", ids);
    json_t *answer = request_sign(run, METHOD_POST, path, body);
    json_decref(body);
    json_decref(answer);
    return answer != NULL;
}

static bool read_one(struct run *run, const json_t *item, size_t number, json_t *written)
{
    char path[512], name[READ_NAME_SIZE], file[4096];
    const char *folder = command_value(run, "to");
    const char *id = json_string_value(json_object_get(item, "item"));
    const char *title = json_string_value(json_object_get(item, "name"));
    char *in_case = request_escape(run->arguments[0]);
    char *clinician = request_escape(run->clinician);
    snprintf(path, sizeof path, "cases/%s/items/%s?clinician=%s", in_case, id, clinician);
    free(clinician);
    free(in_case);
    read_file_name(title == NULL ? "item" : title, number, name);
    snprintf(file, sizeof file, "%s/%s", folder == NULL ? "." : folder, name);
    if (!request_download(run, path, NULL, file))
        return false;
    json_array_append_new(written, json_pack("{s:s,s:s}", "item", id, "file", file));
    return true;
}

int story_read(struct run *run)
{
    json_t *answer = fetch_items(run);
    if (answer == NULL)
        return 1;
    json_t *items = read_wanted_items(run, answer), *written = json_array();
    size_t index;
    json_t *item;
    bool is_good = json_array_size(items) > 0;
    if (!is_good)
        show_problem("the case file has no such item");
    is_good = is_good && read_receipt(run, items);
    json_array_foreach(items, index, item) is_good =
        is_good && read_one(run, item, index + 1, written);
    json_decref(items);
    json_decref(answer);
    int status = story_print(run, written, NULL);
    return is_good ? status : 1;
}
