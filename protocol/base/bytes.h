/* Spans of bytes, and bounds-checked reading and writing of them.
 *
 * `struct bytes` borrows its memory; `struct buffer` borrows the memory it fills. Integers are
 * big-endian. A reader or buffer that failed stays failed, so a caller may check once at the
 * end. */
#ifndef CONSILIUM_PROTOCOL_BASE_BYTES_H
#define CONSILIUM_PROTOCOL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    size_t size;
};

#define BYTES_NONE ((struct bytes){.data = NULL, .size = 0})

/* Borrows the characters of a literal or other NUL-terminated text, without the NUL. */
struct bytes bytes_of_text(const char *text);

/* True when size and content are equal. Not constant-time: never use it for secrets. */
bool bytes_equal(struct bytes a, struct bytes b);

/* ---- reading ---- */

struct reader {
    const uint8_t *data;
    size_t size;
    size_t offset;
    bool failed;
};

struct reader reader_of(struct bytes all);

/* When fewer bytes are left than requested, each returns 0 or an empty span and sets `failed`. */
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
struct bytes reader_take(struct reader *reader, size_t size);

/* Copies `size` bytes into `out`; zeroes `out` when fewer are left. */
void reader_copy(struct reader *reader, uint8_t *out, size_t size);

size_t reader_left(const struct reader *reader);

/* True when nothing failed and no byte is left over. */
bool reader_done(const struct reader *reader);

/* ---- writing ---- */

struct buffer {
    uint8_t *data;
    size_t capacity;
    size_t size;
    bool failed;
};

struct buffer buffer_over(uint8_t *data, size_t capacity);

/* Each sets `failed` and writes nothing when the value does not fit the capacity. */
void buffer_u8(struct buffer *buffer, uint8_t value);
void buffer_u16(struct buffer *buffer, uint16_t value);
void buffer_u32(struct buffer *buffer, uint32_t value);
void buffer_u64(struct buffer *buffer, uint64_t value);
void buffer_put(struct buffer *buffer, const void *data, size_t size);

/* Reserves `size` bytes, which the caller fills; NULL when they do not fit. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);

/* The bytes written so far; borrows the buffer's memory. */
struct bytes buffer_bytes(const struct buffer *buffer);

#endif
