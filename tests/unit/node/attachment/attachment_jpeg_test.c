/* A JPEG comes out with its picture and its orientation, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/attachment/attachment.h"
#include "node/attachment/attachment_jpeg.h"

#define RAW(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

#define SOI "\xff\xd8"
#define EOI "\xff\xd9"
#define JFIF "\xff\xe0\0\20JFIF\0\1\2\1\0\110\0\110\0\0"
#define ADOBE "\xff\xee\0\16Adobe\0\144\0\0\0\0\1"
#define DQT "\xff\xdb\0\6\0\1\2\3"
#define SOF "\xff\xc0\0\13\10\0\2\0\2\1\1\21\0"
#define DHT "\xff\xc4\0\5\0\1\2"
#define SCAN "\xff\xda\0\10\1\1\0\0\77\0\x12\xff\0\x34\xff\xd0\x56"
#define PICTURE DQT SOF DHT SCAN
/* what the cleaner writes for orientation 6, a quarter turn */
#define UPRIGHT "\xff\xe1\0\42Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0"

struct result {
    err failure;
    uint8_t memory[8192];
    struct buffer out;
    uint32_t stripped;
};

static void clean(struct bytes content, struct result *result)
{
    result->out = buffer_over(result->memory, content.size + ATTACHMENT_JPEG_GROWTH_MAX);
    result->stripped = 0;
    result->failure = attachment_jpeg_clean(content, &result->out, &result->stripped);
}

static void expect(struct bytes content, struct bytes due, uint32_t stripped)
{
    struct result result;
    clean(content, &result);
    assert_int_equal(result.failure, OK);
    assert_int_equal(result.out.size, due.size);
    assert_memory_equal(result.out.data, due.data, due.size);
    assert_int_equal(result.stripped, stripped);
}

static err refused(struct bytes content)
{
    struct result result;
    clean(content, &result);
    return result.failure;
}

static void a_plain_picture_is_left_as_it_is(void **state)
{
    (void)state;
    const struct bytes plain = RAW(SOI JFIF PICTURE EOI);
    expect(plain, plain, 0);
    expect(RAW(SOI ADOBE PICTURE EOI), RAW(SOI ADOBE PICTURE EOI), 0);
    /* progressive, with several scans, restarts and the number of lines at the end */
    const struct bytes progressive =
        RAW(SOI "\xff\xc2\0\13\10\0\2\0\2\1\1\21\0" DQT DHT "\xff\xdd\0\4\0\1" SCAN DHT SCAN
                "\xff\xdc\0\4\0\2" EOI);
    expect(progressive, progressive, 0);
}

static void segments_that_do_not_show_are_left_behind(void **state)
{
    (void)state;
    const struct bytes plain = RAW(SOI PICTURE EOI);
    expect(RAW(SOI "\xff\xfe\0\14Dr. Secret" PICTURE EOI), plain, ATTACHMENT_STRIPPED_COMMENTS);
    expect(RAW(SOI "\xff\xe1\0\37http://ns.adobe.com/xap/1.0/\0" PICTURE EOI), plain,
           ATTACHMENT_STRIPPED_XMP);
    expect(RAW(SOI "\xff\xe2\0\16ICC_PROFILE\0" PICTURE EOI), plain, ATTACHMENT_STRIPPED_PROFILE);
    expect(RAW(SOI "\xff\xed\0\20Photoshop 3.0\0" PICTURE EOI), plain, ATTACHMENT_STRIPPED_OTHER);
    expect(RAW(SOI "\xff\xe0\0\10JFXX\0\20" PICTURE EOI), plain, ATTACHMENT_STRIPPED_THUMBNAIL);
    expect(RAW(SOI "\xff\xef\0\5abc" PICTURE EOI), plain, ATTACHMENT_STRIPPED_OTHER);
    expect(RAW(SOI "\xff\xf7\0\5abc" PICTURE EOI), plain, ATTACHMENT_STRIPPED_OTHER);
    /* between and after the scans too */
    expect(RAW(SOI PICTURE "\xff\xfe\0\5abc" DHT SCAN "\xff\xfe\0\5abc" EOI),
           RAW(SOI PICTURE DHT SCAN EOI), ATTACHMENT_STRIPPED_COMMENTS);
}

static void bytes_after_the_end_are_left_behind(void **state)
{
    (void)state;
    expect(RAW(SOI PICTURE EOI "a second picture"), RAW(SOI PICTURE EOI),
           ATTACHMENT_STRIPPED_TRAILING);
}

