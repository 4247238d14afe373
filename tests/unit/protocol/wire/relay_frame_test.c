/* Every frame between node and relay comes back as it was written; nothing spoiled gets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/wire/relay_frame.h"

static uint8_t memory[RELAY_CONTROL_SIZE_MAX];

static struct bytes written(const struct relay_frame *frame)
{
    struct buffer buffer = buffer_over(memory, sizeof memory);
    relay_frame_write(frame, &buffer);
    assert_false(buffer.failed);
    return buffer_bytes(&buffer);
}

static struct bytes written_list(enum relay_type type, uint16_t count)
{
    static struct relay_entry entries[RELAY_KEY_COUNT_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    for (uint16_t i = 0; i < count; i++) {
        memset(entries[i].key.bytes, i + 1, KEY_SIZE);
        entries[i].value = i & 1u;
    }
    relay_frame_write_list(type, entries, count, &buffer);
    assert_false(buffer.failed);
    return buffer_bytes(&buffer);
}

static struct relay_frame sample(enum relay_type type)
{
    struct relay_frame frame = {.type = type, .version_min = 1, .version_max = 1};
    memset(frame.federation.bytes, 0x11, HASH_SIZE);
    memset(frame.head.id.bytes, 0x22, HASH_SIZE);
    memset(frame.key.bytes, 0x33, KEY_SIZE);
    frame.head.epoch = 0x0102030405060708;
    frame.limits = (struct relay_limits){RELAY_UNITS_MAX, 1024, 256, 512, 600, 1 << 20};
    frame.body = bytes_of_text("a box or a part");
    frame.endpoints.count = 2;
    frame.endpoints.text[0] = bytes_of_text("tcp://192.0.2.1:7800");
    frame.endpoints.text[1] = bytes_of_text("tcp://[2001:db8::1]:7800");
    frame.total = 100;
    frame.offset = 50;
    frame.code = RELAY_LIMITED;
    frame.limit = RELAY_LIMIT_WATCHES;
    frame.units = 7;
    frame.value = 512;
    frame.result = ERR_OUT_OF_ORDER;
    return frame;
}

static const enum relay_type plain_types[] = {
    RELAY_HELLO, RELAY_OFFER,   RELAY_WHERE,  RELAY_FORWARD, RELAY_PUBLISH,  RELAY_WELCOME,
    RELAY_HINTS, RELAY_DELIVER, RELAY_STATUS, RELAY_HEAD,    RELAY_PUBLISHED};
enum { PLAIN_COUNT = sizeof plain_types / sizeof plain_types[0] };
static const enum relay_type list_types[] = {RELAY_WATCH, RELAY_UNWATCH, RELAY_PRESENCE,
                                             RELAY_CREDIT};

static void each_frame_comes_back_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAIN_COUNT; i++) {
        struct relay_frame frame = sample(plain_types[i]), back;
        uint8_t first[1024];
        struct bytes bytes = written(&frame);
        assert_true(bytes.size <= sizeof first);
        memcpy(first, bytes.data, bytes.size);
        assert_int_equal(first[0], plain_types[i]);
        assert_int_equal(relay_frame_parse((struct bytes){first, bytes.size}, &back), OK);
        struct bytes again = written(&back);
        assert_true(bytes_equal(again, (struct bytes){first, bytes.size}));
    }
}

static void lists_come_back_entry_by_entry(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct relay_frame back;
        assert_int_equal(relay_frame_parse(written_list(list_types[i], RELAY_KEY_COUNT_MAX), &back),
                         OK);
        assert_int_equal(back.count, RELAY_KEY_COUNT_MAX);
        for (uint16_t at = 0; at < back.count; at++) {
            struct relay_entry entry = relay_frame_entry(&back, at);
            bool valued = list_types[i] == RELAY_PRESENCE || list_types[i] == RELAY_CREDIT;
            assert_int_equal(entry.key.bytes[31], (uint8_t)(at + 1));
            assert_int_equal(entry.value, valued ? at & 1u : 0);
        }
    }
}

/* FORWARD, DELIVER and PUBLISH end in free bytes, so only their fixed part can be short. */
static size_t shortest(enum relay_type type)
{
    if (type == RELAY_FORWARD || type == RELAY_DELIVER)
        return 1 + KEY_SIZE + 1;
    return type == RELAY_PUBLISH ? 10 : SIZE_MAX;
}

