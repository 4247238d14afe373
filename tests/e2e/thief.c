/* Somebody with the disk of a house and its master key, who looks for what was erased; the node is
 * stopped.
 *
 *   e2e_thief list DATA NAME FEDERATION CASE LIST   the keys of the case as they are now: to LIST
 *   e2e_thief settle DATA NAME FEDERATION           waits until no rekey is under way
 *   e2e_thief open DATA NAME LIST       in how many places anywhere in data.mdb, old pages too, a
 *                                       key of LIST can be opened with what the keyring gives
 *   e2e_thief bare LIST FILE...         in how many places in the files a key of LIST lies bare
 *   e2e_thief part WHOLE FILE...        the same for 32 bytes from the middle of the file WHOLE
 *
 * NAME is the directory of the federation below DATA. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/onboarding/identity.h"
#include "node/os/passphrase.h"
#include "node/os/secure_arena.h"
#include "node/runtime/runtime.h"
#include "store/disk/row_codec.h"
#include "store/record_table.h"
#include "store/row_table.h"

enum { THIEF_COUNT_MAX = 256, THIEF_ARENA_SIZE = 16384, THIEF_NEEDLE_SIZE = 32 };

struct thief_secret {
    bool is_item;
    uint64_t number;     /* of a record */
    struct item_id item; /* whose row it is */
    size_t row_size;     /* of that row, key and value */
    struct record_key
        key; /* the record's; of an item: the end of its row, which is sealed with it */
};

struct thief {
    char path[4096];
    struct secure_arena *secrets;
    struct identity identity;
    struct case_id case_id;
    size_t count;
    struct thief_secret secret[THIEF_COUNT_MAX];
};

static void thief_must(bool is_so)
{
    if (!is_so)
        abort();
}

static struct thief_secret *thief_add(struct thief *thief)
{
    thief_must(thief->count < THIEF_COUNT_MAX);
    return &thief->secret[thief->count++];
}

static struct store *thief_store(struct thief *thief, const char *federation_id)
{
    char problem[STORE_PROBLEM_SIZE];
    struct store *store;
    struct federation_id federation;
    thief_must(ids_from_hex(federation_id, federation.bytes, HASH_SIZE) == OK);
    struct store_options options = {.owner = runtime_owner(&federation, &thief->identity.node_id)};
    if (store_open(thief->path, thief->identity.store_key, &options, problem, &store) != OK) {
        fprintf(stderr, "%s\n", problem);
        exit(1);
    }
    return store;
}

static void thief_identity(struct thief *thief, const char *data, const char *name)
{
    char problem[STORE_PROBLEM_SIZE];
    snprintf(thief->path, sizeof thief->path, "%s/%s", data, name);
    thief_must(
        secure_arena_new(THIEF_ARENA_SIZE, &thief->secrets) == OK &&
        identity_open(data, &PASSPHRASE_TERMINAL, thief->secrets, &thief->identity, problem) == OK);
}

/* ---- while it can be read ---- */

static bool thief_on_item(void *arg, const struct store_row *row)
{
    struct thief *thief = arg;
    if (row->key.size != HASH_SIZE || row->value.size < HASH_SIZE + KEY_SIZE ||
        memcmp(row->value.data, thief->case_id.bytes, HASH_SIZE) != 0)
        return true;
    struct thief_secret *secret = thief_add(thief);
    secret->is_item = true;
    memcpy(secret->item.bytes, row->key.data, HASH_SIZE);
    secret->row_size = row->key.size + row->value.size;
    memcpy(secret->key.bytes, row->value.data + HASH_SIZE, KEY_SIZE);
    return true;
}

static void thief_list(struct thief *thief, const char *federation, const char *path)
{
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store *store = thief_store(thief, federation);
    struct scope scope = scope_case(&thief->case_id);
    struct store_record record;
    struct store_page page = {&record, 1, memory, sizeof memory, 1};
    for (uint64_t number = 0; page.record_count == 1; number = record.number) {
        thief_must(record_table_scope(store, &scope, number, &page) == OK);
        if (page.record_count == 1 && record.has_key) {
            struct thief_secret *secret = thief_add(thief);
            secret->number = record.number;
            secret->key = record.key;
        }
    }
    thief_must(row_table_scan(store, STORE_TABLE_ITEM, thief_on_item, thief) == OK);
    store_close(store);
    FILE *file = fopen(path, "wb");
    thief_must(file != NULL &&
               fwrite(thief->secret, sizeof *thief->secret, thief->count, file) == thief->count &&
               fclose(file) == 0);
    printf("%zu\n", thief->count);
}

static void thief_settle(struct thief *thief, const char *federation)
{
    struct store *store = thief_store(thief, federation);
    struct store_usage usage = {.rekeying = true};
    while (usage.rekeying) {
        thief_must(store_usage(store, &usage) == OK);
        usleep(1000);
    }
    store_close(store);
    printf("%u\n", usage.epoch);
}

/* ---- afterwards ---- */

