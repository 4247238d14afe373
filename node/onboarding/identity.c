#include "node/onboarding/identity.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/onboarding/identity_seal.h"
#include "node/os/file.h"
#include "node/os/keyfile.h"

enum {
    IDENTITY_PATH_MAX = 4096,
    IDENTITY_PUBLIC_SIZE = NODE_ID_SIZE + 2 * KEY_SIZE,
    IDENTITY_SECRET_SIZE = 64 + KEY_SIZE,
};

static err identity_path(const char *data, const char *file, char ret_path[static 4096])
{
    int size = snprintf(ret_path, IDENTITY_PATH_MAX, "%s/%s", data, file);
    return size < 0 || size >= IDENTITY_PATH_MAX ? ERR_TOO_LARGE : OK;
}

static err identity_fail(char *ret_problem, const char *path, const char *what, err failure)
{
    snprintf(ret_problem, IDENTITY_PROBLEM_SIZE, "%.300s: %s", path, what);
    return failure;
}

static err identity_write(const char *path, const struct keyfile *keyfile, struct bytes secret,
                          const struct bytes *passphrase)
{
    return passphrase == NULL
               ? keyfile_store(path, keyfile, secret)
               : keyfile_seal(path, keyfile, secret, *passphrase, keyfile_cost_moderate());
}

/* Fills a key file's public part and the secret that belongs to it. */
static void identity_draw(struct keyfile *keyfile, uint8_t secret[static IDENTITY_SECRET_SIZE])
{
    struct node_id node_id;
    struct sign_key sign_key;
    struct transport_key transport_key;
    randombytes_buf(node_id.bytes, sizeof node_id.bytes);
    crypto_sign_keypair(sign_key.bytes, secret);
    crypto_box_keypair(transport_key.bytes, secret + 64);
    struct buffer public_part = buffer_over(keyfile->public_part, sizeof keyfile->public_part);
    buffer_put(&public_part, node_id.bytes, sizeof node_id.bytes);
    buffer_put(&public_part, sign_key.bytes, sizeof sign_key.bytes);
    buffer_put(&public_part, transport_key.bytes, sizeof transport_key.bytes);
    keyfile->public_size = public_part.size;
}

static const char *identity_reason(err failure)
{
    if (failure == ERR_EXISTS)
        return "exists already; this institution has an identity, and it is made only once; "
               "`consiliumd request` writes its request to the society again";
    return failure == ERR_IO ? strerror(errno) : err_sentence(failure);
}

/* Both keys, or a half: what an `init` that was interrupted left, or a restore. */
static err identity_check_new(const char *data, char *ret_problem)
{
    char identity[IDENTITY_PATH_MAX], store[IDENTITY_PATH_MAX];
    err failure = identity_path(data, "identity.key", identity);
    if (failure == OK)
        failure = identity_path(data, "store.key", store);
    if (failure != OK)
        return identity_fail(ret_problem, data, identity_reason(failure), failure);
    bool has_identity = access(identity, F_OK) == 0, has_store = access(store, F_OK) == 0;
    if (has_identity && has_store)
        return identity_fail(ret_problem, identity, identity_reason(ERR_EXISTS), ERR_EXISTS);
    if (has_identity || has_store)
        return identity_fail(ret_problem, has_identity ? store : identity,
                             "is not there, but its other half is: restore it from the backup; if "
                             "nothing was mailed yet, remove that half and repeat",
                             ERR_EXISTS);
    return OK;
}

err identity_make(const char *data, const char *name, const struct bytes *passphrase,
                  char ret_problem[static IDENTITY_PROBLEM_SIZE])
{
    char path[IDENTITY_PATH_MAX];
    uint8_t secret[IDENTITY_SECRET_SIZE], store_key[KEY_SIZE];
    struct keyfile identity = {.kind = KEYFILE_NODE}, store = {.kind = KEYFILE_STORE};
    err failure = file_ensure_directory(data, 0700);
    if (failure != OK)
        return identity_fail(ret_problem, data,
                             "cannot be used as the data directory: its parent must exist, it "
                             "must be yours, and nobody else may read it (chmod 700)",
                             failure);
    failure = identity_check_new(data, ret_problem);
    if (failure != OK)
        return failure;
    snprintf(identity.label, sizeof identity.label, "%.*s", KEYFILE_LABEL_MAX, name);
    snprintf(store.label, sizeof store.label, "%.*s", KEYFILE_LABEL_MAX, name);
    failure = identity_path(data, "identity.key", path);
    if (failure == OK) {
        identity_draw(&identity, secret);
        failure =
            identity_write(path, &identity, (struct bytes){secret, sizeof secret}, passphrase);
    }
    sodium_memzero(secret, sizeof secret);
    if (failure != OK)
        return identity_fail(ret_problem, path, identity_reason(failure), failure);
    failure = identity_path(data, "store.key", path);
    if (failure == OK) {
        randombytes_buf(store_key, sizeof store_key);
        failure =
            identity_write(path, &store, (struct bytes){store_key, sizeof store_key}, passphrase);
    }
    sodium_memzero(store_key, sizeof store_key);
    return failure == OK ? OK : identity_fail(ret_problem, path, identity_reason(failure), failure);
}

