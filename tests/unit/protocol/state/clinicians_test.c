/* Whose signature counts: the clinician whom the institution certified, until it says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/record/kind.h"
#include "protocol/state/clinicians.h"

enum { CLINICIAN_COUNT = 64, SHARE = CLINICIAN_COUNT / 16 };

struct service {
    struct clinicians clinicians;
    struct clinician memory[CLINICIAN_COUNT];
    uint8_t institution_secret[64];
    struct sign_key institution_key;
    struct federation_id federation;
    struct node_id node;
};

static int made(void **state)
{
    uint8_t seed[32] = {1};
    struct service *service = calloc(1, sizeof *service);
    assert_non_null(service);
    clinicians_init(&service->clinicians, service->memory, CLINICIAN_COUNT);
    crypto_sign_seed_keypair(service->institution_key.bytes, service->institution_secret, seed);
    service->federation.bytes[0] = 0xfe;
    service->node.bytes[0] = 0x0a;
    *state = service;
    return 0;
}

static int freed(void **state)
{
    free(*state);
    return 0;
}

static struct record_header position_of(const struct service *service, const struct node_id *writer,
                                        uint64_t sequence)
{
    return (struct record_header){.federation = service->federation,
                                  .stream = {scope_federation(), *writer, 1},
                                  .sequence = sequence};
}

/* Writes the certificate of the clinician with this number into `out`. */
static struct cert_id certify(const struct service *service, uint8_t number, struct buffer *out)
{
    static uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX];
    uint8_t seed[32] = {2, number}, secret[64];
    struct cert_id id;
    struct buffer written = buffer_over(request_memory, sizeof request_memory);
    struct certificate_request request = {.federation = service->federation,
                                          .node_id = service->node,
                                          .name = bytes_of_text("Ada Keller"),
                                          .credentials = bytes_of_text("MD"),
                                          .specialties = {bytes_of_text("hematology")},
                                          .specialty_count = 1,
                                          .country = bytes_of_text("CH")};
    crypto_sign_seed_keypair(request.clinician_key.bytes, secret, seed);
    assert_int_equal(certificate_request_write(&request, &written), OK);
    struct certificate_issue issue = {.request = buffer_bytes(&written),
                                      .serial = number,
                                      .valid_from = {1000},
                                      .valid_until = {2000}};
    certificate_prove(issue.request, secret, &issue.possession);
    assert_int_equal(certificate_write(&issue, service->institution_secret, out, &id), OK);
    return id;
}

