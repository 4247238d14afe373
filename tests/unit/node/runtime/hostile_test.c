/* A member that means harm, at the end of a link: it is in the roster, and says what it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/views/inbox.h"
#include "protocol/contents/mirror.h"
#include "protocol/wire/frame.h"
#include "tests/harness/network.h"

enum { MALLORY = 2, FLOOD_FRAMES = 80 };

/* Frames to the third house end here: nobody is at home, but somebody reads and writes. */
struct hostile {
    struct network *network;
    struct network_wire *wires[2]; /* to the honest houses */
    unsigned heard[256];           /* frames by type */
};

static bool hostile_on_frame(void *arg, const struct network_house *from,
                             const struct network_house *to, struct network_frame *frame)
{
    struct hostile *hostile = arg;
    (void)from;
    if (to->number != MALLORY + 1)
        return true;
    hostile->heard[frame->data[0]]++;
    return false;
}

static void hostile_say(struct hostile *hostile, int to, struct bytes frame)
{
    struct network_wire *wire = hostile->wires[to];
    if (wire->is_up)
        driver_frame(hostile->network->houses[to].driver, wire->links[0], frame);
}

static void hostile_hello(struct hostile *hostile, int to)
{
    const struct roster *roster = runtime_roster(hostile->network->houses[to].runtime);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(roster),
                                .epoch = roster_current_head(roster)->epoch,
                                .head = roster_current_id(roster),
                                .time = runtime_wall()};
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_hello_write(&frame, &hello);
    hostile_say(hostile, to, buffer_bytes(&frame));
}

static void hostile_dial(struct hostile *hostile, int to)
{
    struct network *network = hostile->network;
    struct network_wire *wire = network->wires;
    while (wire->is_up)
        wire++;
    wire->is_up = true;
    wire->ends[0] = &network->houses[to];
    wire->ends[1] = &network->houses[MALLORY];
    for (int end = 0; end < 2; end++) {
        wire->links[end].value = ++network->link_last;
        wire->lanes[end].end = &wire->lanes[end].first;
    }
    hostile->wires[to] = wire;
    driver_link_up(network->houses[to].driver, wire->links[0], &network->houses[MALLORY].transport);
    hostile_hello(hostile, to);
}

/* Two houses in touch; the third was at home, and now somebody else sits there. */
static int given_two_honest_houses_and_one_that_is_not(void **state)
{
    struct hostile *hostile = calloc(1, sizeof *hostile);
    assert_non_null(hostile);
    hostile->network = network_new_in_touch();
    network_pass(hostile->network, 100);
    network_shut(hostile->network, MALLORY);
    hostile->network->on_frame = hostile_on_frame;
    hostile->network->arg = hostile;
    for (int to = 0; to < 2; to++)
        hostile_dial(hostile, to);
    *state = hostile;
    return 0;
}

static int then_it_ends(void **state)
{
    struct hostile *hostile = *state;
    network_free(hostile->network);
    free(hostile);
    return 0;
}

#define HOSTILE(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, given_two_honest_houses_and_one_that_is_not, then_it_ends)

static uint32_t stream_count(const struct hostile *hostile, int of)
{
    struct engine_status status;
    engine_status(runtime_engine(hostile->network->houses[of].runtime), &status);
    return status.stream_count;
}

static void hostile_claim(struct hostile *hostile, int to, const struct frame_position *positions,
                          uint16_t count)
{
    uint8_t *memory = malloc(FRAME_SIZE_MAX);
    struct buffer frame = buffer_over(memory, FRAME_SIZE_MAX);
    frame_positions_begin(&frame, FRAME_STREAMS, count);
    for (uint16_t i = 0; i < count; i++)
        frame_position_write(&frame, &positions[i]);
    hostile_say(hostile, to, buffer_bytes(&frame));
    free(memory);
}

/* The honest houses go on: what one posts, the other gets. */
static void assert_they_go_on(struct hostile *hostile, uint8_t seed)
{
    struct network_case one = network_ask(&hostile->network->houses[1], seed);
    assert_true(network_spreads(hostile->network, 0, &one.announcement));
    one = network_ask(&hostile->network->houses[0], (uint8_t)(seed + 1));
    assert_true(network_spreads(hostile->network, 1, &one.announcement));
}

