/* Settings that were read, written and read once more say the same. */
#include <stdlib.h>
#include <string.h>

#include "protocol/member/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings, again;
    uint8_t memory[SETTINGS_SIZE_MAX], second[SETTINGS_SIZE_MAX];
    if (settings_read((struct bytes){data, size}, &settings) != OK)
        return 0;
    struct buffer once = buffer_over(memory, sizeof memory);
    struct buffer twice = buffer_over(second, sizeof second);
    settings_write(&once, &settings);
    if (once.failed || settings_read(buffer_bytes(&once), &again) != OK)
        abort();
    settings_write(&twice, &again);
    if (!bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)))
        abort();
    return 0;
}
