/* An erased case is gone at every participant: bodies, keys, items, and it does not come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "node/views/stored_record.h"
#include "protocol/wire/frame.h"
#include "store/item_file.h"
#include "tests/harness/network.h"

enum { A, B, C, ITEM_SIZE = 500000 };

struct story {
    struct network *network;
    struct network_case one;
    struct case_file_item item;
    bool is_put;
};

static void story_on_put(void *arg, const struct items_put *put)
{
    struct story *story = arg;
    assert_int_equal(OK, put->verdict);
    story->is_put = true;
    story->item = (struct case_file_item){.item_id = put->item_id,
                                          .name = bytes_of_text("smear.jpg"),
                                          .media_type = bytes_of_text("image/jpeg"),
                                          .size = put->size,
                                          .item_key = put->item_key,
                                          .chunk_count = put->chunk_count};
}

static bool story_is_put(void *arg)
{
    return ((struct story *)arg)->is_put;
}

static bool story_is_here(void *arg)
{
    struct story *story = arg;
    return items_progress(story->network->houses[B].items, &story->item).state == ITEMS_HERE;
}

/* A asks, B and C take part, A's item is at B too, and something was said. */
static int given_a_case(void **state)
{
    struct story *story = calloc(1, sizeof *story);
    assert_non_null(story);
    struct network *network = story->network = network_new_in_touch();
    story->one = network_ask(&network->houses[A], 7);
    network_take_part(&network->houses[B], &network->houses[A], &story->one);
    network_take_part(&network->houses[C], &network->houses[A], &story->one);
    struct items_content content = {calloc(1, ITEM_SIZE), ITEM_SIZE};
    assert_non_null(content.data);
    items_put(network->houses[A].items, &story->one.id, content, story_on_put, story);
    assert_true(network_until(network, story_is_put, story));
    assert_int_equal(OK, items_fetch(network->houses[B].items, &story->one.id, &story->item));
    assert_true(network_until(network, story_is_here, story));
    struct case_record_post post = {.text = bytes_of_text("I have seen three of these.")};
    struct record_id said = network_write(&network->houses[B], &story->one.scope, KIND_POST, &post);
    assert_true(network_spreads(network, A, &said));
    assert_true(network_spreads(network, C, &said));
    *state = story;
    return 0;
}

static int then_it_ends(void **state)
{
    struct story *story = *state;
    network_free(story->network);
    free(story);
    return 0;
}

static void erase(struct story *story)
{
    struct network_house *a = &story->network->houses[A];
    struct case_record_erase erase = {.opening = story->one.opening, .requester = a->node};
    (void)network_write(a, &story->one.scope, KIND_ERASE, &erase);
}

struct receipts {
    struct story *story;
    int of[2];
    int count;
};

/* Does A know that these have erased? */
static bool all_have_erased(void *arg)
{
    const struct receipts *receipts = arg;
    const struct network *network = receipts->story->network;
    const struct consult *consult =
        runtime_case(network->houses[A].runtime, &receipts->story->one.id);
    for (int i = 0; i < receipts->count; i++) {
        const struct consult_participant *part =
            consult_participant_of(consult, &network->houses[receipts->of[i]].node);
        if (part == NULL || part->erased_at.ms == 0)
            return false;
    }
    return true;
}

static bool on_item_row(void *arg, const struct store_row *row)
{
    (void)row;
    ++*(unsigned *)arg;
    return true;
}

struct remains {
    struct story *story;
    int which; /* in whose store */
    unsigned readable, rows;
    bool is_file_gone;
    uint64_t item_bytes;
};

