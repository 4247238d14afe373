#include "node/backup/backup_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/os/keyfile.h"

enum { KEYS_SIGN_SIZE = 64, KEYS_SIZE = KEYS_SIGN_SIZE + 2 * KEY_SIZE };

static err keys_fail(char *ret_problem, const char *path, err failure)
{
    const char *why = failure == ERR_EXISTS       ? "is there already; nothing was overwritten"
                      : failure == ERR_PASSPHRASE ? "the passphrase does not open it; try again"
                      : failure == ERR_INVALID || failure == ERR_MALFORMED
                          ? "is not a file of keys that `consiliumd backup --keys` wrote"
                      : failure == ERR_IO ? strerror(errno)
                                          : err_sentence(failure);
    (void)snprintf(ret_problem, BACKUP_PROBLEM_SIZE, "%.300s: %.200s", path, why);
    return failure;
}

err backup_keys_write(const struct identity *identity, const struct bytes *passphrase,
                      const char *path, struct secure_arena *secrets,
                      char ret_problem[static BACKUP_PROBLEM_SIZE])
{
    struct keyfile keyfile = {.kind = KEYFILE_BACKUP};
    uint8_t *memory = secure_arena_take(secrets, KEYS_SIZE);
    if (memory == NULL)
        return keys_fail(ret_problem, path, ERR_NO_MEMORY);
    struct buffer secret = buffer_over(memory, KEYS_SIZE);
    buffer_put(&secret, identity->sign_secret, KEYS_SIGN_SIZE);
    buffer_put(&secret, identity->transport_secret, KEY_SIZE);
    buffer_put(&secret, identity->store_key, KEY_SIZE);
    struct buffer public_part = buffer_over(keyfile.public_part, sizeof keyfile.public_part);
    buffer_put(&public_part, identity->node_id.bytes, NODE_ID_SIZE);
    buffer_put(&public_part, identity->sign_key.bytes, KEY_SIZE);
    buffer_put(&public_part, identity->transport_key.bytes, KEY_SIZE);
    keyfile.public_size = public_part.size;
    (void)snprintf(keyfile.label, sizeof keyfile.label, "%.*s", KEYFILE_LABEL_MAX, identity->name);
    err failure =
        keyfile_seal(path, &keyfile, buffer_bytes(&secret), *passphrase, keyfile_cost_moderate());
    secure_arena_drop(secrets, memory);
    return failure == OK ? OK : keys_fail(ret_problem, path, failure);
}

/* store.key first: without identity.key no node starts. */
static err keys_put(const char *data, const struct keyfile *keyfile, struct bytes secret,
                    const struct bytes *passphrase, char *ret_problem)
{
    const struct {
        const char *name;
        enum keyfile_kind kind;
        struct bytes secret;
    } files[] = {
        {"store.key", KEYFILE_STORE, {secret.data + KEYS_SIGN_SIZE + KEY_SIZE, KEY_SIZE}},
        {"identity.key", KEYFILE_NODE, {secret.data, KEYS_SIGN_SIZE + KEY_SIZE}},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[BACKUP_PATH_SIZE];
        struct keyfile made = *keyfile;
        made.kind = files[i].kind;
        if (files[i].kind == KEYFILE_STORE)
            made.public_size = 0;
        (void)snprintf(path, sizeof path, "%s/%s", data, files[i].name);
        err failure =
            keyfile_seal(path, &made, files[i].secret, *passphrase, keyfile_cost_moderate());
        if (failure != OK)
            return keys_fail(ret_problem, path, failure);
    }
    return OK;
}

err backup_keys_restore(const char *path, const struct bytes *passphrase, const char *data,
                        struct secure_arena *secrets, char ret_problem[static BACKUP_PROBLEM_SIZE])
{
    struct keyfile keyfile;
    uint8_t *memory = secure_arena_take(secrets, KEYS_SIZE);
    if (memory == NULL)
        return keys_fail(ret_problem, path, ERR_NO_MEMORY);
    struct buffer secret = buffer_over(memory, KEYS_SIZE);
    err failure = keyfile_unseal(path, KEYFILE_BACKUP, *passphrase, &keyfile, &secret);
    if (failure == OK && secret.size != KEYS_SIZE)
        failure = ERR_MALFORMED;
    if (failure != OK)
        (void)keys_fail(ret_problem, path, failure);
    else
        failure = keys_put(data, &keyfile, buffer_bytes(&secret), passphrase, ret_problem);
    secure_arena_drop(secrets, memory);
    return failure;
}
