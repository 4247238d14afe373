/* A file is taken when its bytes are what its name says and nothing hidden is left in it; else the
 * person is told why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/attachment/attachment.h"
#include "node/attachment/attachment_text.h"
#include "protocol/base/limits.h"

#define RAW(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})
#define PNG RAW("\x89PNG\r\n\x1a\n and so on")
#define JPEG                                                                                       \
    RAW("\xff\xd8\xff\xfe\0\10Secret\xff\xc0\0\13\10\0\2\0\2\1\1\21\0"                             \
        "\xff\xda\0\10\1\1\0\0\77\0pixels\xff\xd9")

static enum attachment_verdict taken(const char *name, struct bytes content)
{
    struct attachment attachment;
    enum attachment_verdict verdict =
        attachment_take(bytes_of_text(name), content, "/nonexistent", &attachment);
    if (verdict == ATTACHMENT_TAKEN)
        attachment_clear(&attachment);
    return verdict;
}

static void text_is_taken_as_it_is(void **state)
{
    (void)state;
    struct attachment attachment;
    const struct bytes text = RAW("CT thorax:\t2,3 cm\r\n\xe8\x82\xba\xe7\x99\x8c\n");
    assert_int_equal(attachment_take(RAW("report.txt"), text, "/nonexistent", &attachment),
                     ATTACHMENT_TAKEN);
    assert_int_equal(attachment.type, ATTACHMENT_TEXT);
    assert_int_equal(attachment.size, text.size);
    assert_memory_equal(attachment.data, text.data, text.size);
    assert_int_equal(attachment.stripped, 0);
    assert_string_equal(attachment_media_type(attachment.type), "text/plain; charset=utf-8");
    attachment_clear(&attachment);
    attachment_clear(&attachment);
}

static void a_byte_order_mark_is_dropped(void **state)
{
    (void)state;
    struct attachment attachment;
    assert_int_equal(
        attachment_take(RAW("a.TXT"), RAW("\xef\xbb\xbfok"), "/nonexistent", &attachment),
        ATTACHMENT_TAKEN);
    assert_int_equal(attachment.size, 2);
    assert_int_equal(attachment.stripped, ATTACHMENT_STRIPPED_MARK);
    attachment_clear(&attachment);
    assert_int_equal(taken("a.txt", RAW("\xef\xbb\xbf")), ATTACHMENT_EMPTY);
}

static void an_image_is_taken_without_its_comment(void **state)
{
    (void)state;
    struct attachment attachment;
    assert_int_equal(attachment_take(RAW("photo.jpeg"), JPEG, "/nonexistent", &attachment),
                     ATTACHMENT_TAKEN);
    assert_int_equal(attachment.type, ATTACHMENT_JPEG);
    assert_null(memmem(attachment.data, attachment.size, "Secret", 6));
    assert_int_equal(attachment.stripped, ATTACHMENT_STRIPPED_COMMENTS);
    attachment_clear(&attachment);
}

static void what_is_not_plain_text_is_refused(void **state)
{
    (void)state;
    assert_int_equal(taken("a.txt", RAW("\xff\xfeH\0i\0")), ATTACHMENT_NOT_TEXT);
    assert_int_equal(taken("a.txt", RAW("M\xfcller")), ATTACHMENT_NOT_TEXT);
    assert_int_equal(taken("a.txt", RAW("a\0b")), ATTACHMENT_NOT_TEXT);
    assert_int_equal(taken("a.txt", RAW("\x1b[2J")), ATTACHMENT_NOT_TEXT);
    assert_int_equal(taken("a.txt", RAW("a\x7f")), ATTACHMENT_NOT_TEXT);
    assert_int_equal(taken("a.txt", RAW("a\xc2\x9b"
                                        "2J")),
                     ATTACHMENT_NOT_TEXT);
    assert_int_equal(taken("a.txt", RAW("\x7f"
                                        "ELF\2\1\1")),
                     ATTACHMENT_NOT_TEXT);
}

static void what_is_not_what_its_name_says_is_refused(void **state)
{
    (void)state;
    assert_int_equal(taken("a.png", JPEG), ATTACHMENT_NOT_WHAT_IT_SAYS);
    assert_int_equal(taken("a.jpg", PNG), ATTACHMENT_NOT_WHAT_IT_SAYS);
    assert_int_equal(taken("a.pdf", JPEG), ATTACHMENT_NOT_WHAT_IT_SAYS);
    assert_int_equal(taken("a.txt", RAW("%PDF-1.7")), ATTACHMENT_NOT_WHAT_IT_SAYS);
    assert_int_equal(taken("a.pdf", RAW("only text")), ATTACHMENT_NOT_WHAT_IT_SAYS);
    assert_int_equal(taken("a.png", RAW("GIF89a")), ATTACHMENT_NOT_WHAT_IT_SAYS);
}

static void damaged_and_unusual_images_are_refused(void **state)
{
    (void)state;
    assert_int_equal(taken("a.png", PNG), ATTACHMENT_DAMAGED);
    assert_int_equal(taken("a.jpg", RAW("\xff\xd8\xff\xd9")), ATTACHMENT_DAMAGED);
    assert_int_equal(taken("a.jpg", RAW("\xff\xd8\xff\xc3\0\13\10\0\2\0\2\1\1\21\0")),
                     ATTACHMENT_UNUSUAL);
    assert_int_equal(taken("a.pdf", RAW("%PDF-1.7")), ATTACHMENT_NO_CLEANER);
}

static void dicom_is_known_and_refused_for_now(void **state)
{
    (void)state;
    uint8_t dicom[200] = {0};
    memcpy(dicom + 128, "DICM", 4);
    struct bytes whole = {dicom, sizeof dicom};
    assert_int_equal(taken("ct.dcm", whole), ATTACHMENT_DICOM);
    assert_int_equal(taken("ct", whole), ATTACHMENT_DICOM);
    assert_int_equal(taken("ct.png", whole), ATTACHMENT_DICOM);
    /* a preamble that looks like another file */
    memcpy(dicom, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(taken("ct.png", whole), ATTACHMENT_DICOM);
    /* without preamble: told from its first element, or from its name */
    assert_int_equal(taken("IM0001", RAW("\x08\0\x05\0CS\x0a\0ISO_IR 100")), ATTACHMENT_DICOM);
    assert_int_equal(taken("ct.DCM", RAW("whatever")), ATTACHMENT_DICOM);
    assert_string_equal(
        attachment_sentence(ATTACHMENT_DICOM),
        "it is DICOM, which is not de-identified yet: its header names the patient");
    assert_non_null(strstr(attachment_advice(ATTACHMENT_DICOM), "PNG or JPEG"));
}

