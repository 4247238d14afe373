/* A PNG comes out as the chunks that make its picture, byte for byte, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/attachment/attachment.h"
#include "node/attachment/attachment_png.h"

#define RAW(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})
#define SIGNATURE "\x89PNG\r\n\x1a\n"
/* 2 x 2 grey pixels; a zlib stream of one stored block */
#define IHDR RAW("\0\0\0\2\0\0\0\2\10\0\0\0\0")
#define PIXELS RAW("\x78\x01\x01\6\0\xf9\xff\0\x10\x20\0\x30\x40\x01\xe7\0\xa1")

struct image {
    uint8_t memory[4096];
    struct buffer buffer;
};

/* Bit by bit, to check the table of half bytes against. */
static uint32_t crc_of(struct bytes bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

static void image_begin(struct image *image)
{
    image->buffer = buffer_over(image->memory, sizeof image->memory);
    buffer_put(&image->buffer, SIGNATURE, 8);
}

static void chunk(struct image *image, const char *type, struct bytes data)
{
    buffer_u32(&image->buffer, (uint32_t)data.size);
    size_t start = image->buffer.size;
    buffer_put(&image->buffer, type, 4);
    buffer_put(&image->buffer, data.data, data.size);
    buffer_u32(&image->buffer,
               crc_of((struct bytes){image->memory + start, image->buffer.size - start}));
}

/* The smallest whole image, with up to two chunks more before its pixels. */
static void image_with(struct image *image, const char *type, struct bytes data, int times)
{
    image_begin(image);
    chunk(image, "IHDR", IHDR);
    for (int i = 0; i < times; i++)
        chunk(image, type, data);
    chunk(image, "IDAT", PIXELS);
    chunk(image, "IEND", BYTES_NONE);
}

static err cleaned(const struct image *image, struct image *ret_clean, uint32_t *ret_stripped)
{
    ret_clean->buffer = buffer_over(ret_clean->memory, image->buffer.size);
    *ret_stripped = 0;
    return attachment_png_clean(buffer_bytes(&image->buffer), &ret_clean->buffer, ret_stripped);
}

static err refused(const struct image *image)
{
    struct image clean;
    uint32_t stripped;
    return cleaned(image, &clean, &stripped);
}

static void a_plain_image_is_left_as_it_is(void **state)
{
    (void)state;
    struct image image, clean;
    uint32_t stripped;
    image_with(&image, "", BYTES_NONE, 0);
    assert_int_equal(cleaned(&image, &clean, &stripped), OK);
    assert_true(bytes_equal(buffer_bytes(&image.buffer), buffer_bytes(&clean.buffer)));
    assert_int_equal(stripped, 0);
}

static void chunks_that_do_not_show_are_left_behind(void **state)
{
    (void)state;
    const struct {
        const char *type;
        uint32_t stripped;
    } rows[] = {
        {"tEXt", ATTACHMENT_STRIPPED_COMMENTS}, {"zTXt", ATTACHMENT_STRIPPED_COMMENTS},
        {"iTXt", ATTACHMENT_STRIPPED_COMMENTS}, {"eXIf", ATTACHMENT_STRIPPED_EXIF},
        {"tIME", ATTACHMENT_STRIPPED_TIME},     {"iCCP", ATTACHMENT_STRIPPED_PROFILE},
        {"acTL", ATTACHMENT_STRIPPED_OTHER},    {"fdAT", ATTACHMENT_STRIPPED_OTHER},
        {"hosP", ATTACHMENT_STRIPPED_OTHER},    {"bKGD", ATTACHMENT_STRIPPED_OTHER},
    };
    struct image plain, image, clean;
    uint32_t stripped;
    image_with(&plain, "", BYTES_NONE, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        image_with(&image, rows[i].type, RAW("Author\0Dr. Secret"), 2);
        assert_int_equal(cleaned(&image, &clean, &stripped), OK);
        assert_true(bytes_equal(buffer_bytes(&plain.buffer), buffer_bytes(&clean.buffer)));
        assert_int_equal(stripped, rows[i].stripped);
    }
}

static void chunks_that_show_are_kept(void **state)
{
    (void)state;
    const struct {
        const char *type;
        struct bytes data;
    } rows[] = {
        {"gAMA", RAW("\0\0\xb1\x8f")},
        {"sRGB", RAW("\0")},
        {"pHYs", RAW("\0\0\x0b\x13\0\0\x0b\x13\1")},
        {"tRNS", RAW("\0\7")},
        {"sBIT", RAW("\10")},
        {"cHRM", RAW("0123456789abcdef0123456789abcdef")},
        {"PLTE", RAW("\1\2\3\4\5\6")},
    };
    struct image image, clean;
    uint32_t stripped;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        image_with(&image, rows[i].type, rows[i].data, 1);
        assert_int_equal(cleaned(&image, &clean, &stripped), OK);
        assert_true(bytes_equal(buffer_bytes(&image.buffer), buffer_bytes(&clean.buffer)));
        assert_int_equal(stripped, 0);
        /* the same once more, or longer than it may be, could carry anything */
        image_with(&image, rows[i].type, rows[i].data, 2);
        assert_int_equal(refused(&image), ERR_MALFORMED);
        uint8_t longer[800] = {0};
        image_with(&image, rows[i].type, (struct bytes){longer, sizeof longer}, 1);
        assert_int_equal(refused(&image), ERR_MALFORMED);
    }
}

