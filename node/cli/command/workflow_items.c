#include "node/cli/command/workflow_items.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/cli/command/request.h"
#include "node/cli/command/workflow_output.h"
#include "node/cli/present/api_json.h"
#include "node/cli/present/table.h"
#include "node/cli/terminal/progress.h"
#include "node/cli/terminal/term.h"

enum { FETCH_POLL_MS = 200, FETCH_PATIENCE_S = 120 };

json_t *workflow_items_get(struct command_run *run)
{
    char path[256], *id = request_escape(run->arguments[0]);
    snprintf(path, sizeof path, "cases/%s/items", id);
    free(id);
    return request_send(run, METHOD_GET, path, NULL);
}

/* False while parts are missing. */
static bool fetch_look(const json_t *answer, struct progress *progress, long long *ret_here)
{
    size_t index;
    json_t *item;
    long long here = 0, all = 0;
    json_array_foreach(json_object_get(answer, "items"), index, item)
    {
        here += api_json_number(item, "chunks_here");
        all += api_json_number(item, "chunk_count");
    }
    progress_draw(progress, here, all);
    *ret_here = here;
    return here == all;
}

int workflow_items_fetch(struct command_run *run)
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
    struct progress progress = progress_begin("parts", run->is_json);
    long long before = -1, here;
    time_t last = time(NULL);
    for (;;) {
        json_t *answer = workflow_items_get(run);
        if (answer == NULL)
            return 1;
        bool is_done = fetch_look(answer, &progress, &here);
        if (here != before)
            last = time(NULL);
        before = here;
        bool is_stuck = time(NULL) - last > FETCH_PATIENCE_S;
        if (is_done || is_stuck) {
            progress_end(&progress);
            if (is_stuck)
                term_problem("nothing has arrived for two minutes: no institution that has it is "
                             "connected. The node continues; run `consilium items` later");
            int status = workflow_output_print(run, answer, table_items);
            return is_stuck ? 1 : status;
        }
        json_decref(answer);
        usleep(FETCH_POLL_MS * 1000);
    }
}
