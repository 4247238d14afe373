#include "store/disk/index_buffer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/row_codec.h"

enum {
    TAIL_COUNT = 128,
    PILE_COUNT_MAX = 64,
    STEP_COUNT = 512,     /* entries that are merged together, because they share pages */
    GENERATION_COUNT = 4, /* generations that may wait */
    HASTE = 16,           /* an oversize generation drains this many times faster */
};

struct entry {
    struct index_buffer_key key;
    uint64_t number; /* 0: erased */
};

/* Sorted by key, each key once; never changed after it is made. */
struct run {
    size_t count;
    struct entry entries[];
};

/* One index. The filling generation is a stack of runs, the newest last. Each run is at least twice
 * as long as the next one, so that an insertion costs few copies and a look-up few searches. */
struct side {
    struct run *runs[PILE_COUNT_MAX];
    size_t run_count;
    size_t committed;              /* of the runs; those above belong to this transaction */
    struct entry tail[TAIL_COUNT]; /* the latest entries of this transaction, sorted */
    size_t tail_count;
    size_t filled;   /* entries of the committed runs */
    bool supersedes; /* the filling generation may contradict the draining one */
    struct run *draining;
    size_t drained; /* of its entries, from the front */
    size_t drained_before;
};

struct index_buffer {
    const struct env *env;
    size_t generation;
    pthread_rwlock_t lock; /* guards what readers see: committed runs and draining ones */
    struct side sides[INDEX_BUFFER_TABLE_COUNT];
    uint64_t draining_last; /* the last record of the draining generation */
    uint64_t merged;
    uint64_t merged_before;
};

/* ---- keys ---- */

struct index_buffer_key index_buffer_id(const uint8_t index[static SEAL_INDEX_SIZE])
{
    struct reader reader = reader_of((struct bytes){index, SEAL_INDEX_SIZE});
    struct index_buffer_key key = {.high = reader_u64(&reader)};
    key.low = reader_u64(&reader);
    return key;
}

struct index_buffer_key index_buffer_position(uint32_t stream_number, uint64_t sequence)
{
    return (struct index_buffer_key){.high = stream_number, .low = sequence};
}

