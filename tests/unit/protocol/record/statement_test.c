/* A statement says one thing of one kind, padded where it must be, signed for one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "protocol/record/statement.h"

static const uint8_t content[3] = {0x81, 0x01, 0x02};

static struct statement a_statement(uint16_t kind)
{
    return (struct statement){.kind = kind, .content = {content, sizeof content}};
}

static void a_kind_stands_only_where_its_rule_says(void **state)
{
    (void)state;
    assert_int_equal(kind_check(KIND_OPINION, SCOPE_CASE, AUDIENCE_REQUESTER, true), OK);
    assert_int_equal(kind_check(KIND_OPINION, SCOPE_CASE, AUDIENCE_CLEAR, true), ERR_MALFORMED);
    assert_int_equal(kind_check(KIND_OPINION, SCOPE_BOARD, AUDIENCE_SCOPE, true), ERR_MALFORMED);
    /* C-3: must be signed by a clinician; must not; may */
    assert_int_equal(kind_check(KIND_OPINION, SCOPE_CASE, AUDIENCE_SCOPE, false), ERR_MALFORMED);
    assert_int_equal(kind_check(KIND_TAKE_IN, SCOPE_CASE, AUDIENCE_SCOPE, true), ERR_MALFORMED);
    assert_int_equal(kind_check(KIND_GRANT, SCOPE_CASE, AUDIENCE_SCOPE, true), OK);
    assert_int_equal(kind_check(KIND_GRANT, SCOPE_CASE, AUDIENCE_SCOPE, false), OK);
    assert_int_equal(kind_check(KIND_KEY_CHANGE, SCOPE_MAIL, AUDIENCE_CLEAR, false), OK);
    /* C-1: what is not known is not malformed */
    assert_int_equal(kind_check(0x0399, SCOPE_CASE, AUDIENCE_SCOPE, false), ERR_UNSUPPORTED);
}

static void kinds_ascend_and_their_names_lead_back(void **state)
{
    (void)state;
    size_t count;
    const struct kind_rule *rules = kind_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            assert_true(rules[i - 1].kind < rules[i].kind);
        assert_int_equal(kind_of_name(bytes_of_text(rules[i].name)), rules[i].kind);
        assert_string_equal(kind_name((uint16_t)rules[i].kind), rules[i].name);
    }
    assert_string_equal(kind_name(0x0fff), "unknown");
    assert_int_equal(kind_of_name(bytes_of_text("NOTHING")), KIND_NONE);
}

static void reads_back_what_was_written(void **state)
{
    (void)state;
    uint8_t memory[256];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct statement out = a_statement(KIND_POST), in;
    out.is_signed = true;
    memset(&out.author, 7, sizeof out.author);
    assert_int_equal(statement_write(&out, &buffer), OK);
    assert_int_equal(buffer.size, 8 + 3 + STATEMENT_AUTHOR_SIZE);
    assert_int_equal(statement_read(buffer_bytes(&buffer), &in), OK);
    assert_int_equal(in.kind, KIND_POST);
    assert_true(in.is_signed);
    assert_true(bytes_equal(in.content, out.content));
    assert_memory_equal(&in.author, &out.author, sizeof in.author);
    for (size_t size = 0; size < buffer.size; size++)
        assert_int_not_equal(statement_read((struct bytes){memory, size}, &in), OK);
}

/* C-5 */
static void announcements_are_padded_to_their_class_and_nothing_else_is(void **state)
{
    (void)state;
    static uint8_t memory[8192], text[4200];
    static const size_t sizes[][2] = {{1, 512},     {504, 512},   {505, 1024}, {1016, 1024},
                                      {2040, 2048}, {2041, 4096}, {4088, 4096}};
    struct statement in, out = a_statement(KIND_ANNOUNCEMENT);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buffer buffer = buffer_over(memory, sizeof memory);
        out.content = (struct bytes){text, sizes[i][0]};
        assert_int_equal(statement_write(&out, &buffer), OK);
        assert_int_equal(buffer.size, sizes[i][1]);
        assert_int_equal(statement_read(buffer_bytes(&buffer), &in), OK);
        assert_int_equal(in.content.size, sizes[i][0]);
        /* another class, and less than a class */
        memory[buffer.size] = 0;
        assert_int_equal(statement_read((struct bytes){memory, buffer.size + 1}, &in),
                         ERR_NOT_CANONICAL);
        if (sizes[i][0] < sizes[i][1] - 8)
            assert_int_equal(statement_read((struct bytes){memory, buffer.size - 1}, &in),
                             ERR_NOT_CANONICAL);
    }
    struct buffer buffer = buffer_over(memory, sizeof memory);
    out.content = (struct bytes){text, 4089};
    assert_int_equal(statement_write(&out, &buffer), ERR_TOO_LARGE);

    buffer = buffer_over(memory, sizeof memory);
    out = a_statement(KIND_POST);
    assert_int_equal(statement_write(&out, &buffer), OK);
    assert_int_equal(buffer.size, 11);
    memory[11] = 0;
    assert_int_equal(statement_read((struct bytes){memory, 12}, &in), ERR_NOT_CANONICAL);
}

