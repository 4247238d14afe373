/* The log of a running node: numbers go on, refused entries are told again, a head is witnessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/network.h"

static int setup(void **state)
{
    *state = network_new();
    network_connect(*state, 0, 1);
    network_connect(*state, 0, 2);
    return 0;
}

static int teardown(void **state)
{
    network_free(*state);
    return 0;
}

static struct audit_verdict verdict_of(struct network *network)
{
    return network_audit(network, 0);
}

struct counted {
    struct network *network;
    uint64_t count;
};

static bool has_counted(void *arg)
{
    const struct counted *counted = arg;
    return verdict_of(counted->network).count >= counted->count;
}

static void note(struct network *network, unsigned count)
{
    struct audit_fact fact = {.what = AUDIT_POSTED, .login = bytes_of_text("anna"), .uid = 1};
    struct counted counted = {network, verdict_of(network).count + count};
    for (unsigned i = 0; i < count; i++)
        audit_note(runtime_audit(network->houses[0].runtime), &fact);
    assert_true(network_until(network, has_counted, &counted));
}

static void numbers_and_chain_go_on_after_a_restart(void **state)
{
    struct network *network = *state;
    note(network, 3);
    struct audit_verdict before = verdict_of(network);
    network_shut(network, 0);
    network_open(network, 0);
    note(network, 2);
    struct audit_verdict after = verdict_of(network);
    assert_int_equal(AUDIT_SOUND, after.fault);
    assert_int_equal(before.number + 2, after.number);
}

static void an_entry_whose_batch_is_refused_at_once_leaves_no_gap(void **state)
{
    struct network *network = *state;
    struct audit *audit = runtime_audit(network->houses[0].runtime);
    struct audit_fact fact = {.what = AUDIT_DISCLOSED};
    struct store_op op;
    note(network, 1);
    uint64_t count = verdict_of(network).count;
    audit_stage(audit, &fact, &op);
    uint64_t number = op.audit.number;
    audit_settle(audit, number, ERR_BUSY);
    audit_stage(audit, &fact, &op);
    assert_int_equal(number, op.audit.number);
    audit_settle(audit, number, ERR_FULL);
    note(network, 2);
    struct audit_verdict verdict = verdict_of(network);
    assert_int_equal(AUDIT_SOUND, verdict.fault);
    assert_int_equal(count + 2, verdict.count);
    assert_int_equal(verdict.number, verdict.count);
}

static void an_entry_that_is_refused_behind_which_others_stand_is_told_again(void **state)
{
    struct network *network = *state;
    struct audit *audit = runtime_audit(network->houses[0].runtime);
    struct audit_fact fact = {.what = AUDIT_DISCLOSED};
    struct store_op op;
    note(network, 1);
    uint64_t count = verdict_of(network).count;
    audit_stage(audit, &fact, &op); /* never reaches the store */
    uint64_t lost = op.audit.number;
    note(network, 2);
    assert_int_equal(AUDIT_MISSING, verdict_of(network).fault);
    assert_int_equal(lost, verdict_of(network).number);
    audit_settle(audit, lost, ERR_FULL);
    audit_tick(audit);
    struct counted counted = {network, count + 3};
    assert_true(network_until(network, has_counted, &counted));
    assert_int_equal(AUDIT_SOUND, verdict_of(network).fault);
}

static bool is_witnessed(void *arg)
{
    return verdict_of(arg).audit_evidence_count > 0;
}

static void a_head_goes_to_the_other_members(void **state)
{
    struct network *network = *state;
    note(network, 1);
    assert_true(network_until(network, is_witnessed, network));
    assert_int_equal(AUDIT_SOUND, verdict_of(network).fault);
    while (network->houses[1].told[KIND_AUDIT_HEAD] == 0)
        network_turn(network);
    assert_true(network->houses[1].told[KIND_AUDIT_HEAD] > 0);
}

static struct audit_verdict checked_while_others_write(struct network *network,
                                                       unsigned *ret_step_count)
{
    struct audit_check *check = audit_check_new(network->houses[0].runtime);
    uint64_t before = 0;
    bool is_done = false;
    assert_non_null(check);
    for (*ret_step_count = 0; !is_done; ++*ret_step_count) {
        assert_int_equal(OK, audit_check_step(check, &is_done));
        uint64_t now = audit_check_progress(check).done;
        assert_in_range(now - before, 0, AUDIT_STEP_ENTRY_MAX);
        before = now;
        note(network, 1);
        audit_tick(runtime_audit(network->houses[0].runtime));
        network_turn(network);
    }
    struct audit_verdict verdict = audit_check_verdict(check);
    audit_check_free(check);
    return verdict;
}

/* API-12 */
static void a_check_goes_in_small_steps_while_entries_and_heads_are_written(void **state)
{
    struct network *network = *state;
    unsigned step_count;
    note(network, 3 * AUDIT_STEP_ENTRY_MAX);
    struct audit_verdict verdict = checked_while_others_write(network, &step_count);
    assert_int_equal(AUDIT_SOUND, verdict.fault);
    assert_true(verdict.count >= 3 * AUDIT_STEP_ENTRY_MAX);
    assert_true(step_count >= 7); /* the heads, and the log twice */
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORY(numbers_and_chain_go_on_after_a_restart),
        STORY(an_entry_whose_batch_is_refused_at_once_leaves_no_gap),
        STORY(an_entry_that_is_refused_behind_which_others_stand_is_told_again),
        STORY(a_head_goes_to_the_other_members),
        STORY(a_check_goes_in_small_steps_while_entries_and_heads_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
