/* A head counts once enough officers of the one before signed it and its content reproduces its
 * roots; else the roster stays as it was. Each rule of spec/roster.md broken once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/roster/roster_snapshot.h"
#include "tests/harness/roster_pair.h"

/* ---- signatures ---- */

static void takes_a_head_signed_by_k_officers(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    federation_sign(&p->society, 2 | 4);
    assert_int_equal(hand_over(p), OK);
    assert_int_equal(roster_count(&p->node), 6);
    assert_int_equal(roster_current_head(&p->node)->epoch, 2);
}

static void two_sets_of_signers_make_one_head(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    federation_sign(&p->society, 1 | 2);
    assert_int_equal(hand_over(p), OK);
    federation_sign(&p->society, 2 | 4);
    assert_refused(p, ERR_DUPLICATE);
}

static void refuses_k_minus_one_signers(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    federation_sign(&p->society, 4);
    assert_refused(p, ERR_THRESHOLD);
}

static void refuses_a_wrong_signature_among_enough_good_ones(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    uint8_t other[32];
    federation_key(99, 1, other, p->society.secrets[2]);
    federation_sign(&p->society, 7);
    assert_refused(p, ERR_BAD_SIGNATURE);
}

static void refuses_an_officer_who_is_none(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    federation_officers(&p->society, 0, 4, 2);
    federation_sign(&p->society, 15);
    assert_refused(p, ERR_MALFORMED);
}

static void refuses_one_officer_counted_twice(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    struct roster_head_signed twice = {.body = {p->society.body, p->society.body_size},
                                       .signature_count = 2};
    roster_head_sign(twice.body, p->society.secrets[0], &twice.signatures[0].signature);
    twice.signatures[1] = twice.signatures[0];
    struct buffer all = buffer_over(p->society.signed_memory, HEAD_SIZE_MAX);
    roster_head_signed_write(&all, &twice);
    p->society.signed_head = buffer_bytes(&all);
    assert_refused(p, ERR_NOT_CANONICAL);
}

static void refuses_the_officers_that_the_head_itself_brings(void **state)
{
    struct pair *p = *state;
    struct federation *f = &p->society;
    federation_officers(f, 50, 3, 2);
    draft_admission(p);
    assert_refused(p, ERR_BAD_SIGNATURE);
}

static void new_officers_sign_from_the_next_head_on(void **state)
{
    struct pair *p = *state;
    struct federation *f = &p->society;
    struct officers old = f->officers;
    uint8_t secrets[OFFICER_COUNT_MAX][64];
    memcpy(secrets, f->secrets, sizeof secrets);
    assert_int_equal(federation_draft(f), OK);
    federation_officers(f, 50, 4, 3);
    f->head.officers = f->officers;
    federation_body(f);
    struct officers fresh = f->officers;
    uint8_t fresh_secrets[OFFICER_COUNT_MAX][64];
    memcpy(fresh_secrets, f->secrets, sizeof fresh_secrets);
    f->officers = old;
    memcpy(f->secrets, secrets, sizeof secrets);
    federation_sign(f, 3);
    assert_int_equal(hand_over(p), OK);
    assert_int_equal(federation_take(f), OK);

    draft_admission(p);
    assert_refused(p, ERR_THRESHOLD); /* two of the old: no officers any more */
    f->officers = fresh;
    memcpy(f->secrets, fresh_secrets, sizeof fresh_secrets);
    f->head.officers = fresh;
    federation_body(f);
    federation_sign(f, 1 | 4);
    assert_refused(p, ERR_THRESHOLD);
    federation_sign(f, 1 | 2 | 4);
    assert_int_equal(hand_over(p), OK);
}

