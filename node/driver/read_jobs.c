#include "node/driver/read_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "node/runtime/event_queue.h"
#include "protocol/replication/batch_verify.h"
#include "store/record_table.h"

enum { READ_JOBS_RECORD_MAX = STEP_RECORD_COUNT_MAX };

/* Copies what was read behind the batch, and opens it when it is for ourselves. */
static struct batch_buffer *read_jobs_pack(const struct store_page *page, size_t count,
                                           const struct effect *effect)
{
    struct step_record blanks[READ_JOBS_RECORD_MAX];
    struct step_run run = {
        .stream = effect->load.slot, .first = effect->load.from, .count = (uint16_t)count};
    struct step_batch batch = {&run, 1, blanks, count};
    bool is_ours = effect->link.value == 0;
    size_t size = 0;
    memset(blanks, 0, count * sizeof *blanks);
    for (size_t i = 0; i < count; i++)
        size += page->records[i].head.size + page->records[i].body.size;
    struct batch_buffer *batch_buffer =
        batch_buffer_of_batch(EVENT_LOADED, &batch, is_ours ? 2 * size : size);
    if (batch_buffer == NULL)
        return NULL;
    uint8_t *place = batch_buffer_extra(batch_buffer);
    struct buffer opened = buffer_over(place + size, is_ours ? size : 0);
    for (size_t i = 0; i < count; i++) {
        const struct store_record *from = &page->records[i];
        struct step_record *to = &batch_buffer->batch.records[i];
        size_t whole = from->head.size + from->body.size;
        memcpy(place, from->head.data, whole);
        to->record = (struct bytes){place, whole};
        to->has_key = from->has_key;
        to->key = from->key;
        to->flags = from->flags;
        place += whole;
        if (is_ours)
            batch_verify_open(to, &opened);
    }
    return batch_buffer;
}

/* How many of the page fit the size that was asked for; at least one. */
static size_t read_jobs_fit(const struct store_page *page, size_t size_max)
{
    size_t size = 0;
    for (size_t i = 0; i < page->record_count; i++) {
        size += page->records[i].head.size + page->records[i].body.size + 5 + KEY_SIZE;
        if (i > 0 && size > size_max)
            return i;
    }
    return page->record_count;
}

static err read_jobs_find(struct runtime *runtime, const struct effect *effect,
                          struct store_page *page)
{
    err failure = record_table_find(runtime_store(runtime), &effect->load.id, runtime_page(runtime),
                                    page->records);
    page->record_count = failure == OK ? 1 : 0;
    return failure == ERR_NOT_FOUND ? OK : failure;
}

bool read_jobs_read(struct runtime *runtime, const struct effect *effect)
{
    struct store_record records[READ_JOBS_RECORD_MAX];
    struct store_page page = {.records = records,
                              .record_max = effect->load.count,
                              .memory = runtime_page(runtime),
                              .memory_size = RUNTIME_PAGE_SIZE};
    err failure = effect->load.is_by_id
                      ? read_jobs_find(runtime, effect, &page)
                      : record_table_range(runtime_store(runtime), &effect->load.stream,
                                           effect->load.from, &page);
    if (failure != OK) {
        log_error(
            "read-failed", log_text("federation", runtime_name(runtime)), log_err("why", failure),
            log_text("do", "check the disk; what is damaged is looked for and requested again"));
        page.record_count = 0;
    }
    size_t count = read_jobs_fit(&page, effect->load.size_max);
    struct batch_buffer *batch_buffer = read_jobs_pack(&page, count, effect);
    if (batch_buffer == NULL)
        abort(); /* the engine waits for an answer */
    batch_buffer->link = effect->link;
    batch_buffer->token = effect->token;
    batch_buffer->verdict = failure;
    if (effect->load.has_signer)
        batch_verify_answer(batch_buffer->batch.records, batch_buffer->batch.record_count,
                            &effect->load.signer);
    event_queue_add_answer(runtime_events(runtime), batch_buffer);
    return failure != ERR_CORRUPT;
}
