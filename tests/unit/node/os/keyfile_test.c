/* A sealed key opens with its passphrase only; a bare one for its owner only. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/os/file.h"
#include "node/os/keyfile.h"

static char folder[64];
static const struct keyfile_cost cheap = {.operations = 1, .memory_kib = 8};
static const uint8_t secret_bytes[64] = {1, 2, 3, 62, [63] = 9};
static const struct bytes secret = {secret_bytes, sizeof secret_bytes};

static struct keyfile officer(void)
{
    struct keyfile keyfile = {.kind = KEYFILE_OFFICER, .label = "Dr. Ada", .public_size = 32};
    memset(keyfile.public_part, 0x42, 32);
    return keyfile;
}

static int enter(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/consilium-keyfile-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") != 0 || nftw(folder, leave_one, 8, FTW_DEPTH | FTW_PHYS) != 0;
}

static err unseal(const char *path, const char *passphrase, struct keyfile *ret)
{
    uint8_t memory[64];
    struct buffer out = buffer_over(memory, sizeof memory);
    err result = keyfile_unseal(path, KEYFILE_OFFICER, bytes_of_text(passphrase), ret, &out);
    if (result == OK)
        assert_true(bytes_equal(buffer_bytes(&out), secret));
    return result;
}

static void a_sealed_key_opens_with_its_passphrase_only(void **state)
{
    (void)state;
    struct keyfile keyfile = officer();
    struct keyfile got = {0};
    struct stat about;
    assert_int_equal(keyfile_seal("a", &keyfile, secret, bytes_of_text("right"), cheap), OK);
    assert_int_equal(stat("a", &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(unseal("a", "right", &got), OK);
    assert_string_equal(got.label, "Dr. Ada");
    assert_memory_equal(got.public_part, keyfile.public_part, 32);
    assert_int_equal(got.public_size, 32);
    assert_int_equal(unseal("a", "wrong", &got), ERR_PASSPHRASE);
    assert_int_equal(unseal("a", "righ", &got), ERR_PASSPHRASE);
}

static void the_public_part_needs_no_passphrase(void **state)
{
    (void)state;
    struct keyfile keyfile = officer();
    struct keyfile got = {0};
    assert_int_equal(keyfile_seal("b", &keyfile, secret, bytes_of_text("x"), cheap), OK);
    assert_int_equal(keyfile_peek("b", &got), OK);
    assert_int_equal(got.kind, KEYFILE_OFFICER);
    assert_true(got.sealed);
    assert_string_equal(got.label, "Dr. Ada");
    assert_memory_equal(got.public_part, keyfile.public_part, 32);
}

static void an_existing_key_is_never_overwritten_by_a_new_one(void **state)
{
    (void)state;
    struct keyfile keyfile = officer();
    assert_int_equal(keyfile_seal("c", &keyfile, secret, bytes_of_text("one"), cheap), OK);
    assert_int_equal(keyfile_seal("c", &keyfile, secret, bytes_of_text("two"), cheap), ERR_EXISTS);
    assert_int_equal(keyfile_store("c", &keyfile, secret), ERR_EXISTS);
    assert_int_equal(unseal("c", "one", NULL), OK);
    assert_int_equal(keyfile_reseal("c", &keyfile, secret, bytes_of_text("two"), cheap), OK);
    assert_int_equal(unseal("c", "two", NULL), OK);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct keyfile keyfile = officer();
    uint8_t *data = NULL;
    size_t size = 0;
    assert_int_equal(keyfile_seal("d", &keyfile, secret, bytes_of_text("x"), cheap), OK);
    assert_int_equal(file_read("d", 10000, &data, &size), OK);
    for (size_t i = 0; i < size; i++) {
        if (i >= 10 && i < 18)
            continue; /* the cost: some values only take long; it is under the seal as well */
        data[i] ^= 0x10;
        assert_int_equal(file_write("e", (struct bytes){data, size}, 0600), OK);
        data[i] ^= 0x10;
        if (unseal("e", "x", NULL) == OK)
            fail_msg("byte %zu may be altered", i);
    }
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(file_write("e", (struct bytes){data, i}, 0600), OK);
        assert_int_equal(unseal("e", "x", NULL), ERR_MALFORMED);
    }
    free(data);
}

