/* What a cleaned JPEG became is clean: cleaned again it is the same, and nothing but
 * the orientation (which is written anew) is left behind. */
#include <stdlib.h>

#include "node/attachment/attachment.h"
#include "node/attachment/attachment_jpeg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t capacity = size + ATTACHMENT_JPEG_GROWTH_MAX;
    uint8_t *memory = malloc(2 * capacity + 1);
    uint32_t stripped = 0;
    if (memory == NULL)
        abort();
    struct buffer once = buffer_over(memory, capacity);
    struct buffer twice = buffer_over(memory + capacity, capacity);
    err failure = attachment_jpeg_clean((struct bytes){data, size}, &once, &stripped);
    if (once.failed)
        abort();
    if (failure == OK) {
        stripped = 0;
        failure = attachment_jpeg_clean(buffer_bytes(&once), &twice, &stripped);
        if (failure != OK || (stripped & ~(uint32_t)ATTACHMENT_STRIPPED_EXIF) != 0 ||
            !bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)))
            abort();
    }
    free(memory);
    return 0;
}
