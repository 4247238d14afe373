/* The shell with real stores, real checks and wires of the test's own: what is posted becomes
 * durable, spreads, and is there again after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/wire/frame.h"
#include "tests/harness/network.h"

static int given_a_network_in_touch(void **state)
{
    *state = network_new_in_touch();
    return 0;
}

static int then_it_ends(void **state)
{
    network_free(*state);
    return 0;
}

#define IN_TOUCH(test) cmocka_unit_test_setup_teardown(test, given_a_network_in_touch, then_it_ends)

static void a_post_becomes_durable_and_is_pushed_to_whoever_may_have_it(void **state)
{
    struct network *network = *state;
    struct network_case one = network_ask(&network->houses[0], 1);
    assert_true(network_spreads(network, 1, &one.announcement));
    assert_true(network_spreads(network, 2, &one.announcement));
}

static void an_opening_stays_with_the_requester_until_somebody_is_granted_access(void **state)
{
    struct network *network = *state;
    struct network_case one = network_ask(&network->houses[0], 1);
    network_pass(network, 300);
    assert_null(runtime_case(network->houses[1].runtime, &one.id));
    network_take_part(&network->houses[1], &network->houses[0], &one);
    assert_int_equal(network->houses[1].told[KIND_OPEN], 1);
    assert_null(runtime_case(network->houses[2].runtime, &one.id));
}

/* ---- restart ---- */

static uint64_t tail_of(const struct network_house *house, const struct stream_id *stream)
{
    uint64_t tail = 0, had = 0;
    (void)engine_position(runtime_engine(house->runtime), stream, &tail, &had);
    return tail;
}

struct standing {
    const struct network_house *house;
    struct stream_id stream;
    uint64_t tail;
};

static bool stands_at(void *arg)
{
    const struct standing *standing = arg;
    return tail_of(standing->house, &standing->stream) >= standing->tail;
}

static void discuss(struct network_house *house, const struct network_case *one, const char *text)
{
    struct case_record_post post = {.text = bytes_of_text(text)};
    (void)network_write(house, &one->scope, KIND_POST, &post);
}

/* (T-21) By size, not by number: a restart of the node gives no writer its share back. */
static void what_a_writer_used_is_not_given_back_by_a_restart(void **state)
{
    static char text[POST_SIZE_MAX];
    enum { POST_COUNT = 20, POST_KIB = 5 };
    struct network *network = *state;
    struct network_house *reader = &network->houses[0], *writer = &network->houses[1];
    struct network_case one = network_ask(reader, 1);
    network_take_part(writer, reader, &one);
    memset(text, 'x', POST_KIB * 1024);
    for (int i = 0; i < POST_COUNT; i++) {
        struct case_record_post post = {.text = bytes_of_text(text)};
        struct record_id id = network_write(writer, &one.scope, KIND_POST, &post);
        assert_true(network_spreads(network, 0, &id));
    }
    uint64_t used = engine_writer_used(runtime_engine(reader->runtime), &writer->node);
    assert_true(used > POST_COUNT * POST_KIB);
    network_shut(network, 0);
    network_open(network, 0);
    assert_int_equal(used, engine_writer_used(runtime_engine(reader->runtime), &writer->node));
}

struct told_posts {
    const struct network_house *house;
    unsigned count;
};

static bool are_told(void *arg)
{
    const struct told_posts *told = arg;
    return told->house->told[KIND_POST] >= told->count;
}

/* All of them, and in the moment after that none again. */
static void assert_told_posts(struct network *network, const struct network_house *house,
                              unsigned count)
{
    struct told_posts told = {house, count};
    assert_true(network_until(network, are_told, &told));
    network_pass(network, 100);
    assert_int_equal(house->told[KIND_POST], count);
}

static void a_restart_brings_back_streams_cases_and_clinicians(void **state)
{
    struct network *network = *state;
    struct network_house *a = &network->houses[0], *b = &network->houses[1];
    struct network_case one = network_ask(a, 1);
    network_take_part(b, a, &one);
    for (int i = 0; i < 70; i++)
        discuss(a, &one, "One more thing.");
    struct stream_id stream = engine_own_stream(runtime_engine(a->runtime), &one.scope);
    struct standing standing = {b, stream, tail_of(a, &stream)};
    assert_true(network_until(network, stands_at, &standing));
    network_shut(network, 1);
    network_shut(network, 0);
    network_open(network, 0);
    network_open(network, 1);
    assert_int_equal(tail_of(a, &stream), standing.tail);
    assert_int_equal(tail_of(b, &stream), standing.tail);
    const struct consult *here = runtime_case(b->runtime, &one.id);
    assert_non_null(here);
    assert_int_equal(here->state, CASE_ANNOUNCED);
    assert_non_null(consult_participant_of(here, &b->node));
    assert_non_null(engine_clinician(runtime_engine(b->runtime), &a->cert_id));
    /* and it goes on where it stood */
    discuss(a, &one, "After the restart.");
    assert_int_equal(tail_of(a, &stream), standing.tail + 1);
}

