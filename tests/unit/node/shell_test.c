/* The shell with real stores, real checks and wires of the test's own: what is posted becomes
 * durable, spreads, and is there again after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/link/frame.h"
#include "tests/unit/node/town.h"

static int given_a_town_in_touch(void **state)
{
    *state = town_new_in_touch();
    return 0;
}

static int then_it_ends(void **state)
{
    town_free(*state);
    return 0;
}

#define IN_TOUCH(test) cmocka_unit_test_setup_teardown(test, given_a_town_in_touch, then_it_ends)

static void a_post_becomes_durable_and_is_pushed_to_whoever_may_have_it(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[0], 1);
    assert_true(town_spreads(town, 1, &one.announcement));
    assert_true(town_spreads(town, 2, &one.announcement));
}

static void an_opening_stays_with_the_requester_until_somebody_is_granted_access(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[0], 1);
    town_pass(town, 300);
    assert_null(shell_case(town->houses[1].shell, &one.id));
    town_take_part(&town->houses[1], &town->houses[0], &one);
    assert_int_equal(town->houses[1].told[KIND_OPEN], 1);
    assert_null(shell_case(town->houses[2].shell, &one.id));
}

/* ---- restart ---- */

static uint64_t tail_of(const struct town_house *house, const struct stream_id *stream)
{
    uint64_t tail = 0, had = 0;
    (void)core_position(shell_core(house->shell), stream, &tail, &had);
    return tail;
}

struct standing {
    const struct town_house *house;
    struct stream_id stream;
    uint64_t tail;
};

static bool stands_at(void *arg)
{
    const struct standing *standing = arg;
    return tail_of(standing->house, &standing->stream) >= standing->tail;
}

static void discuss(struct town_house *house, const struct town_case *one, const char *text)
{
    struct caserecord_post post = {.text = bytes_of_text(text)};
    (void)town_write(house, &one->scope, KIND_POST, &post);
}

static void a_restart_brings_back_streams_cases_and_clinicians(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0], *b = &town->houses[1];
    struct town_case one = town_ask(a, 1);
    town_take_part(b, a, &one);
    for (int i = 0; i < 70; i++)
        discuss(a, &one, "One more thing.");
    struct stream_id stream = core_own_stream(shell_core(a->shell), &one.scope);
    struct standing standing = {b, stream, tail_of(a, &stream)};
    assert_true(town_until(town, stands_at, &standing));
    town_shut(town, 1);
    town_shut(town, 0);
    town_open(town, 0);
    town_open(town, 1);
    assert_int_equal(tail_of(a, &stream), standing.tail);
    assert_int_equal(tail_of(b, &stream), standing.tail);
    const struct consult *here = shell_case(b->shell, &one.id);
    assert_non_null(here);
    assert_int_equal(here->state, CASE_ANNOUNCED);
    assert_non_null(consult_participant_of(here, &b->node));
    assert_non_null(core_clinician(shell_core(b->shell), &a->cert_id));
    /* and it goes on where it stood */
    discuss(a, &one, "After the restart.");
    assert_int_equal(tail_of(a, &stream), standing.tail + 1);
}

static void what_was_written_while_apart_is_caught_up_with_and_comes_once(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0], *b = &town->houses[1], *c = &town->houses[2];
    struct town_case one = town_ask(a, 1);
    town_take_part(b, a, &one);
    town_take_part(c, a, &one);
    town_cut(town, 0, 1);
    town_cut(town, 1, 2);
    b->told[KIND_POST] = 0;
    for (int i = 0; i < 300; i++)
        discuss(a, &one, "You were away.");
    struct stream_id stream = core_own_stream(shell_core(a->shell), &one.scope);
    struct standing standing = {b, stream, tail_of(a, &stream)};
    town_connect(town, 0, 1);
    town_connect(town, 1, 2);
    assert_true(town_until(town, stands_at, &standing));
    town_pass(town, 200);
    assert_int_equal(b->told[KIND_POST], 300);
}

static void a_writer_learns_from_whom_its_record_is_durable(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0], *b = &town->houses[1];
    struct town_case one = town_ask(a, 1);
    town_take_part(b, a, &one);
    struct stream_id stream = core_own_stream(shell_core(a->shell), &one.scope);
    uint64_t tail = tail_of(a, &stream);
    uint64_t end = shell_mono().ms + 5000;
    while (shell_acked(a->shell, &b->node, &stream) < tail && shell_mono().ms < end)
        town_turn(town);
    assert_int_equal(shell_acked(a->shell, &b->node, &stream), tail);
    assert_int_equal(shell_acked(a->shell, &town->houses[2].node, &stream), 0);
}

static void two_go_on_when_the_third_is_away(void **state)
{
    struct town *town = *state;
    town_shut(town, 2);
    struct town_case one = town_ask(&town->houses[0], 1);
    assert_true(town_spreads(town, 1, &one.announcement));
    town_take_part(&town->houses[1], &town->houses[0], &one);
}

