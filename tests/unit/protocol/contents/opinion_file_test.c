/* An exported opinion is checked far from any node: what it proves, and what it refuses. Hospital 1
 * asks, the clinician of hospital 2 answers, hospital 3 would like to have answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "protocol/contents/opinion_file.h"
#include "protocol/roster/inclusion.h"
#include "tests/harness/federation.h"

enum { ASKER = 1, ANSWERER = 2, ENVIER = 3, HEAD_COUNT = 64, FILE_SIZE = 128 * 1024 };

#define DAY_MS (24 * FEDERATION_HOUR_MS)

/* A record on its way into the file. */
struct sealed {
    uint8_t memory[RECORD_SIZE_MAX];
    struct bytes bytes;
    struct record_id id;
};

static struct federation society;
static uint8_t head_memory[HEAD_COUNT][1024];
static struct bytes heads[HEAD_COUNT];
static struct head_id head_ids[HEAD_COUNT];
static uint32_t head_count;
static uint8_t proof_memory[8][INCLUSION_SIZE_MAX];
static const struct record_key body_key = {{0x4b}};
static struct sealed certificate, envied_certificate, opinion, receipt;
static struct cert_id cert_id, envied_cert_id;
static struct opinion_file file;
static uint8_t file_memory[FILE_SIZE];

static struct chain_link chain_links[HEAD_COUNT];
static struct officers officer_sets[8];
static struct opinion_file_memory memory;
static struct opinion_file_facts facts;

/* What a record is made of; each test changes what it is about. */
struct making {
    uint32_t writer, signer;       /* numbers of hospitals: whose stream, whose key */
    uint32_t clinician, certified; /* whose clinician's key, whose certificate */
    struct case_id case_id;
    struct record_id announcement;
    uint64_t stream_sequence;
    struct wall time;
    struct head_id head;
};

/* ---- the society ---- */

static struct federation_id federation_id(void)
{
    return society.roster.chain.federation;
}

static void keep_head(void)
{
    assert_true(head_count < HEAD_COUNT && society.signed_head.size <= sizeof head_memory[0]);
    memcpy(head_memory[head_count], society.signed_head.data, society.signed_head.size);
    heads[head_count] = (struct bytes){head_memory[head_count], society.signed_head.size};
    head_ids[head_count++] = roster_current_id(&society.roster);
}

static void next_head(const struct member *change)
{
    if (change != NULL)
        federation_put_member(&society, change);
    assert_int_equal(federation_draft(&society), OK);
    assert_int_equal(federation_take(&society), OK);
    keep_head();
}

static struct bytes a_proof(uint32_t hospital, size_t slot)
{
    struct node_id node = federation_node(hospital);
    struct buffer buffer = buffer_over(proof_memory[slot], INCLUSION_SIZE_MAX);
    assert_int_equal(inclusion_write(&society.roster, &node, &buffer), OK);
    return buffer_bytes(&buffer);
}

/* ---- the records ---- */

static const struct case_record_opening opening = {{0x66}};

static struct case_id the_case(void)
{
    struct federation_id federation = federation_id();
    struct node_id asker = federation_node(ASKER);
    return case_record_case_id(&federation, &asker, &opening);
}

static void seal(struct sealed *sealed, const struct record_header *header,
                 const struct statement *statement, uint32_t signer)
{
    static uint8_t body_memory[RECORD_BODY_SIZE_MAX];
    struct sign_key key;
    uint8_t secret[64];
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    struct buffer out = buffer_over(sealed->memory, sizeof sealed->memory);
    struct record_secrets secrets = {.sign_secret = secret, .key = body_key};
    federation_key(signer, 2, key.bytes, secret);
    assert_int_equal(statement_write(statement, &body), OK);
    assert_int_equal(record_seal(header, buffer_bytes(&body), &secrets, &out, &sealed->id), OK);
    sealed->bytes = buffer_bytes(&out);
}