static void what_was_written_while_apart_is_caught_up_with_and_comes_once(void **state)
{
    struct network *network = *state;
    struct network_house *a = &network->houses[0], *b = &network->houses[1],
                         *c = &network->houses[2];
    struct network_case one = network_ask(a, 1);
    network_take_part(b, a, &one);
    network_take_part(c, a, &one);
    network_cut(network, 0, 1);
    network_cut(network, 1, 2);
    b->told[KIND_POST] = 0;
    for (int i = 0; i < 300; i++)
        discuss(a, &one, "You were away.");
    struct stream_id stream = engine_own_stream(runtime_engine(a->runtime), &one.scope);
    struct standing standing = {b, stream, tail_of(a, &stream)};
    network_connect(network, 0, 1);
    network_connect(network, 1, 2);
    assert_true(network_until(network, stands_at, &standing));
    assert_told_posts(network, b, 300);
}

static void a_writer_learns_from_whom_its_record_is_durable(void **state)
{
    struct network *network = *state;
    struct network_house *a = &network->houses[0], *b = &network->houses[1];
    struct network_case one = network_ask(a, 1);
    network_take_part(b, a, &one);
    struct stream_id stream = engine_own_stream(runtime_engine(a->runtime), &one.scope);
    uint64_t tail = tail_of(a, &stream);
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    while (runtime_acked(a->runtime, &b->node, &stream) < tail && runtime_mono().ms < end)
        network_turn(network);
    assert_int_equal(runtime_acked(a->runtime, &b->node, &stream), tail);
    assert_int_equal(runtime_acked(a->runtime, &network->houses[2].node, &stream), 0);
}

static void two_go_on_when_the_third_is_away(void **state)
{
    struct network *network = *state;
    network_shut(network, 2);
    struct network_case one = network_ask(&network->houses[0], 1);
    assert_true(network_spreads(network, 1, &one.announcement));
    network_take_part(&network->houses[1], &network->houses[0], &one);
}

static void one_that_has_compared_with_one_other_only_hands_out_nothing(void **state)
{
    struct network *network = *state;
    network_shut(network, 0);
    network_open(network, 0);
    network_connect(network, 0, 1);
    struct network_case one = network_ask(&network->houses[0], 1);
    network_pass(network, 300);
    struct network_sought sought = {&network->houses[1], one.announcement};
    assert_false(network_holds(&sought));
    network_connect(network, 0, 2);
    assert_true(network_spreads(network, 1, &one.announcement));
    assert_true(network_spreads(network, 2, &one.announcement));
}

/* ---- duties ---- */

static void a_join_that_came_before_a_restart_is_granted_after_it(void **state)
{
    struct network *network = *state;
    struct network_house *a = &network->houses[0], *b = &network->houses[1];
    network_shut(network, 0);
    network->grants_by_hand = true;
    network_open(network, 0);
    network_connect(network, 0, 1);
    network_connect(network, 0, 2);
    struct network_case one = network_ask(a, 1);
    struct record_id join = network_join(b, a, &one);
    assert_true(network_spreads(network, 0, &join));
    network_pass(network, 200);
    struct network_access access = {a, b, &one.id};
    assert_false(network_has_access(&access));
    network_shut(network, 0);
    network->grants_by_hand = false;
    network_open(network, 0);
    network_connect(network, 0, 1);
    network_connect(network, 0, 2);
    access.house = b;
    assert_true(network_until(network, network_has_access, &access));
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
    struct network *network = *state;
    struct network_case one = network_ask(&network->houses[0], 1);
    unsigned count = 0;
    network_take_part(&network->houses[1], &network->houses[0], &one);
    struct store *store = runtime_store(network->houses[0].runtime);
    assert_int_equal(OK, row_table_audit(store, 0, count_disclosure, &count));
    assert_int_equal(count, 1);
    assert_int_equal(AUDIT_SOUND, network_audit(network, 0).fault);
}

/* ---- many at once ---- */

