/* What a file's name may tell of the patient is pointed out, in several languages; what a document
 * is usually called is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "node/attachment/name_hints.h"

enum { D = 1 << NAME_HINT_DATE, N = 1 << NAME_HINT_NUMBER, P = 1 << NAME_HINT_PERSON };

struct named {
    const char *name;
    unsigned hints;
};

static void assert_hints(const struct named *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned hints = name_hints_of(bytes_of_text(cases[i].name));
        if (hints != cases[i].hints)
            fail_msg("%s: %u, not %u", cases[i].name, hints, cases[i].hints);
    }
}

static void a_date_is_found_in_the_formats_of_many_languages(void **state)
{
    (void)state;
    static const struct named cases[] = {
        {"letter 1961-03-12.pdf", D},
        {"letter_12.03.1961.pdf", D},
        {"03-12-1961.pdf", D},
        {"ct_12.3.61.png", D},
        {"ct 61-03-12.png", D},
        {"ct19610312.png", D},
        {"scan_12031961.png", D},
        {"ct-120361.png", D},
        {"img_20240131123059.jpg", D},
        {"mri 12 March 1961.pdf", D},
        {"brief 12. März 1961.pdf", D},
        {"lettre 12 février 1961.pdf", D},
        {"informe 12 de marzo.pdf", D},
        {"mrt 12mrt1961.pdf", D},
        {"ct Mar1961.pdf", D},
        {"кт 12 марта 1961.pdf", D},
        {"ct 12 Μαρτίου.pdf", D},
        {"检查1961年3月12日.pdf", D},
        {"ct 1961년3월12일.pdf", D},
        {"ct ١٢-٠٣-١٩٦١.pdf", D},
        {"ct १२-०३-१९६१.pdf", D},
        {"ct ๑๒-๐๓-๒๕๐๔.pdf", D},
        {"ct １９６１-０３-１２.pdf", D},
    };
    assert_hints(cases, sizeof cases / sizeof cases[0]);
}

static void a_number_of_a_record_is_found(void **state)
{
    (void)state;
    static const struct named cases[] = {
        {"4711882.pdf", N},     {"ct_47118.png", N},     {"mrn 4711.pdf", N},
        {"AHV756.9217.pdf", N}, {"123-45-6789.pdf", N},  {"labs 99-8877665.txt", N},
        {"geb 1961.pdf", N},    {"MRN0047-2024.pdf", N},
    };
    assert_hints(cases, sizeof cases / sizeof cases[0]);
}

static void the_name_of_a_person_is_found(void **state)
{
    (void)state;
    static const struct named cases[] = {
        {"Hans Mueller.pdf", P},       {"hans_mueller_ct.png", P}, {"MuellerHans.pdf", P},
        {"Smith, John.pdf", P},        {"Özdemir-labs.txt", P},    {"ct_Nguyễn.png", P},
        {"Иванов снимок.png", P},      {"Παπαδόπουλος.pdf", P},    {"张伟.pdf", P},
        {"张伟-检查.pdf", P},          {"김철수 ct.png", P},       {"יוסי כהן.pdf", P},
        {"محمد علي.pdf", P},           {"letter Keller.pdf", P},   {"Keller 12.03.1961.pdf", P | D},
        {"Keller 4711882.pdf", P | N},
    };
    assert_hints(cases, sizeof cases / sizeof cases[0]);
}

static void what_documents_are_called_is_passed_over(void **state)
{
    (void)state;
    static const struct named cases[] = {
        {"letter.pdf", 0},
        {"Letter.pdf", 0},
        {"labs.txt", 0},
        {"CT Thorax 2024.png", 0},
        {"ct-axial-12.png", 0},
        {"IMG_0001.jpg", 0},
        {"MRI_T2_FLAIR.png", 0},
        {"Befund.pdf", 0},
        {"Arztbrief_2.pdf", 0},
        {"Röntgen Thorax.png", 0},
        {"compte rendu IRM.pdf", 0},
        {"informe TAC.pdf", 0},
        {"血常规.txt", 0},
        {"高血压检查.pdf", 0},
        {"МРТ.png", 0},
        {"audiogram left.png", 0},
        {"opinion-1.pdf", 0},
        {"slice 12 of 60.png", 0},
        {"v1.2.txt", 0},
        {"May.pdf", 0},
        {".pdf", 0},
        {"", 0},
        {"page 3 of 12.pdf", 0},
        {"PSA 4.2.txt", 0},
    };
    assert_hints(cases, sizeof cases / sizeof cases[0]);
}

static void any_bytes_are_borne(void **state)
{
    (void)state;
    char name[400];
    for (unsigned seed = 1; seed < 2000; seed++) {
        unsigned x = seed;
        size_t size = seed % sizeof name;
        for (size_t i = 0; i < size; i++) {
            x = x * 1103515245u + 12345u;
            name[i] = (char)(x >> 16);
        }
        assert_true(name_hints_of((struct bytes){(const uint8_t *)name, size}) <= (D | N | P));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_found_in_the_formats_of_many_languages),
        cmocka_unit_test(a_number_of_a_record_is_found),
        cmocka_unit_test(the_name_of_a_person_is_found),
        cmocka_unit_test(what_documents_are_called_is_passed_over),
        cmocka_unit_test(any_bytes_are_borne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