static struct record_header a_header(const struct making *making, struct scope scope,
                                     uint64_t sequence, enum audience audience)
{
    struct record_header header = {
        .federation = federation_id(),
        .stream = {.scope = scope, .writer = federation_node(making->writer), .generation = 1},
        .audience = audience,
        .sequence = sequence,
        .previous = {{sequence > 1}},
        .head = making->head,
        .time = making->time};
    return header;
}

/* The certificate of a hospital's clinician, at position 3 of its federation stream. */
static struct cert_id certify(struct sealed *sealed, const struct making *making, uint32_t person)
{
    static uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX], content[CERTIFICATE_SIZE_MAX];
    struct sign_key institution_key;
    uint8_t secret[64], institution_secret[64];
    struct certificate_request request = {.federation = federation_id(),
                                          .node_id = federation_node(making->writer),
                                          .name = bytes_of_text("Dr. Amara Okafor"),
                                          .credentials = bytes_of_text("MD"),
                                          .specialties = {bytes_of_text("oncology")},
                                          .specialty_count = 1,
                                          .country = bytes_of_text("DE")};
    struct buffer buffer = buffer_over(request_memory, sizeof request_memory);
    federation_key(person, 4, request.clinician_key.bytes, secret);
    federation_key(making->signer, 2, institution_key.bytes, institution_secret);
    assert_int_equal(certificate_request_write(&request, &buffer), OK);
    struct certificate_issue issue = {.request = buffer_bytes(&buffer),
                                      .serial = 1,
                                      .valid_from = {FEDERATION_START_MS},
                                      .valid_until = {FEDERATION_START_MS + 700 * DAY_MS}};
    struct cert_id made;
    struct buffer out = buffer_over(content, sizeof content);
    certificate_prove(issue.request, secret, &issue.possession);
    assert_int_equal(certificate_write(&issue, institution_secret, &out, &made), OK);
    struct statement statement = {.kind = KIND_CERTIFICATE, .content = buffer_bytes(&out)};
    struct record_header header = a_header(making, scope_federation(), 3, AUDIENCE_CLEAR);
    seal(sealed, &header, &statement, making->signer);
    return made;
}

/* The statement of an opinion, signed by a clinician as at the place of `making`. */
static struct statement say(const struct making *making, struct bytes *content_memory)
{
    static uint8_t content[STATEMENT_CONTENT_SIZE_MAX];
    struct opinion said = {.announcement = making->announcement,
                           .stream_head = {1, making->stream_sequence, {{0x31}}},
                           .roster_head = making->head,
                           .manifest_root = {{0x32}},
                           .items_opened = {{{1}}, {{2}}},
                           .item_opened_count = 2,
                           .sentence = bytes_of_text(OPINION_SENTENCE),
                           .text = bytes_of_text("Carboplatin instead of cisplatin."),
                           .language = bytes_of_text("en"),
                           .treatment = OPINION_TREATMENT_MODIFIED};
    struct buffer out = buffer_over(content, sizeof content);
    assert_int_equal(opinion_write(&said, &out), OK);
    struct statement statement = {.kind = KIND_OPINION, .content = buffer_bytes(&out)};
    struct statement_place place = {federation_id(), scope_case(&making->case_id),
                                    federation_node(making->writer)};
    struct statement_author author = {
        .cert_id = making->certified == ENVIER ? envied_cert_id : cert_id, .time = making->time};
    struct sign_key key;
    uint8_t secret[64];
    federation_key(making->clinician, 4, key.bytes, secret);
    statement_sign(&statement, &place, &author, secret);
    *content_memory = statement.content;
    return statement;
}

static void put_opinion(const struct making *making, const struct statement *statement)
{
    struct record_header header =
        a_header(making, scope_case(&making->case_id), 1, AUDIENCE_REQUESTER);
    seal(&opinion, &header, statement, making->signer);
    file.opinion = opinion.bytes;
}

static void write_opinion(const struct making *making)
{
    struct bytes content;
    struct statement statement = say(making, &content);
    put_opinion(making, &statement);
}

