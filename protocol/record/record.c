#include "protocol/record/record.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/base/hash.h"
#include "protocol/base/planted.h"

/* The offset of the body hash; the header before it is the body's associated data. */
enum { RECORD_AD_SIZE = RECORD_HEADER_SIZE - HASH_SIZE };

_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == KEY_SIZE, "record keys");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == RECORD_NONCE_SIZE, "nonces");

struct record_id record_id_of(struct bytes header_bytes)
{
    struct hash hash = hash_one(CONTEXT_RECORD, header_bytes);
    struct record_id id;
    memcpy(id.bytes, hash.bytes, HASH_SIZE);
    return id;
}

static err record_header_read(struct reader *reader, struct record_header *ret_header)
{
    struct record_header header;
    uint8_t version = reader_u8(reader);
    uint8_t kind = reader_u8(reader);
    uint8_t audience = reader_u8(reader);
    uint8_t reserved = reader_u8(reader);
    reader_copy(reader, header.federation.bytes, HASH_SIZE);
    /* the header holds the stream id in its own order, with the scope kind first */
    uint8_t memory[STREAM_ID_SIZE];
    struct buffer stream = buffer_over(memory, sizeof memory);
    struct bytes rest = reader_take(reader, STREAM_ID_SIZE - 1);
    buffer_u8(&stream, kind);
    buffer_put(&stream, rest.data, rest.size);
    header.sequence = reader_u64(reader);
    reader_copy(reader, header.previous.bytes, HASH_SIZE);
    reader_copy(reader, header.head.bytes, HASH_SIZE);
    header.time.ms = reader_u64(reader);
    header.expires.ms = reader_u64(reader);
    reader_copy(reader, header.key_commitment.bytes, HASH_SIZE);
    header.body_size = reader_u32(reader);
    reader_copy(reader, header.body_hash.bytes, HASH_SIZE);
    if (reader->failed)
        return ERR_TRUNCATED;
    if (version != RECORD_VERSION)
        return ERR_VERSION;
    if (reserved != 0 || audience > AUDIENCE_REQUESTER || header.sequence == 0 ||
        header.time.ms == 0)
        return ERR_MALFORMED;
    header.audience = (enum audience)audience;
    struct reader stream_reader = reader_of(buffer_bytes(&stream));
    err failure = stream_id_read(&stream_reader, &header.stream);
    if (failure != OK)
        return failure;
    *ret_header = header;
    return OK;
}

/* Combinations that no correct writer sets. */
static err record_header_check(const struct record_header *header)
{
    bool clear = header->audience == AUDIENCE_CLEAR;
    bool opens = header->sequence == 1 && header->stream.generation == 1;
    if (header->body_size > RECORD_BODY_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (clear != ID_IS_ZERO(header->key_commitment) || opens != ID_IS_ZERO(header->previous))
        return ERR_MALFORMED;
    if (!clear && header->body_size < RECORD_SEAL_SIZE)
        return ERR_MALFORMED;
    if (header->stream.scope.kind == SCOPE_FEDERATION && !clear)
        return ERR_MALFORMED;
    if (header->audience == AUDIENCE_REQUESTER && header->stream.scope.kind != SCOPE_CASE)
        return ERR_MALFORMED;
    return OK;
}

err record_parse_again(struct bytes all, const struct record_id *id, struct record_claim *ret_claim)
{
    struct record_claim claim;
    if (all.size > RECORD_SIZE_MAX)
        return ERR_TOO_LARGE;
    struct reader reader = reader_of(all);
    claim.header_bytes = (struct bytes){all.data, RECORD_HEADER_SIZE};
    err failure = record_header_read(&reader, &claim.header);
    if (failure == OK)
        failure = record_header_check(&claim.header);
    if (failure != OK)
        return failure;
    reader_copy(&reader, claim.signature.bytes, SIGNATURE_SIZE);
    if (reader.failed)
        return ERR_TRUNCATED;
    size_t left = reader_left(&reader);
    if (left != 0 && left != claim.header.body_size)
        return left < claim.header.body_size ? ERR_TRUNCATED : ERR_MALFORMED;
    claim.body = reader_take(&reader, left);
    claim.is_bare = left == 0 && claim.header.body_size > 0;
    claim.id = ID_IS_ZERO(*id) ? record_id_of(claim.header_bytes) : *id;
    *ret_claim = claim;
    return OK;
}

err record_parse(struct bytes all, struct record_claim *ret_claim)
{
    struct record_id unknown = {{0}};
    return record_parse_again(all, &unknown, ret_claim);
}

err record_verify(const struct record_claim *claim, const struct sign_key *key)
{
    return hash_verify(CONTEXT_RECORD, claim->header_bytes, key, &claim->signature);
}

err record_check_body(const struct record_claim *claim)
{
    if (claim->is_bare)
        return ERR_TRUNCATED;
    struct hash hash = hash_one(CONTEXT_BODY, claim->body);
    return ID_EQUAL(hash, claim->header.body_hash) ? OK : ERR_BAD_HASH;
}

err record_check_key(const struct record_claim *claim, const struct record_key *key)
{
    struct hash hash = hash_one(CONTEXT_KEY_COMMITMENT, ID_BYTES(*key));
    if (sodium_memcmp(hash.bytes, claim->header.key_commitment.bytes, HASH_SIZE) != 0)
        return ERR_BAD_KEY;
    return OK;
}

err record_open(const struct record_claim *claim, const struct record_key *key, struct buffer *out)
{
    if (claim->is_bare)
        return ERR_TRUNCATED;
    if (claim->header.audience == AUDIENCE_CLEAR) {
        buffer_put(out, claim->body.data, claim->body.size);
        return out->failed ? ERR_TOO_LARGE : OK;
    }
    if (key == NULL)
        return ERR_BAD_KEY;
    err failure = record_check_key(claim, key); /* (T-1) */
    if (failure != OK && !PLANTED(COMMITMENT_SKIPPED))
        return failure;
    struct reader body = reader_of(claim->body);
    struct bytes nonce = reader_take(&body, RECORD_NONCE_SIZE);
    struct bytes sealed = reader_take(&body, reader_left(&body));
    uint8_t *plaintext = buffer_reserve(out, sealed.size - (RECORD_SEAL_SIZE - RECORD_NONCE_SIZE));
    if (plaintext == NULL)
        return ERR_TOO_LARGE;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, NULL, NULL, sealed.data, sealed.size,
                                                   claim->header_bytes.data, RECORD_AD_SIZE,
                                                   nonce.data, key->bytes) != 0) {
        out->size -= sealed.size - (RECORD_SEAL_SIZE - RECORD_NONCE_SIZE);
        return ERR_MALFORMED;
    }
    return OK;
}

