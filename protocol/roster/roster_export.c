#include "protocol/roster/roster_export.h"

#include <string.h>

#include "protocol/roster/roster_side.h"
#include "protocol/roster/roster_snapshot.h"

static const char export_magic[] = "consilium roster 1\n";
enum { EXPORT_MAGIC_SIZE = sizeof export_magic - 1 };

/* ---- writing ---- */

static void export_head(struct buffer *buffer, const struct roster_head *head)
{
    uint8_t memory[HEAD_SIZE_MAX];
    struct buffer body = buffer_over(memory, sizeof memory);
    roster_head_write(&body, head);
    buffer_u32(buffer, (uint32_t)body.size);
    buffer_put(buffer, body.data, body.size);
}

static void export_chain(struct buffer *buffer, const struct chain *chain)
{
    buffer_put(buffer, chain->federation.bytes, HASH_SIZE);
    buffer_u32(buffer, chain->officer_set_count);
    for (uint32_t i = 0; i < chain->officer_set_count; i++) {
        const struct officers *set = &chain->officer_sets[i];
        buffer_u8(buffer, (uint8_t)set->count);
        buffer_u8(buffer, (uint8_t)set->threshold);
        for (uint32_t k = 0; k < set->count; k++)
            buffer_put(buffer, set->keys[k].bytes, KEY_SIZE);
    }
    buffer_u32(buffer, chain->count);
    for (uint32_t i = 0; i < chain->count; i++) {
        const struct chain_link *link = &chain->links[i];
        buffer_put(buffer, link->id.bytes, HASH_SIZE);
        buffer_u64(buffer, link->epoch);
        buffer_u64(buffer, link->received.ms);
        buffer_u32(buffer, link->officers);
    }
    if (chain->count > 0)
        export_head(buffer, &chain->tip);
}

static void export_side(struct buffer *buffer, const struct roster *roster)
{
    buffer_u8(buffer, roster->filled ? 1 : 0);
    if (!roster->filled)
        return;
    export_head(buffer, roster_current_head(roster));
    for (uint32_t i = 0; i < roster_count(roster); i++)
        buffer_u8(buffer, roster_at(roster, i)->keys_proved ? 1 : 0);
    buffer_u32(buffer, (uint32_t)roster_snapshot_size(roster));
    roster_snapshot_write(roster, buffer);
}

void roster_export_write(const struct roster *roster, struct buffer *buffer)
{
    buffer_put(buffer, export_magic, EXPORT_MAGIC_SIZE);
    buffer_put(buffer, roster->self.bytes, NODE_ID_SIZE);
    buffer_u64(buffer, roster->self_admitted_epoch);
    buffer_u64(buffer, roster->held_cooling_off_ms);
    buffer_u64(buffer, roster->held_until.ms);
    export_chain(buffer, &roster->chain);
    export_side(buffer, roster);
}

size_t roster_export_size(const struct roster *roster)
{
    const struct chain *chain = &roster->chain;
    size_t size = EXPORT_MAGIC_SIZE + NODE_ID_SIZE + 3 * sizeof(uint64_t) + HASH_SIZE + 4;
    uint8_t memory[HEAD_SIZE_MAX + 4];
    for (uint32_t i = 0; i < chain->officer_set_count; i++)
        size += 2 + (size_t)chain->officer_sets[i].count * KEY_SIZE;
    size += 4 + (size_t)chain->count * (HASH_SIZE + 8 + 8 + 4);
    struct buffer head = buffer_over(memory, sizeof memory);
    if (chain->count > 0)
        export_head(&head, &chain->tip);
    size += head.size + 1;
    if (!roster->filled)
        return size;
    head.size = 0;
    export_head(&head, roster_current_head(roster));
    return size + head.size + roster_count(roster) + 4 + roster_snapshot_size(roster);
}

/* ---- reading ---- */

static err export_read_head(struct reader *reader, struct roster_head *ret_head,
                            struct head_id *ret_id)
{
    uint32_t size = reader_u32(reader);
    struct bytes body = reader_take(reader, size);
    if (reader->failed || roster_head_read(body, ret_head) != OK)
        return ERR_CORRUPT;
    *ret_id = roster_head_id(body);
    return OK;
}

