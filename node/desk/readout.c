#include "node/desk/readout.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { READOUT_PAGE_COUNT = 128, READOUT_PAGE_SIZE = 512 * 1024 };

struct readout_memory *readout_memory_new(void)
{
    return malloc(sizeof(struct readout_memory));
}

void readout_memory_free(struct readout_memory *memory)
{
    if (memory != NULL)
        sodium_memzero(memory->plaintext, sizeof memory->plaintext);
    free(memory);
}

static void readout_open(const struct store_record *record, struct buffer *plaintext,
                         struct readout *readout)
{
    struct statement statement;
    const struct record_header *header = &readout->claim.header;
    if (!record->has_body || record->destroyed || record_check_body(&readout->claim) != OK ||
        record_open(&readout->claim, record->has_key ? &record->key : NULL, plaintext) != OK ||
        statement_read(buffer_bytes(plaintext), &statement) != OK)
        return;
    readout->statement = statement;
    readout->is_readable = kind_check(statement.kind, header->stream.scope.kind, header->audience,
                                      statement.is_signed) == OK;
}

static err readout_of(struct store_record *record, uint8_t *memory, size_t memory_size,
                      struct readout *ret_readout)
{
    struct readout readout = {.number = record->number, .flags = record->flags};
    struct bytes all = {record->head.data,
                        record->head.size + (record->has_body ? record->body.size : 0)};
    struct buffer plaintext = buffer_over(memory, memory_size);
    err failure = record_parse(all, &readout.claim);
    if (failure == OK)
        readout_open(record, &plaintext, &readout);
    sodium_memzero(&record->key, sizeof record->key);
    if (failure != OK)
        return ERR_CORRUPT;
    *ret_readout = readout;
    return OK;
}

err readout_find(struct store *store, const struct record_id *id, struct readout_memory *memory,
                 struct readout *ret_readout)
{
    struct store_record record;
    err failure = record_table_find(store, id, memory->record, &record);
    if (failure == OK)
        failure = readout_of(&record, memory->plaintext, sizeof memory->plaintext, ret_readout);
    return failure;
}

err readout_at(struct store *store, const struct stream_id *stream, uint64_t sequence,
               struct readout_memory *memory, struct readout *ret_readout)
{
    struct store_record record;
    err failure = record_table_get(store, stream, sequence, memory->record, &record);
    if (failure == OK)
        failure = readout_of(&record, memory->plaintext, sizeof memory->plaintext, ret_readout);
    return failure;
}

struct readout_walk {
    struct store_page page;
    uint8_t *plaintext;
    bool (*on_record)(void *arg, const struct readout *readout);
    void *arg;
};

/* False: enough. */
static bool readout_page(struct readout_walk *walk, uint64_t *number)
{
    for (size_t i = 0; i < walk->page.record_count; i++) {
        struct readout readout;
        *number = walk->page.records[i].number;
        if (readout_of(&walk->page.records[i], walk->plaintext, RECORD_SIZE_MAX, &readout) == OK &&
            !walk->on_record(walk->arg, &readout))
            return false;
    }
    return walk->page.record_count > 0;
}

err readout_scope(struct store *store, const struct scope *scope, uint64_t number,
                  bool (*on_record)(void *arg, const struct readout *readout), void *arg)
{
    struct readout_walk walk = {
        .page = {.record_max = READOUT_PAGE_COUNT, .memory_size = READOUT_PAGE_SIZE},
        .plaintext = malloc(RECORD_SIZE_MAX),
        .on_record = on_record,
        .arg = arg};
    walk.page.records = calloc(READOUT_PAGE_COUNT, sizeof *walk.page.records);
    walk.page.memory = malloc(READOUT_PAGE_SIZE);
    err failure = OK;
    if (walk.plaintext == NULL || walk.page.records == NULL || walk.page.memory == NULL)
        failure = ERR_NO_MEMORY;
    bool goes_on = failure == OK;
    while (goes_on) {
        failure = record_table_scope(store, scope, number, &walk.page);
        goes_on = failure == OK && readout_page(&walk, &number);
    }
    if (walk.plaintext != NULL)
        sodium_memzero(walk.plaintext, RECORD_SIZE_MAX);
    free(walk.plaintext);
    free(walk.page.records);
    free(walk.page.memory);
    return failure;
}

bool readout_content(const struct readout *readout, uint16_t kind,
                     const struct content_table *table, void *ret_value)
{
    return readout->is_readable && readout->statement.kind == kind &&
           content_read(table, readout->statement.content, ret_value) == OK;
}
