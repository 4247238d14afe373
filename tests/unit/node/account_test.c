/* Accounts: made once, opened with their passphrase, found again after a restart. */
#include <ftw.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "node/desk/account.h"
#include "node/io/file.h"

struct desk {
    uv_loop_t loop;
    struct workers *workers;
    struct secrets *secrets;
    struct account_book *book;
    char folder[64];
    uint8_t institution_secret[64];
    struct sign_key institution;
    /* what came back */
    unsigned done;
    err result;
    const struct account *account;
    uint8_t secret[64];
    bool has_secret;
};

static int setup(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_true(sodium_init() >= 0);
    uv_loop_init(&desk->loop);
    assert_int_equal(OK, workers_new(&desk->loop, 1, 16, &desk->workers));
    assert_int_equal(OK, secrets_new(64 * 1024, &desk->secrets));
    snprintf(desk->folder, sizeof desk->folder, "/tmp/consilium-account-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    crypto_sign_keypair(desk->institution.bytes, desk->institution_secret);
    assert_int_equal(OK, account_open(desk->folder, &desk->book));
    *state = desk;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static int teardown(void **state)
{
    struct desk *desk = *state;
    account_close(desk->book);
    secrets_free(desk->secrets);
    workers_free(desk->workers);
    uv_run(&desk->loop, UV_RUN_DEFAULT);
    assert_int_equal(0, uv_loop_close(&desk->loop));
    assert_int_equal(0, nftw(desk->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS));
    free(desk);
    return 0;
}

static struct account_room room_of(struct desk *desk)
{
    return (struct account_room){desk->book, desk->workers, desk->secrets};
}

static struct account_wish a_wish(const struct desk *desk, const char *login)
{
    return (struct account_wish){.login = login,
                                 .uid = 1001,
                                 .request = {.federation = {{1}},
                                             .node_id = {{2}},
                                             .name = bytes_of_text("王 医生"),
                                             .credentials = bytes_of_text("MD"),
                                             .specialties = {bytes_of_text("oncology")},
                                             .specialty_count = 1,
                                             .country = bytes_of_text("CN")},
                                 .valid_from = {1000},
                                 .valid_until = {2000},
                                 .passphrase = bytes_of_text("correct horse"),
                                 .institution_secret = desk->institution_secret,
                                 .cost = {1, 8}};
}

static void on_made(void *arg, err result, const struct account *account)
{
    struct desk *desk = arg;
    desk->done++;
    desk->result = result;
    desk->account = account;
}

static void on_opened(void *arg, err result, const uint8_t *secret)
{
    struct desk *desk = arg;
    desk->done++;
    desk->result = result;
    desk->has_secret = secret != NULL;
    if (secret != NULL)
        memcpy(desk->secret, secret, 64);
}

static void on_changed(void *arg, err result)
{
    struct desk *desk = arg;
    desk->done++;
    desk->result = result;
}

static void wait_done(struct desk *desk)
{
    while (desk->done == 0)
        uv_run(&desk->loop, UV_RUN_ONCE);
    assert_int_equal(1, desk->done);
    desk->done = 0;
}

static err make(struct desk *desk, const struct account_wish *wish)
{
    struct account_room room = room_of(desk);
    err failure = account_make(&room, wish, on_made, desk);
    if (failure != OK)
        return failure;
    wait_done(desk);
    return desk->result;
}

static err unseal(struct desk *desk, const char *passphrase)
{
    struct account_room room = room_of(desk);
    const struct account *account = account_find(desk->book, "wang");
    assert_non_null(account);
    err failure = account_unseal(&room, account, bytes_of_text(passphrase), on_opened, desk);
    if (failure != OK)
        return failure;
    wait_done(desk);
    return desk->result;
}

static void an_account_is_certified_and_its_key_opens(void **state)
{
    struct desk *desk = *state;
    struct account_wish wish = a_wish(desk, "wang");
    assert_int_equal(OK, make(desk, &wish));
    const struct certificate *certificate = &desk->account->certificate;
    struct federation_id federation = {{1}};
    struct node_id node = {{2}};
    assert_int_equal(OK, certificate_check(certificate, &federation, &node, &desk->institution));
    assert_int_equal(1, certificate->issue.serial);
    assert_int_equal(1001, desk->account->uid);
    assert_int_equal(OK, unseal(desk, "correct horse"));
    uint8_t public_key[32];
    crypto_sign_ed25519_sk_to_pk(public_key, desk->secret);
    assert_memory_equal(certificate->request.clinician_key.bytes, public_key, 32);
}

static void a_wrong_passphrase_opens_nothing(void **state)
{
    struct desk *desk = *state;
    struct account_wish wish = a_wish(desk, "wang");
    assert_int_equal(OK, make(desk, &wish));
    assert_int_equal(ERR_PASSPHRASE, unseal(desk, "correct horsf"));
    assert_false(desk->has_secret);
    assert_int_equal(ERR_PASSPHRASE, unseal(desk, ""));
}

static void a_login_is_given_once(void **state)
{
    struct desk *desk = *state;
    struct account_wish wish = a_wish(desk, "wang");
    assert_int_equal(OK, make(desk, &wish));
    assert_int_equal(ERR_EXISTS, make(desk, &wish));
    wish.login = "li";
    assert_int_equal(OK, make(desk, &wish));
    assert_int_equal(2, desk->account->certificate.issue.serial);
    assert_string_equal("li", account_at(desk->book, 0)->login);
    assert_string_equal("wang", account_at(desk->book, 1)->login);
    assert_null(account_at(desk->book, 2));
}

static void what_is_no_login_or_no_passphrase_is_refused(void **state)
{
    struct desk *desk = *state;
    static const char *const wrong[] = {
        "",    "1a",  "../x", "a/b", "Anna",
        "a b", "a\n", ".a",   "-a",  "a23456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct account_wish wish = a_wish(desk, wrong[i]);
        assert_int_equal(ERR_INVALID, make(desk, &wish));
    }
    struct account_wish wish = a_wish(desk, "wang");
    wish.passphrase = bytes_of_text("short");
    assert_int_equal(ERR_INVALID, make(desk, &wish));
    wish = a_wish(desk, "wang");
    wish.request.name = BYTES_NONE;
    assert_int_equal(ERR_MALFORMED, make(desk, &wish));
    assert_int_equal(0, account_count(desk->book));
}

static void accounts_are_found_after_a_restart_and_other_files_are_passed_over(void **state)
{
    struct desk *desk = *state;
    struct account_wish wish = a_wish(desk, "wang");
    char path[128], copy[128];
    assert_int_equal(OK, make(desk, &wish));
    snprintf(path, sizeof path, "%s/garbage.key", desk->folder);
    assert_int_equal(OK, file_create(path, bytes_of_text("garbage"), 0600));
    uint8_t *data;
    size_t size;
    snprintf(path, sizeof path, "%s/wang.key", desk->folder);
    snprintf(copy, sizeof copy, "%s/thief.key", desk->folder);
    assert_int_equal(OK, file_read(path, 65536, &data, &size));
    assert_int_equal(OK, file_create(copy, (struct bytes){data, size}, 0600));
    free(data);
    account_close(desk->book);
    assert_int_equal(OK, account_open(desk->folder, &desk->book));
    assert_int_equal(1, account_count(desk->book)); /* a copy under another name is none */
    const struct account *account = account_find(desk->book, "wang");
    assert_non_null(account);
    assert_int_equal(1001, account->uid);
    assert_ptr_equal(account, account_of_certificate(desk->book, &account->certificate.cert_id));
    assert_int_equal(OK, unseal(desk, "correct horse"));
}

static void a_passphrase_can_be_changed_by_who_knows_it(void **state)
{
    struct desk *desk = *state;
    struct account_wish wish = a_wish(desk, "wang");
    assert_int_equal(OK, make(desk, &wish));
    struct account_room room = room_of(desk);
    struct account_change change = {.account = account_find(desk->book, "wang"),
                                    .old = bytes_of_text("wrong horse"),
                                    .new = bytes_of_text("battery staple"),
                                    .cost = {1, 8}};
    assert_int_equal(OK, account_change_passphrase(&room, &change, on_changed, desk));
    wait_done(desk);
    assert_int_equal(ERR_PASSPHRASE, desk->result);
    change.old = bytes_of_text("correct horse");
    assert_int_equal(OK, account_change_passphrase(&room, &change, on_changed, desk));
    wait_done(desk);
    assert_int_equal(OK, desk->result);
    assert_int_equal(ERR_PASSPHRASE, unseal(desk, "correct horse"));
    assert_int_equal(OK, unseal(desk, "battery staple"));
    change.new = bytes_of_text("short");
    assert_int_equal(ERR_INVALID, account_change_passphrase(&room, &change, on_changed, desk));
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORY(an_account_is_certified_and_its_key_opens),
        STORY(a_wrong_passphrase_opens_nothing),
        STORY(a_login_is_given_once),
        STORY(what_is_no_login_or_no_passphrase_is_refused),
        STORY(accounts_are_found_after_a_restart_and_other_files_are_passed_over),
        STORY(a_passphrase_can_be_changed_by_who_knows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
