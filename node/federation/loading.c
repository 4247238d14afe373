/* Short reads of the store, on the loop: one frame's worth at most. */
#include <stdlib.h>
#include <string.h>

#include "node/federation/shell_state.h"
#include "node/io/log.h"
#include "protocol/core/examination.h"
#include "store/record_table.h"

enum { LOADING_RECORD_MAX = STEP_RECORD_COUNT_MAX };

/* Copies what was read behind the batch, and opens it when it is for ourselves. */
static struct parcel *loading_pack(const struct store_page *page, size_t count,
                                   const struct effect *effect)
{
    struct step_record blanks[LOADING_RECORD_MAX];
    struct step_run run = {
        .stream = effect->load.slot, .first = effect->load.from, .count = (uint16_t)count};
    struct step_batch batch = {&run, 1, blanks, count};
    bool is_ours = effect->link.value == 0;
    size_t size = 0;
    memset(blanks, 0, count * sizeof *blanks);
    for (size_t i = 0; i < count; i++)
        size += page->records[i].head.size + page->records[i].body.size;
    struct parcel *parcel = parcel_of_batch(EVENT_LOADED, &batch, is_ours ? 2 * size : size);
    if (parcel == NULL)
        return NULL;
    uint8_t *place = parcel_extra(parcel);
    struct buffer opened = buffer_over(place + size, is_ours ? size : 0);
    for (size_t i = 0; i < count; i++) {
        const struct store_record *from = &page->records[i];
        struct step_record *to = &parcel->batch.records[i];
        size_t whole = from->head.size + from->body.size;
        memcpy(place, from->head.data, whole);
        to->record = (struct bytes){place, whole};
        to->has_key = from->has_key;
        to->key = from->key;
        to->flags = from->flags;
        place += whole;
        if (is_ours)
            examination_open(to, &opened);
    }
    return parcel;
}

/* How many of the page fit the size that was asked for; at least one. */
static size_t loading_fit(const struct store_page *page, size_t size_max)
{
    size_t size = 0;
    for (size_t i = 0; i < page->record_count; i++) {
        size += page->records[i].head.size + page->records[i].body.size + 5 + KEY_SIZE;
        if (i > 0 && size > size_max)
            return i;
    }
    return page->record_count;
}

static err loading_find(struct shell *shell, const struct effect *effect, struct store_page *page)
{
    err failure =
        record_table_find(shell->store, &effect->load.id, shell->page_memory, page->records);
    page->record_count = failure == OK ? 1 : 0;
    return failure == ERR_NOT_FOUND ? OK : failure;
}

void loading_read(struct shell *shell, const struct effect *effect)
{
    struct store_record records[LOADING_RECORD_MAX];
    struct store_page page = {.records = records,
                              .record_max = effect->load.count,
                              .memory = shell->page_memory,
                              .memory_size = 2 * (size_t)STORE_RECORD_SIZE_MAX};
    err failure = effect->load.is_by_id ? loading_find(shell, effect, &page)
                                        : record_table_range(shell->store, &effect->load.stream,
                                                             effect->load.from, &page);
    if (failure != OK) {
        log_error("read-failed", log_text("federation", shell->name), log_err("why", failure));
        page.record_count = 0;
        if (failure == ERR_CORRUPT)
            scrub_hurry(shell);
    }
    size_t count = loading_fit(&page, effect->load.size_max);
    struct parcel *parcel = loading_pack(&page, count, effect);
    if (parcel == NULL)
        abort(); /* the core counts on an answer */
    parcel->link = effect->link;
    parcel->token = effect->token;
    parcel->verdict = failure;
    parcel_queue_add(&shell->followers, parcel);
}