static void bytes_after_the_end_are_left_behind(void **state)
{
    (void)state;
    struct image plain, image, clean;
    uint32_t stripped;
    image_with(&plain, "", BYTES_NONE, 0);
    image_with(&image, "", BYTES_NONE, 0);
    buffer_put(&image.buffer, "PK\3\4secret.zip", 14);
    assert_int_equal(cleaned(&image, &clean, &stripped), OK);
    assert_true(bytes_equal(buffer_bytes(&plain.buffer), buffer_bytes(&clean.buffer)));
    assert_int_equal(stripped, ATTACHMENT_STRIPPED_TRAILING);
}

static void each_flipped_bit_and_each_cut_is_damage(void **state)
{
    (void)state;
    struct image image;
    image_with(&image, "gAMA", RAW("\0\0\xb1\x8f"), 1);
    size_t whole = image.buffer.size;
    for (size_t size = 0; size < whole; size++) {
        image.buffer.size = size;
        assert_int_equal(refused(&image), ERR_MALFORMED);
    }
    image.buffer.size = whole;
    for (size_t i = 0; i < 8 * whole; i++) {
        image.memory[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(refused(&image), ERR_MALFORMED);
        image.memory[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static err refused_order(const char *const *types, size_t count)
{
    struct image image;
    image_begin(&image);
    for (size_t i = 0; i < count; i++) {
        struct bytes data = strcmp(types[i], "IHDR") == 0   ? IHDR
                            : strcmp(types[i], "IDAT") == 0 ? PIXELS
                            : strcmp(types[i], "PLTE") == 0 ? RAW("\1\2\3")
                                                            : BYTES_NONE;
        chunk(&image, types[i], data);
    }
    return refused(&image);
}

#define ORDER(...)                                                                                 \
    refused_order((const char *const[]){__VA_ARGS__},                                              \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void chunks_out_of_place_are_damage(void **state)
{
    (void)state;
    assert_int_equal(ORDER("IHDR", "IDAT", "IDAT", "IEND"), OK);
    assert_int_equal(ORDER("IHDR", "tEXt", "IDAT", "tEXt", "IEND"), OK);
    assert_int_equal(ORDER("tEXt", "IHDR", "IDAT", "IEND"), ERR_MALFORMED);
    assert_int_equal(ORDER("IDAT", "IEND"), ERR_MALFORMED);
    assert_int_equal(ORDER("IHDR", "IHDR", "IDAT", "IEND"), ERR_MALFORMED);
    assert_int_equal(ORDER("IHDR", "IEND"), ERR_MALFORMED);
    assert_int_equal(ORDER("IHDR", "IDAT", "PLTE", "IEND"), ERR_MALFORMED);
    assert_int_equal(ORDER("IHDR", "IDAT", "tEXt", "IDAT", "IEND"), ERR_MALFORMED);
    assert_int_equal(ORDER("IHDR", "IDAT"), ERR_MALFORMED);
    assert_int_equal(ORDER("IHDR", "HOSP", "IDAT", "IEND"), ERR_MALFORMED);
}

static err refused_header(struct bytes header)
{
    struct image image;
    image_begin(&image);
    chunk(&image, "IHDR", header);
    chunk(&image, "IDAT", PIXELS);
    chunk(&image, "IEND", BYTES_NONE);
    return refused(&image);
}

static void impossible_headers_are_damage(void **state)
{
    (void)state;
    assert_int_equal(refused_header(RAW("\0\0\0\0\0\0\0\2\10\0\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\0\10\0\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\x80\0\0\2\0\0\0\2\10\0\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\3\0\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\0\0\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\4\2\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\10\1\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\10\7\0\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\10\0\1\0\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\10\0\0\1\0")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\10\0\0\0\2")), ERR_MALFORMED);
    assert_int_equal(refused_header(RAW("\0\0\0\2\0\0\0\2\20\6\0\0\1")), OK);
}

static void a_picture_too_large_to_unfold_is_refused(void **state)
{
    (void)state;
    assert_int_equal(refused_header(RAW("\0\0\x40\0\0\0\x40\0\10\0\0\0\0")), OK);
    assert_int_equal(refused_header(RAW("\0\0\x40\1\0\0\x40\0\10\0\0\0\0")), ERR_TOO_LARGE);
    assert_int_equal(refused_header(RAW("\x7f\xff\xff\xff\x7f\xff\xff\xff\10\0\0\0\0")),
                     ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_image_is_left_as_it_is),
        cmocka_unit_test(chunks_that_do_not_show_are_left_behind),
        cmocka_unit_test(chunks_that_show_are_kept),
        cmocka_unit_test(bytes_after_the_end_are_left_behind),
        cmocka_unit_test(each_flipped_bit_and_each_cut_is_damage),
        cmocka_unit_test(chunks_out_of_place_are_damage),
        cmocka_unit_test(impossible_headers_are_damage),
        cmocka_unit_test(a_picture_too_large_to_unfold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
