#include "node/views/content_json_decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/utf8.h"

/* A field of the form, and what is wrong with it. */
struct content_json_place {
    const struct content_json_take *how;
    struct refusal *problem;
    char name[96];
};

static err content_json_wrong(struct content_json_place *place, err code, const char *what)
{
    return refusal_add(place->problem, code, "%s: %s", place->name, what);
}

static err content_json_too_long(struct content_json_place *place, uint64_t size_max)
{
    return refusal_add(place->problem, ERR_TOO_LARGE, "%s: longer than %" PRIu64 " bytes",
                       place->name, size_max);
}

static err content_json_decode_map(struct content_json_place *place,
                                   const struct content_table *table, const json_t *form,
                                   void *ret_value);

/* content.h gives the C type at `at` for each type of field. */
static err content_json_decode_number(struct content_json_place *place,
                                      const struct content_field *field, const json_t *value,
                                      void *at)
{
    uint64_t number = 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return content_json_wrong(place, ERR_INVALID, "must be a whole number");
    number = (uint64_t)json_integer_value(value);
    if (number > field->max)
        return content_json_wrong(place, ERR_TOO_LARGE, "the number is too large");
    memcpy(at, &number, sizeof number);
    return OK;
}

static err content_json_decode_time(struct content_json_place *place, const json_t *value, void *at)
{
    struct wall time = {0};
    if (!json_is_string(value) || content_json_read_time(json_string_value(value), &time) != OK)
        return content_json_wrong(
            place, ERR_INVALID,
            "must be a time in UTC, such as 2025-02-14T09:30:00Z or 2025-02-14");
    memcpy(at, &time, sizeof time);
    return OK;
}

static err content_json_decode_code(struct content_json_place *place,
                                    const struct content_field *field, const json_t *value,
                                    void *at)
{
    unsigned code = 0;
    if (json_is_string(value))
        code = content_code_of(field->codes, bytes_of_text(json_string_value(value)));
    if (code != 0) {
        memcpy(at, &code, sizeof code);
        return OK;
    }
    char list[160] = "";
    size_t size = 0;
    for (size_t i = 1; i < field->codes->count && size < sizeof list; i++)
        size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", i == 1 ? "" : ", ",
                                 field->codes->names[i]);
    return refusal_add(place->problem, ERR_INVALID, "%s: must be one of %s", place->name, list);
}

static bool content_json_text_clean(struct bytes text, bool may_break)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t letter = text.data[i];
        bool is_break = letter == '\n' || letter == '\t';
        if ((letter < 0x20 && !(may_break && is_break)) || letter == 0x7f)
            return false;
        /* C1 controls are two bytes in UTF-8 */
        if (letter == 0xc2 && i + 1 < text.size && text.data[i + 1] < 0xa0)
            return false;
    }
    return true;
}

static err content_json_decode_text(struct content_json_place *place,
                                    const struct content_field *field, const json_t *value,
                                    void *at)
{
    if (!json_is_string(value))
        return content_json_wrong(place, ERR_INVALID, "must be a text");
    struct bytes text = {(const uint8_t *)json_string_value(value), json_string_length(value)};
    if (text.size > field->max)
        return content_json_too_long(place, field->max);
    if (!content_json_text_clean(text, field->type == CONTENT_TEXT))
        return content_json_wrong(place, ERR_INVALID, "it holds control characters");
    if (text.size == 0)
        text = BYTES_NONE;
    else if (field->type == CONTENT_TAG && !content_tag_valid(text))
        return content_json_wrong(place, ERR_INVALID,
                                  "must be a specialty tag, such as hematology/bmt");
    else if (field->type == CONTENT_LANGUAGE && !content_language_valid(text))
        return content_json_wrong(place, ERR_INVALID,
                                  "must be a language tag, such as de or pt-BR");
    else if (field->type == CONTENT_COUNTRY && !content_country_valid(text))
        return content_json_wrong(place, ERR_INVALID, "must be a country code, such as CH");
    memcpy(at, &text, sizeof text);
    return OK;
}

static err content_json_decode_bytes(struct content_json_place *place,
                                     const struct content_field *field, const json_t *value,
                                     void *at)
{
    const char *text = json_string_value(value);
    size_t size = text == NULL ? 0 : json_string_length(value) / 2;
    struct buffer *arena = place->how->arena;
    if (text == NULL || (field->type == CONTENT_FIXED && size != field->max))
        return content_json_wrong(place, ERR_INVALID,
                                  "must be hexadecimal digits, in the right number");
    if (size > field->max)
        return content_json_too_long(place, field->max);
    uint8_t *room = at;
    if (field->type == CONTENT_BIN) {
        room = arena == NULL ? NULL : buffer_reserve(arena, size);
        if (room == NULL)
            return content_json_wrong(place, ERR_TOO_LARGE, "too much");
    }
    if (ids_from_hex(text, room, size) != OK)
        return content_json_wrong(place, ERR_INVALID, "hexadecimal digits are wanted");
    if (field->type == CONTENT_BIN) {
        struct bytes bytes = {room, size};
        memcpy(at, &bytes, sizeof bytes);
    }
    return OK;
}

