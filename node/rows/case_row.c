#include "node/rows/case_row.h"

#include "store/row_table.h"

struct store_op case_row_put(const struct case_id *case_id, struct bytes exported)
{
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_CASE, ID_BYTES(*case_id), exported};
    return op;
}

err case_row_get(struct store *store, const struct case_id *case_id, struct buffer *ret_exported)
{
    return row_table_get(store, STORE_TABLE_CASE, ID_BYTES(*case_id), ret_exported);
}

struct case_row_walk {
    bool (*on_row)(void *arg, struct bytes exported);
    void *arg;
};

static bool case_row_on_row(void *arg, const struct store_row *from)
{
    const struct case_row_walk *walk = arg;
    return walk->on_row(walk->arg, from->value);
}

err case_row_scan(struct store *store, bool (*on_row)(void *arg, struct bytes exported), void *arg)
{
    struct case_row_walk walk = {on_row, arg};
    return row_table_scan(store, STORE_TABLE_CASE, case_row_on_row, &walk);
}
