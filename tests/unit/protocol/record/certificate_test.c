/* A certificate binds a clinician's key to a person and an institution, and says when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "protocol/base/hash.h"
#include "protocol/record/certificate.h"

struct pair {
    struct sign_key key;
    uint8_t secret[64];
};

static struct pair institution, clinician, stranger;
static struct federation_id federation = {{1}};
static struct node_id node = {{2}}, other_node = {{3}};
static uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX];
static uint8_t memory[CERTIFICATE_SIZE_MAX];

static struct pair a_pair(uint8_t first)
{
    struct pair pair;
    uint8_t seed[32] = {first};
    crypto_sign_seed_keypair(pair.key.bytes, pair.secret, seed);
    return pair;
}

static int set_up(void **state)
{
    (void)state;
    institution = a_pair(1);
    clinician = a_pair(2);
    stranger = a_pair(3);
    return 0;
}

static struct certificate_issue an_issue(const struct pair *prover, const struct node_id *at)
{
    struct certificate_request request = {.federation = federation,
                                          .node_id = *at,
                                          .clinician_key = clinician.key,
                                          .name = bytes_of_text("Lin Wei"),
                                          .credentials = bytes_of_text("MD"),
                                          .specialties = {bytes_of_text("oncology")},
                                          .specialty_count = 1,
                                          .country = bytes_of_text("CH")};
    struct buffer buffer = buffer_over(request_memory, sizeof request_memory);
    assert_int_equal(certificate_request_write(&request, &buffer), OK);
    struct certificate_issue issue = {
        .request = buffer_bytes(&buffer), .serial = 1, .valid_from = {1000}, .valid_until = {2000}};
    certificate_prove(issue.request, prover->secret, &issue.possession);
    return issue;
}

static struct bytes a_certificate(const struct pair *issuer, struct cert_id *ret_id)
{
    struct certificate_issue issue = an_issue(&clinician, &node);
    struct buffer buffer = buffer_over(memory, sizeof memory);
    assert_int_equal(certificate_write(&issue, issuer->secret, &buffer, ret_id), OK);
    return buffer_bytes(&buffer);
}

static void a_certificate_comes_back_with_its_id_and_its_person(void **state)
{
    (void)state;
    struct cert_id id;
    struct certificate read;
    struct bytes content = a_certificate(&institution, &id);
    assert_int_equal(certificate_read(content, &read), OK);
    assert_true(ID_EQUAL(read.cert_id, id));
    assert_true(ID_EQUAL(read.request.clinician_key, clinician.key));
    assert_true(bytes_equal(read.request.name, bytes_of_text("Lin Wei")));
    assert_true(bytes_equal(read.request.specialties[0], bytes_of_text("oncology")));
    assert_int_equal(certificate_check(&read, &federation, &node, &institution.key), OK);
}

/* C-20 */
static void no_certificate_on_a_key_that_is_anothers(void **state)
{
    (void)state;
    struct cert_id id;
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct certificate_issue issue = an_issue(&stranger, &node);
    assert_int_equal(certificate_write(&issue, institution.secret, &buffer, &id),
                     ERR_BAD_SIGNATURE);
    /* an institution that signs it all the same convinces nobody */
    uint8_t inner_memory[CERTIFICATE_ISSUE_SIZE_MAX];
    struct buffer inner = buffer_over(inner_memory, sizeof inner_memory);
    struct certificate_envelope envelope;
    struct certificate read;
    assert_int_equal(certificate_issue_write(&issue, &inner), OK);
    envelope.issue = buffer_bytes(&inner);
    hash_sign(CONTEXT_CERTIFICATE, envelope.issue, institution.secret, &envelope.signature);
    assert_int_equal(certificate_envelope_write(&envelope, &buffer), OK);
    assert_int_equal(certificate_read(buffer_bytes(&buffer), &read), OK);
    assert_int_equal(certificate_check(&read, &federation, &node, &institution.key),
                     ERR_BAD_SIGNATURE);
}

/* C-21 */
static void a_certificate_holds_at_its_own_institution_only(void **state)
{
    (void)state;
    struct cert_id id;
    struct certificate read;
    struct federation_id elsewhere = {{9}};
    struct bytes content = a_certificate(&institution, &id);
    assert_int_equal(certificate_read(content, &read), OK);
    assert_int_equal(certificate_check(&read, &federation, &other_node, &institution.key),
                     ERR_UNKNOWN_MEMBER);
    assert_int_equal(certificate_check(&read, &elsewhere, &node, &institution.key),
                     ERR_UNKNOWN_MEMBER);
    assert_int_equal(certificate_check(&read, &federation, &node, &stranger.key),
                     ERR_BAD_SIGNATURE);
}

static void no_bit_of_a_certificate_can_be_changed(void **state)
{
    (void)state;
    struct cert_id id;
    struct certificate read;
    struct bytes content = a_certificate(&institution, &id);
    for (size_t i = 0; i < content.size * 8; i++) {
        memory[i / 8] ^= (uint8_t)(1u << (i % 8));
        bool is_good = certificate_read(content, &read) == OK &&
                       certificate_check(&read, &federation, &node, &institution.key) == OK;
        assert_false(is_good);
        memory[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
}

/* C-22 */
static void it_covers_from_its_position_and_time_until_it_ends_or_is_revoked(void **state)
{
    (void)state;
    struct cert_id id;
    struct certificate read;
    assert_int_equal(certificate_read(a_certificate(&institution, &id), &read), OK);
    struct certificate_position recorded = {1, 5};
    static const struct {
        uint64_t time, generation, sequence;
        err plain, revoked; /* from (2, 3) on */
    } cells[] = {
        {999, 1, 5, ERR_FUTURE, ERR_FUTURE},
        {1000, 1, 4, ERR_FUTURE, ERR_FUTURE},
        {1000, 1, 5, OK, OK},
        {1999, 1, 900, OK, OK},
        {2000, 1, 5, ERR_EXPIRED, ERR_EXPIRED},
        {1500, 2, 2, OK, OK},
        {1500, 2, 3, OK, ERR_NOT_ENTITLED},
        {1500, 3, 1, OK, ERR_NOT_ENTITLED},
    };
    struct certificate_revocation revocation = {
        .cert_id = id, .reason = CERTIFICATE_LEFT, .generation = 2, .sequence = 3};
    struct certificate_revocation of_another = revocation;
    of_another.cert_id.bytes[0]++;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct certificate_position at = {cells[i].generation, cells[i].sequence};
        struct wall time = {cells[i].time};
        assert_int_equal(certificate_covers(&read, recorded, NULL, time, at), cells[i].plain);
        assert_int_equal(certificate_covers(&read, recorded, &of_another, time, at),
                         cells[i].plain);
        assert_int_equal(certificate_covers(&read, recorded, &revocation, time, at),
                         cells[i].revoked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_comes_back_with_its_id_and_its_person),
        cmocka_unit_test(no_certificate_on_a_key_that_is_anothers),
        cmocka_unit_test(a_certificate_holds_at_its_own_institution_only),
        cmocka_unit_test(no_bit_of_a_certificate_can_be_changed),
        cmocka_unit_test(it_covers_from_its_position_and_time_until_it_ends_or_is_revoked),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
