#include "protocol/base/fingerprint.h"

enum { FINGERPRINT_GROUPS = 8, FINGERPRINT_DIGITS = 5 };

void fingerprint_write(const struct hash *hash, char ret_text[static FINGERPRINT_TEXT_SIZE])
{
    struct reader reader = reader_of(ID_BYTES(*hash));
    char *out = ret_text;
    for (size_t group = 0; group < FINGERPRINT_GROUPS; group++) {
        uint32_t value = reader_u32(&reader) % 100000;
        if (group > 0)
            *out++ = ' ';
        for (size_t i = FINGERPRINT_DIGITS; i > 0; i--) {
            out[i - 1] = (char)('0' + value % 10);
            value /= 10;
        }
        out += FINGERPRINT_DIGITS;
    }
    *out = '\0';
}

bool fingerprint_matches(const struct hash *hash, const char *text)
{
    char wanted[FINGERPRINT_TEXT_SIZE];
    fingerprint_write(hash, wanted);
    const char *next = wanted;
    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == '-' || *text == '\t' || *text == '\n')
            continue;
        while (*next == ' ')
            next++;
        if (*next == '\0' || *text != *next++)
            return false;
    }
    return *next == '\0';
}
