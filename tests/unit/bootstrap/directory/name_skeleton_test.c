/* Names that an officer could take for each other are alike; different names are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bootstrap/directory/name_skeleton.h"

static bool alike(const char *a, const char *b)
{
    struct name_skeleton one = name_skeleton_of(bytes_of_text(a));
    struct name_skeleton other = name_skeleton_of(bytes_of_text(b));
    if (name_skeleton_equal(&one, &other) != name_skeleton_equal(&other, &one))
        fail_msg("%s and %s: the rule has a direction", a, b);
    return name_skeleton_equal(&one, &other);
}

struct pair {
    const char *one, *other;
};

static void names_that_differ_in_nothing_that_is_seen_are_alike(void **state)
{
    static const struct pair pairs[] = {
        {"Lakeside Hospital", "Lakeside Hospital"},
        {"Lakeside Hospital", "LAKESIDE hospital"},
        {"Lakeside Hospital", "  Lakeside   Hospital "},
        {"Lakeside Hospital", "Lakeside\u00a0Hospital"},        /* no-break space */
        {"Lakeside Hospital", "Lake\u200bside Hospital"},       /* zero-width space */
        {"Lakeside Hospital", "Lakeside\u2060 Hos\u00adpital"}, /* word joiner, soft hyphen */
        {"Lakeside Hospital", "Lakeside\ufeff Hospital\ufe0f"}, /* byte order mark, variation */
        {"Lakeside Hospital", "Lake-Side Hospital."},
        {"St. Mary's", "St Mary\u2019s"},
        {"Hôpital Ouest", "Hopital Ouest"},
        {"H\u00f4pital", "Ho\u0302pital"}, /* composed, decomposed */
        {"STRASSE", "Straße"},
        {"ΙΑΤΡΙΚΟ ΚΕΝΤΡΟ ΑΘΗΝΩΝ", "Ιατρικο Κεντρο Αθηνων"}, /* Greek, by case */
        {"НОВАЯ БОЛЬНИЦА", "Новая больница"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (!alike(pairs[i].one, pairs[i].other))
            fail_msg("should be alike: %s, %s", pairs[i].one, pairs[i].other);
    }
}

static void letters_of_another_script_are_seen_through(void **state)
{
    static const struct pair pairs[] = {
        {"Lakeside Hospital", "L\u0430keside Hospital"},      /* Cyrillic a */
        {"Lakeside Hospital", "Lakeside H\u043espit\u0430l"}, /* Cyrillic o, a */
        {"Harbour Hospital", "\u041darbour Hospital"},        /* Cyrillic En */
        {"Harbour Hospital", "\u0397arbour H\u03bfspital"},   /* Greek Eta, omicron */
        {"North Clinic", "\u039dorth Clinic"},                /* Greek Nu */
        {"Lakeside Hospital", "\uff2cakeside Hospital"},      /* full width */
        {"Hillside", "HiIIside"},
        {"Hillside", "Hi11side"},
        {"Oncology One", "0ncology 0ne"},
        {"Modern Clinic", "Modem Clinic"},
        {"LAKESIDE HOSPITAL", "L\u0410KESIDE HOSPIT\u0410L"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (!alike(pairs[i].one, pairs[i].other))
            fail_msg("should be alike: %s, %s", pairs[i].one, pairs[i].other);
    }
}

static void different_names_are_different(void **state)
{
    static const struct pair pairs[] = {
        {"Lakeside Hospital", "Lakeside Clinic"},
        {"Lakeside Hospital", "Lakeside Hospitals"},
        {"Klinikum Nord", "Klinikum Süd"},
        {"Hospital 1", "Hospital 2"},
        {"東部総合病院", "西部総合病院"},
        {"कमल अस्पताल", "कोमल अस्पताल"}, /* vowel signs are not accents */
        {"!!!", "???"},
        {"", "Lakeside"},
        {"Caf\xc3", "Caf"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (alike(pairs[i].one, pairs[i].other))
            fail_msg("should differ: %s, %s", pairs[i].one, pairs[i].other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_differ_in_nothing_that_is_seen_are_alike),
        cmocka_unit_test(letters_of_another_script_are_seen_through),
        cmocka_unit_test(different_names_are_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
