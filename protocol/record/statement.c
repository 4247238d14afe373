#include "protocol/record/statement.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/hash.h"

enum { STATEMENT_FLAG_SIGNED = 1 };

_Static_assert(STATEMENT_PLACE_SIZE + STATEMENT_CONTENT_SIZE_MAX <= HASH_SIGNED_MAX,
               "what a clinician signs must be signable");

struct statement_place statement_place_of(const struct record_header *header)
{
    return (struct statement_place){.federation = header->federation,
                                    .scope = header->stream.scope,
                                    .node = header->stream.writer};
}

static size_t statement_size(const struct statement *statement)
{
    return STATEMENT_HEAD_SIZE + statement->content.size +
           (statement->is_signed ? (size_t)STATEMENT_AUTHOR_SIZE : 0);
}

/* C-5: only announcements are padded, with zeros to 512, 1024, 2048 or 4096 bytes. */
static size_t statement_padded_size(uint16_t kind, size_t size)
{
    size_t class = 512;
    if (kind != KIND_ANNOUNCEMENT)
        return size;
    while (class < size)
        class *= 2;
    return class;
}

err statement_write(const struct statement *statement, struct buffer *out)
{
    size_t size = statement_size(statement);
    size_t padded = statement_padded_size(statement->kind, size);
    if (statement->content.size > STATEMENT_CONTENT_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (statement->kind == KIND_ANNOUNCEMENT && padded > STATEMENT_PADDED_SIZE_MAX)
        return ERR_TOO_LARGE;
    buffer_u16(out, statement->kind);
    buffer_u8(out, statement->is_signed ? STATEMENT_FLAG_SIGNED : 0);
    buffer_u8(out, 0);
    buffer_u32(out, (uint32_t)statement->content.size);
    buffer_put(out, statement->content.data, statement->content.size);
    if (statement->is_signed) {
        buffer_put(out, statement->author.cert_id.bytes, HASH_SIZE);
        buffer_u64(out, statement->author.time.ms);
        buffer_put(out, statement->author.signature.bytes, SIGNATURE_SIZE);
    }
    uint8_t *padding = buffer_reserve(out, padded - size);
    if (out->failed)
        return ERR_TOO_LARGE;
    if (padded > size)
        memset(padding, 0, padded - size);
    return OK;
}

/* C-4: only the zeros of the padding may follow the last field. An unknown kind may have any
 * padding. */
static err statement_check_padding(const struct statement *statement, struct bytes rest)
{
    size_t size = statement_size(statement);
    if (!ids_all_zero(rest))
        return ERR_NOT_CANONICAL;
    if (kind_rule(statement->kind) == NULL)
        return OK;
    size_t padded = statement_padded_size(statement->kind, size);
    if (statement->kind == KIND_ANNOUNCEMENT && padded > STATEMENT_PADDED_SIZE_MAX)
        return ERR_TOO_LARGE;
    return size + rest.size == padded ? OK : ERR_NOT_CANONICAL;
}

err statement_read(struct bytes body, struct statement *ret_statement)
{
    struct reader reader = reader_of(body);
    struct statement statement = {.kind = reader_u16(&reader)};
    uint8_t flags = reader_u8(&reader);
    uint8_t reserved = reader_u8(&reader);
    uint32_t size = reader_u32(&reader);
    if (reader.failed)
        return ERR_TRUNCATED;
    if (flags > STATEMENT_FLAG_SIGNED)
        return ERR_MALFORMED;
    if (reserved != 0)
        return ERR_NOT_CANONICAL;
    if (size > STATEMENT_CONTENT_SIZE_MAX)
        return ERR_TOO_LARGE;
    statement.is_signed = flags == STATEMENT_FLAG_SIGNED;
    statement.content = reader_take(&reader, size);
    if (statement.is_signed) {
        reader_copy(&reader, statement.author.cert_id.bytes, HASH_SIZE);
        statement.author.time.ms = reader_u64(&reader);
        reader_copy(&reader, statement.author.signature.bytes, SIGNATURE_SIZE);
    }
    if (reader.failed)
        return ERR_TRUNCATED;
    err failure = statement_check_padding(&statement, reader_take(&reader, reader_left(&reader)));
    if (failure == OK)
        *ret_statement = statement;
    return failure;
}

/* C-6: a clinician signs the federation, the scope, the institution and the certificate, so that
 * the statement cannot be moved to another. */
static struct bytes statement_message(const struct statement *statement,
                                      const struct statement_place *place, struct buffer *out)
{
    buffer_u16(out, statement->kind);
    buffer_put(out, place->federation.bytes, HASH_SIZE);
    buffer_u8(out, (uint8_t)place->scope.kind);
    buffer_put(out, place->scope.id, HASH_SIZE);
    buffer_put(out, place->node.bytes, NODE_ID_SIZE);
    buffer_put(out, statement->author.cert_id.bytes, HASH_SIZE);
    buffer_u64(out, statement->author.time.ms);
    assert(out->size == STATEMENT_PLACE_SIZE);
    buffer_put(out, statement->content.data, statement->content.size);
    return buffer_bytes(out);
}

void statement_sign(struct statement *statement, const struct statement_place *place,
                    const struct statement_author *author, const uint8_t secret[static 64])
{
    uint8_t memory[STATEMENT_PLACE_SIZE + STATEMENT_CONTENT_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    assert(statement->content.size <= STATEMENT_CONTENT_SIZE_MAX);
    statement->is_signed = true;
    statement->author = *author;
    hash_sign(CONTEXT_STATEMENT, statement_message(statement, place, &buffer), secret,
              &statement->author.signature);
}

err statement_verify(const struct statement *statement, const struct statement_place *place,
                     const struct sign_key *clinician)
{
    uint8_t memory[STATEMENT_PLACE_SIZE + STATEMENT_CONTENT_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    if (!statement->is_signed)
        return ERR_NOT_FOUND;
    if (statement->content.size > STATEMENT_CONTENT_SIZE_MAX)
        return ERR_TOO_LARGE;
    return hash_verify(CONTEXT_STATEMENT, statement_message(statement, place, &buffer), clinician,
                       &statement->author.signature);
}
