/* Who gets what by which door: each kind of member x each way in which a record or a chunk leaves.
 *
 * The node is the requester of a case and writes on a board. Every cell is asked of the core as the
 * member itself would ask; what went to it is what the table says, and nothing more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/harness/cluster_case.h"

enum got { NOTHING, BARE, KEY }; /* BARE: header and signature */
static const char *const got_names[] = {"nothing", "header and signature", "the key"};

struct ask {
    const char *who;
    uint32_t number;
    enum got board_old, board_new; /* written before and after the boards of some were changed */
    enum got of_case;
    err items;
};

enum { NEWCOMER = 13, STRANGER = 40 };

static const struct ask asks[] = {
    {"admitted", 2, KEY, KEY, KEY, OK},
    {"cooling off", NEWCOMER, BARE, BARE, BARE, ERR_COOLING_OFF},
    {"suspended", 4, NOTHING, NOTHING, NOTHING, ERR_UNKNOWN_MEMBER},
    {"removed", 5, NOTHING, NOTHING, NOTHING, ERR_UNKNOWN_MEMBER},
    {"board added just now", 6, BARE, BARE, KEY, OK},
    {"board added a while ago", 12, BARE, KEY, KEY, OK},
    {"reinstated just now", 7, BARE, BARE, BARE, ERR_COOLING_OFF},
    {"grant given", 8, KEY, KEY, KEY, OK},
    {"grant ended", 9, KEY, KEY, BARE, ERR_NOT_ENTITLED},
    {"never joined", 10, KEY, KEY, NOTHING, ERR_NOT_ENTITLED},
    {"another board", 3, NOTHING, NOTHING, NOTHING, ERR_NOT_ENTITLED},
    {"stranger", STRANGER, NOTHING, NOTHING, NOTHING, ERR_UNKNOWN_MEMBER},
};
enum { ASK_COUNT = sizeof asks / sizeof asks[0] };

struct house {
    struct cluster *cluster;
    struct cluster_case one;
    struct stream_id board;
    uint64_t board_old, board_new, of_case; /* the positions that are asked for */
};

/* ---- the story before ---- */

static uint64_t epoch_next(const struct cluster *cluster)
{
    return roster_current_head(&cluster->roster)->epoch + 1;
}

static void put(struct cluster *cluster, uint32_t number, enum member_state state,
                const char *added)
{
    uint64_t epoch = epoch_next(cluster);
    uint64_t since = number == NEWCOMER ? epoch : 1;
    struct member member = federation_member(number, since);
    bool is_back = state == MEMBER_ADMITTED && added == NULL && number != NEWCOMER;
    member.state = state;
    if (state != MEMBER_ADMITTED || is_back)
        member.state_since_epoch = epoch;
    if (added != NULL || is_back)
        member.boards[0].since_epoch = epoch;
    if (added != NULL)
        member.boards[0].tag = bytes_of_text(added);
    federation_put_member(&cluster->society, &member);
}

static uint64_t say(struct house *house, struct scope scope, uint16_t kind, const void *value)
{
    struct cluster_pen pen = cluster_pen(house->cluster, 1, scope, AUDIENCE_SCOPE);
    assert_int_equal(OK, cluster_post(house->cluster, scope, AUDIENCE_SCOPE,
                                      cluster_body(house->cluster, &pen, kind, value)));
    return cluster_tail(house->cluster, &pen);
}

static uint64_t announce(struct house *house)
{
    uint8_t memory[2048];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct case_record_open open = cluster_opening(&house->one, &content);
    struct announcement announcement;
    assert_int_equal(OK, announcement_read(open.announcement, &announcement));
    return say(house, house->board.scope, KIND_ANNOUNCEMENT, &announcement);
}

static void grant_all(struct house *house)
{
    for (size_t i = 0; i < ASK_COUNT; i++) {
        bool is_out = asks[i].number == 10 || asks[i].number == 3 || asks[i].number == STRANGER;
        struct case_record_grant grant = {.participant = federation_node(asks[i].number)};
        if (!is_out)
            (void)say(house, house->one.scope, KIND_GRANT, &grant);
    }
    struct case_record_grant_end end = {.participant = federation_node(9)};
    (void)say(house, house->one.scope, KIND_GRANT_END, &end);
}

