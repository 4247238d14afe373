/* Contents: the content of a statement, as canonical msgpack maps with small unsigned keys.
 *
 * Each content is a plain struct and one table of its fields. Reading, writing, every limit and the
 * tables in spec/consult.md come from that one table, so they cannot disagree.
 *
 * Rules for all contents:
 *   - a required field is always present;
 *   - an optional field that is 0, false or empty must be left out;
 *   - fields that are not in the table are skipped, so that a later version may add some;
 *   - text is valid UTF-8 without control characters (newline and tab allowed in CONTENT_TEXT).
 *
 * Texts and binaries in a struct borrow from the bytes that were read. */
#ifndef CONSILIUM_PROTOCOL_RECORD_CONTENT_H
#define CONSILIUM_PROTOCOL_RECORD_CONTENT_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/limits.h"

enum content_type {
    CONTENT_UINT,     /* uint64_t, at most `max` */
    CONTENT_TIME,     /* struct wall: Unix milliseconds */
    CONTENT_BOOL,     /* bool */
    CONTENT_CODE,     /* an enum from 1 (0: absent), named by `codes` */
    CONTENT_TEXT,     /* struct bytes, at most `max` bytes, may hold newlines and tabs */
    CONTENT_LINE,     /* struct bytes, at most `max` bytes, one line */
    CONTENT_TAG,      /* struct bytes: a specialty tag, "hematology/bmt" */
    CONTENT_LANGUAGE, /* struct bytes: BCP 47, "pt-BR" */
    CONTENT_COUNTRY,  /* struct bytes: ISO 3166-1 alpha-2, "CH" */
    CONTENT_BIN,      /* struct bytes, at most `max` bytes */
    CONTENT_FIXED,    /* an id or key of exactly `max` bytes */
    CONTENT_MAP,      /* a struct with a table of its own */
    CONTENT_LIST,     /* an array of at most `max` elements and a size_t count */
};

/* The names of an enum's values, from 1. */
struct content_codes {
    const char *const *names; /* names[0] is "" */
    size_t count;             /* including names[0] */
};

struct content_field {
    const char *name; /* as in the struct and in spec/consult.md */
    uint8_t key;
    enum content_type type;
    bool is_required;
    uint64_t max;
    size_t offset;
    size_t count_offset;                 /* lists: of the size_t count */
    size_t stride;                       /* lists: size of one element */
    const struct content_field *element; /* lists: type and limit of one element */
    const struct content_table *table;   /* maps */
    const struct content_codes *codes;   /* codes */
};

struct content_table {
    const char *name;
    const struct content_field *fields; /* ascending keys */
    size_t field_count;
    size_t size; /* of the struct */
    /* Checks across fields; OK or an error. May be NULL. */
    err (*check)(const void *value);
};

/* Reads `content` into the struct that `table` describes. On failure the struct is all zeros.
 *
 *   ERR_TRUNCATED, ERR_NOT_CANONICAL   not canonical msgpack, or an empty optional field
 *   ERR_TOO_LARGE                      a field over its limit
 *   ERR_MALFORMED                      a missing field, or one of wrong type or syntax
 *   the errors of `check` */
MUST_USE err content_read(const struct content_table *table, struct bytes content, void *ret_value);

/* Appends the struct as content. Writing applies the same rules as reading, so everything written
 * can be read. Errors as in content_read, and ERR_TOO_LARGE when `out` is full. */
MUST_USE err content_write(const struct content_table *table, const void *value,
                           struct buffer *out);

/* The largest size of a content of this table. */
size_t content_size_max(const struct content_table *table);

/* "unclear-diagnosis"; "" for 0, "unknown" beyond the last. Static storage. */
const char *content_code_name(const struct content_codes *codes, unsigned code);
/* The code of that name, 0 when there is none. */
unsigned content_code_of(const struct content_codes *codes, struct bytes name);

/* Syntax checks of the small texts. */
bool content_tag_valid(struct bytes tag);
bool content_language_valid(struct bytes language);
bool content_country_valid(struct bytes country);

/* ---- for the files that hold tables ---- */

/* An enum of codes from a list of X(NAME, "name"), and its names. */
#define CONTENT_CODE_ENUM(name, text) name,
#define CONTENT_CODE_TEXT(name, text) text,
#define CONTENT_CODES(symbol, list)                                                                \
    static const char *const symbol##_names[] = {"", list(CONTENT_CODE_TEXT)};                     \
    const struct content_codes symbol = {symbol##_names,                                           \
                                         sizeof symbol##_names / sizeof symbol##_names[0]}

/* `expression` if `condition` holds, else it does not compile. */
#define CONTENT_IF(condition, expression)                                                          \
    (sizeof(char[(condition) ? 1 : -1]) == 1 ? (expression) : (expression))
#define CONTENT_IS(owner, field, wanted) _Generic(((owner *)0)->field, wanted : 1, default : 0)

#define CONTENT_OF(owner, field_key, field, content_type, wanted, needed, limit)                   \
    .name = #field, .key = (field_key), .type = (content_type), .is_required = (needed),           \
    .max = (limit), .offset = CONTENT_IF(CONTENT_IS(owner, field, wanted), offsetof(owner, field))

#define CONTENT_NEEDED true
#define CONTENT_OPTIONAL false

#define CONTENT_A_UINT(owner, key, field, needed, limit)                                           \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_UINT, uint64_t, needed, limit)                       \
    }
