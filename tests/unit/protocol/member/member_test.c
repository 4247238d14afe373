/* An entry has one spelling and keeps its rules; each broken once. Tags, addresses, names too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/fingerprint.h"
#include "protocol/member/endpoint.h"
#include "protocol/member/tag.h"
#include "tests/harness/federation.h"

static struct member full(void)
{
    struct member member = federation_member(3, 4);
    member.endpoint_count = 2;
    member.endpoints[0] = bytes_of_text("tcp://hospital.example.org:4400");
    member.endpoints[1] = bytes_of_text("tcp://[2001:db8::1]:4400");
    member.board_count = 2;
    member.boards[1] = (struct member_board){bytes_of_text("oncology"), 9};
    member.keys_since_epoch = 8;
    member.keys_signed = true;
    member.keys_signature.bytes[5] = 7;
    return member;
}

static void reads_back_what_was_written(void **state)
{
    (void)state;
    uint8_t memory[MEMBER_SIZE_MAX], again_memory[MEMBER_SIZE_MAX];
    struct member member = full(), again;
    struct buffer packed = buffer_over(memory, sizeof memory);
    member_write(&packed, &member);
    assert_int_equal(member_read(buffer_bytes(&packed), &again), OK);
    assert_true(bytes_equal(again.name, member.name));
    assert_int_equal(again.boards[1].since_epoch, 9);
    assert_true(again.keys_signed);
    struct buffer twice = buffer_over(again_memory, sizeof again_memory);
    member_write(&twice, &again);
    assert_true(bytes_equal(buffer_bytes(&packed), buffer_bytes(&twice)));
    for (size_t size = 0; size < packed.size; size++)
        assert_int_not_equal(member_read((struct bytes){memory, size}, &again), OK);
}

#define BREAKS(change)                                                                             \
    do {                                                                                           \
        struct member m = full();                                                                  \
        change;                                                                                    \
        assert_int_not_equal(member_check(&m), OK);                                                \
    } while (0)

static void refuses_each_broken_rule(void **state)
{
    (void)state;
    struct member good = full();
    assert_int_equal(member_check(&good), OK);
    BREAKS(m.name = BYTES_NONE);
    BREAKS(m.country[0] = 'd');
    BREAKS(memset(&m.node_id, 0, sizeof m.node_id));
    BREAKS(memset(&m.sign_key, 0, sizeof m.sign_key));
    BREAKS(memset(&m.transport_key, 0, sizeof m.transport_key));
    BREAKS(m.endpoints[0] = bytes_of_text("http://x:1"));
    BREAKS(m.boards[1].tag = m.boards[0].tag);
    BREAKS(m.boards[1].tag = bytes_of_text("a"));
    BREAKS(m.boards[1].tag = bytes_of_text("Oncology"));
    BREAKS(m.boards[0].since_epoch = 3);
    BREAKS(m.state = (enum member_state)0);
    BREAKS(m.state = (enum member_state)4);
    BREAKS(m.admitted_epoch = 0);
    BREAKS(m.admitted_epoch = 5);
    BREAKS(m.state_since_epoch = 3);
    BREAKS(m.state_since_epoch = 5); /* reinstated, and a board is older than that */
    BREAKS(m.keys_since_epoch = 3);
    BREAKS(m.keys_since_epoch = 4); /* the first keys are nobody's successors */
    BREAKS(m.successor.bytes[0] = 1);
    BREAKS(m.state = MEMBER_REMOVED; m.successor = m.node_id);
    good.state = MEMBER_REMOVED;
    good.successor.bytes[0] = 1;
    assert_int_equal(member_check(&good), OK);
}

