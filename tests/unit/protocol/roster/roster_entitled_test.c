/* Who may read: not before cooling-off is over, and never what is older than the admission. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/roster/roster_entitled.h"
#include "protocol/roster/roster_export.h"
#include "tests/harness/federation.h"

#define COOLING_MS (72 * FEDERATION_HOUR_MS)

struct pair {
    struct federation society;
    struct roster node; /* of hospital 1, a founder */
    void *memory;
    struct scope hematology, bmt, oncology;
};

static int founded(void **state)
{
    struct pair *p = malloc(sizeof *p);
    assert_non_null(p);
    federation_found(&p->society, roster_plan_small(), 5);
    p->node = federation_roster(roster_plan_small(), federation_node(1), NULL, &p->memory);
    assert_int_equal(
        roster_apply(&p->node, p->society.signed_head, &p->society.delta, p->society.now), OK);
    struct federation_id id = roster_federation(&p->node);
    p->hematology = scope_board(&id, bytes_of_text("hematology"));
    p->bmt = scope_board(&id, bytes_of_text("hematology/bmt"));
    p->oncology = scope_board(&id, bytes_of_text("oncology"));
    *state = p;
    return 0;
}

static int ended(void **state)
{
    struct pair *p = *state;
    federation_end(&p->society);
    free(p->memory);
    free(p);
    return 0;
}

/* Signs what was put, and both take it. Returns when. */
static struct wall pass(struct pair *p)
{
    assert_int_equal(federation_draft(&p->society), OK);
    assert_int_equal(
        roster_apply(&p->node, p->society.signed_head, &p->society.delta, p->society.now), OK);
    assert_int_equal(federation_take(&p->society), OK);
    return p->society.now;
}

static struct wall after(struct wall start, uint64_t ms)
{
    return (struct wall){start.ms + ms};
}

static uint64_t next_epoch(const struct pair *p)
{
    return roster_current_head(&p->node)->epoch + 1;
}

static struct member current(const struct pair *p, uint32_t number)
{
    struct member member;
    struct node_id id = federation_node(number);
    roster_member(&p->society.roster, roster_find(&p->society.roster, &id), &member);
    return member;
}

static err may(const struct pair *p, uint32_t number, struct wall now)
{
    struct node_id id = federation_node(number);
    return roster_entitled_member(&p->node, &id, now);
}

static err may_board(const struct pair *p, uint32_t number, const struct scope *board,
                     struct wall now)
{
    struct node_id id = federation_node(number);
    struct head_id head = roster_current_id(&p->node);
    return roster_entitled_board(&p->node, &id, board, &head, now);
}

static void who_came_with_us_is_entitled_at_once(void **state)
{
    struct pair *p = *state;
    assert_int_equal(may(p, 2, p->society.now), OK);
    assert_int_equal(may_board(p, 2, &p->hematology, p->society.now), OK);
    assert_int_equal(may_board(p, 2, &p->bmt, p->society.now), OK);
    assert_int_equal(may_board(p, 2, &p->oncology, p->society.now), ERR_NOT_ENTITLED);
    assert_int_equal(may(p, 9, p->society.now), ERR_UNKNOWN_MEMBER);
    assert_int_equal(roster_entitled_count(&p->node, &p->bmt, p->society.now), 4);
}

static void a_newcomer_waits_for_the_whole_cooling_off(void **state)
{
    struct pair *p = *state;
    struct member member = federation_member(6, 2);
    federation_put_member(&p->society, &member);
    struct wall came = pass(p);
    const struct roster_entry *entry = roster_find(&p->node, &member.node_id);
    assert_int_equal(may(p, 6, came), ERR_COOLING_OFF);
    assert_int_equal(may(p, 6, after(came, COOLING_MS - 1)), ERR_COOLING_OFF);
    assert_int_equal(roster_entitled_from(&p->node, entry, -1, came).ms, came.ms + COOLING_MS);
    assert_int_equal(may(p, 6, after(came, COOLING_MS)), OK);
    assert_int_equal(roster_entitled_from(&p->node, entry, -1, after(came, COOLING_MS)).ms, 0);
    assert_int_equal(roster_entitled_count(&p->node, &p->bmt, came), 4);
    assert_int_equal(roster_entitled_count(&p->node, &p->bmt, after(came, COOLING_MS)), 5);
}

static void cooling_off_counts_from_our_own_receipt(void **state)
{
    struct pair *p = *state;
    struct member member = federation_member(6, 2);
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
    struct wall late = after(p->society.now, 100 * COOLING_MS);
    assert_int_equal(roster_apply(&p->node, p->society.signed_head, &p->society.delta, late), OK);
    assert_int_equal(may(p, 6, after(late, COOLING_MS - 1)), ERR_COOLING_OFF);
    assert_int_equal(may(p, 6, after(late, COOLING_MS)), OK);
}

