#include "bootstrap/directory/society_key.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap/terminal/terminal.h"
#include "node/os/file.h"

enum { KEY_FOLDER_MODE = 0700, KEY_PUBLIC_MODE = 0644, KEY_ARENA_SIZE = 16384 };

static void key_make_sign(uint8_t *ret_public, uint8_t *ret_secret)
{
    crypto_sign_keypair(ret_public, ret_secret);
}

static void key_make_transport(uint8_t *ret_public, uint8_t *ret_secret)
{
    crypto_box_keypair(ret_public, ret_secret);
}

const struct society_key society_key_officer = {
    .kind = KEYFILE_OFFICER,
    .stem = "officer",
    .secret_size = crypto_sign_SECRETKEYBYTES,
    .make = key_make_sign,
};

const struct society_key society_key_publisher = {
    .kind = KEYFILE_PUBLISHER,
    .stem = "publisher",
    .secret_size = crypto_box_SECRETKEYBYTES,
    .make = key_make_transport,
};

struct key_path {
    char text[PATH_MAX + 32];
};

static struct key_path key_path(const struct society_key *key, const char *folder, const char *end)
{
    struct key_path path;
    snprintf(path.text, sizeof path.text, "%s/%s.%s", folder, key->stem, end);
    return path;
}

static int key_fail(const char *path, err failure)
{
    if (failure == ERR_PASSPHRASE)
        return terminal_error("%s: the passphrase does not open it; nothing was changed", path);
    return terminal_error("%s: %s", path, terminal_reason(failure));
}

/* ---- passphrases ---- */

static bool key_passphrase(const struct passphrase_source *source, bool is_new,
                           struct buffer *passphrase)
{
    const char *prompt = is_new ? "New passphrase for this key" : "Passphrase of this key";
    const char *file = source->file;
    err failure = passphrase_read(source, prompt, is_new, passphrase);
    switch ((int)failure) {
    case OK:
        return true;
    case ERR_NOT_FOUND:
        if (file == NULL)
            terminal_error("there is no terminal to ask for the passphrase; name a file that holds "
                           "it with --passphrase-file");
        else
            terminal_error("passphrase file %s: there is no such file", file);
        return false;
    case ERR_NOT_ENTITLED:
        terminal_error(
            "passphrase file %s: it belongs to another user, or others can read it; chmod 600",
            file);
        return false;
    case ERR_INVALID:
        if (is_new)
            terminal_error(
                "a new passphrase must have at least %d characters and be typed twice the same",
                PASSPHRASE_NEW_SIZE_MIN);
        else
            terminal_error("the passphrase is empty; nothing was changed");
        return false;
    default:
        terminal_error("the passphrase cannot be read: %s", terminal_reason(failure));
        return false;
    }
}

/* An arena with room for a passphrase and a secret. */
static struct secure_arena *key_arena(void)
{
    struct secure_arena *arena = NULL;
    if (secure_arena_harden() != OK || secure_arena_new(KEY_ARENA_SIZE, &arena) != OK) {
        terminal_error("cannot reserve locked memory for the key; raise the limit with `ulimit "
                       "-l`, or free some memory");
        return NULL;
    }
    if (!secure_arena_locked(arena))
        terminal_warning("memory for the key cannot be locked, so the key may be written to swap; "
                         "raise the limit with `ulimit -l`");
    return arena;
}

/* ---- making ---- */

