#include "node/rollback/rollback_guard.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/os/file.h"
#include "protocol/base/hash.h"

/* By what a copy of the file is told from it. */
enum rollback_guard_place_kind {
    ROLLBACK_GUARD_NO_PLACE, /* begun by an earlier version */
    ROLLBACK_GUARD_BORN,     /* when the file was made, in nanoseconds: nobody can set it */
    ROLLBACK_GUARD_INODE,    /* where the file system does not say that */
};

struct rollback_guard_place {
    uint64_t kind;
    uint64_t value;
};

enum {
    ROLLBACK_GUARD_PLAIN_SIZE = STREAM_ID_SIZE + 8,
    ROLLBACK_GUARD_NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    ROLLBACK_GUARD_ENTRY_SIZE = ROLLBACK_GUARD_NONCE_SIZE + ROLLBACK_GUARD_PLAIN_SIZE +
                                crypto_aead_xchacha20poly1305_ietf_ABYTES,
    ROLLBACK_GUARD_FILE_SIZE_MAX = 512 * 1024 * 1024,
    ROLLBACK_GUARD_WASTE_MAX = 1024, /* entries that say less than a later one */
};

/* As it is sealed; the first entry of a file holds the id instead. */
struct rollback_guard_plain {
    uint8_t bytes[ROLLBACK_GUARD_PLAIN_SIZE];
};

struct rollback_guard {
    char *path;
    char *next_path;
    uint8_t *key; /* locked */
    struct rollback_guard_plain *entries;
    size_t count;
    size_t wasted;
    struct rollback_guard_id id;
    struct rollback_guard_place place; /* as the file says */
    bool is_moved;                     /* it is somewhere else */
    bool is_there;
    bool is_whole;
    int fd; /* entries are appended to it; -1: not begun */
    bool is_dirty;
};

/* ---- where it is ---- */

static struct rollback_guard_place rollback_guard_place(int folder, const char *path, int flags,
                                                        uint64_t kind)
{
    struct statx about;
    struct rollback_guard_place place = {ROLLBACK_GUARD_NO_PLACE, 0};
    if (statx(folder, path, flags, STATX_INO | STATX_BTIME, &about) != 0)
        return place;
    bool has_birth = (about.stx_mask & STATX_BTIME) != 0 && kind != ROLLBACK_GUARD_INODE;
    place.kind = has_birth ? ROLLBACK_GUARD_BORN : ROLLBACK_GUARD_INODE;
    place.value = has_birth ? (uint64_t)about.stx_btime.tv_sec * 1000000000 +
                                  (uint64_t)about.stx_btime.tv_nsec
                            : about.stx_ino;
    return place;
}

static void rollback_guard_read_head(struct rollback_guard *marker,
                                     const struct rollback_guard_plain *plain)
{
    struct reader reader = reader_of((struct bytes){plain->bytes, sizeof plain->bytes});
    reader_copy(&reader, marker->id.bytes, sizeof marker->id.bytes);
    marker->place.kind = reader_u64(&reader);
    marker->place.value = reader_u64(&reader);
    struct rollback_guard_place here =
        rollback_guard_place(AT_FDCWD, marker->path, 0, marker->place.kind);
    marker->is_moved = marker->place.kind != ROLLBACK_GUARD_NO_PLACE &&
                       (here.kind != marker->place.kind || here.value != marker->place.value);
}

/* ---- reading ---- */

static bool rollback_guard_open_entry(const struct rollback_guard *marker, const uint8_t *entry,
                                      struct rollback_guard_plain *ret_plain)
{
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               ret_plain->bytes, NULL, NULL, entry + ROLLBACK_GUARD_NONCE_SIZE,
               ROLLBACK_GUARD_ENTRY_SIZE - ROLLBACK_GUARD_NONCE_SIZE, NULL, 0, entry,
               marker->key) == 0;
}

/* By stream, then by sequence: both stand in an order that bytes have too. */
static int rollback_guard_compare(const void *a, const void *b)
{
    return memcmp(a, b, ROLLBACK_GUARD_PLAIN_SIZE);
}

