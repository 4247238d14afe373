/* Files that are whole or not there: atomic writes, bounded reads, directories and owners.
 *
 * Every function that fails with ERR_IO leaves the reason in errno. */
#ifndef CONSILIUM_NODE_OS_FILE_H
#define CONSILIUM_NODE_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* Replaces or makes `path` with `content`: a temporary file beside it, fsync, rename, fsync of the
 * directory. After OK it survives a power loss; after a failure the old file is as it was. */
MUST_USE err file_write(const char *path, struct bytes content, mode_t mode);

/* The same, but ERR_EXISTS when there is something at `path` already. */
MUST_USE err file_create(const char *path, struct bytes content, mode_t mode);

/* Reads all of a regular file into memory of the heap, which the caller frees; a NUL that is not
 * counted follows the last byte.
 *
 *   ERR_NOT_FOUND  no such file
 *   ERR_TOO_LARGE  more than `size_max` bytes
 *   ERR_INVALID    not a regular file */
MUST_USE err file_read(const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size);

/* The same for a secret: ERR_NOT_ENTITLED unless it belongs to us or root and neither group nor
 * others may do anything with it. The memory is wiped by file_wipe. */
MUST_USE err file_read_private(const char *path, size_t size_max, uint8_t **ret_data,
                               size_t *ret_size);

/* Opens a file for reading after the same checks; the caller closes it. */
MUST_USE err file_open_private(const char *path, int *ret_fd);

/* Wipes and frees what file_read_private gave. Accepts NULL. */
void file_wipe(uint8_t *data, size_t size);

/* Makes a directory (its parent must be there) with `mode`, or checks one that is there.
 *
 *   ERR_INVALID       something else stands at `path`
 *   ERR_NOT_ENTITLED  it is another's, or is open to more than `mode` */
MUST_USE err file_ensure_directory(const char *path, mode_t mode);

/* Takes an exclusive lock on `path` (made when missing, mode 0600) for as long as `*ret_fd` is
 * open. ERR_BUSY when another process has it. */
MUST_USE err file_lock(const char *path, int *ret_fd);

/* fsync of the directory in which `path` stands. */
MUST_USE err file_sync_parent(const char *path);

#endif
