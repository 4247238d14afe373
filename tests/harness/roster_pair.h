/* A society and one hospital's node that follows it, for tests of the roster. Include after cmocka.
 */
#ifndef CONSILIUM_TESTS_HARNESS_ROSTER_PAIR_H
#define CONSILIUM_TESTS_HARNESS_ROSTER_PAIR_H

#include "tests/harness/federation.h"

/* The society, and one hospital's node that took the founding head. */
struct pair {
    struct federation society;
    struct roster node;
    void *memory;
};

static inline err hand_over(struct pair *p)
{
    return roster_apply(&p->node, p->society.signed_head, &p->society.delta, p->society.now);
}

static inline int founded(void **state)
{
    struct pair *p = malloc(sizeof *p);
    assert_non_null(p);
    federation_found(&p->society, roster_plan_small(), 5);
    p->node = federation_roster(roster_plan_small(), federation_node(1), NULL, &p->memory);
    assert_int_equal(hand_over(p), OK);
    *state = p;
    return 0;
}

static inline int ended(void **state)
{
    struct pair *p = *state;
    federation_end(&p->society);
    free(p->memory);
    free(p);
    return 0;
}

/* A draft that admits hospital 6. */
static inline void draft_admission(struct pair *p)
{
    struct member member = federation_member(6, p->society.roster.chain.tip.epoch + 1);
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
}

static inline void assert_refused(struct pair *p, err wanted)
{
    struct head_id before = roster_current_id(&p->node);
    uint32_t heads = p->node.chain.count;
    uint32_t members = roster_count(&p->node);
    assert_int_equal(hand_over(p), wanted);
    assert_true(ID_EQUAL(before, roster_current_id(&p->node)));
    assert_int_equal(p->node.chain.count, heads);
    assert_int_equal(roster_count(&p->node), members);
    assert_false(roster_is_behind(&p->node));
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, founded, ended)

#endif
