/* One spelling for each content, text that is text, and what single contents ask beyond fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/pack.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/case_file.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/mirror.h"
#include "protocol/contents/opinion.h"
#include "protocol/record/audit_evidence.h"

static uint8_t memory[65536];
static struct buffer out;

static struct bytes text(const char *characters)
{
    return bytes_of_text(characters);
}

static struct announcement an_announcement(void)
{
    struct announcement announcement = {
        .specialty = text("oncology/head-neck"),
        .service = ANNOUNCEMENT_CLINICAL_CONSULT,
        .reason = ANNOUNCEMENT_SERIOUS,
        .question = text("Continue chemotherapy after neutropenic sepsis?\nIf so, how?"),
        .wanted_count = 3,
        .deadline = {1000},
        .language = text("en"),
        .mode = ANNOUNCEMENT_INDEPENDENT_FIRST,
    };
    memset(announcement.case_id.bytes, 1, HASH_SIZE);
    return announcement;
}

static err written(const struct announcement *announcement)
{
    out = buffer_over(memory, sizeof memory);
    return announcement_write(announcement, &out);
}

/* C-11 */
static void an_emergency_is_refused_under_its_own_name(void **state)
{
    (void)state;
    struct announcement announcement = an_announcement(), read;
    announcement.is_emergency = true;
    assert_int_equal(written(&announcement), ERR_STATE);
    announcement.question = BYTES_NONE; /* said before anything else that may be wrong */
    assert_int_equal(written(&announcement), ERR_STATE);

    announcement = an_announcement();
    assert_int_equal(written(&announcement), OK);
    assert_int_equal(memory[0], 0x89);
    memory[0] = 0x8a;
    pack_put_uint(&out, 14);
    pack_put_bool(&out, true);
    assert_int_equal(announcement_read(buffer_bytes(&out), &read), ERR_STATE);
}

static void a_case_without_a_question_is_refused(void **state)
{
    (void)state;
    struct announcement announcement = an_announcement();
    assert_int_equal(written(&announcement), OK);
    announcement.question = BYTES_NONE;
    assert_int_equal(written(&announcement), ERR_MALFORMED);
    announcement = an_announcement();
    announcement.wanted_count = 0;
    assert_int_equal(written(&announcement), ERR_MALFORMED);
    announcement = an_announcement();
    announcement.specialty = text("Hematology");
    assert_int_equal(written(&announcement), ERR_MALFORMED);
    announcement = an_announcement();
    announcement.fee_link = text("http://example.org");
    assert_int_equal(written(&announcement), ERR_MALFORMED);
    announcement.fee_link = text("https://example.org/a b");
    assert_int_equal(written(&announcement), ERR_MALFORMED);
    announcement.fee_link = text("https://example.org/fees");
    assert_int_equal(written(&announcement), OK);
}

/* C-8 */
static void an_optional_field_that_says_nothing_is_not_spelled_out(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        err verdict;
    } closes[] = {
        {"\x80", 1, OK},
        {"\x81\x01\xa1x", 4, OK},
        {"\x81\x01\xa0", 3, ERR_NOT_CANONICAL},
        {"\x81\x01\xc4\x01x", 5, ERR_MALFORMED},
        {"\x81\x01\xc0", 3, ERR_MALFORMED},
        {"\x81\x01\x05", 3, ERR_MALFORMED},
        {"\x80\x80", 2, ERR_NOT_CANONICAL},
        {"\x90", 1, ERR_MALFORMED},
        {"\x81\x01\xa1\xff", 4, ERR_NOT_CANONICAL},
        {"\x81\x01", 2, ERR_TRUNCATED},
        {"", 0, ERR_TRUNCATED},
    };
    struct case_record_close close;
    for (size_t i = 0; i < sizeof closes / sizeof closes[0]; i++) {
        struct bytes content = {(const uint8_t *)closes[i].bytes, closes[i].size};
        assert_int_equal(case_record_close_read(content, &close), closes[i].verdict);
    }
    struct mirror mirror = {.what = MIRROR_CLOSED}, read;
    memset(mirror.case_id.bytes, 1, HASH_SIZE);
    out = buffer_over(memory, sizeof memory);
    assert_int_equal(mirror_write(&mirror, &out), OK);
    memory[0] = 0x83;
    pack_put_uint(&out, 3);
    pack_put_uint(&out, 0);
    assert_int_equal(mirror_read(buffer_bytes(&out), &read), ERR_NOT_CANONICAL);
}

