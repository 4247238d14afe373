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

#include "node/os/file.h"
#include "node/signing/account.h"

struct service {
    uv_loop_t loop;
    struct workers *workers;
    struct passphrase_checks *checks;
    struct secure_arena *secrets;
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
    struct service *service = calloc(1, sizeof *service);
    assert_true(sodium_init() >= 0);
    uv_loop_init(&service->loop);
    assert_int_equal(OK, workers_new(&service->loop, 1, 16, &service->workers));
    service->checks = passphrase_checks_new(service->workers);
    assert_non_null(service->checks);
    assert_int_equal(OK, secure_arena_new(64 * 1024, &service->secrets));
    snprintf(service->folder, sizeof service->folder, "/tmp/consilium-account-XXXXXX");
    assert_non_null(mkdtemp(service->folder));
    crypto_sign_keypair(service->institution.bytes, service->institution_secret);
    assert_int_equal(OK, account_open(service->folder, &service->book));
    *state = service;
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
    struct service *service = *state;
    account_close(service->book);
    secure_arena_free(service->secrets);
    workers_free(service->workers);
    passphrase_checks_free(service->checks);
    uv_run(&service->loop, UV_RUN_DEFAULT);
    assert_int_equal(0, uv_loop_close(&service->loop));
    assert_int_equal(0, nftw(service->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS));
    free(service);
    return 0;
}

static struct account_room room_of(struct service *service)
{
    return (struct account_room){
        .book = service->book, .checks = service->checks, .secrets = service->secrets};
}

static struct account_wish a_wish(const struct service *service, const char *login)
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
                                 .institution_secret = service->institution_secret,
                                 .cost = {1, 8}};
}

static void on_made(void *arg, err result, const struct account *account)
{
    struct service *service = arg;
    service->done++;
    service->result = result;
    service->account = account;
}

static void on_opened(void *arg, err result, const uint8_t *secret)
{
    struct service *service = arg;
    service->done++;
    service->result = result;
    service->has_secret = secret != NULL;
    if (secret != NULL)
        memcpy(service->secret, secret, 64);
}

static void on_changed(void *arg, err result)
{
    struct service *service = arg;
    service->done++;
    service->result = result;
}

static void wait_done(struct service *service)
{
    while (service->done == 0)
        uv_run(&service->loop, UV_RUN_ONCE);
    assert_int_equal(1, service->done);
    service->done = 0;
}

static err make(struct service *service, const struct account_wish *wish)
{
    struct account_room room = room_of(service);
    err failure = account_make(&room, wish, on_made, service);
    if (failure != OK)
        return failure;
    wait_done(service);
    return service->result;
}

static err unseal(struct service *service, const char *passphrase)
{
    struct account_room room = room_of(service);
    const struct account *account = account_find(service->book, "wang");
    assert_non_null(account);
    err failure = account_unseal(&room, account, bytes_of_text(passphrase), on_opened, service);
    if (failure != OK)
        return failure;
    wait_done(service);
    return service->result;
}

static void an_account_is_certified_and_its_key_opens(void **state)
{
    struct service *service = *state;
    struct account_wish wish = a_wish(service, "wang");
    assert_int_equal(OK, make(service, &wish));
    const struct certificate *certificate = &service->account->certificate;
    struct federation_id federation = {{1}};
    struct node_id node = {{2}};
    assert_int_equal(OK, certificate_check(certificate, &federation, &node, &service->institution));
    assert_int_equal(1, certificate->issue.serial);
    assert_int_equal(1001, service->account->uid);
    assert_int_equal(OK, unseal(service, "correct horse"));
    uint8_t public_key[32];
    crypto_sign_ed25519_sk_to_pk(public_key, service->secret);
    assert_memory_equal(certificate->request.clinician_key.bytes, public_key, 32);
}

