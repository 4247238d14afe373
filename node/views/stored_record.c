#include "node/views/stored_record.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { STORED_RECORD_PAGE_COUNT = 128, STORED_RECORD_PAGE_SIZE = 512 * 1024 };

struct stored_record_memory *stored_record_memory_new(void)
{
    return malloc(sizeof(struct stored_record_memory));
}

void stored_record_memory_free(struct stored_record_memory *memory)
{
    if (memory != NULL)
        sodium_memzero(memory->plaintext, sizeof memory->plaintext);
    free(memory);
}

static void stored_record_open(const struct store_record *record, struct buffer *plaintext,
                               struct stored_record *stored_record)
{
    struct statement statement;
    const struct record_header *header = &stored_record->claim.header;
    if (!record->has_body || record->destroyed || record_check_body(&stored_record->claim) != OK ||
        record_open(&stored_record->claim, record->has_key ? &record->key : NULL, plaintext) !=
            OK ||
        statement_read(buffer_bytes(plaintext), &statement) != OK)
        return;
    stored_record->statement = statement;
    stored_record->is_readable = kind_check(statement.kind, header->stream.scope.kind,
                                            header->audience, statement.is_signed) == OK;
}

static err stored_record_of(struct store_record *record, uint8_t *memory, size_t memory_size,
                            struct stored_record *ret_stored_record)
{
    struct stored_record stored_record = {.number = record->number, .flags = record->flags};
    struct bytes all = {record->head.data,
                        record->head.size + (record->has_body ? record->body.size : 0)};
    struct buffer plaintext = buffer_over(memory, memory_size);
    err failure = record_parse(all, &stored_record.claim);
    if (failure == OK)
        stored_record_open(record, &plaintext, &stored_record);
    sodium_memzero(&record->key, sizeof record->key);
    if (failure != OK)
        return ERR_CORRUPT;
    *ret_stored_record = stored_record;
    return OK;
}

err stored_record_find(struct store *store, const struct record_id *id,
                       struct stored_record_memory *memory, struct stored_record *ret_stored_record)
{
    struct store_record record;
    err failure = record_table_find(store, id, memory->record, &record);
    if (failure == OK)
        failure = stored_record_of(&record, memory->plaintext, sizeof memory->plaintext,
                                   ret_stored_record);
    return failure;
}

err stored_record_at(struct store *store, const struct stream_id *stream, uint64_t sequence,
                     struct stored_record_memory *memory, struct stored_record *ret_stored_record)
{
    struct store_record record;
    err failure = record_table_get(store, stream, sequence, memory->record, &record);
    if (failure == OK)
        failure = stored_record_of(&record, memory->plaintext, sizeof memory->plaintext,
                                   ret_stored_record);
    return failure;
}

struct stored_record_walk {
    struct store_page page;
    uint8_t *plaintext;
    bool (*on_record)(void *arg, const struct stored_record *stored_record);
    void *arg;
};

/* False: enough. */
static bool stored_record_page(struct stored_record_walk *walk, uint64_t *number)
{
    for (size_t i = 0; i < walk->page.record_count; i++) {
        struct stored_record stored_record;
        *number = walk->page.records[i].number;
        if (stored_record_of(&walk->page.records[i], walk->plaintext, RECORD_SIZE_MAX,
                             &stored_record) == OK &&
            !walk->on_record(walk->arg, &stored_record))
            return false;
    }
    return walk->page.record_count > 0;
}

err stored_record_scope(struct store *store, const struct scope *scope, uint64_t number,
                        bool (*on_record)(void *arg, const struct stored_record *stored_record),
                        void *arg)
{
    struct stored_record_walk walk = {
        .page = {.record_max = STORED_RECORD_PAGE_COUNT, .memory_size = STORED_RECORD_PAGE_SIZE},
        .plaintext = malloc(RECORD_SIZE_MAX),
        .on_record = on_record,
        .arg = arg};
    walk.page.records = calloc(STORED_RECORD_PAGE_COUNT, sizeof *walk.page.records);
    walk.page.memory = malloc(STORED_RECORD_PAGE_SIZE);
    err failure = OK;
    if (walk.plaintext == NULL || walk.page.records == NULL || walk.page.memory == NULL)
        failure = ERR_NO_MEMORY;
    bool goes_on = failure == OK;
    while (goes_on) {
        failure = record_table_scope(store, scope, number, &walk.page);
        goes_on = failure == OK && stored_record_page(&walk, &number);
    }
    if (walk.plaintext != NULL)
        sodium_memzero(walk.plaintext, RECORD_SIZE_MAX);
    free(walk.plaintext);
    free(walk.page.records);
    free(walk.page.memory);
    return failure;
}

bool stored_record_content(const struct stored_record *stored_record, uint16_t kind,
                           const struct content_table *table, void *ret_value)
{
    return stored_record->is_readable && stored_record->statement.kind == kind &&
           content_read(table, stored_record->statement.content, ret_value) == OK;
}