/* C-9 */
static void fields_of_a_later_version_are_passed_over(void **state)
{
    (void)state;
    struct announcement announcement = an_announcement(), read;
    assert_int_equal(written(&announcement), OK);
    memory[0] = 0x8a;
    pack_put_uint(&out, 99);
    pack_put_array(&out, 1);
    pack_put_text(&out, text("of later times"));
    assert_int_equal(announcement_read(buffer_bytes(&out), &read), OK);
    assert_true(bytes_equal(read.question, announcement.question));
}

/* C-12 */
static void text_holds_no_control_characters(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\x1b[31m", "a\rb", "\x7f",
                                      "\xc2\x9b"
                                      "31m",
                                      "a\x01"};
    struct announcement announcement = an_announcement();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        announcement.question = text(bad[i]);
        assert_int_equal(written(&announcement), ERR_MALFORMED);
    }
    announcement.question = (struct bytes){(const uint8_t *)"a\0b", 3};
    assert_int_equal(written(&announcement), ERR_MALFORMED);
    announcement.question = text("\xc3\xa9\xc2\xa0\n\tab \xe5\x8c\xbb\xe7\x94\x9f");
    assert_int_equal(written(&announcement), OK);
    announcement.question = text("\xff");
    assert_int_equal(written(&announcement), ERR_MALFORMED);

    struct case_file case_file = {.description = text("d"), .item_count = 1};
    case_file.items[0] = (struct case_file_item){
        .name = text("two\nlines"), .media_type = text("image/png"), .size = 1, .chunk_count = 1};
    memset(&case_file.items[0].item_id, 1, HASH_SIZE);
    memset(&case_file.items[0].item_key, 1, KEY_SIZE);
    out = buffer_over(memory, sizeof memory);
    assert_int_equal(case_file_write(&case_file, &out), ERR_MALFORMED);
    case_file.items[0].name = text("one line");
    out = buffer_over(memory, sizeof memory);
    assert_int_equal(case_file_write(&case_file, &out), OK);
}

