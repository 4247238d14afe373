#include "node/runtime/lost_record.h"

#include <stdlib.h>

#include "node/rows/missing_row.h"

/* A lost position on its way to the engine. */
struct lost_record_news {
    struct runtime *runtime;
    struct event event;
};

static void lost_record_on_kept(void *arg, err result)
{
    struct lost_record_news *news = arg;
    if (result == OK && !runtime_is_closing(news->runtime))
        runtime_enqueue(news->runtime, &news->event);
    free(news);
}

bool lost_record_is_known(struct runtime *runtime, const struct lost_record *lost)
{
    struct missing_row row;
    return missing_row_get(runtime_store(runtime), &lost->stream, lost->sequence, &row) == OK &&
           (row.flags & RECORD_LOST) != 0;
}

void lost_record_keep(struct runtime *runtime, const struct lost_record *lost)
{
    const struct missing_row row = {lost->stream, lost->sequence, lost->id,
                                    lost->flags | RECORD_LOST, AUDIENCE_SCOPE};
    struct missing_row_bytes memory;
    struct lost_record_news *news = calloc(1, sizeof *news);
    if (news == NULL || lost_record_is_known(runtime, lost)) {
        free(news);
        return;
    }
    news->runtime = runtime;
    news->event = runtime_event(EVENT_RESTORE_MISSING);
    news->event.missing.id = row.stream;
    news->event.missing.sequence = row.sequence;
    news->event.missing.record = row.record;
    news->event.missing.flags = row.flags;
    struct store_op op = missing_row_put(&row, &memory);
    struct runtime_keep keep = {&op, 1, STORE_RELEASING, lost_record_on_kept, news};
    runtime_keep(runtime, &keep);
}
