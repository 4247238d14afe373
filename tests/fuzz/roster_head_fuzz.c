/* A signed head, and the head within it, have one spelling each. */
#include <stdlib.h>
#include <string.h>

#include "protocol/roster/roster_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct roster_head_signed signed_head;
    struct roster_head head;
    uint8_t memory[HEAD_SIZE_MAX];
    struct bytes all = {data, size};
    if (roster_head_signed_read(all, &signed_head) != OK)
        return 0;
    struct buffer again = buffer_over(memory, sizeof memory);
    roster_head_signed_write(&again, &signed_head);
    if (again.failed || !bytes_equal(all, buffer_bytes(&again)))
        abort();
    if (roster_head_read(signed_head.body, &head) != OK)
        return 0;
    again = buffer_over(memory, sizeof memory);
    roster_head_write(&again, &head);
    if (again.failed || !bytes_equal(signed_head.body, buffer_bytes(&again)))
        abort();
    return 0;
}