static void heads_come(struct house *house)
{
    struct cluster *cluster = house->cluster;
    const uint32_t elsewhere[] = {3, 6, 12};
    for (size_t i = 0; i < 3; i++)
        put(cluster, elsewhere[i], MEMBER_ADMITTED, "oncology");
    cluster_head(cluster);
    house->board_old = announce(house);
    put(cluster, 12, MEMBER_ADMITTED, "hematology");
    cluster_head(cluster);
    cluster_pass(cluster, 73 * FEDERATION_HOUR_MS);
    put(cluster, 4, MEMBER_SUSPENDED, NULL);
    put(cluster, 5, MEMBER_SUSPENDED, NULL);
    put(cluster, 6, MEMBER_ADMITTED, "hematology");
    put(cluster, 7, MEMBER_SUSPENDED, NULL);
    put(cluster, NEWCOMER, MEMBER_ADMITTED, NULL);
    cluster_head(cluster);
    put(cluster, 5, MEMBER_REMOVED, NULL);
    put(cluster, 7, MEMBER_ADMITTED, NULL);
    cluster_head(cluster);
}

static int given_a_house_among_many(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    uint8_t memory[2048];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    house->cluster = cluster_new(12);
    struct federation_id federation = roster_federation(&house->cluster->roster);
    house->board = (struct stream_id){scope_board(&federation, bytes_of_text("hematology")),
                                      federation_node(1), 1};
    house->one = cluster_case(house->cluster, 1);
    struct case_record_open open = cluster_opening(&house->one, &announcement);
    (void)say(house, house->one.scope, KIND_OPEN, &open);
    heads_come(house);
    grant_all(house);
    for (size_t i = 0; i < ASK_COUNT; i++)
        cluster_meet(house->cluster, asks[i].number);
    house->board_new = announce(house);
    struct case_record_extend extend = {
        .deadline = {house->one.pen.header.time.ms + 200 * 24 * FEDERATION_HOUR_MS}};
    house->of_case = say(house, house->one.scope, KIND_EXTEND, &extend);
    *state = house;
    return 0;
}

static int then_it_ends(void **state)
{
    struct house *house = *state;
    cluster_free(house->cluster);
    free(house);
    return 0;
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, given_a_house_among_many, then_it_ends)

/* ---- the doors ---- */

/* What went to the member of this position; a key that goes anywhere counts. */
static enum got got(struct house *house, uint32_t number, const struct stream_id *stream,
                    uint64_t sequence)
{
    enum got best = NOTHING;
    for (size_t i = 0; i < house->cluster->sent_count; i++) {
        const struct cluster_sent *sent = &house->cluster->sent[i];
        struct reader reader;
        struct frame_record record;
        struct record_claim claim;
        uint16_t count;
        if (sent->link.value != number || sent->data[0] != FRAME_RECORDS)
            continue;
        assert_int_equal(
            OK, frame_records_open((struct bytes){sent->data, sent->size}, &reader, &count));
        while (count-- > 0 && frame_record_read(&reader, &record) == OK) {
            assert_int_equal(OK, record_parse(record.record, &claim));
            if (!stream_id_equal(&claim.header.stream, stream) || claim.header.sequence != sequence)
                continue;
            assert_true(record.has_key != claim.is_bare); /* all or nothing */
            best = record.has_key ? KEY : BARE;
        }
    }
    return best;
}

static bool is_as_said(const struct ask *ask, const char *door, enum got said, enum got found)
{
    if (said != found)
        print_error("%s, %s: %s went, and not %s\n", ask->who, door, got_names[found],
                    got_names[said]);
    return said == found;
}

static enum got wanted(struct house *house, uint32_t number, const struct stream_id *stream,
                       uint64_t sequence, uint64_t from, uint16_t count)
{
    struct frame_want want = {.stream = *stream, .from = from, .count = count};
    uint8_t memory[128];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_want_write(&frame, &want);
    cluster_forget_sent(house->cluster);
    cluster_hear(house->cluster, number, buffer_bytes(&frame));
    for (size_t i = 0; i < ASK_COUNT; i++) { /* and nothing to anybody else */
        if (asks[i].number != number)
            assert_int_equal(NOTHING, got(house, asks[i].number, stream, sequence));
    }
    return got(house, number, stream, sequence);
}

