/* Which bad signature a link answers for, and what becomes of a link that forges (T-36). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protocol/engine/engine.h"
#include "protocol/state/engine_state.h"
#include "tests/harness/cluster.h"

enum { NOBODYS_KEY = 77, WRITER = 2, ONE = 3, HONEST = 5, INSIDE = RUN_COUNT_MAX };

static int given_four_who_are_here(void **state)
{
    struct cluster *cluster = cluster_new(5);
    for (uint32_t i = WRITER; i <= HONEST; i++)
        cluster_meet(cluster, i);
    *state = cluster;
    return 0;
}

static int then_it_ends(void **state)
{
    cluster_free(*state);
    return 0;
}

static struct cluster_pen pen_of(struct cluster *cluster, uint32_t number, const char *board)
{
    struct federation_id federation = roster_federation(&cluster->roster);
    struct scope scope =
        board == NULL ? scope_federation() : scope_board(&federation, bytes_of_text(board));
    return cluster_pen(cluster, number, scope, board == NULL ? AUDIENCE_CLEAR : AUDIENCE_SCOPE);
}

/* The next `count` records in one frame; the signature of the `spoiled`-th is not the writer's. */
static struct bytes write_frame(struct cluster_pen *pen, uint8_t count, uint8_t spoiled)
{
    static uint8_t memory[FRAME_SIZE_MAX], record[RECORD_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    uint8_t public_key[32], secret[64];
    frame_records_begin(&frame);
    for (uint8_t i = 1; i <= count; i++) {
        federation_key(pen->number, i == spoiled ? NOBODYS_KEY : pen->key_number, public_key,
                       secret);
        struct record_secrets secrets = {.sign_secret = secret,
                                         .key = {{(uint8_t)pen->header.sequence, 7}}};
        struct buffer out = buffer_over(record, sizeof record);
        struct record_id id;
        assert_int_equal(OK, record_seal(&pen->header, cluster_words(i), &secrets, &out, &id));
        struct frame_record one = {pen->header.audience != AUDIENCE_CLEAR, secrets.key,
                                   buffer_bytes(&out)};
        frame_record_write(&frame, &one);
        pen->header.sequence++;
        pen->header.previous = id;
    }
    frame_records_end(&frame, count);
    return buffer_bytes(&frame);
}

static uint64_t forged_by(const struct cluster *cluster, uint32_t number)
{
    struct node_id node = federation_node(number);
    const struct forger *forger = forgers_find(&cluster->engine->forgers, &node);
    return forger == NULL ? 0 : forger->total;
}

/* A member forges once; more than a minute later it may be heard about the stream again. */
static void forge(struct cluster *cluster, uint32_t link, const struct cluster_pen *pen)
{
    struct cluster_pen forger = *pen;
    cluster_hear(cluster, link, write_frame(&forger, 1, 1));
    cluster_pass(cluster, 61 * 1000);
}

static void who_passes_on_is_not_blamed_for_what_is_inside_a_run(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = pen_of(cluster, WRITER, "hematology");
    struct cluster_pen again = pen;
    cluster_hear(cluster, ONE, write_frame(&pen, INSIDE + 6, INSIDE));
    assert_int_equal(0, cluster_tail(cluster, &pen)); /* where it was cut, it is not signed */
    assert_int_equal(0, forged_by(cluster, ONE));
    cluster_pass(cluster, 61 * 1000);
    cluster_hear(cluster, ONE, write_frame(&again, INSIDE - 1, INSIDE - 1));
    assert_int_equal(1, forged_by(cluster, ONE));
    assert_int_equal(0, forged_by(cluster, WRITER));
}

static void what_another_roster_may_explain_counts_against_the_writer_alone(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = pen_of(cluster, WRITER, "hematology");
    struct node_id one = federation_node(ONE), writer = federation_node(WRITER);
    peers_of_node(cluster->engine, &one)->relation = CHAIN_PEER_AHEAD;
    peers_of_node(cluster->engine, &writer)->relation = CHAIN_PEER_AHEAD;
    forge(cluster, ONE, &pen);
    forge(cluster, WRITER, &pen);
    assert_int_equal(0, forged_by(cluster, ONE));
    assert_int_equal(1, forged_by(cluster, WRITER));
}

static unsigned effects_of(const struct cluster *cluster, enum effect_kind kind)
{
    unsigned count = 0;
    for (size_t i = 0; i < cluster->step.effect_count; i++)
        count += cluster->step.effects[i].kind == kind ? 1 : 0;
    return count;
}

/* What the engine does when a check of one forged record was made. */
static void forge_step(struct cluster *cluster, const struct cluster_pen *pen)
{
    struct cluster_pen forger = *pen;
    struct event event = cluster_event(cluster, EVENT_FRAME);
    static struct step_record record;
    static uint8_t memory[RECORD_SIZE_MAX];
    event.link.value = ONE;
    event.frame = write_frame(&forger, 1, 1);
    engine_step(cluster->engine, &event, &cluster->step);
    assert_int_equal(1, effects_of(cluster, EFFECT_CHECK));
    struct step_batch batch = cluster->step.effects[0].batch;
    static struct step_run run;
    run = batch.runs[0];
    record = batch.records[0];
    memcpy(memory, record.record.data, record.record.size);
    record.record.data = memory;
    run.verdict = ERR_BAD_SIGNATURE;
    event = cluster_event(cluster, EVENT_CHECKED);
    event.link.value = ONE;
    event.batch = (struct step_batch){&run, 1, &record, 1};
    engine_step(cluster->engine, &event, &cluster->step);
}

static void a_forger_is_told_once_and_its_link_is_cut_and_refused(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = pen_of(cluster, ONE, "hematology");
    for (int i = 1; i <= FORGERY_COUNT_MAX; i++) {
        forge_step(cluster, &pen);
        bool is_last = i == FORGERY_COUNT_MAX;
        assert_int_equal(i == 1 || is_last ? 1 : 0, effects_of(cluster, EFFECT_FORGER));
        assert_int_equal(is_last ? 1 : 0, effects_of(cluster, EFFECT_HANGUP));
        if (!is_last)
            cluster_pass(cluster, 61 * 1000);
    }
    struct event event = cluster_event(cluster, EVENT_LINK_UP);
    event.link.value = 99;
    event.peer = roster_find(&cluster->roster, &pen.header.stream.writer)->transport_key;
    engine_step(cluster->engine, &event, &cluster->step);
    assert_int_equal(1, effects_of(cluster, EFFECT_HANGUP));
    cluster_hear(cluster, ONE, write_frame(&pen, 1, 0)); /* it was under way */
    assert_int_equal(0, cluster_tail(cluster, &pen));
    struct cluster_pen honest = pen_of(cluster, HONEST, "hematology");
    cluster_hear(cluster, HONEST, write_frame(&honest, 1, 0));
    assert_int_equal(1, cluster_tail(cluster, &honest));
}

/* Sixteen at once, one a second: a forger takes no more time than that from others. */
static void what_a_forger_sends_is_checked_slowly(void **state)
{
    struct cluster *cluster = *state;
    struct cluster_pen pen = pen_of(cluster, ONE, NULL);
    struct cluster_pen board = pen_of(cluster, ONE, "hematology");
    forge(cluster, ONE, &board);
    for (int i = 0; i < FORGER_CHECK_COUNT; i++)
        cluster_hear(cluster, ONE, write_frame(&pen, 1, 0));
    assert_int_equal(FORGER_CHECK_COUNT, cluster_tail(cluster, &pen));
    struct cluster_pen again = pen;
    cluster_hear(cluster, ONE, write_frame(&pen, 1, 0));
    assert_int_equal(FORGER_CHECK_COUNT, cluster_tail(cluster, &pen));
    cluster_pass(cluster, FORGER_CHECK_MS);
    cluster_hear(cluster, ONE, write_frame(&again, 1, 0));
    assert_int_equal(FORGER_CHECK_COUNT + 1, cluster_tail(cluster, &pen));
}

#define AMONG_FOUR(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, given_four_who_are_here, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AMONG_FOUR(who_passes_on_is_not_blamed_for_what_is_inside_a_run),
        AMONG_FOUR(what_another_roster_may_explain_counts_against_the_writer_alone),
        AMONG_FOUR(a_forger_is_told_once_and_its_link_is_cut_and_refused),
        AMONG_FOUR(what_a_forger_sends_is_checked_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
