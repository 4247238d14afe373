/* Who says two things at one position is not heard any more, in any stream, until the officers
 * decide; and what was proved once stays proved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/engine/engine.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/record/certificate.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"
#include "tests/harness/cluster.h"

static int given_three_hospitals(void **state)
{
    struct cluster *cluster = cluster_new(4);
    cluster_meet(cluster, 2);
    cluster_meet(cluster, 3);
    *state = cluster;
    return 0;
}

static int then_it_ends(void **state)
{
    cluster_free(*state);
    return 0;
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, given_three_hospitals, then_it_ends)

static struct scope board_of(struct cluster *cluster)
{
    struct federation_id federation = roster_federation(&cluster->roster);
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
static void hospital_2_equivocates(struct cluster *cluster)
{
    struct cluster_pen one = cluster_pen(cluster, 2, board_of(cluster), AUDIENCE_SCOPE),
                       other = one;
    cluster_say(cluster, &one, cluster_words(1), 2);
    cluster_say(cluster, &other, cluster_words(2), 3);
    assert_int_equal(1, cluster->forked_count);
}

static void officers_decide_on(struct cluster *cluster, uint32_t number, enum member_state state)
{
    uint64_t epoch = roster_current_head(&cluster->roster)->epoch + 1;
    struct member member = federation_member(number, 1);
    member.state = state;
    member.state_since_epoch = epoch;
    if (state == MEMBER_ADMITTED)
        member.boards[0].since_epoch = epoch;
    federation_put_member(&cluster->society, &member);
    cluster_head(cluster);
}

/* The officers change hospital 2. */
static void officers_decide(struct cluster *cluster, enum member_state state)
{
    officers_decide_on(cluster, 2, state);
}

static void who_says_two_things_is_not_heard_in_any_stream(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen news = cluster_pen(cluster, 2, scope_federation(), AUDIENCE_CLEAR);
    struct cluster_pen letter =
        cluster_pen(cluster, 2, scope_mail(&(struct node_id){{0, 1, 0x11}}), AUDIENCE_SCOPE);
    struct cluster_pen others = cluster_pen(cluster, 3, board_of(cluster), AUDIENCE_SCOPE);
    cluster_say(cluster, &news, cluster_words(1), 2);
    assert_int_equal(1, cluster_tail(cluster, &news));
    hospital_2_equivocates(cluster);
    struct node_id two = federation_node(2), three = federation_node(3);
    assert_true(engine_is_frozen(cluster->engine, &two));
    cluster_say(cluster, &news, cluster_words(2), 2);
    cluster_say(cluster, &letter, cluster_words(1), 2);
    assert_int_equal(1, cluster_tail(cluster, &news));
    assert_int_equal(0, cluster_tail(cluster, &letter));
    cluster_say(cluster, &others, cluster_words(1), 2); /* it may still pass on what others wrote */
    assert_int_equal(1, cluster_tail(cluster, &others));
    assert_false(engine_is_frozen(cluster->engine, &three));
}

static void it_is_heard_again_when_the_officers_took_it_back_and_that_stream_is_not(void **state)
{
    struct cluster *cluster = *state;
    struct node_id two = federation_node(2);
    hospital_2_equivocates(cluster);
    officers_decide(cluster, MEMBER_SUSPENDED);
    officers_decide(cluster, MEMBER_ADMITTED);
    assert_false(engine_is_frozen(cluster->engine, &two));
    cluster_meet(cluster, 2);
    struct cluster_pen news = cluster_pen(cluster, 2, scope_federation(), AUDIENCE_CLEAR);
    struct cluster_pen forked = cluster_pen(cluster, 2, board_of(cluster), AUDIENCE_SCOPE);
    forked.header.sequence = 2;
    cluster_say(cluster, &news, cluster_words(1), 2);
    cluster_say(cluster, &forked, cluster_words(1), 2);
    assert_int_equal(1, cluster_tail(cluster, &news));
    assert_int_equal(1, cluster_tail(cluster, &forked));
}

