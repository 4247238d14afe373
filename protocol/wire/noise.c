#include "protocol/wire/noise.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* Exactly 32 bytes, so by the standard it is itself the first hash. */
static const char noise_name[] = "Noise_KK_25519_ChaChaPoly_SHA256";
_Static_assert(sizeof noise_name - 1 == HASH_SIZE, "the name is the first hash");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == NOISE_TAG_SIZE, "tag size");

void noise_public(const uint8_t secret[static KEY_SIZE], struct transport_key *ret_key)
{
    int failed = crypto_scalarmult_base(ret_key->bytes, secret);
    assert(failed == 0);
}

static void noise_mix_hash(struct noise_handshake *handshake, struct bytes data)
{
    crypto_hash_sha256_state state;
    int failed = crypto_hash_sha256_init(&state);
    failed |= crypto_hash_sha256_update(&state, handshake->hash, HASH_SIZE);
    if (data.size > 0)
        failed |= crypto_hash_sha256_update(&state, data.data, data.size);
    failed |= crypto_hash_sha256_final(&state, handshake->hash);
    assert(failed == 0);
}

static void noise_hmac(const uint8_t key[static KEY_SIZE], struct bytes data,
                       uint8_t ret_mac[static HASH_SIZE])
{
    crypto_auth_hmacsha256_state state;
    int failed = crypto_auth_hmacsha256_init(&state, key, KEY_SIZE);
    if (data.size > 0)
        failed |= crypto_auth_hmacsha256_update(&state, data.data, data.size);
    failed |= crypto_auth_hmacsha256_final(&state, ret_mac);
    assert(failed == 0);
    sodium_memzero(&state, sizeof state);
}

/* The HKDF of the Noise specification, section 4.3, with two outputs (RFC 5869 with empty info). */
static void noise_derive(const uint8_t chaining[static HASH_SIZE], struct bytes material,
                         uint8_t ret_first[static HASH_SIZE], uint8_t ret_second[static HASH_SIZE])
{
    uint8_t temporary[HASH_SIZE], input[HASH_SIZE + 1], first[HASH_SIZE];
    noise_hmac(chaining, material, temporary);
    input[0] = 1;
    noise_hmac(temporary, (struct bytes){input, 1}, first);
    memcpy(input, first, HASH_SIZE);
    input[HASH_SIZE] = 2;
    noise_hmac(temporary, (struct bytes){input, sizeof input}, ret_second);
    memcpy(ret_first, first, HASH_SIZE);
    sodium_memzero(temporary, sizeof temporary);
    sodium_memzero(input, sizeof input);
    sodium_memzero(first, sizeof first);
}

/* libsodium returns -1 for an all-zero shared secret, which a key of small order gives. */
static err noise_mix_shared(struct noise_handshake *handshake, const uint8_t *secret,
                            const struct transport_key *key)
{
    uint8_t shared[crypto_scalarmult_BYTES];
    err result = OK;
    if (crypto_scalarmult(shared, secret, key->bytes) != 0) {
        result = ERR_BAD_KEY;
        goto done;
    }
    noise_derive(handshake->chaining, (struct bytes){shared, sizeof shared}, handshake->chaining,
                 handshake->cipher.key);
    handshake->cipher.nonce = 0;
done:
    sodium_memzero(shared, sizeof shared);
    return result;
}

void noise_begin(struct noise_handshake *handshake, enum noise_role role, struct bytes prologue,
                 const uint8_t local_secret[static KEY_SIZE], const struct transport_key *remote)
{
    struct transport_key local;
    noise_public(local_secret, &local);
    *handshake = (struct noise_handshake){
        .role = role,
        .local_secret = local_secret,
        .remote = *remote,
    };
    memcpy(handshake->hash, noise_name, HASH_SIZE);
    memcpy(handshake->chaining, noise_name, HASH_SIZE);
    noise_mix_hash(handshake, prologue);
    noise_mix_hash(handshake, role == NOISE_INITIATOR ? ID_BYTES(local) : ID_BYTES(*remote));
    noise_mix_hash(handshake, role == NOISE_INITIATOR ? ID_BYTES(*remote) : ID_BYTES(local));
}

/* es and ss: the two sides compute the same two secrets from opposite halves. */
static err noise_mix_first(struct noise_handshake *handshake)
{
    bool initiator = handshake->role == NOISE_INITIATOR;
    const uint8_t *secret = initiator ? handshake->ephemeral_secret : handshake->local_secret;
    err result = noise_mix_shared(handshake, secret,
                                  initiator ? &handshake->remote : &handshake->remote_ephemeral);
    if (result == OK)
        result = noise_mix_shared(handshake, handshake->local_secret, &handshake->remote);
    return result;
}