static bool key_write(const struct society_key *key, const struct society_key_owner *owner,
                      struct secure_arena *arena, uint8_t public_key[static KEY_SIZE])
{
    struct keyfile keyfile = {.kind = key->kind, .public_size = KEY_SIZE};
    struct key_path path = key_path(key, owner->folder, "key");
    struct buffer passphrase =
        buffer_over(secure_arena_take(arena, PASSPHRASE_SIZE_MAX), PASSPHRASE_SIZE_MAX);
    uint8_t *secret = secure_arena_take(arena, key->secret_size);
    if (passphrase.data == NULL || secret == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY)) == 0;
    if (!key_passphrase(&owner->passphrase, true, &passphrase))
        return false;
    snprintf(keyfile.label, sizeof keyfile.label, "%s", owner->name);
    key->make(public_key, secret);
    memcpy(keyfile.public_part, public_key, KEY_SIZE);
    err failure = keyfile_seal(path.text, &keyfile, (struct bytes){secret, key->secret_size},
                               buffer_bytes(&passphrase), keyfile_cost_moderate());
    if (failure == OK)
        return true;
    key_fail(path.text, failure);
    return false;
}

static int key_write_public(const struct society_key *key, const struct society_key_owner *owner,
                            const uint8_t public_key[static KEY_SIZE])
{
    char hex[2 * KEY_SIZE + 1], text[512];
    struct key_path path = key_path(key, owner->folder, "public");
    ids_to_hex((struct bytes){public_key, KEY_SIZE}, hex);
    int size =
        snprintf(text, sizeof text, "consilium %s key\n%s\n%s\n", key->stem, hex, owner->name);
    if (size < 0 || (size_t)size >= sizeof text)
        return terminal_error("--name is too long; shorten it");
    err failure = file_write(path.text, bytes_of_text(text), KEY_PUBLIC_MODE);
    if (failure != OK)
        return key_fail(path.text, failure);
    printf("The %s key of %s is in %s; do not share that folder, and back it up.\n", key->stem,
           owner->name, owner->folder);
    printf("Mail this file to the society: %s\npublic key: %s\n", path.text, hex);
    return 0;
}

int society_key_init(const struct society_key *key, const struct society_key_owner *owner)
{
    uint8_t public_key[KEY_SIZE];
    if (owner->folder == NULL || owner->name == NULL)
        return terminal_usage("name the folder for the key with --key, and its owner with --name");
    err failure = file_ensure_directory(owner->folder, KEY_FOLDER_MODE);
    if (failure == ERR_NOT_ENTITLED)
        return terminal_error("%s belongs to another user, or others can open it; chmod 700",
                              owner->folder);
    if (failure != OK)
        return key_fail(owner->folder, failure);
    struct secure_arena *arena = key_arena();
    int status = 1;
    if (arena != NULL && key_write(key, owner, arena, public_key))
        status = key_write_public(key, owner, public_key);
    secure_arena_free(arena);
    return status;
}

/* ---- opening ---- */

static const char *key_peek_reason(err failure)
{
    switch ((int)failure) {
    case ERR_NOT_FOUND:
        return "does not exist; --key must name the folder that `init` made";
    case ERR_INVALID:
        return "is another kind of key; --key must name the folder of the right one";
    case ERR_MALFORMED:
        return "is not a key file, or is damaged; restore it from its backup";
    default:
        return terminal_reason(failure);
    }
}

bool society_key_peek(const struct society_key *key, const char *folder,
                      struct society_public *ret_public)
{
    struct keyfile keyfile;
    struct key_path path = key_path(key, folder, "key");
    err failure = keyfile_peek(path.text, &keyfile);
    if (failure == OK && (keyfile.kind != key->kind || keyfile.public_size != KEY_SIZE))
        failure = ERR_INVALID;
    if (failure != OK) {
        terminal_error("%s: %s", path.text, key_peek_reason(failure));
        return false;
    }
    memcpy(ret_public->key, keyfile.public_part, KEY_SIZE);
    memcpy(ret_public->name, keyfile.label, sizeof ret_public->name);
    return true;
}