static struct bytes proof_in(const struct cluster_pen *pen, uint8_t signer, struct buffer *content)
{
    static uint8_t memory[2][RECORD_SIZE_MAX];
    struct audit_evidence_fork_proof proof;
    struct bytes *headers[] = {&proof.header_a, &proof.header_b};
    struct signature *signatures[] = {&proof.signature_a, &proof.signature_b};
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t public_key[32], secret[64];
        federation_key(signer, 2, public_key, secret);
        struct record_secrets secrets = {.sign_secret = secret, .key = {{i}}};
        struct buffer out = buffer_over(memory[i], sizeof memory[i]);
        struct record_id id;
        assert_int_equal(OK, record_seal(&pen->header, cluster_words(i), &secrets, &out, &id));
        *headers[i] = (struct bytes){memory[i], RECORD_HEADER_SIZE};
        memcpy(signatures[i]->bytes, memory[i] + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
    }
    assert_int_equal(OK, audit_evidence_fork_proof_write(&proof, content));
    return buffer_bytes(content);
}

/* T-33: it goes on behind the record that others have, or that nobody has. */
static void who_was_taken_back_goes_on_in_a_generation_after_the_fork(void **state)
{
    struct cluster *cluster = *state;
    hospital_2_equivocates(cluster);
    struct cluster_pen next = cluster_pen(cluster, 2, board_of(cluster), AUDIENCE_SCOPE);
    next.header.stream.generation = 2;
    memset(&next.header.previous, 0x5a, sizeof next.header.previous);
    struct cluster_pen early = next;
    cluster_say(cluster, &early, cluster_words(1), 2);
    assert_int_equal(0, cluster_tail(cluster, &next));
    officers_decide(cluster, MEMBER_SUSPENDED);
    officers_decide(cluster, MEMBER_ADMITTED);
    cluster_meet(cluster, 2);
    next.header.head = roster_current_id(&cluster->roster);
    cluster_say(cluster, &next, cluster_words(1), 2);
    cluster_say(cluster, &next, cluster_words(2), 2);
    assert_int_equal(2, cluster_tail(cluster, &next));
    cluster_restart(cluster);
    assert_int_equal(2, cluster_tail(cluster, &next));
}

/* T-33: of a stream that is known by its proof alone, nothing else can come. */
static void a_generation_after_a_fork_that_is_only_proved_is_taken_too(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct cluster_pen next = cluster_pen(cluster, 2, board_of(cluster), AUDIENCE_SCOPE);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_in(&next, 2, &content)), 3);
    officers_decide(cluster, MEMBER_SUSPENDED);
    officers_decide(cluster, MEMBER_ADMITTED);
    cluster_meet(cluster, 2);
    next.header.stream.generation = 2;
    next.header.head = roster_current_id(&cluster->roster);
    memset(&next.header.previous, 0x5a, sizeof next.header.previous);
    cluster_say(cluster, &next, cluster_words(1), 2);
    assert_int_equal(1, cluster_tail(cluster, &next));
}

