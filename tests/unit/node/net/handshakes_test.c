/* Who is cut when too many connect and say nothing: never somebody else for the flood's sake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "node/net/handshakes.h"

enum {
    FLOOD_COUNT = 6000,
    MEMBER = 1 << 20, /* ids of the flood are below */
    DAY_MS = 86400 * 1000,
};

/* Numerical Recipes' generator: the same numbers in each run. */
static uint32_t chance_state;

static uint32_t random_value(void)
{
    chance_state = chance_state * 1664525u + 1013904223u;
    return chance_state >> 8;
}

static int enter(void **state)
{
    chance_state = 1;
    *state = handshakes_new();
    return *state == NULL;
}

static int leave(void **state)
{
    handshakes_free(*state);
    return 0;
}

static struct handshake_address v4(uint32_t number)
{
    struct handshake_address address = {.bytes = {[10] = 0xff, [11] = 0xff}};
    for (size_t i = 0; i < 4; i++)
        address.bytes[12 + i] = (uint8_t)(number >> (24 - 8 * i));
    return address;
}

/* 2001:db8:NETWORK:SUBNET::HOST */
static struct handshake_address v6(uint16_t network, uint16_t subnet, uint32_t host)
{
    struct handshake_address address = {.bytes = {0x20, 0x01, 0x0d, 0xb8}};
    address.bytes[4] = (uint8_t)(network >> 8);
    address.bytes[5] = (uint8_t)network;
    address.bytes[6] = (uint8_t)(subnet >> 8);
    address.bytes[7] = (uint8_t)subnet;
    for (size_t i = 0; i < 4; i++)
        address.bytes[12 + i] = (uint8_t)(host >> (24 - 8 * i));
    return address;
}

static int begin(struct handshakes *table, int id, struct handshake_address from)
{
    return handshakes_begin(table, id, &from, 0, random_value());
}

static void know(struct handshakes *table, struct handshake_address from, uint64_t at_ms)
{
    handshakes_know(table, &from, at_ms);
}

static void one_source_has_its_bound_and_no_more(void **state)
{
    struct handshakes *table = *state;
    for (int i = 0; i < HANDSHAKE_EACH_COUNT_MAX; i++)
        assert_int_equal(begin(table, i, v4(0x0a000001)), -1);
    for (int i = HANDSHAKE_EACH_COUNT_MAX; i < 1000; i++) {
        int cut = begin(table, i, v4(0x0a000001));
        assert_true(cut >= 0 && cut <= i);
        assert_int_equal(handshakes_count(table), HANDSHAKE_EACH_COUNT_MAX);
    }
    assert_int_equal(begin(table, 1000, v4(0x0a000002)), -1); /* another has its own */
}

static void an_ipv6_source_is_a_64(void **state)
{
    struct handshakes *table = *state;
    for (int i = 0; i < 1000; i++)
        (void)begin(table, i, v6(1, 1, (uint32_t)i));
    assert_int_equal(handshakes_count(table), HANDSHAKE_EACH_COUNT_MAX);
    assert_int_equal(begin(table, 1000, v6(1, 2, 0)), -1);
}

/* A member's one handshake stays, whatever comes from `at(number)` for many numbers. */
static void member_stays(struct handshakes *table, struct handshake_address member,
                         struct handshake_address (*at)(uint32_t number))
{
    assert_int_equal(begin(table, MEMBER, member), -1);
    for (int i = 0; i < FLOOD_COUNT; i++)
        assert_int_not_equal(begin(table, i, at((uint32_t)i)), MEMBER);
    assert_int_not_equal(begin(table, MEMBER + 1, member), MEMBER + 1); /* nor is it alone */
}

static struct handshake_address one_host(uint32_t number)
{
    (void)number;
    return v4(0x0a000001);
}

static struct handshake_address one_network(uint32_t number)
{
    return v4(0x0a000000 + number % 256);
}

static struct handshake_address networks_64(uint32_t number)
{
    return v4(0x0a000001 + (number % 64 << 8));
}

