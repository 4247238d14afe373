/* Word lists: common given and family names, towns, and words with a capital letter that name no
 * patient (diseases called after a person, germs, medicines, countries, words of a report). */
#ifndef CONSILIUM_NODE_IDENTIFIERS_IDENTIFIER_WORDS_H
#define CONSILIUM_NODE_IDENTIFIERS_IDENTIFIER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum identifier_words {
    IDENTIFIER_WORDS_GIVEN,
    IDENTIFIER_WORDS_FAMILY,
    IDENTIFIER_WORDS_TOWNS,
    IDENTIFIER_WORDS_FIELD,
    IDENTIFIER_WORDS_COUNT
};

/* `word`: small letters without accents, as the lists hold them. */
bool identifier_words_has(enum identifier_words list, const char *word);

/* The whole list as lines of words, a space between two, in the order of strcmp. */
const char *const *identifier_words_lines(enum identifier_words list, size_t *ret_count);

#endif