#define CONTENT_A_TIME(owner, key, field, needed)                                                  \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_TIME, struct wall, needed, UINT64_MAX)               \
    }
#define CONTENT_A_BOOL(owner, key, field, needed)                                                  \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_BOOL, bool, needed, 1)                               \
    }
#define CONTENT_A_TEXT(owner, key, field, needed, limit)                                           \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_TEXT, struct bytes, needed, limit)                   \
    }
#define CONTENT_A_LINE(owner, key, field, needed, limit)                                           \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_LINE, struct bytes, needed, limit)                   \
    }
#define CONTENT_A_TAG(owner, key, field, needed)                                                   \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_TAG, struct bytes, needed, TAG_SIZE_MAX)             \
    }
#define CONTENT_A_LANGUAGE(owner, key, field, needed)                                              \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_LANGUAGE, struct bytes, needed, LANGUAGE_SIZE_MAX)   \
    }
#define CONTENT_A_COUNTRY(owner, key, field, needed)                                               \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_COUNTRY, struct bytes, needed, 2)                    \
    }
#define CONTENT_A_BIN(owner, key, field, needed, limit)                                            \
    {                                                                                              \
        CONTENT_OF(owner, key, field, CONTENT_BIN, struct bytes, needed, limit)                    \
    }

/* An enum of this project has the width of an unsigned. */
#define CONTENT_A_CODE(owner, field_key, field, needed, names)                                     \
    {                                                                                              \
        .name = #field, .key = (field_key), .type = CONTENT_CODE, .is_required = (needed),         \
        .offset =                                                                                  \
            CONTENT_IF(sizeof(((owner *)0)->field) == sizeof(unsigned), offsetof(owner, field)),   \
        .codes = &(names)                                                                          \
    }

/* An id, key or signature: a struct of `bytes`. */
#define CONTENT_A_FIXED(owner, field_key, field, needed)                                           \
    {                                                                                              \
        .name = #field, .key = (field_key), .type = CONTENT_FIXED, .is_required = (needed),        \
        .max = sizeof(((owner *)0)->field.bytes), .offset = offsetof(owner, field)                 \
    }

#define CONTENT_A_MAP(owner, field_key, field, needed, of)                                         \
    {                                                                                              \
        .name = #field, .key = (field_key), .type = CONTENT_MAP, .is_required = (needed),          \
        .offset = offsetof(owner, field), .table = (of)                                            \
    }

/* `field` is an array, `count_field` its size_t count, `of` the field of one element. */
#define CONTENT_A_LIST(owner, field_key, field, count_field, needed, of)                           \
    {                                                                                              \
        .name = #field, .key = (field_key), .type = CONTENT_LIST, .is_required = (needed),         \
        .max = sizeof(((owner *)0)->field) / sizeof(((owner *)0)->field[0]),                       \
        .offset = offsetof(owner, field),                                                          \
        .count_offset =                                                                            \
            CONTENT_IF(CONTENT_IS(owner, count_field, size_t), offsetof(owner, count_field)),      \
        .stride = sizeof(((owner *)0)->field[0]), .element = (of)                                  \
    }

/* Elements of lists. */
#define CONTENT_ELEMENT_FIXED(size)                                                                \
    {                                                                                              \
        .type = CONTENT_FIXED, .is_required = true, .max = (size)                                  \
    }
#define CONTENT_ELEMENT_LINE(limit)                                                                \
    {                                                                                              \
        .type = CONTENT_LINE, .is_required = true, .max = (limit)                                  \
    }
#define CONTENT_ELEMENT_TAG                                                                        \
    {                                                                                              \
        .type = CONTENT_TAG, .is_required = true, .max = TAG_SIZE_MAX                              \
    }
#define CONTENT_ELEMENT_MAP(of)                                                                    \
    {                                                                                              \
        .type = CONTENT_MAP, .is_required = true, .table = (of)                                    \
    }

#define CONTENT_TABLE(symbol, title, type, field_array, checker)                                   \
    const struct content_table symbol = {.name = (title),                                          \
                                         .fields = (field_array),                                  \
                                         .field_count =                                            \
                                             sizeof(field_array) / sizeof((field_array)[0]),       \
                                         .size = sizeof(type),                                     \
                                         .check = (checker)}

/* noun_read and noun_write of a table. */
#define CONTENT_CODEC(noun, type)                                                                  \
    err noun##_read(struct bytes content, type *ret_value)                                         \
    {                                                                                              \
        return content_read(&noun##_table, content, ret_value);                                    \
    }                                                                                              \
    err noun##_write(const type *value, struct buffer *out)                                        \
    {                                                                                              \
        return content_write(&noun##_table, value, out);                                           \
    }

/* Their declarations, and that of the table. */
#define CONTENT_DECLARE(noun, type)                                                                \
    extern const struct content_table noun##_table;                                                \
    MUST_USE err noun##_read(struct bytes content, type *ret_value);                               \
    MUST_USE err noun##_write(const type *value, struct buffer *out)

#endif