static void as_many_posts_as_may_wait_are_all_written_in_their_order(void **state)
{
    struct network *network = *state;
    struct network_house *a = &network->houses[0];
    struct network_case one = network_ask(a, 1);
    static struct network_posted posted[257];
    struct case_record_post post = {.text = bytes_of_text("Again.")};
    for (size_t i = 0; i < 257; i++)
        network_begin(a, &one.scope, KIND_POST, &post, &posted[i]);
    assert_true(posted[256].is_done);
    assert_int_equal(ERR_BUSY, posted[256].done.verdict);
    for (size_t i = 0; i < 256; i++) {
        assert_true(network_until(network, network_is_posted, &posted[i]));
        assert_int_equal(OK, posted[i].done.verdict);
        assert_int_equal(posted[i].done.sequence, posted[0].done.sequence + i);
    }
}

static void whoever_posts_is_answered_once_when_the_node_ends_meanwhile(void **state)
{
    struct network *network = *state;
    struct network_house *a = &network->houses[0];
    struct network_case one = network_ask(a, 1);
    static struct network_posted posted[20];
    struct case_record_post post = {.text = bytes_of_text("The last words.")};
    for (size_t i = 0; i < 20; i++)
        network_begin(a, &one.scope, KIND_POST, &post, &posted[i]);
    network_shut(network, 0);
    size_t durable = 0;
    for (size_t i = 0; i < 20; i++) {
        assert_true(posted[i].is_done);
        durable += posted[i].done.verdict == OK ? 1 : 0;
    }
    network_open(network, 0);
    struct stream_id stream = engine_own_stream(runtime_engine(a->runtime), &one.scope);
    assert_int_equal(tail_of(a, &stream), 1 + durable);
}

static void a_wire_that_is_full_delays_and_loses_nothing(void **state)
{
    struct network *network = *state;
    struct network_house *a = &network->houses[0], *b = &network->houses[1];
    struct network_case one = network_ask(a, 1);
    network_take_part(b, a, &one);
    network->lane_max = 1;
    b->told[KIND_POST] = 0;
    for (int i = 0; i < 100; i++)
        discuss(a, &one, "Word for word.");
    struct stream_id stream = engine_own_stream(runtime_engine(a->runtime), &one.scope);
    struct standing standing = {b, stream, tail_of(a, &stream)};
    assert_true(network_until(network, stands_at, &standing));
    assert_told_posts(network, b, 100);
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
    struct network *network = *state;
    static struct blocking blocking[64];
    size_t count = 0;
    for (; count < 64; count++) {
        struct blocking *one = &blocking[count];
        *one = (struct blocking){.job = {.run = blocking_run, .done = blocking_done}};
        uv_sem_init(&one->go, 0);
        if (workers_submit_slow(network->workers, &one->job) != OK)
            break;
    }
    assert_int_equal(workers_pending(network->workers), 64);
    struct network_case one = network_ask(&network->houses[0], 1);
    bool is_there = network_spreads(network, 1, &one.announcement);
    for (size_t i = 0; i < count; i++)
        uv_sem_post(&blocking[i].go);
    while (workers_pending(network->workers) > 0)
        network_turn(network);
    for (size_t i = 0; i < count; i++)
        uv_sem_destroy(&blocking[i].go);
    assert_true(is_there);
}

/* ---- two records at one position ---- */

static bool has_heard_of_a_fork(void *arg)
{
    return ((const struct network_house *)arg)->told[KIND_FORK_PROOF] > 0;
}

/* A's other record at a place where B holds one, as a second copy of A would write it. */
struct other {
    uint8_t memory[RECORD_SIZE_MAX];
    struct bytes bytes;
    struct record_key key;
    struct record_header header;
    uint8_t ours[RECORD_BARE_SIZE];
};

static struct other *another_by_a(struct network *network)
{
    static struct other other;
    struct network_house *a = &network->houses[0], *b = &network->houses[1];
    struct network_case one = network_ask(a, 1);
    uint8_t page[STORE_RECORD_SIZE_MAX];
    struct buffer sealed = buffer_over(other.memory, sizeof other.memory);
    struct store_record stored;
    struct record_claim claim;
    struct record_id id;
    assert_true(network_spreads(network, 1, &one.announcement));
    assert_true(network_spreads(network, 2, &one.announcement));
    assert_int_equal(
        OK, record_table_find(runtime_store(a->runtime), &one.announcement, page, &stored));
    assert_int_equal(OK, record_parse(stored.head, &claim));
    memcpy(other.ours, stored.head.data, RECORD_BARE_SIZE);
    struct standing standing = {b, claim.header.stream, claim.header.sequence};
    assert_true(network_until(network, stands_at, &standing));
    struct record_secrets secrets = {.sign_secret = a->sign_secret, .key = {{9}}, .nonce = {9}};
    claim.header.time.ms++;
    assert_int_equal(OK,
                     record_seal(&claim.header, bytes_of_text("another"), &secrets, &sealed, &id));
    other.bytes = buffer_bytes(&sealed);
    other.key = secrets.key;
    other.header = claim.header;
    return &other;
}

