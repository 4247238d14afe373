#include "store/write/fresh.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/row_codec.h"

enum {
    BUCKET_COUNT = 16 * 1024,
    NOBODY = -1,
    MERGE_COUNT_MIN = 512, /* of one stream, so that what shares pages goes in together */
};

/* What waits of one stream: first what is committed, then what this transaction added; each half
 * ascends. Of both, from the front, `merged` were put into the table by this transaction. */
struct waiting {
    uint32_t stream_number;
    int32_t bucket_next;
    struct fresh_place *places;
    size_t count;
    size_t capacity;
    size_t committed;
    size_t merged;
    bool is_touched; /* is in the list of what this transaction changes */
};

/* Where the merging stands: it goes through the streams, and when it has been through all that were
 * there at the beginning of the round, all that waited then is in the table. */
struct turn {
    size_t stream; /* to be merged next */
    size_t end;
    uint64_t round_started; /* number of the last record then */
    uint64_t merged;
    bool has_ended; /* in this transaction */
};

struct fresh {
    pthread_rwlock_t lock; /* guards buckets, streams and what is committed of their places */
    int32_t buckets[BUCKET_COUNT];
    struct waiting *streams;
    size_t stream_count;
    size_t stream_capacity;
    size_t count; /* in all streams, but for what this transaction merged; the writer's */
    size_t count_before;
    uint32_t *touched;
    size_t touched_count;
    struct turn turn;
    struct turn turn_before;
};

struct fresh *fresh_new(uint64_t merged)
{
    struct fresh *fresh = calloc(1, sizeof *fresh);
    if (fresh != NULL) {
        pthread_rwlock_init(&fresh->lock, NULL);
        memset(fresh->buckets, 0xff, sizeof fresh->buckets); /* NOBODY */
        fresh->turn = (struct turn){.round_started = merged, .merged = merged};
        fresh->turn_before = fresh->turn;
    }
    return fresh;
}

void fresh_free(struct fresh *fresh)
{
    if (fresh == NULL) {
        return;
    }
    for (size_t i = 0; i < fresh->stream_count; i += 1) {
        free(fresh->streams[i].places);
    }
    free(fresh->streams);
    free(fresh->touched);
    pthread_rwlock_destroy(&fresh->lock);
    free(fresh);
}

/* ---- looking up ---- */

static struct waiting *find_stream(const struct fresh *fresh, uint32_t stream_number)
{
    int32_t i = fresh->buckets[stream_number % BUCKET_COUNT];
    while (i != NOBODY && fresh->streams[i].stream_number != stream_number) {
        i = fresh->streams[i].bucket_next;
    }
    return i == NOBODY ? NULL : &fresh->streams[i];
}

