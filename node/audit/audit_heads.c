#include "node/audit/audit_heads.h"

#include <stdlib.h>

#include "protocol/record/statement.h"
#include "store/record_table.h"

enum { AUDIT_HEADS_PAGE_SIZE = 512 * 1024, AUDIT_HEADS_PAGE_COUNT = 256 };

struct audit_heads {
    struct runtime *runtime;
    struct stream_id stream;
    uint64_t sequence; /* where to go on */
    struct store_page page;
    struct store_record records[AUDIT_HEADS_PAGE_COUNT];
    uint8_t memory[AUDIT_HEADS_PAGE_SIZE];
};

struct audit_heads *audit_heads_new(struct runtime *runtime)
{
    struct audit_heads *heads = calloc(1, sizeof *heads);
    if (heads == NULL)
        return NULL;
    heads->runtime = runtime;
    heads->stream = (struct stream_id){
        .scope = scope_federation(), .writer = runtime_settings(runtime)->self, .generation = 1};
    heads->sequence = 1;
    heads->page = (struct store_page){.records = heads->records,
                                      .record_max = AUDIT_HEADS_PAGE_COUNT,
                                      .memory = heads->memory,
                                      .memory_size = sizeof heads->memory};
    return heads;
}

void audit_heads_free(struct audit_heads *heads)
{
    free(heads);
}

static bool audit_heads_read(const struct store_record *record,
                             struct audit_evidence_audit_head *head, struct wall *ret_time)
{
    struct record_claim claim;
    struct statement statement;
    struct bytes all = {record->head.data, record->head.size + record->body.size};
    if (!record->has_body || record_parse(all, &claim) != OK || record_check_body(&claim) != OK ||
        statement_read(claim.body, &statement) != OK || statement.kind != KIND_AUDIT_HEAD ||
        audit_evidence_audit_head_read(statement.content, head) != OK)
        return false;
    *ret_time = claim.header.time;
    return true;
}

err audit_heads_next(struct audit_heads *heads,
                     void (*on_head)(void *arg, const struct audit_evidence_audit_head *head,
                                     struct wall time),
                     void *arg, bool *ret_done)
{
    struct audit_evidence_audit_head head;
    struct wall time;
    struct store_page *page = &heads->page;
    err failure =
        record_table_range(runtime_store(heads->runtime), &heads->stream, heads->sequence, page);
    if (failure != OK)
        return failure;
    for (size_t i = 0; i < page->record_count; i++) {
        if (audit_heads_read(&page->records[i], &head, &time))
            on_head(arg, &head, time);
    }
    if (page->record_count > 0) {
        heads->sequence = page->records[page->record_count - 1].sequence + 1;
        *ret_done = false;
        return OK;
    }
    *ret_done = heads->sequence == 1; /* no such generation */
    heads->stream.generation++;
    heads->sequence = 1;
    return OK;
}