static void a_wrong_passphrase_opens_nothing(void **state)
{
    struct service *service = *state;
    struct account_wish wish = a_wish(service, "wang");
    assert_int_equal(OK, make(service, &wish));
    assert_int_equal(ERR_PASSPHRASE, unseal(service, "correct horsf"));
    assert_false(service->has_secret);
    assert_int_equal(ERR_PASSPHRASE, unseal(service, ""));
}

static void a_login_is_given_once(void **state)
{
    struct service *service = *state;
    struct account_wish wish = a_wish(service, "wang");
    assert_int_equal(OK, make(service, &wish));
    assert_int_equal(ERR_EXISTS, make(service, &wish));
    wish.login = "li";
    assert_int_equal(OK, make(service, &wish));
    assert_int_equal(2, service->account->certificate.issue.serial);
    assert_string_equal("li", account_at(service->book, 0)->login);
    assert_string_equal("wang", account_at(service->book, 1)->login);
    assert_null(account_at(service->book, 2));
}

static void what_is_no_login_or_no_passphrase_is_refused(void **state)
{
    struct service *service = *state;
    static const char *const wrong[] = {
        "",    "1a",  "../x", "a/b", "Anna",
        "a b", "a\n", ".a",   "-a",  "a23456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct account_wish wish = a_wish(service, wrong[i]);
        assert_int_equal(ERR_INVALID, make(service, &wish));
    }
    struct account_wish wish = a_wish(service, "wang");
    wish.passphrase = bytes_of_text("short");
    assert_int_equal(ERR_INVALID, make(service, &wish));
    wish = a_wish(service, "wang");
    wish.request.name = BYTES_NONE;
    assert_int_equal(ERR_MALFORMED, make(service, &wish));
    assert_int_equal(0, account_count(service->book));
}

static void accounts_are_found_after_a_restart_and_other_files_are_passed_over(void **state)
{
    struct service *service = *state;
    struct account_wish wish = a_wish(service, "wang");
    char path[128], copy[128];
    assert_int_equal(OK, make(service, &wish));
    snprintf(path, sizeof path, "%s/garbage.key", service->folder);
    assert_int_equal(OK, file_create(path, bytes_of_text("garbage"), 0600));
    uint8_t *data;
    size_t size;
    snprintf(path, sizeof path, "%s/wang.key", service->folder);
    snprintf(copy, sizeof copy, "%s/thief.key", service->folder);
    assert_int_equal(OK, file_read(path, 65536, &data, &size));
    assert_int_equal(OK, file_create(copy, (struct bytes){data, size}, 0600));
    free(data);
    account_close(service->book);
    assert_int_equal(OK, account_open(service->folder, &service->book));
    assert_int_equal(1, account_count(service->book)); /* a copy under another name is none */
    const struct account *account = account_find(service->book, "wang");
    assert_non_null(account);
    assert_int_equal(1001, account->uid);
    assert_ptr_equal(account, account_of_certificate(service->book, &account->certificate.cert_id));
    assert_int_equal(OK, unseal(service, "correct horse"));
}

static void a_passphrase_can_be_changed_by_who_knows_it(void **state)
{
    struct service *service = *state;
    struct account_wish wish = a_wish(service, "wang");
    assert_int_equal(OK, make(service, &wish));
    struct account_room room = room_of(service);
    struct account_change change = {.account = account_find(service->book, "wang"),
                                    .old = bytes_of_text("wrong horse"),
                                    .new = bytes_of_text("battery staple"),
                                    .cost = {1, 8}};
    assert_int_equal(OK, account_change_passphrase(&room, &change, on_changed, service));
    wait_done(service);
    assert_int_equal(ERR_PASSPHRASE, service->result);
    change.old = bytes_of_text("correct horse");
    assert_int_equal(OK, account_change_passphrase(&room, &change, on_changed, service));
    wait_done(service);
    assert_int_equal(OK, service->result);
    assert_int_equal(ERR_PASSPHRASE, unseal(service, "correct horse"));
    assert_int_equal(OK, unseal(service, "battery staple"));
    change.new = bytes_of_text("short");
    assert_int_equal(ERR_INVALID, account_change_passphrase(&room, &change, on_changed, service));
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
