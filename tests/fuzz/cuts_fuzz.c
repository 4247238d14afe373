/* Every stream of a list of cuts that was checked is found in it. */
#include <stdlib.h>

#include "protocol/member/cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes cuts = {data, size};
    struct cut cut, found;
    if (cuts_check(cuts) != OK)
        return 0;
    for (uint32_t i = 0; i < cuts_count(cuts); i++) {
        cuts_at(cuts, i, &cut);
        if (!cuts_find(cuts, &cut.stream, &found) || found.sequence != cut.sequence)
            abort();
    }
    return 0;
}
