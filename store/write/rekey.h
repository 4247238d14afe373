/* Sealing everything that lives under the previous epoch key anew, in bounded steps. */
#ifndef CONSILIUM_STORE_WRITE_REKEY_H
#define CONSILIUM_STORE_WRITE_REKEY_H

#include "store/write/write_txn.h"

enum { REKEY_STEP_ROW_COUNT = 2048, REKEY_STEP_SIZE = 1024 * 1024 };

struct rekey {
    bool active;
    bool in_rows;      /* cells are finished */
    size_t after_size; /* the last key that was looked at; 0 before the first */
    uint8_t after[ROW_CODEC_ROW_KEY_SIZE_MAX];
};

/* Goes on where the keyring says that a rekey is under way; each opening starts over, since what is
 * already sealed anew costs little to pass. */
struct rekey rekey_resume(const struct store *store);

/* Makes the new epoch key. */
MUST_USE err rekey_begin(struct store *store, struct rekey *rekey);

/* One step, one transaction of its own; when all is done the old key is destroyed and `active`
 * becomes false. ERR_FULL: try again later; any other failure is the disk's. */
MUST_USE err rekey_step(struct write_txn *group, struct rekey *rekey);

#endif
