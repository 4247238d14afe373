/* Rekey: seals all live data of the previous epoch key under the current one, in bounded steps. */
#ifndef CONSILIUM_STORE_WRITE_REKEY_H
#define CONSILIUM_STORE_WRITE_REKEY_H

#include "store/write/write_txn.h"

enum { REKEY_STEP_ROW_COUNT = 2048, REKEY_STEP_SIZE = 1024 * 1024 };

struct rekey {
    bool active;
    bool in_rows;      /* the table `cells` is done */
    size_t after_size; /* the last key of the walk; 0 before the first */
    uint8_t after[ROW_CODEC_ROW_KEY_SIZE_MAX];
};

/* Continues when the keyring says that a rekey is in progress. Each opening starts from the
 * beginning, since passing data that is already sealed again costs little. */
struct rekey rekey_resume(const struct store *store);

/* Makes the new epoch key. */
MUST_USE err rekey_begin(struct store *store, struct rekey *rekey);

/* One step in a transaction of its own. At the end the old key is destroyed and `active` becomes
 * false. ERR_FULL: retry later; any other failure is the disk's. */
MUST_USE err rekey_step(struct write_txn *group, struct rekey *rekey);

#endif