static struct bytes thief_map(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    thief_must(fd >= 0 && fstat(fd, &info) == 0);
    if (info.st_size == 0) {
        close(fd);
        return BYTES_NONE;
    }
    void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    thief_must(map != MAP_FAILED);
    close(fd);
    return (struct bytes){map, (size_t)info.st_size};
}

static void thief_read(struct thief *thief, const char *path)
{
    FILE *file = fopen(path, "rb");
    thief_must(file != NULL);
    thief->count = fread(thief->secret, sizeof *thief->secret, THIEF_COUNT_MAX, file);
    thief_must(thief->count > 0 && fclose(file) == 0);
}

static bool thief_opens_cell(const struct store *store, uint64_t number, struct bytes from)
{
    struct row_codec_cell cell = {.has_key = true};
    size_t size = row_codec_cell_size(&cell);
    return from.size >= size &&
           row_codec_cell_open(store, number, (struct bytes){from.data, size}, &cell) == OK &&
           cell.has_key;
}

static bool thief_opens_row(const struct store *store, const struct thief_secret *secret,
                            struct bytes from)
{
    static uint8_t plain[ROW_CODEC_ROW_PLAIN_MAX];
    struct store_row row;
    struct row_codec_row_key key =
        row_codec_row_key(store, STORE_TABLE_ITEM, (struct bytes){secret->item.bytes, HASH_SIZE});
    size_t size = 2 + secret->row_size + ROW_CODEC_ROW_OVERHEAD;
    return from.size >= size &&
           row_codec_row_open(store, (struct bytes){key.bytes, key.size},
                              (struct bytes){from.data, size}, plain, &row) == OK;
}

/* LMDB puts values at even addresses. A value begins with its epoch, so most places are passed by
 * without a try. */
static void thief_open(const struct thief *thief)
{
    char path[4200];
    size_t count = 0;
    struct store store = {.directory = {.fd = open(thief->path, O_RDONLY | O_DIRECTORY)}};
    store.keys = seal_keys_new(thief->identity.store_key);
    thief_must(store.keys != NULL &&
               keyring_open(store.directory.fd, store.keys, false, &store.keyring) == OK);
    snprintf(path, sizeof path, "%s/data.mdb", thief->path);
    struct bytes data = thief_map(path);
    for (size_t i = 0; i + 4 <= data.size; i += 2) {
        struct bytes from = {data.data + i, data.size - i};
        uint32_t epoch = row_codec_cell_epoch(from);
        if (epoch == 0 || keyring_key(&store.keyring, epoch) == NULL)
            continue;
        for (size_t n = 0; n < thief->count; n++) {
            const struct thief_secret *secret = &thief->secret[n];
            count += secret->is_item ? thief_opens_row(&store, secret, from)
                                     : thief_opens_cell(&store, secret->number, from);
        }
    }
    printf("%zu\n", count);
    keyring_close(&store.keyring);
    seal_keys_free(store.keys);
}

static size_t thief_find(struct bytes in, const uint8_t needle[static THIEF_NEEDLE_SIZE])
{
    size_t count = 0;
    for (size_t i = 0; i + THIEF_NEEDLE_SIZE <= in.size; i++)
        count += in.data[i] == needle[0] && memcmp(in.data + i, needle, THIEF_NEEDLE_SIZE) == 0;
    return count;
}

static void thief_bare(const struct thief *thief, char **paths)
{
    size_t count = 0;
    for (; *paths != NULL; paths++) {
        struct bytes in = thief_map(*paths);
        for (size_t n = 0; n < thief->count; n++)
            count += thief_find(in, thief->secret[n].key.bytes);
    }
    printf("%zu\n", count);
}

static void thief_part(const char *whole, char **paths)
{
    size_t count = 0;
    struct bytes of = thief_map(whole);
    thief_must(of.size >= (size_t)2 * THIEF_NEEDLE_SIZE);
    for (; *paths != NULL; paths++)
        count += thief_find(thief_map(*paths), of.data + of.size / 2);
    printf("%zu\n", count);
}

int main(int argc, char **argv)
{
    struct thief *thief = calloc(1, sizeof *thief);
    if (sodium_init() < 0 || thief == NULL || argc < 4)
        return 2;
    if (strcmp(argv[1], "part") == 0) {
        thief_part(argv[2], argv + 3);
    } else if (strcmp(argv[1], "bare") == 0) {
        thief_read(thief, argv[2]);
        thief_bare(thief, argv + 3);
    } else {
        thief_must(argc >= 5);
        thief_identity(thief, argv[2], argv[3]);
        if (strcmp(argv[1], "list") == 0 && argc == 7 &&
            ids_from_hex(argv[5], thief->case_id.bytes, HASH_SIZE) == OK) {
            thief_list(thief, argv[4], argv[6]);
        } else if (strcmp(argv[1], "settle") == 0) {
            thief_settle(thief, argv[4]);
        } else if (strcmp(argv[1], "open") == 0) {
            thief_read(thief, argv[4]);
            thief_open(thief);
        } else {
            return 2;
        }
        secure_arena_free(thief->secrets);
    }
    free(thief);
    return 0;
}
