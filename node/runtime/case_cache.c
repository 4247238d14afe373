#include "node/runtime/case_cache.h"

#include <stdlib.h>

#include "node/rows/case_row.h"

enum { CASE_CACHE_COUNT = 4 };

struct case_cache {
    struct consult *cases[CASE_CACHE_COUNT];
    size_t next;
};

struct case_cache *case_cache_new(void)
{
    return calloc(1, sizeof(struct case_cache));
}

void case_cache_free(struct case_cache *cache)
{
    for (size_t i = 0; cache != NULL && i < CASE_CACHE_COUNT; i++)
        free(cache->cases[i]);
    free(cache);
}

/* The place that holds the case, or the one that was filled longest ago. */
static struct consult *case_cache_place(struct case_cache *cache, const struct case_id *case_id)
{
    struct consult **place = NULL;
    for (size_t i = 0; i < CASE_CACHE_COUNT && place == NULL; i++) {
        if (cache->cases[i] != NULL && ID_EQUAL(cache->cases[i]->case_id, *case_id))
            place = &cache->cases[i];
    }
    if (place == NULL)
        place = &cache->cases[cache->next++ % CASE_CACHE_COUNT];
    if (*place == NULL)
        *place = malloc(sizeof **place);
    return *place;
}

const struct consult *case_cache_read(struct case_cache *cache, struct store *store,
                                      const struct case_id *case_id)
{
    struct consult *place = case_cache_place(cache, case_id);
    uint8_t *memory = malloc(ENGINE_CASE_SIZE_MAX);
    struct buffer row = buffer_over(memory, memory == NULL ? 0 : (size_t)ENGINE_CASE_SIZE_MAX);
    err failure = place == NULL ? ERR_NO_MEMORY : case_row_get(store, case_id, &row);
    if (failure == OK)
        failure = engine_case_read(buffer_bytes(&row), place);
    free(memory);
    return failure == OK ? place : NULL;
}
