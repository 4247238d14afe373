/* Every content there is: the largest and the smallest of each are written, read, written again
 * to the same bytes; what breaks a field's rule is refused, on both sides. The values are filled in
 * by the tables themselves, so a new field is tested the day it is added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/contents/announcement.h"
#include "protocol/contents/case_file.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/content_registry.h"
#include "protocol/contents/mirror.h"
#include "protocol/contents/opinion.h"
#include "protocol/record/audit_evidence.h"
#include "protocol/record/certificate.h"
#include "protocol/record/statement.h"

static char letters[STATEMENT_CONTENT_SIZE_MAX + 2];
static uint32_t counter;
static uint8_t fork_headers[2][RECORD_HEADER_SIZE];
static uint8_t first[STATEMENT_CONTENT_SIZE_MAX], second[STATEMENT_CONTENT_SIZE_MAX];
static union content_registry_value value, other;

/* ---- filling ---- */

static void fill_struct(const struct content_table *table, uint8_t *base, bool with_optional);

static struct bytes a_text(const struct content_field *field)
{
    switch ((int)field->type) {
    case CONTENT_TAG:
        return bytes_of_text("hematology/bmt-0123456789-0123456789-0123456789-0123456789-01234");
    case CONTENT_LANGUAGE:
        return bytes_of_text("zh-Hant-TW-abcdefgh-abcdefgh-abcdef");
    case CONTENT_COUNTRY:
        return bytes_of_text("CH");
    default:
        return (struct bytes){(const uint8_t *)letters, field->max};
    }
}

static void fill_field(const struct content_field *field, uint8_t *base, bool with_optional)
{
    uint8_t *at = base + field->offset;
    uint64_t number = field->max;
    unsigned code = 1;
    bool truth = true;
    struct bytes text = a_text(field);
    switch (field->type) {
    case CONTENT_UINT:
    case CONTENT_TIME:
        memcpy(at, &number, sizeof number);
        break;
    case CONTENT_BOOL:
        memcpy(at, &truth, sizeof truth);
        break;
    case CONTENT_CODE:
        memcpy(at, &code, sizeof code);
        break;
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
    case CONTENT_BIN:
        memcpy(at, &text, sizeof text);
        break;
    case CONTENT_FIXED: /* ascending, each once */
        counter++;
        memset(at, 0xff, field->max);
        for (size_t i = 0; i < 4; i++)
            at[i] = (uint8_t)(counter >> (8 * (3 - i)));
        break;
    case CONTENT_MAP:
        fill_struct(field->table, at, with_optional);
        break;
    case CONTENT_LIST: {
        size_t count = with_optional ? field->max : 1;
        memcpy(base + field->count_offset, &count, sizeof count);
        for (size_t i = 0; i < count; i++)
            fill_field(field->element, at + i * field->stride, with_optional);
        break;
    }
    }
}

static void fill_struct(const struct content_table *table, uint8_t *base, bool with_optional)
{
    for (size_t i = 0; i < table->field_count; i++)
        if (with_optional || table->fields[i].is_required)
            fill_field(&table->fields[i], base, with_optional);
}

/* What a table's check asks for beyond its fields. */
static void mend(const struct content_table *table, union content_registry_value *filled)
{
    if (table == &announcement_table) {
        struct announcement *announcement = (void *)filled;
        announcement->is_emergency = false;
        if (announcement->fee_link.size > 0)
            announcement->fee_link = bytes_of_text("https://example.org/fees");
    } else if (table == &case_file_table) {
        struct case_file *case_file = (void *)filled;
        struct item_shape shape;
        for (size_t i = 0; i < case_file->item_count; i++) {
            assert_int_equal(item_shape_of(case_file->items[i].size, &shape), OK);
            case_file->items[i].chunk_count = shape.chunk_count;
        }
    } else if (table == &opinion_table) {
        ((struct opinion *)(void *)filled)->sentence = bytes_of_text(OPINION_SENTENCE);
    } else if (table == &audit_evidence_fork_proof_table) {
        struct audit_evidence_fork_proof *proof = (void *)filled;
        proof->header_a = (struct bytes){fork_headers[0], RECORD_HEADER_SIZE};
        proof->header_b = (struct bytes){fork_headers[1], RECORD_HEADER_SIZE};
    } else if (table == &case_record_supply_table) {
        struct case_record_supply *supply = (void *)filled;
        if (supply->answer_count == 0)
            supply->note = bytes_of_text("as asked");
    } else if (table == &case_record_opened_table) {
        memset(&((struct case_record_opened *)(void *)filled)->manifest_root, 5, HASH_SIZE);
    } else if (table == &mirror_table) {
        ((struct mirror *)(void *)filled)->until.ms = 1;
    }
}

