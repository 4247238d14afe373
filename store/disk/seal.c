#include "store/disk/seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/base/hash.h"

_Static_assert(SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce size");
_Static_assert(SEAL_OVERHEAD == SEAL_NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "overhead");

static void derive(const uint8_t *master, const char *purpose, uint8_t *ret_key)
{
    struct hash hash = hash_keyed(CONTEXT_STORE_KEY, master, bytes_of_text(purpose));
    memcpy(ret_key, hash.bytes, KEY_SIZE);
    sodium_memzero(&hash, sizeof hash);
}

struct seal_keys *seal_keys_new(const uint8_t master[static KEY_SIZE])
{
    struct seal_keys *keys = sodium_malloc(sizeof *keys);
    if (keys == NULL) {
        return NULL;
    }
    derive(master, "record", keys->record);
    derive(master, "row", keys->row);
    derive(master, "index", keys->index);
    derive(master, "keyring", keys->keyring);
    return keys;
}

void seal_keys_free(struct seal_keys *keys)
{
    sodium_free(keys);
}

/* The nonces are a key stream under a random seed; the system would need one call for each 256
 * bytes. */
static void draw(struct seal_nonces *nonces, uint8_t ret_nonce[static SEAL_NONCE_SIZE])
{
    uint8_t seed[randombytes_SEEDBYTES];
    if (nonces->left == 0) {
        randombytes_buf(seed, sizeof seed);
        randombytes_buf_deterministic(nonces->pool, sizeof nonces->pool, seed);
        sodium_memzero(seed, sizeof seed);
        nonces->left = sizeof nonces->pool / SEAL_NONCE_SIZE;
    }
    nonces->left -= 1;
    memcpy(ret_nonce, nonces->pool + nonces->left * SEAL_NONCE_SIZE, SEAL_NONCE_SIZE);
}

void seal_close(const uint8_t key[static KEY_SIZE], struct seal_nonces *nonces, struct bytes name,
                struct bytes plain, uint8_t *out)
{
    draw(nonces, out);
    int failed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        out + SEAL_NONCE_SIZE, NULL, plain.data, plain.size, name.data, name.size, NULL, out, key);
    assert(failed == 0);
}

err seal_open(const uint8_t key[static KEY_SIZE], struct bytes name, struct bytes sealed,
              uint8_t *out)
{
    if (sealed.size < SEAL_OVERHEAD) {
        return ERR_CORRUPT;
    }
    int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, NULL, NULL, sealed.data + SEAL_NONCE_SIZE, sealed.size - SEAL_NONCE_SIZE, name.data,
        name.size, sealed.data, key);
    return failed == 0 ? OK : ERR_CORRUPT;
}

void seal_index(const struct seal_keys *keys, unsigned kind, struct bytes name,
                uint8_t ret_index[static SEAL_INDEX_SIZE])
{
    uint8_t part[1 + 320];
    assert(name.size < sizeof part && kind <= UINT8_MAX);
    part[0] = (uint8_t)kind;
    memcpy(part + 1, name.data, name.size);
    struct hash hash =
        hash_keyed(CONTEXT_STORE_INDEX, keys->index, (struct bytes){part, name.size + 1});
    memcpy(ret_index, hash.bytes, SEAL_INDEX_SIZE);
}