/* Nothing of the case can be read in that store. */
static bool nothing_remains(void *arg)
{
    struct remains *remains = arg;
    const struct story *story = remains->story;
    struct store *store = runtime_store(story->network->houses[remains->which].runtime);
    static uint8_t memory[4 * STORE_RECORD_SIZE_MAX];
    struct store_record records[64];
    struct store_page page = {records, 64, memory, sizeof memory, 0};
    uint64_t number = 0;
    remains->readable = remains->rows = 0;
    do {
        assert_int_equal(OK, record_table_scope(store, &story->one.scope, number, &page));
        for (size_t i = 0; i < page.record_count; i++) {
            struct record_claim claim;
            number = records[i].number;
            assert_int_equal(OK, record_parse(records[i].head, &claim));
            if (claim.header.audience != AUDIENCE_CLEAR &&
                (records[i].has_body || records[i].has_key))
                remains->readable++;
        }
    } while (page.record_count > 0);
    assert_int_equal(OK, row_table_scan(store, STORE_TABLE_ITEM, on_item_row, &remains->rows));
    struct store_usage usage;
    struct item_file_state file;
    assert_int_equal(OK, store_usage(store, &usage));
    remains->item_bytes = usage.item_bytes;
    remains->is_file_gone = item_file_state(store, &story->item.item_id, &file) == ERR_NOT_FOUND;
    return remains->readable == 0 && remains->rows == 0 && remains->is_file_gone &&
           remains->item_bytes == 0;
}

static bool becomes_empty(struct story *story, int which)
{
    struct remains remains = {.story = story, .which = which};
    if (network_until(story->network, nothing_remains, &remains))
        return true;
    print_error("house %d: %u readable records, %u item rows, %s, %u bytes of items\n", which,
                remains.readable, remains.rows, remains.is_file_gone ? "no file" : "a file",
                (unsigned)remains.item_bytes);
    return false;
}

#define IN_CASE(test) cmocka_unit_test_setup_teardown(test, given_a_case, then_it_ends)

/* Neither body nor key of the record. */
static bool is_destroyed(const struct network_house *house, const struct record_id *id)
{
    static struct stored_record_memory memory;
    struct stored_record stored_record;
    return stored_record_find(runtime_store(house->runtime), id, &memory, &stored_record) == OK &&
           (stored_record.flags & RECORD_DESTROYED) != 0 && !stored_record.is_readable;
}

static bool announcement_is_gone(void *arg)
{
    const struct story *story = arg;
    for (int i = A; i <= B; i++)
        if (!is_destroyed(&story->network->houses[i], &story->one.announcement))
            return false;
    return true;
}

static bool nobody_tells_c(void *arg, const struct network_house *from,
                           const struct network_house *to, struct network_frame *frame)
{
    (void)arg;
    (void)from;
    return to->number != C + 1 || frame->data[0] != FRAME_RECORDS;
}

static bool b_knows_of_the_mirror(void *arg)
{
    const struct story *story = arg;
    return story->network->houses[B].told[KIND_MIRROR] == 2; /* before, and when it began anew */
}

/* C-53: on the board too, for good: not from one who never heard of it, nor after a start. */
static void the_announcement_of_an_erased_case_goes_too_and_does_not_come_back(void **state)
{
    struct story *story = *state;
    struct network *network = story->network;
    struct network_house *b = &network->houses[B];
    network->on_frame = nobody_tells_c;
    erase(story);
    assert_true(network_until(network, announcement_is_gone, story));
    assert_false(is_destroyed(&network->houses[C], &story->one.announcement));
    /* B loses all that it had, and begins anew: A says that there was one */
    network_shut(network, B);
    assert_int_equal(0, nftw(b->data, network_remove, 16, FTW_DEPTH | FTW_PHYS));
    network_admit(network, B);
    network_open(network, B);
    network_connect(network, B, A);
    assert_true(network_until(network, b_knows_of_the_mirror, story));
    assert_false(is_destroyed(b, &story->one.announcement));
    /* C is asked for what B lacks, and gives it */
    network_shut(network, B);
    network_open(network, B);
    network_connect(network, B, C);
    assert_true(network_until(network, announcement_is_gone, story));
    network_shut(network, B);
    network_open(network, B);
    assert_true(announcement_is_gone(story));
    /* C hears of it at last */
    network->on_frame = NULL;
    network_cut(network, A, C);
    network_connect(network, A, C);
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    while (!is_destroyed(&network->houses[C], &story->one.announcement) && runtime_mono().ms < end)
        network_turn(network);
    assert_true(is_destroyed(&network->houses[C], &story->one.announcement));
}

