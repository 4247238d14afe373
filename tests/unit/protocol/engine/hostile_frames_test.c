/* Goal: whatever a member says, cut short, with any bit turned, or as nonsense under valid
 * signatures, is counted and traced or keeps its place as malformed; no memory moves, nothing else
 * changes, and the core goes on (W-1, W-2, C-2, T-5). CONSILIUM_FULL=1 turns every bit of each
 * content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>

#include "protocol/state/engine_state.h"
#include "protocol/wire/frame_custody.h"
#include "tests/harness/single_said.h"

enum { HOSTILE = 2, FRAME_ROOM = 4096, CONTENT_ROOM = 8192 };

/* ---- one valid frame of each type ---- */

struct valid {
    const char *name;
    uint8_t bytes[FRAME_ROOM];
    size_t size;
};

enum { VALID_COUNT = 19 };

struct room {
    struct single *single;
    struct valid frames[VALID_COUNT];
    size_t count;
    struct record_header header; /* of the next record in the hostile one's board stream */
};

static struct scope own_case; /* of the core; the hostile one has access */

static struct buffer next(struct room *room, const char *name)
{
    struct valid *valid = &room->frames[room->count];
    valid->name = name;
    return buffer_over(valid->bytes, sizeof valid->bytes);
}

static void made(struct room *room, const struct buffer *frame)
{
    assert_false(frame->failed);
    room->frames[room->count++].size = frame->size;
    assert_true(room->count <= VALID_COUNT);
}

static void make_links(struct room *room)
{
    const struct roster *roster = &room->single->federation.roster;
    struct buffer out = next(room, "HELLO");
    struct frame_hello hello = {1,
                                1,
                                room->single->config.federation,
                                roster_current_head(roster)->epoch,
                                roster_current_id(roster),
                                single_event(room->single, EVENT_TICK).wall};
    frame_hello_write(&out, &hello);
    made(room, &out);
    out = next(room, "HEADS_WANT");
    frame_heads_want_write(&out, &(struct frame_heads_want){0});
    made(room, &out);
    out = next(room, "HEADS");
    frame_heads_begin(&out);
    assert_true(frame_head_write(&out, room->single->federation.signed_head));
    made(room, &out);
    out = next(room, "ROSTER_PART");
    frame_roster_part_write(&out, bytes_of_text("a part"));
    made(room, &out);
}

static void make_streams(struct room *room)
{
    struct stream_id stream = room->header.stream;
    struct frame_position position = {.stream = stream, .tail = 9, .had = 8, .tail_hint = 7};
    struct buffer out = next(room, "SUMMARY");
    frame_summary_write(&out, &(struct frame_summary){{{1}}, 1});
    made(room, &out);
    out = next(room, "STREAMS");
    frame_positions_begin(&out, FRAME_STREAMS, 1);
    frame_position_write(&out, &position);
    made(room, &out);
    out = next(room, "ACK");
    frame_positions_begin(&out, FRAME_ACK, 1);
    frame_position_write(&out, &position);
    made(room, &out);
    out = next(room, "WANT");
    frame_want_write(&out, &(struct frame_want){stream, 1, 64});
    made(room, &out);
    out = next(room, "STATUS");
    frame_status_write(&out, &(struct frame_status){stream, 1, FRAME_BUSY, {{1}}});
    made(room, &out);
    struct record_header header = room->header;
    out = next(room, "RECORDS");
    frame_records_begin(&out);
    assert_true(single_record(room->single, HOSTILE, &header, bytes_of_text("malformed"), &out));
    assert_true(single_record(room->single, HOSTILE, &header, bytes_of_text("and again"), &out));
    frame_records_end(&out, 2);
    made(room, &out);
}

static void make_items(struct room *room)
{
    struct case_id case_id = {{1}};
    struct item_id item = {{2}};
    uint8_t proof[2 * HASH_SIZE] = {3};
    struct buffer out = next(room, "ITEM_WANT");
    frame_item_want_write(&out, &(struct frame_item_want){case_id, item, 0, 8});
    made(room, &out);
    out = next(room, "ITEM_CHUNK");
    struct frame_item_chunk chunk = {
        case_id, item, 1, {proof, sizeof proof}, bytes_of_text("ciphertext")};
    frame_item_chunk_write(&out, &chunk);
    made(room, &out);
    out = next(room, "ITEM_STATUS");
    frame_item_status_write(&out, &(struct frame_item_status){case_id, item, 0, FRAME_BUSY});
    made(room, &out);
}

