/* What in a text may tell who the patient is: the identifiers of HIPAA's Safe Harbor rule (45 CFR
 * 164.514(b)(2)) that show in text, each with its place, for the author, who decides on each.
 * It is a help and no guarantee: spec/deidentification.md says what is found and what is not. */
#ifndef CONSILIUM_NODE_IDENTIFIERS_IDENTIFIERS_H
#define CONSILIUM_NODE_IDENTIFIERS_IDENTIFIERS_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

enum identifier_kind {
    IDENTIFIER_PERSON,
    IDENTIFIER_PLACE, /* smaller than a country, also a hospital */
    IDENTIFIER_DATE,  /* finer than a year */
    IDENTIFIER_AGE,   /* over 89 */
    IDENTIFIER_PHONE, /* also fax */
    IDENTIFIER_MAIL,
    IDENTIFIER_WEB,    /* also addresses of machines */
    IDENTIFIER_NUMBER, /* of a record, an insurance, an account, a device ... */
    IDENTIFIER_KIND_COUNT
};

struct identifier {
    enum identifier_kind kind;
    size_t start; /* bytes from the beginning of the text */
    size_t size;  /* bytes; > 0 */
};

enum { IDENTIFIER_COUNT_MAX = 256 };

struct identifier_list {
    struct identifier all[IDENTIFIER_COUNT_MAX]; /* by `start`; none overlaps another */
    size_t count;
    bool is_cut; /* the text holds more */
};

struct identifier_rules; /* compiled patterns; about 200 KB, made in about a millisecond */

/* Freed with identifiers_rules_free. NULL: no memory. */
struct identifier_rules *identifiers_rules_new(void);
void identifiers_rules_free(struct identifier_rules *rules);

/* Finds what may identify in `text`, which is UTF-8. ERR_INVALID: it is not. ERR_TOO_LARGE: it took
 * more steps than are allowed: say that the text was not examined. */
MUST_USE err identifiers_find(const struct identifier_rules *rules, struct bytes text,
                              struct identifier_list *ret_list);

/* "a person", "a date finer than a year" ...: for "it may name ...". */
const char *identifiers_kind_text(enum identifier_kind kind);
/* "person", "date" ...: for programs. */
const char *identifiers_kind_name(enum identifier_kind kind);

#endif
