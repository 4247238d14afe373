/* The keyring: the epoch keys. Data that may have to be destroyed is sealed under them, not under
 * the master key.
 *
 * Record keys and the rows of all public tables are sealed under the current epoch key. LMDB keeps
 * old pages, so deleting alone destroys nothing. A rekey seals all live data under the next epoch
 * key and removes the old key from its file; after that, nothing can decrypt the destroyed data
 * (S-7). The file is sealed under the master key and never rewritten in place: the next one goes to
 * the other of two names, and then the old one is overwritten and removed. */
#ifndef CONSILIUM_STORE_DISK_KEYRING_H
#define CONSILIUM_STORE_DISK_KEYRING_H

#include <pthread.h>

#include "protocol/base/ids.h"
#include "store/disk/seal.h"

struct keyring_keys { /* in locked memory */
    uint8_t current[KEY_SIZE];
    uint8_t previous[KEY_SIZE];
};

struct keyring {
    int directory_fd; /* borrowed */
    const struct seal_keys *seal_keys;
    unsigned slot;           /* which of the two files is current */
    uint32_t epoch;          /* of the current key, from 1 */
    uint32_t epoch_previous; /* 0: none, no rekey is in progress */
    struct keyring_keys *keys;
    /* Readers hold it from before their transaction begins until they have decrypted what they
     * read. So the previous key is removed only when no reader can still see an older page. */
    pthread_rwlock_t lock;
};

/* Reads the newest keyring and removes what an incomplete change left; or, with `create`, makes the
 * first one. ERR_BAD_KEY when another master key sealed it; ERR_IO, ERR_FULL, ERR_NO_MEMORY. */
MUST_USE err keyring_open(int directory_fd, const struct seal_keys *seal_keys, bool create,
                          struct keyring *ret_keyring);
void keyring_close(struct keyring *keyring);

/* Makes a new current key; the old one stays until keyring_finish. Durable when it returns OK. */
MUST_USE err keyring_begin(struct keyring *keyring);
/* Destroys the previous key, in memory and on disk. */
MUST_USE err keyring_finish(struct keyring *keyring);

/* ---- a copy of the files, as they are; for a copy of the store ---- */

enum { KEYRING_IMAGE_SIZE_MAX = 256 };

struct keyring_image {
    size_t sizes[2]; /* 0: no such file */
    uint8_t bytes[2][KEYRING_IMAGE_SIZE_MAX];
};

/* Reads both files, also while a process changes them: two equal images around a read of the tables
 * show that this keyring opens all that was read. ERR_IO. */
MUST_USE err keyring_image_read(int directory_fd, struct keyring_image *ret_image);
/* Writes them, synced. ERR_FULL, ERR_IO. */
MUST_USE err keyring_image_write(int directory_fd, const struct keyring_image *image);
bool keyring_image_equal(const struct keyring_image *a, const struct keyring_image *b);

/* The key of an epoch, or NULL. Borrowed; under the lock (the writer thread needs none). */
const uint8_t *keyring_key(const struct keyring *keyring, uint32_t epoch);

#endif