static void an_absurd_cost_is_not_paid(void **state)
{
    (void)state;
    struct keyfile keyfile = officer();
    uint8_t *data = NULL;
    size_t size = 0;
    assert_int_equal(keyfile_seal("f", &keyfile, secret, bytes_of_text("x"), cheap), OK);
    assert_int_equal(file_read("f", 10000, &data, &size), OK);
    data[14] = 0xff; /* 4 TiB */
    assert_int_equal(file_write("g", (struct bytes){data, size}, 0600), OK);
    assert_int_equal(unseal("g", "x", NULL), ERR_MALFORMED);
    data[14] = 0;
    data[10] = 0xff; /* 4 milliard passes */
    assert_int_equal(file_write("g", (struct bytes){data, size}, 0600), OK);
    assert_int_equal(unseal("g", "x", NULL), ERR_MALFORMED);
    free(data);
}

static void a_bare_key_is_for_its_owner_only(void **state)
{
    (void)state;
    struct keyfile keyfile = officer();
    keyfile.kind = KEYFILE_RELAY;
    uint8_t memory[64];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct keyfile got = {0};
    assert_int_equal(keyfile_store("h", &keyfile, secret), OK);
    assert_int_equal(keyfile_load("h", KEYFILE_RELAY, &got, &out), OK);
    assert_true(bytes_equal(buffer_bytes(&out), secret));
    assert_false(got.sealed);
    out.size = 0;
    assert_int_equal(keyfile_load("h", KEYFILE_NODE, &got, &out), ERR_INVALID);
    assert_int_equal(unseal("h", "x", NULL), ERR_INVALID);
    assert_int_equal(chmod("h", 0644), 0);
    assert_int_equal(keyfile_load("h", KEYFILE_RELAY, &got, &out), ERR_NOT_ENTITLED);
    assert_int_equal(out.size, 0);
}

static void kinds_and_ways_are_not_mixed_up(void **state)
{
    (void)state;
    struct keyfile keyfile = officer();
    uint8_t memory[32];
    struct buffer small = buffer_over(memory, sizeof memory);
    assert_int_equal(keyfile_seal("i", &keyfile, secret, bytes_of_text("x"), cheap), OK);
    assert_int_equal(keyfile_load("i", KEYFILE_OFFICER, NULL, &small), ERR_STATE);
    assert_int_equal(keyfile_unseal("i", KEYFILE_CLINICIAN, bytes_of_text("x"), NULL, &small),
                     ERR_INVALID);
    assert_int_equal(keyfile_unseal("i", KEYFILE_OFFICER, bytes_of_text("x"), NULL, &small),
                     ERR_TOO_LARGE);
    assert_int_equal(keyfile_peek("nowhere", &keyfile), ERR_NOT_FOUND);
    assert_int_equal(keyfile_seal("j", &keyfile, BYTES_NONE, bytes_of_text("x"), cheap),
                     ERR_INVALID);
    assert_int_equal(keyfile_seal("j", &keyfile, secret, BYTES_NONE, cheap), ERR_INVALID);
}

static void moderate_is_what_it_says(void **state)
{
    (void)state;
    struct keyfile_cost cost = keyfile_cost_moderate();
    assert_int_equal(cost.operations, 3);
    assert_int_equal(cost.memory_kib, 256 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_key_opens_with_its_passphrase_only),
        cmocka_unit_test(the_public_part_needs_no_passphrase),
        cmocka_unit_test(an_existing_key_is_never_overwritten_by_a_new_one),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(an_absurd_cost_is_not_paid),
        cmocka_unit_test(a_bare_key_is_for_its_owner_only),
        cmocka_unit_test(kinds_and_ways_are_not_mixed_up),
        cmocka_unit_test(moderate_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