static bool is_before(struct index_buffer_key a, struct index_buffer_key b)
{
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

static bool is_same(struct index_buffer_key a, struct index_buffer_key b)
{
    return a.high == b.high && a.low == b.low;
}

/* The key in its encoding in the table. */
static MDB_val spell(enum index_buffer_table table, struct index_buffer_key key,
                     uint8_t memory[static SEAL_INDEX_SIZE])
{
    if (table == INDEX_BUFFER_POSITIONS) {
        row_codec_pair((uint32_t)key.high, key.low, memory);
        return env_val(memory, ROW_CODEC_PAIR_SIZE);
    }
    row_codec_number(key.high, memory);
    row_codec_number(key.low, memory + ROW_CODEC_NUMBER_SIZE);
    return env_val(memory, SEAL_INDEX_SIZE);
}

static MDB_dbi dbi_of(const struct index_buffer *buffer, enum index_buffer_table table)
{
    return table == INDEX_BUFFER_IDS ? buffer->env->ids : buffer->env->positions;
}

/* ---- runs ---- */

/* The first entry that is not before `key`. */
static size_t lower_bound(const struct entry *entries, size_t count, struct index_buffer_key key)
{
    size_t begin = 0;
    while (begin < count) {
        size_t middle = begin + (count - begin) / 2;
        if (is_before(entries[middle].key, key)) {
            begin = middle + 1;
        } else {
            count = middle;
        }
    }
    return begin;
}

static enum index_buffer_answer look(const struct entry *entries, size_t count,
                                     struct index_buffer_key key, uint64_t *ret_number)
{
    size_t i = lower_bound(entries, count, key);
    if (i == count || !is_same(entries[i].key, key)) {
        return INDEX_BUFFER_ABSENT;
    }
    *ret_number = entries[i].number;
    return entries[i].number == 0 ? INDEX_BUFFER_ERASED : INDEX_BUFFER_FOUND;
}

static struct run *run_new(size_t count)
{
    struct run *run = malloc(sizeof *run + count * sizeof run->entries[0]);
    if (run != NULL) {
        run->count = count;
    }
    return run;
}

/* When both have a key, the newer entry wins. NULL when out of memory. */
static struct run *join(const struct run *older, const struct run *newer)
{
    struct run *joined = run_new(older->count + newer->count);
    const struct entry *a = older->entries, *a_end = a + older->count;
    const struct entry *b = newer->entries, *b_end = b + newer->count;
    if (joined == NULL) {
        return NULL;
    }
    struct entry *out = joined->entries;
    while (a < a_end && b < b_end) {
        if (is_before(a->key, b->key)) {
            *out++ = *a++;
        } else {
            a += is_same(a->key, b->key) ? 1 : 0;
            *out++ = *b++;
        }
    }
    size_t a_left = (size_t)(a_end - a), b_left = (size_t)(b_end - b);
    memcpy(out, a, a_left * sizeof *a);
    memcpy(out + a_left, b, b_left * sizeof *b);
    joined->count = (size_t)(out - joined->entries) + a_left + b_left;
    return joined;
}

/* Joins the newest two runs. False when out of memory: they stay as they are. */
static bool join_last(struct index_buffer *buffer, struct side *side)
{
    struct run *older = side->runs[side->run_count - 2];
    struct run *newer = side->runs[side->run_count - 1];
    struct run *joined = join(older, newer);
    if (joined == NULL) {
        return false;
    }
    pthread_rwlock_wrlock(&buffer->lock);
    side->run_count -= 1;
    side->runs[side->run_count - 1] = joined;
    side->committed = side->committed < side->run_count ? side->committed : side->run_count;
    pthread_rwlock_unlock(&buffer->lock);
    free(older);
    free(newer);
    return true;
}

/* Joins runs above `floor` from the top until each is at least twice as long as the next. */
static void pile(struct index_buffer *buffer, struct side *side, size_t floor)
{
    bool joined = true;
    while (joined) {
        size_t i = floor + 1;
        while (i < side->run_count && side->runs[i - 1]->count >= 2 * side->runs[i]->count) {
            i += 1;
        }
        joined = i < side->run_count && join_last(buffer, side);
    }
}

/* Makes a run of the latest entries. */
static bool flush_tail(struct index_buffer *buffer, struct side *side)
{
    if (side->tail_count == 0) {
        return true;
    }
    struct run *run = side->run_count < PILE_COUNT_MAX ? run_new(side->tail_count) : NULL;
    if (run == NULL) {
        return false;
    }
    memcpy(run->entries, side->tail, side->tail_count * sizeof side->tail[0]);
    side->runs[side->run_count] = run; /* readers do not look above `committed` */
    side->run_count += 1;
    side->tail_count = 0;
    pile(buffer, side, side->committed);
    return true;
}

/* ---- life ---- */

struct index_buffer *index_buffer_new(const struct env *env, uint64_t merged, size_t generation)
{
    struct index_buffer *buffer = calloc(1, sizeof *buffer);
    if (buffer != NULL) {
        pthread_rwlock_init(&buffer->lock, NULL);
        buffer->env = env;
        buffer->generation = generation;
        buffer->merged = merged;
        buffer->merged_before = merged;
    }
    return buffer;
}

void index_buffer_free(struct index_buffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    for (size_t i = 0; i < INDEX_BUFFER_TABLE_COUNT; i += 1) {
        struct side *side = &buffer->sides[i];
        for (size_t run = 0; run < side->run_count; run += 1) {
            free(side->runs[run]);
        }
        free(side->draining);
    }
    pthread_rwlock_destroy(&buffer->lock);
    free(buffer);
}

/* ---- adding and erasing ---- */

err index_buffer_add(struct index_buffer *buffer, enum index_buffer_table table,
                     struct index_buffer_key key, uint64_t number)
{
    struct side *side = &buffer->sides[table];
    if (side->tail_count == TAIL_COUNT && !flush_tail(buffer, side)) {
        return ERR_NO_MEMORY;
    }
    size_t i = lower_bound(side->tail, side->tail_count, key);
    if (i == side->tail_count || !is_same(side->tail[i].key, key)) {
        memmove(&side->tail[i + 1], &side->tail[i], (side->tail_count - i) * sizeof side->tail[0]);
        side->tail_count += 1;
    }
    side->tail[i] = (struct entry){.key = key, .number = number};
    return OK;
}

/* An entry that hides older ones from look-ups and merges. */
static int supersede(struct index_buffer *buffer, enum index_buffer_table table,
                     struct index_buffer_key key, uint64_t number)
{
    buffer->sides[table].supersedes = true;
    return index_buffer_add(buffer, table, key, number) == OK ? 0 : ENOMEM;
}

/* The table deletes it now, since this entry may be lost with the memory. */
int index_buffer_erase(struct index_buffer *buffer, MDB_txn *txn, enum index_buffer_table table,
                       struct index_buffer_key key)
{
    uint8_t memory[SEAL_INDEX_SIZE];
    MDB_val name = spell(table, key, memory);
    int code = supersede(buffer, table, key, 0);
    code = code != 0 ? code : mdb_del(txn, dbi_of(buffer, table), &name, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

int index_buffer_put(struct index_buffer *buffer, MDB_txn *txn, enum index_buffer_table table,
                     struct index_buffer_key key, uint64_t number)
{
    uint8_t memory[SEAL_INDEX_SIZE];
    uint8_t leads[ROW_CODEC_NUMBER_SIZE];
    uint64_t found = number;
    MDB_val name = spell(table, key, memory);
    MDB_val value = env_val(leads, sizeof leads);
    row_codec_number(number, leads);
    enum index_buffer_answer answer = index_buffer_find_own(buffer, table, key, &found);
    int code = answer == INDEX_BUFFER_ABSENT || found == number
                   ? 0
                   : supersede(buffer, table, key, number);
    return code != 0 ? code : mdb_put(txn, dbi_of(buffer, table), &name, &value, 0);
}

/* ---- looking up ---- */

static enum index_buffer_answer look_filling(const struct side *side, size_t run_count,
                                             struct index_buffer_key key, uint64_t *ret_number)
{
    enum index_buffer_answer answer = INDEX_BUFFER_ABSENT;
    for (size_t i = run_count; answer == INDEX_BUFFER_ABSENT && i > 0; i -= 1) {
        answer = look(side->runs[i - 1]->entries, side->runs[i - 1]->count, key, ret_number);
    }
    return answer;
}

/* First in the filling generation, then in the draining one. */
static enum index_buffer_answer look_all(const struct side *side, size_t run_count,
                                         struct index_buffer_key key, uint64_t *ret_number)
{
    enum index_buffer_answer answer = look_filling(side, run_count, key, ret_number);
    return answer != INDEX_BUFFER_ABSENT || side->draining == NULL
               ? answer
               : look(side->draining->entries, side->draining->count, key, ret_number);
}

enum index_buffer_answer index_buffer_find_own(const struct index_buffer *buffer,
                                               enum index_buffer_table table,
                                               struct index_buffer_key key, uint64_t *ret_number)
{
    const struct side *side = &buffer->sides[table];
    enum index_buffer_answer answer = look(side->tail, side->tail_count, key, ret_number);
    return answer != INDEX_BUFFER_ABSENT ? answer
                                         : look_all(side, side->run_count, key, ret_number);
}

enum index_buffer_answer index_buffer_find(struct index_buffer *buffer,
                                           enum index_buffer_table table,
                                           struct index_buffer_key key, uint64_t *ret_number)
{
    const struct side *side = &buffer->sides[table];
    pthread_rwlock_rdlock(&buffer->lock);
    enum index_buffer_answer answer = look_all(side, side->committed, key, ret_number);
    pthread_rwlock_unlock(&buffer->lock);
    return answer;
}

static uint64_t last_in(const struct entry *entries, size_t count, uint32_t stream_number)
{
    size_t i = lower_bound(entries, count, index_buffer_position(stream_number, UINT64_MAX));
    return i > 0 && entries[i - 1].key.high == stream_number ? entries[i - 1].key.low : 0;
}

uint64_t index_buffer_last(const struct index_buffer *buffer, uint32_t stream_number)
{
    const struct side *side = &buffer->sides[INDEX_BUFFER_POSITIONS];
    uint64_t last = last_in(side->tail, side->tail_count, stream_number);
    for (size_t i = 0; i <= side->run_count; i += 1) {
        const struct run *run = i < side->run_count ? side->runs[i] : side->draining;
        uint64_t found = run == NULL ? 0 : last_in(run->entries, run->count, stream_number);
        last = found > last ? found : last;
    }
    return last;
}

/* The rest of a run, within one stream. */
struct span {
    const struct entry *next;
    const struct entry *end;
};

/* Takes the least key of the spans, and its newest entry: newer spans come first. */
static const struct entry *take_least(struct span *spans, size_t span_count)
{
    const struct entry *least = NULL;
    for (size_t i = 0; i < span_count; i += 1) {
        if (spans[i].next < spans[i].end &&
            (least == NULL || is_before(spans[i].next->key, least->key))) {
            least = spans[i].next;
        }
    }
    for (size_t i = 0; least != NULL && i < span_count; i += 1) {
        if (spans[i].next < spans[i].end && is_same(spans[i].next->key, least->key)) {
            spans[i].next += 1;
        }
    }
    return least;
}

size_t index_buffer_range(struct index_buffer *buffer, uint32_t stream_number, uint64_t sequence,
                          struct index_buffer_place *ret_places, size_t count_max)
{
    const struct side *side = &buffer->sides[INDEX_BUFFER_POSITIONS];
    struct index_buffer_key from = index_buffer_position(stream_number, sequence);
    struct index_buffer_key to = index_buffer_position(stream_number, UINT64_MAX);
    struct span spans[PILE_COUNT_MAX + 1];
    size_t span_count = 0;
    size_t count = 0;
    pthread_rwlock_rdlock(&buffer->lock);
    for (size_t i = side->committed + 1; i > 0; i -= 1) {
        const struct run *run = i > 1 ? side->runs[i - 2] : side->draining;
        if (run != NULL) {
            spans[span_count] =
                (struct span){run->entries + lower_bound(run->entries, run->count, from),
                              run->entries + lower_bound(run->entries, run->count, to)};
            span_count += 1;
        }
    }
    const struct entry *entry = take_least(spans, span_count);
    for (; entry != NULL && count < count_max; entry = take_least(spans, span_count)) {
        if (entry->number != 0) {
            ret_places[count] = (struct index_buffer_place){entry->key.low, entry->number};
            count += 1;
        }
    }
    pthread_rwlock_unlock(&buffer->lock);
    return count;
}

size_t index_buffer_count(const struct index_buffer *buffer, enum index_buffer_table table)
{
    const struct side *side = &buffer->sides[table];
    return side->filled + (side->draining == NULL ? 0 : side->draining->count) -
           side->drained_before;
}

/* ---- merging ---- */

/* Entries of this transaction. */
static size_t count_own(const struct side *side)
{
    size_t count = 0;
    for (size_t i = side->committed; i < side->run_count; i += 1) {
        count += side->runs[i]->count;
    }
    return count;
}

/* Where merging of the draining generation must be by now. It keeps pace with the filling
 * generation, so that the first is merged when the second is full. */
static size_t due(const struct index_buffer *buffer, const struct side *side,
                  enum index_buffer_extent extent)
{
    size_t count = side->draining->count;
    size_t filled = side->filled + count_own(side);
    size_t room = count > buffer->generation ? buffer->generation / HASTE : buffer->generation;
    if (extent == INDEX_BUFFER_ALL || count + filled > GENERATION_COUNT * buffer->generation ||
        (extent == INDEX_BUFFER_DUE && filled >= room)) {
        return count;
    }
    size_t target = extent == INDEX_BUFFER_LEAST ? 0 : count * filled / room;
    return target >= side->drained + STEP_COUNT ? target : side->drained;
}

/* A newer entry contradicts it. */
static bool is_superseded(const struct side *side, struct index_buffer_key key)
{
    uint64_t number;
    return side->supersedes &&
           look_filling(side, side->run_count, key, &number) != INDEX_BUFFER_ABSENT;
}

static int drain(struct side *side, enum index_buffer_table table, MDB_cursor *cursor, size_t end)
{
    for (; side->drained < end; side->drained += 1) {
        const struct entry *entry = &side->draining->entries[side->drained];
        uint8_t name[SEAL_INDEX_SIZE];
        uint8_t number[ROW_CODEC_NUMBER_SIZE];
        if (entry->number == 0 || is_superseded(side, entry->key)) {
            continue;
        }
        row_codec_number(entry->number, number);
        MDB_val key = spell(table, entry->key, name);
        MDB_val value = env_val(number, sizeof number);
        int code = mdb_cursor_put(cursor, &key, &value, 0);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int merge_side(struct index_buffer *buffer, MDB_txn *txn, enum index_buffer_table table,
                      enum index_buffer_extent extent)
{
    struct side *side = &buffer->sides[table];
    MDB_cursor *cursor;
    if (!flush_tail(buffer, side)) {
        return ENOMEM;
    }
    size_t end = side->draining == NULL ? 0 : due(buffer, side, extent);
    int code = end <= side->drained ? 0 : mdb_cursor_open(txn, dbi_of(buffer, table), &cursor);
    if (code == 0 && end > side->drained) {
        code = drain(side, table, cursor, end);
        mdb_cursor_close(cursor);
    }
    return code;
}

static bool is_drained(const struct index_buffer *buffer)
{
    bool is = true;
    for (size_t i = 0; i < INDEX_BUFFER_TABLE_COUNT; i += 1) {
        const struct side *side = &buffer->sides[i];
        is = is && (side->draining == NULL || side->drained == side->draining->count);
    }
    return is;
}

int index_buffer_merge(struct index_buffer *buffer, MDB_txn *txn, enum index_buffer_extent extent)
{
    int code = merge_side(buffer, txn, INDEX_BUFFER_IDS, extent);
    if (code == 0) {
        code = merge_side(buffer, txn, INDEX_BUFFER_POSITIONS, extent);
    }
    if (code == 0 && is_drained(buffer) && buffer->draining_last > buffer->merged) {
        buffer->merged = buffer->draining_last;
    }
    return code;
}

uint64_t index_buffer_merged(const struct index_buffer *buffer)
{
    return buffer->merged;
}

/* ---- the end of a transaction ---- */

static void let_go(struct index_buffer *buffer)
{
    for (size_t i = 0; i < INDEX_BUFFER_TABLE_COUNT; i += 1) {
        struct side *side = &buffer->sides[i];
        struct run *run = side->draining;
        pthread_rwlock_wrlock(&buffer->lock);
        side->draining = NULL;
        pthread_rwlock_unlock(&buffer->lock);
        side->drained = 0;
        free(run);
    }
}

/* Joins the whole filling generation into one run. Without memory the runs stay, and a later call
 * retries. */
static bool join_all(struct index_buffer *buffer, struct side *side)
{
    while (side->run_count > 1 && join_last(buffer, side)) {
    }
    return side->run_count <= 1;
}

bool index_buffer_turn(struct index_buffer *buffer, uint64_t number_last)
{
    struct side *ids = &buffer->sides[INDEX_BUFFER_IDS];
    struct side *others = &buffer->sides[INDEX_BUFFER_POSITIONS];
    if (ids->draining != NULL || others->draining != NULL) {
        return true;
    }
    if (ids->run_count + others->run_count == 0 || !join_all(buffer, ids) ||
        !join_all(buffer, others)) {
        return false;
    }
    pthread_rwlock_wrlock(&buffer->lock);
    for (size_t i = 0; i < INDEX_BUFFER_TABLE_COUNT; i += 1) {
        struct side *side = &buffer->sides[i];
        side->draining = side->run_count == 1 ? side->runs[0] : NULL;
        side->run_count = 0;
        side->committed = 0;
        side->filled = 0;
        side->supersedes = false;
    }
    pthread_rwlock_unlock(&buffer->lock);
    buffer->draining_last = number_last;
    return true;
}

/* Nothing here can fail: the runs exist already. */
void index_buffer_committed(struct index_buffer *buffer, uint64_t number_last)
{
    bool is_full = false;
    if (is_drained(buffer)) {
        let_go(buffer);
    }
    for (size_t i = 0; i < INDEX_BUFFER_TABLE_COUNT; i += 1) {
        struct side *side = &buffer->sides[i];
        assert(side->tail_count == 0);
        side->filled += count_own(side);
        pthread_rwlock_wrlock(&buffer->lock);
        side->committed = side->run_count;
        pthread_rwlock_unlock(&buffer->lock);
        pile(buffer, side, 0);
        side->drained_before = side->drained;
        is_full = is_full || side->filled >= buffer->generation;
    }
    buffer->merged_before = buffer->merged;
    if (is_full) {
        (void)index_buffer_turn(buffer, number_last);
    }
}

void index_buffer_aborted(struct index_buffer *buffer)
{
    for (size_t i = 0; i < INDEX_BUFFER_TABLE_COUNT; i += 1) {
        struct side *side = &buffer->sides[i];
        for (; side->run_count > side->committed; side->run_count -= 1) {
            free(side->runs[side->run_count - 1]);
        }
        side->tail_count = 0;
        side->drained = side->drained_before;
    }
    buffer->merged = buffer->merged_before;
}