static void fill(const struct content_table *table, bool with_optional)
{
    memset(&value, 0, sizeof value);
    fill_struct(table, (uint8_t *)&value, with_optional);
    mend(table, &value);
}

/* Each table of the vocabulary, and the two inside a certificate. */
static const struct content_table *table_at(size_t index)
{
    size_t count;
    const struct kind_rule *rules = kind_rules(&count);
    if (index < count)
        return content_registry_table((uint16_t)rules[index].kind);
    return index == count ? &certificate_request_table : NULL;
}

static size_t table_count(void)
{
    size_t count;
    (void)kind_rules(&count);
    return count + 1;
}

static int set_up(void **state)
{
    (void)state;
    memset(letters, 'a', sizeof letters);
    for (size_t i = 0; i < 2; i++) {
        uint8_t memory[512], secret[64] = {1};
        struct buffer buffer = buffer_over(memory, sizeof memory);
        struct record_header header = {.sequence = 1, .time = {i + 1}};
        struct record_secrets secrets = {.sign_secret = secret};
        struct record_id id;
        header.stream = (struct stream_id){.scope = scope_federation(), .generation = 1};
        if (record_seal(&header, bytes_of_text("x"), &secrets, &buffer, &id) != OK)
            return -1;
        memcpy(fork_headers[i], memory, RECORD_HEADER_SIZE);
    }
    return 0;
}

/* ---- tests ---- */

static void largest_and_smallest_come_back_as_they_were(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * table_count(); i++) {
        const struct content_table *table = table_at(i / 2);
        if (table == NULL)
            continue;
        bool is_largest = i % 2 == 0;
        fill(table, is_largest);
        struct buffer one = buffer_over(first, sizeof first);
        struct buffer two = buffer_over(second, sizeof second);
        err failure = content_write(table, &value, &one);
        if (failure != OK)
            fail_msg("%s is not written: %s", table->name, err_name(failure));
        if (is_largest && content_size_max(table) < one.size)
            fail_msg("%s is larger than its largest: %zu", table->name, one.size);
        failure = content_read(table, buffer_bytes(&one), &other);
        if (failure != OK)
            fail_msg("%s is not read: %s", table->name, err_name(failure));
        assert_int_equal(content_write(table, &other, &two), OK);
        assert_true(bytes_equal(buffer_bytes(&one), buffer_bytes(&two)));
    }
}

/* C-7: whatever is allowed fits a record. */
static void the_largest_of_each_fits_a_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < table_count(); i++)
        if (table_at(i) != NULL)
            assert_true(content_size_max(table_at(i)) <= STATEMENT_CONTENT_SIZE_MAX);
    assert_true(content_size_max(&certificate_request_table) <= CERTIFICATE_REQUEST_SIZE_MAX);
    assert_true(content_size_max(&certificate_issue_table) <= CERTIFICATE_ISSUE_SIZE_MAX);
    assert_true(content_size_max(&certificate_envelope_table) <= CERTIFICATE_SIZE_MAX);
    assert_true(content_size_max(&announcement_table) + STATEMENT_HEAD_SIZE +
                    STATEMENT_AUTHOR_SIZE <=
                STATEMENT_PADDED_SIZE_MAX);
}

/* A table like `table`, with one field changed and no check of its own. */
static struct content_field changed[32];
static struct content_table change(const struct content_table *table)
{
    struct content_table made = *table;
    assert_true(table->field_count <= 32);
    memcpy(changed, table->fields, table->field_count * sizeof changed[0]);
    made.fields = changed;
    made.check = NULL;
    return made;
}

