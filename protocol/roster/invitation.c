#include "protocol/roster/invitation.h"

#include "protocol/roster/roster_snapshot.h"

static const char invitation_magic[] = "consilium invitation 1\n";
enum { INVITATION_MAGIC_SIZE = sizeof invitation_magic - 1 };

struct bytes invitation_head(struct reader *reader)
{
    uint32_t size = reader_u32(reader);
    if (size > HEAD_SIZE_MAX)
        reader->failed = true;
    return reader_take(reader, size);
}

static err invitation_read_heads(struct reader *reader, struct invitation *invitation)
{
    struct bytes last = BYTES_NONE;
    struct roster_head_signed signed_head;
    invitation->head_count = reader_u32(reader);
    if (invitation->head_count == 0 || invitation->head_count > HEAD_COUNT_MAX)
        return reader->failed ? ERR_TRUNCATED : ERR_TOO_LARGE;
    size_t from = reader->offset;
    for (uint32_t i = 0; i < invitation->head_count && !reader->failed; i++)
        last = invitation_head(reader);
    if (reader->failed)
        return ERR_TRUNCATED;
    invitation->heads = (struct bytes){reader->data + from, reader->offset - from};
    err failure = roster_head_signed_read(last, &signed_head);
    if (failure == OK)
        invitation->last = roster_head_id(signed_head.body);
    return failure;
}

err invitation_read(struct bytes all, struct invitation *ret_invitation)
{
    struct invitation invitation;
    struct reader reader = reader_of(all);
    if (all.size > INVITATION_SIZE_MAX)
        return ERR_TOO_LARGE;
    struct bytes magic = reader_take(&reader, INVITATION_MAGIC_SIZE);
    if (!bytes_equal(magic, bytes_of_text(invitation_magic)))
        return ERR_VERSION;
    reader_copy(&reader, invitation.federation.bytes, HASH_SIZE);
    reader_copy(&reader, invitation.node_id.bytes, NODE_ID_SIZE);
    err failure = invitation_read_heads(&reader, &invitation);
    if (failure != OK)
        return failure;
    uint64_t size = reader_u64(&reader);
    if (reader.failed || size != reader_left(&reader))
        return ERR_TRUNCATED;
    invitation.items = reader_take(&reader, (size_t)size);
    *ret_invitation = invitation;
    return OK;
}

struct hash invitation_fingerprint(const struct invitation *invitation)
{
    struct bytes parts[] = {ID_BYTES(invitation->federation), ID_BYTES(invitation->node_id),
                            ID_BYTES(invitation->last)};
    return hash_parts(CONTEXT_FINGERPRINT, parts, 3);
}

void invitation_begin(struct buffer *buffer, const struct federation_id *federation,
                      const struct node_id *node_id, uint32_t head_count)
{
    buffer_put(buffer, invitation_magic, INVITATION_MAGIC_SIZE);
    buffer_put(buffer, federation->bytes, HASH_SIZE);
    buffer_put(buffer, node_id->bytes, NODE_ID_SIZE);
    buffer_u32(buffer, head_count);
}

void invitation_add_head(struct buffer *buffer, struct bytes signed_head)
{
    buffer_u32(buffer, (uint32_t)signed_head.size);
    buffer_put(buffer, signed_head.data, signed_head.size);
}

void invitation_end(struct buffer *buffer, const struct roster *roster)
{
    buffer_u64(buffer, roster_snapshot_size(roster));
    roster_snapshot_write(roster, buffer);
}

/* ROSTER-42 */
err invitation_accept(const struct invitation *invitation, struct roster *roster,
                      struct wall received)
{
    struct reader reader = reader_of(invitation->heads);
    for (uint32_t i = 0; i < invitation->head_count; i++) {
        err failure = roster_learn(roster, invitation_head(&reader), received);
        if (failure != OK)
            return failure;
    }
    struct federation_id federation = roster_federation(roster);
    if (!ID_EQUAL(federation, invitation->federation))
        return ERR_BAD_HASH;
    struct delta snapshot = {.head = invitation->last, .items = invitation->items};
    err failure = roster_fill(roster, &snapshot);
    if (failure != OK)
        return failure;
    const struct roster_entry *self = roster_find(roster, &invitation->node_id);
    return self != NULL && self->state == MEMBER_ADMITTED ? OK : ERR_UNKNOWN_MEMBER;
}