/* ee and se. */
static err noise_mix_second(struct noise_handshake *handshake)
{
    bool initiator = handshake->role == NOISE_INITIATOR;
    const uint8_t *secret = initiator ? handshake->local_secret : handshake->ephemeral_secret;
    err result =
        noise_mix_shared(handshake, handshake->ephemeral_secret, &handshake->remote_ephemeral);
    if (result == OK)
        result = noise_mix_shared(handshake, secret,
                                  initiator ? &handshake->remote_ephemeral : &handshake->remote);
    return result;
}

err noise_write(struct noise_handshake *handshake, const uint8_t secret[static KEY_SIZE],
                struct bytes payload, struct buffer *ret_message)
{
    struct transport_key ephemeral;
    memcpy(handshake->ephemeral_secret, secret, KEY_SIZE);
    noise_public(secret, &ephemeral);
    buffer_put(ret_message, ephemeral.bytes, KEY_SIZE);
    noise_mix_hash(handshake, ID_BYTES(ephemeral));
    err result = handshake->role == NOISE_INITIATOR ? noise_mix_first(handshake)
                                                    : noise_mix_second(handshake);
    if (result != OK)
        return result;
    size_t start = ret_message->size;
    result = noise_seal(&handshake->cipher, (struct bytes){handshake->hash, HASH_SIZE}, payload,
                        ret_message);
    if (result != OK)
        return result;
    noise_mix_hash(handshake, (struct bytes){ret_message->data + start, ret_message->size - start});
    return OK;
}

err noise_read(struct noise_handshake *handshake, struct bytes message, struct buffer *ret_payload)
{
    if (message.size < NOISE_MESSAGE_SIZE)
        return ERR_TRUNCATED;
    struct bytes sealed = {message.data + KEY_SIZE, message.size - KEY_SIZE};
    memcpy(handshake->remote_ephemeral.bytes, message.data, KEY_SIZE);
    noise_mix_hash(handshake, ID_BYTES(handshake->remote_ephemeral));
    err result = handshake->role == NOISE_RESPONDER ? noise_mix_first(handshake)
                                                    : noise_mix_second(handshake);
    if (result != OK)
        return result;
    result = noise_open(&handshake->cipher, (struct bytes){handshake->hash, HASH_SIZE}, sealed,
                        ret_payload);
    if (result != OK)
        return result;
    noise_mix_hash(handshake, sealed);
    return OK;
}

void noise_split(struct noise_handshake *handshake, struct noise_session *ret_session)
{
    bool initiator = handshake->role == NOISE_INITIATOR;
    struct noise_cipher *to_responder = initiator ? &ret_session->sending : &ret_session->receiving;
    struct noise_cipher *to_initiator = initiator ? &ret_session->receiving : &ret_session->sending;
    noise_derive(handshake->chaining, BYTES_NONE, to_responder->key, to_initiator->key);
    to_responder->nonce = 0;
    to_initiator->nonce = 0;
    memcpy(ret_session->binding.bytes, handshake->hash, HASH_SIZE);
    noise_clear(handshake);
}

void noise_clear(struct noise_handshake *handshake)
{
    sodium_memzero(handshake, sizeof *handshake);
}

/* 32 zero bits, then the count in little-endian (Noise specification, section 12.3). */
static void noise_nonce(uint64_t count,
                        uint8_t ret_nonce[static crypto_aead_chacha20poly1305_ietf_NPUBBYTES])
{
    memset(ret_nonce, 0, crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
    for (size_t i = 0; i < 8; i++)
        ret_nonce[4 + i] = (uint8_t)(count >> (8 * i));
}

err noise_seal(struct noise_cipher *cipher, struct bytes associated, struct bytes plain,
               struct buffer *ret_sealed)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    if (cipher->nonce >= NOISE_MESSAGE_COUNT_MAX)
        return ERR_OVER_BUDGET;
    uint8_t *out = buffer_reserve(ret_sealed, plain.size + NOISE_TAG_SIZE);
    if (ret_sealed->failed)
        return ERR_TOO_LARGE;
    noise_nonce(cipher->nonce, nonce);
    int failed = crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size,
                                                           associated.data, associated.size, NULL,
                                                           nonce, cipher->key);
    assert(failed == 0);
    cipher->nonce++;
    return OK;
}

err noise_open(struct noise_cipher *cipher, struct bytes associated, struct bytes sealed,
               struct buffer *ret_plain)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    if (sealed.size < NOISE_TAG_SIZE)
        return ERR_TRUNCATED;
    if (cipher->nonce >= NOISE_MESSAGE_COUNT_MAX)
        return ERR_OVER_BUDGET;
    size_t start = ret_plain->size;
    uint8_t *out = buffer_reserve(ret_plain, sealed.size - NOISE_TAG_SIZE);
    if (ret_plain->failed)
        return ERR_TOO_LARGE;
    noise_nonce(cipher->nonce, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.size,
                                                  associated.data, associated.size, nonce,
                                                  cipher->key) != 0) {
        ret_plain->size = start;
        return ERR_BAD_KEY;
    }
    cipher->nonce++;
    return OK;
}
