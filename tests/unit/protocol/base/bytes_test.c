/* Reading and writing stop at the end, stay stopped, and say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"

static void reads_back_what_was_written(void **state)
{
    (void)state;
    uint8_t memory[64];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    buffer_u8(&buffer, 1);
    buffer_u16(&buffer, 0x0203);
    buffer_u32(&buffer, 0x04050607);
    buffer_u64(&buffer, 0x08090a0b0c0d0e0f);
    buffer_put(&buffer, "abc", 3);
    assert_false(buffer.failed);
    for (uint8_t i = 0; i < 15; i++)
        assert_int_equal(memory[i], i + 1);

    struct reader reader = reader_of(buffer_bytes(&buffer));
    assert_int_equal(reader_u8(&reader), 1);
    assert_int_equal(reader_u16(&reader), 0x0203);
    assert_int_equal(reader_u32(&reader), 0x04050607);
    assert_true(reader_u64(&reader) == 0x08090a0b0c0d0e0f);
    assert_false(reader_done(&reader));
    assert_memory_equal(reader_take(&reader, 3).data, "abc", 3);
    assert_true(reader_done(&reader));
}

static void a_reader_that_ran_out_stays_failed(void **state)
{
    (void)state;
    uint8_t three[3] = {1, 2, 3};
    struct reader reader = reader_of((struct bytes){three, 3});
    assert_int_equal(reader_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(reader_u8(&reader), 0);
    assert_false(reader_done(&reader));
    uint8_t copy[2] = {9, 9};
    reader_copy(&reader, copy, 2);
    assert_int_equal(copy[0] + copy[1], 0);
}

static void a_full_buffer_takes_no_part_of_a_value(void **state)
{
    (void)state;
    uint8_t memory[3] = {7, 7, 7};
    struct buffer buffer = buffer_over(memory, sizeof memory);
    buffer_u32(&buffer, 0);
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(memory[0], 7);
    buffer_u8(&buffer, 1);
    assert_int_equal(buffer.size, 0);
}

static void hexadecimal_goes_both_ways(void **state)
{
    (void)state;
    uint8_t in[4] = {0x00, 0x9a, 0xff, 0x10}, out[4];
    char text[9];
    ids_to_hex((struct bytes){in, 4}, text);
    assert_string_equal(text, "009aff10");
    assert_int_equal(ids_from_hex("009AFF10", out, 4), OK);
    assert_memory_equal(in, out, 4);
    assert_int_equal(ids_from_hex("009aff1", out, 4), ERR_MALFORMED);
    assert_int_equal(ids_from_hex("009aff1g", out, 4), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_was_written),
        cmocka_unit_test(a_reader_that_ran_out_stays_failed),
        cmocka_unit_test(a_full_buffer_takes_no_part_of_a_value),
        cmocka_unit_test(hexadecimal_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
