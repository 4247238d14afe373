/* Any bytes as an endpoint: refused, or an address that is written and read to itself. */
#include <stdlib.h>
#include <string.h>

#include "node/os/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address address;
    struct address again;
    char text[ADDRESS_TEXT_MAX];
    if (address_parse((struct bytes){data, size}, &address) != OK)
        return 0;
    address_format(&address, text);
    if (address_parse(bytes_of_text(text), &again) != OK || again.port != address.port ||
        strcmp(again.host, address.host) != 0)
        abort();
    return 0;
}
