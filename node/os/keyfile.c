#include "node/os/keyfile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "node/os/file.h"

enum {
    KEYFILE_MAGIC_SIZE = 7, /* the eighth byte is the version */
    KEYFILE_VERSION = '1',
    KEYFILE_SALT_SIZE = crypto_pwhash_SALTBYTES,
    KEYFILE_NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    KEYFILE_TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    KEYFILE_FIXED_SIZE = 8 + 1 + 1 + 4 + 4 + KEYFILE_SALT_SIZE + KEYFILE_NONCE_SIZE + 1 + 2 + 2,
    KEYFILE_SIZE_MAX = KEYFILE_FIXED_SIZE + KEYFILE_LABEL_MAX + KEYFILE_PUBLIC_MAX +
                       KEYFILE_SECRET_MAX + KEYFILE_TAG_SIZE,
    /* what an altered file may make us spend before we see that it was altered */
    KEYFILE_OPERATIONS_MAX = 16,
    KEYFILE_MEMORY_KIB_MAX = 1024 * 1024,
    KEYFILE_MEMORY_KIB_MIN = 8,
};

_Static_assert(KEYFILE_SALT_SIZE == 16 && KEYFILE_NONCE_SIZE == 24, "as the header says");
_Static_assert((int)KEYFILE_LABEL_MAX <= UINT8_MAX, "the size of a label is one byte");

static const char keyfile_magic[] = "CONSKEY";

/* A file as it was read; spans borrow from its bytes. */
struct keyfile_parts {
    struct keyfile clear;
    struct keyfile_cost cost;
    struct bytes salt;
    struct bytes nonce;
    struct bytes before; /* all that stands before the secret */
    struct bytes secret;
};

struct keyfile_cost keyfile_cost_moderate(void)
{
    return (struct keyfile_cost){
        .operations = crypto_pwhash_argon2id_OPSLIMIT_MODERATE,
        .memory_kib = crypto_pwhash_argon2id_MEMLIMIT_MODERATE / 1024,
    };
}

const char *keyfile_kind_name(enum keyfile_kind kind)
{
    switch (kind) {
    case KEYFILE_OFFICER:
        return "officer key";
    case KEYFILE_CLINICIAN:
        return "clinician key";
    case KEYFILE_NODE:
        return "node key";
    case KEYFILE_STORE:
        return "store key";
    case KEYFILE_RELAY:
        return "relay key";
    case KEYFILE_PUBLISHER:
        return "publisher key";
    case KEYFILE_BACKUP:
        return "backup of keys";
    }
    return "unknown key";
}