/* C-4 */
static void padding_and_reserved_bits_hold_nothing(void **state)
{
    (void)state;
    uint8_t memory[512];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct statement in, out = a_statement(KIND_ANNOUNCEMENT);
    assert_int_equal(statement_write(&out, &buffer), OK);
    for (size_t i = 11; i < 512; i++) {
        memory[i] = 1;
        assert_int_equal(statement_read(buffer_bytes(&buffer), &in), ERR_NOT_CANONICAL);
        memory[i] = 0;
    }
    memory[3] = 1;
    assert_int_equal(statement_read(buffer_bytes(&buffer), &in), ERR_NOT_CANONICAL);
    memory[3] = 0;
    memory[2] = 2;
    assert_int_equal(statement_read(buffer_bytes(&buffer), &in), ERR_MALFORMED);
    memory[2] = 0;
    memory[4] = 1;
    assert_int_equal(statement_read(buffer_bytes(&buffer), &in), ERR_TOO_LARGE);
    memory[4] = 0;
    memory[6] = 2;
    assert_int_equal(statement_read(buffer_bytes(&buffer), &in), ERR_TRUNCATED);
}

/* C-1 */
static void a_kind_of_later_times_is_read_padded_or_not(void **state)
{
    (void)state;
    uint8_t memory[64] = {0x07, 0x77, 0, 0, 0, 0, 0, 1, 0x80};
    struct statement in;
    assert_int_equal(statement_read((struct bytes){memory, 9}, &in), OK);
    assert_int_equal(statement_read((struct bytes){memory, 40}, &in), OK);
    assert_int_equal(in.kind, 0x0777);
    memory[39] = 1;
    assert_int_equal(statement_read((struct bytes){memory, 40}, &in), ERR_NOT_CANONICAL);
}

struct signing {
    struct sign_key key;
    uint8_t secret[64];
    struct statement_place place;
    struct statement statement;
};

static struct signing a_signed_opinion(void)
{
    struct signing signing = {.statement = a_statement(KIND_OPINION)};
    struct statement_author author = {.time = {1000}};
    uint8_t seed[32] = {1};
    crypto_sign_seed_keypair(signing.key.bytes, signing.secret, seed);
    memset(&signing.place.federation, 1, sizeof signing.place.federation);
    signing.place.scope.kind = SCOPE_CASE;
    memset(signing.place.scope.id, 2, HASH_SIZE);
    memset(&signing.place.node, 3, sizeof signing.place.node);
    memset(&author.cert_id, 4, sizeof author.cert_id);
    statement_sign(&signing.statement, &signing.place, &author, signing.secret);
    return signing;
}

static err verdict(const struct signing *signing)
{
    return statement_verify(&signing->statement, &signing->place, &signing->key);
}

/* C-6 */
static void a_signature_speaks_for_one_place_and_no_other(void **state)
{
    (void)state;
    struct signing good = a_signed_opinion(), bad;
    assert_int_equal(verdict(&good), OK);
    assert_int_equal(good.statement.author.time.ms, 1000);
    bad = good;
    bad.place.federation.bytes[0]++;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.place.scope.id[31]++;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.place.scope.kind = SCOPE_BOARD;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.place.node.bytes[0]++;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.statement.author.cert_id.bytes[0]++;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.statement.author.time.ms++;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.statement.kind = KIND_POST;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.statement.content.size--;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.key.bytes[1]++;
    assert_int_equal(verdict(&bad), ERR_BAD_SIGNATURE);
    bad = good;
    bad.statement.is_signed = false;
    assert_int_equal(verdict(&bad), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_stands_only_where_its_rule_says),
        cmocka_unit_test(kinds_ascend_and_their_names_lead_back),
        cmocka_unit_test(reads_back_what_was_written),
        cmocka_unit_test(announcements_are_padded_to_their_class_and_nothing_else_is),
        cmocka_unit_test(padding_and_reserved_bits_hold_nothing),
        cmocka_unit_test(a_kind_of_later_times_is_read_padded_or_not),
        cmocka_unit_test(a_signature_speaks_for_one_place_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
