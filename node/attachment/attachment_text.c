#include "node/attachment/attachment_text.h"

#include <string.h>

#include "node/attachment/attachment.h"
#include "protocol/base/limits.h"
#include "protocol/base/utf8.h"

/* The code point at `*at` of valid UTF-8; passes over it. */
static uint32_t text_next(struct bytes text, size_t *at)
{
    uint8_t first = text.data[(*at)++];
    if (first < 0x80)
        return first;
    uint32_t point = first >= 0xf0 ? first & 0x07u : first >= 0xe0 ? first & 0x0fu : first & 0x1fu;
    while (*at < text.size && (text.data[*at] & 0xc0) == 0x80)
        point = point << 6 | (text.data[(*at)++] & 0x3fu);
    return point;
}

static bool text_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

/* Characters of no width, and those that turn the direction of what follows (Unicode 15, tables of
 * General_Category Cf, Zl and Zp): with them "gpj.exe" can look like "exe.jpg". */
static bool text_is_hidden(uint32_t point)
{
    return point == 0xad || point == 0x61c || point == 0x180e || point == 0xfeff ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || (point >= 0xfff9 && point <= 0xfffb) ||
           (point >= 0xe0000 && point <= 0xe0fff);
}

err attachment_text_clean(struct bytes content, struct buffer *out, uint32_t *stripped)
{
    static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
    if (content.size >= sizeof mark && memcmp(content.data, mark, sizeof mark) == 0) {
        content.data += sizeof mark;
        content.size -= sizeof mark;
        *stripped |= ATTACHMENT_STRIPPED_MARK;
    }
    if (!utf8_valid(content))
        return ERR_MALFORMED;
    for (size_t at = 0; at < content.size;) {
        uint32_t point = text_next(content, &at);
        if (text_is_control(point) && point != '\t' && point != '\n' && point != '\r' &&
            point != '\f')
            return ERR_MALFORMED;
    }
    buffer_put(out, content.data, content.size);
    return out->failed ? ERR_TOO_LARGE : OK;
}

bool attachment_text_is_name(struct bytes name)
{
    if (name.size == 0 || name.size > ITEM_NAME_SIZE_MAX || !utf8_valid(name))
        return false;
    for (size_t at = 0; at < name.size;) {
        uint32_t point = text_next(name, &at);
        if (point == '/' || point == '\\' || text_is_control(point) || text_is_hidden(point))
            return false;
    }
    return true;
}
