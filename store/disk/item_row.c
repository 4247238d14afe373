#include "store/disk/item_row.h"

#include "protocol/base/ids.h"

err item_row_check(const struct item_file_shape *shape)
{
    if (shape->size == 0 || shape->chunk_size == 0 || shape->chunk_size > CHUNK_SIZE_MAX) {
        return ERR_INVALID;
    }
    return (shape->size - 1) / shape->chunk_size < ITEM_FILE_CHUNK_COUNT_MAX ? OK : ERR_TOO_LARGE;
}

size_t item_row_bits_size(const struct item_file_shape *shape)
{
    return ((size_t)item_row_chunk_count(shape) + 7) / 8;
}

err item_row_read(struct bytes value, struct item_row *ret_row)
{
    struct reader reader = reader_of(value);
    struct item_row row = {.shape.size = reader_u64(&reader)};
    row.shape.chunk_size = reader_u32(&reader);
    reader_copy(&reader, row.file, sizeof row.file);
    row.bits = reader_take(&reader, reader_left(&reader));
    if (!reader_done(&reader) || item_row_check(&row.shape) != OK ||
        row.bits.size != item_row_bits_size(&row.shape)) {
        return ERR_CORRUPT;
    }
    *ret_row = row;
    return OK;
}

void item_row_write(struct buffer *buffer, const struct item_row *row)
{
    buffer_u64(buffer, row->shape.size);
    buffer_u32(buffer, row->shape.chunk_size);
    buffer_put(buffer, row->file, sizeof row->file);
    buffer_put(buffer, row->bits.data, row->bits.size);
}

bool item_row_bit(const struct item_row *row, uint32_t index)
{
    return (row->bits.data[index / 8] >> (index % 8) & 1) != 0;
}

uint64_t item_row_leaf_offset(const struct item_file_shape *shape, uint32_t index)
{
    return (uint64_t)item_row_chunk_count(shape) * CHUNK_SIZE_MAX + (uint64_t)index * HASH_SIZE;
}

uint64_t item_row_allotted(const struct item_file_shape *shape)
{
    return item_row_leaf_offset(shape, item_row_chunk_count(shape));
}

void item_row_name(const uint8_t file[static ITEM_ROW_FILE_SIZE],
                   char ret_name[static ITEM_ROW_NAME_SIZE])
{
    ids_to_hex((struct bytes){file, ITEM_ROW_FILE_SIZE}, ret_name);
}

uint32_t item_row_chunk_count(const struct item_file_shape *shape)
{
    return (uint32_t)((shape->size + shape->chunk_size - 1) / shape->chunk_size);
}

uint32_t item_row_chunk_size(const struct item_file_shape *shape, uint32_t index)
{
    uint64_t left = shape->size - (uint64_t)index * shape->chunk_size;
    return left < shape->chunk_size ? (uint32_t)left : shape->chunk_size;
}
