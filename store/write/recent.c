#include "store/write/recent.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKET_COUNT = 256 };

struct entry {
    uint8_t index[SEAL_INDEX_SIZE];
    uint64_t number; /* 0: removed */
};

struct list {
    struct entry *entries;
    size_t count;
    size_t capacity;
};

/* Where the merging stands: it goes round the buckets, and when it has been round once, all that
 * was here at the beginning of the round is in the table. */
struct turn {
    unsigned bucket;        /* to be merged next */
    uint64_t round_started; /* number of the last record then */
    uint64_t merged;
};

struct recent {
    pthread_rwlock_t lock; /* guards buckets */
    struct list buckets[BUCKET_COUNT];
    size_t count; /* in all buckets; the writer's, like the rest: what its transaction changes */
    struct list added;
    size_t added_to[BUCKET_COUNT];
    struct list removed;
    bool merging[BUCKET_COUNT];
    struct turn turn;
    struct turn turn_before;
};

struct recent *recent_new(uint64_t merged, uint64_t number_last)
{
    struct recent *recent = calloc(1, sizeof *recent);
    if (recent != NULL) {
        pthread_rwlock_init(&recent->lock, NULL);
        recent->turn = (struct turn){.round_started = number_last, .merged = merged};
        recent->turn_before = recent->turn;
    }
    return recent;
}

void recent_free(struct recent *recent)
{
    if (recent == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKET_COUNT; i += 1) {
        free(recent->buckets[i].entries);
    }
    free(recent->added.entries);
    free(recent->removed.entries);
    pthread_rwlock_destroy(&recent->lock);
    free(recent);
}

/* ---- lists ---- */

static bool reserve(struct list *list, size_t more)
{
    if (list->capacity - list->count >= more) {
        return true;
    }
    size_t capacity =
        list->capacity * 2 > list->count + more ? list->capacity * 2 : list->count + more + 64;
    void *grown = realloc(list->entries, capacity * sizeof *list->entries);
    if (grown == NULL) {
        return false;
    }
    list->entries = grown;
    list->capacity = capacity;
    return true;
}

static struct entry *find(const struct list *list, const uint8_t *index)
{
    for (size_t i = list->count; i > 0; i -= 1) {
        struct entry *entry = &list->entries[i - 1];
        if (entry->number != 0 && memcmp(entry->index, index, SEAL_INDEX_SIZE) == 0) {
            return entry;
        }
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct entry *)a)->index, ((const struct entry *)b)->index,
                  SEAL_INDEX_SIZE);
}

static void append(struct list *list, const uint8_t *index, uint64_t number)
{
    struct entry *entry = &list->entries[list->count];
    memcpy(entry->index, index, SEAL_INDEX_SIZE);
    entry->number = number;
    list->count += 1;
}

/* ---- the writer ---- */

/* The bucket grows now, so that nothing can fail any more once the commit is done. */
static bool reserve_bucket(struct recent *recent, unsigned bucket)
{
    struct list *list = &recent->buckets[bucket];
    size_t more = recent->added_to[bucket] + 1;
    if (list->capacity - list->count >= more) {
        return true;
    }
    pthread_rwlock_wrlock(&recent->lock);
    bool reserved = reserve(list, more);
    pthread_rwlock_unlock(&recent->lock);
    return reserved;
}

err recent_add(struct recent *recent, const uint8_t index[static SEAL_INDEX_SIZE], uint64_t number)
{
    if (!reserve(&recent->added, 1) || !reserve_bucket(recent, index[0])) {
        return ERR_NO_MEMORY;
    }
    append(&recent->added, index, number);
    recent->added_to[index[0]] += 1;
    return OK;
}

