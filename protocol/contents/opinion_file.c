#include "protocol/contents/opinion_file.h"

#include <string.h>

#include "protocol/roster/inclusion.h"

static const char opinion_file_magic[] = "consilium opinion 1\n";
enum { MAGIC_SIZE = sizeof opinion_file_magic - 1 };

#define PART_NAME(part, name) name,
static const char *const opinion_file_parts[] = {OPINION_FILE_PART_LIST(PART_NAME)};
#undef PART_NAME

const char *opinion_file_part_name(enum opinion_file_part part)
{
    return part < OPINION_FILE_PART_COUNT ? opinion_file_parts[part] : "unknown";
}

/* ---- writing ---- */

static void put_sized(struct buffer *buffer, struct bytes bytes)
{
    buffer_u32(buffer, (uint32_t)bytes.size);
    buffer_put(buffer, bytes.data, bytes.size);
}

void opinion_file_begin(struct buffer *buffer, const struct opinion_file *file)
{
    buffer_put(buffer, opinion_file_magic, MAGIC_SIZE);
    put_sized(buffer, file->opinion);
    buffer_put(buffer, file->opinion_key.bytes, KEY_SIZE);
    put_sized(buffer, file->certificate);
    buffer_u8(buffer, file->has_receipt);
    if (file->has_receipt) {
        buffer_put(buffer, file->opening.bytes, sizeof file->opening.bytes);
        put_sized(buffer, file->receipt);
        buffer_put(buffer, file->receipt_key.bytes, KEY_SIZE);
    }
    buffer_u8(buffer, (uint8_t)file->proof_count);
    for (size_t i = 0; i < file->proof_count; i++)
        put_sized(buffer, file->proofs[i]);
    buffer_u32(buffer, file->head_count);
}

void opinion_file_add_head(struct buffer *buffer, struct bytes signed_head)
{
    put_sized(buffer, signed_head);
}

/* ---- reading ---- */

/* A size over its limit is read as zero and recorded, so that no later field depends on it. */
static struct bytes take_sized(struct reader *reader, size_t size_max, bool *is_too_large)
{
    uint32_t size = reader_u32(reader);
    if (size > size_max) {
        *is_too_large = true;
        return BYTES_NONE;
    }
    return reader_take(reader, size);
}

err opinion_file_read(struct bytes all, struct opinion_file *ret_file)
{
    struct reader reader = reader_of(all);
    struct opinion_file file = {.opinion = BYTES_NONE};
    bool is_too_large = all.size > OPINION_FILE_SIZE_MAX;
    struct bytes magic = reader_take(&reader, MAGIC_SIZE);
    if (magic.size != MAGIC_SIZE || memcmp(magic.data, opinion_file_magic, MAGIC_SIZE) != 0)
        return ERR_VERSION;
    file.opinion = take_sized(&reader, RECORD_SIZE_MAX, &is_too_large);
    reader_copy(&reader, file.opinion_key.bytes, KEY_SIZE);
    file.certificate = take_sized(&reader, RECORD_SIZE_MAX, &is_too_large);
    uint8_t has_receipt = reader_u8(&reader);
    file.has_receipt = has_receipt == 1;
    if (file.has_receipt) {
        reader_copy(&reader, file.opening.bytes, sizeof file.opening.bytes);
        file.receipt = take_sized(&reader, RECORD_SIZE_MAX, &is_too_large);
        reader_copy(&reader, file.receipt_key.bytes, KEY_SIZE);
    }
    file.proof_count = reader_u8(&reader);
    if (file.proof_count > OPINION_FILE_PROOF_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < file.proof_count; i++)
        file.proofs[i] = take_sized(&reader, INCLUSION_SIZE_MAX, &is_too_large);
    file.head_count = reader_u32(&reader);
    if (is_too_large || file.head_count > HEAD_COUNT_MAX)
        return ERR_TOO_LARGE;
    file.heads = (struct bytes){reader.data + reader.offset, reader_left(&reader)};
    for (uint32_t i = 0; i < file.head_count && !reader.failed && !is_too_large; i++)
        (void)take_sized(&reader, HEAD_SIZE_MAX, &is_too_large);
    if (reader.failed)
        return ERR_TRUNCATED;
    if (is_too_large)
        return ERR_TOO_LARGE;
    if (!reader_done(&reader) || has_receipt > 1)
        return ERR_MALFORMED;
    *ret_file = file;
    return OK;
}