static void names_hide_nothing(void **state)
{
    (void)state;
    static const char *const fine[] = {"Hôpital Saint-Éloi", "大阪府立病院", "ΚΛΙΝΙΚΗ",
                                       "בית חולים",          "مستشفى",       "a b"};
    static const char *const bad[] = {"",
                                      "a\nb",
                                      "a\x7f",
                                      "a\xc2\x85",
                                      "a\xe2\x80\xae",
                                      "a\xe2\x80\x8f",
                                      "a\xe2\x81\xa6",
                                      "a\xd8\x9c",
                                      "a\xff",
                                      "\x1b[31m"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal(member_name_check(bytes_of_text(fine[i]), 200), OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(member_name_check(bytes_of_text(bad[i]), 200), ERR_MALFORMED);
    assert_int_equal(member_name_check(bytes_of_text("abc"), 2), ERR_TOO_LARGE);
}

static void tags_are_slugs_in_segments(void **state)
{
    (void)state;
    static const char *const fine[] = {"a", "rare-diseases", "hematology/bmt", "a/b/c-3"};
    static const char *const bad[] = {"", "/", "a/", "/a", "a//b", "A", "a b", "a_b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal(tag_check(bytes_of_text(fine[i])), OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(tag_check(bytes_of_text(bad[i])), ERR_MALFORMED);
    struct bytes wide = bytes_of_text("hematology");
    assert_true(tag_covers(wide, wide));
    assert_true(tag_covers(wide, bytes_of_text("hematology/bmt")));
    assert_false(tag_covers(wide, bytes_of_text("hematology-bmt")));
    assert_false(tag_covers(wide, bytes_of_text("hema")));
    assert_false(tag_covers(bytes_of_text("hematology/bmt"), wide));
}

static void addresses_are_tcp_with_host_and_port(void **state)
{
    (void)state;
    static const char *const fine[] = {"tcp://a:1", "tcp://10.0.0.1:65535", "tcp://[::1]:4400",
                                       "tcp://relay-1.example.org:4500"};
    static const char *const bad[] = {
        "",           "tcp://",      "tcp://:1",      "tcp://a",        "tcp://a:",
        "tcp://a:0",  "tcp://a:01",  "tcp://a:65536", "tcp://a:123456", "tcp://a b:1",
        "tcp://[]:1", "tcp://[x]:1", "ipc://a:1",     "tcp://*:1",      "tcp://a:1x"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal(endpoint_check(bytes_of_text(fine[i])), OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(endpoint_check(bytes_of_text(bad[i])), ERR_MALFORMED);
}

static void a_fingerprint_is_forty_digits_however_they_are_typed(void **state)
{
    (void)state;
    char text[FINGERPRINT_TEXT_SIZE];
    struct hash hash = {{0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff}};
    fingerprint_write(&hash, text);
    assert_string_equal(text, "00007 67295 00000 00000 00000 00000 00000 00000");
    assert_true(fingerprint_matches(&hash, text));
    assert_true(fingerprint_matches(&hash, "0000767295000000000000000000000000000000"));
    assert_true(fingerprint_matches(&hash, "00007-67295-00000-00000-00000-00000-00000-00000\n"));
    assert_false(fingerprint_matches(&hash, "00007 67295"));
    assert_false(fingerprint_matches(&hash, "000076729500000000000000000000000000000000"));
    assert_false(fingerprint_matches(&hash, "10007 67295 00000 00000 00000 00000 00000 00000"));
    assert_false(fingerprint_matches(&hash, ""));
}

static void settings_have_one_spelling_and_pass_over_what_is_new(void **state)
{
    (void)state;
    uint8_t memory[SETTINGS_SIZE_MAX];
    struct settings settings, again;
    federation_settings(&settings);
    struct buffer packed = buffer_over(memory, sizeof memory);
    settings_write(&packed, &settings);
    assert_int_equal(settings_read(buffer_bytes(&packed), &again), OK);
    assert_int_equal(again.board_count, 3);
    assert_int_equal(again.cooling_off_ms, settings.cooling_off_ms);
    for (size_t size = 0; size < packed.size; size++)
        assert_int_not_equal(settings_read((struct bytes){memory, size}, &again), OK);
    /* one more pair, key 9: a field of a later version */
    memory[0]++;
    buffer_put(&packed, "\x09\xa3new", 5);
    assert_int_equal(settings_read(buffer_bytes(&packed), &again), OK);

    settings.boards[1].tag = settings.boards[0].tag;
    assert_int_equal(settings_check(&settings), ERR_MALFORMED);
    federation_settings(&settings);
    settings.relays[0].endpoint = bytes_of_text("tcp://*:4500");
    assert_int_equal(settings_check(&settings), ERR_MALFORMED);
    federation_settings(&settings);
    settings.participant_count_max = PARTICIPANT_COUNT_MAX + 1;
    assert_int_equal(settings_check(&settings), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_was_written),
        cmocka_unit_test(refuses_each_broken_rule),
        cmocka_unit_test(names_hide_nothing),
        cmocka_unit_test(tags_are_slugs_in_segments),
        cmocka_unit_test(addresses_are_tcp_with_host_and_port),
        cmocka_unit_test(a_fingerprint_is_forty_digits_however_they_are_typed),
        cmocka_unit_test(settings_have_one_spelling_and_pass_over_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
