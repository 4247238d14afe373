#include "store/item_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/disk/item_disk.h"
#include "store/write/item_writer.h"

err item_file_create(struct store *store, const struct item_id *item,
                     const struct item_file_shape *shape, uint64_t token)
{
    err result = item_row_check(shape);
    return result == OK ? item_writer_create(store->items, item, shape, token) : result;
}

err item_file_write(struct store *store, const struct item_id *item,
                    const struct item_file_chunk *chunk, uint64_t token)
{
    if (chunk->data.size == 0 || chunk->data.size > CHUNK_SIZE_MAX) {
        return ERR_INVALID;
    }
    return item_writer_write(store->items, item, chunk, token);
}

err item_file_state(struct store *store, const struct item_id *item,
                    struct item_file_state *ret_state)
{
    struct item_row row;
    uint8_t *memory;
    err result = item_disk_row(store, item, &row, &memory);
    if (result != OK) {
        return result;
    }
    struct item_file_state state = {.shape = row.shape,
                                    .chunk_count = item_row_chunk_count(&row.shape)};
    for (uint32_t i = 0; i < state.chunk_count; i += 1) {
        state.chunks_here += item_row_bit(&row, i) ? 1 : 0;
    }
    free(memory);
    *ret_state = state;
    return OK;
}

err item_file_next(struct store *store, const struct item_id *item, bool here, uint32_t index,
                   uint32_t *ret_index)
{
    struct item_row row;
    uint8_t *memory;
    err result = item_disk_row(store, item, &row, &memory);
    if (result != OK) {
        return result;
    }
    uint32_t count = item_row_chunk_count(&row.shape);
    while (index < count && item_row_bit(&row, index) != here) {
        index += 1;
    }
    free(memory);
    *ret_index = index < count ? index : count;
    return OK;
}

static err read_at(int fd, uint8_t *out, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (count == 0) {
            return ERR_CORRUPT;
        }
        if (count < 0 && errno != EINTR) {
            return ERR_IO;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return OK;
}

/* Opens the item's file; ERR_NOT_FOUND also when it was deleted after its row was read. */
static err open_file(struct store *store, const struct item_row *row, int *ret_fd)
{
    char name[ITEM_ROW_NAME_SIZE];
    item_row_name(row->file, name);
    *ret_fd = openat(store->directory.items_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*ret_fd >= 0) {
        return OK;
    }
    return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

err item_file_read(struct store *store, const struct item_id *item, uint32_t index,
                   uint8_t memory[static CHUNK_SIZE_MAX], struct item_file_chunk *ret_chunk)
{
    struct item_row row;
    uint8_t *row_memory;
    int fd = -1;
    err result = item_disk_row(store, item, &row, &row_memory);
    if (result != OK) {
        return result;
    }
    struct item_file_chunk chunk = {.index = index};
    if (index >= item_row_chunk_count(&row.shape) || !item_row_bit(&row, index)) {
        result = ERR_NOT_FOUND;
    } else {
        result = open_file(store, &row, &fd);
    }
    if (result == OK) {
        chunk.data = (struct bytes){memory, item_row_chunk_size(&row.shape, index)};
        result = read_at(fd, memory, chunk.data.size, (uint64_t)index * CHUNK_SIZE_MAX);
    }
    if (result == OK) {
        result = read_at(fd, chunk.leaf.bytes, HASH_SIZE, item_row_leaf_offset(&row.shape, index));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(row_memory);
    if (result == OK) {
        *ret_chunk = chunk;
    }
    return result;
}

err item_file_leaves(struct store *store, const struct item_id *item, uint32_t index,
                     uint32_t count, struct hash *ret_leaves)
{
    struct item_row row;
    uint8_t *row_memory;
    int fd = -1;
    err result = item_disk_row(store, item, &row, &row_memory);
    if (result != OK) {
        return result;
    }
    uint32_t chunk_count = item_row_chunk_count(&row.shape);
    if (index > chunk_count || count > chunk_count - index) {
        result = ERR_INVALID;
    } else {
        result = open_file(store, &row, &fd);
    }
    if (result == OK && count > 0) {
        result = read_at(fd, ret_leaves[0].bytes, (size_t)count * HASH_SIZE,
                         item_row_leaf_offset(&row.shape, index));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(row_memory);
    return result;
}
