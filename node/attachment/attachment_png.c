#include "node/attachment/attachment_png.h"

#include <string.h>

#include "node/attachment/attachment.h"
#include "protocol/base/limits.h"

static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

enum png_place { PNG_FIRST, PNG_BEFORE_PIXELS, PNG_PIXELS, PNG_AFTER_PIXELS, PNG_ENDED };

struct png {
    enum png_place place;
    uint32_t seen; /* bits of png_kept: each at most once, the pixels' chunk aside */
};

/* The chunks that make the picture. */
static const struct {
    char type[5];
    uint32_t size_min;
    uint32_t size_max;
} png_kept[] = {
    {"IHDR", 13, 13}, {"PLTE", 3, 768}, {"IDAT", 0, 0x7fffffff}, {"IEND", 0, 0}, {"tRNS", 1, 256},
    {"gAMA", 4, 4},   {"sRGB", 1, 1},   {"cHRM", 32, 32},        {"pHYs", 9, 9}, {"sBIT", 1, 4},
};

enum {
    KEPT_IHDR,
    KEPT_PLTE,
    KEPT_IDAT,
    KEPT_IEND,
    KEPT_COUNT = sizeof png_kept / sizeof png_kept[0]
};

/* Chunks left behind, by what they tell; all others are ATTACHMENT_STRIPPED_OTHER. */
static const struct {
    char type[5];
    uint32_t stripped;
} png_left[] = {
    {"tEXt", ATTACHMENT_STRIPPED_COMMENTS}, {"zTXt", ATTACHMENT_STRIPPED_COMMENTS},
    {"iTXt", ATTACHMENT_STRIPPED_COMMENTS}, {"eXIf", ATTACHMENT_STRIPPED_EXIF},
    {"tIME", ATTACHMENT_STRIPPED_TIME},     {"iCCP", ATTACHMENT_STRIPPED_PROFILE},
};

bool attachment_png_is(struct bytes content)
{
    return content.size >= sizeof png_signature &&
           memcmp(content.data, png_signature, sizeof png_signature) == 0;
}

/* CRC-32 of the specification's annex D, over a table of half bytes. */
static uint32_t png_crc(struct bytes bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static err png_header_check(struct bytes data)
{
    struct reader reader = reader_of(data);
    uint64_t width = reader_u32(&reader);
    uint64_t height = reader_u32(&reader);
    uint8_t depth = reader_u8(&reader);
    uint8_t colour = reader_u8(&reader);
    struct bytes methods = reader_take(&reader, 3);
    /* bit depths that a colour type may have, as bits of their own value */
    static const uint8_t depths[7] = {
        1 | 2 | 4 | 8 | 16, 0, 8 | 16, 1 | 2 | 4 | 8, 8 | 16, 0, 8 | 16};
    bool depth_is_one_bit = depth != 0 && (depth & (depth - 1)) == 0;
    if (reader.failed || colour > 6 || !depth_is_one_bit || (depths[colour] & depth) == 0 ||
        methods.data[0] != 0 || methods.data[1] != 0 || methods.data[2] > 1)
        return ERR_MALFORMED;
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return ERR_MALFORMED;
    return width * height > ATTACHMENT_PIXEL_COUNT_MAX ? ERR_TOO_LARGE : OK;
}

/* May the kept chunk `kept` stand here? Moves to the place after it. */
static err png_move(struct png *png, size_t kept)
{
    bool seen = (png->seen & 1u << kept) != 0;
    if ((png->place == PNG_FIRST) != (kept == KEPT_IHDR))
        return ERR_MALFORMED;
    png->seen |= 1u << kept;
    if (kept == KEPT_IDAT) {
        if (png->place == PNG_AFTER_PIXELS)
            return ERR_MALFORMED;
        png->place = PNG_PIXELS;
        return OK;
    }
    if (kept == KEPT_IEND) {
        bool has_pixels = png->place == PNG_PIXELS || png->place == PNG_AFTER_PIXELS;
        png->place = PNG_ENDED;
        return has_pixels ? OK : ERR_MALFORMED;
    }
    if (seen || png->place > PNG_BEFORE_PIXELS)
        return ERR_MALFORMED;
    png->place = PNG_BEFORE_PIXELS;
    return OK;
}

static uint32_t png_left_behind(struct bytes type)
{
    for (size_t i = 0; i < sizeof png_left / sizeof png_left[0]; i++)
        if (memcmp(type.data, png_left[i].type, 4) == 0)
            return png_left[i].stripped;
    return ATTACHMENT_STRIPPED_OTHER;
}

/* The index in png_kept, or KEPT_COUNT. */
static size_t png_kept_index(struct bytes type)
{
    size_t kept = 0;
    while (kept < KEPT_COUNT && memcmp(type.data, png_kept[kept].type, 4) != 0)
        kept++;
    return kept;
}

/* One chunk: u32 size | 4 letters | data | u32 CRC over letters and data. */
static err png_chunk(struct png *png, struct reader *reader, struct buffer *out, uint32_t *stripped)
{
    struct bytes whole = {.data = reader->data + reader->offset, .size = 0};
    uint32_t size = reader_u32(reader);
    struct bytes typed = reader_take(reader, (size_t)size + 4);
    uint32_t crc = reader_u32(reader);
    if (reader->failed || size > INT32_MAX || crc != png_crc(typed))
        return ERR_MALFORMED;
    whole.size = (size_t)size + 12;
    size_t kept = png_kept_index(typed);
    if (kept == KEPT_COUNT) {
        bool critical = (typed.data[0] & 0x20) == 0;
        if (critical || png->place == PNG_FIRST)
            return ERR_MALFORMED;
        if (png->place == PNG_PIXELS)
            png->place = PNG_AFTER_PIXELS;
        *stripped |= png_left_behind(typed);
        return OK;
    }
    if (size < png_kept[kept].size_min || size > png_kept[kept].size_max ||
        (kept == KEPT_PLTE && size % 3 != 0))
        return ERR_MALFORMED;
    err failure = png_move(png, kept);
    if (failure == OK && kept == KEPT_IHDR)
        failure = png_header_check((struct bytes){typed.data + 4, size});
    if (failure == OK)
        buffer_put(out, whole.data, whole.size);
    return failure;
}

err attachment_png_clean(struct bytes content, struct buffer *out, uint32_t *stripped)
{
    struct png png = {.place = PNG_FIRST, .seen = 0};
    struct reader reader = reader_of(content);
    if (!attachment_png_is(content))
        return ERR_MALFORMED;
    reader_take(&reader, sizeof png_signature);
    buffer_put(out, png_signature, sizeof png_signature);
    while (png.place != PNG_ENDED) {
        err failure = png_chunk(&png, &reader, out, stripped);
        if (failure != OK)
            return failure;
    }
    if (reader_left(&reader) > 0)
        *stripped |= ATTACHMENT_STRIPPED_TRAILING;
    return out->failed ? ERR_TOO_LARGE : OK;
}