/* ---- checking ---- */

/* A member as one of the proofs shows it. */
struct proven {
    bool is_proved;
    struct head_id head;
    uint64_t epoch;
    struct member member;
};

struct check {
    struct opinion_file file;
    const struct opinion_file_trust *trust;
    struct opinion_file_memory *memory;
    struct opinion_file_facts *facts;
    struct proven proven[OPINION_FILE_PROOF_COUNT_MAX];
    uint64_t epoch_used;         /* the latest head with a proof */
    const struct proven *signer; /* of the record that was checked last */
    struct record_claim opinion;
    struct statement statement;
};

static err check_proofs_at(struct check *check, struct bytes signed_head)
{
    const struct chain_link *link = chain_last(&check->memory->chain);
    err failure = OK;
    for (size_t i = 0; i < check->file.proof_count && failure == OK; i++) {
        struct proven *proven = &check->proven[i];
        if (!ID_EQUAL(proven->head, link->id))
            continue;
        struct roster_head_signed head_signed;
        struct roster_head head;
        check->facts->part = OPINION_FILE_PROOFS;
        failure = roster_head_signed_read(signed_head, &head_signed);
        if (failure == OK)
            failure = roster_head_read(head_signed.body, &head);
        if (failure == OK)
            failure = inclusion_check(check->file.proofs[i], &head, &link->id, &proven->member);
        proven->epoch = link->epoch;
        proven->is_proved = failure == OK;
    }
    return failure;
}

/* C-70: every head from the founding one on continues the previous one and is signed by its
 * officers. */
static err check_heads(struct check *check)
{
    struct chain *chain = &check->memory->chain;
    bool is_too_large = false;
    struct reader reader = reader_of(check->file.heads);
    chain_init(chain, &check->trust->federation);
    check->facts->part = OPINION_FILE_HEADS;
    err failure = check->file.head_count == 0 ? ERR_MALFORMED : OK;
    for (size_t i = 0; i < check->file.proof_count && failure == OK; i++) {
        check->facts->part = OPINION_FILE_PROOFS;
        failure = inclusion_head(check->file.proofs[i], &check->proven[i].head);
    }
    for (uint32_t i = 0; i < check->file.head_count && failure == OK; i++) {
        struct bytes signed_head = take_sized(&reader, HEAD_SIZE_MAX, &is_too_large);
        check->facts->part = OPINION_FILE_HEADS;
        failure = chain_learn(chain, signed_head, (struct wall){0});
        if (failure == ERR_FORKED) /* a healing head: the officers may decide it */
            failure = chain_heal(chain, signed_head, (struct wall){0});
        if (failure == OK)
            failure = check_proofs_at(check, signed_head);
    }
    for (size_t i = 0; i < check->file.proof_count && failure == OK; i++) {
        check->facts->part = OPINION_FILE_PROOFS;
        if (!check->proven[i].is_proved)
            failure = ERR_UNKNOWN_HEAD;
    }
    return failure;
}

/* C-71: proofs at or before a head that the checker trusts are anchored. Without such a head, or
 * with proofs at later heads only, they are not anchored, and the facts say so. */
static err check_anchor(struct check *check)
{
    const struct chain *chain = &check->memory->chain;
    const struct chain_link *link = chain_last(chain);
    check->facts->is_anchored = false;
    if (check->trust->head != NULL) {
        const struct chain_link *trusted = chain_find(chain, check->trust->head);
        check->facts->part = OPINION_FILE_ANCHOR;
        if (trusted == NULL)
            return ERR_UNKNOWN_HEAD;
        check->facts->is_anchored = check->epoch_used <= trusted->epoch;
        if (check->facts->is_anchored)
            link = trusted;
    }
    check->facts->checked_head = link->id;
    check->facts->checked_epoch = link->epoch;
    return OK;
}

/* C-72: a member signs with this key while it is proved to be admitted, at the head that its record
 * names or at a later one. */