static void headers_are_kept_without_what_rides_on_them(void **state)
{
    (void)state;
    expect(RAW(SOI "\xff\xe0\0\23JFIF\0\1\2\1\0\110\0\110\1\1xyz" PICTURE EOI),
           RAW(SOI JFIF PICTURE EOI), ATTACHMENT_STRIPPED_THUMBNAIL);
    expect(RAW(SOI "\xff\xee\0\21"
                   "Adobe\0\144\0\0\0\0\1xyz" PICTURE EOI),
           RAW(SOI ADOBE PICTURE EOI), ATTACHMENT_STRIPPED_OTHER);
    expect(RAW(SOI JFIF JFIF ADOBE ADOBE PICTURE EOI), RAW(SOI JFIF ADOBE PICTURE EOI),
           ATTACHMENT_STRIPPED_OTHER);
    /* fill bytes before a marker */
    expect(RAW(SOI "\xff\xff\xff" PICTURE "\xff\xff" EOI), RAW(SOI PICTURE EOI), 0);
}

static void of_exif_the_orientation_stays(void **state)
{
    (void)state;
    /* little-endian, with a maker's name before the orientation and a second directory */
    expect(RAW(SOI "\xff\xe1\0\75"
                   "Exif\0\0II*\0\10\0\0\0\2\0"
                   "\17\1\2\0\10\0\0\0\46\0\0\0"
                   "\22\1\3\0\1\0\0\0\6\0\0\0"
                   "\46\0\0\0"
                   "Secret AG......" PICTURE EOI),
           RAW(SOI UPRIGHT PICTURE EOI), ATTACHMENT_STRIPPED_EXIF);
    expect(RAW(SOI UPRIGHT PICTURE EOI), RAW(SOI UPRIGHT PICTURE EOI), ATTACHMENT_STRIPPED_EXIF);
    /* only the first one counts */
    expect(RAW(SOI UPRIGHT UPRIGHT PICTURE EOI), RAW(SOI UPRIGHT PICTURE EOI),
           ATTACHMENT_STRIPPED_EXIF);
}

static void exif_that_says_nothing_sound_is_left_behind(void **state)
{
    (void)state;
    const struct bytes plain = RAW(SOI PICTURE EOI);
#define EXIF(size, tiff) RAW(SOI "\xff\xe1\0" size "Exif\0\0" tiff PICTURE EOI)
    expect(EXIF("\10", ""), plain, ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\12", "MM"), plain, ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\20", "MM\0*\xff\xff\xff\xff"), plain, ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\22", "MM\0*\0\0\0\10\xff\xff"), plain, ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\36", "MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\1\0\0"), plain,
           ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\36", "MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\11\0\0"), plain,
           ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\36", "MM\0*\0\0\0\10\0\1\1\22\0\4\0\0\0\1\0\6\0\0"), plain,
           ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\36", "XX\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0"), plain,
           ATTACHMENT_STRIPPED_EXIF);
    expect(EXIF("\36", "MM\0+\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0"), plain,
           ATTACHMENT_STRIPPED_EXIF);
}

static void each_cut_is_damage(void **state)
{
    (void)state;
    const struct bytes whole = RAW(SOI JFIF UPRIGHT PICTURE EOI);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(refused((struct bytes){whole.data, size}), ERR_MALFORMED);
}

static void parts_out_of_place_are_damage(void **state)
{
    (void)state;
    assert_int_equal(refused(RAW(SOI EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI DQT SOF DHT EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI DQT DHT SCAN EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI SOF PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI SOI PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI "x" PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI "\xff\1" PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI "\xff\0" PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI "\xff\xd3" PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI "\xff\xfe\0\1" PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI "\xff\x80\0\2" PICTURE EOI)), ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI DQT "\xff\xc0\0\13\10\0\0\0\2\1\1\21\0" SCAN EOI)),
                     ERR_MALFORMED);
    assert_int_equal(refused(RAW(SOI DQT "\xff\xc0\0\13\10\0\2\0\2\2\1\21\0" SCAN EOI)),
                     ERR_MALFORMED);
}

static void pictures_that_browsers_do_not_show_are_refused(void **state)
{
    (void)state;
    assert_int_equal(refused(RAW(SOI DQT "\xff\xc3\0\13\10\0\2\0\2\1\1\21\0" SCAN EOI)),
                     ERR_UNSUPPORTED);
    assert_int_equal(refused(RAW(SOI DQT "\xff\xc9\0\13\10\0\2\0\2\1\1\21\0" SCAN EOI)),
                     ERR_UNSUPPORTED);
    assert_int_equal(refused(RAW(SOI "\xff\xcc\0\4\0\1" PICTURE EOI)), ERR_UNSUPPORTED);
    assert_int_equal(refused(RAW(SOI DQT "\xff\xc0\0\13\10\xff\xff\xff\xff\1\1\21\0" SCAN EOI)),
                     ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_picture_is_left_as_it_is),
        cmocka_unit_test(segments_that_do_not_show_are_left_behind),
        cmocka_unit_test(bytes_after_the_end_are_left_behind),
        cmocka_unit_test(headers_are_kept_without_what_rides_on_them),
        cmocka_unit_test(of_exif_the_orientation_stays),
        cmocka_unit_test(exif_that_says_nothing_sound_is_left_behind),
        cmocka_unit_test(each_cut_is_damage),
        cmocka_unit_test(parts_out_of_place_are_damage),
        cmocka_unit_test(pictures_that_browsers_do_not_show_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
