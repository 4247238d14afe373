#include "store/disk/env.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP_QUOTAS = 4, TABLE_COUNT = 7, READER_COUNT_MAX = 126 };

err env_error(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return OK;
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_KEYEXIST:
        return ERR_DUPLICATE;
    case MDB_MAP_FULL:
        return ERR_FULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return ERR_CORRUPT;
    default:
        return directory_errno(code);
    }
}

err env_check(int code, bool *ret_broken)
{
    err result = env_error(code);
    if (result != OK && result != ERR_NOT_FOUND && result != ERR_DUPLICATE) {
        *ret_broken = true;
    }
    return result;
}

MDB_val env_val(const void *data, size_t size)
{
    union {
        const void *in;
        void *out; /* LMDB takes keys and values as void * and does not write to them */
    } pointer = {.in = data};
    return (MDB_val){.mv_size = size, .mv_data = pointer.out};
}

struct bytes env_bytes_of(MDB_val value)
{
    return (struct bytes){.data = value.mv_data, .size = value.mv_size};
}

static int open_tables(struct env *env, bool create)
{
    struct {
        const char *name;
        unsigned flags;
        MDB_dbi *dbi;
    } const tables[TABLE_COUNT] = {
        {"records", MDB_INTEGERKEY, &env->records},
        {"cells", MDB_INTEGERKEY, &env->cells},
        {"positions", 0, &env->positions},
        {"scopes", 0, &env->scopes},
        {"ids", 0, &env->ids},
        {"streams", 0, &env->streams},
        {"rows", 0, &env->rows},
    };
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(env->mdb, NULL, create ? 0 : MDB_RDONLY, &txn);
    for (size_t i = 0; code == 0 && i < TABLE_COUNT; i += 1) {
        code = mdb_dbi_open(txn, tables[i].name,
                            tables[i].flags | (create ? (unsigned)MDB_CREATE : 0), tables[i].dbi);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return code == MDB_NOTFOUND ? MDB_CORRUPTED : code;
    }
    return mdb_txn_commit(txn);
}

/* (S-9) A file shorter than its own tree would cause SIGBUS later. */
static err check_size(struct env *env)
{
    MDB_envinfo info;
    MDB_stat stat_main;
    mdb_filehandle_t fd;
    struct stat file;
    if (mdb_env_info(env->mdb, &info) != 0 || mdb_env_stat(env->mdb, &stat_main) != 0 ||
        mdb_env_get_fd(env->mdb, &fd) != 0 || fstat(fd, &file) != 0) {
        return ERR_IO;
    }
    uint64_t pages = (uint64_t)file.st_size / stat_main.ms_psize;
    return info.me_last_pgno < pages ? OK : ERR_CORRUPT;
}

static err sync_created(struct env *env)
{
    mdb_filehandle_t fd;
    if (mdb_env_get_fd(env->mdb, &fd) != 0 || fsync(fd) != 0) {
        return ERR_IO;
    }
    return env_error(mdb_env_sync(env->mdb, 1));
}

err env_open(const char *path, uint64_t quota, bool create, struct env *ret_env)
{
    struct env env = {.quota = quota};
    int dead;
    int code = mdb_env_create(&env.mdb);
    if (code != 0) {
        return env_error(code);
    }
    long page = sysconf(_SC_PAGESIZE);
    uint64_t map = quota * MAP_QUOTAS;
    map -= map % (uint64_t)page;
    if ((code = mdb_env_set_mapsize(env.mdb, map)) != 0 ||
        (code = mdb_env_set_maxdbs(env.mdb, TABLE_COUNT)) != 0 ||
        (code = mdb_env_set_maxreaders(env.mdb, READER_COUNT_MAX)) != 0 ||
        /* default sync: no option here trades durability for speed (S-1) */
        (code = mdb_env_open(env.mdb, path, MDB_NOTLS | MDB_NORDAHEAD, 0600)) != 0 ||
        (code = mdb_reader_check(env.mdb, &dead)) != 0) {
        mdb_env_close(env.mdb);
        return env_error(code);
    }
    err result = create ? OK : check_size(&env);
    if (result == OK) {
        result = env_error(open_tables(&env, create));
    }
    if (result == OK && create) {
        result = sync_created(&env);
    }
    if (result != OK) {
        mdb_env_close(env.mdb);
        return result;
    }
    *ret_env = env;
    return OK;
}

