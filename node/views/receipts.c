#include "node/views/receipts.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/content_json.h"
#include "node/views/content_json_encode.h"
#include "node/views/view_json.h"

struct receipt {
    struct receipt *next;
    struct cert_id clinician;
    struct node_id writer;
    struct wall time;
    struct case_record_opened opened;
};

struct receipts {
    struct runtime *runtime;
    struct receipt *first; /* oldest first */
    struct receipt **last;
    err failure;
};

static bool receipts_on_record(void *arg, const struct stored_record *stored_record)
{
    struct receipts *receipts = arg;
    if (!stored_record->is_readable || stored_record->statement.kind != KIND_OPENED)
        return true;
    struct receipt *receipt = calloc(1, sizeof *receipt);
    if (receipt == NULL) {
        receipts->failure = ERR_NO_MEMORY;
        return false;
    }
    if (!stored_record_content(stored_record, KIND_OPENED, &case_record_opened_table,
                               &receipt->opened) ||
        strcmp(view_json_signature(receipts->runtime, stored_record), "good") != 0) {
        free(receipt);
        return true;
    }
    receipt->clinician = stored_record->statement.author.cert_id;
    receipt->writer = stored_record->claim.header.stream.writer;
    receipt->time = stored_record->statement.author.time;
    *receipts->last = receipt;
    receipts->last = &receipt->next;
    return true;
}

err receipts_read(struct runtime *runtime, const struct case_id *case_id,
                  struct receipts **ret_receipts)
{
    struct receipts *receipts = calloc(1, sizeof *receipts);
    struct scope scope = scope_case(case_id);
    if (receipts == NULL)
        return ERR_NO_MEMORY;
    receipts->runtime = runtime;
    receipts->last = &receipts->first;
    err failure =
        stored_record_scope(runtime_store(runtime), &scope, 0, receipts_on_record, receipts);
    if (failure == OK)
        failure = receipts->failure;
    if (failure != OK) {
        receipts_free(receipts);
        return failure;
    }
    *ret_receipts = receipts;
    return OK;
}

void receipts_free(struct receipts *receipts)
{
    while (receipts != NULL && receipts->first != NULL) {
        struct receipt *receipt = receipts->first;
        receipts->first = receipt->next;
        free(receipt);
    }
    free(receipts);
}

static bool receipt_names_item(const struct receipt *receipt, const struct item_id *item)
{
    for (size_t i = 0; i < receipt->opened.item_count; i++) {
        if (ID_EQUAL(receipt->opened.items[i], *item))
            return true;
    }
    return false;
}

static bool receipt_names_record(const struct receipt *receipt, const struct record_id *record)
{
    for (size_t i = 0; i < receipt->opened.record_count; i++) {
        if (ID_EQUAL(receipt->opened.records[i], *record))
            return true;
    }
    return false;
}

bool receipts_has_item(const struct receipts *receipts, const struct cert_id *clinician,
                       const struct item_id *item)
{
    for (const struct receipt *receipt = receipts->first; receipt != NULL;
         receipt = receipt->next) {
        if (ID_EQUAL(receipt->clinician, *clinician) && receipt_names_item(receipt, item))
            return true;
    }
    return false;
}

/* The n-th clinicians are few: each is looked for among those before. */
static json_t *receipts_show(struct runtime *runtime, const struct receipts *receipts,
                             const struct record_id *record, const struct item_id *item)
{
    json_t *list = json_array();
    struct cert_id shown[256];
    size_t count = 0;
    for (const struct receipt *receipt = receipts->first; receipt != NULL && count < 256;
         receipt = receipt->next) {
        bool names = record != NULL ? receipt_names_record(receipt, record)
                                    : receipt_names_item(receipt, item);
        for (size_t i = 0; names && i < count; i++)
            names = !ID_EQUAL(shown[i], receipt->clinician);
        if (!names)
            continue;
        shown[count++] = receipt->clinician;
        json_t *json = view_json_clinician(runtime, &receipt->clinician);
        json_object_set_new(json, "opened_at", content_json_encode_time(receipt->time));
        json_array_append_new(list, json);
    }
    return list;
}

json_t *receipts_show_record(struct runtime *runtime, const struct receipts *receipts,
                             const struct record_id *record)
{
    return receipts_show(runtime, receipts, record, NULL);
}

json_t *receipts_show_item(struct runtime *runtime, const struct receipts *receipts,
                           const struct item_id *item)
{
    return receipts_show(runtime, receipts, NULL, item);
}