static void a_federation_is_founded_by_all_its_officers(void **state)
{
    struct pair *p = *state;
    struct federation f;
    struct settings settings;
    federation_begin(&f, roster_plan_small());
    federation_settings(&settings);
    federation_put_settings(&f, &settings);
    assert_int_equal(federation_draft(&f), OK);
    federation_sign(&f, 3);
    assert_int_equal(federation_take(&f), ERR_THRESHOLD);
    assert_int_equal(f.roster.chain.count, 0);
    federation_sign(&f, 7);
    assert_int_equal(roster_apply(&f.roster, f.signed_head, &f.delta, f.now), OK);

    /* and it is another federation than the one that the node is in */
    assert_int_equal(roster_learn(&p->node, f.signed_head, f.now), ERR_BAD_HASH);
    federation_end(&f);
}

static void takes_only_the_founding_head_that_was_named(void **state)
{
    struct pair *p = *state;
    void *memory;
    struct federation_id other = {{1, 2, 3}};
    struct roster node =
        federation_roster(roster_plan_small(), federation_node(2), &other, &memory);
    assert_int_equal(roster_apply(&node, p->society.signed_head, &p->society.delta, p->society.now),
                     ERR_BAD_HASH);
    free(memory);
}

/* ---- order ---- */

static void refuses_a_gap_until_the_heads_between_came(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    assert_int_equal(federation_take(&p->society), OK);
    uint8_t head[HEAD_SIZE_MAX];
    size_t head_size = p->society.signed_head.size;
    memcpy(head, p->society.signed_head.data, head_size);

    struct member member = federation_member(7, 3);
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
    assert_refused(p, ERR_OUT_OF_ORDER);
    assert_int_equal(roster_learn(&p->node, (struct bytes){head, head_size}, p->society.now), OK);
    assert_true(roster_is_behind(&p->node));
    assert_int_equal(federation_take(&p->society), OK);
    assert_int_equal(roster_learn(&p->node, p->society.signed_head, p->society.now), OK);

    /* the content of both at once */
    uint8_t *memory = malloc(FEDERATION_ITEMS_SIZE);
    struct buffer items = buffer_over(memory, FEDERATION_ITEMS_SIZE);
    roster_snapshot_write(&p->society.roster, &items);
    assert_int_equal(items.size, roster_snapshot_size(&p->society.roster));
    struct delta snapshot = {.head = roster_current_id(&p->society.roster),
                             .items = buffer_bytes(&items)};
    assert_int_equal(roster_fill(&p->node, &snapshot), OK);
    assert_false(roster_is_behind(&p->node));
    assert_int_equal(roster_count(&p->node), 7);
    free(memory);
}

static void never_goes_back(void **state)
{
    struct pair *p = *state;
    uint8_t founding[HEAD_SIZE_MAX];
    size_t founding_size = p->society.signed_head.size;
    memcpy(founding, p->society.signed_head.data, founding_size);
    draft_admission(p);
    assert_int_equal(hand_over(p), OK);
    assert_int_equal(
        roster_learn(&p->node, (struct bytes){founding, founding_size}, p->society.now),
        ERR_DUPLICATE);
    assert_int_equal(roster_current_head(&p->node)->epoch, 2);
    assert_int_equal(chain_compare(&p->node.chain, 1, &p->node.chain.links[0].id),
                     CHAIN_PEER_BEHIND);
}

static void a_second_head_at_an_epoch_is_a_fork(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    assert_int_equal(hand_over(p), OK);
    p->society.draft.size = 0;
    struct member member = federation_member(7, 2);
    federation_put_member(&p->society, &member);
    assert_int_equal(federation_draft(&p->society), OK);
    assert_refused(p, ERR_FORKED);
    assert_int_equal(chain_compare(&p->node.chain, 2, &p->society.delta.head), CHAIN_SPLIT);

    /* an unsigned claim is no proof */
    federation_sign(&p->society, 1);
    assert_refused(p, ERR_THRESHOLD);

    /* what goes on from there does not continue ours */
    federation_sign(&p->society, 3);
    assert_int_equal(federation_take(&p->society), OK);
    struct member next = federation_member(8, 3);
    federation_put_member(&p->society, &next);
    assert_int_equal(federation_draft(&p->society), OK);
    assert_refused(p, ERR_OUT_OF_ORDER);
}

