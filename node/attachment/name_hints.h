/* What a file's name may tell of the patient: a date, a number, a person. Hints for the person who
 * sends the file, who decides; nothing is refused for them.
 *
 * Dates: day, month and year in any order, with marks between them or without ("12.03.1961",
 * "1961-03-12", "19610312", "1961年3月12日"), in European, Arabic, Persian, Devanagari, Thai and
 * full-width digits, and a name of a month beside a number in eleven languages. A year alone tells
 * little and is passed over.
 *
 * Numbers: five digits and more, also with marks between them; fewer after a word such as MRN.
 *
 * Persons: words that belong to no document: two side by side, or one that begins with a capital
 * letter. Of Chinese and Korean, two to four characters that begin with a common family name. */
#ifndef CONSILIUM_NODE_ATTACHMENT_NAME_HINTS_H
#define CONSILIUM_NODE_ATTACHMENT_NAME_HINTS_H

#include "protocol/base/bytes.h"

enum name_hint { NAME_HINT_DATE, NAME_HINT_NUMBER, NAME_HINT_PERSON, NAME_HINT_COUNT };

/* Bits of `enum name_hint`. `name` is UTF-8; what follows its last dot is passed over. */
unsigned name_hints_of(struct bytes name);

/* "a date": for "its name may hold ...". */
const char *name_hints_text(enum name_hint hint);

#endif
