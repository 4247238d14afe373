#include "bootstrap/relay/relay_key.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/os/file.h"

enum { RELAY_KEY_MODE = 0600, RELAY_KEY_DIRECTORY_MODE = 0700 };

static const char relay_key_title[] = "consilium relay key 1\n";
enum { RELAY_KEY_FILE_SIZE = sizeof relay_key_title - 1 + 2 * KEY_SIZE + 1 };

static err relay_key_path(const char *directory, char ret_path[static PATH_MAX])
{
    int size = snprintf(ret_path, PATH_MAX, "%s/relay.key", directory);
    return size > 0 && size < PATH_MAX ? OK : ERR_TOO_LARGE;
}

err relay_key_make(const char *directory, struct transport_key *ret_public)
{
    char path[PATH_MAX], text[RELAY_KEY_FILE_SIZE + 1];
    struct transport_key public_key;
    uint8_t secret[KEY_SIZE];
    err failure = relay_key_path(directory, path);
    if (failure == OK)
        failure = file_ensure_directory(directory, RELAY_KEY_DIRECTORY_MODE);
    if (failure != OK)
        return failure;
    crypto_box_keypair(public_key.bytes, secret);
    memcpy(text, relay_key_title, sizeof relay_key_title - 1);
    ids_to_hex((struct bytes){secret, sizeof secret}, text + sizeof relay_key_title - 1);
    text[RELAY_KEY_FILE_SIZE - 1] = '\n';
    failure = file_create(path, (struct bytes){(const uint8_t *)text, RELAY_KEY_FILE_SIZE},
                          RELAY_KEY_MODE);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    if (failure == OK)
        *ret_public = public_key;
    return failure;
}

err relay_key_load(const char *directory, uint8_t ret_secret[static KEY_SIZE],
                   struct transport_key *ret_public)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t size = 0;
    err failure = relay_key_path(directory, path);
    if (failure == OK)
        failure = file_read_private(path, RELAY_KEY_FILE_SIZE, &text, &size);
    if (failure != OK)
        return failure == ERR_TOO_LARGE ? ERR_MALFORMED : failure;
    const size_t title = sizeof relay_key_title - 1;
    failure = ERR_MALFORMED;
    if (size == RELAY_KEY_FILE_SIZE && memcmp(text, relay_key_title, title) == 0 &&
        text[size - 1] == '\n') {
        text[size - 1] = '\0';
        failure = ids_from_hex((const char *)text + title, ret_secret, KEY_SIZE);
    }
    if (failure == OK && crypto_scalarmult_base(ret_public->bytes, ret_secret) != 0)
        failure = ERR_MALFORMED;
    file_wipe(text, size);
    return failure;
}

struct hash relay_key_hash(const struct transport_key *public_key)
{
    return hash_one(CONTEXT_FINGERPRINT, ID_BYTES(*public_key));
}

void relay_key_fingerprint(const struct transport_key *public_key,
                           char ret_text[static FINGERPRINT_TEXT_SIZE])
{
    struct hash hash = relay_key_hash(public_key);
    fingerprint_write(&hash, ret_text);
}