static err take(struct service *service, uint8_t number, uint64_t sequence, struct cert_id *ret_id)
{
    uint8_t memory[CERTIFICATE_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct record_header header = position_of(service, &service->node, sequence);
    *ret_id = certify(service, number, &content);
    return clinicians_take(&service->clinicians, &header, &service->institution_key,
                           KIND_CERTIFICATE, buffer_bytes(&content));
}

static err revoke(struct service *service, const struct node_id *by, const struct cert_id *id)
{
    uint8_t memory[512];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct record_header header = position_of(service, by, 9);
    struct certificate_revocation revocation = {
        .cert_id = *id, .reason = CERTIFICATE_LEFT, .generation = 1, .sequence = 9};
    assert_int_equal(certificate_revocation_write(&revocation, &content), OK);
    return clinicians_take(&service->clinicians, &header, &service->institution_key,
                           KIND_REVOCATION, buffer_bytes(&content));
}

static err check(const struct service *service, const struct cert_id *id, uint64_t ms)
{
    return clinicians_check(&service->clinicians, id, &service->node, (struct wall){ms});
}

static void counts_from_its_first_day_to_its_last(void **state)
{
    struct service *service = *state;
    struct cert_id id;
    assert_int_equal(take(service, 1, 4, &id), OK);
    assert_int_equal(check(service, &id, 999), ERR_FUTURE);
    assert_int_equal(check(service, &id, 1000), OK);
    assert_int_equal(check(service, &id, 1999), OK);
    assert_int_equal(check(service, &id, 2000), ERR_EXPIRED);
    assert_int_equal(clinicians_find(&service->clinicians, &id)->recorded.sequence, 4);
}

static void counts_for_its_own_institution_only(void **state)
{
    struct service *service = *state;
    struct cert_id id;
    struct node_id other = {{0x0b}};
    assert_int_equal(take(service, 1, 4, &id), OK);
    assert_int_equal(clinicians_check(&service->clinicians, &id, &other, (struct wall){1500}),
                     ERR_UNKNOWN_MEMBER);
}

static void one_that_nobody_issued_is_not_found(void **state)
{
    struct service *service = *state;
    struct cert_id nobody = {{1}}, zeros = {{0}};
    assert_int_equal(check(service, &nobody, 1500), ERR_NOT_FOUND);
    assert_int_equal(check(service, &zeros, 1500), ERR_NOT_FOUND);
    assert_null(clinicians_find(&service->clinicians, &zeros));
}

static void another_institution_cannot_write_it(void **state)
{
    struct service *service = *state;
    uint8_t memory[CERTIFICATE_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id other = {{0x0b}};
    struct record_header header = position_of(service, &other, 1);
    struct cert_id id = certify(service, 1, &content);
    assert_int_equal(clinicians_take(&service->clinicians, &header, &service->institution_key,
                                     KIND_CERTIFICATE, buffer_bytes(&content)),
                     ERR_UNKNOWN_MEMBER);
    assert_null(clinicians_find(&service->clinicians, &id));
}

static void only_the_issuer_revokes(void **state)
{
    struct service *service = *state;
    struct cert_id id, unknown = {{3}};
    struct node_id other = {{0x0b}};
    assert_int_equal(take(service, 1, 4, &id), OK);
    assert_int_equal(revoke(service, &other, &id), ERR_NOT_FOUND);
    assert_int_equal(check(service, &id, 1500), OK);
    assert_int_equal(revoke(service, &service->node, &unknown), ERR_NOT_FOUND);
    assert_int_equal(revoke(service, &service->node, &id), OK);
    assert_int_equal(check(service, &id, 1500), ERR_NOT_ENTITLED);
    assert_int_equal(clinicians_find(&service->clinicians, &id)->revoked_from.sequence, 9);
}

static void taking_it_twice_changes_nothing(void **state)
{
    struct service *service = *state;
    struct cert_id id;
    assert_int_equal(take(service, 1, 4, &id), OK);
    assert_int_equal(revoke(service, &service->node, &id), OK);
    assert_int_equal(take(service, 1, 12, &id), OK);
    assert_int_equal(service->clinicians.count, 1);
    assert_int_equal(clinicians_find(&service->clinicians, &id)->recorded.sequence, 4);
    assert_int_equal(check(service, &id, 1500), ERR_NOT_ENTITLED);
}

/* (T-20) */
static void one_institution_fills_a_sixteenth_and_no_more(void **state)
{
    struct service *service = *state;
    struct cert_id id;
    for (uint8_t i = 0; i < SHARE; i++)
        assert_int_equal(take(service, (uint8_t)(i + 1), i + 1u, &id), OK);
    assert_int_equal(take(service, SHARE + 1, SHARE + 1, &id), ERR_FULL);
    assert_int_equal(check(service, &id, 1500), ERR_NOT_FOUND);
    assert_int_equal(take(service, SHARE, SHARE + 2, &id), OK); /* one that is here */
    service->node.bytes[1] = 1;
    assert_int_equal(take(service, SHARE + 1, 1, &id), OK);
    assert_int_equal(check(service, &id, 1500), OK);
}

static void a_full_table_says_so_and_still_finds(void **state)
{
    struct service *service = *state;
    struct cert_id ids[CLINICIAN_COUNT];
    for (uint8_t i = 0; i < CLINICIAN_COUNT / 4 * 3; i++) {
        service->node.bytes[1] = i / SHARE;
        assert_int_equal(take(service, (uint8_t)(i + 1), i + 1u, &ids[i]), OK);
    }
    service->node.bytes[1] = 99;
    assert_int_equal(take(service, 99, 99, &ids[CLINICIAN_COUNT - 1]), ERR_FULL);
    for (uint8_t i = 0; i < CLINICIAN_COUNT / 4 * 3; i++) {
        service->node.bytes[1] = i / SHARE;
        assert_int_equal(check(service, &ids[i], 1500), OK);
    }
    assert_int_equal(check(service, &ids[CLINICIAN_COUNT - 1], 1500), ERR_NOT_FOUND);
}

#define WITH_SERVICE(test) cmocka_unit_test_setup_teardown(test, made, freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVICE(counts_from_its_first_day_to_its_last),
        WITH_SERVICE(counts_for_its_own_institution_only),
        WITH_SERVICE(one_that_nobody_issued_is_not_found),
        WITH_SERVICE(another_institution_cannot_write_it),
        WITH_SERVICE(only_the_issuer_revokes),
        WITH_SERVICE(taking_it_twice_changes_nothing),
        WITH_SERVICE(one_institution_fills_a_sixteenth_and_no_more),
        WITH_SERVICE(a_full_table_says_so_and_still_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
