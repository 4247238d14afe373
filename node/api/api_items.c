/* Items of case files: fetching them, signing for them, reading them. */
#include <stdlib.h>
#include <string.h>

#include "node/api/api_state.h"
#include "node/audit/audit.h"
#include "node/drafts/outgoing_preview.h"
#include "node/views/receipts.h"
#include "node/views/view_json.h"

/* ---- bytes of one item ---- */

struct api_source {
    struct items *items;
    struct case_file_item item; /* without its texts */
};

static bool api_read_piece(void *arg, uint32_t index, uint8_t *ret_piece)
{
    struct api_source *source = arg;
    size_t size = 0;
    return items_read(source->items, &source->item, index, ret_piece, &size) == OK;
}

static const char *api_type(struct bytes type)
{
    static const char *const known[] = {"application/pdf", "image/png", "image/jpeg",
                                        "text/plain; charset=utf-8"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (bytes_equal(type, bytes_of_text(known[i])))
            return known[i];
    }
    return "application/octet-stream"; /* a peer's string is never a header */
}

void api_answer_item(struct api_call *call, const struct case_file_item *item)
{
    struct api_source *source = calloc(1, sizeof *source);
    char name[ITEM_NAME_SIZE_MAX + 1] = "";
    if (source == NULL) {
        api_refuse_err(call, ERR_NO_MEMORY);
        return;
    }
    memcpy(name, item->name.data, item->name.size < sizeof name ? item->name.size : 0);
    source->items = call->federation->items;
    source->item = *item;
    source->item.name = source->item.media_type = BYTES_NONE;
    struct http_source body = {.size = item->size,
                               .piece_size = ITEM_PIECE_SIZE,
                               .read = api_read_piece,
                               .free = free,
                               .arg = source};
    struct http_answer answer = {
        .status = 200, .type = api_type(item->media_type), .file_name = name};
    struct http_request *request = call->request;
    api_call_free(call);
    http_answer_source(request, &answer, &body);
}

/* ---- the case file in force ---- */

/* Owned by the caller, borrows the call's memory; NULL, and refused. */
static struct case_file *api_casefile(struct api_call *call)
{
    struct case_file *case_file = calloc(1, sizeof *case_file);
    err failure = case_file == NULL || api_memory(call) == NULL
                      ? ERR_NO_MEMORY
                      : outgoing_preview_casefile(call->federation->runtime, &call->case_id,
                                                  call->memory, case_file);
    if (failure == OK)
        return case_file;
    free(case_file);
    api_refuse(call, failure, failure == ERR_NOT_FOUND ? "its case file is not here (yet)" : NULL,
               "it comes with the grant after `consilium join`, and goes when the case is erased: "
               "`consilium show` tells");
    return NULL;
}

/* By id, prefix or name; NULL, and refused. */
static const struct case_file_item *
api_find_item(struct api_call *call, const struct case_file *case_file, const char *name)
{
    const struct case_file_item *found = NULL;
    size_t count = 0;
    for (size_t i = 0; name != NULL && i < case_file->item_count; i++) {
        char hex[2 * HASH_SIZE + 1];
        ids_to_hex(ID_BYTES(case_file->items[i].item_id), hex);
        if (bytes_equal(case_file->items[i].name, bytes_of_text(name)) ||
            (strlen(name) >= 4 && strncasecmp(name, hex, strlen(name)) == 0)) {
            found = &case_file->items[i];
            count++;
        }
    }
    if (count == 1)
        return found;
    api_refuse(call, count == 0 ? ERR_NOT_FOUND : ERR_INVALID,
               count == 0 ? "the case file has no such item" : "several items are named so",
               "name it by its id");
    return NULL;
}

static const char *api_progress_name(enum items_state state)
{
    switch (state) {
    case ITEMS_ABSENT:
        return "absent";
    case ITEMS_FETCHING:
        return "fetching";
    case ITEMS_WAITING:
        return "waiting";
    case ITEMS_REFUSED:
        return "refused";
    case ITEMS_HERE:
        return "here";
    }
    return "absent";
}

