#include "protocol/member/tag.h"

#include <string.h>

#include "protocol/base/limits.h"

static bool tag_character(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* ROSTER-7: one spelling, so that a tag means the same board everywhere. */
err tag_check(struct bytes tag)
{
    if (tag.size > TAG_SIZE_MAX)
        return ERR_TOO_LARGE;
    bool in_segment = false;
    for (size_t i = 0; i < tag.size; i++) {
        bool slash = tag.data[i] == '/';
        if (slash ? !in_segment : !tag_character(tag.data[i]))
            return ERR_MALFORMED;
        in_segment = !slash;
    }
    return in_segment ? OK : ERR_MALFORMED;
}

bool tag_covers(struct bytes wide, struct bytes narrow)
{
    if (wide.size > narrow.size || memcmp(wide.data, narrow.data, wide.size) != 0)
        return false;
    return wide.size == narrow.size || narrow.data[wide.size] == '/';
}

int tag_compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}