static err check_signer(struct check *check, const struct record_claim *claim)
{
    const struct chain_link *named = chain_find(&check->memory->chain, &claim->header.head);
    err failure = ERR_UNKNOWN_MEMBER;
    if (named == NULL)
        return ERR_UNKNOWN_HEAD;
    for (size_t i = 0; i < check->file.proof_count; i++) {
        const struct proven *proven = &check->proven[i];
        if (!ID_EQUAL(proven->member.node_id, claim->header.stream.writer) ||
            proven->member.state != MEMBER_ADMITTED || proven->epoch < named->epoch)
            continue;
        failure = record_verify(claim, &proven->member.sign_key);
        if (failure != OK)
            continue;
        if (proven->epoch > check->epoch_used)
            check->epoch_used = proven->epoch;
        check->signer = proven;
        return OK;
    }
    return failure;
}

/* A whole record of this federation, signed by a proved member, decrypted and parsed. */
static err check_record(struct check *check, struct bytes record, const struct record_key *key,
                        struct buffer *out, struct record_claim *ret_claim)
{
    err failure = record_parse(record, ret_claim);
    if (failure == OK && !ID_EQUAL(ret_claim->header.federation, check->trust->federation))
        failure = ERR_MALFORMED;
    if (failure == OK)
        failure = check_signer(check, ret_claim);
    if (failure == OK)
        failure = record_check_body(ret_claim);
    if (failure == OK)
        failure = record_open(ret_claim, key, out);
    return failure;
}

static err check_statement(const struct record_claim *claim, struct bytes plaintext, enum kind kind,
                           struct statement *ret_statement)
{
    err failure = statement_read(plaintext, ret_statement);
    if (failure == OK && ret_statement->kind != kind)
        failure = ERR_MALFORMED;
    if (failure == OK)
        failure = kind_check(ret_statement->kind, claim->header.stream.scope.kind,
                             claim->header.audience, ret_statement->is_signed);
    return failure;
}

static err check_opinion(struct check *check)
{
    struct opinion_file_facts *facts = check->facts;
    struct buffer out = buffer_over(check->memory->opinion, sizeof check->memory->opinion);
    facts->part = OPINION_FILE_RECORD;
    err failure =
        check_record(check, check->file.opinion, &check->file.opinion_key, &out, &check->opinion);
    if (failure == OK)
        failure =
            check_statement(&check->opinion, buffer_bytes(&out), KIND_OPINION, &check->statement);
    if (failure == OK)
        failure = opinion_read(check->statement.content, &facts->opinion);
    if (failure != OK)
        return failure;
    const struct proven *signer = check->signer;
    const struct chain_link *seen = chain_find(&check->memory->chain, &facts->opinion.roster_head);
    if (seen == NULL)
        return ERR_UNKNOWN_HEAD;
    facts->record_id = check->opinion.id;
    memcpy(facts->case_id.bytes, check->opinion.header.stream.scope.id, HASH_SIZE);
    facts->written = check->opinion.header.time;
    facts->signed_at = check->statement.author.time;
    facts->institution = signer->member.node_id;
    facts->institution_name = signer->member.name;
    memcpy(facts->institution_country, signer->member.country, 2);
    facts->institution_epoch = signer->epoch;
    return OK;
}

/* The institution's key for the certificate may be older than the one for its record. */
static err check_issuer(const struct check *check, const struct node_id *institution)
{
    err failure = ERR_UNKNOWN_MEMBER;
    for (size_t i = 0; i < check->file.proof_count; i++) {
        const struct member *member = &check->proven[i].member;
        if (!ID_EQUAL(member->node_id, *institution) || member->state != MEMBER_ADMITTED)
            continue;
        failure = certificate_check(&check->facts->certificate, &check->trust->federation,
                                    institution, &member->sign_key);
        if (failure == OK)
            return OK;
    }
    return failure;
}

/* C-73: the certificate is the one that the clinician signed under, issued by the institution that
 * wrote the opinion, and valid at the position that the opinion names. */