static void what_is_being_checked_when_it_comes_out_is_not_kept(void **state)
{
    struct cluster *cluster = *state;
    static uint8_t memory[FRAME_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct cluster_pen news = cluster_pen(cluster, 2, scope_federation(), AUDIENCE_CLEAR);
    struct event event = cluster_event(cluster, EVENT_FRAME);
    event.link.value = 2;
    event.frame = cluster_write_frame(&news, cluster_words(1), &frame);
    engine_step(cluster->engine, &event, &cluster->step);
    size_t i = 0;
    while (cluster->step.effects[i].kind != EFFECT_CHECK)
        i++;
    cluster_perform(cluster, &cluster->step.effects[i]);
    struct interpreter_answer *late = interpreter_take(&cluster->interpreter);
    hospital_2_equivocates(cluster);
    cluster_give(cluster, &late->event);
    assert_int_equal(0, cluster_tail(cluster, &news));
    free(late);
}

static struct bytes proof_of(struct cluster *cluster, uint8_t about, uint8_t signer,
                             struct buffer *content)
{
    struct cluster_pen pen =
        cluster_pen(cluster, about, scope_mail(&(struct node_id){{0, 9, 0x11}}), AUDIENCE_SCOPE);
    return proof_in(&pen, signer, content);
}

/* Its own streams are many, and so are the heads that it can make up. */
static void
who_says_two_things_under_a_head_that_nobody_knows_is_frozen_and_fills_no_table(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct node_id two = federation_node(2), three = federation_node(3);
    struct cluster_pen other = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    for (unsigned i = 0; i < 2 * (unsigned)EQUIVOCATION_COUNT_MAX; i++) {
        struct buffer content = buffer_over(memory, sizeof memory);
        struct node_id nobody = {{0, 9, (uint8_t)i, (uint8_t)(i >> 8)}};
        struct cluster_pen pen = cluster_pen(cluster, 2, scope_mail(&nobody), AUDIENCE_SCOPE);
        memset(&pen.header.head, 0x5a, sizeof pen.header.head);
        step_begin(&cluster->step);
        equivocation_proved(cluster->engine, proof_in(&pen, 2, &content), &cluster->step);
    }
    assert_true(engine_is_frozen(cluster->engine, &two));
    struct buffer content = buffer_over(memory, sizeof memory);
    cluster_say(cluster, &other, body_of(KIND_FORK_PROOF, proof_of(cluster, 3, 3, &content)), 3);
    assert_true(engine_is_frozen(cluster->engine, &three));
}

/* The officers decided about what was proved before, and it makes more of the kind. */
static void who_was_taken_back_fills_no_table_with_older_forks(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct node_id two = federation_node(2), three = federation_node(3);
    struct head_id old = roster_current_id(&cluster->roster);
    officers_decide(cluster, MEMBER_SUSPENDED);
    officers_decide(cluster, MEMBER_ADMITTED);
    cluster_meet(cluster, 2);
    struct cluster_pen other = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    for (unsigned i = 0; i < 2 * (unsigned)EQUIVOCATION_COUNT_MAX; i++) {
        struct buffer content = buffer_over(memory, sizeof memory);
        struct node_id nobody = {{0, 9, (uint8_t)i, (uint8_t)(i >> 8)}};
        struct cluster_pen pen = cluster_pen(cluster, 2, scope_mail(&nobody), AUDIENCE_SCOPE);
        pen.header.head = old;
        step_begin(&cluster->step);
        equivocation_proved(cluster->engine, proof_in(&pen, 2, &content), &cluster->step);
    }
    assert_false(engine_is_frozen(cluster->engine, &two));
    struct buffer content = buffer_over(memory, sizeof memory);
    cluster_say(cluster, &other, body_of(KIND_FORK_PROOF, proof_of(cluster, 3, 3, &content)), 3);
    assert_true(engine_is_frozen(cluster->engine, &three));
    /* and what it says twice under a head of today still counts */
    content = buffer_over(memory, sizeof memory);
    step_begin(&cluster->step);
    equivocation_proved(cluster->engine, proof_of(cluster, 2, 2, &content), &cluster->step);
    assert_true(engine_is_frozen(cluster->engine, &two));
}

/* The stream is one that this node has no part in. */
static void a_proof_that_another_saw_freezes_the_writer_here_too(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id two = federation_node(2);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_of(cluster, 2, 4, &content)), 3);
    assert_false(engine_is_frozen(cluster->engine, &two)); /* somebody else signed it */
    content = buffer_over(memory, sizeof memory);
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_of(cluster, 2, 2, &content)), 3);
    assert_true(engine_is_frozen(cluster->engine, &two));
    assert_int_equal(0, cluster->forked_count); /* one proof is enough */
}

static uint32_t shown_forks(const struct cluster *cluster)
{
    struct engine_status status;
    engine_status(cluster->engine, &status);
    return status.forked_count;
}

/* Nothing of the stream is here, and nothing ever will be. */
static void a_fork_known_by_its_proof_alone_is_shown_after_a_restart_too(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    assert_int_equal(0, shown_forks(cluster));
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_of(cluster, 2, 2, &content)), 3);
    assert_int_equal(1, shown_forks(cluster));
    cluster_restart(cluster);
    assert_int_equal(1, shown_forks(cluster));
}

