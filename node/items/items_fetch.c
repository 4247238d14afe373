#include "node/items/items_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "node/items/items_request.h"
#include "node/items/items_table.h"
#include "node/os/log.h"
#include "store/item_file.h"

/* ---- all of it is here ---- */

static void items_fetch_on_whole(struct items *items, struct items_entry *entry,
                                 const struct items_kept *kept, err result)
{
    (void)items;
    (void)kept;
    if (entry != NULL && result != OK) /* the file knows what is here: found again at the start */
        log_warn("fetch-not-noted", log_err("why", result));
}

void items_fetch_whole(struct items *items, struct items_entry *entry)
{
    if (entry->fetch->here_count < entry->row.shape.chunk_count)
        return;
    if (items_table_case_is_erased(items, &entry->row.case_id)) {
        items_table_drop(items, entry, true);
        return;
    }
    items_request_end(items, entry);
    entry->row.state = ITEMS_ROW_HERE;
    struct items_kept kept = {.on_done = items_fetch_on_whole, .item = entry->id};
    items_table_keep(items, entry, NULL, &kept);
}

/* ---- sources ---- */

static struct items_source *items_fetch_add(struct items_fetch *fetch, const struct node_id *node,
                                            bool is_requester)
{
    for (size_t i = 0; i < fetch->source_count; i++) {
        if (ID_EQUAL(fetch->sources[i].node, *node))
            return &fetch->sources[i];
    }
    if (fetch->source_count == ITEMS_ROW_SERVED_MAX)
        return NULL;
    struct items_source *source = &fetch->sources[fetch->source_count++];
    if (is_requester) { /* it is asked first */
        *source = fetch->sources[0];
        source = &fetch->sources[0];
    }
    *source = (struct items_source){.node = *node};
    return source;
}

static void items_fetch_link(struct items *items, struct items_fetch *fetch,
                             struct items_source *source, struct link_id link)
{
    if (source->link.value == link.value)
        return;
    items_request_silence(items, fetch, source, 0);
    source->link = link;
    source->answer = 0;
}

/* Those who may have the item, by what we know; a source that may not any more has no link. */
static void items_fetch_sources(struct items *items, struct items_entry *entry)
{
    const struct engine *engine = runtime_engine(items->runtime);
    const struct consult *consult = runtime_case(items->runtime, &entry->row.case_id);
    struct items_fetch *fetch = entry->fetch;
    bool is_seen[ITEMS_ROW_SERVED_MAX] = {false};
    struct engine_peer peer;
    for (uint32_t n = 0; consult != NULL && engine_peer(engine, n, &peer); n++) {
        err failure = engine_may_have_items(engine, &peer.node, &entry->row.case_id);
        if (failure != OK && failure != ERR_BUSY)
            continue;
        struct items_source *source =
            items_fetch_add(fetch, &peer.node, ID_EQUAL(consult->requester, peer.node));
        if (source == NULL)
            continue;
        items_fetch_link(items, fetch, source, peer.link);
    }
    for (uint32_t n = 0; consult != NULL && engine_peer(engine, n, &peer); n++) {
        struct items_source *source = items_request_source(fetch, peer.link);
        if (source != NULL && ID_EQUAL(source->node, peer.node))
            is_seen[source - fetch->sources] = true;
    }
    for (size_t i = 0; i < fetch->source_count; i++) {
        if (!is_seen[i])
            items_fetch_link(items, fetch, &fetch->sources[i], (struct link_id){0});
    }
}

enum items_state items_fetch_state(const struct items_entry *entry)
{
    const struct items_fetch *fetch = entry->fetch;
    bool is_refused = false;
    if (fetch == NULL || fetch->resume_at.ms > runtime_mono().ms)
        return ITEMS_WAITING;
    for (size_t i = 0; i < fetch->source_count; i++) {
        const struct items_source *source = &fetch->sources[i];
        bool is_good = source->link.value != 0 && source->bad_count < ITEMS_BAD_MAX;
        if (is_good && (source->answer == 0 || source->answer == FRAME_BUSY))
            return ITEMS_FETCHING;
        is_refused = is_refused || (is_good && (source->answer == FRAME_NOT_ENTITLED ||
                                                source->answer == FRAME_DESTROYED));
    }
    return is_refused ? ITEMS_REFUSED : ITEMS_WAITING;
}

