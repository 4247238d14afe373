/* Case-file items between hospitals: A asks and holds, B and C take part and fetch. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/wire/frame.h"
#include "store/item_file.h"
#include "tests/harness/network.h"

enum { A, B, C };

/* A case with one item at A. */
struct story {
    struct network *network;
    struct network_case one;
    uint8_t *content;
    size_t size;
    struct items_put put;
    bool is_put;
    struct case_file_item item;
    /* what the wires did */
    unsigned wants[NETWORK_HOUSE_COUNT];  /* asked of each house */
    unsigned chunks[NETWORK_HOUSE_COUNT]; /* sent by each house */
    unsigned misbehavior_score;           /* FRAME_ITEM_STATUS of any kind */
    int liar;                             /* whose chunks are spoiled; -1: nobody's */
    int mute;                             /* whose chunks are lost; -1: nobody's */
};

static int story_house(const struct story *story, const struct network_house *house)
{
    return (int)(house - story->network->houses);
}

struct story_audit {
    const struct node_id *node;
    unsigned count;
};

static bool story_on_audit(void *arg, const struct store_audit *stored)
{
    struct story_audit *audit = arg;
    struct audit_entry entry;
    assert_int_equal(OK, audit_entry_read(stored->entry, &entry));
    if (entry.fact.what == AUDIT_ITEM_SERVED && ID_EQUAL(entry.fact.node, *audit->node))
        audit->count++;
    return true;
}

/* How often `house`'s log says that an item went to `to`. */
static unsigned story_served(struct story *story, int house, int to)
{
    struct story_audit audit = {&story->network->houses[to].node, 0};
    assert_int_equal(OK, row_table_audit(runtime_store(story->network->houses[house].runtime), 0,
                                         story_on_audit, &audit));
    return audit.count;
}

static bool story_on_frame(void *arg, const struct network_house *from,
                           const struct network_house *to, struct network_frame *frame)
{
    struct story *story = arg;
    if (frame->data[0] == FRAME_ITEM_WANT)
        story->wants[story_house(story, to)]++;
    if (frame->data[0] == FRAME_ITEM_STATUS)
        story->misbehavior_score++;
    if (frame->data[0] != FRAME_ITEM_CHUNK)
        return true;
    if (story->mute == story_house(story, from))
        return false;
    if (story->chunks[story_house(story, from)]++ == 0) /* (W-13) */
        assert_true(story_served(story, story_house(story, from), story_house(story, to)) > 0);
    if (story->liar == story_house(story, from))
        frame->data[frame->size - 1] ^= 1;
    return true;
}

static void story_on_put(void *arg, const struct items_put *put)
{
    struct story *story = arg;
    assert_false(story->is_put);
    story->is_put = true;
    story->put = *put;
}

static bool story_is_put(void *arg)
{
    return ((struct story *)arg)->is_put;
}

/* `house` seals `size` bytes for the case. */
static void story_put(struct story *story, int house, size_t size)
{
    struct items_content content = {malloc(size + 1), size};
    assert_non_null(content.data);
    free(story->content);
    story->content = malloc(size + 1);
    story->size = size;
    assert_non_null(story->content);
    randombytes_buf(content.data, size);
    memcpy(story->content, content.data, size);
    story->is_put = false;
    items_put(story->network->houses[house].items, &story->one.id, content, story_on_put, story);
    assert_true(network_until(story->network, story_is_put, story));
    story->item = (struct case_file_item){.item_id = story->put.item_id,
                                          .name = bytes_of_text("smear.jpg"),
                                          .media_type = bytes_of_text("image/jpeg"),
                                          .size = story->put.size,
                                          .item_key = story->put.item_key,
                                          .chunk_count = story->put.chunk_count};
}

static int given_a_case_with_two_participants(void **state)
{
    struct story *story = calloc(1, sizeof *story);
    assert_non_null(story);
    story->network = network_new_in_touch();
    story->one = network_ask(&story->network->houses[A], 7);
    network_take_part(&story->network->houses[B], &story->network->houses[A], &story->one);
    network_take_part(&story->network->houses[C], &story->network->houses[A], &story->one);
    struct network_access access = {&story->network->houses[B], &story->network->houses[C],
                                    &story->one.id};
    assert_true(network_until(story->network, network_has_access, &access));
    story->liar = story->mute = -1;
    story->network->on_frame = story_on_frame;
    story->network->arg = story;
    *state = story;
    return 0;
}

