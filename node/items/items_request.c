#include "node/items/items_request.h"

#include <stdlib.h>

#include "node/items/items_fetch.h"

void items_request_return(struct items *items, struct items_fetch *fetch, uint32_t index)
{
    fetch->marks[index] = ITEMS_MISSING;
    items->window--;
    if (index < fetch->first_missing)
        fetch->first_missing = index;
}

void items_request_end(struct items *items, struct items_entry *entry)
{
    struct items_fetch *fetch = entry->fetch;
    if (fetch == NULL)
        return;
    for (uint32_t i = 0; fetch->marks != NULL && i < entry->row.shape.chunk_count; i++) {
        if (fetch->marks[i] == ITEMS_ASKED || fetch->marks[i] == ITEMS_COMING)
            items->window--;
    }
    free(fetch->marks);
    free(fetch);
    entry->fetch = NULL;
}

static void items_fetch_give_up(struct items *items, struct items_fetch *fetch,
                                struct items_want *want)
{
    for (uint32_t i = 0; i < want->count; i++) {
        if (fetch->marks[want->first + i] == ITEMS_ASKED)
            items_request_return(items, fetch, want->first + i);
    }
    *want = (struct items_want){0};
}

/* What was asked of the source is missing again. */
void items_request_silence(struct items *items, struct items_fetch *fetch,
                           struct items_source *source, uint64_t pause_ms)
{
    for (size_t i = 0; i < ITEMS_SOURCE_WANTS; i++)
        items_fetch_give_up(items, fetch, &source->wants[i]);
    source->resume_at.ms = runtime_mono().ms + pause_ms;
}

struct items_source *items_request_source(struct items_fetch *fetch, struct link_id link)
{
    for (size_t i = 0; i < fetch->source_count; i++) {
        if (fetch->sources[i].link.value == link.value)
            return &fetch->sources[i];
    }
    return NULL;
}

struct items_want *items_request_want(struct items_source *source, uint32_t index)
{
    for (size_t i = 0; i < ITEMS_SOURCE_WANTS; i++) {
        struct items_want *want = &source->wants[i];
        if (want->count > 0 && index >= want->first && index - want->first < want->count)
            return want;
    }
    return NULL;
}
