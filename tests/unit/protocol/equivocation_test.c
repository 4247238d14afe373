/* Who says two things at one position is not heard any more, in any stream, until the officers
 * decide; and what was proved once stays proved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/core/core_state.h"
#include "protocol/core/equivocation.h"
#include "protocol/record/certificate.h"
#include "protocol/record/witness.h"
#include "tests/unit/protocol/ward.h"

static int given_three_hospitals(void **state)
{
    struct ward *ward = ward_new(4);
    ward_meet(ward, 2);
    ward_meet(ward, 3);
    *state = ward;
    return 0;
}

static int then_it_ends(void **state)
{
    ward_free(*state);
    return 0;
}

#define IN_WARD(test) cmocka_unit_test_setup_teardown(test, given_three_hospitals, then_it_ends)

static struct scope board_of(struct ward *ward)
{
    struct federation_id federation = roster_federation(&ward->roster);
    return scope_board(&federation, bytes_of_text("hematology"));
}

static struct bytes body_of(uint16_t kind, struct bytes content)
{
    static uint8_t memory[8192];
    struct buffer body = buffer_over(memory, sizeof memory);
    struct statement statement = {.kind = kind, .content = content};
    assert_int_equal(OK, statement_write(&statement, &body));
    return buffer_bytes(&body);
}

/* Hospital 2 says one thing here, and another to hospital 3, which passes it on. */
static void hospital_2_equivocates(struct ward *ward)
{
    struct ward_pen one = ward_pen(ward, 2, board_of(ward), AUDIENCE_SCOPE), other = one;
    ward_say(ward, &one, ward_words(1), 2);
    ward_say(ward, &other, ward_words(2), 3);
    assert_int_equal(1, ward->forked_count);
}

/* The officers change hospital 2. */
static void officers_decide(struct ward *ward, enum member_state state)
{
    uint64_t epoch = roster_current_head(&ward->roster)->epoch + 1;
    struct member member = federation_member(2, 1);
    member.state = state;
    member.state_since_epoch = epoch;
    if (state == MEMBER_ADMITTED)
        member.boards[0].since_epoch = epoch;
    federation_put_member(&ward->society, &member);
    ward_head(ward);
}

static void who_says_two_things_is_not_heard_in_any_stream(void **state)
{
    struct ward *ward = *state;
    struct ward_pen news = ward_pen(ward, 2, scope_federation(), AUDIENCE_CLEAR);
    struct ward_pen letter =
        ward_pen(ward, 2, scope_mail(&(struct node_id){{0, 1, 0x11}}), AUDIENCE_SCOPE);
    struct ward_pen others = ward_pen(ward, 3, board_of(ward), AUDIENCE_SCOPE);
    ward_say(ward, &news, ward_words(1), 2);
    assert_int_equal(1, ward_tail(ward, &news));
    hospital_2_equivocates(ward);
    struct node_id two = federation_node(2), three = federation_node(3);
    assert_true(core_is_frozen(ward->core, &two));
    ward_say(ward, &news, ward_words(2), 2);
    ward_say(ward, &letter, ward_words(1), 2);
    assert_int_equal(1, ward_tail(ward, &news));
    assert_int_equal(0, ward_tail(ward, &letter));
    ward_say(ward, &others, ward_words(1), 2); /* it may still pass on what others wrote */
    assert_int_equal(1, ward_tail(ward, &others));
    assert_false(core_is_frozen(ward->core, &three));
}

static void it_is_heard_again_when_the_officers_took_it_back_and_that_stream_is_not(void **state)
{
    struct ward *ward = *state;
    struct node_id two = federation_node(2);
    hospital_2_equivocates(ward);
    officers_decide(ward, MEMBER_SUSPENDED);
    officers_decide(ward, MEMBER_ADMITTED);
    assert_false(core_is_frozen(ward->core, &two));
    ward_meet(ward, 2);
    struct ward_pen news = ward_pen(ward, 2, scope_federation(), AUDIENCE_CLEAR);
    struct ward_pen forked = ward_pen(ward, 2, board_of(ward), AUDIENCE_SCOPE);
    forked.header.sequence = 2;
    ward_say(ward, &news, ward_words(1), 2);
    ward_say(ward, &forked, ward_words(1), 2);
    assert_int_equal(1, ward_tail(ward, &news));
    assert_int_equal(1, ward_tail(ward, &forked));
}