static int then_it_ends(void **state)
{
    struct story *story = *state;
    network_free(story->network);
    free(story->content);
    free(story);
    return 0;
}

struct story_wait {
    struct story *story;
    int house;
    enum items_state state;
};

static bool story_is_in_state(void *arg)
{
    const struct story_wait *wait = arg;
    struct items *items = wait->story->network->houses[wait->house].items;
    return items_progress(items, &wait->story->item).state == wait->state;
}

static bool story_waits(struct story *story, int house, enum items_state state)
{
    struct story_wait wait = {story, house, state};
    if (network_until(story->network, story_is_in_state, &wait))
        return true;
    struct items_progress now = items_progress(story->network->houses[house].items, &story->item);
    print_error("state %d, %u of %u chunks; wants %u %u %u, sent %u %u %u, refusals %u\n",
                (int)now.state, (unsigned)now.chunks_here, (unsigned)now.chunk_count,
                story->wants[A], story->wants[B], story->wants[C], story->chunks[A],
                story->chunks[B], story->chunks[C], story->misbehavior_score);
    return false;
}

static err workflow_ask(struct story *story, int house)
{
    return items_fetch(story->network->houses[house].items, &story->one.id, &story->item);
}

/* All of it opens at `house`, and is what was put. */
static void assert_same(struct story *story, int house)
{
    static uint8_t piece[ITEM_PIECE_SIZE];
    size_t offset = 0, size;
    for (uint32_t i = 0; i < story->item.chunk_count; i++) {
        assert_int_equal(
            OK, items_read(story->network->houses[house].items, &story->item, i, piece, &size));
        assert_true(offset + size <= story->size);
        assert_memory_equal(piece, story->content + offset, size);
        offset += size;
    }
    assert_int_equal(offset, story->size);
}

#define IN_CASE(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, given_a_case_with_two_participants, then_it_ends)

/* ---- sealing ---- */

static void what_was_put_opens_again_piece_by_piece(void **state)
{
    struct story *story = *state;
    const size_t sizes[] = {0, 1, ITEM_PIECE_SIZE, ITEM_PIECE_SIZE + 1, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        story_put(story, A, sizes[i]);
        assert_int_equal(OK, story->put.verdict);
        assert_int_equal(items_progress(story->network->houses[A].items, &story->item).state,
                         ITEMS_HERE);
        assert_same(story, A);
    }
}

static void an_attachment_over_the_limit_is_refused(void **state)
{
    struct story *story = *state;
    story_put(story, A, (size_t)ATTACHMENT_SIZE_MAX + 1);
    assert_int_equal(ERR_TOO_LARGE, story->put.verdict);
}

static bool story_count_row(void *arg, const struct store_row *row)
{
    (void)row;
    ++*(unsigned *)arg;
    return true;
}

static unsigned story_rows(struct story *story, int house)
{
    unsigned count = 0;
    assert_int_equal(OK, row_table_scan(runtime_store(story->network->houses[house].runtime),
                                        STORE_TABLE_ITEM, story_count_row, &count));
    return count;
}

static bool story_keeps_nothing(void *arg)
{
    const struct story_wait *wait = arg;
    struct store *store = runtime_store(wait->story->network->houses[wait->house].runtime);
    struct store_usage usage;
    assert_int_equal(OK, store_usage(store, &usage));
    return story_rows(wait->story, wait->house) == 0 && usage.item_bytes == 0;
}

static void what_was_half_sealed_when_the_node_ended_is_gone_at_its_next_start(void **state)
{
    struct story *story = *state;
    struct items_content content = {calloc(1, 9000000), 9000000};
    assert_non_null(content.data);
    story->is_put = false;
    items_put(story->network->houses[A].items, &story->one.id, content, story_on_put, story);
    while (story_rows(story, A) == 0)
        network_turn(story->network);
    network_shut(story->network, A);
    assert_true(story->is_put);
    assert_int_equal(ERR_BUSY, story->put.verdict);
    network_open(story->network, A);
    struct story_wait wait = {.story = story, .house = A};
    assert_true(network_until(story->network, story_keeps_nothing, &wait));
}

