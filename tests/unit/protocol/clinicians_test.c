/* Whose signature counts: the clinician whom the institution certified, until it says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/core/clinicians.h"
#include "protocol/record/kind.h"

enum { CLINICIAN_COUNT = 64, SHARE = CLINICIAN_COUNT / 16 };

struct desk {
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
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    clinicians_init(&desk->clinicians, desk->memory, CLINICIAN_COUNT);
    crypto_sign_seed_keypair(desk->institution_key.bytes, desk->institution_secret, seed);
    desk->federation.bytes[0] = 0xfe;
    desk->node.bytes[0] = 0x0a;
    *state = desk;
    return 0;
}

static int freed(void **state)
{
    free(*state);
    return 0;
}

static struct record_header position_of(const struct desk *desk, const struct node_id *writer,
                                        uint64_t sequence)
{
    return (struct record_header){.federation = desk->federation,
                                  .stream = {scope_federation(), *writer, 1},
                                  .sequence = sequence};
}

/* Writes the certificate of the clinician with this number into `out`. */
static struct cert_id certify(const struct desk *desk, uint8_t number, struct buffer *out)
{
    static uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX];
    uint8_t seed[32] = {2, number}, secret[64];
    struct cert_id id;
    struct buffer written = buffer_over(request_memory, sizeof request_memory);
    struct certificate_request request = {.federation = desk->federation,
                                          .node_id = desk->node,
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
    assert_int_equal(certificate_write(&issue, desk->institution_secret, out, &id), OK);
    return id;
}