static void what_is_being_checked_when_it_comes_out_is_not_kept(void **state)
{
    struct ward *ward = *state;
    static uint8_t memory[FRAME_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct ward_pen news = ward_pen(ward, 2, scope_federation(), AUDIENCE_CLEAR);
    struct event event = ward_event(ward, EVENT_FRAME);
    event.link.value = 2;
    event.frame = ward_write_frame(&news, ward_words(1), &frame);
    core_step(ward->core, &event, &ward->step);
    size_t i = 0;
    while (ward->step.effects[i].kind != EFFECT_CHECK)
        i++;
    ward_perform(ward, &ward->step.effects[i]);
    struct ward_pending late = ward->pending[0];
    ward->pending_count = 0;
    hospital_2_equivocates(ward);
    ward_give(ward, &late.event);
    assert_int_equal(0, ward_tail(ward, &news));
    free(late.memory);
    free(late.runs);
    free(late.records);
}

static struct bytes proof_in(const struct ward_pen *pen, uint8_t signer, struct buffer *content)
{
    static uint8_t memory[2][RECORD_SIZE_MAX];
    struct witness_fork_proof proof;
    struct bytes *headers[] = {&proof.header_a, &proof.header_b};
    struct signature *signatures[] = {&proof.signature_a, &proof.signature_b};
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t public_key[32], secret[64];
        federation_key(signer, 2, public_key, secret);
        struct record_secrets secrets = {.sign_secret = secret, .key = {{i}}};
        struct buffer out = buffer_over(memory[i], sizeof memory[i]);
        struct record_id id;
        assert_int_equal(OK, record_seal(&pen->header, ward_words(i), &secrets, &out, &id));
        *headers[i] = (struct bytes){memory[i], RECORD_HEADER_SIZE};
        memcpy(signatures[i]->bytes, memory[i] + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    }
    assert_int_equal(OK, witness_fork_proof_write(&proof, content));
    return buffer_bytes(content);
}

static struct bytes proof_of(struct ward *ward, uint8_t about, uint8_t signer,
                             struct buffer *content)
{
    struct ward_pen pen =
        ward_pen(ward, about, scope_mail(&(struct node_id){{0, 9, 0x11}}), AUDIENCE_SCOPE);
    return proof_in(&pen, signer, content);
}

/* Its own streams are many, and so are the heads that it can make up. */
static void
who_says_two_things_under_a_head_that_nobody_knows_is_frozen_and_fills_no_table(void **state)
{
    struct ward *ward = *state;
    uint8_t memory[2048];
    struct node_id two = federation_node(2), three = federation_node(3);
    struct ward_pen other = ward_pen(ward, 3, scope_federation(), AUDIENCE_CLEAR);
    for (unsigned i = 0; i < 2 * (unsigned)FORK_COUNT_MAX; i++) {
        struct buffer content = buffer_over(memory, sizeof memory);
        struct node_id nobody = {{0, 9, (uint8_t)i, (uint8_t)(i >> 8)}};
        struct ward_pen pen = ward_pen(ward, 2, scope_mail(&nobody), AUDIENCE_SCOPE);
        memset(&pen.header.head, 0x5a, sizeof pen.header.head);
        step_begin(&ward->step);
        equivocation_proved(ward->core, proof_in(&pen, 2, &content), &ward->step);
    }
    assert_true(core_is_frozen(ward->core, &two));
    struct buffer content = buffer_over(memory, sizeof memory);
    ward_say(ward, &other, body_of(KIND_FORK_PROOF, proof_of(ward, 3, 3, &content)), 3);
    assert_true(core_is_frozen(ward->core, &three));
}

/* The officers decided about what was proved before, and it makes more of the kind. */
static void who_was_taken_back_fills_no_table_with_older_forks(void **state)
{
    struct ward *ward = *state;
    uint8_t memory[2048];
    struct node_id two = federation_node(2), three = federation_node(3);
    struct head_id old = roster_current_id(&ward->roster);
    officers_decide(ward, MEMBER_SUSPENDED);
    officers_decide(ward, MEMBER_ADMITTED);
    ward_meet(ward, 2);
    struct ward_pen other = ward_pen(ward, 3, scope_federation(), AUDIENCE_CLEAR);
    for (unsigned i = 0; i < 2 * (unsigned)FORK_COUNT_MAX; i++) {
        struct buffer content = buffer_over(memory, sizeof memory);
        struct node_id nobody = {{0, 9, (uint8_t)i, (uint8_t)(i >> 8)}};
        struct ward_pen pen = ward_pen(ward, 2, scope_mail(&nobody), AUDIENCE_SCOPE);
        pen.header.head = old;
        step_begin(&ward->step);
        equivocation_proved(ward->core, proof_in(&pen, 2, &content), &ward->step);
    }
    assert_false(core_is_frozen(ward->core, &two));
    struct buffer content = buffer_over(memory, sizeof memory);
    ward_say(ward, &other, body_of(KIND_FORK_PROOF, proof_of(ward, 3, 3, &content)), 3);
    assert_true(core_is_frozen(ward->core, &three));
    /* and what it says twice under a head of today still counts */
    content = buffer_over(memory, sizeof memory);
    step_begin(&ward->step);
    equivocation_proved(ward->core, proof_of(ward, 2, 2, &content), &ward->step);
    assert_true(core_is_frozen(ward->core, &two));
}

/* The stream is one that this node has no part in. */
static void a_proof_that_another_saw_freezes_the_writer_here_too(void **state)
{
    struct ward *ward = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id two = federation_node(2);
    struct ward_pen witness = ward_pen(ward, 3, scope_federation(), AUDIENCE_CLEAR);
    ward_say(ward, &witness, body_of(KIND_FORK_PROOF, proof_of(ward, 2, 4, &content)), 3);
    assert_false(core_is_frozen(ward->core, &two)); /* somebody else signed it */
    content = buffer_over(memory, sizeof memory);
    ward_say(ward, &witness, body_of(KIND_FORK_PROOF, proof_of(ward, 2, 2, &content)), 3);
    assert_true(core_is_frozen(ward->core, &two));
    assert_int_equal(0, ward->forked_count); /* one proof is enough */
}

/* Its store was put back from a backup, say. */
static void who_equivocated_itself_writes_nothing_more(void **state)
{
    struct ward *ward = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct ward_pen witness = ward_pen(ward, 3, scope_federation(), AUDIENCE_CLEAR);
    assert_int_equal(OK, ward_post(ward, scope_federation(), AUDIENCE_CLEAR, ward_words(1)));
    ward_say(ward, &witness, body_of(KIND_FORK_PROOF, proof_of(ward, 1, 1, &content)), 3);
    assert_int_equal(ERR_FORKED,
                     ward_post(ward, scope_federation(), AUDIENCE_CLEAR, ward_words(2)));
}

/* Hospital 2 gets a new key; its signatures under the old one cannot be checked any more. */
static void officers_change_its_key(struct ward *ward)
{
    uint8_t secret[64];
    struct member member = federation_member(2, 1);
    federation_key(2, 8, member.sign_key.bytes, secret);
    member.keys_since_epoch = roster_current_head(&ward->roster)->epoch + 1;
    federation_put_member(&ward->society, &member);
    ward_head(ward);
}

static void a_proof_outlives_a_restart_after_its_key_was_changed(void **state)
{
    struct ward *ward = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id two = federation_node(2);
    struct ward_pen witness = ward_pen(ward, 3, scope_federation(), AUDIENCE_CLEAR);
    ward_say(ward, &witness, body_of(KIND_FORK_PROOF, proof_of(ward, 2, 2, &content)), 3);
    officers_change_its_key(ward);
    assert_true(core_is_frozen(ward->core, &two));
    ward_restart(ward);
    assert_true(core_is_frozen(ward->core, &two));
}

static struct cert_id certify(struct ward *ward, struct ward_pen *pen)
{
    uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX], memory[CERTIFICATE_SIZE_MAX];
    struct buffer request = buffer_over(request_memory, sizeof request_memory);
    struct buffer content = buffer_over(memory, sizeof memory);
    uint8_t public_key[32], secret[64], institution[64];
    struct cert_id cert_id;
    struct certificate_request asked = {.federation = roster_federation(&ward->roster),
                                        .node_id = federation_node(pen->number),
                                        .name = bytes_of_text("Dr. Example"),
                                        .credentials = bytes_of_text("MD"),
                                        .specialties = {bytes_of_text("hematology")},
                                        .specialty_count = 1,
                                        .country = bytes_of_text("DE")};
    federation_key(2, 7, asked.clinician_key.bytes, secret);
    federation_key(pen->number, pen->key_number, public_key, institution);
    assert_int_equal(OK, certificate_request_write(&asked, &request));
    struct certificate_issue issue = {.request = buffer_bytes(&request),
                                      .serial = pen->header.sequence,
                                      .valid_from = {FEDERATION_START_MS},
                                      .valid_until = {FEDERATION_START_MS * 2}};
    certificate_prove(issue.request, secret, &issue.possession);
    assert_int_equal(OK, certificate_write(&issue, institution, &content, &cert_id));
    ward_say(ward, pen, body_of(KIND_CERTIFICATE, buffer_bytes(&content)), 2);
    return cert_id;
}

