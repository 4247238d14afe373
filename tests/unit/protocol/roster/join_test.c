/* Joining by mail: a request that proves its key, an invitation that proves the roster, and a
 * federation of 5,000 members that founds, admits and hands itself on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/fingerprint.h"
#include "protocol/roster/inclusion.h"
#include "protocol/roster/invitation.h"
#include "protocol/roster/join.h"
#include "protocol/roster/roster_snapshot.h"
#include "tests/harness/federation.h"

static struct join_request request(uint8_t secret[static 64])
{
    struct join_request request = {
        .node_id = federation_node(40),
        .name = bytes_of_text("Universitätsklinikum Beispiel"),
        .country = {'A', 'T'},
        .transport_key = {{4}},
        .endpoint_count = 1,
        .endpoints = {bytes_of_text("tcp://beispiel.example.org:4400")},
        .tag_count = 2,
        .tags = {bytes_of_text("hematology/bmt"), bytes_of_text("oncology")},
        .time = {FEDERATION_START_MS},
    };
    federation_key(40, 2, request.sign_key.bytes, secret);
    return request;
}

static void a_request_proves_its_signing_key(void **state)
{
    (void)state;
    uint8_t secret[64], memory[JOIN_REQUEST_SIZE_MAX];
    struct join_request mine = request(secret), read;
    struct buffer all = buffer_over(memory, sizeof memory);
    assert_int_equal(join_write(&all, &mine, secret), OK);
    assert_int_equal(join_read(buffer_bytes(&all), &read), OK);
    assert_true(ID_EQUAL(read.node_id, mine.node_id));
    assert_int_equal(read.tag_count, 2);
    struct hash print = join_fingerprint(buffer_bytes(&all));

    for (size_t i = 0; i < all.size; i++) {
        memory[i] ^= 1;
        assert_int_not_equal(join_read(buffer_bytes(&all), &read), OK);
        memory[i] ^= 1;
    }
    for (size_t size = 0; size < all.size; size++)
        assert_int_not_equal(join_read((struct bytes){memory, size}, &read), OK);

    uint8_t other[64];
    struct sign_key ignored;
    federation_key(41, 2, ignored.bytes, other);
    all.size = 0;
    assert_int_equal(join_write(&all, &mine, other), OK);
    assert_int_equal(join_read(buffer_bytes(&all), &read), ERR_BAD_SIGNATURE);
    struct hash same = join_fingerprint(buffer_bytes(&all));
    assert_true(ID_EQUAL(print, same));
    mine.name = bytes_of_text("Another Hospital");
    all.size = 0;
    assert_int_equal(join_write(&all, &mine, secret), OK);
    struct hash differs = join_fingerprint(buffer_bytes(&all));
    assert_false(ID_EQUAL(print, differs));
    mine.country[0] = '1';
    assert_int_equal(join_write(&all, &mine, secret), ERR_INVALID);
}

static void a_proof_stands_for_one_member_at_one_head(void **state)
{
    (void)state;
    struct federation f;
    uint8_t memory[INCLUSION_SIZE_MAX];
    struct member member;
    federation_found(&f, roster_plan_small(), 7);
    struct node_id five = federation_node(5), nobody = federation_node(50);
    struct buffer proof = buffer_over(memory, sizeof memory);
    assert_int_equal(inclusion_write(&f.roster, &nobody, &proof), ERR_NOT_FOUND);
    assert_int_equal(inclusion_write(&f.roster, &five, &proof), OK);
    struct roster_head head = *roster_current_head(&f.roster);
    struct head_id id = roster_current_id(&f.roster), named;
    assert_int_equal(inclusion_check(buffer_bytes(&proof), &head, &id, &member), OK);
    assert_true(ID_EQUAL(member.node_id, five));
    assert_int_equal(inclusion_head(buffer_bytes(&proof), &named), OK);
    assert_true(ID_EQUAL(named, id));
    for (size_t i = 0; i < proof.size; i++) {
        memory[i] ^= 4;
        assert_int_not_equal(inclusion_check(buffer_bytes(&proof), &head, &id, &member), OK);
        memory[i] ^= 4;
    }
    head.member_count++;
    assert_int_equal(inclusion_check(buffer_bytes(&proof), &head, &id, &member), ERR_BAD_HASH);
    id.bytes[0] ^= 1;
    assert_int_equal(inclusion_check(buffer_bytes(&proof), &head, &id, &member), ERR_UNKNOWN_HEAD);
    federation_end(&f);
}

/* ---- 5,000 members ---- */

enum { LARGE = 5000 };

