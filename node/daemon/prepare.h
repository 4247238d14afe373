/* What an administrator does before consiliumd runs, and now and then while it does: an identity,
 * its request, the invitation that comes back, how the keys are sealed. Each says what it did, or
 * in one line why not, and returns the exit status: 0, 1, or 2 when it was called in a wrong way.
 */
#ifndef CONSILIUM_NODE_DAEMON_PREPARE_H
#define CONSILIUM_NODE_DAEMON_PREPARE_H

#include "node/os/passphrase.h"
#include "node/os/secure_arena.h"

enum { PREPARE_LIST_MAX = 32 };

/* As typed; NULL: not given. */
struct prepare_options {
    const char *data;
    const char *name;
    const char *country;
    const char *endpoints[PREPARE_LIST_MAX];
    size_t endpoint_count;
    const char *boards[PREPARE_LIST_MAX];
    size_t board_count;
    const char *request; /* where to write it */
    const char *invitation;
    const char *federation;
    const char *fingerprint;
    const char *passphrase_file;
    const char *new_passphrase_file;
    bool is_sealed;
    const char *to;   /* a backup: where it is made */
    const char *from; /* the one to put back */
    const char *keys; /* the file of keys beside it */
    bool is_old_fine;
};

/* Prints the line; the exit status of a command that failed, or was called in a wrong way. */
int prepare_fail(const char *line);
int prepare_usage(const char *line);

enum prepare_passphrase_kind {
    PREPARE_PASSPHRASE,           /* of this node's keys */
    PREPARE_PASSPHRASE_NEW,       /* of the same, from now on */
    PREPARE_PASSPHRASE_OF_BACKUP, /* of a new backup of them */
};

/* Asks for a passphrase, or reads the first line of `file`. It lies in the arena and dies with it.
 * Returns 0, or what prepare_fail returned. */
MUST_USE int prepare_ask(const char *file, enum prepare_passphrase_kind kind,
                         struct secure_arena *secrets, struct bytes *ret_passphrase);

MUST_USE int prepare_init(const struct prepare_options *options, struct secure_arena *secrets);

/* The request once more: as it was, or, when country and boards are given, a new one. */
MUST_USE int prepare_request(const struct prepare_options *options, struct secure_arena *secrets);
MUST_USE int prepare_join(const struct prepare_options *options, struct secure_arena *secrets);

/* Seals bare keys; changes the passphrase of sealed ones. */
MUST_USE int prepare_seal(const struct prepare_options *options, struct secure_arena *secrets);
MUST_USE int prepare_passphrase(const struct prepare_options *options,
                                struct secure_arena *secrets);

#endif