static void a_certificate_outlives_a_restart_after_the_institutions_key_was_changed(void **state)
{
    struct ward *ward = *state;
    struct ward_pen pen = ward_pen(ward, 2, scope_federation(), AUDIENCE_CLEAR);
    struct cert_id before = certify(ward, &pen);
    assert_non_null(core_clinician(ward->core, &before));
    officers_change_its_key(ward);
    ward_restart(ward);
    assert_non_null(core_clinician(ward->core, &before));
    /* what it certifies from now on, it signs with the new key */
    ward_meet(ward, 2);
    pen.header.head = roster_current_id(&ward->roster);
    pen.key_number = 8;
    struct cert_id after = certify(ward, &pen);
    assert_non_null(core_clinician(ward->core, &after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WARD(who_says_two_things_is_not_heard_in_any_stream),
        IN_WARD(it_is_heard_again_when_the_officers_took_it_back_and_that_stream_is_not),
        IN_WARD(what_is_being_checked_when_it_comes_out_is_not_kept),
        IN_WARD(a_proof_that_another_saw_freezes_the_writer_here_too),
        IN_WARD(who_says_two_things_under_a_head_that_nobody_knows_is_frozen_and_fills_no_table),
        IN_WARD(who_was_taken_back_fills_no_table_with_older_forks),
        IN_WARD(who_equivocated_itself_writes_nothing_more),
        IN_WARD(a_proof_outlives_a_restart_after_its_key_was_changed),
        IN_WARD(a_certificate_outlives_a_restart_after_the_institutions_key_was_changed),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