static void streams_that_are_made_up_fill_no_table(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    static struct frame_position positions[FRAME_POSITION_COUNT_MAX];
    uint32_t before = stream_count(hostile, 0);
    for (int i = 0; i < FLOOD_FRAMES; i++) {
        for (size_t j = 0; j < FRAME_POSITION_COUNT_MAX; j++) {
            struct frame_position *position = &positions[j];
            *position = (struct frame_position){.tail = UINT64_MAX - j, .had = j};
            position->stream.generation = 1 + randombytes_uniform(2);
            position->stream.scope.kind = (enum scope_kind)(1 + randombytes_uniform(4));
            position->stream.writer = network->houses[randombytes_uniform(3)].node;
            randombytes_buf(position->stream.scope.id, HASH_SIZE);
            if (position->stream.scope.kind == SCOPE_FEDERATION)
                position->stream.scope = scope_federation();
        }
        hostile_claim(hostile, 0, positions, FRAME_POSITION_COUNT_MAX);
    }
    /* of our own cases, which nobody else can disprove, a bounded number */
    assert_true(stream_count(hostile, 0) - before <= 1024 + 8);
    assert_they_go_on(hostile, 1);
}

static void nobody_else_opens_a_generation_of_ours(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    struct frame_position position = {.tail = 9, .had = 9};
    position.stream = (struct stream_id){scope_federation(), network->houses[0].node, 2};
    hostile_claim(hostile, 0, &position, 1);
    struct scope scope = scope_federation();
    struct stream_id own = engine_own_stream(runtime_engine(network->houses[0].runtime), &scope);
    assert_int_equal(1, own.generation);
}

/* Who claims much and gives nothing: every want is refused at once, and the claim comes again. */
static void who_gives_nothing_shuts_nobody_out(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    network_cut(network, 0, 1);
    struct network_case one = network_ask(&network->houses[1], 1);
    struct frame_position position = {.tail = UINT64_MAX, .had = 0};
    struct federation_id federation = roster_federation(&network->society.roster);
    position.stream = (struct stream_id){scope_board(&federation, bytes_of_text("hematology")),
                                         network->houses[1].node, 1};
    struct network_sought sought = {&network->houses[0], one.announcement};
    hostile_claim(hostile, 0, &position, 1);
    network_connect(network, 0, 1);
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    while (!network_holds(&sought) && runtime_mono().ms < end) {
        uint8_t memory[256];
        struct buffer frame = buffer_over(memory, sizeof memory);
        struct frame_status status = {position.stream, 1, FRAME_NOT_HELD,
                                      roster_current_id(&network->society.roster)};
        frame_status_write(&frame, &status);
        hostile_claim(hostile, 0, &position, 1);
        hostile_say(hostile, 0, buffer_bytes(&frame));
        hostile_claim(hostile, 0, &position, 1);
        network_turn(network);
    }
    assert_true(network_holds(&sought));
}

static struct record_id hostile_send(struct hostile *hostile, int to,
                                     const struct record_header *header, const uint8_t secret[64])
{
    uint8_t *memory = malloc(FRAME_SIZE_MAX), record[2048];
    struct buffer frame = buffer_over(memory, FRAME_SIZE_MAX);
    struct buffer sealed = buffer_over(record, sizeof record);
    struct record_secrets secrets = {.sign_secret = secret};
    struct record_id id;
    randombytes_buf(&secrets.key, sizeof secrets.key);
    assert_int_equal(OK, record_seal(header, bytes_of_text("no"), &secrets, &sealed, &id));
    struct frame_record out = {
        .has_key = true, .key = secrets.key, .record = buffer_bytes(&sealed)};
    frame_records_begin(&frame);
    frame_record_write(&frame, &out);
    frame_records_end(&frame, 1);
    hostile_say(hostile, to, buffer_bytes(&frame));
    free(memory);
    return id;
}

/* A record of `writer` that `writer` never signed. */
static void hostile_forge(struct hostile *hostile, int to, const struct stream_id *stream,
                          uint64_t sequence)
{
    uint8_t secret[64], public_key[32];
    const struct roster *roster = runtime_roster(hostile->network->houses[to].runtime);
    struct record_header header = {.federation = roster_federation(roster),
                                   .stream = *stream,
                                   .audience = AUDIENCE_SCOPE,
                                   .sequence = sequence,
                                   .head = roster_current_id(roster),
                                   .time = runtime_wall()};
    federation_key(77, 2, public_key, secret);
    (void)hostile_send(hostile, to, &header, secret);
}

