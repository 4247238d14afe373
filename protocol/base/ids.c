#include "protocol/base/ids.h"

#include <string.h>

bool ids_all_zero(struct bytes bytes)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < bytes.size; i++)
        seen |= bytes.data[i];
    return seen == 0;
}

void ids_to_hex(struct bytes bytes, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        ret_text[2 * i] = digits[bytes.data[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    ret_text[2 * bytes.size] = '\0';
}

static int ids_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

err ids_from_hex(const char *text, uint8_t *ret_bytes, size_t size)
{
    if (strlen(text) != 2 * size)
        return ERR_MALFORMED;
    for (size_t i = 0; i < 2 * size; i++) {
        if (ids_digit(text[i]) < 0)
            return ERR_MALFORMED;
    }
    for (size_t i = 0; i < size; i++)
        ret_bytes[i] = (uint8_t)(ids_digit(text[2 * i]) * 16 + ids_digit(text[2 * i + 1]));
    return OK;
}
