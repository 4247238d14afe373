#include "store/write/stream_cache.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk/index_buffer.h"
#include "store/write/write_txn.h"

enum { SLOT_COUNT = 4096 };

struct slot {
    bool used;
    bool dirty;
    bool listed; /* listed in `dirty` below; written even when another stream replaces it here */
    uint8_t key[SEAL_INDEX_SIZE];
    uint64_t last;
    struct row_codec_stream stream;
};

struct stream_cache {
    uint8_t hash_key[crypto_shorthash_KEYBYTES]; /* random, so that no remote party can choose
                                                    colliding streams */
    struct slot *latest; /* the last look-up, because a run of records uses one stream again and
                            again; or NULL */
    size_t dirty_count;
    uint16_t dirty[SLOT_COUNT];
    struct slot slots[SLOT_COUNT];
};

struct stream_cache *stream_cache_new(void)
{
    struct stream_cache *cache = calloc(1, sizeof *cache);
    if (cache != NULL) {
        randombytes_buf(cache->hash_key, sizeof cache->hash_key);
    }
    return cache;
}

void stream_cache_free(struct stream_cache *cache)
{
    free(cache);
}

void stream_cache_clear(struct stream_cache *cache)
{
    for (size_t i = 0; i < SLOT_COUNT; i += 1) {
        cache->slots[i].used = false;
        cache->slots[i].dirty = false;
        cache->slots[i].listed = false;
    }
    cache->dirty_count = 0;
}

static struct slot *slot_of(struct stream_cache *cache, const struct stream_id *id)
{
    uint8_t name[STREAM_ID_SIZE];
    uint8_t hash[crypto_shorthash_BYTES];
    struct buffer buffer = buffer_over(name, sizeof name);
    stream_id_write(&buffer, id);
    crypto_shorthash(hash, name, sizeof name, cache->hash_key);
    return &cache->slots[((size_t)hash[0] | (size_t)hash[1] << 8) % SLOT_COUNT];
}

static bool holds(const struct slot *slot, const struct stream_id *id)
{
    return slot->used && stream_id_equal(&slot->stream.id, id);
}

static void mark_dirty(struct stream_cache *cache, struct slot *slot)
{
    slot->dirty = true;
    if (!slot->listed) {
        slot->listed = true;
        cache->dirty[cache->dirty_count] = (uint16_t)(slot - cache->slots);
        cache->dirty_count += 1;
    }
}

static err write_slot(struct write_txn *group, struct slot *slot)
{
    uint8_t sealed[ROW_CODEC_STREAM_SIZE_MAX];
    size_t size =
        row_codec_stream_seal(group->store, &group->nonces, slot->key, &slot->stream, sealed);
    MDB_val key = env_val(slot->key, sizeof slot->key);
    MDB_val value = env_val(sealed, size);
    group->changed = true;
    return env_check(mdb_put(group->txn, group->store->env.streams, &key, &value, 0),
                     &group->broken);
}

err stream_cache_flush(struct write_txn *group)
{
    struct stream_cache *cache = group->streams;
    for (size_t i = 0; i < cache->dirty_count; i += 1) {
        struct slot *slot = &cache->slots[cache->dirty[i]];
        err result = slot->dirty ? write_slot(group, slot) : OK;
        if (result != OK) {
            return result;
        }
        slot->dirty = false;
        slot->listed = false;
    }
    cache->dirty_count = 0;
    return OK;
}

/* Numbers a scope on its first stream. */
static err scope_number(struct write_txn *group, const struct scope *scope, uint32_t *ret_number)
{
    uint8_t name[1 + HASH_SIZE];
    uint8_t plain[2 + sizeof name + 4];
    uint8_t sealed[sizeof plain + ROW_CODEC_ROW_OVERHEAD];
    struct buffer buffer = buffer_over(name, sizeof name);
    buffer_u8(&buffer, (uint8_t)scope->kind);
    buffer_put(&buffer, scope->id, HASH_SIZE);
    struct row_codec_row_key row_key =
        row_codec_row_key(group->store, ROW_CODEC_TABLE_SCOPE, buffer_bytes(&buffer));
    MDB_val key = env_val(row_key.bytes, row_key.size);
    MDB_val value;
    err result =
        env_check(mdb_get(group->txn, group->store->env.rows, &key, &value), &group->broken);
    if (result == OK) {
        struct store_row row;
        if (value.mv_size != sizeof sealed ||
            row_codec_row_open(group->store, env_bytes_of(key), env_bytes_of(value), plain, &row) !=
                OK) {
            return ERR_CORRUPT;
        }
        struct reader reader = reader_of(row.value);
        *ret_number = reader_u32(&reader);
        return reader_done(&reader) ? OK : ERR_CORRUPT;
    }
    if (result != ERR_NOT_FOUND) {
        return result;
    }
    group->changed = true;
    group->state.scope_number_last += 1;
    *ret_number = group->state.scope_number_last;
    struct buffer row = buffer_over(plain, sizeof plain);
    buffer_u16(&row, sizeof name);
    buffer_put(&row, name, sizeof name);
    buffer_u32(&row, *ret_number);
    row_codec_row_seal(group->store, &group->nonces, env_bytes_of(key), buffer_bytes(&row), sealed);
    value = env_val(sealed, sizeof sealed);
    return env_check(mdb_put(group->txn, group->store->env.rows, &key, &value, 0), &group->broken);
}