static void make_custody(struct room *room)
{
    struct deposit_id ids[] = {{{1}}, {{2}}};
    struct bytes envelope = bytes_of_text("sealed");
    struct buffer out = next(room, "CUSTODY_LEAVE");
    frame_custody_leave_write(
        &out, &(struct frame_custody_leave){ids[0], room->single->hospitals[3].node, envelope});
    made(room, &out);
    out = next(room, "CUSTODY_ANSWER");
    frame_custody_answer_write(&out, &(struct frame_custody_answer){ids[0], FRAME_CUSTODY_HELD});
    made(room, &out);
    out = next(room, "CUSTODY_WITHDRAW");
    frame_custody_withdraw_write(&out, ids, 2);
    made(room, &out);
    out = next(room, "CUSTODY_COLLECT");
    frame_custody_collect_write(&out, 7);
    made(room, &out);
    out = next(room, "CUSTODY_ENVELOPE");
    frame_custody_envelope_write(&out, &(struct frame_custody_envelope){8, envelope});
    made(room, &out);
    out = next(room, "CUSTODY_TAKEN");
    frame_custody_taken_write(&out, 8);
    made(room, &out);
}

static int given_a_engine_that_knows_two_members(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    struct scope board;
    assert_non_null(room);
    room->single = single_new();
    single_introduce(room->single);
    own_case = single_ask(room->single);
    single_tick(room->single, 5000); /* all that was to be said is said */
    single_tick(room->single, 1);
    single_save(room->single);
    board = scope_board(&room->single->config.federation, bytes_of_text("hematology"));
    room->header = single_header(room->single, HOSTILE, &board);
    make_links(room);
    make_streams(room);
    make_items(room);
    make_custody(room);
    assert_int_equal(room->count, VALID_COUNT);
    *state = room;
    return 0;
}

static int then_it_ends(void **state)
{
    struct room *room = *state;
    single_free(room->single);
    free(room);
    return 0;
}

/* ---- what every frame must leave as it was ---- */

static uint64_t refused(const struct single *single)
{
    struct engine_status status;
    engine_status(single->engine, &status);
    return status.refused;
}

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

/* Nothing but the count of what was refused is another than at single_save. */
static bool is_unchanged(struct single *single)
{
    uint64_t count = single->engine->refused;
    memcpy(&single->engine->refused, single->saved_memory + offsetof(struct engine, refused),
           sizeof count);
    bool is_same = memcmp(single->engine_memory, single->saved_memory, single->engine_size) == 0;
    single->engine->refused = count;
    return is_same && single->kept_count == single->saved_count;
}

/* An honest member's record still comes through. */
static void assert_it_goes_on(struct room *room)
{
    uint8_t memory[FRAME_ROOM];
    struct record_header header = single_header(room->single, 3, &room->header.stream.scope);
    struct buffer frame = buffer_over(memory, sizeof memory);
    size_t before = room->single->kept_count;
    frame_records_begin(&frame);
    assert_true(single_record(room->single, 3, &header, bytes_of_text("honest"), &frame));
    frame_records_end(&frame, 1);
    single_hear(room->single, 3, buffer_bytes(&frame));
    assert_int_equal(room->single->kept_count, before + 1);
}

/* In memory of exactly this size, so that a sanitizer sees a read past the end. */
static void hear_exactly(struct single *single, const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    single_hear(single, HOSTILE, (struct bytes){exact, size});
    free(exact);
}

/* A part of a delta, a chunk and an envelope end with their frame: from this size on, a shorter one
 * is another part, chunk or envelope, which a root or a hash refuses, or its recipient. */
static size_t open_from(const struct valid *valid)
{
    if (valid->bytes[0] == FRAME_ITEM_CHUNK)
        return 1 + HASH_SIZE + HASH_SIZE + 4 + 1 + 2 * HASH_SIZE;
    if (valid->bytes[0] == FRAME_CUSTODY_LEAVE)
        return 1 + HASH_SIZE + NODE_ID_SIZE;
    if (valid->bytes[0] == FRAME_CUSTODY_ENVELOPE)
        return 1 + 8;
    return valid->bytes[0] == FRAME_ROSTER_PART ? 1 : SIZE_MAX;
}

