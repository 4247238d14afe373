#include "protocol/member/cuts.h"

#include <string.h>

#include "protocol/base/limits.h"

void cuts_write(struct buffer *buffer, const struct cut *cut)
{
    stream_id_write(buffer, &cut->stream);
    buffer_u64(buffer, cut->sequence);
    buffer_put(buffer, cut->record.bytes, HASH_SIZE);
}

/* ROSTER-15 */
err cuts_check(struct bytes cuts)
{
    if (cuts.size > (size_t)CUT_COUNT_MAX * CUT_SIZE)
        return ERR_TOO_LARGE;
    if (cuts.size % CUT_SIZE != 0)
        return ERR_TRUNCATED;
    struct reader reader = reader_of(cuts);
    for (size_t at = 0; at < cuts.size; at += CUT_SIZE) {
        struct cut cut;
        err failure = stream_id_read(&reader, &cut.stream);
        if (failure != OK)
            return failure;
        cut.sequence = reader_u64(&reader);
        reader_copy(&reader, cut.record.bytes, HASH_SIZE);
        if ((cut.sequence == 0) != ID_IS_ZERO(cut.record))
            return ERR_MALFORMED;
        const uint8_t *entry = cuts.data + at;
        if (at > 0 && memcmp(entry - CUT_SIZE, entry, STREAM_ID_SIZE) >= 0)
            return ERR_NOT_CANONICAL;
    }
    return OK;
}

struct hash cuts_hash(struct bytes cuts)
{
    return hash_one(CONTEXT_CUTS, cuts);
}

uint32_t cuts_count(struct bytes cuts)
{
    return (uint32_t)(cuts.size / CUT_SIZE);
}

void cuts_at(struct bytes cuts, uint32_t index, struct cut *ret_cut)
{
    struct reader reader =
        reader_of((struct bytes){cuts.data + (size_t)index * CUT_SIZE, CUT_SIZE});
    if (stream_id_read(&reader, &ret_cut->stream) != OK)
        ret_cut->stream = (struct stream_id){.generation = 0};
    ret_cut->sequence = reader_u64(&reader);
    reader_copy(&reader, ret_cut->record.bytes, HASH_SIZE);
}

bool cuts_find(struct bytes cuts, const struct stream_id *stream, struct cut *ret_cut)
{
    uint8_t key[STREAM_ID_SIZE];
    struct buffer buffer = buffer_over(key, sizeof key);
    stream_id_write(&buffer, stream);
    uint32_t low = 0, high = cuts_count(cuts);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(cuts.data + (size_t)middle * CUT_SIZE, key, sizeof key);
        if (order == 0) {
            cuts_at(cuts, middle, ret_cut);
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

err cuts_merge(struct bytes cuts, struct bytes added, struct buffer *merged)
{
    size_t old = 0;
    for (size_t at = 0; at < added.size; at += CUT_SIZE) {
        int order = -1;
        while (old < cuts.size &&
               (order = memcmp(cuts.data + old, added.data + at, STREAM_ID_SIZE)) < 0) {
            buffer_put(merged, cuts.data + old, CUT_SIZE);
            old += CUT_SIZE;
        }
        if (old < cuts.size && order == 0)
            return ERR_EXISTS;
        buffer_put(merged, added.data + at, CUT_SIZE);
    }
    if (old < cuts.size)
        buffer_put(merged, cuts.data + old, cuts.size - old);
    return merged->failed ? ERR_FULL : OK;
}