static json_t *api_item(const struct api_call *call, const struct case_file_item *item,
                        const struct receipts *receipts)
{
    struct items_progress progress = items_progress(call->federation->items, item);
    json_t *opened = receipts_show_item(call->federation->runtime, receipts, &item->item_id);
    return json_pack(
        "{s:o,s:o,s:o,s:I,s:s,s:I,s:I,s:o}", "item", content_json_show_hex(ID_BYTES(item->item_id)),
        "name", content_json_show_text(item->name), "media_type",
        content_json_show_text(item->media_type), "size", (json_int_t)item->size, "state",
        api_progress_name(progress.state), "chunk_count", (json_int_t)progress.chunk_count,
        "chunks_here", (json_int_t)progress.chunks_here, "opened_by", opened);
}

static void api_answer_items(struct api_call *call, const struct case_file *case_file)
{
    struct receipts *receipts = NULL;
    err failure = receipts_read(call->federation->runtime, &call->case_id, &receipts);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < case_file->item_count; i++)
        json_array_append_new(list, api_item(call, &case_file->items[i], receipts));
    receipts_free(receipts);
    api_answer(call, json_pack("{s:o}", "items", list));
}

static void api_get_items(struct api_call *call)
{
    struct case_file *case_file = api_find_case(call) ? api_casefile(call) : NULL;
    if (case_file == NULL)
        return;
    api_answer_items(call, case_file);
    free(case_file);
}

static void api_post_fetch(struct api_call *call)
{
    struct case_file *case_file = api_find_case(call) ? api_casefile(call) : NULL;
    if (case_file == NULL)
        return;
    if (api_own_part(call) != NULL && !api_takes_part(call)) {
        free(case_file);
        api_refuse(call, ERR_NOT_ENTITLED, consult_verdict_sentence(CONSULT_GRANT_ENDED),
                   "what came before is still here: `consilium items CASE`");
        return;
    }
    const json_t *wanted = json_object_get(call->form, "items");
    err failure = OK;
    size_t count = wanted == NULL ? case_file->item_count : json_array_size(wanted);
    for (size_t i = 0; failure == OK && i < count; i++) {
        const struct case_file_item *item =
            wanted == NULL
                ? &case_file->items[i]
                : api_find_item(call, case_file, json_string_value(json_array_get(wanted, i)));
        if (item == NULL) {
            free(case_file);
            return;
        }
        failure = items_fetch(call->federation->items, &call->case_id, item);
    }
    if (failure != OK)
        api_refuse_err(call, failure);
    else
        api_answer_items(call, case_file);
    free(case_file);
}

/* ---- the receipt, then the bytes ---- */

