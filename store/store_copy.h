/* Copies a store while another process has it open. Never within the process that has it open: LMDB
 * allows one environment for each file there.
 *
 * The copy is the store as it was at one moment between two commits: the tables by one read
 * transaction of LMDB, the keyring that opens them, and the files of the items that they name. It
 * holds what a crash at that moment would have left, so store_open opens it where it is put. */
#ifndef CONSILIUM_STORE_STORE_COPY_H
#define CONSILIUM_STORE_STORE_COPY_H

#include "store/store.h"

struct store_copy_watch {
    /* Bytes of item files: how many of all are copied; or NULL. */
    void (*on_progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

struct store_copy_request {
    const char *from; /* a store */
    const char *to;   /* the new directory; as `from`, this user's */
    const uint8_t *master;
    struct store_copy_watch watch;
};

struct store_copy {
    uint64_t bytes; /* of data.mdb and of items */
    uint64_t item_count;
    uint64_t item_lost_count; /* the store names them, but their files are not there */
};

/* On failure `ret_problem` holds one line, and `to` may be there in part: remove it.
 *
 *   ERR_NOT_FOUND  `from` holds no store
 *   ERR_EXISTS     there is something at `to`, or `from` is another user's
 *   ERR_BAD_KEY    it was made with another master key
 *   ERR_BUSY       erasures went on all the time: try again
 *   ERR_CORRUPT    a stream or row in `from` fails its check
 *   ERR_FULL, ERR_IO, ERR_NO_MEMORY */
MUST_USE err store_copy(const struct store_copy_request *request,
                        char ret_problem[static STORE_PROBLEM_SIZE], struct store_copy *ret_copy);

#endif
