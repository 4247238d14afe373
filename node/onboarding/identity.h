/* Who this institution is: its node_id, signing key and transport key, made once, and the key under
 * which everything stored is sealed.
 *
 * Two files in the data directory. `identity.key` holds both secret keys, `store.key` the master
 * key of the stores. Both are bare and readable by the daemon's user alone, or both are sealed
 * under one passphrase, which the daemon then asks for at each start. */
#ifndef CONSILIUM_NODE_ONBOARDING_IDENTITY_H
#define CONSILIUM_NODE_ONBOARDING_IDENTITY_H

#include "node/os/passphrase.h"
#include "node/os/secure_arena.h"
#include "protocol/base/ids.h"

struct identity {
    char name[256]; /* of the institution, as in its join request */
    struct node_id node_id;
    struct sign_key sign_key;
    struct transport_key transport_key;
    uint8_t *sign_secret;      /* 64 bytes, in the arena */
    uint8_t *transport_secret; /* 32 bytes, in the arena */
    uint8_t *store_key;        /* 32 bytes, in the arena */
};

enum { IDENTITY_PROBLEM_SIZE = 512 };

/* Makes both files in `data`. `passphrase` NULL: bare. ERR_EXISTS when there is one already.
 * `ret_problem` gets one line that says what to do. */
MUST_USE err identity_make(const char *data, const char *name, const struct bytes *passphrase,
                           char ret_problem[static IDENTITY_PROBLEM_SIZE]);

/* Opens both. `source` is used when they are sealed. The secrets lie in `secure_arena`. */
MUST_USE err identity_open(const char *data, const struct passphrase_source *source,
                           struct secure_arena *secrets, struct identity *ret_identity,
                           char ret_problem[static IDENTITY_PROBLEM_SIZE]);

/* The public part alone; no passphrase is needed. */
MUST_USE err identity_peek(const char *data, struct identity *ret_identity,
                           char ret_problem[static IDENTITY_PROBLEM_SIZE]);

/* True when a passphrase is needed to open the keys in `data`. */
bool identity_is_sealed(const char *data);

#endif