/* A says it to B. */
static void says(struct network *network, const struct other *other)
{
    uint8_t memory[FRAME_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_record record = {true, other->key, other->bytes};
    struct engine_peer peer;
    frame_records_begin(&frame);
    frame_record_write(&frame, &record);
    frame_records_end(&frame, 1);
    for (uint32_t n = 0; engine_peer(runtime_engine(network->houses[1].runtime), n, &peer); n++) {
        if (ID_EQUAL(peer.node, network->houses[0].node))
            driver_frame(network->houses[1].driver, peer.link, buffer_bytes(&frame));
    }
}

static uint32_t forks_shown(const struct network_house *house)
{
    struct engine_status status;
    engine_status(runtime_engine(house->runtime), &status);
    return status.forked_count;
}

/* The row of B about that position. */
struct proof_row {
    const struct network_house *house;
    struct bytes key;
    uint8_t key_memory[STREAM_ID_SIZE + 8];
    struct buffer value;
    uint8_t memory[2 * RECORD_BARE_SIZE + 1];
};

static void proof_row_of(struct proof_row *row, const struct network_house *house,
                         const struct other *other)
{
    struct buffer key = buffer_over(row->key_memory, sizeof row->key_memory);
    stream_id_write(&key, &other->header.stream);
    buffer_u64(&key, other->header.sequence);
    row->key = buffer_bytes(&key);
    row->house = house;
}

static bool says_that_it_is_posted(void *arg)
{
    struct proof_row *row = arg;
    row->value = buffer_over(row->memory, sizeof row->memory);
    return row_table_get(runtime_store(row->house->runtime), STORE_TABLE_HEAD, row->key,
                         &row->value) == OK &&
           row->value.size == sizeof row->memory && row->memory[sizeof row->memory - 1] == 1;
}

static void a_writer_that_says_two_things_at_one_position_is_shown_to_all(void **state)
{
    struct network *network = *state;
    struct network_house *b = &network->houses[1], *c = &network->houses[2];
    struct proof_row row;
    const struct other *other = another_by_a(network);
    says(network, other);
    assert_true(network_until(network, has_heard_of_a_fork, c));
    assert_int_equal(c->told[KIND_FORK_PROOF], 1);
    assert_int_equal(1, forks_shown(b));
    assert_int_equal(1, forks_shown(c));
    /* it proves the fork alone: both headers and both signatures */
    proof_row_of(&row, b, other);
    assert_true(network_until(network, says_that_it_is_posted, &row));
    assert_memory_equal(row.memory, other->bytes.data, RECORD_BARE_SIZE);
    assert_memory_equal(row.memory + RECORD_BARE_SIZE, other->ours, RECORD_BARE_SIZE);
    /* and that stays so, and is not posted again */
    network_shut(network, 1);
    network_open(network, 1);
    network_connect(network, 0, 1);
    network_connect(network, 1, 2);
    assert_int_equal(1, forks_shown(b));
    struct network_case later = network_ask(b, 2);
    assert_true(network_spreads(network, 2, &later.announcement));
    assert_int_equal(c->told[KIND_FORK_PROOF], 1);
}

/* Found, and kept in a row: then the process ended, before the proof stood in our stream. The row
 * is one of an older release, too: it has the other record alone. */
static void a_proof_that_was_not_posted_before_the_end_is_posted_after_the_start(void **state)
{
    struct network *network = *state;
    struct network_house *b = &network->houses[1], *c = &network->houses[2];
    struct proof_row row;
    const struct other *other = another_by_a(network);
    proof_row_of(&row, b, other);
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){STORE_TABLE_HEAD, row.key, {other->bytes.data, RECORD_BARE_SIZE}};
    assert_int_equal(OK, store_submit(runtime_store(b->runtime), &op, 1, STORE_NORMAL, 0));
    network_shut(network, 1);
    assert_int_equal(c->told[KIND_FORK_PROOF], 0);
    network_open(network, 1);
    network_connect(network, 0, 1);
    network_connect(network, 1, 2);
    assert_int_equal(1, forks_shown(b));
    assert_true(network_until(network, has_heard_of_a_fork, c));
    assert_int_equal(1, forks_shown(c));
    assert_true(network_until(network, says_that_it_is_posted, &row));
    assert_memory_equal(row.memory + RECORD_BARE_SIZE, other->ours, RECORD_BARE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TOUCH(what_a_writer_used_is_not_given_back_by_a_restart),
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
        IN_TOUCH(a_proof_that_was_not_posted_before_the_end_is_posted_after_the_start),
        IN_TOUCH(a_writer_that_says_two_things_at_one_position_is_shown_to_all),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
