/* JSON of people becomes the struct of a content, or a sentence that names the field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/views/content_json.h"
#include "node/views/content_json_decode.h"
#include "node/views/content_json_encode.h"
#include "protocol/contents/announcement.h"
#include "protocol/contents/case_file.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/opinion.h"

static err parse(const char *text, json_t **ret_form)
{
    struct refusal problem;
    return content_json_parse(bytes_of_text(text), ret_form, &problem);
}

static err take(const struct content_table *table, const char *text, void *ret_value,
                struct refusal *ret_problem)
{
    json_t *form = NULL;
    struct content_json_take how = {.table = table, .is_whole = true};
    assert_int_equal(OK, parse(text, &form));
    err failure = content_json_decode(&how, form, ret_value, ret_problem);
    json_decref(form);
    return failure;
}

static void refused(const char *text)
{
    json_t *form = NULL;
    assert_int_not_equal(OK, parse(text, &form));
}

static void json_is_read_strictly(void **state)
{
    (void)state;
    json_t *form = NULL;
    assert_int_equal(OK, parse("{\"a\": [1, {\"b\": \"]\"}]}", &form));
    json_decref(form);
    refused("");
    refused("[]");
    refused("{\"a\": 1, \"a\": 2}");
    refused("{\"a\": {\"b\": 1, \"b\": 1}}");
    refused("{\"a\": 1} x");
    refused("{\"a\": 1");
    refused("{'a': 1}");
    refused("{\"a\": \"\\ud800\"}");
    refused("{\"a\": \"\\u0000\"}");
    refused("{\"a\": \"\xff\"}");
    refused("{\"a\": NaN}");
}

static void habits_of_windows_are_harmless(void **state)
{
    (void)state;
    json_t *form = NULL;
    assert_int_equal(OK, parse("\xef\xbb\xbf{\"text\": \"\xef\xbb\xbf"
                               "a\\r\\nb\\rc\", \"list\": [{\"x\": "
                               "\"\\r\\n\"}], \"passphrase\": \"a\\r\\nb\"}",
                               &form));
    assert_string_equal("a\nb\rc", json_string_value(json_object_get(form, "text")));
    assert_string_equal("a\r\nb", json_string_value(json_object_get(form, "passphrase")));
    const json_t *first = json_array_get(json_object_get(form, "list"), 0);
    assert_string_equal("\n", json_string_value(json_object_get(first, "x")));
    json_decref(form);
}

static void sixteen_levels_are_read_and_seventeen_are_not(void **state)
{
    (void)state;
    const char *text = "{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}";
    json_t *form = NULL;
    assert_int_equal(OK, parse(text, &form));
    json_decref(form);
    refused("{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}");
    assert_int_equal(OK, parse("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", &form));
    json_decref(form);
}

static void a_content_is_filled_from_its_names(void **state)
{
    (void)state;
    struct announcement value;
    struct refusal problem;
    const char *text = "{\"question\": \"Which regimen?\", \"specialty\": \"oncology\", "
                       "\"service\": \"clinical-consult\", \"reason\": \"serious\", "
                       "\"wanted_count\": 3, \"deadline\": \"2030-02-14\", \"language\": \"en\", "
                       "\"mode\": \"open\", \"age\": \"40-49\", \"country\": \"CH\"}";
    json_t *form = NULL;
    struct content_json_take how = {.table = &announcement_table};
    assert_int_equal(OK, parse(text, &form));
    assert_int_equal(OK, content_json_decode(&how, form, &value, &problem));
    assert_int_equal(3, value.wanted_count);
    assert_int_equal(ANNOUNCEMENT_OPEN, value.mode);
    assert_int_equal(ANNOUNCEMENT_AGE_40, value.age);
    assert_memory_equal("Which regimen?", value.question.data, value.question.size);
    assert_int_equal(UINT64_C(1897343999000), value.deadline.ms);
    json_decref(form);
}

static void a_wrong_field_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"{\"reason\": \"boredom\"}", "reason: must be one of unavailable, not-my-field, "
                                      "local-care-adequate, conflict-of-interest, other"},
        {"{\"reason\": 1}", "reason: must be one of unavailable, not-my-field, "
                            "local-care-adequate, conflict-of-interest, other"},
        {"{}", "reason: missing"},
        {"{\"reason\": null}", "reason: missing"},
        {"{\"reason\": \"other\", \"text\": 7}", "text: must be a text"},
        {"{\"reason\": \"other\", \"txt\": \"a\"}", "unknown field: \"txt\""},
        {"{\"reason\": \"other\", \"text\": \"a\\u001bb\"}", "text: it holds control characters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct case_record_decline value;
        struct refusal problem;
        assert_int_not_equal(OK, take(&case_record_decline_table, cases[i].text, &value, &problem));
        assert_string_equal(cases[i].says, problem.message);
    }
}

static void all_that_is_wrong_is_named_at_once(void **state)
{
    (void)state;
    struct case_record_outcome value;
    struct refusal problem;
    assert_int_equal(ERR_INVALID,
                     take(&case_record_outcome_table,
                          "{\"followed\": \"yes\", \"text\": 7, \"txt\": 1}", &value, &problem));
    const char *const named[] = {"unknown field: \"txt\"; ", "day: missing; ",
                                 "followed: must be one of followed,", "result: missing",
                                 "text: must be a text"};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        assert_non_null(strstr(problem.message, named[i]));
}

static void a_refusal_is_merged_without_what_it_says_already(void **state)
{
    (void)state;
    struct refusal all, other;
    refusal_clear(&all);
    refusal_merge(&all, &all);
    assert_int_equal(OK, all.code);
    refusal_set(&other, ERR_STATE, "extend it", "language: wrong; the case is closed");
    refusal_merge(&all, &other);
    assert_string_equal("extend it", all.hint);
    refusal_set(&other, ERR_INVALID, "no", "text: missing; language: wrong");
    refusal_merge(&all, &other);
    assert_int_equal(ERR_STATE, all.code);
    assert_string_equal("language: wrong; the case is closed; text: missing", all.message);
    assert_string_equal("extend it", all.hint);
}

static void what_is_inside_a_list_is_named_with_its_place(void **state)
{
    (void)state;
    struct case_record_ask value;
    struct refusal problem;
    assert_int_equal(
        ERR_INVALID,
        take(&case_record_ask_table,
             "{\"items\": [{\"wanted\": \"test\", \"text\": \"CRP\"}, {\"wanted\": \"test\"}]}",
             &value, &problem));
    assert_string_equal("items[1].text: missing", problem.message);
}

static void limits_of_a_content_hold(void **state)
{
    (void)state;
    struct case_record_post value;
    struct refusal problem;
    char *long_text = malloc(POST_SIZE_MAX + 2);
    memset(long_text, 'a', POST_SIZE_MAX + 1);
    long_text[POST_SIZE_MAX + 1] = 0;
    json_t *form = json_pack("{s:s}", "text", long_text);
    struct content_json_take how = {.table = &case_record_post_table, .is_whole = true};
    assert_int_equal(ERR_TOO_LARGE, content_json_decode(&how, form, &value, &problem));
    assert_string_equal("text: longer than 8192 bytes", problem.message);
    json_decref(form);
    free(long_text);
}

static void a_content_is_shown_by_its_names_and_without_item_keys(void **state)
{
    (void)state;
    struct case_file *file = calloc(1, sizeof *file);
    file->description = bytes_of_text("A story.");
    file->item_count = 1;
    file->items[0].name = bytes_of_text("letter.pdf");
    file->items[0].media_type = bytes_of_text("application/pdf");
    file->items[0].size = 3;
    file->items[0].chunk_count = 1;
    memset(file->items[0].item_key.bytes, 7, KEY_SIZE);
    memset(file->items[0].item_id.bytes, 9, HASH_SIZE);
    json_t *json = content_json_encode(&case_file_table, file);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_non_null(strstr(text, "\"name\":\"letter.pdf\""));
    assert_non_null(strstr(text, "0909"));
    assert_null(strstr(text, "0707"));
    assert_null(strstr(text, "item_key"));
    json_free_t wipe = NULL;
    json_get_alloc_funcs(NULL, &wipe);
    wipe(text);
    json_decref(json);
    free(file);
}

static void times_go_both_ways(void **state)
{
    (void)state;
    struct wall time;
    char text[CONTENT_JSON_TIME_SIZE];
    assert_int_equal(OK, content_json_read_time("2025-02-14T09:30:00.123Z", &time));
    content_json_time(time, text);
    assert_string_equal("2025-02-14T09:30:00.123Z", text);
    assert_int_equal(OK, content_json_read_time("2024-02-29", &time));
    content_json_time(time, text);
    assert_string_equal("2024-02-29T23:59:59.000Z", text);
    content_json_time((struct wall){UINT64_MAX}, text);
    assert_string_equal("9999-12-31T23:59:59.999Z", text);
    static const char *const wrong[] = {"",
                                        "2025",
                                        "2025-02-30",
                                        "2025-13-01",
                                        "2025-02-14T",
                                        "2025-2-14",
                                        "2025-02-14T09:30:00",
                                        "2025-02-14T09:30:00+01:00",
                                        "1969-12-31",
                                        "2025-02-14T24:00:00Z",
                                        "2025-02-14T09:30:00Zx",
                                        "0000-00-00"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(ERR_MALFORMED, content_json_read_time(wrong[i], &time));
}

int main(void)
{
    content_json_harden();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read_strictly),
        cmocka_unit_test(habits_of_windows_are_harmless),
        cmocka_unit_test(sixteen_levels_are_read_and_seventeen_are_not),
        cmocka_unit_test(a_content_is_filled_from_its_names),
        cmocka_unit_test(a_wrong_field_is_named),
        cmocka_unit_test(all_that_is_wrong_is_named_at_once),
        cmocka_unit_test(a_refusal_is_merged_without_what_it_says_already),
        cmocka_unit_test(what_is_inside_a_list_is_named_with_its_place),
        cmocka_unit_test(limits_of_a_content_hold),
        cmocka_unit_test(a_content_is_shown_by_its_names_and_without_item_keys),
        cmocka_unit_test(times_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