static err keyfile_derive(uint8_t *key, struct bytes passphrase, const uint8_t *salt,
                          struct keyfile_cost cost)
{
    if (crypto_pwhash(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
                      (const char *)passphrase.data, passphrase.size, salt, cost.operations,
                      (size_t)cost.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_NO_MEMORY;
    return OK;
}

/* ---- writing ---- */

struct keyfile_header {
    bool sealed;
    struct keyfile_cost cost;
    uint8_t salt[KEYFILE_SALT_SIZE];
    uint8_t nonce[KEYFILE_NONCE_SIZE];
};

static err keyfile_check(const struct keyfile *keyfile, struct bytes secret)
{
    size_t label_size = strnlen(keyfile->label, sizeof keyfile->label);
    if (label_size > KEYFILE_LABEL_MAX || keyfile->public_size > KEYFILE_PUBLIC_MAX ||
        secret.size == 0 || secret.size > KEYFILE_SECRET_MAX || keyfile->kind < KEYFILE_OFFICER ||
        keyfile->kind > KEYFILE_BACKUP)
        return ERR_INVALID;
    return OK;
}

static void keyfile_put_before(struct buffer *out, const struct keyfile *keyfile,
                               const struct keyfile_header *header, size_t secret_size)
{
    size_t label_size = strlen(keyfile->label);
    buffer_put(out, keyfile_magic, KEYFILE_MAGIC_SIZE);
    buffer_u8(out, KEYFILE_VERSION);
    buffer_u8(out, (uint8_t)keyfile->kind);
    buffer_u8(out, header->sealed);
    buffer_u32(out, header->cost.operations);
    buffer_u32(out, header->cost.memory_kib);
    buffer_put(out, header->salt, sizeof header->salt);
    buffer_put(out, header->nonce, sizeof header->nonce);
    buffer_u8(out, (uint8_t)label_size);
    buffer_put(out, keyfile->label, label_size);
    buffer_u16(out, (uint16_t)keyfile->public_size);
    buffer_put(out, keyfile->public_part, keyfile->public_size);
    buffer_u16(out, (uint16_t)secret_size);
}

/* Makes the bytes of a sealed file in `out`. */
static err keyfile_make(struct buffer *out, const struct keyfile *keyfile, struct bytes secret,
                        struct bytes passphrase, struct keyfile_cost cost)
{
    struct keyfile_header header = {.sealed = true, .cost = cost};
    uint8_t key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    err result = keyfile_check(keyfile, secret);
    if (result != OK || passphrase.size == 0 || cost.operations == 0 ||
        cost.operations > KEYFILE_OPERATIONS_MAX || cost.memory_kib < KEYFILE_MEMORY_KIB_MIN ||
        cost.memory_kib > KEYFILE_MEMORY_KIB_MAX)
        return ERR_INVALID;
    randombytes_buf(header.salt, sizeof header.salt);
    randombytes_buf(header.nonce, sizeof header.nonce);
    result = keyfile_derive(key, passphrase, header.salt, cost);
    if (result != OK)
        goto done;
    keyfile_put_before(out, keyfile, &header, secret.size + KEYFILE_TAG_SIZE);
    size_t before_size = out->size;
    uint8_t *box = buffer_reserve(out, secret.size + KEYFILE_TAG_SIZE);
    if (box == NULL ||
        crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, secret.data, secret.size, out->data,
                                                   before_size, NULL, header.nonce, key) != 0)
        result = ERR_INVALID;
done:
    sodium_memzero(key, sizeof key);
    return result;
}

err keyfile_seal(const char *path, const struct keyfile *keyfile, struct bytes secret,
                 struct bytes passphrase, struct keyfile_cost cost)
{
    uint8_t memory[KEYFILE_SIZE_MAX];
    struct buffer out = buffer_over(memory, sizeof memory);
    err result = keyfile_make(&out, keyfile, secret, passphrase, cost);
    return result != OK ? result : file_create(path, buffer_bytes(&out), S_IRUSR | S_IWUSR);
}

err keyfile_reseal(const char *path, const struct keyfile *keyfile, struct bytes secret,
                   struct bytes passphrase, struct keyfile_cost cost)
{
    uint8_t memory[KEYFILE_SIZE_MAX];
    struct buffer out = buffer_over(memory, sizeof memory);
    err result = keyfile_make(&out, keyfile, secret, passphrase, cost);
    return result != OK ? result : file_write(path, buffer_bytes(&out), S_IRUSR | S_IWUSR);
}

err keyfile_store(const char *path, const struct keyfile *keyfile, struct bytes secret)
{
    const struct keyfile_header header = {.sealed = false};
    uint8_t memory[KEYFILE_SIZE_MAX];
    struct buffer out = buffer_over(memory, sizeof memory);
    err result = keyfile_check(keyfile, secret);
    if (result != OK)
        return result;
    keyfile_put_before(&out, keyfile, &header, secret.size);
    buffer_put(&out, secret.data, secret.size);
    result = file_create(path, buffer_bytes(&out), S_IRUSR | S_IWUSR);
    sodium_memzero(memory, sizeof memory);
    return result;
}

/* ---- reading ---- */

static err keyfile_parse_clear(struct reader *reader, struct keyfile_parts *parts)
{
    struct bytes magic = reader_take(reader, KEYFILE_MAGIC_SIZE);
    if (magic.size != KEYFILE_MAGIC_SIZE ||
        memcmp(magic.data, keyfile_magic, KEYFILE_MAGIC_SIZE) != 0)
        return ERR_MALFORMED;
    if (reader_u8(reader) != KEYFILE_VERSION)
        return reader->failed ? ERR_MALFORMED : ERR_VERSION;
    uint8_t kind = reader_u8(reader);
    uint8_t sealed = reader_u8(reader);
    parts->cost.operations = reader_u32(reader);
    parts->cost.memory_kib = reader_u32(reader);
    parts->salt = reader_take(reader, KEYFILE_SALT_SIZE);
    parts->nonce = reader_take(reader, KEYFILE_NONCE_SIZE);
    struct bytes label = reader_take(reader, reader_u8(reader));
    struct bytes public_part = reader_take(reader, reader_u16(reader));
    if (reader->failed || label.size > KEYFILE_LABEL_MAX || public_part.size > KEYFILE_PUBLIC_MAX ||
        kind < KEYFILE_OFFICER || kind > KEYFILE_BACKUP || sealed > 1 ||
        (label.size != 0 && memchr(label.data, 0, label.size) != NULL))
        return ERR_MALFORMED;
    parts->clear =
        (struct keyfile){.kind = kind, .sealed = sealed == 1, .public_size = public_part.size};
    if (label.size != 0)
        memcpy(parts->clear.label, label.data, label.size);
    if (public_part.size != 0)
        memcpy(parts->clear.public_part, public_part.data, public_part.size);
    return OK;
}

static bool keyfile_cost_sane(const struct keyfile_parts *parts)
{
    if (!parts->clear.sealed)
        return parts->cost.operations == 0 && parts->cost.memory_kib == 0;
    return parts->cost.operations >= 1 && parts->cost.operations <= KEYFILE_OPERATIONS_MAX &&
           parts->cost.memory_kib >= KEYFILE_MEMORY_KIB_MIN &&
           parts->cost.memory_kib <= KEYFILE_MEMORY_KIB_MAX;
}

static err keyfile_parse(struct bytes all, struct keyfile_parts *ret_parts)
{
    struct reader reader = reader_of(all);
    err result = keyfile_parse_clear(&reader, ret_parts);
    if (result != OK)
        return result;
    uint16_t size = reader_u16(&reader);
    ret_parts->before = (struct bytes){all.data, reader.offset};
    ret_parts->secret = reader_take(&reader, size);
    size_t least = ret_parts->clear.sealed ? KEYFILE_TAG_SIZE : 0;
    if (!reader_done(&reader) || size <= least || size > least + KEYFILE_SECRET_MAX ||
        !keyfile_cost_sane(ret_parts))
        return ERR_MALFORMED;
    return OK;
}

static err keyfile_read(const char *path, bool private, uint8_t **ret_data, size_t *ret_size)
{
    err result = private ? file_read_private(path, KEYFILE_SIZE_MAX, ret_data, ret_size)
                         : file_read(path, KEYFILE_SIZE_MAX, ret_data, ret_size);
    return result == ERR_TOO_LARGE ? ERR_MALFORMED : result;
}

err keyfile_peek(const char *path, struct keyfile *ret_keyfile)
{
    uint8_t *data = NULL;
    size_t size = 0;
    struct keyfile_parts parts;
    err result = keyfile_read(path, false, &data, &size);
    if (result == OK)
        result = keyfile_parse((struct bytes){data, size}, &parts);
    if (result == OK)
        *ret_keyfile = parts.clear;
    file_wipe(data, size);
    return result;
}

static err keyfile_open_box(const struct keyfile_parts *parts, struct bytes passphrase,
                            struct buffer *ret_secret)
{
    uint8_t key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    size_t size = parts->secret.size - KEYFILE_TAG_SIZE;
    if (ret_secret->capacity - ret_secret->size < size)
        return ERR_TOO_LARGE;
    err result = keyfile_derive(key, passphrase, parts->salt.data, parts->cost);
    if (result == OK &&
        crypto_aead_xchacha20poly1305_ietf_decrypt(
            ret_secret->data + ret_secret->size, NULL, NULL, parts->secret.data, parts->secret.size,
            parts->before.data, parts->before.size, parts->nonce.data, key) != 0)
        result = ERR_PASSPHRASE;
    if (result == OK)
        ret_secret->size += size;
    sodium_memzero(key, sizeof key);
    return result;
}

err keyfile_unseal(const char *path, enum keyfile_kind kind, struct bytes passphrase,
                   struct keyfile *ret_keyfile, struct buffer *ret_secret)
{
    uint8_t *data = NULL;
    size_t size = 0;
    struct keyfile_parts parts;
    err result = keyfile_read(path, false, &data, &size);
    if (result == OK)
        result = keyfile_parse((struct bytes){data, size}, &parts);
    if (result == OK && parts.clear.kind != kind)
        result = ERR_INVALID;
    if (result == OK && !parts.clear.sealed)
        result = ERR_STATE;
    if (result == OK)
        result = keyfile_open_box(&parts, passphrase, ret_secret);
    if (result == OK && ret_keyfile != NULL)
        *ret_keyfile = parts.clear;
    file_wipe(data, size);
    return result;
}

err keyfile_load(const char *path, enum keyfile_kind kind, struct keyfile *ret_keyfile,
                 struct buffer *ret_secret)
{
    uint8_t *data = NULL;
    size_t size = 0;
    struct keyfile_parts parts;
    err result = keyfile_read(path, true, &data, &size);
    if (result == OK)
        result = keyfile_parse((struct bytes){data, size}, &parts);
    if (result == OK && parts.clear.kind != kind)
        result = ERR_INVALID;
    if (result == OK && parts.clear.sealed)
        result = ERR_STATE;
    if (result == OK && ret_secret->capacity - ret_secret->size < parts.secret.size)
        result = ERR_TOO_LARGE;
    if (result == OK) {
        buffer_put(ret_secret, parts.secret.data, parts.secret.size);
        if (ret_keyfile != NULL)
            *ret_keyfile = parts.clear;
    }
    file_wipe(data, size);
    return result;
}