/* C-43: only who was asked hears of it, to the end. */
static void a_case_that_was_asked_directly_says_nothing_to_a_board(void **state)
{
    struct story *story = *state;
    struct network *network = story->network;
    struct network_house *a = &network->houses[A], *b = &network->houses[B];
    struct federation_id federation = roster_federation(&network->society.roster);
    struct case_record_open open = {
        .opening = {{9, 9}}, .requester = a->node, .directed = {b->node}, .directed_count = 1};
    struct case_id case_id = case_record_case_id(&federation, &a->node, &open.opening);
    struct scope scope = scope_case(&case_id), mail = scope_mail(&b->node);
    struct announcement announcement = network_announcement(&case_id);
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    assert_int_equal(OK, announcement_write(&announcement, &content));
    open.announcement = buffer_bytes(&content);
    (void)network_write(a, &scope, KIND_OPEN, &open);
    struct mail_directed directed = {.announcement = open.announcement, .opening = open.opening};
    struct record_id asked = network_write(a, &mail, KIND_DIRECTED, &directed);
    assert_true(network_spreads(network, B, &asked));
    struct case_record_erase erase = {.opening = open.opening, .requester = a->node};
    (void)network_write(a, &scope, KIND_ERASE, &erase);
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    while (!(is_destroyed(b, &asked) && is_destroyed(a, &asked)) && runtime_mono().ms < end)
        network_turn(network);
    assert_true(is_destroyed(b, &asked));
    assert_true(is_destroyed(a, &asked));
    /* what A said on the board before this has reached C before it */
    struct network_case after = network_ask(a, 77);
    assert_true(network_spreads(network, C, &after.announcement));
    assert_int_equal(0, network->houses[C].told[KIND_MIRROR]);
}

static void an_erased_case_is_gone_everywhere_and_the_requester_has_receipts(void **state)
{
    struct story *story = *state;
    struct receipts receipts = {story, {B, C}, 2};
    erase(story);
    assert_true(network_until(story->network, all_have_erased, &receipts));
    for (int i = A; i <= C; i++)
        assert_true(becomes_empty(story, i));
    assert_int_equal(ITEMS_ABSENT,
                     items_progress(story->network->houses[B].items, &story->item).state);
    assert_int_equal(ERR_DESTROYED,
                     items_fetch(story->network->houses[B].items, &story->one.id, &story->item));
}

static void who_was_away_erases_when_it_is_back(void **state)
{
    struct story *story = *state;
    struct receipts receipts = {story, {B, C}, 1};
    network_shut(story->network, C);
    erase(story);
    assert_true(network_until(story->network, all_have_erased, &receipts));
    network_open(story->network, C);
    network_connect(story->network, A, C);
    network_connect(story->network, B, C);
    receipts.count = 2;
    assert_true(network_until(story->network, all_have_erased, &receipts));
    assert_true(becomes_empty(story, C));
}

/* It may not write at once: first it asks what others hold of it. */
static void who_may_not_write_yet_gives_its_receipt_when_it_may(void **state)
{
    struct story *story = *state;
    story->network->survey_ms = 500;
    who_was_away_erases_when_it_is_back(state);
}

static void an_erased_case_does_not_come_back_with_a_restart(void **state)
{
    struct story *story = *state;
    struct receipts receipts = {story, {B, C}, 2};
    erase(story);
    assert_true(network_until(story->network, all_have_erased, &receipts));
    unsigned receipts_told = story->network->houses[A].told[KIND_ERASED];
    for (int i = A; i <= C; i++)
        network_shut(story->network, i);
    for (int i = A; i <= C; i++)
        network_open(story->network, i);
    network_connect(story->network, A, B);
    network_connect(story->network, A, C);
    network_connect(story->network, B, C);
    network_pass(story->network, 500);
    for (int i = A; i <= C; i++) {
        const struct consult *consult =
            runtime_case(story->network->houses[i].runtime, &story->one.id);
        assert_non_null(consult);
        assert_int_equal(consult->state, CASE_ERASED);
        assert_true(becomes_empty(story, i));
    }
    assert_int_equal(story->network->houses[A].told[KIND_ERASED], receipts_told);
}

static void a_node_that_ends_in_the_middle_of_erasing_goes_on_at_its_next_start(void **state)
{
    struct story *story = *state;
    struct network_house *b = &story->network->houses[B];
    struct receipts receipts = {story, {B, C}, 2};
    erase(story);
    while (b->told[KIND_ERASE] == 0)
        network_turn(story->network);
    network_shut(story->network, B);
    network_open(story->network, B);
    network_connect(story->network, A, B);
    network_connect(story->network, B, C);
    assert_true(network_until(story->network, all_have_erased, &receipts));
    assert_true(becomes_empty(story, B));
}

