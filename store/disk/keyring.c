#include "store/disk/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/disk/directory.h"

/* magic 8 | generation 4 | sealed { epoch 4 | epoch_previous 4 | current 32 | previous 32 } */
enum {
    PLAIN_SIZE = 8 + 2 * KEY_SIZE,
    NAME_SIZE = 12,
    FILE_SIZE = NAME_SIZE + SEAL_OVERHEAD + PLAIN_SIZE
};

static const char *const slot_names[2] = {"keyring.0", "keyring.1"};
static const uint8_t magic[8] = {'c', 'o', 'n', 's', 'k', 'e', 'y', '1'};

struct slot {
    bool there;
    bool opened;
    uint32_t generation;
    uint32_t epoch;
    uint32_t epoch_previous;
};

/* The generation grows with every file that is written: two for each epoch. */
static uint32_t generation_of(const struct keyring *keyring)
{
    return keyring->epoch * 2 + (keyring->epoch_previous == 0 ? 1 : 0);
}

static err write_all(int fd, const uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = pwrite(fd, data + done, size - done, (off_t)done);
        if (count < 0 && errno != EINTR) {
            return directory_errno(errno);
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return OK;
}

/* Overwrites and removes a keyring file; OK when there is none. */
static err scrub(int directory_fd, unsigned slot)
{
    int fd = openat(directory_fd, slot_names[slot], O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno == ENOENT ? OK : directory_errno(errno);
    }
    uint8_t noise[FILE_SIZE];
    randombytes_buf(noise, sizeof noise);
    err result = write_all(fd, noise, sizeof noise);
    if (fsync(fd) != 0 && result == OK) {
        result = ERR_IO;
    }
    close(fd);
    if (result == OK &&
        (unlinkat(directory_fd, slot_names[slot], 0) != 0 || fsync(directory_fd) != 0)) {
        result = ERR_IO;
    }
    return result;
}

static err write_slot(struct keyring *keyring, unsigned slot)
{
    uint8_t file[FILE_SIZE];
    uint8_t plain[PLAIN_SIZE];
    struct buffer name = buffer_over(file, NAME_SIZE);
    buffer_put(&name, magic, sizeof magic);
    buffer_u32(&name, generation_of(keyring));
    struct buffer inner = buffer_over(plain, sizeof plain);
    buffer_u32(&inner, keyring->epoch);
    buffer_u32(&inner, keyring->epoch_previous);
    buffer_put(&inner, keyring->keys->current, KEY_SIZE);
    buffer_put(&inner, keyring->keys->previous, KEY_SIZE);
    struct seal_nonces nonces = {.left = 0};
    seal_close(keyring->seal_keys->keyring, &nonces, buffer_bytes(&name), buffer_bytes(&inner),
               file + NAME_SIZE);
    sodium_memzero(plain, sizeof plain);

    int fd = openat(keyring->directory_fd, slot_names[slot],
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return directory_errno(errno);
    }
    err result = write_all(fd, file, sizeof file);
    if (result == OK && (fsync(fd) != 0 || fsync(keyring->directory_fd) != 0)) {
        result = directory_errno(errno);
    }
    close(fd);
    return result;
}

/* Opens the file of one slot into `keyring->keys`. */
static struct slot read_slot(struct keyring *keyring, unsigned slot)
{
    struct slot found = {.there = false};
    uint8_t file[FILE_SIZE + 1];
    int fd = openat(keyring->directory_fd, slot_names[slot], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return found;
    }
    ssize_t size = read(fd, file, sizeof file);
    close(fd);
    found.there = true;
    uint8_t plain[PLAIN_SIZE];
    if (size != FILE_SIZE || memcmp(file, magic, sizeof magic) != 0 ||
        seal_open(keyring->seal_keys->keyring, (struct bytes){file, NAME_SIZE},
                  (struct bytes){file + NAME_SIZE, FILE_SIZE - NAME_SIZE}, plain) != OK) {
        return found;
    }
    struct reader name = reader_of((struct bytes){file + sizeof magic, 4});
    struct reader inner = reader_of((struct bytes){plain, sizeof plain});
    found.opened = true;
    found.generation = reader_u32(&name);
    found.epoch = reader_u32(&inner);
    found.epoch_previous = reader_u32(&inner);
    reader_copy(&inner, keyring->keys->current, KEY_SIZE);
    reader_copy(&inner, keyring->keys->previous, KEY_SIZE);
    sodium_memzero(plain, sizeof plain);
    return found;
}

static err open_newest(struct keyring *keyring)
{
    struct slot slots[2] = {read_slot(keyring, 0), read_slot(keyring, 1)};
    if (!slots[0].opened && !slots[1].opened) {
        return ERR_BAD_KEY;
    }
    unsigned newest = 1;
    if (!slots[1].opened || (slots[0].opened && slots[0].generation > slots[1].generation)) {
        newest = 0;
    }
    struct slot slot =
        read_slot(keyring, newest); /* again, because the other file's keys have replaced these */
    if (!slot.opened) {
        return ERR_IO;
    }
    keyring->slot = newest;
    keyring->epoch = slot.epoch;
    keyring->epoch_previous = slot.epoch_previous;
    return slots[1 - newest].there ? scrub(keyring->directory_fd, 1 - newest) : OK;
}

/* Readers may follow each other without a gap, and the writer must not starve. */
static bool init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    if (pthread_rwlockattr_init(&attributes) != 0) {
        return false;
    }
    int failed =
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    failed = failed != 0 ? failed : pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return failed == 0;
}

