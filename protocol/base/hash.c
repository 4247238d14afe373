#include "protocol/base/hash.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define CONTEXT_TEXT(name, text) text,
static const char *const hash_contexts[CONTEXT_COUNT] = {CONTEXT_LIST(CONTEXT_TEXT)};
#undef CONTEXT_TEXT

struct bytes hash_context(enum context context)
{
    assert(context < CONTEXT_COUNT);
    return bytes_of_text(hash_contexts[context]);
}

static void hash_size(uint8_t out[static 4], size_t size)
{
    assert(size <= UINT32_MAX);
    for (size_t i = 0; i < 4; i++)
        out[i] = (uint8_t)(size >> (8 * (3 - i)));
}

static void hash_add(crypto_generichash_state *state, struct bytes part)
{
    uint8_t size[4];
    hash_size(size, part.size);
    int failed = crypto_generichash_update(state, size, sizeof size);
    if (part.size > 0)
        failed |= crypto_generichash_update(state, part.data, part.size);
    assert(failed == 0);
}

static struct hash hash_all(enum context context, struct bytes key, const struct bytes *parts,
                            size_t count)
{
    crypto_generichash_state state;
    struct hash result;
    int failed = crypto_generichash_init(&state, key.data, key.size, HASH_SIZE);
    assert(failed == 0);
    hash_add(&state, hash_context(context));
    for (size_t i = 0; i < count; i++)
        hash_add(&state, parts[i]);
    failed = crypto_generichash_final(&state, result.bytes, HASH_SIZE);
    assert(failed == 0);
    return result;
}

struct hash hash_parts(enum context context, const struct bytes *parts, size_t count)
{
    return hash_all(context, BYTES_NONE, parts, count);
}

struct hash hash_one(enum context context, struct bytes part)
{
    return hash_all(context, BYTES_NONE, &part, 1);
}

struct hash hash_keyed(enum context context, const uint8_t key[static KEY_SIZE], struct bytes part)
{
    return hash_all(context, (struct bytes){.data = key, .size = KEY_SIZE}, &part, 1);
}

/* Ed25519 needs its message in one piece, so the framing is built on the stack. */
static struct bytes hash_frame(enum context context, struct bytes message, struct buffer *buffer)
{
    struct bytes text = hash_context(context);
    buffer_u32(buffer, (uint32_t)text.size);
    buffer_put(buffer, text.data, text.size);
    buffer_u32(buffer, (uint32_t)message.size);
    buffer_put(buffer, message.data, message.size);
    assert(!buffer->failed);
    return buffer_bytes(buffer);
}

void hash_sign(enum context context, struct bytes message, const uint8_t secret[static 64],
               struct signature *ret_signature)
{
    uint8_t memory[HASH_SIGNED_MAX + 128];
    assert(message.size <= HASH_SIGNED_MAX);
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct bytes framed = hash_frame(context, message, &buffer);
    int failed = crypto_sign_detached(ret_signature->bytes, NULL, framed.data, framed.size, secret);
    assert(failed == 0);
}

err hash_verify(enum context context, struct bytes message, const struct sign_key *key,
                const struct signature *signature)
{
    uint8_t memory[HASH_SIGNED_MAX + 128];
    if (message.size > HASH_SIGNED_MAX)
        return ERR_TOO_LARGE;
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct bytes framed = hash_frame(context, message, &buffer);
    if (crypto_sign_verify_detached(signature->bytes, framed.data, framed.size, key->bytes) != 0)
        return ERR_BAD_SIGNATURE;
    return OK;
}