static err content_json_decode_value(struct content_json_place *place,
                                     const struct content_field *field, const json_t *value,
                                     void *at);

static err content_json_decode_list(struct content_json_place *place,
                                    const struct content_field *field, const json_t *value,
                                    uint8_t *base)
{
    size_t count = json_array_size(value);
    size_t name_size = strlen(place->name);
    if (!json_is_array(value))
        return content_json_wrong(place, ERR_INVALID, "must be a list");
    if (count > field->max)
        return refusal_add(place->problem, ERR_TOO_LARGE, "%s: more than %" PRIu64, place->name,
                           field->max);
    for (size_t i = 0; i < count; i++) {
        snprintf(place->name + name_size, sizeof place->name - name_size, "[%zu]", i);
        (void)content_json_decode_value(place, field->element, json_array_get(value, i),
                                        base + field->offset + i * field->stride);
    }
    place->name[name_size] = 0;
    memcpy(base + field->count_offset, &count, sizeof count);
    return place->problem->code;
}

static err content_json_decode_value(struct content_json_place *place,
                                     const struct content_field *field, const json_t *value,
                                     void *at)
{
    bool is_true = json_is_true(value);
    switch (field->type) {
    case CONTENT_UINT:
        return content_json_decode_number(place, field, value, at);
    case CONTENT_TIME:
        return content_json_decode_time(place, value, at);
    case CONTENT_BOOL:
        if (!json_is_boolean(value))
            return content_json_wrong(place, ERR_INVALID, "must be true or false");
        memcpy(at, &is_true, sizeof is_true);
        return OK;
    case CONTENT_CODE:
        return content_json_decode_code(place, field, value, at);
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
        return content_json_decode_text(place, field, value, at);
    case CONTENT_BIN:
    case CONTENT_FIXED:
        return content_json_decode_bytes(place, field, value, at);
    case CONTENT_MAP:
        if (!json_is_object(value))
            return content_json_wrong(place, ERR_INVALID, "must be an object");
        return content_json_decode_map(place, field->table, value, at);
    case CONTENT_LIST:
        break; /* lists of lists do not occur */
    }
    return content_json_wrong(place, ERR_INVALID, "cannot be given");
}

static bool content_json_is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static void content_json_decode_unknown(struct content_json_place *place,
                                        const struct content_table *table, const json_t *form)
{
    const char *names[64];
    size_t count = 0;
    const char *const *ignored = place->name[0] == 0 ? place->how->ignored : NULL;
    for (size_t i = 0; i < table->field_count && count < 40; i++)
        names[count++] = table->fields[i].name;
    for (size_t i = 0; ignored != NULL && ignored[i] != NULL && count < 63; i++)
        names[count++] = ignored[i];
    names[count] = NULL;
    content_json_add_unknown(form, names, place->problem);
}

static err content_json_decode_map(struct content_json_place *place,
                                   const struct content_table *table, const json_t *form,
                                   void *ret_value)
{
    uint8_t *base = ret_value;
    size_t name_size = strlen(place->name);
    bool is_whole = place->how->is_whole || name_size > 0;
    content_json_decode_unknown(place, table, form);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct content_field *field = &table->fields[i];
        const json_t *value = json_object_get(form, field->name);
        snprintf(place->name + name_size, sizeof place->name - name_size, "%s%s",
                 name_size == 0 ? "" : ".", field->name);
        if (content_json_is_empty(value)) {
            if (field->is_required && is_whole && field->type != CONTENT_BOOL)
                (void)content_json_wrong(place, ERR_INVALID, "missing");
        } else if (field->type == CONTENT_LIST) {
            (void)content_json_decode_list(place, field, value, base);
        } else {
            (void)content_json_decode_value(place, field, value, base + field->offset);
        }
        place->name[name_size] = 0;
    }
    return place->problem->code;
}

err content_json_decode(const struct content_json_take *how, const json_t *form, void *ret_value,
                        struct refusal *ret_problem)
{
    struct content_json_place place = {.how = how, .problem = ret_problem};
    memset(ret_value, 0, how->table->size);
    refusal_clear(ret_problem);
    return content_json_decode_map(&place, how->table, form, ret_value);
}