static void an_item_that_the_disk_does_not_take_leaves_nothing(void **state)
{
    struct story *story = *state;
    char folder[160];
    snprintf(folder, sizeof folder, "%s/items", story->network->houses[A].data);
    assert_int_equal(0, rmdir(folder));
    story_put(story, A, 300000);
    assert_int_equal(ERR_IO, story->put.verdict);
    assert_int_equal(0, story_rows(story, A));
    /* nor does it hold up the next one */
    assert_int_equal(0, mkdir(folder, 0700));
    network_shut(story->network, A);
    network_open(story->network, A);
    story_put(story, A, 300000);
    assert_int_equal(OK, story->put.verdict);
}

static void a_dropped_item_leaves_neither_row_nor_file(void **state)
{
    struct story *story = *state;
    struct story_wait wait = {.story = story, .house = A};
    story_put(story, A, 200000);
    items_drop(story->network->houses[A].items, &story->item.item_id);
    assert_true(network_until(story->network, story_keeps_nothing, &wait));
    assert_int_equal(ITEMS_ABSENT,
                     items_progress(story->network->houses[A].items, &story->item).state);
}

/* ---- fetching ---- */

static void a_participant_fetches_from_the_requester(void **state)
{
    struct story *story = *state;
    story_put(story, A, 3000000);
    assert_int_equal(OK, workflow_ask(story, B));
    assert_true(story_waits(story, B, ITEMS_HERE));
    assert_same(story, B);
    assert_int_equal(story->chunks[A], story->item.chunk_count);
    assert_int_equal(1, story_served(story, A, B));
    assert_int_equal(0, story_served(story, A, C));
}

static void a_participant_serves_what_it_has_when_the_requester_is_away(void **state)
{
    struct story *story = *state;
    story_put(story, A, 1000000);
    assert_int_equal(OK, workflow_ask(story, B));
    assert_true(story_waits(story, B, ITEMS_HERE));
    network_cut(story->network, A, C);
    assert_int_equal(OK, workflow_ask(story, C));
    assert_true(story_waits(story, C, ITEMS_HERE));
    assert_same(story, C);
    assert_int_equal(1, story_served(story, B, C));
}

static void nothing_goes_to_whoever_the_case_does_not_grant_access(void **state)
{
    struct story *story = *state;
    struct network_case other = network_ask(&story->network->houses[A], 8);
    struct network_case mine = story->one;
    network_take_part(&story->network->houses[C], &story->network->houses[A], &other);
    story->one = other;
    story_put(story, A, 100000);
    /* B is no participant of the other case */
    assert_int_equal(ERR_NOT_FOUND, workflow_ask(story, B));
    /* and does not get its item by naming a case that it is in */
    story->one = mine;
    assert_int_equal(OK, workflow_ask(story, B));
    while (story->wants[A] == 0)
        network_turn(story->network);
    assert_true(story_waits(story, B, ITEMS_WAITING));
    assert_int_equal(0, story->chunks[A]);
    assert_int_equal(0, story_served(story, A, B));
}

static void one_whose_access_has_ended_is_refused(void **state)
{
    struct story *story = *state;
    struct network_house *a = &story->network->houses[A];
    story_put(story, A, 100000);
    struct case_record_grant_end end = {.participant = story->network->houses[B].node};
    /* B does not hear of it: its own view lets it ask */
    network_cut(story->network, A, B);
    network_cut(story->network, C, B);
    (void)network_write(a, &story->one.scope, KIND_GRANT_END, &end);
    assert_int_equal(OK, workflow_ask(story, B));
    network_connect(story->network, A, B);
    assert_true(story_waits(story, B, ITEMS_REFUSED));
    assert_true(story->misbehavior_score > 0);
    assert_int_equal(0, story->chunks[A]);
    assert_int_equal(0, story_served(story, A, B));
}

static void a_break_costs_no_chunk_that_was_durable(void **state)
{
    struct story *story = *state;
    story_put(story, A, 20000000); /* more than the window holds */
    network_cut(story->network, B, C);
    assert_int_equal(OK, workflow_ask(story, B));
    struct items *items = story->network->houses[B].items;
    while (items_progress(items, &story->item).chunks_here < 20)
        network_turn(story->network);
    network_cut(story->network, A, B);
    assert_true(story_waits(story, B, ITEMS_WAITING));
    network_pass(story->network, 200);
    uint64_t here = items_progress(items, &story->item).chunks_here;
    assert_true(here >= 20 && here < story->item.chunk_count);
    story->chunks[A] = 0;
    network_connect(story->network, A, B);
    assert_true(story_waits(story, B, ITEMS_HERE));
    assert_int_equal(story->chunks[A], story->item.chunk_count - here);
    assert_same(story, B);
    assert_int_equal(1, story_served(story, A, B));
}

