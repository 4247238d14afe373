#include "protocol/record/certificate.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/hash.h"

CONTENT_CODES(certificate_reasons, CERTIFICATE_REASON_LIST);

static const struct content_field certificate_specialty_element = CONTENT_ELEMENT_TAG;

#define FIELD(kind, ...) CONTENT_A_##kind(struct certificate_request, __VA_ARGS__)
static const struct content_field certificate_request_fields[] = {
    FIELD(FIXED, 1, federation, CONTENT_NEEDED),
    FIELD(FIXED, 2, node_id, CONTENT_NEEDED),
    FIELD(FIXED, 3, clinician_key, CONTENT_NEEDED),
    FIELD(LINE, 4, name, CONTENT_NEEDED, CLINICIAN_NAME_SIZE_MAX),
    FIELD(LINE, 5, credentials, CONTENT_NEEDED, CREDENTIALS_SIZE_MAX),
    FIELD(LIST, 6, specialties, specialty_count, CONTENT_NEEDED, &certificate_specialty_element),
    FIELD(COUNTRY, 7, country, CONTENT_NEEDED),
    FIELD(LINE, 8, licence, CONTENT_OPTIONAL, LICENCE_SIZE_MAX),
};
#undef FIELD
CONTENT_TABLE(certificate_request_table, "certificate request", struct certificate_request,
              certificate_request_fields, NULL);
CONTENT_CODEC(certificate_request, struct certificate_request)

#define FIELD(kind, ...) CONTENT_A_##kind(struct certificate_issue, __VA_ARGS__)
static const struct content_field certificate_issue_fields[] = {
    FIELD(BIN, 1, request, CONTENT_NEEDED, CERTIFICATE_REQUEST_SIZE_MAX),
    FIELD(FIXED, 2, possession, CONTENT_NEEDED),
    FIELD(UINT, 3, serial, CONTENT_NEEDED, UINT64_MAX),
    FIELD(TIME, 4, valid_from, CONTENT_NEEDED),
    FIELD(TIME, 5, valid_until, CONTENT_NEEDED),
};
#undef FIELD

static err certificate_issue_check(const void *value)
{
    const struct certificate_issue *issue = value;
    return issue->serial > 0 && issue->valid_from.ms < issue->valid_until.ms ? OK : ERR_MALFORMED;
}
CONTENT_TABLE(certificate_issue_table, "certificate issue", struct certificate_issue,
              certificate_issue_fields, certificate_issue_check);
CONTENT_CODEC(certificate_issue, struct certificate_issue)

#define FIELD(kind, ...) CONTENT_A_##kind(struct certificate_envelope, __VA_ARGS__)
static const struct content_field certificate_envelope_fields[] = {
    FIELD(BIN, 1, issue, CONTENT_NEEDED, CERTIFICATE_ISSUE_SIZE_MAX),
    FIELD(FIXED, 2, signature, CONTENT_NEEDED),
};
#undef FIELD
CONTENT_TABLE(certificate_envelope_table, "certificate", struct certificate_envelope,
              certificate_envelope_fields, NULL);
CONTENT_CODEC(certificate_envelope, struct certificate_envelope)

#define FIELD(kind, ...) CONTENT_A_##kind(struct certificate_revocation, __VA_ARGS__)
static const struct content_field certificate_revocation_fields[] = {
    FIELD(FIXED, 1, cert_id, CONTENT_NEEDED),
    FIELD(CODE, 2, reason, CONTENT_NEEDED, certificate_reasons),
    FIELD(UINT, 3, generation, CONTENT_NEEDED, UINT32_MAX),
    FIELD(UINT, 4, sequence, CONTENT_NEEDED, UINT64_MAX),
    FIELD(LINE, 5, note, CONTENT_OPTIONAL, NOTE_SIZE_MAX),
};
#undef FIELD
CONTENT_TABLE(certificate_revocation_table, "revocation", struct certificate_revocation,
              certificate_revocation_fields, NULL);
CONTENT_CODEC(certificate_revocation, struct certificate_revocation)

bool certificate_position_before(struct certificate_position a, struct certificate_position b)
{
    return a.generation != b.generation ? a.generation < b.generation : a.sequence < b.sequence;
}

/* ---- making one ---- */

