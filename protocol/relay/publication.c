#include "protocol/relay/publication.h"

#include <assert.h>

bool publication_next(struct reader *reader, struct bytes *ret_signed_head)
{
    struct bytes head = reader_take(reader, reader_u16(reader));
    if (reader->failed)
        return false;
    *ret_signed_head = head;
    return true;
}

err publication_read(struct bytes all, struct publication *ret_publication)
{
    struct reader reader = reader_of(all);
    struct bytes head;
    uint32_t count = reader_u32(&reader);
    if (reader.failed)
        return ERR_TRUNCATED;
    if (count > PUBLICATION_HEAD_COUNT_MAX)
        return ERR_TOO_LARGE;
    if (count == 0)
        return ERR_MALFORMED;
    size_t start = reader.offset;
    for (uint32_t i = 0; i < count; i++) {
        if (!publication_next(&reader, &head))
            return ERR_TRUNCATED;
        if (head.size > HEAD_SIZE_MAX)
            return ERR_TOO_LARGE;
    }
    struct publication publication = {
        .head_count = count,
        .heads = {all.data + start, reader.offset - start},
        .list = {all.data + reader.offset, all.size - reader.offset},
    };
    err failure = transport_list_check(publication.list);
    if (failure == OK)
        *ret_publication = publication;
    return failure;
}

void publication_begin(struct buffer *buffer, uint32_t head_count)
{
    buffer_u32(buffer, head_count);
}

void publication_put(struct buffer *buffer, struct bytes signed_head)
{
    assert(signed_head.size <= HEAD_SIZE_MAX);
    buffer_u16(buffer, (uint16_t)signed_head.size);
    buffer_put(buffer, signed_head.data, signed_head.size);
}

/* ROSTER-34: a healing head needs the confirmation of a person, at a relay too: the officers who
 * may sign it are those of an older head, whose keys may have been stolen since. */
static err publication_learn_head(struct bytes head, struct chain *chain,
                                  const struct head_id *split_recovery, struct wall received)
{
    struct roster_head_signed signed_head;
    err failure = chain_learn(chain, head, received);
    if (failure != ERR_FORKED || split_recovery == NULL)
        return failure;
    if (roster_head_signed_read(head, &signed_head) != OK)
        return failure;
    struct head_id id = roster_head_id(signed_head.body);
    if (!ID_IS_ZERO(*split_recovery) && !ID_EQUAL(id, *split_recovery))
        return failure;
    return chain_heal(chain, head, received) == OK ? OK : failure;
}

static err publication_learn_heads(const struct publication *publication, struct chain *chain,
                                   const struct head_id *split_recovery, struct wall received)
{
    struct reader reader = reader_of(publication->heads);
    struct bytes head;
    uint32_t count = chain->count;
    while (publication_next(&reader, &head)) {
        err failure = publication_learn_head(head, chain, split_recovery, received);
        if (failure == ERR_DUPLICATE && chain->count > count)
            return ERR_MALFORMED; /* old after new: not ascending */
        if (failure != OK && failure != ERR_DUPLICATE)
            return failure;
    }
    return OK;
}

err publication_learn(const struct publication *publication, struct chain *chain,
                      const struct head_id *split_recovery, struct wall received)
{
    const struct roster_head tip = chain->tip;
    const struct federation_id federation = chain->federation;
    uint32_t count = chain->count;
    err failure = publication_learn_heads(publication, chain, split_recovery, received);
    if (failure == OK && chain->count == count)
        failure = ERR_DUPLICATE;
    struct hash hash = transport_list_hash(publication->list);
    if (failure == OK && !ID_EQUAL(hash, chain->tip.transport_hash))
        failure = ERR_BAD_HASH;
    if (failure != OK) {
        chain_unlearn(chain, count, &tip);
        chain->federation = federation;
    }
    return failure;
}

bool publication_part(struct bytes all, uint32_t index, struct buffer *buffer)
{
    uint64_t offset = (uint64_t)index * RELAY_PART_SIZE_MAX;
    assert(all.size <= UINT32_MAX);
    if (offset >= all.size)
        return false;
    size_t left = all.size - (size_t)offset;
    struct relay_frame frame = {
        .type = RELAY_PUBLISH,
        .total = (uint32_t)all.size,
        .offset = (uint32_t)offset,
        .body = {all.data + offset, left < RELAY_PART_SIZE_MAX ? left : RELAY_PART_SIZE_MAX},
    };
    relay_frame_write(&frame, buffer);
    return true;
}