/* ---- asking ---- */

/* The next missing chunks in a row, as many as one want may name; 0: none. */
static uint32_t items_fetch_next(struct items *items, struct items_entry *entry,
                                 uint32_t *ret_first)
{
    struct items_fetch *fetch = entry->fetch;
    uint32_t total = entry->row.shape.chunk_count;
    uint32_t room = ITEMS_WINDOW_CHUNKS - items->window;
    while (fetch->first_missing < total && fetch->marks[fetch->first_missing] != ITEMS_MISSING)
        fetch->first_missing++;
    uint32_t count = 0;
    *ret_first = fetch->first_missing;
    while (count < ITEMS_WANT_CHUNKS && count < room && *ret_first + count < total &&
           fetch->marks[*ret_first + count] == ITEMS_MISSING)
        count++;
    return count;
}

static bool items_fetch_ask(struct items *items, struct items_entry *entry,
                            struct items_source *source, struct items_want *want)
{
    uint32_t first;
    uint32_t count = items_fetch_next(items, entry, &first);
    if (count == 0)
        return false;
    memset(entry->fetch->marks + first, ITEMS_ASKED, count);
    items->window += count;
    *want = (struct items_want){first, count, count};
    source->deadline.ms = runtime_mono().ms + ITEMS_ANSWER_MS;
    struct frame_item_want asked = {entry->row.case_id, entry->id, first, (uint16_t)count};
    uint8_t memory[1 + 2 * HASH_SIZE + 6];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_item_want_write(&frame, &asked);
    runtime_send_frame(items->runtime, source->link, buffer_bytes(&frame));
    return true;
}

void items_fetch_pump(struct items *items, struct items_entry *entry)
{
    struct items_fetch *fetch = entry->fetch;
    uint64_t now = runtime_mono().ms;
    if (!fetch->is_ready || fetch->resume_at.ms > now)
        return;
    for (size_t i = 0; i < fetch->source_count; i++) {
        struct items_source *source = &fetch->sources[i];
        if (source->link.value == 0 || source->resume_at.ms > now ||
            source->bad_count >= ITEMS_BAD_MAX)
            continue;
        for (size_t j = 0; j < ITEMS_SOURCE_WANTS; j++) {
            if (source->wants[j].count == 0 &&
                !items_fetch_ask(items, entry, source, &source->wants[j]))
                return;
        }
    }
}

void items_fetch_status(struct items *items, struct link_id link, struct bytes frame)
{
    struct frame_item_status status;
    err failure = frame_item_status_read(frame, &status);
    struct items_entry *entry = failure == OK ? items_table_known(items, &status.item) : NULL;
    if (failure != OK)
        log_debug("item-status-malformed", log_err("why", failure));
    if (entry == NULL || entry->fetch == NULL || !entry->fetch->is_ready)
        return;
    struct items_source *source = items_request_source(entry->fetch, link);
    if (source == NULL || items_request_want(source, status.index) == NULL)
        return;
    uint64_t pause = status.answer == FRAME_BUSY       ? ITEMS_BUSY_MS
                     : status.answer == FRAME_NOT_HELD ? ITEMS_NOT_HELD_MS
                                                       : ITEMS_REFUSED_MS;
    source->answer = status.answer;
    items_request_silence(items, entry->fetch, source, pause);
    items_fetch_pump(items, entry);
}

/* ---- beginning and ending ---- */

static void items_fetch_on_file(struct items *items, struct items_entry *entry, err result);

struct items_filing {
    struct items *items;
    struct item_id id;
};

static void items_fetch_on_created(void *arg, err result)
{
    struct items_filing *filing = arg;
    struct items *items = filing->items;
    struct items_entry *entry = items_table_known(items, &filing->id);
    if (!items->is_closing && entry != NULL && entry->fetch != NULL && entry->fetch->is_opening)
        items_fetch_on_file(items, entry, result);
    free(filing);
    items_table_release(items);
}

