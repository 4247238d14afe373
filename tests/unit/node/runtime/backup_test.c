/* An older copy of a store is put back: what was written after it must not be written again
 * differently, for that would be to say two things at one position. */
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/rollback/rollback_check.h"
#include "node/rows/node_row.h"
#include "protocol/contents/mirror.h"
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

static void run(const char *const *arguments)
{
    pid_t child;
    int status;
    assert_int_equal(posix_spawnp(&child, arguments[0], NULL, NULL,
                                  (char *const *)(uintptr_t)arguments, environ),
                     0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void copy(const char *from, const char *to)
{
    run((const char *const[]){"rm", "-rf", to, NULL});
    run((const char *const[]){"cp", "-a", from, to, NULL});
}

static struct record_id post(struct network_house *house, const struct scope *scope, uint8_t seed)
{
    struct mirror mirror = {.case_id = {{seed}}, .what = MIRROR_CLOSED};
    return network_write(house, scope, KIND_MIRROR, &mirror);
}

static uint32_t forked_count(const struct network_house *house)
{
    struct engine_status status;
    engine_status(runtime_engine(house->runtime), &status);
    return status.forked_count;
}

/* ---- a house whose store is put back ---- */

struct story {
    struct network *network;
    struct network_house *house;
    struct scope scope; /* a board */
    char backup[160];
};

static struct story story_of(struct network *network)
{
    struct story story = {.network = network, .house = &network->houses[0]};
    struct federation_id federation = roster_federation(&network->society.roster);
    story.scope = scope_board(&federation, bytes_of_text("hematology"));
    snprintf(story.backup, sizeof story.backup, "%s/backup", network->folder);
    return story;
}

static void back_up(const struct story *story)
{
    network_shut(story->network, 0);
    copy(story->house->data, story->backup);
    network_open(story->network, 0);
}

static void put_back(const struct story *story)
{
    network_shut(story->network, 0);
    copy(story->backup, story->house->data);
    network_open(story->network, 0);
}

/* Some records, which the house at the other end of the one wire gets. */
static void write_some(const struct story *story, int to)
{
    for (uint8_t seed = 2; seed < 6; seed++) {
        struct record_id id = post(story->house, &story->scope, seed);
        assert_true(network_spreads(story->network, to, &id));
    }
}

static void ask(const struct story *story, struct network_posted *posted)
{
    struct mirror mirror = {.case_id = {{99}}, .what = MIRROR_CLOSED};
    network_begin(story->house, &story->scope, KIND_MIRROR, &mirror, posted);
}

static void assert_written(const struct story *story, struct network_posted *posted,
                           uint32_t generation, uint64_t sequence)
{
    struct stream_id stream;
    assert_true(network_until(story->network, network_is_posted, posted));
    assert_int_equal(OK, posted->done.verdict);
    stream = engine_own_stream(runtime_engine(story->house->runtime), &story->scope);
    assert_int_equal(generation, stream.generation);
    assert_int_equal(sequence, posted->done.sequence);
}

static void assert_no_forks(const struct story *story, const struct network_posted *posted)
{
    for (int i = 1; i < NETWORK_HOUSE_COUNT; i++)
        assert_true(network_spreads(story->network, i, &posted->done.record));
    network_pass(story->network, 100);
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        assert_int_equal(0, forked_count(&story->network->houses[i]));
}

static void meet(const struct story *story)
{
    for (int i = 1; i < NETWORK_HOUSE_COUNT; i++)
        network_connect(story->network, 0, i);
}

static void
an_older_copy_of_the_store_learns_what_it_wrote_and_goes_on_in_a_new_generation(void **state)
{
    struct network *network = *state;
    struct story story = story_of(network);
    struct network_posted posted;
    (void)post(story.house, &story.scope, 1);
    back_up(&story);
    meet(&story);
    write_some(&story, 1);
    network->survey_ms = 300;
    put_back(&story);
    /* somebody asks at once; the others come a moment later */
    ask(&story, &posted);
    network_pass(network, 100);
    assert_false(posted.is_done);
    meet(&story);
    assert_written(&story, &posted, 2, 1);
    assert_no_forks(&story, &posted);
    /* what was lost came back */
    uint64_t tail, had;
    struct stream_id first = {story.scope, story.house->node, 1};
    assert_true(engine_position(runtime_engine(story.house->runtime), &first, &tail, &had));
    assert_int_equal(5, tail);
    /* T-14: an end stays an end; the next generation goes on over the next start */
    network_shut(network, 0);
    network_open(network, 0);
    meet(&story);
    ask(&story, &posted);
    assert_written(&story, &posted, 2, 2);
}

/* T-13: the others would be told two things at one position if it wrote. */
static void without_a_marker_nobody_writes_on_one_members_word(void **state)
{
    struct network *network = *state;
    struct story story = story_of(network);
    struct network_posted posted;
    network->survey_ms = 50;
    network_shut(network, 0);
    network_open(network, 0);
    ask(&story, &posted);
    network_pass(network, 400);
    assert_false(posted.is_done);
    network_connect(network, 0, 1);
    network_pass(network, 400);
    assert_false(posted.is_done);
    network_connect(network, 0, 2);
    assert_written(&story, &posted, 1, 1);
}

/* A town whose houses have markers, begun. */
static struct story given_markers(struct network *network)
{
    struct story story = story_of(network);
    network->survey_ms = 50;
    network->has_markers = true;
    network_shut(network, 0);
    network_open(network, 0);
    meet(&story);
    (void)post(story.house, &story.scope, 1);
    char path[160];
    snprintf(path, sizeof path, "%s.marker", story.house->data);
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    while (access(path, R_OK) != 0 && runtime_mono().ms < end)
        network_turn(network);
    assert_int_equal(0, access(path, R_OK));
    return story;
}

static void with_a_marker_a_node_that_is_alone_writes_on(void **state)
{
    struct story story = given_markers(*state);
    struct network_posted posted;
    for (uint64_t sequence = 2; sequence < 5; sequence++) {
        network_shut(story.network, 0);
        network_open(story.network, 0);
        ask(&story, &posted);
        assert_written(&story, &posted, 1, sequence);
    }
}

static void a_marker_tells_an_older_copy_which_then_writes_nothing_alone(void **state)
{
    struct story story = given_markers(*state);
    struct network_posted posted;
    back_up(&story);
    meet(&story);
    write_some(&story, 1);
    put_back(&story);
    ask(&story, &posted);
    network_pass(story.network, 400);
    assert_false(posted.is_done);
    meet(&story);
    assert_written(&story, &posted, 2, 1);
    assert_no_forks(&story, &posted);
    /* the marker was begun anew: now it is this store's */
    network_pass(story.network, 2 * ROLLBACK_CHECK_INTERVAL_MS);
    network_shut(story.network, 0);
    network_open(story.network, 0);
    ask(&story, &posted);
    assert_written(&story, &posted, 2, 2);
}

static void copy_marker(const struct story *story, bool is_back)
{
    char marker[200], kept[200];
    snprintf(marker, sizeof marker, "%s.marker", story->house->data);
    snprintf(kept, sizeof kept, "%s/backup.marker", story->network->folder);
    copy(is_back ? kept : marker, is_back ? marker : kept);
}

/* T-34: the marker says no more than the store, for both are of yesterday. */
static void a_marker_that_was_put_back_with_its_store_vouches_for_nothing(void **state)
{
    struct story story = given_markers(*state);
    struct network_posted posted;
    network_shut(story.network, 0);
    copy(story.house->data, story.backup);
    copy_marker(&story, false);
    network_open(story.network, 0);
    meet(&story);
    write_some(&story, 1);
    network_shut(story.network, 0);
    copy(story.backup, story.house->data);
    copy_marker(&story, true);
    network_open(story.network, 0);
    ask(&story, &posted);
    network_pass(story.network, 400);
    assert_false(posted.is_done);
    meet(&story);
    assert_written(&story, &posted, 2, 1);
    assert_no_forks(&story, &posted);
}

/* T-35: it stops at once, and what the other one wrote is asked of the others after a restart. */
static void who_is_not_alone_under_its_name_writes_nothing_and_trusts_no_store(void **state)
{
    struct story story = given_markers(*state);
    struct network_posted stopped, posted;
    driver_second(story.house->driver);
    assert_int_equal(STANDING_DOUBLED, engine_standing(runtime_engine(story.house->runtime)));
    ask(&story, &stopped);
    network_pass(story.network, 400);
    assert_false(stopped.is_done);
    network_pass(story.network, 2 * ROLLBACK_CHECK_INTERVAL_MS);
    network_shut(story.network, 0);
    assert_int_equal(ERR_BUSY, stopped.done.verdict);
    network_open(story.network, 0);
    assert_int_equal(STANDING_GOOD, engine_standing(runtime_engine(story.house->runtime)));
    ask(&story, &posted);
    network_pass(story.network, 400);
    assert_false(posted.is_done);
    meet(&story);
    assert_written(&story, &posted, 2, 1);
    assert_no_forks(&story, &posted);
}

/* The one that it meets never had what was lost; the one that had it comes later. */
static void what_only_an_absent_member_holds_makes_no_fork(void **state)
{
    struct story story = given_markers(*state);
    struct network_posted posted;
    network_cut(story.network, 1, 2);
    back_up(&story);
    meet(&story);
    write_some(&story, 1); /* heads are compared, keys leave */
    network_cut(story.network, 0, 1);
    write_some(&story, 2);
    put_back(&story);
    network_connect(story.network, 0, 1);
    ask(&story, &posted);
    assert_written(&story, &posted, 2, 1);
    network_connect(story.network, 0, 2);
    assert_no_forks(&story, &posted);
}

/* What `consiliumd restore` writes into a store. */
static void mark_as_restored(const struct story *story)
{
    uint8_t memory[NODE_ROW_RESTORED_SIZE];
    char problem[STORE_PROBLEM_SIZE];
    struct store *store;
    const struct store_options options = {.is_any_owner = true};
    const struct node_row_restored restored = {{1}, {2}};
    struct store_op op = node_row_restored_put(&restored, memory);
    assert_int_equal(
        OK, store_open(story->house->data, story->house->store_key, &options, problem, &store));
    assert_int_equal(OK, store_commit(store, &op, 1, STORE_NORMAL, NULL));
    store_close(store);
}

static void put_back_with_the_mark(const struct story *story, bool brings_marker)
{
    char marker[192], kept[192];
    snprintf(marker, sizeof marker, "%s.marker", story->house->data);
    snprintf(kept, sizeof kept, "%s.marker", story->backup);
    network_shut(story->network, 0);
    copy(story->backup, story->house->data);
    if (brings_marker)
        copy(kept, marker);
    else
        run((const char *const[]){"rm", "-f", marker, NULL});
    mark_as_restored(story);
    network_open(story->network, 0);
}

/* S-18: a marker that lay in the same backup says what the store says, and is not believed. */
static void a_restored_store_is_an_older_copy_whatever_its_marker_says(void **state)
{
    struct story story = given_markers(*state);
    struct network_posted posted;
    char marker[192], kept[192];
    snprintf(marker, sizeof marker, "%s.marker", story.house->data);
    snprintf(kept, sizeof kept, "%s.marker", story.backup);
    back_up(&story);
    network_shut(story.network, 0);
    copy(marker, kept);
    network_open(story.network, 0);
    meet(&story);
    write_some(&story, 1);
    put_back_with_the_mark(&story, true);
    ask(&story, &posted);
    network_connect(story.network, 0, 2);
    network_pass(story.network, 400);
    assert_false(posted.is_done);
    struct engine_status status;
    engine_status(runtime_engine(story.house->runtime), &status);
    assert_true(status.keys_wait);
    network_connect(story.network, 0, 1);
    assert_written(&story, &posted, 2, 1);
    assert_no_forks(&story, &posted);
}

/* T-32: in what it wrote since, it may have ended an access. */
static void a_restored_store_hands_out_no_key_before_what_it_wrote_is_back(void **state)
{
    struct story story = given_markers(*state);
    const struct engine *engine;
    struct engine_status status;
    uint64_t tail = 0, had, end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    back_up(&story);
    meet(&story);
    write_some(&story, 1);
    put_back_with_the_mark(&story, false);
    engine = runtime_engine(story.house->runtime);
    struct stream_id first = {story.scope, story.house->node, 1};
    meet(&story);
    do {
        network_turn(story.network);
        engine_status(engine, &status);
        assert_true(engine_position(engine, &first, &tail, &had));
        assert_true(status.keys_wait || tail == 5);
    } while (status.keys_wait && runtime_mono().ms < end);
    assert_false(status.keys_wait);
}

/* The mark is taken away when its work is done: a start is no restore. */
static void a_restored_store_is_restored_once(void **state)
{
    struct story story = given_markers(*state);
    struct network_posted posted;
    back_up(&story);
    meet(&story);
    write_some(&story, 1);
    put_back_with_the_mark(&story, false);
    for (int i = 0; i < 2; i++) { /* not before it is known what was written */
        ask(&story, &posted);
        network_pass(story.network, 400);
        assert_false(posted.is_done);
        network_shut(story.network, 0);
        network_open(story.network, 0);
    }
    meet(&story);
    ask(&story, &posted);
    assert_written(&story, &posted, 2, 1);
    network_pass(story.network, 2 * ROLLBACK_CHECK_INTERVAL_MS);
    network_shut(story.network, 0);
    network_open(story.network, 0);
    ask(&story, &posted);
    assert_written(&story, &posted, 2, 2);
}

static void a_node_is_restored_a_few_times_a_year_and_no_more(void **state)
{
    struct network *network = *state;
    struct story story = story_of(network);
    struct network_posted posted;
    uint64_t most = roster_settings(runtime_roster(story.house->runtime))->generation_count_max;
    meet(&story);
    (void)post(story.house, &story.scope, 1);
    for (uint32_t i = 0; i <= most; i++) {
        back_up(&story);
        meet(&story);
        write_some(&story, 1);
        network->survey_ms = 50;
        put_back(&story);
        meet(&story);
        ask(&story, &posted);
        if (i < most)
            assert_written(&story, &posted, i + 2, 1);
    }
    assert_true(network_until(network, network_is_posted, &posted));
    assert_int_equal(ERR_OVER_BUDGET, posted.done.verdict);
}

#define IN_NETWORK(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, given_a_network_in_touch, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_NETWORK(an_older_copy_of_the_store_learns_what_it_wrote_and_goes_on_in_a_new_generation),
        IN_NETWORK(without_a_marker_nobody_writes_on_one_members_word),
        IN_NETWORK(with_a_marker_a_node_that_is_alone_writes_on),
        IN_NETWORK(a_marker_tells_an_older_copy_which_then_writes_nothing_alone),
        IN_NETWORK(a_marker_that_was_put_back_with_its_store_vouches_for_nothing),
        IN_NETWORK(who_is_not_alone_under_its_name_writes_nothing_and_trusts_no_store),
        IN_NETWORK(what_only_an_absent_member_holds_makes_no_fork),
        IN_NETWORK(a_restored_store_is_an_older_copy_whatever_its_marker_says),
        IN_NETWORK(a_restored_store_hands_out_no_key_before_what_it_wrote_is_back),
        IN_NETWORK(a_restored_store_is_restored_once),
        IN_NETWORK(a_node_is_restored_a_few_times_a_year_and_no_more),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
