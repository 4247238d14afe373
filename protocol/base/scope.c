#include "protocol/base/scope.h"

#include <string.h>

#include "protocol/base/hash.h"

struct scope scope_federation(void)
{
    return (struct scope){.kind = SCOPE_FEDERATION};
}

struct scope scope_board(const struct federation_id *federation, struct bytes tag)
{
    struct bytes parts[] = {ID_BYTES(*federation), tag};
    struct hash hash = hash_parts(CONTEXT_BOARD_SCOPE, parts, 2);
    struct scope scope = {.kind = SCOPE_BOARD};
    memcpy(scope.id, hash.bytes, HASH_SIZE);
    return scope;
}

struct scope scope_case(const struct case_id *case_id)
{
    struct scope scope = {.kind = SCOPE_CASE};
    memcpy(scope.id, case_id->bytes, HASH_SIZE);
    return scope;
}

struct scope scope_mail(const struct node_id *recipient)
{
    struct scope scope = {.kind = SCOPE_MAIL};
    memcpy(scope.id, recipient->bytes, NODE_ID_SIZE);
    return scope;
}

struct case_id scope_case_id(const struct scope *scope)
{
    struct case_id case_id;
    memcpy(case_id.bytes, scope->id, HASH_SIZE);
    return case_id;
}

struct node_id scope_recipient(const struct scope *scope)
{
    struct node_id recipient;
    memcpy(recipient.bytes, scope->id, NODE_ID_SIZE);
    return recipient;
}

bool scope_equal(const struct scope *a, const struct scope *b)
{
    return a->kind == b->kind && memcmp(a->id, b->id, HASH_SIZE) == 0;
}

bool stream_id_equal(const struct stream_id *a, const struct stream_id *b)
{
    return scope_equal(&a->scope, &b->scope) && ID_EQUAL(a->writer, b->writer) &&
           a->generation == b->generation;
}

void stream_id_write(struct buffer *buffer, const struct stream_id *id)
{
    buffer_u8(buffer, (uint8_t)id->scope.kind);
    buffer_put(buffer, id->scope.id, HASH_SIZE);
    buffer_put(buffer, id->writer.bytes, NODE_ID_SIZE);
    buffer_u32(buffer, id->generation);
}

/* How many bytes of a scope's id may be nonzero. */
static size_t scope_id_size(uint8_t kind)
{
    switch (kind) {
    case SCOPE_FEDERATION:
        return 0;
    case SCOPE_MAIL:
        return NODE_ID_SIZE;
    default:
        return HASH_SIZE;
    }
}

err stream_id_read(struct reader *reader, struct stream_id *ret_id)
{
    struct stream_id id;
    uint8_t kind = reader_u8(reader);
    reader_copy(reader, id.scope.id, HASH_SIZE);
    reader_copy(reader, id.writer.bytes, NODE_ID_SIZE);
    id.generation = reader_u32(reader);
    if (reader->failed)
        return ERR_TRUNCATED;
    if (kind < SCOPE_FEDERATION || kind > SCOPE_MAIL || id.generation == 0)
        return ERR_MALFORMED;
    size_t used = scope_id_size(kind);
    if (!ids_all_zero((struct bytes){id.scope.id + used, HASH_SIZE - used}))
        return ERR_MALFORMED;
    id.scope.kind = (enum scope_kind)kind;
    *ret_id = id;
    return OK;
}