static void languages_and_countries_have_their_shape(void **state)
{
    (void)state;
    static const char *const good[] = {"en", "yue", "pt-BR", "zh-Hant-TW", "de-1996", "sr-Latn"};
    static const char *const bad[] = {"",    "e",   "EN",     "english",        "en_US",
                                      "en-", "-en", "en--US", "en-waytoolong1", "e1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(content_language_valid(text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(content_language_valid(text(bad[i])));
    assert_true(content_country_valid(text("CH")));
    assert_false(content_country_valid(text("ch")));
    assert_false(content_country_valid(text("CHE")));
    assert_true(content_tag_valid(text("hematology/bmt")));
    assert_false(content_tag_valid(text("hematology//bmt")));
}

static void codes_have_names_and_no_others(void **state)
{
    (void)state;
    assert_string_equal(content_code_name(&announcement_reasons, ANNOUNCEMENT_RARE), "rare");
    assert_string_equal(content_code_name(&announcement_reasons, 0), "");
    assert_string_equal(content_code_name(&announcement_reasons, 99), "unknown");
    assert_int_equal(content_code_of(&announcement_reasons, text("rare")), ANNOUNCEMENT_RARE);
    assert_int_equal(content_code_of(&announcement_reasons, text("sinusitis")), 0);
    assert_int_equal(content_code_of(&announcement_reasons, text("")), 0);
    struct announcement announcement = an_announcement();
    announcement.reason = (enum announcement_reason)7;
    assert_int_equal(written(&announcement), ERR_MALFORMED);
}

static struct opinion an_opinion(void)
{
    struct opinion opinion = {.stream_head = {.generation = 1, .sequence = 4},
                              .sentence = text(OPINION_SENTENCE),
                              .text = text("Stop cisplatin."),
                              .language = text("en")};
    memset(&opinion.announcement, 1, HASH_SIZE);
    memset(&opinion.stream_head.record_id, 2, HASH_SIZE);
    memset(&opinion.roster_head, 3, HASH_SIZE);
    memset(&opinion.manifest_root, 4, HASH_SIZE);
    return opinion;
}

static err opinion_written(const struct opinion *opinion)
{
    out = buffer_over(memory, sizeof memory);
    return opinion_write(opinion, &out);
}

/* C-15 */
static void every_opinion_says_who_keeps_the_responsibility(void **state)
{
    (void)state;
    struct opinion opinion = an_opinion();
    assert_int_equal(opinion_written(&opinion), OK);
    opinion.sentence = text("advice; the treating clinician keeps the responsibilitY");
    assert_int_equal(opinion_written(&opinion), ERR_MALFORMED);
    opinion.sentence = BYTES_NONE;
    assert_int_equal(opinion_written(&opinion), ERR_MALFORMED);
}

/* C-16 */
static void opened_items_are_named_once_and_in_order(void **state)
{
    (void)state;
    struct opinion opinion = an_opinion();
    struct case_record_opened opened = {.item_count = 2};
    opinion.item_opened_count = 2;
    opinion.items_opened[0].bytes[0] = 1;
    opinion.items_opened[1].bytes[0] = 2;
    memset(&opened.manifest_root, 1, HASH_SIZE);
    memcpy(opened.items, opinion.items_opened, 2 * HASH_SIZE);
    assert_int_equal(opinion_written(&opinion), OK);
    out = buffer_over(memory, sizeof memory);
    assert_int_equal(case_record_opened_write(&opened, &out), OK);
    opinion.items_opened[1].bytes[0] = opened.items[1].bytes[0] = 1;
    assert_int_equal(opinion_written(&opinion), ERR_NOT_CANONICAL);
    assert_int_equal(case_record_opened_write(&opened, &out), ERR_NOT_CANONICAL);
    /* the description alone, records alone, and nothing at all */
    opened.item_count = 0;
    assert_int_equal(case_record_opened_write(&opened, &out), OK);
    memset(&opened.manifest_root, 0, HASH_SIZE);
    assert_int_equal(case_record_opened_write(&opened, &out), ERR_MALFORMED);
    opened.record_count = 1;
    opened.records[0].bytes[0] = 1;
    assert_int_equal(case_record_opened_write(&opened, &out), OK);
}

/* C-13 */
static void the_root_of_a_case_file_is_over_what_is_seen_and_not_over_keys(void **state)
{
    (void)state;
    struct case_file case_file = {.description = text("description"), .item_count = 2}, changed;
    for (size_t i = 0; i < 2; i++) {
        case_file.items[i] = (struct case_file_item){
            .name = text("ct.png"), .media_type = text("image/png"), .size = 1, .chunk_count = 1};
        memset(&case_file.items[i].item_id, (int)i + 1, HASH_SIZE);
    }
    struct hash root = case_file_root(&case_file);
    changed = case_file;
    changed.items[0].item_key.bytes[0]++;
    assert_true(ID_EQUAL(root, case_file_root(&changed)));
    changed = case_file;
    changed.description = text("Description");
    assert_false(ID_EQUAL(root, case_file_root(&changed)));
    changed = case_file;
    changed.language = text("en");
    assert_false(ID_EQUAL(root, case_file_root(&changed)));
    changed = case_file;
    changed.items[1].name = text("mr.png");
    assert_false(ID_EQUAL(root, case_file_root(&changed)));
    changed = case_file;
    changed.items[1].media_type = text("image/jpeg");
    assert_false(ID_EQUAL(root, case_file_root(&changed)));
    changed = case_file;
    changed.items[1].size = 2;
    assert_false(ID_EQUAL(root, case_file_root(&changed)));
    changed = case_file;
    changed.items[1].item_id.bytes[0]++;
    assert_false(ID_EQUAL(root, case_file_root(&changed)));
    changed = case_file;
    changed.item_count = 1;
    assert_false(ID_EQUAL(root, case_file_root(&changed)));
}

/* C-14 */
static void a_case_file_lists_each_item_once_with_its_true_chunks(void **state)
{
    (void)state;
    struct case_file case_file = {.description = text("d"), .item_count = 2};
    for (size_t i = 0; i < 2; i++) {
        case_file.items[i] = (struct case_file_item){
            .name = text("n"), .media_type = text("m/m"), .size = 1, .chunk_count = 1};
        memset(&case_file.items[i].item_id, (int)i + 1, HASH_SIZE);
        memset(&case_file.items[i].item_key, 9, KEY_SIZE);
    }
    out = buffer_over(memory, sizeof memory);
    assert_int_equal(case_file_write(&case_file, &out), OK);
    case_file.items[1].chunk_count = 2;
    assert_int_equal(case_file_write(&case_file, &out), ERR_MALFORMED);
    case_file.items[1].chunk_count = 1;
    case_file.items[1].item_id = case_file.items[0].item_id;
    assert_int_equal(case_file_write(&case_file, &out), ERR_MALFORMED);
}

/* C-25 */
static void a_fork_proof_names_one_position_twice(void **state)
{
    (void)state;
    uint8_t headers[4][RECORD_HEADER_SIZE], sealed[512], secret[64] = {1};
    static const uint64_t sequence_and_time[4][2] = {{1, 1}, {1, 2}, {2, 1}, {1, 1}};
    for (size_t i = 0; i < 4; i++) {
        struct buffer buffer = buffer_over(sealed, sizeof sealed);
        struct record_header header = {.sequence = sequence_and_time[i][0],
                                       .time = {sequence_and_time[i][1]}};
        struct record_secrets secrets = {.sign_secret = secret};
        struct record_id id;
        header.stream = (struct stream_id){.scope = scope_federation(), .generation = 1};
        header.previous.bytes[0] = header.sequence > 1;
        assert_int_equal(record_seal(&header, text("x"), &secrets, &buffer, &id), OK);
        memcpy(headers[i], sealed, RECORD_HEADER_SIZE);
    }
    static const err verdicts[4] = {OK, OK, ERR_MALFORMED, ERR_MALFORMED};
    for (size_t i = 1; i < 4; i++) {
        struct audit_evidence_fork_proof proof = {.header_a = {headers[0], RECORD_HEADER_SIZE},
                                                  .header_b = {headers[i], RECORD_HEADER_SIZE}};
        memset(&proof.signature_a, 1, SIGNATURE_SIZE);
        memset(&proof.signature_b, 1, SIGNATURE_SIZE);
        out = buffer_over(memory, sizeof memory);
        assert_int_equal(audit_evidence_fork_proof_write(&proof, &out), verdicts[i]);
        proof.header_b.size--;
        assert_int_equal(audit_evidence_fork_proof_write(&proof, &out), ERR_MALFORMED);
    }
}

static void a_case_is_named_by_federation_requester_and_chance(void **state)
{
    (void)state;
    struct federation_id federation = {{1}};
    struct node_id requester = {{2}};
    struct case_record_opening opening = {{3}};
    struct case_id one = case_record_case_id(&federation, &requester, &opening);
    assert_true(ID_EQUAL(one, case_record_case_id(&federation, &requester, &opening)));
    opening.bytes[31]++;
    assert_false(ID_EQUAL(one, case_record_case_id(&federation, &requester, &opening)));
    opening.bytes[31]--;
    requester.bytes[0]++;
    assert_false(ID_EQUAL(one, case_record_case_id(&federation, &requester, &opening)));
    requester.bytes[0]--;
    federation.bytes[0]++;
    assert_false(ID_EQUAL(one, case_record_case_id(&federation, &requester, &opening)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_emergency_is_refused_under_its_own_name),
        cmocka_unit_test(a_case_without_a_question_is_refused),
        cmocka_unit_test(an_optional_field_that_says_nothing_is_not_spelled_out),
        cmocka_unit_test(fields_of_a_later_version_are_passed_over),
        cmocka_unit_test(text_holds_no_control_characters),
        cmocka_unit_test(languages_and_countries_have_their_shape),
        cmocka_unit_test(codes_have_names_and_no_others),
        cmocka_unit_test(every_opinion_says_who_keeps_the_responsibility),
        cmocka_unit_test(opened_items_are_named_once_and_in_order),
        cmocka_unit_test(the_root_of_a_case_file_is_over_what_is_seen_and_not_over_keys),
        cmocka_unit_test(a_case_file_lists_each_item_once_with_its_true_chunks),
        cmocka_unit_test(a_fork_proof_names_one_position_twice),
        cmocka_unit_test(a_case_is_named_by_federation_requester_and_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