static void a_fetch_goes_on_by_itself_after_a_restart(void **state)
{
    struct story *story = *state;
    story_put(story, A, 20000000); /* more than the window holds */
    assert_int_equal(OK, workflow_ask(story, B));
    while (items_progress(story->network->houses[B].items, &story->item).chunks_here < 20)
        network_turn(story->network);
    network_shut(story->network, B);
    story->chunks[A] = 0;
    network_open(story->network, B);
    uint64_t here = items_progress(story->network->houses[B].items, &story->item).chunks_here;
    assert_true(here >= 20 && here < story->item.chunk_count);
    network_connect(story->network, A, B);
    network_connect(story->network, B, C);
    assert_true(story_waits(story, B, ITEMS_HERE));
    assert_int_equal(story->chunks[A], story->item.chunk_count - here);
    assert_same(story, B);
}

static void a_spoiled_chunk_is_refused_and_asked_of_another(void **state)
{
    struct story *story = *state;
    story_put(story, A, 2000000);
    assert_int_equal(OK, workflow_ask(story, B));
    assert_true(story_waits(story, B, ITEMS_HERE));
    memset(story->chunks, 0, sizeof story->chunks);
    story->liar = A;
    assert_int_equal(OK, workflow_ask(story, C));
    assert_true(story_waits(story, C, ITEMS_HERE));
    assert_same(story, C);
    assert_int_equal(story->chunks[B], story->item.chunk_count);
}

static void one_who_does_not_answer_is_not_waited_for(void **state)
{
    struct story *story = *state;
    story_put(story, A, 1000000);
    assert_int_equal(OK, workflow_ask(story, B));
    assert_true(story_waits(story, B, ITEMS_HERE));
    story->mute = A;
    assert_int_equal(OK, workflow_ask(story, C));
    assert_true(story_waits(story, C, ITEMS_HERE));
    assert_same(story, C);
}

/* Four items at once, so that more is wanted than a link may have before it. */
static void a_slow_wire_is_not_flooded(void **state)
{
    struct story *story = *state;
    struct network_house *a = &story->network->houses[A];
    struct case_file_item items[4];
    size_t most = 0;
    bool is_all_here = false;
    for (int i = 0; i < 4; i++) {
        story_put(story, A, 2000000);
        items[i] = story->item;
    }
    story->network->lane_max = 2;
    for (int i = 0; i < 4; i++) {
        story->item = items[i];
        assert_int_equal(OK, workflow_ask(story, B));
    }
    while (!is_all_here) {
        network_turn(story->network);
        for (uint32_t link = 1; link <= story->network->link_last; link++) {
            size_t unsent = runtime_unsent(a->runtime, (struct link_id){link});
            most = unsent > most ? unsent : most;
        }
        is_all_here = true;
        for (int i = 0; i < 4; i++)
            is_all_here =
                is_all_here &&
                items_progress(story->network->houses[B].items, &items[i]).state == ITEMS_HERE;
    }
    assert_true(most > 0);
    assert_true(most <= 2u << 20);
    assert_int_equal(0, a->hung_up);
    assert_same(story, B);
}

static int story_spoil(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)place;
    int fd = kind == FTW_F ? open(path, O_WRONLY) : -1;
    if (fd < 0)
        return 0;
    assert_int_equal(7, pwrite(fd, "spoiled", 7, CHUNK_SIZE_MAX + 100));
    close(fd);
    return 0;
}

static void a_chunk_that_the_disk_spoiled_is_fetched_again(void **state)
{
    struct story *story = *state;
    story_put(story, A, 1000000);
    assert_int_equal(OK, workflow_ask(story, B));
    assert_true(story_waits(story, B, ITEMS_HERE));
    char folder[160];
    snprintf(folder, sizeof folder, "%s/items", story->network->houses[B].data);
    assert_int_equal(0, nftw(folder, story_spoil, 16, FTW_PHYS));
    uint8_t piece[ITEM_PIECE_SIZE];
    size_t size;
    assert_int_equal(ERR_CORRUPT,
                     items_read(story->network->houses[B].items, &story->item, 1, piece, &size));
    assert_true(story_waits(story, B, ITEMS_HERE));
    assert_same(story, B);
}

