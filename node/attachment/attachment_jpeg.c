#include "node/attachment/attachment_jpeg.h"

#include <string.h>

#include "node/attachment/attachment.h"
#include "protocol/base/limits.h"

/* T.81, table B.1 */
enum {
    MARKER_TEM = 0x01,
    MARKER_SOF0 = 0xc0,
    MARKER_SOF2 = 0xc2,
    MARKER_DHT = 0xc4,
    MARKER_JPG = 0xc8,
    MARKER_DAC = 0xcc,
    MARKER_SOF15 = 0xcf,
    MARKER_RST0 = 0xd0,
    MARKER_RST7 = 0xd7,
    MARKER_SOI = 0xd8,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_DQT = 0xdb,
    MARKER_DNL = 0xdc,
    MARKER_DRI = 0xdd,
    MARKER_APP0 = 0xe0,
    MARKER_APP1 = 0xe1,
    MARKER_APP2 = 0xe2,
    MARKER_APP14 = 0xee,
    MARKER_APP15 = 0xef,
    MARKER_JPG0 = 0xf0,
    MARKER_COM = 0xfe,
};

enum { ORIENTATION_TAG = 0x0112, EXIF_SHORT = 3, JFIF_SIZE = 14, ADOBE_SIZE = 12 };

struct jpeg {
    struct buffer *out;
    uint32_t stripped;
    bool has_jfif;
    bool has_adobe;
    bool has_exif;
    bool has_frame;
    bool has_scan;
};

bool attachment_jpeg_is(struct bytes content)
{
    return content.size >= 3 && content.data[0] == 0xff && content.data[1] == MARKER_SOI &&
           content.data[2] == 0xff;
}

static bool jpeg_starts(struct bytes payload, const char *tag, size_t tag_size)
{
    return payload.size >= tag_size && memcmp(payload.data, tag, tag_size) == 0;
}

static void jpeg_put(struct jpeg *jpeg, uint8_t marker, struct bytes payload)
{
    buffer_u8(jpeg->out, 0xff);
    buffer_u8(jpeg->out, marker);
    buffer_u16(jpeg->out, (uint16_t)(payload.size + 2));
    buffer_put(jpeg->out, payload.data, payload.size);
}

/* ---- EXIF: one number is read from it, and one is written ---- */

struct tiff {
    struct bytes all;
    bool little;
};

/* `width` bytes at `at`, or 0 past the end. */
static uint32_t tiff_integer(const struct tiff *tiff, size_t at, size_t width)
{
    uint32_t value = 0;
    if (at > tiff->all.size || width > tiff->all.size - at)
        return 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | tiff->all.data[at + (tiff->little ? width - 1 - i : i)];
    return value;
}

/* 1 (upright) when it says nothing that can be read: TIFF 6.0, section 2; EXIF 2.3, table 4. */
static uint8_t jpeg_orientation(struct bytes tiff_bytes)
{
    struct tiff tiff = {.all = tiff_bytes, .little = jpeg_starts(tiff_bytes, "II", 2)};
    if ((!tiff.little && !jpeg_starts(tiff_bytes, "MM", 2)) || tiff_integer(&tiff, 2, 2) != 42)
        return 1;
    size_t directory = tiff_integer(&tiff, 4, 4);
    size_t count = tiff_integer(&tiff, directory, 2);
    for (size_t i = 0; i < count; i++) {
        size_t entry = directory + 2 + 12 * i;
        if (tiff_integer(&tiff, entry, 2) != ORIENTATION_TAG)
            continue;
        uint32_t value = tiff_integer(&tiff, entry + 8, 2);
        bool sound = tiff_integer(&tiff, entry + 2, 2) == EXIF_SHORT && value >= 1 && value <= 8;
        return sound ? (uint8_t)value : 1;
    }
    return 1;
}

