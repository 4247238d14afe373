/* What authors release by themselves, and that the order in which records come does not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/consult_fixture.h"

static struct service service, other;
static uint8_t export_memory[2][CONSULT_EXPORT_SIZE_MAX];

static struct bytes exported(const struct consult *consult, size_t index)
{
    struct buffer buffer = buffer_over(export_memory[index], CONSULT_EXPORT_SIZE_MAX);
    assert_int_equal(consult_export(consult, &buffer), OK);
    return buffer_bytes(&buffer);
}

/* C-33, C-35 */
static void an_author_releases_its_own_after_the_deadline(void **state)
{
    (void)state;
    service_init(&service, ANNOUNCEMENT_INDEPENDENT_FIRST);
    assert_int_equal(service_open(&service), CONSULT_COUNTS);
    assert_int_equal(service_grant(&service, &service_b), CONSULT_COUNTS);
    assert_int_equal(service_opinion(&service, &service_b), CONSULT_AWAITS);
    struct record_id opinion = service.record.id, second = {{0x61}}, third = {{0x62}};
    service.time.ms = SERVICE_DEADLINE - 1;
    assert_int_equal(service_release(&service, &service_b, &opinion), CONSULT_TOO_EARLY);
    service.time.ms = SERVICE_DEADLINE;
    assert_int_equal(service_release(&service, &service_b, &opinion), CONSULT_COUNTS);
    assert_int_equal(service.consult.state, CASE_ANNOUNCED);
    assert_int_equal(consult_apply(&service.consult, &service.record), CONSULT_SEEN);
    assert_int_equal(service_release(&service, &service_b, &second), CONSULT_COUNTS);
    service.time.ms = SERVICE_DEADLINE + 1;
    assert_int_equal(service_release(&service, &service_b, &third), CONSULT_COUNTS);
    service.time.ms = SERVICE_DEADLINE; /* C-66: earlier than the two that count */
    assert_int_equal(service_release(&service, &service_b, &opinion), CONSULT_FULL);
    assert_int_equal(service_release(&service, &service_a, &opinion), CONSULT_WRONG_WRITER);
    assert_int_equal(service_extend(&service, SERVICE_DEADLINE), CONSULT_TOO_EARLY);
    assert_int_equal(service_extend(&service, SERVICE_DEADLINE + 1), CONSULT_COUNTS);
    assert_int_equal(service.consult.participants[0].released_count, 1);
    assert_int_equal(service_release(&service, &service_b, &opinion), CONSULT_TOO_EARLY);
}

enum { RELEASES_OPENING = 3, RELEASES_RULES = 7, RELEASES_COUNT = 13 };

/* The requester opens and grants; it extends, ends B's access at a position and C's at once, and
 * withdraws; B and C release. */
static void write_release(size_t index)
{
    static const struct {
        uint8_t writer, record;
        uint64_t time;
    } releases[] = {{0xb, 0x71, 0},  {0xb, 0x72, 50}, {0xb, 0x71, 60},
                    {0xb, 0x73, 70}, {0xb, 0x71, 80}, {0xc, 0x74, 50}};
    if (index == 0)
        (void)service_open(&service);
    else if (index < RELEASES_OPENING)
        (void)service_grant(&service, index == 1 ? &service_b : &service_c);
    else if (index == RELEASES_OPENING)
        (void)service_extend(&service, SERVICE_DEADLINE + 50);
    else if (index == RELEASES_OPENING + 1)
        (void)service_end(&service, &service_b, 3);
    else if (index == RELEASES_OPENING + 2)
        (void)service_end(&service, &service_c, 0);
    else if (index < RELEASES_RULES)
        (void)service_say(&service, &service_a, KIND_WITHDRAW,
                          &(struct case_record_withdraw){BYTES_NONE});
    else {
        struct node_id author = {{releases[index - RELEASES_RULES].writer}};
        struct record_id id = {{releases[index - RELEASES_RULES].record}};
        service.time.ms = SERVICE_DEADLINE + releases[index - RELEASES_RULES].time;
        (void)service_release(&service, &author, &id);
    }
}

/* As a node does: what is to be applied again is, if it is here. */
static void apply_one(const struct consult_record *records, bool *is_here, size_t index)
{
    struct consult_action actions[CONSULT_ACTION_COUNT_MAX];
    struct consult_situation situation = {.self = service_d};
    is_here[index] = true;
    situation.verdict = consult_apply(&other.consult, &records[index]);
    size_t count = consult_react(&other.consult, &situation, &records[index], actions);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; actions[i].kind == CONSULT_APPLY_AGAIN && j < RELEASES_COUNT; j++)
            if (is_here[j] && ID_EQUAL(records[j].writer, actions[i].node))
                (void)consult_apply(&other.consult, &records[j]);
}

/* `early` of the releases come before what rules upon them, the others after; from the last one to
 * the first, if so. */
static struct bytes releases_seen(const struct consult_record *records, size_t rule_count,
                                  size_t early, bool is_reversed)
{
    bool is_here[RELEASES_COUNT] = {false};
    const size_t release_count = RELEASES_COUNT - RELEASES_RULES;
    struct case_id case_id = service_case();
    memset(&other.consult, 0, sizeof other.consult);
    consult_init(&other.consult, &service_federation, &case_id);
    for (size_t i = 0; i < RELEASES_OPENING; i++)
        apply_one(records, is_here, i);
    for (size_t i = 0; i <= release_count; i++) {
        for (size_t j = RELEASES_OPENING; i == early && j < rule_count; j++)
            apply_one(records, is_here, j);
        if (i < release_count)
            apply_one(records, is_here, is_reversed ? RELEASES_COUNT - 1 - i : RELEASES_RULES + i);
    }
    return exported(&other.consult, 1);
}

/* C-66 */
static void the_same_releases_count_in_whatever_order_they_came(void **state)
{
    (void)state;
    static struct service desks[RELEASES_COUNT];
    struct consult_record records[RELEASES_COUNT];
    service_init(&service, ANNOUNCEMENT_INDEPENDENT_FIRST);
    for (size_t i = 0; i < RELEASES_COUNT; i++) {
        write_release(i);
        desks[i] = service;
        desks[i].statement.content.data = desks[i].content;
        records[i] = service.record;
        records[i].statement = &desks[i].statement;
    }
    for (size_t rules = RELEASES_OPENING; rules <= RELEASES_RULES; rules++) {
        struct bytes seen = releases_seen(records, rules, 0, false);
        memcpy(export_memory[0], seen.data, seen.size);
        struct bytes expected = {export_memory[0], seen.size};
        bool is_withdrawn = rules == RELEASES_RULES, is_ended = rules > RELEASES_OPENING + 2;
        assert_int_equal(other.consult.participants[0].released_count, is_withdrawn ? 0 : 2);
        assert_int_equal(other.consult.participants[1].released_count, is_ended ? 0 : 1);
        for (size_t early = 0; early <= RELEASES_COUNT - RELEASES_RULES; early++)
            for (int reversed = 0; reversed < 2; reversed++)
                assert_true(
                    bytes_equal(expected, releases_seen(records, rules, early, reversed == 1)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_author_releases_its_own_after_the_deadline),
        cmocka_unit_test(the_same_releases_count_in_whatever_order_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