static struct roster_plan large_plan(void)
{
    struct roster_plan plan = roster_plan_small();
    plan.member_count = LARGE + 8;
    plan.member_bytes = 2 * 1024 * 1024;
    return plan;
}

static uint8_t *kept_head(const struct federation *f, struct bytes *ret_head)
{
    uint8_t *copy = malloc(f->signed_head.size);
    assert_non_null(copy);
    memcpy(copy, f->signed_head.data, f->signed_head.size);
    *ret_head = (struct bytes){copy, f->signed_head.size};
    return copy;
}

static void five_thousand_members_admit_one_more_who_verifies_them_all(void **state)
{
    (void)state;
    struct federation f;
    struct bytes heads[2];
    federation_found(&f, large_plan(), LARGE);
    uint8_t *founding = kept_head(&f, &heads[0]);
    assert_in_range(heads[0].size, 300, 1200);
    struct member joins = federation_member(LARGE + 1, 2);
    federation_put_member(&f, &joins);
    assert_int_equal(federation_draft(&f), OK);
    assert_int_equal(federation_take(&f), OK);
    uint8_t *admitting = kept_head(&f, &heads[1]);

    size_t size = roster_snapshot_size(&f.roster) + 4 * HEAD_SIZE_MAX;
    uint8_t *memory = malloc(size);
    assert_non_null(memory);
    struct buffer file = buffer_over(memory, size);
    struct federation_id id = roster_federation(&f.roster);
    invitation_begin(&file, &id, &joins.node_id, 2);
    invitation_add_head(&file, heads[0]);
    invitation_add_head(&file, heads[1]);
    invitation_end(&file, &f.roster);
    assert_false(file.failed);

    struct invitation invitation;
    void *node_memory;
    assert_int_equal(invitation_read(buffer_bytes(&file), &invitation), OK);
    struct roster node = federation_roster(large_plan(), joins.node_id, &id, &node_memory);
    assert_int_equal(invitation_accept(&invitation, &node, f.now), OK);
    assert_int_equal(roster_count(&node), LARGE + 1);
    assert_false(roster_is_behind(&node));

    /* one byte of one member altered, one head left out, another's invitation */
    uint8_t *last = memory + file.size - 1;
    *last ^= 1;
    struct roster_plan plan = large_plan();
    roster_init(&node, &plan, node_memory, &joins.node_id, &id);
    assert_int_not_equal(invitation_accept(&invitation, &node, f.now), OK);
    assert_true(roster_is_behind(&node));
    *last ^= 1;
    struct federation_id other = {{3}};
    roster_init(&node, &plan, node_memory, &joins.node_id, &other);
    assert_int_equal(invitation_accept(&invitation, &node, f.now), ERR_BAD_HASH);
    struct node_id nobody = {{0xff}};
    roster_init(&node, &plan, node_memory, &nobody, &id);
    invitation.node_id = nobody;
    assert_int_equal(invitation_accept(&invitation, &node, f.now), ERR_UNKNOWN_MEMBER);

    free(memory);
    free(node_memory);
    free(founding);
    free(admitting);
    federation_end(&f);
}

static void an_invitation_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct federation f;
    struct invitation invitation;
    federation_found(&f, roster_plan_small(), 2);
    size_t size = roster_snapshot_size(&f.roster) + 2 * HEAD_SIZE_MAX;
    uint8_t *memory = malloc(size);
    struct buffer file = buffer_over(memory, size);
    struct federation_id id = roster_federation(&f.roster);
    struct node_id one = federation_node(1), two = federation_node(2);
    invitation_begin(&file, &id, &one, 1);
    invitation_add_head(&file, f.signed_head);
    invitation_end(&file, &f.roster);
    for (size_t i = 0; i < file.size; i++)
        assert_int_not_equal(invitation_read((struct bytes){memory, i}, &invitation), OK);
    assert_int_equal(invitation_read(buffer_bytes(&file), &invitation), OK);
    struct hash first = invitation_fingerprint(&invitation);
    invitation.node_id = two;
    struct hash second = invitation_fingerprint(&invitation);
    assert_false(ID_EQUAL(first, second));
    memory[0] ^= 1;
    assert_int_equal(invitation_read(buffer_bytes(&file), &invitation), ERR_VERSION);
    free(memory);
    federation_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_proves_its_signing_key),
        cmocka_unit_test(a_proof_stands_for_one_member_at_one_head),
        cmocka_unit_test(an_invitation_is_read_whole_or_not_at_all),
        cmocka_unit_test(five_thousand_members_admit_one_more_who_verifies_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