static void one_that_has_compared_with_one_other_only_hands_out_nothing(void **state)
{
    struct town *town = *state;
    town_shut(town, 0);
    town_open(town, 0);
    town_connect(town, 0, 1);
    struct town_case one = town_ask(&town->houses[0], 1);
    town_pass(town, 300);
    struct town_sought sought = {&town->houses[1], one.announcement};
    assert_false(town_holds(&sought));
    town_connect(town, 0, 2);
    assert_true(town_spreads(town, 1, &one.announcement));
    assert_true(town_spreads(town, 2, &one.announcement));
}

/* ---- duties ---- */

static void a_join_that_came_before_a_restart_is_granted_after_it(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0], *b = &town->houses[1];
    town_shut(town, 0);
    town->grants_by_hand = true;
    town_open(town, 0);
    town_connect(town, 0, 1);
    town_connect(town, 0, 2);
    struct town_case one = town_ask(a, 1);
    struct record_id join = town_join(b, a, &one);
    assert_true(town_spreads(town, 0, &join));
    town_pass(town, 200);
    struct town_access access = {a, b, &one.id};
    assert_false(town_has_access(&access));
    town_shut(town, 0);
    town->grants_by_hand = false;
    town_open(town, 0);
    town_connect(town, 0, 1);
    town_connect(town, 0, 2);
    access.house = b;
    assert_true(town_until(town, town_has_access, &access));
    assert_int_equal(a->told[KIND_GRANT], 1);
    assert_int_equal(a->told[KIND_GRANT_NOTICE], 1);
}

static bool count_disclosure(void *arg, const struct store_audit *stored)
{
    struct audit_entry entry;
    assert_int_equal(OK, audit_entry_read(stored->entry, &entry));
    if (entry.fact.what == AUDIT_DISCLOSED)
        ++*(unsigned *)arg;
    return true;
}

static void a_grant_stands_in_the_audit_log(void **state)
{
    struct town *town = *state;
    struct town_case one = town_ask(&town->houses[0], 1);
    unsigned count = 0;
    town_take_part(&town->houses[1], &town->houses[0], &one);
    struct store *store = shell_store(town->houses[0].shell);
    assert_int_equal(OK, row_table_audit(store, 0, count_disclosure, &count));
    assert_int_equal(count, 1);
    assert_int_equal(AUDIT_SOUND, town_audit(town, 0).fault);
}

/* ---- many at once ---- */

static void as_many_posts_as_may_wait_are_all_written_in_their_order(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0];
    struct town_case one = town_ask(a, 1);
    static struct town_posted posted[257];
    struct caserecord_post post = {.text = bytes_of_text("Again.")};
    for (size_t i = 0; i < 257; i++)
        town_begin(a, &one.scope, KIND_POST, &post, &posted[i]);
    assert_true(posted[256].is_done);
    assert_int_equal(ERR_BUSY, posted[256].done.verdict);
    for (size_t i = 0; i < 256; i++) {
        assert_true(town_until(town, town_is_posted, &posted[i]));
        assert_int_equal(OK, posted[i].done.verdict);
        assert_int_equal(posted[i].done.sequence, posted[0].done.sequence + i);
    }
}

static void whoever_posts_is_answered_once_when_the_node_ends_meanwhile(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0];
    struct town_case one = town_ask(a, 1);
    static struct town_posted posted[20];
    struct caserecord_post post = {.text = bytes_of_text("The last words.")};
    for (size_t i = 0; i < 20; i++)
        town_begin(a, &one.scope, KIND_POST, &post, &posted[i]);
    town_shut(town, 0);
    size_t durable = 0;
    for (size_t i = 0; i < 20; i++) {
        assert_true(posted[i].is_done);
        durable += posted[i].done.verdict == OK ? 1 : 0;
    }
    town_open(town, 0);
    struct stream_id stream = core_own_stream(shell_core(a->shell), &one.scope);
    assert_int_equal(tail_of(a, &stream), 1 + durable);
}

static void a_wire_that_is_full_delays_and_loses_nothing(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0], *b = &town->houses[1];
    struct town_case one = town_ask(a, 1);
    town_take_part(b, a, &one);
    town->lane_max = 1;
    b->told[KIND_POST] = 0;
    for (int i = 0; i < 100; i++)
        discuss(a, &one, "Word for word.");
    struct stream_id stream = core_own_stream(shell_core(a->shell), &one.scope);
    struct standing standing = {b, stream, tail_of(a, &stream)};
    assert_true(town_until(town, stands_at, &standing));
    town_pass(town, 100);
    assert_int_equal(b->told[KIND_POST], 100);
    assert_int_equal(a->hung_up + b->hung_up, 0);
}

/* ---- workers ---- */

struct blocking {
    struct job job;
    uv_sem_t go;
    bool is_done;
};

static void blocking_run(struct job *job)
{
    uv_sem_wait(&((struct blocking *)job)->go);
}