void certificate_prove(struct bytes request, const uint8_t clinician_secret[static 64],
                       struct signature *ret_possession)
{
    hash_sign(CONTEXT_CERTIFICATE_REQUEST, request, clinician_secret, ret_possession);
}

static struct cert_id certificate_id_of(struct bytes issue)
{
    struct hash hash = hash_one(CONTEXT_CERTIFICATE, issue);
    struct cert_id cert_id;
    memcpy(cert_id.bytes, hash.bytes, HASH_SIZE);
    return cert_id;
}

/* C-20: an institution signs a key only after proof of possession. */
static err certificate_check_possession(const struct certificate_issue *issue,
                                        struct certificate_request *ret_request)
{
    err failure = certificate_request_read(issue->request, ret_request);
    if (failure == OK)
        failure = hash_verify(CONTEXT_CERTIFICATE_REQUEST, issue->request,
                              &ret_request->clinician_key, &issue->possession);
    return failure;
}

err certificate_write(const struct certificate_issue *issue,
                      const uint8_t institution_secret[static 64], struct buffer *out,
                      struct cert_id *ret_cert_id)
{
    uint8_t memory[CERTIFICATE_ISSUE_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct certificate_envelope envelope;
    struct certificate_request request;
    err failure = certificate_check_possession(issue, &request);
    if (failure == OK)
        failure = certificate_issue_write(issue, &buffer);
    if (failure != OK)
        return failure;
    envelope.issue = buffer_bytes(&buffer);
    hash_sign(CONTEXT_CERTIFICATE, envelope.issue, institution_secret, &envelope.signature);
    failure = certificate_envelope_write(&envelope, out);
    if (failure == OK)
        *ret_cert_id = certificate_id_of(envelope.issue);
    return failure;
}

/* ---- reading and checking one ---- */

/* The issue is hashed and verified as received, within the certificate's span. */
static err certificate_read_layers(struct bytes content, struct certificate *certificate)
{
    struct certificate_envelope envelope;
    err failure = certificate_envelope_read(content, &envelope);
    if (failure == OK)
        failure = certificate_issue_read(envelope.issue, &certificate->issue);
    if (failure == OK)
        failure = certificate_request_read(certificate->issue.request, &certificate->request);
    if (failure != OK)
        return failure;
    certificate->signature = envelope.signature;
    certificate->cert_id = certificate_id_of(envelope.issue);
    certificate->signed_part = envelope.issue;
    return OK;
}

err certificate_read(struct bytes content, struct certificate *ret_certificate)
{
    memset(ret_certificate, 0, sizeof *ret_certificate);
    err failure = certificate_read_layers(content, ret_certificate);
    if (failure != OK)
        memset(ret_certificate, 0, sizeof *ret_certificate);
    return failure;
}

err certificate_check(const struct certificate *certificate, const struct federation_id *federation,
                      const struct node_id *institution, const struct sign_key *institution_key)
{
    const struct certificate_request *request = &certificate->request;
    if (!ID_EQUAL(request->federation, *federation) || !ID_EQUAL(request->node_id, *institution))
        return ERR_UNKNOWN_MEMBER;
    err failure = OK;
    if (institution_key != NULL)
        failure = hash_verify(CONTEXT_CERTIFICATE, certificate->signed_part, institution_key,
                              &certificate->signature);
    if (failure == OK)
        failure = hash_verify(CONTEXT_CERTIFICATE_REQUEST, certificate->issue.request,
                              &request->clinician_key, &certificate->issue.possession);
    return failure;
}

/* C-22: the position decides, because a time can be claimed and a stream's chain cannot. */
err certificate_covers(const struct certificate *certificate, struct certificate_position recorded,
                       const struct certificate_revocation *revocation, struct wall time,
                       struct certificate_position at)
{
    if (time.ms < certificate->issue.valid_from.ms || certificate_position_before(at, recorded))
        return ERR_FUTURE;
    if (time.ms >= certificate->issue.valid_until.ms)
        return ERR_EXPIRED;
    if (revocation != NULL && ID_EQUAL(revocation->cert_id, certificate->cert_id)) {
        struct certificate_position bites = {revocation->generation, revocation->sequence};
        if (!certificate_position_before(at, bites))
            return ERR_NOT_ENTITLED;
    }
    return OK;
}
