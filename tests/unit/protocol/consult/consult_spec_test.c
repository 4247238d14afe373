/* The tables of kinds and contents in spec/consult.md are the ones that the code goes by. What is
 * missing there is printed as it must stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/contents/content_registry.h"
#include "protocol/record/certificate.h"
#include "protocol/record/kind.h"

static char page[256 * 1024];
static char block[16 * 1024];
static size_t used;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(block + used, sizeof block - used, format, arguments);
    va_end(arguments);
    assert_true(size >= 0 && used + (size_t)size < sizeof block);
    used += (size_t)size;
}

static int read_page(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_SOURCE_DIR "/spec/consult.md", "r");
    if (file == NULL)
        return -1;
    size_t size = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    return size < sizeof page - 1 ? 0 : -1;
}

static size_t missing;
static void expect_block(void)
{
    if (strstr(page, block) == NULL) {
        printf("%s\n", block);
        missing++;
    }
}

static void put_type(const struct content_field *field)
{
    static const char *const names[] = {"number", "time", "truth",    "code",    "text",
                                        "line",   "tag",  "language", "country", "bytes",
                                        "id",     "map",  "list"};
    switch (field->type) {
    case CONTENT_LIST:
        put("list of ");
        put_type(field->element);
        break;
    case CONTENT_MAP:
        put("*%s*", field->table->name);
        break;
    case CONTENT_CODE:
        for (size_t i = 1; i < field->codes->count; i++)
            put("%s%zu %s", i == 1 ? "code: " : ", ", i, field->codes->names[i]);
        break;
    case CONTENT_TEXT:
    case CONTENT_LINE:
    case CONTENT_BIN:
    case CONTENT_FIXED:
        put("%s %s %llu bytes", names[field->type], field->type == CONTENT_FIXED ? "of" : "up to",
            (unsigned long long)field->max);
        break;
    case CONTENT_UINT:
    case CONTENT_TIME:
    case CONTENT_BOOL:
    case CONTENT_TAG:
    case CONTENT_LANGUAGE:
    case CONTENT_COUNTRY:
        put("%s", names[field->type]);
        break;
    }
}

static void put_limit(const struct content_field *field)
{
    bool is_bounded =
        field->type == CONTENT_LIST || (field->type == CONTENT_UINT && field->max < UINT64_MAX);
    if (is_bounded)
        put("at most %llu ", (unsigned long long)field->max);
    put("|\n");
}

static void put_fields(const struct content_table *table)
{
    put("| key | field | required | type | limit |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < table->field_count; i++) {
        const struct content_field *field = &table->fields[i];
        put("| %u | `%s` | %s | ", field->key, field->name, field->is_required ? "yes" : "no");
        put_type(field);
        put(" | ");
        put_limit(field);
    }
}

static void expect_table(const char *title, const struct content_table *table)
{
    used = 0;
    put("%s\n\n", title);
    put_fields(table);
    expect_block();
    for (size_t i = 0; i < table->field_count; i++) {
        const struct content_field *field = &table->fields[i];
        if (field->type == CONTENT_LIST)
            field = field->element;
        char inner[128];
        if (field->type != CONTENT_MAP)
            continue;
        snprintf(inner, sizeof inner, "*%s*:", field->table->name);
        expect_table(inner, field->table);
    }
}

static void each_field_of_each_content_stands_on_the_page(void **state)
{
    (void)state;
    size_t count;
    const struct kind_rule *rules = kind_rules(&count);
    missing = 0;
    for (size_t i = 0; i < count; i++) {
        char title[128];
        const struct content_table *table = content_registry_table((uint16_t)rules[i].kind);
        snprintf(title, sizeof title, "### %s", rules[i].name);
        if (table != NULL)
            expect_table(title, table);
    }
    expect_table("The issue inside a CERTIFICATE:", &certificate_issue_table);
    expect_table("The request inside an issue:", &certificate_request_table);
    assert_int_equal(missing, 0);
}

static void put_rule(const struct kind_rule *rule)
{
    static const char *const writer_quota[] = {"member", "requester", "participant", "either",
                                               "recipient"};
    static const char *const signings[] = {"by node", "may", "by clinician"};
    static const char *const scopes[] = {"", "federation", "board", "case", "mail"};
    static const char *const audiences[] = {"clear", "scope", "requester until revealed"};
    put("| %s | 0x%04x |", rule->name, rule->kind);
    const char *between = " ";
    for (unsigned i = SCOPE_FEDERATION; i <= SCOPE_MAIL; i++)
        if ((rule->scopes & KIND_SCOPE(i)) != 0) {
            put("%s%s", between, scopes[i]);
            between = ", ";
        }
    put(" | %s | %s |", writer_quota[rule->writer], signings[rule->signing]);
    between = " ";
    for (unsigned i = AUDIENCE_CLEAR; i <= AUDIENCE_REQUESTER; i++)
        if ((rule->audiences & KIND_AUDIENCE(i)) != 0) {
            put("%s%s", between, audiences[i]);
            between = ", ";
        }
    put(" | %s |\n", content_registry_table((uint16_t)rule->kind) == NULL ? "reserved" : "below");
}

static void each_rule_of_each_kind_stands_on_the_page(void **state)
{
    (void)state;
    size_t count;
    const struct kind_rule *rules = kind_rules(&count);
    used = 0;
    missing = 0;
    put("| kind | number | scope | writer | signed | audience | content |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++)
        put_rule(&rules[i]);
    expect_block();
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_of_each_kind_stands_on_the_page),
        cmocka_unit_test(each_field_of_each_content_stands_on_the_page),
    };
    return cmocka_run_group_tests(tests, read_page, NULL);
}