static void a_range_gives_what_the_member_may_have(void **state)
{
    struct house *house = *state;
    struct stream_id of_case = {house->one.scope, federation_node(1), 1};
    bool is_good = true;
    for (size_t i = 0; i < ASK_COUNT; i++) {
        const struct ask *ask = &asks[i];
        uint32_t n = ask->number;
        is_good &= is_as_said(ask, "range, board, old", ask->board_old,
                              wanted(house, n, &house->board, house->board_old, 1, 64));
        is_good &= is_as_said(ask, "range, board, new", ask->board_new,
                              wanted(house, n, &house->board, house->board_new, 1, 64));
        is_good &= is_as_said(ask, "range, case", ask->of_case,
                              wanted(house, n, &of_case, house->of_case, 1, 64));
    }
    assert_true(is_good);
}

static void a_fill_gives_what_the_member_may_have(void **state)
{
    struct house *house = *state;
    struct stream_id of_case = {house->one.scope, federation_node(1), 1};
    bool is_good = true;
    for (size_t i = 0; i < ASK_COUNT; i++) {
        const struct ask *ask = &asks[i];
        uint32_t n = ask->number;
        uint64_t old = house->board_old, new = house->board_new, at = house->of_case;
        is_good &= is_as_said(ask, "fill, board, old", ask->board_old,
                              wanted(house, n, &house->board, old, old, 1));
        is_good &= is_as_said(ask, "fill, board, new", ask->board_new,
                              wanted(house, n, &house->board, new, new, 1));
        is_good &=
            is_as_said(ask, "fill, case", ask->of_case, wanted(house, n, &of_case, at, at, 1));
    }
    assert_true(is_good);
}

/* The member says that it has all of the stream, so that what comes next is pushed to it. */
static void is_in_step(struct house *house, uint32_t number, const struct stream_id *stream,
                       uint64_t tail)
{
    struct frame_position position = {.stream = *stream, .tail = tail, .had = tail};
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_positions_begin(&frame, FRAME_ACK, 1);
    frame_position_write(&frame, &position);
    cluster_hear(house->cluster, number, buffer_bytes(&frame));
}

static void a_push_gives_what_the_member_may_have(void **state)
{
    struct house *house = *state;
    struct stream_id of_case = {house->one.scope, federation_node(1), 1};
    struct case_record_extend extend = {
        .deadline = {house->one.pen.header.time.ms + 300 * 24 * FEDERATION_HOUR_MS}};
    bool is_good = true;
    uint64_t tail = 0, had = 0;
    assert_true(engine_position(house->cluster->engine, &house->board, &tail, &had));
    for (size_t i = 0; i < ASK_COUNT; i++) {
        is_in_step(house, asks[i].number, &house->board, tail);
        is_in_step(house, asks[i].number, &of_case, house->of_case);
    }
    cluster_forget_sent(house->cluster);
    uint64_t extended = say(house, house->one.scope, KIND_EXTEND, &extend);
    uint64_t mirrored = tail + 1; /* EXTEND is mirrored on the board */
    for (size_t i = 0; i < ASK_COUNT; i++) {
        const struct ask *ask = &asks[i];
        is_good &= is_as_said(ask, "push, case", ask->of_case,
                              got(house, ask->number, &of_case, extended));
        is_good &= is_as_said(ask, "push, board", ask->board_new,
                              got(house, ask->number, &house->board, mirrored));
    }
    assert_true(is_good);
}

static void chunks_go_to_whom_the_case_gives_access(void **state)
{
    struct house *house = *state;
    bool is_good = true;
    for (size_t i = 0; i < ASK_COUNT; i++) {
        struct node_id node = federation_node(asks[i].number);
        err verdict = engine_may_have_items(house->cluster->engine, &node, &house->one.id);
        if (verdict != asks[i].items)
            print_error("%s, chunks: %s\n", asks[i].who, err_name(verdict));
        is_good &= verdict == asks[i].items;
    }
    assert_true(is_good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(a_push_gives_what_the_member_may_have),
        IN_HOUSE(a_range_gives_what_the_member_may_have),
        IN_HOUSE(a_fill_gives_what_the_member_may_have),
        IN_HOUSE(chunks_go_to_whom_the_case_gives_access),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