static void blocking_done(struct job *job)
{
    ((struct blocking *)job)->is_done = true;
}

static void checks_go_on_while_others_keep_all_workers_busy(void **state)
{
    struct town *town = *state;
    static struct blocking blocking[64];
    size_t count = 0;
    for (; count < 64; count++) {
        struct blocking *one = &blocking[count];
        *one = (struct blocking){.job = {.run = blocking_run, .done = blocking_done}};
        uv_sem_init(&one->go, 0);
        if (workers_submit_slow(town->workers, &one->job) != OK)
            break;
    }
    assert_int_equal(workers_pending(town->workers), 64);
    struct town_case one = town_ask(&town->houses[0], 1);
    bool is_there = town_spreads(town, 1, &one.announcement);
    for (size_t i = 0; i < count; i++)
        uv_sem_post(&blocking[i].go);
    while (workers_pending(town->workers) > 0)
        town_turn(town);
    for (size_t i = 0; i < count; i++)
        uv_sem_destroy(&blocking[i].go);
    assert_true(is_there);
}

/* ---- two records at one position ---- */

static bool has_heard_of_a_fork(void *arg)
{
    return ((const struct town_house *)arg)->told[KIND_FORK_PROOF] > 0;
}

static void a_writer_that_says_two_things_at_one_position_is_shown_to_all(void **state)
{
    struct town *town = *state;
    struct town_house *a = &town->houses[0], *b = &town->houses[1];
    struct town_case one = town_ask(a, 1);
    assert_true(town_spreads(town, 1, &one.announcement));
    assert_true(town_spreads(town, 2, &one.announcement));
    /* A's other record at the same place, as a second copy of A would write it */
    uint8_t memory[RECORD_SIZE_MAX], frame_memory[FRAME_SIZE_MAX], page[STORE_RECORD_SIZE_MAX];
    struct buffer sealed = buffer_over(memory, sizeof memory);
    struct buffer frame = buffer_over(frame_memory, sizeof frame_memory);
    struct store_record stored;
    struct record_claim claim;
    struct record_id id;
    assert_int_equal(OK,
                     record_table_find(shell_store(a->shell), &one.announcement, page, &stored));
    assert_int_equal(OK, record_parse(stored.head, &claim));
    struct standing standing = {b, claim.header.stream, claim.header.sequence};
    assert_true(town_until(town, stands_at, &standing));
    struct record_secrets secrets = {.sign_secret = a->sign_secret, .key = {{9}}, .nonce = {9}};
    claim.header.time.ms++;
    assert_int_equal(OK,
                     record_seal(&claim.header, bytes_of_text("another"), &secrets, &sealed, &id));
    struct frame_record record = {true, secrets.key, buffer_bytes(&sealed)};
    frame_records_begin(&frame);
    frame_record_write(&frame, &record);
    frame_records_end(&frame, 1);
    struct core_peer peer;
    for (uint32_t n = 0; core_peer(shell_core(b->shell), n, &peer); n++) {
        if (ID_EQUAL(peer.node, a->node))
            shell_frame(b->shell, peer.link, buffer_bytes(&frame));
    }
    assert_true(town_until(town, has_heard_of_a_fork, &town->houses[2]));
    struct core_status status;
    assert_int_equal(town->houses[2].told[KIND_FORK_PROOF], 1);
    core_status(shell_core(b->shell), &status);
    assert_int_equal(status.forked_count, 1);
    core_status(shell_core(town->houses[2].shell), &status);
    assert_int_equal(status.forked_count, 1);
    /* and that stays so */
    town_shut(town, 1);
    town_open(town, 1);
    core_status(shell_core(b->shell), &status);
    assert_int_equal(status.forked_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TOUCH(a_post_becomes_durable_and_is_pushed_to_whoever_may_have_it),
        IN_TOUCH(an_opening_stays_with_the_requester_until_somebody_is_granted_access),
        IN_TOUCH(a_restart_brings_back_streams_cases_and_clinicians),
        IN_TOUCH(what_was_written_while_apart_is_caught_up_with_and_comes_once),
        IN_TOUCH(a_writer_learns_from_whom_its_record_is_durable),
        IN_TOUCH(two_go_on_when_the_third_is_away),
        IN_TOUCH(one_that_has_compared_with_one_other_only_hands_out_nothing),
        IN_TOUCH(a_join_that_came_before_a_restart_is_granted_after_it),
        IN_TOUCH(a_grant_stands_in_the_audit_log),
        IN_TOUCH(as_many_posts_as_may_wait_are_all_written_in_their_order),
        IN_TOUCH(whoever_posts_is_answered_once_when_the_node_ends_meanwhile),
        IN_TOUCH(a_wire_that_is_full_delays_and_loses_nothing),
        IN_TOUCH(checks_go_on_while_others_keep_all_workers_busy),
        IN_TOUCH(a_writer_that_says_two_things_at_one_position_is_shown_to_all),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