static void refuses_an_epoch_that_skips(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    p->society.head.epoch = 3;
    federation_body(&p->society);
    federation_sign(&p->society, 3);
    assert_refused(p, ERR_MALFORMED);
}

/* ---- content ---- */

static void refuses_content_that_does_not_reproduce_each_root(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    struct roster_head good = p->society.head;
    uint8_t *const roots[] = {
        p->society.head.members_root.bytes, p->society.head.settings_hash.bytes,
        p->society.head.transport_hash.bytes, p->society.head.cuts_hash.bytes};
    for (size_t i = 0; i < 5; i++) {
        p->society.head = good;
        if (i < 4)
            roots[i][7] ^= 1;
        else
            p->society.head.member_count++;
        federation_body(&p->society);
        federation_sign(&p->society, 3);
        assert_refused(p, ERR_BAD_HASH);
    }
}

static void refuses_a_delta_that_missing_or_adds_a_member(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    struct member member = federation_member(7, 2);
    federation_put_member(&p->society, &member);
    p->society.delta.items = buffer_bytes(&p->society.draft);
    assert_refused(p, ERR_BAD_HASH);
    p->society.delta.items = BYTES_NONE;
    assert_refused(p, ERR_BAD_HASH);
}

static void refuses_a_delta_from_elsewhere(void **state)
{
    struct pair *p = *state;
    draft_admission(p);
    p->society.delta.base.bytes[0] ^= 1;
    assert_refused(p, ERR_OUT_OF_ORDER);
}

static void expires_and_stays_readable(void **state)
{
    struct pair *p = *state;
    struct wall until = roster_current_head(&p->node)->valid_until;
    assert_false(roster_expired(&p->node, until));
    until.ms++;
    assert_true(roster_expired(&p->node, until));
    draft_admission(p);
    assert_int_equal(hand_over(p), OK);
    assert_non_null(roster_find(&p->node, &(struct node_id){{0, 1, 0x11}}));
}

static void a_full_roster_says_so_and_stays(void **state)
{
    struct pair *p = *state;
    struct roster_plan small = roster_plan_small();
    small.member_count = 5;
    void *memory;
    free(p->memory);
    p->node = federation_roster(small, federation_node(1), NULL, &p->memory);
    assert_int_equal(hand_over(p), OK);
    draft_admission(p);
    assert_refused(p, ERR_FULL);
    small.member_count = 64;
    small.member_bytes = 500;
    struct roster node = federation_roster(small, federation_node(1), NULL, &memory);
    struct federation f;
    federation_found(&f, roster_plan_small(), 5);
    assert_int_equal(roster_apply(&node, f.signed_head, &f.delta, f.now), ERR_FULL);
    federation_end(&f);
    free(memory);
}

/* ---- healing ---- */