static int api_compare_items(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

static bool api_fill_opened(struct api_call *call, struct case_record_opened *opened)
{
    const json_t *items = json_object_get(call->form, "items");
    const json_t *records = json_object_get(call->form, "records");
    if (json_array_size(items) > ITEM_COUNT_MAX || json_array_size(records) > NAMED_COUNT_MAX ||
        json_array_size(items) + json_array_size(records) == 0) {
        api_refuse(call, ERR_INVALID, "items, records: 1 to 64 of either", NULL);
        return false;
    }
    for (size_t i = 0; i < json_array_size(records); i++) {
        const char *name = json_string_value(json_array_get(records, i));
        if (!api_find_record(call, name, &opened->records[opened->record_count++]))
            return false;
    }
    if (json_array_size(items) == 0)
        return true;
    struct case_file *case_file = api_casefile(call);
    for (size_t i = 0; case_file != NULL && i < json_array_size(items); i++) {
        const struct case_file_item *item =
            api_find_item(call, case_file, json_string_value(json_array_get(items, i)));
        if (item == NULL) {
            free(case_file);
            return false;
        }
        if (items_progress(call->federation->items, item).state != ITEMS_HERE) {
            free(case_file);
            api_refuse(call, ERR_STATE, "an item is not all here yet: nobody can have opened it",
                       "fetch it first");
            return false;
        }
        opened->items[opened->item_count++] = item->item_id;
    }
    if (case_file == NULL)
        return false;
    opened->manifest_root = case_file_root(case_file);
    free(case_file);
    qsort(opened->items, opened->item_count, sizeof opened->items[0], api_compare_items);
    return true;
}

static void api_post_opened(struct api_call *call)
{
    static const char *const names[] = {"clinician", "passphrase", "items", "records", NULL};
    struct refusal problem;
    struct case_record_opened opened = {.item_count = 0};
    uint8_t memory[8192];
    struct buffer content = buffer_over(memory, sizeof memory);
    if (!api_find_case(call) || !api_may_write(call, KIND_OPENED))
        return;
    if (content_json_check_names(call->form, names, &problem) != OK) {
        api_refuse_problem(call, &problem);
        return;
    }
    if (!api_fill_opened(call, &opened))
        return;
    err failure = case_record_opened_write(&opened, &content);
    struct service_order *order = service_order_new(call->federation->runtime);
    struct service_letter letter = {.kind = KIND_OPENED,
                                    .scope = scope_case(&call->case_id),
                                    .audience = AUDIENCE_SCOPE,
                                    .content = buffer_bytes(&content),
                                    .case_id = call->case_id};
    if (failure == OK)
        failure = order == NULL ? ERR_NO_MEMORY : service_add(order, &letter);
    if (failure == OK) {
        api_sign(call, order);
        return;
    }
    service_order_free(order);
    api_refuse(call, failure, failure == ERR_NOT_CANONICAL ? "an item is named twice" : NULL, NULL);
}

/* API-8: an item is shown to a clinician only after that clinician's receipt for it is durable. */
static bool api_has_receipt(struct api_call *call, const struct item_id *item)
{
    struct receipts *receipts = NULL;
    err failure = receipts_read(call->federation->runtime, &call->case_id, &receipts);
    if (failure != OK) {
        api_refuse_err(call, failure);
        return false;
    }
    bool has = receipts_has_item(receipts, &call->account->certificate.cert_id, item);
    receipts_free(receipts);
    if (!has)
        api_refuse(call, ERR_NOT_ENTITLED, "no receipt of this clinician names this item",
                   "sign for it first (opened); `consilium read` does");
    return has;
}

static void api_get_item(struct api_call *call)
{
    struct case_file *case_file = NULL;
    const struct case_file_item *item = NULL;
    if (!api_find_case(call) || !api_find_account(call, http_query(call->request, "clinician")))
        return;
    case_file = api_casefile(call);
    if (case_file == NULL)
        return;
    item = api_find_item(call, case_file, api_part(call, 3));
    if (item != NULL && api_has_receipt(call, &item->item_id)) {
        struct audit_fact fact = {.what = AUDIT_ITEM_READ,
                                  .login = bytes_of_text(call->account->login),
                                  .clinician = call->account->certificate.cert_id,
                                  .uid = (uint64_t)http_peer(call->request).uid + 1,
                                  .case_id = call->case_id,
                                  .item = item->item_id};
        if (items_progress(call->federation->items, item).state != ITEMS_HERE) {
            api_refuse(call, ERR_NOT_FOUND, "not all of it is here yet", "fetch it first");
        } else {
            audit_note(runtime_audit(call->federation->runtime), &fact);
            api_answer_item(call, item);
        }
    }
    free(case_file);
}

const struct api_route api_items_routes[] = {
    {HTTP_GET, "cases/?/items", 0, api_get_items},
    {HTTP_POST, "cases/?/fetch", API_NO_BODY, api_post_fetch},
    {HTTP_POST, "cases/?/opened", API_SIGNED, api_post_opened},
    {HTTP_GET, "cases/?/items/?", 0, api_get_item},
    {HTTP_GET, "", 0, NULL},
};
