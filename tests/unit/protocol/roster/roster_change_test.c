/* What may follow what, from one head to the next: each rule of spec/roster.md for a change broken
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/roster_pair.h"

/* Changes hospital 2 and tries the head. */
static void change_and_expect(struct pair *p, void (*change)(struct member *), err wanted)
{
    struct member member;
    const struct roster_entry *entry =
        roster_find(&p->society.roster, &(struct node_id){{0, 2, 0x11}});
    roster_member(&p->society.roster, entry, &member);
    change(&member);
    p->society.draft.size = 0;
    federation_put_member(&p->society, &member);
    /* roster_draft judges by the same rules as roster_fill */
    assert_int_equal(federation_draft(&p->society), wanted);
    if (wanted == OK) {
        assert_int_equal(hand_over(p), OK);
        assert_int_equal(federation_take(&p->society), OK);
    }
}

static void add_board(struct member *m)
{
    m->boards[1] = (struct member_board){bytes_of_text("oncology"), 2};
    m->board_count = 2;
}

static void add_board_set_back(struct member *m)
{
    add_board(m);
    m->boards[1].since_epoch = 1;
}

static void add_board_ahead(struct member *m)
{
    add_board(m);
    m->boards[1].since_epoch = 3;
}

static void suspend(struct member *m)
{
    m->state = MEMBER_SUSPENDED;
    m->state_since_epoch = 2;
}

static void suspend_set_back(struct member *m)
{
    m->state = MEMBER_SUSPENDED;
}

static void reinstate(struct member *m)
{
    m->state = MEMBER_ADMITTED;
    m->state_since_epoch = 3;
    for (uint32_t i = 0; i < m->board_count; i++)
        m->boards[i].since_epoch = 3;
}

static void take_keys_of_another(struct member *m)
{
    m->sign_key = federation_member(3, 1).sign_key;
    m->keys_since_epoch = 2;
}

static void take_transport_key_of_another(struct member *m)
{
    m->transport_key = federation_member(3, 1).transport_key;
    m->keys_since_epoch = 2;
}

static void new_keys(struct member *m)
{
    m->sign_key = federation_member(102, 1).sign_key;
    m->transport_key = federation_member(102, 1).transport_key;
    m->keys_since_epoch = 2;
}

static void new_keys_set_back(struct member *m)
{
    new_keys(m);
    m->keys_since_epoch = 1;
}

static void new_keys_falsely_signed(struct member *m)
{
    new_keys(m);
    m->keys_signed = true;
    m->keys_signature.bytes[0] = 9;
}

static void admit_earlier(struct member *m)
{
    m->admitted_epoch = 2;
    m->state_since_epoch = m->keys_since_epoch = m->boards[0].since_epoch = 2;
}

static void remove_with_unknown_successor(struct member *m)
{
    m->state = MEMBER_REMOVED;
    m->state_since_epoch = 2;
    m->successor = federation_node(77);
}

static void remove_with_successor(struct member *m)
{
    m->state = MEMBER_REMOVED;
    m->state_since_epoch = 2;
    m->successor = federation_node(4);
}

static void bring_back(struct member *m)
{
    reinstate(m);
    m->successor = (struct node_id){{0}};
}

static void other_successor(struct member *m)
{
    m->successor = federation_node(5);
}

static void dates_cannot_be_set_back(void **state)
{
    struct pair *p = *state;
    change_and_expect(p, add_board_set_back, ERR_MALFORMED);
    change_and_expect(p, add_board_ahead, ERR_MALFORMED);
    change_and_expect(p, suspend_set_back, ERR_MALFORMED);
    change_and_expect(p, new_keys_set_back, ERR_MALFORMED);
    change_and_expect(p, admit_earlier, ERR_MALFORMED);
    change_and_expect(p, add_board, OK);
}

static void a_suspended_member_comes_back_with_boards_dated_anew(void **state)
{
    struct pair *p = *state;
    change_and_expect(p, suspend, OK);
    enum transport_role role;
    struct transport_key key = federation_member(2, 1).transport_key;
    assert_false(transport_list_find(roster_transport_list(&p->node), &key, &role));
    change_and_expect(p, reinstate, OK);
    assert_true(transport_list_find(roster_transport_list(&p->node), &key, &role));
    assert_int_equal(role, TRANSPORT_MEMBER);
}

static void a_removed_member_stays_removed(void **state)
{
    struct pair *p = *state;
    change_and_expect(p, remove_with_unknown_successor, ERR_MALFORMED);
    change_and_expect(p, remove_with_successor, OK);
    change_and_expect(p, bring_back, ERR_MALFORMED);
    change_and_expect(p, other_successor, ERR_MALFORMED);
}

