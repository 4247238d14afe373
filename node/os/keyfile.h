/* Key files: a secret, sealed under a passphrase or bare, with a public part that anyone who has
 * the file may read.
 *
 *   "CONSKEY1" | kind u8 | sealed u8 | operations u32 | memory KiB u32 | salt 16 | nonce 24 |
 *   label size u8, label | public size u16, public part | secret size u16, sealed or bare secret
 *
 * Sealed: Argon2id (RFC 9106) makes the key, XChaCha20-Poly1305 seals the secret, everything before
 * it is associated data. Bare (for programs that start unattended): cost, salt and nonce are
 * zeros, and the file must be 0600 and ours. Writing is atomic; mode 0600 always. */
#ifndef CONSILIUM_NODE_OS_KEYFILE_H
#define CONSILIUM_NODE_OS_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

enum keyfile_kind {
    KEYFILE_OFFICER = 1,
    KEYFILE_CLINICIAN = 2,
    KEYFILE_NODE = 3,
    KEYFILE_STORE = 4,
    KEYFILE_RELAY = 5,
    KEYFILE_PUBLISHER = 6,
    KEYFILE_BACKUP = 7, /* an institution's keys together (node/backup) */
};

enum { KEYFILE_LABEL_MAX = 200, KEYFILE_PUBLIC_MAX = 4096, KEYFILE_SECRET_MAX = 4096 };

/* What stands in clear. */
struct keyfile {
    enum keyfile_kind kind;
    bool sealed;
    char label[KEYFILE_LABEL_MAX + 1]; /* for people: whose key; UTF-8 */
    uint8_t public_part[KEYFILE_PUBLIC_MAX];
    size_t public_size;
};

/* What Argon2id may cost. Programs pass keyfile_cost_moderate(): 3 passes over 256 MiB, some 0.6 s;
 * anything less is for tests. */
struct keyfile_cost {
    uint32_t operations;
    uint32_t memory_kib;
};
struct keyfile_cost keyfile_cost_moderate(void);

/* Writes a new sealed file; `keyfile->sealed` is not looked at.
 *
 *   ERR_EXISTS     something is there: nothing was written
 *   ERR_INVALID    label, public part, secret or passphrase is empty where it must not be, or too
 *                  long
 *   ERR_NO_MEMORY  Argon2id did not get its memory */
MUST_USE err keyfile_seal(const char *path, const struct keyfile *keyfile, struct bytes secret,
                          struct bytes passphrase, struct keyfile_cost cost);

/* The same, replacing the file that is there: for a change of passphrase. */
MUST_USE err keyfile_reseal(const char *path, const struct keyfile *keyfile, struct bytes secret,
                            struct bytes passphrase, struct keyfile_cost cost);

/* Writes a new bare file. ERR_EXISTS, ERR_INVALID. */
MUST_USE err keyfile_store(const char *path, const struct keyfile *keyfile, struct bytes secret);

/* Reads what stands in clear (unproven: only opening proves that it belongs to the secret).
 *
 *   ERR_NOT_FOUND   no such file
 *   ERR_MALFORMED   not a key file; ERR_VERSION: of a later version */
MUST_USE err keyfile_peek(const char *path, struct keyfile *ret_keyfile);

/* Opens a sealed file; takes as long as its cost: not on the loop. `ret_secret` is over locked
 * memory (secure_arena.h) and gets the secret appended. `ret_keyfile` may be NULL.
 *
 *   ERR_PASSPHRASE  wrong passphrase, or the file was altered
 *   ERR_INVALID     it holds another kind of key
 *   ERR_STATE       it is not sealed
 *   ERR_TOO_LARGE   the secret does not fit `ret_secret`
 *   and as keyfile_peek */
MUST_USE err keyfile_unseal(const char *path, enum keyfile_kind kind, struct bytes passphrase,
                            struct keyfile *ret_keyfile, struct buffer *ret_secret);

/* Opens a bare file. ERR_NOT_ENTITLED when it is another's or group or others may touch it;
 * ERR_STATE when it is sealed; the others as above. */
MUST_USE err keyfile_load(const char *path, enum keyfile_kind kind, struct keyfile *ret_keyfile,
                          struct buffer *ret_secret);

/* "officer key", "store key"...; static. */
const char *keyfile_kind_name(enum keyfile_kind kind);

#endif
