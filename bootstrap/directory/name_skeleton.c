#include "bootstrap/directory/name_skeleton.h"

#include <sodium.h>
#include <string.h>
#include <utf8proc.h>

#include "protocol/base/limits.h"

/* One character decomposes to at most 18. */
enum {
    SKELETON_SIZE_MAX = MEMBER_NAME_SIZE_MAX * 18,
    SKELETON_MARK_FIRST = 0x300,
    SKELETON_MARK_LAST = 0x36f
};

struct skeleton_text {
    int32_t characters[SKELETON_SIZE_MAX];
    size_t count;
};

/* Letters that are drawn like a Latin letter, before case is folded: a Greek capital and its small
 * letter may resemble different ones. */
static const struct {
    const char *drawn; /* characters in UTF-8 */
    char as;
} skeleton_shapes[] = {
    {"АаΑαɑ", 'a'},  {"ВвΒβ", 'b'},    {"СсϹϲ", 'c'},
    {"Ԁԁ", 'd'},     {"ЕеЁёΕεє", 'e'}, {"Гг", 'r'},
    {"НнΗҺ", 'h'},   {"һ", 'h'},       {"ІіЇїӀӏΙιıIil1", 'l'},
    {"ЈјϳJj", 'j'},  {"КкΚκ", 'k'},    {"ԼL", 'l'},
    {"МмΜ", 'm'},    {"Ν", 'n'},       {"η", 'n'},
    {"ОоΟοσ0", 'o'}, {"РрΡρ", 'p'},    {"Ԛԛ", 'q'},
    {"ЅѕՏ", 's'},    {"ТтΤτ", 't'},    {"υμ", 'u'},
    {"ν", 'v'},      {"Ԝԝω", 'w'},     {"ХхΧχ", 'x'},
    {"УуΥγ", 'y'},   {"Ζ", 'z'},       {"Øø", 'o'},
    {"Łł", 'l'},     {"Đđ", 'd'},
};

/* Two letters that are drawn like one. */
static const struct {
    char first, second, as;
} skeleton_pairs[] = {{'r', 'n', 'm'}, {'v', 'v', 'w'}};

static int32_t skeleton_shape(int32_t character)
{
    for (size_t i = 0; i < sizeof skeleton_shapes / sizeof skeleton_shapes[0]; i++) {
        const uint8_t *at = (const uint8_t *)skeleton_shapes[i].drawn;
        utf8proc_int32_t drawn;
        while (*at != '\0') {
            at += utf8proc_iterate(at, -1, &drawn);
            if (drawn == character)
                return skeleton_shapes[i].as;
        }
    }
    return character;
}

/* Letters and digits count; blanks, punctuation, symbols, accents and invisible characters do not.
 */
static bool skeleton_counts(int32_t character)
{
    if (character >= SKELETON_MARK_FIRST && character <= SKELETON_MARK_LAST)
        return false;
    utf8proc_category_t category = utf8proc_category(character);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static void skeleton_put(struct skeleton_text *text, int32_t character)
{
    if (text->count < SKELETON_SIZE_MAX)
        text->characters[text->count++] = character;
}

static void skeleton_add(struct skeleton_text *text, int32_t character, bool by_shape)
{
    int32_t folded[8];
    int boundary = 0;
    if (!skeleton_counts(character))
        return;
    if (by_shape)
        character = skeleton_shape(character);
    utf8proc_ssize_t count =
        utf8proc_decompose_char(character, folded, 8, UTF8PROC_CASEFOLD, &boundary);
    for (utf8proc_ssize_t i = 0; i < count && i < 8; i++) {
        if (skeleton_counts(folded[i]))
            skeleton_put(text, folded[i]);
    }
}

static void skeleton_join_pairs(struct skeleton_text *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->count; i++) {
        int32_t joined = text->characters[i];
        for (size_t k = 0; k < sizeof skeleton_pairs / sizeof skeleton_pairs[0]; k++) {
            if (joined == skeleton_pairs[k].first && i + 1 < text->count &&
                text->characters[i + 1] == skeleton_pairs[k].second) {
                joined = skeleton_pairs[k].as;
                i++;
                break;
            }
        }
        text->characters[count++] = joined;
    }
    text->count = count;
}

/* False when `name` is not UTF-8. */
static bool skeleton_fill(struct skeleton_text *text, struct bytes name, bool by_shape)
{
    size_t at = 0;
    text->count = 0;
    while (at < name.size) {
        int32_t character, parts[18];
        int boundary = 0;
        utf8proc_ssize_t size =
            utf8proc_iterate(name.data + at, (utf8proc_ssize_t)(name.size - at), &character);
        if (size <= 0)
            return false;
        at += (size_t)size;
        utf8proc_ssize_t count = utf8proc_decompose_char(
            character, parts, 18, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_IGNORE,
            &boundary);
        for (utf8proc_ssize_t i = 0; i < count && i < 18; i++)
            skeleton_add(text, parts[i], by_shape);
    }
    if (by_shape)
        skeleton_join_pairs(text);
    return true;
}

static void skeleton_hash(struct bytes name, bool by_shape,
                          uint8_t ret_hash[static NAME_SKELETON_HASH_SIZE])
{
    struct skeleton_text text;
    if (skeleton_fill(&text, name, by_shape) && text.count > 0)
        (void)crypto_generichash(ret_hash, NAME_SKELETON_HASH_SIZE,
                                 (const uint8_t *)text.characters,
                                 text.count * sizeof text.characters[0], NULL, 0);
    else
        (void)crypto_generichash(ret_hash, NAME_SKELETON_HASH_SIZE, name.data, name.size, NULL, 0);
}

struct name_skeleton name_skeleton_of(struct bytes name)
{
    struct name_skeleton skeleton;
    skeleton_hash(name, false, skeleton.folded);
    skeleton_hash(name, true, skeleton.drawn);
    return skeleton;
}

bool name_skeleton_equal(const struct name_skeleton *a, const struct name_skeleton *b)
{
    return memcmp(a->folded, b->folded, sizeof a->folded) == 0 ||
           memcmp(a->drawn, b->drawn, sizeof a->drawn) == 0;
}