static void a_newcomer_sees_those_before_it_at_once_and_those_after_it_later(void **state)
{
    struct pair *p = *state;
    struct member six = federation_member(6, 2), seven = federation_member(7, 3);
    void *memory;
    struct federation_id id = roster_federation(&p->node);
    struct roster newcomer = federation_roster(roster_plan_small(), six.node_id, &id, &memory);
    for (uint32_t i = 0; i < p->node.chain.count; i++)
        assert_int_equal(
            roster_apply(&newcomer, p->society.signed_head, &p->society.delta, p->society.now), OK);
    federation_put_member(&p->society, &six);
    struct wall came = pass(p);
    assert_int_equal(roster_apply(&newcomer, p->society.signed_head, &p->society.delta, came), OK);
    federation_put_member(&p->society, &seven);
    came = pass(p);
    assert_int_equal(roster_apply(&newcomer, p->society.signed_head, &p->society.delta, came), OK);
    struct node_id two = federation_node(2);
    assert_int_equal(roster_entitled_member(&newcomer, &two, came), OK);
    assert_int_equal(roster_entitled_member(&newcomer, &six.node_id, came), OK);
    assert_int_equal(roster_entitled_member(&newcomer, &seven.node_id, came), ERR_COOLING_OFF);
    free(memory);
}

static void nobody_reads_what_is_older_than_the_admission(void **state)
{
    struct pair *p = *state;
    struct head_id old = roster_current_id(&p->node), unknown = {{1}};
    struct member member = federation_member(6, 2);
    federation_put_member(&p->society, &member);
    struct wall late = after(pass(p), 10 * COOLING_MS);
    assert_int_equal(roster_entitled_board(&p->node, &member.node_id, &p->bmt, &old, late),
                     ERR_NOT_ENTITLED);
    assert_int_equal(may_board(p, 6, &p->bmt, late), OK);
    assert_int_equal(roster_entitled_board(&p->node, &member.node_id, &p->bmt, &unknown, late),
                     ERR_UNKNOWN_HEAD);
}

static void an_added_board_waits_by_itself(void **state)
{
    struct pair *p = *state;
    struct member member = current(p, 2);
    member.boards[member.board_count++] = (struct member_board){bytes_of_text("oncology"), 2};
    federation_put_member(&p->society, &member);
    struct wall came = pass(p);
    assert_int_equal(may_board(p, 2, &p->hematology, came), OK);
    assert_int_equal(may_board(p, 2, &p->oncology, came), ERR_COOLING_OFF);
    assert_int_equal(may_board(p, 2, &p->oncology, after(came, COOLING_MS)), OK);
    assert_int_equal(may(p, 2, came), OK);
}

static void a_key_change_waits_unless_the_old_key_signed_it(void **state)
{
    struct pair *p = *state;
    uint8_t public_key[32], secret[64], message[MEMBER_KEYS_MESSAGE_SIZE];
    struct member two = current(p, 2), three = current(p, 3);
    two.sign_key = federation_member(102, 1).sign_key;
    two.keys_since_epoch = 2;
    three.sign_key = federation_member(103, 1).sign_key;
    three.keys_since_epoch = 2;
    three.keys_signed = true;
    struct federation_id id = roster_federation(&p->node);
    member_keys_message(&id, &three, message);
    federation_key(3, 2, public_key, secret);
    hash_sign(CONTEXT_MEMBER_KEYS, (struct bytes){message, sizeof message}, secret,
              &three.keys_signature);
    federation_put_member(&p->society, &two);
    federation_put_member(&p->society, &three);
    struct wall came = pass(p);
    assert_int_equal(may(p, 2, came), ERR_COOLING_OFF);
    assert_int_equal(may(p, 3, came), OK);
    assert_int_equal(may(p, 2, after(came, COOLING_MS)), OK);
}

static void a_reinstated_member_waits_and_the_time_between_stays_closed(void **state)
{
    struct pair *p = *state;
    struct head_id before = roster_current_id(&p->node);
    struct member member = current(p, 2);
    member.state = MEMBER_SUSPENDED;
    member.state_since_epoch = 2;
    federation_put_member(&p->society, &member);
    struct wall came = pass(p);
    assert_int_equal(may(p, 2, after(came, COOLING_MS)), ERR_UNKNOWN_MEMBER);
    member = current(p, 2);
    member.state = MEMBER_ADMITTED;
    member.state_since_epoch = member.boards[0].since_epoch = next_epoch(p);
    federation_put_member(&p->society, &member);
    came = pass(p);
    assert_int_equal(may_board(p, 2, &p->hematology, came), ERR_COOLING_OFF);
    came = after(came, COOLING_MS);
    assert_int_equal(may_board(p, 2, &p->hematology, came), OK);
    assert_int_equal(
        roster_entitled_board(&p->node, &member.node_id, &p->hematology, &before, came),
        ERR_NOT_ENTITLED);
}

static void lowering_the_cooling_off_lets_no_ghost_in(void **state)
{
    struct pair *p = *state;
    struct settings settings;
    federation_settings(&settings);
    settings.cooling_off_ms = 0;
    federation_put_settings(&p->society, &settings);
    struct wall lowered = pass(p);
    struct member ghost = federation_member(6, 3);
    federation_put_member(&p->society, &ghost);
    struct wall came = pass(p);
    assert_int_equal(may(p, 6, came), ERR_COOLING_OFF);
    assert_int_equal(may(p, 6, after(lowered, COOLING_MS - 1)), ERR_COOLING_OFF);
    assert_int_equal(may(p, 6, after(lowered, COOLING_MS)), OK);
}