static err take(struct desk *desk, uint8_t number, uint64_t sequence, struct cert_id *ret_id)
{
    uint8_t memory[CERTIFICATE_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct record_header header = position_of(desk, &desk->node, sequence);
    *ret_id = certify(desk, number, &content);
    return clinicians_take(&desk->clinicians, &header, &desk->institution_key, KIND_CERTIFICATE,
                           buffer_bytes(&content));
}

static err revoke(struct desk *desk, const struct node_id *by, const struct cert_id *id)
{
    uint8_t memory[512];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct record_header header = position_of(desk, by, 9);
    struct certificate_revocation revocation = {
        .cert_id = *id, .reason = CERTIFICATE_LEFT, .generation = 1, .sequence = 9};
    assert_int_equal(certificate_revocation_write(&revocation, &content), OK);
    return clinicians_take(&desk->clinicians, &header, &desk->institution_key, KIND_REVOCATION,
                           buffer_bytes(&content));
}

static err check(const struct desk *desk, const struct cert_id *id, uint64_t ms)
{
    return clinicians_check(&desk->clinicians, id, &desk->node, (struct wall){ms});
}

static void counts_from_its_first_day_to_its_last(void **state)
{
    struct desk *desk = *state;
    struct cert_id id;
    assert_int_equal(take(desk, 1, 4, &id), OK);
    assert_int_equal(check(desk, &id, 999), ERR_FUTURE);
    assert_int_equal(check(desk, &id, 1000), OK);
    assert_int_equal(check(desk, &id, 1999), OK);
    assert_int_equal(check(desk, &id, 2000), ERR_EXPIRED);
    assert_int_equal(clinicians_find(&desk->clinicians, &id)->recorded.sequence, 4);
}

static void counts_for_its_own_institution_only(void **state)
{
    struct desk *desk = *state;
    struct cert_id id;
    struct node_id other = {{0x0b}};
    assert_int_equal(take(desk, 1, 4, &id), OK);
    assert_int_equal(clinicians_check(&desk->clinicians, &id, &other, (struct wall){1500}),
                     ERR_UNKNOWN_MEMBER);
}

static void one_that_nobody_issued_is_not_found(void **state)
{
    struct desk *desk = *state;
    struct cert_id nobody = {{1}}, zeros = {{0}};
    assert_int_equal(check(desk, &nobody, 1500), ERR_NOT_FOUND);
    assert_int_equal(check(desk, &zeros, 1500), ERR_NOT_FOUND);
    assert_null(clinicians_find(&desk->clinicians, &zeros));
}

static void another_institution_cannot_write_it(void **state)
{
    struct desk *desk = *state;
    uint8_t memory[CERTIFICATE_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct node_id other = {{0x0b}};
    struct record_header header = position_of(desk, &other, 1);
    struct cert_id id = certify(desk, 1, &content);
    assert_int_equal(clinicians_take(&desk->clinicians, &header, &desk->institution_key,
                                     KIND_CERTIFICATE, buffer_bytes(&content)),
                     ERR_UNKNOWN_MEMBER);
    assert_null(clinicians_find(&desk->clinicians, &id));
}

static void only_the_issuer_revokes(void **state)
{
    struct desk *desk = *state;
    struct cert_id id, unknown = {{3}};
    struct node_id other = {{0x0b}};
    assert_int_equal(take(desk, 1, 4, &id), OK);
    assert_int_equal(revoke(desk, &other, &id), ERR_NOT_FOUND);
    assert_int_equal(check(desk, &id, 1500), OK);
    assert_int_equal(revoke(desk, &desk->node, &unknown), ERR_NOT_FOUND);
    assert_int_equal(revoke(desk, &desk->node, &id), OK);
    assert_int_equal(check(desk, &id, 1500), ERR_NOT_ENTITLED);
    assert_int_equal(clinicians_find(&desk->clinicians, &id)->revoked_from.sequence, 9);
}

static void taking_it_twice_changes_nothing(void **state)
{
    struct desk *desk = *state;
    struct cert_id id;
    assert_int_equal(take(desk, 1, 4, &id), OK);
    assert_int_equal(revoke(desk, &desk->node, &id), OK);
    assert_int_equal(take(desk, 1, 12, &id), OK);
    assert_int_equal(desk->clinicians.count, 1);
    assert_int_equal(clinicians_find(&desk->clinicians, &id)->recorded.sequence, 4);
    assert_int_equal(check(desk, &id, 1500), ERR_NOT_ENTITLED);
}

/* (T-20) */
static void one_institution_fills_a_sixteenth_and_no_more(void **state)
{
    struct desk *desk = *state;
    struct cert_id id;
    for (uint8_t i = 0; i < SHARE; i++)
        assert_int_equal(take(desk, (uint8_t)(i + 1), i + 1u, &id), OK);
    assert_int_equal(take(desk, SHARE + 1, SHARE + 1, &id), ERR_FULL);
    assert_int_equal(check(desk, &id, 1500), ERR_NOT_FOUND);
    assert_int_equal(take(desk, SHARE, SHARE + 2, &id), OK); /* one that is here */
    desk->node.bytes[1] = 1;
    assert_int_equal(take(desk, SHARE + 1, 1, &id), OK);
    assert_int_equal(check(desk, &id, 1500), OK);
}

static void a_full_table_says_so_and_still_finds(void **state)
{
    struct desk *desk = *state;
    struct cert_id ids[CLINICIAN_COUNT];
    for (uint8_t i = 0; i < CLINICIAN_COUNT / 4 * 3; i++) {
        desk->node.bytes[1] = i / SHARE;
        assert_int_equal(take(desk, (uint8_t)(i + 1), i + 1u, &ids[i]), OK);
    }
    desk->node.bytes[1] = 99;
    assert_int_equal(take(desk, 99, 99, &ids[CLINICIAN_COUNT - 1]), ERR_FULL);
    for (uint8_t i = 0; i < CLINICIAN_COUNT / 4 * 3; i++) {
        desk->node.bytes[1] = i / SHARE;
        assert_int_equal(check(desk, &ids[i], 1500), OK);
    }
    assert_int_equal(check(desk, &ids[CLINICIAN_COUNT - 1], 1500), ERR_NOT_FOUND);
}

#define WITH_DESK(test) cmocka_unit_test_setup_teardown(test, made, freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DESK(counts_from_its_first_day_to_its_last),
        WITH_DESK(counts_for_its_own_institution_only),
        WITH_DESK(one_that_nobody_issued_is_not_found),
        WITH_DESK(another_institution_cannot_write_it),
        WITH_DESK(only_the_issuer_revokes),
        WITH_DESK(taking_it_twice_changes_nothing),
        WITH_DESK(one_institution_fills_a_sixteenth_and_no_more),
        WITH_DESK(a_full_table_says_so_and_still_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