/* Before the proof a peer listed the stream, and after the restart no peer does. */
static void a_fork_of_a_stream_that_was_only_claimed_is_shown_once(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    struct cluster_pen board = cluster_pen(cluster, 2, board_of(cluster), AUDIENCE_SCOPE),
                       later = board;
    later.header.sequence = 7; /* what comes before it is not here */
    cluster_say(cluster, &later, cluster_words(1), 3);
    assert_int_equal(0, cluster_tail(cluster, &board));
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_in(&board, 2, &content)), 3);
    assert_int_equal(1, shown_forks(cluster));
    cluster_restart(cluster);
    assert_int_equal(1, shown_forks(cluster));
}

/* The officers took its writer back, which now says here one of the two things. */
static void a_stream_whose_proof_came_first_takes_nothing_when_it_comes(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id two = federation_node(2);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    struct cluster_pen board = cluster_pen(cluster, 2, board_of(cluster), AUDIENCE_SCOPE);
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_in(&board, 2, &content)), 3);
    officers_decide(cluster, MEMBER_SUSPENDED);
    officers_decide(cluster, MEMBER_ADMITTED);
    for (int restarts = 0; restarts < 2; restarts++) {
        assert_false(engine_is_frozen(cluster->engine, &two));
        cluster_meet(cluster, 2);
        struct cluster_pen news = cluster_pen(cluster, 2, scope_federation(), AUDIENCE_CLEAR);
        board = cluster_pen(cluster, 2, board_of(cluster), AUDIENCE_SCOPE);
        news.header.sequence = cluster_tail(cluster, &news) + 1;
        if (restarts == 0)
            cluster_say(cluster, &news, cluster_words(1), 2);
        cluster_say(cluster, &board, cluster_words(1), 2);
        assert_int_equal(1, cluster_tail(cluster, &news)); /* it is heard elsewhere */
        assert_int_equal(0, cluster_tail(cluster, &board));
        assert_int_equal(1, shown_forks(cluster));
        cluster_restart(cluster);
    }
}

/* Its store was put back from a backup, say. */
static void who_equivocated_itself_writes_nothing_more(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    assert_int_equal(OK,
                     cluster_post(cluster, scope_federation(), AUDIENCE_CLEAR, cluster_words(1)));
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_of(cluster, 1, 1, &content)), 3);
    assert_int_equal(ERR_FORKED,
                     cluster_post(cluster, scope_federation(), AUDIENCE_CLEAR, cluster_words(2)));
}

/* T-33 */
static void who_equivocated_itself_goes_on_when_it_was_taken_back(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct scope scope = scope_federation();
    struct cluster_pen own = cluster_pen(cluster, 1, scope, AUDIENCE_CLEAR);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope, AUDIENCE_CLEAR);
    assert_int_equal(OK, cluster_post(cluster, scope, AUDIENCE_CLEAR, cluster_words(1)));
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_in(&own, 1, &content)), 3);
    assert_int_equal(STANDING_FROZEN, engine_standing(cluster->engine));
    officers_decide_on(cluster, 1, MEMBER_SUSPENDED);
    assert_int_equal(STANDING_SUSPENDED, engine_standing(cluster->engine));
    assert_int_equal(ERR_UNKNOWN_MEMBER,
                     cluster_post(cluster, scope, AUDIENCE_CLEAR, cluster_words(2)));
    officers_decide_on(cluster, 1, MEMBER_ADMITTED);
    assert_int_equal(STANDING_GOOD, engine_standing(cluster->engine));
    for (uint8_t i = 2; i < 4; i++)
        assert_int_equal(OK, cluster_post(cluster, scope, AUDIENCE_CLEAR, cluster_words(i)));
    own.header.stream.generation = 2;
    assert_int_equal(2, cluster_tail(cluster, &own));
    cluster_restart(cluster);
    assert_int_equal(2, cluster_tail(cluster, &own));
}

/* Hospital 2 gets a new key; its signatures under the old one cannot be checked any more. */
static void officers_change_its_key(struct cluster *cluster)
{
    uint8_t secret[64];
    struct member member = federation_member(2, 1);
    federation_key(2, 8, member.sign_key.bytes, secret);
    member.keys_since_epoch = roster_current_head(&cluster->roster)->epoch + 1;
    federation_put_member(&cluster->society, &member);
    cluster_head(cluster);
}

