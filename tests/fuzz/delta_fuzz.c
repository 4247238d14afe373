/* A part of a delta is read whole or dropped, and its items stay within it. */
#include <stdlib.h>

#include "protocol/roster/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct delta_part part;
    static uint8_t memory[DELTA_PART_SIZE_MAX];
    struct delta_assembly assembly;
    if (delta_part_read((struct bytes){data, size}, &part) != OK)
        return 0;
    delta_assembly_begin(&assembly, &part.head, &part.base, memory, sizeof memory);
    err failure = delta_assembly_add(&assembly, &part);
    if ((failure == OK) != (part.index == 0))
        abort();
    if (failure == OK && !bytes_equal(delta_assembly_delta(&assembly).items, part.items))
        abort();
    return 0;
}
