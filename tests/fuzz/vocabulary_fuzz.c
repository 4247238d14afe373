/* u16 kind, then a content: what is read can be written, and reads the same again. */
#include <stdlib.h>
#include <string.h>

#include "protocol/contents/content_registry.h"
#include "protocol/record/certificate.h"
#include "protocol/record/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t first[STATEMENT_CONTENT_SIZE_MAX], second[STATEMENT_CONTENT_SIZE_MAX];
    static union content_registry_value value;
    struct reader reader = reader_of((struct bytes){.data = data, .size = size});
    struct buffer one = buffer_over(first, sizeof first), two = buffer_over(second, sizeof second);
    uint16_t kind = reader_u16(&reader);
    struct bytes content = reader_take(&reader, reader_left(&reader));
    struct certificate certificate;
    if (kind == KIND_CERTIFICATE)
        (void)!certificate_read(content, &certificate);
    if (content_registry_read(kind, content, &value) != OK)
        return 0;
    /* fields of later versions are gone after the first writing, so the bytes may differ once */
    const struct content_table *table = content_registry_table(kind);
    if (content_write(table, &value, &one) != OK || one.size > content.size)
        abort();
    if (content_read(table, buffer_bytes(&one), &value) != OK)
        abort();
    if (content_write(table, &value, &two) != OK ||
        !bytes_equal(buffer_bytes(&one), buffer_bytes(&two)))
        abort();
    return 0;
}
