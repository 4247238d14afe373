/* Real documents look as before when they are drawn again, and their text is the same: TeX's
 * letters with ligatures (libtasn1-doc), DocBook's tables and links (shared-mime-info). Both
 * packages are in node/packages. */
#include "tests/harness/pdf_fixture.h"

enum { DOCUMENT_SIZE_MAX = 1 << 23 };

static const char *const paths[] = {"/usr/share/doc/libtasn1-doc/libtasn1.pdf",
                                    "/usr/share/doc/shared-mime-info/shared-mime-info-spec.pdf"};

static struct bytes read_document(const char *path, uint8_t *memory)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return BYTES_NONE;
    size_t size = fread(memory, 1, DOCUMENT_SIZE_MAX, file);
    fclose(file);
    assert_in_range(size, 1, DOCUMENT_SIZE_MAX - 1);
    return (struct bytes){memory, size};
}

static int compare_letters(const void *one, const void *other)
{
    return *(const char *)one - *(const char *)other;
}

/* All bytes of the text but white space, sorted: where a reader breaks lines may differ. */
static struct output letters_of(struct bytes pdf)
{
    struct output text = text_of(pdf);
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        if (strchr(" \n\f\t", text.text[i]) == NULL)
            text.text[count++] = text.text[i];
    text.size = count;
    qsort(text.text, count, 1, compare_letters);
    return text;
}

static void real_documents_stay_the_same(void **state)
{
    (void)state;
    uint8_t *memory = malloc(DOCUMENT_SIZE_MAX);
    assert_non_null(memory);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct attachment attachment = {.data = NULL};
        struct bytes content = read_document(paths[i], memory);
        if (content.size == 0)
            fail_msg("%s is missing: sh node/install.sh test installs it", paths[i]);
        assert_int_equal(attachment_pdf_clean(content, program, &attachment), ATTACHMENT_TAKEN);
        assert_null(attachment.findings);
        assert_looks_same(content, bytes_of_attachment(&attachment));
        struct output before = letters_of(content);
        struct output after = letters_of(bytes_of_attachment(&attachment));
        assert_int_equal(before.size, after.size);
        assert_memory_equal(before.text, after.text, before.size);
        output_free(&before);
        output_free(&after);
        attachment_clear(&attachment);
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(real_documents_stay_the_same)};
    return cmocka_run_group_tests(tests, find_program, NULL);
}
