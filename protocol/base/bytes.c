#include "protocol/base/bytes.h"

#include <string.h>

struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){.data = (const uint8_t *)text, .size = strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

struct reader reader_of(struct bytes all)
{
    return (struct reader){.data = all.data, .size = all.size, .offset = 0, .failed = false};
}

struct bytes reader_take(struct reader *reader, size_t size)
{
    if (reader->failed || size > reader->size - reader->offset) {
        reader->failed = true;
        return BYTES_NONE;
    }
    struct bytes taken = {.data = reader->data + reader->offset, .size = size};
    reader->offset += size;
    return taken;
}

static uint64_t reader_integer(struct reader *reader, size_t size)
{
    struct bytes taken = reader_take(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; i < taken.size; i++)
        value = value << 8 | taken.data[i];
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)reader_integer(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)reader_integer(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)reader_integer(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return reader_integer(reader, 8);
}

void reader_copy(struct reader *reader, uint8_t *out, size_t size)
{
    struct bytes taken = reader_take(reader, size);
    if (taken.size == size && size > 0)
        memcpy(out, taken.data, size);
    else if (size > 0)
        memset(out, 0, size);
}

size_t reader_left(const struct reader *reader)
{
    return reader->failed ? 0 : reader->size - reader->offset;
}

bool reader_done(const struct reader *reader)
{
    return !reader->failed && reader->offset == reader->size;
}

struct buffer buffer_over(uint8_t *data, size_t capacity)
{
    return (struct buffer){.data = data, .capacity = capacity, .size = 0, .failed = false};
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->failed || size > buffer->capacity - buffer->size) {
        buffer->failed = true;
        return NULL;
    }
    if (size == 0)
        return buffer->data; /* `data` may be NULL; adding to NULL is undefined, even 0 */
    uint8_t *start = buffer->data + buffer->size;
    buffer->size += size;
    return start;
}

void buffer_put(struct buffer *buffer, const void *data, size_t size)
{
    uint8_t *start = buffer_reserve(buffer, size);
    if (start != NULL && size > 0)
        memcpy(start, data, size);
}

static void buffer_integer(struct buffer *buffer, uint64_t value, size_t size)
{
    uint8_t *start = buffer_reserve(buffer, size);
    if (start == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        start[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

void buffer_u8(struct buffer *buffer, uint8_t value)
{
    buffer_integer(buffer, value, 1);
}

void buffer_u16(struct buffer *buffer, uint16_t value)
{
    buffer_integer(buffer, value, 2);
}

void buffer_u32(struct buffer *buffer, uint32_t value)
{
    buffer_integer(buffer, value, 4);
}

void buffer_u64(struct buffer *buffer, uint64_t value)
{
    buffer_integer(buffer, value, 8);
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){.data = buffer->data, .size = buffer->size};
}
