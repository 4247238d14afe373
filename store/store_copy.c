#include "store/store_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/disk/item_disk.h"
#include "store/disk/row_reader.h"

enum {
    COPY_TRY_COUNT = 10,     /* a rekey that begins or ends during a copy costs one */
    COPY_LOST_TRY_COUNT = 3, /* then a file that is not there is lost, not just deleted */
    COPY_BLOCK_SIZE = 1024 * 1024,
};

struct copying {
    const struct store_copy_request *request;
    char *problem;
    struct directory source;
    struct store *copied; /* while items are copied */
    uint8_t *block;
    uint64_t total;
    uint64_t done;
    struct store_copy result;
    err failure;
};

static err copying_fail(struct copying *copying, err code, const char *what)
{
    if (copying->problem[0] == '\0') {
        (void)snprintf(copying->problem, STORE_PROBLEM_SIZE, "%.240s: %.200s", copying->request->to,
                       what);
    }
    return code;
}

static err copying_fail_io(struct copying *copying, const char *what)
{
    int number = errno;
    char line[256];
    const char *why = strerrordesc_np(number);
    (void)snprintf(line, sizeof line, "%s: %s", what, why != NULL ? why : "?");
    return copying_fail(copying, directory_errno(number), line);
}

/* ---- the tables ---- */

/* (S-15) ERR_BUSY: the keyring changed meanwhile, so it may not open all of the copy. */
static err copy_tables(struct copying *copying, int to_fd, int data_fd)
{
    struct keyring_image before;
    struct keyring_image after;
    err result = keyring_image_read(copying->source.fd, &before);
    if (result == OK && ftruncate(data_fd, 0) != 0) {
        result = ERR_IO;
    }
    if (result == OK && lseek(data_fd, 0, SEEK_SET) != 0) {
        result = ERR_IO;
    }
    if (result == OK) {
        result = env_copy(copying->request->from, data_fd);
    }
    if (result == OK) {
        result = keyring_image_read(copying->source.fd, &after);
    }
    if (result == OK && !keyring_image_equal(&before, &after)) {
        return ERR_BUSY;
    }
    if (result == OK) {
        result = keyring_image_write(to_fd, &after);
    }
    struct stat info;
    if (result == OK && fstat(data_fd, &info) == 0) {
        copying->result.bytes = (uint64_t)info.st_size;
    }
    return result;
}

/* ---- the files of items ---- */

static err copy_file(struct copying *copying, int from_fd, int to_fd)
{
    for (;;) {
        ssize_t size = read(from_fd, copying->block, COPY_BLOCK_SIZE);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            return copying_fail_io(copying, "cannot read a document of the store");
        }
        if (size == 0) {
            return OK;
        }
        for (ssize_t written = 0; written < size;) {
            ssize_t count = write(to_fd, copying->block + written, (size_t)(size - written));
            if (count < 0 && errno != EINTR) {
                return copying_fail_io(copying, "cannot write a document");
            }
            written += count > 0 ? count : 0;
        }
        copying->done += (uint64_t)size;
        if (copying->request->watch.on_progress != NULL) {
            copying->request->watch.on_progress(copying->request->watch.arg, copying->done,
                                                copying->total);
        }
    }
}

static err copy_item(struct copying *copying, const char *name)
{
    int from_fd = openat(copying->source.items_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from_fd < 0 && errno == ENOENT) {
        copying->result.item_lost_count += 1;
        return OK;
    }
    int to_fd = from_fd < 0 ? -1
                            : openat(copying->copied->directory.items_fd, name,
                                     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    err result = to_fd < 0 ? copying_fail_io(copying, "cannot copy a document")
                           : copy_file(copying, from_fd, to_fd);
    if (result == OK && fsync(to_fd) != 0) {
        result = copying_fail_io(copying, "cannot write a document");
    }
    if (from_fd >= 0) {
        close(from_fd);
    }
    if (to_fd >= 0) {
        close(to_fd);
    }
    return result;
}

static bool on_item(void *arg, const struct store_row *row)
{
    struct copying *copying = arg;
    struct item_row item;
    char name[ITEM_ROW_NAME_SIZE];
    copying->failure = item_row_read(row->value, &item);
    if (copying->failure == OK) {
        item_row_name(item.file, name);
        copying->result.item_count += 1;
        copying->failure = copy_item(copying, name);
    }
    return copying->failure == OK;
}

static bool on_item_size(void *arg, const struct store_row *row)
{
    struct copying *copying = arg;
    struct item_row item;
    if (item_row_read(row->value, &item) == OK) {
        copying->total += item_row_allotted(&item.shape);
    }
    return true;
}

static err copy_items(struct copying *copying)
{
    struct row_codec_row_key from = {.size = 1, .bytes = {ROW_CODEC_TABLE_ITEM}};
    copying->total = copying->done = 0;
    copying->result.item_count = copying->result.item_lost_count = 0;
    copying->failure = OK;
    err result = row_reader_scan(copying->copied, from, on_item_size, copying);
    if (result == OK) {
        result = row_reader_scan(copying->copied, from, on_item, copying);
    }
    if (result == OK) {
        result = copying->failure;
    }
    copying->result.bytes += copying->done;
    /* an earlier try may have copied what was deleted since */
    return result == OK ? item_disk_clean(copying->copied) : result;
}

/* ---- all of it ---- */

static err copy_once(struct copying *copying, int to_fd, int data_fd, bool is_last)
{
    err result = copy_tables(copying, to_fd, data_fd);
    if (result != OK) {
        return result;
    }
    result = store_open_copy(copying->request->to, copying->request->master, copying->problem,
                             &copying->copied);
    if (result == OK) {
        result = copy_items(copying);
        store_close(copying->copied);
    }
    /* an item was deleted since the tables were copied: then they are copied again without it */
    return result == OK && copying->result.item_lost_count > 0 && !is_last ? ERR_BUSY : result;
}

static err copy_all(struct copying *copying)
{
    int to_fd = open(copying->request->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int data_fd =
        to_fd < 0 ? -1 : openat(to_fd, "data.mdb", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    copying->block = malloc(COPY_BLOCK_SIZE);
    err result = data_fd < 0              ? copying_fail_io(copying, "cannot write to it")
                 : copying->block == NULL ? ERR_NO_MEMORY
                                          : ERR_BUSY;
    for (unsigned i = 1; result == ERR_BUSY && i <= COPY_TRY_COUNT; i += 1) {
        result = copy_once(copying, to_fd, data_fd, i >= COPY_LOST_TRY_COUNT);
    }
    if (result == OK && fsync(to_fd) != 0) {
        result = ERR_IO;
    }
    free(copying->block);
    if (data_fd >= 0) {
        close(data_fd);
    }
    if (to_fd >= 0) {
        close(to_fd);
    }
    return result;
}

err store_copy(const struct store_copy_request *request,
               char ret_problem[static STORE_PROBLEM_SIZE], struct store_copy *ret_copy)
{
    ret_problem[0] = '\0';
    struct copying copying = {.request = request, .problem = ret_problem};
    err result = directory_open_source(request->from, ret_problem, &copying.source);
    if (result != OK) {
        return result;
    }
    result = directory_make_copy(request->to, ret_problem);
    if (result == OK) {
        result = copy_all(&copying);
    }
    directory_close(&copying.source);
    if (result == ERR_BUSY) {
        return copying_fail(&copying, result, "erasures go on; try again when they are done");
    }
    if (result != OK) {
        return copying_fail(&copying, result, err_sentence(result));
    }
    *ret_copy = copying.result;
    return OK;
}
