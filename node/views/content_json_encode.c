#include "node/views/content_json_encode.h"

#include <stdlib.h>
#include <string.h>

json_t *content_json_encode_hex(struct bytes bytes)
{
    char small[2 * HASH_SIZE + 1];
    char *text = bytes.size <= HASH_SIZE ? small : malloc(2 * bytes.size + 1);
    if (text == NULL)
        return NULL;
    ids_to_hex(bytes, text);
    json_t *json = json_string(text);
    if (text != small)
        free(text);
    return json;
}

json_t *content_json_encode_text(struct bytes text)
{
    return json_stringn(text.size == 0 ? "" : (const char *)text.data, text.size);
}

json_t *content_json_encode_time(struct wall time)
{
    char text[CONTENT_JSON_TIME_SIZE];
    if (time.ms == 0)
        return json_null();
    content_json_time(time, text);
    return json_string(text);
}

/* NULL: nothing to show. */
static json_t *content_json_encode_value(const struct content_field *field, const uint8_t *at)
{
    struct bytes bytes;
    struct wall time;
    uint64_t number = 0;
    unsigned code = 0;
    bool is_true = false;
    switch (field->type) {
    case CONTENT_UINT:
        memcpy(&number, at, sizeof number);
        return number == 0 && !field->is_required ? NULL : json_integer((json_int_t)number);
    case CONTENT_TIME:
        memcpy(&time, at, sizeof time);
        return time.ms == 0 ? NULL : content_json_encode_time(time);
    case CONTENT_BOOL:
        memcpy(&is_true, at, sizeof is_true);
        return is_true || field->is_required ? json_boolean(is_true) : NULL;
    case CONTENT_CODE:
        memcpy(&code, at, sizeof code);
        return code == 0 ? NULL : json_string(content_code_name(field->codes, code));
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
        memcpy(&bytes, at, sizeof bytes);
        return bytes.size == 0 ? NULL : content_json_encode_text(bytes);
    case CONTENT_BIN:
        memcpy(&bytes, at, sizeof bytes);
        return bytes.size == 0 ? NULL : content_json_encode_hex(bytes);
    case CONTENT_FIXED:
        bytes = (struct bytes){at, (size_t)field->max};
        return ids_all_zero(bytes) && !field->is_required ? NULL : content_json_encode_hex(bytes);
    case CONTENT_MAP:
        return content_json_encode(field->table, at);
    case CONTENT_LIST:
        return NULL;
    }
    return NULL;
}

static json_t *content_json_encode_list(const struct content_field *field, const uint8_t *base)
{
    size_t count = 0;
    memcpy(&count, base + field->count_offset, sizeof count);
    if (count == 0)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < count && i < field->max; i++)
        json_array_append_new(list, content_json_encode_value(
                                        field->element, base + field->offset + i * field->stride));
    return list;
}

json_t *content_json_encode(const struct content_table *table, const void *value)
{
    const uint8_t *base = value;
    json_t *json = json_object();
    for (size_t i = 0; json != NULL && i < table->field_count; i++) {
        const struct content_field *field = &table->fields[i];
        if (strcmp(field->name, "item_key") == 0)
            continue; /* a secret */
        json_t *part = field->type == CONTENT_LIST
                           ? content_json_encode_list(field, base)
                           : content_json_encode_value(field, base + field->offset);
        if (part != NULL)
            json_object_set_new(json, field->name, part);
    }
    return json;
}