static void one_key_belongs_to_one_member(void **state)
{
    struct pair *p = *state;
    change_and_expect(p, take_keys_of_another, ERR_MALFORMED);
    change_and_expect(p, take_transport_key_of_another, ERR_MALFORMED);
}

static void a_key_change_is_proved_by_the_old_key_or_not_at_all(void **state)
{
    struct pair *p = *state;
    change_and_expect(p, new_keys_falsely_signed, ERR_MALFORMED);
    change_and_expect(p, new_keys, OK);
    assert_false(roster_find(&p->node, &(struct node_id){{0, 2, 0x11}})->keys_proved);

    struct member member;
    uint8_t message[MEMBER_KEYS_MESSAGE_SIZE], public_key[32], secret[64];
    roster_member(&p->society.roster, roster_at(&p->society.roster, 2), &member);
    federation_key(3, 2, public_key, secret);
    member.sign_key = federation_member(103, 1).sign_key;
    member.keys_since_epoch = 3;
    member.keys_signed = true;
    struct federation_id id = roster_federation(&p->society.roster);
    member_keys_message(&id, &member, message);
    hash_sign(CONTEXT_MEMBER_KEYS, (struct bytes){message, sizeof message}, secret,
              &member.keys_signature);
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
    assert_int_equal(hand_over(p), OK);
    assert_true(roster_at(&p->node, 2)->keys_proved);
}

static void a_snapshot_forgets_nobody(void **state)
{
    struct pair *p = *state;
    struct federation *f = &p->society;
    draft_admission(p);
    struct settings settings;
    federation_settings(&settings);
    f->draft.size = 0;
    federation_put_settings(f, &settings);
    for (uint32_t i = 1; i <= 4; i++) {
        struct member member = federation_member(i, 1);
        federation_put_member(f, &member);
    }
    f->delta.items = buffer_bytes(&f->draft);
    f->delta.base = (struct head_id){{0}};
    assert_refused(p, ERR_MALFORMED);
}

static void items_have_one_order(void **state)
{
    struct pair *p = *state;
    struct federation *f = &p->society;
    struct member six = federation_member(6, 2), seven = federation_member(7, 2);
    federation_put_member(f, &seven);
    federation_put_member(f, &six);
    assert_int_equal(federation_draft(f), ERR_NOT_CANONICAL);
    f->draft.size = 0;
    federation_put_member(f, &six);
    federation_put_member(f, &six);
    assert_int_equal(federation_draft(f), ERR_NOT_CANONICAL);
    f->draft.size = 0;
    struct settings settings;
    federation_settings(&settings);
    federation_put_member(f, &six);
    federation_put_settings(f, &settings);
    assert_int_equal(federation_draft(f), ERR_NOT_CANONICAL);
}

static void a_cut_is_for_good(void **state)
{
    struct pair *p = *state;
    struct federation *f = &p->society;
    struct cut found;
    struct cut cut = {
        .stream = {scope_federation(), federation_node(2), 1}, .sequence = 7, .record = {{1}}};
    federation_put_cut(f, &cut);
    assert_int_equal(federation_draft(f), OK);
    assert_int_equal(hand_over(p), OK);
    assert_int_equal(federation_take(f), OK);
    assert_true(roster_cut(&p->node, &cut.stream, &found));
    assert_int_equal(found.sequence, 7);

    cut.sequence = 9;
    federation_put_cut(f, &cut);
    assert_int_equal(federation_draft(f), ERR_MALFORMED);
    f->draft.size = 0;
    cut.stream.generation = 2;
    federation_put_cut(f, &cut);
    assert_int_equal(federation_draft(f), OK);
    assert_int_equal(hand_over(p), OK);
    assert_int_equal(cuts_count(roster_cuts(&p->node)), 2);
    cut.stream.generation = 3;
    assert_false(roster_cut(&p->node, &cut.stream, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(dates_cannot_be_set_back),
        WITH_PAIR(a_suspended_member_comes_back_with_boards_dated_anew),
        WITH_PAIR(a_removed_member_stays_removed),
        WITH_PAIR(one_key_belongs_to_one_member),
        WITH_PAIR(a_key_change_is_proved_by_the_old_key_or_not_at_all),
        WITH_PAIR(a_snapshot_forgets_nobody),
        WITH_PAIR(items_have_one_order),
        WITH_PAIR(a_cut_is_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
