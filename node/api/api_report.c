/* Where the streams of a member stand here: the report that the society needs when a member leaves
 * (consilium-society remove --cuts). Streams of cases and mail are not in it: whose they are is
 * nobody's business, and their ends are set elsewhere. */
#include <string.h>

#include "node/api/api_state.h"
#include "node/runtime/runtime.h"
#include "store/stream_table.h"

struct api_report {
    struct node_id node;
    json_t *list;
};

static bool api_report_stream(void *arg, const struct store_stream_row *row)
{
    struct api_report *report = arg;
    struct reader state = reader_of((struct bytes){row->state, row->state_size});
    uint64_t tail = reader_u64(&state);
    uint8_t memory[STREAM_ID_SIZE];
    struct buffer id = buffer_over(memory, sizeof memory);
    struct record_id record;
    bool is_public =
        row->stream.scope.kind == SCOPE_FEDERATION || row->stream.scope.kind == SCOPE_BOARD;
    reader_copy(&state, record.bytes, sizeof record.bytes);
    if (!is_public || !ID_EQUAL(row->stream.writer, report->node) || state.failed)
        return true;
    stream_id_write(&id, &row->stream);
    json_array_append_new(report->list, json_pack("{s:o,s:I,s:o}", "stream",
                                                  content_json_show_hex(buffer_bytes(&id)),
                                                  "sequence", (json_int_t)tail, "record",
                                                  content_json_show_hex(ID_BYTES(record))));
    return true;
}

static void api_get_streams(struct api_call *call)
{
    struct api_report report = {.list = NULL};
    if (!api_find_member(call, http_part(call->request, 3), &report.node))
        return;
    report.list = json_array();
    err failure =
        stream_table_scan(runtime_store(call->federation->runtime), api_report_stream, &report);
    json_t *json = json_pack("{s:o,s:o}", "node", content_json_show_hex(ID_BYTES(report.node)),
                             "streams", report.list);
    if (failure == OK) {
        api_answer(call, json);
        return;
    }
    json_decref(json);
    api_refuse_err(call, failure);
}

const struct api_route api_report_routes[] = {
    {HTTP_GET, "members/?/streams", 0, api_get_streams},
    {HTTP_GET, "", 0, NULL},
};