static err check_certificate(struct check *check)
{
    struct opinion_file_facts *facts = check->facts;
    uint8_t memory[CERTIFICATE_SIZE_MAX + STATEMENT_HEAD_SIZE];
    struct buffer out = buffer_over(memory, sizeof memory);
    const struct opinion_stream_head *head = &facts->opinion.stream_head;
    struct record_claim claim;
    struct statement statement;
    facts->part = OPINION_FILE_CERTIFICATE;
    err failure = check_record(check, check->file.certificate, NULL, &out, &claim);
    if (failure == OK)
        failure = check_statement(&claim, claim.body, KIND_CERTIFICATE, &statement);
    if (failure == OK)
        failure = certificate_read(statement.content, &facts->certificate);
    if (failure == OK && !ID_EQUAL(claim.header.stream.writer, facts->institution))
        failure = ERR_MALFORMED;
    if (failure == OK)
        failure = check_issuer(check, &facts->institution);
    if (failure == OK && !ID_EQUAL(facts->certificate.cert_id, check->statement.author.cert_id))
        failure = ERR_BAD_HASH;
    if (failure != OK)
        return failure;
    struct certificate_position recorded = {claim.header.stream.generation, claim.header.sequence};
    struct certificate_position at = {head->generation, head->sequence};
    bool is_same = recorded.generation == at.generation && recorded.sequence == at.sequence;
    if (is_same && !ID_EQUAL(head->record_id, claim.id))
        return ERR_MALFORMED;
    return certificate_covers(&facts->certificate, recorded, NULL, facts->signed_at, at);
}

/* C-74: the clinician signed this content for this case, institution and certificate. */
static err check_clinician(struct check *check)
{
    struct statement_place place = statement_place_of(&check->opinion.header);
    check->facts->part = OPINION_FILE_CLINICIAN;
    return statement_verify(&check->statement, &place,
                            &check->facts->certificate.request.clinician_key);
}

/* C-75: the requester of this case wrote the receipt, and it names this record. */
static err check_receipt(struct check *check)
{
    struct opinion_file_facts *facts = check->facts;
    struct buffer out = buffer_over(check->memory->receipt, sizeof check->memory->receipt);
    struct case_record_take_in take_in;
    struct record_claim claim;
    struct statement statement;
    facts->part = OPINION_FILE_RECEIPT;
    err failure = check_record(check, check->file.receipt, &check->file.receipt_key, &out, &claim);
    if (failure == OK)
        failure = check_statement(&claim, buffer_bytes(&out), KIND_TAKE_IN, &statement);
    if (failure == OK)
        failure = case_record_take_in_read(statement.content, &take_in);
    if (failure != OK)
        return failure;
    struct case_id made = case_record_case_id(&check->trust->federation,
                                              &claim.header.stream.writer, &check->file.opening);
    if (!ID_EQUAL(made, facts->case_id) ||
        !scope_equal(&claim.header.stream.scope, &check->opinion.header.stream.scope))
        return ERR_MALFORMED;
    for (size_t i = 0; i < take_in.taken_count; i++)
        if (ID_EQUAL(take_in.taken[i].record_id, facts->record_id) &&
            ID_EQUAL(take_in.taken[i].author, facts->institution) &&
            take_in.taken[i].kind == KIND_OPINION) {
            facts->is_taken_in = true;
            facts->requester = check->signer->member.node_id;
            facts->requester_name = check->signer->member.name;
            facts->taken_in_at = claim.header.time;
            return OK;
        }
    return ERR_MALFORMED;
}

err opinion_file_verify(struct bytes all, const struct opinion_file_trust *trust,
                        struct opinion_file_memory *memory, struct opinion_file_facts *ret_facts)
{
    struct check check = {.trust = trust, .memory = memory, .facts = ret_facts};
    memset(ret_facts, 0, sizeof *ret_facts);
    ret_facts->part = OPINION_FILE_WHOLE;
    err failure = opinion_file_read(all, &check.file);
    if (failure == OK)
        failure = check_heads(&check);
    if (failure == OK)
        failure = check_opinion(&check);
    if (failure == OK)
        failure = check_certificate(&check);
    if (failure == OK)
        failure = check_clinician(&check);
    if (failure == OK && check.file.has_receipt)
        failure = check_receipt(&check);
    if (failure == OK)
        failure = check_anchor(&check);
    return failure;
}
