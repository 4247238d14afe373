#include "protocol/consult/casefile.h"

#include "protocol/hash.h"

#define FIELD(kind, ...) CONTENT_A_##kind(struct casefile_item, __VA_ARGS__)
static const struct content_field casefile_item_fields[] = {
    FIELD(FIXED, 1, item_id, CONTENT_NEEDED),
    FIELD(LINE, 2, name, CONTENT_NEEDED, ITEM_NAME_SIZE_MAX),
    FIELD(LINE, 3, media_type, CONTENT_NEEDED, MEDIA_TYPE_SIZE_MAX),
    FIELD(UINT, 4, size, CONTENT_NEEDED, ATTACHMENT_SIZE_MAX),
    FIELD(FIXED, 5, item_key, CONTENT_NEEDED),
    FIELD(UINT, 6, chunk_count, CONTENT_NEEDED, ITEM_CHUNK_COUNT_MAX),
};
#undef FIELD

static err casefile_item_check(const void *value)
{
    const struct casefile_item *item = value;
    struct item_shape shape;
    err failure = item_shape_of(item->size, &shape);
    if (failure == OK && shape.chunk_count != item->chunk_count)
        failure = ERR_MALFORMED;
    return failure;
}

static CONTENT_TABLE(casefile_item_table, "case file item", struct casefile_item,
                     casefile_item_fields, casefile_item_check);
static const struct content_field casefile_item_element = CONTENT_ELEMENT_MAP(&casefile_item_table);

#define FIELD(kind, ...) CONTENT_A_##kind(struct casefile, __VA_ARGS__)
static const struct content_field casefile_fields[] = {
    FIELD(TEXT, 1, description, CONTENT_NEEDED, DESCRIPTION_SIZE_MAX),
    FIELD(LIST, 2, items, item_count, CONTENT_OPTIONAL, &casefile_item_element),
    FIELD(LANGUAGE, 3, language, CONTENT_OPTIONAL),
};
#undef FIELD

static err casefile_check(const void *value)
{
    const struct casefile *casefile = value;
    if (casefile->item_count > ITEM_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < casefile->item_count; i++)
        for (size_t j = 0; j < i; j++)
            if (ID_EQUAL(casefile->items[i].item_id, casefile->items[j].item_id))
                return ERR_MALFORMED;
    return OK;
}

CONTENT_TABLE(casefile_table, "case file", struct casefile, casefile_fields, casefile_check);
CONTENT_CODEC(casefile, struct casefile)

enum { CASEFILE_PARTS_PER_ITEM = 4, CASEFILE_PARTS_BEFORE = 2 };

/* C-13: the root is over what was to be seen, never over keys. */
struct hash casefile_root(const struct casefile *casefile)
{
    struct bytes parts[CASEFILE_PARTS_BEFORE + CASEFILE_PARTS_PER_ITEM * ITEM_COUNT_MAX];
    uint8_t sizes[ITEM_COUNT_MAX][8];
    size_t count = 0;
    parts[count++] = casefile->language;
    parts[count++] = casefile->description;
    for (size_t i = 0; i < casefile->item_count && i < ITEM_COUNT_MAX; i++) {
        const struct casefile_item *item = &casefile->items[i];
        struct buffer size = buffer_over(sizes[i], sizeof sizes[i]);
        buffer_u64(&size, item->size);
        parts[count++] = ID_BYTES(item->item_id);
        parts[count++] = item->name;
        parts[count++] = item->media_type;
        parts[count++] = buffer_bytes(&size);
    }
    return hash_parts(CONTEXT_MANIFEST, parts, count);
}
