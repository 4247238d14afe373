#include "node/service/case_items.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/audit/audit.h"
#include "node/drafts/outgoing_preview.h"
#include "node/service/case_access.h"
#include "node/views/receipts.h"

err case_items_load(const struct service *service, const struct case_id *case_id,
                    struct case_items **ret_items, struct refusal *ret_refusal)
{
    struct case_items *items = calloc(1, sizeof *items);
    if (items != NULL)
        items->memory = stored_record_memory_new();
    err failure =
        items == NULL || items->memory == NULL
            ? ERR_NO_MEMORY
            : outgoing_preview_casefile(service->runtime, case_id, items->memory, &items->file);
    if (failure == OK) {
        *ret_items = items;
        return OK;
    }
    case_items_free(items);
    if (failure != ERR_NOT_FOUND)
        return refusal_of(ret_refusal, failure);
    return refusal_set(ret_refusal, ERR_NOT_FOUND,
                       "it arrives after the grant that answers `consilium join`, and is gone once "
                       "the case is erased: see `consilium show CASE`",
                       "the case file is not here");
}

void case_items_free(struct case_items *items)
{
    if (items == NULL)
        return;
    stored_record_memory_free(items->memory);
    sodium_memzero(items, sizeof *items);
    free(items);
}

const struct case_file_item *case_items_find(const struct case_items *items, const char *name,
                                             struct refusal *ret_refusal)
{
    const struct case_file_item *found = NULL;
    size_t count = 0;
    for (size_t i = 0; name != NULL && i < items->file.item_count; i++) {
        const struct case_file_item *item = &items->file.items[i];
        char hex[2 * HASH_SIZE + 1];
        ids_to_hex(ID_BYTES(item->item_id), hex);
        if (bytes_equal(item->name, bytes_of_text(name)) ||
            (strlen(name) >= 4 && strncasecmp(name, hex, strlen(name)) == 0)) {
            found = item;
            count++;
        }
    }
    if (count == 1)
        return found;
    refusal_set(ret_refusal, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
                "name it by its id: `consilium items CASE` lists them", "%s",
                count == 0 ? "the case file has no such item"
                           : "several items of the case file have that name");
    return NULL;
}

err case_items_fetch(const struct service *service, const struct case_id *case_id,
                     const struct case_file_item *const *items, size_t count,
                     struct refusal *ret_refusal)
{
    const struct consult *consult = runtime_case(service->runtime, case_id);
    if (consult != NULL && case_access_has_ended(service, consult))
        return refusal_set(ret_refusal, ERR_NOT_ENTITLED,
                           "what arrived before is still here: `consilium items CASE`", "%s",
                           consult_verdict_sentence(CONSULT_GRANT_ENDED));
    err failure = OK;
    for (size_t i = 0; failure == OK && i < count; i++)
        failure = items_fetch(service->items, case_id, items[i]);
    return failure == OK ? OK : refusal_of(ret_refusal, failure);
}

/* ---- the receipt ---- */

static int case_items_compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

static err case_items_check_opened(const struct action *action, struct case_record_opened *opened,
                                   struct refusal *ret_refusal)
{
    struct case_items *items = NULL;
    if (opened->item_count == 0)
        return OK;
    err failure = case_items_load(action->service, &action->case_id, &items, ret_refusal);
    for (size_t i = 0; failure == OK && i < opened->item_count; i++) {
        char hex[2 * HASH_SIZE + 1];
        ids_to_hex(ID_BYTES(opened->items[i]), hex);
        const struct case_file_item *item = case_items_find(items, hex, ret_refusal);
        if (item == NULL)
            failure = ret_refusal->code;
        else if (items_progress(action->service->items, item).state != ITEMS_HERE)
            failure = refusal_set(ret_refusal, ERR_STATE, "fetch it first: `consilium fetch CASE`",
                                  "an item is not stored here completely yet, so it cannot have "
                                  "been opened");
    }
    if (failure == OK)
        opened->manifest_root = case_file_root(&items->file);
    case_items_free(items);
    qsort(opened->items, opened->item_count, sizeof opened->items[0], case_items_compare);
    return failure;
}

void case_items_open(const struct action *action, const struct case_record_opened *opened)
{
    struct case_record_opened receipt = *opened;
    struct refusal refusal;
    struct action_record record = {.kind = KIND_OPENED,
                                   .audience = AUDIENCE_SCOPE,
                                   .table = &case_record_opened_table,
                                   .value = &receipt};
    if (!action_may_write(action, KIND_OPENED))
        return;
    if (receipt.item_count + receipt.record_count == 0)
        action_refuse_saying(action, ERR_INVALID, "items, records: name at least one",
                             "`consilium items CASE` and `consilium thread CASE` list them");
    else if (case_items_check_opened(action, &receipt, &refusal) != OK)
        action_refuse(action, &refusal);
    else
        action_write(action, &record);
}

err case_items_read(const struct service *service, const struct case_id *case_id,
                    const struct case_items_reader *reader, const struct case_file_item *item,
                    struct refusal *ret_refusal)
{
    const struct account *account = reader->account;
    struct receipts *receipts = NULL;
    err failure = receipts_read(service->runtime, case_id, &receipts);
    if (failure != OK)
        return refusal_of(ret_refusal, failure);
    bool is_signed = receipts_has_item(receipts, &account->certificate.cert_id, &item->item_id);
    receipts_free(receipts);
    if (!is_signed)
        return refusal_set(ret_refusal, ERR_NOT_ENTITLED,
                           "sign for it first; `consilium read` does",
                           "this clinician has signed no receipt for this item");
    if (items_progress(service->items, item).state != ITEMS_HERE)
        return refusal_set(ret_refusal, ERR_NOT_FOUND, "fetch it first: `consilium fetch CASE`",
                           "the item is not stored here completely yet");
    struct audit_fact fact = {.what = AUDIT_ITEM_READ,
                              .login = bytes_of_text(account->login),
                              .clinician = account->certificate.cert_id,
                              .uid = reader->uid + 1,
                              .case_id = *case_id,
                              .item = item->item_id};
    audit_note(runtime_audit(service->runtime), &fact);
    return OK;
}