err keyring_open(int directory_fd, const struct seal_keys *seal_keys, bool create,
                 struct keyring *ret_keyring)
{
    struct keyring keyring = {.directory_fd = directory_fd, .seal_keys = seal_keys};
    keyring.keys = sodium_malloc(sizeof *keyring.keys);
    if (keyring.keys == NULL) {
        return ERR_NO_MEMORY;
    }
    memset(keyring.keys, 0, sizeof *keyring.keys);
    err result = OK;
    if (create) {
        randombytes_buf(keyring.keys->current, KEY_SIZE);
        keyring.epoch = 1;
        result = write_slot(&keyring, 0);
    } else {
        result = open_newest(&keyring);
    }
    if (result != OK) {
        sodium_free(keyring.keys);
        return result;
    }
    *ret_keyring = keyring;
    if (!init_lock(&ret_keyring->lock)) {
        sodium_free(keyring.keys);
        return ERR_NO_MEMORY;
    }
    return OK;
}

void keyring_close(struct keyring *keyring)
{
    if (keyring->keys != NULL) {
        sodium_free(keyring->keys);
        keyring->keys = NULL;
        pthread_rwlock_destroy(&keyring->lock);
    }
}

/* Writes the keyring in memory to the other file, then destroys the old file. */
static err change_slot(struct keyring *keyring)
{
    err result = write_slot(keyring, 1 - keyring->slot);
    if (result != OK) {
        return result;
    }
    unsigned old = keyring->slot;
    keyring->slot = 1 - old;
    return scrub(keyring->directory_fd, old);
}

/* The lock is held only for the change in memory. The writer thread, which alone makes changes,
 * seals nothing under the new key before the file is durable. */
err keyring_begin(struct keyring *keyring)
{
    pthread_rwlock_wrlock(&keyring->lock);
    memcpy(keyring->keys->previous, keyring->keys->current, KEY_SIZE);
    randombytes_buf(keyring->keys->current, KEY_SIZE);
    keyring->epoch_previous = keyring->epoch;
    keyring->epoch += 1;
    pthread_rwlock_unlock(&keyring->lock);
    err result = change_slot(keyring);
    if (result != OK) {
        pthread_rwlock_wrlock(&keyring->lock);
        memcpy(keyring->keys->current, keyring->keys->previous, KEY_SIZE);
        sodium_memzero(keyring->keys->previous, KEY_SIZE);
        keyring->epoch = keyring->epoch_previous;
        keyring->epoch_previous = 0;
        pthread_rwlock_unlock(&keyring->lock);
    }
    return result;
}

err keyring_finish(struct keyring *keyring)
{
    pthread_rwlock_wrlock(&keyring->lock);
    sodium_memzero(keyring->keys->previous, KEY_SIZE);
    keyring->epoch_previous = 0;
    pthread_rwlock_unlock(&keyring->lock);
    return change_slot(keyring);
}

/* ---- copies ---- */

err keyring_image_read(int directory_fd, struct keyring_image *ret_image)
{
    struct keyring_image image = {.sizes = {0}};
    for (unsigned slot = 0; slot < 2; slot += 1) {
        int fd = openat(directory_fd, slot_names[slot], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT) {
            continue;
        }
        ssize_t size = fd < 0 ? -1 : read(fd, image.bytes[slot], sizeof image.bytes[slot]);
        if (fd >= 0) {
            close(fd);
        }
        if (size < 0) {
            return ERR_IO;
        }
        image.sizes[slot] = (size_t)size;
    }
    *ret_image = image;
    return OK;
}

err keyring_image_write(int directory_fd, const struct keyring_image *image)
{
    for (unsigned slot = 0; slot < 2; slot += 1) {
        if (image->sizes[slot] == 0) {
            if (unlinkat(directory_fd, slot_names[slot], 0) != 0 && errno != ENOENT) {
                return ERR_IO;
            }
            continue;
        }
        int fd = openat(directory_fd, slot_names[slot],
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            return directory_errno(errno);
        }
        err result = write_all(fd, image->bytes[slot], image->sizes[slot]);
        if (result == OK && fsync(fd) != 0) {
            result = directory_errno(errno);
        }
        close(fd);
        if (result != OK) {
            return result;
        }
    }
    return fsync(directory_fd) == 0 ? OK : ERR_IO;
}

bool keyring_image_equal(const struct keyring_image *a, const struct keyring_image *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

const uint8_t *keyring_key(const struct keyring *keyring, uint32_t epoch)
{
    if (epoch == keyring->epoch) {
        return keyring->keys->current;
    }
    return epoch != 0 && epoch == keyring->epoch_previous ? keyring->keys->previous : NULL;
}
