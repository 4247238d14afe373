#include "store/disk/item_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/disk/row_codec.h"
#include "store/disk/row_reader.h"

/* ---- files ---- */

err item_disk_write(int fd, const uint8_t *data, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = pwrite(fd, data + done, size - done, (off_t)(offset + done));
        if (count < 0 && errno != EINTR) {
            return directory_errno(errno);
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return OK;
}

err item_disk_remove(const struct store *store, const uint8_t file[static ITEM_ROW_FILE_SIZE])
{
    char name[ITEM_ROW_NAME_SIZE];
    item_row_name(file, name);
    if (unlinkat(store->directory.items_fd, name, 0) != 0 && errno != ENOENT) {
        return ERR_IO;
    }
    return fsync(store->directory.items_fd) == 0 ? OK : ERR_IO;
}

/* (S-10) Reserves the whole space of an item at once, or refuses it. */
err item_disk_make(const struct store *store, const struct item_row *row)
{
    char name[ITEM_ROW_NAME_SIZE];
    item_row_name(row->file, name);
    int fd = openat(store->directory.items_fd, name,
                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return directory_errno(errno);
    }
    int number = posix_fallocate(fd, 0, (off_t)item_row_allotted(&row->shape));
    if (number == 0 && (fsync(fd) != 0 || fsync(store->directory.items_fd) != 0)) {
        number = errno;
    }
    close(fd);
    if (number != 0) {
        (void)unlinkat(store->directory.items_fd, name, 0);
        return directory_errno(number);
    }
    return OK;
}

err item_disk_row(struct store *store, const struct item_id *item, struct item_row *ret_row,
                  uint8_t **ret_memory)
{
    struct row_codec_row_key row_key =
        row_codec_row_key(store, ROW_CODEC_TABLE_ITEM, ID_BYTES(*item));
    struct store_row row;
    uint8_t *plain;
    size_t size;
    err result = row_reader_load(store, &row_key, &plain, &size, &row);
    if (result != OK) {
        return result;
    }
    result = item_row_read(row.value, ret_row);
    if (result != OK) {
        free(plain);
        return result;
    }
    *ret_memory = plain;
    return OK;
}

struct names {
    char (*all)[ITEM_ROW_NAME_SIZE];
    size_t count;
    size_t capacity;
    err result;
};

static bool add_name(void *arg, const struct store_row *row)
{
    struct names *names = arg;
    struct item_row item;
    names->result = item_row_read(row->value, &item);
    if (names->result != OK) {
        return false;
    }
    if (names->count == names->capacity) {
        size_t capacity = names->capacity * 2;
        void *grown = realloc(names->all, capacity * ITEM_ROW_NAME_SIZE);
        if (grown == NULL) {
            names->result = ERR_NO_MEMORY;
            return false;
        }
        names->all = grown;
        names->capacity = capacity;
    }
    item_row_name(item.file, names->all[names->count]);
    names->count += 1;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static err remove_strays(const struct store *store, struct names *names)
{
    int copy = openat(store->directory.items_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (list == NULL) {
        return ERR_IO;
    }
    qsort(names->all, names->count, ITEM_ROW_NAME_SIZE, compare_names);
    struct dirent *entry; /* glibc's readdir is safe on a stream that no other thread uses */
    while ((entry = readdir(list)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        if (strlen(entry->d_name) == ITEM_ROW_NAME_SIZE - 1 &&
            bsearch(entry->d_name, names->all, names->count, ITEM_ROW_NAME_SIZE, compare_names) ==
                NULL) {
            (void)unlinkat(store->directory.items_fd, entry->d_name, 0);
        }
    }
    closedir(list);
    return fsync(store->directory.items_fd) == 0 ? OK : ERR_IO;
}

err item_disk_clean(struct store *store)
{
    struct names names = {.capacity = 64, .result = OK};
    names.all = calloc(names.capacity, ITEM_ROW_NAME_SIZE);
    if (names.all == NULL) {
        return ERR_NO_MEMORY;
    }
    struct row_codec_row_key from = {.size = 1, .bytes = {ROW_CODEC_TABLE_ITEM}};
    err result = row_reader_scan(store, from, add_name, &names);
    if (result == OK) {
        result = names.result;
    }
    if (result == OK) {
        result = remove_strays(store, &names);
    }
    free(names.all);
    return result;
}
