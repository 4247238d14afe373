/* Small rows and key files, as a program finds them again: read whole, or refused. What is read is
 * written again to the same bytes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/os/keyfile.h"
#include "node/rows/items_row.h"
#include "store/disk/item_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_items_row(struct bytes value)
{
    static uint8_t memory[ITEMS_ROW_SIZE_MAX];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct items_row row;
    if (items_row_read(value, &row) != OK)
        return;
    items_row_write(&row, &out);
    must(!out.failed && bytes_equal(buffer_bytes(&out), value));
}

static void read_item_row(struct bytes value)
{
    static uint8_t memory[ITEM_ROW_SIZE_MAX];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct item_row row;
    char name[ITEM_ROW_NAME_SIZE];
    if (item_row_read(value, &row) != OK)
        return;
    must(item_row_check(&row.shape) == OK && item_row_bits_size(&row.shape) == row.bits.size);
    for (uint32_t i = 0; i < item_row_chunk_count(&row.shape); i++)
        must(item_row_chunk_size(&row.shape, i) > 0);
    for (uint32_t i = 0; i < item_row_chunk_count(&row.shape); i++)
        (void)item_row_bit(&row, i);
    item_row_name(row.file, name);
    item_row_write(&out, &row);
    must(!out.failed && bytes_equal(buffer_bytes(&out), value));
}

/* A file of its own, written anew each time. */
static void read_keyfile(struct bytes file)
{
    static char path[64];
    struct keyfile keyfile;
    if (path[0] == 0) {
        const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(path, sizeof path, "%s/keyfile_fuzz_%d", base, (int)getpid());
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, file.data, file.size) == (ssize_t)file.size);
    close(fd);
    if (keyfile_peek(path, &keyfile) == OK) {
        uint8_t memory[4096];
        struct buffer secret = buffer_over(memory, sizeof memory);
        err failure = keyfile_load(path, keyfile.kind, NULL, &secret);
        must(failure != OK || (!secret.failed && secret.size > 0));
    }
    unlink(path);
}

/* u8 which, then its bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data + 1, size - 1};
    if (size == 0)
        return 0;
    if (data[0] % 3 == 0)
        read_items_row(rest);
    else if (data[0] % 3 == 1)
        read_item_row(rest);
    else
        read_keyfile(rest);
    return 0;
}
