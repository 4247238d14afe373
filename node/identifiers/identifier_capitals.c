#include "node/identifiers/identifier_capitals.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "node/identifiers/identifier_words.h"

enum { CAPITALS_WORD_SIZE = 48 };

struct capitals_word {
    size_t start, size; /* in the text */
    size_t letter_count;
    bool is_capital; /* one capital letter, then small ones; also McDonald, O'Neill */
    bool is_upper;   /* capital letters only */
    bool is_plain;   /* no digit touches it */
    bool is_first;   /* of a sentence, a line or an item of a list */
    char folded[CAPITALS_WORD_SIZE]; /* "" if it is longer */
};

struct capitals_reader {
    struct bytes text;
    size_t at;
    bool is_first;  /* nothing but marks since a sentence began */
    int32_t before; /* the character in front of `at` */
};

/* ---- words ---- */

static int32_t capitals_next(struct bytes text, size_t at, size_t *ret_size)
{
    int32_t code = 0;
    utf8proc_ssize_t size =
        utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.size - at), &code);
    *ret_size = size <= 0 ? 1 : (size_t)size;
    return size <= 0 ? 0 : code;
}

static bool capitals_is_letter(int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_MC;
}

static bool capitals_is_digit(int32_t code)
{
    return utf8proc_category(code) == UTF8PROC_CATEGORY_ND;
}

/* Marks that stand inside a name: Smith-Jones, O'Neill. */
static bool capitals_joins(struct bytes text, size_t at, int32_t code, size_t size)
{
    size_t next_size;
    if ((code != '-' && code != '\'' && code != 0x2019 && code != 0x2010) || at + size >= text.size)
        return false;
    return capitals_is_letter(capitals_next(text, at + size, &next_size));
}

/* Ends a sentence, or begins an item after it. A colon does: "History: Tumour ...". */
static bool capitals_ends(int32_t code)
{
    return code == '.' || code == '!' || code == '?' || code == ':' || code == ';' ||
           code == '\n' || code == '\r' || code == 0x2022 || code == 0x2013 || code == 0x2014 ||
           code == '*' || code == '(' || code == '"' || code == 0x201c || code == 0x201e ||
           code == 0xab || code == 0xbf || code == 0xa1 || code == 0x2026 || code == '/' ||
           code == '|' || code == '#';
}

static void capitals_fold(struct bytes word, char ret_folded[static CAPITALS_WORD_SIZE])
{
    int32_t codes[CAPITALS_WORD_SIZE];
    size_t size = 0;
    utf8proc_ssize_t count =
        utf8proc_decompose(word.data, (utf8proc_ssize_t)word.size, codes, CAPITALS_WORD_SIZE,
                           UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                               UTF8PROC_STRIPMARK | UTF8PROC_STABLE);
    ret_folded[0] = '\0';
    if (count <= 0 || count > CAPITALS_WORD_SIZE)
        return;
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        if (size + 5 > CAPITALS_WORD_SIZE) {
            ret_folded[0] = '\0';
            return;
        }
        size += (size_t)utf8proc_encode_char(codes[i], (utf8proc_uint8_t *)ret_folded + size);
    }
    ret_folded[size] = '\0';
}

