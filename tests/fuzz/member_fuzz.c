/* What reads as a member's entry is spelled in one way only. */
#include <stdlib.h>
#include <string.h>

#include "protocol/member/member.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct member member;
    uint8_t memory[MEMBER_SIZE_MAX];
    struct bytes all = {data, size};
    if (member_read(all, &member) != OK)
        return 0;
    struct buffer again = buffer_over(memory, sizeof memory);
    member_write(&again, &member);
    if (again.failed || !bytes_equal(all, buffer_bytes(&again)))
        abort();
    return 0;
}
