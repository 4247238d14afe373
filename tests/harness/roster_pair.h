/* A society and one hospital's node that follows it, for tests of the roster. Asserts by cmocka. */
#ifndef CONSILIUM_TESTS_HARNESS_ROSTER_PAIR_H
#define CONSILIUM_TESTS_HARNESS_ROSTER_PAIR_H

#include "tests/harness/federation.h"

/* The society, and one hospital's node that took the founding head. */
struct pair {
    struct federation society;
    struct roster node;
    void *memory;
};

/* Gives the node the head that the society signed last. */
err hand_over(struct pair *p);

/* Sets up a pair: a founded federation of five hospitals, and a node that took its head. */
int founded(void **state);

/* Releases the pair. */
int ended(void **state);

/* A draft that admits hospital 6. */
void draft_admission(struct pair *p);

/* Hands over the signed head, which the node must refuse with `wanted` and without a change. */
void assert_refused(struct pair *p, err wanted);

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, founded, ended)

#endif