static void a_key_that_does_not_fit_opens_nothing(void **state)
{
    struct story *story = *state;
    uint8_t piece[ITEM_PIECE_SIZE];
    size_t size;
    story_put(story, A, 1000);
    story->item.item_key.bytes[0] ^= 1;
    assert_int_equal(ERR_BAD_KEY,
                     items_read(story->network->houses[A].items, &story->item, 0, piece, &size));
    assert_int_equal(ERR_INVALID,
                     items_read(story->network->houses[A].items, &story->item, 1, piece, &size));
}

/* ---- hostile frames ---- */

static void story_hurl(struct story *story, int house, struct bytes frame)
{
    struct engine_peer peer;
    if (engine_peer(runtime_engine(story->network->houses[house].runtime), 0, &peer) &&
        frame.size > 0)
        driver_frame(story->network->houses[house].driver, peer.link, frame);
}

/* Each truncation, and each bit of the small ones turned. */
static void story_spoil_and_hurl(struct story *story, const struct buffer *frame)
{
    uint8_t copy[FRAME_SIZE_MAX];
    memcpy(copy, frame->data, frame->size);
    for (size_t size = 1; size <= frame->size; size += size < 200 ? 1 : 997) {
        for (int house = A; house <= C; house++)
            story_hurl(story, house, (struct bytes){copy, size});
    }
    for (size_t bit = 8; bit < 8 * frame->size && bit < 8 * 200; bit++) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        for (int house = A; house <= C; house++)
            story_hurl(story, house, (struct bytes){copy, frame->size});
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void frames_that_nobody_asked_for_change_nothing(void **state)
{
    struct story *story = *state;
    static uint8_t memory[FRAME_SIZE_MAX], chunk_memory[CHUNK_SIZE_MAX], proof[3 * HASH_SIZE];
    struct frame_item_want want = {story->one.id, {{0}}, 0, UINT16_MAX};
    struct frame_item_chunk chunk = {.case_id = story->one.id,
                                     .proof = {proof, sizeof proof},
                                     .chunk = {chunk_memory, sizeof chunk_memory}};
    struct frame_item_status status = {story->one.id, {{0}}, 1, FRAME_NOT_HELD};
    struct buffer frame = buffer_over(memory, sizeof memory);
    story_put(story, A, 300000);
    assert_int_equal(OK, workflow_ask(story, B));
    chunk.item = want.item = status.item = story->item.item_id;
    frame_item_want_write(&frame, &want);
    story_spoil_and_hurl(story, &frame);
    frame = buffer_over(memory, sizeof memory);
    frame_item_chunk_write(&frame, &chunk);
    story_spoil_and_hurl(story, &frame);
    frame = buffer_over(memory, sizeof memory);
    frame_item_status_write(&frame, &status);
    story_spoil_and_hurl(story, &frame);
    assert_true(story_waits(story, B, ITEMS_HERE));
    assert_same(story, B);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CASE(what_was_put_opens_again_piece_by_piece),
        IN_CASE(an_attachment_over_the_limit_is_refused),
        IN_CASE(what_was_half_sealed_when_the_node_ended_is_gone_at_its_next_start),
        IN_CASE(an_item_that_the_disk_does_not_take_leaves_nothing),
        IN_CASE(a_dropped_item_leaves_neither_row_nor_file),
        IN_CASE(a_participant_fetches_from_the_requester),
        IN_CASE(a_participant_serves_what_it_has_when_the_requester_is_away),
        IN_CASE(nothing_goes_to_whoever_the_case_does_not_grant_access),
        IN_CASE(one_whose_access_has_ended_is_refused),
        IN_CASE(a_break_costs_no_chunk_that_was_durable),
        IN_CASE(a_fetch_goes_on_by_itself_after_a_restart),
        IN_CASE(a_spoiled_chunk_is_refused_and_asked_of_another),
        IN_CASE(one_who_does_not_answer_is_not_waited_for),
        IN_CASE(a_slow_wire_is_not_flooded),
        IN_CASE(a_chunk_that_the_disk_spoiled_is_fetched_again),
        IN_CASE(frames_that_nobody_asked_for_change_nothing),
        IN_CASE(a_key_that_does_not_fit_opens_nothing),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