static void endings_that_are_not_known_are_refused(void **state)
{
    (void)state;
    assert_int_equal(taken("letter.docx", RAW("PK\3\4")), ATTACHMENT_ENDING);
    assert_int_equal(taken("letter", RAW("text")), ATTACHMENT_ENDING);
    assert_int_equal(taken(".txt", RAW("text")), ATTACHMENT_ENDING);
    assert_int_equal(taken("letter.txt.exe", RAW("text")), ATTACHMENT_ENDING);
}

static void names_that_mislead_are_refused(void **state)
{
    (void)state;
    char longest[ITEM_NAME_SIZE_MAX + 2];
    assert_int_equal(taken("", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("../a.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("a\\b.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("a\n.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("a\x1b.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("a\xff.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("\xe2\x80\xaetxt.a.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("a\xe2\x80\x8b.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("a\xf3\xa0\x81\x81.txt", RAW("x")), ATTACHMENT_NAME);
    assert_int_equal(taken("\xe7\x97\x85\xe7\x90\x86 \xf0\x9f\xa9\xba.txt", RAW("x")),
                     ATTACHMENT_TAKEN);
    memset(longest, 'x', sizeof longest);
    memcpy(longest + ITEM_NAME_SIZE_MAX - 4, ".txt", 5);
    assert_int_equal(taken(longest, RAW("x")), ATTACHMENT_TAKEN);
    memcpy(longest + ITEM_NAME_SIZE_MAX - 3, ".txt", 5);
    assert_int_equal(taken(longest, RAW("x")), ATTACHMENT_NAME);
}

static void empty_and_too_large_files_are_refused(void **state)
{
    (void)state;
    size_t size = (size_t)ATTACHMENT_SIZE_MAX + 1;
    uint8_t *content = malloc(size);
    assert_non_null(content);
    memset(content, 'x', size);
    assert_int_equal(taken("a.txt", (struct bytes){content, size}), ATTACHMENT_TOO_LARGE);
    assert_int_equal(taken("a.txt", (struct bytes){content, size - 1}), ATTACHMENT_TAKEN);
    assert_int_equal(taken("a.txt", (struct bytes){content, 0}), ATTACHMENT_EMPTY);
    free(content);
}

static void each_verdict_and_each_thing_left_behind_has_words(void **state)
{
    (void)state;
    for (int i = 0; i < ATTACHMENT_VERDICT_COUNT; i++)
        assert_true(strlen(attachment_sentence((enum attachment_verdict)i)) > 4);
    for (int i = 0; i < ATTACHMENT_BIT_COUNT; i++)
        assert_true(strlen(attachment_stripped_text((enum attachment_bit)i)) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_taken_as_it_is),
        cmocka_unit_test(a_byte_order_mark_is_dropped),
        cmocka_unit_test(an_image_is_taken_without_its_comment),
        cmocka_unit_test(what_is_not_plain_text_is_refused),
        cmocka_unit_test(what_is_not_what_its_name_says_is_refused),
        cmocka_unit_test(damaged_and_unusual_images_are_refused),
        cmocka_unit_test(dicom_is_known_and_refused_for_now),
        cmocka_unit_test(endings_that_are_not_known_are_refused),
        cmocka_unit_test(names_that_mislead_are_refused),
        cmocka_unit_test(empty_and_too_large_files_are_refused),
        cmocka_unit_test(each_verdict_and_each_thing_left_behind_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
