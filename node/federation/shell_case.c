/* Cases for screens: those at rest are read from the store, and stay as they are. */
#include <stdlib.h>

#include "node/federation/shell_state.h"
#include "store/row_table.h"

/* The place that holds the case, or the one that was filled longest ago. */
static struct consult *shell_case_place(struct shell *shell, const struct case_id *case_id)
{
    struct consult **place = NULL;
    for (size_t i = 0; i < SHELL_SHOWN_COUNT && place == NULL; i++) {
        if (shell->shown[i] != NULL && ID_EQUAL(shell->shown[i]->case_id, *case_id))
            place = &shell->shown[i];
    }
    if (place == NULL)
        place = &shell->shown[shell->shown_next++ % SHELL_SHOWN_COUNT];
    if (*place == NULL)
        *place = malloc(sizeof **place);
    return *place;
}

const struct consult *shell_case(struct shell *shell, const struct case_id *case_id)
{
    const struct consult *awake = core_case(shell->core, case_id);
    if (awake != NULL || !core_case_rests(shell->core, case_id))
        return awake;
    struct consult *place = shell_case_place(shell, case_id);
    uint8_t *memory = malloc(CORE_CASE_SIZE_MAX);
    struct buffer row = buffer_over(memory, memory == NULL ? 0 : (size_t)CORE_CASE_SIZE_MAX);
    err failure = place == NULL
                      ? ERR_NO_MEMORY
                      : row_table_get(shell->store, STORE_TABLE_CASE, ID_BYTES(*case_id), &row);
    if (failure == OK)
        failure = core_case_read(buffer_bytes(&row), place);
    free(memory);
    return failure == OK ? place : NULL;
}