static err identity_of_keyfile(const struct keyfile *keyfile, struct identity *ret_identity)
{
    struct reader reader = reader_of((struct bytes){keyfile->public_part, keyfile->public_size});
    snprintf(ret_identity->name, sizeof ret_identity->name, "%s", keyfile->label);
    reader_copy(&reader, ret_identity->node_id.bytes, NODE_ID_SIZE);
    reader_copy(&reader, ret_identity->sign_key.bytes, KEY_SIZE);
    reader_copy(&reader, ret_identity->transport_key.bytes, KEY_SIZE);
    return reader_done(&reader) ? OK : ERR_MALFORMED;
}

err identity_peek(const char *data, struct identity *ret_identity,
                  char ret_problem[static IDENTITY_PROBLEM_SIZE])
{
    char path[IDENTITY_PATH_MAX];
    struct keyfile keyfile;
    struct identity identity = {.name = ""};
    err failure = identity_path(data, "identity.key", path);
    if (failure == OK)
        failure = keyfile_peek(path, &keyfile);
    if (failure == ERR_NOT_FOUND)
        return identity_fail(ret_problem, path, "is not there; make it with `consiliumd init`",
                             failure);
    if (failure == OK && keyfile.kind != KEYFILE_NODE)
        failure = ERR_INVALID;
    if (failure == OK)
        failure = identity_of_keyfile(&keyfile, &identity);
    if (failure != OK)
        return identity_fail(ret_problem, path, identity_reason(failure), failure);
    *ret_identity = identity;
    return OK;
}

bool identity_is_sealed(const char *data)
{
    char path[IDENTITY_PATH_MAX];
    struct keyfile keyfile;
    return identity_path(data, "identity.key", path) == OK && keyfile_peek(path, &keyfile) == OK &&
           keyfile.sealed;
}

static const char *identity_open_reason(err failure)
{
    switch ((int)failure) {
    case ERR_PASSPHRASE:
        return "the passphrase does not open it; try again";
    case ERR_NOT_ENTITLED:
        return "belongs to someone else, or others may read it (chown to the daemon's user, "
               "chmod 600)";
    case ERR_NOT_FOUND:
        return "is not there; make it with `consiliumd init`, or restore it from the backup";
    default:
        return identity_reason(failure);
    }
}

static err identity_secret(const char *path, enum keyfile_kind kind, const struct bytes *passphrase,
                           struct buffer *ret_secret)
{
    return passphrase == NULL ? keyfile_load(path, kind, NULL, ret_secret)
                              : keyfile_unseal(path, kind, *passphrase, NULL, ret_secret);
}

/* Both files, with one passphrase or none. */
static err identity_secrets(const char *data, const struct bytes *passphrase,
                            struct identity *identity,
                            char ret_problem[static IDENTITY_PROBLEM_SIZE])
{
    char path[IDENTITY_PATH_MAX];
    struct buffer secret = buffer_over(identity->sign_secret, IDENTITY_SECRET_SIZE);
    err failure = identity_path(data, "identity.key", path);
    if (failure == OK)
        failure = identity_secret(path, KEYFILE_NODE, passphrase, &secret);
    if (failure == OK && secret.size != IDENTITY_SECRET_SIZE)
        failure = ERR_MALFORMED;
    if (failure != OK)
        return identity_fail(ret_problem, path, identity_open_reason(failure), failure);
    identity->transport_secret = identity->sign_secret + 64;
    secret = buffer_over(identity->store_key, KEY_SIZE);
    failure = identity_path(data, "store.key", path);
    if (failure == OK)
        failure = identity_secret(path, KEYFILE_STORE, passphrase, &secret);
    if (failure == OK && secret.size != KEY_SIZE)
        failure = ERR_MALFORMED;
    return failure == OK ? OK
                         : identity_fail(ret_problem, path, identity_open_reason(failure), failure);
}

err identity_open(const char *data, const struct passphrase_source *source,
                  struct secure_arena *secrets, struct identity *ret_identity,
                  char ret_problem[static IDENTITY_PROBLEM_SIZE])
{
    char path[IDENTITY_PATH_MAX];
    struct keyfile keyfile;
    struct identity identity;
    err failure = identity_seal_mend(data, ret_problem);
    if (failure == OK)
        failure = identity_peek(data, &identity, ret_problem);
    if (failure != OK)
        return failure;
    if (identity_path(data, "identity.key", path) != OK || keyfile_peek(path, &keyfile) != OK)
        return identity_fail(ret_problem, path, "cannot be read", ERR_IO);
    identity.sign_secret = secure_arena_take(secrets, IDENTITY_SECRET_SIZE);
    identity.store_key = secure_arena_take(secrets, KEY_SIZE);
    uint8_t *memory = secure_arena_take(secrets, PASSPHRASE_SIZE_MAX);
    if (identity.sign_secret == NULL || identity.store_key == NULL || memory == NULL)
        return identity_fail(ret_problem, data, "no locked memory left for its keys",
                             ERR_NO_MEMORY);
    struct buffer buffer = buffer_over(memory, PASSPHRASE_SIZE_MAX);
    if (keyfile.sealed)
        failure = passphrase_read(source, "Passphrase of this node's keys", false, &buffer);
    if (failure != OK) {
        (void)identity_fail(ret_problem, path,
                            "is sealed, and no passphrase could be read: start at a terminal, "
                            "name --passphrase-file, or, with unlock = credential, let the unit "
                            "load consilium-passphrase",
                            failure);
    } else {
        struct bytes passphrase = buffer_bytes(&buffer);
        failure =
            identity_secrets(data, keyfile.sealed ? &passphrase : NULL, &identity, ret_problem);
    }
    secure_arena_drop(secrets, memory);
    if (failure == OK)
        *ret_identity = identity;
    return failure;
}
