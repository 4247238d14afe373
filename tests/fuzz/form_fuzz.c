/* What a form gives is what can be written; and what was written shows as a form that gives it
 * again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/content_json.h"
#include "node/views/content_json_decode.h"
#include "node/views/content_json_encode.h"
#include "protocol/contents/content_registry.h"

static void show_and_take(const struct content_table *table,
                          const union content_registry_value *value, struct bytes content)
{
    static union content_registry_value again;
    static uint8_t arena_memory[CONTENT_JSON_ARENA_SIZE], memory[RECORD_SIZE_MAX];
    struct buffer arena = buffer_over(arena_memory, sizeof arena_memory);
    struct buffer out = buffer_over(memory, sizeof memory);
    struct content_json_take how = {.table = table, .is_whole = true, .arena = &arena};
    struct refusal problem;
    json_t *shown = content_json_encode(table, value);
    if (shown != NULL && content_json_decode(&how, shown, &again, &problem) == OK) {
        assert(content_write(table, &again, &out) == OK);
        assert(bytes_equal(buffer_bytes(&out), content));
    }
    json_decref(shown);
}

static void take(const struct content_table *table, const json_t *form)
{
    static union content_registry_value value, read;
    static uint8_t arena_memory[CONTENT_JSON_ARENA_SIZE], memory[RECORD_SIZE_MAX];
    struct buffer arena = buffer_over(arena_memory, sizeof arena_memory);
    struct buffer out = buffer_over(memory, sizeof memory);
    struct content_json_take how = {.table = table, .is_whole = true, .arena = &arena};
    struct refusal problem = {.message = ""};
    err failure = content_json_decode(&how, form, &value, &problem);
    if (failure != OK) {
        assert(problem.code == failure && problem.message[0] != '\0');
        return;
    }
    if (content_write(table, &value, &out) != OK)
        return;
    assert(content_read(table, buffer_bytes(&out), &read) == OK);
    show_and_take(table, &read, buffer_bytes(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct refusal problem;
    struct wall time;
    json_t *form = NULL;
    size_t count = 0;
    const struct kind_rule *rules = kind_rules(&count);
    char text[64] = "";
    memcpy(text, data, size < sizeof text - 1 ? size : sizeof text - 1);
    if (content_json_read_time(text, &time) == OK) {
        char back[CONTENT_JSON_TIME_SIZE];
        struct wall twice;
        content_json_time(time, back);
        assert(content_json_read_time(back, &twice) == OK && twice.ms == time.ms);
    }
    if (content_json_parse((struct bytes){data, size}, &form, &problem) != OK)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const struct content_table *table = content_registry_table((uint16_t)rules[i].kind);
        if (table != NULL)
            take(table, form);
    }
    json_decref(form);
    return 0;
}