static err export_read_officers(struct reader *reader, struct chain *chain)
{
    uint32_t count = reader_u32(reader);
    if (count > chain->officer_set_capacity)
        return ERR_FULL;
    for (uint32_t i = 0; i < count; i++) {
        struct officers *set = &chain->officer_sets[i];
        memset(set, 0, sizeof *set);
        set->count = reader_u8(reader);
        set->threshold = reader_u8(reader);
        if (set->count > OFFICER_COUNT_MAX || set->threshold == 0 || set->threshold > set->count)
            return ERR_CORRUPT;
        for (uint32_t k = 0; k < set->count; k++)
            reader_copy(reader, set->keys[k].bytes, KEY_SIZE);
    }
    chain->officer_set_count = count;
    return OK;
}

static err export_read_links(struct reader *reader, struct chain *chain)
{
    uint32_t count = reader_u32(reader);
    if (count > chain->capacity)
        return ERR_FULL;
    for (uint32_t i = 0; i < count; i++) {
        struct chain_link *link = &chain->links[i];
        reader_copy(reader, link->id.bytes, HASH_SIZE);
        link->epoch = reader_u64(reader);
        link->received.ms = reader_u64(reader);
        link->officers = reader_u32(reader);
        if (reader->failed || link->officers >= chain->officer_set_count ||
            (i > 0 && link->epoch <= link[-1].epoch))
            return ERR_CORRUPT;
    }
    chain->count = count;
    return OK;
}

static err export_read_chain(struct reader *reader, struct chain *chain)
{
    struct federation_id federation;
    struct head_id id;
    reader_copy(reader, federation.bytes, HASH_SIZE);
    if (!ID_IS_ZERO(chain->federation) && !ID_EQUAL(chain->federation, federation))
        return ERR_INVALID;
    chain->federation = federation;
    err failure = export_read_officers(reader, chain);
    if (failure == OK)
        failure = export_read_links(reader, chain);
    if (failure != OK || chain->count == 0)
        return failure;
    failure = export_read_head(reader, &chain->tip, &id);
    if (failure == OK && !ID_EQUAL(id, chain_last(chain)->id))
        failure = ERR_CORRUPT;
    return failure;
}

static err export_read_side(struct reader *reader, struct roster *roster)
{
    struct roster_side *side = &roster->sides[0];
    struct roster_head head;
    struct head_id id;
    err failure = export_read_head(reader, &head, &id);
    if (failure != OK)
        return failure;
    const struct chain_link *link = chain_find(&roster->chain, &id);
    struct bytes proved = reader_take(reader, head.member_count);
    uint32_t size = reader_u32(reader);
    struct roster_change change = {.snapshot = true, .low = 0, .high = head.epoch};
    change.items = reader_take(reader, size);
    if (reader->failed || link == NULL)
        return ERR_CORRUPT;
    failure = roster_side_build(roster, NULL, &change, side);
    if (failure != OK)
        return failure == ERR_FULL ? ERR_FULL : ERR_CORRUPT;
    if (!roster_head_same_content(&side->head, &head))
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < side->member_count; i++) {
        if (proved.data[i] > 1)
            return ERR_CORRUPT;
        side->entries[i].keys_proved = proved.data[i] == 1;
    }
    side->head = head;
    side->id = id;
    roster->current = 0;
    roster->filled = true;
    return OK;
}

static err export_read_all(struct reader *reader, struct roster *roster)
{
    struct node_id self;
    struct bytes magic = reader_take(reader, EXPORT_MAGIC_SIZE);
    if (!bytes_equal(magic, bytes_of_text(export_magic)))
        return ERR_CORRUPT;
    reader_copy(reader, self.bytes, NODE_ID_SIZE);
    if (reader->failed || !ID_EQUAL(self, roster->self))
        return ERR_INVALID;
    roster->self_admitted_epoch = reader_u64(reader);
    roster->held_cooling_off_ms = reader_u64(reader);
    roster->held_until.ms = reader_u64(reader);
    err failure = export_read_chain(reader, &roster->chain);
    uint8_t filled = reader_u8(reader);
    if (failure == OK && filled > 1)
        failure = ERR_CORRUPT;
    if (failure == OK && filled == 1)
        failure = export_read_side(reader, roster);
    if (failure == OK && !reader_done(reader))
        failure = ERR_CORRUPT;
    return failure;
}

err roster_export_read(struct roster *roster, struct bytes all)
{
    struct federation_id federation = roster->chain.federation;
    struct reader reader = reader_of(all);
    roster->filled = false;
    err failure = export_read_all(&reader, roster);
    if (failure != OK) {
        chain_init(&roster->chain, &federation);
        roster->filled = false;
        roster->self_admitted_epoch = 0;
        roster->held_cooling_off_ms = 0;
        roster->held_until.ms = 0;
    }
    return failure;
}
