/* A frame between node and relay that parses has one spelling: written again it is the same. */
#include <stdlib.h>
#include <string.h>

#include "protocol/wire/relay_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_list(const struct relay_frame *frame, struct buffer *out)
{
    static struct relay_entry entries[RELAY_KEY_COUNT_MAX];
    for (uint16_t i = 0; i < frame->count; i++)
        entries[i] = relay_frame_entry(frame, i);
    relay_frame_write_list(frame->type, entries, frame->count, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[1 << 17];
    struct relay_frame frame;
    struct bytes input = {data, size};
    struct buffer out = buffer_over(memory, sizeof memory);
    if (relay_frame_parse(input, &frame) != OK)
        return 0;
    if (frame.count > 0)
        write_list(&frame, &out);
    else
        relay_frame_write(&frame, &out);
    if (out.failed || !bytes_equal(buffer_bytes(&out), input))
        abort();
    return 0;
}