static struct handshake_address networks_500(uint32_t number)
{
    return v4(0x0a000001 + (number % 500 << 8));
}

static struct handshake_address one_48(uint32_t number)
{
    return v6(1, (uint16_t)number, number);
}

static void no_flood_of_fewer_networks_than_places_cuts_another(void **state)
{
    (void)state;
    struct handshake_address (*const floods[])(uint32_t) = {one_host, one_network, networks_64,
                                                            networks_500, one_48};
    for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++) {
        struct handshakes *four = handshakes_new(), *six = handshakes_new();
        assert_true(four != NULL && six != NULL);
        member_stays(four, v4(0xc0a80001), floods[i]);
        member_stays(six, v6(2, 1, 1), floods[i]);
        handshakes_free(four);
        handshakes_free(six);
    }
}

/* 10.0.0.1 with many, and 10.0.1.1 to 10.0.64.1 so that the table is full. */
static void in_a_network_the_source_with_the_most_loses(void **state)
{
    struct handshakes *table = *state;
    assert_int_equal(begin(table, MEMBER, v4(0x0a000002)), -1);
    for (int i = 0; i < FLOOD_COUNT; i++) {
        struct handshake_address from =
            i % 2 == 0 ? v4(0x0a000001) : v4(0x0a000001 + ((uint32_t)(1 + i / 2 % 64) << 8));
        assert_int_not_equal(begin(table, i, from), MEMBER);
    }
    assert_int_equal(handshakes_count(table), HANDSHAKE_COUNT_MAX);
}

/* Where one source holds all its places, a newcomer from it stays by chance, and not for certain.
 */
static void behind_the_floods_own_address_chance_decides(void **state)
{
    struct handshakes *table = *state;
    unsigned stayed = 0;
    for (unsigned round = 0; round < 200; round++) {
        bool is_there = begin(table, MEMBER, v4(0x0a000001)) != MEMBER;
        for (int i = 0; i < 64; i++)
            is_there = begin(table, i + 64 * (int)round, v4(0x0a000001)) != MEMBER && is_there;
        stayed += is_there;
        handshakes_end(table, MEMBER);
    }
    assert_in_range(stayed, 40, 110); /* (64/65)^65 of 200 are 73 */
}

static void a_known_source_keeps_its_places_from_any_flood(void **state)
{
    struct handshakes *table = *state;
    know(table, v4(0xc0a80001), 0);
    for (int i = 0; i < FLOOD_COUNT; i++) /* a network each: nobody has more than another */
        (void)begin(table, i, v4((uint32_t)i << 8));
    unsigned strangers_cut = 0;
    for (int i = 0; i < HANDSHAKE_KEPT_EACH_COUNT; i++)
        assert_true(begin(table, MEMBER + i, v4(0xc0a80001)) < MEMBER);
    (void)begin(table, MEMBER + 100, v4(0xc0a90001)); /* one that is not known */
    for (int i = 0; i < FLOOD_COUNT; i++) {
        int cut = begin(table, i + FLOOD_COUNT, v4((uint32_t)i << 8));
        assert_true(cut < MEMBER || cut == MEMBER + 100);
        strangers_cut += cut == MEMBER + 100;
    }
    assert_int_equal(strangers_cut, 1);
    assert_int_equal(handshakes_count(table), HANDSHAKE_COUNT_MAX);
}

/* A flood from where a member is: a few places more than another has, and no more. */
static void a_known_source_that_floods_gains_little(void **state)
{
    struct handshakes *table = *state;
    know(table, v4(0x0a000001), 0);
    member_stays(table, v4(0xc0a80001), one_host);
    assert_int_equal(handshakes_count(table), HANDSHAKE_EACH_COUNT_MAX + 2);
}