/* The last one in the table, or in the buffer. */
static err load_last(struct write_txn *group, struct slot *slot)
{
    uint8_t after[ROW_CODEC_PAIR_SIZE];
    row_codec_pair(slot->stream.number, UINT64_MAX, after);
    MDB_val key = env_val(after, sizeof after);
    MDB_val value;
    uint64_t last = 0;
    int code = mdb_cursor_get(group->positions, &key, &value, MDB_SET_RANGE);
    code = mdb_cursor_get(group->positions, &key, &value, code == 0 ? MDB_PREV : MDB_LAST);
    if (code == 0 && !row_codec_pair_read(env_bytes_of(key), slot->stream.number, &last)) {
        last = 0;
    }
    slot->last = index_buffer_last(group->store->index, slot->stream.number);
    slot->last = slot->last > last ? slot->last : last;
    return code == MDB_NOTFOUND ? OK : env_check(code, &group->broken);
}

static err load(struct write_txn *group, const struct stream_id *id, struct slot *slot)
{
    row_codec_stream_key(group->store, id, slot->key);
    MDB_val key = env_val(slot->key, sizeof slot->key);
    MDB_val value;
    err result =
        env_check(mdb_get(group->txn, group->store->env.streams, &key, &value), &group->broken);
    if (result == OK) {
        result = row_codec_stream_open(group->store, env_bytes_of(key), env_bytes_of(value),
                                       &slot->stream);
    }
    if (result == OK && !stream_id_equal(&slot->stream.id, id)) {
        result = ERR_CORRUPT;
    }
    return result == OK ? load_last(group, slot) : result;
}

err stream_cache_get(struct write_txn *group, const struct stream_id *id, bool create,
                     struct row_codec_stream **ret_stream)
{
    struct stream_cache *cache = group->streams;
    struct slot *slot = cache->latest;
    if (slot == NULL || !holds(slot, id)) {
        slot = slot_of(cache, id);
        cache->latest = slot;
    }
    if (holds(slot, id)) {
        *ret_stream = &slot->stream;
        return OK;
    }
    if (slot->dirty) {
        err written = write_slot(group, slot);
        if (written != OK) {
            return written;
        }
    }
    slot->used = false;
    slot->dirty = false;
    err result = load(group, id, slot);
    if (result == ERR_NOT_FOUND && create) {
        slot->stream = (struct row_codec_stream){.id = *id};
        slot->last = 0;
        result = scope_number(group, &id->scope, &slot->stream.scope_number);
        if (result == OK) {
            group->changed = true;
            group->state.stream_number_last += 1;
            slot->stream.number = group->state.stream_number_last;
            mark_dirty(cache, slot);
        }
    }
    if (result == OK) {
        slot->used = true;
        *ret_stream = &slot->stream;
    }
    return result;
}

static struct slot *slot_around(struct row_codec_stream *stream)
{
    return (struct slot *)(void *)((uint8_t *)stream - offsetof(struct slot, stream));
}

uint64_t *stream_cache_last(struct row_codec_stream *stream)
{
    return &slot_around(stream)->last;
}

void stream_cache_set(struct write_txn *group, struct row_codec_stream *stream, struct bytes state)
{
    struct stream_cache *cache = group->streams;
    struct slot *slot = slot_around(stream);
    assert(state.size <= sizeof stream->state && slot->used);
    memcpy(stream->state, state.data, state.size);
    stream->state_size = state.size;
    group->changed = true;
    mark_dirty(cache, slot);
}