/* Two halves that each admitted another hospital; then a head that names both. */
static void a_split_heals_from_both_sides_once_confirmed(void **state)
{
    struct pair *p = *state;
    struct federation *f = &p->society;
    struct settings settings;
    void *memory;
    struct roster other = federation_roster(roster_plan_small(), federation_node(2), NULL, &memory);
    assert_int_equal(roster_apply(&other, f->signed_head, &f->delta, f->now), OK);
    struct head_id common = roster_current_id(&other);

    draft_admission(p);
    assert_int_equal(hand_over(p), OK);
    f->draft.size = 0;
    struct member seven = federation_member(7, 2);
    federation_put_member(f, &seven);
    assert_int_equal(federation_draft(f), OK);
    struct head_id right = f->delta.head;
    assert_int_equal(roster_apply(&other, f->signed_head, &f->delta, f->now), OK);

    /* the healing head: a snapshot with both, dated anew where the halves differ */
    f->draft.size = 0;
    federation_settings(&settings);
    federation_put_settings(f, &settings);
    struct member six = federation_member(6, 3);
    for (uint32_t i = 1; i <= 5; i++) {
        struct member member = federation_member(i, 1);
        federation_put_member(f, &member);
    }
    seven = federation_member(7, 3);
    federation_put_member(f, &six);
    federation_put_member(f, &seven);
    struct roster_head content;
    struct roster_split split = {.common = common, .other = right, .other_epoch = 2};
    assert_int_equal(roster_draft_healing(&p->node, buffer_bytes(&f->draft), &split, &content), OK);
    assert_int_equal(content.epoch, 3);
    content.officers = f->officers;
    content.issued = f->now;
    content.valid_until.ms = f->now.ms + 1;
    f->head = content;
    federation_body(f);
    federation_sign(f, 3);
    f->delta.base = (struct head_id){{0}};
    f->delta.items = buffer_bytes(&f->draft);

    assert_refused(p, ERR_FORKED);
    assert_int_equal(roster_heal(&p->node, f->signed_head, &f->delta, f->now), OK);
    assert_int_equal(roster_heal(&other, f->signed_head, &f->delta, f->now), OK);
    struct head_id one = roster_current_id(&p->node), two = roster_current_id(&other);
    assert_true(ID_EQUAL(one, two));
    assert_int_equal(roster_count(&other), 7);
    assert_int_equal(roster_current_head(&other)->epoch, 3);

    /* a head that heals others is not for us */
    content.heals[0].bytes[0] = 0;
    content.heals[1] = (struct head_id){{0xff}};
    f->head = content;
    federation_body(f);
    federation_sign(f, 3);
    assert_int_equal(roster_heal(&p->node, f->signed_head, &f->delta, f->now), ERR_INVALID);
    free(memory);
}

/* ---- looking up ---- */

static void finds_by_each_of_its_names(void **state)
{
    struct pair *p = *state;
    for (uint32_t i = 1; i <= 5; i++) {
        struct member member = federation_member(i, 1);
        const struct roster_entry *entry = roster_find(&p->node, &member.node_id);
        assert_non_null(entry);
        assert_ptr_equal(roster_find_transport(&p->node, &member.transport_key), entry);
        assert_ptr_equal(roster_find_sign(&p->node, &member.sign_key), entry);
        assert_int_equal(roster_index(&p->node, entry), i - 1);
    }
    assert_null(roster_find(&p->node, &(struct node_id){{9}}));
    assert_null(roster_find_transport(&p->node, &(struct transport_key){{9}}));
    assert_null(roster_find_sign(&p->node, &(struct sign_key){{9}}));
    assert_non_null(roster_relay(&p->node, &(struct transport_key){{0xee}}));
    assert_null(roster_relay(&p->node, &(struct transport_key){{0xef}}));
    enum transport_role role;
    struct bytes list = roster_transport_list(&p->node);
    assert_int_equal(transport_list_count(list), 7);
    assert_true(transport_list_find(list, &(struct transport_key){{0xee}}, &role));
    assert_int_equal(role, TRANSPORT_RELAY);
    assert_true(transport_list_find(list, &(struct transport_key){{0x01}}, &role));
    assert_int_equal(role, TRANSPORT_PUBLISHER);
}

static void serves_its_tags_and_what_lies_below_them(void **state)
{
    struct pair *p = *state;
    struct federation_id id = roster_federation(&p->node);
    const struct roster_entry *entry = roster_at(&p->node, 0);
    struct scope wide = scope_board(&id, bytes_of_text("hematology"));
    struct scope below = scope_board(&id, bytes_of_text("hematology/bmt"));
    struct scope other = scope_board(&id, bytes_of_text("oncology"));
    struct scope unknown = scope_board(&id, bytes_of_text("hematology/car-t"));
    assert_true(roster_serves(&p->node, entry, &wide));
    assert_true(roster_serves(&p->node, entry, &below));
    assert_false(roster_serves(&p->node, entry, &other));
    assert_false(roster_serves(&p->node, entry, &unknown));
    assert_int_equal(roster_board_of_tag(&p->node, bytes_of_text("oncology")), 2);
}

