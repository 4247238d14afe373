#include "protocol/contents/case_file.h"

#include "protocol/base/hash.h"

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_file_item, __VA_ARGS__)
static const struct content_field case_file_item_fields[] = {
    FIELD(FIXED, 1, item_id, CONTENT_NEEDED),
    FIELD(LINE, 2, name, CONTENT_NEEDED, ITEM_NAME_SIZE_MAX),
    FIELD(LINE, 3, media_type, CONTENT_NEEDED, MEDIA_TYPE_SIZE_MAX),
    FIELD(UINT, 4, size, CONTENT_NEEDED, ATTACHMENT_SIZE_MAX),
    FIELD(FIXED, 5, item_key, CONTENT_NEEDED),
    FIELD(UINT, 6, chunk_count, CONTENT_NEEDED, ITEM_CHUNK_COUNT_MAX),
};
#undef FIELD

static err case_file_item_check(const void *value)
{
    const struct case_file_item *item = value;
    struct item_shape shape;
    err failure = item_shape_of(item->size, &shape);
    if (failure == OK && shape.chunk_count != item->chunk_count)
        failure = ERR_MALFORMED;
    return failure;
}

static CONTENT_TABLE(case_file_item_table, "case file item", struct case_file_item,
                     case_file_item_fields, case_file_item_check);
static const struct content_field case_file_item_element =
    CONTENT_ELEMENT_MAP(&case_file_item_table);

#define FIELD(kind, ...) CONTENT_A_##kind(struct case_file, __VA_ARGS__)
static const struct content_field case_file_fields[] = {
    FIELD(TEXT, 1, description, CONTENT_NEEDED, DESCRIPTION_SIZE_MAX),
    FIELD(LIST, 2, items, item_count, CONTENT_OPTIONAL, &case_file_item_element),
    FIELD(LANGUAGE, 3, language, CONTENT_OPTIONAL),
};
#undef FIELD

static err case_file_check(const void *value)
{
    const struct case_file *case_file = value;
    if (case_file->item_count > ITEM_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < case_file->item_count; i++)
        for (size_t j = 0; j < i; j++)
            if (ID_EQUAL(case_file->items[i].item_id, case_file->items[j].item_id))
                return ERR_MALFORMED;
    return OK;
}

CONTENT_TABLE(case_file_table, "case file", struct case_file, case_file_fields, case_file_check);
CONTENT_CODEC(case_file, struct case_file)

enum { CASE_FILE_PARTS_PER_ITEM = 4, CASE_FILE_PARTS_BEFORE = 2 };

/* C-13: the root covers what readers see, never keys. */
struct hash case_file_root(const struct case_file *case_file)
{
    struct bytes parts[CASE_FILE_PARTS_BEFORE + CASE_FILE_PARTS_PER_ITEM * ITEM_COUNT_MAX];
    uint8_t sizes[ITEM_COUNT_MAX][8];
    size_t count = 0;
    parts[count++] = case_file->language;
    parts[count++] = case_file->description;
    for (size_t i = 0; i < case_file->item_count && i < ITEM_COUNT_MAX; i++) {
        const struct case_file_item *item = &case_file->items[i];
        struct buffer size = buffer_over(sizes[i], sizeof sizes[i]);
        buffer_u64(&size, item->size);
        parts[count++] = ID_BYTES(item->item_id);
        parts[count++] = item->name;
        parts[count++] = item->media_type;
        parts[count++] = buffer_bytes(&size);
    }
    return hash_parts(CONTEXT_MANIFEST, parts, count);
}
