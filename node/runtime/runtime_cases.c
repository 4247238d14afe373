/* Cases for screens: those at rest are read from the store, and stay as they are. */
#include <stdlib.h>

#include "node/rows/case_row.h"
#include "node/runtime/runtime_state.h"

/* The place that holds the case, or the one that was filled longest ago. */
static struct consult *runtime_cases_place(struct runtime *runtime, const struct case_id *case_id)
{
    struct consult **place = NULL;
    for (size_t i = 0; i < RUNTIME_SHOWN_COUNT && place == NULL; i++) {
        if (runtime->shown[i] != NULL && ID_EQUAL(runtime->shown[i]->case_id, *case_id))
            place = &runtime->shown[i];
    }
    if (place == NULL)
        place = &runtime->shown[runtime->shown_next++ % RUNTIME_SHOWN_COUNT];
    if (*place == NULL)
        *place = malloc(sizeof **place);
    return *place;
}

const struct consult *runtime_case(struct runtime *runtime, const struct case_id *case_id)
{
    const struct consult *awake = engine_case(runtime->engine, case_id);
    if (awake != NULL || !engine_case_rests(runtime->engine, case_id))
        return awake;
    struct consult *place = runtime_cases_place(runtime, case_id);
    uint8_t *memory = malloc(ENGINE_CASE_SIZE_MAX);
    struct buffer row = buffer_over(memory, memory == NULL ? 0 : (size_t)ENGINE_CASE_SIZE_MAX);
    err failure = place == NULL ? ERR_NO_MEMORY : case_row_get(runtime->store, case_id, &row);
    if (failure == OK)
        failure = engine_case_read(buffer_bytes(&row), place);
    free(memory);
    return failure == OK ? place : NULL;
}
