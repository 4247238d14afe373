/* One spelling for each value, proved before anything is read; each rule broken once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/limits.h"
#include "protocol/base/pack.h"

#define RAW(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

static err opened(struct bytes all)
{
    struct pack pack;
    return pack_open(all, &pack);
}

#define ASSERT_OPENS(text) assert_int_equal(opened(RAW(text)), OK)
#define ASSERT_REFUSED(text, code) assert_int_equal(opened(RAW(text)), code)

/* ---- the walk ---- */

static void takes_each_shortest_form(void **state)
{
    (void)state;
    ASSERT_OPENS("\x00");
    ASSERT_OPENS("\x7f");
    ASSERT_OPENS("\xcc\x80");
    ASSERT_OPENS("\xcd\x01\x00");
    ASSERT_OPENS("\xce\x00\x01\x00\x00");
    ASSERT_OPENS("\xcf\x00\x00\x00\x01\x00\x00\x00\x00");
    ASSERT_OPENS("\xc0");
    ASSERT_OPENS("\xc2");
    ASSERT_OPENS("\xc3");
    ASSERT_OPENS("\xc4\x00");
    ASSERT_OPENS("\xa0");
    ASSERT_OPENS("\xd9\x20 123456789012345678901234567890_");
    ASSERT_OPENS("\x90");
    ASSERT_OPENS("\x80");
    ASSERT_OPENS("\x82\x01\x91\x80\xcc\xff\xa1x");
    ASSERT_OPENS("\xdc\x00\x10"
                 "0123456789012345");
}