static void write_receipt(const struct making *making, const struct record_id *id, uint32_t author)
{
    uint8_t content[1024];
    struct case_record_take_in take_in = {.taken = {{federation_node(author), {{0x77}}, KIND_POST},
                                                    {federation_node(author), *id, KIND_OPINION}},
                                          .taken_count = 2};
    struct buffer out = buffer_over(content, sizeof content);
    assert_int_equal(case_record_take_in_write(&take_in, &out), OK);
    struct statement statement = {.kind = KIND_TAKE_IN, .content = buffer_bytes(&out)};
    struct record_header header = a_header(making, scope_case(&making->case_id), 9, AUDIENCE_SCOPE);
    seal(&receipt, &header, &statement, making->signer);
    file.receipt = receipt.bytes;
}

static struct making by(uint32_t hospital)
{
    return (struct making){.writer = hospital,
                           .signer = hospital,
                           .clinician = hospital,
                           .certified = hospital,
                           .case_id = the_case(),
                           .announcement = {{0x21}},
                           .stream_sequence = 7,
                           .time = {FEDERATION_START_MS + 5 * DAY_MS},
                           .head = head_ids[0]};
}

/* ---- the file ---- */

static int set_up(void **state)
{
    (void)state;
    head_count = 0;
    memset(&file, 0, sizeof file);
    federation_found(&society, roster_plan_small(), 3);
    keep_head();
    struct making answer = by(ANSWERER), envy = by(ENVIER), ask = by(ASKER);
    cert_id = certify(&certificate, &answer, ANSWERER);
    envied_cert_id = certify(&envied_certificate, &envy, ENVIER);
    file.opinion_key = file.receipt_key = body_key;
    file.certificate = certificate.bytes;
    file.has_receipt = true;
    file.opening = opening;
    file.proofs[0] = a_proof(ANSWERER, 0);
    file.proofs[1] = a_proof(ASKER, 1);
    file.proof_count = 2;
    write_opinion(&answer);
    write_receipt(&ask, &opinion.id, ANSWERER);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    federation_end(&society);
    return 0;
}

static struct bytes written(void)
{
    struct buffer out = buffer_over(file_memory, sizeof file_memory);
    file.head_count = head_count;
    opinion_file_begin(&out, &file);
    for (uint32_t i = 0; i < head_count; i++)
        opinion_file_add_head(&out, heads[i]);
    assert_false(out.failed);
    return buffer_bytes(&out);
}

static err verify(struct bytes all, const struct head_id *trusted)
{
    struct opinion_file_trust trust = {federation_id(), trusted};
    memory.chain = (struct chain){.links = chain_links,
                                  .capacity = HEAD_COUNT,
                                  .officer_sets = officer_sets,
                                  .officer_set_capacity = 8};
    return opinion_file_verify(all, &trust, &memory, &facts);
}

static void assert_refused(err verdict, enum opinion_file_part part)
{
    assert_int_equal(verify(written(), NULL), verdict);
    if (facts.part != part)
        fail_msg("refused for %s", opinion_file_part_name(facts.part));
}

/* ---- what it proves ---- */

