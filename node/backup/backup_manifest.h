/* What a backup is: when it was made, of whom, and how much is in it. The file `backup` in it:
 *
 *   consilium backup 1
 *   made 1764583210123               Unix time in ms: when copying began
 *   node 32 digits
 *   institution NAME
 *   program 0.1.0
 *   store NAME RECORDS DAMAGED ITEMS LOST
 *   seal 64 digits                   over the store key and the lines before
 *
 * The seal shows that nobody without the store key wrote another date. */
#ifndef CONSILIUM_NODE_BACKUP_BACKUP_MANIFEST_H
#define CONSILIUM_NODE_BACKUP_BACKUP_MANIFEST_H

#include "protocol/base/ids.h"

/* (S-17) Erasure receipts promise that backups are kept no longer. */
enum { BACKUP_AGE_DAYS_MAX = 30 };

enum {
    BACKUP_STORE_COUNT_MAX = 8,
    BACKUP_NAME_SIZE = 64,
    BACKUP_PATH_SIZE = 4096,
    BACKUP_PROBLEM_SIZE = 512,
    BACKUP_DATE_SIZE = 32,
};

/* What one store holds. */
struct backup_count {
    uint64_t records;
    uint64_t damaged; /* records that do not open, or are not what their name says */
    uint64_t items;
    uint64_t items_lost; /* whose file is not there, or not what it should be */
};

struct backup_store {
    char name[BACKUP_NAME_SIZE]; /* of its directory */
    struct backup_count count;
};

struct backup_manifest {
    struct wall made_at;
    struct node_id node;
    char institution[256];
    struct backup_store stores[BACKUP_STORE_COUNT_MAX];
    size_t store_count;
};

/* A store's directory name: a-z 0-9 - */
bool backup_manifest_is_name(const char *name);

/* Writes the new file. ERR_EXISTS, ERR_IO. */
MUST_USE err backup_manifest_write(const struct backup_manifest *manifest,
                                   const uint8_t store_key[static KEY_SIZE], const char *path);

/* Reads it, unproven: nothing but the seal shows that it is as it was written.
 *
 *   ERR_NOT_FOUND  there is none: this is no backup
 *   ERR_VERSION    of a later program
 *   ERR_MALFORMED, ERR_IO, ERR_NO_MEMORY */
MUST_USE err backup_manifest_read(const char *path, struct backup_manifest *ret_manifest);

/* Is the seal in the file that of this key? ERR_BAD_KEY: another institution's, or it was altered.
 */
MUST_USE err backup_manifest_prove(const char *path, const uint8_t store_key[static KEY_SIZE]);

/* Whole days from `made_at` to `now`; 0 when that is later. */
uint64_t backup_age_days(struct wall made_at, struct wall now);
/* "2026-12-01 10:00 UTC"; `days` later. */
void backup_date(struct wall made_at, unsigned days, char ret_text[static BACKUP_DATE_SIZE]);

/* ---- the last backup: a file in the data directory, for `status` ---- */

MUST_USE err backup_last_write(const char *data, struct wall made_at);
/* False: none was made here that is known of. */
bool backup_last_read(const char *data, struct wall *ret_made_at);

#endif
