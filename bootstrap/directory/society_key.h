/* Key files of officers and publishers, each under a passphrase. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_KEY_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_SOCIETY_KEY_H

#include "node/os/keyfile.h"
#include "node/os/passphrase.h"
#include "node/os/secure_arena.h"
#include "protocol/base/ids.h"

/* NAME.key, NAME.public below `folder`. */
struct society_key {
    enum keyfile_kind kind;
    const char *stem; /* "officer" or "publisher" */
    size_t secret_size;
    /* Makes a pair of keys. */
    void (*make)(uint8_t *ret_public, uint8_t *ret_secret);
};

/* Whose key, and how it is opened; borrowed for the call. */
struct society_key_owner {
    const char *folder;
    const char *name; /* society_key_init only */
    struct passphrase_source passphrase;
};

struct society_public {
    uint8_t key[KEY_SIZE];
    char name[KEYFILE_LABEL_MAX + 1]; /* of its owner, as the file says; may be empty */
};

extern const struct society_key society_key_officer;
extern const struct society_key society_key_publisher;

/* Makes the folder and the files; asks for a new passphrase. Exit status. */
int society_key_init(const struct society_key *key, const struct society_key_owner *owner);

/* Reads the public part, without the passphrase. False after an error message. */
bool society_key_peek(const struct society_key *key, const char *folder,
                      struct society_public *ret_public);

/* Opens the key in `owner->folder`; the secret (key->secret_size bytes) stays in the arena, which
 * the caller frees. False after an error message. */
bool society_key_open(const struct society_key *key, const struct society_key_owner *owner,
                      struct secure_arena **ret_arena, const uint8_t **ret_secret);

/* The public key that `text` is (64 hexadecimal digits) or that the file of that name holds (a
 * .public or .key file of that kind). False after an error message. */
bool society_key_read(const char *text, enum keyfile_kind kind, struct society_public *ret_public);

#endif
