/* A statement that is read is written again to the same bytes, unless its kind is of later times.
 */
#include <stdlib.h>

#include "protocol/record/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct bytes all = {.data = data, .size = size};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct statement statement;
    if (statement_read(all, &statement) != OK || kind_rule(statement.kind) == NULL)
        return 0;
    if (statement_write(&statement, &out) != OK || !bytes_equal(buffer_bytes(&out), all))
        abort();
    return 0;
}
