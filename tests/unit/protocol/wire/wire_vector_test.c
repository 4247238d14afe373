/* The bytes of spec/streams.md and spec/wire.md: records sealed with known keys, and one frame of
 * each type, value by value as in tests/vectors/wire.txt. A value that differs is printed as the
 * line that would fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/wire/frame_custody.h"

enum { VECTORS_SIZE_MAX = 1 << 16, VALUE_SIZE_MAX = 4096 };

static char *text;

static int opened(void **state)
{
    (void)state;
    text = calloc(1, VECTORS_SIZE_MAX);
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/wire.txt", "rb");
    if (text == NULL || file == NULL)
        return 1;
    size_t size = fread(text, 1, VECTORS_SIZE_MAX - 1, file);
    fclose(file);
    return size > 0 ? 0 : 1;
}

static int closed(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static bool fits(const char *key, struct bytes value)
{
    static char hex[2 * VALUE_SIZE_MAX + 1];
    size_t length = strlen(key);
    assert_true(value.size <= VALUE_SIZE_MAX);
    ids_to_hex(value, hex);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0 || line[length] != '=')
            continue;
        line += length + 1;
        if (strcspn(line, "\n") == strlen(hex) && strncmp(line, hex, strlen(hex)) == 0)
            return true;
    }
    printf("%s=%s\n", key, hex);
    return false;
}

#define FITS(key, value) assert_true(fits(key, value))

/* ---- records ---- */

struct sealed {
    uint8_t memory[1024];
    struct bytes all;
    struct record_key key;
    struct sign_key sign_key;
    struct record_id id;
};

static struct record_header header_of(struct scope scope, enum audience audience)
{
    return (struct record_header){
        .federation = {{0xfe, 1}},
        .stream = {scope, {{0x0a, 2}}, 1},
        .audience = audience,
        .sequence = 2,
        .previous = {{0xbe, 3}},
        .head = {{0x4e, 4}},
        .time = {1750000000000},
        .expires = {1752592000000},
    };
}

static struct sealed seal(struct scope scope, enum audience audience)
{
    struct sealed sealed;
    uint8_t seed[32] = {7}, secret[64];
    crypto_sign_seed_keypair(sealed.sign_key.bytes, secret, seed);
    struct record_secrets secrets = {.sign_secret = secret};
    for (uint8_t i = 0; i < KEY_SIZE; i++)
        secrets.key.bytes[i] = i;
    for (uint8_t i = 0; i < RECORD_NONCE_SIZE; i++)
        secrets.nonce[i] = (uint8_t)(0x80 + i);
    struct record_header header = header_of(scope, audience);
    struct buffer out = buffer_over(sealed.memory, sizeof sealed.memory);
    assert_int_equal(
        record_seal(&header, bytes_of_text("who has seen this?"), &secrets, &out, &sealed.id), OK);
    sealed.all.size = out.size;
    sealed.key = secrets.key;
    return sealed;
}

static void assert_opens(const struct sealed *sealed, struct bytes all)
{
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_claim claim;
    assert_int_equal(record_parse(all, &claim), OK);
    assert_true(ID_EQUAL(claim.id, sealed->id));
    assert_int_equal(record_verify(&claim, &sealed->sign_key), OK);
    assert_int_equal(record_check_body(&claim), OK);
    assert_int_equal(record_open(&claim, &sealed->key, &out), OK);
    assert_true(bytes_equal(buffer_bytes(&out), bytes_of_text("who has seen this?")));
}

/* T-1, T-2 */
static void records_are_as_written(void **state)
{
    (void)state;
    struct federation_id federation = {{0xfe, 1}};
    struct node_id recipient = {{0x0b, 5}};
    struct case_id case_id = {{0xca, 6}};
    struct sealed board =
        seal(scope_board(&federation, bytes_of_text("hematology")), AUDIENCE_SCOPE);
    struct sealed mail = seal(scope_mail(&recipient), AUDIENCE_SCOPE);
    struct sealed secret = seal(scope_case(&case_id), AUDIENCE_REQUESTER);
    struct sealed clear = seal(scope_federation(), AUDIENCE_CLEAR);
    const struct {
        const char *name;
        const struct sealed *sealed;
    } all[] = {{"board", &board}, {"mail", &mail}, {"case", &secret}, {"federation", &clear}};
    FITS("sign_key", ID_BYTES(board.sign_key));
    FITS("record_key", ID_BYTES(board.key));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char key[64];
        struct bytes bytes = {all[i].sealed->memory, all[i].sealed->all.size};
        snprintf(key, sizeof key, "record_%s", all[i].name);
        FITS(key, bytes);
        snprintf(key, sizeof key, "record_id_%s", all[i].name);
        FITS(key, ID_BYTES(all[i].sealed->id));
        assert_opens(all[i].sealed, bytes);
    }
}

