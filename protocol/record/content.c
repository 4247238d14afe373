#include "protocol/record/content.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/ids.h"
#include "protocol/base/pack.h"
#include "protocol/base/utf8.h"
#include "protocol/member/tag.h"

/* ---- grammar ---- */

/* C0 controls but the allowed ones, DEL, and C1 controls (in UTF-8: C2 80 to C2 9F). */
static bool text_has_controls(struct bytes text, bool is_line)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == 0x7f || (byte < 0x20 && (is_line || (byte != '\n' && byte != '\t'))))
            return true;
        if (byte == 0xc2 && i + 1 < text.size && text.data[i + 1] < 0xa0)
            return true;
    }
    return false;
}

static bool is_alpha(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

bool content_tag_valid(struct bytes tag)
{
    return tag_check(tag) == OK;
}

/* The syntax of RFC 5646: a primary language of 2 or 3 lower-case letters, then subtags of 1 to 8
 * letters or digits. It does not check the registry. */
bool content_language_valid(struct bytes language)
{
    size_t size = 0; /* of the subtag so far */
    bool is_primary = true;
    if (language.size > LANGUAGE_SIZE_MAX)
        return false;
    for (size_t i = 0; i <= language.size; i++) {
        if (i == language.size || language.data[i] == '-') {
            if (size == 0 || size > 8 || (is_primary && (size < 2 || size > 3)))
                return false;
            is_primary = false;
            size = 0;
            continue;
        }
        uint8_t byte = language.data[i];
        if (is_primary ? !(byte >= 'a' && byte <= 'z') : !(is_alpha(byte) || is_digit(byte)))
            return false;
        size++;
    }
    return true;
}

bool content_country_valid(struct bytes country)
{
    return country.size == 2 && country.data[0] >= 'A' && country.data[0] <= 'Z' &&
           country.data[1] >= 'A' && country.data[1] <= 'Z';
}

/* ---- values in memory; memcpy because a field may be any struct of that size ---- */

static uint64_t value_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static unsigned value_code(const uint8_t *at)
{
    unsigned value;
    memcpy(&value, at, sizeof value);
    return value;
}

static struct bytes value_bytes(const uint8_t *at)
{
    struct bytes value;
    memcpy(&value, at, sizeof value);
    return value;
}

static size_t value_count(const struct content_field *field, const uint8_t *base)
{
    size_t count;
    memcpy(&count, base + field->count_offset, sizeof count);
    return count;
}

/* `base` is the struct that holds the field; the count of a list is a member of the same struct. */
static bool value_is_empty(const struct content_field *field, const uint8_t *base)
{
    const uint8_t *at = base + field->offset;
    switch (field->type) {
    case CONTENT_UINT:
    case CONTENT_TIME:
        return value_u64(at) == 0;
    case CONTENT_BOOL:
        return !*(const bool *)at;
    case CONTENT_CODE:
        return value_code(at) == 0;
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
    case CONTENT_BIN:
        return value_bytes(at).size == 0;
    case CONTENT_FIXED:
        return ids_all_zero((struct bytes){at, field->max});
    case CONTENT_MAP:
        return false;
    case CONTENT_LIST:
        return value_count(field, base) == 0;
    }
    return true;
}

/* A required number may be zero; any other required field must not be empty. */
static bool value_may_be_empty(const struct content_field *field)
{
    return field->type == CONTENT_UINT || field->type == CONTENT_BOOL;
}

static err text_check(const struct content_field *field, struct bytes text)
{
    if (text.size > field->max)
        return ERR_TOO_LARGE;
    bool is_good = utf8_valid(text) && !text_has_controls(text, field->type != CONTENT_TEXT);
    if (field->type == CONTENT_TAG)
        is_good = content_tag_valid(text);
    else if (field->type == CONTENT_LANGUAGE)
        is_good = content_language_valid(text);
    else if (field->type == CONTENT_COUNTRY)
        is_good = content_country_valid(text);
    return is_good ? OK : ERR_MALFORMED;
}

/* The rule for a value, the same for reading and writing. Elements of lists and maps are checked
 * one by one. */
static err value_check(const struct content_field *field, const uint8_t *base)
{
    const uint8_t *at = base + field->offset;
    if (value_is_empty(field, base)) {
        if (!field->is_required)
            return OK;
        return value_may_be_empty(field) ? OK : ERR_MALFORMED;
    }
    switch (field->type) {
    case CONTENT_UINT:
    case CONTENT_TIME:
        return value_u64(at) > field->max ? ERR_TOO_LARGE : OK;
    case CONTENT_CODE:
        return value_code(at) < field->codes->count ? OK : ERR_MALFORMED;
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
        return text_check(field, value_bytes(at));
    case CONTENT_BIN:
        return value_bytes(at).size > field->max ? ERR_TOO_LARGE : OK;
    case CONTENT_LIST:
        return value_count(field, base) > field->max ? ERR_TOO_LARGE : OK;
    case CONTENT_BOOL:
    case CONTENT_FIXED:
    case CONTENT_MAP:
        return OK;
    }
    return ERR_MALFORMED;
}

/* ---- reading ---- */

static void map_read(struct pack *pack, const struct content_table *table, uint8_t *base);
static void value_read(struct pack *pack, const struct content_field *field, uint8_t *base);

/* Elements have offset 0 within their own slot of the array. */
static void list_read(struct pack *pack, const struct content_field *field, uint8_t *base)
{
    size_t count = pack_array(pack, (uint32_t)field->max);
    memcpy(base + field->count_offset, &count, sizeof count);
    for (size_t i = 0; i < count && pack->failure == OK; i++)
        value_read(pack, field->element, base + field->offset + i * field->stride);
}

static void value_read(struct pack *pack, const struct content_field *field, uint8_t *base)
{
    uint8_t *at = base + field->offset;
    switch (field->type) {
    case CONTENT_UINT:
    case CONTENT_TIME: {
        uint64_t value = pack_uint_max(pack, field->max);
        memcpy(at, &value, sizeof value);
        break;
    }
    case CONTENT_BOOL: {
        bool value = pack_bool(pack);
        memcpy(at, &value, sizeof value);
        break;
    }
    case CONTENT_CODE: {
        unsigned value = (unsigned)pack_uint_max(pack, UINT16_MAX);
        memcpy(at, &value, sizeof value);
        break;
    }
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
    case CONTENT_BIN: {
        struct bytes value =
            field->type == CONTENT_BIN ? pack_bin(pack, field->max) : pack_text(pack, field->max);
        memcpy(at, &value, sizeof value);
        break;
    }
    case CONTENT_FIXED:
        pack_fixed(pack, at, field->max);
        break;
    case CONTENT_MAP:
        map_read(pack, field->table, at);
        break;
    case CONTENT_LIST:
        list_read(pack, field, base);
        break;
    }
    err failure = pack->failure == OK ? value_check(field, base) : OK;
    if (failure == OK && !field->is_required && value_is_empty(field, base))
        failure = ERR_NOT_CANONICAL;
    if (failure != OK)
        pack_fail(pack, failure);
}

static void map_read(struct pack *pack, const struct content_table *table, uint8_t *base)
{
    struct pack_map map = pack_map_begin(pack);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct content_field *field = &table->fields[i];
        if (field->is_required ? pack_need(&map, field->key) : pack_field(&map, field->key))
            value_read(pack, field, base);
    }
    pack_map_end(&map);
    err failure = pack->failure == OK && table->check != NULL ? table->check(base) : OK;
    if (failure != OK)
        pack_fail(pack, failure);
}

