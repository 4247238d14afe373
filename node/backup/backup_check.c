#include "node/backup/backup_check.h"

#include <sodium.h>
#include <stdlib.h>

#include "node/rows/items_row.h"
#include "protocol/record/record.h"
#include "store/item_file.h"
#include "store/record_table.h"

enum { CHECK_PAGE_RECORDS = 64, CHECK_PAGE_SIZE = 4 * 1024 * 1024 };

struct check {
    struct store *store;
    struct backup_watch *watch;
    struct backup_count count;
    uint8_t *memory; /* CHECK_PAGE_SIZE */
    err failure;
};

/* As the scrub does (S-14). */
static bool check_is_whole(const struct store_record *record)
{
    struct record_claim claim;
    struct bytes whole = {record->head.data, record->head.size + record->body.size};
    return record_parse(whole, &claim) == OK && ID_EQUAL(claim.id, record->id) &&
           (!record->has_body || record_check_body(&claim) == OK);
}

/* Those that open: is each what its name says? */
static void check_contents(struct check *check)
{
    struct store_record records[CHECK_PAGE_RECORDS];
    struct store_page page = {.records = records,
                              .record_max = CHECK_PAGE_RECORDS,
                              .memory = check->memory,
                              .memory_size = CHECK_PAGE_SIZE};
    uint64_t number = 0;
    do {
        check->failure = record_table_all(check->store, number, &page);
        for (size_t i = 0; check->failure == OK && i < page.record_count; i++) {
            number = records[i].number;
            check->count.records++;
            check->count.damaged += check_is_whole(&records[i]) ? 0 : 1;
        }
        backup_watch_tell(check->watch, check->count.records);
    } while (check->failure == OK && page.record_count > 0);
    sodium_memzero(records, sizeof records);
}

/* Those that do not open, or to which no index leads. */
static void check_opening(struct check *check)
{
    uint64_t number = 0, before;
    do {
        before = number;
        err failure = store_verify(check->store, before, CHECK_PAGE_RECORDS, &number);
        if (failure == ERR_CORRUPT)
            check->count.damaged++;
        else
            check->failure = failure;
    } while (check->failure == OK && number != before);
}

/* ---- items ---- */

static bool check_item_is_whole(struct check *check, const struct item_id *id)
{
    struct item_file_state state;
    struct item_file_chunk chunk;
    uint32_t index = 0;
    if (item_file_state(check->store, id, &state) != OK)
        return false;
    while (item_file_next(check->store, id, true, index, &index) == OK &&
           index < state.chunk_count) {
        if (item_file_read(check->store, id, index, check->memory, &chunk) != OK)
            return false;
        struct hash leaf = item_leaf(chunk.data);
        if (!ID_EQUAL(leaf, chunk.leaf))
            return false;
        index++;
    }
    return true;
}

static bool check_item(void *arg, const struct item_id *id, const struct items_row *row)
{
    struct check *check = arg;
    check->count.items++;
    if (row->state == ITEMS_ROW_HERE && !check_item_is_whole(check, id))
        check->count.items_lost++;
    return true;
}

err backup_check(struct store *store, struct backup_watch *watch, struct backup_count *ret_count)
{
    struct check check = {.store = store, .watch = watch, .memory = malloc(CHECK_PAGE_SIZE)};
    if (check.memory == NULL)
        return ERR_NO_MEMORY;
    backup_watch_begin(watch, "checking records", 0);
    check_opening(&check);
    if (check.failure == OK)
        check_contents(&check);
    if (check.failure == OK)
        check.failure = items_row_scan(store, check_item, &check);
    sodium_memzero(check.memory, CHECK_PAGE_SIZE);
    free(check.memory);
    if (check.failure == OK)
        *ret_count = check.count;
    return check.failure;
}