/* ---- frames ---- */

static struct stream_id a_stream(void)
{
    struct node_id recipient = {{0x0b, 5}};
    return (struct stream_id){scope_mail(&recipient), {{0x0a, 2}}, 1};
}

static void small_frames_are_as_written(void **state)
{
    (void)state;
    uint8_t memory[1024];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_hello hello = {.version_min = 1,
                                .version_max = 1,
                                .federation = {{0xfe, 1}},
                                .epoch = 7,
                                .head = {{0x4e, 4}},
                                .time = {1750000000000}};
    frame_hello_write(&out, &hello);
    FITS("hello", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_heads_want_write(&out, &(struct frame_heads_want){7, {{0x4e, 4}}});
    FITS("heads_want", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_heads_begin(&out);
    assert_true(frame_head_write(&out, bytes_of_text("a signed head")));
    assert_true(frame_head_write(&out, bytes_of_text("and the next")));
    FITS("heads", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_roster_part_write(&out, bytes_of_text("a part of a delta"));
    FITS("roster_part", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_summary_write(&out, &(struct frame_summary){{{0xd1, 9}}, 12});
    FITS("summary", buffer_bytes(&out));
}

static void frames_of_streams_are_as_written(void **state)
{
    (void)state;
    uint8_t memory[2048];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_position position = {
        .stream = a_stream(), .tail = 9, .had = 8, .tail_hint = 0xbe03};
    frame_positions_begin(&out, FRAME_STREAMS, 1);
    frame_position_write(&out, &position);
    FITS("streams", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_positions_begin(&out, FRAME_ACK, 1);
    frame_position_write(&out, &position);
    FITS("ack", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_want_write(&out, &(struct frame_want){a_stream(), 4, 256});
    FITS("want", buffer_bytes(&out));

    struct node_id recipient = {{0x0b, 5}};
    struct sealed mail = seal(scope_mail(&recipient), AUDIENCE_SCOPE);
    struct frame_record whole = {true, mail.key, {mail.memory, mail.all.size}};
    struct frame_record bare = {.record = {mail.memory, RECORD_BARE_SIZE}};
    out = buffer_over(memory, sizeof memory);
    frame_records_begin(&out);
    frame_record_write(&out, &whole);
    frame_record_write(&out, &bare);
    frame_records_end(&out, 2);
    FITS("records", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_status_write(&out, &(struct frame_status){a_stream(), 4, FRAME_BUSY, {{0x4e, 4}}});
    FITS("status", buffer_bytes(&out));
}

static void frames_of_items_are_as_written(void **state)
{
    (void)state;
    uint8_t memory[1024], proof[2 * HASH_SIZE] = {1, 2, 3};
    struct buffer out = buffer_over(memory, sizeof memory);
    struct case_id case_id = {{0xca, 6}};
    struct item_id item = {{0x17, 8}};
    frame_item_want_write(&out, &(struct frame_item_want){case_id, item, 5, 16});
    FITS("item_want", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    struct frame_item_chunk chunk = {
        case_id, item, 5, {proof, sizeof proof}, bytes_of_text("ciphertext of a chunk")};
    frame_item_chunk_write(&out, &chunk);
    FITS("item_chunk", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_item_status_write(&out,
                            &(struct frame_item_status){case_id, item, 5, FRAME_NOT_ENTITLED});
    FITS("item_status", buffer_bytes(&out));
}

static void frames_of_custody_are_as_written(void **state)
{
    (void)state;
    uint8_t memory[256];
    struct deposit_id ids[] = {{{0xde, 1}}, {{0xde, 2}}};
    struct bytes envelope = bytes_of_text("a sealed letter");
    struct buffer out = buffer_over(memory, sizeof memory);
    frame_custody_leave_write(&out, &(struct frame_custody_leave){ids[0], {{0x0b, 5}}, envelope});
    FITS("custody_leave", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_custody_answer_write(&out, &(struct frame_custody_answer){ids[0], FRAME_CUSTODY_FULL});
    FITS("custody_answer", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_custody_withdraw_write(&out, ids, 2);
    FITS("custody_withdraw", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_custody_collect_write(&out, 20);
    FITS("custody_collect", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_custody_envelope_write(&out, &(struct frame_custody_envelope){21, envelope});
    FITS("custody_envelope", buffer_bytes(&out));

    out = buffer_over(memory, sizeof memory);
    frame_custody_taken_write(&out, 21);
    FITS("custody_taken", buffer_bytes(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_as_written),
        cmocka_unit_test(small_frames_are_as_written),
        cmocka_unit_test(frames_of_streams_are_as_written),
        cmocka_unit_test(frames_of_items_are_as_written),
        cmocka_unit_test(frames_of_custody_are_as_written),
    };
    return cmocka_run_group_tests(tests, opened, closed);
}