static void refuses_longer_integers_than_needed(void **state)
{
    (void)state;
    ASSERT_REFUSED("\xcc\x7f", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xcd\x00\xff", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xce\x00\x00\xff\xff", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xcf\x00\x00\x00\x00\xff\xff\xff\xff", ERR_NOT_CANONICAL);
}

static void refuses_longer_sizes_and_counts_than_needed(void **state)
{
    (void)state;
    uint8_t memory[70000] = {0};
    ASSERT_REFUSED("\xd9\x1f 123456789012345678901234567890", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xc5\x00\x01x", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xc6\x00\x00\x00\x01x", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xda\x00\x01x", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xdb\x00\x00\x00\x01x", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xdc\x00\x01\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xdd\x00\x00\x00\x01\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xde\x00\x01\x00\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xdf\x00\x00\x00\x01\x00\xc0", ERR_NOT_CANONICAL);
    memcpy(memory, "\xc6\x00\x00\xff\xff", 5);
    assert_int_equal(opened((struct bytes){memory, 5 + 0xffff}), ERR_NOT_CANONICAL);
    memcpy(memory, "\xc6\x00\x01\x00\x00", 5);
    assert_int_equal(opened((struct bytes){memory, 5 + 0x10000}), OK);
}

static void refuses_unsorted_double_and_other_keys(void **state)
{
    (void)state;
    ASSERT_OPENS("\x82\x01\xc0\x02\xc0");
    ASSERT_REFUSED("\x82\x02\xc0\x01\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\x82\x01\xc0\x01\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\x82\x00\xc0\x00\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\x81\xa1x\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\x81\xc0\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\x81\x90\xc0", ERR_NOT_CANONICAL);
    /* the order is each map's own, also after a map inside ended */
    ASSERT_OPENS("\x82\x05\x81\x09\xc0\x06\x81\x01\xc0");
    ASSERT_REFUSED("\x82\x05\x81\x09\xc0\x05\xc0", ERR_NOT_CANONICAL);
}

static void refuses_text_that_is_not_utf8(void **state)
{
    (void)state;
    ASSERT_OPENS("\xa3\xe8\x82\xba");
    ASSERT_REFUSED("\xa1\xff", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xa2\xc0\x80", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xa3\xed\xa0\x80", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\x92\xa2\xe8\x82\xa1\xba", ERR_NOT_CANONICAL);
    ASSERT_OPENS("\xc4\x01\xff");
}

static void refuses_types_that_have_no_place(void **state)
{
    (void)state;
    ASSERT_REFUSED("\xff", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xe0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xd0\x80", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xd1\x80\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xd2\x80\x00\x00\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xd3\x00\x00\x00\x00\x00\x00\x00\x01", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xca\x00\x00\x00\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xcb\x00\x00\x00\x00\x00\x00\x00\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xd4\x01\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xd6\xff\x00\x00\x00\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xd8\x01 123456789abcdef", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xc7\x01\x01\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xc8\x00\x01\x01\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xc9\x00\x00\x00\x01\x01\x00", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\xc1", ERR_NOT_CANONICAL);
}

static void refuses_what_is_left_over(void **state)
{
    (void)state;
    ASSERT_REFUSED("\xc0\xc0", ERR_NOT_CANONICAL);
    ASSERT_REFUSED("\x80\x00", ERR_NOT_CANONICAL);
}

static void refuses_what_ends_early(void **state)
{
    (void)state;
    static const char whole[] = "\x83\x01\xa3"
                                "abc\x02\x92\xcd\x12\x34\xc3\x03\xc4\x02xy";
    assert_int_equal(opened(RAW(whole)), OK);
    for (size_t size = 0; size < sizeof whole - 1; size++)
        assert_int_equal(opened((struct bytes){(const uint8_t *)whole, size}), ERR_TRUNCATED);
}

static void refuses_claims_over_the_bytes_left_at_once(void **state)
{
    (void)state;
    ASSERT_REFUSED("\xdd\xff\xff\xff\xff\xc0\xc0", ERR_TRUNCATED);
    ASSERT_REFUSED("\xdf\xff\xff\xff\xff\x00\xc0", ERR_TRUNCATED);
    ASSERT_REFUSED("\xc6\xff\xff\xff\xff\xc0", ERR_TRUNCATED);
    ASSERT_REFUSED("\xdb\xff\xff\xff\xff\xc0", ERR_TRUNCATED);
    /* each level alone would fit, all of them together do not */
    ASSERT_REFUSED("\x93\x93\x93\xc0\xc0\xc0\xc0\xc0", ERR_TRUNCATED);
    ASSERT_REFUSED("\x82\x00\x82\x00\xc0", ERR_TRUNCATED);
    uint8_t bombs[155];
    for (size_t i = 0; i < sizeof bombs; i += 5)
        memcpy(bombs + i, "\xdd\xff\xff\xff\xff", 5);
    assert_int_equal(opened((struct bytes){bombs, sizeof bombs}), ERR_TRUNCATED);
}

static void refuses_more_depth_than_the_limit(void **state)
{
    (void)state;
    uint8_t nested[PACK_DEPTH_MAX + 2];
    memset(nested, 0x91, sizeof nested);
    nested[PACK_DEPTH_MAX] = 0xc0;
    assert_int_equal(opened((struct bytes){nested, PACK_DEPTH_MAX + 1}), OK);
    nested[PACK_DEPTH_MAX] = 0x91;
    nested[PACK_DEPTH_MAX + 1] = 0xc0;
    assert_int_equal(opened((struct bytes){nested, PACK_DEPTH_MAX + 2}), ERR_TOO_LARGE);
    nested[PACK_DEPTH_MAX] = 0x90;
    assert_int_equal(opened((struct bytes){nested, PACK_DEPTH_MAX + 1}), ERR_TOO_LARGE);
    /* depth is not the number of containers */
    ASSERT_OPENS("\x9c\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90");
}

static void refuses_more_values_than_the_limit(void **state)
{
    (void)state;
    uint8_t many[3 + PACK_NODES_MAX];
    memset(many, 0xc0, sizeof many);
    many[0] = 0xdc;
    many[1] = (uint8_t)((PACK_NODES_MAX - 1) >> 8);
    many[2] = (uint8_t)((PACK_NODES_MAX - 1) & 0xff);
    assert_int_equal(opened((struct bytes){many, sizeof many - 1}), OK);
    many[1] = (uint8_t)(PACK_NODES_MAX >> 8);
    many[2] = (uint8_t)(PACK_NODES_MAX & 0xff);
    assert_int_equal(opened((struct bytes){many, sizeof many}), ERR_TOO_LARGE);
}

/* ---- reading ---- */

static void gives_back_what_was_written(void **state)
{
    (void)state;
    uint8_t memory[256];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    const uint64_t numbers[] = {0,      0x7f,    0x80,       0xff,       0x100,
                                0xffff, 0x10000, UINT32_MAX, 1ull << 32, UINT64_MAX};
    pack_put_array(&buffer, 15);
    for (size_t i = 0; i < 10; i++)
        pack_put_uint(&buffer, numbers[i]);
    pack_put_bool(&buffer, true);
    pack_put_nil(&buffer);
    pack_put_bin(&buffer, RAW("\xff\x00"));
    pack_put_text(&buffer, RAW("T2 N1"));
    pack_put_map(&buffer, 0);
    assert_false(buffer.failed);

    struct pack pack;
    assert_int_equal(pack_open(buffer_bytes(&buffer), &pack), OK);
    assert_int_equal(pack_array(&pack, 15), 15);
    for (size_t i = 0; i < 10; i++)
        assert_true(pack_uint(&pack) == numbers[i]);
    assert_false(pack_nil(&pack));
    assert_true(pack_bool(&pack));
    assert_true(pack_nil(&pack));
    assert_true(bytes_equal(pack_bin(&pack, 2), RAW("\xff\x00")));
    assert_true(bytes_equal(pack_text(&pack, 5), RAW("T2 N1")));
    struct pack_map map = pack_map_begin(&pack);
    assert_false(pack_field(&map, 1));
    pack_map_end(&map);
    assert_int_equal(pack_close(&pack), OK);
}

static void writes_every_size_in_its_shortest_form(void **state)
{
    (void)state;
    static uint8_t memory[80000], filling[70000];
    const size_t sizes[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536};
    memset(filling, 'x', sizeof filling);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct bytes span = {filling, sizes[i]};
        struct buffer bin = buffer_over(memory, sizeof memory);
        pack_put_bin(&bin, span);
        assert_int_equal(opened(buffer_bytes(&bin)), OK);
        struct buffer text = buffer_over(memory, sizeof memory);
        pack_put_text(&text, span);
        assert_int_equal(opened(buffer_bytes(&text)), OK);
    }
    for (uint32_t count = 0; count < 40; count++) {
        struct buffer buffer = buffer_over(memory, sizeof memory);
        pack_put_array(&buffer, 2);
        pack_put_array(&buffer, count);
        for (uint32_t i = 0; i < count; i++)
            pack_put_nil(&buffer);
        pack_put_map(&buffer, count);
        for (uint32_t i = 0; i < count; i++) {
            pack_put_uint(&buffer, i);
            pack_put_bool(&buffer, false);
        }
        assert_int_equal(opened(buffer_bytes(&buffer)), OK);
    }
}

static void a_writer_without_room_fails_and_stays_so(void **state)
{
    (void)state;
    uint8_t memory[4];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    pack_put_bin(&buffer, RAW("abc"));
    assert_true(buffer.failed);
    pack_put_nil(&buffer);
    assert_true(buffer.failed);
}

static void a_writer_takes_no_text_that_a_reader_would_refuse(void **state)
{
    (void)state;
    uint8_t memory[16];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    pack_put_text(&buffer, RAW("\xed\xa0\x80"));
    assert_true(buffer.failed);
}

static void passes_over_keys_that_nobody_asks_for(void **state)
{
    (void)state;
    struct pack pack;
    struct bytes all = RAW("\x85\x01\x92\x01\x81\x02\xa1y\x02\xc3\x04\xc4\x02zz\x06\x07\x09\xa1q");
    assert_int_equal(pack_open(all, &pack), OK);
    struct pack_map map = pack_map_begin(&pack);
    assert_false(pack_field(&map, 0));
    assert_true(pack_field(&map, 2));
    assert_true(pack_bool(&pack));
    assert_false(pack_field(&map, 3));
    assert_false(pack_field(&map, 5));
    assert_true(pack_need(&map, 6));
    assert_int_equal(pack_uint(&pack), 7);
    pack_map_end(&map);
    assert_int_equal(pack_close(&pack), OK);
}

static void a_needed_key_that_is_missing_is_malformed(void **state)
{
    (void)state;
    struct pack pack;
    assert_int_equal(pack_open(RAW("\x81\x02\xc3"), &pack), OK);
    struct pack_map map = pack_map_begin(&pack);
    assert_false(pack_need(&map, 1));
    assert_false(pack_field(&map, 2));
    pack_map_end(&map);
    assert_int_equal(pack_close(&pack), ERR_MALFORMED);
}

static void a_failed_reader_answers_zeros_and_keeps_its_first_failure(void **state)
{
    (void)state;
    struct pack pack;
    uint8_t fixed[2] = {9, 9};
    assert_int_equal(pack_open(RAW("\x96\x07\xa1x\xc3\xc0\xc4\x02zz\x05"), &pack), OK);
    assert_int_equal(pack_array(&pack, 6), 6);
    assert_int_equal(pack_uint_max(&pack, 6), 0);
    assert_int_equal(pack_text(&pack, 9).size, 0);
    assert_false(pack_bool(&pack));
    assert_false(pack_nil(&pack));
    pack_fixed(&pack, fixed, 2);
    assert_int_equal(fixed[0] + fixed[1], 0);
    assert_int_equal(pack_array(&pack, 9), 0);
    struct pack_map map = pack_map_begin(&pack);
    assert_int_equal(map.left, 0);
    pack_fail(&pack, ERR_EXPIRED);
    assert_int_equal(pack_close(&pack), ERR_TOO_LARGE);
}

static err after_reading(struct bytes all, void (*read)(struct pack *pack))
{
    struct pack pack;
    assert_int_equal(pack_open(all, &pack), OK);
    read(&pack);
    return pack_close(&pack);
}

static void read_uint(struct pack *pack)
{
    pack_uint(pack);
}

static void read_short_text(struct pack *pack)
{
    pack_text(pack, 2);
}

static void read_short_bin(struct pack *pack)
{
    pack_bin(pack, 2);
}

static void read_fixed(struct pack *pack)
{
    uint8_t fixed[2];
    pack_fixed(pack, fixed, sizeof fixed);
}

static void read_short_array(struct pack *pack)
{
    for (uint32_t left = pack_array(pack, 2); left > 0; left--)
        pack_skip(pack);
}

static void read_twice(struct pack *pack)
{
    pack_skip(pack);
    pack_skip(pack);
}

static void read_nothing(struct pack *pack)
{
    (void)pack;
}

static void another_type_or_size_than_asked_for_is_refused(void **state)
{
    (void)state;
    assert_int_equal(after_reading(RAW("\xc3"), read_uint), ERR_MALFORMED);
    assert_int_equal(after_reading(RAW("\xc4\x00"), read_short_text), ERR_MALFORMED);
    assert_int_equal(after_reading(RAW("\xa0"), read_short_bin), ERR_MALFORMED);
    assert_int_equal(after_reading(RAW("\xa2xy"), read_short_text), OK);
    assert_int_equal(after_reading(RAW("\xa3xyz"), read_short_text), ERR_TOO_LARGE);
    assert_int_equal(after_reading(RAW("\xc4\x03xyz"), read_short_bin), ERR_TOO_LARGE);
    assert_int_equal(after_reading(RAW("\xc4\x01x"), read_fixed), ERR_MALFORMED);
    assert_int_equal(after_reading(RAW("\xc4\x03xyz"), read_fixed), ERR_TOO_LARGE);
    assert_int_equal(after_reading(RAW("\xc4\x02xy"), read_fixed), OK);
    assert_int_equal(after_reading(RAW("\x92\xc0\x91\xc0"), read_short_array), OK);
    assert_int_equal(after_reading(RAW("\x93\xc0\xc0\xc0"), read_short_array), ERR_TOO_LARGE);
    assert_int_equal(after_reading(RAW("\x80"), read_short_array), ERR_MALFORMED);
    assert_int_equal(after_reading(RAW("\xc0"), read_twice), ERR_MALFORMED);
    assert_int_equal(after_reading(RAW("\xc0"), read_nothing), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_each_shortest_form),
        cmocka_unit_test(refuses_longer_integers_than_needed),
        cmocka_unit_test(refuses_longer_sizes_and_counts_than_needed),
        cmocka_unit_test(refuses_unsorted_double_and_other_keys),
        cmocka_unit_test(refuses_text_that_is_not_utf8),
        cmocka_unit_test(refuses_types_that_have_no_place),
        cmocka_unit_test(refuses_what_is_left_over),
        cmocka_unit_test(refuses_what_ends_early),
        cmocka_unit_test(refuses_claims_over_the_bytes_left_at_once),
        cmocka_unit_test(refuses_more_depth_than_the_limit),
        cmocka_unit_test(refuses_more_values_than_the_limit),
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(writes_every_size_in_its_shortest_form),
        cmocka_unit_test(a_writer_without_room_fails_and_stays_so),
        cmocka_unit_test(a_writer_takes_no_text_that_a_reader_would_refuse),
        cmocka_unit_test(passes_over_keys_that_nobody_asks_for),
        cmocka_unit_test(a_needed_key_that_is_missing_is_malformed),
        cmocka_unit_test(a_failed_reader_answers_zeros_and_keeps_its_first_failure),
        cmocka_unit_test(another_type_or_size_than_asked_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
