/* A request that proves itself can become a member. */
#include <stdlib.h>

#include "protocol/roster/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct join_request request;
    struct member member;
    struct bytes all = {data, size};
    (void)join_fingerprint(all);
    if (join_read(all, &request) != OK)
        return 0;
    join_member(&request, 1, &member);
    if (member_check(&member) != OK)
        abort();
    return 0;
}
