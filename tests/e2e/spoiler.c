/* A disk that loses a bit: flips one in the last record that is stored, in data.mdb itself. The
 * node is stopped.
 *
 *   e2e_spoiler DIRECTORY     of the store */
#include <fcntl.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPOILER_TABLES = 8, SPOILER_SIZE = 256 };

static void spoiler_must(int code, const char *what)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, mdb_strerror(code));
    exit(1);
}

/* What stands in the last record, sealed as it is. */
static size_t spoiler_read(const char *directory, uint8_t *copy, size_t size_max)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi records;
    MDB_cursor *cursor;
    MDB_val key, value;
    spoiler_must(mdb_env_create(&env), "mdb_env_create");
    spoiler_must(mdb_env_set_maxdbs(env, SPOILER_TABLES), "mdb_env_set_maxdbs");
    spoiler_must(mdb_env_open(env, directory, MDB_RDONLY, 0600), directory);
    spoiler_must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "mdb_txn_begin");
    spoiler_must(mdb_dbi_open(txn, "records", 0, &records), "records");
    spoiler_must(mdb_cursor_open(txn, records, &cursor), "mdb_cursor_open");
    spoiler_must(mdb_cursor_get(cursor, &key, &value, MDB_LAST), "the last record");
    size_t size = value.mv_size < size_max ? value.mv_size : size_max;
    memcpy(copy, value.mv_data, size);
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return size;
}

/* Wherever it lies: pages of before may hold it, too. */
static int spoiler_flip(uint8_t *data, size_t size, const uint8_t *what, size_t what_size)
{
    int count = 0;
    uint8_t *place = memmem(data, size, what, what_size);
    while (place != NULL) {
        place[what_size / 2] ^= 0x20;
        count++;
        place = memmem(data, size, what, what_size);
    }
    return count;
}

int main(int argc, char **argv)
{
    char path[4096];
    uint8_t what[SPOILER_SIZE];
    struct stat status;
    if (argc != 2) {
        fprintf(stderr, "e2e_spoiler DIRECTORY\n");
        return 2;
    }
    size_t size = spoiler_read(argv[1], what, sizeof what);
    snprintf(path, sizeof path, "%s/data.mdb", argv[1]);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0) {
        perror(path);
        return 1;
    }
    size_t all = (size_t)status.st_size;
    uint8_t *data = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (data == MAP_FAILED || spoiler_flip(data, all, what, size) == 0 ||
        msync(data, all, MS_SYNC) != 0) {
        perror(path);
        return 1;
    }
    munmap(data, all);
    return close(file) == 0 ? 0 : 1;
}