static void jpeg_exif(struct jpeg *jpeg, struct bytes payload)
{
    jpeg->stripped |= ATTACHMENT_STRIPPED_EXIF;
    if (jpeg->has_exif)
        return;
    jpeg->has_exif = true;
    uint8_t orientation = jpeg_orientation((struct bytes){payload.data + 6, payload.size - 6});
    if (orientation == 1)
        return;
    uint8_t memory[32];
    struct buffer exif = buffer_over(memory, sizeof memory);
    buffer_put(&exif, "Exif\0\0MM\0*\0\0\0\10", 14); /* big-endian, directory at 8 */
    buffer_u16(&exif, 1);                            /* one field */
    buffer_u16(&exif, ORIENTATION_TAG);
    buffer_u16(&exif, EXIF_SHORT);
    buffer_u32(&exif, 1); /* one value, in the upper half of the next four bytes */
    buffer_u16(&exif, orientation);
    buffer_u16(&exif, 0);
    buffer_u32(&exif, 0); /* no further directory */
    jpeg_put(jpeg, MARKER_APP1, buffer_bytes(&exif));
}

/* ---- segments ---- */

static void jpeg_jfif(struct jpeg *jpeg, struct bytes payload)
{
    uint8_t header[JFIF_SIZE];
    if (!jpeg_starts(payload, "JFIF", 5) || payload.size < JFIF_SIZE || jpeg->has_jfif) {
        jpeg->stripped |= jpeg_starts(payload, "JFXX", 5) ? ATTACHMENT_STRIPPED_THUMBNAIL
                                                          : ATTACHMENT_STRIPPED_OTHER;
        return;
    }
    jpeg->has_jfif = true;
    if (payload.size > JFIF_SIZE)
        jpeg->stripped |= ATTACHMENT_STRIPPED_THUMBNAIL;
    memcpy(header, payload.data, JFIF_SIZE);
    header[12] = header[13] = 0; /* the preview's width and height */
    jpeg_put(jpeg, MARKER_APP0, (struct bytes){header, JFIF_SIZE});
}

static void jpeg_application(struct jpeg *jpeg, uint8_t marker, struct bytes payload)
{
    bool adobe = marker == MARKER_APP14 && jpeg_starts(payload, "Adobe", 5) &&
                 payload.size >= ADOBE_SIZE && !jpeg->has_adobe;
    if (marker == MARKER_APP0) {
        jpeg_jfif(jpeg, payload);
    } else if (adobe) {
        jpeg->has_adobe = true;
        if (payload.size > ADOBE_SIZE)
            jpeg->stripped |= ATTACHMENT_STRIPPED_OTHER;
        jpeg_put(jpeg, marker, (struct bytes){payload.data, ADOBE_SIZE});
    } else if (marker == MARKER_APP1 && jpeg_starts(payload, "Exif\0", 6)) {
        jpeg_exif(jpeg, payload);
    } else if (marker == MARKER_APP1 && jpeg_starts(payload, "http://ns.adobe.com/", 20)) {
        jpeg->stripped |= ATTACHMENT_STRIPPED_XMP;
    } else if (marker == MARKER_APP2 && jpeg_starts(payload, "ICC_PROFILE", 12)) {
        jpeg->stripped |= ATTACHMENT_STRIPPED_PROFILE;
    } else {
        jpeg->stripped |= ATTACHMENT_STRIPPED_OTHER;
    }
}

/* u8 precision, u16 height, u16 width, u8 components and three bytes for each */
static err jpeg_frame(struct jpeg *jpeg, uint8_t marker, struct bytes payload)
{
    struct reader reader = reader_of(payload);
    reader_u8(&reader);
    uint64_t height = reader_u16(&reader);
    uint64_t width = reader_u16(&reader);
    size_t components = reader_u8(&reader);
    if (marker > MARKER_SOF2)
        return ERR_UNSUPPORTED;
    if (jpeg->has_frame || height == 0 || width == 0 || components == 0 ||
        reader_left(&reader) != 3 * components)
        return ERR_MALFORMED;
    jpeg->has_frame = true;
    jpeg_put(jpeg, marker, payload);
    return height * width > ATTACHMENT_PIXEL_COUNT_MAX ? ERR_TOO_LARGE : OK;
}

