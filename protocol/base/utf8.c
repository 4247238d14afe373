#include "protocol/base/utf8.h"

/* The bytes that may follow a lead byte, after the table "Syntax of UTF-8 Byte Sequences" of RFC
 * 3629, section 4. Only the second byte has a range of its own. That range excludes overlong forms
 * (e0, f0), surrogates (ed) and code points above U+10FFFF (f4). */
struct utf8_lead {
    size_t follow_count;
    uint8_t second_min;
    uint8_t second_max;
};

static bool utf8_lead(uint8_t byte, struct utf8_lead *ret_lead)
{
    struct utf8_lead lead = {.follow_count = 0, .second_min = 0x80, .second_max = 0xbf};
    if (byte < 0x80)
        lead.follow_count = 0;
    else if (byte >= 0xc2 && byte <= 0xdf)
        lead.follow_count = 1;
    else if (byte >= 0xe0 && byte <= 0xef)
        lead.follow_count = 2;
    else if (byte >= 0xf0 && byte <= 0xf4)
        lead.follow_count = 3;
    else
        return false;
    if (byte == 0xe0)
        lead.second_min = 0xa0;
    if (byte == 0xed)
        lead.second_max = 0x9f;
    if (byte == 0xf0)
        lead.second_min = 0x90;
    if (byte == 0xf4)
        lead.second_max = 0x8f;
    *ret_lead = lead;
    return true;
}

bool utf8_valid(struct bytes text)
{
    size_t at = 0;
    while (at < text.size) {
        struct utf8_lead lead;
        if (!utf8_lead(text.data[at], &lead) || lead.follow_count > text.size - at - 1)
            return false;
        for (size_t i = 1; i <= lead.follow_count; i++) {
            uint8_t byte = text.data[at + i];
            uint8_t low = i == 1 ? lead.second_min : 0x80;
            uint8_t high = i == 1 ? lead.second_max : 0xbf;
            if (byte < low || byte > high)
                return false;
        }
        at += 1 + lead.follow_count;
    }
    return true;
}