/* Leaves the highest sequence of each stream. */
static void rollback_guard_sort(struct rollback_guard *marker)
{
    size_t kept = 0;
    if (marker->count == 0)
        return;
    qsort(marker->entries, marker->count, sizeof *marker->entries, rollback_guard_compare);
    for (size_t i = 0; i < marker->count; i++) {
        bool is_last =
            i + 1 == marker->count ||
            memcmp(marker->entries[i].bytes, marker->entries[i + 1].bytes, STREAM_ID_SIZE) != 0;
        if (is_last)
            marker->entries[kept++] = marker->entries[i];
    }
    marker->wasted = marker->count - kept;
    marker->count = kept;
}

/* A last entry that was cut short, or never reached the disk, is as if it had not been written. */
static err rollback_guard_read(struct rollback_guard *marker)
{
    uint8_t *data;
    size_t size;
    err failure = file_read_private(marker->path, ROLLBACK_GUARD_FILE_SIZE_MAX, &data, &size);
    marker->is_there = failure != ERR_NOT_FOUND;
    if (failure != OK)
        return failure == ERR_NO_MEMORY ? failure : OK; /* there, and of no use */
    size_t count = size / ROLLBACK_GUARD_ENTRY_SIZE;
    struct rollback_guard_plain plain;
    marker->entries = calloc(count + 1, sizeof *marker->entries);
    marker->is_whole = count > 0 && rollback_guard_open_entry(marker, data, &plain);
    if (marker->is_whole)
        rollback_guard_read_head(marker, &plain);
    for (size_t i = 1; marker->entries != NULL && i < count; i++) {
        if (rollback_guard_open_entry(marker, data + i * ROLLBACK_GUARD_ENTRY_SIZE, &plain))
            marker->entries[marker->count++] = plain;
        else if (i + 1 < count)
            marker->is_whole = false;
    }
    file_wipe(data, size);
    rollback_guard_sort(marker);
    return marker->entries == NULL ? ERR_NO_MEMORY : OK;
}

static bool rollback_guard_allocate(struct rollback_guard *marker, const char *path)
{
    size_t size = path == NULL ? 1 : strlen(path) + sizeof ".next";
    marker->path = path == NULL ? NULL : strdup(path);
    marker->next_path = malloc(size);
    marker->key = sodium_malloc(KEY_SIZE);
    if (marker->next_path == NULL || marker->key == NULL || (path != NULL && marker->path == NULL))
        return false;
    if (path != NULL)
        (void)snprintf(marker->next_path, size, "%s.next", path);
    return true;
}

err rollback_guard_open(const char *path, const uint8_t *key, struct rollback_guard **ret_marker)
{
    struct rollback_guard *marker = calloc(1, sizeof *marker);
    if (marker == NULL)
        return ERR_NO_MEMORY;
    marker->fd = -1;
    if (!rollback_guard_allocate(marker, path)) {
        rollback_guard_close(marker);
        return ERR_NO_MEMORY;
    }
    struct hash derived = hash_keyed(CONTEXT_STORE_KEY, key, bytes_of_text("marker"));
    memcpy(marker->key, derived.bytes, KEY_SIZE);
    sodium_memzero(&derived, sizeof derived);
    err failure = path == NULL ? OK : rollback_guard_read(marker);
    if (failure == OK)
        *ret_marker = marker;
    else
        rollback_guard_close(marker);
    return failure;
}

void rollback_guard_close(struct rollback_guard *marker)
{
    if (marker == NULL)
        return;
    rollback_guard_sync(marker);
    if (marker->fd >= 0)
        (void)close(marker->fd);
    sodium_free(marker->key);
    free(marker->entries);
    free(marker->next_path);
    free(marker->path);
    free(marker);
}

bool rollback_guard_is_wanted(const struct rollback_guard *marker)
{
    return marker->path != NULL;
}

bool rollback_guard_is_begun(const struct rollback_guard *marker)
{
    return marker->fd >= 0;
}

bool rollback_guard_is_there(const struct rollback_guard *marker)
{
    return marker->is_there;
}

bool rollback_guard_is_of(const struct rollback_guard *marker, const struct rollback_guard_id *id)
{
    return marker->is_whole && sodium_memcmp(marker->id.bytes, id->bytes, sizeof id->bytes) == 0;
}