static size_t cut_each_short(struct room *room)
{
    struct single *single = room->single;
    size_t count = 0;
    for (size_t i = 0; i < room->count; i++) {
        const struct valid *valid = &room->frames[i];
        for (size_t size = 1; size < valid->size; size++, count++) {
            uint64_t before = refused(single);
            single->counts = (struct single_counts){.sent = 0};
            hear_exactly(single, valid->bytes, size);
            bool is_whole = size > open_from(valid);
            if (!is_whole && (refused(single) != before + 1 || single->counts.logged != 1))
                fail_msg("%s of %zu bytes is not counted", valid->name, size);
            bool is_answered = is_whole && valid->bytes[0] == FRAME_CUSTODY_LEAVE; /* refused */
            if (!is_unchanged(single) || (single->counts.sent > 0 && !is_answered) ||
                single->counts.hung_up > 0)
                fail_msg("%s of %zu bytes changes something", valid->name, size);
        }
    }
    return count;
}

static void every_truncation_is_counted_traced_and_changes_nothing(void **state)
{
    struct room *room = *state;
    size_t count = cut_each_short(room), memory = in_use();
    assert_int_equal(cut_each_short(room), count);
    assert_int_equal(in_use(), memory);
    print_message("%zu truncations\n", count);
    assert_it_goes_on(room);
}

static void what_is_left_over_is_refused(void **state)
{
    struct room *room = *state;
    struct single *single = room->single;
    for (size_t i = 0; i < room->count; i++) {
        struct valid *valid = &room->frames[i];
        uint64_t refused_before = refused(single);
        single->counts = (struct single_counts){.sent = 0};
        if (valid->bytes[0] == FRAME_HELLO) /* later versions may add to it (W-4) */
            continue;
        valid->bytes[valid->size] = 0;
        hear_exactly(single, valid->bytes, valid->size + 1);
        bool is_whole = valid->size + 1 > open_from(valid);
        assert_true(is_whole || refused(single) == refused_before + 1);
    }
    assert_it_goes_on(room);
}

static size_t turn_each_bit(struct room *room)
{
    struct single *single = room->single;
    size_t count = 0;
    for (size_t i = 0; i < room->count; i++) {
        struct valid *valid = &room->frames[i];
        for (size_t bit = 0; bit < 8 * valid->size; bit++, count++) {
            valid->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            hear_exactly(single, valid->bytes, valid->size);
            valid->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            for (size_t j = single->saved_count; j < single->kept_count; j++) {
                struct record_claim claim;
                struct bytes all = {single->kept[j].bytes, single->kept[j].size};
                assert_int_equal(record_parse(all, &claim), OK);
                assert_int_equal(claim.header.stream.scope.kind, SCOPE_BOARD);
                assert_true(record_verify(&claim, &single->hospitals[HOSTILE].sign_key) == OK ||
                            (single->kept[j].flags & RECORD_UNSIGNED) != 0);
            }
            single_restore(single);
        }
    }
    return count;
}

/* What is kept is what its writer signed, or what a later record of its writer vouches for. */
static void every_bit_turned_makes_no_other_record(void **state)
{
    struct room *room = *state;
    size_t count = turn_each_bit(room), memory = in_use();
    assert_int_equal(turn_each_bit(room), count);
    assert_int_equal(in_use(), memory);
    print_message("%zu bits\n", count);
    assert_it_goes_on(room);
}

/* ---- under valid signatures ---- */