static err key_unseal(const struct society_key *key, const struct society_key_owner *owner,
                      struct secure_arena *arena, struct buffer *secret)
{
    struct key_path path = key_path(key, owner->folder, "key");
    struct buffer passphrase =
        buffer_over(secure_arena_take(arena, PASSPHRASE_SIZE_MAX), PASSPHRASE_SIZE_MAX);
    if (passphrase.data == NULL || secret->data == NULL)
        return ERR_NO_MEMORY;
    if (!key_passphrase(&owner->passphrase, false, &passphrase))
        return ERR_INVALID;
    err failure = keyfile_unseal(path.text, key->kind, buffer_bytes(&passphrase), NULL, secret);
    if (failure == OK && secret->size != key->secret_size)
        failure = ERR_MALFORMED;
    if (failure != OK)
        key_fail(path.text, failure);
    return failure;
}

bool society_key_open(const struct society_key *key, const struct society_key_owner *owner,
                      struct secure_arena **ret_arena, const uint8_t **ret_secret)
{
    struct secure_arena *arena = key_arena();
    if (arena == NULL)
        return false;
    struct buffer secret =
        buffer_over(secure_arena_take(arena, key->secret_size), key->secret_size);
    if (key_unseal(key, owner, arena, &secret) != OK) {
        secure_arena_free(arena);
        return false;
    }
    *ret_arena = arena;
    *ret_secret = secret.data;
    return true;
}

/* ---- public keys of others ---- */

enum key_found { KEY_FOUND, KEY_OF_ANOTHER_KIND, KEY_NONE };

/* A .public file: "consilium officer key", the key, the name of its owner. */
static enum key_found key_from_public(const char *path, enum keyfile_kind kind,
                                      struct society_public *ret_public)
{
    uint8_t *data;
    size_t size;
    char wanted[64];
    if (file_read(path, 4096, &data, &size) != OK)
        return KEY_NONE;
    char *rest = (char *)data, *lines[3] = {NULL};
    for (size_t i = 0; i < 3; i++)
        lines[i] = strsep(&rest, "\r\n");
    enum key_found found = KEY_NONE;
    if (lines[1] != NULL && strncmp(lines[0], "consilium ", 10) == 0 &&
        ids_from_hex(lines[1], ret_public->key, KEY_SIZE) == OK) {
        (void)snprintf(wanted, sizeof wanted, "consilium %s", keyfile_kind_name(kind));
        (void)snprintf(ret_public->name, sizeof ret_public->name, "%s",
                       lines[2] == NULL ? "" : lines[2]);
        found = strcmp(lines[0], wanted) == 0 ? KEY_FOUND : KEY_OF_ANOTHER_KIND;
    }
    free(data);
    return found;
}

static enum key_found key_from_file(const char *path, enum keyfile_kind kind,
                                    struct society_public *ret_public)
{
    struct keyfile keyfile;
    if (keyfile_peek(path, &keyfile) != OK || keyfile.public_size != KEY_SIZE)
        return key_from_public(path, kind, ret_public);
    memcpy(ret_public->key, keyfile.public_part, KEY_SIZE);
    memcpy(ret_public->name, keyfile.label, sizeof ret_public->name);
    return keyfile.kind == kind ? KEY_FOUND : KEY_OF_ANOTHER_KIND;
}

bool society_key_read(const char *text, enum keyfile_kind kind, struct society_public *ret_public)
{
    ret_public->name[0] = '\0';
    if (ids_from_hex(text, ret_public->key, KEY_SIZE) == OK)
        return true;
    switch (key_from_file(text, kind, ret_public)) {
    case KEY_FOUND:
        return true;
    case KEY_OF_ANOTHER_KIND:
        terminal_error("`%s` holds another kind of key; the %s is needed", text,
                       keyfile_kind_name(kind));
        return false;
    case KEY_NONE:
        if (access(text, F_OK) != 0 && strpbrk(text, "./") != NULL)
            terminal_error("`%s`: there is no such file", text);
        else
            terminal_error("`%s` is not a public key; give its 64 hexadecimal digits, or a file "
                           "that holds it (officer.public)",
                           text);
        return false;
    }
    return false;
}