err content_read(const struct content_table *table, struct bytes content, void *ret_value)
{
    struct pack pack;
    memset(ret_value, 0, table->size);
    err failure = pack_open(content, &pack);
    if (failure != OK)
        return failure;
    map_read(&pack, table, ret_value);
    failure = pack_close(&pack);
    if (failure != OK)
        memset(ret_value, 0, table->size);
    return failure;
}

/* ---- writing ---- */

static err map_write(const struct content_table *table, const uint8_t *base, struct buffer *out);
static err value_write(const struct content_field *field, const uint8_t *base, struct buffer *out);

static err list_write(const struct content_field *field, const uint8_t *base, struct buffer *out)
{
    size_t count = value_count(field, base);
    err failure = OK;
    pack_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count && failure == OK; i++)
        failure = value_write(field->element, base + field->offset + i * field->stride, out);
    return failure;
}

static err value_write(const struct content_field *field, const uint8_t *base, struct buffer *out)
{
    const uint8_t *at = base + field->offset;
    err failure = value_check(field, base);
    if (failure != OK)
        return failure;
    switch (field->type) {
    case CONTENT_UINT:
    case CONTENT_TIME:
        pack_put_uint(out, value_u64(at));
        break;
    case CONTENT_BOOL:
        pack_put_bool(out, *(const bool *)at);
        break;
    case CONTENT_CODE:
        pack_put_uint(out, value_code(at));
        break;
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
        pack_put_text(out, value_bytes(at));
        break;
    case CONTENT_BIN:
        pack_put_bin(out, value_bytes(at));
        break;
    case CONTENT_FIXED:
        pack_put_bin(out, (struct bytes){at, field->max});
        break;
    case CONTENT_MAP:
        failure = map_write(field->table, at, out);
        break;
    case CONTENT_LIST:
        failure = list_write(field, base, out);
        break;
    }
    return failure;
}

static bool is_written(const struct content_field *field, const uint8_t *base)
{
    return field->is_required || !value_is_empty(field, base);
}

static err map_write(const struct content_table *table, const uint8_t *base, struct buffer *out)
{
    uint32_t count = 0;
    err failure = table->check == NULL ? OK : table->check(base);
    for (size_t i = 0; i < table->field_count; i++)
        count += is_written(&table->fields[i], base);
    pack_put_map(out, count);
    for (size_t i = 0; i < table->field_count && failure == OK; i++) {
        if (!is_written(&table->fields[i], base))
            continue;
        pack_put_uint(out, table->fields[i].key);
        failure = value_write(&table->fields[i], base, out);
    }
    return failure;
}

err content_write(const struct content_table *table, const void *value, struct buffer *out)
{
    err failure = map_write(table, value, out);
    if (failure == OK && out->failed)
        failure = ERR_TOO_LARGE;
    return failure;
}

/* ---- sizes and names ---- */

static size_t value_size_max(const struct content_field *field)
{
    switch (field->type) {
    case CONTENT_UINT:
    case CONTENT_TIME:
        return 9;
    case CONTENT_BOOL:
        return 1;
    case CONTENT_CODE:
        return 2;
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
    case CONTENT_BIN:
    case CONTENT_FIXED:
        return 3 + field->max;
    case CONTENT_MAP:
        return content_size_max(field->table);
    case CONTENT_LIST:
        return 3 + field->max * value_size_max(field->element);
    }
    return 0;
}

size_t content_size_max(const struct content_table *table)
{
    size_t size = 3;
    for (size_t i = 0; i < table->field_count; i++)
        size += 1 + value_size_max(&table->fields[i]);
    return size;
}

const char *content_code_name(const struct content_codes *codes, unsigned code)
{
    return code < codes->count ? codes->names[code] : "unknown";
}

unsigned content_code_of(const struct content_codes *codes, struct bytes name)
{
    for (unsigned i = 1; i < codes->count; i++)
        if (bytes_equal(bytes_of_text(codes->names[i]), name))
            return i;
    return 0;
}