static void a_snapshot_travels_in_parts(void **state)
{
    struct pair *p = *state;
    struct federation f;
    struct roster_plan plan = roster_plan_small();
    plan.member_count = 600;
    plan.member_bytes = 400000;
    federation_found(&f, plan, 500);
    uint8_t *memory = malloc(FEDERATION_ITEMS_SIZE);
    uint8_t part_memory[DELTA_PART_SIZE_MAX];
    struct head_id id = roster_current_id(&f.roster), none = {{0}};
    struct delta_assembly assembly;
    delta_assembly_begin(&assembly, &id, &none, memory, FEDERATION_ITEMS_SIZE);
    struct roster_cursor cursor = {.part = 0};
    bool last = false;
    while (!last) {
        struct delta_part part;
        struct buffer buffer = buffer_over(part_memory, sizeof part_memory);
        last = roster_snapshot_part(&f.roster, &cursor, &buffer);
        assert_false(buffer.failed);
        assert_int_equal(delta_part_read(buffer_bytes(&buffer), &part), OK);
        assert_int_equal(delta_assembly_add(&assembly, &part), OK);
        assert_int_equal(delta_assembly_add(&assembly, &part), ERR_OUT_OF_ORDER);
    }
    assert_true(assembly.index >= 2);
    struct delta whole = delta_assembly_delta(&assembly);

    /* the same items again through delta_part_write */
    size_t offset = 0;
    uint32_t index = 0;
    do {
        struct delta_part part;
        struct buffer buffer = buffer_over(part_memory, sizeof part_memory);
        last = delta_part_write(&whole, index, &offset, &buffer);
        assert_int_equal(delta_part_read(buffer_bytes(&buffer), &part), OK);
        assert_int_equal(part.index, index);
        index++;
    } while (!last);
    assert_int_equal(index, assembly.index);

    void *node_memory;
    struct roster node = federation_roster(plan, federation_node(3), NULL, &node_memory);
    assert_int_equal(roster_learn(&node, f.signed_head, f.now), OK);
    assert_int_equal(roster_fill(&node, &whole), OK);
    assert_int_equal(roster_count(&node), 500);
    (void)p;
    free(node_memory);
    free(memory);
    federation_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(takes_a_head_signed_by_k_officers),
        WITH_PAIR(two_sets_of_signers_make_one_head),
        WITH_PAIR(refuses_k_minus_one_signers),
        WITH_PAIR(refuses_a_wrong_signature_among_enough_good_ones),
        WITH_PAIR(refuses_an_officer_who_is_none),
        WITH_PAIR(refuses_one_officer_counted_twice),
        WITH_PAIR(refuses_the_officers_that_the_head_itself_brings),
        WITH_PAIR(new_officers_sign_from_the_next_head_on),
        WITH_PAIR(a_federation_is_founded_by_all_its_officers),
        WITH_PAIR(takes_only_the_founding_head_that_was_named),
        WITH_PAIR(refuses_a_gap_until_the_heads_between_came),
        WITH_PAIR(never_goes_back),
        WITH_PAIR(a_second_head_at_an_epoch_is_a_fork),
        WITH_PAIR(refuses_an_epoch_that_skips),
        WITH_PAIR(refuses_content_that_does_not_reproduce_each_root),
        WITH_PAIR(refuses_a_delta_that_missing_or_adds_a_member),
        WITH_PAIR(refuses_a_delta_from_elsewhere),
        WITH_PAIR(expires_and_stays_readable),
        WITH_PAIR(a_full_roster_says_so_and_stays),
        WITH_PAIR(a_split_heals_from_both_sides_once_confirmed),
        WITH_PAIR(finds_by_each_of_its_names),
        WITH_PAIR(serves_its_tags_and_what_lies_below_them),
        WITH_PAIR(a_snapshot_travels_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