static void every_truncation_and_every_byte_more_is_refused(void **state)
{
    (void)state;
    struct relay_frame back;
    for (size_t i = 0; i < PLAIN_COUNT; i++) {
        struct relay_frame frame = sample(plain_types[i]);
        struct bytes bytes = written(&frame);
        for (size_t size = 0; size < bytes.size && size < shortest(plain_types[i]); size++)
            assert_int_not_equal(relay_frame_parse((struct bytes){bytes.data, size}, &back), OK);
        if (shortest(plain_types[i]) == SIZE_MAX)
            assert_int_equal(relay_frame_parse((struct bytes){memory, bytes.size + 1}, &back),
                             ERR_MALFORMED);
    }
    for (size_t i = 0; i < 4; i++) {
        struct bytes bytes = written_list(list_types[i], 3);
        for (size_t size = 0; size < bytes.size; size++)
            assert_int_not_equal(relay_frame_parse((struct bytes){bytes.data, size}, &back), OK);
        assert_int_equal(relay_frame_parse((struct bytes){memory, bytes.size + 1}, &back),
                         ERR_MALFORMED);
    }
}

static void check_refused(struct relay_frame frame, size_t at, uint8_t value, err expected)
{
    struct relay_frame back = {.units = 99};
    struct bytes bytes = written(&frame);
    assert_true(at < bytes.size);
    memory[at] = value;
    assert_int_equal(relay_frame_parse(bytes, &back), expected);
    assert_int_equal(back.units, 99); /* untouched */
}

static void what_is_out_of_bounds_is_refused(void **state)
{
    (void)state;
    check_refused(sample(RELAY_HELLO), 2, 9, ERR_MALFORMED);    /* version_min above version_max */
    check_refused(sample(RELAY_OFFER), 1, 5, ERR_TOO_LARGE);    /* endpoints */
    check_refused(sample(RELAY_OFFER), 2, 0, ERR_MALFORMED);    /* an empty one */
    check_refused(sample(RELAY_OFFER), 2, 121, ERR_TOO_LARGE);  /* a long one */
    check_refused(sample(RELAY_OFFER), 5, 0x1b, ERR_MALFORMED); /* an escape in one */
    check_refused(sample(RELAY_STATUS), 1, 0, ERR_MALFORMED);
    check_refused(sample(RELAY_STATUS), 1, 6, ERR_MALFORMED);
    check_refused(sample(RELAY_STATUS), 2, 9, ERR_MALFORMED);
    check_refused(sample(RELAY_STATUS), 1, RELAY_GONE, ERR_MALFORMED); /* a limit that is none */
    check_refused(sample(RELAY_PUBLISH), 8, 99, ERR_MALFORMED);        /* a part beyond the total */
    check_refused(sample(RELAY_WELCOME), 78, 0, ERR_MALFORMED);        /* windows below one frame */
    check_refused(sample(RELAY_HEAD), 0, 0x99, ERR_UNSUPPORTED);
    check_refused(sample(RELAY_HEAD), 0, 0x00, ERR_UNSUPPORTED);
    written_list(RELAY_WATCH, 1);
    struct relay_frame back;
    memory[1] = 2; /* 513 keys */
    assert_int_equal(relay_frame_parse((struct bytes){memory, 3 + 513 * KEY_SIZE}, &back),
                     ERR_TOO_LARGE);
    memory[1] = memory[2] = 0;
    assert_int_equal(relay_frame_parse((struct bytes){memory, 3}, &back), ERR_MALFORMED);
    struct bytes presence = written_list(RELAY_PRESENCE, 1);
    memory[presence.size - 1] = 2;
    assert_int_equal(relay_frame_parse(presence, &back), ERR_NOT_CANONICAL);
}

static void the_largest_box_fits_and_no_larger_one(void **state)
{
    (void)state;
    static uint8_t large[RELAY_FORWARD_SIZE_MAX + 1] = {RELAY_FORWARD};
    struct relay_frame back;
    assert_int_equal(relay_frame_parse((struct bytes){large, sizeof large - 1}, &back), OK);
    assert_int_equal(back.body.size, TUNNEL_SIZE_MAX);
    assert_int_equal(relay_frame_parse((struct bytes){large, sizeof large}, &back), ERR_TOO_LARGE);
    large[0] = RELAY_PUBLISH;
    assert_int_equal(relay_frame_parse((struct bytes){large, 9 + RELAY_PART_SIZE_MAX + 1}, &back),
                     ERR_TOO_LARGE);
}

/* (L-11) */
static void a_frame_costs_its_size_in_started_units(void **state)
{
    (void)state;
    assert_int_equal(relay_frame_units(1), 1);
    assert_int_equal(relay_frame_units(512 - 33), 1);
    assert_int_equal(relay_frame_units(512 - 32), 2);
    assert_int_equal(relay_frame_units(TUNNEL_SIZE_MAX), RELAY_UNITS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_comes_back_as_written),
        cmocka_unit_test(lists_come_back_entry_by_entry),
        cmocka_unit_test(every_truncation_and_every_byte_more_is_refused),
        cmocka_unit_test(what_is_out_of_bounds_is_refused),
        cmocka_unit_test(the_largest_box_fits_and_no_larger_one),
        cmocka_unit_test(a_frame_costs_its_size_in_started_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