static void forged_records_shut_out_their_forger_alone(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    struct federation_id federation = roster_federation(&network->society.roster);
    struct stream_id stream = {scope_board(&federation, bytes_of_text("hematology")),
                               network->houses[1].node, 1};
    struct stream_id own = stream;
    own.writer = network->houses[0].node;
    struct network_posted posted;
    struct case_id case_id = {{9}};
    struct mirror mirror = {.case_id = case_id, .what = MIRROR_CLOSED};
    /* the honest post goes out while the forgeries come */
    for (int i = 0; i < 50; i++) {
        hostile_forge(hostile, 0, &stream, 1);
        hostile_forge(hostile, 0, &own, 1);
        network_turn(network);
    }
    network_begin(&network->houses[1], &stream.scope, KIND_MIRROR, &mirror, &posted);
    struct network_sought sought = {&network->houses[0], {{0}}};
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    while (runtime_mono().ms < end && (!posted.is_done || !network_holds(&sought))) {
        hostile_forge(hostile, 0, &stream, 1);
        hostile_forge(hostile, 0, &own, 1);
        network_turn(network);
        sought.id = posted.done.record;
    }
    assert_true(posted.is_done);
    assert_true(network_holds(&sought));
    struct engine_forger forger;
    assert_true(engine_forger(runtime_engine(network->houses[0].runtime), 0, &forger));
    assert_true(ID_EQUAL(forger.node, network->houses[MALLORY].node));
    assert_false(engine_forger(runtime_engine(network->houses[0].runtime), 1, &forger));
    (void)network_write(&network->houses[0], &stream.scope, KIND_MIRROR, &mirror);
}

/* Every frame that the honest say to each other, cut short and with bits turned. */
struct spoiling {
    struct hostile *hostile;
    size_t count;
    struct {
        size_t size;
        uint8_t data[4096];
    } frames[64];
};

static bool spoiling_on_frame(void *arg, const struct network_house *from,
                              const struct network_house *to, struct network_frame *frame)
{
    struct spoiling *spoiling = arg;
    if (spoiling->count < 64 && frame->size <= 4096 && from->number != MALLORY + 1) {
        spoiling->frames[spoiling->count].size = frame->size;
        memcpy(spoiling->frames[spoiling->count++].data, frame->data, frame->size);
    }
    return hostile_on_frame(spoiling->hostile, from, to, frame);
}

static void no_spoiled_frame_ends_a_node(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    struct spoiling *spoiling = calloc(1, sizeof *spoiling);
    spoiling->hostile = hostile;
    network->on_frame = spoiling_on_frame;
    network->arg = spoiling;
    network_cut(network, 0, 1);
    network_connect(network, 0, 1);
    struct network_case one = network_ask(&network->houses[0], 7);
    network_take_part(&network->houses[1], &network->houses[0], &one);
    for (size_t i = 0; i < spoiling->count; i++) {
        uint8_t *data = spoiling->frames[i].data;
        size_t size = spoiling->frames[i].size;
        for (size_t cut = 1; cut < size; cut += 1 + size / 64)
            hostile_say(hostile, 0, (struct bytes){data, cut});
        for (size_t at = 0; at < size; at += 1 + size / 256) {
            data[at] ^= (uint8_t)(1u << at % 8);
            hostile_say(hostile, 0, (struct bytes){data, size});
            data[at] ^= (uint8_t)(1u << at % 8);
            if (!hostile->wires[0]->is_up)
                hostile_dial(hostile, 0);
        }
        network_turn(network);
    }
    assert_true(spoiling->count > 8);
    assert_they_go_on(hostile, 20);
    network->on_frame = hostile_on_frame;
    network->arg = hostile;
    free(spoiling);
}

/* Heads that no officer signed: refused, some kept as proof, the disk not filled with them. */
static bool count_row(void *arg, const struct store_row *row)
{
    *(size_t *)arg += row->key.size > 0 && row->key.data[0] == 'p' ? 1 : 0;
    return true;
}

