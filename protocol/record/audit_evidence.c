#include "protocol/record/audit_evidence.h"

#define FIELD(kind, ...) CONTENT_A_##kind(struct audit_evidence_audit_head, __VA_ARGS__)
static const struct content_field audit_evidence_audit_head_fields[] = {
    FIELD(UINT, 1, sequence, CONTENT_NEEDED, UINT64_MAX),
    FIELD(FIXED, 2, hash, CONTENT_NEEDED),
};
#undef FIELD
CONTENT_TABLE(audit_evidence_audit_head_table, "audit head", struct audit_evidence_audit_head,
              audit_evidence_audit_head_fields, NULL);
CONTENT_CODEC(audit_evidence_audit_head, struct audit_evidence_audit_head)

#define FIELD(kind, ...) CONTENT_A_##kind(struct audit_evidence_fork_proof, __VA_ARGS__)
static const struct content_field audit_evidence_fork_proof_fields[] = {
    FIELD(BIN, 1, header_a, CONTENT_NEEDED, RECORD_HEADER_SIZE),
    FIELD(FIXED, 2, signature_a, CONTENT_NEEDED),
    FIELD(BIN, 3, header_b, CONTENT_NEEDED, RECORD_HEADER_SIZE),
    FIELD(FIXED, 4, signature_b, CONTENT_NEEDED),
};
#undef FIELD

/* A header and its signature form a header-only record; record_parse checks that format. */
static err audit_evidence_header(struct bytes header, const struct signature *signature,
                                 struct record_claim *ret_claim)
{
    uint8_t memory[RECORD_BARE_SIZE];
    struct buffer bare = buffer_over(memory, sizeof memory);
    buffer_put(&bare, header.data, header.size);
    buffer_put(&bare, signature->bytes, SIGNATURE_SIZE);
    if (header.size != RECORD_HEADER_SIZE)
        return ERR_MALFORMED;
    err failure = record_parse(buffer_bytes(&bare), ret_claim);
    /* the spans would dangle; the header is copied */
    ret_claim->header_bytes = BYTES_NONE;
    ret_claim->body = BYTES_NONE;
    return failure;
}

/* C-25: a proof names one position twice, with two different records. */
static err audit_evidence_fork_proof_check(const void *value)
{
    const struct audit_evidence_fork_proof *proof = value;
    struct record_claim a = {0}, b = {0};
    err failure = audit_evidence_header(proof->header_a, &proof->signature_a, &a);
    if (failure == OK)
        failure = audit_evidence_header(proof->header_b, &proof->signature_b, &b);
    if (failure != OK)
        return failure;
    bool is_fork = ID_EQUAL(a.header.federation, b.header.federation) &&
                   stream_id_equal(&a.header.stream, &b.header.stream) &&
                   a.header.sequence == b.header.sequence && !ID_EQUAL(a.id, b.id);
    return is_fork ? OK : ERR_MALFORMED;
}
CONTENT_TABLE(audit_evidence_fork_proof_table, "fork proof", struct audit_evidence_fork_proof,
              audit_evidence_fork_proof_fields, audit_evidence_fork_proof_check);
CONTENT_CODEC(audit_evidence_fork_proof, struct audit_evidence_fork_proof)

#define FIELD(kind, ...) CONTENT_A_##kind(struct audit_evidence_key_change, __VA_ARGS__)
static const struct content_field audit_evidence_key_change_fields[] = {
    FIELD(FIXED, 1, key, CONTENT_NEEDED),
    FIELD(FIXED, 2, roster_head, CONTENT_NEEDED),
};
#undef FIELD
CONTENT_TABLE(audit_evidence_key_change_table, "key change", struct audit_evidence_key_change,
              audit_evidence_key_change_fields, NULL);
CONTENT_CODEC(audit_evidence_key_change, struct audit_evidence_key_change)
