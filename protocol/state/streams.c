#include "protocol/state/streams.h"

#include "protocol/base/planted.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static size_t streams_align(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

size_t streams_memory_size(uint32_t count_max, uint32_t missing_count_max)
{
    return streams_align(count_max * sizeof(struct stream)) +
           streams_align(2 * (size_t)count_max * sizeof(uint32_t)) +
           streams_align(missing_count_max * sizeof(struct missing));
}

void streams_init(struct streams *streams, void *memory, uint32_t count_max,
                  uint32_t missing_count_max, const uint8_t hash_key[static 16])
{
    assert(count_max > 0 && (count_max & (count_max - 1)) == 0);
    uint8_t *place = memory;
    memset(streams, 0, sizeof *streams);
    streams->all = (void *)place;
    place += streams_align(count_max * sizeof(struct stream));
    streams->buckets = (void *)place;
    place += streams_align(2 * (size_t)count_max * sizeof(uint32_t));
    streams->missing = (void *)place;
    streams->count_max = count_max;
    streams->bucket_mask = 2 * count_max - 1;
    streams->missing_count_max = missing_count_max;
    streams->behind_first = STREAM_NONE;
    streams->behind_last = STREAM_NONE;
    streams->missing_free = STREAM_NONE;
    memcpy(streams->hash_key, hash_key, sizeof streams->hash_key);
    for (uint32_t i = 0; i <= streams->bucket_mask; i++)
        streams->buckets[i] = STREAM_NONE;
}

static uint32_t *streams_bucket(const struct streams *streams, const struct stream_id *id)
{
    uint8_t memory[STREAM_ID_SIZE], hash[crypto_shorthash_BYTES];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    stream_id_write(&buffer, id);
    int failed = crypto_shorthash(hash, memory, sizeof memory, streams->hash_key);
    assert(failed == 0);
    uint32_t value;
    memcpy(&value, hash, sizeof value);
    return &streams->buckets[value & streams->bucket_mask];
}

uint32_t streams_find(const struct streams *streams, const struct stream_id *id)
{
    uint32_t slot = *streams_bucket(streams, id);
    while (slot != STREAM_NONE && !stream_id_equal(&streams->all[slot].id, id))
        slot = streams->all[slot].bucket_next;
    return slot;
}

uint32_t streams_add(struct streams *streams, const struct stream_id *id)
{
    uint32_t slot = streams_find(streams, id);
    if (slot != STREAM_NONE || streams->count == streams->count_max)
        return slot;
    uint32_t *bucket = streams_bucket(streams, id);
    slot = streams->count++;
    struct stream *stream = &streams->all[slot];
    memset(stream, 0, sizeof *stream);
    stream->id = *id;
    stream->missing_first = STREAM_NONE;
    stream->bucket_next = *bucket;
    *bucket = slot;
    return slot;
}

void streams_rewind(struct streams *streams, uint32_t slot)
{
    struct stream *stream = &streams->all[slot];
    stream->kept = stream->tail;
    stream->kept_id = stream->tail_id;
    stream->kept_epoch = stream->tail_epoch;
    streams_fall_back(streams, slot);
    stream->rewound = stream->speculation;
}

void streams_fall_back(struct streams *streams, uint32_t slot)
{
    struct stream *stream = &streams->all[slot];
    stream->next = stream->kept;
    stream->next_id = stream->kept_id;
    stream->next_epoch = stream->kept_epoch;
    stream->speculation++;
}

void streams_keep(struct streams *streams, uint32_t slot, uint64_t kept,
                  const struct record_id *kept_id, uint64_t kept_epoch)
{
    struct stream *stream = &streams->all[slot];
    stream->kept = kept;
    stream->kept_id = *kept_id;
    stream->kept_epoch = kept_epoch;
}

/* ---- those behind ---- */

static void streams_link(struct streams *streams, uint32_t slot, bool is_first)
{
    struct stream *stream = &streams->all[slot];
    stream->behind_previous = is_first ? STREAM_NONE : streams->behind_last;
    stream->behind_next = is_first ? streams->behind_first : STREAM_NONE;
    if (stream->behind_previous == STREAM_NONE)
        streams->behind_first = slot;
    else
        streams->all[stream->behind_previous].behind_next = slot;
    if (stream->behind_next == STREAM_NONE)
        streams->behind_last = slot;
    else
        streams->all[stream->behind_next].behind_previous = slot;
    stream->is_behind = true;
}

static void streams_unlink(struct streams *streams, uint32_t slot)
{
    struct stream *stream = &streams->all[slot];
    if (stream->behind_previous == STREAM_NONE)
        streams->behind_first = stream->behind_next;
    else
        streams->all[stream->behind_previous].behind_next = stream->behind_next;
    if (stream->behind_next == STREAM_NONE)
        streams->behind_last = stream->behind_previous;
    else
        streams->all[stream->behind_next].behind_previous = stream->behind_previous;
    stream->is_behind = false;
}

void streams_want(struct streams *streams, uint32_t slot, uint64_t to, uint16_t place)
{
    struct stream *stream = &streams->all[slot];
    if (to <= stream->kept || (stream->flags & STREAM_FORKED) != 0)
        return;
    stream->claims[place / 64] |= UINT64_C(1) << place % 64;
    stream->want_to = to > stream->want_to ? to : stream->want_to;
    if (!stream->is_behind)
        streams_link(streams, slot, true);
}

