#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/roster_pair.h"

err hand_over(struct pair *p)
{
    return roster_apply(&p->node, p->society.signed_head, &p->society.delta, p->society.now);
}

int founded(void **state)
{
    struct pair *p = malloc(sizeof *p);
    assert_non_null(p);
    federation_found(&p->society, roster_plan_small(), 5);
    p->node = federation_roster(roster_plan_small(), federation_node(1), NULL, &p->memory);
    assert_int_equal(hand_over(p), OK);
    *state = p;
    return 0;
}

int ended(void **state)
{
    struct pair *p = *state;
    federation_end(&p->society);
    free(p->memory);
    free(p);
    return 0;
}

void draft_admission(struct pair *p)
{
    struct member member = federation_member(6, p->society.roster.chain.tip.epoch + 1);
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
}

void assert_refused(struct pair *p, err wanted)
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