static bool jpeg_is_frame(uint8_t marker)
{
    return marker >= MARKER_SOF0 && marker <= MARKER_SOF15 && marker != MARKER_DHT &&
           marker != MARKER_JPG && marker != MARKER_DAC;
}

/* Copies the coded pixels that follow a scan's header, up to the marker that ends them. */
static void jpeg_pixels(struct jpeg *jpeg, struct reader *reader)
{
    const uint8_t *start = reader->data + reader->offset;
    size_t left = reader_left(reader), size = 0;
    while (size < left) {
        if (start[size] != 0xff) {
            size++;
        } else if (left - size >= 2 && (start[size + 1] == 0 || (start[size + 1] >= MARKER_RST0 &&
                                                                 start[size + 1] <= MARKER_RST7))) {
            size += 2;
        } else {
            break;
        }
    }
    reader_take(reader, size);
    buffer_put(jpeg->out, start, size);
}

static err jpeg_segment(struct jpeg *jpeg, struct reader *reader, uint8_t marker)
{
    size_t size = reader_u16(reader);
    struct bytes payload = reader_take(reader, size >= 2 ? size - 2 : 0);
    if (reader->failed || size < 2)
        return ERR_MALFORMED;
    if (jpeg_is_frame(marker))
        return jpeg_frame(jpeg, marker, payload);
    if (marker >= MARKER_APP0 && marker <= MARKER_APP15) {
        jpeg_application(jpeg, marker, payload);
        return OK;
    }
    switch (marker) {
    case MARKER_SOS:
        if (!jpeg->has_frame)
            return ERR_MALFORMED;
        jpeg->has_scan = true;
        jpeg_put(jpeg, marker, payload);
        jpeg_pixels(jpeg, reader);
        return OK;
    case MARKER_DHT:
    case MARKER_DQT:
    case MARKER_DNL:
    case MARKER_DRI:
        jpeg_put(jpeg, marker, payload);
        return OK;
    case MARKER_COM:
        jpeg->stripped |= ATTACHMENT_STRIPPED_COMMENTS;
        return OK;
    default:
        if (marker >= MARKER_JPG0) {
            jpeg->stripped |= ATTACHMENT_STRIPPED_OTHER;
            return OK;
        }
        return marker == MARKER_DAC ? ERR_UNSUPPORTED : ERR_MALFORMED;
    }
}

/* 0xff, any number of fill bytes 0xff, then the marker's code; 0 when there is none. */
static uint8_t jpeg_marker(struct reader *reader)
{
    if (reader_u8(reader) != 0xff)
        return 0;
    uint8_t marker = 0xff;
    while (marker == 0xff && !reader->failed)
        marker = reader_u8(reader);
    return marker;
}

err attachment_jpeg_clean(struct bytes content, struct buffer *out, uint32_t *stripped)
{
    static const uint8_t start[2] = {0xff, MARKER_SOI}, end[2] = {0xff, MARKER_EOI};
    struct jpeg jpeg = {.out = out};
    struct reader reader = reader_of(content);
    if (!attachment_jpeg_is(content))
        return ERR_MALFORMED;
    reader_take(&reader, sizeof start);
    buffer_put(out, start, sizeof start);
    for (;;) {
        uint8_t marker = jpeg_marker(&reader);
        if (marker == MARKER_EOI)
            break;
        if (reader.failed || marker == MARKER_SOI || marker <= MARKER_TEM ||
            (marker >= MARKER_RST0 && marker <= MARKER_RST7))
            return ERR_MALFORMED;
        err failure = jpeg_segment(&jpeg, &reader, marker);
        if (failure != OK)
            return failure;
    }
    buffer_put(out, end, sizeof end);
    if (reader_left(&reader) > 0)
        jpeg.stripped |= ATTACHMENT_STRIPPED_TRAILING;
    if (!jpeg.has_scan)
        return ERR_MALFORMED;
    *stripped |= jpeg.stripped;
    return out->failed ? ERR_TOO_LARGE : OK;
}
