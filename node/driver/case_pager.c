#include "node/driver/case_pager.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/case_row.h"

/* One row on its way to the store. */
struct case_pager_row {
    struct runtime *runtime;
    struct case_id case_id;
};

static void case_pager_on_kept(void *arg, err result)
{
    struct case_pager_row *row_sent = arg;
    struct event event = runtime_event(EVENT_RESTED);
    event.verdict = result;
    event.rest.case_id = row_sent->case_id;
    runtime_enqueue(row_sent->runtime, &event);
    free(row_sent);
}

static void case_pager_put(struct runtime *runtime, const struct case_id *case_id, struct bytes row,
                           struct case_pager_row *row_sent)
{
    struct store_op op = case_row_put(case_id, row);
    struct runtime_keep keep = {&op, 1, STORE_NORMAL, row_sent == NULL ? NULL : case_pager_on_kept,
                                row_sent};
    runtime_keep(runtime, &keep);
}

void case_pager_keep(struct runtime *runtime, const struct effect *effect)
{
    struct case_pager_row *row_sent = malloc(sizeof *row_sent);
    if (row_sent == NULL)
        abort(); /* the engine waits for an answer */
    *row_sent = (struct case_pager_row){runtime, effect->rest.case_id};
    case_pager_put(runtime, &effect->rest.case_id, effect->rest.row, row_sent);
}

void case_pager_close(struct runtime *runtime)
{
    struct engine_case_brief brief;
    uint8_t *memory = malloc(ENGINE_CASE_SIZE_MAX);
    for (uint32_t n = 0; memory != NULL && engine_case_at(runtime_engine(runtime), n, &brief);
         n++) {
        struct buffer row = buffer_over(memory, ENGINE_CASE_SIZE_MAX);
        if (!brief.rests && engine_case_export(runtime_engine(runtime), &brief.case_id, &row) == OK)
            case_pager_put(runtime, &brief.case_id, buffer_bytes(&row), NULL);
    }
    free(memory);
}

/* ---- back ---- */

/* What the step wants to be awake: the list is gone with the first of them. */
static size_t case_pager_called(const struct step *step, struct case_id *ret_called)
{
    size_t count = 0;
    for (size_t i = 0; i < step->effect_count; i++) {
        if (step->effects[i].kind == EFFECT_WAKE)
            ret_called[count++] = step->effects[i].wake;
    }
    return count;
}

void case_pager_wake(struct runtime *runtime, const struct step *step)
{
    struct case_id called[STEP_EFFECT_COUNT_MAX];
    size_t count = case_pager_called(step, called);
    uint8_t *memory = count == 0 ? NULL : malloc(ENGINE_CASE_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct event event = runtime_event(EVENT_WOKEN);
        struct buffer row = buffer_over(memory, memory == NULL ? 0 : (size_t)ENGINE_CASE_SIZE_MAX);
        event.rest.case_id = called[i];
        event.verdict = case_row_get(runtime_store(runtime), &called[i], &row);
        event.rest.row = buffer_bytes(&row);
        if (event.verdict != OK)
            log_error("case-unreadable", log_text("federation", runtime_name(runtime)),
                      log_hex("case", ID_BYTES(called[i])), log_err("why", event.verdict),
                      log_text("do", "restart the daemon: it reads the case's records again"));
        (void)runtime_step(runtime, &event);
    }
    free(memory);
}

struct step *case_pager_step(struct runtime *runtime, const struct event *event)
{
    struct step *step = runtime_step(runtime, event);
    while (step->comes_again) {
        case_pager_wake(runtime, step);
        step = runtime_step(runtime, event);
    }
    return step;
}
