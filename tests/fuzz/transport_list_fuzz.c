/* Every key of a transport list that was checked is found in it, with its role. */
#include <stdlib.h>

#include "protocol/member/transport_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes list = {data, size};
    if (transport_list_check(list) != OK)
        return 0;
    for (uint32_t i = 0; i < transport_list_count(list); i++) {
        struct transport_key key;
        enum transport_role role, found;
        transport_list_at(list, i, &key, &role);
        if (!transport_list_find(list, &key, &found) || found != role)
            abort();
    }
    return 0;
}