static bool is_number(const struct content_field *field)
{
    return field->type == CONTENT_UINT || field->type == CONTENT_BOOL;
}

static void set_empty(const struct content_field *field, union content_registry_value *filled)
{
    static const uint8_t zeros[sizeof(struct bytes) + HASH_SIZE + SIGNATURE_SIZE];
    uint8_t *base = (uint8_t *)filled;
    size_t none = 0;
    size_t size = field->type == CONTENT_FIXED  ? field->max
                  : field->type == CONTENT_CODE ? sizeof(unsigned)
                  : field->type == CONTENT_BOOL ? sizeof(bool)
                  : field->type == CONTENT_UINT || field->type == CONTENT_TIME
                      ? sizeof(uint64_t)
                      : sizeof(struct bytes);
    if (field->type == CONTENT_LIST)
        memcpy(base + field->count_offset, &none, sizeof none);
    else
        memcpy(base + field->offset, zeros, size);
}

/* C-8 */
static void a_required_field_is_there_and_says_something(void **state)
{
    (void)state;
    for (size_t i = 0; i < table_count(); i++) {
        const struct content_table *table = table_at(i);
        for (size_t j = 0; table != NULL && j < table->field_count; j++) {
            const struct content_field *field = &table->fields[j];
            if (!field->is_required || field->type == CONTENT_MAP)
                continue;
            struct content_table without = change(table);
            struct buffer buffer = buffer_over(first, sizeof first);
            fill(table, true);
            set_empty(field, &value);
            if (!is_number(field))
                assert_int_not_equal(content_write(table, &value, &buffer), OK);
            changed[j].is_required = false;
            buffer = buffer_over(first, sizeof first);
            assert_int_equal(content_write(&without, &value, &buffer), OK);
            if (content_read(table, buffer_bytes(&buffer), &other) == OK)
                fail_msg("%s is read without %s", table->name, field->name);
            memset(&value, 0, table->size);
            assert_memory_equal(&other, &value, table->size);
        }
    }
}

/* C-7 */
static void a_field_over_its_limit_is_neither_written_nor_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < table_count(); i++) {
        const struct content_table *table = table_at(i);
        for (size_t j = 0; table != NULL && j < table->field_count; j++) {
            const struct content_field *field = &table->fields[j];
            bool is_text = field->type == CONTENT_TEXT || field->type == CONTENT_LINE ||
                           field->type == CONTENT_BIN;
            bool is_bounded = field->type == CONTENT_UINT && field->max < UINT64_MAX;
            if (!is_text && !is_bounded)
                continue;
            struct content_table wider = change(table);
            struct buffer buffer = buffer_over(first, sizeof first);
            changed[j].max++;
            fill(table, false);
            fill_field(&changed[j], (uint8_t *)&value, false);
            assert_int_not_equal(content_write(table, &value, &buffer), OK);
            buffer = buffer_over(first, sizeof first);
            assert_int_equal(content_write(&wider, &value, &buffer), OK);
            err failure = content_read(table, buffer_bytes(&buffer), &other);
            if (failure != ERR_TOO_LARGE)
                fail_msg("%s of %s over its limit is %s", field->name, table->name,
                         err_name(failure));
        }
    }
}

static void a_kind_without_content_is_not_read(void **state)
{
    (void)state;
    assert_null(content_registry_table(KIND_QUOTE));
    assert_null(content_registry_table(0x0777));
    assert_int_equal(content_registry_read(KIND_QUOTE, bytes_of_text("\x80"), &value),
                     ERR_UNSUPPORTED);
    assert_int_equal(content_registry_read(KIND_CLOSE, bytes_of_text("\x80"), &value), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(largest_and_smallest_come_back_as_they_were),
        cmocka_unit_test(the_largest_of_each_fits_a_record),
        cmocka_unit_test(a_required_field_is_there_and_says_something),
        cmocka_unit_test(a_field_over_its_limit_is_neither_written_nor_read),
        cmocka_unit_test(a_kind_without_content_is_not_read),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
