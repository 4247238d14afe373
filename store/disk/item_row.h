/* The row of an item: its shape, its file, and which of its chunks are on the disk.
 *
 * The file gets a random name when it is created, so that an item which is deleted and created
 * again never uses its old file. */
#ifndef CONSILIUM_STORE_DISK_ITEM_ROW_H
#define CONSILIUM_STORE_DISK_ITEM_ROW_H

#include "store/disk/store_types.h"

enum { ITEM_ROW_FILE_SIZE = 16, ITEM_ROW_NAME_SIZE = 2 * ITEM_ROW_FILE_SIZE + 1 };

struct item_row {
    struct item_file_shape shape;
    uint8_t file[ITEM_ROW_FILE_SIZE];
    struct bytes bits; /* one for each chunk, low bit first */
};

enum { ITEM_ROW_SIZE_MAX = 12 + ITEM_ROW_FILE_SIZE + ITEM_FILE_CHUNK_COUNT_MAX / 8 };

/* Borrows. ERR_CORRUPT. */
MUST_USE err item_row_read(struct bytes value, struct item_row *ret_row);
void item_row_write(struct buffer *buffer, const struct item_row *row);

bool item_row_bit(const struct item_row *row, uint32_t index);
size_t item_row_bits_size(const struct item_file_shape *shape);

uint32_t item_row_chunk_count(const struct item_file_shape *shape);
uint32_t item_row_chunk_size(const struct item_file_shape *shape, uint32_t index);

/* The file holds chunk n at n * CHUNK_SIZE_MAX, then the leaf hashes, 32 bytes each. */
uint64_t item_row_allotted(const struct item_file_shape *shape);
uint64_t item_row_leaf_offset(const struct item_file_shape *shape, uint32_t index);

/* ERR_INVALID or ERR_TOO_LARGE for an impossible shape. */
MUST_USE err item_row_check(const struct item_file_shape *shape);

/* The name in items/, in hexadecimal. */
void item_row_name(const uint8_t file[static ITEM_ROW_FILE_SIZE],
                   char ret_name[static ITEM_ROW_NAME_SIZE]);

#endif
