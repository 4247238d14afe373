/* The patterns of identifiers that have a form of their own: dates, numbers, addresses, and names
 * beside a title. English, German, French, Spanish, Chinese, Japanese; some also Russian, Korean.
 */
#ifndef CONSILIUM_NODE_IDENTIFIERS_IDENTIFIER_PATTERNS_H
#define CONSILIUM_NODE_IDENTIFIERS_IDENTIFIER_PATTERNS_H

#include "node/identifiers/identifiers.h"

struct identifier_pattern {
    enum identifier_kind kind;
    const char *text; /* PCRE2 with UTF and UCP; what is found is its group 1, or else all of it */
};

/* Ends with a `text` of NULL. Of two that overlap, the larger part of the text is reported. */
extern const struct identifier_pattern identifier_patterns[];

#endif
