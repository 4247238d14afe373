/* The LMDB environment and its tables, for the files of this folder and store/write.
 *
 *   records    record number           -> sealed { prefix, header, signature, body }
 *   cells      record number           -> epoch, sealed { position, flags, state, record key }
 *   positions  stream number, sequence -> record number
 *   scopes     scope number, record number -> nothing: the order of arrival in a scope
 *   ids        hash of record_id       -> record number
 *   streams    hash of stream id       -> sealed { numbers, stream id, state bytes }
 *   rows       table, hash of key or number -> epoch, sealed { key, value }
 *
 * The newest entries of positions and ids are in memory (index_buffer.h).
 *
 * Only this store's own numbers are in clear text (S-3). The values of `cells` and the rows of
 * public tables are sealed under the epoch key, all others under keys from the master key. */
#ifndef CONSILIUM_STORE_DISK_ENV_H
#define CONSILIUM_STORE_DISK_ENV_H

#include <lmdb.h>

#include "protocol/base/error.h"
#include "store/disk/directory.h"
#include "store/disk/keyring.h"
#include "store/disk/store_types.h"

struct env {
    MDB_env *mdb;
    MDB_dbi records;
    MDB_dbi cells;
    MDB_dbi positions;
    MDB_dbi scopes;
    MDB_dbi ids;
    MDB_dbi streams;
    MDB_dbi rows;
    uint64_t quota;
};

struct index_buffer;
struct writer;
struct item_writer;

struct store {
    struct directory directory;
    struct store_options options;
    struct seal_keys *keys;
    struct keyring keyring;
    struct env env;
    struct index_buffer *index; /* entries that are not in the tables `ids` and `positions` yet */
    struct writer *writer;
    struct item_writer *items;
    bool is_copy; /* opened to read it; what opening adds is removed again */
};

/* Opens or creates data.mdb in `path` and its tables. A creation also syncs the files that LMDB
 * does not sync. ERR_CORRUPT when the file is not LMDB's or ends early. */
MUST_USE err env_open(const char *path, uint64_t quota, bool create, struct env *ret_env);
/* Opens a copy that no other process uses, with a map as large as when it was copied. */
MUST_USE err env_open_copy(const char *path, struct env *ret_env);
void env_close(struct env *env);

/* Copies what is committed in the data.mdb below `from`, which a process may have open, to the
 * empty file `fd`: one read transaction, without the free pages. Synced. */
MUST_USE err env_copy(const char *from, int fd);

/* Copies the tables to the file before-upgrade.mdb in the same directory, synced: what to go back
 * to when an upgrade was a mistake. It opens with the keyring of today, so until the next rekey. A
 * copy that is there already is replaced. ERR_FULL, ERR_IO. */
MUST_USE err env_copy_before(const struct env *env, const struct directory *directory);

/* OK, ERR_NOT_FOUND, ERR_FULL, ERR_NO_MEMORY, ERR_CORRUPT or ERR_IO for a result of LMDB. */
MUST_USE err env_error(int code);

/* The same for the result of one op: a failure that is not about the op (neither OK, ERR_NOT_FOUND
 * nor ERR_DUPLICATE) sets `*ret_broken`, and the transaction must be aborted. */
MUST_USE err env_check(int code, bool *ret_broken);

/* Bytes in use: the file's high-water mark without its free pages. */
uint64_t env_bytes(const struct env *env, MDB_txn *txn);

/* A read transaction that holds the keyring's lock. Keep it short, and call no callback within
 * it. */
struct env_read {
    struct store *store;
    MDB_txn *txn;
};
MUST_USE err env_read_begin(struct store *store, struct env_read *ret_read);
void env_read_end(struct env_read *read);

/* Bytes to and from LMDB's values. */
MDB_val env_val(const void *data, size_t size);
struct bytes env_bytes_of(MDB_val value);

#endif
