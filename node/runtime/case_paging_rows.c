/* Cases that leave the core's memory: their rows are kept, and read again when something is about
 * them. */
#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/rows/case_row.h"
#include "node/runtime/runtime_state.h"

/* One row on its way to the store. */
struct case_paging_rows {
    struct runtime *runtime;
    struct case_id case_id;
};

static void case_paging_rows_on_kept(void *arg, err result)
{
    struct case_paging_rows *case_paging_rows = arg;
    struct event event = runtime_event(EVENT_RESTED);
    event.verdict = result;
    event.rest.case_id = case_paging_rows->case_id;
    if (case_paging_rows->runtime->store != NULL)
        runtime_turn(case_paging_rows->runtime, &event, NULL);
    free(case_paging_rows);
}

static void case_paging_rows_put(struct runtime *runtime, const struct case_id *case_id,
                                 struct bytes row, struct case_paging_rows *case_paging_rows)
{
    struct store_op op = case_row_put(case_id, row);
    struct runtime_keep keep = {&op, 1, STORE_NORMAL,
                                case_paging_rows == NULL ? NULL : case_paging_rows_on_kept,
                                case_paging_rows};
    runtime_keep(runtime, &keep);
}

void case_paging_rows_keep(struct runtime *runtime, const struct effect *effect)
{
    struct case_paging_rows *case_paging_rows = malloc(sizeof *case_paging_rows);
    if (case_paging_rows == NULL)
        abort(); /* the core counts on an answer */
    *case_paging_rows = (struct case_paging_rows){runtime, effect->rest.case_id};
    case_paging_rows_put(runtime, &effect->rest.case_id, effect->rest.row, case_paging_rows);
}

void case_paging_rows_close(struct runtime *runtime)
{
    struct engine_case_brief brief;
    uint8_t *memory = malloc(ENGINE_CASE_SIZE_MAX);
    for (uint32_t n = 0; memory != NULL && engine_case_at(runtime->engine, n, &brief); n++) {
        struct buffer row = buffer_over(memory, ENGINE_CASE_SIZE_MAX);
        if (!brief.rests && engine_case_export(runtime->engine, &brief.case_id, &row) == OK)
            case_paging_rows_put(runtime, &brief.case_id, buffer_bytes(&row), NULL);
    }
    free(memory);
}

/* ---- back ---- */

/* What the step wants to be awake: the list is gone with the first of them. */
static size_t case_paging_rows_called(const struct step *step, struct case_id *ret_called)
{
    size_t count = 0;
    for (size_t i = 0; i < step->effect_count; i++) {
        if (step->effects[i].kind == EFFECT_WAKE)
            ret_called[count++] = step->effects[i].wake;
    }
    return count;
}

void case_paging_rows_wake(struct runtime *runtime)
{
    struct case_id called[STEP_EFFECT_COUNT_MAX];
    size_t count = case_paging_rows_called(runtime->step, called);
    uint8_t *memory = count == 0 ? NULL : malloc(ENGINE_CASE_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct event event = runtime_event(EVENT_WOKEN);
        struct buffer row = buffer_over(memory, memory == NULL ? 0 : (size_t)ENGINE_CASE_SIZE_MAX);
        event.rest.case_id = called[i];
        event.verdict = case_row_get(runtime->store, &called[i], &row);
        event.rest.row = buffer_bytes(&row);
        if (event.verdict != OK)
            log_error("case-unreadable", log_text("federation", runtime->name),
                      log_hex("case", ID_BYTES(called[i])), log_err("why", event.verdict),
                      log_text("do", "it is put together again at the next start"));
        runtime_step(runtime, &event);
    }
    free(memory);
}

void case_paging_rows_step(struct runtime *runtime, const struct event *event)
{
    runtime_step(runtime, event);
    while (runtime->step->comes_again) {
        case_paging_rows_wake(runtime);
        runtime_step(runtime, event);
    }
}

void case_paging_rows_free(struct runtime *runtime)
{
    for (size_t i = 0; i < RUNTIME_SHOWN_COUNT; i++)
        free(runtime->shown[i]);
}
