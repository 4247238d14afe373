/* Cases that leave the core's memory: their rows are kept, and read again when something is about
 * them. */
#include <stdlib.h>
#include <string.h>

#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "store/row_table.h"

/* One row on its way to the store. */
struct resting {
    struct shell *shell;
    struct case_id case_id;
};

static void resting_on_kept(void *arg, err result)
{
    struct resting *resting = arg;
    struct event event = shell_event(EVENT_RESTED);
    event.verdict = result;
    event.rest.case_id = resting->case_id;
    if (resting->shell->store != NULL)
        shell_turn(resting->shell, &event, NULL);
    free(resting);
}

static void resting_put(struct shell *shell, const struct case_id *case_id, struct bytes row,
                        struct resting *resting)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_CASE, ID_BYTES(*case_id), row};
    struct shell_keep keep = {&op, 1, STORE_NORMAL, resting == NULL ? NULL : resting_on_kept,
                              resting};
    shell_keep(shell, &keep);
}

void resting_keep(struct shell *shell, const struct effect *effect)
{
    struct resting *resting = malloc(sizeof *resting);
    if (resting == NULL)
        abort(); /* the core counts on an answer */
    *resting = (struct resting){shell, effect->rest.case_id};
    resting_put(shell, &effect->rest.case_id, effect->rest.row, resting);
}

void resting_close(struct shell *shell)
{
    struct core_case_brief brief;
    uint8_t *memory = malloc(CORE_CASE_SIZE_MAX);
    for (uint32_t n = 0; memory != NULL && core_case_at(shell->core, n, &brief); n++) {
        struct buffer row = buffer_over(memory, CORE_CASE_SIZE_MAX);
        if (!brief.rests && core_case_export(shell->core, &brief.case_id, &row) == OK)
            resting_put(shell, &brief.case_id, buffer_bytes(&row), NULL);
    }
    free(memory);
}

/* ---- back ---- */

/* What the step wants to be awake: the list is gone with the first of them. */
static size_t resting_called(const struct step *step, struct case_id *ret_called)
{
    size_t count = 0;
    for (size_t i = 0; i < step->effect_count; i++) {
        if (step->effects[i].kind == EFFECT_WAKE)
            ret_called[count++] = step->effects[i].wake;
    }
    return count;
}

void resting_wake(struct shell *shell)
{
    struct case_id called[STEP_EFFECT_COUNT_MAX];
    size_t count = resting_called(shell->step, called);
    uint8_t *memory = count == 0 ? NULL : malloc(CORE_CASE_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct event event = shell_event(EVENT_WOKEN);
        struct buffer row = buffer_over(memory, memory == NULL ? 0 : (size_t)CORE_CASE_SIZE_MAX);
        event.rest.case_id = called[i];
        event.verdict = row_table_get(shell->store, STORE_TABLE_CASE, ID_BYTES(called[i]), &row);
        event.rest.row = buffer_bytes(&row);
        if (event.verdict != OK)
            log_error("case-unreadable", log_text("federation", shell->name),
                      log_hex("case", ID_BYTES(called[i])), log_err("why", event.verdict),
                      log_text("do", "it is put together again at the next start"));
        shell_step(shell, &event);
    }
    free(memory);
}

void resting_step(struct shell *shell, const struct event *event)
{
    shell_step(shell, event);
    while (shell->step->comes_again) {
        resting_wake(shell);
        shell_step(shell, event);
    }
}

void resting_free(struct shell *shell)
{
    for (size_t i = 0; i < SHELL_SHOWN_COUNT; i++)
        free(shell->shown[i]);
}