static void not_more_than_half_of_the_places_are_kept(void **state)
{
    struct handshakes *table = *state;
    for (uint32_t i = 0; i < 2 * HANDSHAKE_COUNT_MAX; i++)
        know(table, v4(i << 8), 0);
    for (int i = 0; i < HANDSHAKE_COUNT_MAX; i++)
        assert_int_equal(begin(table, i, v4((uint32_t)i << 8)), -1);
    for (int i = HANDSHAKE_COUNT_MAX; i < 2 * HANDSHAKE_COUNT_MAX; i++)
        assert_true(begin(table, i, v4((uint32_t)i << 8)) >= HANDSHAKE_COUNT_MAX / 2);
    assert_int_equal(handshakes_count(table), HANDSHAKE_COUNT_MAX);
}

/* Whether a connection of 192.168.0.1 survives a flood of as many networks as there are places. */
static bool is_kept_at(struct handshakes *table, uint64_t now_ms)
{
    struct handshake_address member = v4(0xc0a80001);
    bool is_there = handshakes_begin(table, MEMBER, &member, now_ms, random_value()) != MEMBER;
    for (int i = 0; i < FLOOD_COUNT; i++)
        is_there = begin(table, i, v4((uint32_t)i << 8)) != MEMBER && is_there;
    handshakes_end(table, MEMBER);
    return is_there;
}

static void a_source_is_known_for_a_day(void **state)
{
    struct handshakes *table = *state;
    assert_false(is_kept_at(table, 0));
    know(table, v4(0xc0a80001), 1000);
    assert_true(is_kept_at(table, 1000 + DAY_MS - 1));
    assert_false(is_kept_at(table, 1000 + DAY_MS));
    know(table, v4(0xc0a80001), 2000);
    assert_true(is_kept_at(table, 1000 + DAY_MS));
}

/* More members than places for them: the table forgets some, and goes on. */
static void of_too_many_known_the_latest_stay(void **state)
{
    struct handshakes *table = *state;
    for (uint32_t i = 0; i < 4 * HANDSHAKE_KNOWN_COUNT; i++)
        know(table, v4(0x0a000000 + i), i);
    know(table, v4(0xc0a80001), 4 * HANDSHAKE_KNOWN_COUNT);
    assert_true(is_kept_at(table, 4 * HANDSHAKE_KNOWN_COUNT));
}

static void who_takes_too_long_is_named(void **state)
{
    struct handshakes *table = *state;
    struct handshake_address from = v4(1);
    assert_int_equal(handshakes_overdue(table, 100), -1);
    assert_int_equal(handshakes_begin(table, 7, &from, 50, 0), -1);
    assert_int_equal(handshakes_begin(table, 8, &from, 60, 0), -1);
    assert_int_equal(handshakes_overdue(table, 49), -1);
    assert_int_equal(handshakes_overdue(table, 50), 7);
    handshakes_end(table, 7);
    handshakes_end(table, 7);
    assert_int_equal(handshakes_overdue(table, 59), -1);
    assert_int_equal(handshakes_begin(table, 8, &from, 70, 0), -1); /* the descriptor came again */
    assert_int_equal(handshakes_overdue(table, 60), -1);
    assert_int_equal(handshakes_count(table), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_source_has_its_bound_and_no_more, enter, leave),
        cmocka_unit_test_setup_teardown(an_ipv6_source_is_a_64, enter, leave),
        cmocka_unit_test(no_flood_of_fewer_networks_than_places_cuts_another),
        cmocka_unit_test_setup_teardown(in_a_network_the_source_with_the_most_loses, enter, leave),
        cmocka_unit_test_setup_teardown(behind_the_floods_own_address_chance_decides, enter, leave),
        cmocka_unit_test_setup_teardown(a_known_source_keeps_its_places_from_any_flood, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(a_known_source_that_floods_gains_little, enter, leave),
        cmocka_unit_test_setup_teardown(not_more_than_half_of_the_places_are_kept, enter, leave),
        cmocka_unit_test_setup_teardown(a_source_is_known_for_a_day, enter, leave),
        cmocka_unit_test_setup_teardown(of_too_many_known_the_latest_stay, enter, leave),
        cmocka_unit_test_setup_teardown(who_takes_too_long_is_named, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
