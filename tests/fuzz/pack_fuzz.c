/* What the walk admits is read whole, and written again it is the same bytes. */
#include <stdlib.h>

#include "protocol/base/limits.h"
#include "protocol/base/pack.h"

/* Reads any value by its first byte; depth is bounded by the walk. */
static void copy_value(struct pack *pack, struct buffer *out, size_t depth);

static void copy_map(struct pack *pack, struct buffer *out, size_t depth)
{
    struct pack_map map = pack_map_begin(pack);
    uint32_t count = map.left;
    pack_put_map(out, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = pack_uint(pack);
        pack_put_uint(out, key);
        copy_value(pack, out, depth + 1);
    }
}

static void copy_array(struct pack *pack, struct buffer *out, size_t depth)
{
    uint32_t count = pack_array(pack, UINT32_MAX);
    pack_put_array(out, count);
    for (uint32_t i = 0; i < count; i++)
        copy_value(pack, out, depth + 1);
}

static void copy_value(struct pack *pack, struct buffer *out, size_t depth)
{
    if (depth > PACK_DEPTH_MAX || pack->reader.offset >= pack->reader.size)
        abort();
    uint8_t first = pack->reader.data[pack->reader.offset];
    if (pack_nil(pack))
        pack_put_nil(out);
    else if (first == 0xc2 || first == 0xc3)
        pack_put_bool(out, pack_bool(pack));
    else if (first >= 0xc4 && first <= 0xc6)
        pack_put_bin(out, pack_bin(pack, SIZE_MAX));
    else if ((first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb))
        pack_put_text(out, pack_text(pack, SIZE_MAX));
    else if ((first >= 0x90 && first <= 0x9f) || first == 0xdc || first == 0xdd)
        copy_array(pack, out, depth);
    else if ((first >= 0x80 && first <= 0x8f) || first == 0xde || first == 0xdf)
        copy_map(pack, out, depth);
    else
        pack_put_uint(out, pack_uint(pack));
}

/* A parser like those of the records, fed what it does not expect. */
static void read_as_a_record(struct pack pack)
{
    uint8_t fixed[32];
    struct pack_map map = pack_map_begin(&pack);
    if (pack_field(&map, 1))
        pack_fixed(&pack, fixed, sizeof fixed);
    if (pack_need(&map, 2))
        pack_text(&pack, 20);
    if (pack_field(&map, 3))
        for (uint32_t left = pack_array(&pack, 10); left > 0; left--)
            pack_bool(&pack);
    pack_map_end(&map);
    if (pack_close(&pack) == OK && pack.reader.offset != pack.reader.size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes all = {.data = data, .size = size};
    struct pack pack;
    if (pack_open(all, &pack) != OK)
        return 0;
    read_as_a_record(pack);
    struct pack skipped = pack;
    pack_skip(&skipped);
    if (pack_close(&skipped) != OK)
        abort();
    uint8_t *memory = malloc(size);
    if (memory == NULL)
        abort();
    struct buffer out = buffer_over(memory, size);
    copy_value(&pack, &out, 0);
    struct pack again;
    if (pack_close(&pack) != OK || out.failed || !bytes_equal(buffer_bytes(&out), all) ||
        pack_open(buffer_bytes(&out), &again) != OK)
        abort();
    free(memory);
    return 0;
}
