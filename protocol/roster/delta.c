#include "protocol/roster/delta.h"

#include <string.h>

_Static_assert((size_t)SETTINGS_SIZE_MAX <= (size_t)DELTA_ITEM_SIZE_MAX,
               "settings must fit a part");
_Static_assert((size_t)MEMBER_SIZE_MAX <= (size_t)DELTA_ITEM_SIZE_MAX, "a member must fit a part");

/* ---- items ---- */

void delta_item_write(struct buffer *items, enum delta_kind kind, struct bytes content)
{
    buffer_u8(items, (uint8_t)kind);
    buffer_u32(items, (uint32_t)content.size);
    buffer_put(items, content.data, content.size);
}

err delta_item_read(struct reader *reader, enum delta_kind *ret_kind, struct bytes *ret_content)
{
    if (reader_done(reader))
        return ERR_NOT_FOUND;
    uint8_t kind = reader_u8(reader);
    uint32_t size = reader_u32(reader);
    if (!reader->failed && size > DELTA_ITEM_SIZE_MAX)
        return ERR_TOO_LARGE;
    struct bytes content = reader_take(reader, size);
    if (reader->failed)
        return ERR_TRUNCATED;
    if (kind < DELTA_SETTINGS || kind > DELTA_MEMBER)
        return ERR_MALFORMED;
    *ret_kind = (enum delta_kind)kind;
    *ret_content = content;
    return OK;
}

/* ---- parts ---- */

bool delta_part_write(const struct delta *delta, uint32_t index, size_t *offset,
                      struct buffer *part)
{
    struct reader reader = reader_of(delta->items);
    reader.offset = *offset;
    size_t end = *offset;
    enum delta_kind kind;
    struct bytes content;
    while (delta_item_read(&reader, &kind, &content) == OK &&
           reader.offset - *offset <= DELTA_PART_SIZE_MAX - DELTA_PART_HEADER_SIZE)
        end = reader.offset;
    bool last = end == delta->items.size;
    buffer_put(part, delta->head.bytes, HASH_SIZE);
    buffer_put(part, delta->base.bytes, HASH_SIZE);
    buffer_u32(part, index);
    buffer_u8(part, last ? 1 : 0);
    if (end > *offset)
        buffer_put(part, delta->items.data + *offset, end - *offset);
    *offset = end;
    return last;
}

err delta_part_read(struct bytes all, struct delta_part *ret_part)
{
    struct delta_part part;
    struct reader reader = reader_of(all);
    if (all.size > DELTA_PART_SIZE_MAX)
        return ERR_TOO_LARGE;
    reader_copy(&reader, part.head.bytes, HASH_SIZE);
    reader_copy(&reader, part.base.bytes, HASH_SIZE);
    part.index = reader_u32(&reader);
    uint8_t last = reader_u8(&reader);
    part.items = reader_take(&reader, reader_left(&reader));
    if (reader.failed)
        return ERR_TRUNCATED;
    if (last > 1)
        return ERR_MALFORMED;
    part.last = last == 1;
    struct reader items = reader_of(part.items);
    enum delta_kind kind;
    struct bytes content;
    err failure;
    while ((failure = delta_item_read(&items, &kind, &content)) == OK)
        continue;
    if (failure != ERR_NOT_FOUND)
        return failure;
    *ret_part = part;
    return OK;
}

/* ---- putting parts together: ROSTER-27 ---- */

void delta_assembly_begin(struct delta_assembly *assembly, const struct head_id *head,
                          const struct head_id *base, uint8_t *memory, size_t size)
{
    assembly->head = *head;
    assembly->base = *base;
    assembly->index = 0;
    assembly->complete = false;
    assembly->items = buffer_over(memory, size);
}

err delta_assembly_add(struct delta_assembly *assembly, const struct delta_part *part)
{
    if (assembly->complete || part->index != assembly->index ||
        !ID_EQUAL(part->head, assembly->head) || !ID_EQUAL(part->base, assembly->base))
        return ERR_OUT_OF_ORDER;
    if (part->items.size > assembly->items.capacity - assembly->items.size)
        return ERR_TOO_LARGE;
    buffer_put(&assembly->items, part->items.data, part->items.size);
    assembly->index++;
    assembly->complete = part->last;
    return OK;
}

struct delta delta_assembly_delta(const struct delta_assembly *assembly)
{
    return (struct delta){
        .head = assembly->head,
        .base = assembly->base,
        .items = buffer_bytes(&assembly->items),
    };
}
