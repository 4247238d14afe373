/* The epoch keys: what may have to be forgotten lies under them, not under the master key.
 *
 * Record keys and the rows of all tables are sealed under the epoch key of the day. LMDB keeps old
 * pages, so deleting alone forgets nothing; but once everything that lives is sealed under the next
 * epoch key, and the old one is gone from its file, what was destroyed cannot be opened any more
 * (S-7). The file is sealed under the master key and never rewritten in place: the next one goes
 * to the other of two names, and then the old one is overwritten and removed. */
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
    unsigned slot;           /* which of the two files holds it */
    uint32_t epoch;          /* of the current key, from 1 */
    uint32_t epoch_previous; /* 0: none, no rekey is under way */
    struct keyring_keys *keys;
    /* Readers hold it from before their transaction begins until they have opened what they
     * read; so the previous key goes only when no older page can still be looked at. */
    pthread_rwlock_t lock;
};

/* Reads the newest keyring and clears away what a cut-short change left; or, with `create`, makes
 * the first one. ERR_BAD_KEY when it is not ours; ERR_IO, ERR_FULL, ERR_NO_MEMORY. */
MUST_USE err keyring_open(int directory_fd, const struct seal_keys *seal_keys, bool create,
                          struct keyring *ret_keyring);
void keyring_close(struct keyring *keyring);

/* A new current key; the one before stays until keyring_finish. Durable when it returns OK. */
MUST_USE err keyring_begin(struct keyring *keyring);
/* Forgets the previous key, in memory and on disk. */
MUST_USE err keyring_finish(struct keyring *keyring);

/* The key of an epoch, or NULL. Borrowed; under the lock (the writer thread needs none). */
const uint8_t *keyring_key(const struct keyring *keyring, uint32_t epoch);

#endif
