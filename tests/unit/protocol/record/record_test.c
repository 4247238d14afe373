/* A record is what its writer sealed, to the bit, or it is nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/record/record.h"

struct sealed {
    uint8_t memory[RECORD_SIZE_MAX];
    struct bytes all;
    struct record_secrets secrets;
    struct sign_key key;
    struct record_id id;
    uint8_t sign_secret[64];
};

static struct sealed one;

static struct record_header header_of(enum audience audience)
{
    struct record_header header = {.audience = audience, .sequence = 1, .time = {1700000000000}};
    struct node_id recipient = {{7}};
    header.stream.scope = scope_mail(&recipient);
    header.stream.writer = (struct node_id){{9}};
    header.stream.generation = 1;
    memset(header.federation.bytes, 3, HASH_SIZE);
    memset(header.head.bytes, 4, HASH_SIZE);
    return header;
}

static err seal(struct sealed *sealed, enum audience audience, struct bytes plaintext)
{
    uint8_t seed[32] = {1};
    crypto_sign_seed_keypair(sealed->key.bytes, sealed->sign_secret, seed);
    sealed->secrets = (struct record_secrets){.sign_secret = sealed->sign_secret};
    memset(sealed->secrets.key.bytes, 5, KEY_SIZE);
    memset(sealed->secrets.nonce, 6, RECORD_NONCE_SIZE);
    struct record_header header = header_of(audience);
    struct buffer out = buffer_over(sealed->memory, sizeof sealed->memory);
    err failure = record_seal(&header, plaintext, &sealed->secrets, &out, &sealed->id);
    sealed->all = buffer_bytes(&out);
    return failure;
}

static err open_all(struct bytes all, const struct sealed *sealed, struct buffer *out)
{
    struct record_claim claim;
    err failure = record_parse(all, &claim);
    if (failure == OK)
        failure = record_verify(&claim, &sealed->key);
    if (failure == OK)
        failure = record_check_body(&claim);
    if (failure == OK)
        failure = record_open(&claim, &sealed->secrets.key, out);
    return failure;
}

static void opens_to_what_was_sealed(void **state)
{
    (void)state;
    struct bytes text = bytes_of_text("who has seen this?");
    for (int audience = AUDIENCE_CLEAR; audience <= AUDIENCE_SCOPE; audience++) {
        assert_int_equal(seal(&one, (enum audience)audience, text), OK);
        uint8_t memory[256];
        struct buffer out = buffer_over(memory, sizeof memory);
        assert_int_equal(open_all(one.all, &one, &out), OK);
        assert_true(bytes_equal(buffer_bytes(&out), text));
        struct record_claim claim;
        assert_int_equal(record_parse(one.all, &claim), OK);
        assert_true(ID_EQUAL(claim.id, one.id));
        assert_false(claim.is_bare);
    }
}

static void no_flipped_bit_survives(void **state)
{
    (void)state;
    assert_int_equal(seal(&one, AUDIENCE_SCOPE, bytes_of_text("docetaxel")), OK);
    uint8_t memory[256];
    for (size_t bit = 0; bit < 8 * one.all.size; bit++) {
        one.memory[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct buffer out = buffer_over(memory, sizeof memory);
        assert_int_not_equal(open_all(one.all, &one, &out), OK);
        one.memory[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void every_truncation_is_refused_or_bare(void **state)
{
    (void)state;
    assert_int_equal(seal(&one, AUDIENCE_SCOPE, bytes_of_text("cisplatin")), OK);
    for (size_t size = 0; size < one.all.size; size++) {
        struct record_claim claim;
        err failure = record_parse((struct bytes){one.all.data, size}, &claim);
        if (size == RECORD_BARE_SIZE) {
            assert_int_equal(failure, OK);
            assert_true(claim.is_bare);
            assert_int_equal(record_check_body(&claim), ERR_TRUNCATED);
        } else {
            assert_int_equal(failure, ERR_TRUNCATED);
        }
    }
}

static void a_key_that_was_not_committed_to_opens_nothing(void **state)
{
    (void)state;
    assert_int_equal(seal(&one, AUDIENCE_SCOPE, bytes_of_text("5-FU")), OK);
    struct record_claim claim;
    assert_int_equal(record_parse(one.all, &claim), OK);
    struct record_key other = one.secrets.key;
    other.bytes[0] ^= 1;
    uint8_t memory[64];
    struct buffer out = buffer_over(memory, sizeof memory);
    assert_int_equal(record_open(&claim, &other, &out), ERR_BAD_KEY);
    assert_int_equal(record_open(&claim, NULL, &out), ERR_BAD_KEY);
    assert_int_equal(out.size, 0);
}

static void the_largest_plaintext_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    static uint8_t large[RECORD_PLAINTEXT_SIZE_MAX + 1];
    assert_int_equal(seal(&one, AUDIENCE_SCOPE, (struct bytes){large, sizeof large - 1}), OK);
    assert_int_equal(one.all.size, RECORD_SIZE_MAX);
    assert_int_equal(seal(&one, AUDIENCE_SCOPE, (struct bytes){large, sizeof large}),
                     ERR_TOO_LARGE);
}

static void federation_bodies_are_clear(void **state)
{
    (void)state;
    assert_int_equal(seal(&one, AUDIENCE_SCOPE, bytes_of_text("x")), OK);
    one.memory[1] = SCOPE_FEDERATION;
    memset(one.memory + 36, 0, HASH_SIZE);
    struct record_claim claim;
    assert_int_equal(record_parse(one.all, &claim), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_to_what_was_sealed),
        cmocka_unit_test(no_flipped_bit_survives),
        cmocka_unit_test(every_truncation_is_refused_or_bare),
        cmocka_unit_test(a_key_that_was_not_committed_to_opens_nothing),
        cmocka_unit_test(the_largest_plaintext_fits_and_one_byte_more_does_not),
        cmocka_unit_test(federation_bodies_are_clear),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