/* B's words are on their way when the case is erased at C: they are not kept. */
static void what_is_on_its_way_when_the_case_is_erased_is_not_kept(void **state)
{
    struct story *story = *state;
    struct network *network = story->network;
    struct receipts receipts = {story, {B, C}, 2};
    static struct network_posted posted[40], erased;
    struct case_record_post post = {.text = bytes_of_text("And another thing.")};
    struct case_record_erase erase = {.opening = story->one.opening,
                                      .requester = network->houses[A].node};
    for (size_t i = 0; i < 20; i++)
        network_begin(&network->houses[B], &story->one.scope, KIND_POST, &post, &posted[i]);
    network_begin(&network->houses[A], &story->one.scope, KIND_ERASE, &erase, &erased);
    for (size_t i = 20; i < 40; i++)
        network_begin(&network->houses[C], &story->one.scope, KIND_POST, &post, &posted[i]);
    assert_true(network_until(network, network_is_posted, &erased));
    for (size_t i = 0; i < 40; i++)
        assert_true(network_until(network, network_is_posted, &posted[i]));
    assert_true(network_until(network, all_have_erased, &receipts));
    for (int i = A; i <= C; i++)
        assert_true(becomes_empty(story, i));
}

static void an_item_that_is_being_fetched_is_erased_too(void **state)
{
    struct story *story = *state;
    struct receipts receipts = {story, {B, C}, 2};
    assert_int_equal(OK,
                     items_fetch(story->network->houses[C].items, &story->one.id, &story->item));
    erase(story);
    assert_true(network_until(story->network, all_have_erased, &receipts));
    assert_true(becomes_empty(story, C));
}

/* ---- kill -9 ---- */

/* What the killed process leaves to the one that looks. */
struct legacy {
    char folder[64];
    uint64_t founded_ms;
    struct network_case one;
    struct case_file_item item;
};

/* The board was told, so nothing but the missing tombstone says that the rest is to be done. */
static void die_when_the_board_is_told(void *arg, const struct runtime_news *news)
{
    (void)arg;
    if (news->kind == KIND_MIRROR)
        _exit(0);
}

static void erase_and_die(struct legacy *legacy)
{
    void *state;
    (void)given_a_case(&state);
    struct story *story = state;
    struct network_house *a = &story->network->houses[A];
    memcpy(legacy->folder, story->network->folder, sizeof legacy->folder);
    legacy->founded_ms = story->network->founded_ms;
    legacy->one = story->one;
    legacy->item = story->item;
    runtime_listen(a->runtime, die_when_the_board_is_told, NULL);
    erase(story);
    network_pass(story->network, NETWORK_PATIENCE_MS);
    _exit(1);
}

static void a_requester_killed_while_erasing_ends_it_at_its_next_start(void **state)
{
    (void)state;
    struct legacy *legacy =
        mmap(NULL, sizeof *legacy, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(legacy, MAP_FAILED);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        erase_and_die(legacy);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    struct story story = {.one = legacy->one, .item = legacy->item};
    story.network = network_new_at(legacy->folder, legacy->founded_ms);
    assert_true(becomes_empty(&story, A));
    network_free(story.network);
    munmap(legacy, sizeof *legacy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CASE(the_announcement_of_an_erased_case_goes_too_and_does_not_come_back),
        IN_CASE(a_case_that_was_asked_directly_says_nothing_to_a_board),
        IN_CASE(an_erased_case_is_gone_everywhere_and_the_requester_has_receipts),
        IN_CASE(who_was_away_erases_when_it_is_back),
        IN_CASE(who_may_not_write_yet_gives_its_receipt_when_it_may),
        IN_CASE(an_erased_case_does_not_come_back_with_a_restart),
        IN_CASE(a_node_that_ends_in_the_middle_of_erasing_goes_on_at_its_next_start),
        IN_CASE(what_is_on_its_way_when_the_case_is_erased_is_not_kept),
        IN_CASE(an_item_that_is_being_fetched_is_erased_too),
        cmocka_unit_test(a_requester_killed_while_erasing_ends_it_at_its_next_start),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER")); /* NULL: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