static void it_tells_who_said_what_of_which_case_having_seen_what(void **state)
{
    (void)state;
    assert_int_equal(verify(written(), NULL), OK);
    struct node_id answerer = federation_node(ANSWERER), asker = federation_node(ASKER);
    struct case_id case_id = the_case();
    assert_true(ID_EQUAL(facts.institution, answerer));
    assert_true(bytes_equal(facts.institution_name, bytes_of_text("Hospital of the Good Test")));
    assert_memory_equal(facts.institution_country, "DE", 2);
    assert_int_equal(facts.institution_epoch, 1);
    assert_true(bytes_equal(facts.certificate.request.name, bytes_of_text("Dr. Amara Okafor")));
    assert_true(ID_EQUAL(facts.case_id, case_id));
    assert_true(ID_EQUAL(facts.record_id, opinion.id));
    assert_int_equal(facts.opinion.announcement.bytes[0], 0x21);
    assert_int_equal(facts.opinion.manifest_root.bytes[0], 0x32);
    assert_int_equal(facts.opinion.item_opened_count, 2);
    assert_int_equal(facts.opinion.treatment, OPINION_TREATMENT_MODIFIED);
    assert_true(
        bytes_equal(facts.opinion.text, bytes_of_text("Carboplatin instead of cisplatin.")));
    assert_true(facts.signed_at.ms == FEDERATION_START_MS + 5 * DAY_MS);
    assert_true(facts.is_taken_in);
    assert_true(ID_EQUAL(facts.requester, asker));
    file.has_receipt = false;
    assert_int_equal(verify(written(), NULL), OK);
    assert_false(facts.is_taken_in);
}

/* C-71 */
static void without_a_trusted_head_it_says_not_anchored(void **state)
{
    (void)state;
    next_head(NULL);
    next_head(NULL);
    assert_int_equal(verify(written(), NULL), OK);
    assert_false(facts.is_anchored);
    assert_true(ID_EQUAL(facts.checked_head, head_ids[2]));
    assert_int_equal(verify(written(), &head_ids[1]), OK);
    assert_true(facts.is_anchored);
    assert_true(ID_EQUAL(facts.checked_head, head_ids[1]));
    assert_int_equal(facts.checked_epoch, 2);
    struct head_id elsewhere = {{0x99}};
    assert_int_equal(verify(written(), &elsewhere), ERR_UNKNOWN_HEAD);
    assert_int_equal(facts.part, OPINION_FILE_ANCHOR);
    /* proved only at a head after the trusted one: that one says nothing about it */
    file.proofs[1] = a_proof(ASKER, 1);
    assert_int_equal(verify(written(), &head_ids[1]), OK);
    assert_false(facts.is_anchored);
    assert_int_equal(verify(written(), &head_ids[2]), OK);
    assert_true(facts.is_anchored);
}

static void it_holds_after_rotation_removal_and_thirty_years(void **state)
{
    (void)state;
    struct member member = federation_member(ANSWERER, 1);
    uint8_t secret[64];
    federation_key(90, 2, member.sign_key.bytes, secret);
    member.keys_since_epoch = 2;
    next_head(&member);
    member.state = MEMBER_SUSPENDED;
    member.state_since_epoch = 3;
    next_head(&member);
    member.state = MEMBER_REMOVED;
    member.state_since_epoch = 4;
    next_head(&member);
    for (int year = 0; year < 30; year++) {
        society.now.ms += 365 * DAY_MS;
        next_head(NULL);
    }
    assert_int_equal(verify(written(), &head_ids[head_count - 1]), OK);
    assert_true(facts.is_anchored);
    /* with proofs of today alone it would hold no more: keep them when the opinion comes */
    file.proofs[0] = a_proof(ANSWERER, 0);
    assert_refused(ERR_UNKNOWN_MEMBER, OPINION_FILE_RECORD);
}

/* ---- what it refuses ---- */

static void no_byte_of_it_can_be_changed_or_left_out(void **state)
{
    (void)state;
    next_head(NULL);
    struct bytes good = written();
    assert_int_equal(verify(good, NULL), OK);
    for (size_t i = 0; i < good.size; i += 5) {
        file_memory[i] ^= (uint8_t)(1u << (i % 8));
        if (verify(good, NULL) == OK)
            fail_msg("byte %zu of %zu may be changed", i, good.size);
        file_memory[i] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t size = 0; size < good.size; size += 7)
        assert_int_not_equal(verify((struct bytes){good.data, size}, NULL), OK);
    file_memory[good.size] = 0;
    assert_int_equal(verify((struct bytes){good.data, good.size + 1}, NULL), ERR_MALFORMED);
    struct opinion_file shape;
    assert_int_equal(opinion_file_read(bytes_of_text("consilium opinion 2\n"), &shape),
                     ERR_VERSION);
}