/* The header up to the body hash. */
static void record_header_write(struct buffer *out, const struct record_header *header)
{
    uint8_t memory[STREAM_ID_SIZE];
    struct buffer stream = buffer_over(memory, sizeof memory);
    stream_id_write(&stream, &header->stream);
    buffer_u8(out, RECORD_VERSION);
    buffer_u8(out, (uint8_t)header->stream.scope.kind);
    buffer_u8(out, (uint8_t)header->audience);
    buffer_u8(out, 0);
    buffer_put(out, header->federation.bytes, HASH_SIZE);
    buffer_put(out, memory + 1, STREAM_ID_SIZE - 1);
    buffer_u64(out, header->sequence);
    buffer_put(out, header->previous.bytes, HASH_SIZE);
    buffer_put(out, header->head.bytes, HASH_SIZE);
    buffer_u64(out, header->time.ms);
    buffer_u64(out, header->expires.ms);
    buffer_put(out, header->key_commitment.bytes, HASH_SIZE);
    buffer_u32(out, header->body_size);
}

static void record_body_write(const struct record_header *header, struct bytes plaintext,
                              const struct record_secrets *secrets, struct bytes ad, uint8_t *body)
{
    if (header->audience == AUDIENCE_CLEAR) {
        if (plaintext.size > 0)
            memcpy(body, plaintext.data, plaintext.size);
        return;
    }
    memcpy(body, secrets->nonce, RECORD_NONCE_SIZE);
    int failed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        body + RECORD_NONCE_SIZE, NULL, plaintext.data, plaintext.size, ad.data, ad.size, NULL,
        secrets->nonce, secrets->key.bytes);
    assert(failed == 0);
}

err record_seal(const struct record_header *header, struct bytes plaintext,
                const struct record_secrets *secrets, struct buffer *out, struct record_id *ret_id)
{
    bool clear = header->audience == AUDIENCE_CLEAR;
    size_t body_size = plaintext.size + (clear ? 0 : RECORD_SEAL_SIZE);
    if (body_size > RECORD_BODY_SIZE_MAX)
        return ERR_TOO_LARGE;
    uint8_t *start = buffer_reserve(out, RECORD_BARE_SIZE + body_size);
    if (start == NULL)
        return ERR_TOO_LARGE;
    struct record_header sealed = *header;
    sealed.body_size = (uint32_t)body_size;
    sealed.key_commitment = (struct hash){{0}};
    if (!clear)
        sealed.key_commitment = hash_one(CONTEXT_KEY_COMMITMENT, ID_BYTES(secrets->key));
    struct buffer head = buffer_over(start, RECORD_HEADER_SIZE);
    record_header_write(&head, &sealed);
    assert(head.size == RECORD_AD_SIZE);
    uint8_t *body = start + RECORD_BARE_SIZE;
    record_body_write(&sealed, plaintext, secrets, buffer_bytes(&head), body);
    struct hash body_hash = hash_one(CONTEXT_BODY, (struct bytes){body, body_size});
    buffer_put(&head, body_hash.bytes, HASH_SIZE);
    assert(!head.failed && head.size == RECORD_HEADER_SIZE);
    struct signature signature;
    hash_sign(CONTEXT_RECORD, buffer_bytes(&head), secrets->sign_secret, &signature);
    memcpy(start + RECORD_HEADER_SIZE, signature.bytes, SIGNATURE_SIZE);
    *ret_id = record_id_of(buffer_bytes(&head));
    return OK;
}
