/* The order in which passphrases are checked. A check takes an Argon2id computation, one at a time
 * (workers_submit_slow): here the users of the machine wait in turns, each with a bounded number of
 * checks, and a check that nobody waits for any more is not computed (API-18). */
#ifndef CONSILIUM_NODE_SIGNING_PASSPHRASE_CHECKS_H
#define CONSILIUM_NODE_SIGNING_PASSPHRASE_CHECKS_H

#include <sys/types.h>

#include "node/os/workers.h"

/* For a refusal with ERR_OVER_BUDGET. */
#define PASSPHRASE_CHECKS_REFUSAL                                                                  \
    "as many passphrases of this user, or of all users, wait to be checked as may wait"

enum {
    PASSPHRASE_CHECKS_COUNT_MAX = 32,
    PASSPHRASE_CHECKS_EACH_COUNT_MAX = 8, /* of one user */
    PASSPHRASE_CHECKS_KEPT_COUNT = 4,     /* for privileged users alone */
};

struct passphrase_checks;

/* Who has a passphrase checked. */
struct passphrase_asker {
    uint64_t uid;
    bool is_privileged;
    bool (*is_wanted)(void *arg); /* does anybody wait for the result? NULL: always */
    void *arg;                    /* lives until the check has ended */
};

/* Lies in the caller's own struct, which stays alive and untouched from submit to its end. */
struct passphrase_check {
    struct job job; /* ours */
    struct passphrase_asker asker;
    void (*run)(struct passphrase_check *check); /* as of a job */
    /* OK: it ran. ERR_BUSY: it did not, since nobody waits for it or the node is stopping. */
    void (*done)(struct passphrase_check *check, err result);
    struct passphrase_checks *checks; /* ours, as the next two */
    struct passphrase_check *next;
    uint64_t round;
};

/* `workers` is borrowed. NULL: no memory. */
struct passphrase_checks *passphrase_checks_new(struct workers *workers);
/* When no check is under way; accepts NULL. */
void passphrase_checks_free(struct passphrase_checks *checks);

/* ERR_OVER_BUDGET: this user, or all users, have as many checks waiting as they may; `done` does
 * not come. ERR_BUSY: the threads take no job. */
MUST_USE err passphrase_checks_submit(struct passphrase_checks *checks,
                                      struct passphrase_check *check);

#endif