static void heads_that_nobody_signed_fill_no_disk(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    uint8_t head[HEAD_SIZE_MAX], memory[FRAME_SIZE_MAX];
    size_t count = 0;
    assert_int_equal(OK, federation_draft(&network->society));
    struct bytes good = network->society.signed_head;
    for (uint32_t i = 0; i < 300; i++) {
        struct buffer frame = buffer_over(memory, sizeof memory);
        memcpy(head, good.data, good.size);
        head[good.size - 1 - i % 60] ^= (uint8_t)(1 + i / 60);
        frame_heads_begin(&frame);
        assert_true(frame_head_write(&frame, (struct bytes){head, good.size}));
        hostile_say(hostile, 0, buffer_bytes(&frame));
        network_turn(network);
    }
    assert_they_go_on(hostile, 30);
    assert_int_equal(OK, row_table_scan(runtime_store(network->houses[0].runtime), STORE_TABLE_HEAD,
                                        count_row, &count));
    assert_true(count <= 64);
}

/* It speaks the protocol this time. */
static void hostile_comes_home(struct hostile *hostile)
{
    struct network *network = hostile->network;
    network->on_frame = NULL;
    for (int to = 0; to < 2; to++)
        network_cut_wire(hostile->wires[to]);
    network_open(network, MALLORY);
    network_connect(network, MALLORY, 0);
    network_connect(network, MALLORY, 1);
}

/* A member may say of any number of cases that others are granted access to them. */
static void cases_that_are_only_spoken_of_take_a_few_places(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    struct engine_status status;
    hostile_comes_home(hostile);
    struct federation_id federation = roster_federation(&network->society.roster);
    struct scope scope = scope_mail(&network->houses[0].node);
    struct record_id last = {{0}};
    for (uint8_t i = 1; i < 100; i++) {
        struct mail_grant_notice notice = {.requester = network->houses[MALLORY].node,
                                           .grant = {{i, 2}},
                                           .copy = bytes_of_text("x"),
                                           .opening = {{i, 1}}};
        notice.case_id = case_record_case_id(&federation, &notice.requester, &notice.opening);
        last = network_write(&network->houses[MALLORY], &scope, KIND_GRANT_NOTICE, &notice);
    }
    assert_true(network_spreads(network, 0, &last));
    network_pass(network, 50);
    engine_status(runtime_engine(network->houses[0].runtime), &status);
    assert_true(status.case_count >= 1 && status.case_count <= 64);
    assert_they_go_on(hostile, 40);
}

struct generation_sought {
    const struct network *network;
    const struct stream_id *stream;
};

static bool generation_is_held(void *arg)
{
    const struct generation_sought *sought = arg;
    uint64_t tail, had;
    return engine_position(runtime_engine(sought->network->houses[0].runtime), sought->stream,
                           &tail, &had) &&
           tail == 1;
}

/* T-12: it says that it was restored, again and again. */
static void generations_without_end_are_refused(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    const struct roster *roster = runtime_roster(network->houses[0].runtime);
    struct federation_id federation = roster_federation(roster);
    struct record_header header = {.federation = federation,
                                   .stream = {scope_board(&federation, bytes_of_text("hematology")),
                                              network->houses[MALLORY].node, 0},
                                   .audience = AUDIENCE_SCOPE,
                                   .sequence = 1,
                                   .head = roster_current_id(roster),
                                   .time = runtime_wall()};
    struct generation_sought sought = {network, &header.stream};
    uint32_t most = 1 + (uint32_t)roster_settings(roster)->generation_count_max;
    for (header.stream.generation = 1; header.stream.generation < most + 4;
         header.stream.generation++) {
        header.previous = hostile_send(hostile, 0, &header, network->houses[MALLORY].sign_secret);
        if (header.stream.generation <= most)
            assert_true(network_until(network, generation_is_held, &sought));
        network_pass(network, 20);
    }
    for (header.stream.generation = most + 1; header.stream.generation < most + 4;
         header.stream.generation++)
        assert_false(generation_is_held(&sought));
    assert_they_go_on(hostile, 60);
}

struct fork_sought {
    const struct network *network;
    const struct stream_id *stream;
};

static bool fork_is_held(void *arg)
{
    const struct fork_sought *sought = arg;
    const struct engine *engine = runtime_engine(sought->network->houses[0].runtime);
    struct engine_status status;
    uint64_t tail, had;
    engine_status(engine, &status);
    return status.forked_count == 1 && engine_position(engine, sought->stream, &tail, &had) &&
           tail == 2;
}