/* The first in [begin, end) that is not before `sequence`. */
static size_t lower_bound(const struct waiting *waiting, size_t begin, size_t end,
                          uint64_t sequence)
{
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (waiting->places[middle].sequence < sequence) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

static bool find_in(const struct waiting *waiting, size_t begin, size_t end, uint64_t sequence,
                    uint64_t *ret_number)
{
    size_t i = lower_bound(waiting, begin, end, sequence);
    bool is_here = i < end && waiting->places[i].sequence == sequence;
    if (is_here) {
        *ret_number = waiting->places[i].number;
    }
    return is_here;
}

/* ---- adding ---- */

static void link_stream(struct fresh *fresh, size_t i)
{
    int32_t *bucket = &fresh->buckets[fresh->streams[i].stream_number % BUCKET_COUNT];
    fresh->streams[i].bucket_next = *bucket;
    *bucket = (int32_t)i;
}

static struct waiting *add_stream(struct fresh *fresh, uint32_t stream_number)
{
    pthread_rwlock_wrlock(&fresh->lock);
    if (fresh->stream_count == fresh->stream_capacity) {
        size_t capacity = fresh->stream_capacity == 0 ? 64 : fresh->stream_capacity * 2;
        void *streams = realloc(fresh->streams, capacity * sizeof *fresh->streams);
        fresh->streams = streams != NULL ? streams : fresh->streams;
        void *touched = realloc(fresh->touched, capacity * sizeof *fresh->touched);
        fresh->touched = touched != NULL ? touched : fresh->touched;
        fresh->stream_capacity =
            streams != NULL && touched != NULL ? capacity : fresh->stream_capacity;
    }
    struct waiting *waiting = NULL;
    if (fresh->stream_count < fresh->stream_capacity) {
        waiting = &fresh->streams[fresh->stream_count];
        *waiting = (struct waiting){.stream_number = stream_number};
        link_stream(fresh, fresh->stream_count);
        fresh->stream_count += 1;
    }
    pthread_rwlock_unlock(&fresh->lock);
    return waiting;
}

static bool reserve_place(struct fresh *fresh, struct waiting *waiting)
{
    if (waiting->count < waiting->capacity) {
        return true;
    }
    size_t capacity = waiting->capacity == 0 ? 4 : waiting->capacity * 2;
    pthread_rwlock_wrlock(&fresh->lock);
    void *places = realloc(waiting->places, capacity * sizeof *waiting->places);
    if (places != NULL) {
        waiting->places = places;
        waiting->capacity = capacity;
    }
    pthread_rwlock_unlock(&fresh->lock);
    return places != NULL;
}

static void touch(struct fresh *fresh, struct waiting *waiting)
{
    if (!waiting->is_touched) {
        waiting->is_touched = true;
        fresh->touched[fresh->touched_count] = (uint32_t)(waiting - fresh->streams);
        fresh->touched_count += 1;
    }
}

err fresh_add(struct fresh *fresh, uint32_t stream_number, struct fresh_place place)
{
    struct waiting *waiting = find_stream(fresh, stream_number);
    if (waiting == NULL) {
        waiting = add_stream(fresh, stream_number);
    }
    if (waiting == NULL || !reserve_place(fresh, waiting)) {
        return ERR_NO_MEMORY;
    }
    size_t begin = waiting->merged > waiting->committed ? waiting->merged : waiting->committed;
    size_t i = waiting->count;
    while (i > begin && waiting->places[i - 1].sequence > place.sequence) {
        waiting->places[i] = waiting->places[i - 1];
        i -= 1;
    }
    waiting->places[i] = place;
    waiting->count += 1;
    fresh->count += 1;
    touch(fresh, waiting);
    return OK;
}

uint64_t fresh_last(const struct fresh *fresh, uint32_t stream_number)
{
    const struct waiting *waiting = find_stream(fresh, stream_number);
    uint64_t last = 0;
    if (waiting != NULL && waiting->committed > 0) {
        last = waiting->places[waiting->committed - 1].sequence;
    }
    if (waiting != NULL && waiting->count > 0 &&
        waiting->places[waiting->count - 1].sequence > last) {
        last = waiting->places[waiting->count - 1].sequence;
    }
    return last;
}

bool fresh_find_own(const struct fresh *fresh, uint32_t stream_number, uint64_t sequence,
                    uint64_t *ret_number)
{
    const struct waiting *waiting = find_stream(fresh, stream_number);
    if (waiting == NULL) {
        return false;
    }
    size_t begin = waiting->merged > waiting->committed ? waiting->merged : waiting->committed;
    return find_in(waiting, begin, waiting->count, sequence, ret_number) ||
           (waiting->merged < waiting->committed &&
            find_in(waiting, waiting->merged, waiting->committed, sequence, ret_number));
}

/* ---- merging ---- */

static int merge_stream(struct fresh *fresh, struct waiting *waiting, MDB_cursor *positions,
                        size_t count_max)
{
    size_t left = waiting->count - waiting->merged;
    size_t end = waiting->merged + (left < count_max ? left : count_max);
    touch(fresh, waiting);
    for (; waiting->merged < end; waiting->merged += 1) {
        const struct fresh_place *place = &waiting->places[waiting->merged];
        uint8_t position[ROW_CODEC_PAIR_SIZE];
        uint8_t number[ROW_CODEC_NUMBER_SIZE];
        row_codec_number(place->number, number);
        row_codec_pair(waiting->stream_number, place->sequence, position);
        MDB_val key = env_val(position, sizeof position);
        MDB_val value = env_val(number, sizeof number);
        int code = mdb_cursor_put(positions, &key, &value, 0);
        if (code != 0) {
            return code;
        }
        fresh->count -= 1;
    }
    return 0;
}

int fresh_settle(struct fresh *fresh, MDB_cursor *positions, uint32_t stream_number)
{
    struct waiting *waiting = find_stream(fresh, stream_number);
    return waiting == NULL ? 0 : merge_stream(fresh, waiting, positions, SIZE_MAX);
}

/* Nothing of it waits that was there when the round began. */
static bool round_has_all(const struct fresh *fresh, const struct waiting *waiting)
{
    for (size_t i = waiting->merged; i < waiting->count; i += 1) {
        if (waiting->places[i].number <= fresh->turn.round_started) {
            return false;
        }
    }
    return true;
}

static void end_round(struct fresh *fresh, uint64_t number_last)
{
    fresh->turn = (struct turn){.end = fresh->stream_count,
                                .round_started = number_last,
                                .merged = fresh->turn.round_started,
                                .has_ended = true};
}

int fresh_merge(struct fresh *fresh, MDB_cursor *positions, bool is_all, uint64_t number_last)
{
    size_t keep = is_all ? 0 : FRESH_COUNT_MAX;
    int code = 0;
    if (fresh->count > keep && fresh->turn.end == 0) {
        end_round(fresh, number_last); /* the first begins */
    }
    while (code == 0 && fresh->count > keep) {
        struct waiting *waiting = &fresh->streams[fresh->turn.stream];
        size_t due = fresh->count - keep;
        code =
            merge_stream(fresh, waiting, positions, due > MERGE_COUNT_MIN ? due : MERGE_COUNT_MIN);
        fresh->turn.stream += round_has_all(fresh, waiting) ? 1 : 0;
        if (fresh->turn.stream == fresh->turn.end) {
            end_round(fresh, number_last);
            keep = is_all ? 0 : SIZE_MAX; /* one round is enough at once */
        }
    }
    if (code == 0 && is_all) {
        end_round(fresh, number_last);
        fresh->turn.merged = number_last;
    }
    return code;
}

uint64_t fresh_merged(const struct fresh *fresh)
{
    return fresh->turn.merged;
}

/* ---- the end of a transaction ---- */

static int compare(const void *a, const void *b)
{
    uint64_t left = ((const struct fresh_place *)a)->sequence;
    uint64_t right = ((const struct fresh_place *)b)->sequence;
    return (left > right) - (left < right);
}

static void settle_stream(struct waiting *waiting)
{
    size_t left = waiting->count - waiting->merged;
    size_t seam = waiting->committed > waiting->merged ? waiting->committed - waiting->merged : 0;
    if (waiting->merged > 0) {
        memmove(waiting->places, waiting->places + waiting->merged, left * sizeof *waiting->places);
    }
    waiting->count = left;
    waiting->merged = 0;
    waiting->committed = left;
    waiting->is_touched = false;
    if (seam > 0 && seam < left &&
        waiting->places[seam].sequence < waiting->places[seam - 1].sequence) {
        qsort(waiting->places, left, sizeof *waiting->places, compare);
    }
}

/* Between two rounds nobody's place in the list matters. */
static void forget_empty(struct fresh *fresh)
{
    size_t kept = 0;
    memset(fresh->buckets, 0xff, sizeof fresh->buckets); /* NOBODY */
    for (size_t i = 0; i < fresh->stream_count; i += 1) {
        if (fresh->streams[i].count == 0) {
            free(fresh->streams[i].places);
            continue;
        }
        fresh->streams[kept] = fresh->streams[i];
        link_stream(fresh, kept);
        kept += 1;
    }
    fresh->stream_count = kept;
    fresh->turn.end = kept;
}

void fresh_committed(struct fresh *fresh)
{
    pthread_rwlock_wrlock(&fresh->lock);
    for (size_t i = 0; i < fresh->touched_count; i += 1) {
        settle_stream(&fresh->streams[fresh->touched[i]]);
    }
    fresh->touched_count = 0;
    if (fresh->turn.has_ended && fresh->turn.stream == 0) {
        forget_empty(fresh);
    }
    pthread_rwlock_unlock(&fresh->lock);
    fresh->turn.has_ended = false;
    fresh->turn_before = fresh->turn;
    fresh->count_before = fresh->count;
}

void fresh_aborted(struct fresh *fresh)
{
    for (size_t i = 0; i < fresh->touched_count; i += 1) {
        struct waiting *waiting = &fresh->streams[fresh->touched[i]];
        waiting->count = waiting->committed;
        waiting->merged = 0;
        waiting->is_touched = false;
    }
    fresh->touched_count = 0;
    fresh->turn = fresh->turn_before;
    fresh->count = fresh->count_before;
}

/* ---- any thread ---- */

bool fresh_find(struct fresh *fresh, uint32_t stream_number, uint64_t sequence,
                uint64_t *ret_number)
{
    pthread_rwlock_rdlock(&fresh->lock);
    const struct waiting *waiting = find_stream(fresh, stream_number);
    bool is_here = waiting != NULL && find_in(waiting, 0, waiting->committed, sequence, ret_number);
    pthread_rwlock_unlock(&fresh->lock);
    return is_here;
}

size_t fresh_range(struct fresh *fresh, uint32_t stream_number, uint64_t sequence,
                   struct fresh_place *ret_places, size_t count_max)
{
    size_t count = 0;
    pthread_rwlock_rdlock(&fresh->lock);
    const struct waiting *waiting = find_stream(fresh, stream_number);
    if (waiting != NULL) {
        size_t first = lower_bound(waiting, 0, waiting->committed, sequence);
        size_t left = waiting->committed - first;
        count = left < count_max ? left : count_max;
        memcpy(ret_places, waiting->places + first, count * sizeof *ret_places);
    }
    pthread_rwlock_unlock(&fresh->lock);
    return count;
}