static err items_fetch_create(struct items *items, struct items_entry *entry)
{
    const struct item_shape *shape = &entry->row.shape;
    struct item_file_shape file = {shape->size + (uint64_t)shape->chunk_count * ITEM_SEAL_SIZE,
                                   CHUNK_SIZE_MAX};
    struct items_filing *filing = malloc(sizeof *filing);
    if (filing == NULL)
        return ERR_NO_MEMORY;
    *filing = (struct items_filing){items, entry->id};
    uint64_t token = runtime_await(items->runtime, items_fetch_on_created, filing);
    err failure = token == 0
                      ? ERR_NO_MEMORY
                      : item_file_create(runtime_store(items->runtime), &entry->id, &file, token);
    if (failure != OK) {
        runtime_forget(items->runtime, token);
        free(filing);
        return failure;
    }
    entry->fetch->is_opening = true;
    items_table_hold(items);
    return OK;
}

static void items_fetch_open(struct items *items, struct items_entry *entry)
{
    err failure = items_fetch_create(items, entry);
    if (failure != OK)
        entry->fetch->resume_at.ms = runtime_mono().ms + ITEMS_DISK_MS;
}

/* Marks what an earlier try, perhaps of an earlier process, made durable. */
static err items_fetch_resume(struct items *items, struct items_entry *entry)
{
    struct items_fetch *fetch = entry->fetch;
    uint32_t total = entry->row.shape.chunk_count;
    uint32_t first = 0;
    fetch->marks = calloc(total, sizeof *fetch->marks);
    if (fetch->marks == NULL)
        return ERR_NO_MEMORY;
    while (first < total) {
        uint32_t end = total;
        err failure =
            item_file_next(runtime_store(items->runtime), &entry->id, true, first, &first);
        if (failure == OK && first < total)
            failure = item_file_next(runtime_store(items->runtime), &entry->id, false, first, &end);
        if (failure != OK)
            return failure;
        memset(fetch->marks + first, ITEMS_DURABLE, end - first);
        fetch->here_count += end - first;
        first = end;
    }
    return OK;
}

static void items_fetch_on_file(struct items *items, struct items_entry *entry, err result)
{
    struct items_fetch *fetch = entry->fetch;
    fetch->is_opening = false;
    if (result == OK)
        result = items_fetch_resume(items, entry);
    if (result == ERR_EXISTS) {
        log_error("item-has-another-shape", log_hex("item", ID_BYTES(entry->id)));
        items_table_drop(items, entry, false);
    } else if (result != OK) {
        free(fetch->marks);
        fetch->marks = NULL;
        fetch->here_count = 0;
        fetch->resume_at.ms = runtime_mono().ms + ITEMS_DISK_MS;
        log_warn("fetch-waits", log_hex("item", ID_BYTES(entry->id)), log_err("why", result));
    } else {
        fetch->is_ready = true;
        items_fetch_whole(items, entry);
        if (entry->fetch != NULL)
            items_fetch_sources(items, entry);
        if (entry->fetch != NULL)
            items_fetch_pump(items, entry);
    }
}

void items_fetch_begin(struct items *items, struct items_entry *entry)
{
    entry->fetch = calloc(1, sizeof *entry->fetch);
    if (entry->fetch != NULL)
        items_fetch_open(items, entry);
    else
        items->has_more = true; /* found again in the store */
}

void items_fetch_mend(struct items *items, struct items_entry *entry, uint32_t index)
{
    log_error("item-damaged", log_hex("item", ID_BYTES(entry->id)), log_count("chunk", index),
              log_text("do", "it is fetched again; check the disk"));
    free(entry->nodes);
    entry->nodes = NULL;
    if (entry->fetch == NULL) {
        entry->row.state = ITEMS_ROW_FETCHING;
        entry->fetch = calloc(1, sizeof *entry->fetch);
        if (entry->fetch == NULL || items_fetch_resume(items, entry) != OK) {
            items_request_end(items, entry);
            return;
        }
        entry->fetch->is_ready = true;
    }
    struct items_fetch *fetch = entry->fetch;
    if (fetch->marks == NULL || fetch->marks[index] != ITEMS_DURABLE)
        return;
    fetch->marks[index] = ITEMS_MISSING;
    fetch->here_count--;
    if (index < fetch->first_missing)
        fetch->first_missing = index;
}

/* ---- time ---- */

