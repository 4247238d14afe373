#include "node/signing/passphrase_checks.h"

#include <stdlib.h>

/* A user's n-th waiting check belongs to the n-th round from now; rounds are served in order. So
 * who has one check waiting is served before the second one of anybody else. */
struct passphrase_checks {
    struct workers *workers;
    struct passphrase_check *first; /* waiting, by round */
    struct passphrase_check *running;
    uint64_t round; /* of the one that was started last */
};

struct passphrase_checks *passphrase_checks_new(struct workers *workers)
{
    struct passphrase_checks *checks = calloc(1, sizeof *checks);
    if (checks != NULL)
        checks->workers = workers;
    return checks;
}

void passphrase_checks_free(struct passphrase_checks *checks)
{
    free(checks);
}

static void passphrase_checks_run(struct job *job)
{
    struct passphrase_check *check = (struct passphrase_check *)job;
    check->run(check);
}

static void passphrase_checks_start(struct passphrase_checks *checks);

static void passphrase_checks_done(struct job *job)
{
    struct passphrase_check *check = (struct passphrase_check *)job;
    struct passphrase_checks *checks = check->checks;
    checks->running = NULL;
    passphrase_checks_start(checks); /* the thread does not wait for what `done` does */
    check->done(check, OK);
}

/* Starts the next one that somebody waits for, unless one is running. */
static void passphrase_checks_start(struct passphrase_checks *checks)
{
    while (checks->running == NULL && checks->first != NULL) {
        struct passphrase_check *check = checks->first;
        const struct passphrase_asker *asker = &check->asker;
        checks->first = check->next;
        bool is_wanted = asker->is_wanted == NULL || asker->is_wanted(asker->arg);
        err failure = is_wanted ? workers_submit_slow(checks->workers, &check->job) : ERR_BUSY;
        if (failure == OK) {
            checks->running = check;
            checks->round = check->round;
        } else {
            check->done(check, ERR_BUSY);
        }
    }
}

/* May one more wait? If so, its round. */
static bool passphrase_checks_find_round(const struct passphrase_checks *checks,
                                         const struct passphrase_asker *asker, uint64_t *ret_round)
{
    size_t all = 0, own = 0;
    *ret_round = checks->round;
    if (checks->running != NULL && checks->running->asker.uid == asker->uid) {
        own++;
        *ret_round = checks->round + 1;
    }
    for (const struct passphrase_check *other = checks->first; other != NULL; other = other->next) {
        all++;
        if (other->asker.uid != asker->uid)
            continue;
        own++;
        *ret_round = other->round + 1;
    }
    return own < PASSPHRASE_CHECKS_EACH_COUNT_MAX &&
           all < (asker->is_privileged
                      ? PASSPHRASE_CHECKS_COUNT_MAX
                      : PASSPHRASE_CHECKS_COUNT_MAX - PASSPHRASE_CHECKS_KEPT_COUNT);
}

err passphrase_checks_submit(struct passphrase_checks *checks, struct passphrase_check *check)
{
    if (!passphrase_checks_find_round(checks, &check->asker, &check->round))
        return ERR_OVER_BUDGET;
    check->job = (struct job){.run = passphrase_checks_run, .done = passphrase_checks_done};
    check->checks = checks;
    if (checks->running == NULL) { /* then none waits */
        err failure = workers_submit_slow(checks->workers, &check->job);
        if (failure == OK)
            checks->running = check;
        return failure;
    }
    struct passphrase_check **link = &checks->first;
    while (*link != NULL && (*link)->round <= check->round)
        link = &(*link)->next;
    check->next = *link;
    *link = check;
    return OK;
}