/* C-70 */
static void heads_of_another_federation_or_too_few_officers_prove_nothing(void **state)
{
    (void)state;
    struct bytes all = written();
    struct opinion_file_trust trust = {.federation = {{0x12}}};
    memory.chain = (struct chain){.links = chain_links,
                                  .capacity = HEAD_COUNT,
                                  .officer_sets = officer_sets,
                                  .officer_set_capacity = 8};
    assert_int_equal(opinion_file_verify(all, &trust, &memory, &facts), ERR_BAD_HASH);
    assert_int_equal(facts.part, OPINION_FILE_HEADS);

    assert_int_equal(federation_draft(&society), OK);
    federation_sign(&society, 1);
    heads[head_count++] = society.signed_head;
    assert_refused(ERR_THRESHOLD, OPINION_FILE_HEADS);
    head_count--;
    head_count = 0;
    assert_refused(ERR_MALFORMED, OPINION_FILE_HEADS);
}

/* C-72 */
static void only_an_admitted_member_with_its_own_key_signs(void **state)
{
    (void)state;
    struct making making = by(ANSWERER);
    making.signer = ENVIER;
    write_opinion(&making);
    assert_refused(ERR_BAD_SIGNATURE, OPINION_FILE_RECORD);
    making = by(ANSWERER);
    write_opinion(&making);
    file.proof_count = 1;
    file.has_receipt = false;
    assert_int_equal(verify(written(), NULL), OK);
    file.proofs[0] = a_proof(ASKER, 2);
    assert_refused(ERR_UNKNOWN_MEMBER, OPINION_FILE_RECORD);
    /* a proof from before the head that the record names says nothing of then */
    file.proofs[0] = a_proof(ANSWERER, 0);
    next_head(NULL);
    making.head = head_ids[1];
    write_opinion(&making);
    assert_refused(ERR_UNKNOWN_MEMBER, OPINION_FILE_RECORD);
    file.proofs[0] = a_proof(ANSWERER, 0);
    assert_int_equal(verify(written(), NULL), OK);
    making.head.bytes[0]++;
    write_opinion(&making);
    assert_refused(ERR_UNKNOWN_HEAD, OPINION_FILE_RECORD);
    /* a proof for a head that is not in the file */
    making = by(ANSWERER);
    write_opinion(&making);
    head_count = 1;
    assert_refused(ERR_UNKNOWN_HEAD, OPINION_FILE_PROOFS);
}

/* C-73, C-74: another's opinion under a record, a key or a certificate of one's own */
static void anothers_opinion_is_never_passed_off_as_ones_own(void **state)
{
    (void)state;
    struct bytes content;
    struct making theirs = by(ANSWERER), mine = by(ENVIER);
    struct statement stolen = say(&theirs, &content);
    file.has_receipt = false;
    file.proofs[1] = a_proof(ENVIER, 1);

    /* the statement as it is, in a record of one's own */
    put_opinion(&mine, &stolen);
    assert_refused(ERR_MALFORMED, OPINION_FILE_CERTIFICATE);
    file.certificate = envied_certificate.bytes;
    assert_refused(ERR_BAD_HASH, OPINION_FILE_CERTIFICATE);
    /* with one's own certificate named over the clinician's signature */
    stolen.author.cert_id = envied_cert_id;
    put_opinion(&mine, &stolen);
    assert_refused(ERR_BAD_SIGNATURE, OPINION_FILE_CLINICIAN);
    /* signed anew with one's own key, under the other's certificate */
    struct making forged = by(ANSWERER);
    forged.clinician = ENVIER;
    write_opinion(&forged);
    file.certificate = certificate.bytes;
    assert_refused(ERR_BAD_SIGNATURE, OPINION_FILE_CLINICIAN);
    /* signed anew under a certificate of one's own, in the other's stream */
    forged.certified = ENVIER;
    write_opinion(&forged);
    assert_refused(ERR_BAD_HASH, OPINION_FILE_CERTIFICATE);
    file.certificate = envied_certificate.bytes;
    assert_refused(ERR_MALFORMED, OPINION_FILE_CERTIFICATE);
    /* and a certificate of one's own on the other's key cannot be had: certificate_test, C-20 */
}

