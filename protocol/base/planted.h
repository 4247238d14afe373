/* Planted faults: one line of wrong code at the place of each promise that the tests must be able
 * to see broken.
 *
 * A fault is in a program only when it was built with CONSILIUM_PLANTED, which tests/planted does
 * and nothing that ships: there PLANTED() is the constant false, and the compiler drops it. One
 * build holds all faults; the environment variable CONSILIUM_FAULT chooses one at the start.
 * tests/planted/README.md says which test finds which. */
#ifndef CONSILIUM_PROTOCOL_BASE_PLANTED_H
#define CONSILIUM_PROTOCOL_BASE_PLANTED_H

/* name, what goes wrong */
#define PLANTED_LIST(X) X(ANSWERED_BEFORE_COMMIT, "a post is answered with OK before it is durable")

enum planted {
    PLANTED_NONE,
#define PLANTED_ENUM(name, sentence) PLANTED_##name,
    PLANTED_LIST(PLANTED_ENUM)
#undef PLANTED_ENUM
};

#ifdef CONSILIUM_PLANTED
extern enum planted planted_chosen;
#define PLANTED(name) (planted_chosen == PLANTED_##name)
#else
#define PLANTED(name) (PLANTED_NONE == PLANTED_##name)
#endif

#endif