static void a_node_that_is_behind_entitles_nobody(void **state)
{
    struct pair *p = *state;
    struct member member = federation_member(6, 2);
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
    assert_int_equal(roster_learn(&p->node, p->society.signed_head, p->society.now), OK);
    assert_int_equal(may(p, 2, p->society.now), ERR_UNKNOWN_HEAD);
    assert_int_equal(may_board(p, 2, &p->hematology, p->society.now), ERR_UNKNOWN_HEAD);
    assert_int_equal(roster_entitled_count(&p->node, &p->hematology, p->society.now), 0);
    assert_int_equal(roster_fill(&p->node, &p->society.delta), OK);
    assert_int_equal(may(p, 2, p->society.now), OK);
}

/* ---- kept and restored ---- */

static struct bytes exported(const struct roster *roster)
{
    size_t size = roster_export_size(roster);
    uint8_t *memory = malloc(size);
    assert_non_null(memory);
    struct buffer buffer = buffer_over(memory, size);
    roster_export_write(roster, &buffer);
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, size);
    return buffer_bytes(&buffer);
}

static void an_export_restores_everything_to_the_byte(void **state)
{
    struct pair *p = *state;
    a_key_change_waits_unless_the_old_key_signed_it(state);
    struct settings settings;
    federation_settings(&settings);
    settings.cooling_off_ms = 1;
    struct cut cut = {.stream = {scope_federation(), federation_node(4), 1}};
    federation_put_settings(&p->society, &settings);
    federation_put_cut(&p->society, &cut);
    struct wall came = pass(p);
    struct bytes first = exported(&p->node);

    void *memory;
    struct roster again = federation_roster(roster_plan_small(), federation_node(1), NULL, &memory);
    assert_int_equal(roster_export_read(&again, first), OK);
    struct bytes second = exported(&again);
    assert_true(bytes_equal(first, second));
    assert_false(roster_is_behind(&again));
    struct node_id two = federation_node(2), three = federation_node(3);
    assert_int_equal(roster_entitled_member(&again, &two, came), ERR_COOLING_OFF);
    assert_int_equal(roster_entitled_member(&again, &three, came), OK);

    /* and goes on */
    struct member member = federation_member(6, next_epoch(p));
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
    assert_int_equal(
        roster_apply(&again, p->society.signed_head, &p->society.delta, p->society.now), OK);
    free(memory);
    free((uint8_t *)(uintptr_t)first.data);
    free((uint8_t *)(uintptr_t)second.data);
}

static void an_altered_export_restores_nothing_or_what_it_says(void **state)
{
    struct pair *p = *state;
    struct bytes good = exported(&p->node);
    uint8_t *bad = malloc(good.size);
    void *memory;
    struct roster again = federation_roster(roster_plan_small(), federation_node(1), NULL, &memory);
    for (size_t size = 0; size < good.size; size += 7) {
        assert_int_not_equal(roster_export_read(&again, (struct bytes){good.data, size}), OK);
        assert_int_equal(again.chain.count, 0);
        assert_true(roster_is_behind(&again));
    }
    for (size_t at = 0; at < good.size; at += 3) {
        memcpy(bad, good.data, good.size);
        bad[at] ^= 0x40;
        /* dates of receipt are this node's own word; all else is covered by the roots */
        (void)(roster_export_read(&again, (struct bytes){bad, good.size}) == OK);
    }
    assert_int_equal(roster_export_read(&again, good), OK);
    struct roster_plan tiny = roster_plan_small();
    tiny.member_count = 2;
    void *tiny_memory;
    struct roster small = federation_roster(tiny, federation_node(1), NULL, &tiny_memory);
    assert_int_equal(roster_export_read(&small, good), ERR_FULL);
    struct federation_id other = {{1}};
    roster_init(&small, &tiny, tiny_memory, &p->node.self, &other);
    assert_int_equal(roster_export_read(&small, good), ERR_INVALID);
    free(tiny_memory);
    free(memory);
    free(bad);
    free((uint8_t *)(uintptr_t)good.data);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, founded, ended)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(who_came_with_us_is_entitled_at_once),
        WITH_PAIR(a_newcomer_waits_for_the_whole_cooling_off),
        WITH_PAIR(cooling_off_counts_from_our_own_receipt),
        WITH_PAIR(a_newcomer_sees_those_before_it_at_once_and_those_after_it_later),
        WITH_PAIR(nobody_reads_what_is_older_than_the_admission),
        WITH_PAIR(an_added_board_waits_by_itself),
        WITH_PAIR(a_key_change_waits_unless_the_old_key_signed_it),
        WITH_PAIR(a_reinstated_member_waits_and_the_time_between_stays_closed),
        WITH_PAIR(lowering_the_cooling_off_lets_no_ghost_in),
        WITH_PAIR(a_node_that_is_behind_entitles_nobody),
        WITH_PAIR(an_export_restores_everything_to_the_byte),
        WITH_PAIR(an_altered_export_restores_nothing_or_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