static void items_fetch_look(struct items *items, struct items_entry *entry)
{
    struct items_fetch *fetch = entry->fetch;
    uint64_t now = runtime_mono().ms;
    if (items_table_case_is_erased(items, &entry->row.case_id)) {
        items_table_drop(items, entry, true);
        return;
    }
    if (!fetch->is_ready) {
        if (!fetch->is_opening && fetch->resume_at.ms <= now)
            items_fetch_open(items, entry);
        return;
    }
    items_fetch_sources(items, entry);
    for (size_t i = 0; i < fetch->source_count; i++) {
        struct items_source *source = &fetch->sources[i];
        bool is_waiting = false;
        for (size_t j = 0; j < ITEMS_SOURCE_WANTS; j++)
            is_waiting = is_waiting || source->wants[j].count > 0;
        if (is_waiting && source->deadline.ms <= now)
            items_request_silence(items, fetch, source, ITEMS_ANSWER_MS);
    }
    items_fetch_pump(items, entry);
}

void items_fetch_tick(struct items *items)
{
    struct items_entry *entry = items->entries;
    while (entry != NULL) {
        struct items_entry *after = entry->next;
        if (entry->fetch != NULL && !entry->is_dropped)
            items_fetch_look(items, entry);
        entry = after;
    }
}

/* ---- the face ---- */

/* A fetch that has nobody to ask makes room; the store remembers it. */
static void items_fetch_make_room(struct items *items)
{
    size_t count = 0;
    struct items_entry *idle = NULL;
    for (struct items_entry *entry = items->entries; entry != NULL; entry = entry->next) {
        count += entry->fetch != NULL ? 1 : 0;
        if (entry->fetch != NULL && entry->writing == 0 && !entry->fetch->is_opening &&
            items_fetch_state(entry) != ITEMS_FETCHING)
            idle = entry;
    }
    if (count < ITEMS_FETCH_MAX || idle == NULL)
        return;
    items_request_end(items, idle);
    items->has_more = true;
}

static void items_fetch_on_row(struct items *items, struct items_entry *entry,
                               const struct items_kept *kept, err result)
{
    (void)kept;
    if (entry == NULL)
        return;
    if (result == OK && entry->fetch == NULL && entry->row.state == ITEMS_ROW_FETCHING) {
        items_fetch_make_room(items);
        items_fetch_begin(items, entry);
    } else if (result != OK) {
        log_warn("fetch-not-noted", log_err("why", result));
        items_table_drop(items, entry, false);
    }
}

static err items_fetch_new(struct items *items, const struct case_id *case_id,
                           const struct case_file_item *item, const struct item_shape *shape)
{
    struct store_usage usage;
    struct items_row row = {
        .case_id = *case_id, .key = item->item_key, .shape = *shape, .state = ITEMS_ROW_FETCHING};
    err failure = store_usage(runtime_store(items->runtime), &usage);
    if (failure == OK && (usage.full || usage.item_bytes + item->size > usage.item_quota))
        failure = ERR_FULL;
    if (failure != OK)
        return failure;
    struct items_entry *entry = items_table_add(items, &item->item_id, &row);
    if (entry == NULL)
        return ERR_NO_MEMORY;
    struct items_kept kept = {.on_done = items_fetch_on_row, .item = item->item_id};
    items_table_keep(items, entry, NULL, &kept);
    return OK;
}

err items_fetch(struct items *items, const struct case_id *case_id,
                const struct case_file_item *item)
{
    struct item_shape shape;
    struct items_entry *entry;
    if (item_shape_of(item->size, &shape) != OK || shape.chunk_count != item->chunk_count)
        return ERR_INVALID;
    err failure = engine_may_have_items(runtime_engine(items->runtime),
                                        &runtime_settings(items->runtime)->self, case_id);
    if (failure == OK)
        failure = items_table_find(items, &item->item_id, &entry);
    if (failure == ERR_NOT_FOUND && runtime_case(items->runtime, case_id) != NULL)
        return items_fetch_new(items, case_id, item, &shape);
    if (failure != OK)
        return failure;
    if (!ID_EQUAL(entry->row.case_id, *case_id) || entry->row.shape.size != shape.size)
        return ERR_EXISTS;
    if (entry->row.state == ITEMS_ROW_FETCHING && entry->fetch == NULL && entry->writing == 0)
        items_fetch_begin(items, entry);
    return OK;
}
