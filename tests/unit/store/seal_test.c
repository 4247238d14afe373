/* Goal: a sealed value opens with its key and under its name, whole, and not otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "store/disk/seal.h"

static const struct bytes name = {(const uint8_t *)"table and key", 13};
static const struct bytes plain = {(const uint8_t *)"what is kept", 12};

static void it_opens_with_its_key_and_name_only(void **state) /* (S-4) */
{
    (void)state;
    uint8_t key[KEY_SIZE] = {1};
    uint8_t sealed[12 + SEAL_OVERHEAD];
    uint8_t out[12];
    struct seal_nonces nonces = {.left = 0};
    struct bytes all = {sealed, sizeof sealed};
    seal_close(key, &nonces, name, plain, sealed);
    assert_int_equal(seal_open(key, name, all, out), OK);
    assert_memory_equal(out, plain.data, plain.size);
    assert_int_equal(seal_open(key, (struct bytes){name.data, 12}, all, out), ERR_CORRUPT);
    for (size_t i = 0; i < sizeof sealed; i += 1) {
        sealed[i] ^= 0x80;
        assert_int_equal(seal_open(key, name, all, out), ERR_CORRUPT);
        sealed[i] ^= 0x80;
        assert_int_equal(seal_open(key, name, (struct bytes){sealed, i}, out), ERR_CORRUPT);
    }
    key[31] ^= 1;
    assert_int_equal(seal_open(key, name, all, out), ERR_CORRUPT);
}

static void no_nonce_is_drawn_twice(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static uint8_t sealed[COUNT][12 + SEAL_OVERHEAD];
    uint8_t key[KEY_SIZE] = {1};
    struct seal_nonces nonces = {.left = 0};
    for (size_t i = 0; i < COUNT; i += 1) {
        seal_close(key, &nonces, name, plain, sealed[i]);
        for (size_t j = 0; j < i; j += 1) {
            assert_memory_not_equal(sealed[i], sealed[j], SEAL_NONCE_SIZE);
        }
    }
}

static void the_hash_of_a_name_depends_on_key_kind_and_name(void **state) /* (S-3) */
{
    (void)state;
    uint8_t master[KEY_SIZE] = {1};
    uint8_t indexes[4][SEAL_INDEX_SIZE];
    struct seal_keys *keys = seal_keys_new(master);
    master[0] = 2;
    struct seal_keys *others = seal_keys_new(master);
    assert_non_null(keys);
    assert_non_null(others);
    seal_index(keys, SEAL_STREAM, name, indexes[0]);
    seal_index(keys, SEAL_RECORD_ID, name, indexes[1]);
    seal_index(keys, SEAL_STREAM, plain, indexes[2]);
    seal_index(others, SEAL_STREAM, name, indexes[3]);
    for (size_t i = 0; i < 4; i += 1) {
        for (size_t j = 0; j < i; j += 1) {
            assert_memory_not_equal(indexes[i], indexes[j], SEAL_INDEX_SIZE);
        }
    }
    seal_keys_free(keys);
    seal_keys_free(others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_with_its_key_and_name_only),
        cmocka_unit_test(no_nonce_is_drawn_twice),
        cmocka_unit_test(the_hash_of_a_name_depends_on_key_kind_and_name),
    };
    if (sodium_init() < 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