void streams_disclaim(struct streams *streams, uint32_t slot, uint16_t place)
{
    streams->all[slot].claims[place / 64] &= ~(UINT64_C(1) << place % 64);
}

void streams_be_late(struct streams *streams, uint32_t slot, uint16_t place)
{
    streams_disclaim(streams, slot, place);
    streams->all[slot].late[place / 64] |= UINT64_C(1) << place % 64;
}

static uint16_t streams_after(const uint64_t set[static STREAM_CLAIM_WORDS], uint16_t place)
{
    for (unsigned i = 1; i <= (unsigned)LINK_COUNT_MAX; i++) {
        unsigned at = (place + i) % (unsigned)LINK_COUNT_MAX;
        if (at % 64 == 0 && set[at / 64] == 0 && i + 63 <= (unsigned)LINK_COUNT_MAX)
            i += 63;
        else if ((set[at / 64] >> at % 64 & 1) != 0)
            return (uint16_t)at;
    }
    return LINK_COUNT_MAX;
}

uint16_t streams_next_claim(const struct streams *streams, uint32_t slot, uint16_t place)
{
    const struct stream *stream = &streams->all[slot];
    uint64_t in_time[STREAM_CLAIM_WORDS];
    for (size_t i = 0; i < STREAM_CLAIM_WORDS; i++)
        in_time[i] = stream->claims[i] & ~stream->late[i];
    uint16_t at = streams_after(in_time, place);
    return at < LINK_COUNT_MAX ? at : streams_after(stream->claims, place);
}

static bool streams_is_claimed(const struct stream *stream)
{
    uint64_t any = 0;
    for (size_t i = 0; i < STREAM_CLAIM_WORDS; i++)
        any |= stream->claims[i];
    return any != 0;
}

bool streams_is_spoken_of(const struct streams *streams, uint32_t slot)
{
    return streams_after(streams->all[slot].claims, 0) < LINK_COUNT_MAX ||
           streams_after(streams->all[slot].late, 0) < LINK_COUNT_MAX;
}

void streams_settle(struct streams *streams, uint32_t slot)
{
    struct stream *stream = &streams->all[slot];
    bool caught_up = stream->want_to <= stream->kept || (stream->flags & STREAM_FORKED) != 0;
    if (!stream->is_behind || (!caught_up && streams_is_claimed(stream)))
        return;
    stream->want_to = 0;
    memset(stream->claims, 0, sizeof stream->claims);
    if (caught_up)
        memset(stream->late, 0, sizeof stream->late);
    if (stream->want_until.ms == 0)
        streams_unlink(streams, slot);
}

void streams_put_back(struct streams *streams, uint32_t slot)
{
    if (!streams->all[slot].is_behind)
        return;
    streams_unlink(streams, slot);
    streams_link(streams, slot, false);
}

bool streams_missing_add(struct streams *streams, uint32_t slot, uint64_t sequence,
                         const struct record_id *record, bool is_sealed)
{
    uint32_t place = streams->missing_free;
    if (place != STREAM_NONE)
        streams->missing_free = streams->missing[place].next;
    else if (streams->missing_count < streams->missing_count_max)
        place = streams->missing_count++;
    else
        return false;
    streams->missing[place] = (struct missing){.stream = slot,
                                               .next = streams->all[slot].missing_first,
                                               .sequence = sequence,
                                               .record = *record,
                                               .is_sealed = is_sealed};
    streams->all[slot].missing_first = place;
    return true;
}

struct missing *streams_missing_find(struct streams *streams, uint32_t slot, uint64_t sequence)
{
    uint32_t place = streams->all[slot].missing_first;
    while (place != STREAM_NONE && streams->missing[place].sequence != sequence)
        place = streams->missing[place].next;
    return place == STREAM_NONE ? NULL : &streams->missing[place];
}

void streams_missing_remove(struct streams *streams, uint32_t slot, uint64_t sequence)
{
    uint32_t *link = &streams->all[slot].missing_first;
    while (*link != STREAM_NONE && streams->missing[*link].sequence != sequence)
        link = &streams->missing[*link].next;
    if (*link == STREAM_NONE)
        return;
    uint32_t place = *link;
    *link = streams->missing[place].next;
    streams->missing[place].stream = STREAM_NONE;
    streams->missing[place].next = streams->missing_free;
    streams->missing_free = place;
}

void streams_lose(struct streams *streams, uint32_t slot, uint64_t sequence,
                  const struct record_id *record)
{
    streams_missing_remove(streams, slot, sequence);
    if (streams_missing_add(streams, slot, sequence, record, false))
        streams_missing_find(streams, slot, sequence)->is_lost = true;
}

uint64_t streams_had(const struct streams *streams, uint32_t slot)
{
    uint64_t had = streams->all[slot].tail;
    for (uint32_t place = streams->all[slot].missing_first; place != STREAM_NONE;
         place = streams->missing[place].next) {
        const struct missing *missing = &streams->missing[place];
        if (!missing->is_sealed && missing->sequence <= had && !PLANTED(LACKS_ARE_REPORTED))
            had = missing->sequence - 1;
    }
    return had;
}