/* Each content of tests/vectors/consult.txt by the name of its kind. */
static size_t vector(const char *name, uint8_t *out)
{
    static char page[65536];
    char start[64];
    if (page[0] == 0) {
        FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/consult.txt", "r");
        assert_non_null(file);
        assert_true(fread(page, 1, sizeof page - 1, file) > 0);
        fclose(file);
    }
    snprintf(start, sizeof start, "\n%s=", name);
    const char *line = strstr(page, start);
    if (line == NULL)
        return 0;
    line += strlen(start);
    size_t digits = strspn(line, "0123456789abcdef");
    assert_true(digits / 2 <= CONTENT_ROOM);
    for (size_t i = 0; i < digits / 2; i++) {
        unsigned byte;
        assert_int_equal(sscanf(line + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return digits / 2;
}

static struct scope scope_of(const struct single *single, const struct kind_rule *rule)
{
    switch (rule->kind >> 8) {
    case 1:
        return scope_federation();
    case 2:
        return scope_board(&single->config.federation, bytes_of_text("hematology"));
    case 3:
        return own_case;
    default:
        return scope_mail(&single->config.self);
    }
}

/* Sends `body` as the next record and a good one behind it: both keep their place. */
static void assert_keeps_its_place(struct single *single, struct record_header header,
                                   struct bytes body)
{
    static uint8_t memory[FRAME_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct stream_id stream = header.stream;
    uint64_t sequence = header.sequence;
    frame_records_begin(&frame);
    assert_true(single_record(single, HOSTILE, &header, body, &frame));
    assert_true(single_record(single, HOSTILE, &header, bytes_of_text("behind it"), &frame));
    frame_records_end(&frame, 2);
    single_hear(single, HOSTILE, buffer_bytes(&frame));
    assert_non_null(single_kept(single, &stream, sequence));
    assert_non_null(single_kept(single, &stream, sequence + 1));
}

/* No case came of it and none changed, no certificate, and none of the core's own records. */
static void assert_means_nothing(const struct single *single)
{
    const struct engine *saved = (const void *)single->saved_memory;
    struct engine_status status;
    struct case_id case_id;
    memcpy(case_id.bytes, own_case.id, HASH_SIZE);
    engine_status(single->engine, &status);
    assert_int_equal(status.case_count, 1);
    assert_int_equal(engine_case(single->engine, &case_id)->state, CASE_ANNOUNCED);
    assert_int_equal(single->engine->clinicians.count, saved->clinicians.count);
    assert_int_equal(single->sealed, single->saved_sealed);
}

/* The header of the record that the hostile one writes next in this scope. */
static struct record_header header_of(const struct single *single, const struct kind_rule *rule)
{
    struct scope scope = scope_of(single, rule);
    struct record_header header = single_header(single, HOSTILE, &scope);
    if (scope.kind == SCOPE_FEDERATION) { /* its certificate stands there */
        const struct single_record *first =
            single_kept((struct single *)(uintptr_t)single, &header.stream, 1);
        struct record_claim claim;
        assert_int_equal(record_parse((struct bytes){first->bytes, first->size}, &claim), OK);
        header.sequence = 2;
        header.previous = claim.id;
    }
    if (rule->kind == KIND_ERASE || rule->kind == KIND_ERASED)
        header.audience = AUDIENCE_CLEAR;
    return header;
}

static size_t spoil_one(struct single *single, const struct kind_rule *rule, const uint8_t *content,
                        size_t size)
{
    static uint8_t body[CONTENT_ROOM + 512];
    struct record_header header = header_of(single, rule);
    struct statement statement = {.kind = (uint16_t)rule->kind, .content = {content, size}};
    struct buffer out = buffer_over(body, sizeof body);
    bool is_full = getenv("CONSILIUM_FULL") != NULL;
    size_t count = 0;
    single_statement(single, HOSTILE, &header.stream.scope, &statement, &out);
    assert_false(out.failed);
    for (size_t cut = 0; cut < out.size; cut += is_full ? 1 : 1 + out.size / 128, count++) {
        assert_keeps_its_place(single, header, (struct bytes){body, cut});
        assert_means_nothing(single);
        single_restore(single);
    }
    for (size_t bit = 0; bit < 8 * out.size; bit += is_full ? 1 : 1 + out.size / 32, count++) {
        body[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_keeps_its_place(single, header, buffer_bytes(&out));
        body[bit / 8] ^= (uint8_t)(1u << bit % 8);
        single_restore(single);
    }
    return count;
}

static void signed_nonsense_of_each_kind_keeps_its_place(void **state)
{
    struct room *room = *state;
    static uint8_t content[CONTENT_ROOM];
    size_t kinds, count = 0;
    const struct kind_rule *rules = kind_rules(&kinds);
    for (size_t i = 0; i < kinds; i++) {
        size_t size = vector(rules[i].name, content);
        if (size > 0)
            count += spoil_one(room->single, &rules[i], content, size);
    }
    print_message("%zu records of signed nonsense\n", count);
    assert_true(count > 1000);
    assert_it_goes_on(room);
}

/* Contents that ask for memory, or are spelled in a way that is not the one. */
static void bombs_keep_their_place_and_take_no_memory(void **state)
{
    struct room *room = *state;
    static uint8_t deep[5000];
    static const uint8_t map32[] = {0xdf, 0xff, 0xff, 0xff, 0xff, 1, 2};
    static const uint8_t array32[] = {0x81, 1, 0xdd, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t bin32[] = {0x81, 1, 0xc6, 0xff, 0xff, 0xff, 0xff, 0};
    static const uint8_t twice[] = {0x82, 1, 2, 1, 2};
    static const uint8_t falling[] = {0x82, 2, 2, 1, 2};
    static const uint8_t wide[] = {0x81, 1, 0xcd, 0, 2};
    static const uint8_t more[] = {0x81, 1, 2, 0};
    static const uint8_t text[] = {0x81, 1, 0xa2, 0xc0, 0x80};
    static const uint8_t real[] = {0x81, 1, 0xca, 0, 0, 0, 0};
    static const uint8_t ext[] = {0x81, 1, 0xd4, 1, 0};
    memset(deep, 0x91, sizeof deep);
    deep[0] = 0x81;
    deep[1] = 1;
    const struct bytes bombs[] = {
        {deep, sizeof deep},   {map32, sizeof map32}, {array32, sizeof array32},
        {bin32, sizeof bin32}, {twice, sizeof twice}, {falling, sizeof falling},
        {wide, sizeof wide},   {more, sizeof more},   {text, sizeof text},
        {real, sizeof real},   {ext, sizeof ext}};
    static union content_registry_value value;
    size_t kinds;
    const struct kind_rule *rules = kind_rules(&kinds);
    for (size_t i = 0; i < kinds; i++) {
        bool is_read = content_registry_table((uint16_t)rules[i].kind) != NULL;
        for (size_t j = 0; is_read && j < sizeof bombs / sizeof *bombs; j++) {
            static uint8_t body[CONTENT_ROOM];
            struct record_header header = header_of(room->single, &rules[i]);
            struct statement statement = {.kind = (uint16_t)rules[i].kind, .content = bombs[j]};
            struct buffer out = buffer_over(body, sizeof body);
            assert_int_not_equal(content_registry_read((uint16_t)rules[i].kind, bombs[j], &value),
                                 OK);
            single_statement(room->single, HOSTILE, &header.stream.scope, &statement, &out);
            if (out.failed) /* an announcement is bounded before */
                continue;
            assert_keeps_its_place(room->single, header, buffer_bytes(&out));
            assert_means_nothing(room->single);
            single_restore(room->single);
        }
    }
    assert_it_goes_on(room);
}

/* Counts that the bytes cannot hold. */
static void counts_that_lie_are_refused(void **state)
{
    struct room *room = *state;
    struct single *single = room->single;
    for (size_t i = 0; i < room->count; i++) {
        uint8_t bytes[FRAME_ROOM];
        const struct valid *valid = &room->frames[i];
        uint8_t type = valid->bytes[0];
        if (type != FRAME_STREAMS && type != FRAME_ACK && type != FRAME_RECORDS)
            continue;
        for (uint32_t count = 0; count < 65536; count += count < 900 ? 1 : 997) {
            uint64_t before = refused(single);
            memcpy(bytes, valid->bytes, valid->size);
            bytes[1] = (uint8_t)(count >> 8);
            bytes[2] = (uint8_t)count;
            if (memcmp(bytes, valid->bytes, valid->size) == 0)
                continue;
            hear_exactly(single, bytes, valid->size);
            if (refused(single) != before + 1)
                fail_msg("%s with a count of %u", valid->name, count);
        }
    }
    assert_true(is_unchanged(single));
    assert_it_goes_on(room);
}

#define HOSTILE_TEST(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, given_a_engine_that_knows_two_members, then_it_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST(every_truncation_is_counted_traced_and_changes_nothing),
        HOSTILE_TEST(what_is_left_over_is_refused),
        HOSTILE_TEST(every_bit_turned_makes_no_other_record),
        HOSTILE_TEST(signed_nonsense_of_each_kind_keeps_its_place),
        HOSTILE_TEST(bombs_keep_their_place_and_take_no_memory),
        HOSTILE_TEST(counts_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
