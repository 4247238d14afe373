/* What a node's status says is judged: ok, warning or fault, and what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/cli/present/checkup.h"

/* A node that has nothing to complain of, on 2026-06-01. */
static const char healthy[] =
    "{'federations':[{'name':'tumors','standing':null,'posting_waits':false,'why':null,"
    "'members':3,'connected':[{'name':'A'},{'name':'B'}],'not_reached':[],"
    "'head':{'valid_until':'2027-01-01T00:00:00.000Z','expired':false,'behind':false,'healing':"
    "null},"
    "'relays':[{'name':'relay-1','endpoint':'tcp://"
    "relay.example:7800','connected':true,'why':null}],"
    "'clocks_that_differ':0,'streams':{'lost':0,'lost_own':0},"
    "'disk':{'bytes':1000,'quota':8000000000,'item_bytes':0,'item_quota':8000000000,'full':false},"
    "'backup':{'age_days':1,'delete_by':'2026-06-30T00:00:00.000Z'},'clinicians':2}]}";

static const struct checkup_machine machine = {.now = 1780272000, /* 2026-06-01 */
                                               .clock = KERNEL_CLOCK_SYNCHRONISED};

static json_t *parsed(const char *text)
{
    char copy[2000];
    assert_true(strlen(text) < sizeof copy);
    memcpy(copy, text, strlen(text) + 1);
    for (char *at = copy; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *json = json_loads(copy, 0, NULL);
    assert_non_null(json);
    return json;
}

/* The status with `change` (an object) put over the only federation. */
static json_t *checks_with(const char *change, const struct checkup_machine *on)
{
    json_t *status = parsed(healthy), *over = parsed(change);
    assert_int_equal(
        0, json_object_update(json_array_get(json_object_get(status, "federations"), 0), over));
    json_t *checks = checkup_of(status, on);
    json_decref(over);
    json_decref(status);
    return checks;
}

static size_t count_of(const json_t *checks, const char *state)
{
    size_t index, count = 0;
    json_t *check;
    json_array_foreach(checks, index, check)
    {
        count += strcmp(json_string_value(json_object_get(check, "state")), state) == 0;
        if (strcmp(json_string_value(json_object_get(check, "state")), "ok") != 0)
            assert_true(json_string_length(json_object_get(check, "do")) > 10);
    }
    return count;
}

/* `change` makes just this check not ok, in this state, with this in what it says or what to do. */
static void assert_check(const char *change, const char *name, const char *state, const char *part)
{
    json_t *checks = checks_with(change, &machine), *check;
    size_t index;
    bool is_there = false;
    json_array_foreach(checks, index, check)
    {
        if (strcmp(json_string_value(json_object_get(check, "state")), "ok") == 0)
            continue;
        assert_string_equal(name, json_string_value(json_object_get(check, "check")));
        assert_string_equal(state, json_string_value(json_object_get(check, "state")));
        assert_string_equal("tumors", json_string_value(json_object_get(check, "federation")));
        is_there = is_there ||
                   strstr(json_string_value(json_object_get(check, "says")), part) != NULL ||
                   strstr(json_string_value(json_object_get(check, "do")), part) != NULL;
    }
    if (!is_there)
        fail_msg("%s: nothing says %s", name, part);
    assert_int_equal(strcmp(state, "fault") == 0, checkup_has_fault(checks));
    (void)count_of(checks, "ok");
    json_decref(checks);
}

static void a_healthy_node_has_no_warning(void **state)
{
    (void)state;
    json_t *checks = checks_with("{}", &machine);
    assert_int_equal(0, count_of(checks, "fault"));
    assert_int_equal(0, count_of(checks, "warning"));
    assert_true(count_of(checks, "ok") >= 8);
    json_decref(checks);
}

static void each_trouble_is_named_with_what_to_do(void **state)
{
    (void)state;
    assert_check(
        "{'standing':{'state':'doubled','message':'a second node runs','hint':'stop one of "
        "both'}}",
        "writing", "fault", "stop one of both");
    assert_check("{'posting_waits':true,'why':'the clock is wrong'}", "writing", "fault",
                 "the clock is wrong");
    assert_check("{'head':{'valid_until':'2026-05-01T00:00:00.000Z','expired':true}}", "roster",
                 "fault", "call the society");
    assert_check("{'head':{'valid_until':'2026-07-30T00:00:00.000Z','expired':false}}", "roster",
                 "warning", "in 59 days");
    assert_check("{'head':{'valid_until':'2027-01-01T00:00:00.000Z','behind':true}}", "roster",
                 "warning", "newer roster");
    assert_check("{'head':{'valid_until':'2027-01-01T00:00:00.000Z','healing':{'epoch':4}}}",
                 "roster", "fault", "roster heal");
    assert_check("{'relays':[{'name':'relay-1','endpoint':'tcp://r.example:7800','connected':false,"
                 "'why':'no such name'}]}",
                 "relay", "fault", "getent hosts");
    assert_check("{'relays':[{'name':'a','connected':true},{'name':'b','connected':false,"
                 "'why':'nobody listens there'}]}",
                 "relay", "warning", "firewall");
    assert_check("{'not_reached':[{'name':'Hillside','why':'they do not list our key'}]}", "member",
                 "warning", "fingerprints");
    assert_check("{'connected':[]}", "members", "warning", "0 of 2 others");
    assert_check("{'clocks_that_differ':1}", "clocks", "warning", "1 connected member");
    assert_check("{'disk':{'bytes':1,'quota':2,'item_bytes':0,'item_quota':9,'full':true}}", "disk",
                 "fault", "quota");
    assert_check("{'disk':{'bytes':7,'quota':1000,'item_bytes':900,'item_quota':1000}}",
                 "documents", "warning", "quota");
    assert_check("{'streams':{'lost':2,'lost_own':0}}", "records", "warning", "2 records");
    assert_check("{'streams':{'lost':2,'lost_own':1}}", "records", "fault", "backup");
    assert_check("{'backup':null}", "backup", "warning", "consiliumd backup");
    assert_check("{'backup':{'age_days':8}}", "backup", "warning", "8 days");
    assert_check("{'backup':{'age_days':30}}", "backup", "warning", "delete it");
    assert_check("{'clinicians':0}", "clinicians", "warning", "clinician create");
}

static void the_clock_of_the_machine_is_judged(void **state)
{
    (void)state;
    struct checkup_machine on = machine;
    on.clock = KERNEL_CLOCK_FREE;
    json_t *checks = checks_with("{}", &on);
    assert_int_equal(1, count_of(checks, "warning"));
    assert_false(checkup_has_fault(checks));
    json_decref(checks);
    on.clock = KERNEL_CLOCK_UNKNOWN;
    checks = checks_with("{}", &on);
    assert_int_equal(0, count_of(checks, "warning"));
    json_decref(checks);
}

static void a_node_in_no_federation_is_told_to_join(void **state)
{
    (void)state;
    json_t *status = parsed("{'federations':[]}");
    json_t *checks = checkup_of(status, &machine);
    assert_int_equal(1, count_of(checks, "warning"));
    json_decref(checks);
    json_decref(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_node_has_no_warning),
        cmocka_unit_test(each_trouble_is_named_with_what_to_do),
        cmocka_unit_test(the_clock_of_the_machine_is_judged),
        cmocka_unit_test(a_node_in_no_federation_is_told_to_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