int recent_remove(struct recent *recent, MDB_txn *txn, MDB_dbi ids,
                  const uint8_t index[static SEAL_INDEX_SIZE])
{
    struct entry *added = find(&recent->added, index);
    if (added != NULL) {
        added->number = 0;
    }
    if (!reserve(&recent->removed, 1)) {
        return ENOMEM;
    }
    append(&recent->removed, index, UINT64_MAX);
    MDB_val key = env_val(index, SEAL_INDEX_SIZE);
    int code = mdb_del(txn, ids, &key, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int merge_bucket(struct recent *recent, struct list *bucket, MDB_cursor *cursor)
{
    /* sorted in place, which readers must not see halfway */
    pthread_rwlock_wrlock(&recent->lock);
    if (bucket->count > 0) {
        qsort(bucket->entries, bucket->count, sizeof *bucket->entries, compare);
    }
    pthread_rwlock_unlock(&recent->lock);
    for (size_t i = 0; i < bucket->count; i += 1) {
        const struct entry *entry = &bucket->entries[i];
        uint8_t number[8];
        struct buffer buffer = buffer_over(number, sizeof number);
        buffer_u64(&buffer, entry->number);
        if (entry->number == 0 || find(&recent->removed, entry->index) != NULL) {
            continue;
        }
        MDB_val key = env_val(entry->index, SEAL_INDEX_SIZE);
        MDB_val value = env_val(number, sizeof number);
        int code = mdb_cursor_put(cursor, &key, &value, 0);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static void next_turn(struct recent *recent, uint64_t number_last)
{
    recent->turn.bucket += 1;
    if (recent->turn.bucket == BUCKET_COUNT) {
        recent->turn.bucket = 0;
        recent->turn.merged = recent->turn.round_started;
        recent->turn.round_started = number_last;
    }
}

int recent_merge(struct recent *recent, MDB_txn *txn, MDB_dbi ids, enum recent_extent extent,
                 uint64_t number_last)
{
    MDB_cursor *cursor;
    size_t left = recent->count + recent->added.count;
    size_t keep = extent == RECENT_ALL ? 0 : RECENT_COUNT_MAX;
    if (left <= keep) {
        return 0;
    }
    int code = mdb_cursor_open(txn, ids, &cursor);
    for (size_t i = 0; code == 0 && left > keep && i < BUCKET_COUNT; i += 1) {
        struct list *bucket = &recent->buckets[recent->turn.bucket];
        code = merge_bucket(recent, bucket, cursor);
        recent->merging[recent->turn.bucket] = true;
        left -= bucket->count;
        next_turn(recent, number_last);
    }
    if (code == 0 && extent == RECENT_ALL) {
        recent->turn = (struct turn){.round_started = number_last, .merged = number_last};
    }
    return code;
}

static void forget_transaction(struct recent *recent)
{
    recent->added.count = 0;
    recent->removed.count = 0;
    memset(recent->added_to, 0, sizeof recent->added_to);
    memset(recent->merging, 0, sizeof recent->merging);
}

void recent_committed(struct recent *recent)
{
    pthread_rwlock_wrlock(&recent->lock);
    for (size_t i = 0; i < BUCKET_COUNT; i += 1) {
        if (recent->merging[i]) {
            recent->count -= recent->buckets[i].count;
            recent->buckets[i].count = 0;
        }
    }
    for (size_t i = 0; i < recent->removed.count; i += 1) {
        const uint8_t *index = recent->removed.entries[i].index;
        struct entry *entry = find(&recent->buckets[index[0]], index);
        if (entry != NULL) {
            entry->number = 0;
        }
    }
    for (size_t i = 0; i < recent->added.count; i += 1) {
        const struct entry *entry = &recent->added.entries[i];
        append(&recent->buckets[entry->index[0]], entry->index, entry->number);
    }
    recent->count += recent->added.count;
    pthread_rwlock_unlock(&recent->lock);
    recent->turn_before = recent->turn;
    forget_transaction(recent);
}

void recent_aborted(struct recent *recent)
{
    recent->turn = recent->turn_before;
    forget_transaction(recent);
}

uint64_t recent_merged(const struct recent *recent)
{
    return recent->turn.merged;
}

bool recent_find(struct recent *recent, const uint8_t index[static SEAL_INDEX_SIZE],
                 uint64_t *ret_number)
{
    pthread_rwlock_rdlock(&recent->lock);
    const struct entry *entry = find(&recent->buckets[index[0]], index);
    if (entry != NULL) {
        *ret_number = entry->number;
    }
    pthread_rwlock_unlock(&recent->lock);
    return entry != NULL;
}
