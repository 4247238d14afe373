#include "node/api/api_items.h"

#include <stdlib.h>
#include <string.h>

#include "node/api/api_call.h"
#include "node/service/case_items.h"
#include "node/views/content_json_encode.h"
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
    return "application/octet-stream"; /* what a peer wrote is never a header */
}

void api_items_answer(struct api_call *call, const struct case_file_item *item)
{
    struct api_source *source = calloc(1, sizeof *source);
    char name[ITEM_NAME_SIZE_MAX + 1] = "";
    if (source == NULL) {
        api_call_refuse_err(call, ERR_NO_MEMORY);
        return;
    }
    memcpy(name, item->name.data, item->name.size < sizeof name ? item->name.size : 0);
    source->items = call->federation->service->items;
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
    http_response_answer_source(request, &answer, &body);
}

/* ---- the case file in force ---- */

/* Of the case that the path names; NULL, and refused. */
static struct case_items *api_items_load(struct api_call *call)
{
    struct case_items *items = NULL;
    struct refusal refusal;
    if (!api_call_find_case(call))
        return NULL;
    if (case_items_load(call->federation->service, &call->case_id, &items, &refusal) == OK)
        return items;
    api_call_refuse(call, &refusal);
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
    struct items_progress progress = items_progress(call->federation->service->items, item);
    json_t *opened = receipts_show_item(call->federation->runtime, receipts, &item->item_id);
    return json_pack("{s:o,s:o,s:o,s:I,s:s,s:I,s:I,s:o}", "item",
                     content_json_encode_hex(ID_BYTES(item->item_id)), "name",
                     content_json_encode_text(item->name), "media_type",
                     content_json_encode_text(item->media_type), "size", (json_int_t)item->size,
                     "state", api_progress_name(progress.state), "chunk_count",
                     (json_int_t)progress.chunk_count, "chunks_here",
                     (json_int_t)progress.chunks_here, "opened_by", opened);
}

static void api_answer_items(struct api_call *call, const struct case_file *case_file)
{
    struct receipts *receipts = NULL;
    err failure = receipts_read(call->federation->runtime, &call->case_id, &receipts);
    if (failure != OK) {
        api_call_refuse_err(call, failure);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < case_file->item_count; i++)
        json_array_append_new(list, api_item(call, &case_file->items[i], receipts));
    receipts_free(receipts);
    api_call_answer(call, json_pack("{s:o}", "items", list));
}

static void api_get_items(struct api_call *call)
{
    struct case_items *items = api_items_load(call);
    if (items != NULL)
        api_answer_items(call, &items->file);
    case_items_free(items);
}

/* The items that the form names, or all. */
static err api_items_wanted(const struct api_call *call, const struct case_items *items,
                            const struct case_file_item **wanted, size_t *ret_count,
                            struct refusal *ret_refusal)
{
    const json_t *list = json_object_get(call->form, "items");
    *ret_count = list == NULL ? items->file.item_count : json_array_size(list);
    if (*ret_count > ITEM_COUNT_MAX)
        return refusal_set(ret_refusal, ERR_INVALID, NULL, "items: at most %d", ITEM_COUNT_MAX);
    for (size_t i = 0; i < *ret_count; i++) {
        wanted[i] =
            list == NULL
                ? &items->file.items[i]
                : case_items_find(items, json_string_value(json_array_get(list, i)), ret_refusal);
        if (wanted[i] == NULL)
            return ret_refusal->code;
    }
    return OK;
}

static void api_post_fetch(struct api_call *call)
{
    const struct case_file_item *wanted[ITEM_COUNT_MAX];
    struct refusal refusal;
    size_t count = 0;
    struct case_items *items = api_items_load(call);
    if (items == NULL)
        return;
    err failure = api_items_wanted(call, items, wanted, &count, &refusal);
    if (failure == OK)
        failure =
            case_items_fetch(call->federation->service, &call->case_id, wanted, count, &refusal);
    if (failure != OK)
        api_call_refuse(call, &refusal);
    else
        api_answer_items(call, &items->file);
    case_items_free(items);
}

static void api_get_item(struct api_call *call)
{
    struct refusal refusal;
    struct case_items *items = NULL;
    const char *login = http_request_query(call->request, "clinician");
    if (!api_call_find_case(call) || !api_call_find_account(call, login) ||
        (items = api_items_load(call)) == NULL)
        return;
    struct case_items_reader reader = {.account = call->account, .uid = api_call_uid(call)};
    const struct case_file_item *item = case_items_find(items, api_call_part(call, 3), &refusal);
    if (item != NULL &&
        case_items_read(call->federation->service, &call->case_id, &reader, item, &refusal) == OK)
        api_items_answer(call, item);
    else
        api_call_refuse(call, &refusal);
    case_items_free(items);
}

const struct api_route api_items_routes[] = {
    {HTTP_GET, "cases/?/items", 0, api_get_items},
    {HTTP_POST, "cases/?/fetch", API_NO_BODY, api_post_fetch},
    {HTTP_GET, "cases/?/items/?", 0, api_get_item},
    {HTTP_GET, "", 0, NULL},
};