err env_open_copy(const char *path, struct env *ret_env)
{
    struct env env = {.mdb = NULL};
    int code = mdb_env_create(&env.mdb);
    if (code != 0) {
        return env_error(code);
    }
    if ((code = mdb_env_set_maxdbs(env.mdb, TABLE_COUNT)) != 0 ||
        (code = mdb_env_open(env.mdb, path, MDB_NOTLS | MDB_NORDAHEAD, 0600)) != 0) {
        mdb_env_close(env.mdb);
        return env_error(code);
    }
    err result = check_size(&env);
    if (result == OK) {
        result = env_error(open_tables(&env, false));
    }
    if (result != OK) {
        mdb_env_close(env.mdb);
        return result;
    }
    *ret_env = env;
    return OK;
}

err env_copy(const char *from, int fd)
{
    MDB_env *mdb;
    int code = mdb_env_create(&mdb);
    if (code != 0) {
        return env_error(code);
    }
    code = mdb_env_open(mdb, from, MDB_RDONLY | MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (code == 0) {
        code = mdb_env_copyfd2(mdb, fd, MDB_CP_COMPACT);
    }
    mdb_env_close(mdb);
    if (code == 0 && fsync(fd) != 0) {
        code = errno;
    }
    return env_error(code);
}

err env_copy_before(const struct env *env, const struct directory *directory)
{
    static const char name[] = "before-upgrade.mdb";
    static const char part[] = "before-upgrade.part";
    int fd = openat(directory->fd, part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return directory_errno(errno);
    }
    int code = mdb_env_copyfd2(env->mdb, fd, MDB_CP_COMPACT);
    if (code == 0 && fsync(fd) != 0) {
        code = errno;
    }
    close(fd);
    if (code == 0 &&
        (renameat(directory->fd, part, directory->fd, name) != 0 || fsync(directory->fd) != 0)) {
        code = errno;
    }
    if (code != 0) {
        (void)unlinkat(directory->fd, part, 0);
    }
    return env_error(code);
}

void env_close(struct env *env)
{
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
        env->mdb = NULL;
    }
}

/* LMDB's table 0 lists free pages: the first word of each value is their count. */
static uint64_t free_pages(MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    uint64_t count = 0;
    if (mdb_cursor_open(txn, 0, &cursor) != 0) {
        return 0;
    }
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        count += value.mv_size >= sizeof(size_t) ? *(const size_t *)value.mv_data : 0;
    }
    mdb_cursor_close(cursor);
    return count;
}

uint64_t env_bytes(const struct env *env, MDB_txn *txn)
{
    MDB_envinfo info;
    MDB_stat stat_main;
    if (mdb_env_info(env->mdb, &info) != 0 || mdb_env_stat(env->mdb, &stat_main) != 0) {
        return UINT64_MAX;
    }
    uint64_t pages = (uint64_t)info.me_last_pgno + 1;
    uint64_t unused = free_pages(txn);
    return (pages - (unused < pages ? unused : pages)) * stat_main.ms_psize;
}

err env_read_begin(struct store *store, struct env_read *ret_read)
{
    pthread_rwlock_rdlock(&store->keyring.lock);
    MDB_txn *txn;
    int code = mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn);
    if (code != 0) {
        pthread_rwlock_unlock(&store->keyring.lock);
        return code == MDB_READERS_FULL ? ERR_BUSY : env_error(code);
    }
    *ret_read = (struct env_read){.store = store, .txn = txn};
    return OK;
}

void env_read_end(struct env_read *read)
{
    mdb_txn_abort(read->txn);
    pthread_rwlock_unlock(&read->store->keyring.lock);
}