/* It says another thing at a position while the next one is on its way to the disk. */
static void a_fork_sets_no_stream_back(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    const struct roster *roster = runtime_roster(network->houses[0].runtime);
    const uint8_t *secret = network->houses[MALLORY].sign_secret;
    struct federation_id federation = roster_federation(roster);
    struct record_header header = {.federation = federation,
                                   .stream = {scope_board(&federation, bytes_of_text("hematology")),
                                              network->houses[MALLORY].node, 1},
                                   .audience = AUDIENCE_SCOPE,
                                   .sequence = 1,
                                   .head = roster_current_id(roster),
                                   .time = runtime_wall()};
    struct record_header other = header;
    struct generation_sought sought = {network, &header.stream};
    struct engine_status status;
    uint64_t tail, had;
    header.previous = hostile_send(hostile, 0, &header, secret);
    assert_true(network_until(network, generation_is_held, &sought));
    header.sequence = 2;
    (void)hostile_send(hostile, 0, &header, secret);
    (void)hostile_send(hostile, 0, &other, secret);
    struct fork_sought fork = {network, &header.stream};
    assert_true(network_until(network, fork_is_held, &fork));
    network_shut(network, 0);
    network_open(network, 0);
    assert_true(
        engine_position(runtime_engine(network->houses[0].runtime), &header.stream, &tail, &had));
    engine_status(runtime_engine(network->houses[0].runtime), &status);
    assert_int_equal(2, tail);
    assert_int_equal(1, status.forked_count);
}

struct looking {
    const struct node_id *writer;
    unsigned count;
};

static bool on_entry(void *arg, const struct inbox_entry *entry)
{
    struct looking *looking = arg;
    looking->count += ID_EQUAL(entry->writer, *looking->writer) ? 1 : 0;
    return true;
}

/* C-42, C-65: it read the announcement of another's case, and would be asked in its place. */
static void who_knows_a_case_id_does_not_speak_for_the_case(void **state)
{
    struct hostile *hostile = *state;
    struct network *network = hostile->network;
    struct network_house *mallory = &network->houses[MALLORY], *reader = &network->houses[1];
    struct looking looking = {.writer = &mallory->node};
    struct inbox *inbox;
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    assert_int_equal(OK, inbox_new(reader->runtime, &inbox));
    hostile_comes_home(hostile);
    struct network_case one = network_ask(&network->houses[0], 50);
    struct scope scope = scope_mail(&reader->node);
    struct mail_grant_notice notice = {.case_id = one.id,
                                       .requester = mallory->node,
                                       .grant = {{2}},
                                       .copy = bytes_of_text("x"),
                                       .opening = one.opening};
    struct announcement announcement = network_announcement(&one.id);
    assert_int_equal(OK, announcement_write(&announcement, &content));
    struct mail_directed directed = {.announcement = buffer_bytes(&content),
                                     .opening = one.opening};
    memcpy(announcement.opening.bytes, one.opening.bytes, HASH_SIZE);
    struct scope board =
        scope_board(&runtime_settings(reader->runtime)->federation, bytes_of_text("hematology"));
    struct record_id again = network_write(mallory, &board, KIND_ANNOUNCEMENT, &announcement);
    assert_true(network_spreads(network, 1, &again));
    (void)network_write(mallory, &scope, KIND_GRANT_NOTICE, &notice);
    struct record_id last = network_write(mallory, &scope, KIND_DIRECTED, &directed);
    assert_true(network_spreads(network, 1, &last));
    assert_true(network_spreads(network, 1, &one.announcement));
    assert_null(runtime_case(reader->runtime, &one.id));
    inbox_scan(inbox, 0, on_entry, &looking);
    assert_int_equal(0, looking.count);
    assert_non_null(inbox_find(inbox, &one.id));
    network_take_part(reader, &network->houses[0], &one);
    runtime_unlisten(reader->runtime, inbox);
    inbox_free(inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE(streams_that_are_made_up_fill_no_table),
        HOSTILE(nobody_else_opens_a_generation_of_ours),
        HOSTILE(who_gives_nothing_shuts_nobody_out),
        HOSTILE(forged_records_shut_out_their_forger_alone),
        HOSTILE(no_spoiled_frame_ends_a_node),
        HOSTILE(heads_that_nobody_signed_fill_no_disk),
        HOSTILE(cases_that_are_only_spoken_of_take_a_few_places),
        HOSTILE(generations_without_end_are_refused),
        HOSTILE(a_fork_sets_no_stream_back),
        HOSTILE(who_knows_a_case_id_does_not_speak_for_the_case),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