/* C-74 */
static void an_opinion_is_moved_to_no_other_case_or_announcement(void **state)
{
    (void)state;
    struct bytes content;
    struct making here = by(ANSWERER), there = by(ANSWERER);
    struct statement statement = say(&here, &content);
    there.case_id.bytes[0]++;
    file.has_receipt = false;
    put_opinion(&there, &statement);
    assert_refused(ERR_BAD_SIGNATURE, OPINION_FILE_CLINICIAN);
    struct making other = by(ANSWERER);
    other.announcement.bytes[0]++;
    struct statement of_other = say(&other, &content);
    of_other.author = statement.author;
    put_opinion(&here, &of_other);
    assert_refused(ERR_BAD_SIGNATURE, OPINION_FILE_CLINICIAN);
}

/* C-22, C-73 */
static void a_certificate_covers_its_time_and_position_only(void **state)
{
    (void)state;
    struct making making = by(ANSWERER);
    file.has_receipt = false;
    making.time.ms = FEDERATION_START_MS + 700 * DAY_MS;
    write_opinion(&making);
    assert_refused(ERR_EXPIRED, OPINION_FILE_CERTIFICATE);
    making = by(ANSWERER);
    making.stream_sequence = 2;
    write_opinion(&making);
    assert_refused(ERR_FUTURE, OPINION_FILE_CERTIFICATE);
    making.stream_sequence = 3; /* the certificate's own position, and another record there */
    write_opinion(&making);
    assert_refused(ERR_MALFORMED, OPINION_FILE_CERTIFICATE);
}

/* C-75 */
static void a_receipt_is_the_requesters_and_names_this_opinion(void **state)
{
    (void)state;
    struct making ask = by(ASKER), envy = by(ENVIER);
    struct record_id another = {{0x88}};
    write_receipt(&ask, &another, ANSWERER);
    assert_refused(ERR_MALFORMED, OPINION_FILE_RECEIPT);
    write_receipt(&ask, &opinion.id, ENVIER);
    assert_refused(ERR_MALFORMED, OPINION_FILE_RECEIPT);
    file.proofs[2] = a_proof(ENVIER, 2);
    file.proof_count = 3;
    write_receipt(&envy, &opinion.id, ANSWERER);
    assert_refused(ERR_MALFORMED, OPINION_FILE_RECEIPT);
    ask.case_id.bytes[0]++;
    write_receipt(&ask, &opinion.id, ANSWERER);
    assert_refused(ERR_MALFORMED, OPINION_FILE_RECEIPT);
    ask = by(ASKER);
    write_receipt(&ask, &opinion.id, ANSWERER);
    file.receipt_key.bytes[0]++;
    assert_refused(ERR_BAD_KEY, OPINION_FILE_RECEIPT);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(it_tells_who_said_what_of_which_case_having_seen_what),
        WITH_FILE(without_a_trusted_head_it_says_not_anchored),
        WITH_FILE(it_holds_after_rotation_removal_and_thirty_years),
        WITH_FILE(no_byte_of_it_can_be_changed_or_left_out),
        WITH_FILE(heads_of_another_federation_or_too_few_officers_prove_nothing),
        WITH_FILE(only_an_admitted_member_with_its_own_key_signs),
        WITH_FILE(anothers_opinion_is_never_passed_off_as_ones_own),
        WITH_FILE(an_opinion_is_moved_to_no_other_case_or_announcement),
        WITH_FILE(a_certificate_covers_its_time_and_position_only),
        WITH_FILE(a_receipt_is_the_requesters_and_names_this_opinion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