/* False at the end. */
static bool capitals_read(struct capitals_reader *reader, struct capitals_word *ret_word)
{
    struct bytes text = reader->text;
    size_t size = 0;
    int32_t code = 0;
    while (reader->at < text.size) {
        code = capitals_next(text, reader->at, &size);
        if (capitals_is_letter(code))
            break;
        reader->is_first = capitals_ends(code) || (reader->is_first && !capitals_is_digit(code)) ||
                           (reader->is_first && capitals_is_digit(code) && reader->before != ' ');
        reader->before = code;
        reader->at += size;
    }
    if (reader->at >= text.size)
        return false;
    *ret_word = (struct capitals_word){.start = reader->at,
                                       .is_plain = !capitals_is_digit(reader->before),
                                       .is_first = reader->is_first};
    size_t upper_count = 0, inner_count = 0;
    bool after_mark = true;
    for (; reader->at < text.size; reader->at += size) {
        code = capitals_next(text, reader->at, &size);
        bool is_joint = capitals_joins(text, reader->at, code, size);
        if (!is_joint && !capitals_is_letter(code))
            break;
        if (!is_joint) {
            bool is_upper = utf8proc_tolower(code) != code;
            upper_count += is_upper;
            inner_count += is_upper && !after_mark;
            ret_word->letter_count++;
            if (ret_word->letter_count == 1)
                ret_word->is_capital = is_upper;
        }
        after_mark = is_joint;
        reader->before = code;
    }
    ret_word->size = reader->at - ret_word->start;
    ret_word->is_plain = ret_word->is_plain && !(reader->at < text.size && capitals_is_digit(code));
    struct bytes word = {text.data + ret_word->start, ret_word->size};
    bool is_mac = inner_count == 1 && word.size > 3 &&
                  (memcmp(word.data, "Mc", 2) == 0 || memcmp(word.data, "Mac", 3) == 0);
    ret_word->is_upper = ret_word->letter_count > 2 && upper_count == ret_word->letter_count;
    ret_word->is_capital = ret_word->is_capital && ret_word->letter_count > 2 &&
                           (inner_count == 0 || is_mac) && !ret_word->is_upper;
    capitals_fold(word, ret_word->folded);
    reader->is_first = false;
    return true;
}

/* ---- what a word is ---- */

static bool capitals_is(const struct capitals_word *word, enum identifier_words list)
{
    return word->folded[0] != '\0' && identifier_words_has(list, word->folded);
}

/* Also each part of Smith-Jones, and the word before 's. */
static bool capitals_part_is(const struct capitals_word *word, enum identifier_words list)
{
    char part[CAPITALS_WORD_SIZE];
    if (capitals_is(word, list))
        return true;
    for (const char *from = word->folded; *from != '\0';) {
        size_t size = strcspn(from, "-'\xe2");
        memcpy(part, from, size);
        part[size] = '\0';
        if (size > 2 && identifier_words_has(list, part))
            return true;
        from += size;
        while (*from != '\0' && (*from == '-' || *from == '\'' || (unsigned char)*from >= 0x80))
            from++;
    }
    return false;
}

/* Endings of the names of medicines, of adjectives and of nouns that titles write with a capital.
 */
static bool capitals_is_of_field(const struct capitals_word *word)
{
    static const char *const endings[] = {
        "mab",      "nib",     "platin",  "taxel",   "mycin",  "cillin", "azole",  "statin",
        "pril",     "sartan",  "olol",    "rubicin", "parib",  "ciclib", "limus",  "vir",
        "floxacin", "setron",  "dronate", "gliptin", "flozin", "coccus", "bacter", "virus",
        "itis",     "osis",    "oma",     "aemia",   "emia",   "ology",  "ectomy", "scopy",
        "graphy",   "therapy", "pathy",   "cyte"};
    size_t size = strlen(word->folded);
    if (capitals_part_is(word, IDENTIFIER_WORDS_FIELD))
        return true;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);
        if (size > ending + 1 && strcmp(word->folded + size - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

/* Verbs of which only a person is the subject. */
static bool capitals_is_of_person(const char *word)
{
    static const char *const verbs[] = {
        "underwent", "reports",    "reported", "complains", "complained", "denies",   "denied",
        "lives",     "lived",      "smokes",   "smoked",    "suffers",    "suffered", "refuses",
        "refused",   "wishes",     "told",     "says",      "says",       "klagt",    "klagte",
        "berichtet", "berichtete", "lebt",     "raucht",    "leidet",     "wohnt",    "stellte",
        "vit",       "fume",       "refuse",   "habite",    "vive",       "fuma",     "refiere",
        "acude",     "niega"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i]) == 0)
            return true;
    }
    return false;
}