bool rollback_guard_entry(const struct rollback_guard *marker, size_t n,
                          struct stream_id *ret_stream, uint64_t *ret_sequence)
{
    if (n >= marker->count)
        return false;
    struct reader reader =
        reader_of((struct bytes){marker->entries[n].bytes, ROLLBACK_GUARD_PLAIN_SIZE});
    bool is_good = stream_id_read(&reader, ret_stream) == OK;
    *ret_sequence = is_good ? reader_u64(&reader) : 0;
    return is_good;
}

/* ---- writing ---- */

static err rollback_guard_append(struct rollback_guard *marker,
                                 const struct rollback_guard_plain *plain)
{
    uint8_t entry[ROLLBACK_GUARD_ENTRY_SIZE];
    randombytes_buf(entry, ROLLBACK_GUARD_NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(entry + ROLLBACK_GUARD_NONCE_SIZE, NULL,
                                               plain->bytes, ROLLBACK_GUARD_PLAIN_SIZE, NULL, 0,
                                               NULL, entry, marker->key);
    if (write(marker->fd, entry, sizeof entry) != (ssize_t)sizeof entry)
        return ERR_IO;
    marker->is_dirty = true;
    return OK;
}

/* What says less than the store would vouch for an older copy one day. */
static err rollback_guard_give_up(struct rollback_guard *marker)
{
    (void)close(marker->fd);
    marker->fd = -1;
    (void)unlink(marker->path);
    (void)unlink(marker->next_path);
    return ERR_IO;
}

err rollback_guard_note(struct rollback_guard *marker, const struct stream_id *stream,
                        uint64_t sequence)
{
    struct rollback_guard_plain plain;
    struct buffer buffer = buffer_over(plain.bytes, sizeof plain.bytes);
    if (marker->fd < 0)
        return OK;
    stream_id_write(&buffer, stream);
    buffer_u64(&buffer, sequence);
    return rollback_guard_append(marker, &plain) == OK ? OK : rollback_guard_give_up(marker);
}

err rollback_guard_begin(struct rollback_guard *marker, const struct rollback_guard_id *id)
{
    struct rollback_guard_plain plain = {{0}};
    struct buffer head = buffer_over(plain.bytes, sizeof plain.bytes);
    if (marker->fd >= 0)
        (void)close(marker->fd);
    (void)unlink(marker->next_path);
    marker->fd = open(marker->next_path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (marker->fd < 0)
        return ERR_IO;
    marker->id = *id;
    marker->place = rollback_guard_place(marker->fd, "", AT_EMPTY_PATH, ROLLBACK_GUARD_BORN);
    buffer_put(&head, id->bytes, sizeof id->bytes);
    buffer_u64(&head, marker->place.kind);
    buffer_u64(&head, marker->place.value);
    return rollback_guard_append(marker, &plain) == OK ? OK : rollback_guard_give_up(marker);
}

err rollback_guard_commit(struct rollback_guard *marker)
{
    if (marker->fd < 0)
        return ERR_IO;
    if (fsync(marker->fd) != 0 || rename(marker->next_path, marker->path) != 0 ||
        file_sync_parent(marker->path) != OK)
        return rollback_guard_give_up(marker);
    marker->is_dirty = false;
    marker->is_there = true;
    marker->wasted = 0;
    return OK;
}

err rollback_guard_resume(struct rollback_guard *marker)
{
    marker->fd = open(marker->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    return marker->fd < 0 ? ERR_IO : OK;
}

bool rollback_guard_is_moved(const struct rollback_guard *marker)
{
    return marker->is_moved;
}

bool rollback_guard_is_long(const struct rollback_guard *marker)
{
    return marker->place.kind == ROLLBACK_GUARD_NO_PLACE ||
           marker->wasted > marker->count + ROLLBACK_GUARD_WASTE_MAX;
}

void rollback_guard_sync(struct rollback_guard *marker)
{
    if (marker->fd >= 0 && marker->is_dirty)
        (void)fdatasync(marker->fd);
    marker->is_dirty = false;
}
