#include "node/api/api_events.h"

#include "node/api/api_call.h"

#include <stdlib.h>
#include <string.h>

/* A client that receives events. */
struct api_reader {
    struct api_reader *next, **link;
    const struct api_federation *federation;
    struct http_events *events;
};

static void api_reader_unlink(struct api_reader *reader)
{
    *reader->link = reader->next;
    if (reader->next != NULL)
        reader->next->link = reader->link;
    free(reader);
}

static void api_on_gone(void *arg)
{
    api_reader_unlink(arg);
}

static const char *api_scope_name(enum scope_kind kind)
{
    switch (kind) {
    case SCOPE_FEDERATION:
        return "federation";
    case SCOPE_BOARD:
        return "board";
    case SCOPE_CASE:
        return "case";
    case SCOPE_MAIL:
        return "mail";
    }
    return "unknown";
}

static void api_on_news(void *arg, const struct runtime_news *news)
{
    const struct api_federation *federation = arg;
    if (federation->api->readers == NULL)
        return;
    char record[2 * HASH_SIZE + 1], writer[2 * NODE_ID_SIZE + 1], scope[2 * HASH_SIZE + 1];
    ids_to_hex(ID_BYTES(news->record), record);
    ids_to_hex(ID_BYTES(news->writer), writer);
    ids_to_hex((struct bytes){news->scope.id, HASH_SIZE}, scope);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s}", "record", record, "kind",
                             news->kind == 0 ? "unreadable" : kind_name(news->kind), "scope",
                             api_scope_name(news->scope.kind), "writer", writer);
    if (json != NULL && news->scope.kind == SCOPE_CASE)
        json_object_set_new(json, "case", json_string(scope));
    char text[512];
    size_t size = json_dumpb(json, text, sizeof text - 1, JSON_COMPACT);
    json_decref(json);
    if (size == 0 || size >= sizeof text)
        return;
    text[size] = 0;
    struct api_reader *after = NULL;
    for (struct api_reader *reader = federation->api->readers; reader != NULL; reader = after) {
        after = reader->next;
        if (reader->federation == federation)
            http_events_push(reader->events, "record", text);
    }
}

void api_events_listen(struct api_federation *federation)
{
    runtime_listen(federation->runtime, api_on_news, federation);
}

static void api_get_events(struct api_call *call)
{
    struct api *api = call->api;
    struct http_request *request = call->request;
    struct api_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        api_call_refuse_err(call, ERR_NO_MEMORY);
        return;
    }
    reader->federation = call->federation;
    err failure = http_events_begin(request, api_on_gone, reader, &reader->events);
    if (failure != OK) {
        free(reader);
        api_call_refuse_saying(call, failure, "too many clients receive events already",
                               "end another `consilium watch` first");
        return;
    }
    reader->next = api->readers;
    reader->link = &api->readers;
    if (reader->next != NULL)
        reader->next->link = &reader->next;
    api->readers = reader;
    http_events_push(reader->events, "hello", "{}");
    api_call_free(call);
}

void api_events_stop(struct api *api)
{
    while (api->readers != NULL) {
        http_events_end(api->readers->events);
        api_reader_unlink(api->readers);
    }
}

const struct api_route api_events_routes[] = {
    {HTTP_GET, "events", 0, api_get_events},
    {HTTP_GET, "", 0, NULL},
};