/* Subjects that are no name. */
static bool capitals_is_common(const char *word)
{
    static const char *const words[] = {
        "patient", "patientin", "patiente", "paciente", "he",    "she",   "they",      "who",
        "and",     "the",       "der",      "die",      "er",    "sie",   "il",        "elle",
        "elles",   "ils",       "ella",     "quien",    "qui",   "wer",   "man",       "woman",
        "nobody",  "everybody", "one",      "also",     "never", "she",   "we",        "family",
        "mother",  "father",    "mutter",   "vater",    "mann",  "frau",  "currently", "now",
        "then",    "this",      "que",      "madre",    "padre", "mere",  "pere",      "literature",
        "study",   "studies",   "authors",  "zudem",    "sonst", "heute", "aktuell"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* German by its small words: they are more than those of the other languages. */
static bool capitals_is_german(struct bytes text)
{
    static const char *const german[] = {
        "der",   "die",  "und", "das",  "mit",  "ist", "des", "dem", "den", "eine", "ein",   "bei",
        "nicht", "wird", "auf", "nach", "seit", "zur", "zum", "im",  "von", "oder", "keine", "war"};
    static const char *const other[] = {"the", "of",  "and", "with", "is",   "was",  "les",
                                        "des", "une", "est", "et",   "dans", "pour", "los",
                                        "las", "del", "con", "una",  "el",   "que",  "en",
                                        "a",   "la",  "le",  "de",   "to",   "we"};
    struct capitals_reader reader = {.text = text, .is_first = true};
    struct capitals_word word;
    size_t german_count = 0, other_count = 0;
    while (capitals_read(&reader, &word)) {
        for (size_t i = 0; i < sizeof german / sizeof german[0]; i++)
            german_count += strcmp(word.folded, german[i]) == 0;
        for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
            other_count += strcmp(word.folded, other[i]) == 0;
    }
    return german_count > other_count;
}

/* ---- the rule ---- */

struct capitals_state {
    bool is_german;
    bool is_before_given; /* the word before was one, and only a space lies between */
};

static bool capitals_is_name(const struct capitals_state *state, const struct capitals_word *word,
                             const struct capitals_word *next)
{
    bool is_listed = capitals_part_is(word, IDENTIFIER_WORDS_GIVEN) ||
                     capitals_part_is(word, IDENTIFIER_WORDS_FAMILY);
    bool is_of_field = capitals_is_of_field(word);
    if (word->is_upper)
        return is_listed && !is_of_field;
    if (!word->is_capital || !word->is_plain)
        return false;
    if (state->is_before_given)
        return true;
    if (is_of_field)
        return capitals_is(word, IDENTIFIER_WORDS_GIVEN) && next != NULL && next->is_capital &&
               (capitals_part_is(next, IDENTIFIER_WORDS_FAMILY) || !capitals_is_of_field(next));
    if (is_listed)
        return true;
    bool is_subject = next != NULL && capitals_is_of_person(next->folded);
    if (word->is_first || state->is_german)
        return is_subject && !capitals_is_common(word->folded) && !state->is_german;
    return true;
}

static bool capitals_is_close(struct bytes text, const struct capitals_word *word,
                              const struct capitals_word *next)
{
    size_t gap = next->start - (word->start + word->size);
    return gap == 1 && text.data[word->start + word->size] == ' ';
}

void identifier_capitals_find(struct bytes text,
                              void (*on_found)(void *arg, const struct identifier *found),
                              void *arg)
{
    struct capitals_state state = {.is_german = capitals_is_german(text)};
    struct capitals_reader reader = {.text = text, .is_first = true};
    struct capitals_word word, next;
    bool is_more = capitals_read(&reader, &word);
    while (is_more) {
        is_more = capitals_read(&reader, &next);
        bool is_close = is_more && capitals_is_close(text, &word, &next);
        bool is_town = (word.is_capital || word.is_upper) && word.is_plain &&
                       capitals_part_is(&word, IDENTIFIER_WORDS_TOWNS) &&
                       !capitals_is_of_field(&word);
        bool is_name = capitals_is_name(&state, &word, is_close ? &next : NULL);
        if (is_town || is_name) {
            struct identifier found = {.kind = is_town ? IDENTIFIER_PLACE : IDENTIFIER_PERSON,
                                       .start = word.start,
                                       .size = word.size};
            on_found(arg, &found);
        }
        state.is_before_given = is_close && is_name && word.is_capital &&
                                capitals_part_is(&word, IDENTIFIER_WORDS_GIVEN);
        word = next;
    }
}