static void a_proof_outlives_a_restart_after_its_key_was_changed(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id two = federation_node(2);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_of(cluster, 2, 2, &content)), 3);
    officers_change_its_key(cluster);
    assert_true(engine_is_frozen(cluster->engine, &two));
    cluster_restart(cluster);
    assert_true(engine_is_frozen(cluster->engine, &two));
}

/* The power failed when the record was durable, and the list of what is proved was not. */
static void a_proof_whose_mark_was_not_kept_is_proved_again_and_kept_at_the_start(void **state)
{
    struct cluster *cluster = *state;
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id two = federation_node(2);
    struct cluster_pen witness = cluster_pen(cluster, 3, scope_federation(), AUDIENCE_CLEAR);
    cluster_say(cluster, &witness, body_of(KIND_FORK_PROOF, proof_of(cluster, 2, 2, &content)), 3);
    cluster->forks_size = 0;
    cluster_restart(cluster);
    assert_true(engine_is_frozen(cluster->engine, &two));
    officers_change_its_key(cluster);
    cluster_restart(cluster);
    assert_true(engine_is_frozen(cluster->engine, &two));
}

static struct cert_id certify(struct cluster *cluster, struct cluster_pen *pen)
{
    uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX], memory[CERTIFICATE_SIZE_MAX];
    struct buffer request = buffer_over(request_memory, sizeof request_memory);
    struct buffer content = buffer_over(memory, sizeof memory);
    uint8_t public_key[32], secret[64], institution[64];
    struct cert_id cert_id;
    struct certificate_request asked = {.federation = roster_federation(&cluster->roster),
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
    cluster_say(cluster, pen, body_of(KIND_CERTIFICATE, buffer_bytes(&content)), 2);
    return cert_id;
}

static void a_certificate_outlives_a_restart_after_the_institutions_key_was_changed(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = cluster_pen(cluster, 2, scope_federation(), AUDIENCE_CLEAR);
    struct cert_id before = certify(cluster, &pen);
    assert_non_null(engine_clinician(cluster->engine, &before));
    officers_change_its_key(cluster);
    cluster_restart(cluster);
    assert_non_null(engine_clinician(cluster->engine, &before));
    /* what it certifies from now on, it signs with the new key */
    cluster_meet(cluster, 2);
    pen.header.head = roster_current_id(&cluster->roster);
    pen.key_number = 8;
    struct cert_id after = certify(cluster, &pen);
    assert_non_null(engine_clinician(cluster->engine, &after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CLUSTER(who_says_two_things_is_not_heard_in_any_stream),
        IN_CLUSTER(it_is_heard_again_when_the_officers_took_it_back_and_that_stream_is_not),
        IN_CLUSTER(who_was_taken_back_goes_on_in_a_generation_after_the_fork),
        IN_CLUSTER(a_generation_after_a_fork_that_is_only_proved_is_taken_too),
        IN_CLUSTER(who_equivocated_itself_goes_on_when_it_was_taken_back),
        IN_CLUSTER(what_is_being_checked_when_it_comes_out_is_not_kept),
        IN_CLUSTER(a_proof_that_another_saw_freezes_the_writer_here_too),
        IN_CLUSTER(who_says_two_things_under_a_head_that_nobody_knows_is_frozen_and_fills_no_table),
        IN_CLUSTER(who_was_taken_back_fills_no_table_with_older_forks),
        IN_CLUSTER(a_fork_known_by_its_proof_alone_is_shown_after_a_restart_too),
        IN_CLUSTER(a_fork_of_a_stream_that_was_only_claimed_is_shown_once),
        IN_CLUSTER(a_stream_whose_proof_came_first_takes_nothing_when_it_comes),
        IN_CLUSTER(who_equivocated_itself_writes_nothing_more),
        IN_CLUSTER(a_proof_outlives_a_restart_after_its_key_was_changed),
        IN_CLUSTER(a_proof_whose_mark_was_not_kept_is_proved_again_and_kept_at_the_start),
        IN_CLUSTER(a_certificate_outlives_a_restart_after_the_institutions_key_was_changed),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
