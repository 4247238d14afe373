#include "node/rows/node_row.h"

#include "store/row_table.h"

static const char node_row_scrub[] = "scrub";
static const char node_row_checked[] = "checked";
static const char node_row_marker[] = "marker";
static const char node_row_restored_key[] = "restored";
static const char node_row_rekey[] = "mailbox secret forgotten";

static struct store_op node_row_op(enum store_op_kind kind, const char *key, struct bytes value)
{
    struct store_op op = {.kind = kind};
    op.row = (struct store_row){STORE_TABLE_META, bytes_of_text(key), value};
    return op;
}

struct store_op node_row_scrub_put(const struct node_row_scrub *scrub,
                                   uint8_t memory[static NODE_ROW_SCRUB_SIZE])
{
    struct buffer value = buffer_over(memory, NODE_ROW_SCRUB_SIZE);
    buffer_u64(&value, scrub->number);
    buffer_u64(&value, scrub->began_at.ms);
    buffer_u8(&value, scrub->is_complete);
    return node_row_op(STORE_ROW_PUT, node_row_scrub, buffer_bytes(&value));
}

err node_row_scrub_get(struct store *store, struct node_row_scrub *ret_scrub)
{
    uint8_t memory[NODE_ROW_SCRUB_SIZE];
    struct buffer value = buffer_over(memory, sizeof memory);
    err failure = row_table_get(store, STORE_TABLE_META, bytes_of_text(node_row_scrub), &value);
    struct reader reader = reader_of(buffer_bytes(&value));
    struct node_row_scrub scrub = {.number = reader_u64(&reader)};
    scrub.began_at.ms = reader_u64(&reader);
    scrub.is_complete = reader_u8(&reader) != 0;
    if (failure != OK || !reader_done(&reader))
        return failure == ERR_NOT_FOUND ? failure : ERR_CORRUPT;
    *ret_scrub = scrub;
    return OK;
}

struct store_op node_row_checked_put(uint64_t number, uint8_t memory[static NODE_ROW_CHECKED_SIZE])
{
    struct buffer value = buffer_over(memory, NODE_ROW_CHECKED_SIZE);
    buffer_u64(&value, number);
    return node_row_op(STORE_ROW_PUT, node_row_checked, buffer_bytes(&value));
}

uint64_t node_row_checked_get(struct store *store)
{
    uint8_t memory[NODE_ROW_CHECKED_SIZE];
    struct buffer value = buffer_over(memory, sizeof memory);
    err failure = row_table_get(store, STORE_TABLE_META, bytes_of_text(node_row_checked), &value);
    struct reader reader = reader_of(buffer_bytes(&value));
    uint64_t number = reader_u64(&reader);
    return failure == OK && reader_done(&reader) ? number : 0;
}

struct store_op node_row_marker_put(const uint8_t id[static NODE_ROW_MARKER_SIZE])
{
    return node_row_op(STORE_ROW_PUT, node_row_marker, (struct bytes){id, NODE_ROW_MARKER_SIZE});
}

bool node_row_marker_get(struct store *store, uint8_t ret_id[static NODE_ROW_MARKER_SIZE])
{
    struct buffer value = buffer_over(ret_id, NODE_ROW_MARKER_SIZE);
    return row_table_get(store, STORE_TABLE_META, bytes_of_text(node_row_marker), &value) == OK &&
           value.size == NODE_ROW_MARKER_SIZE;
}

struct store_op node_row_restored_put(const struct node_row_restored *restored,
                                      uint8_t memory[static NODE_ROW_RESTORED_SIZE])
{
    struct buffer value = buffer_over(memory, NODE_ROW_RESTORED_SIZE);
    buffer_u64(&value, restored->made_at.ms);
    buffer_u64(&value, restored->restored_at.ms);
    return node_row_op(STORE_ROW_PUT, node_row_restored_key, buffer_bytes(&value));
}

struct store_op node_row_restored_delete(void)
{
    return node_row_op(STORE_ROW_DELETE, node_row_restored_key, BYTES_NONE);
}

bool node_row_restored_get(struct store *store, struct node_row_restored *ret_restored)
{
    uint8_t memory[NODE_ROW_RESTORED_SIZE];
    struct buffer value = buffer_over(memory, sizeof memory);
    err failure =
        row_table_get(store, STORE_TABLE_META, bytes_of_text(node_row_restored_key), &value);
    struct reader reader = reader_of(buffer_bytes(&value));
    ret_restored->made_at.ms = reader_u64(&reader);
    ret_restored->restored_at.ms = reader_u64(&reader);
    return failure != ERR_NOT_FOUND;
}

struct store_op node_row_rekey_put(void)
{
    return node_row_op(STORE_ROW_PUT, node_row_rekey, bytes_of_text("1"));
}

struct store_op node_row_rekey_delete(void)
{
    return node_row_op(STORE_ROW_DELETE, node_row_rekey, BYTES_NONE);
}

bool node_row_rekey_is_due(struct store *store)
{
    uint8_t memory[16];
    struct buffer value = buffer_over(memory, sizeof memory);
    return row_table_get(store, STORE_TABLE_META, bytes_of_text(node_row_rekey), &value) == OK;
}

struct store_op node_row_barrier(void)
{
    return node_row_op(STORE_ROW_DELETE, "barrier", BYTES_NONE);
}
